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
    responses: BTreeMap<ResponseId, (ResponseRow, Vec<StoredEvent>)>,
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
        Ok(self.state().responses.get(id).map(|(row, _)| row.clone()))
    }

    pub fn responses_of(&self, session: &SessionId) -> Result<Vec<ResponseRow>, JournalError> {
        let state = self.state();
        Ok(state
            .rows()
            .filter(|row| row.session_id == *session)
            .cloned()
            .collect())
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
        let Some((_, events)) = state.responses.get(response) else {
            return Ok(Vec::new());
        };
        let from = usize::try_from(from)
            .unwrap_or(usize::MAX)
            .min(events.len());
        let mut bytes = 0;
        let page = events[from..].iter().take(limit).take_while(|event| {
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
        self.responses.values().map(|(row, _)| row)
    }

    fn commit(&mut self, commit: Commit) -> Result<(), AppendError> {
        match commit.create.clone() {
            Some(new) => self.create(new, &commit)?,
            None => self.check(&commit)?,
        }
        let last = commit.last_seq();
        let (row, events) = self
            .responses
            .get_mut(&commit.response)
            .ok_or(AppendError::Unknown)?;
        row.head = last;
        row.phase = commit.phase.unwrap_or(row.phase);
        events.extend(commit.events);
        Ok(())
    }

    fn create(&mut self, new: NewResponse, commit: &Commit) -> Result<(), AppendError> {
        let open = self
            .rows()
            .find(|row| row.session_id == commit.session && (row.phase as i64) <= 2);
        match open.map(|row| row.phase) {
            Some(Phase::AwaitingApproval) => return Err(AppendError::ApprovalPending),
            Some(_) => return Err(AppendError::Busy),
            None => {}
        }
        if new.opens_session {
            let row = SessionRow {
                id: commit.session.clone(),
                owner: new.owner.clone(),
                fence: commit.fence,
                created_at: new.created_at,
            };
            self.sessions.insert(row.id.clone(), row);
        }
        self.check_fence(commit)?;
        let row = ResponseRow {
            id: commit.response.clone(),
            session_id: commit.session.clone(),
            owner: new.owner,
            phase: Phase::Queued,
            head: 0,
            created_at: new.created_at,
        };
        self.responses.insert(row.id.clone(), (row, Vec::new()));
        Ok(())
    }

    fn check(&self, commit: &Commit) -> Result<(), AppendError> {
        self.check_fence(commit)?;
        let (row, _) = self
            .responses
            .get(&commit.response)
            .ok_or(AppendError::Unknown)?;
        if row.head + 1 != commit.first_seq() || row.phase.is_terminal() {
            return Err(AppendError::OutOfOrder);
        }
        Ok(())
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
