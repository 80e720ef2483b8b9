//! Following a job to its end.

use super::Job;
use crate::{Platform, PlatformError, Token};

/// What a followed job did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobUpdate {
    /// A log line, without its line end.
    Line(String),
    /// The job entered a stage. A terminal stage is the last update.
    Stage(Job),
}

/// A job being followed. Dropping it stops following; the job goes on.
pub struct JobFollower {}

impl JobFollower {
    /// The next update; `None` after a terminal stage or an error. Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<JobUpdate, PlatformError>> {
        None
    }
}

impl Platform {
    /// Follows a job's log and stage until the stage is terminal. `skip_lines` is how many lines the caller has already.
    pub fn follow_job(
        &self,
        token: Token,
        namespace: String,
        id: String,
        skip_lines: usize,
    ) -> JobFollower {
        let _: (Token, String, String, usize) = (token, namespace.into(), id.into(), skip_lines);
        JobFollower {}
    }
}
