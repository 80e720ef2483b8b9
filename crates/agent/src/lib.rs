//! The turn: the running state machine that produces one response's events.
//!
//! In: a session's folded state, the caller's token (inside its tools' session) and how to start. Out: events, through a
//! [`Recorder`] and nothing else. Every effect is bracketed: its intent is durable, with its reservation, before it
//! starts, and its outcome is durable before the next one starts. Live execution and replay share one fold
//! ([`SessionState::apply`]), so a turn can go on from any point of its log.
//!
//! Invariants: every tool call gets exactly one result; no model call starts after an interrupt; money is reserved before
//! it can be spent; whatever happens, the response ends terminal or paused with a reason (I7).

mod adopt;
mod budget;
mod collection;
mod compaction;
mod dispatch;
mod draft;
mod guards;
mod model_step;
mod offered;
mod prompt;
mod recorder;
mod relay;
#[cfg(test)]
mod restart;
mod resume;
mod retry;
mod scrub;
mod settle;
mod state;
mod stop;
mod stop_jobs;
mod transcript;
mod turn;
mod work;

pub use draft::Draft;
pub use recorder::{Recorder, Submit};
pub use scrub::{decision_without_token, without_token};
pub use state::{Decision, SessionState};
pub use stop::{Stop, StopReason};
pub use turn::{Rest, Start};
pub use work::{Agent, Settings};
