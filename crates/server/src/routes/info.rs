//! Models, liveness, readiness, and the address of the docs.

use crate::app::App;
use crate::auth::MaybeCaller;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use platform::Plan;
use serde_json::json;

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

/// `GET /metrics`: the counters as OpenMetrics text.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let text = app.metrics.text(&app.sessions);
    ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response()
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
