//! Why a request to somebody's URL did not come off.

use std::error::Error;

/// The words say nothing of what a name resolved to: that would map the network for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicError {
    /// Not an absolute http or https URL with a host.
    #[error("not an http or https URL")]
    NotAUrl,
    /// The host is, or resolves to, addresses that are not public, and the operator has made no exception.
    #[error("the host is not at a public address")]
    NotPublic,
    /// No such name, refused, no TLS.
    #[error("cannot connect")]
    Unreachable,
    #[error("no answer in time")]
    Timeout,
    /// Cut off, or not HTTP.
    #[error("the connection broke")]
    Broken,
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl From<reqwest::Error> for PublicError {
    fn from(error: reqwest::Error) -> Self {
        if let Some(refusal) = refusal_in(&error) {
            return refusal.clone();
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_builder() {
            Self::NotAUrl
        } else if error.is_connect() {
            Self::Unreachable
        } else {
            Self::Broken
        }
    }
}

/// The guard's own refusal, which comes back wrapped by the layers between.
fn refusal_in(error: &reqwest::Error) -> Option<&PublicError> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(refusal) = inner.downcast_ref::<PublicError>() {
            return Some(refusal);
        }
        cause = inner.source();
    }
    None
}
