//! When a delivery that failed is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);
/// The part of the delay that is left to chance: receivers that come back are not met by all at once.
const JITTER: f64 = 0.25;

/// The next attempt, in unix milliseconds, after one at `now_ms` that came after `failed_before` failed ones since
/// `failing_since_ms`. `chance` is in 0..1. `None`: it has been tried long enough.
pub(super) fn next_attempt(
    now_ms: u64,
    failed_before: u32,
    failing_since_ms: Option<u64>,
    chance: f64,
) -> Option<u64> {
    let failing = Duration::from_millis(now_ms.saturating_sub(failing_since_ms.unwrap_or(now_ms)));
    if failing >= GIVE_UP_AFTER {
        return None;
    }
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(failed_before).unwrap_or(u32::MAX));
    let delay = doubled.min(LONGEST).mul_f64(1.0 - JITTER * chance);
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    Some(now_ms.saturating_add(delay_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_five_minutes_and_end_after_a_day() {
        let after = |failed, chance| next_attempt(1000, failed, Some(0), chance);
        let delays: Vec<u64> = (0..12).map(|n| after(n, 0.0).unwrap() - 1000).collect();
        let seconds: Vec<u64> = delays.iter().map(|delay| delay / 1000).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(after(u32::MAX, 0.0), Some(301_000));
        assert_eq!(after(2, 1.0), Some(4000));
        let day = 24 * 3_600_000;
        assert!(next_attempt(day - 1, 300, Some(0), 0.5).is_some());
        assert_eq!(next_attempt(day, 300, Some(0), 0.5), None);
        assert_eq!(next_attempt(day, 0, None, 0.0), Some(day + 1000));
    }
}
