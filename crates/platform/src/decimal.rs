//! Prices from decimal numbers to integers, without losing a digit.

use serde_json::Value;

/// Dollars, a JSON number or decimal string, to micro-dollars. What is below a micro-dollar rounds
/// up, so that a price is never too low. `None` for what is not a price: negative, not a number,
/// beyond 64 bits.
pub(crate) fn micro_usd(dollars: &Value) -> Option<u64> {
    match dollars {
        // The shortest decimal that reads back as the same float is the one the platform wrote.
        Value::Number(number) => match number.as_u64() {
            Some(whole) => whole.checked_mul(1_000_000),
            None => shift_six(&number.as_f64()?.to_string()),
        },
        Value::String(text) => shift_six(text.trim()),
        _ => None,
    }
}

/// `12.3456789` → 12345679.
fn shift_six(decimal: &str) -> Option<u64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(6));
    let micro: u64 = format!("{kept:0<6}").parse().ok()?;
    let round_up = rest.bytes().any(|byte| byte != b'0');
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(micro)?
        .checked_add(round_up.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, from_str, json};

    use super::micro_usd;

    #[test]
    fn prices_convert_exactly() {
        let table = [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0.1", Some(100_000)),
            ("0.6", Some(600_000)),
            ("1.25", Some(1_250_000)),
            ("2.5", Some(2_500_000)),
            ("25", Some(25_000_000)),
            ("0.29", Some(290_000)),
            ("1.1", Some(1_100_000)),
            ("0.000167", Some(167)),
            ("0.0000001", Some(1)),
            ("1e-7", Some(1)),
            ("1e3", Some(1_000_000_000)),
            ("-0.5", None),
            ("-0.0", None),
            ("1e300", None),
            ("\"0.35\"", Some(350_000)),
            ("\"free\"", None),
            ("\"1.-5\"", None),
            ("\"\"", None),
            ("null", None),
            ("[1]", None),
        ];
        for (text, expected) in table {
            assert_eq!(
                micro_usd(&from_str::<Value>(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn six_decimals_survive_the_float(micro in 0u64..10_000_000_000) {
            let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
            prop_assert_eq!(micro_usd(&from_str::<Value>(&text).unwrap()), Some(micro));
        }

        #[test]
        fn any_text_is_a_price_or_not(text in ".*") {
            let _ = micro_usd(&json!(text));
        }
    }
}
