//! `ps`, `inspect`, `logs` and `cancel`.

use super::arguments::Arguments;
use super::follow::follow;
use super::run::namespace;
use crate::cap::{OUTPUT_LIMIT, cap};
use crate::{Adopted, Call, Outcome, Report, ToolSession};
use platform::{Job, JobFilter, JobUpdate, PlatformError, Stage};
use std::time::Duration;
use tokio::time::timeout;

const MOST_JOBS: usize = 50;
/// Without `wait`, `logs` takes what is there, until this long without a line.
const QUIET: Duration = Duration::from_secs(3);
const MOST_LOG: usize = 2 * 1024 * 1024;

pub(super) async fn ps(arguments: &Arguments, session: &ToolSession) -> Outcome {
    let stages = if arguments.all {
        Vec::new()
    } else {
        vec![Stage::Scheduling, Stage::Running, Stage::Updating]
    };
    let filter = JobFilter {
        stages,
        limit: Some(MOST_JOBS),
        ..JobFilter::default()
    };
    let namespace = match namespace(arguments, session) {
        Ok(namespace) => namespace,
        Err(reason) => return Outcome::failed(reason),
    };
    match session
        .platform
        .jobs(&session.token, &namespace, filter)
        .await
    {
        Err(error) => failed(&error),
        Ok(jobs) if jobs.is_empty() => Outcome::ok("No jobs."),
        Ok(jobs) => {
            let rows: Vec<String> = jobs
                .iter()
                .take(MOST_JOBS)
                .map(|job| row(job, session))
                .collect();
            Outcome::ok(cap(&rows.join("\n"), OUTPUT_LIMIT, None).text)
        }
    }
}

fn row(job: &Job, session: &ToolSession) -> String {
    let image = job.image.as_deref().unwrap_or("-");
    let command: String = job.command.join(" ").chars().take(60).collect();
    let (stage, flavor, url) = (
        job.stage.as_str(),
        &job.flavor,
        session.platform.job_url(job),
    );
    format!("{} {stage} {flavor} {image} `{command}` {url}", job.id)
}

pub(super) async fn inspect(arguments: &Arguments, session: &ToolSession) -> Outcome {
    match find(arguments, session).await {
        Err(outcome) => outcome,
        Ok(job) => {
            let seconds = job
                .running_seconds
                .map(|seconds| format!(", {seconds} s running"))
                .unwrap_or_default();
            let message = job.message.as_deref().unwrap_or("");
            Outcome::ok(format!("{}{seconds} {message}", row(&job, session)))
        }
    }
}

pub(super) async fn cancel(arguments: &Arguments, session: &ToolSession) -> Outcome {
    let namespace = match namespace(arguments, session) {
        Ok(namespace) => namespace,
        Err(reason) => return Outcome::failed(reason),
    };
    match session
        .platform
        .cancel_job(&session.token, &namespace, arguments.job_id())
        .await
    {
        Ok(job) => Outcome::ok(format!("Job {} is {}.", job.id, job.stage.as_str())),
        Err(error) => failed(&error),
    }
}

/// The log so far; with `wait`, the whole log once the job has ended, and how it has.
pub(super) async fn logs(arguments: &Arguments, call: &Call) -> Outcome {
    let session = &call.session;
    let job = match find(arguments, session).await {
        Ok(job) => job,
        Err(outcome) => return outcome,
    };
    if arguments.wait {
        return wait_for(&job, call).await;
    }
    let mut updates = session
        .platform
        .follow_job(session.token.clone(), &job.owner, &job.id, 0);
    let mut log = String::new();
    while log.len() < MOST_LOG {
        match timeout(QUIET, updates.next()).await {
            Ok(Some(Ok(JobUpdate::Line(line)))) => {
                log.push_str(&line);
                log.push('\n');
                call.report(Report::Log(format!("{line}\n"))).await;
            }
            Ok(Some(Ok(JobUpdate::Stage(_)))) => {}
            Ok(Some(Err(error))) => return failed(&error),
            Ok(None) | Err(_) => break,
        }
    }
    let text = cap(
        &log,
        OUTPUT_LIMIT,
        Some("the whole log is on the job's page"),
    )
    .text;
    Outcome::ok(format!(
        "Job {} is {}.\n\n{text}",
        job.id,
        job.stage.as_str()
    ))
}

async fn wait_for(job: &Job, call: &Call) -> Outcome {
    let followed = Adopted {
        id: job.id.clone(),
        namespace: job.owner.clone(),
        url: call.session.platform.job_url(job),
        // Whoever started it pays.
        micro_usd_per_minute: 0,
        lines: 0,
    };
    match follow(call, &followed).await {
        Ok(ended) => ended.outcome(&followed.url),
        Err(reason) => Outcome::failed(reason),
    }
}

async fn find(arguments: &Arguments, session: &ToolSession) -> Result<Job, Outcome> {
    let namespace = namespace(arguments, session).map_err(Outcome::failed)?;
    let job = session
        .platform
        .job(&session.token, &namespace, arguments.job_id())
        .await;
    job.map_err(|error| failed(&error))
}

fn failed(error: &PlatformError) -> Outcome {
    Outcome::failed(format!("The platform refused: {}", error.message))
}
