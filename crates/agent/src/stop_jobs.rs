//! Cancelling the jobs of a session at its caller's wish, while its newest log can still take what they have cost.

use crate::Recorder;
use crate::draft::Draft;
use journal::{AppendError, LedgerOp, Resource, ResourceKind};
use platform::{Job, PlatformError};
use protocol::Event;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tools::{ToolSession, job_cost};

/// How long the platform may take for one job. What has not been seen to end is settled by the session's next turn.
const PATIENCE: Duration = Duration::from_secs(3);

impl Recorder {
    /// Cancels every job that the session has running, settles those that have ended by that, and tells the model.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn stop_jobs(&mut self, session: &ToolSession) -> Result<(), AppendError> {
        let mut stopping = JoinSet::new();
        for resource in self.state().resources.values() {
            if resource.kind == ResourceKind::Job {
                stopping.spawn(stop(resource.clone(), session));
            }
        }
        let mut stopped = Vec::new();
        while let Some(ended) = stopping.join_next().await {
            if let Ok((resource, Ok(Ok(job)))) = ended
                && job.stage.is_terminal()
            {
                let amount = job_cost(&job, resource.micro_usd_per_minute);
                let settle = LedgerOp::Settle {
                    id: resource.reservation,
                    amount,
                };
                let mut draft = self.ledger_draft(vec![settle]);
                draft.private.released = Some(resource.id.clone());
                self.record(vec![draft]).await?;
                stopped.push(format!("{} ({})", resource.id, job.stage.as_str()));
            }
        }
        if stopped.is_empty() {
            return Ok(());
        }
        stopped.sort_unstable();
        let message = format!(
            "The caller cancelled the turn and had its jobs stopped: {}.",
            stopped.join(", ")
        );
        let guard = "stopped_jobs".to_owned();
        self.record(vec![Draft::from(Event::Guard { guard, message })])
            .await
    }
}

type Stopped = Result<Result<Job, PlatformError>, tokio::time::error::Elapsed>;

fn stop(
    resource: Resource,
    session: &ToolSession,
) -> impl Future<Output = (Resource, Stopped)> + Send + 'static {
    let (platform, token) = (session.platform.clone(), session.token.clone());
    async move {
        let (namespace, id) = (&resource.namespace, &resource.id);
        let stop = async {
            match platform.cancel_job(&token, namespace, id).await {
                Ok(job) if job.stage.is_terminal() => Ok(job),
                // One that has ended by itself cannot be cancelled; what it came to can still be read.
                _ => platform.job(&token, namespace, id).await,
            }
        };
        let stopped = timeout(PATIENCE, stop).await;
        (resource, stopped)
    }
}
