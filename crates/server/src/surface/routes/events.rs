//! `GET /v1/responses/{id}/events`: the full log, resumable; or a page of it as JSON.

use super::cursor::{self, Cursor, StreamQuery};
use super::page::limit;
use super::{Id, owned};
use crate::app::App;
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use crate::surface::stream::{self, Style};
use crate::surface::view::View;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use journal::ResponseRow;
use serde_json::{Value, json};

const DEFAULT_PAGE: usize = 100;
const MOST_PAGE: usize = 1000;

pub(crate) async fn events(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    query: StreamQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let view = query.view.as_deref().map_or(Ok(View::All), View::named)?;
    let cursor = cursor::from_request(&headers, &query, &row)?;
    let limit = limit(query.limit.as_deref(), DEFAULT_PAGE, MOST_PAGE)?;
    if wants_json(&headers) {
        return page(&app, &row, cursor, view, limit).await;
    }
    let style = Style {
        view,
        with_ids: true,
        with_done: false,
    };
    if row.phase.is_terminal() && cursor.next > row.head {
        // 204 is what makes an EventSource stop reconnecting.
        return Ok(match cursor.is_last_event_id {
            true => StatusCode::NO_CONTENT.into_response(),
            false => stream::empty(&app, style),
        });
    }
    Ok(stream::follow(
        &app,
        app.journal.follow(&row, cursor.next).await?,
        style,
    ))
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/event-stream")
}

/// One page of the log. A filtered view may show fewer events than the page covers.
async fn page(
    app: &App,
    row: &ResponseRow,
    cursor: Cursor,
    view: View,
    limit: usize,
) -> Result<Response, Refusal> {
    let frames = app.journal.frames(&row.id, cursor.next, limit).await?;
    let last = frames
        .last()
        .map_or(cursor.next.saturating_sub(1), |frame| frame.seq);
    let shown = frames
        .iter()
        .filter(|frame| view.show(frame, false).is_some());
    let data: Vec<Value> = shown
        .filter_map(|frame| serde_json::from_slice(&frame.data()).ok())
        .collect();
    let has_more = last < row.head;
    let body =
        json!({"object": "list", "data": data, "has_more": has_more, "last_sequence_number": last});
    Ok(Json(body).into_response())
}
