//! Webhooks, from the outside: what a receiver gets, what it can verify, and what survives.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "webhooks/bench.rs"]
mod bench;
#[allow(dead_code)]
#[path = "webhooks/receiver.rs"]
mod receiver;
mod support;

use bench::{EVERYTHING, SECRET, bench, came, kinds, state, submit};
use receiver::{Delivery, Receiver, Reply};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use support::{Client, check_log, scripted};
use tokio::net::TcpListener;

/// A job over a cap of half a dollar.
const DEAR: &str = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", script = "print(1)", hardware_flavor = "a100-large", timeout = "2h" }
[[turn]]
say = "Well."
"#;

#[tokio::test]
async fn the_end_of_a_run_is_told_once_and_can_be_verified() {
    let (_sim, _server, client) = bench().await;
    let receiver = Receiver::start().await;
    let id = submit(&client, "Say hello.", json!({"url": receiver.url("/hook")})).await;
    let done = client.wait_for(&id, "completed").await;
    let told = state(&client, &id, |one| one["state"] == "delivered").await;
    let came = came(&receiver, "/hook", 1).await;
    assert_eq!(kinds(&came), ["response.completed"]);
    let [only] = &came[..] else {
        panic!("{}", came.len())
    };
    assert!(only.is_signed_with(told["secret"].as_str().unwrap()));
    assert!(!only.is_signed_with(SECRET));
    assert_eq!(only.header("content-type"), "application/json");
    assert_eq!(
        only.event(),
        (id.clone(), done["last_sequence_number"].as_u64().unwrap())
    );
    let body = only.json();
    assert_eq!(body["data"]["response"], done);
    let log = client.log(&id).await;
    let last = log
        .last()
        .unwrap()
        .1
        .split("data: ")
        .nth(1)
        .unwrap()
        .trim_end()
        .to_owned();
    let sent = String::from_utf8(only.body.to_vec()).unwrap();
    assert!(
        sent.ends_with(&format!(r#","data":{last}}}"#)),
        "the bytes that clients read"
    );
    let completed_at = done["completed_at"].as_u64().unwrap();
    assert_eq!(unix(body["timestamp"].as_str().unwrap()), completed_at);
    let expected = json!({"response_id": id, "url": receiver.url("/hook"), "state": "delivered", "delivered": 1,
        "events": ["response.completed", "response.failed", "response.cancelled", "response.incomplete",
            "response.approval_required"],
        "attempts": 0, "last_status": 204, "last_error": null, "next_attempt_at": null, "secret": told["secret"]});
    assert_eq!(told, expected);
}

/// Unix seconds of `YYYY-MM-DDTHH:MM:SSZ`.
fn unix(text: &str) -> u64 {
    let timestamp: jiff::Timestamp = text.parse().unwrap();
    timestamp.as_second().try_into().unwrap()
}

#[tokio::test]
async fn events_come_in_the_order_of_the_log_whatever_the_receiver_does() {
    let (_sim, _server, client) = bench().await;
    // Every event is refused once before it is taken.
    let receiver =
        Receiver::answering(|_, before| Reply::Status(if before % 2 == 0 { 500 } else { 200 }))
            .await;
    let webhook = json!({"url": receiver.url("/hook"), "events": EVERYTHING});
    let id = submit(&client, "Say hello.", webhook).await;
    client.wait_for(&id, "completed").await;
    let came = came(&receiver, "/hook", 2 * EVERYTHING.len()).await;
    let twice: Vec<&str> = EVERYTHING.iter().flat_map(|kind| [*kind, *kind]).collect();
    assert_eq!(kinds(&came), twice);
    let secret = state(&client, &id, |one| one["state"] == "delivered").await["secret"].clone();
    for pair in came.chunks(2) {
        let [first, second] = pair else {
            unreachable!()
        };
        assert_eq!((first.id(), &first.body), (second.id(), &second.body));
        assert!(
            [first, second]
                .iter()
                .all(|one| one.is_signed_with(secret.as_str().unwrap()))
        );
        let waited = second.at - first.at;
        assert!((700..2500).contains(&waited.as_millis()), "{waited:?}");
    }
    let ids: BTreeSet<&str> = came.iter().map(Delivery::id).collect();
    assert_eq!(ids.len(), EVERYTHING.len());
}

#[tokio::test]
async fn a_receiver_that_hangs_is_tried_again_and_holds_up_nobody() {
    let (_sim, server, client) = bench().await;
    let hanging = Receiver::answering(|_, before| {
        if before < 20 {
            Reply::Never
        } else {
            Reply::Status(200)
        }
    })
    .await;
    let good = Receiver::start().await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(submit(&client, "Hello.", json!({"url": hanging.url("/hook")})).await);
        // The next is another session, and an account has but ten of them.
        client.wait_for(slow.last().unwrap(), "completed").await;
    }
    // Neither the same account's deliveries to others are behind these, nor another account's.
    let other = submit(&client, "Hello.", json!({"url": good.url("/other")})).await;
    client.wait_for(&other, "completed").await;
    let asked = Instant::now();
    came(&good, "/other", 1).await;
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    let bob = Client::new(&server.url, "hf_bob");
    let id = submit(&bob, "Hello.", json!({"url": good.url("/hook")})).await;
    bob.wait_for(&id, "completed").await;
    let asked = Instant::now();
    came(&good, "/hook", 1).await;
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    // An attempt is given up after ten seconds and made again.
    let told = state(&client, &slow[0], |one| one["attempts"] == 1).await;
    assert_eq!(
        (&told["last_error"], &told["last_status"]),
        (&json!("no answer in time"), &Value::Null)
    );
    assert!(told["next_attempt_at"].is_u64(), "{told}");
    let first_id = slow[0].clone();
    state(&client, &first_id, |one| one["state"] == "delivered").await;
}

#[tokio::test]
async fn what_was_not_delivered_before_a_kill_is_delivered_after_the_restart() {
    let (_sim, mut server, client) = bench().await;
    // An address with nobody there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let webhook = json!({"url": format!("http://{address}/hook"), "events": EVERYTHING});
    let id = submit(&client, "Say hello.", webhook).await;
    client.wait_for(&id, "completed").await;
    state(&client, &id, |one| one["last_error"] == "cannot connect").await;
    server.kill();
    let receiver = Receiver::on(TcpListener::bind(address).await.unwrap(), |_, _| {
        Reply::Status(200)
    });
    server.restart();
    let came = came(&receiver, "/hook", EVERYTHING.len()).await;
    assert_eq!(kinds(&came), EVERYTHING);
    let client = client.at(&server.url);
    let told = state(&client, &id, |one| one["state"] == "delivered").await;
    assert_eq!(told["delivered"], 4);
    // The key was kept: the receiver needs no new secret.
    assert!(
        came.iter()
            .all(|one| one.is_signed_with(told["secret"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn a_pause_is_told_and_so_is_what_comes_behind_it() {
    let (_sim, _server, client) = bench().await;
    let receiver = Receiver::start().await;
    let body = json!({"input": scripted("Train.", DEAR), "max_cost_usd": 0.5, "webhook": {"url": receiver.url("/hook")}});
    let id = client.submit_with(body).await;
    let paused = client.wait_for(&id, "incomplete").await;
    let pause = came(&receiver, "/hook", 1).await;
    assert_eq!(pause[0].kind(), "response.approval_required");
    assert_eq!(pause[0].json()["data"]["response"], paused);
    assert_eq!(
        pause[0].json()["data"]["pending_actions"][0]["tool"],
        "hf_jobs"
    );
    let told = state(&client, &id, |one| one["delivered"] == 1).await;
    assert_eq!(told["state"], "pending", "more may come");
    let (status, _) = client
        .post(
            &format!("/v1/responses/{id}/approvals"),
            &json!({"approve": false}),
        )
        .await;
    assert_eq!(status, 200);
    let both = came(&receiver, "/hook", 2).await;
    assert_eq!(both[1].kind(), "response.completed");
    state(&client, &id, |one| {
        one["state"] == "delivered" && one["delivered"] == 2
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone() {
    let (_sim, _server, client) = bench().await;
    let receiver = Receiver::answering(|_, _| Reply::Status(410)).await;
    let webhook = json!({"url": receiver.url("/hook"), "events": EVERYTHING});
    let id = submit(&client, "Say hello.", webhook).await;
    client.wait_for(&id, "completed").await;
    let told = state(&client, &id, |one| one["state"] == "failed").await;
    assert_eq!(
        (&told["last_status"], &told["delivered"]),
        (&json!(410), &json!(0))
    );
    // Another response's webhook comes, and nothing more of this one before it.
    let other = submit(
        &client,
        "Say hello.",
        json!({"url": receiver.url("/other")}),
    )
    .await;
    client.wait_for(&other, "completed").await;
    came(&receiver, "/other", 1).await;
    assert_eq!(receiver.came_to("/hook").len(), 1);
}

#[tokio::test]
async fn how_long_it_takes() {
    let (_sim, _server, client) = bench().await;
    let receiver = Receiver::start().await;
    let mut took = Vec::new();
    for round in 0..20 {
        let path = format!("/{round}");
        let id = submit(&client, "Hello.", json!({"url": receiver.url(&path)})).await;
        let mut events = client.events(&id, None).await;
        events
            .read_until(|event| event.name == "response.completed")
            .await
            .unwrap();
        let seen = Instant::now();
        let came = came(&receiver, &path, 1).await;
        took.push(came[0].at.saturating_duration_since(seen));
        check_log(&client.log(&id).await);
    }
    took.sort();
    eprintln!(
        "delivery behind the stream's last event: median {:?}, most {:?}",
        took[10], took[19]
    );
    assert!(took[10] < Duration::from_millis(500), "{took:?}");
}
