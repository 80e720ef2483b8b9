//! One turn at a time in a session: who is too early, who comes at once, and cancelling wherever a turn is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Answer, Client, ServeOptions, Server, Sim, check_log, eventually, scripted};

async fn bench(sandbox: &'static str) -> (Sim, Server, Client) {
    let sim = Sim::start();
    let server = Server::start(
        &sim,
        ServeOptions {
            sandbox,
            ..ServeOptions::default()
        },
    );
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

async fn decide(client: &Client, id: &str, decision: Value) -> (u16, Value) {
    client
        .post(&format!("/v1/responses/{id}/approvals"), &decision)
        .await
}

async fn cancel(client: &Client, id: &str) -> Value {
    let (status, object) = client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!(status, 200, "{object}");
    object
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

/// What a client sees at rest it may act on at once: the session must not still be busy with putting itself to rest.
#[tokio::test]
async fn acting_at_once_on_what_the_stream_says_is_never_too_early() {
    let (_sim, _server, client) = bench("local").await;
    for _ in 0..8 {
        let id = client
            .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
            .await;
        let mut events = client.events(&id, None).await;
        let pause = events
            .read_until(|event| event.name == "response.approval_required")
            .await;
        assert!(pause.is_some());
        let (status, answer) = decide(&client, &id, json!({"approve": true})).await;
        assert_eq!(status, 200, "{answer}");
        let after = pause.unwrap().id;
        let mut events = client.events(&id, after).await;
        events
            .read_until(|event| event.name == "response.approval_required")
            .await
            .unwrap();
        let (_, object) = client
            .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
            .await;
        assert_eq!(object["status"], "cancelled");
        let next = json!({"input": "And?", "previous_response_id": id, "max_cost_usd": 1});
        let next = client.submit_with(next).await;
        let mut events = client.events(&next, None).await;
        events
            .read_until(|event| event.name == "response.completed")
            .await
            .unwrap();
        client
            .submit_with(json!({"input": "And?", "previous_response_id": next}))
            .await;
    }
}

#[tokio::test]
async fn of_concurrent_turns_one_wins() {
    let (_sim, _server, client) = bench("local").await;
    let first = client.submit("Hello.").await;
    client.wait_for(&first, "completed").await;
    let slow = scripted("Wait.", "[[turn]]\nsay='x'\ndelay_ms=60000");
    let body = json!({"input": slow, "previous_response_id": first, "background": true});
    let answers = join_all((0..6).map(|_| client.post("/v1/responses", &body))).await;
    let won: Vec<&Value> = answers
        .iter()
        .filter(|(status, _)| *status == 200)
        .map(|(_, object)| object)
        .collect();
    let lost = answers
        .iter()
        .filter(|(_, answer)| code(answer) == "session_busy");
    assert_eq!((won.len(), lost.count()), (1, 5), "{answers:?}");
    let id = won[0]["id"].as_str().unwrap();
    client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    client.wait_for(id, "cancelled").await;
    check_log(&client.log(id).await);
}

const BUSY: &str = r#"
[[turn]]
think = "hm"
say = "I look around."
[[turn.call]]
tool = "bash"
args = { command = "echo one; sleep 0.05; echo two" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "job"], timeout = "10m" }
[[turn.call]]
tool = "read"
args = { path = "missing" }
[[turn]]
say = "I look again."
[[turn.call]]
tool = "bash"
args = { command = "sleep 0.1" }
[[turn]]
say = "end"
"#;

#[tokio::test]
async fn a_turn_can_be_cancelled_at_any_moment() {
    let (_sim, _server, client) = bench("local").await;
    let runs = (0..12_u64).map(|n| {
        let client = client.clone();
        async move {
            let id = client.submit(&scripted(&format!("Work {n}."), BUSY)).await;
            // Spread over the life of the turn: the number of events to wait for, not time.
            let mut events = client.events(&id, None).await;
            events.read_until(|event| event.id >= Some(n * 4)).await;
            let asked = Instant::now();
            let object = cancel(&client, &id).await;
            let done = client.wait_at_rest(&id).await;
            let status = done["status"].as_str().unwrap().to_owned();
            let took = asked.elapsed();
            assert!(
                took < Duration::from_secs(2),
                "{status} after {took:?}: {object}"
            );
            check_log(&client.log(&id).await);
            assert_eq!(cancel(&client, &id).await, done, "idempotent");
            // The conversation is one that a model takes.
            let next = json!({"input": "Go on.", "previous_response_id": id});
            let next = client.submit_with(next).await;
            client.wait_for(&next, "completed").await;
            status
        }
    });
    let mut ends = Vec::new();
    for run in runs.map(tokio::spawn) {
        ends.push(run.await.unwrap());
    }
    assert!(
        ends.iter()
            .all(|status| status == "cancelled" || status == "completed"),
        "{ends:?}"
    );
    assert!(
        ends.iter().filter(|status| *status == "cancelled").count() >= 6,
        "{ends:?}"
    );
}

#[tokio::test]
async fn cancelling_needs_no_body() {
    let (_sim, _server, client) = bench("local").await;
    let id = client.submit("Hello.").await;
    let done = client.wait_for(&id, "completed").await;
    let path = format!("/v1/responses/{id}/cancel");
    let ask = || client.request(reqwest::Method::POST, &path);
    for request in [
        ask(),
        ask().header("content-type", "application/json"),
        ask().json(&json!({})),
        ask().header("content-type", "text/plain"),
    ] {
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            serde_json::from_slice::<Value>(&answer.bytes).unwrap(),
            done
        );
    }
}

#[tokio::test]
async fn a_sandbox_that_starts_for_a_cancelled_turn_is_ended() {
    let (sim, _server, client) = bench("jobs").await;
    // The sandbox never says that it is ready.
    sim.fault(&json!({"prefix": "/jobs-proxy", "status": 503, "count": 1000}))
        .await;
    let id = client.submit(&scripted("Work.", BUSY)).await;
    sim.wait_for_stage("RUNNING").await;
    let asked = Instant::now();
    cancel(&client, &id).await;
    client.wait_for(&id, "cancelled").await;
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    check_log(&client.log(&id).await);
    sim.wait_for_stage("CANCELED").await;
    eventually("its money to be free again", || async {
        let say = scripted("Go on.", "[[turn]]\nsay = 'end'");
        let next = json!({"input": say, "previous_response_id": id});
        let next = client.submit_with(next).await;
        let done = client.wait_for(&next, "completed").await;
        (done["budget"]["reserved_usd"] == 0.0).then_some(())
    })
    .await;
}
