//! `GET /v1/responses`: the owner's responses, newest first, paged.

use crate::app::App;
use crate::auth::Caller;
use crate::refusal::Refusal;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use protocol::{Problem, ResponseId};
use serde::Deserialize;
use serde_json::json;

const DEFAULT_PAGE: usize = 20;
const MOST_PAGE: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<String>,
    after: Option<String>,
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Query<Page>,
) -> Result<Response, Refusal> {
    let limit = limit(page.limit.as_deref())?;
    let after = page.after.as_deref().map(cursor).transpose()?;
    // One more than asked for tells whether there are more.
    let mut rows = app
        .journal
        .responses_by(caller.account(), after.as_ref(), limit + 1)
        .await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        data.push(app.journal.object(row).await?);
    }
    let body = json!({
        "object": "list",
        "data": data.iter().map(|object| &**object).collect::<Vec<_>>(),
        "first_id": rows.first().map(|row| row.id.as_str()),
        "last_id": rows.last().map(|row| row.id.as_str()),
        "has_more": has_more,
    });
    Ok(Json(body).into_response())
}

fn limit(given: Option<&str>) -> Result<usize, Problem> {
    match given.map(str::parse::<usize>) {
        None => Ok(DEFAULT_PAGE),
        Some(Ok(limit)) if (1..=MOST_PAGE).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid(
            "invalid_value",
            "limit",
            "`limit` must be within [1, 100].",
        )),
    }
}

fn cursor(after: &str) -> Result<ResponseId, Problem> {
    ResponseId::parse(after).ok_or_else(|| {
        Problem::invalid(
            "invalid_cursor",
            "after",
            "`after` must be the id of a response.",
        )
    })
}
