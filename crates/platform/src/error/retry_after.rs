//! How long the platform wants us to wait.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

const LONGEST: u64 = 24 * 3600;

/// Reads `Retry-After` (seconds or an HTTP date), else the reset time of an exhausted `RateLimit`
/// bucket.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let seconds = match text(RETRY_AFTER.as_str()) {
        // The platform's own clock, so that ours does not matter.
        Some(wish) => seconds_or_date(wish, text(DATE.as_str()).and_then(http_date))?,
        None => exhausted_bucket(text("ratelimit")?)?,
    };
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST as f64)).ok()
}

fn seconds_or_date(wish: &str, now: Option<Timestamp>) -> Option<f64> {
    if let Ok(seconds) = wish.parse::<f64>() {
        return (!seconds.is_nan()).then_some(seconds);
    }
    let wait = http_date(wish)?.duration_since(now.unwrap_or_else(Timestamp::now));
    Some(wait.as_secs_f64())
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|moment| moment.timestamp())
}

/// `"api";r=0;t=283`: nothing remains for 283 seconds.
fn exhausted_bucket(limit: &str) -> Option<f64> {
    let field = |name: &str| {
        limit
            .split([';', ','])
            .find_map(|part| part.trim().strip_prefix(name)?.parse::<u32>().ok())
    };
    (field("r=")? == 0)
        .then(|| field("t=").map(f64::from))
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::retry_after;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn waits_are_read_in_every_form() {
        type Row = (&'static [(&'static str, &'static str)], Option<u64>);
        let table: [Row; 11] = [
            (&[("retry-after", "7")], Some(7)),
            (&[("retry-after", " 0 ")], Some(0)),
            (&[("retry-after", "-3")], Some(0)),
            (&[("retry-after", "1e12")], Some(86_400)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "NaN")], None),
            (
                &[
                    ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
                    ("date", "Sun, 06 Nov 1994 08:49:30 GMT"),
                ],
                Some(7),
            ),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], Some(0)),
            (&[("ratelimit", "\"api\";r=0;t=283")], Some(283)),
            (&[("ratelimit", "\"api\";r=489;t=283")], None),
            (&[], None),
        ];
        for (given, expected) in table {
            assert_eq!(
                retry_after(&headers(given)),
                expected.map(Duration::from_secs),
                "{given:?}"
            );
        }
    }

    #[test]
    fn fractions_of_a_second_count() {
        assert_eq!(
            retry_after(&headers(&[("retry-after", "1.5")])),
            Some(Duration::from_millis(1500))
        );
    }
}
