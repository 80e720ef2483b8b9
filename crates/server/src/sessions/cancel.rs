//! Cancelling a turn, and what it has running outside if its caller wants that.

use crate::sessions::resources::{self, ListedResource};
use crate::sessions::{Rested, Sessions, Slot};
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use agent::StopReason;
use journal::{AppendError, Resource, ResourceKind, ResponseRow};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a turn is waited for that has been asked to stop its jobs. It stops them without anybody waiting, too.
const PATIENCE: Duration = Duration::from_secs(6);

impl Sessions {
    /// Asks a turn to stop; a paused response is cancelled at once; one that has ended is left alone.
    pub async fn cancel(self: &Arc<Self>, row: &ResponseRow) -> Result<(), Refusal> {
        self.cancel_with(row, None).await
    }

    /// As [`Sessions::cancel`], and cancels the session's jobs, as far as `row` is its newest response.
    pub async fn cancel_and_stop_jobs(
        self: &Arc<Self>,
        row: &ResponseRow,
        caller: &Caller,
    ) -> Result<(), Refusal> {
        self.cancel_with(row, Some(caller)).await
    }

    async fn cancel_with(
        self: &Arc<Self>,
        row: &ResponseRow,
        stops_jobs: Option<&Caller>,
    ) -> Result<(), Refusal> {
        if row.phase.is_terminal() && stops_jobs.is_none() {
            return Ok(());
        }
        let session = self.get(&row.session_id);
        let mut slot = session.slot_at_rest(&self.journal).await?;
        if let Slot::Running {
            response,
            stop,
            left,
        } = &*slot
        {
            if *response != row.id {
                return Ok(());
            }
            if stops_jobs.is_some() {
                stop.request_jobs();
            }
            slot.stop(StopReason::Cancelled);
            let left = left.clone();
            drop(slot);
            if stops_jobs.is_some() {
                let _ = timeout(PATIENCE, left.cancelled()).await;
            }
            return Ok(());
        }
        let Some(rested) = slot.take(self, &session.id).await? else {
            return Ok(());
        };
        let tools = stops_jobs.map(|caller| self.tools(&session, &rested, caller));
        let (lease, earlier) = (rested.lease.clone(), rested.tools.clone());
        match rested.recorder(&self.journal, &row.id) {
            Ok(mut recorder) => {
                let is_open = recorder
                    .response()
                    .is_some_and(|response| !response.status.is_terminal());
                if let Some(tools) = &tools {
                    if is_open {
                        recorder.stop_jobs(tools).await?;
                    } else {
                        // Nothing follows the end in a log: the session's next turn settles them.
                        let held: Vec<Resource> =
                            recorder.state().resources.values().cloned().collect();
                        let jobs = |resource: &Resource| resource.kind == ResourceKind::Job;
                        resources::end(&tools.platform, &tools.token, &held, jobs).await;
                    }
                }
                if is_open {
                    recorder.cancel().await?;
                }
                slot.rest(Rested {
                    lease,
                    state: recorder.into_state(),
                    tools: earlier,
                });
            }
            Err(rested) => slot.rest(*rested),
        }
        Ok(())
    }

    /// What the session of a response has running outside.
    pub async fn running_outside(
        &self,
        row: &ResponseRow,
        caller: &Caller,
    ) -> Result<Vec<ListedResource>, AppendError> {
        let held = self.folded(&row.session_id).await?.resources;
        let held: Vec<Resource> = held.into_values().collect();
        let mut listed = resources::listed(&self.platform, &caller.token, &held).await;
        listed.retain(|resource| !resource.has_ended());
        Ok(listed)
    }
}
