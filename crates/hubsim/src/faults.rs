//! Faults on demand: `POST /__sim/faults` makes the next requests of a route fail in a given way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::body::JsonBody;
use crate::error::HubError;
use crate::state::App;

const MAX_FAULTS: usize = 1000;

/// What goes wrong, for whom, how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Requests whose path starts with this.
    pub prefix: String,
    /// Only this method; absent: all.
    pub method: Option<String>,
    /// Wait before anything else.
    #[serde(default)]
    pub delay_ms: u64,
    /// Answer with this status instead of the real answer.
    pub status: Option<u16>,
    /// Body of that answer; a string is sent as it is, anything else as JSON.
    pub body: Option<Value>,
    /// Headers of that answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The request takes effect first and only its answer is replaced: a lost acknowledgement.
    #[serde(default)]
    pub after: bool,
    /// Let the real answer through up to this many body bytes, then drop the connection.
    pub cut_after_bytes: Option<usize>,
    /// Short for `cut_after_bytes = 0`.
    #[serde(default)]
    pub cut: bool,
    /// How many requests it hits.
    #[serde(default = "once")]
    pub count: u64,
}

fn once() -> u64 {
    1
}

impl Fault {
    fn hits(&self, request: &Request) -> bool {
        let method = self.method.as_deref();
        request.uri().path().starts_with(&self.prefix)
            && method.is_none_or(|m| m.eq_ignore_ascii_case(request.method().as_str()))
    }

    fn replacement(&self, status: StatusCode) -> Response {
        let mut response = match &self.body {
            Some(Value::String(text)) => (status, text.clone()).into_response(),
            Some(other) => (status, Json(other)).into_response(),
            None => HubError::new(status, "Injected fault").into_response(),
        };
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The faults still to come, first match first.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    fn take(&self, request: &Request) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = faults.iter().position(|fault| fault.hits(request))?;
        let fault = faults[index].clone();
        if fault.count <= 1 {
            faults.remove(index);
        } else {
            faults[index].count -= 1;
        }
        Some(fault)
    }
}

/// Middleware: applies the first fault that hits the request.
pub async fn inject(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(fault) = app.faults.take(&request) else {
        return next.run(request).await;
    };
    tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    let status = fault
        .status
        .and_then(|code| StatusCode::from_u16(code).ok());
    let response = match status {
        Some(status) => {
            if fault.after {
                let effect = next.run(request).await;
                // The effect counts, its answer is lost.
                drop(effect);
            }
            fault.replacement(status)
        }
        None => next.run(request).await,
    };
    match fault.cut_after_bytes.or(fault.cut.then_some(0)) {
        Some(bytes) => cut(response, bytes),
        None => response,
    }
}

/// The response with its connection dropped after `limit` body bytes.
fn cut(response: Response, limit: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = axum::body::HttpBody::size_hint(&body).exact() {
        parts
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let kept = body.into_data_stream().scan(limit, |left, chunk| {
        let chunk = chunk.map(|bytes: Bytes| {
            let take = bytes.len().min(*left);
            *left -= take;
            bytes.slice(..take)
        });
        let ended = *left == 0 && chunk.as_ref().is_ok_and(Bytes::is_empty);
        std::future::ready((!ended).then_some(chunk))
    });
    let dropped = futures_util::stream::once(async {
        // Lets what was kept reach the wire before the connection goes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(axum::Error::new(std::io::Error::other("injected cut")))
    });
    Response::from_parts(parts, Body::from_stream(kept.chain(dropped)))
}

/// `POST /__sim/faults` with one fault or a list of them.
pub async fn add(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Value>, HubError> {
    let list = match body {
        Value::Array(list) => list,
        one => vec![one],
    };
    let parsed: Result<Vec<Fault>, _> = list.into_iter().map(serde_json::from_value).collect();
    let parsed = parsed.map_err(|error| HubError::bad_request(error.to_string()))?;
    if let Some(bad) = parsed.iter().find(|fault| !is_valid(fault)) {
        return Err(HubError::bad_request(format!(
            "not a status or method: {bad:?}"
        )));
    }
    let mut faults = app.faults.0.lock().unwrap_or_else(PoisonError::into_inner);
    if faults.len() + parsed.len() > MAX_FAULTS {
        return Err(HubError::bad_request("too many faults"));
    }
    faults.extend(parsed);
    Ok(Json(json!({ "pending": faults.len() })))
}

fn is_valid(fault: &Fault) -> bool {
    let method = fault.method.as_deref();
    fault
        .status
        .is_none_or(|code| StatusCode::from_u16(code).is_ok())
        && method.is_none_or(|m| Method::from_bytes(m.as_bytes()).is_ok())
}

/// `GET /__sim/faults`: those still to come.
pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<Fault>> {
    let faults = app.faults.0.lock().unwrap_or_else(PoisonError::into_inner);
    Json(faults.clone())
}

/// `DELETE /__sim/faults`
pub async fn clear(State(app): State<Arc<App>>) -> StatusCode {
    app.faults
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clear();
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Request {
        let builder = Request::builder().method(method).uri(path);
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_fault_hits_its_route_as_often_as_told() {
        let fault = json!({"prefix": "/api/jobs", "method": "post", "status": 500, "count": 2});
        let faults = Faults(Mutex::new(vec![serde_json::from_value(fault).unwrap()]));
        assert!(faults.take(&request("GET", "/api/jobs/a")).is_none());
        assert!(faults.take(&request("POST", "/api/models")).is_none());
        assert!(faults.take(&request("POST", "/api/jobs/a")).is_some());
        assert!(faults.take(&request("POST", "/api/jobs/a")).is_some());
        assert!(faults.take(&request("POST", "/api/jobs/a")).is_none());
    }

    #[tokio::test]
    async fn a_cut_keeps_the_first_bytes_and_fails() {
        let response = cut("hello world".into_response(), 5);
        let mut stream = response.into_body().into_data_stream();
        assert_eq!(stream.next().await.unwrap().unwrap(), "hello");
        assert!(stream.next().await.unwrap().is_err());
    }
}
