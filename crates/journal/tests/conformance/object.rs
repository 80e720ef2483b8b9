//! The response object: equal to the fold, and cheap.

use crate::turn::{Turn, delta};
use crate::world::World;

crate::on_both_backends!(
    the_object_is_the_fold,
    a_stale_row_does_not_matter,
    a_finished_response_is_read_from_its_last_event,
);

async fn the_object_is_the_fold(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    check(&turn).await;
    turn.open_message().await;
    for _ in 0..3 {
        turn.append(vec![delta("a"), delta("b")]).await.unwrap();
        check(&turn).await;
        check(&turn).await;
    }
    turn.append(vec![turn.running()]).await.unwrap();
    turn.complete().await;
    check(&turn).await;
}

async fn check(turn: &Turn) {
    let object = turn.journal.object(&turn.row().await).await.unwrap();
    assert_eq!(
        serde_json::to_string(&*object).unwrap(),
        serde_json::to_string(&turn.object).unwrap()
    );
}

/// The row may be older than the log: another request moved it on.
async fn a_stale_row_does_not_matter(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let mut rows = vec![turn.row().await];
    turn.open_message().await;
    rows.push(turn.row().await);
    let actions = |object: &protocol::Response| object.pending_approval.clone();
    turn.pause().await;
    rows.push(turn.row().await);
    turn.append(vec![turn.running(), delta("x")]).await.unwrap();
    rows.push(turn.row().await);
    for row in &rows {
        let object = turn.journal.object(row).await.unwrap();
        assert_eq!((&*object, actions(&object)), (&turn.object, None));
    }
    turn.complete().await;
    for row in &rows {
        assert_eq!(*turn.journal.object(row).await.unwrap(), turn.object);
    }
}

async fn a_finished_response_is_read_from_its_last_event(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    turn.open_message().await;
    while turn.next() < 10_000 {
        turn.append((0..500).map(|n| delta(n.to_string())).collect())
            .await
            .unwrap();
    }
    turn.complete().await;
    check(&turn).await;
    let Some(file) = world.file() else {
        return;
    };
    // Nothing but the last event is needed: the others are gone.
    let connection = rusqlite::Connection::open(file).unwrap();
    let deleted = connection
        .execute(
            "DELETE FROM events WHERE response_id = ?1 AND seq < ?2",
            rusqlite::params![turn.id.as_str(), turn.object.last_sequence_number],
        )
        .unwrap();
    assert!(deleted >= 10_000);
    check(&turn).await;
    turn.journal = world.reopened().await.unwrap();
    check(&turn).await;
}
