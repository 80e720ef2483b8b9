//! How many requests an account may make in a minute, and the headers that tell it so.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use http::{Extensions, HeaderName, HeaderValue};
use protocol::{ErrorType, Problem};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit-requests");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining-requests");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset-requests");

type Limiter =
    RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// A bucket for each account, which fills evenly over a minute.
pub(crate) struct RateLimit {
    /// `None`: no limit.
    limiter: Option<(NonZeroU32, Limiter)>,
    clock: DefaultClock,
}

/// Where an account stands.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    limit: NonZeroU32,
    remaining: u32,
}

/// Where a request's allowance is left for the layer that writes it on the answer.
#[derive(Clone, Default)]
struct Told(Arc<OnceLock<Allowance>>);

impl RateLimit {
    /// A limit per minute, all of which may come at once; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|limit| {
            let limiter = RateLimiter::keyed(Quota::per_minute(limit));
            (limit, limiter.with_middleware())
        });
        Self {
            limiter,
            clock: DefaultClock::default(),
        }
    }

    /// Counts one request of an account.
    ///
    /// # Errors
    /// 429 `rate_limit_exceeded`, with the seconds until the next one is let through.
    pub fn check(&self, account: &str, request: &Extensions) -> Result<(), Problem> {
        let Some((limit, limiter)) = &self.limiter else {
            return Ok(());
        };
        let checked = limiter.check_key(&account.to_owned());
        let remaining = checked
            .as_ref()
            .map_or(0, |state| state.remaining_burst_capacity());
        if let Some(Told(told)) = request.get::<Told>() {
            let _ = told.set(Allowance {
                limit: *limit,
                remaining,
            });
        }
        let Err(too_early) = checked else {
            return Ok(());
        };
        let wait = too_early.wait_time_from(self.clock.now());
        let message = format!("This account may make {limit} requests a minute.");
        let problem = Problem::new(429, ErrorType::RateLimit, "rate_limit_exceeded", message);
        Err(problem.with_retry_after(wait.as_secs_f64().ceil() as u64))
    }

    /// Forgets accounts whose bucket is full again.
    pub fn forget_rested(&self) {
        if let Some((_, limiter)) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

impl Allowance {
    /// Until the bucket is full again.
    fn reset(self) -> Duration {
        MINUTE / self.limit.get() * (self.limit.get() - self.remaining)
    }
}

/// The layer that tells the caller where it stands.
pub(crate) async fn tell(mut request: Request, next: Next) -> Response {
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let mut response = next.run(request).await;
    if let Some(allowance) = told.0.get() {
        let headers = response.headers_mut();
        headers.insert(LIMIT, HeaderValue::from(allowance.limit.get()));
        headers.insert(REMAINING, HeaderValue::from(allowance.remaining));
        let reset = format!("{:.3}s", allowance.reset().as_secs_f64());
        if let Ok(reset) = HeaderValue::from_str(&reset) {
            headers.insert(RESET, reset);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_its_own_bucket() {
        let limit = RateLimit::new(2);
        let request = Extensions::new();
        assert!(limit.check("alice", &request).is_ok());
        assert!(limit.check("alice", &request).is_ok());
        let refused = limit.check("alice", &request).unwrap_err();
        assert_eq!((refused.status, refused.code), (429, "rate_limit_exceeded"));
        assert!((29..=30).contains(&refused.retry_after.unwrap()));
        assert!(limit.check("bob", &request).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let (limit, request) = (RateLimit::new(0), Extensions::new());
        assert!((0..10_000).all(|_| limit.check("alice", &request).is_ok()));
    }
}
