//! Jobs whose creation nobody saw the end of: never started twice, never forgotten, never unpaid.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{bench, check_log, held_for_jobs, micro, named, scripted};

const WORK: &str = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "hello"], timeout = "30m" }
[[turn]]
say = "Heard: {{what}}."
[[turn.capture]]
name = "what"
from = "hf_jobs"
regex = "ended as \\w+|not known whether"
"#;

fn last_text(object: &Value) -> &str {
    let output = object["output"].as_array().unwrap();
    output.last().unwrap()["content"][0]["text"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn a_lost_acknowledgement_starts_no_second_job() {
    let (sim, _server, client) = bench().await;
    let lost = json!({"prefix": "/api/jobs/alice", "method": "POST", "after": true, "status": 500});
    sim.fault(&lost).await;
    let id = client.submit(&scripted("Work.", WORK)).await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(last_text(&done), "Heard: ended as COMPLETED.");
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn a_job_that_could_not_be_seen_is_adopted_by_the_next_turn() {
    let (sim, _server, client) = bench().await;
    // The job begins, but neither its creation nor the list of jobs is answered.
    for fault in [
        json!({"prefix": "/api/jobs/alice", "method": "POST", "after": true, "cut": true}),
        json!({"prefix": "/api/jobs/alice", "method": "GET", "status": 403, "count": 1}),
    ] {
        sim.fault(&fault).await;
    }
    let id = client.submit(&scripted("Work.", WORK)).await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(last_text(&done), "Heard: not known whether.");
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 5_010, "{done:#}");
    check_log(&client.log(&id).await);
    sim.wait_for_stage("COMPLETED").await;

    let next = client
        .submit_with(json!({"input": "Go on.", "previous_response_id": id}))
        .await;
    let done = client.wait_for(&next, "completed").await;
    assert_eq!(done["artifacts"][0]["id"], sim.jobs().await[0]["id"]);
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 0);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    let events = check_log(&client.log(&next).await);
    assert_eq!(named(&events, "guard")[0]["guard"], "adopted_job");
}

#[tokio::test]
async fn a_server_that_dies_with_a_job_finds_it_again() {
    let (sim, mut server, client) = bench().await;
    let slow = WORK.replace("\"echo\", \"hello\"", "\"sleep\", \"600\"");
    let id = client.submit(&scripted("Work.", &slow)).await;
    let job = sim.wait_for_stage("RUNNING").await;
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    let paused = client.wait_for(&id, "incomplete").await;
    assert_eq!(paused["incomplete_details"]["reason"], "server_restart");
    assert_eq!(micro(&paused["budget"]["reserved_usd"]), 5_010);
    check_log(&client.log(&id).await);
    let next =
        json!({"input": scripted("Go on.", "[[turn]]\nsay = 'end'"), "previous_response_id": id});
    let next = client.submit_with(next).await;
    let done = client.wait_for(&next, "completed").await;
    // It runs on, once, and is listed by one of the two, depending on when the server died.
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(held_for_jobs(&done), 5_010);
    let listed = [&paused, &done].map(|object| object["artifacts"][0]["id"] == job["id"]);
    assert!(listed.contains(&true), "{paused:#} {done:#}");
}
