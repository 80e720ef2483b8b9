//! One session: its seat, its sandbox, and the slot in which its turns run one at a time.

use crate::sessions::Sessions;
use crate::sessions::capacity::Capacity;
use agent::{Recorder, SessionState, Stop, StopReason};
use journal::{AppendError, Journal, JournalError, Lease};
use protocol::{ResponseId, SessionId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;
use tools::{Sandbox, ToolSession};

/// Least time between two lookups of what a crash left in doubt.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// One live session.
pub(crate) struct Session {
    pub id: SessionId,
    sandbox: Arc<Sandbox>,
    /// When the platform was last asked about what a crash left in doubt. A plain mutex: one value.
    asked: std::sync::Mutex<Option<Instant>>,
    /// Whether something that may be in memory was deleted.
    must_forget: AtomicBool,
    capacity: Arc<Capacity>,
    /// An async mutex: held while a turn is started, decided or cancelled, so that those happen one at a time.
    slot: Mutex<Slot>,
}

/// The slot in use. When it is let go, seat and slot agree again: a session without a seat is cold, and a cold one has no
/// seat.
pub(crate) struct SlotGuard<'a> {
    slot: MutexGuard<'a, Slot>,
    session: &'a Session,
}

/// What a session is doing.
pub(crate) enum Slot {
    /// Nothing is in memory; the journal has it all.
    Cold,
    Resting {
        rested: Box<Rested>,
        since: Instant,
    },
    Running {
        response: ResponseId,
        stop: Stop,
        /// Cancelled when the turn has left the slot.
        left: CancellationToken,
    },
}

/// A session between turns.
pub(crate) struct Rested {
    pub lease: Lease,
    pub state: SessionState,
    /// The tools of the last turn; none after a restore that needed no token.
    pub tools: Option<Arc<ToolSession>>,
}

impl Session {
    pub fn cold(id: SessionId, sandbox: Sandbox, capacity: Arc<Capacity>) -> Self {
        Self {
            id,
            sandbox: Arc::new(sandbox),
            asked: std::sync::Mutex::default(),
            must_forget: AtomicBool::new(false),
            capacity,
            slot: Mutex::new(Slot::Cold),
        }
    }

    pub fn sandbox(&self) -> Arc<Sandbox> {
        Arc::clone(&self.sandbox)
    }

    pub async fn slot(&self) -> SlotGuard<'_> {
        SlotGuard {
            slot: self.slot.lock().await,
            session: self,
        }
    }

    /// The slot, as clients may expect to find it. A turn is seen to rest as soon as its last event is durable, a moment
    /// before it leaves the slot; whoever acts on that event at once waits for that moment here.
    pub async fn slot_at_rest(&self, journal: &Journal) -> Result<SlotGuard<'_>, JournalError> {
        loop {
            let slot = self.slot().await;
            let Slot::Running { response, left, .. } = &*slot else {
                return Ok(slot);
            };
            let row = journal.response(response).await?;
            if row.is_none_or(|row| row.phase.is_in_flight()) {
                return Ok(slot);
            }
            let left = left.clone();
            drop(slot);
            left.cancelled().await;
        }
    }

    /// The slot, unless somebody acts on it now.
    pub fn try_slot(&self) -> Option<SlotGuard<'_>> {
        let slot = self.slot.try_lock().ok()?;
        Some(SlotGuard {
            slot,
            session: self,
        })
    }

    /// Whether it is time to ask the platform (again) about what is in doubt: readers may poll.
    pub fn may_ask(&self) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let may = asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY);
        if may {
            *asked = Some(Instant::now());
        }
        may
    }

    /// Something of the session was deleted.
    pub fn must_forget(&self) {
        self.must_forget.store(true, Ordering::Relaxed);
    }

    /// Whether something was deleted since this was last asked.
    pub fn has_to_forget(&self) -> bool {
        self.must_forget.swap(false, Ordering::Relaxed)
    }

    pub async fn is_running(&self) -> bool {
        matches!(*self.slot.lock().await, Slot::Running { .. })
    }

    /// Ends the sandbox and lets the journal keep the rest.
    pub async fn release(&self, slot: &mut Slot) {
        if let Some(tools) = slot.cool() {
            self.sandbox.stop(&tools).await;
        }
    }

    /// As [`Session::release`], without waiting for the sandbox's end, which may take the platform a while.
    pub fn let_go(&self, slot: &mut Slot) {
        if let Some(tools) = slot.cool() {
            let sandbox = Arc::clone(&self.sandbox);
            tokio::spawn(async move { sandbox.stop(&tools).await });
        }
    }
}

impl std::ops::Deref for SlotGuard<'_> {
    type Target = Slot;
    fn deref(&self) -> &Slot {
        &self.slot
    }
}

impl std::ops::DerefMut for SlotGuard<'_> {
    fn deref_mut(&mut self) -> &mut Slot {
        &mut self.slot
    }
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        let Session { capacity, id, .. } = self.session;
        match &*self.slot {
            Slot::Cold => capacity.free(id),
            // Restored for a moment only, as to record a cancel.
            Slot::Resting { .. } if !capacity.has_seat(id) => *self.slot = Slot::Cold,
            Slot::Resting { .. } | Slot::Running { .. } => {}
        }
    }
}

impl Slot {
    /// Asks a running turn to stop.
    pub fn stop(&self, reason: StopReason) {
        if let Self::Running { stop, .. } = self {
            stop.request(reason);
        }
    }

    /// Takes the rested session out, from the journal if need be, but not to run a turn (see [`Sessions::wake`]): without
    /// a seat the session is cold again when its slot is let go. `None` while a turn runs.
    ///
    /// The caller puts something back: a running turn, or the rested session.
    pub async fn take(
        &mut self,
        sessions: &Sessions,
        id: &SessionId,
    ) -> Result<Option<Rested>, AppendError> {
        match self {
            Self::Running { .. } => Ok(None),
            Self::Cold => sessions.restore(id).await.map(Some),
            Self::Resting { .. } => match std::mem::replace(self, Self::Cold) {
                Self::Resting { rested, .. } => Ok(Some(*rested)),
                _ => Ok(None),
            },
        }
    }

    /// Since when the session has nothing to do. One that waits for an approval has: its client may be about to decide.
    pub fn idle_since(&self) -> Option<Instant> {
        let Self::Resting { rested, since } = self else {
            return None;
        };
        let newest = rested.state.response.as_ref();
        let waits = newest.is_some_and(|response| response.pending_approval.is_some());
        (!waits).then_some(*since)
    }

    /// Leaves the rest to the journal; gives what ends the sandbox.
    fn cool(&mut self) -> Option<Arc<ToolSession>> {
        match self {
            Self::Resting { .. } => match std::mem::replace(self, Self::Cold) {
                Self::Resting { rested, .. } => rested.tools,
                _ => None,
            },
            _ => None,
        }
    }

    pub fn rest(&mut self, rested: Rested) {
        *self = Self::Resting {
            rested: Box::new(rested),
            since: Instant::now(),
        };
    }
}

impl Rested {
    /// A recorder for the session's newest response, if that is `id`.
    pub fn recorder(self, journal: &Journal, id: &ResponseId) -> Result<Recorder, Box<Self>> {
        let newest = self.state.response.as_ref();
        if self.state.newest_is_deleted || newest.is_none_or(|response| response.id != *id) {
            return Err(Box::new(self));
        }
        let Self {
            lease,
            state,
            tools,
        } = self;
        Recorder::resume(journal, &lease, state).map_err(|state| {
            Box::new(Self {
                lease,
                state: *state,
                tools,
            })
        })
    }
}
