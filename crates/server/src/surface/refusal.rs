//! The one mapping from a [`Problem`] to HTTP.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use journal::{AppendError, JournalError};
use protocol::{ErrorType, Problem};

/// A problem on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        if matches!(error, JournalError::Deleted) {
            return Self(Problem::response_not_found());
        }
        tracing::error!(%error, "the journal failed");
        Self(Problem::internal())
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Busy => Self(session_busy()),
            AppendError::ApprovalPending => Self(approval_pending()),
            // The door of the request's ticket and the lookup behind it answer for this one.
            AppendError::Taken(_) => Self(session_busy()),
            AppendError::Journal(error) => error.into(),
            error => {
                tracing::error!(%error, "an append failed");
                Self(Problem::internal())
            }
        }
    }
}

pub(crate) fn session_busy() -> Problem {
    Problem::conflict(
        "session_busy",
        "The session is still processing a response.",
    )
}

pub(crate) fn approval_pending() -> Problem {
    Problem::conflict(
        "approval_pending",
        "The session waits for a decision on its pending actions (/approvals).",
    )
}

/// For a session that does not exist and for another account's: the same bytes.
pub(crate) fn session_not_found() -> Problem {
    let message = "No session with this id.";
    Problem::new(404, ErrorType::NotFound, "session_not_found", message)
}

/// What a session needs to run cannot be had now.
pub(crate) fn session_unavailable() -> Problem {
    let message = "The session could not be brought back; try again in a moment.";
    Problem::new(503, ErrorType::Server, "session_unavailable", message).with_retry_after(5)
}

pub(crate) fn shutting_down() -> Problem {
    let message = "The server is shutting down; try again in a moment.";
    Problem::new(503, ErrorType::Server, "session_unavailable", message).with_retry_after(5)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(problem.body())).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = problem.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match problem.status {
            401 => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // SDKs retry 409 by themselves, and here it would never help.
            409 => {
                let name = HeaderName::from_static("x-should-retry");
                headers.insert(name, HeaderValue::from_static("false"));
            }
            _ => {}
        }
        response
    }
}
