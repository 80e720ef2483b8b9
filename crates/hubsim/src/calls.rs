//! The record of every request: what tests read to see what a client really did.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use regex_lite::Regex;
use serde::Serialize;

use crate::clock;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

const KEPT: usize = 20_000;

/// One request. `status` is absent while it is being answered, and for ever when the client gave up.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// 0, 1, 2 … in order of arrival.
    pub seq: u64,
    pub at: String,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub account: Option<String>,
    pub status: Option<u16>,
}

/// The latest requests, oldest first.
#[derive(Debug)]
pub struct Calls {
    log: Mutex<VecDeque<Call>>,
    token: Regex,
}

impl Calls {
    pub fn new() -> Result<Self, regex_lite::Error> {
        Ok(Self {
            log: Mutex::default(),
            token: Regex::new("hf_[A-Za-z0-9._-]+")?,
        })
    }

    fn redact(&self, text: &str) -> String {
        self.token.replace_all(text, "hf_***").into_owned()
    }

    fn begin(&self, request: &Request) -> u64 {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = log.back().map_or(0, |call| call.seq + 1);
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(Call {
            seq,
            at: clock::iso(Timestamp::now()),
            method: request.method().to_string(),
            path: self.redact(request.uri().path()),
            query: request.uri().query().map(|query| self.redact(query)),
            account: Caller::from_headers(request.headers())
                .name()
                .map(str::to_owned),
            status: None,
        });
        seq
    }

    fn end(&self, seq: u64, status: StatusCode) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let first = log.front().map_or(0, |call| call.seq);
        let index = seq.checked_sub(first).and_then(|n| usize::try_from(n).ok());
        if let Some(call) = index.and_then(|index| log.get_mut(index)) {
            call.status = Some(status.as_u16());
        }
    }

    fn list(&self, prefix: &str) -> Vec<Call> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter()
            .filter(|call| call.path.starts_with(prefix))
            .cloned()
            .collect()
    }
}

/// Middleware: records the request, lets it through, records the status.
pub async fn record(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let seq = app.calls.begin(&request);
    let response = next.run(request).await;
    app.calls.end(seq, response.status());
    response
}

/// `GET /__sim/calls[?prefix=/api/jobs]`
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Json<Vec<Call>> {
    Json(app.calls.list(query.get("prefix").unwrap_or("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_bounded_and_without_tokens() {
        let calls = Calls::new().unwrap();
        let request = Request::builder().uri("/x?token=hf_secret&a=1");
        let request = request.body(axum::body::Body::empty()).unwrap();
        for _ in 0..KEPT + 5 {
            calls.begin(&request);
        }
        calls.end(3, StatusCode::OK);
        calls.end(7, StatusCode::CREATED);
        let all = calls.list("/x");
        assert_eq!(all.len(), KEPT);
        assert_eq!(all[0].seq, 5);
        assert_eq!(all[2].status, Some(201));
        assert_eq!(all[0].query.as_deref(), Some("token=hf_***&a=1"));
    }
}
