//! Settling what earlier turns left running: jobs that were followed no further, sandboxes that have ended.

use crate::Draft;
use crate::adopt;
use crate::work::{TurnError, Work};
use journal::{LedgerOp, Private, Resource, ResourceKind};
use platform::ErrorKind;
use protocol::MicroUsd;
use tools::job_cost;

/// What the model is told of a job that an earlier turn, or one that was lost, has left.
struct Left {
    resource: Resource,
    /// Its stage, where the platform said.
    stage: Option<String>,
}

impl Work<'_> {
    /// Settles what earlier turns left, at the start of this one, and gives what the model has to know of it. A stop ends
    /// the waiting, not the turn. What pending calls have started is left to them.
    pub(crate) async fn settle_earlier_turns(
        &mut self,
    ) -> Result<Option<(&'static str, String)>, TurnError> {
        for reservation in self.recorder.state().unexplained_reservations() {
            let stop = self.stop.token().clone();
            let found = tokio::select! {
                found = adopt::look_up(self.recorder.state(), &self.session, &reservation) => found,
                () = stop.cancelled() => return Ok(None),
            };
            let draft = match found {
                Ok(Some(resource)) => adopt::adoption(resource),
                Ok(None) if adopt::is_old(&reservation) => {
                    self.recorder.ledger_draft(vec![adopt::freed(&reservation)])
                }
                // It may still be on its way, or the platform does not answer: the money stays reserved.
                Ok(None) | Err(_) => continue,
            };
            self.record(vec![draft]).await?;
        }
        let left = self.settle_resources().await?;
        let jobs: Vec<&Left> = left
            .iter()
            .filter(|left| left.resource.kind == ResourceKind::Job)
            .collect();
        Ok((!jobs.is_empty()).then(|| ("adopted_job", told(&jobs))))
    }

    /// Looks up every external resource of the session and settles those that have ended.
    pub(crate) async fn settle_ended_resources(&mut self) -> Result<(), TurnError> {
        self.settle_resources().await.map(drop)
    }

    async fn settle_resources(&mut self) -> Result<Vec<Left>, TurnError> {
        let mut seen = Vec::new();
        let state = self.recorder.state();
        let others = state
            .resources
            .values()
            .filter(|resource| !state.is_pending(&resource.reservation));
        for resource in others.cloned().collect::<Vec<Resource>>() {
            if resource.kind == ResourceKind::Sandbox && self.session.sandbox.is_running().await {
                continue;
            }
            let stop = self.stop.token().clone();
            let (stage, cost) = tokio::select! {
                ended = self.ended_cost(&resource) => ended,
                () = stop.cancelled() => break,
            };
            if let Some(cost) = cost {
                let draft = self.release(&resource, cost);
                self.record(vec![draft]).await?;
            }
            seen.push(Left { resource, stage });
        }
        Ok(seen)
    }

    /// Counts what running resources have cost until now as spent, so that a response at rest shows the whole spend.
    /// Their reservations still cover the rest of their lives.
    pub(crate) async fn accrue_running_resources(&mut self) -> Result<(), TurnError> {
        let now = crate::draft::now();
        let state = self.recorder.state();
        let accrue = |resource: &Resource| {
            let held = state.ledger.reservation(&resource.reservation)?;
            let minutes = now.saturating_sub(resource.started_at).div_ceil(60).max(1);
            let amount = MicroUsd(resource.micro_usd_per_minute)
                .times(minutes)
                .saturating_sub(held.accrued);
            let id = resource.reservation.clone();
            (amount > MicroUsd::ZERO).then_some(LedgerOp::Accrue { id, amount })
        };
        let ops: Vec<LedgerOp> = state.resources.values().filter_map(accrue).collect();
        if ops.is_empty() {
            return Ok(());
        }
        let draft = self.recorder.ledger_draft(ops);
        self.record(vec![draft]).await
    }

    /// A resource's stage, and what it has cost if it has ended.
    async fn ended_cost(&self, resource: &Resource) -> (Option<String>, Option<MicroUsd>) {
        let platform = &self.agent.platform;
        let (token, namespace, id) = (&self.session.token, &resource.namespace, &resource.id);
        let seen = match resource.kind {
            ResourceKind::Job => platform.job(token, namespace, id).await,
            // A sandbox that this process does not hold serves nobody any more and costs until it notices.
            ResourceKind::Sandbox => platform.cancel_job(token, namespace, id).await,
        };
        match seen {
            Ok(job) => {
                let cost = job_cost(&job, resource.micro_usd_per_minute);
                let stage = job.stage.as_str().to_owned();
                (Some(stage), job.stage.is_terminal().then_some(cost))
            }
            // Deleted: what it cost cannot be looked up any more, so all that was reserved counts as spent.
            Err(error) if error.kind == ErrorKind::NotFound => {
                let ledger = &self.recorder.state().ledger;
                let held = ledger.reservation(&resource.reservation);
                let all = held.map_or(MicroUsd::ZERO, |held| held.amount + held.accrued);
                (Some("DELETED".to_owned()), Some(all))
            }
            Err(_) => (None, None),
        }
    }

    fn release(&self, resource: &Resource, cost: MicroUsd) -> Draft {
        let op = LedgerOp::Settle {
            id: resource.reservation.clone(),
            amount: cost,
        };
        let mut draft = self.recorder.ledger_draft(vec![op]);
        draft.private = Private {
            released: Some(resource.id.clone()),
            ..draft.private
        };
        draft
    }
}

fn told(jobs: &[&Left]) -> String {
    let line = |left: &&Left| {
        let stage = left.stage.as_deref().unwrap_or("not known");
        let Resource { id, url, .. } = &left.resource;
        format!("\n- job {id}, stage {stage}: {url}")
    };
    let lines: String = jobs.iter().map(line).collect();
    format!(
        "Jobs that were started earlier in this session and whose end you have not been told:{lines}\nDo not start them \
         again. To wait for one and read its log, call `hf_jobs` with operation `logs`, its `job_id` and `wait`: true."
    )
}
