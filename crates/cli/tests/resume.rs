//! `/resume`: a turn that a restart has paused goes on from its last durable step, running nothing twice.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{
    Client, RawEvent, Server, bench, check_log, eventually, held_for_jobs, micro, named, scripted,
};

/// A job of 60 lines, a tenth of a second apart.
const JOB: &str = r#"
[[turn]]
say = "I train."
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["sh", "-c", "for i in $(seq 60); do echo line $i; sleep 0.1; done"], timeout = "30m" }
[[turn]]
say = "It {{what}}."
[[turn.capture]]
name = "what"
from = "hf_jobs"
regex = "ended as \\w+|INTERRUPTED|Cancelled"
"#;

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

fn last_text(object: &Value) -> &str {
    let output = object["output"].as_array().unwrap();
    let mut texts = output
        .iter()
        .filter_map(|item| item["content"][0]["text"].as_str());
    texts.next_back().unwrap()
}

async fn resume(client: &Client, id: &str) -> (u16, Value) {
    let path = format!("/v1/responses/{id}/resume");
    client.post(&path, &Value::Null).await
}

/// Waits until the response's log has an event like this.
async fn until(client: &Client, id: &str, found: impl Fn(&RawEvent) -> bool) {
    let mut events = client.events(id, None).await;
    assert!(events.read_until(found).await.is_some(), "it never came");
}

fn prints(text: &'static str) -> impl Fn(&RawEvent) -> bool {
    move |event| {
        event.name == "response.tool_log"
            && event.data["delta"]
                .as_str()
                .is_some_and(|delta| delta.contains(text))
    }
}

/// Kills the server where it is, and starts it again.
fn crash(server: &mut Server, client: &Client) -> Client {
    server.kill();
    server.restart();
    client.at(&server.url)
}

fn job_log(events: &[Value]) -> String {
    let logs = named(events, "tool_log");
    logs.iter()
        .filter(|event| event["tool"] == "hf_jobs")
        .map(|event| event["delta"].as_str().unwrap())
        .collect()
}

fn lines(count: usize) -> String {
    (1..=count).map(|n| format!("line {n}\n")).collect()
}

#[tokio::test]
async fn a_running_job_is_adopted_and_its_log_goes_on() {
    let (sim, mut server, mut client) = bench().await;
    let id = client.submit(&scripted("Train.", JOB)).await;
    // Twice: a resumed turn is lost like any other.
    for line in ["line 10\n", "line 30\n"] {
        until(&client, &id, prints(line)).await;
        client = crash(&mut server, &client);
        let paused = client.wait_for(&id, "incomplete").await;
        assert_eq!(paused["incomplete_details"]["reason"], "server_restart");
        assert_eq!(paused["output"][1]["status"], "in_progress");
        assert_eq!(held_for_jobs(&paused), 5_010);
        let before = paused["last_sequence_number"].as_u64().unwrap();
        let (status, object) = resume(&client, &id).await;
        assert_eq!((status, &object["status"]), (200, &json!("in_progress")));
        let mut events = client.events(&id, Some(before)).await;
        let first = events.read_until(|_| true).await.unwrap();
        assert_eq!(first.name, "response.resumed");
        let next = events.read_until(|event| event.id == Some(before + 2));
        assert_eq!(next.await.unwrap().name, "response.in_progress");
    }
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(last_text(&done), "It ended as COMPLETED.");
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(done["output"][1]["status"], "completed");
    assert_eq!(done["artifacts"].as_array().unwrap().len(), 1);
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 0);
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    let events = check_log(&client.log(&id).await);
    assert_eq!(job_log(&events), lines(60));
    // Stages go on: the last one is the end.
    let stages = named(&events, "tool_state_change");
    let mut stages = stages.iter().filter(|event| !event["job_stage"].is_null());
    assert_eq!(stages.next_back().unwrap()["job_stage"], "COMPLETED");
}

#[tokio::test]
async fn a_job_that_ended_in_the_meantime_gives_its_result() {
    let (sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Train.", JOB)).await;
    until(&client, &id, prints("line 40\n")).await;
    server.kill();
    sim.wait_for_stage("COMPLETED").await;
    let client = crash(&mut server, &client);
    assert_eq!(resume(&client, &id).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(last_text(&done), "It ended as COMPLETED.");
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    assert_eq!(job_log(&check_log(&client.log(&id).await)), lines(60));
    assert_eq!(sim.jobs().await.len(), 1);
}

#[tokio::test]
async fn a_graceful_restart_is_no_worse_than_a_crash() {
    let (sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Train.", JOB)).await;
    until(&client, &id, prints("line 10\n")).await;
    assert!(server.terminate().success());
    server.restart();
    let client = client.at(&server.url);
    assert_eq!(resume(&client, &id).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(last_text(&done), "It ended as COMPLETED.");
    assert_eq!(job_log(&check_log(&client.log(&id).await)), lines(60));
    assert_eq!(sim.jobs().await.len(), 1);
}

/// The platform has made the job and nobody has heard of it: it is found by its label.
#[tokio::test]
async fn a_job_without_a_record_is_found_and_adopted() {
    let (sim, mut server, client) = bench().await;
    let silent =
        json!({"prefix": "/api/jobs/alice", "method": "POST", "after": true, "status": 504});
    let blind = json!({"prefix": "/api/jobs/alice", "method": "GET", "delay_ms": 60_000});
    sim.fault(&silent).await;
    sim.fault(&blind).await;
    let id = client.submit(&scripted("Train.", JOB)).await;
    eventually("the job", || async {
        (sim.jobs().await.len() == 1).then_some(())
    })
    .await;
    let client = crash(&mut server, &client);
    assert_eq!(resume(&client, &id).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(last_text(&done), "It ended as COMPLETED.", "{done:#}");
    assert_eq!(done["artifacts"][0]["id"], sim.jobs().await[0]["id"]);
    assert_eq!(sim.jobs().await.len(), 1);
    let events = check_log(&client.log(&id).await);
    assert_eq!(job_log(&events), lines(60));
}

const SHELL: &str = r#"
[[turn]]
[[turn.call]]
tool = "write"
args = { path = "note", content = "kept" }
[[turn.call]]
tool = "bash"
args = { command = "echo begun; sleep 600" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo alive" }
[[turn]]
say = "First {{first}}, then {{then}}."
[[turn.capture]]
name = "first"
from = "bash"
regex = "INTERRUPTED"
[[turn.capture]]
name = "then"
from = "bash"
regex = "alive"
"#;

#[tokio::test]
async fn a_command_is_not_repeated_and_its_sandbox_is_said_to_be_lost() {
    let (_sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Work.", SHELL)).await;
    until(&client, &id, prints("begun\n")).await;
    let client = crash(&mut server, &client);
    assert_eq!(resume(&client, &id).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    let interrupted = &done["output"][1];
    assert_eq!(interrupted["status"], "failed");
    let output = interrupted["output"].as_str().unwrap();
    assert!(output.contains("INTERRUPTED") && output.contains("lost with its files"));
    assert!(last_text(&done).contains("then alive"), "{done:#}");
    let events = check_log(&client.log(&id).await);
    let begun = named(&events, "tool_log");
    let begun = begun.iter().filter(|event| event["delta"] == "begun\n");
    assert_eq!(begun.count(), 1, "it ran once");
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_asked_for_again_and_paid_at_most_once_each() {
    let (sim, mut server, client) = bench().await;
    let script = "[[turn]]\nsay = 'word '\nrepeat = 300\ntoken_delay_ms = 10";
    let id = client.submit(&scripted("Talk.", script)).await;
    until(&client, &id, |event| {
        event.name == "response.output_text.delta"
    })
    .await;
    let client = crash(&mut server, &client);
    let paused = client.wait_for(&id, "incomplete").await;
    let lost = micro(&paused["budget"]["spent_usd"]);
    assert!(lost > 0, "what is lost counts as spent");
    assert_eq!(paused["output"][0]["status"], "incomplete");
    assert_eq!(resume(&client, &id).await.0, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(sim.chats().await, 2);
    assert_eq!(done["output"].as_array().unwrap().len(), 2);
    assert_eq!(done["output"][0], paused["output"][0]);
    let events = check_log(&client.log(&id).await);
    let call = named(&events, "llm_call")[0];
    assert_eq!(
        micro(&done["budget"]["spent_usd"]),
        lost + micro(&call["cost_usd"])
    );
}

#[tokio::test]
async fn only_the_newest_interrupted_response_resumes_and_once() {
    let (_sim, mut server, client) = bench().await;
    let wait = scripted("Wait.", "[[turn]]\nsay = 'x'\ndelay_ms = 60000");
    let done = client.submit("Hello.").await;
    client.wait_for(&done, "completed").await;
    let first = client.submit(&wait).await;
    let second = client.submit(&wait).await;
    let waits = client
        .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    client.wait_for(&waits, "incomplete").await;
    for id in [&first, &second] {
        client.wait_for(id, "in_progress").await;
        assert_eq!(code(&resume(&client, id).await.1), "not_awaiting_resume");
    }
    let client = crash(&mut server, &client);
    for id in [&done, &waits] {
        let path = format!("/v1/responses/{id}/resume");
        let request = client.request(reqwest::Method::POST, &path);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 409);
        assert_eq!(answer.headers()["x-should-retry"], "false");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(code(&body), "not_awaiting_resume");
    }
    // Nobody else's, and no other body.
    let bob = Client::new(&client.base, "hf_bob");
    assert_eq!(resume(&bob, &first).await.0, 404);
    let path = format!("/v1/responses/{first}/resume");
    assert_eq!(client.post(&path, &json!([])).await.0, 400);
    // Of many at once one wins.
    let answers = join_all((0..6).map(|_| resume(&client, &first))).await;
    let won = answers.iter().filter(|(status, _)| *status == 200).count();
    let lost = answers
        .iter()
        .filter(|(_, answer)| code(answer) == "not_awaiting_resume");
    assert_eq!((won, lost.count()), (1, 5), "{answers:?}");
    client
        .post(&format!("/v1/responses/{first}/cancel"), &Value::Null)
        .await;
    client.wait_for(&first, "cancelled").await;
    check_log(&client.log(&first).await);
    // A session that has gone on does not go back.
    let end = scripted("Go on.", "[[turn]]\nsay = 'end'");
    let next = json!({"input": end, "previous_response_id": second});
    let next = client.submit_with(next).await;
    client.wait_at_rest(&next).await;
    let (status, answer) = resume(&client, &second).await;
    assert_eq!((status, code(&answer)), (409, "not_awaiting_resume"));
}

#[tokio::test]
async fn an_interrupted_turn_can_be_cancelled() {
    let (sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Train.", JOB)).await;
    until(&client, &id, prints("line 1\n")).await;
    let client = crash(&mut server, &client);
    let path = format!("/v1/responses/{id}/cancel");
    let (_, object) = client.post(&path, &Value::Null).await;
    assert_eq!(object["status"], "cancelled");
    assert_eq!(object["output"][1]["status"], "incomplete");
    assert_eq!(held_for_jobs(&object), 5_010, "the job goes on");
    check_log(&client.log(&id).await);
    assert_eq!(resume(&client, &id).await.0, 409);
    assert_eq!(sim.jobs().await.len(), 1);
}

/// The other way on: the next turn is told of the job and can wait for it.
#[tokio::test]
async fn a_chained_turn_hears_of_the_job_and_waits_for_it() {
    let (sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Train.", JOB)).await;
    until(&client, &id, prints("line 10\n")).await;
    let client = crash(&mut server, &client);
    let job = sim.jobs().await[0]["id"].as_str().unwrap().to_owned();
    let script = format!(
        r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = {{ operation = "logs", job_id = "{job}", wait = true }}
[[turn]]
say = "It {{{{what}}}}."
[[turn.capture]]
name = "what"
from = "hf_jobs"
regex = "ended as \\w+"
"#
    );
    let next = json!({"input": scripted("Go on.", &script), "previous_response_id": id});
    let next = client.submit_with(next).await;
    let done = client.wait_for(&next, "completed").await;
    assert_eq!(last_text(&done), "It ended as COMPLETED.");
    assert_eq!(sim.jobs().await.len(), 1);
    assert_eq!(micro(&done["budget"]["reserved_usd"]), 0, "{done:#}");
    assert_eq!(micro(&done["usage"]["cost_by_kind"]["jobs"]), 167);
    let events = check_log(&client.log(&next).await);
    let told = named(&events, "guard")[0]["message"].as_str().unwrap();
    assert!(told.contains(&job) && told.contains("stage RUNNING") && told.contains("`wait`"));
    assert_eq!(job_log(&events), lines(60));
}
