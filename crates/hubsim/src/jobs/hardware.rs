//! Flavours and prices (`GET /api/jobs/hardware`).

use axum::Json;
use serde_json::{Value, json};

/// A kind of machine.
#[derive(Debug)]
pub struct Flavor {
    pub name: &'static str,
    pretty: &'static str,
    pub cpus: u32,
    /// GB.
    pub ram: u32,
    /// GB of all accelerators together; 0 for none.
    vram: u32,
    accelerators: u32,
    /// GB.
    disk: u32,
    cents_per_hour: u32,
}

const fn flavor(
    name: &'static str,
    pretty: &'static str,
    (cpus, ram, disk): (u32, u32, u32),
    (accelerators, vram): (u32, u32),
    cents_per_hour: u32,
) -> Flavor {
    Flavor {
        name,
        pretty,
        cpus,
        ram,
        vram,
        accelerators,
        disk,
        cents_per_hour,
    }
}

const NONE: (u32, u32) = (0, 0);

const FLAVORS: [Flavor; 26] = [
    flavor("cpu-basic", "CPU Basic", (2, 16, 50), NONE, 1),
    flavor("cpu-upgrade", "CPU Upgrade", (8, 32, 50), NONE, 3),
    flavor("cpu-xl", "CPU XL", (16, 124, 1000), NONE, 100),
    flavor(
        "cpu-performance",
        "CPU Performance",
        (32, 256, 1024),
        NONE,
        190,
    ),
    flavor("t4-small", "Nvidia T4 - small", (4, 15, 50), (1, 16), 40),
    flavor("t4-medium", "Nvidia T4 - medium", (8, 30, 100), (1, 16), 60),
    flavor("l4x1", "1x Nvidia L4", (8, 30, 400), (1, 24), 80),
    flavor("l4x4", "4x Nvidia L4", (48, 186, 3200), (4, 96), 380),
    flavor("l40sx1", "1x Nvidia L40S", (8, 62, 380), (1, 48), 180),
    flavor("l40sx4", "4x Nvidia L40S", (48, 382, 3200), (4, 192), 830),
    flavor(
        "l40sx8",
        "8x Nvidia L40S",
        (192, 1534, 6500),
        (8, 384),
        2350,
    ),
    flavor(
        "a10g-small",
        "Nvidia A10G - small",
        (4, 15, 110),
        (1, 24),
        100,
    ),
    flavor(
        "a10g-large",
        "Nvidia A10G - large",
        (12, 46, 200),
        (1, 24),
        150,
    ),
    flavor(
        "a10g-largex2",
        "2x Nvidia A10G - large",
        (24, 92, 1000),
        (2, 48),
        300,
    ),
    flavor(
        "a10g-largex4",
        "4x Nvidia A10G - large",
        (48, 184, 2000),
        (4, 96),
        500,
    ),
    flavor(
        "a100-large",
        "Nvidia A100 - large",
        (12, 142, 1000),
        (1, 80),
        250,
    ),
    flavor("a100x4", "4x Nvidia A100", (48, 568, 4000), (4, 320), 1000),
    flavor("a100x8", "8x Nvidia A100", (96, 1136, 8000), (8, 640), 2000),
    flavor("h200", "Nvidia H200", (23, 256, 3000), (1, 141), 500),
    flavor("h200x2", "2x Nvidia H200", (46, 512, 6000), (2, 282), 1000),
    flavor(
        "h200x4",
        "4x Nvidia H200",
        (92, 1024, 12000),
        (4, 564),
        2000,
    ),
    flavor(
        "h200x8",
        "8x Nvidia H200",
        (184, 2048, 24000),
        (8, 1128),
        4000,
    ),
    flavor(
        "rtx-pro-6000",
        "Nvidia RTX PRO 6000",
        (23, 256, 475),
        (1, 96),
        275,
    ),
    flavor(
        "rtx-pro-6000x2",
        "2x Nvidia RTX PRO 6000",
        (46, 512, 950),
        (2, 192),
        550,
    ),
    flavor(
        "rtx-pro-6000x4",
        "4x Nvidia RTX PRO 6000",
        (92, 1024, 1900),
        (4, 384),
        1100,
    ),
    flavor(
        "rtx-pro-6000x8",
        "8x Nvidia RTX PRO 6000",
        (184, 2048, 3800),
        (8, 768),
        2200,
    ),
];

impl Flavor {
    /// The flavour of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FLAVORS.iter().find(|flavor| flavor.name == name)
    }

    /// Rounded up to whole micro-dollars.
    fn micro_usd_per_minute(&self) -> u32 {
        (self.cents_per_hour * 10_000).div_ceil(60)
    }

    fn accelerator(&self) -> Value {
        if self.accelerators == 0 {
            return Value::Null;
        }
        let words = self.pretty.split(" - ").next().unwrap_or("");
        let model = words.split("Nvidia ").last().unwrap_or("");
        json!({
            "type": "gpu",
            "model": model,
            "quantity": self.accelerators.to_string(),
            "vram": format!("{} GB", self.vram),
            "manufacturer": "Nvidia",
        })
    }

    fn describe(&self) -> Value {
        let micro_usd = self.micro_usd_per_minute();
        json!({
            "name": self.name,
            "prettyName": self.pretty,
            "cpu": format!("{} vCPU", self.cpus),
            "ram": format!("{} GB", self.ram),
            "ephemeralStorage": format!("{} GB", self.disk),
            "accelerator": self.accelerator(),
            "unitCostMicroUSD": micro_usd,
            "unitCostUSD": f64::from(micro_usd) / 1e6,
            "unitLabel": "minute",
        })
    }
}

/// Needs no token.
pub async fn list() -> Json<Value> {
    Json(FLAVORS.iter().map(Flavor::describe).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_a_minute() {
        let t4 = Flavor::find("t4-small").unwrap().describe();
        assert_eq!(t4["unitCostMicroUSD"], 6667);
        assert_eq!(t4["accelerator"]["model"], "T4");
        assert_eq!(
            Flavor::find("cpu-basic").unwrap().describe()["accelerator"],
            Value::Null
        );
        assert!(Flavor::find("quantum").is_none());
    }
}
