//! The Hub's error answers: a JSON body with `error`, and the `X-Error-Code` / `X-Error-Message` headers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// Why a request is refused, in the platform's words.
#[derive(Debug)]
pub struct HubError {
    status: StatusCode,
    code: Option<&'static str>,
    body: Value,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl HubError {
    /// `{"error": message}` with a status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self::with_body(status, json!({ "error": message.into() }))
    }

    /// Any body with a status (validation errors, the router's error objects).
    pub fn with_body(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            code: None,
            body,
            headers: Vec::new(),
        }
    }

    /// Adds `X-Error-Code`, from which clients derive the kind of error.
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds a header; one that HTTP does not allow is left out.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The token is not one the platform knows.
    pub fn invalid_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Invalid credentials in Authorization header",
        )
    }

    /// No token was sent where one is needed.
    pub fn no_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid username or password.")
    }

    /// The repository does not exist, or the caller may not know that it does.
    pub fn repo_not_found(anonymous: bool) -> Self {
        if anonymous {
            return Self::no_credentials().code("RepoNotFound");
        }
        Self::not_found("Repository not found").code("RepoNotFound")
    }

    pub fn revision_not_found(revision: &str) -> Self {
        Self::not_found(format!("Invalid rev id: {revision}")).code("RevisionNotFound")
    }

    pub fn entry_not_found(path: &str, commit: &str) -> Self {
        Self::not_found(format!("{path} does not exist on \"{commit}\""))
            .code("EntryNotFound")
            .header("x-repo-commit", commit)
    }

    /// The simulator's own disk or process failed; the cause goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "simulator failure");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal Error - We're working hard to fix this as soon as possible!",
        )
    }

    fn message(&self) -> &str {
        let error = self.body.get("error");
        error
            .and_then(Value::as_str)
            .or_else(|| error?.get("message")?.as_str())
            .unwrap_or("")
    }
}

impl From<std::io::Error> for HubError {
    fn from(cause: std::io::Error) -> Self {
        Self::internal(cause)
    }
}

impl IntoResponse for HubError {
    fn into_response(self) -> Response {
        let message: String = self
            .message()
            .chars()
            .filter(|c| matches!(c, ' '..='~'))
            .collect();
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        if let Some(code) = self.code {
            headers.insert("x-error-code", HeaderValue::from_static(code));
        }
        if let Ok(value) = HeaderValue::from_str(&message) {
            headers.insert("x-error-message", value);
        }
        headers.extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_headers_follow_the_body() {
        let response = HubError::entry_not_found("a.txt", "abc").into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-error-code"], "EntryNotFound");
        assert_eq!(response.headers()["x-repo-commit"], "abc");
        assert_eq!(
            response.headers()["x-error-message"],
            "a.txt does not exist on \"abc\""
        );
    }
}
