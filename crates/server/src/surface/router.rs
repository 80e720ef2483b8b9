//! Every route in one readable list, and what happens around each request.

use crate::app::App;
use crate::metrics;
use crate::metrics::Metrics;
use crate::surface::refusal::Refusal;
use crate::surface::{head, rate_limit, routes};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue};
use protocol::{ErrorType, Problem};
use std::any::Any;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id from a client is replaced.
const LONGEST_REQUEST_ID: usize = 128;

/// All routes, and the layers around them.
pub(crate) fn router(app: App) -> Router {
    let routes = Router::new()
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
        .route("/api/config/model", get(routes::info::config_model))
        .route("/v1/models", get(routes::info::models))
        .route("/metrics", get(routes::info::metrics))
        .route("/openapi.json", get(routes::docs::openapi_json))
        .route("/docs", get(routes::docs::page))
        .route("/docs/style.css", get(routes::docs::style))
        .route("/docs/app.js", get(routes::docs::script))
        .route("/docs/replay.json", get(routes::docs::replay))
        .route("/healthz", get(routes::info::healthz))
        .route("/readyz", get(routes::info::readyz))
        .route("/", get(routes::info::index))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method);
    around(routes, Arc::clone(&app.metrics)).with_state(app)
}

/// What happens around every request, from the inside out.
fn around<S: Clone + Send + Sync + 'static>(routes: Router<S>, metrics: Arc<Metrics>) -> Router<S> {
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(head::check))
        .layer(middleware::from_fn(rate_limit::tell))
        .layer(middleware::from_fn_with_state(metrics, metrics::measure))
        .layer(middleware::from_fn(request_id))
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    async fn broken() -> Refusal {
        panic!("as a bug would")
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_the_request_id_and_others_are_served() {
        let routes = Router::new()
            .route("/broken", get(broken))
            .route("/whole", get(async || "fine"));
        let router = around(routes, Arc::new(Metrics::new()));
        let service = TowerToHyperService::new(router);
        let ask = async |path: &str| {
            let request = Request::get(path).header(REQUEST_ID, "mine-1");
            let request = request.body(Body::empty()).unwrap();
            service.call(request).await.unwrap()
        };
        for _ in 0..2 {
            let response = ask("/broken").await;
            assert_eq!(response.status(), 500);
            assert_eq!(response.headers()[REQUEST_ID], "mine-1");
            let body = axum::body::to_bytes(response.into_body(), 10_000).await;
            let body: serde_json::Value = serde_json::from_slice(&body.unwrap()).unwrap();
            assert_eq!(body["error"]["code"], "internal_error");
            assert_eq!(body["error"]["type"], "server_error");
            assert_eq!(ask("/whole").await.status(), 200);
        }
    }
}
