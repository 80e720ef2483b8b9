//! The simulator as a client on the network sees it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod bench;
mod chat;
mod collections;
mod controls;
mod jobs;
mod proxy;
mod repos;
mod viewer;
