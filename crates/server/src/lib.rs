//! The HTTP surface and the life of sessions.
//!
//! In: HTTP requests with a Hugging Face token. Out: the response object, event streams, or one [`protocol::Problem`]
//! mapped to HTTP in one place. A route checks, asks the [`sessions`] to act, and reads the journal; it never writes to a
//! stream what is not in the log. The token is held by a live session, in memory only.

mod app;
mod config;
mod docs;
mod metrics;
mod models;
mod openapi;
mod serve;
mod sessions;
mod surface;
mod webhooks;

pub use config::{Config, Model, SandboxKind};
pub use serve::{Server, StartError};
pub use webhooks::{BadSecret, WebhookSecret};
