//! Live sessions: what holds a token, a sandbox and folded state in memory. Always rebuildable from the journal and the
//! caller's token.

use crate::auth::Caller;
use crate::capacity::{Capacity, Full};
use crate::config::Config;
use crate::refusal::{self, Refusal};
use agent::{Agent, Recorder, SessionState, Settings, Stop, StopReason};
use journal::{AppendError, Journal, JournalError, Lease, ResponseRow};
use platform::Platform;
use protocol::{MicroUsd, ResponseId, SessionId};
use std::collections::HashMap;
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
    capacity: Arc<Capacity>,
    /// Sessions that are live, or that a request names now. A plain mutex: map operations only.
    live: std::sync::Mutex<HashMap<SessionId, Arc<Session>>>,
}

/// One live session.
pub(crate) struct Session {
    pub id: SessionId,
    sandbox: Arc<Sandbox>,
    /// When the platform was last asked about what a crash left in doubt. A plain mutex: one value.
    asked: std::sync::Mutex<Option<Instant>>,
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
            capacity: Arc::new(Capacity::new(config.sessions_per_user, config.max_sessions)),
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
                capacity: Arc::clone(&self.capacity),
                slot: Mutex::new(Slot::Cold),
            })
        });
        Arc::clone(session)
    }

    /// Makes room for a session and gives it a seat, before it becomes live. The longest idle session is released when
    /// a limit stands in the way.
    ///
    /// # Errors
    /// 429 `session_limit_reached` or `capacity_reached` when every session is busy or waits for an approval.
    pub async fn admit(&self, session: &Session, account: &str) -> Result<(), Refusal> {
        let evict = |full| match full {
            Full::Account => self.release_longest_idle(Some(account)),
            Full::Server => self.release_longest_idle(None),
        };
        Ok(self.capacity.admit(&session.id, account, evict).await?)
    }

    /// Takes the rested session out, to run a turn: from the journal, under admission, if it is not live. `None` while a
    /// turn runs.
    ///
    /// # Errors
    /// 429 when there is no room; 503 `session_unavailable` when the store does not give the session back.
    pub async fn wake(
        &self,
        session: &Session,
        slot: &mut Slot,
        account: &str,
    ) -> Result<Option<Rested>, Refusal> {
        if matches!(slot, Slot::Cold) {
            self.admit(session, account).await?;
        }
        match slot.take(self, &session.id).await {
            Err(AppendError::Journal(error)) => {
                tracing::error!(session = %session.id, %error, "a session could not be restored");
                Err(Refusal(refusal::session_unavailable()))
            }
            taken => Ok(taken?),
        }
    }

    /// How many sessions are live.
    pub fn live(&self) -> usize {
        self.capacity.live()
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
        for row in self.journal.responses_of(id).await? {
            for entry in self.journal.entries(&row.id).await? {
                state.apply(&entry);
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
        self.capacity.free(id);
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Releases the runtime of sessions that have rested for long. They come back with the next request that names them.
    pub fn release_idle(&self) {
        for session in self.all() {
            let Some(mut slot) = session.try_slot() else {
                continue;
            };
            if matches!(&*slot, Slot::Resting { since, .. } if since.elapsed() >= self.idle) {
                session.let_go(&mut slot);
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

    /// Releases the session that has been idle for longest, of one account or of all; false when none is idle. One that
    /// waits for an approval is not idle.
    fn release_longest_idle(&self, account: Option<&str>) -> bool {
        let is_meant = |session: &Arc<Session>| {
            let holder = self.capacity.holder(&session.id);
            holder.is_some() && account.is_none_or(|account| holder.as_deref() == Some(account))
        };
        let mut idle: Vec<(Instant, Arc<Session>)> = self
            .all()
            .into_iter()
            .filter(is_meant)
            .filter_map(|session| {
                let since = session.try_slot()?.idle_since()?;
                Some((since, session))
            })
            .collect();
        idle.sort_by_key(|(since, _)| *since);
        idle.into_iter().any(|(_, session)| {
            // What has begun to act since is not idle any more.
            let slot = session.try_slot();
            let Some(mut slot) = slot.filter(|slot| slot.idle_since().is_some()) else {
                return false;
            };
            session.let_go(&mut slot);
            true
        })
    }

    /// Stops every turn, so that it pauses with `server_restart`, and releases every sandbox.
    pub async fn shut_down(&self, deadline: Duration) {
        let deadline = Instant::now() + deadline;
        for session in self.all() {
            session.slot().await.stop(StopReason::Shutdown);
        }
        for session in self.all() {
            while session.is_running().await && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let mut slot = session.slot().await;
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

    async fn is_running(&self) -> bool {
        matches!(*self.slot.lock().await, Slot::Running { .. })
    }

    /// Ends the sandbox and lets the journal keep the rest.
    async fn release(&self, slot: &mut Slot) {
        if let Some(tools) = slot.cool() {
            self.sandbox.stop(&tools).await;
        }
    }

    /// As [`Session::release`], without waiting for the sandbox's end, which may take the platform a while.
    fn let_go(&self, slot: &mut Slot) {
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
    fn idle_since(&self) -> Option<Instant> {
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
