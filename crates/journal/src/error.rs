//! What can go wrong with the journal.

use crate::Claimed;

/// Why an append did not happen. Nothing of it is in the log then, except that a store which fails or shuts down
/// ([`AppendError::Journal`]) cannot always tell: a later append then finds out ([`AppendError::OutOfOrder`]).
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Another writer holds a newer lease on the session: stop, do not retry.
    #[error("another writer owns this session now")]
    Fenced,
    /// The events do not follow the response's head.
    #[error("the events do not follow the head of the log")]
    OutOfOrder,
    /// The session has a queued or running response.
    #[error("the session is processing another response")]
    Busy,
    /// The session has a response that waits for an approval.
    #[error("the session waits for an approval")]
    ApprovalPending,
    /// Another response has one of the names that this one claims.
    #[error("another response was made for this request")]
    Taken(Claimed),
    /// No such session or response.
    #[error("no such session or response")]
    Unknown,
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The store failed, or holds what this version cannot read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    #[error("the event store failed: {0}")]
    Store(String),
    #[error("the event store holds an entry that cannot be read: {0}")]
    Corrupt(String),
    #[error("the event store has shut down")]
    Closed,
    /// The response was deleted while it was read.
    #[error("the response was deleted")]
    Deleted,
    #[error("`{0}` is not a store; use `sqlite:PATH` or `memory`")]
    UnknownStore(String),
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<serde_json::Error> for JournalError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
