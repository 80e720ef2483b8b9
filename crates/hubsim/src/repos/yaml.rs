//! `POST /api/validate-yaml`: asked by clients before they commit a README.

use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::card;
use crate::body::JsonBody;
use crate::error::HubError;

#[derive(Debug, Deserialize)]
pub struct Content {
    content: String,
}

/// Errors: 400 with what is wrong.
pub async fn validate(JsonBody(body): JsonBody<Content>) -> Result<Json<Value>, HubError> {
    match card::check(&body.content) {
        Ok(()) => Ok(Json(json!({"errors": [], "warnings": []}))),
        Err(message) => {
            let body = json!({"error": message, "errors": [{"message": message}], "warnings": []});
            Err(HubError::with_body(StatusCode::BAD_REQUEST, body))
        }
    }
}
