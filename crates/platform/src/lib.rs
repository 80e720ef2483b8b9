//! Hugging Face over HTTP, typed in and out: who a token belongs to, which models are offered at
//! what price, chat completions through the inference router, Jobs, and repository facts.
//!
//! **In:** a [`Token`] for each call (the crate keeps none between calls), ids and specs in our own
//! types.
//! **Out:** our own types, or a [`PlatformError`] whose [`ErrorKind`] says what a caller may do
//! about it.
//!
//! Invariants:
//! - A token goes to the base URLs of the hub, the router and the dataset viewer only. A redirect to another origin is not
//!   followed by any call that carries a token, and a token never appears in an error, a log line
//!   or `Debug` output.
//! - Every wait has a deadline ([`Deadlines`]) and every buffer a bound: JSON answers, stream
//!   events, arguments, log lines.
//! - What comes back is untrusted. Wrong shapes become [`ErrorKind::Garbage`] or are left out; they
//!   never panic.
//! - Reads are retried at most twice. What creates something is repeated only when it is known not
//!   to have happened.
//! - What a caller or a model names is reached through [`public`] only: public addresses, no redirects.
//! - Money is integer micro-dollars, rounded up.

mod answer;
mod catalogue;
mod chat;
mod client;
mod collections;
mod dataset_viewer;
mod deadlines;
mod decimal;
mod endpoints;
mod error;
mod identity;
mod jobs;
mod page_link;
pub mod public;
mod repos;
mod segment;
mod snapshot;
mod sse;
mod token;

pub use catalogue::Offer;
pub use chat::{
    CallAssembler, ChatDelta, ChatMessage, ChatRequest, ChatStream, ContentPart, ToolCall,
    ToolCallDelta, ToolSpec, Usage,
};
pub use client::Platform;
pub use collections::{Collection, CollectionItem};
pub use dataset_viewer::{Column, ColumnStatistics, Rows, Split, SplitSize};
pub use deadlines::Deadlines;
pub use endpoints::Endpoints;
pub use error::{ErrorKind, PlatformError};
pub use identity::{AccountKind, Identity, Plan};
pub use jobs::{Hardware, Job, JobFilter, JobFollower, JobSpec, JobUpdate, Stage};
pub use repos::{RepoInfo, RepoKind};
pub use token::Token;
