//! `/openapi.json` and `/docs`: the API describes itself, to programs and to people.

use crate::{docs, openapi};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

/// Everything that the page needs comes from here, and nothing in it runs but `/docs/app.js`.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn openapi_json() -> Response {
    Json(openapi::document()).into_response()
}

pub(crate) async fn page() -> Response {
    let mut response = text("text/html; charset=utf-8", docs::page());
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

pub(crate) async fn style() -> Response {
    text("text/css; charset=utf-8", docs::STYLE)
}

pub(crate) async fn script() -> Response {
    text("text/javascript; charset=utf-8", docs::SCRIPT)
}

pub(crate) async fn replay() -> Response {
    text("application/json", docs::REPLAY)
}

fn text(media: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}
