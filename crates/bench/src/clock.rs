//! The one clock: nanoseconds since the first look at it.

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds on a monotonic clock that the whole process shares.
pub fn now() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let since = ORIGIN.get_or_init(Instant::now).elapsed();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
