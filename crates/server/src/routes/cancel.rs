//! `POST /v1/responses/{id}/cancel`: ask the turn to stop.

use super::{object, owned};
use crate::app::App;
use crate::auth::Caller;
use crate::refusal::Refusal;
use axum::extract::{Path, State};
use axum::response::Response;

pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    app.sessions.cancel(&row).await?;
    object(&app, &row.id).await
}
