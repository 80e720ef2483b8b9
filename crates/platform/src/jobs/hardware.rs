//! Hardware flavors and their prices (`GET /api/jobs/hardware`, no token needed).

mod fallback;

use serde_json::Value;

use crate::decimal::micro_usd;
use crate::{Platform, PlatformError};

const MOST_FLAVORS: usize = 1000;

/// A kind of machine to run a job on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardware {
    /// Flavor, for example `t4-small`.
    pub name: String,
    pub pretty_name: String,
    /// Price in micro-USD per started minute, rounded up.
    pub micro_usd_per_minute: u64,
    /// Processor, memory, accelerator and disk in words.
    pub description: String,
}

/// What the platform offers, as last fetched.
pub(crate) struct HardwareList(Vec<Hardware>);

impl Platform {
    /// What hardware there is. Kept for six hours, longer while the Hub cannot be reached; a
    /// built-in table stands in when it never could. So this does not fail today; the error is
    /// there for when it must.
    pub async fn hardware(&self) -> Result<Vec<Hardware>, PlatformError> {
        let fetch = async || {
            let answer = self
                .read(self.hub_get(None, "/api/jobs/hardware"), None)
                .await?;
            HardwareList::parse(&answer.body)
        };
        let known = self.hardware_list().get(fetch).await;
        Ok(known.map_or_else(fallback::table, |list| list.0.clone()))
    }
}

impl HardwareList {
    /// A flavor without a price that can be understood is left out: it could not be budgeted.
    fn parse(body: &Value) -> Result<Self, PlatformError> {
        let entries = body.as_array().map(Vec::as_slice).unwrap_or_default();
        let list: Vec<_> = entries
            .iter()
            .take(MOST_FLAVORS)
            .filter_map(flavor)
            .collect();
        if list.is_empty() {
            return Err(PlatformError::garbage("not a list of hardware"));
        }
        Ok(Self(list))
    }
}

fn flavor(entry: &Value) -> Option<Hardware> {
    let text = |path: &str| {
        entry
            .pointer(path)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let name = text("/name")?;
    let accelerator = text("/accelerator/model").map(|model| {
        let quantity = text("/accelerator/quantity").unwrap_or("1");
        let vram = text("/accelerator/vram")
            .map(|vram| format!(" ({vram})"))
            .unwrap_or_default();
        format!("{quantity}x {model}{vram}")
    });
    let disk = text("/ephemeralStorage").map(|size| format!("{size} disk"));
    let parts = [
        text("/cpu").map(str::to_owned),
        text("/ram").map(str::to_owned),
        accelerator,
        disk,
    ];
    Some(Hardware {
        name: name.to_owned(),
        pretty_name: text("/prettyName").unwrap_or(name).to_owned(),
        micro_usd_per_minute: per_minute(entry)?,
        description: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
    })
}

fn per_minute(entry: &Value) -> Option<u64> {
    let micro = entry.get("unitCostMicroUSD").and_then(Value::as_u64);
    let unit = micro.or_else(|| micro_usd(entry.get("unitCostUSD")?))?;
    match entry.get("unitLabel").and_then(Value::as_str) {
        Some("minute") => Some(unit),
        Some("hour") => Some(unit.div_ceil(60)),
        Some("second") => unit.checked_mul(60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Hardware, HardwareList, fallback, per_minute};

    #[test]
    fn a_flavor_is_read() {
        let list = HardwareList::parse(&json!([
            {"name":"t4-small","prettyName":"Nvidia T4 - small","cpu":"4 vCPU","ram":"15 GB","ephemeralStorage":"50 GB",
             "accelerator":{"type":"gpu","model":"T4","quantity":"1","vram":"16 GB","manufacturer":"Nvidia"},
             "unitCostMicroUSD":6667,"unitCostUSD":0.006667,"unitLabel":"minute"},
            {"name":"odd","unitCostMicroUSD":1,"unitLabel":"fortnight"}, 7]))
        .unwrap();
        let expected = Hardware {
            name: "t4-small".into(),
            pretty_name: "Nvidia T4 - small".into(),
            micro_usd_per_minute: 6667,
            description: "4 vCPU, 15 GB, 1x T4 (16 GB), 50 GB disk".into(),
        };
        assert_eq!(list.0, [expected]);
    }

    #[test]
    fn prices_are_per_minute_whatever_the_unit() {
        let table = [
            (
                json!({"unitCostMicroUSD":167,"unitLabel":"minute"}),
                Some(167),
            ),
            (
                json!({"unitCostMicroUSD":400_000,"unitLabel":"hour"}),
                Some(6667),
            ),
            (
                json!({"unitCostMicroUSD":3,"unitLabel":"second"}),
                Some(180),
            ),
            (
                json!({"unitCostUSD":0.000167,"unitLabel":"minute"}),
                Some(167),
            ),
            (json!({"unitCostMicroUSD":-1,"unitLabel":"minute"}), None),
            (json!({"unitCostMicroUSD":1}), None),
            (Value::Null, None),
        ];
        for (entry, expected) in table {
            assert_eq!(per_minute(&entry), expected, "{entry}");
        }
    }

    #[test]
    fn an_empty_or_foreign_answer_is_refused() {
        for body in [json!([]), json!({"hardware":[]}), json!([{"name":"x"}])] {
            assert!(HardwareList::parse(&body).is_err());
        }
    }

    #[test]
    fn the_built_in_table_rounds_up_to_the_minute() {
        let table = fallback::table();
        let price = |name: &str| {
            table
                .iter()
                .find(|flavor| flavor.name == name)
                .map(|flavor| flavor.micro_usd_per_minute)
        };
        assert_eq!(price("cpu-basic"), Some(167));
        assert_eq!(price("t4-small"), Some(6667));
        assert_eq!(price("h200x8"), Some(666_667));
        assert_eq!(price("h100"), None);
    }
}
