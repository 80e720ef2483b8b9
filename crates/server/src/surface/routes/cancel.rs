//! `POST /v1/responses/{id}/cancel`: ask the turn to stop.

use super::{Id, object, owned, to_its_end};
use crate::app::App;
use crate::sessions::resources::ListedResource;
use crate::surface::auth::Caller;
use crate::surface::body::JsonBody;
use crate::surface::refusal::Refusal;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use protocol::{CancelRequest, Problem, ResponseId};
use serde::Serialize;
use std::sync::Arc;

pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let stop_jobs = CancelRequest::parse(&body)?.stop_jobs;
    let row = owned(&app, &caller, &id).await?;
    if row.phase.is_terminal() && !stop_jobs {
        // What has ended comes back unchanged.
        return object(&app, &row.id).await;
    }
    let (sessions, cancelled) = (Arc::clone(&app.sessions), row.clone());
    let asker = caller.clone();
    to_its_end(async move {
        match stop_jobs {
            true => sessions.cancel_and_stop_jobs(&cancelled, &asker).await,
            false => sessions.cancel(&cancelled).await,
        }
    })
    .await?;
    let running = app.sessions.running_outside(&row, &caller).await?;
    with_resources(&app, &row.id, &running).await
}

/// The response object as it is now, and what still runs outside.
async fn with_resources(
    app: &App,
    id: &ResponseId,
    resources: &[ListedResource],
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Snapshot<'a> {
        #[serde(flatten)]
        response: &'a protocol::Response,
        resources: &'a [ListedResource],
    }
    let row = app.journal.response(id).await?;
    let row = row.ok_or_else(Problem::response_not_found)?;
    let response = &*app.journal.object(&row).await?;
    let snapshot = Snapshot {
        response,
        resources,
    };
    Ok(Json(snapshot).into_response())
}
