//! `GET` and `DELETE /v1/sessions/{id}`.

use super::{Id, to_its_end};
use crate::app::App;
use crate::sessions::object::session_object;
use crate::surface::auth::Caller;
use crate::surface::refusal::{self, Refusal};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use journal::SessionRow;
use protocol::SessionId;
use serde_json::json;
use std::sync::Arc;

/// The session: budget, plan, artifacts, responses, and what runs for it.
pub(crate) async fn retrieve(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let object = session_object(&app, &caller, row).await?;
    Ok(Json(object).into_response())
}

/// Ends the session now; its responses stay, and chaining brings it back.
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let SessionRow { id, .. } = owned(&app, &caller, &id).await?;
    let (sessions, session) = (Arc::clone(&app.sessions), id.clone());
    to_its_end(async move { sessions.end(&caller, &session).await }).await?;
    Ok(Json(json!({"id": id, "object": "session", "deleted": true})).into_response())
}

/// The caller's session with this id; another account's is as unknown as one that never was.
async fn owned(app: &App, caller: &Caller, id: &str) -> Result<SessionRow, Refusal> {
    let row = match SessionId::parse(id) {
        Some(id) => app.journal.session(&id).await?,
        None => None,
    };
    row.filter(|row| row.owner == caller.account())
        .ok_or_else(|| Refusal(refusal::session_not_found()))
}
