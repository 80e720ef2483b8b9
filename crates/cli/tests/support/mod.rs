//! The server and the simulated platform as processes, and a bare HTTP client: what the integration tests share.
//!
//! Nothing here knows the server's insides; it speaks HTTP and reads bytes.

#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used)]

mod client;
mod process;
mod processes;
mod refusal;
mod rng;
mod sim;
mod stream;
mod wellformed;

pub use client::Client;
pub use process::{ServeOptions, Server, Sim};
pub use processes::Processes;
pub use refusal::{Answer, UNKNOWN, create, refused, stored};
pub use rng::Rng;
pub use stream::{RawEvent, RawStream, parse_frames};
pub use wellformed::{check_log, held_for_jobs, named};

use std::time::{Duration, Instant};

/// The longest that any condition is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until `check` gives something.
///
/// # Panics
/// After [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut check: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A task that carries its own scenario for the scripted model.
pub fn scripted(task: &str, scenario: &str) -> String {
    format!("{task}\n```scenario\n{scenario}\n```")
}

/// A simulator, a server with default options, and a client of the account alice.
pub async fn bench() -> (Sim, Server, Client) {
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

/// Dollars as they come over the wire, in micro-dollars.
pub fn micro(usd: &serde_json::Value) -> i64 {
    (usd.as_f64().unwrap() * 1e6).round() as i64
}
