//! Every route in one readable list, and what happens around each request.

use crate::app::App;
use crate::refusal::Refusal;
use crate::routes;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue};
use protocol::{ErrorType, Problem};
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id from a client is replaced.
const LONGEST_REQUEST_ID: usize = 128;

/// All routes, and the layers around them.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route(
            "/v1/responses",
            post(routes::create::create).get(routes::list::list),
        )
        .route(
            "/v1/responses/{id}",
            get(routes::retrieve::retrieve).delete(routes::delete::delete),
        )
        .route(
            "/v1/responses/{id}/input_items",
            get(routes::input_items::input_items),
        )
        .route("/v1/responses/{id}/events", get(routes::events::events))
        .route("/v1/responses/{id}/cancel", post(routes::cancel::cancel))
        .route("/v1/responses/{id}/resume", post(routes::resume::resume))
        .route(
            "/v1/responses/{id}/approvals",
            post(routes::approvals::approvals),
        )
        .route(
            "/v1/sessions/{id}",
            get(routes::sessions::retrieve).delete(routes::sessions::delete),
        )
        .route("/api/config/model", get(routes::info::models))
        .route("/openapi.json", get(routes::docs::openapi_json))
        .route("/docs", get(routes::docs::page))
        .route("/docs/style.css", get(routes::docs::style))
        .route("/docs/app.js", get(routes::docs::script))
        .route("/docs/replay.json", get(routes::docs::replay))
        .route("/healthz", get(routes::info::healthz))
        .route("/readyz", get(routes::info::readyz))
        .route("/", get(routes::info::index))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(request_id))
        .with_state(app)
}

async fn unknown_route() -> Refusal {
    Refusal(Problem::new(
        404,
        ErrorType::NotFound,
        "not_found",
        "There is nothing at this address.",
    ))
}

async fn wrong_method() -> Refusal {
    let message = "This address does not take this method; the Allow header lists those it takes.";
    Refusal(Problem::new(
        405,
        ErrorType::InvalidRequest,
        "method_not_allowed",
        message,
    ))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request handler panicked");
    Refusal(Problem::internal()).into_response()
}

/// Every answer carries an id: the caller's, if it is a sane one, else a fresh one.
async fn request_id(request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| is_sane(id))
        .cloned();
    let id = given.unwrap_or_else(|| {
        let fresh = format!("req_{}", uuid::Uuid::new_v4().simple());
        HeaderValue::from_str(&fresh).unwrap_or(HeaderValue::from_static("req"))
    });
    let mut response = next.run(request).await;
    if response.status().is_server_error() {
        tracing::warn!(status = response.status().as_u16(), request_id = ?id, "a request failed");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn is_sane(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic();
    !id.is_empty() && id.len() <= LONGEST_REQUEST_ID && id.as_bytes().iter().all(is_plain)
}
