//! What the tests of this crate share: the trial binary, waiting with a deadline, looking at processes.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs;
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

pub mod served;

pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn exe() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sandbox-trial"))
}

/// Polls until the condition holds; fails the test after twenty seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether any living process has `mark` among its arguments.
pub fn running(mark: &str) -> bool {
    !pids(mark).is_empty()
}

pub fn pids(mark: &str) -> Vec<i32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0)
                .any(|arg| arg == mark.as_bytes())
        })
        .collect()
}

/// A text no other process has among its arguments.
pub fn mark() -> String {
    format!("{}.{}", 100_000 + rand(), rand())
}

fn rand() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}
