//! The `ml-intern` command: everything a person types and sees.
//!
//! Each subcommand is a file in [`commands`]. They speak HTTP to a server through [`client`] and show
//! runs through [`screen`]; only [`embed`] knows the server and the simulator as libraries, for
//! `serve`, `sim`, `demo` and a `run` without a server. Invariants: text from outside is cleaned before
//! it reaches the terminal ([`clean`]); the token is read from the environment and goes nowhere but
//! into the client; exit codes are those of [`exit::Exit`].

pub mod attend;
pub mod clean;
pub mod client;
pub mod commands;
pub mod embed;
pub mod exit;
pub mod interrupt;
pub mod remote;
pub mod screen;
