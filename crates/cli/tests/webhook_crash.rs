//! The server is killed again and again while webhooks are on their way: none is lost, none is changed, and a receiver
//! can tell the repeated ones by their id.
//!
//! `ML_INTERN_WEBHOOK_CYCLES` sets the number of kills, `ML_INTERN_WEBHOOK_SEED` repeats a run's moments.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "webhooks/receiver.rs"]
mod receiver;
mod support;

use receiver::{Delivery, Receiver, Reply};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use support::{Client, Rng, ServeOptions, Server, Sim, eventually, parse_frames, scripted};

const CYCLES: u64 = 20;
/// The latest moment of a kill, in milliseconds after the submits.
const LATEST_KILL: u64 = 500;
const PER_CYCLE: usize = 3;

const WANTED: [&str; 5] = [
    "response.created",
    "response.in_progress",
    "response.completed",
    "response.incomplete",
    "response.artifact.created",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_webhook_is_lost_by_a_crash() {
    let mut rng = Rng::from_env("ML_INTERN_WEBHOOK_SEED");
    let cycles = std::env::var("ML_INTERN_WEBHOOK_CYCLES");
    let cycles = cycles.map_or(CYCLES, |cycles| cycles.parse().unwrap());
    let sim = Sim::start();
    // Every fifth request is refused: retries are under way when the kills come.
    let receiver =
        Receiver::answering(|_, before| Reply::Status(if before % 5 == 4 { 503 } else { 200 }))
            .await;
    let env = (
        "ML_INTERN_ALLOW_PRIVATE_HOSTS".to_owned(),
        "127.0.0.1".to_owned(),
    );
    let options = ServeOptions {
        env: vec![env],
        ..ServeOptions::default()
    };
    let mut server = Server::start(&sim, options);
    let mut submitted = Vec::new();
    for cycle in 0..cycles {
        let client = Client::new(&server.url, &format!("hf_crash{cycle}"));
        for n in 0..PER_CYCLE {
            let script = format!(
                "[[turn]]\nsay = 'word '\nrepeat = {}\ntoken_delay_ms = 10",
                1 + 30 * n
            );
            let body = json!({"input": scripted("Work.", &script), "webhook": {"url": receiver.url("/hook"), "events": WANTED}});
            submitted.push((cycle, client.submit_with(body).await));
        }
        tokio::time::sleep(Duration::from_millis(rng.below(LATEST_KILL))).await;
        server.kill();
        if rng.below(3) == 0 {
            server.restart_and_kill_after(Duration::from_millis(rng.below(LATEST_KILL)));
        }
        server.restart();
    }
    let mut expected = 0;
    for (cycle, id) in &submitted {
        let client = Client::new(&server.url, &format!("hf_crash{cycle}"));
        client.wait_at_rest(id).await;
        expected += check(&client, id, &receiver).await;
    }
    let came = receiver.came().len();
    eprintln!(
        "webhook crash loop: {cycles} kills, {} responses, {expected} events, {came} requests",
        submitted.len()
    );
}

/// Waits until every wanted event of the log has come, and holds what came against the log. Gives the number of events.
async fn check(client: &Client, id: &str, receiver: &Receiver) -> usize {
    let log = parse_frames(&client.events(id, None).await.read_to_end().await);
    let wanted: Vec<_> = log
        .iter()
        .filter(|event| WANTED.contains(&event.name.as_str()))
        .collect();
    assert!(wanted.len() >= 2, "{id}");
    let came: Vec<Delivery> = eventually(&format!("the webhooks of {id}"), || async {
        let came = receiver.came();
        let came: Vec<Delivery> = came.into_iter().filter(|one| one.event().0 == id).collect();
        let has =
            |event: &&support::RawEvent| came.iter().any(|one| Some(one.event().1) == event.id);
        wanted.iter().all(has).then_some(came)
    })
    .await;
    let mut payloads = BTreeMap::new();
    let mut newest = 0;
    for one in &came {
        let (_, seq) = one.event();
        assert!(seq >= newest, "{id}: {seq} came behind {newest}");
        newest = seq;
        let data = one.json()["data"].clone();
        let event = wanted
            .iter()
            .find(|event| event.id == Some(seq))
            .expect("an event that was asked for");
        assert_eq!(data, event.data, "{id}");
        payloads.insert(seq, data);
    }
    assert_eq!(payloads.len(), wanted.len());
    wanted.len()
}
