//! What can go wrong with the platform, sorted by what a caller may do about it.

mod body;
mod classify;
mod retry_after;
mod scrub;

use std::time::Duration;

pub(crate) use body::ErrorBody;
pub(crate) use classify::{from_response, from_stream_event};
pub(crate) use scrub::{clip, scrub};

/// The platform's refusal or failure. Never holds a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlatformError {
    pub kind: ErrorKind,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The platform's own words where it said something, at most 500 characters, tokens blanked
    /// out.
    pub message: String,
    /// The platform's id of the failed request, for support.
    pub request_id: Option<String>,
    /// How long the platform asked to wait.
    pub retry_after: Option<Duration>,
}

/// Classes of failure. [`ErrorKind::is_transient`] tells which may pass by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The token is not valid (401).
    Auth,
    /// The token is valid and may not do this (403).
    Permission,
    /// Credit is missing (402, or a provider's "insufficient quota").
    Billing,
    NotFound,
    /// Too many requests (429).
    RateLimited,
    /// The state of the thing does not allow it (409, 412).
    Conflict,
    /// Our request is wrong (other 4xx).
    BadRequest,
    /// The conversation is longer than the model's context.
    ContextOverflow,
    /// No such model, or the provider does not serve it.
    ModelUnsupported,
    /// 5xx, no connection, a deadline passed, a stream cut short.
    Unavailable,
    /// The answer is not the protocol.
    Garbage,
}

impl ErrorKind {
    /// Whether the same request may succeed later without any change.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }
}

impl PlatformError {
    /// An error without an answer behind it. The message is clipped to 500 characters.
    pub(crate) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            status: None,
            message: clip(message.as_ref()),
            request_id: None,
            retry_after: None,
        }
    }

    pub(crate) fn unavailable(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn garbage(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::Garbage, message)
    }

    /// A failure of the transport: refused, reset, timed out, cut. The URL is left out; it says
    /// nothing a user can use.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let words = if error.is_timeout() {
            "the platform did not answer in time"
        } else if error.is_connect() {
            "cannot connect to the platform"
        } else if error.is_redirect() {
            "the platform redirected too often"
        } else if error.is_builder() {
            return Self::new(
                ErrorKind::BadRequest,
                format!("the request cannot be built: {}", error.without_url()),
            );
        } else {
            "the connection to the platform broke"
        };
        Self::unavailable(words)
    }
}
