//! A job as the platform reports it; looking at one and stopping it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Stage;
use crate::answer::typed;
use crate::segment::segment;
use crate::{ErrorKind, Platform, PlatformError, Token};

/// A job at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: String,
    /// Namespace that owns and pays for it.
    pub owner: String,
    pub stage: Stage,
    /// The platform's remark on the stage, for example an exit code.
    pub message: Option<String>,
    pub flavor: String,
    pub labels: BTreeMap<String, String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// One URL for each exposed port, once it runs.
    pub expose_urls: Vec<String>,
    /// Billed seconds: starting and running.
    pub running_seconds: Option<u64>,
    /// Seconds since creation, waiting included.
    pub total_seconds: Option<u64>,
    pub command: Vec<String>,
    pub image: Option<String>,
}

/// Every list and map may be missing or null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    created_at: Option<String>,
    docker_image: Option<String>,
    command: Option<Vec<String>>,
    arguments: Option<Vec<String>>,
    flavor: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    owner: Option<Owner>,
    status: Status,
    durations: Option<Durations>,
}

#[derive(Deserialize)]
struct Owner {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    stage: String,
    message: Option<String>,
    expose_urls: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
struct Durations {
    #[serde(rename = "runningSecs", alias = "running_secs")]
    running: Option<f64>,
    #[serde(rename = "totalSecs", alias = "total_secs")]
    total: Option<f64>,
}

impl Job {
    /// Reads a job; the namespace it was asked for stands in for a missing owner.
    pub(super) fn parse(body: Value, namespace: &str) -> Result<Self, PlatformError> {
        let wire: Wire = typed(body, "a job")?;
        segment(&wire.id, "job id")
            .map_err(|_| PlatformError::garbage("a job with an impossible id"))?;
        let durations = wire.durations.unwrap_or_default();
        let whole = |seconds: f64| seconds.max(0.0).ceil() as u64;
        let mut command = wire.command.unwrap_or_default();
        command.extend(wire.arguments.unwrap_or_default());
        Ok(Self {
            id: wire.id,
            owner: wire
                .owner
                .and_then(|owner| owner.name)
                .unwrap_or_else(|| namespace.to_owned()),
            stage: Stage::parse(&wire.status.stage),
            message: wire.status.message.filter(|message| !message.is_empty()),
            flavor: wire.flavor.unwrap_or_default(),
            labels: wire.labels.unwrap_or_default(),
            created_at: wire.created_at,
            expose_urls: wire.status.expose_urls.unwrap_or_default(),
            running_seconds: durations.running.map(whole),
            total_seconds: durations.total.map(whole),
            command,
            image: wire.docker_image,
        })
    }
}

/// `/api/jobs/{namespace}/{id}`.
pub(super) fn job_path(namespace: &str, id: &str) -> Result<String, PlatformError> {
    Ok(format!(
        "/api/jobs/{}/{}",
        segment(namespace, "namespace")?,
        segment(id, "job id")?
    ))
}

impl Platform {
    /// Looks at a job.
    pub async fn job(
        &self,
        token: &Token,
        namespace: &str,
        id: &str,
    ) -> Result<Job, PlatformError> {
        let path = job_path(namespace, id)?;
        let answer = self
            .read(self.hub_get(Some(token), &path), Some(token))
            .await?;
        Job::parse(answer.body, namespace)
    }

    /// Asks a job to stop. Repeating it does no harm, so it is retried like a read; a job that has
    /// already ended is returned as it is.
    pub async fn cancel_job(
        &self,
        token: &Token,
        namespace: &str,
        id: &str,
    ) -> Result<Job, PlatformError> {
        let path = format!("{}/cancel", job_path(namespace, id)?);
        match self.read(self.hub_post(token, &path), Some(token)).await {
            Ok(answer) => Job::parse(answer.body, namespace),
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::BadRequest) => {
                let job = self.job(token, namespace, id).await?;
                if job.stage.is_terminal() {
                    Ok(job)
                } else {
                    Err(error)
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The job's web page.
    pub fn job_url(&self, job: &Job) -> String {
        format!("{}/jobs/{}/{}", self.endpoints().hub, job.owner, job.id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Job;
    use crate::{ErrorKind, Stage};

    #[test]
    fn a_full_job_is_read() {
        let job = Job::parse(
            json!({"type":"job","id":"65f0","createdAt":"2026-11-23T19:03:06.548Z","dockerImage":"python:3.12",
                "command":["python"],"arguments":["-V"],"secrets":["HF_TOKEN"],"flavor":"cpu-basic",
                "labels":{"k":"v"},"owner":{"id":"o","name":"acme","type":"org"},
                "status":{"stage":"ERROR","message":"Job failed with exit code: 1","exposeUrls":["https://x"]},
                "durations":{"schedulingSecs":3,"runningSecs":12,"totalSecs":15}}),
            "alice",
        )
        .unwrap();
        assert_eq!((job.owner.as_str(), job.stage), ("acme", Stage::Error));
        assert_eq!(job.message.as_deref(), Some("Job failed with exit code: 1"));
        assert_eq!(
            (job.running_seconds, job.total_seconds),
            (Some(12), Some(15))
        );
        assert_eq!(job.command, ["python", "-V"]);
        assert_eq!(job.expose_urls, ["https://x"]);
    }

    #[test]
    fn a_sparse_job_is_read_too() {
        let job = Job::parse(
            json!({"id":"a","labels":null,"status":{"stage":"NEW"}}),
            "alice",
        )
        .unwrap();
        assert_eq!(
            (job.owner.as_str(), job.stage),
            ("alice", Stage::Other("NEW".into()))
        );
    }

    #[test]
    fn what_is_no_job_is_garbage() {
        for body in [
            json!([]),
            json!({"id":"a"}),
            json!({"id":"../x","status":{"stage":"RUNNING"}}),
        ] {
            assert_eq!(
                Job::parse(body, "alice").unwrap_err().kind,
                ErrorKind::Garbage
            );
        }
    }
}
