//! The spine, end to end: a task over HTTP, tools, events, chaining.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::json;
use support::{Client, ServeOptions, Server, Sim, scripted};

#[tokio::test]
async fn a_task_with_tools_completes_and_its_log_is_whole() {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let scenario = r#"
[[turn]]
say = "I look."
[[turn.call]]
tool = "bash"
args = { command = "echo hello from $((6*7))" }
[[turn]]
say = "It printed {{out}}."
[[turn.capture]]
name = "out"
from = "bash"
regex = "hello from (\\d+)"
"#;
    let id = client.submit(&scripted("Say hello.", scenario)).await;
    let object = client.wait_for(&id, "completed").await;
    let output = object["output"].as_array().unwrap();
    let kinds: Vec<&str> = output
        .iter()
        .map(|item| item["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["message", "mcp_call", "message"], "{object:#}");
    assert_eq!(output[1]["output"], "hello from 42\n");
    assert_eq!(output[2]["content"][0]["text"], "It printed 42.");
    let log = client.log(&id).await;
    assert!(
        log.iter()
            .enumerate()
            .all(|(index, (seq, _))| *seq == index as u64)
    );
    assert_eq!(object["last_sequence_number"], json!(log.len() - 1));
}

#[tokio::test]
async fn a_chained_turn_sees_the_conversation() {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let first = client.submit("Remember the word heliotrope.").await;
    client.wait_for(&first, "completed").await;
    let body = json!({"input": "What was the word?", "previous_response_id": first});
    let second = client.submit_with(body).await;
    let object = client.wait_for(&second, "completed").await;
    assert_eq!(object["previous_response_id"], json!(first));
    let calls = client
        .http
        .get(format!("{}/__sim/calls", sim.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(calls.contains("/v1/chat/completions"), "{calls}");
}
