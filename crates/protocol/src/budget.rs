//! The budget as clients see it: a view of the ledger.

use crate::money::{CostKind, MicroUsd, as_usd};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The session's budget at one event. `spent + reserved ≤ cap` holds unless the cap was lowered below what is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// What the session may cost in all: the most recent request's `max_cost_usd`.
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub cap_usd: MicroUsd,
    /// What it has cost so far.
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub spent_usd: MicroUsd,
    /// Held for actions under way.
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub reserved_usd: MicroUsd,
    /// What the next action may cost.
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostByKind {
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub inference: MicroUsd,
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub jobs: MicroUsd,
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
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
