//! Retry safety: what is sent again gets what it has made, and makes no other.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Client, bench, parse_frames, scripted};

struct Answer {
    status: u16,
    replayed: bool,
    should_retry: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn id(&self) -> String {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()["id"].as_str().unwrap().to_owned()
    }

    fn code(&self) -> (u16, String) {
        let code = self.json()["error"]["code"].as_str().unwrap().to_owned();
        (self.status, code)
    }
}

/// Sends these bytes with these headers.
async fn send(client: &Client, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = client
        .request(reqwest::Method::POST, "/v1/responses")
        .header("content-type", "application/json")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    Answer {
        status: response.status().as_u16(),
        replayed: header("idempotent-replayed").as_deref() == Some("true"),
        should_retry: header("x-should-retry"),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

async fn keyed(client: &Client, key: &str, body: &Value) -> Answer {
    send(client, &[("idempotency-key", key)], &body.to_string()).await
}

async fn count(client: &Client) -> usize {
    let (_, page) = client.get("/v1/responses?limit=100").await;
    page["data"].as_array().unwrap().len()
}

fn task(text: &str) -> Value {
    json!({"input": text, "background": true})
}

#[tokio::test]
async fn concurrent_creates_with_one_key_make_one_run() {
    let (_sim, _server, client) = bench().await;
    let body = task("Hello.");
    let answers = join_all((0..16).map(|_| keyed(&client, "key-1", &body))).await;
    let ids: Vec<String> = answers.iter().map(Answer::id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let fresh = answers.iter().filter(|answer| !answer.replayed).count();
    assert_eq!(fresh, 1);
    assert_eq!(count(&client).await, 1);
    client.wait_for(&ids[0], "completed").await;
    // No order and no white space makes another body; a value does.
    let same = r#" { "background" : true,
        "input":"Hello." } "#;
    let again = send(&client, &[("Idempotency-Key", "key-1")], same).await;
    assert_eq!((again.id(), again.replayed), (ids[0].clone(), true));
    assert_eq!(again.json()["status"], "completed");
    let other = keyed(&client, "key-1", &task("Hello!")).await;
    assert_eq!(other.code(), (409, "idempotency_key_reused".into()));
    assert_eq!(other.should_retry.as_deref(), Some("false"));
    assert_eq!(count(&client).await, 1);
}

#[tokio::test]
async fn a_replay_answers_in_the_mode_asked_for() {
    let (_sim, _server, client) = bench().await;
    let slow = scripted(
        "Count.",
        "[[turn]]\nsay = \"one two three\"\ndelay_ms = 1500",
    );
    let streamed = json!({"input": slow, "stream": true});
    let first = keyed(&client, "streamed", &streamed).await;
    let second = keyed(&client, "streamed", &streamed).await;
    assert!(!first.replayed && second.replayed);
    assert_eq!(first.body, second.body);
    let events = parse_frames(&second.body);
    assert_eq!(events[0].name, "response.created");
    assert!(String::from_utf8_lossy(&second.body).ends_with("data: [DONE]\n\n"));
    // Two that wait: the second one waits for the same run.
    let waiting = json!({"input": scripted("Wait.", "[[turn]]\nsay = \"done\"\ndelay_ms = 1500")});
    let (one, two) = tokio::join!(
        keyed(&client, "waiting", &waiting),
        keyed(&client, "waiting", &waiting)
    );
    assert_eq!(one.id(), two.id());
    assert!(one.replayed != two.replayed);
    for answer in [one, two] {
        assert_eq!(answer.json()["status"], "completed");
    }
    assert_eq!(count(&client).await, 2);
}

#[tokio::test]
async fn a_key_holds_across_a_restart_and_for_one_account() {
    let (_sim, mut server, client) = bench().await;
    let body = task("Hello.");
    let id = keyed(&client, "key", &body).await.id();
    client.wait_for(&id, "completed").await;
    let bob = Client {
        token: "hf_bob".into(),
        ..client.clone()
    };
    let bobs = keyed(&bob, "key", &task("Something else.")).await;
    assert!(!bobs.replayed);
    assert_ne!(bobs.id(), id);
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    let again = keyed(&client, "key", &body).await;
    assert_eq!((again.id(), again.replayed), (id.clone(), true));
    // What made nothing holds no key.
    let refused = keyed(&client, "new", &json!({"input": ""})).await;
    assert_eq!(refused.code(), (400, "empty_input".into()));
    assert!(!keyed(&client, "new", &body).await.replayed);
}

#[tokio::test]
async fn a_busy_session_replays_what_keeps_it_busy() {
    let (_sim, _server, client) = bench().await;
    let first = client.submit("Hello.").await;
    client.wait_for(&first, "completed").await;
    let slow = scripted("Go on.", "[[turn]]\nsay = \"late\"\ndelay_ms = 20000");
    let next = json!({"input": slow, "background": true, "previous_response_id": first});
    let answers = join_all((0..8).map(|_| keyed(&client, "next", &next))).await;
    let id = answers[0].id();
    assert!(answers.iter().all(|answer| answer.id() == id));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let other = keyed(&client, "other", &next).await;
    assert_eq!(other.code(), (409, "session_busy".into()));
    client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
}

#[tokio::test]
async fn an_sdk_that_says_that_it_retries_gets_what_it_made() {
    let (_sim, mut server, client) = bench().await;
    let body = task("Hello.").to_string();
    let first = send(&client, &[("x-stainless-retry-count", "0")], &body).await;
    let deliberate = send(&client, &[], &body).await;
    assert!(!first.replayed && !deliberate.replayed);
    assert_ne!(first.id(), deliberate.id());
    // The newest one is the one that may have timed out.
    let spaced = r#"{ "background": true, "input": "Hello." }"#;
    let retries = (1..=8).map(|count: i32| {
        let (client, count) = (client.clone(), count.to_string());
        async move { send(&client, &[("x-stainless-retry-count", &count)], spaced).await }
    });
    for retry in join_all(retries).await {
        assert_eq!((retry.id(), retry.replayed), (deliberate.id(), true));
    }
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    let retry = send(&client, &[("x-stainless-retry-count", "1")], &body).await;
    assert_eq!((retry.id(), retry.replayed), (deliberate.id(), true));
    // A retry of what never arrived is the first one that did.
    let lost = task("Lost.").to_string();
    let retries = (1..=8).map(|_| send(&client, &[("x-stainless-retry-count", "1")], &lost));
    let made = join_all(retries).await;
    assert!(made.iter().all(|answer| answer.id() == made[0].id()));
    assert_eq!(made.iter().filter(|answer| !answer.replayed).count(), 1);
    let bob = Client {
        token: "hf_bob".into(),
        ..client.clone()
    };
    assert!(
        !send(&bob, &[("x-stainless-retry-count", "1")], &body)
            .await
            .replayed
    );
    assert_eq!(count(&client).await, 3);
}

#[tokio::test]
async fn a_bad_key_is_refused_before_anything_is_made() {
    let (_sim, _server, client) = bench().await;
    let body = task("Hello.").to_string();
    let long = "k".repeat(256);
    for key in ["", " ", "clé", &long] {
        let answer = send(&client, &[("idempotency-key", key)], &body).await;
        assert_eq!(answer.code(), (400, "invalid_value".into()), "{key:?}");
    }
    assert_eq!(count(&client).await, 0);
    let longest = send(&client, &[("idempotency-key", &long[1..])], &body).await;
    assert_eq!(longest.status, 200);
}
