//! From samples to figures.

use std::time::Duration;

/// One run of a measurement.
#[derive(Debug, Default)]
pub struct Run {
    /// How long each operation took.
    pub latencies: Vec<Duration>,
    /// How long the run took.
    pub elapsed: Duration,
}

/// What several runs came to: each figure is the median of the runs' own figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub p50: Duration,
    pub p99: Duration,
    /// Operations per second.
    pub rate: f64,
    /// Operations in all runs together.
    pub samples: usize,
}

impl Spread {
    pub fn of(runs: Vec<Run>) -> Self {
        let (mut p50, mut p99, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        let mut samples = 0;
        for mut run in runs {
            run.latencies.sort_unstable();
            samples += run.latencies.len();
            p50.push(percentile(&run.latencies, 50));
            p99.push(percentile(&run.latencies, 99));
            rates.push(run.latencies.len() as f64 / run.elapsed.as_secs_f64().max(1e-9));
        }
        rates.sort_unstable_by(f64::total_cmp);
        Self {
            p50: median(p50),
            p99: median(p99),
            rate: rates.get(rates.len() / 2).copied().unwrap_or(0.0),
            samples,
        }
    }
}

/// The middle one; the later one of two.
pub fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

/// The smallest sample that at least `percent` of the samples do not exceed.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(from: u64, to: u64) -> Vec<Duration> {
        (from..=to).map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_samples() {
        assert_eq!(percentile(&ms(1, 100), 50), Duration::from_millis(50));
        assert_eq!(percentile(&ms(1, 100), 99), Duration::from_millis(99));
        assert_eq!(percentile(&ms(7, 7), 99), Duration::from_millis(7));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn a_spread_is_the_median_of_its_runs() {
        let run = |from, to| Run {
            latencies: ms(from, to),
            elapsed: Duration::from_secs(1),
        };
        let spread = Spread::of(vec![run(1, 10), run(101, 150), run(11, 30)]);
        assert_eq!(spread.p50, Duration::from_millis(20));
        assert_eq!((spread.rate, spread.samples), (20.0, 80));
    }
}
