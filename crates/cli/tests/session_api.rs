//! The session object, and ending a session.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{
    Answer, Client, ServeOptions, Server, Sim, check_log, eventually, refused, scripted,
};

const WORK: &str = r#"
[[turn]]
say = "I begin."
[[turn.call]]
tool = "plan_tool"
args = { todos = [{ id = "1", content = "Train it", status = "completed" }] }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "job"], timeout = "10m" }
[[turn.call]]
tool = "bash"
args = { command = "echo the word is heliotrope" }
[[turn]]
say = "Done."
"#;

const LONG_JOB: &str = r#"
[[turn]]
say = "I train."
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["sleep", "600"], timeout = "20m" }
"#;

fn start(sandbox: &'static str, env: &[(&str, &str)]) -> (Sim, Server, Client) {
    let sim = Sim::start();
    let env = env.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let options = ServeOptions {
        sandbox,
        env: env.collect(),
        ..ServeOptions::default()
    };
    let server = Server::start(&sim, options);
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

async fn session(client: &Client, id: &str) -> Value {
    let (status, session) = client.get(&format!("/v1/sessions/{id}")).await;
    assert_eq!(status, 200, "{session}");
    session
}

async fn end(client: &Client, id: &str) {
    let path = format!("/v1/sessions/{id}");
    let answer = Answer::to(client.request(Method::DELETE, &path)).await;
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap();
    assert_eq!(answer.status, 200, "{body}");
    assert_eq!(
        body,
        json!({"id": id, "object": "session", "deleted": true})
    );
}

fn session_id(response: &Value) -> String {
    response["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_shows_all_that_the_session_holds_live_or_not() {
    let (_sim, mut server, alice) = start("local", &[("ML_INTERN_SESSIONS_PER_USER", "1")]);
    let first = alice.submit(&scripted("Work.", WORK)).await;
    let first = alice.wait_for(&first, "completed").await;
    let say = scripted("And?", "[[turn]]\nsay = 'end'");
    let body = json!({"input": say, "previous_response_id": first["id"], "max_cost_usd": 7});
    let second = alice.submit_with(body).await;
    let second = alice.wait_for(&second, "completed").await;

    let id = session_id(&first);
    let idle = eventually("the turn to leave its session", || async {
        let shown = session(&alice, &id).await;
        (shown["state"] == "idle").then_some(shown)
    })
    .await;
    assert_eq!(idle["id"], id.as_str());
    assert_eq!(idle["object"], "session");
    assert_eq!(idle["created_at"], first["created_at"]);
    assert_eq!(idle["model"], first["model"]);
    assert_eq!(idle["budget"], second["budget"]);
    assert_eq!(idle["budget"]["cap_usd"], 7.0);
    for field in ["cost_usd", "cost_by_kind"] {
        assert_eq!(idle["usage"][field], second["usage"][field]);
    }
    assert_eq!(idle["plan"][0]["content"], "Train it");
    assert_eq!(idle["artifacts"], first["artifacts"]);
    assert_eq!(idle["artifacts"][0]["type"], "hf_job");
    assert_eq!(idle["sandbox"]["state"], "running");
    assert_eq!(idle["webhooks"], json!([]));
    let listed = idle["responses"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    for (shown, response) in listed.iter().zip([&first, &second]) {
        for field in ["id", "status", "created_at"] {
            assert_eq!(shown[field], response[field]);
        }
    }

    // Evicted, it is the same but for what is live; reading does not bring it back.
    let other = alice.submit("Hello.").await;
    alice.wait_for(&other, "completed").await;
    let mut expected = idle.clone();
    expected["state"] = json!("released");
    expected["sandbox"]["state"] = json!("none");
    eventually("the released session to be as it was", || async {
        (session(&alice, &id).await == expected).then_some(())
    })
    .await;
    server.kill();
    server.restart();
    let alice = alice.at(&server.url);
    assert_eq!(session(&alice, &id).await, expected, "after a crash too");
}

#[tokio::test]
async fn in_flight_and_paused_sessions_are_current() {
    let (sim, _server, alice) = start("local", &[]);
    let id = alice.submit(&scripted("Train.", LONG_JOB)).await;
    sim.wait_for_stage("RUNNING").await;
    let running = eventually("the job to be listed", || async {
        let shown = session(&alice, &session_id(&alice.object(&id).await)).await;
        (shown["resources"][0]["state"] == "running").then_some(shown)
    })
    .await;
    assert_eq!(running["state"], "running");
    assert_eq!(running["responses"][0]["status"], "in_progress");
    let job = &running["resources"][0];
    assert_eq!(
        (&job["type"], &job["id"]),
        (&json!("job"), &running["artifacts"][0]["id"])
    );
    // cpu-basic: 167 micro-dollars a minute.
    assert_eq!(job["price_per_hour_usd"], json!(0.010_02));
    assert_eq!(running["reservations"][0]["kind"], "jobs");
    assert_eq!(running["reservations"][0]["reserved_usd"], json!(0.003_34));

    // A platform that does not answer makes the state unknown, not the request fail.
    sim.fault(
        &json!({"prefix": "/api/jobs/alice", "method": "GET", "delay_ms": 8000, "count": 20}),
    )
    .await;
    let asked = Instant::now();
    let unknown = session(&alice, running["id"].as_str().unwrap()).await;
    assert!(
        asked.elapsed() < Duration::from_secs(6),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(unknown["resources"][0]["state"], "unknown");

    let paused = json!({"input": "Hello.", "max_cost_usd": 0.000_001});
    let paused = alice.submit_with(paused).await;
    let object = alice.wait_for(&paused, "incomplete").await;
    let shown = session(&alice, &session_id(&object)).await;
    assert_eq!(shown["state"], "awaiting_approval");
}

#[tokio::test]
async fn others_sessions_are_as_unknown_as_none() {
    let (_sim, server, alice) = start("local", &[]);
    let id = alice.submit("Hello.").await;
    let id = session_id(&alice.wait_for(&id, "completed").await);
    let bob = Client::new(&server.url, "hf_bob");
    let mut answers = Vec::new();
    for wanted in [id.as_str(), "sess_00000000000000000000000000000000", "x"] {
        for method in [Method::GET, Method::DELETE] {
            let request = bob.request(method, &format!("/v1/sessions/{wanted}"));
            answers.push(refused(request, 404, "session_not_found", None).await.bytes);
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(
        session(&alice, &id).await["responses"][0]["status"],
        "completed"
    );
}

#[tokio::test]
async fn ending_a_session_cancels_its_turn_and_frees_its_seat() {
    let (_sim, _server, alice) = start("local", &[("ML_INTERN_SESSIONS_PER_USER", "1")]);
    let busy = scripted(
        "Wait.",
        "[[turn]]\nsay = 'x'\n[[turn.call]]\ntool = 'bash'\nargs = { command = 'sleep 600' }",
    );
    let id = alice.submit(&busy).await;
    let mut events = alice.events(&id, None).await;
    events
        .read_until(|event| event.name == "response.mcp_call.in_progress")
        .await
        .unwrap();
    let sess = session_id(&alice.object(&id).await);
    let asked = Instant::now();
    end(&alice, &sess).await;
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "{:?}",
        asked.elapsed()
    );
    let cancelled = alice.object(&id).await;
    assert_eq!(cancelled["status"], "cancelled");
    check_log(&alice.log(&id).await);
    let shown = session(&alice, &sess).await;
    assert_eq!(
        (&shown["state"], &shown["sandbox"]["state"]),
        (&json!("released"), &json!("none"))
    );
    // Again, and nothing changes.
    end(&alice, &sess).await;
    assert_eq!(session(&alice, &sess).await, shown);
    // The only seat is free for a pause, which is ended too.
    let paused = json!({"input": "Hello.", "max_cost_usd": 0.000_001});
    let paused = alice.submit_with(paused).await;
    let waits = alice.wait_for(&paused, "incomplete").await;
    end(&alice, &session_id(&waits)).await;
    assert_eq!(alice.object(&paused).await["status"], "cancelled");
    // Chaining brings it back.
    let say = scripted("Go on.", "[[turn]]\nsay = 'end'");
    let next = alice
        .submit_with(json!({"input": say, "previous_response_id": id}))
        .await;
    let done = alice.wait_for(&next, "completed").await;
    assert_eq!(done["session_id"], sess.as_str());
}

const IN_THE_BOX: &str = r#"
[[turn]]
say = "I look."
[[turn.call]]
tool = "bash"
args = { command = "echo here" }
[[turn]]
say = "end"
"#;

#[tokio::test]
async fn ending_a_session_ends_its_sandbox_even_one_of_a_process_that_is_gone() {
    let (sim, mut server, alice) = start("jobs", &[]);
    let first = alice.submit(&scripted("Look.", IN_THE_BOX)).await;
    let first = session_id(&alice.wait_for(&first, "completed").await);
    let box_of = |shown: &Value| shown["resources"][0].clone();
    let before = box_of(&session(&alice, &first).await);
    assert_eq!(
        (&before["type"], &before["state"]),
        (&json!("sandbox"), &json!("running"))
    );
    assert!(before["price_per_hour_usd"].as_f64() > Some(0.01));
    end(&alice, &first).await;
    sim.wait_for_stage("CANCELED").await;
    assert_eq!(box_of(&session(&alice, &first).await)["state"], "canceled");

    let second = alice.submit(&scripted("Look.", IN_THE_BOX)).await;
    let second = session_id(&alice.wait_for(&second, "completed").await);
    server.kill();
    server.restart();
    let alice = alice.at(&server.url);
    assert_eq!(box_of(&session(&alice, &second).await)["state"], "running");
    end(&alice, &second).await;
    sim.wait_for_stage("CANCELED").await;
}
