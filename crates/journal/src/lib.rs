//! The journal: every response's append-only event log, and the only truth.
//!
//! A turn appends [`Entry`]s under a [`Lease`]; readers follow [`Frame`]s, each at its own pace. An append returns after
//! its events are durable, and only then does the head move, so no reader ever sees an event that a crash can lose (I1).
//! Sequence numbers are 0, 1, 2 … without a gap per response (I2), checked again by the store. An append under an old
//! fencing number is refused (I6). Recent frames are shared in memory, older ones come from the store; a slow reader
//! holds a number, not a queue (I10).
//!
//! Folds live with their types: the response object in `protocol`, the [`Ledger`] here, the transcript in `agent`.

mod claim;
mod entry;
mod error;
mod follow;
mod frame;
mod journal;
mod ledger;
mod listing;
mod private;
mod residue;
mod store;
mod tail;
mod tails;
mod webhook;
mod writer;

pub use claim::{Claim, Claimed};
pub use entry::Entry;
pub use error::{AppendError, JournalError};
pub use follow::Follower;
pub use frame::Frame;
pub use journal::{Journal, Lease, Past};
pub use ledger::{Ledger, LedgerOp, Reservation, Shortfall};
pub use listing::Listing;
pub use private::{
    AssistantTurn, CallRecord, Compaction, Doubt, Inherited, Private, Resource, ResourceKind,
    Submission, ToolResult,
};
pub use residue::Residue;
pub use store::{NewResponse, Phase, ResponseRow, SessionRow};
pub use webhook::{DueLimits, NewWebhook, WebhookFailure, WebhookRow, WebhookState};
