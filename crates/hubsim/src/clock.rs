//! Wall-clock time as the Hub writes it.

use jiff::Timestamp;

/// `2026-11-23T19:03:06.548Z`, the form of every time in the Hub API.
pub fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `2026-11-23 19:03:06`, the form used in a job's first log line.
pub fn plain(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Whole seconds from `start` to `end`; a started second counts, and time never runs backwards.
pub fn seconds_between(start: Timestamp, end: Timestamp) -> u64 {
    let millis = end.as_millisecond() - start.as_millisecond();
    u64::try_from(millis).unwrap_or(0).div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_milliseconds_and_counts_started_seconds() {
        let at = Timestamp::from_millisecond(1_700_000_000_005).unwrap();
        assert_eq!(iso(at), "2023-11-14T22:13:20.005Z");
        assert_eq!(plain(at), "2023-11-14 22:13:20");
        let later = Timestamp::from_millisecond(1_700_000_001_006).unwrap();
        assert_eq!(seconds_between(at, later), 2);
        assert_eq!(seconds_between(later, at), 0);
    }
}
