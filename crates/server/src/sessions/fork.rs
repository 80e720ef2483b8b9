//! `fork: true`: a new session that begins where a chain of responses was.

use crate::models::Models;
use crate::sessions::turns::Submission;
use crate::sessions::{Rested, Sessions};
use crate::surface::auth::Caller;
use crate::surface::refusal::{self, Refusal};
use journal::{Phase, ResponseRow};
use protocol::ResponseId;
use std::sync::Arc;

impl Sessions {
    /// Submits a task to a new session with the conversation and the spend of `row`'s chain up to `row`. Its model is the
    /// origin's unless the request names one. Nothing of it depends on the origin afterwards.
    pub(crate) async fn fork(
        self: &Arc<Self>,
        caller: &Caller,
        models: &Models,
        row: &ResponseRow,
        submission: &Submission,
    ) -> Result<ResponseId, Refusal> {
        if row.phase.is_in_flight() {
            return Err(Refusal(refusal::session_busy()));
        }
        if row.phase == Phase::AwaitingApproval {
            return Err(Refusal(refusal::approval_pending()));
        }
        let origin = self.folded_until(&row.session_id, Some(&row.id)).await?;
        let model = match (&submission.request.model, &origin.response) {
            (None, Some(response)) => response.model.clone(),
            (given, _) => models.choose(given.as_deref(), caller.identity.plan)?,
        };
        let (session, fresh) = self.fresh();
        let rested = Rested {
            state: origin.forked(),
            ..fresh
        };
        self.open(&session, rested, model, caller, submission).await
    }
}
