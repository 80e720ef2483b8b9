//! Money as integers: one unit is a millionth of a US dollar.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use utoipa::ToSchema;

/// An amount in micro-dollars (1 USD = 1,000,000). Arithmetic saturates: a cap check may be too strict, never too lax.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    pub const ZERO: Self = Self(0);

    /// Rounds a dollar amount to the nearest micro-dollar. Negative and non-finite amounts are zero.
    #[must_use]
    pub fn from_usd(usd: f64) -> Self {
        if usd.is_finite() && usd > 0.0 {
            Self((usd * 1e6).round() as u64)
        } else {
            Self::ZERO
        }
    }

    /// The amount in dollars, for the wire and for people.
    #[must_use]
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e6
    }

    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl Add for MicroUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.4}", self.usd())
    }
}

/// What money was spent on (`usage.cost_by_kind`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CostKind {
    Inference,
    Jobs,
    Sandboxes,
}

/// Serialises an amount as a number of dollars.
pub(crate) mod as_usd {
    use super::MicroUsd;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(amount: &MicroUsd, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(amount.usd())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<MicroUsd, D::Error> {
        f64::deserialize(from).map(MicroUsd::from_usd)
    }
}

/// Serialises an optional amount as a number of dollars or null.
pub(crate) mod as_optional_usd {
    use super::MicroUsd;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(amount: &Option<MicroUsd>, to: S) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => to.serialize_f64(amount.usd()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MicroUsd>, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.map(MicroUsd::from_usd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_survive_the_wire_to_the_micro_dollar() {
        for micro in [0, 1, 7, 999_999, 1_000_000, 4_999_999, 500_000_000] {
            let amount = MicroUsd(micro);
            assert_eq!(MicroUsd::from_usd(amount.usd()), amount);
        }
        assert_eq!(MicroUsd::from_usd(f64::NAN), MicroUsd::ZERO);
        assert_eq!(MicroUsd::from_usd(-3.0), MicroUsd::ZERO);
    }
}
