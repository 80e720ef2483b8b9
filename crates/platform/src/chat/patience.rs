//! How long to wait for the next bytes of a chat stream.

use tokio::time::Instant;

use crate::Deadlines;

/// The deadlines of one stream. They are points in time, so a cancelled and repeated wait does not
/// start anew.
pub(super) struct Patience {
    deadlines: Deadlines,
    opened: Instant,
    last_bytes: Instant,
    last_progress: Instant,
}

impl Patience {
    pub(super) fn new(deadlines: &Deadlines) -> Self {
        let now = Instant::now();
        Self {
            deadlines: deadlines.clone(),
            opened: now,
            last_bytes: now,
            last_progress: now,
        }
    }

    pub(super) fn bytes_came(&mut self) {
        self.last_bytes = Instant::now();
    }

    pub(super) fn progress_came(&mut self) {
        self.last_progress = Instant::now();
    }

    /// When to stop waiting. After the finish reason only usage and the end mark are missing.
    pub(super) fn until(&self, finished: bool) -> Instant {
        let total = self.opened + self.deadlines.chat_total;
        if finished {
            return total.min(self.last_progress + self.deadlines.chat_tail);
        }
        let idle = self.last_bytes + self.deadlines.chat_idle;
        let silence = self.last_progress + self.deadlines.chat_silence;
        total.min(idle).min(silence)
    }

    /// What to say when time is up.
    pub(super) fn complaint(&self) -> &'static str {
        if self.opened + self.deadlines.chat_total <= Instant::now() {
            "the model's answer took too long"
        } else {
            "the model stopped sending"
        }
    }
}
