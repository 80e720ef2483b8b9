//! Hardware and prices for when the Hub has never been reached.
//!
//! From Hugging Face's Jobs price list as of August 2026. The live list always wins.

use super::Hardware;

/// Flavor, name, US cents per hour, machine.
const TABLE: [(&str, &str, u64, &str); 26] = [
    ("cpu-basic", "CPU Basic", 1, "2 vCPU, 16 GB"),
    ("cpu-upgrade", "CPU Upgrade", 3, "8 vCPU, 32 GB"),
    ("cpu-xl", "CPU XL", 100, "16 vCPU, 124 GB"),
    ("cpu-performance", "CPU Performance", 190, "32 vCPU, 256 GB"),
    (
        "t4-small",
        "Nvidia T4 - small",
        40,
        "4 vCPU, 15 GB, 1x T4 (16 GB)",
    ),
    (
        "t4-medium",
        "Nvidia T4 - medium",
        60,
        "8 vCPU, 30 GB, 1x T4 (16 GB)",
    ),
    ("l4x1", "1x Nvidia L4", 80, "8 vCPU, 30 GB, 1x L4 (24 GB)"),
    (
        "l4x4",
        "4x Nvidia L4",
        380,
        "48 vCPU, 186 GB, 4x L4 (96 GB)",
    ),
    (
        "l40sx1",
        "1x Nvidia L40S",
        180,
        "8 vCPU, 62 GB, 1x L40S (48 GB)",
    ),
    (
        "l40sx4",
        "4x Nvidia L40S",
        830,
        "48 vCPU, 382 GB, 4x L40S (192 GB)",
    ),
    (
        "l40sx8",
        "8x Nvidia L40S",
        2350,
        "192 vCPU, 1534 GB, 8x L40S (384 GB)",
    ),
    (
        "a10g-small",
        "Nvidia A10G - small",
        100,
        "4 vCPU, 15 GB, 1x A10G (24 GB)",
    ),
    (
        "a10g-large",
        "Nvidia A10G - large",
        150,
        "12 vCPU, 46 GB, 1x A10G (24 GB)",
    ),
    (
        "a10g-largex2",
        "2x Nvidia A10G - large",
        300,
        "24 vCPU, 92 GB, 2x A10G (48 GB)",
    ),
    (
        "a10g-largex4",
        "4x Nvidia A10G - large",
        500,
        "48 vCPU, 184 GB, 4x A10G (96 GB)",
    ),
    (
        "a100-large",
        "Nvidia A100 - large",
        250,
        "12 vCPU, 142 GB, 1x A100 (80 GB)",
    ),
    (
        "a100x4",
        "4x Nvidia A100",
        1000,
        "48 vCPU, 568 GB, 4x A100 (320 GB)",
    ),
    (
        "a100x8",
        "8x Nvidia A100",
        2000,
        "96 vCPU, 1136 GB, 8x A100 (640 GB)",
    ),
    (
        "h200",
        "Nvidia H200",
        500,
        "23 vCPU, 256 GB, 1x H200 (141 GB)",
    ),
    (
        "h200x2",
        "2x Nvidia H200",
        1000,
        "46 vCPU, 512 GB, 2x H200 (282 GB)",
    ),
    (
        "h200x4",
        "4x Nvidia H200",
        2000,
        "92 vCPU, 1024 GB, 4x H200 (564 GB)",
    ),
    (
        "h200x8",
        "8x Nvidia H200",
        4000,
        "184 vCPU, 2048 GB, 8x H200 (1128 GB)",
    ),
    (
        "rtx-pro-6000",
        "Nvidia RTX PRO 6000",
        275,
        "23 vCPU, 256 GB, 1x RTX PRO 6000 (96 GB)",
    ),
    (
        "rtx-pro-6000x2",
        "2x Nvidia RTX PRO 6000",
        550,
        "46 vCPU, 512 GB, 2x RTX PRO 6000 (192 GB)",
    ),
    (
        "rtx-pro-6000x4",
        "4x Nvidia RTX PRO 6000",
        1100,
        "92 vCPU, 1024 GB, 4x RTX PRO 6000 (384 GB)",
    ),
    (
        "rtx-pro-6000x8",
        "8x Nvidia RTX PRO 6000",
        2200,
        "184 vCPU, 2048 GB, 8x RTX PRO 6000 (768 GB)",
    ),
];

pub(super) fn table() -> Vec<Hardware> {
    TABLE
        .iter()
        .map(|(name, pretty_name, cents_per_hour, machine)| Hardware {
            name: (*name).to_owned(),
            pretty_name: (*pretty_name).to_owned(),
            micro_usd_per_minute: (cents_per_hour * 10_000).div_ceil(60),
            description: (*machine).to_owned(),
        })
        .collect()
}
