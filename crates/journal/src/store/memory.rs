//! The memory backend: everything works but replay and recovery after a restart.

mod outbox;

use super::{Commit, NewResponse, Outcomes, Phase, ResponseRow, SessionRow, StoredEvent};
use crate::{AppendError, Claim, Claimed, JournalError, Listing};
use outbox::Webhook;
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
    /// Those that exist, and the residues of deleted ones.
    responses: BTreeMap<ResponseId, Log>,
    claims: BTreeMap<String, Held>,
    settings: BTreeMap<String, String>,
}

struct Held {
    by: Claimed,
    expires_at: u64,
}

struct Log {
    row: ResponseRow,
    /// Position in the session.
    position: usize,
    events: Vec<StoredEvent>,
    metadata: Vec<(String, String)>,
    webhook: Option<Webhook>,
    /// Of a deleted response.
    residue: Option<String>,
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
        Ok(self.state().existing(id).map(|log| log.row.clone()))
    }

    pub fn responses_of(&self, session: &SessionId) -> Result<Vec<ResponseRow>, JournalError> {
        let history = self.history(session)?;
        let existing = history.into_iter().filter(|(_, residue)| residue.is_none());
        Ok(existing.map(|(row, _)| row).collect())
    }

    pub fn history(
        &self,
        session: &SessionId,
    ) -> Result<Vec<(ResponseRow, Option<String>)>, JournalError> {
        let state = self.state();
        let mut logs: Vec<&Log> = state.logs_of(session).collect();
        logs.sort_by_key(|log| log.position);
        let past = |log: &Log| (log.row.clone(), log.residue.clone());
        Ok(logs.into_iter().map(past).collect())
    }

    pub fn list(&self, listing: &Listing) -> Result<Vec<ResponseRow>, JournalError> {
        let state = self.state();
        let listed = state.existing_logs().filter(|log| is_listed(log, listing));
        let rows = listed.map(|log| &log.row);
        Ok(match listing.newest_first {
            true => rows.rev().take(listing.limit).cloned().collect(),
            false => rows.take(listing.limit).cloned().collect(),
        })
    }

    pub fn in_flight(&self) -> Result<Vec<ResponseRow>, JournalError> {
        Ok(self
            .state()
            .existing_logs()
            .map(|log| &log.row)
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

    pub fn claimed(&self, name: &str, now: u64) -> Result<Option<Claimed>, JournalError> {
        Ok(self.state().claimed(name, now).cloned())
    }

    pub fn purge_claims(&self, now: u64, limit: usize) -> Result<usize, JournalError> {
        let mut state = self.state();
        let expired = state
            .claims
            .iter()
            .filter(|(_, held)| held.expires_at <= now);
        let names: Vec<String> = expired.map(|(name, _)| name.clone()).take(limit).collect();
        for name in &names {
            state.claims.remove(name);
        }
        Ok(names.len())
    }

    pub fn delete(&self, id: &ResponseId, residue: String) -> Result<bool, JournalError> {
        let mut state = self.state();
        let Some(log) = state.responses.get_mut(id) else {
            return Ok(false);
        };
        if log.residue.is_some() || !log.row.phase.is_terminal() {
            return Ok(false);
        }
        log.residue = Some(residue);
        log.events = Vec::new();
        log.metadata = Vec::new();
        log.webhook = None;
        state.claims.retain(|_, held| held.by.response != *id);
        Ok(true)
    }

    /// There is none.
    pub fn scrub_log(&self) -> Result<(), JournalError> {
        Ok(())
    }

    pub fn delete_session(&self, id: &SessionId) -> Result<bool, JournalError> {
        let mut state = self.state();
        if state.logs_of(id).any(|log| log.residue.is_none()) {
            return Ok(false);
        }
        state.responses.retain(|_, log| log.row.session_id != *id);
        Ok(state.sessions.remove(id).is_some())
    }

    pub fn expired(&self, before: u64, limit: usize) -> Result<Vec<ResponseRow>, JournalError> {
        let state = self.state();
        let mut rows: Vec<&ResponseRow> = state
            .existing_logs()
            .map(|log| &log.row)
            .filter(|row| row.phase.is_terminal() && row.created_at < before)
            .collect();
        rows.sort_by_key(|row| row.created_at);
        Ok(rows.into_iter().take(limit).cloned().collect())
    }

    pub fn empty_sessions(&self) -> Result<Vec<SessionId>, JournalError> {
        let state = self.state();
        let ids = state.sessions.keys();
        let empty = ids.filter(|id| state.logs_of(id).all(|log| log.residue.is_some()));
        Ok(empty.cloned().collect())
    }

    pub fn setting(&self, name: &str) -> Result<Option<String>, JournalError> {
        Ok(self.state().settings.get(name).cloned())
    }

    pub fn set_setting_once(&self, name: &str, value: &str) -> Result<String, JournalError> {
        let mut state = self.state();
        let kept = state.settings.entry(name.to_owned());
        Ok(kept.or_insert_with(|| value.to_owned()).clone())
    }

    pub fn ping(&self) -> Result<(), JournalError> {
        Ok(())
    }
}

fn is_listed(log: &Log, listing: &Listing) -> bool {
    let row = &log.row;
    let is_behind = |after: &ResponseId| match listing.newest_first {
        true => row.id < *after,
        false => row.id > *after,
    };
    row.owner == listing.owner
        && listing.after.as_ref().is_none_or(is_behind)
        && listing
            .session
            .as_ref()
            .is_none_or(|id| row.session_id == *id)
        && listing
            .phases
            .as_ref()
            .is_none_or(|phases| phases.contains(&row.phase))
        && listing
            .metadata
            .iter()
            .all(|pair| log.metadata.contains(pair))
}

impl State {
    fn existing(&self, id: &ResponseId) -> Option<&Log> {
        self.responses.get(id).filter(|log| log.residue.is_none())
    }

    fn existing_logs(&self) -> impl DoubleEndedIterator<Item = &Log> {
        self.responses.values().filter(|log| log.residue.is_none())
    }

    fn claimed(&self, name: &str, now: u64) -> Option<&Claimed> {
        let held = self.claims.get(name).filter(|held| held.expires_at > now);
        held.map(|held| &held.by)
    }

    fn take_claims(&mut self, claims: Vec<Claim>, response: &ResponseId) {
        for claim in claims {
            let by = Claimed {
                response: response.clone(),
                fingerprint: claim.fingerprint,
            };
            let expires_at = claim.expires_at;
            self.claims.insert(claim.name, Held { by, expires_at });
        }
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
        if let Some(webhook) = &mut log.webhook {
            webhook.tell(&commit);
        }
        log.events.extend(commit.events);
        Ok(())
    }

    fn create(&mut self, new: NewResponse, commit: &Commit) -> Result<(), AppendError> {
        commit.check_order(0)?;
        let mut exclusive = new.claims.iter().filter(|claim| claim.is_exclusive);
        if let Some(taken) = exclusive.find_map(|claim| self.claimed(&claim.name, new.created_at)) {
            return Err(AppendError::Taken(taken.clone()));
        }
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
            metadata: new.metadata,
            webhook: new.webhook.map(Webhook::new),
            residue: None,
        };
        self.take_claims(new.claims, &commit.response);
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
