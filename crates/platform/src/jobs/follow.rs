//! Following a job to its end.

mod watch;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Job;
use crate::{Platform, PlatformError, Token};
use watch::Watch;

/// Updates that wait for a slow reader; beyond that the log is read no faster than the reader.
const WAITING_UPDATES: usize = 64;

/// What a followed job did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "few are alive at a time, and a box would only be in the way"
)]
pub enum JobUpdate {
    /// A log line, without its line end, at most 64 KiB.
    Line(String),
    /// The job entered a stage. A terminal stage is the last update and comes after the last line.
    Stage(Job),
}

/// A job being followed. Dropping it stops following; the job goes on.
#[derive(Debug)]
pub struct JobFollower {
    updates: mpsc::Receiver<Result<JobUpdate, PlatformError>>,
    task: AbortHandle,
    ended: bool,
}

impl JobFollower {
    /// The next update; `None` after a terminal stage or an error. Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<JobUpdate, PlatformError>> {
        if self.ended {
            return None;
        }
        let update = self.updates.recv().await.unwrap_or_else(|| {
            // The task always ends with a terminal stage or an error, unless the runtime is
            // shutting down.
            Err(PlatformError::unavailable(
                "following the job was interrupted",
            ))
        });
        self.ended = match &update {
            Ok(JobUpdate::Line(_)) => false,
            Ok(JobUpdate::Stage(job)) => job.stage.is_terminal(),
            Err(_) => true,
        };
        Some(update)
    }
}

impl Drop for JobFollower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Platform {
    /// Follows a job's log and stage until the stage is terminal: the stage, not the log, tells the
    /// end. The first `skip_lines` lines are passed over; the count of lines received so far goes
    /// on after an interruption. Lost connections are made up for; an outage longer than
    /// [`crate::Deadlines::job_outage`] is an error, and so is a job that is gone or forbidden.
    /// Must be called within a Tokio runtime.
    pub fn follow_job(
        &self,
        token: Token,
        namespace: impl Into<String>,
        id: impl Into<String>,
        skip_lines: usize,
    ) -> JobFollower {
        let (sender, updates) = mpsc::channel(WAITING_UPDATES);
        let watch = Watch::new(
            self.clone(),
            token,
            namespace.into(),
            id.into(),
            skip_lines,
            sender,
        );
        let task = tokio::spawn(watch.run()).abort_handle();
        JobFollower {
            updates,
            task,
            ended: false,
        }
    }
}
