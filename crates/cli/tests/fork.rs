//! `fork: true`: a new session from the middle of another one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{ServeOptions, Server, Sim, bench, check_log, micro, scripted};

const REMEMBERS: &str = r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo the word is heliotrope" }
[[turn]]
say = "I know the word."
"#;

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_fork_has_the_conversation_and_the_spend_up_to_there_and_nothing_more() {
    let (_sim, mut server, client) = bench().await;
    let first = client
        .submit_with(json!({"input": scripted("Remember.", REMEMBERS), "max_cost_usd": 3}))
        .await;
    let at_first = client.wait_for(&first, "completed").await;
    let say = |text: &str, word: &str| {
        let script =
            format!("[[turn]]\nsay = '{word}'\nusage = {{ prompt = 50000, completion = 10 }}");
        scripted(text, &script)
    };
    let second = json!({"input": say("Second.", "later"), "previous_response_id": first});
    let second = client.submit_with(second).await;
    let at_second = client.wait_for(&second, "completed").await;

    let fork = json!({"input": "Which word?", "previous_response_id": first, "fork": true});
    let fork = client.submit_with(fork).await;
    let forked = client.wait_for(&fork, "completed").await;
    assert_ne!(forked["session_id"], at_first["session_id"]);
    assert_eq!(forked["previous_response_id"], json!(first));
    assert_eq!(forked["model"], at_first["model"]);
    assert_eq!(micro(&forked["max_cost_usd"]), 3_000_000);
    // The last user message with a script is the first turn's, one answer further on.
    assert_eq!(
        forked["output"][0]["content"][0]["text"],
        "I know the word."
    );
    let spent = |object: &Value| micro(&object["budget"]["spent_usd"]);
    assert!(spent(&forked) > spent(&at_first));
    assert!(
        spent(&forked) - spent(&at_first) < spent(&at_second) - spent(&at_first),
        "the second turn is not in it"
    );
    check_log(&client.log(&fork).await);

    // It stands on its own: after a restart it goes on, and the origin is as it was.
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    let next = json!({"input": say("And now?", "still here"), "previous_response_id": fork});
    let next = client.submit_with(next).await;
    let done = client.wait_for(&next, "completed").await;
    assert_eq!(done["session_id"], forked["session_id"]);
    assert!(spent(&done) > spent(&forked));
    assert_eq!(client.object(&first).await, at_first);
    let go_on = json!({"input": say("Third.", "third"), "previous_response_id": second});
    let third = client.submit_with(go_on).await;
    let third = client.wait_for(&third, "completed").await;
    assert_eq!(third["session_id"], at_first["session_id"]);
    assert_eq!(
        spent(&third) - spent(&at_second),
        spent(&at_second) - spent(&at_first)
    );
}

#[tokio::test]
async fn a_fork_of_what_has_not_ended_is_refused() {
    let (_sim, _server, client) = bench().await;
    let wait = scripted("Wait.", "[[turn]]\nsay = 'x'\ndelay_ms = 60000");
    let running = client.submit(&wait).await;
    let waits = client
        .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    client.wait_for(&waits, "incomplete").await;
    for (id, wanted) in [(&running, "session_busy"), (&waits, "approval_pending")] {
        let body = json!({"input": "Go.", "previous_response_id": id, "fork": true});
        let (status, answer) = client.post("/v1/responses", &body).await;
        assert_eq!((status, code(&answer)), (409, wanted));
    }
    let unknown = json!({"input": "Go.", "previous_response_id": "resp_0", "fork": true});
    let (status, answer) = client.post("/v1/responses", &unknown).await;
    assert_eq!(
        (status, code(&answer)),
        (404, "previous_response_not_found")
    );
    let alone = json!({"input": "Go.", "fork": true});
    let (status, answer) = client.post("/v1/responses", &alone).await;
    assert_eq!(
        (status, &answer["error"]["param"]),
        (400, &json!("previous_response_id")),
        "{answer}"
    );
}

#[tokio::test]
async fn forks_do_not_share_a_budget_or_a_turn() {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = support::Client::new(&server.url, "hf_alice");
    let first = client.submit("Hello.").await;
    let origin = client.wait_for(&first, "completed").await;
    let wait = scripted("Wait.", "[[turn]]\nsay = 'x'\ndelay_ms = 60000");
    let mut sessions = vec![origin["session_id"].clone()];
    for cap in [1.0, 2.0] {
        let body = json!({"input": wait, "previous_response_id": first, "fork": true, "max_cost_usd": cap});
        let id = client.submit_with(body).await;
        let object = client.wait_for(&id, "in_progress").await;
        assert_eq!(micro(&object["budget"]["cap_usd"]), (cap * 1e6) as i64);
        sessions.push(object["session_id"].clone());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 3);
    // The origin is free while its forks run.
    let next = json!({"input": "Go on.", "previous_response_id": first});
    let next = client.submit_with(next).await;
    client.wait_for(&next, "completed").await;
}
