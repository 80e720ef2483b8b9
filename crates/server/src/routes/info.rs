//! Models, liveness, readiness, and the address of the docs.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// `GET /api/config/model`; no token needed.
pub(crate) async fn models(State(app): State<App>) -> Response {
    Json(app.models.list(&app.platform).await).into_response()
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /readyz`: the store answers and new work is taken.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let status = match (app.is_draining(), app.journal.ping().await) {
        (true, _) => "draining",
        (false, Err(_)) => "store unreachable",
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
