//! The HTTP surface and the life of sessions.
//!
//! In: HTTP requests with a Hugging Face token. Out: the response object, event streams, or one [`protocol::Problem`]
//! mapped to HTTP in one place. A route checks, asks the [`sessions`] to act, and reads the journal; it never writes to a
//! stream what is not in the log. The token is held by a live session, in memory only.

mod accept;
mod app;
mod auth;
mod body;
mod cancel;
mod capacity;
mod config;
mod connection;
mod deletion;
mod docs;
mod fork;
mod given_tools;
mod head;
mod idempotency;
mod json;
mod metrics;
mod models;
mod openapi;
mod rate_limit;
mod recovery;
mod refusal;
mod resources;
mod router;
mod routes;
mod running;
mod serve;
mod session;
mod session_end;
mod session_object;
mod sessions;
mod stream;
mod turns;
mod view;
mod webhooks;

pub use config::{Config, Model, SandboxKind};
pub use serve::{Server, StartError};
pub use webhooks::{BadSecret, WebhookSecret};
