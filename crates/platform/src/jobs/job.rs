//! A job as the platform reports it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Stage;
use crate::{Platform, PlatformError, Token};

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

impl Platform {
    /// Looks at a job.
    pub async fn job(
        &self,
        token: &Token,
        namespace: &str,
        id: &str,
    ) -> Result<Job, PlatformError> {
        let _ = (token, namespace, id);
        Err(PlatformError::unavailable("not written yet"))
    }

    /// Asks a job to stop.
    pub async fn cancel_job(
        &self,
        token: &Token,
        namespace: &str,
        id: &str,
    ) -> Result<Job, PlatformError> {
        let _ = (token, namespace, id);
        Err(PlatformError::unavailable("not written yet"))
    }

    /// The job's web page.
    pub fn job_url(&self, job: &Job) -> String {
        format!("{}/jobs/{}/{}", self.endpoints().hub, job.owner, job.id)
    }
}
