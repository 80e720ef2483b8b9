//! `hf_inspect_dataset` against tables that the simulated Hub really holds.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::{Client, bench, scripted};

/// Makes a dataset with files.
async fn make_dataset(hub: &Client, name: &str, files: &[(&str, &str)]) {
    let repo = json!({"name": name, "type": "dataset"});
    let (status, answer) = hub.post("/api/repos/create", &repo).await;
    assert_eq!(status, 200, "{answer}");
    let mut lines =
        vec![json!({"key": "header", "value": {"summary": "files", "description": ""}})];
    lines.extend(files.iter().map(|(path, text)| {
        json!({"key": "file", "value": {"path": path, "content": STANDARD.encode(text), "encoding": "base64"}})
    }));
    let body: Vec<String> = lines.iter().map(Value::to_string).collect();
    let path = format!("/api/datasets/alice/{name}/commit/main");
    let commit = hub.request(reqwest::Method::POST, &path);
    let commit = commit.header("content-type", "application/x-ndjson");
    let answer = commit.body(body.join("\n")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// What the tool says when the model calls it with these arguments.
async fn inspect(client: &Client, arguments: &str) -> Value {
    let scenario = format!(
        "[[turn]]\n[[turn.call]]\ntool = \"hf_inspect_dataset\"\nargs = {{ {arguments} }}\n[[turn]]\nsay = \"Seen.\""
    );
    let id = client.submit(&scripted("Look at it.", &scenario)).await;
    let done = client.wait_for(&id, "completed").await;
    done["output"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["type"] == "mcp_call")
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_dataset_is_described_by_its_rows() {
    let (sim, _server, client) = bench().await;
    let hub = client.at(&sim.url);
    let turn = r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}"#;
    let chat = format!("{turn}\n{turn}\n");
    let files = [("train.jsonl", chat.as_str()), ("test.jsonl", turn)];
    make_dataset(&hub, "chat", &files).await;
    let call = inspect(&client, "dataset = \"alice/chat\"").await;
    assert_eq!(call["status"], "completed", "{call:#}");
    let text = call["output"].as_str().unwrap();
    for part in [
        "| default | train | 2 |",
        "| default | test | 1 |",
        "`messages`: list of {",
        "SFT: yes",
        "every conversation ends with the assistant",
        "Row 1:",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let call = inspect(&client, "dataset = \"alice/chat\", split = \"dev\"").await;
    assert_eq!(call["status"], "failed");
    assert!(call["output"].as_str().unwrap().contains("its splits are"));
}

#[tokio::test]
async fn what_cannot_be_seen_is_a_clear_refusal() {
    let (sim, _server, client) = bench().await;
    let call = inspect(&client, "dataset = \"alice/none\"").await;
    assert_eq!(call["status"], "failed");
    let text = call["output"].as_str().unwrap();
    assert!(
        text.contains("does not exist") && text.contains("gated"),
        "{text}"
    );

    for (fault, part) in [
        (json!({"status": 429}), "may work in a moment"),
        (json!({"status": 500, "count": 9}), "may work in a moment"),
        (json!({"cut": true, "count": 9}), "cannot be viewed"),
    ] {
        let mut fault = fault;
        fault["prefix"] = json!("/datasets-server/splits");
        fault
            .as_object_mut()
            .unwrap()
            .entry("count")
            .or_insert(json!(9));
        sim.fault(&fault).await;
        let call = inspect(&client, "dataset = \"alice/none\"").await;
        let text = call["output"].as_str().unwrap();
        assert!(text.contains(part), "{fault}: {text}");
        sim.clear_faults().await;
    }
}
