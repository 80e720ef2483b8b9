//! Where entries are kept. Two backends behind one type; PostgreSQL is to be a third, with nothing above it changed.

mod memory;
mod rows;
mod sqlite;

pub(crate) use rows::{Commit, StoredEvent};
pub use rows::{NewResponse, Phase, ResponseRow, SessionRow};

use crate::{AppendError, JournalError};
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

    /// An owner's responses, newest first, those before `before`.
    pub async fn responses_by(
        &self,
        owner: &str,
        before: Option<&ResponseId>,
        limit: usize,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        dispatch!(self, responses_by(owner, before, limit))
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
