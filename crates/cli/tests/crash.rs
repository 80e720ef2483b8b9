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
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use support::{
    Answer, Client, Processes, Rng, ServeOptions, Server, Sim, check_log, eventually, named,
    scripted,
};
use workload::{Keyed, Known, Workload};

const CYCLES: u64 = 8;
/// Turns that are resumed in one cycle.
const MOST_RESUMED: usize = 3;
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
    /// Jobs that were found again by a lookup.
    found_jobs: usize,
    /// Of these, jobs that the first lookup did not find yet.
    late_jobs: usize,
    chained: usize,
    resumed: usize,
    decided: usize,
    keys: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_seen_is_lost_by_a_crash() {
    let mut rng = Rng::from_env("ML_INTERN_CRASH_SEED");
    let cycles = std::env::var("ML_INTERN_CRASH_CYCLES");
    let cycles = cycles.map_or(CYCLES, |cycles| cycles.parse().unwrap());
    let sim = Sim::start();
    // The workload is many sessions of one account at once.
    let many = ("ML_INTERN_SESSIONS_PER_USER".to_owned(), "1000".to_owned());
    let options = ServeOptions {
        env: vec![many],
        ..ServeOptions::default()
    };
    let mut server = Server::start(&sim, options);
    let mut count = Count::default();
    let started = Instant::now();
    for cycle in 0..cycles {
        run_cycle(cycle, &sim, &mut server, &mut rng, &mut count).await;
    }
    assert!(count.interrupted > 0 || cycles < 5, "nothing was in flight");
    eprintln!(
        "crash loop: {cycles} cycles, {} kills, {} responses ({} interrupted), {} events, {} streams ({} bytes seen), \
         {} jobs ({} found again, {} late), {} chained on, {} resumed, {} decided, {} keys; {:.1} s",
        count.kills,
        count.responses,
        count.interrupted,
        count.events,
        count.streams,
        count.seen_bytes,
        count.jobs,
        count.found_jobs,
        count.late_jobs,
        count.chained,
        count.resumed,
        count.decided,
        count.keys,
        started.elapsed().as_secs_f64(),
    );
}

async fn run_cycle(cycle: u64, sim: &Sim, server: &mut Server, rng: &mut Rng, count: &mut Count) {
    let client = Client::new(&server.url, &format!("hf_crash{cycle}"));
    if rng.below(2) == 0 {
        lose_job_answers(sim, &client, cycle).await;
    }
    let marker = format!("crash-marker-{cycle}-end");
    let workload = Workload::start(&client, &marker, rng);
    tokio::time::sleep(Duration::from_millis(rng.below(LATEST_KILL))).await;
    let dead = server.pid();
    server.kill();
    count.kills += 1;
    let Known {
        acknowledged,
        seen,
        keyed,
    } = workload.end().await;
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
    check_keys(&client, &keyed, count).await;
    check_jobs(sim, &client, &kept, count).await;
    go_on(&client, &kept, rng, count).await;
    check_processes(dead, &marker).await;
}

/// The platform makes this cycle's jobs and fails to say so: for a while nobody knows of them.
async fn lose_job_answers(sim: &Sim, client: &Client, cycle: u64) {
    let fault = json!({
        "prefix": format!("/api/jobs/crash{cycle}"), "method": "POST", "after": true, "status": 504, "count": 2,
    });
    let request = client.http.post(format!("{}/__sim/faults", sim.url));
    let answer = request.json(&fault).send().await.unwrap();
    assert!(answer.status().is_success());
}

/// Every job that the platform has of these responses is in their artifacts: also those that were made in the very moment
/// of the crash, which no event could tell of. They are looked up when the caller comes back, and again while the platform
/// may still be making them.
async fn check_jobs(sim: &Sim, client: &Client, kept: &BTreeMap<String, Kept>, count: &mut Count) {
    let jobs = client.http.get(format!("{}/__sim/jobs", sim.url));
    let jobs: Vec<Value> = jobs.send().await.unwrap().json().await.unwrap();
    for job in &jobs {
        let id = job["labels"]["ml-intern-response"].as_str().unwrap_or("");
        let Some(response) = kept.get(id) else {
            continue;
        };
        let job = job["id"].as_str().unwrap();
        count.jobs += 1;
        count.found_jobs += usize::from(response.knows_by_lookup(job));
        if response.jobs().contains(job) {
            continue;
        }
        assert!(response.is_interrupted(), "{:#}", response.object);
        count.late_jobs += 1;
        eventually(&format!("job {job} to be listed by {id}"), || async {
            let object = client.object(id).await;
            jobs_of(&object).contains(job).then_some(())
        })
        .await;
    }
}

/// Each key has made one response, which a repeated request gets, whoever died in between.
async fn check_keys(client: &Client, keyed: &[Keyed], count: &mut Count) {
    for Keyed { key, body, id } in keyed {
        let mut made = id.clone();
        for _ in 0..2 {
            let request = client.request(reqwest::Method::POST, "/v1/responses");
            let request = request.header("idempotency-key", key).json(body);
            let (status, object) = read(request).await;
            assert_eq!(status, 200, "{object}");
            let again = object["id"].as_str().unwrap().to_owned();
            assert_eq!(*made.get_or_insert_with(|| again.clone()), again, "{key}");
        }
        count.keys += 1;
    }
    let (_, list) = client.get("/v1/responses?limit=100").await;
    let tasks = list["data"].as_array().unwrap().iter().map(|object| async {
        let id = object["id"].as_str().unwrap();
        let (_, items) = client.get(&format!("/v1/responses/{id}/input_items")).await;
        items["data"][0]["content"][0]["text"].clone()
    });
    let tasks = join_all(tasks).await;
    for Keyed { body, .. } in keyed {
        let made = tasks.iter().filter(|task| **task == body["input"]).count();
        assert_eq!(made, 1, "{body}");
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = Answer::to(request).await;
    (
        answer.status,
        serde_json::from_slice(&answer.bytes).unwrap(),
    )
}

/// Of the interrupted responses one is chained on and the others are resumed; what is paused is decided, once.
async fn go_on(client: &Client, kept: &BTreeMap<String, Kept>, rng: &mut Rng, count: &mut Count) {
    let interrupted: Vec<&String> = kept
        .iter()
        .filter(|(_, response)| response.is_interrupted())
        .map(|(id, _)| id)
        .collect();
    let lot = usize::try_from(rng.below(interrupted.len() as u64)).unwrap();
    if let Some(id) = interrupted.get(lot) {
        let task = scripted("Say where you were.", "[[turn]]\nsay = \"Here.\"");
        let body = json!({"input": task, "previous_response_id": id});
        let next = client.submit_with(body).await;
        client.wait_for(&next, "completed").await;
        count.chained += 1;
    }
    let others = interrupted.iter().enumerate().filter(|(n, _)| *n != lot);
    let resumed = others.take(MOST_RESUMED).map(|(_, id)| resume(client, id));
    count.resumed += join_all(resumed).await.len();
    let paused = kept
        .iter()
        .filter(|(_, response)| response.status() == "incomplete" && !response.is_interrupted());
    for (id, _) in paused {
        decide(client, id).await;
        count.decided += 1;
    }
}

/// Resumed twice at once: one wins, and the turn comes to rest.
async fn resume(client: &Client, id: &str) {
    let path = format!("/v1/responses/{id}/resume");
    let (one, other) = tokio::join!(
        client.post(&path, &Value::Null),
        client.post(&path, &Value::Null)
    );
    let mut statuses = [one.0, other.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {other:?}");
    let rested = client.wait_at_rest(id).await;
    assert_ne!(rested["incomplete_details"]["reason"], "server_restart");
    let events = check_log(&client.log(id).await);
    assert_eq!(named(&events, "resumed").len(), 1);
    if rested["status"] == "incomplete" {
        decide(client, id).await;
    }
}

/// Denied twice at once: one counts.
async fn decide(client: &Client, id: &str) {
    let path = format!("/v1/responses/{id}/approvals");
    let decision = json!({"approve": false});
    let (one, other) = tokio::join!(client.post(&path, &decision), client.post(&path, &decision));
    let mut statuses = [one.0, other.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {other:?}");
    client.wait_for(id, "completed").await;
    let events = check_log(&client.log(id).await);
    let pauses = named(&events, "approval_required").len();
    assert_eq!(named(&events, "approval_decided").len(), pauses);
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
