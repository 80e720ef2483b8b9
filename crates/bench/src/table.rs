//! The figures as a table.

use crate::stats::{Spread, median, percentile};
use serde::Serialize;
use std::time::Duration;

/// A p99 of fewer samples would be the slowest of them.
const ENOUGH_FOR_P99: usize = 100;

/// One line of the table. Times are milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub measurement: &'static str,
    pub setting: String,
    /// A rate or a size.
    pub amount: Option<Amount>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub samples: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct Amount {
    pub value: f64,
    pub unit: &'static str,
}

impl Row {
    /// Operations with their latencies, and how many a second if `unit` names them.
    pub fn of_runs(
        measurement: &'static str,
        setting: impl Into<String>,
        unit: Option<&'static str>,
        spread: Spread,
    ) -> Self {
        let amount = unit.map(|unit| Amount {
            value: spread.rate,
            unit,
        });
        Self {
            amount,
            p50_ms: Some(milliseconds(spread.p50)),
            p99_ms: (spread.samples >= ENOUGH_FOR_P99).then(|| milliseconds(spread.p99)),
            samples: spread.samples,
            ..Self::new(measurement, setting)
        }
    }

    /// A few repetitions of one thing: their median.
    pub fn of_times(
        measurement: &'static str,
        setting: impl Into<String>,
        mut times: Vec<Duration>,
    ) -> Self {
        times.sort_unstable();
        let p99 = percentile(&times, 99);
        Self {
            p99_ms: (times.len() >= ENOUGH_FOR_P99).then(|| milliseconds(p99)),
            samples: times.len(),
            p50_ms: Some(milliseconds(median(times))),
            ..Self::new(measurement, setting)
        }
    }

    /// A size.
    pub fn of_size(
        measurement: &'static str,
        setting: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            amount: Some(Amount { value, unit }),
            samples: 1,
            ..Self::new(measurement, setting)
        }
    }

    fn new(measurement: &'static str, setting: impl Into<String>) -> Self {
        Self {
            measurement,
            setting: setting.into(),
            amount: None,
            p50_ms: None,
            p99_ms: None,
            samples: 0,
        }
    }

    fn cells(&self) -> [String; 6] {
        let time = |ms: Option<f64>| ms.map_or_else(|| "-".into(), |ms| format!("{ms:.2} ms"));
        let amount = self.amount.as_ref().map_or_else(
            || "-".into(),
            |amount| format!("{} {}", short(amount.value), amount.unit),
        );
        [
            self.measurement.into(),
            self.setting.clone(),
            amount,
            time(self.p50_ms),
            time(self.p99_ms),
            self.samples.to_string(),
        ]
    }
}

/// All rows, aligned: words to the left, numbers to the right.
pub fn render(rows: &[Row]) -> String {
    let head = ["what", "setting", "rate or size", "p50", "p99", "samples"].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(head)
        .chain(rows.iter().map(Row::cells))
        .collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    });
    let mut table = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            table.push_str(&match column {
                0 => format!("{cell:<width$}"),
                1 => format!("  {cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            });
        }
        table.push('\n');
    }
    table
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn short(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            Row::of_times("a", "short", vec![Duration::from_millis(12)]),
            Row::of_size("bcd", "a longer setting", 12.34, "MiB"),
        ];
        let table = render(&rows);
        let lengths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(lengths.windows(2).all(|two| two[0] == two[1]), "{table}");
        assert!(table.contains("12.00 ms") && table.contains("12.3 MiB"));
    }
}
