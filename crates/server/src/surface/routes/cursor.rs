//! Where a reader begins: `Last-Event-ID` or `starting_after`.

use crate::surface::refusal::Refusal;
use axum::extract::{FromRequestParts, Query};
use http::HeaderMap;
use http::request::Parts;
use journal::ResponseRow;
use protocol::Problem;

/// The query of the routes that read a log. Other parameters are ignored.
#[derive(Debug, Default)]
pub(crate) struct StreamQuery {
    pub stream: Option<String>,
    pub starting_after: Option<String>,
    pub view: Option<String>,
    pub limit: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for StreamQuery {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        // What is no query at all names none of our parameters.
        let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
        Ok(Self::read(pairs)?)
    }
}

impl StreamQuery {
    /// Whether `stream` asks for the events.
    ///
    /// # Errors
    /// 400 `invalid_value` for what is no boolean.
    pub fn wants_stream(&self) -> Result<bool, Problem> {
        let given = self.stream.as_deref().map(str::to_ascii_lowercase);
        match given.as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Problem::invalid(
                "invalid_value",
                "stream",
                "`stream` must be true or false.",
            )),
        }
    }

    fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in pairs {
            let slot = match name.as_str() {
                "stream" => &mut query.stream,
                "starting_after" => &mut query.starting_after,
                "view" => &mut query.view,
                "limit" => &mut query.limit,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                let why = format!("`{name}` is given more than once.");
                return Err(Problem::invalid("invalid_value", name, why));
            }
        }
        Ok(query)
    }
}

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
    let Some(text) = query.starting_after.as_deref() else {
        return Ok(Cursor {
            next: 0,
            is_last_event_id: false,
        });
    };
    // `parse` alone would take a plus sign.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        _ if !is_plain => Err(invalid("`starting_after` must be an integer of 0 or more.")),
        Ok(after) if after <= row.head => Ok(Cursor {
            next: after + 1,
            is_last_event_id: false,
        }),
        Ok(_) => Err(invalid("`starting_after` lies past the newest event.")),
        Err(_) => Err(invalid("`starting_after` must be an integer of 0 or more.")),
    }
}

/// The cursor of a stream: a usable `Last-Event-ID` wins over the query, which is stale when a browser reconnects.
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
