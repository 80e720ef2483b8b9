//! `DELETE /v1/responses/{id}`: delete a terminal response and its log.

use super::{Id, owned, to_its_end};
use crate::app::App;
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let sessions = Arc::clone(&app.sessions);
    to_its_end(async move { sessions.delete(&row).await }).await?;
    Ok(Json(json!({"id": id, "object": "response", "deleted": true})).into_response())
}
