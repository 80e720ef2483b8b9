//! Timeouts as models write them: `90`, `"90"` (seconds), `"30m"`, `"2h"`, `"1h30m"`, `"1d"`.

use serde_json::Value;

pub(super) const DEFAULT_SECONDS: u64 = 30 * 60;
/// A week: longer is a mistake more often than a wish.
const MOST_SECONDS: u64 = 7 * 24 * 3600;

/// Seconds, or why the text is no timeout.
pub(super) fn parse(timeout: Option<&Value>) -> Result<u64, String> {
    let seconds = match timeout {
        None | Some(Value::Null) => Some(DEFAULT_SECONDS),
        Some(Value::Number(number)) => number.as_f64().map(|seconds| seconds.ceil() as u64),
        Some(Value::String(text)) if text.trim().is_empty() => Some(DEFAULT_SECONDS),
        Some(Value::String(text)) => parse_text(text.trim()),
        Some(_) => None,
    };
    match seconds {
        Some(seconds) if (1..=MOST_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err("`timeout` must be like 45m, 2h or 1h30m, more than zero and at most 7d.".into()),
    }
}

fn parse_text(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds.ceil() as u64);
    }
    let mut total = 0.0;
    let mut number = String::new();
    for character in text.to_lowercase().chars() {
        let unit = match character {
            '0'..='9' | '.' => {
                number.push(character);
                continue;
            }
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86400.0,
            _ => return None,
        };
        total += std::mem::take(&mut number).parse::<f64>().ok()? * unit;
    }
    number.is_empty().then_some(total.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn table() {
        for (given, wanted) in [
            (json!("30m"), Some(1800)),
            (json!("1h30m"), Some(5400)),
            (json!("1.5h"), Some(5400)),
            (json!("90"), Some(90)),
            (json!(90), Some(90)),
            (json!("2H"), Some(7200)),
            (json!(null), Some(1800)),
            (json!("1d"), Some(86400)),
            (json!("0"), None),
            (json!(-1), None),
            (json!("8d"), None),
            (json!("soon"), None),
            (json!("30m5"), None),
            (json!(true), None),
            (json!("1e99"), None),
        ] {
            assert_eq!(parse(Some(&given)).ok(), wanted, "{given}");
        }
        assert_eq!(parse(None), Ok(1800));
    }
}
