//! `POST /v1/responses/{id}/approvals`: decide a paused batch.

use super::{Id, object, owned};
use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::refusal::Refusal;
use crate::turns::require_awaiting;
use axum::extract::State;
use axum::response::Response;
use protocol::ApprovalRequest;

pub(crate) async fn approvals(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let decision = ApprovalRequest::parse(&body)?;
    require_awaiting(&row)?;
    app.sessions.decide(&caller, &row, &decision).await?;
    object(&app, &row.id).await
}
