//! Records what the reference page shows: the seven example tasks and the turn that is replayed.
//!
//! `cargo test -p ml-intern --test docs_recordings -- --ignored` runs them against a fresh server and the simulated
//! platform, and writes `crates/server/src/docs/recorded/`. The models' words are in `tests/recordings` (the job's is the
//! demo's); tools, jobs, costs and events are what really happened.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use support::*;

/// The platform's address in the recordings, in place of the simulator's, which changes.
const HUB: &str = "https://hub.example";
/// The example that is replayed.
const REPLAYED: &str = "job";

fn from_here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The scenarios of the recordings and the demo's, in one folder.
fn scenarios() -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    for source in ["demo/scenarios", "tests/recordings"] {
        copy(&from_here(source), folder.path());
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The events of a turn as they came, with the milliseconds since its submission.
async fn follow(client: &Client, id: &str, began: Instant) -> Vec<Value> {
    let mut stream = client.events(id, None).await;
    let mut events = Vec::new();
    while stream.read_chunk().await {
        let at = u64::try_from(began.elapsed().as_millis()).unwrap();
        for event in parse_frames(&stream.bytes).split_off(events.len()) {
            events.push(json!({"at_ms": at, "event": event.data}));
        }
    }
    events
}

async fn record(
    client: &Client,
    mut request: Value,
    previous: Option<&str>,
) -> (Value, Vec<Value>) {
    if let Some(previous) = previous {
        request["previous_response_id"] = json!(previous);
    }
    let began = Instant::now();
    let (status, queued) = client.post("/v1/responses", &request).await;
    assert_eq!(status, 200, "{queued}");
    let id = queued["id"].as_str().unwrap().to_owned();
    let events = follow(client, &id, began).await;
    let seconds = began.elapsed().as_secs_f64();
    let response = client.object(&id).await;
    assert_eq!(response["status"], "completed", "{response:#}");
    let seconds = (seconds * 10.0).round() / 10.0;
    (
        json!({"request": request, "response": response, "seconds": seconds}),
        events,
    )
}

#[tokio::test]
#[ignore = "writes the recordings of the reference page"]
async fn record_the_examples() {
    let folder = scenarios();
    let sim = Sim::with_folder(folder.path());
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_you");
    let tasks = std::fs::read(from_here("tests/recordings/tasks.json")).unwrap();
    let tasks: Vec<Value> = serde_json::from_slice(&tasks).unwrap();
    let (mut examples, mut replay) = (Vec::new(), Vec::new());
    for task in tasks {
        let mut turns: Vec<Value> = Vec::new();
        for request in task["requests"].as_array().unwrap() {
            let previous = turns
                .last()
                .map(|turn| turn["response"]["id"].as_str().unwrap().to_owned());
            let (turn, events) = record(&client, request.clone(), previous.as_deref()).await;
            turns.push(turn);
            if task["slug"] == REPLAYED {
                replay = events;
            }
        }
        examples.push(json!({"slug": task["slug"], "title": task["title"], "task": task["task"], "turns": turns}));
    }
    write("examples.json", &json!(examples), &sim.url);
    write("replay.json", &json!(replay), &sim.url);
}

fn write(name: &str, recorded: &Value, hub: &str) {
    let text = serde_json::to_string(recorded).unwrap().replace(hub, HUB);
    let path = from_here("../server/src/docs/recorded").join(name);
    std::fs::write(path, text).unwrap();
}
