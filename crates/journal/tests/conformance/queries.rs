//! Finding responses and sessions, and finding them again after a restart.

use crate::turn::{Turn, delta};
use crate::world::World;
use journal::{Listing, Phase, ResponseRow};

crate::on_both_backends!(
    responses_are_paged_newest_first,
    in_flight_is_queued_and_running,
    a_reopened_store_gives_the_same_bytes,
);

fn ids(rows: &[ResponseRow]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

async fn responses_are_paged_newest_first(world: World) {
    let mut created = Vec::new();
    for _ in 0..7 {
        created.push(Turn::begin(&world.journal, "alice").await.row().await);
        Turn::begin(&world.journal, "bob").await;
    }
    created.reverse();
    let mut paged: Vec<ResponseRow> = Vec::new();
    loop {
        let before = paged.last().map(|row| &row.id);
        let listing = Listing {
            after: before.cloned(),
            ..Listing::newest("alice", 3)
        };
        let page = world.journal.list(&listing).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(ids(&paged), ids(&created));
    let nobody = world
        .journal
        .list(&Listing::newest("carol", 9))
        .await
        .unwrap();
    assert!(nobody.is_empty());
}

async fn in_flight_is_queued_and_running(world: World) {
    let queued = Turn::begin(&world.journal, "alice").await;
    let mut running = Turn::begin(&world.journal, "alice").await;
    running.append(vec![running.running()]).await.unwrap();
    let mut paused = Turn::begin(&world.journal, "alice").await;
    paused.pause().await;
    let mut ended = Turn::begin(&world.journal, "alice").await;
    ended.complete().await;
    let rows = world.journal.in_flight().await.unwrap();
    assert_eq!(ids(&rows), [queued.id.as_str(), running.id.as_str()]);
    assert_eq!(rows[1].phase, Phase::Running);
    assert_eq!(paused.row().await.phase, Phase::AwaitingApproval);
    assert_eq!(ended.row().await.phase, Phase::Completed);
    world.journal.ping().await.unwrap();
}

async fn a_reopened_store_gives_the_same_bytes(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    turn.open_message().await;
    for text in ["é\n", "\u{2028}\u{0}", "\"\\"] {
        turn.append(vec![delta(text)]).await.unwrap();
    }
    let Some(again) = world.reopened().await else {
        return;
    };
    let frames = world.journal.frames(&turn.id, 0, 100).await.unwrap();
    let same = again.frames(&turn.id, 0, 100).await.unwrap();
    assert_eq!(frames.len(), 8);
    for (frame, same) in frames.iter().zip(&same) {
        assert_eq!(frame.with_id(), same.with_id());
    }
    let entries = again.entries(&turn.id).await.unwrap();
    assert_eq!(entries, world.journal.entries(&turn.id).await.unwrap());
    // The new process takes over; the old one is fenced off.
    let lease = again.acquire(turn.lease.session()).await.unwrap();
    assert!(turn.append(vec![delta("x")]).await.is_err());
    turn.journal = again;
    turn.lease = lease;
    turn.append(vec![delta("x")]).await.unwrap();
}
