//! The outbox: told in log order, at least once, from a cursor that survives a restart.

use crate::turn::{Turn, delta};
use crate::world::{PATIENCE, World, new};
use journal::{
    DueLimits, Journal, Lease, NewResponse, NewWebhook, WebhookFailure, WebhookRow, WebhookState,
};
use protocol::{SessionId, WebhookRequest};

crate::on_both_backends!(
    wanted_events_come_one_after_the_other,
    what_is_not_wanted_makes_nothing_due,
    a_failed_attempt_waits_for_its_time,
    nobody_hides_the_rows_of_another,
    a_cursor_survives_a_restart,
    a_webhook_is_part_of_the_create,
    news_comes_with_the_commit,
    a_setting_is_set_once,
);

fn webhook(events: &[&str]) -> NewWebhook {
    NewWebhook {
        request: WebhookRequest {
            url: "https://example.org/hook".into(),
            events: events.iter().map(|&name| name.to_owned()).collect(),
        },
        by_operator: false,
    }
}

async fn begin(journal: &Journal, events: &[&str]) -> Turn {
    let new = NewResponse {
        webhook: Some(webhook(events)),
        ..new("alice", true)
    };
    let lease = Lease::first(SessionId::fresh());
    Turn::create(journal, &lease, new).await.unwrap()
}

async fn due(journal: &Journal, now_ms: u64) -> Vec<WebhookRow> {
    journal
        .webhooks_due(now_ms, most(10, 10, 10))
        .await
        .unwrap()
}

fn most(at_receiver: usize, of_account: usize, in_all: usize) -> DueLimits {
    DueLimits {
        at_receiver,
        of_account,
        in_all,
    }
}

async fn of(turn: &Turn) -> WebhookRow {
    let rows = turn.journal.webhooks_of(turn.lease.session()).await;
    rows.unwrap().pop().unwrap()
}

/// Delivers everything that is due at this time; the names, in order.
async fn deliver(journal: &Journal, now_ms: u64) -> Vec<(u64, String)> {
    let mut told = Vec::new();
    while let Some(row) = due(journal, now_ms).await.pop() {
        let event = journal.webhook_event(&row).await.unwrap().unwrap();
        told.push((event.seq, event.name().to_owned()));
        journal
            .webhook_delivered(&row.response_id, event.seq, 204)
            .await
            .unwrap();
    }
    told
}

fn told(seq: u64, name: &str) -> (u64, String) {
    (seq, name.to_owned())
}

async fn wanted_events_come_one_after_the_other(world: World) {
    let journal = &world.journal;
    let mut turn = begin(
        journal,
        &[
            "response.queued",
            "response.approval_required",
            "response.completed",
        ],
    )
    .await;
    let row = &due(journal, 0).await[0];
    assert_eq!((&row.response_id, row.owner.as_str()), (&turn.id, "alice"));
    assert_eq!(&row.session_id, turn.lease.session());
    assert_eq!(row.created_at, 1_700_000_000);
    let event = journal.webhook_event(row).await.unwrap().unwrap();
    let log = journal.frames(&turn.id, 1, 1).await.unwrap();
    assert_eq!(event.data(), log[0].data());
    turn.append(vec![turn.running(), delta("x")]).await.unwrap();
    turn.pause().await;
    assert_eq!(
        deliver(journal, 0).await,
        [
            told(1, "response.queued"),
            told(4, "response.approval_required")
        ]
    );
    assert_eq!(of(&turn).await.state, WebhookState::Pending);
    turn.append(vec![turn.running()]).await.unwrap();
    turn.complete().await;
    assert_eq!(of(&turn).await.state, WebhookState::Pending);
    assert_eq!(deliver(journal, 0).await, [told(6, "response.completed")]);
    let row = of(&turn).await;
    assert_eq!((row.state, row.delivered), (WebhookState::Delivered, 3));
    assert_eq!((row.next_seq, row.last_status), (7, Some(204)));
    // A delivery that is reported twice counts once.
    journal.webhook_delivered(&turn.id, 6, 200).await.unwrap();
    assert_eq!(of(&turn).await, row);
}

async fn what_is_not_wanted_makes_nothing_due(world: World) {
    let journal = &world.journal;
    let mut turn = begin(journal, &["response.failed"]).await;
    turn.append(vec![turn.running(), delta("x")]).await.unwrap();
    turn.complete().await;
    assert!(due(journal, u64::MAX / 2).await.is_empty());
    assert_eq!(journal.webhooks_next_due(0).await.unwrap(), None);
    assert_eq!(of(&turn).await.state, WebhookState::Delivered);
    let silent = Turn::begin(journal, "alice").await;
    let rows = journal.webhooks_of(silent.lease.session()).await.unwrap();
    assert!(rows.is_empty());
}

async fn nobody_hides_the_rows_of_another(world: World) {
    let journal = &world.journal;
    let receivers = [
        ("alice", "a"),
        ("alice", "b"),
        ("operator", "o"),
        ("bob", "a"),
    ];
    for (owner, path) in [0, 0, 0, 0, 1, 2, 2, 2, 3].map(|which| receivers[which]) {
        let mut webhook = webhook(&["response.queued"]);
        webhook.request.url = format!("https://example.org/{path}");
        webhook.by_operator = owner == "operator";
        // What goes to the operator is of somebody too.
        let owner = if webhook.by_operator { "alice" } else { owner };
        let new = NewResponse {
            webhook: Some(webhook),
            ..new(owner, true)
        };
        let lease = Lease::first(SessionId::fresh());
        Turn::create(journal, &lease, new).await.unwrap();
    }
    for (limits, expected) in [
        (most(9, 9, 99), [4, 1, 3, 1]),
        (most(2, 9, 99), [2, 1, 2, 1]),
        (most(9, 1, 99), [1, 0, 1, 1]),
        (most(3, 2, 99), [2, 0, 2, 1]),
        (most(1, 2, 99), [1, 1, 1, 1]),
    ] {
        let due = journal.webhooks_due(0, limits).await.unwrap();
        let counts = receivers.map(|(owner, path)| {
            let is_theirs = |row: &&WebhookRow| {
                let account = if row.by_operator {
                    "operator"
                } else {
                    &row.owner
                };
                account == owner && row.url.ends_with(&format!("/{path}"))
            };
            due.iter().filter(is_theirs).count()
        });
        // Of one account's receivers those come first that were created first, by id.
        let [a, b, operators, bobs] = counts;
        let [ea, eb, eoperators, ebobs] = expected;
        assert_eq!(
            (a + b, operators, bobs),
            (ea + eb, eoperators, ebobs),
            "{limits:?}"
        );
        assert!(a <= limits.at_receiver && b <= limits.at_receiver);
    }
    assert_eq!(
        journal.webhooks_due(0, most(9, 9, 4)).await.unwrap().len(),
        4
    );
}

async fn a_failed_attempt_waits_for_its_time(world: World) {
    let journal = &world.journal;
    let mut turn = begin(journal, &["response.queued", "response.completed"]).await;
    let failure = |now_ms, retry_at_ms| WebhookFailure {
        now_ms,
        retry_at_ms,
        status: Some(503),
        error: "unavailable".into(),
    };
    for (now, retry) in [(1000, 2000), (2000, 4000)] {
        journal
            .webhook_failed(&turn.id, failure(now, Some(retry)))
            .await
            .unwrap();
        assert!(due(journal, retry - 1).await.is_empty());
        assert_eq!(journal.webhooks_next_due(now).await.unwrap(), Some(retry));
        assert_eq!(journal.webhooks_next_due(retry).await.unwrap(), None);
        assert_eq!(due(journal, retry).await.len(), 1);
    }
    let row = of(&turn).await;
    assert_eq!((row.attempts, row.failing_since_ms), (2, Some(1000)));
    assert_eq!(row.last_error.as_deref(), Some("unavailable"));
    assert_eq!((row.last_status, row.next_attempt_at_ms), (Some(503), 4000));
    turn.complete().await;
    // Only one at a time, and the later event does not overtake the one that waits.
    assert_eq!(due(journal, 3999).await.len(), 0);
    journal.webhook_delivered(&turn.id, 1, 200).await.unwrap();
    let row = of(&turn).await;
    assert_eq!((row.attempts, row.failing_since_ms), (0, None));
    assert_eq!((row.last_error, row.next_attempt_at_ms), (None, 0));
    journal
        .webhook_failed(&turn.id, failure(5000, None))
        .await
        .unwrap();
    assert_eq!(of(&turn).await.state, WebhookState::Failed);
    assert!(due(journal, u64::MAX / 2).await.is_empty());
    assert_eq!(journal.webhooks_next_due(0).await.unwrap(), None);
}

async fn a_cursor_survives_a_restart(world: World) {
    let mut turn = begin(&world.journal, &["response.queued", "response.completed"]).await;
    assert_eq!(deliver(&world.journal, 0).await.len(), 1);
    turn.complete().await;
    let Some(again) = world.reopened().await else {
        return;
    };
    assert_eq!(deliver(&again, 0).await, [told(2, "response.completed")]);
}

async fn a_webhook_is_part_of_the_create(world: World) {
    let turn = Turn::begin(&world.journal, "alice").await;
    let new = NewResponse {
        webhook: Some(webhook(&["response.queued"])),
        ..new("alice", false)
    };
    let refused = Turn::create(&world.journal, &turn.lease, new).await;
    assert!(refused.is_err());
    assert!(due(&world.journal, 0).await.is_empty());
}

async fn news_comes_with_the_commit(world: World) {
    let journal = world.journal.clone();
    let mut turn = begin(&journal, &["response.completed"]).await;
    let news = || tokio::time::timeout(PATIENCE, journal.webhook_news());
    news().await.unwrap();
    let waiting = tokio::spawn({
        let journal = journal.clone();
        async move { journal.webhook_news().await }
    });
    turn.complete().await;
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(due(&journal, 0).await.len(), 1);
}

async fn a_setting_is_set_once(world: World) {
    assert_eq!(world.journal.setting("key").await.unwrap(), None);
    let setters = (0..8).map(|n| {
        let journal = world.journal.clone();
        tokio::spawn(async move { journal.set_setting_once("key", &n.to_string()).await })
    });
    let mut values = Vec::new();
    for setter in setters.collect::<Vec<_>>() {
        values.push(setter.await.unwrap().unwrap());
    }
    let kept = world.journal.setting("key").await.unwrap().unwrap();
    assert_eq!(values, vec![kept.clone(); 8]);
    if let Some(again) = world.reopened().await {
        assert_eq!(again.set_setting_once("key", "other").await.unwrap(), kept);
    }
}
