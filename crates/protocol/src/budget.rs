//! The budget as clients see it: a view of the ledger.

use crate::money::{CostKind, MicroUsd, as_usd};
use serde::{Deserialize, Serialize};

/// The session's budget at one event. `spent + reserved ≤ cap` holds unless the cap was lowered below what is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    #[serde(with = "as_usd")]
    pub cap_usd: MicroUsd,
    #[serde(with = "as_usd")]
    pub spent_usd: MicroUsd,
    #[serde(with = "as_usd")]
    pub reserved_usd: MicroUsd,
    #[serde(with = "as_usd")]
    pub remaining_usd: MicroUsd,
}

impl Budget {
    #[must_use]
    pub fn new(cap: MicroUsd, spent: MicroUsd, reserved: MicroUsd) -> Self {
        let remaining = cap.saturating_sub(spent + reserved);
        Self {
            cap_usd: cap,
            spent_usd: spent,
            reserved_usd: reserved,
            remaining_usd: remaining,
        }
    }
}

/// The session's spend, split by what it was for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostByKind {
    #[serde(with = "as_usd")]
    pub inference: MicroUsd,
    #[serde(with = "as_usd")]
    pub jobs: MicroUsd,
    #[serde(with = "as_usd")]
    pub sandboxes: MicroUsd,
}

impl CostByKind {
    pub fn add(&mut self, kind: CostKind, amount: MicroUsd) {
        match kind {
            CostKind::Inference => self.inference += amount,
            CostKind::Jobs => self.jobs += amount,
            CostKind::Sandboxes => self.sandboxes += amount,
        }
    }

    #[must_use]
    pub fn total(&self) -> MicroUsd {
        self.inference + self.jobs + self.sandboxes
    }
}
