//! Settling what earlier turns left running: jobs that were followed no further, sandboxes that have ended.

use crate::Draft;
use crate::adopt;
use crate::work::{TurnError, Work};
use journal::{LedgerOp, Private, Resource, ResourceKind};
use platform::ErrorKind;
use protocol::{Event, MicroUsd};
use tools::job_cost;

impl Work<'_> {
    /// Settles what earlier turns left, at the start of this one. A stop ends the waiting, not the turn.
    pub(crate) async fn settle_earlier_turns(&mut self) -> Result<(), TurnError> {
        for reservation in self.recorder.state().unexplained_reservations() {
            let stop = self.stop.token().clone();
            let found = tokio::select! {
                found = adopt::look_up(self.recorder.state(), &self.session, &reservation) => found,
                () = stop.cancelled() => return Ok(()),
            };
            let drafts = match found {
                Ok(Some(resource)) => adopted(resource),
                Ok(None) if adopt::is_old(&reservation) => {
                    vec![self.recorder.ledger_draft(vec![adopt::freed(&reservation)])]
                }
                // It may still be on its way, or the platform does not answer: the money stays reserved.
                Ok(None) | Err(_) => continue,
            };
            self.record(drafts).await?;
        }
        self.settle_ended_resources().await
    }

    /// Looks up every external resource of the session and settles those that have ended.
    pub(crate) async fn settle_ended_resources(&mut self) -> Result<(), TurnError> {
        let resources: Vec<Resource> = self.recorder.state().resources.values().cloned().collect();
        for resource in resources {
            if resource.kind == ResourceKind::Sandbox && self.session.sandbox.is_running().await {
                continue;
            }
            let stop = self.stop.token().clone();
            let cost = tokio::select! {
                cost = self.ended_cost(&resource) => cost,
                () = stop.cancelled() => return Ok(()),
            };
            if let Some(cost) = cost {
                let draft = self.release(&resource, cost);
                self.record(vec![draft]).await?;
            }
        }
        Ok(())
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

    /// What an ended resource has cost; `None` while it runs or cannot be seen.
    async fn ended_cost(&self, resource: &Resource) -> Option<MicroUsd> {
        let platform = &self.agent.platform;
        let (token, namespace, id) = (&self.session.token, &resource.namespace, &resource.id);
        let seen = match resource.kind {
            ResourceKind::Job => platform.job(token, namespace, id).await,
            // A sandbox that this process does not hold serves nobody any more and costs until it notices.
            ResourceKind::Sandbox => platform.cancel_job(token, namespace, id).await,
        };
        match seen {
            Ok(job) if job.stage.is_terminal() => {
                Some(job_cost(&job, resource.micro_usd_per_minute))
            }
            // Deleted: what it cost cannot be looked up any more, so all that was reserved counts as spent.
            Err(error) if error.kind == ErrorKind::NotFound => {
                let reservation = self
                    .recorder
                    .state()
                    .ledger
                    .reservation(&resource.reservation);
                Some(reservation.map_or(MicroUsd::ZERO, |held| held.amount + held.accrued))
            }
            _ => None,
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

/// A found job becomes known, and the model is told of it.
fn adopted(resource: Resource) -> Vec<Draft> {
    let told = (resource.kind == ResourceKind::Job).then(|| {
        let (id, url) = (&resource.id, &resource.url);
        let message = format!("A call that was interrupted had started job {id}: {url}");
        Event::Guard {
            guard: "adopted_job".to_owned(),
            message,
        }
        .into()
    });
    std::iter::once(adopt::adoption(resource))
        .chain(told)
        .collect()
}
