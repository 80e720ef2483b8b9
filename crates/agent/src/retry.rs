//! What to do when a model call fails: a table, without IO.

use platform::{ErrorKind, PlatformError};
use protocol::FailureType;
use std::time::Duration;

/// A call is tried this often.
pub(crate) const ATTEMPTS: u32 = 4;
/// Longer waits are not worth holding a turn for.
const MOST_WAIT: Duration = Duration::from_secs(120);
const TRANSIENT_WAITS_MS: [u64; 3] = [500, 2_000, 8_000];
const RATE_LIMIT_WAITS_MS: [u64; 3] = [2_000, 8_000, 30_000];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    Retry {
        wait: Duration,
    },
    /// Shorten the conversation, then try again.
    Compact,
    Fail(FailureType),
}

/// Decides after attempt number `attempt` (from 1) has failed.
pub(crate) fn decide(error: &PlatformError, attempt: u32) -> Next {
    let (kind, waits) = match error.kind {
        ErrorKind::Auth | ErrorKind::Permission => return Next::Fail(FailureType::ModelAuthError),
        ErrorKind::Billing => return Next::Fail(FailureType::ModelBillingError),
        ErrorKind::ContextOverflow => return Next::Compact,
        ErrorKind::NotFound | ErrorKind::BadRequest | ErrorKind::ModelUnsupported => {
            return Next::Fail(FailureType::ModelError);
        }
        ErrorKind::RateLimited => (FailureType::ModelRateLimited, RATE_LIMIT_WAITS_MS),
        ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Garbage => {
            (FailureType::ModelError, TRANSIENT_WAITS_MS)
        }
    };
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = error
        .retry_after
        .or_else(|| waits.get(index).copied().map(Duration::from_millis));
    match wait {
        Some(wait) if attempt < ATTEMPTS && wait <= MOST_WAIT => Next::Retry { wait },
        _ => Next::Fail(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, retry_after: Option<u64>) -> PlatformError {
        PlatformError {
            kind,
            status: None,
            message: String::new(),
            request_id: None,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn table() {
        use ErrorKind::{
            Auth, Billing, ContextOverflow, Garbage, ModelUnsupported, RateLimited, Unavailable,
        };
        let retry = |ms| Next::Retry {
            wait: Duration::from_millis(ms),
        };
        for (kind, after, attempt, wanted) in [
            (Unavailable, None, 1, retry(500)),
            (Garbage, None, 3, retry(8_000)),
            (Unavailable, None, 4, Next::Fail(FailureType::ModelError)),
            (RateLimited, Some(1), 1, retry(1_000)),
            (RateLimited, None, 2, retry(8_000)),
            (
                RateLimited,
                Some(600),
                1,
                Next::Fail(FailureType::ModelRateLimited),
            ),
            (Auth, None, 1, Next::Fail(FailureType::ModelAuthError)),
            (Billing, None, 1, Next::Fail(FailureType::ModelBillingError)),
            (
                ModelUnsupported,
                None,
                1,
                Next::Fail(FailureType::ModelError),
            ),
            (ContextOverflow, None, 1, Next::Compact),
        ] {
            assert_eq!(
                decide(&error(kind, after), attempt),
                wanted,
                "{kind:?} {after:?} {attempt}"
            );
        }
    }
}
