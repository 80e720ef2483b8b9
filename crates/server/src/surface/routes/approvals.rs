//! `POST /v1/responses/{id}/approvals`: decide a paused batch.

use super::{Id, object, owned, to_its_end};
use crate::app::App;
use crate::sessions::turns::require_awaiting;
use crate::surface::auth::Caller;
use crate::surface::body::JsonBody;
use crate::surface::refusal::{self, Refusal};
use axum::extract::State;
use axum::response::Response;
use protocol::ApprovalRequest;
use std::sync::Arc;

pub(crate) async fn approvals(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let decision = agent::decision_without_token(ApprovalRequest::parse(&body)?, &caller.token);
    require_awaiting(&row)?;
    if app.is_draining() {
        return Err(Refusal(refusal::shutting_down()));
    }
    let (sessions, id) = (Arc::clone(&app.sessions), row.id.clone());
    to_its_end(async move { sessions.decide(&caller, &row, &decision).await }).await?;
    object(&app, &id).await
}
