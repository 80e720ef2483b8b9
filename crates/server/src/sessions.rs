//! Live sessions: what holds a token, a sandbox and folded state in memory. Always rebuildable from the journal and the
//! caller's token.

use crate::auth::Caller;
use crate::config::Config;
use agent::{Agent, Recorder, SessionState, Settings, Stop, StopReason};
use journal::{AppendError, Journal, JournalError, Lease, Past, ResponseRow};
use platform::Platform;
use protocol::{MicroUsd, ResponseId, SessionId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;
use tools::{Sandbox, SandboxSettings, ToolSession, Toolbox};

/// Least time between two lookups of what a crash left in doubt.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// All live sessions of this process.
pub(crate) struct Sessions {
    pub journal: Journal,
    pub agent: Agent,
    pub default_cap: MicroUsd,
    platform: Platform,
    sandboxes: SandboxSettings,
    idle: Duration,
    /// A plain mutex: map operations only.
    live: std::sync::Mutex<HashMap<SessionId, Arc<Session>>>,
}

/// One live session.
pub(crate) struct Session {
    pub id: SessionId,
    sandbox: Arc<Sandbox>,
    /// When the platform was last asked about what a crash left in doubt. A plain mutex: one value.
    asked: std::sync::Mutex<Option<Instant>>,
    /// Whether something that may be in memory was deleted.
    must_forget: AtomicBool,
    /// An async mutex: held while a turn is started, decided or cancelled, so that those happen one at a time.
    slot: Mutex<Slot>,
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

impl Sessions {
    pub fn new(
        config: &Config,
        journal: Journal,
        platform: Platform,
        http: reqwest::Client,
    ) -> Self {
        let agent = Agent {
            platform: platform.clone(),
            toolbox: Toolbox::default(),
            settings: Settings::default(),
        };
        Self {
            journal,
            agent,
            default_cap: config.default_cap,
            platform,
            sandboxes: SandboxSettings {
                kind: config.sandbox,
                exe: config.exe.clone(),
                http,
            },
            idle: config.idle,
            live: std::sync::Mutex::default(),
        }
    }

    /// The live session with this id; made (cold) if there is none.
    pub fn get(&self, id: &SessionId) -> Arc<Session> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let session = live.entry(id.clone()).or_insert_with(|| {
            Arc::new(Session {
                id: id.clone(),
                sandbox: Arc::new(Sandbox::new(self.sandboxes.clone(), id.clone())),
                asked: std::sync::Mutex::default(),
                must_forget: AtomicBool::new(false),
                slot: Mutex::new(Slot::Cold),
            })
        });
        Arc::clone(session)
    }

    /// A session that does not exist in the journal yet.
    pub fn fresh(&self) -> (Arc<Session>, Rested) {
        let id = SessionId::fresh();
        let rested = Rested {
            lease: Lease::first(id.clone()),
            state: SessionState::new(self.default_cap),
            tools: None,
        };
        (self.get(&id), rested)
    }

    /// Rebuilds a session's state from the journal and takes over its lease.
    pub async fn restore(&self, id: &SessionId) -> Result<Rested, AppendError> {
        let lease = self.journal.acquire(id).await?;
        let mut state = SessionState::new(self.default_cap);
        for past in self.journal.history(id).await? {
            match past {
                Past::Kept(row) => {
                    let entries = self.journal.entries(&row.id).await?;
                    entries.iter().for_each(|entry| state.apply(entry));
                }
                Past::Deleted(residue) => state.apply_residue(&residue),
            }
        }
        Ok(Rested {
            lease,
            state,
            tools: None,
        })
    }

    /// The tools' session for this caller: the last turn's, unless the token has changed.
    pub fn tools(&self, session: &Session, rested: &Rested, caller: &Caller) -> Arc<ToolSession> {
        match &rested.tools {
            Some(tools) if tools.token.expose() == caller.token.expose() => Arc::clone(tools),
            _ => Arc::new(ToolSession::new(
                self.platform.clone(),
                caller.token.clone(),
                caller.account().to_owned(),
                &caller.identity.orgs,
                Arc::clone(&session.sandbox),
            )),
        }
    }

    /// Forgets a session that never came to be.
    pub fn forget(&self, id: &SessionId) {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Releases the runtime of sessions that have rested for long. They come back with the next request that names them.
    pub async fn release_idle(&self) {
        for session in self.all() {
            let Ok(mut slot) = session.slot.try_lock() else {
                continue;
            };
            let is_idle = match &*slot {
                Slot::Resting { since, .. } => since.elapsed() >= self.idle,
                Slot::Cold => true,
                Slot::Running { .. } => false,
            };
            if is_idle {
                session.release(&mut slot).await;
            }
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else holds it, and nobody can get it while the map is locked.
        live.retain(|_, session| {
            Arc::strong_count(session) > 1
                || !session
                    .slot
                    .try_lock()
                    .is_ok_and(|slot| matches!(*slot, Slot::Cold))
        });
    }

    /// Stops every turn, so that it pauses with `server_restart`, and releases every sandbox.
    pub async fn shut_down(&self, deadline: Duration) {
        let deadline = Instant::now() + deadline;
        for session in self.all() {
            session.slot.lock().await.stop(StopReason::Shutdown);
        }
        for session in self.all() {
            while session.is_running().await && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let mut slot = session.slot.lock().await;
            session.release(&mut slot).await;
        }
    }

    fn all(&self) -> Vec<Arc<Session>> {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }
}

impl Session {
    pub async fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().await
    }

    /// The slot, as clients may expect to find it. A turn is seen to rest as soon as its last event is durable, a moment
    /// before it leaves the slot; whoever acts on that event at once waits for that moment here.
    pub async fn slot_at_rest(
        &self,
        journal: &Journal,
    ) -> Result<MutexGuard<'_, Slot>, JournalError> {
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

    /// Something of the session was deleted.
    pub fn must_forget(&self) {
        self.must_forget.store(true, Ordering::Relaxed);
    }

    /// Whether something was deleted since this was last asked.
    pub fn has_to_forget(&self) -> bool {
        self.must_forget.swap(false, Ordering::Relaxed)
    }

    /// The slot, unless somebody acts on it now.
    pub fn try_slot(&self) -> Option<MutexGuard<'_, Slot>> {
        self.slot.try_lock().ok()
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

    async fn is_running(&self) -> bool {
        matches!(*self.slot.lock().await, Slot::Running { .. })
    }

    /// Ends the sandbox and lets the journal keep the rest.
    async fn release(&self, slot: &mut Slot) {
        if let Slot::Resting { rested, .. } = std::mem::replace(slot, Slot::Cold)
            && let Some(tools) = &rested.tools
        {
            self.sandbox.stop(tools).await;
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

    /// Takes the rested session out, from the journal if need be; `None` while a turn runs.
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
        if newest.is_none_or(|response| response.id != *id) {
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

/// The row of a response that this account owns.
pub(crate) async fn owned_row(
    journal: &Journal,
    id: &str,
    account: &str,
) -> Result<Option<ResponseRow>, JournalError> {
    let Some(id) = ResponseId::parse(id) else {
        return Ok(None);
    };
    Ok(journal
        .response(&id)
        .await?
        .filter(|row| row.owner == account))
}
