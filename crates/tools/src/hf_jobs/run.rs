//! `run`: one job, followed until its stage is terminal.

use super::arguments::Arguments;
use super::follow::follow;
use super::{discover, script, timeout};
use crate::{
    Adopted, Call, Outcome, Price, Report, Settlement, Started, StartedKind, ToolSession, job_cost,
};
use platform::{ErrorKind, Hardware, JobSpec, PlatformError};
use protocol::{CostKind, MicroUsd};
use secrecy::SecretString;
use std::collections::BTreeMap;

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
        Ok(job) => follow_to_outcome(&arguments, call, job).await,
        Err(outcome) => outcome,
    }
}

/// Goes on with the job that an interrupted call has started.
pub(super) async fn adopt(arguments: &Arguments, call: &Call, job: Adopted) -> Outcome {
    follow_to_outcome(arguments, call, job).await
}

async fn follow_to_outcome(arguments: &Arguments, call: &Call, job: Adopted) -> Outcome {
    match follow(call, &job).await {
        Ok(ended) => {
            discover::report_repos(arguments, call, &ended.job, &ended.log).await;
            let cost = job_cost(&ended.job, job.micro_usd_per_minute);
            ended.outcome(&job.url).settled(Settlement::Spent(cost))
        }
        Err(reason) => Outcome::failed(reason).settled(Settlement::StillRunning),
    }
}

async fn submit(arguments: &Arguments, call: &Call) -> Result<Adopted, Outcome> {
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
        namespace: namespace.clone(),
        url: url.clone(),
        micro_usd_per_minute: per_minute,
    }))
    .await;
    Ok(Adopted {
        id: job.id,
        namespace,
        url,
        micro_usd_per_minute: per_minute,
        lines: 0,
    })
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
