//! Jobs that may have been started although nobody saw it: their call was stopped, or the server was, while the
//! platform was creating them. They carry their call's id as a label, and so they are found again.

use crate::Draft;
use crate::dispatch::CALL;
use crate::recorder::now;
use crate::turn::{TurnError, Work};
use journal::{LedgerOp, Private, Resource, ResourceKind};
use platform::{Job, JobFilter};
use protocol::{Artifact, CostKind, Event, ItemId, MicroUsd};

/// A creation that is older than this is not under way any more, whatever happened to it.
const UNDER_WAY_MS: u64 = 120_000;

impl Work<'_> {
    /// Adopts the job behind each reservation that has none on record, or frees the money when there is no such job.
    /// For the start of a turn: what the model is told must not come between a call and its result.
    pub(crate) async fn adopt_lost_jobs(&mut self) -> Result<(), TurnError> {
        for (reservation, item) in self.calls_without_job() {
            match self.find_job(&item).await {
                Some(Some((namespace, job))) => self.adopt(reservation, namespace, job).await?,
                Some(None) if is_settled(&item) => {
                    let amount = MicroUsd::ZERO;
                    let never_began = LedgerOp::Settle {
                        id: reservation,
                        amount,
                    };
                    let draft = self.recorder.ledger_draft(vec![never_began]);
                    self.record(vec![draft]).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn calls_without_job(&self) -> Vec<(String, ItemId)> {
        let state = self.recorder.state();
        let jobs = state
            .ledger
            .reservations()
            .filter(|(_, reservation)| reservation.kind == CostKind::Jobs);
        let is_on_record = |id: &str| {
            state
                .resources
                .values()
                .any(|known| known.reservation == id)
        };
        jobs.filter(|(id, _)| !is_on_record(id))
            .filter_map(|(id, _)| Some((id.to_owned(), ItemId::from(id.strip_prefix(CALL)?))))
            .collect()
    }

    /// The job of a call, with its namespace; `None` when the platform does not say.
    async fn find_job(&self, call: &ItemId) -> Option<Option<(String, Job)>> {
        let filter = JobFilter {
            labels: vec![("ml-intern-call".to_owned(), call.to_string())],
            limit: Some(1),
            ..JobFilter::default()
        };
        let (platform, token) = (&self.agent.platform, &self.session.token);
        for namespace in &self.session.namespaces {
            let jobs = platform.jobs(token, namespace, filter.clone()).await.ok()?;
            if let Some(job) = jobs.into_iter().next() {
                return Some(Some((namespace.clone(), job)));
            }
        }
        Some(None)
    }

    async fn adopt(
        &mut self,
        reservation: String,
        namespace: String,
        job: Job,
    ) -> Result<(), TurnError> {
        let platform = &self.agent.platform;
        let hardware = platform.hardware().await.unwrap_or_default();
        let price = hardware.iter().find(|known| known.name == job.flavor);
        let url = platform.job_url(&job);
        let message = format!(
            "A call that was interrupted had started job {} ({}): {url}",
            job.id,
            job.stage.as_str()
        );
        let resource = Resource {
            kind: ResourceKind::Job,
            id: job.id.clone(),
            namespace,
            url: url.clone(),
            reservation,
            micro_usd_per_minute: price.map_or(0, |known| known.micro_usd_per_minute),
        };
        let artifact = Artifact::HfJob {
            id: job.id,
            url,
            created_at: now(),
        };
        let private = Private {
            resource: Some(resource),
            ..Private::default()
        };
        let found = Draft::with(Event::ArtifactCreated { artifact }, private);
        let guard = "adopted_job".to_owned();
        self.record(vec![found, Event::Guard { guard, message }.into()])
            .await
    }
}

fn is_settled(call: &ItemId) -> bool {
    let drawn = call.drawn_at_ms().unwrap_or(0);
    now().saturating_mul(1000).saturating_sub(drawn) > UNDER_WAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_call_may_still_be_under_way() {
        assert!(!is_settled(&ItemId::fresh("mcp")));
        assert!(is_settled(&"mcp_018600000000701ebdd5569ffa06dc86".into()));
        assert!(is_settled(&"mcp_x".into()));
    }
}
