//! Starting, deciding, cancelling and finishing turns.

use crate::models::Models;
use crate::sessions::given_tools;
use crate::sessions::{Rested, Session, Sessions, Slot, owned_row};
use crate::surface::auth::Caller;
use crate::surface::refusal::{self, Refusal};
use agent::{Recorder, Start, Submit};
use journal::{Claim, NewWebhook, Phase, ResponseRow};
use protocol::{ApprovalRequest, CreateRequest, MicroUsd, Problem, ResponseId, SessionId, Status};
use std::sync::Arc;

/// What a caller submits.
pub(crate) struct Submission {
    pub request: CreateRequest,
    pub claims: Vec<Claim>,
    pub webhook: Option<NewWebhook>,
}

impl Sessions {
    /// Submits a task: a new session, or the next turn of the session of an earlier response.
    pub async fn submit(
        self: &Arc<Self>,
        caller: &Caller,
        models: &Models,
        submission: &Submission,
    ) -> Result<ResponseId, Refusal> {
        let request = &submission.request;
        given_tools::check(request, &self.agent.toolbox)?;
        match &request.previous_response_id {
            None => {
                let model = models.choose(request.model.as_deref(), caller.identity.plan)?;
                let (session, rested) = self.fresh();
                self.open(&session, rested, model, caller, submission).await
            }
            Some(previous) => {
                let row = owned_row(&self.journal, previous.as_str(), caller.account()).await?;
                let row = row.ok_or_else(Problem::previous_response_not_found)?;
                self.clear_doubt(caller, &row).await;
                if request.fork {
                    return self.fork(caller, models, &row, submission).await;
                }
                self.chain(caller, &row, submission).await
            }
        }
    }

    /// Begins the first turn of a session, once there is room for it. One that never came to be is forgotten.
    pub(crate) async fn open(
        self: &Arc<Self>,
        session: &Arc<Session>,
        rested: Rested,
        model: String,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<ResponseId, Refusal> {
        let mut slot = session.slot().await;
        let submitted = match self.admit(session, caller.account()).await {
            Ok(()) => {
                self.begin(session, &mut slot, rested, model, caller, submission)
                    .await
            }
            Err(refusal) => Err(refusal),
        };
        if submitted.is_err() {
            drop(slot);
            self.forget(&session.id);
        }
        submitted
    }

    async fn chain(
        self: &Arc<Self>,
        caller: &Caller,
        row: &ResponseRow,
        submission: &Submission,
    ) -> Result<ResponseId, Refusal> {
        let session = self.get(&row.session_id);
        let mut slot = session.slot_at_rest(&self.journal).await?;
        if matches!(*slot, Slot::Cold) {
            self.check_is_free(&session.id).await?;
        }
        let rested = self.wake(&session, &mut slot, caller.account()).await?;
        let Some(rested) = rested else {
            return Err(Refusal(refusal::session_busy()));
        };
        let newest = rested.state.response.as_ref();
        let waits = newest.is_some_and(|response| response.pending_approval.is_some());
        if waits {
            slot.rest(rested);
            return Err(Refusal(refusal::approval_pending()));
        }
        let model = newest
            .map(|response| response.model.clone())
            .unwrap_or_default();
        self.begin(&session, &mut slot, rested, model, caller, submission)
            .await
    }

    /// Refuses a turn that the journal alone shows to be too early: nobody else loses their seat for it.
    async fn check_is_free(&self, session: &SessionId) -> Result<(), Refusal> {
        let rows = self.journal.responses_of(session).await?;
        match rows.last().map(|row| row.phase) {
            Some(Phase::AwaitingApproval) => Err(Refusal(refusal::approval_pending())),
            Some(phase) if phase.is_in_flight() => Err(Refusal(refusal::session_busy())),
            _ => Ok(()),
        }
    }

    async fn begin(
        self: &Arc<Self>,
        session: &Arc<Session>,
        slot: &mut Slot,
        rested: Rested,
        model: String,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<ResponseId, Refusal> {
        if let Err(problem) = rested.state.check_outputs(&submission.request.input) {
            slot.rest(rested);
            return Err(problem.into());
        }
        let tools = self.tools(session, &rested, caller);
        let Rested {
            lease,
            state,
            tools: earlier,
        } = rested;
        let submit = Submit {
            owner: caller.account(),
            model,
            request: &submission.request,
            claims: submission.claims.clone(),
            webhook: submission.webhook.clone(),
        };
        let submitted = Recorder::submit(&self.journal, &lease, state, submit).await;
        match submitted {
            Ok(recorder) => {
                let id = recorder.id().clone();
                tools
                    .mcp
                    .give(given_tools::mcp_servers(&submission.request));
                self.start(session, slot, recorder, tools, Start::Fresh);
                Ok(id)
            }
            Err((state, error)) => {
                slot.rest(Rested {
                    lease,
                    state: *state,
                    tools: earlier,
                });
                Err(error.into())
            }
        }
    }

    /// Decides a paused batch; the turn goes on under the same response.
    pub async fn decide(
        self: &Arc<Self>,
        caller: &Caller,
        row: &ResponseRow,
        decision: &ApprovalRequest,
    ) -> Result<(), Refusal> {
        let session = self.get(&row.session_id);
        let mut slot = session.slot_at_rest(&self.journal).await?;
        let rested = self.wake(&session, &mut slot, caller.account()).await?;
        let Some(rested) = rested else {
            return Err(not_awaiting());
        };
        let waits = rested.state.response.as_ref().is_some_and(|response| {
            response.id == row.id
                && response.status == Status::Incomplete
                && response.pending_approval.is_some()
        });
        if let Err(refusal) = check_decision(waits, decision, rested.state.ledger.spent()) {
            slot.rest(rested);
            return Err(refusal);
        }
        let tools = self.tools(&session, &rested, caller);
        let mut recorder = match rested.recorder(&self.journal, &row.id) {
            Ok(recorder) => recorder,
            Err(rested) => {
                slot.rest(*rested);
                return Err(not_awaiting());
            }
        };
        // On failure nothing is put back: the slot stays cold, and the journal decides.
        recorder.decide(decision).await?;
        self.start(&session, &mut slot, recorder, tools, Start::Decided);
        Ok(())
    }

    /// Goes on with a turn that a restart has paused, under the caller's token.
    pub async fn resume(
        self: &Arc<Self>,
        caller: &Caller,
        row: &ResponseRow,
    ) -> Result<(), Refusal> {
        let newest = self.journal.responses_of(&row.session_id).await?.pop();
        // Nobody else loses their seat for what the journal alone refuses.
        if newest.is_none_or(|newest| newest.id != row.id || newest.phase != Phase::Interrupted) {
            return Err(not_awaiting_resume());
        }
        let session = self.get(&row.session_id);
        let mut slot = session.slot_at_rest(&self.journal).await?;
        let rested = self.wake(&session, &mut slot, caller.account()).await?;
        let Some(rested) = rested else {
            return Err(not_awaiting_resume());
        };
        let is_lost = |response: &protocol::Response| {
            response.id == row.id
                && response.status == Status::Incomplete
                && response.pending_approval.is_none()
        };
        if !rested.state.response.as_ref().is_some_and(is_lost) {
            slot.rest(rested);
            return Err(not_awaiting_resume());
        }
        let tools = self.tools(&session, &rested, caller);
        let mut recorder = match rested.recorder(&self.journal, &row.id) {
            Ok(recorder) => recorder,
            Err(rested) => {
                slot.rest(*rested);
                return Err(not_awaiting_resume());
            }
        };
        // On failure nothing is put back: the slot stays cold, and the journal decides.
        recorder.go_on().await?;
        self.start(&session, &mut slot, recorder, tools, Start::Resumed);
        Ok(())
    }
}

fn check_decision(waits: bool, decision: &ApprovalRequest, spent: MicroUsd) -> Result<(), Refusal> {
    if !waits {
        return Err(not_awaiting());
    }
    match decision.new_max_cost {
        Some(cap) if cap < spent => {
            let why = format!("`new_max_cost_usd` is less than what is spent already ({spent}).");
            Err(Refusal(Problem::invalid(
                "invalid_value",
                "new_max_cost_usd",
                why,
            )))
        }
        _ => Ok(()),
    }
}

fn not_awaiting() -> Refusal {
    Refusal(Problem::conflict(
        "not_awaiting_approval",
        "The response does not wait for an approval.",
    ))
}

fn not_awaiting_resume() -> Refusal {
    Refusal(Problem::conflict(
        "not_awaiting_resume",
        "The response is not paused by a restart, or its session has gone on.",
    ))
}

/// Whether a phase means that a decision is awaited.
pub(crate) fn require_awaiting(row: &ResponseRow) -> Result<(), Refusal> {
    if row.phase == Phase::AwaitingApproval {
        Ok(())
    } else {
        Err(not_awaiting())
    }
}
