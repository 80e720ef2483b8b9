//! Following jobs through a log that breaks and a stage that is the truth.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use platform::{Deadlines, ErrorKind, JobFollower, JobUpdate, PlatformError};
use serde_json::json;

use crate::chat::SSE;
use crate::fake::{
    Act, Count, Fake, bounded, eventually, platform, platform_with, quick, scripted, send, serve,
    streamed, token,
};
use crate::jobs::job;

/// A job whose n-th look gets the n-th stage (the last one stays) and whose n-th log connection
/// gets the n-th script.
struct Followed {
    fake: Fake,
    logs: Count,
}

async fn followed(
    stage: impl Fn(usize, &Count) -> Response + Clone + Send + Sync + 'static,
    log: impl Fn(usize) -> Response + Clone + Send + Sync + 'static,
) -> Followed {
    let (looks, logs) = (Count::default(), Count::default());
    let (counted_logs, logs_so_far) = (logs.clone(), logs.clone());
    let look = move || {
        let response = stage(looks.next(), &logs_so_far);
        async move { response }
    };
    let log = move || {
        let response = log(counted_logs.next());
        async move { response }
    };
    let router = Router::new()
        .route("/api/jobs/alice/j1", get(look))
        .route("/api/jobs/alice/j1/logs", get(log));
    Followed {
        fake: serve(router).await,
        logs,
    }
}

fn at(stage: &str) -> Response {
    axum::Json(job("j1", stage, &json!({}))).into_response()
}

fn lines(numbers: std::ops::Range<usize>) -> impl Iterator<Item = Act> {
    let opening = send("data: {\"data\":\"===== Job started at 2026-11-23 19:03:07 =====\"}\n\n");
    let line = |n| {
        send(format!(
            "data: {{\"data\":\"line {n}\",\"timestamp\":\"t\"}}\n\n"
        ))
    };
    std::iter::once(opening)
        .chain(numbers.map(line))
        .chain([send(": keep-alive\n\n")])
}

/// Everything a follower reports: lines and stages in order.
async fn report(mut follower: JobFollower) -> Result<Vec<String>, PlatformError> {
    bounded(async {
        let mut report = Vec::new();
        while let Some(update) = follower.next().await {
            report.push(match update? {
                JobUpdate::Line(line) => line,
                JobUpdate::Stage(job) => job.stage.as_str().to_owned(),
            });
        }
        assert!(follower.next().await.is_none());
        Ok(report)
    })
    .await
}

fn follow(followed: &Followed, skip: usize) -> JobFollower {
    platform(&followed.fake).follow_job(token(), "alice", "j1", skip)
}

fn log_of(report: &[String]) -> Vec<&str> {
    report
        .iter()
        .map(String::as_str)
        .filter(|entry| entry.starts_with("line"))
        .collect()
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("line {n}")).collect()
}

#[tokio::test]
async fn lines_come_once_though_the_log_breaks_and_replays() {
    // Two lines and a cut; three, a proper end while the job runs on; silence after four; then all
    // of them.
    let log = |n| match n {
        0 => scripted(SSE, lines(0..2).chain([Act::Cut])),
        1 => scripted(SSE, lines(0..3)),
        2 => StatusCode::BAD_GATEWAY.into_response(),
        3 => scripted(SSE, lines(0..4).chain([Act::Hang])),
        _ => scripted(SSE, lines(0..6)),
    };
    let stage = |n, logs: &Count| match (n, logs.get()) {
        (0 | 1, _) => at("SCHEDULING"),
        (_, connections) if connections < 5 => at("RUNNING"),
        _ => at("COMPLETED"),
    };
    let job = followed(stage, log).await;
    let deadlines = Deadlines {
        log_idle: Duration::from_millis(200),
        ..quick()
    };
    let follower = platform_with(&job.fake, deadlines).follow_job(token(), "alice", "j1", 0);
    let report = report(follower).await.unwrap();
    assert_eq!(log_of(&report), numbered(0..6));
    let stages: Vec<_> = report
        .iter()
        .filter(|entry| !entry.starts_with("line"))
        .collect();
    assert_eq!(stages, ["SCHEDULING", "RUNNING", "COMPLETED"]);
    assert_eq!(report.last().unwrap(), "COMPLETED");
}

#[tokio::test]
async fn lines_the_caller_has_are_passed_over() {
    let job = followed(|_, _| at("COMPLETED"), |_| scripted(SSE, lines(0..5))).await;
    let report = report(follow(&job, 3)).await.unwrap();
    assert_eq!(report, ["line 3", "line 4", "COMPLETED"]);
}

#[tokio::test]
async fn a_log_that_never_ends_does_not_hold_a_job_that_has() {
    let stage = |n, logs: &Count| {
        if n > 0 && logs.get() > 0 {
            at("ERROR")
        } else {
            at("RUNNING")
        }
    };
    let job = followed(stage, |_| scripted(SSE, lines(0..2).chain([Act::Hang]))).await;
    let report = report(follow(&job, 0)).await.unwrap();
    assert_eq!(report, ["RUNNING", "line 0", "line 1", "ERROR"]);
}

#[tokio::test]
async fn a_job_without_a_log_still_ends() {
    let stage = |n, _: &Count| if n < 3 { at("RUNNING") } else { at("CANCELED") };
    let job = followed(stage, |_| StatusCode::NOT_FOUND.into_response()).await;
    assert_eq!(
        report(follow(&job, 0)).await.unwrap(),
        ["RUNNING", "CANCELED"]
    );
}

#[tokio::test]
async fn a_short_outage_is_sat_out() {
    let stage = |n, _: &Count| match n {
        0 => at("RUNNING"),
        1..8 => StatusCode::BAD_GATEWAY.into_response(),
        _ => at("COMPLETED"),
    };
    let job = followed(stage, |_| scripted(SSE, lines(0..1))).await;
    let report = report(follow(&job, 0)).await.unwrap();
    assert_eq!(report, ["RUNNING", "line 0", "COMPLETED"]);
}

#[tokio::test]
async fn a_long_outage_and_a_missing_job_are_errors() {
    for (status, kind) in [
        (502, ErrorKind::Unavailable),
        (404, ErrorKind::NotFound),
        (401, ErrorKind::Auth),
    ] {
        let job = followed(
            move |_, _| StatusCode::from_u16(status).unwrap().into_response(),
            |_| scripted(SSE, lines(0..1)),
        )
        .await;
        assert_eq!(report(follow(&job, 0)).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_log_longer_than_the_queue_arrives_whole_at_a_slow_reader() {
    let job = followed(
        |_, _| at("RUNNING"),
        |_| scripted(SSE, lines(0..5000).chain([Act::Hang])),
    )
    .await;
    let mut follower = follow(&job, 0);
    eventually("the log to be opened", || job.logs.get() == 1).await;
    let read = bounded(async {
        let mut read = Vec::new();
        while read.len() < 300 {
            if let Some(Ok(JobUpdate::Line(line))) = follower.next().await {
                read.push(line);
            }
        }
        read
    })
    .await;
    assert_eq!(read, numbered(0..300));
}

#[tokio::test]
async fn dropping_the_follower_stops_it() {
    let alive = Arc::new(());
    let held = alive.clone();
    let log = move |_| {
        let held = held.clone();
        let beat = stream::repeat_with(move || {
            let _held = &held;
            Ok(": keep-alive\n\n".into())
        });
        let pause = Duration::from_millis(5);
        streamed(
            SSE,
            beat.then(move |beat| async move {
                tokio::time::sleep(pause).await;
                beat
            }),
        )
    };
    let job = followed(|_, _| at("RUNNING"), log).await;
    let without_reader = Arc::strong_count(&alive);
    let mut follower = follow(&job, 0);
    assert!(bounded(follower.next()).await.unwrap().is_ok());
    eventually("the log to be read", || {
        Arc::strong_count(&alive) > without_reader
    })
    .await;
    drop(follower);
    eventually("the end of reading", || {
        Arc::strong_count(&alive) == without_reader
    })
    .await;
}
