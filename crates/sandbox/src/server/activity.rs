//! Whether anything is going on: requests, their streams, background processes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Activity(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    busy: usize,
    last: Instant,
}

/// Something is going on as long as this lives.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Activity {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Seen {
            busy: 0,
            last: Instant::now(),
        })))
    }

    pub fn busy(self: &Arc<Self>) -> Busy {
        self.change(|seen| seen.busy += 1);
        Busy(Arc::clone(self))
    }

    /// Returns once nothing has happened for that long; never without a limit.
    pub async fn idle_for(&self, limit: Option<Duration>) {
        let Some(limit) = limit else {
            return std::future::pending().await;
        };
        loop {
            let quiet = self.change(|seen| {
                if seen.busy > 0 {
                    Duration::ZERO
                } else {
                    seen.last.elapsed()
                }
            });
            match limit.checked_sub(quiet) {
                None | Some(Duration::ZERO) => return,
                Some(rest) => tokio::time::sleep(rest).await,
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|seen| {
            seen.busy -= 1;
            seen.last = Instant::now();
        });
    }
}
