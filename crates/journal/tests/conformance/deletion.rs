//! Deleting: the id is unknown, the text is gone, the money is not.

use crate::turn::{Turn, delta};
use crate::world::{PATIENCE, World, new};
use journal::{
    AppendError, Claim, DueLimits, Entry, JournalError, Lease, LedgerOp, Listing, NewResponse,
    NewWebhook, Past, Private, Resource, ResourceKind,
};
use protocol::{CostKind, MicroUsd, SessionId, WebhookRequest};

crate::on_both_backends!(
    a_deleted_response_is_unknown,
    only_what_has_ended_is_deleted,
    the_session_keeps_its_money_and_its_order,
    readers_end,
    nothing_of_the_text_is_left,
    old_responses_are_found_by_age,
    an_empty_session_goes_when_nothing_runs,
);

async fn whole(world: &World) -> Turn {
    let new = NewResponse {
        metadata: vec![("run".into(), "a".into())],
        claims: vec![Claim {
            name: "key".into(),
            fingerprint: String::new(),
            expires_at: u64::MAX / 2,
            is_exclusive: true,
        }],
        webhook: Some(NewWebhook {
            request: WebhookRequest::of_endings("https://example.org".into()),
            by_operator: false,
        }),
        ..new("alice", true)
    };
    let lease = Lease::first(SessionId::fresh());
    Turn::create(&world.journal, &lease, new).await.unwrap()
}

async fn a_deleted_response_is_unknown(world: World) {
    let journal = &world.journal;
    let mut turn = whole(&world).await;
    turn.complete().await;
    let row = turn.row().await;
    journal.object(&row).await.unwrap();
    journal.delete(&turn.id).await.unwrap();
    assert_eq!(journal.response(&turn.id).await.unwrap(), None);
    assert!(journal.entries(&turn.id).await.unwrap().is_empty());
    let object = journal.object(&row).await;
    assert!(matches!(object, Err(JournalError::Deleted)), "{object:?}");
    let submission = journal.submission(&turn.id).await;
    assert!(matches!(submission, Err(JournalError::Deleted)));
    assert!(matches!(
        journal.follow(&row, 0).await.err(),
        Some(JournalError::Deleted)
    ));
    let session = turn.lease.session();
    assert!(journal.responses_of(session).await.unwrap().is_empty());
    assert!(journal.session(session).await.unwrap().is_some());
    for metadata in [vec![], vec![("run".into(), "a".into())]] {
        let listing = Listing {
            metadata,
            ..Listing::newest("alice", 9)
        };
        assert!(journal.list(&listing).await.unwrap().is_empty());
    }
    assert_eq!(journal.claimed("key", 0).await.unwrap(), None);
    assert!(journal.webhooks_of(session).await.unwrap().is_empty());
    let most = DueLimits {
        at_receiver: 9,
        of_account: 9,
        in_all: 9,
    };
    assert!(journal.webhooks_due(0, most).await.unwrap().is_empty());
    let again = journal.delete(&turn.id).await;
    assert!(matches!(again, Err(AppendError::Unknown)), "{again:?}");
    let late = turn.append(vec![delta("late")]).await;
    assert!(late.is_err());
    assert!(journal.entries(&turn.id).await.unwrap().is_empty());
}

async fn only_what_has_ended_is_deleted(world: World) {
    let journal = &world.journal;
    let mut turn = Turn::begin(journal, "alice").await;
    let refused = async |turn: &Turn| journal.delete(&turn.id).await.err();
    assert!(matches!(refused(&turn).await, Some(AppendError::Busy)));
    turn.pause().await;
    assert!(matches!(refused(&turn).await, Some(AppendError::Busy)));
    assert_eq!(journal.entries(&turn.id).await.unwrap().len(), 3);
}

fn job(id: &str) -> Resource {
    Resource {
        kind: ResourceKind::Job,
        id: id.into(),
        namespace: "alice".into(),
        url: "https://example.org".into(),
        reservation: format!("call:{id}"),
        micro_usd_per_minute: 5,
        started_at: 0,
    }
}

async fn record(turn: &mut Turn, private: Private) {
    let entry = Entry::with(turn.next(), delta("x"), private);
    turn.journal
        .append(&turn.lease, &turn.id, std::slice::from_ref(&entry))
        .await
        .unwrap();
    turn.object.apply(entry.seq, &entry.event);
}

async fn the_session_keeps_its_money_and_its_order(world: World) {
    let journal = &world.journal;
    let mut first = Turn::begin(journal, "alice").await;
    let reserve = LedgerOp::Reserve {
        id: "call:job".into(),
        kind: CostKind::Jobs,
        amount: MicroUsd(7),
    };
    record(&mut first, Private::ledger([reserve.clone()])).await;
    let started = Private {
        resource: Some(job("job")),
        ..Private::default()
    };
    record(&mut first, started).await;
    first.complete().await;
    let lease = first.lease.clone();
    let mut second = Turn::submit(journal, &lease, "alice", false).await.unwrap();
    second.complete().await;
    journal.delete(&first.id).await.unwrap();
    let past = journal.history(lease.session()).await.unwrap();
    let [Past::Deleted(residue), Past::Kept(row)] = &past[..] else {
        panic!("{past:?}");
    };
    assert_eq!(row.id, second.id);
    assert_eq!(residue.ledger, [reserve]);
    assert_eq!(residue.resources, [job("job")]);
    // It goes on, behind the others.
    let third = Turn::submit(journal, &lease, "alice", false).await.unwrap();
    let rows = journal.responses_of(lease.session()).await.unwrap();
    let ids: Vec<_> = rows.into_iter().map(|row| row.id).collect();
    assert_eq!(ids, [second.id.clone(), third.id.clone()]);
    if let Some(again) = world.reopened().await {
        let same = again.history(lease.session()).await.unwrap();
        assert_eq!(same[0], past[0]);
        assert_eq!(again.response(&first.id).await.unwrap(), None);
    }
}

async fn readers_end(world: World) {
    let journal = &world.journal;
    let mut turn = Turn::begin(journal, "alice").await;
    let row = turn.row().await;
    // One has read nothing, one waits behind the head.
    let mut slow = journal.follow(&row, 0).await.unwrap();
    turn.append(vec![turn.running()]).await.unwrap();
    turn.complete().await;
    let row = turn.row().await;
    let mut behind = journal.follow(&row, row.head + 1).await.unwrap();
    let waiting = tokio::spawn(async move { behind.next().await.map(|frames| frames.len()) });
    journal.delete(&turn.id).await.unwrap();
    let slow = tokio::time::timeout(PATIENCE, slow.next()).await.unwrap();
    assert!(matches!(slow, Err(JournalError::Deleted)), "{slow:?}");
    let behind = tokio::time::timeout(PATIENCE, waiting).await.unwrap();
    let behind = behind.unwrap();
    assert!(matches!(behind, Err(JournalError::Deleted)), "{behind:?}");
}

async fn nothing_of_the_text_is_left(world: World) {
    let mut turn = Turn::begin(&world.journal, "alice").await;
    turn.open_message().await;
    for _ in 0..50 {
        let text = format!("unmistakable {}", "x".repeat(3000));
        turn.append(vec![delta(text)]).await.unwrap();
    }
    turn.complete().await;
    let Some(file) = world.file() else {
        return;
    };
    assert!(is_in_files(&file, b"unmistakable"));
    world.journal.delete(&turn.id).await.unwrap();
    world.journal.scrub_log().await.unwrap();
    assert!(!is_in_files(&file, b"unmistakable"));
}

/// Whether any of the store's files holds these bytes.
fn is_in_files(file: &std::path::Path, needle: &[u8]) -> bool {
    let folder = std::fs::read_dir(file.parent().unwrap()).unwrap();
    folder.into_iter().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

async fn old_responses_are_found_by_age(world: World) {
    let journal = &world.journal;
    let mut old = Vec::new();
    for created_at in [30, 10, 20, 40] {
        let new = NewResponse {
            created_at,
            ..new("alice", true)
        };
        let lease = Lease::first(SessionId::fresh());
        let mut turn = Turn::create(journal, &lease, new).await.unwrap();
        if created_at != 20 {
            turn.complete().await;
        }
        old.push((created_at, turn.id));
    }
    let found = journal.expired(40, 9).await.unwrap();
    let ages: Vec<u64> = found.iter().map(|row| row.created_at).collect();
    assert_eq!(ages, [10, 30]);
    assert_eq!(journal.expired(40, 1).await.unwrap().len(), 1);
    journal.delete(&old[1].1).await.unwrap();
    assert_eq!(journal.expired(40, 9).await.unwrap().len(), 1);
}

async fn an_empty_session_goes_when_nothing_runs(world: World) {
    let journal = &world.journal;
    let mut busy = Turn::begin(journal, "alice").await;
    let started = Private {
        resource: Some(job("job")),
        ..Private::default()
    };
    record(&mut busy, started).await;
    busy.complete().await;
    let mut kept = Turn::begin(journal, "alice").await;
    kept.complete().await;
    let mut next = Turn::submit(journal, &kept.lease, "alice", false)
        .await
        .unwrap();
    next.complete().await;
    journal.delete(&busy.id).await.unwrap();
    journal.delete(&kept.id).await.unwrap();
    assert_eq!(journal.remove_empty_sessions().await.unwrap(), 0);
    journal.delete(&next.id).await.unwrap();
    assert_eq!(journal.remove_empty_sessions().await.unwrap(), 1);
    assert!(
        journal
            .session(busy.lease.session())
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        journal
            .session(kept.lease.session())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        journal
            .history(kept.lease.session())
            .await
            .unwrap()
            .is_empty()
    );
}
