//! HTTP to addresses that a caller or a model names: webhooks, MCP servers. Everything that is not a public address is
//! refused, so nobody uses this server to reach its own machine, its network or its cloud's metadata service.
//!
//! The guard sits where it cannot be talked past. An address in the URL itself is checked before anything is sent, after
//! the URL was parsed the way it will be used (`0x7f.1` is 127.0.0.1 by then). A name is checked by the resolver of the
//! very connection: the addresses that it hands on are the ones connected to, so a name that answers differently the
//! second time gains nothing. Redirects are not followed and no proxy is used: both would leave the guard behind.
//!
//! The operator may except hosts ([`Allowed`]).

mod address;
mod allowed;
mod body;
mod client;
mod error;
mod resolver;

pub use address::is_public;
pub use allowed::{Allowed, BadException};
pub use body::read_capped;
pub use client::PublicHttp;
pub use error::PublicError;
