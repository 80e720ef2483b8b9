//! The error envelope (contract §9): every refusal of the API is one of these.

use serde_json::{Value, json};

/// The `type` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    InvalidRequest,
    Authentication,
    Permission,
    NotFound,
    Conflict,
    RateLimit,
    Server,
}

impl ErrorType {
    const ALL: [Self; 7] = [
        Self::InvalidRequest,
        Self::Authentication,
        Self::Permission,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimit,
        Self::Server,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::NotFound => "not_found_error",
            Self::Conflict => "conflict_error",
            Self::RateLimit => "rate_limit_error",
            Self::Server => "server_error",
        }
    }
}

/// A refusal: HTTP status, machine-readable code, the parameter at fault and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Problem {
    pub status: u16,
    pub kind: ErrorType,
    pub code: &'static str,
    pub param: Option<String>,
    pub message: String,
    /// Seconds for `Retry-After`; at most 60, since some SDKs ignore more.
    pub retry_after: Option<u64>,
}

impl Problem {
    #[must_use]
    pub fn new(
        status: u16,
        kind: ErrorType,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            code,
            param: None,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A 400 that names the parameter at fault.
    #[must_use]
    pub fn invalid(
        code: &'static str,
        param: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            param: Some(param.into()),
            ..Self::new(400, ErrorType::InvalidRequest, code, message)
        }
    }

    /// A 409.
    #[must_use]
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(409, ErrorType::Conflict, code, message)
    }

    /// The 404 for a response that does not exist or belongs to another account: the same bytes for both.
    #[must_use]
    pub fn response_not_found() -> Self {
        Self::new(
            404,
            ErrorType::NotFound,
            "response_not_found",
            "No response with this id.",
        )
    }

    /// A 500 whose cause is in the server's log under the request id.
    #[must_use]
    pub fn internal() -> Self {
        let message = "The server failed to handle this request. The request id is in the x-request-id header.";
        Self::new(500, ErrorType::Server, "internal_error", message)
    }

    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.clamp(1, 60));
        self
    }

    /// The body: `{"error": {"message", "type", "param", "code"}}`.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind.as_str(), "param": self.param, "code": self.code}})
    }
}

/// What [`Problem::body`] writes, as a JSON schema.
pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "A sentence for a person."},
                "type": {"enum": ErrorType::ALL.map(ErrorType::as_str)},
                "param": {"type": ["string", "null"], "description": "The field or parameter at fault."},
                "code": {"type": "string", "description": "For programs."},
            },
        }},
    })
}
