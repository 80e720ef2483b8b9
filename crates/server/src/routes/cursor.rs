//! Where a reader begins: `Last-Event-ID` or `starting_after`.

use axum::extract::Query;
use http::HeaderMap;
use journal::ResponseRow;
use protocol::Problem;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct StreamQuery {
    pub stream: Option<String>,
    pub starting_after: Option<String>,
    pub view: Option<String>,
    pub limit: Option<String>,
}

pub(crate) type Params = Query<StreamQuery>;

/// The next sequence number to send, and whether the client will reconnect by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub next: u64,
    pub is_last_event_id: bool,
}

/// The query's cursor: the first event after `starting_after`.
///
/// # Errors
/// 400 `invalid_cursor` for what is no number, or lies past the end.
pub(super) fn from_query(query: &StreamQuery, row: &ResponseRow) -> Result<Cursor, Problem> {
    let Some(text) = query
        .starting_after
        .as_deref()
        .filter(|text| !text.is_empty())
    else {
        return Ok(Cursor {
            next: 0,
            is_last_event_id: false,
        });
    };
    match text.parse::<u64>() {
        Ok(after) if after <= row.head => Ok(Cursor {
            next: after + 1,
            is_last_event_id: false,
        }),
        Ok(_) => Err(invalid("`starting_after` lies past the newest event.")),
        Err(_) => Err(invalid("`starting_after` must be an integer of 0 or more.")),
    }
}

/// The cursor of `/events`: a usable `Last-Event-ID` wins over the query, which is stale when a browser reconnects.
///
/// # Errors
/// As [`from_query`].
pub(super) fn from_request(
    headers: &HeaderMap,
    query: &StreamQuery,
    row: &ResponseRow,
) -> Result<Cursor, Problem> {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    match last.filter(|last| *last <= row.head) {
        Some(last) => Ok(Cursor {
            next: last + 1,
            is_last_event_id: true,
        }),
        None => from_query(query, row),
    }
}

fn invalid(message: &str) -> Problem {
    Problem::invalid("invalid_cursor", "starting_after", message)
}
