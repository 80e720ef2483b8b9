//! `fork: true`: a new session that begins where a chain of responses was.

use crate::auth::Caller;
use crate::models::Models;
use crate::refusal::{self, Refusal};
use crate::sessions::{Rested, Sessions};
use agent::SessionState;
use journal::{JournalError, Phase, ResponseRow};
use protocol::{CreateRequest, ResponseId};
use std::sync::Arc;

impl Sessions {
    /// Submits a task to a new session with the conversation and the spend of `row`'s chain up to `row`. Its model is the
    /// origin's unless the request names one. Nothing of it depends on the origin afterwards.
    pub(crate) async fn fork(
        self: &Arc<Self>,
        caller: &Caller,
        models: &Models,
        row: &ResponseRow,
        request: &CreateRequest,
    ) -> Result<ResponseId, Refusal> {
        if row.phase.is_in_flight() {
            return Err(Refusal(refusal::session_busy()));
        }
        if row.phase == Phase::AwaitingApproval {
            return Err(Refusal(refusal::approval_pending()));
        }
        let origin = self.folded_until(row).await?;
        let model = match (&request.model, &origin.response) {
            (None, Some(response)) => response.model.clone(),
            (given, _) => models.choose(given.as_deref(), caller.identity.plan)?,
        };
        let (session, fresh) = self.fresh();
        let rested = Rested {
            state: origin.forked(),
            ..fresh
        };
        let mut slot = session.slot().await;
        let submitted = match self.admit(&session, caller.account()).await {
            Ok(()) => {
                self.begin(&session, &mut slot, rested, model, caller, request)
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

    /// A session's state as it was when `row` came to rest.
    async fn folded_until(&self, row: &ResponseRow) -> Result<SessionState, JournalError> {
        let mut state = SessionState::new(self.default_cap);
        for earlier in self.journal.responses_of(&row.session_id).await? {
            for entry in self.journal.entries(&earlier.id).await? {
                state.apply(&entry);
            }
            if earlier.id == row.id {
                break;
            }
        }
        Ok(state)
    }
}
