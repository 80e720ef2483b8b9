//! Pauses in every corner, cancelling with jobs, and the limit of a turn.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{
    Client, ServeOptions, Server, Sim, bench, check_log, held_for_jobs, micro, named, scripted,
};

/// Two jobs, each of which reserves 5.00004 USD.
const TWO: &str = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "first"], hardware_flavor = "a100-large", timeout = "2h" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "second"], hardware_flavor = "a100-large", timeout = "2h" }
[[turn]]
say = "end"
"#;

const LONG_JOB: &str = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["sleep", "600"], timeout = "30m" }
[[turn]]
say = "end"
"#;

async fn decide(client: &Client, id: &str, decision: Value) -> (u16, Value) {
    let path = format!("/v1/responses/{id}/approvals");
    client.post(&path, &decision).await
}

async fn cancel(client: &Client, id: &str, body: Value) -> Value {
    let path = format!("/v1/responses/{id}/cancel");
    let (status, object) = client.post(&path, &body).await;
    assert_eq!(status, 200, "{object}");
    object
}

async fn paused(client: &Client, scenario: &str, cap: f64) -> (String, Value) {
    let body = json!({"input": scripted("Train.", scenario), "max_cost_usd": cap});
    let id = client.submit_with(body).await;
    let object = client.wait_for(&id, "incomplete").await;
    (id, object)
}

fn pending(object: &Value) -> usize {
    object["pending_approval"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_approval_that_covers_one_of_two_runs_one_and_keeps_what_was_said() {
    let (sim, _server, client) = bench().await;
    let (id, object) = paused(&client, TWO, 0.5).await;
    assert_eq!(pending(&object), 2);
    let some = json!({"approve": true, "new_max_cost_usd": 5.04, "feedback": "mind the heat"});
    assert_eq!(decide(&client, &id, some).await.0, 200);
    let again = client.wait_for(&id, "incomplete").await;
    assert_eq!(pending(&again), 1, "{again:#}");
    assert_eq!(sim.jobs().await.len(), 1);
    let more = json!({"approve": true, "new_max_cost_usd": 12, "feedback": "and the noise"});
    assert_eq!(decide(&client, &id, more).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(sim.jobs().await.len(), 2);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 2 * 41_667);
    let events = check_log(&client.log(&id).await);
    let told = named(&events, "guard");
    assert_eq!(told.len(), 1);
    let told = told[0]["message"].as_str().unwrap();
    assert!(told.contains("mind the heat") && told.contains("and the noise"));
}

#[tokio::test]
async fn a_denial_survives_a_crash() {
    let (sim, mut server, client) = bench().await;
    let (id, _) = paused(&client, TWO, 0.5).await;
    let no = json!({"approve": false, "feedback": "too dear"});
    // The next model call never answers, so that the crash comes behind the decision.
    sim.fault(&json!({"prefix": "/v1/chat/completions", "delay_ms": 60_000}))
        .await;
    assert_eq!(decide(&client, &id, no).await.0, 200);
    server.kill();
    let faults = format!("{}/__sim/faults", sim.url);
    client.http.delete(faults).send().await.unwrap();
    server.restart();
    let client = client.at(&server.url);
    client.wait_for(&id, "incomplete").await;
    let path = format!("/v1/responses/{id}/resume");
    let (status, answer) = client.post(&path, &Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    let done = client.wait_for(&id, "completed").await;
    for item in &done["output"].as_array().unwrap()[..2] {
        let output = item["output"].as_str().unwrap();
        assert!(output.contains("DENIED") && output.contains("too dear"));
    }
    assert!(sim.jobs().await.is_empty());
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn denying_the_model_call_itself_leaves_the_run_to_its_caller() {
    let (_sim, _server, client) = bench().await;
    let body = json!({"input": "Hello.", "max_cost_usd": 0.000_001});
    let id = client.submit_with(body).await;
    let object = client.wait_for(&id, "incomplete").await;
    assert_eq!(object["pending_approval"][0]["tool"], "model_call");
    // Only `/cancel` ends a run: without headroom it pauses again.
    assert_eq!(decide(&client, &id, json!({"approve": false})).await.0, 200);
    let again = client.wait_for(&id, "incomplete").await;
    assert_eq!(again["pending_approval"][0]["tool"], "model_call");
    // With headroom the agent goes on, and knows what its caller said.
    let no = json!({"approve": false, "new_max_cost_usd": 1, "feedback": "be very brief"});
    assert_eq!(decide(&client, &id, no).await.0, 200);
    client.wait_for(&id, "completed").await;
    let events = check_log(&client.log(&id).await);
    let told = named(&events, "guard");
    assert!(
        told.last().unwrap()["message"]
            .as_str()
            .unwrap()
            .contains("be very brief")
    );
}

#[tokio::test]
async fn the_cap_may_be_lowered_to_what_is_spent_and_feedback_has_a_limit() {
    let (_sim, _server, client) = bench().await;
    let (id, object) = paused(&client, TWO, 0.5).await;
    let long = json!({"approve": true, "feedback": "x".repeat(20_001)});
    let (status, answer) = decide(&client, &id, long).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["code"], "string_above_max_length");
    assert_eq!(answer["error"]["param"], "feedback");
    let spent = object["budget"]["spent_usd"].as_f64().unwrap();
    let lower = json!({"approve": true, "new_max_cost_usd": spent});
    assert_eq!(decide(&client, &id, lower).await.0, 200);
    let again = client.wait_for(&id, "incomplete").await;
    assert_eq!(pending(&again), 2);
    assert_eq!(
        micro(&again["budget"]["cap_usd"]),
        micro(&object["budget"]["spent_usd"])
    );
    cancel(&client, &id, Value::Null).await;
    client.wait_for(&id, "cancelled").await;
    assert_eq!(decide(&client, &id, json!({"approve": true})).await.0, 409);
}

#[tokio::test]
async fn a_cancel_lists_what_runs_on_and_can_stop_it_too() {
    let (sim, _server, client) = bench().await;
    let id = client.submit(&scripted("Train.", LONG_JOB)).await;
    let job = sim.wait_for_stage("RUNNING").await;
    let mut events = client.events(&id, None).await;
    let found = events.read_until(|event| event.name == "response.artifact.created");
    assert!(found.await.is_some());
    let listed = cancel(&client, &id, json!({})).await["resources"].take();
    let entry = &listed[0];
    assert_eq!((&entry["id"], &entry["type"]), (&job["id"], &json!("job")));
    assert_eq!(entry["state"], "running", "{entry}");
    assert_eq!(micro(&entry["price_per_hour_usd"]), 60 * 167);
    assert!(entry["url"].as_str().unwrap().contains("/jobs/alice/"));
    let done = client.wait_for(&id, "cancelled").await;
    assert_eq!(cancel(&client, &id, Value::Null).await, done);
    // Too late for its log, but not for the job.
    let stopped = cancel(&client, &id, json!({"stop_jobs": true})).await;
    assert_eq!(stopped["resources"], json!([]));
    sim.wait_for_stage("CANCELED").await;
}

#[tokio::test]
async fn a_cancel_with_its_jobs_stops_and_settles_them() {
    let (sim, _server, client) = bench().await;
    let id = client.submit(&scripted("Train.", LONG_JOB)).await;
    sim.wait_for_stage("RUNNING").await;
    let mut events = client.events(&id, None).await;
    let found = events.read_until(|event| event.name == "response.artifact.created");
    assert!(found.await.is_some());
    let object = cancel(&client, &id, json!({"stop_jobs": true})).await;
    assert_eq!(object["status"], "cancelled");
    assert_eq!(object["resources"], json!([]));
    assert_eq!(micro(&object["budget"]["reserved_usd"]), 0, "{object:#}");
    assert_eq!(held_for_jobs(&object), 167);
    assert_eq!(sim.jobs().await[0]["status"]["stage"], "CANCELED");
    let events = check_log(&client.log(&id).await);
    assert_eq!(named(&events, "guard")[0]["guard"], "stopped_jobs");
}

#[tokio::test]
async fn an_interrupted_turn_can_be_cancelled_with_its_jobs() {
    let (sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Train.", LONG_JOB)).await;
    sim.wait_for_stage("RUNNING").await;
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    client.wait_for(&id, "incomplete").await;
    let object = cancel(&client, &id, json!({"stop_jobs": true})).await;
    assert_eq!(object["status"], "cancelled");
    assert_eq!(micro(&object["budget"]["reserved_usd"]), 0, "{object:#}");
    sim.wait_for_stage("CANCELED").await;
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn a_turn_has_a_limit_of_model_calls() {
    let sim = Sim::start();
    let env = vec![("ML_INTERN_MAX_ITERATIONS".to_owned(), "2".to_owned())];
    let server = Server::start(
        &sim,
        ServeOptions {
            env,
            ..ServeOptions::default()
        },
    );
    let client = Client::new(&server.url, "hf_alice");
    let turn = |n: u8| {
        format!("[[turn]]\n[[turn.call]]\ntool = 'bash'\nargs = {{ command = 'echo {n}' }}\n")
    };
    let script = (1..=4).map(turn).collect::<String>();
    let id = client.submit(&scripted("Work.", &script)).await;
    let failed = client.wait_for(&id, "failed").await;
    assert_eq!(failed["error"]["type"], "iteration_limit");
    assert_eq!(sim.chats().await, 2);
    check_log(&client.log(&id).await);
}
