//! The memory backend: everything works but replay and recovery after a restart.

use super::{Commit, NewResponse, Outcomes, Phase, ResponseRow, SessionRow, StoredEvent};
use crate::{AppendError, JournalError};
use protocol::{ResponseId, SessionId};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct MemoryStore {
    // A plain mutex: held only for map operations, never across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<SessionId, SessionRow>,
    responses: BTreeMap<ResponseId, Log>,
}

struct Log {
    row: ResponseRow,
    /// Position in the session.
    position: usize,
    events: Vec<StoredEvent>,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn commit(&self, batch: Vec<Commit>) -> Result<Outcomes, JournalError> {
        let mut state = self.state();
        Ok(batch
            .into_iter()
            .map(|commit| state.commit(commit))
            .collect())
    }

    pub fn raise_fence(&self, session: &SessionId) -> Result<Option<u64>, JournalError> {
        Ok(self.state().sessions.get_mut(session).map(|row| {
            row.fence += 1;
            row.fence
        }))
    }

    pub fn session(&self, id: &SessionId) -> Result<Option<SessionRow>, JournalError> {
        Ok(self.state().sessions.get(id).cloned())
    }

    pub fn response(&self, id: &ResponseId) -> Result<Option<ResponseRow>, JournalError> {
        Ok(self.state().responses.get(id).map(|log| log.row.clone()))
    }

    pub fn responses_of(&self, session: &SessionId) -> Result<Vec<ResponseRow>, JournalError> {
        let state = self.state();
        let mut logs: Vec<&Log> = state.logs_of(session).collect();
        logs.sort_by_key(|log| log.position);
        Ok(logs.into_iter().map(|log| log.row.clone()).collect())
    }

    pub fn responses_by(
        &self,
        owner: &str,
        before: Option<&ResponseId>,
        limit: usize,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        let state = self.state();
        let rows = state.rows().rev().filter(|row| row.owner == owner);
        let older = rows.filter(|row| before.is_none_or(|before| row.id < *before));
        Ok(older.take(limit).cloned().collect())
    }

    pub fn in_flight(&self) -> Result<Vec<ResponseRow>, JournalError> {
        Ok(self
            .state()
            .rows()
            .filter(|row| row.phase.is_in_flight())
            .cloned()
            .collect())
    }

    pub fn events(
        &self,
        response: &ResponseId,
        from: u64,
        limit: usize,
        most_bytes: usize,
    ) -> Result<Vec<StoredEvent>, JournalError> {
        let state = self.state();
        let Some(log) = state.responses.get(response) else {
            return Ok(Vec::new());
        };
        let from = usize::try_from(from)
            .unwrap_or(usize::MAX)
            .min(log.events.len());
        let mut bytes = 0;
        let page = log.events[from..].iter().take(limit).take_while(|event| {
            let fits = bytes < most_bytes;
            bytes += event.body.len();
            fits
        });
        Ok(page.cloned().collect())
    }

    pub fn ping(&self) -> Result<(), JournalError> {
        Ok(())
    }
}

impl State {
    fn rows(&self) -> impl DoubleEndedIterator<Item = &ResponseRow> {
        self.responses.values().map(|log| &log.row)
    }

    fn logs_of(&self, session: &SessionId) -> impl Iterator<Item = &Log> {
        self.responses
            .values()
            .filter(move |log| log.row.session_id == *session)
    }

    /// Refuses before it changes anything.
    fn commit(&mut self, commit: Commit) -> Result<(), AppendError> {
        match commit.create.clone() {
            Some(new) => self.create(new, &commit)?,
            None => self.check(&commit)?,
        }
        let last = commit.last_seq();
        let log = self
            .responses
            .get_mut(&commit.response)
            .ok_or(AppendError::Unknown)?;
        log.row.head = last;
        log.row.phase = commit.phase.unwrap_or(log.row.phase);
        log.events.extend(commit.events);
        Ok(())
    }

    fn create(&mut self, new: NewResponse, commit: &Commit) -> Result<(), AppendError> {
        commit.check_order(0)?;
        self.check_free(commit)?;
        if !new.opens_session || self.sessions.contains_key(&commit.session) {
            self.check_fence(commit)?;
        }
        if self.responses.contains_key(&commit.response) {
            return Err(AppendError::OutOfOrder);
        }
        if new.opens_session {
            self.sessions
                .entry(commit.session.clone())
                .or_insert_with(|| SessionRow {
                    id: commit.session.clone(),
                    owner: new.owner.clone(),
                    fence: commit.fence,
                    created_at: new.created_at,
                });
        }
        let log = Log {
            row: ResponseRow {
                id: commit.response.clone(),
                session_id: commit.session.clone(),
                owner: new.owner,
                phase: Phase::Queued,
                head: 0,
                created_at: new.created_at,
            },
            position: self.logs_of(&commit.session).count(),
            events: Vec::new(),
        };
        self.responses.insert(commit.response.clone(), log);
        Ok(())
    }

    fn check(&self, commit: &Commit) -> Result<(), AppendError> {
        self.check_fence(commit)?;
        let row = self
            .responses
            .get(&commit.response)
            .map(|log| &log.row)
            .filter(|row| row.session_id == commit.session)
            .ok_or(AppendError::Unknown)?;
        if row.phase.is_terminal() {
            return Err(AppendError::OutOfOrder);
        }
        commit.check_order(row.head + 1)?;
        if commit.opens() && !row.phase.is_open() {
            self.check_free(commit)?;
        }
        Ok(())
    }

    /// Refuses while the session has an open response.
    fn check_free(&self, commit: &Commit) -> Result<(), AppendError> {
        self.logs_of(&commit.session)
            .find_map(|log| log.row.phase.conflict())
            .map_or(Ok(()), Err)
    }

    fn check_fence(&self, commit: &Commit) -> Result<(), AppendError> {
        let session = self
            .sessions
            .get(&commit.session)
            .ok_or(AppendError::Unknown)?;
        if session.fence == commit.fence {
            Ok(())
        } else {
            Err(AppendError::Fenced)
        }
    }
}
