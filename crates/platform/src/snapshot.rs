//! A remote value kept for a while: one fetch at a time, the old value while a new one cannot be
//! had.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::PlatformError;

/// A cached value of type `T` and when to fetch it again.
pub(crate) struct Snapshot<T> {
    /// How long a fetched value is good.
    keep: Duration,
    /// How long a failed fetch is not repeated.
    rest: Duration,
    state: RwLock<State<T>>,
    flight: Mutex<()>,
}

struct State<T> {
    value: Option<Arc<T>>,
    due: Option<Instant>,
}

impl<T> Snapshot<T> {
    pub(crate) fn new(keep: Duration, rest: Duration) -> Self {
        let state = RwLock::new(State {
            value: None,
            due: None,
        });
        Self {
            keep,
            rest,
            state,
            flight: Mutex::new(()),
        }
    }

    /// The value, fetched if it is due; `None` when it was never fetched and cannot be now. Callers
    /// that come during a fetch get the old value at once, or wait for this one fetch if there is
    /// no old value.
    pub(crate) async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Result<T, PlatformError>>,
    {
        if let Some(settled) = self.settled() {
            return settled;
        }
        let _flight = match self.flight.try_lock() {
            Ok(flight) => flight,
            Err(_) => match self.last() {
                Some(value) => return Some(value),
                None => self.flight.lock().await,
            },
        };
        if let Some(settled) = self.settled() {
            return settled;
        }
        self.store(fetch().await)
    }

    /// What is known, unless a fetch is due.
    fn settled(&self) -> Option<Option<Arc<T>>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state
            .due
            .filter(|due| Instant::now() < *due)
            .map(|_| state.value.clone())
    }

    pub(crate) fn last(&self) -> Option<Arc<T>> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .value
            .clone()
    }

    fn store(&self, fetched: Result<T, PlatformError>) -> Option<Arc<T>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(value) => {
                state.value = Some(Arc::new(value));
                state.due = Some(Instant::now() + self.keep);
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind, status = error.status, %error, "keeping what was known before");
                state.due = Some(Instant::now() + self.rest);
            }
        }
        state.value.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::Snapshot;
    use crate::PlatformError;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn concurrent_callers_share_one_fetch() {
        let (snapshot, fetches) = (Snapshot::new(LONG, LONG), AtomicUsize::new(0));
        let get = || {
            snapshot.get(async || {
                fetches.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(7)
            })
        };
        let (a, b, c) = tokio::join!(get(), get(), get());
        assert_eq!([a.as_deref(), b.as_deref(), c.as_deref()], [Some(&7); 3]);
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failed_refresh_leaves_the_old_value() {
        let snapshot = Snapshot::new(Duration::ZERO, LONG);
        assert_eq!(snapshot.get(async || Ok(1)).await.as_deref(), Some(&1));
        let failed = snapshot
            .get(async || Err(PlatformError::unavailable("down")))
            .await;
        assert_eq!(failed.as_deref(), Some(&1));
        // Still resting: not fetched again.
        assert_eq!(snapshot.get(async || Ok(2)).await.as_deref(), Some(&1));
    }

    #[tokio::test]
    async fn a_value_that_is_due_is_fetched_again() {
        let snapshot = Snapshot::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(
            snapshot
                .get(async || Err(PlatformError::unavailable("down")))
                .await
                .as_deref(),
            None
        );
        assert_eq!(snapshot.get(async || Ok(1)).await.as_deref(), Some(&1));
        assert_eq!(snapshot.get(async || Ok(2)).await.as_deref(), Some(&2));
    }

    #[tokio::test]
    async fn a_cancelled_fetch_does_not_block_the_next() {
        let snapshot: Snapshot<i32> = Snapshot::new(LONG, LONG);
        let hang = snapshot.get(async || std::future::pending().await);
        assert!(
            tokio::time::timeout(Duration::from_millis(1), hang)
                .await
                .is_err()
        );
        assert_eq!(snapshot.get(async || Ok(3)).await.as_deref(), Some(&3));
    }
}
