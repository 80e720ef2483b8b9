//! SIGTERM while turns run: they pause, their readers hear of it, and the work can go on afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{bench, check_log, eventually, held_for_jobs, parse_frames, scripted};

const WORK: &str = r#"
[[turn]]
say = "I begin."
[[turn.call]]
tool = "bash"
args = { command = "echo the word is heliotrope" }
[[turn]]
say = "I wait."
[[turn.call]]
tool = "bash"
args = { command = "echo waiting; sleep 600" }
[[turn]]
say = "The word was {{word}}."
[[turn.capture]]
name = "word"
from = "bash"
regex = "the word is (\\w+)"
"#;

fn last_text(object: &Value) -> &str {
    let output = object["output"].as_array().unwrap();
    output
        .iter()
        .filter_map(|item| item["content"][0]["text"].as_str())
        .next_back()
        .unwrap()
}

#[tokio::test]
async fn a_turn_pauses_and_its_session_goes_on_after_the_restart() {
    let (_sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Work.", WORK)).await;
    let mut events = client.events(&id, None).await;
    let said = |event: &support::RawEvent| {
        event.data["delta"]
            .as_str()
            .is_some_and(|text| text.contains("waiting\n"))
    };
    events
        .read_until(|event| event.name == "response.tool_log" && said(event))
        .await
        .unwrap();
    let asked = Instant::now();
    let status = server.terminate();
    assert!(status.success(), "{status}");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    // The stream ended with the pause, not with a broken connection.
    let frames = parse_frames(&events.read_to_end().await);
    let last = frames.last().unwrap();
    assert_eq!(last.name, "response.incomplete");
    assert_eq!(
        last.data["response"]["incomplete_details"]["reason"],
        "server_restart"
    );

    server.restart();
    let client = client.at(&server.url);
    let paused = client.object(&id).await;
    assert_eq!(paused, last.data["response"]);
    check_log(&client.log(&id).await);

    let next = client
        .submit_with(json!({"input": "Go on.", "previous_response_id": id}))
        .await;
    let done = client.wait_for(&next, "completed").await;
    assert_eq!(last_text(&done), "The word was heliotrope.");
    assert_eq!(done["session_id"], paused["session_id"]);
    assert!(done["budget"]["spent_usd"].as_f64() > paused["budget"]["spent_usd"].as_f64());
    assert_eq!(
        client.object(&id).await,
        paused,
        "the paused response stays as it is"
    );
}

#[tokio::test]
async fn every_kind_of_wait_is_given_up() {
    let (sim, mut server, client) = bench().await;
    let mut ids = Vec::new();
    for script in [
        "[[turn]]\nsay = 'x'\ndelay_ms = 60000",
        "[[turn]]\nsay = 'x'\nfault = { kind = 'hang' }",
        "[[turn]]\nsay = 'word '\nrepeat = 100000",
        "[[turn]]\nsay = 'x'\nfault = { kind = 'status', status = 500, retry_after = 60 }",
        "[[turn]]\n[[turn.call]]\ntool = 'hf_jobs'\nargs = { operation = 'run', command = ['sleep', '600'], timeout = '20m' }",
    ] {
        ids.push(client.submit(&scripted("Wait.", script)).await);
    }
    let paused = client
        .submit_with(json!({"input": "Hello.", "max_cost_usd": 0.000_001}))
        .await;
    let waits = client.wait_for(&paused, "incomplete").await;
    for id in &ids {
        client.wait_for(id, "in_progress").await;
    }
    let synchronous = tokio::spawn({
        let client = client.clone();
        let body = json!({"input": scripted("Wait.", "[[turn]]\nsay = 'x'\ndelay_ms = 60000")});
        async move { client.post("/v1/responses", &body).await }
    });
    eventually("all turns to wait", || async {
        (sim.chats().await >= 6).then_some(())
    })
    .await;
    assert!(server.terminate().success());
    let (status, object) = synchronous.await.unwrap();
    assert_eq!((status, &object["status"]), (200, &json!("incomplete")));
    server.restart();
    let client = client.at(&server.url);
    for id in &ids {
        let object = client.object(id).await;
        assert_eq!(
            object["incomplete_details"]["reason"], "server_restart",
            "{object:#}"
        );
        check_log(&client.log(id).await);
    }
    // The job goes on, and its money stays reserved: 20 minutes at 167 micro-dollars.
    let with_job = client.object(ids.last().unwrap()).await;
    assert_eq!(with_job["artifacts"][0]["type"], "hf_job");
    assert_eq!(held_for_jobs(&with_job), 3_340, "{with_job:#}");
    assert_eq!(sim.jobs().await[0]["status"]["stage"], "RUNNING");
    // A pause for a decision stays one.
    assert_eq!(client.object(&paused).await, waits);
}

/// While a turn that cannot stop at once is waited for, the server says that it is on its way out.
#[tokio::test]
async fn a_draining_server_is_not_ready_and_takes_nothing_new() {
    let (sim, mut server, client) = bench().await;
    // The answer to the job's creation is late, and a request cannot be taken back.
    let slow = json!({"prefix": "/api/jobs/alice", "method": "POST", "delay_ms": 5000, "count": 1});
    sim.fault(&slow).await;
    let script = "[[turn]]\n[[turn.call]]\ntool = 'hf_jobs'\nargs = { operation = 'run', command = ['true'] }";
    let id = client.submit(&scripted("Work.", script)).await;
    let mut events = client.events(&id, None).await;
    events
        .read_until(|event| event.name == "response.mcp_call.in_progress")
        .await
        .unwrap();
    server.ask_to_end();
    eventually("the server to drain", || async {
        let (status, body) = client.get("/readyz").await;
        (status == 503).then(|| assert_eq!(body["status"], "draining"))
    })
    .await;
    assert_eq!(client.get("/healthz").await.0, 200);
    let (status, refused) = client
        .post("/v1/responses", &json!({"input": "Hello."}))
        .await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (503, &json!("session_unavailable"))
    );
    let frames = parse_frames(&events.read_to_end().await);
    assert_eq!(frames.last().unwrap().name, "response.incomplete");
    assert!(server.wait().success());
    server.restart();
    let client = client.at(&server.url);
    // Whether the job began is not known, so its money stays reserved.
    assert_eq!(held_for_jobs(&client.object(&id).await), 5_010);
    check_log(&client.log(&id).await);
}
