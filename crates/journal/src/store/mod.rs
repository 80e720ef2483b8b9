//! Where entries are kept. Two backends behind one type; PostgreSQL is to be a third, with nothing above it changed.

mod memory;
mod rows;
mod sqlite;

pub(crate) use rows::{Commit, StoredEvent};
pub use rows::{NewResponse, Phase, ResponseRow, SessionRow};

use crate::{AppendError, Claimed, DueLimits, JournalError, Listing, WebhookFailure, WebhookRow};
use protocol::{ResponseId, SessionId};

/// What a batch of commits came to, one outcome each, in order.
pub(crate) type Outcomes = Vec<Result<(), AppendError>>;

pub(crate) enum Store {
    Memory(memory::MemoryStore),
    Sqlite(sqlite::SqliteStore),
}

/// Calls the same method on whichever backend it is.
macro_rules! dispatch {
    ($store:expr, $method:ident ( $($argument:expr),* )) => {
        match $store {
            Store::Memory(store) => store.$method($($argument),*),
            Store::Sqlite(store) => store.$method($($argument),*).await,
        }
    };
}

impl Store {
    /// Opens `memory` or `sqlite:PATH`.
    pub async fn open(url: &str) -> Result<Self, JournalError> {
        match url.split_once(':') {
            None if url == "memory" => Ok(Self::Memory(memory::MemoryStore::default())),
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::Sqlite(sqlite::SqliteStore::open(path).await?))
            }
            _ => Err(JournalError::UnknownStore(url.to_owned())),
        }
    }

    /// Makes a batch durable in one transaction. A commit that is refused leaves the others untouched.
    pub async fn commit(&self, batch: Vec<Commit>) -> Result<Outcomes, JournalError> {
        dispatch!(self, commit(batch))
    }

    /// Raises a session's fencing number and returns it; `None` for an unknown session.
    pub async fn raise_fence(&self, session: &SessionId) -> Result<Option<u64>, JournalError> {
        dispatch!(self, raise_fence(session))
    }

    pub async fn session(&self, id: &SessionId) -> Result<Option<SessionRow>, JournalError> {
        dispatch!(self, session(id))
    }

    pub async fn response(&self, id: &ResponseId) -> Result<Option<ResponseRow>, JournalError> {
        dispatch!(self, response(id))
    }

    /// A session's responses, oldest first.
    pub async fn responses_of(
        &self,
        session: &SessionId,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        dispatch!(self, responses_of(session))
    }

    /// A session's responses with the deleted ones, oldest first; of those, the residue.
    pub async fn history(
        &self,
        session: &SessionId,
    ) -> Result<Vec<(ResponseRow, Option<String>)>, JournalError> {
        dispatch!(self, history(session))
    }

    pub async fn list(&self, listing: &Listing) -> Result<Vec<ResponseRow>, JournalError> {
        dispatch!(self, list(listing))
    }

    /// Who has a name at this time (unix seconds).
    pub async fn claimed(&self, name: &str, now: u64) -> Result<Option<Claimed>, JournalError> {
        dispatch!(self, claimed(name, now))
    }

    /// Forgets expired claims, at most `limit`, and returns how many.
    pub async fn purge_claims(&self, now: u64, limit: usize) -> Result<usize, JournalError> {
        dispatch!(self, purge_claims(now, limit))
    }

    /// Replaces a terminal response by its residue; `false` when there is no such response.
    pub async fn delete(&self, id: &ResponseId, residue: String) -> Result<bool, JournalError> {
        dispatch!(self, delete(id, residue))
    }

    /// Makes deleted text unreadable wherever the backend still has copies.
    pub async fn scrub_log(&self) -> Result<(), JournalError> {
        dispatch!(self, scrub_log())
    }

    /// Removes a session all of whose responses are deleted; `false` when one is not.
    pub async fn delete_session(&self, id: &SessionId) -> Result<bool, JournalError> {
        dispatch!(self, delete_session(id))
    }

    /// Terminal responses created before this time (unix seconds), oldest first.
    pub async fn expired(
        &self,
        before: u64,
        limit: usize,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        dispatch!(self, expired(before, limit))
    }

    /// Sessions all of whose responses are deleted.
    pub async fn empty_sessions(&self) -> Result<Vec<SessionId>, JournalError> {
        dispatch!(self, empty_sessions())
    }

    pub async fn webhooks_due(
        &self,
        now_ms: u64,
        most: DueLimits,
    ) -> Result<Vec<WebhookRow>, JournalError> {
        dispatch!(self, webhooks_due(now_ms, most))
    }

    pub async fn webhooks_next_due(&self, now_ms: u64) -> Result<Option<u64>, JournalError> {
        dispatch!(self, webhooks_next_due(now_ms))
    }

    pub async fn webhooks_of(&self, session: &SessionId) -> Result<Vec<WebhookRow>, JournalError> {
        dispatch!(self, webhooks_of(session))
    }

    /// The first event from `from` on with one of these names.
    pub async fn webhook_event(
        &self,
        response: &ResponseId,
        from: u64,
        names: &[String],
    ) -> Result<Option<StoredEvent>, JournalError> {
        dispatch!(self, webhook_event(response, from, names))
    }

    pub async fn webhook_delivered(
        &self,
        response: &ResponseId,
        seq: u64,
        status: u16,
    ) -> Result<(), JournalError> {
        dispatch!(self, webhook_delivered(response, seq, status))
    }

    pub async fn webhook_failed(
        &self,
        response: &ResponseId,
        failure: WebhookFailure,
    ) -> Result<(), JournalError> {
        dispatch!(self, webhook_failed(response, failure))
    }

    pub async fn setting(&self, name: &str) -> Result<Option<String>, JournalError> {
        dispatch!(self, setting(name))
    }

    pub async fn set_setting_once(&self, name: &str, value: &str) -> Result<String, JournalError> {
        dispatch!(self, set_setting_once(name, value))
    }

    /// Responses that were queued or running when the process that wrote them ended.
    pub async fn in_flight(&self) -> Result<Vec<ResponseRow>, JournalError> {
        dispatch!(self, in_flight())
    }

    /// Events from `from` on: at most `limit`, and no more after `most_bytes` of bodies.
    pub async fn events(
        &self,
        response: &ResponseId,
        from: u64,
        limit: usize,
        most_bytes: usize,
    ) -> Result<Vec<StoredEvent>, JournalError> {
        dispatch!(self, events(response, from, limit, most_bytes))
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), JournalError> {
        dispatch!(self, ping())
    }
}
