//! The session object: what a session's log and its live part show, put together for one reader. Reading takes no lease
//! and no seat.

use crate::app::App;
use crate::sessions::resources::{self, ListedResource};
use crate::sessions::session::{Session, Slot};
use crate::surface::auth::Caller;
use crate::webhooks::WebhookStatus;
use agent::SessionState;
use journal::{JournalError, Phase, Resource, SessionRow};
use protocol::{
    Artifact, Budget, CostByKind, CostKind, MicroUsd, PlanItem, Response, ResponseId, SessionId,
    Status,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The body of `GET /v1/sessions/{id}`: a chain of responses with one conversation, sandbox and budget.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionObject {
    id: SessionId,
    /// Always `session`.
    #[schema(pattern = "^session$")]
    object: &'static str,
    /// Unix seconds.
    created_at: u64,
    state: State,
    model: String,
    budget: Budget,
    usage: SessionUsage,
    reservations: Vec<ListedReservation>,
    plan: Vec<PlanItem>,
    artifacts: Vec<Artifact>,
    /// Oldest first.
    responses: Vec<ListedResponse>,
    sandbox: ListedSandbox,
    resources: Vec<ListedResource>,
    /// Oldest response first.
    webhooks: Vec<WebhookStatus>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SessionState)]
enum State {
    Running,
    AwaitingApproval,
    /// Live, with nothing to do.
    Idle,
    /// Not live; the next request that names it brings it back.
    Released,
}

#[derive(Debug, Serialize, ToSchema)]
struct SessionUsage {
    cost_usd: f64,
    cost_by_kind: CostByKind,
}

#[derive(Debug, Serialize, ToSchema)]
struct ListedReservation {
    id: String,
    kind: CostKind,
    /// What is still held back.
    reserved_usd: f64,
    /// What of it is spent by now.
    spent_usd: f64,
}

#[derive(Debug, Serialize, ToSchema)]
struct ListedResponse {
    id: ResponseId,
    status: Status,
    created_at: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct ListedSandbox {
    /// `none`, `changing` or `running`.
    state: &'static str,
}

/// What a session's folded state holds beyond its responses.
struct Holdings {
    budget: Budget,
    costs: CostByKind,
    spent: MicroUsd,
    reservations: Vec<ListedReservation>,
    plan: Vec<PlanItem>,
    resources: Vec<Resource>,
}

/// The session as it is now, for its owner.
///
/// # Errors
/// When the store fails.
pub(crate) async fn session_object(
    app: &App,
    caller: &Caller,
    row: SessionRow,
) -> Result<SessionObject, JournalError> {
    let live = app.sessions.find(&row.id);
    let responses = app.journal.responses_of(&row.id).await?;
    let phase = responses.last().map(|response| response.phase);
    let mut objects = Vec::with_capacity(responses.len());
    for response in &responses {
        objects.push(app.journal.object(response).await?);
    }
    let held = match live.as_deref().and_then(at_rest) {
        Some(held) => held,
        None => Holdings::of(&app.sessions.folded(&row.id).await?),
    };
    let (platform, token) = (&app.platform, &caller.token);
    Ok(SessionObject {
        object: "session",
        created_at: row.created_at,
        state: state(phase, app.sessions.is_live(&row.id)),
        model: objects
            .last()
            .map(|newest| newest.model.clone())
            .unwrap_or_default(),
        budget: held.budget,
        usage: SessionUsage {
            cost_usd: held.spent.usd(),
            cost_by_kind: held.costs,
        },
        reservations: held.reservations,
        plan: held.plan,
        artifacts: artifacts(&objects),
        responses: objects.iter().map(|object| listed(object)).collect(),
        sandbox: ListedSandbox {
            state: live.map_or("none", |session| session.sandbox().state().as_str()),
        },
        resources: resources::listed(platform, token, &held.resources).await,
        webhooks: app.webhooks.of_session(&row.id).await?,
        id: row.id,
    })
}

/// What a live session between turns holds; `None` while it acts.
fn at_rest(session: &Session) -> Option<Holdings> {
    match &*session.try_slot()? {
        Slot::Resting { rested, .. } => Some(Holdings::of(&rested.state)),
        Slot::Cold | Slot::Running { .. } => None,
    }
}

impl Holdings {
    fn of(state: &SessionState) -> Self {
        let reservations = state.ledger.reservations();
        Self {
            budget: state.ledger.budget(),
            costs: state.ledger.cost_by_kind(),
            spent: state.ledger.spent(),
            reservations: reservations
                .map(|(id, held)| ListedReservation {
                    id: id.to_owned(),
                    kind: held.kind,
                    reserved_usd: held.amount.usd(),
                    spent_usd: held.accrued.usd(),
                })
                .collect(),
            plan: state.plan.clone(),
            resources: state.resources.values().cloned().collect(),
        }
    }
}

fn state(phase: Option<Phase>, is_live: bool) -> State {
    match phase {
        Some(phase) if phase.is_in_flight() => State::Running,
        Some(Phase::AwaitingApproval) => State::AwaitingApproval,
        _ if is_live => State::Idle,
        _ => State::Released,
    }
}

/// All artifacts of the session, each once, in the order of their making.
fn artifacts(objects: &[Arc<Response>]) -> Vec<Artifact> {
    let mut all: Vec<Artifact> = Vec::new();
    for artifact in objects.iter().flat_map(|object| &object.artifacts) {
        if !all
            .iter()
            .any(|known| known.identity() == artifact.identity())
        {
            all.push(artifact.clone());
        }
    }
    all
}

fn listed(object: &Response) -> ListedResponse {
    ListedResponse {
        id: object.id.clone(),
        status: object.status,
        created_at: object.created_at,
    }
}
