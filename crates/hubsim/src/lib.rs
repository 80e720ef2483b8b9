//! hubsim: the Hugging Face platform on one machine, for tests and demonstrations.
//!
//! What comes in: HTTP requests of any Hugging Face client (this project's own, the Python and JavaScript
//! ones) on one port: the Hub API at `/`, the inference router at `/v1`, exposed job ports under
//! `/jobs-proxy`, and the simulator's own controls under `/__sim`. What goes out: the platform's wire answers.
//! Models are scripted by scenario files; everything else is real: jobs run as confined local processes,
//! repositories keep real content with git object ids, money questions (402) and permissions (403) are asked.
//!
//! Invariants: a token is looked at and forgotten (no token is stored, recorded or logged; only account
//! names are); no job process outlives its job or the simulator; memory is bounded (logs and file content
//! live in the state folder); this crate shares no code with the clients that are tested against it.

mod body;
mod calls;
mod clock;
mod collections;
mod error;
mod faults;
mod identity;
mod ids;
mod jobs;
mod query;
mod repos;
mod router;
mod sim;
mod state;
mod token;
mod viewer;

pub use repos::kind::RepoKind;
pub use sim::{Sim, SimConfig};
