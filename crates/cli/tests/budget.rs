//! Money: what the cap does not cover waits for a decision, and a decision counts once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Client, bench, check_log, held_for_jobs, micro, named, scripted};

/// Reserves 5.00004 USD: 120 minutes at 41,667 micro-dollars.
const DEAR: &str = r#"
[[turn]]
say = "I train."
usage = { prompt = 1000, completion = 50 }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", script = "print('trained')", hardware_flavor = "a100-large", timeout = "2h" }
[[turn]]
say = "It said: {{said}}."
usage = { prompt = 1000, completion = 50 }
[[turn.capture]]
name = "said"
from = "hf_jobs"
regex = "ended as (\\w+)|Feedback: (?:[^\\n]+)"
"#;

async fn submit(client: &Client, scenario: &str, cap: f64) -> String {
    let body = json!({"input": scripted("Train.", scenario), "max_cost_usd": cap});
    client.submit_with(body).await
}

async fn decide(client: &Client, id: &str, decision: Value) -> (u16, Value) {
    client
        .post(&format!("/v1/responses/{id}/approvals"), &decision)
        .await
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

fn texts(object: &Value) -> String {
    let output = object["output"].as_array().unwrap();
    let texts = output
        .iter()
        .filter_map(|item| item["content"][0]["text"].as_str());
    texts.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_job_over_the_cap_waits_and_an_approval_runs_it_once() {
    let (sim, _server, client) = bench().await;
    let id = submit(&client, DEAR, 0.5).await;
    let paused = client.wait_for(&id, "incomplete").await;
    assert_eq!(paused["incomplete_details"]["reason"], "approval_required");
    let pending = &paused["pending_approval"][0];
    assert_eq!(pending["tool"], "hf_jobs");
    assert_eq!(pending["item_id"], paused["output"][1]["id"]);
    assert_eq!(paused["output"][1]["status"], "in_progress");
    assert_eq!(micro(&pending["estimated_cost_usd"]), 5_000_040);
    assert!(sim.jobs().await.is_empty());

    for (decision, status, wanted) in [
        (json!({}), 400, "missing_required_parameter"),
        (json!({"approve": "yes"}), 400, "invalid_type"),
        (
            json!({"approve": true, "new_max_cost_usd": 0}),
            400,
            "invalid_value",
        ),
        (
            json!({"approve": true, "new_max_cost_usd": 501}),
            400,
            "invalid_value",
        ),
        (
            json!({"approve": true, "new_max_cost_usd": 0.0001}),
            400,
            "invalid_value",
        ),
    ] {
        let (got, answer) = decide(&client, &id, decision).await;
        assert_eq!((got, code(&answer)), (status, wanted), "{answer}");
    }

    // Without headroom it pauses again, and nothing has run.
    assert_eq!(decide(&client, &id, json!({"approve": true})).await.0, 200);
    let again = client.wait_for(&id, "incomplete").await;
    assert!(again["last_sequence_number"].as_u64() > paused["last_sequence_number"].as_u64());
    assert!(sim.jobs().await.is_empty());

    // Of many at once one wins.
    let decision = json!({"approve": true, "new_max_cost_usd": 6.0});
    let answers = join_all((0..6).map(|_| decide(&client, &id, decision.clone()))).await;
    let won = answers.iter().filter(|(status, _)| *status == 200).count();
    let lost = answers
        .iter()
        .filter(|(_, answer)| code(answer) == "not_awaiting_approval");
    assert_eq!((won, lost.count()), (1, 5), "{answers:?}");

    let done = client.wait_for(&id, "completed").await;
    assert_eq!(texts(&done), "I train.\nIt said: COMPLETED.");
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(done["pending_approval"], Value::Null);
    // One started minute of the job, and nothing held back any more.
    assert_eq!(
        micro(&done["usage"]["cost_by_kind"]["jobs"]),
        41_667,
        "{done:#}"
    );
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 0);
    assert_eq!(micro(&done["budget"]["cap_usd"]), 6_000_000);
    assert_eq!(done["artifacts"].as_array().unwrap().len(), 1);

    let (status, answer) = decide(&client, &id, json!({"approve": true})).await;
    assert_eq!((status, code(&answer)), (409, "not_awaiting_approval"));
    let events = check_log(&client.log(&id).await);
    assert_eq!(named(&events, "approval_required").len(), 2);
    let decided = events
        .iter()
        .position(|event| event["type"] == "response.approval_decided");
    let before = &events[decided.unwrap() - 1]["type"];
    assert_eq!(
        before, "response.approval_required",
        "the decision is the first event after the pause"
    );
    assert_eq!(events[decided.unwrap() + 1]["type"], "response.in_progress");
}

/// Of one batch, what fits runs at once; an approval runs the rest, and only that.
#[tokio::test]
async fn an_approval_runs_only_what_has_waited() {
    let (sim, _server, client) = bench().await;
    let script = r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo ran >> witness" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "small"], timeout = "30m" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "large"], hardware_flavor = "a100-large", timeout = "2h" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "wc -l < witness" }
[[turn]]
say = "end"
"#;
    let id = submit(&client, script, 0.5).await;
    let paused = client.wait_for(&id, "incomplete").await;
    let statuses = |object: &Value| -> Vec<String> {
        let output = object["output"].as_array().unwrap();
        output
            .iter()
            .map(|item| item["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(statuses(&paused), ["completed", "completed", "in_progress"]);
    assert_eq!(paused["pending_approval"].as_array().unwrap().len(), 1);
    assert_eq!(sim.jobs().await.len(), 1);
    let decision = json!({"approve": true, "new_max_cost_usd": 6, "feedback": "hurry"});
    assert_eq!(decide(&client, &id, decision).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(statuses(&done), ["completed"; 5]);
    assert_eq!(done["output"][3]["output"], "1\n");
    assert_eq!(sim.jobs().await.len(), 2);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 41_667 + 167);
    let events = check_log(&client.log(&id).await);
    let approved = named(&events, "tool_state_change");
    let approved = approved.iter().filter(|event| event["state"] == "approved");
    assert_eq!(approved.count(), 1);
    // What the caller added reached the model.
    assert!(
        named(&events, "guard")[0]["message"]
            .as_str()
            .unwrap()
            .contains("hurry")
    );
}

#[tokio::test]
async fn a_denial_reaches_the_model_with_its_feedback() {
    let (sim, _server, client) = bench().await;
    let id = submit(&client, DEAR, 0.5).await;
    client.wait_for(&id, "incomplete").await;
    let decision = json!({"approve": false, "feedback": "use a CPU"});
    let (status, answer) = decide(&client, &id, decision).await;
    assert_eq!(status, 200, "{answer}");
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(texts(&done), "I train.\nIt said: Feedback: use a CPU.");
    assert_eq!(done["output"][1]["status"], "failed");
    assert!(sim.jobs().await.is_empty());
    let events = check_log(&client.log(&id).await);
    let states = named(&events, "tool_state_change");
    assert_eq!(states[0]["state"], "rejected");
}

#[tokio::test]
async fn a_paused_response_blocks_its_session_until_it_is_cancelled() {
    let (sim, _server, client) = bench().await;
    let id = submit(&client, DEAR, 0.5).await;
    client.wait_for(&id, "incomplete").await;
    let next = json!({"input": "Go on.", "previous_response_id": id, "background": true});
    let (status, answer) = client.post("/v1/responses", &next).await;
    assert_eq!((status, code(&answer)), (409, "approval_pending"));

    let (status, mut cancelled) = client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")));
    let running = cancelled.as_object_mut().unwrap().remove("resources");
    assert_eq!(running, Some(json!([])));
    assert_eq!(cancelled["pending_approval"], Value::Null);
    assert_eq!(cancelled["output"][1]["status"], "incomplete");
    let (status, again) = client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!((status, again), (200, cancelled));
    let (status, answer) = decide(&client, &id, json!({"approve": true})).await;
    assert_eq!((status, code(&answer)), (409, "not_awaiting_approval"));
    check_log(&client.log(&id).await);

    // The conversation goes on although a call in it never ran (the scripted model refuses dangling calls).
    let next = client.submit_with(next).await;
    let done = client.wait_for(&next, "completed").await;
    assert_eq!(texts(&done), "It said: .");
    assert!(sim.jobs().await.is_empty());
}

#[tokio::test]
async fn a_pause_outlives_the_server() {
    let (sim, mut server, client) = bench().await;
    let id = submit(&client, DEAR, 0.5).await;
    let paused = client.wait_for(&id, "incomplete").await;
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    assert_eq!(client.object(&id).await, paused);
    let decision = json!({"approve": true, "new_max_cost_usd": 7});
    assert_eq!(decide(&client, &id, decision).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(texts(&done), "I train.\nIt said: COMPLETED.");
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 41_667);
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn a_job_that_fails_or_is_refused_is_a_failed_call() {
    let (sim, _server, client) = bench().await;
    let script = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", script = "import sys; print('about to fail'); sys.exit(3)", timeout = "10m" }
[[turn]]
say = "Seen: {{what}}."
[[turn.capture]]
name = "what"
from = "hf_jobs"
regex = "exit code: 3|no credit for jobs"
"#;
    let id = client.submit(&scripted("Train.", script)).await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(done["output"][0]["status"], "failed");
    assert_eq!(texts(&done), "Seen: exit code: 3.");
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    check_log(&client.log(&id).await);

    let broke = json!({"prefix": "/api/jobs/alice", "method": "POST", "status": 402, "body": {"error": "Add credits"}});
    sim.fault(&broke).await;
    let id = client.submit(&scripted("Train.", script)).await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(texts(&done), "Seen: no credit for jobs.");
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 0);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 0);
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn a_cancelled_turn_leaves_its_job_and_the_money_for_it() {
    let (sim, _server, client) = bench().await;
    let script = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["sleep", "600"], timeout = "30m" }
[[turn]]
say = "Next."
"#;
    let id = client.submit(&scripted("Train.", script)).await;
    let job = sim.wait_for_stage("RUNNING").await;
    support::eventually("the job to be an artifact", || async {
        client.object(&id).await["artifacts"][0]["id"]
            .as_str()
            .map(drop)
    })
    .await;
    let asked = std::time::Instant::now();
    client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    let cancelled = client.wait_for(&id, "cancelled").await;
    assert!(asked.elapsed().as_secs_f64() < 2.0, "{:?}", asked.elapsed());
    // 30 minutes at 167 micro-dollars, part of it spent by now.
    assert_eq!(held_for_jobs(&cancelled), 5_010, "{cancelled:#}");
    assert_eq!(sim.jobs().await[0]["status"]["stage"], "RUNNING");
    check_log(&client.log(&id).await);

    let next = client
        .submit_with(json!({"input": "Go on.", "previous_response_id": id}))
        .await;
    let done = client.wait_for(&next, "completed").await;
    assert_eq!(held_for_jobs(&done), 5_010, "{done:#}");

    let path = format!("/api/jobs/alice/{}/cancel", job["id"].as_str().unwrap());
    client.at(&sim.url).post(&path, &Value::Null).await;
    let last = client
        .submit_with(json!({"input": "Go on.", "previous_response_id": next}))
        .await;
    let done = client.wait_for(&last, "completed").await;
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 0, "{done:#}");
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    check_log(&client.log(&last).await);
}

#[tokio::test]
async fn the_cap_holds_for_the_model_itself() {
    let (sim, _server, client) = bench().await;
    let id = submit(&client, "[[turn]]\nsay='Here.'", 0.000_001).await;
    let paused = client.wait_for(&id, "incomplete").await;
    assert_eq!(paused["pending_approval"][0]["item_id"], Value::Null);
    assert_eq!(sim.chats().await, 0);
    let decision = json!({"approve": true, "new_max_cost_usd": 1.0});
    assert_eq!(decide(&client, &id, decision).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(texts(&done), "Here.");
    check_log(&client.log(&id).await);

    // A cap given with the next turn replaces the session's, even below what is spent: then nothing more may be.
    let body = json!({"input": "More.", "previous_response_id": id, "max_cost_usd": 0.000_001});
    let next = client.submit_with(body).await;
    let paused = client.wait_for(&next, "incomplete").await;
    assert_eq!(micro(&paused["budget"]["remaining_usd"]), 0);
    assert_eq!(sim.chats().await, 1);
}
