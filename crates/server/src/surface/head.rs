//! How long the head of a request may be. Below these limits the answer is an envelope; far above them the connection
//! itself refuses (see `connection`).

use crate::surface::refusal::Refusal;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};
use protocol::{ErrorType, Problem};

/// Names and values of all headers, in bytes.
const MOST_BYTES: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
/// Path and query, in bytes.
const LONGEST_URI: usize = 16 * 1024;

/// The layer that refuses heads that are too long.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    if uri_length(request.uri()) > LONGEST_URI {
        return Refusal(uri_too_long()).into_response();
    }
    if request.headers().len() > MOST_HEADERS || size(request.headers()) > MOST_BYTES {
        return Refusal(headers_too_large()).into_response();
    }
    next.run(request).await
}

pub(crate) fn uri_too_long() -> Problem {
    let message = "The address is longer than 16 KiB.";
    Problem::new(414, ErrorType::InvalidRequest, "uri_too_long", message)
}

pub(crate) fn headers_too_large() -> Problem {
    let message = "The headers are more than 100, or larger than 64 KiB.";
    let kind = ErrorType::InvalidRequest;
    Problem::new(431, kind, "headers_too_large", message)
}

/// What is no HTTP request at all.
pub(crate) fn malformed() -> Problem {
    let message = "This is not a well-formed HTTP request.";
    Problem::new(400, ErrorType::InvalidRequest, "malformed_request", message)
}

fn uri_length(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |path| path.as_str().len())
}

fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}
