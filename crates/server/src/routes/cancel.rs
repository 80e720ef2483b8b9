//! `POST /v1/responses/{id}/cancel`: ask the turn to stop.

use super::{Id, object, owned, to_its_end};
use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use protocol::CancelRequest;
use std::sync::Arc;

pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    CancelRequest::parse(&body)?;
    let row = owned(&app, &caller, &id).await?;
    let (sessions, id) = (Arc::clone(&app.sessions), row.id.clone());
    to_its_end(async move { sessions.cancel(&row).await }).await?;
    object(&app, &id).await
}
