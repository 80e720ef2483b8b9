//! The room where a model's commands run.
//!
//! Two halves meet here over one small HTTP protocol (the one of Hugging Face Jobs sandboxes):
//! [`server`] is the program inside the box (`ml-intern sandboxd`), [`client`] drives it from outside.
//! [`confine`] makes a box out of a process on this machine (`ml-intern confine …`), and [`local`] puts a
//! confined server into a fresh folder and hands out its client. [`entry::dispatch`] is what the executable
//! calls before anything else, so that it can become any of these.
//!
//! In come commands, files and limits; out come streams of output and bytes. Invariants: whatever runs inside is
//! hostile; a box never holds its maker's environment, files or tokens; no output is held in memory beyond small
//! fixed buffers; when the maker lets go of a box, or dies, everything in the box dies.

pub mod client;
pub mod confine;
pub mod entry;
mod error;
pub mod local;
pub mod server;
mod wire;

pub use error::SandboxError;
