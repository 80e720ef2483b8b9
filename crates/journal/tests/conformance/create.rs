//! Creating: at most one open response per session.

use crate::turn::{Turn, delta};
use crate::world::{World, new, note, opening};
use journal::{AppendError, Lease};
use protocol::{Event, ResponseId, SessionId, Status};

crate::on_both_backends!(
    a_session_has_one_open_response,
    of_concurrent_creates_one_wins,
    a_paused_response_cannot_go_on_beside_another,
    a_log_begins_at_zero,
    a_session_keeps_the_order_of_its_responses,
);

async fn a_session_has_one_open_response(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let lease = turn.lease.clone();
    let refusal = async || {
        Turn::submit(&world.journal, &lease, "alice", false)
            .await
            .err()
    };
    assert!(matches!(refusal().await, Some(AppendError::Busy)));
    turn.append(vec![turn.running()]).await.unwrap();
    assert!(matches!(refusal().await, Some(AppendError::Busy)));
    turn.pause().await;
    assert!(matches!(
        refusal().await,
        Some(AppendError::ApprovalPending)
    ));
    turn.append(vec![turn.running()]).await.unwrap();
    turn.complete().await;
    assert!(refusal().await.is_none());
}

async fn of_concurrent_creates_one_wins(world: World) {
    for opens_session in [true, false] {
        let lease = if opens_session {
            Lease::first(SessionId::fresh())
        } else {
            let mut turn = Turn::begin(&world.journal, "alice").await;
            turn.complete().await;
            turn.lease
        };
        let creates = (0..20).map(|_| {
            let (journal, lease) = (world.journal.clone(), lease.clone());
            tokio::spawn(
                async move { Turn::submit(&journal, &lease, "alice", opens_session).await },
            )
        });
        let mut won = 0;
        for create in creates.collect::<Vec<_>>() {
            match create.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, AppendError::Busy), "{error:?}"),
            }
        }
        assert_eq!(won, 1);
    }
}

async fn a_paused_response_cannot_go_on_beside_another(world: World) {
    let mut first = Turn::begin(&world.journal, "alice").await;
    let response = first.snapshot(Status::Incomplete);
    first
        .append(vec![Event::Incomplete { response }])
        .await
        .unwrap();
    let mut second = Turn::submit(&world.journal, &first.lease, "alice", false)
        .await
        .unwrap();
    let running = first.running();
    let outcome = first.append(vec![running.clone()]).await;
    assert!(matches!(outcome, Err(AppendError::Busy)), "{outcome:?}");
    // What does not start it again is welcome, and the other one is not disturbed.
    first.append(vec![delta("x")]).await.unwrap();
    second.pause().await;
    let outcome = first.append(vec![first.running()]).await;
    assert!(
        matches!(outcome, Err(AppendError::ApprovalPending)),
        "{outcome:?}"
    );
    second.complete().await;
    first.append(vec![first.running()]).await.unwrap();
}

async fn a_log_begins_at_zero(world: World) {
    let lease = Lease::first(SessionId::fresh());
    let id = ResponseId::fresh();
    let entries = opening(&id, lease.session());
    for bad in [&entries[1..], &[], &[note(5)]] {
        let outcome = world
            .journal
            .create(&lease, &id, new("alice", true), bad)
            .await;
        assert!(
            matches!(outcome, Err(AppendError::OutOfOrder)),
            "{outcome:?}"
        );
    }
    assert_eq!(world.journal.response(&id).await.unwrap(), None);
    assert_eq!(
        world.journal.session(lease.session()).await.unwrap(),
        None,
        "a refused create leaves no session behind"
    );
}

/// Ids carry the time of a wall clock, and that may go back.
async fn a_session_keeps_the_order_of_its_responses(world: World) {
    let lease = Lease::first(SessionId::fresh());
    let mut ids = Vec::new();
    for digit in ["9", "5", "7", "1"] {
        let id = ResponseId::parse(&format!("resp_{}", digit.repeat(32))).unwrap();
        let mut entries = opening(&id, lease.session());
        let Event::Queued { response } = entries[1].event.clone() else {
            panic!("the second entry");
        };
        entries[1].event = Event::Cancelled { response };
        world
            .journal
            .create(&lease, &id, new("alice", ids.is_empty()), &entries)
            .await
            .unwrap();
        ids.push(id);
    }
    let rows = world.journal.responses_of(lease.session()).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.id).collect::<Vec<_>>(), ids);
}
