//! What a lost turn may have started without a record of it: jobs that the platform made in the very moment of a crash.
//!
//! The intent is durable before a job is created, with a reservation whose id names the call, and the job carries the call
//! as a label. So a reservation without a known resource is all it takes to find the job again; only the caller's token is
//! missing until the caller comes back.

use crate::draft::{Draft, now};
use crate::state::{CALL, SANDBOX};
use crate::{Recorder, SessionState};
use journal::{AppendError, Doubt, LedgerOp, Private, Resource, ResourceKind};
use platform::{Hardware, Job, JobFilter, PlatformError};
use protocol::{Artifact, Event, ItemId, MicroUsd, ToolState};
use std::time::Duration;
use tools::{SANDBOX_TIMEOUT_SECONDS, ToolSession};

/// How long a creation may be under way, or the platform may take to list what it has made. Until then "no such job"
/// proves nothing.
const UNDER_WAY_SECONDS: u64 = 120;
/// How long a caller may be kept waiting for the lookups.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for the job behind a reservation; `None` when the platform says that there is none.
///
/// # Errors
/// When the platform does not answer: nothing is known then.
pub(crate) async fn look_up(
    state: &SessionState,
    session: &ToolSession,
    reservation: &str,
) -> Result<Option<Resource>, PlatformError> {
    let platform = &session.platform;
    let Some(labels) = labels(state, reservation) else {
        return Ok(None);
    };
    let hardware = platform.hardware().await.unwrap_or_default();
    for namespace in &session.namespaces {
        let filter = JobFilter {
            labels: labels.clone(),
            ..JobFilter::default()
        };
        let jobs = platform.jobs(&session.token, namespace, filter).await?;
        let unknown = jobs
            .into_iter()
            .find(|job| !state.resources.contains_key(&job.id));
        if let Some(job) = unknown {
            let resource = resource(state, session, reservation, &job, namespace, &hardware);
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

fn labels(state: &SessionState, reservation: &str) -> Option<Vec<(String, String)>> {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    if let Some(item) = reservation.strip_prefix(CALL) {
        return Some(vec![label("ml-intern-call", item)]);
    }
    let session = &state.response.as_ref()?.session_id;
    Some(vec![
        label("ml-intern-session", session.as_str()),
        label("hf-sandbox", "1"),
    ])
}

fn resource(
    state: &SessionState,
    session: &ToolSession,
    reservation: &str,
    job: &Job,
    namespace: &str,
    hardware: &[Hardware],
) -> Resource {
    let is_sandbox = reservation.starts_with(SANDBOX);
    let micro_usd_per_minute = if is_sandbox {
        // A sandbox reserves its whole lifetime.
        let held = state.ledger.reservation(reservation);
        held.map_or(0, |held| held.amount.0) / SANDBOX_TIMEOUT_SECONDS.div_ceil(60)
    } else {
        let flavor = hardware.iter().find(|flavor| flavor.name == job.flavor);
        flavor.map_or(0, |flavor| flavor.micro_usd_per_minute)
    };
    Resource {
        kind: if is_sandbox {
            ResourceKind::Sandbox
        } else {
            ResourceKind::Job
        },
        id: job.id.clone(),
        namespace: namespace.to_owned(),
        url: session.platform.job_url(job),
        reservation: reservation.to_owned(),
        micro_usd_per_minute,
        // A little late; what it has really cost is settled from the platform's own durations.
        started_at: now(),
    }
}

/// The event that makes a found job known: its artifact, unless it is a sandbox.
pub(crate) fn adoption(resource: Resource) -> Draft {
    let event = match resource.kind {
        ResourceKind::Job => Event::ArtifactCreated {
            artifact: Artifact::HfJob {
                id: resource.id.clone(),
                url: resource.url.clone(),
                created_at: now(),
            },
        },
        ResourceKind::Sandbox => Event::Sandbox {
            state: "found".into(),
            message: "A sandbox that was being started does exist.".into(),
        },
    };
    let private = Private {
        resource: Some(resource),
        ..Private::default()
    };
    Draft::with(event, private)
}

/// Tells readers which call of theirs the found job belongs to.
fn found(resource: &Resource) -> Option<Draft> {
    let event = Event::ToolStateChange {
        item_id: ItemId::from(resource.reservation.strip_prefix(CALL)?),
        tool: "hf_jobs".into(),
        state: ToolState::Interrupted,
        job_url: Some(resource.url.clone()),
        job_stage: None,
    };
    Some(event.into())
}

/// Whether what a reservation was made for is certainly not being created any more. Ids tell when they were drawn.
pub(crate) fn is_old(reservation: &str) -> bool {
    let item = reservation
        .strip_prefix(CALL)
        .or_else(|| reservation.strip_prefix(SANDBOX));
    let drawn_ms = item
        .and_then(|item| ItemId::from(item).drawn_at_ms())
        .unwrap_or(0);
    now().saturating_sub(drawn_ms / 1000) > UNDER_WAY_SECONDS
}

/// Frees what was reserved for something that never came to be.
pub(crate) fn freed(reservation: &str) -> LedgerOp {
    LedgerOp::Settle {
        id: reservation.to_owned(),
        amount: MicroUsd::ZERO,
    }
}

impl Recorder {
    /// Clears up what an interrupted response left in doubt, in its own log: found jobs become artifacts, and a last
    /// `response.incomplete` carries the object with them. What cannot be looked up now stays in doubt.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn clear_doubt(
        &mut self,
        session: &ToolSession,
        doubt: &Doubt,
    ) -> Result<(), AppendError> {
        let lookups = async {
            let mut found = Vec::new();
            for reservation in &doubt.reservations {
                found.push(look_up(self.state(), session, reservation).await);
            }
            found
        };
        let Ok(found_all) = tokio::time::timeout(PATIENCE, lookups).await else {
            return Ok(());
        };
        let (mut drafts, mut freed_ops, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for (reservation, answer) in doubt.reservations.iter().zip(found_all) {
            match answer {
                Ok(Some(resource)) => {
                    drafts.extend(found(&resource));
                    drafts.push(adoption(resource));
                }
                Ok(None) if is_old(reservation) => freed_ops.push(freed(reservation)),
                Ok(None) | Err(_) => left.push(reservation.clone()),
            }
        }
        if left.len() == doubt.reservations.len() {
            return Ok(());
        }
        if !freed_ops.is_empty() {
            drafts.push(self.ledger_draft(freed_ops));
        }
        let doubt = (!left.is_empty()).then_some(Doubt { reservations: left });
        let private = Private {
            doubt,
            ..Private::default()
        };
        self.record_with_snapshot(
            drafts,
            |_| {},
            |response| Draft::with(Event::Incomplete { response }, private),
        )
        .await
    }
}
