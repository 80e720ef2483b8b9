//! Live sessions: what holds a token, a sandbox and folded state in memory. Always rebuildable from the journal and the
//! caller's token.

mod cancel;
mod capacity;
mod deletion;
mod end;
mod fork;
mod given_tools;
pub(crate) mod idempotency;
pub(crate) mod object;
pub(crate) mod recovery;
pub(crate) mod resources;
mod running;
mod session;
pub(crate) mod turns;

use crate::config::Config;
use crate::sessions::capacity::{Capacity, Full};
pub(crate) use crate::sessions::session::{Rested, Session, Slot};
use crate::surface::auth::Caller;
use crate::surface::refusal::{self, Refusal};
use agent::{Agent, SessionState, Settings, StopReason};
use journal::{AppendError, Journal, JournalError, Lease, Past, ResponseRow};
use platform::Platform;
use platform::public::PublicHttp;
use protocol::{MicroUsd, ResponseId, SessionId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tools::{McpServers, Sandbox, SandboxSettings, ToolSession, Toolbox};

/// All live sessions of this process.
pub(crate) struct Sessions {
    pub journal: Journal,
    pub agent: Agent,
    pub default_cap: MicroUsd,
    pub platform: Platform,
    /// For addresses that callers name.
    public: PublicHttp,
    sandboxes: SandboxSettings,
    idle: Duration,
    capacity: Arc<Capacity>,
    /// Sessions that are live, or that a request names now. A plain mutex: map operations only.
    live: std::sync::Mutex<HashMap<SessionId, Arc<Session>>>,
}

impl Sessions {
    pub fn new(
        config: &Config,
        journal: Journal,
        platform: Platform,
        http: reqwest::Client,
        public: PublicHttp,
    ) -> Self {
        let agent = Agent {
            platform: platform.clone(),
            toolbox: Toolbox::default(),
            settings: Settings {
                max_iterations: config.max_iterations,
            },
        };
        Self {
            journal,
            agent,
            default_cap: config.default_cap,
            platform,
            public,
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
            let sandbox = Sandbox::new(self.sandboxes.clone(), id.clone());
            Arc::new(Session::cold(
                id.clone(),
                sandbox,
                Arc::clone(&self.capacity),
            ))
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

    pub fn is_live(&self, id: &SessionId) -> bool {
        self.capacity.has_seat(id)
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
        Ok(Rested {
            lease,
            state: self.folded(id).await?,
            tools: None,
        })
    }

    /// A session's state as its log has it now. Needs no lease, and so tells nothing about who may append.
    pub async fn folded(&self, id: &SessionId) -> Result<SessionState, JournalError> {
        self.folded_until(id, None).await
    }

    /// As [`Sessions::folded`], up to and including one of its responses.
    pub async fn folded_until(
        &self,
        id: &SessionId,
        last: Option<&ResponseId>,
    ) -> Result<SessionState, JournalError> {
        let mut state = SessionState::new(self.default_cap);
        for past in self.journal.history(id).await? {
            match past {
                Past::Kept(row) => {
                    let entries = self.journal.entries(&row.id).await?;
                    entries.iter().for_each(|entry| state.apply(entry));
                    if last == Some(&row.id) {
                        break;
                    }
                }
                Past::Deleted(residue) => state.apply_residue(&residue),
            }
        }
        Ok(state)
    }

    /// The session with this id, if this process has it in its hands.
    pub fn find(&self, id: &SessionId) -> Option<Arc<Session>> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.get(id).cloned()
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
                session.sandbox(),
                self.mcp_servers(rested),
            )),
        }
    }

    /// The MCP servers of the session's requests; they stay although the token has changed.
    fn mcp_servers(&self, rested: &Rested) -> Arc<McpServers> {
        match &rested.tools {
            Some(tools) => Arc::clone(&tools.mcp),
            None => Arc::new(McpServers::new(self.public.clone())),
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
                    .try_slot()
                    .is_some_and(|slot| matches!(*slot, Slot::Cold))
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

    /// How many turns run now; one that begins or ends in this moment may be missed.
    pub fn running(&self) -> usize {
        let all = self.all();
        let runs = |session: &&Arc<Session>| {
            session
                .try_slot()
                .is_some_and(|slot| matches!(*slot, Slot::Running { .. }))
        };
        all.iter().filter(runs).count()
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
