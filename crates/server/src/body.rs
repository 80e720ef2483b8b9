//! Request bodies as JSON, with the contract's refusals.

use crate::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use protocol::{ErrorType, Problem};
use serde_json::Value;

/// Largest body.
pub(crate) const LIMIT: usize = 16 * 1024 * 1024;

/// A JSON body; no body at all is `null`.
pub(crate) struct JsonBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| {
                let status = rejection.into_response().status();
                Refusal(if status == StatusCode::PAYLOAD_TOO_LARGE {
                    too_large()
                } else {
                    unreadable()
                })
            })?;
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
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Refusal(invalid(
                400,
                "invalid_json",
                format!("The body is not valid JSON: {error}"),
            ))
        })
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

fn invalid(status: u16, code: &'static str, message: impl Into<String>) -> Problem {
    Problem::new(status, ErrorType::InvalidRequest, code, message)
}

fn too_large() -> Problem {
    invalid(413, "request_too_large", "The body is larger than 16 MiB.")
}

fn unreadable() -> Problem {
    invalid(400, "invalid_json", "The body could not be read.")
}
