//! What a dead server leaves on the platform: a sandbox job that nobody can use any more.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{Client, ServeOptions, Server, Sim, eventually, scripted};

const WORK: &str =
    "[[turn]]\n[[turn.call]]\ntool = \"bash\"\nargs = { command = \"echo at work; sleep 30\" }\n";
const REST: &str = "[[turn]]\nsay = \"Here.\"\n";

#[tokio::test]
async fn a_dead_servers_sandbox_is_cancelled_and_settled_by_the_next_turn() {
    let sim = Sim::start();
    let mut server = Server::start(&sim, jobs_sandbox());
    let client = Client::new(&server.url, "hf_alice");
    let id = client.submit(&scripted("Work.", WORK)).await;
    let mut stream = client.events(&id, None).await;
    let at_work = stream.read_until(|event| event.name == "response.tool_log");
    assert!(at_work.await.is_some());
    server.kill();
    server.restart();
    the_next_turn_settles(&sim, &client.at(&server.url), &id).await;
}

#[tokio::test]
async fn a_sandbox_made_in_the_moment_of_the_crash_is_found_and_cancelled() {
    let sim = Sim::start();
    let mut server = Server::start(&sim, jobs_sandbox());
    let client = Client::new(&server.url, "hf_alice");
    // The platform makes the job and does not say so.
    let fault =
        json!({"prefix": "/api/jobs/alice", "method": "POST", "after": true, "status": 504});
    let request = client.http.post(format!("{}/__sim/faults", sim.url));
    request.json(&fault).send().await.unwrap();
    let id = client.submit(&scripted("Work.", WORK)).await;
    eventually("the sandbox's job", || async {
        (jobs(&sim, &client).await.len() == 1).then_some(())
    })
    .await;
    server.kill();
    server.restart();
    the_next_turn_settles(&sim, &client.at(&server.url), &id).await;
}

async fn the_next_turn_settles(sim: &Sim, client: &Client, id: &str) {
    let interrupted = client.object(id).await;
    assert_eq!(
        interrupted["incomplete_details"]["reason"], "server_restart",
        "{interrupted:#}"
    );
    assert!(
        interrupted["budget"]["reserved_usd"].as_f64().unwrap() > 0.0,
        "{interrupted:#}"
    );
    let body = json!({"input": scripted("Go on.", REST), "previous_response_id": id});
    let next = client.submit_with(body).await;
    let object = client.wait_for(&next, "completed").await;
    assert_eq!(object["budget"]["reserved_usd"], json!(0.0), "{object:#}");
    let stages: Vec<Value> = jobs(sim, client).await;
    assert_eq!(stages.len(), 1);
    assert_eq!(stages[0]["status"]["stage"], "CANCELED", "{stages:#?}");
}

async fn jobs(sim: &Sim, client: &Client) -> Vec<Value> {
    let request = client.http.get(format!("{}/__sim/jobs", sim.url));
    request.send().await.unwrap().json().await.unwrap()
}

fn jobs_sandbox() -> ServeOptions {
    ServeOptions {
        sandbox: "jobs",
        ..ServeOptions::default()
    }
}
