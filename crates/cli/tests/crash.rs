//! The crash loop: whatever the server is doing when it is killed, what any client has seen is there afterwards.
//!
//! `ML_INTERN_CRASH_CYCLES` sets the number of cycles, `ML_INTERN_CRASH_SEED` repeats a run's random moments (as far as
//! the machine lets it).

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "crash/check.rs"]
mod check;
mod support;
#[path = "crash/workload.rs"]
mod workload;

use check::{Kept, jobs_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use support::{Client, Processes, Rng, ServeOptions, Server, Sim, eventually};
use workload::Workload;

const CYCLES: u64 = 30;
/// The latest moment of a kill, in milliseconds after the submits.
const LATEST_KILL: u64 = 700;

#[derive(Default)]
struct Count {
    kills: u64,
    responses: usize,
    interrupted: usize,
    events: usize,
    streams: usize,
    seen_bytes: usize,
    jobs: usize,
    /// Jobs that the platform had made and no event told of yet.
    late_jobs: usize,
    chained: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_seen_is_lost_by_a_crash() {
    let mut rng = Rng::from_env("ML_INTERN_CRASH_SEED");
    let cycles = std::env::var("ML_INTERN_CRASH_CYCLES");
    let cycles = cycles.map_or(CYCLES, |cycles| cycles.parse().unwrap());
    let sim = Sim::start();
    let mut server = Server::start(&sim, ServeOptions::default());
    let mut count = Count::default();
    let started = Instant::now();
    for cycle in 0..cycles {
        run_cycle(cycle, &sim, &mut server, &mut rng, &mut count).await;
    }
    assert!(count.interrupted > 0 || cycles < 5, "nothing was in flight");
    eprintln!(
        "crash loop: {cycles} cycles, {} kills, {} responses ({} interrupted), {} events, {} streams ({} bytes seen), \
         {} jobs ({} listed by the next turn), {} chained on; {:.1} s",
        count.kills,
        count.responses,
        count.interrupted,
        count.events,
        count.streams,
        count.seen_bytes,
        count.jobs,
        count.late_jobs,
        count.chained,
        started.elapsed().as_secs_f64(),
    );
}

async fn run_cycle(cycle: u64, sim: &Sim, server: &mut Server, rng: &mut Rng, count: &mut Count) {
    let client = Client::new(&server.url, &format!("hf_crash{cycle}"));
    let marker = format!("crash-marker-{cycle}-end");
    let workload = Workload::start(&client, &marker, rng);
    tokio::time::sleep(Duration::from_millis(rng.below(LATEST_KILL))).await;
    let dead = server.pid();
    server.kill();
    count.kills += 1;
    let (acknowledged, seen) = workload.end().await;
    if rng.below(4) == 0 {
        server.restart_and_kill_after(Duration::from_millis(rng.below(120)));
        count.kills += 1;
    }
    server.restart();
    let client = client.at(&server.url);
    let mut kept = BTreeMap::new();
    for id in acknowledged {
        let response = Kept::read(&client, &id, rng).await;
        count.responses += 1;
        count.interrupted += usize::from(response.is_interrupted());
        count.events += response.events();
        kept.insert(id, response);
    }
    for seen in &seen {
        kept[&seen.id].check_seen(seen);
        count.streams += 1;
        count.seen_bytes += seen.bytes.len();
    }
    let late = check_jobs(sim, &client, &kept, count).await;
    go_on(&client, &kept, &late, rng, count).await;
    check_processes(dead, &marker).await;
}

/// Every job that the platform has of these responses is in their artifacts. The exceptions are jobs that were created
/// in the very moment of the crash: nobody has heard of them, and the session's next turn lists them.
async fn check_jobs(
    sim: &Sim,
    client: &Client,
    kept: &BTreeMap<String, Kept>,
    count: &mut Count,
) -> BTreeMap<String, BTreeSet<String>> {
    let jobs = client.http.get(format!("{}/__sim/jobs", sim.url));
    let jobs: Vec<Value> = jobs.send().await.unwrap().json().await.unwrap();
    let mut late: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for job in &jobs {
        let response = job["labels"]["ml-intern-response"].as_str().unwrap_or("");
        let Some(response) = kept.get(response) else {
            continue;
        };
        let id = job["id"].as_str().unwrap().to_owned();
        count.jobs += 1;
        if !response.jobs().contains(&id) {
            assert!(
                response.is_interrupted(),
                "job {id} is not listed: {:#}",
                response.object
            );
            count.late_jobs += 1;
            let of = response.object["id"].as_str().unwrap().to_owned();
            late.entry(of).or_default().insert(id);
        }
    }
    late
}

/// Chains on every interrupted response that has jobs to be listed and on a random other one; decides what is paused.
async fn go_on(
    client: &Client,
    kept: &BTreeMap<String, Kept>,
    late: &BTreeMap<String, BTreeSet<String>>,
    rng: &mut Rng,
    count: &mut Count,
) {
    let interrupted: Vec<&String> = kept
        .iter()
        .filter(|(_, response)| response.is_interrupted())
        .map(|(id, _)| id)
        .collect();
    let mut chosen: BTreeSet<&String> = late.keys().collect();
    if !interrupted.is_empty() {
        let lot = usize::try_from(rng.below(interrupted.len() as u64)).unwrap();
        chosen.insert(interrupted[lot]);
    }
    for id in chosen {
        let body = json!({"input": "Say where you were.", "previous_response_id": id});
        let next = client.submit_with(body).await;
        let object = client.wait_for(&next, "completed").await;
        let missing = late.get(id).map(|late| late - &jobs_of(&object));
        assert!(
            missing.is_none_or(|missing| missing.is_empty()),
            "jobs of {id} are listed nowhere: {object:#}"
        );
        count.chained += 1;
    }
    let paused = kept
        .iter()
        .find(|(_, response)| response.status() == "incomplete" && !response.is_interrupted());
    if let Some((id, _)) = paused {
        let path = format!("/v1/responses/{id}/approvals");
        let (status, object) = client.post(&path, &json!({"approve": false})).await;
        assert_eq!(status, 200, "{object}");
        client.wait_for(id, "completed").await;
    }
}

/// Nothing of the dead server's sandboxes is left.
async fn check_processes(dead: u32, marker: &str) {
    let confined = format!("confine --parent {dead} ");
    eventually("the dead server's sandboxes to be gone", || async {
        let now = Processes::now();
        let left = [now.commands_with(marker), now.commands_with(&confined)].concat();
        left.is_empty().then_some(())
    })
    .await;
}
