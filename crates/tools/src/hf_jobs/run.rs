//! `run`: one job, followed until its stage is terminal.

use super::arguments::Arguments;
use super::{discover, script, timeout};
use crate::cap::{OUTPUT_LIMIT, cap};
use crate::{
    Call, Outcome, Price, Report, Settlement, Started, StartedKind, ToolSession, job_cost,
};
use platform::{ErrorKind, Hardware, Job, JobSpec, JobUpdate, PlatformError, Stage};
use protocol::{CostKind, MicroUsd};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// Log bytes kept for the model and the stream; the rest is on the Hub.
const MOST_LOG: usize = 8 * 1024 * 1024;

/// Environment of every job; what the model sets wins.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
    ("TQDM_DISABLE", "1"),
    ("TRANSFORMERS_VERBOSITY", "warning"),
    ("UV_NO_PROGRESS", "1"),
    ("PYTHONUNBUFFERED", "1"),
];

/// The whole timeout at the flavor's price, rounded up to the minute.
pub(super) async fn price(arguments: &Arguments, session: &ToolSession) -> Price {
    let seconds = match timeout::parse(arguments.timeout.as_ref()) {
        Ok(seconds) => seconds,
        Err(reason) => return Price::Refused(reason),
    };
    if let Err(reason) = namespace(arguments, session) {
        return Price::Refused(reason);
    }
    let hardware = match session.platform.hardware().await {
        Ok(hardware) => hardware,
        Err(error) => {
            return Price::Unknown(format!("hardware prices are not known: {}", error.message));
        }
    };
    match find(&hardware, flavor(arguments)) {
        Some(found) => {
            let amount = MicroUsd(found.micro_usd_per_minute).times(seconds.div_ceil(60));
            Price::Known {
                kind: CostKind::Jobs,
                amount,
            }
        }
        None => Price::Refused(unknown_flavor(flavor(arguments), &hardware)),
    }
}

pub(super) async fn run(arguments: Arguments, call: &Call) -> Outcome {
    match submit(&arguments, call).await {
        Ok((job, per_minute)) => follow(&arguments, call, job, per_minute).await,
        Err(outcome) => outcome,
    }
}

async fn submit(arguments: &Arguments, call: &Call) -> Result<(Job, u64), Outcome> {
    let session = &call.session;
    let namespace = namespace(arguments, session).map_err(Outcome::failed)?;
    let spec = spec(arguments, call).await.map_err(Outcome::failed)?;
    let hardware = session
        .platform
        .hardware()
        .await
        .map_err(|error| Outcome::failed(error.message))?;
    let per_minute = find(&hardware, &spec.flavor).map_or(0, |found| found.micro_usd_per_minute);
    let job = session
        .platform
        .create_job(&session.token, &namespace, &spec)
        .await;
    let job = job.map_err(|error| refused(&error, &namespace))?;
    let url = session.platform.job_url(&job);
    call.report(Report::Started(Started {
        kind: StartedKind::Job,
        id: job.id.clone(),
        namespace,
        url: url.clone(),
        micro_usd_per_minute: per_minute,
    }))
    .await;
    Ok((job, per_minute))
}

async fn spec(arguments: &Arguments, call: &Call) -> Result<JobSpec, String> {
    let command = match (&arguments.script, &arguments.command) {
        (Some(given), _) => {
            let source = source(given, call).await?;
            script::python_command(&source, &arguments.dependencies, &arguments.script_args)
        }
        (None, Some(command)) => command.clone(),
        (None, None) => return Err("Give `script` or `command`.".into()),
    };
    let image = script::image(arguments);
    let space = script::space(&image);
    let token = || SecretString::from(call.session.token.expose().to_owned());
    Ok(JobSpec {
        image: space.is_none().then_some(image),
        space,
        command,
        environment: environment(&arguments.env),
        secrets: ["HF_TOKEN", "HUGGINGFACE_HUB_TOKEN"]
            .map(|name| (name.to_owned(), token()))
            .into(),
        flavor: flavor(arguments).to_owned(),
        timeout_seconds: timeout::parse(arguments.timeout.as_ref())?,
        labels: BTreeMap::from([
            ("ml-intern-response".to_owned(), call.response.to_string()),
            ("ml-intern-call".to_owned(), call.id.clone()),
        ]),
        ..JobSpec::default()
    })
}

/// Source text or a URL; a path is read from the sandbox.
async fn source(given: &str, call: &Call) -> Result<String, String> {
    if !script::is_path(given) {
        return Ok(given.to_owned());
    }
    let client = call.session.sandbox.client().await?;
    match client.read(given, None).await {
        Ok(bytes) if bytes.is_empty() => Err(format!("{given} is empty in the sandbox.")),
        Ok(bytes) => {
            String::from_utf8(bytes.to_vec()).map_err(|_| format!("{given} is not a text file."))
        }
        Err(error) => Err(format!(
            "{given} could not be read from the sandbox: {error}"
        )),
    }
}

fn environment(given: &BTreeMap<String, serde_json::Value>) -> BTreeMap<String, String> {
    let defaults = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut environment = BTreeMap::from(defaults);
    environment.extend(given.iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => (name.clone(), text.clone()),
        other => (name.clone(), other.to_string()),
    }));
    environment
}

async fn follow(arguments: &Arguments, call: &Call, job: Job, per_minute: u64) -> Outcome {
    let session = &call.session;
    let url = session.platform.job_url(&job);
    let mut updates = session
        .platform
        .follow_job(session.token.clone(), &job.owner, &job.id, 0);
    let mut log = String::new();
    let mut current = job;
    loop {
        let update = tokio::select! {
            update = updates.next() => update,
            () = call.cancel.cancelled() => {
                let text = format!("Cancelled while job {} was running. The job goes on: {url}", current.id);
                return Outcome::failed(text).settled(Settlement::StillRunning);
            }
        };
        match update {
            Some(Ok(JobUpdate::Line(line))) => keep_line(&mut log, line, call).await,
            Some(Ok(JobUpdate::Stage(job))) => {
                call.report(Report::JobStage {
                    url: url.clone(),
                    stage: job.stage.as_str().to_owned(),
                })
                .await;
                current = job;
            }
            Some(Err(error)) => {
                let text = format!(
                    "Lost sight of job {} ({}). It may still run: {url}",
                    current.id, error.message
                );
                return Outcome::failed(text).settled(Settlement::StillRunning);
            }
            None => break,
        }
    }
    discover::report_repos(arguments, call, &current, &log).await;
    conclude(&current, &url, &log, per_minute)
}

async fn keep_line(log: &mut String, line: String, call: &Call) {
    if log.len() > MOST_LOG {
        return;
    }
    log.push_str(&line);
    log.push('\n');
    call.report(Report::Log(format!("{line}\n"))).await;
}

fn conclude(job: &Job, url: &str, log: &str, per_minute: u64) -> Outcome {
    let seconds = job.running_seconds.or(job.total_seconds);
    let duration = seconds
        .map(|seconds| format!(" after {seconds} s"))
        .unwrap_or_default();
    let message = job.message.as_deref().filter(|text| !text.is_empty());
    let message = message.map(|text| format!(" ({text})")).unwrap_or_default();
    let log = cap(
        log,
        OUTPUT_LIMIT,
        Some("the whole log is on the job's page"),
    )
    .text;
    let text = format!(
        "Job {} ended as {}{message}{duration}.\nURL: {url}\n\nLog:\n{log}",
        job.id,
        job.stage.as_str()
    );
    let outcome = if job.stage == Stage::Completed {
        Outcome::ok(text)
    } else {
        Outcome::failed(text)
    };
    outcome.settled(Settlement::Spent(job_cost(job, per_minute)))
}

fn flavor(arguments: &Arguments) -> &str {
    arguments.hardware_flavor.as_deref().unwrap_or("cpu-basic")
}

fn find<'a>(hardware: &'a [Hardware], flavor: &str) -> Option<&'a Hardware> {
    hardware.iter().find(|hardware| hardware.name == flavor)
}

fn unknown_flavor(flavor: &str, hardware: &[Hardware]) -> String {
    let offers: Vec<String> = hardware
        .iter()
        .map(|hardware| {
            format!(
                "{} ({}/h)",
                hardware.name,
                MicroUsd(hardware.micro_usd_per_minute).times(60)
            )
        })
        .collect();
    format!(
        "There is no hardware `{flavor}`. Offered: {}.",
        offers.join(", ")
    )
}

pub(super) fn namespace(arguments: &Arguments, session: &ToolSession) -> Result<String, String> {
    match &arguments.namespace {
        None => Ok(session.account.clone()),
        Some(name) if session.namespaces.contains(name) => Ok(name.clone()),
        Some(name) => {
            let allowed = session.namespaces.join(", ");
            Err(format!(
                "`{name}` is not a namespace of this account; allowed: {allowed}."
            ))
        }
    }
}

fn refused(error: &PlatformError, namespace: &str) -> Outcome {
    let hint = match error.kind {
        // Neither the answer nor a look at the list of jobs said whether it exists; its money stays reserved.
        ErrorKind::Unavailable | ErrorKind::Garbage => {
            let text = format!(
                "It is not known whether the job was started ({}). Look with `ps` before you start another.",
                error.message
            );
            return Outcome::failed(text).settled(Settlement::StillRunning);
        }
        ErrorKind::Billing => format!(
            " The namespace `{namespace}` has no credit for jobs; its owner adds some at https://huggingface.co/settings/billing."
        ),
        ErrorKind::Permission | ErrorKind::Auth => {
            " The caller's token may not run jobs here.".to_owned()
        }
        _ => String::new(),
    };
    Outcome::failed(format!("The job was not started: {}{hint}", error.message))
}
