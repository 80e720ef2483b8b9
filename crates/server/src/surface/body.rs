//! Request bodies as JSON, with the contract's refusals.

use crate::surface::json;
use crate::surface::refusal::Refusal;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use protocol::{ErrorType, Problem};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Largest body.
const LIMIT: usize = 16 * 1024 * 1024;
/// A body beyond this is not even read to its end.
const MOST_DISCARDED: usize = 4 * LIMIT;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A JSON body; no body at all is `null`.
pub(crate) struct JsonBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let is_plain = is_plain(request.headers());
        let bytes = read(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Null));
        }
        if !is_json {
            return Err(Refusal(invalid(
                415,
                "unsupported_media_type",
                "The body must be `application/json`.",
            )));
        }
        if !is_plain {
            let why = "The body must come without a `Content-Encoding`.";
            return Err(Refusal(invalid(415, "unsupported_media_type", why)));
        }
        json::parse(&bytes).map(Self).map_err(|error| {
            Refusal(invalid(
                400,
                "invalid_json",
                format!("The body is not valid JSON: {error}"),
            ))
        })
    }
}

/// Reads a body of at most [`LIMIT`] bytes. Of a larger one the rest is thrown away, within bounds, before it is refused:
/// a client that is still sending when the connection closes would see a reset in place of the answer.
async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut pieces = body.into_data_stream();
    let (mut bytes, mut seen) = (Vec::new(), 0);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match timeout_at(deadline, pieces.next()).await {
            Ok(Some(Ok(piece))) => {
                seen += piece.len();
                if seen <= LIMIT {
                    bytes.extend_from_slice(&piece);
                } else if seen > MOST_DISCARDED {
                    return Err(Refusal(too_large()));
                }
            }
            Ok(None) if seen <= LIMIT => return Ok(bytes),
            Ok(None) => return Err(Refusal(too_large())),
            Ok(Some(Err(_))) | Err(_) => return Err(Refusal(unreadable())),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let media_type = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// Whether a body is sent as it is, not compressed.
fn is_plain(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn invalid(status: u16, code: &'static str, message: impl Into<String>) -> Problem {
    Problem::new(status, ErrorType::InvalidRequest, code, message)
}

fn too_large() -> Problem {
    invalid(413, "request_too_large", "The body is larger than 16 MiB.")
}

fn unreadable() -> Problem {
    invalid(400, "invalid_json", "The body could not be read.")
}
