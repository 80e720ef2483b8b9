//! Times and money for people.

use std::time::Duration;

/// `0.4s`, `12s`, `1m05s`, `2h03m`.
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `$0.0042`, `$1.50`: cents, or as many digits as a small amount needs.
pub fn usd(amount: f64) -> String {
    if amount == 0.0 || amount.abs() >= 0.1 {
        format!("${amount:.2}")
    } else {
        format!("${amount:.4}")
    }
}

/// `812 B`, `1.5 kB`, `3.2 MB`.
pub fn bytes(size: u64) -> String {
    match size {
        0..1000 => format!("{size} B"),
        1000..1_000_000 => format!("{:.1} kB", size as f64 / 1e3),
        _ => format!("{:.1} MB", size as f64 / 1e6),
    }
}

/// A bar of `width` cells: full, partly (reserved), empty.
pub fn bar(width: usize, full: f64, partly: f64, total: f64) -> String {
    let cells = |part: f64| ((part / total.max(f64::MIN_POSITIVE)) * width as f64).round() as usize;
    let full_cells = cells(full.max(0.0)).min(width);
    let all_cells = cells((full + partly).max(0.0)).clamp(full_cells, width);
    format!(
        "{}{}{}",
        "█".repeat(full_cells),
        "▒".repeat(all_cells - full_cells),
        "░".repeat(width - all_cells)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (ms, text) in [
            (400, "0.4s"),
            (12_300, "12s"),
            (65_000, "1m05s"),
            (7_380_000, "2h03m"),
        ] {
            assert_eq!(elapsed(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn money_and_sizes() {
        assert_eq!([0.0, 0.0042, 1.5].map(usd), ["$0.00", "$0.0042", "$1.50"]);
        assert_eq!(
            [812, 1500, 3_200_000].map(bytes),
            ["812 B", "1.5 kB", "3.2 MB"]
        );
    }

    #[test]
    fn bars_never_overflow() {
        assert_eq!(bar(10, 2.0, 3.0, 10.0), "██▒▒▒░░░░░");
        assert_eq!(bar(4, 9.0, 9.0, 1.0), "████");
        assert_eq!(bar(4, 0.0, 0.0, 0.0), "░░░░");
        assert_eq!(bar(4, -1.0, 0.0, 5.0), "░░░░");
    }
}
