//! Appending: order, fencing, isolation.

use crate::turn::{Turn, delta};
use crate::world::{World, note};
use journal::{AppendError, Entry, LedgerOp, Private};
use protocol::{CostKind, MicroUsd, ResponseId, Status};

crate::on_both_backends!(
    what_is_appended_is_read,
    numbers_are_contiguous,
    nothing_follows_a_terminal_event,
    an_old_lease_is_refused,
    a_lease_is_for_its_session_only,
    unknown_things_are_unknown,
    concurrent_appends_are_isolated,
    a_dropped_append_leaves_a_whole_log,
);

async fn what_is_appended_is_read(world: World) {
    let turn = Turn::begin(&world.journal, "alice").await;
    let op = LedgerOp::Reserve {
        id: "call:1".into(),
        kind: CostKind::Jobs,
        amount: MicroUsd(7),
    };
    let entry = Entry::with(2, note(2).event, Private::ledger([op]));
    world
        .journal
        .append(&turn.lease, &turn.id, &[entry.clone(), note(3)])
        .await
        .unwrap();
    world
        .journal
        .append(&turn.lease, &turn.id, &[])
        .await
        .unwrap();
    let entries = world.journal.entries(&turn.id).await.unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[2], entry);
    let row = turn.row().await;
    assert_eq!((row.head, row.owner.as_str()), (3, "alice"));
    let frames = world.journal.frames(&turn.id, 1, 2).await.unwrap();
    assert_eq!(frames.iter().map(|f| f.seq).collect::<Vec<_>>(), [1, 2]);
    let line = entry.event.encode(2).unwrap();
    assert_eq!(
        frames[1].with_id(),
        format!("id: 2\nevent: response.tool_log\ndata: {line}\n\n")
    );
}

async fn numbers_are_contiguous(world: World) {
    let turn = Turn::begin(&world.journal, "alice").await;
    let bad: [&[u64]; 7] = [&[0], &[1], &[3], &[u64::MAX], &[2, 4], &[2, 2], &[3, 2]];
    for seqs in bad {
        let entries: Vec<Entry> = seqs.iter().map(|&seq| note(seq)).collect();
        let outcome = world.journal.append(&turn.lease, &turn.id, &entries).await;
        assert!(
            matches!(outcome, Err(AppendError::OutOfOrder)),
            "{seqs:?}: {outcome:?}"
        );
    }
    assert_eq!(turn.row().await.head, 1);
    assert_eq!(world.journal.entries(&turn.id).await.unwrap().len(), 2);
}

async fn nothing_follows_a_terminal_event(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let completed = protocol::Event::Completed {
        response: turn.snapshot(Status::Completed),
    };
    // Not within the same append either.
    let outcome = turn.append(vec![completed, delta("late")]).await;
    assert!(
        matches!(outcome, Err(AppendError::OutOfOrder)),
        "{outcome:?}"
    );
    turn.complete().await;
    let outcome = turn.append(vec![delta("late")]).await;
    assert!(
        matches!(outcome, Err(AppendError::OutOfOrder)),
        "{outcome:?}"
    );
    assert_eq!(turn.row().await.head, 2);
}

async fn an_old_lease_is_refused(world: World) {
    let mut old = Turn::begin(&world.journal, "alice").await;
    let lease = world.journal.acquire(old.lease.session()).await.unwrap();
    let outcome = old.append(vec![delta("x")]).await;
    assert!(matches!(outcome, Err(AppendError::Fenced)), "{outcome:?}");
    let first = std::mem::replace(&mut old.lease, lease);
    old.append(vec![delta("x")]).await.unwrap();
    old.complete().await;
    // Nor can the old lease create, whether it says that it opens the session or not.
    for opens_session in [false, true] {
        let outcome = Turn::submit(&world.journal, &first, "alice", opens_session).await;
        assert!(matches!(outcome.err(), Some(AppendError::Fenced)));
    }
}

async fn a_lease_is_for_its_session_only(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    let other = Turn::begin(&world.journal, "bob").await;
    turn.lease = other.lease;
    let outcome = turn.append(vec![delta("x")]).await;
    assert!(matches!(outcome, Err(AppendError::Unknown)), "{outcome:?}");
    assert_eq!(turn.row().await.head, 1);
}

async fn unknown_things_are_unknown(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    turn.id = ResponseId::fresh();
    let outcome = turn.append(vec![delta("x")]).await;
    assert!(matches!(outcome, Err(AppendError::Unknown)), "{outcome:?}");
    let outcome = world.journal.acquire(&protocol::SessionId::fresh()).await;
    assert!(matches!(outcome, Err(AppendError::Unknown)), "{outcome:?}");
    assert_eq!(world.journal.response(&turn.id).await.unwrap(), None);
}

/// Many appends at once share a commit; those that are refused, or that the store itself rejects, take none with them.
async fn concurrent_appends_are_isolated(world: World) {
    let mut tasks = Vec::new();
    for index in 0..60 {
        let journal = world.journal.clone();
        tasks.push(tokio::spawn(async move {
            let mut turn = Turn::begin(&journal, "alice").await;
            for round in 0..5 {
                turn.append(vec![delta("a"), delta("b")]).await.unwrap();
                if index % 3 == 0 {
                    let gap = [note(turn.next() + 1 + round)];
                    let outcome = journal.append(&turn.lease, &turn.id, &gap).await;
                    assert!(matches!(outcome, Err(AppendError::OutOfOrder)));
                }
                if index % 3 == 1 {
                    let again = crate::world::opening(&turn.id, turn.lease.session());
                    let new = crate::world::new("alice", true);
                    let outcome = journal.create(&turn.lease, &turn.id, new, &again).await;
                    assert!(matches!(outcome, Err(AppendError::Busy)), "{outcome:?}");
                }
            }
            turn.complete().await;
            // An id that exists, in a session that is free: its log stays as it is.
            let again = crate::world::opening(&turn.id, turn.lease.session());
            let new = crate::world::new("alice", index % 2 == 0);
            let outcome = journal.create(&turn.lease, &turn.id, new, &again).await;
            assert!(
                matches!(outcome, Err(AppendError::OutOfOrder)),
                "{outcome:?}"
            );
            assert_eq!(turn.row().await.head, 12);
            assert_eq!(journal.entries(&turn.id).await.unwrap().len(), 13);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// Whoever waits for an append may be cancelled at any point: it happened as a whole or not at all, and readers hear of
/// it.
async fn a_dropped_append_leaves_a_whole_log(world: World) {
    let turn = Turn::begin(&world.journal, "alice").await;
    let row = turn.row().await;
    let mut follower = world.journal.follow(&row, 2).await.unwrap();
    let mut next = 2;
    for polls in 0..40 {
        let entries = [note(next), note(next + 1)];
        let append = world.journal.append(&turn.lease, &turn.id, &entries);
        let mut append = Box::pin(append);
        for _ in 0..polls % 4 {
            if let std::task::Poll::Ready(outcome) = futures_util::poll!(&mut append) {
                outcome.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(append);
        // The writer works in order, so the head is settled behind a later append of any kind.
        let _ = world
            .journal
            .append(&turn.lease, &turn.id, &[note(u64::MAX)])
            .await;
        let head = turn.row().await.head;
        assert!(head + 1 == next || head + 1 == next + 2, "{head} {next}");
        if head + 1 == next + 2 {
            let frames = tokio::time::timeout(crate::world::PATIENCE, follower.next());
            assert_eq!(frames.await.unwrap().unwrap().len(), 2);
        }
        next = head + 1;
    }
}
