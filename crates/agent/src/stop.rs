//! Stopping a turn from outside: one signal, raced against every wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Why a turn is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The client cancelled: the response ends `cancelled`.
    Cancelled,
    /// The server shuts down: the response pauses with `server_restart`.
    Shutdown,
}

/// A handle to stop one turn. The first reason stands.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
    with_jobs: Arc<AtomicBool>,
}

impl Stop {
    pub fn request(&self, reason: StopReason) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Asks that the session's jobs be cancelled when the turn stops.
    pub fn request_jobs(&self) {
        self.with_jobs.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub(crate) fn stops_jobs(&self) -> bool {
        self.with_jobs.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.reason.get().copied()
    }

    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }
}
