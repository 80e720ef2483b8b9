//! `POST /v1/responses/{id}/resume`: go on with a turn that a restart has paused.

use super::{Id, object, owned, to_its_end};
use crate::app::App;
use crate::surface::auth::Caller;
use crate::surface::body::JsonBody;
use crate::surface::refusal::{self, Refusal};
use axum::extract::State;
use axum::response::Response;
use protocol::{ErrorType, Problem};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn resume(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    if !matches!(body, Value::Null | Value::Object(_)) {
        let message = "The request body must be empty or a JSON object.";
        let problem = Problem::new(400, ErrorType::InvalidRequest, "invalid_json", message);
        return Err(Refusal(problem));
    }
    let row = owned(&app, &caller, &id).await?;
    if app.is_draining() {
        return Err(Refusal(refusal::shutting_down()));
    }
    let (sessions, id) = (Arc::clone(&app.sessions), row.id.clone());
    to_its_end(async move { sessions.resume(&caller, &row).await }).await?;
    object(&app, &id).await
}
