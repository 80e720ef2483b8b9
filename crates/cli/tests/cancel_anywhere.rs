//! A cancel lands within two seconds, wherever the turn is, and nothing of the turn goes on behind it.
//!
//! `ML_INTERN_CANCEL_POINTS` sets how many random points are tried, `ML_INTERN_CANCEL_SEED` repeats a run's.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "cancel_anywhere/scripts.rs"]
mod scripts;
mod support;

use futures_util::StreamExt;
use reqwest::Method;
use scripts::{SCRIPTS, Script};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use support::{Answer, Client, Processes, Rng, Sim, bench, check_log, eventually};

const POINTS: u64 = 200;
/// The contract's limit.
const LIMIT: Duration = Duration::from_secs(2);
/// Points at a time.
const AT_ONCE: usize = 4;

/// What came of one point.
#[derive(Debug)]
struct Outcome {
    script: &'static Script,
    /// The moment of the cancel.
    after: Duration,
    /// Whether the turn had not ended by itself.
    was_cancelled: bool,
    cancel: Duration,
    processes: Duration,
    jobs: usize,
}

impl Outcome {
    fn is_slow(&self) -> bool {
        self.cancel >= LIMIT || self.processes >= LIMIT
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_lands_wherever_the_turn_is() {
    let mut rng = Rng::from_env("ML_INTERN_CANCEL_SEED");
    let points = std::env::var("ML_INTERN_CANCEL_POINTS");
    let points = points.map_or(POINTS, |points| points.parse().unwrap());
    let (sim, server, client) = bench().await;
    let scripts = SCRIPTS.iter().cycle();
    let lots: Vec<_> = (0..points)
        .zip(scripts)
        .map(|(n, script)| (n, script, rng.below(script.window)))
        .collect();
    let outcomes: Vec<Outcome> = futures_util::stream::iter(lots)
        .map(|(n, script, after)| cancel(&sim, &client, n, script, Duration::from_millis(after)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    report(&outcomes);
    // A machine that is busy with something else may be slow once; a turn that does not stop is slow again.
    let slow = outcomes.iter().filter(|outcome| outcome.is_slow());
    for (n, slow) in (points..).zip(slow) {
        let again = cancel(&sim, &client, n, slow.script, slow.after).await;
        assert!(!again.is_slow(), "slow twice: {slow:?}, {again:?}");
    }
    let cancelled = outcomes
        .iter()
        .filter(|outcome| outcome.was_cancelled)
        .count();
    assert!(
        cancelled * 10 >= outcomes.len() * 8,
        "only {cancelled} turns were still running"
    );
    assert!(!server.logs().contains("panicked"));
}

/// Runs a script for a while, cancels it and looks at what is left.
async fn cancel(
    sim: &Sim,
    client: &Client,
    n: u64,
    script: &'static Script,
    after: Duration,
) -> Outcome {
    let account = format!("cancel{n}");
    let client = Client {
        token: format!("hf_{account}"),
        ..client.clone()
    };
    let marker = format!("cancel-marker-{n}-end");
    let what = format!("{} after {after:?} ({account})", script.name);
    let id = client.submit_with(script.body(&marker)).await;
    eventually(&what, || async {
        (script.behind_calls == 0 || chats(sim, &account).await >= script.behind_calls)
            .then_some(())
    })
    .await;
    // The random moment is the test's purpose.
    tokio::time::sleep(after).await;

    let asked = Instant::now();
    let request = client.request(Method::POST, &format!("/v1/responses/{id}/cancel"));
    let answer = Answer::to(request).await;
    assert_eq!(answer.status, 200, "{what}");
    let snapshot: Value = serde_json::from_slice(&answer.bytes).unwrap();
    let done = client.wait_at_rest(&id).await;
    let took = asked.elapsed();
    let has_ended = snapshot["status"] == "completed";
    let status = done["status"].as_str().unwrap();
    assert!(
        status == "cancelled" || (status == "completed" && has_ended),
        "{what}: {done:#}"
    );
    let calls = chats(sim, &account).await;

    let gone = Instant::now();
    eventually(&format!("the commands to be gone: {what}"), || async {
        Processes::now()
            .commands_with(&marker)
            .is_empty()
            .then_some(())
    })
    .await;
    let processes = gone.elapsed();

    let jobs = jobs(sim, &account).await;
    for job in &jobs {
        let stage = job["status"]["stage"].as_str().unwrap();
        assert!(
            ["SCHEDULING", "RUNNING"].contains(&stage) && script.has_jobs,
            "{what}: {job:#}"
        );
        assert!(lists(&done, job), "{what}: {job:#} is not in {done:#}");
    }
    check_open_items(&what, &done);
    check_log(&client.log(&id).await);
    go_on(sim, &client, &account, &done, calls).await;
    Outcome {
        script,
        after,
        was_cancelled: !has_ended,
        cancel: took,
        processes,
        jobs: jobs.len(),
    }
}

/// What was cut off is closed as incomplete, and nothing waits any more.
fn check_open_items(what: &str, done: &Value) {
    let is_open = |item: &&Value| item["status"] == "in_progress";
    let open = done["output"].as_array().unwrap().iter().find(is_open);
    assert!(
        open.is_none() && done["pending_approval"].is_null(),
        "{what}: {done:#}"
    );
}

/// The session goes on; no model call but the new turn's has been made since. Then it is ended.
async fn go_on(sim: &Sim, client: &Client, account: &str, done: &Value, calls: usize) {
    let next = support::scripted("Go on.", "[[turn]]\nsay = 'I go on.'");
    let body = json!({"input": next, "previous_response_id": done["id"], "max_cost_usd": 5});
    let next = client.submit_with(body).await;
    let next = client.wait_for(&next, "completed").await;
    assert_eq!(
        chats(sim, account).await,
        calls + 1,
        "a model call behind the cancel: {done:#}"
    );
    check_log(&client.log(next["id"].as_str().unwrap()).await);
    let path = format!("/v1/sessions/{}", done["session_id"].as_str().unwrap());
    let ended = Answer::to(client.request(Method::DELETE, &path)).await;
    assert_eq!(ended.status, 200);
}

async fn chats(sim: &Sim, account: &str) -> usize {
    let calls = sim.calls("/v1/chat/completions").await;
    calls
        .iter()
        .filter(|call| call["account"] == account)
        .count()
}

async fn jobs(sim: &Sim, account: &str) -> Vec<Value> {
    let mut jobs = sim.jobs().await;
    jobs.retain(|job| job["owner"]["name"] == account || job["owner"] == account);
    jobs
}

/// Whether a job is among the artifacts of a response.
fn lists(object: &Value, job: &Value) -> bool {
    let mut artifacts = object["artifacts"].as_array().unwrap().iter();
    artifacts.any(|artifact| artifact["type"] == "hf_job" && artifact["id"] == job["id"])
}

fn report(outcomes: &[Outcome]) {
    let mut slowest: BTreeMap<&str, (usize, usize, Duration, Duration, usize)> = BTreeMap::new();
    for outcome in outcomes {
        let row = slowest.entry(outcome.script.name).or_default();
        row.0 += 1;
        row.1 += usize::from(outcome.was_cancelled);
        row.2 = row.2.max(outcome.cancel);
        row.3 = row.3.max(outcome.processes);
        row.4 += outcome.jobs;
    }
    for (script, (points, cancelled, cancel, processes, jobs)) in slowest {
        eprintln!(
            "{script}: {points} points, {cancelled} cancelled, slowest {} ms, processes gone {} ms later, {jobs} jobs",
            cancel.as_millis(),
            processes.as_millis(),
        );
    }
}
