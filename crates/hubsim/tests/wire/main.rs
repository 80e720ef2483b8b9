//! The simulator as a client on the network sees it.

mod bench;
mod chat;
mod controls;
mod jobs;
mod proxy;
mod repos;
