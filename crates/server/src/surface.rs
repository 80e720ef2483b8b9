//! The HTTP edge: connections and heads, who calls, bodies in, problems and streams out, and the routes between.
//!
//! In: bytes of a client. Out: calls of the [`crate::sessions`], reads of the journal, and answers in the contract's form.
//! Nothing here decides what a turn does, and nothing reaches a stream that is not in the log.

pub(crate) mod accept;
pub(crate) mod auth;
pub(crate) mod body;
mod connection;
mod head;
mod json;
pub(crate) mod rate_limit;
pub(crate) mod refusal;
pub(crate) mod router;
mod routes;
mod stream;
pub(crate) mod view;
