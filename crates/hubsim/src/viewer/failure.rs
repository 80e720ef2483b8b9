//! The viewer's own error answers: `{"error": …}` and `X-Error-Code`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;

#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub fn missing(parameter: &str) -> Self {
        let message = format!("Parameter '{parameter}' is required");
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "MissingRequiredParameter",
            message,
        )
    }

    pub fn invalid(message: &str) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "InvalidParameter",
            message,
        )
    }

    pub fn no_dataset(anonymous: bool) -> Self {
        let message = "The dataset does not exist, or is not accessible without authentication (private or gated). \
                       Please check the spelling of the dataset name or retry with authentication.";
        if anonymous {
            return Self::new(
                StatusCode::UNAUTHORIZED,
                "ExternalUnauthenticatedError",
                message,
            );
        }
        Self::new(StatusCode::NOT_FOUND, "ExternalAuthenticatedError", message)
    }

    /// There is no such config or split.
    pub fn no_response() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResponseNotFound", "Not found.")
    }

    /// The repository holds no table.
    pub fn no_data() -> Self {
        let message = "The dataset is empty.";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "EmptyDatasetError",
            message,
        )
    }

    /// A file that its name says is a table cannot be read as one.
    pub fn unreadable(path: &str) -> Self {
        let message = format!("An error occurred while generating the dataset: {path}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "DatasetGenerationError",
            message,
        )
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"error": self.message}))).into_response();
        response
            .headers_mut()
            .insert("x-error-code", HeaderValue::from_static(self.code));
        response
    }
}
