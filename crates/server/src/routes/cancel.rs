//! `POST /v1/responses/{id}/cancel`: ask the turn to stop.

use super::{Id, object, owned};
use crate::app::App;
use crate::auth::Caller;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;

pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    app.sessions.cancel(&row).await?;
    object(&app, &row.id).await
}
