//! Models, liveness, readiness, and the address of the docs.

use crate::app::App;
use crate::surface::auth::MaybeCaller;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use platform::Plan;
use serde_json::json;

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /api/config/model`; no token needed. With one, `current` is the default of its account's plan.
pub(crate) async fn config_model(
    State(app): State<App>,
    MaybeCaller(caller): MaybeCaller,
) -> Response {
    let plan = caller.map_or(Plan::Free, |caller| caller.identity.plan);
    Json(app.models.list(&app.platform, plan).await).into_response()
}

/// `GET /v1/models`; no token needed.
pub(crate) async fn models(State(app): State<App>) -> Response {
    Json(app.models.openai_list()).into_response()
}

/// `GET /metrics`: the counters. The text is OpenMetrics and, as its one extra line is a comment there, Prometheus' own
/// format too; it is called by the name that the scraper asks for.
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let kind = match accept {
        Some(accept) if accept.contains("application/openmetrics-text") => OPENMETRICS,
        _ => PROMETHEUS,
    };
    (
        [(header::CONTENT_TYPE, kind)],
        app.metrics.text(&app.sessions),
    )
        .into_response()
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /readyz`: the store answers and new work is taken.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let status = match (app.is_draining(), app.journal.ping().await) {
        (true, _) => "draining",
        (false, Err(_)) => {
            app.metrics.store_ping_failed();
            "store unreachable"
        }
        (false, Ok(())) => return Json(json!({"status": "ready"})).into_response(),
    };
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Json(json!({"status": status})),
    )
        .into_response()
}

/// `GET /`.
pub(crate) async fn index() -> Response {
    let about = json!({
        "name": "ml-intern",
        "version": env!("CARGO_PKG_VERSION"),
        "submit": "POST /v1/responses",
        "models": "GET /api/config/model",
        "docs": "/docs",
        "openapi": "/openapi.json",
    });
    Json(about).into_response()
}
