//! One file a route.

pub(crate) mod approvals;
pub(crate) mod cancel;
pub(crate) mod create;
mod cursor;
pub(crate) mod delete;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod info;
pub(crate) mod input_items;
pub(crate) mod list;
mod page;
pub(crate) mod resume;
pub(crate) mod retrieve;
pub(crate) mod sessions;

use crate::app::App;
use crate::sessions::owned_row;
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use journal::{Phase, ResponseRow};
use protocol::{Problem, ResponseId};
use std::sync::Arc;

/// The id in a path, as text; empty, which names nothing, for what is not even text.
pub(crate) struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(id.map(|Path(id)| id).unwrap_or_default()))
    }
}

/// The caller's response with this id; another account's is as unknown as one that never was. What a crash left in doubt
/// is cleared up first, since the caller's token is here now.
async fn owned(app: &App, caller: &Caller, id: &str) -> Result<ResponseRow, Refusal> {
    let find = || owned_row(&app.journal, id, caller.account());
    let row = find().await?;
    let row = row.ok_or_else(|| Refusal(Problem::response_not_found()))?;
    if row.phase != Phase::Interrupted {
        return Ok(row);
    }
    let (sessions, caller) = (Arc::clone(&app.sessions), caller.clone());
    to_its_end(async move {
        sessions.clear_doubt(&caller, &row).await;
        Ok(())
    })
    .await?;
    find()
        .await?
        .ok_or_else(|| Refusal(Problem::response_not_found()))
}

/// Runs what must not stop half-way when its client hangs up, which drops the request's future: a response whose turn
/// never starts, or an append whose outcome nobody folds.
async fn to_its_end<T: Send + 'static>(
    action: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::spawn(action).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal(Problem::internal())),
    }
}

/// The response object as it is now.
async fn object(app: &App, id: &ResponseId) -> Result<Response, Refusal> {
    let row = app
        .journal
        .response(id)
        .await?
        .ok_or_else(Problem::response_not_found)?;
    let object = app.journal.object(&row).await?;
    Ok(Json(&*object).into_response())
}
