//! The session's collection: what jobs put there is found, what the session made is kept there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{bench, check_log, scripted};

/// The job says nothing of what it makes; it ends when the model `alice/go` exists.
const WORK: &str = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
[turn.call.args]
operation = "run"
timeout = "30m"
script = """
import os, time, urllib.request
while True:
    try:
        urllib.request.urlopen(os.environ["HF_ENDPOINT"] + "/api/models/alice/go")
        break
    except Exception:
        time.sleep(0.05)
print("ready")
"""
[[turn]]
say = "Done."
"#;

fn title(object: &Value) -> String {
    let created = object["created_at"].as_i64().unwrap();
    let date = jiff::Timestamp::from_second(created).unwrap();
    let session = object["session_id"].as_str().unwrap();
    let whole = format!(
        "ml-intern-artifacts-{}-{session}",
        date.strftime("%Y-%m-%d")
    );
    whole.chars().take(59).collect()
}

#[tokio::test]
async fn what_a_job_puts_into_the_collection_is_an_artifact() {
    let (sim, _server, client) = bench().await;
    let hub = client.at(&sim.url);
    let id = client.submit(&scripted("Work.", WORK)).await;
    sim.wait_for_stage("RUNNING").await;
    let title = title(&client.object(&id).await);
    for name in ["made-inside", "other"] {
        let (status, _) = hub.post("/api/repos/create", &json!({"name": name})).await;
        assert_eq!(status, 200);
    }
    let item = json!({"type": "model", "id": "alice/made-inside"});
    let collection = json!({"title": title, "namespace": "alice", "private": true, "item": item});
    let (status, collection) = hub.post("/api/collections", &collection).await;
    assert_eq!(status, 200, "{collection}");
    let (status, _) = hub.post("/api/repos/create", &json!({"name": "go"})).await;
    assert_eq!(status, 200);

    let done = client.wait_for(&id, "completed").await;
    let artifacts = done["artifacts"].as_array().unwrap();
    let of = |kind: &str| {
        artifacts
            .iter()
            .filter(|a| a["type"] == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("hf_job").len(), 1, "{artifacts:#?}");
    assert_eq!(of("model").len(), 1, "{artifacts:#?}");
    assert_eq!(of("model")[0]["repo_id"], "alice/made-inside");
    assert_eq!(of("collection")[0]["slug"], collection["slug"]);
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn a_session_that_makes_nothing_asks_for_no_collection() {
    let (sim, _server, client) = bench().await;
    let id = client.submit("Say hello.").await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(done["artifacts"], json!([]));
    assert!(sim.calls("/api/collections").await.is_empty());
}
