//! The client against small servers that speak real HTTP on loopback, well and badly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests are not seen as tests"
)]

mod catalogue;
mod chat;
mod collections;
mod fake;
mod follow;
mod hub;
mod jobs;
mod redirects;
mod trouble;
mod waiting;
