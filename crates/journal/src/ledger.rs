//! The ledger: what a session has spent and reserved, in integer micro-dollars. A fold of [`LedgerOp`]s.
//!
//! Money is reserved before it can be spent and settled after. [`Ledger::reserve`] is the only way to make a
//! reservation and refuses one that does not fit, so `spent + reserved ≤ cap` holds at every event (I4), whatever runs
//! in parallel. What settles is never more than was reserved as long as prices and limits hold; where the platform
//! charges more all the same, the truth is recorded.

use protocol::{Budget, CostByKind, CostKind, MicroUsd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One change of the ledger, recorded beside the event that causes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum LedgerOp {
    /// A response begins with what its session has spent and reserved so far.
    Open {
        cap: MicroUsd,
        spent: SpentByKind,
        reserved: BTreeMap<String, Reservation>,
    },
    /// The cap is replaced.
    Cap { cap: MicroUsd },
    Reserve {
        id: String,
        kind: CostKind,
        amount: MicroUsd,
    },
    /// Part of a reservation is spent by now, while what it covers goes on.
    Accrue { id: String, amount: MicroUsd },
    /// A reservation ends; `amount` is all that was really spent, with what has accrued (zero releases it).
    Settle { id: String, amount: MicroUsd },
}

/// Spend by kind in exact integers ([`CostByKind`] is its public, decimal view).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpentByKind {
    pub inference: MicroUsd,
    pub jobs: MicroUsd,
    pub sandboxes: MicroUsd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub kind: CostKind,
    /// What is still reserved.
    pub amount: MicroUsd,
    /// What of it has been spent so far.
    #[serde(default)]
    pub accrued: MicroUsd,
}

/// A reservation that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{needed} is needed and {remaining} of the budget remains")]
pub struct Shortfall {
    pub needed: MicroUsd,
    pub remaining: MicroUsd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    cap: MicroUsd,
    spent: SpentByKind,
    reserved: BTreeMap<String, Reservation>,
}

impl Ledger {
    #[must_use]
    pub fn new(cap: MicroUsd) -> Self {
        Self {
            cap,
            spent: SpentByKind::default(),
            reserved: BTreeMap::new(),
        }
    }

    /// The change that reserves `amount`.
    ///
    /// # Errors
    /// [`Shortfall`] when it does not fit under the cap.
    pub fn reserve(
        &self,
        id: impl Into<String>,
        kind: CostKind,
        amount: MicroUsd,
    ) -> Result<LedgerOp, Shortfall> {
        let remaining = self.remaining();
        let exhausted = remaining == MicroUsd::ZERO && amount > MicroUsd::ZERO;
        if amount > remaining || exhausted {
            return Err(Shortfall {
                needed: amount,
                remaining,
            });
        }
        Ok(LedgerOp::Reserve {
            id: id.into(),
            kind,
            amount,
        })
    }

    /// The change that settles a reservation, or `None` when there is none with this id.
    #[must_use]
    pub fn settle(&self, id: &str, amount: MicroUsd) -> Option<LedgerOp> {
        self.reserved.contains_key(id).then(|| LedgerOp::Settle {
            id: id.to_owned(),
            amount,
        })
    }

    /// The opening change of the session's next response.
    #[must_use]
    pub fn open(&self, cap: MicroUsd) -> LedgerOp {
        LedgerOp::Open {
            cap,
            spent: self.spent,
            reserved: self.reserved.clone(),
        }
    }

    /// Applies a change.
    pub fn apply(&mut self, op: &LedgerOp) {
        match op {
            LedgerOp::Open {
                cap,
                spent,
                reserved,
            } => {
                *self = Self {
                    cap: *cap,
                    spent: *spent,
                    reserved: reserved.clone(),
                };
            }
            LedgerOp::Cap { cap } => self.cap = *cap,
            LedgerOp::Reserve { id, kind, amount } => {
                let (kind, amount) = (*kind, *amount);
                // An id that is reserved twice covers both: money that may be spent never drops out of sight.
                self.reserved
                    .entry(id.clone())
                    .and_modify(|held| held.amount += amount)
                    .or_insert(Reservation {
                        kind,
                        amount,
                        accrued: MicroUsd::ZERO,
                    });
            }
            LedgerOp::Accrue { id, amount } => {
                if let Some(held) = self.reserved.get_mut(id) {
                    let amount = (*amount).min(held.amount);
                    held.amount = held.amount.saturating_sub(amount);
                    held.accrued += amount;
                    self.spent.add(held.kind, amount);
                }
            }
            LedgerOp::Settle { id, amount } => {
                if let Some(held) = self.reserved.remove(id) {
                    self.spent
                        .add(held.kind, amount.saturating_sub(held.accrued));
                }
            }
        }
    }

    #[must_use]
    pub fn cap(&self) -> MicroUsd {
        self.cap
    }

    #[must_use]
    pub fn spent(&self) -> MicroUsd {
        self.spent.inference + self.spent.jobs + self.spent.sandboxes
    }

    #[must_use]
    pub fn reserved(&self) -> MicroUsd {
        self.reserved
            .values()
            .map(|reservation| reservation.amount)
            .sum()
    }

    #[must_use]
    pub fn remaining(&self) -> MicroUsd {
        self.cap.saturating_sub(self.spent() + self.reserved())
    }

    #[must_use]
    pub fn reservation(&self, id: &str) -> Option<Reservation> {
        self.reserved.get(id).copied()
    }

    /// Open reservations, by id.
    pub fn reservations(&self) -> impl Iterator<Item = (&str, Reservation)> {
        self.reserved
            .iter()
            .map(|(id, reservation)| (id.as_str(), *reservation))
    }

    /// The public view.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::new(self.cap, self.spent(), self.reserved())
    }

    #[must_use]
    pub fn cost_by_kind(&self) -> CostByKind {
        let SpentByKind {
            inference,
            jobs,
            sandboxes,
        } = self.spent;
        CostByKind {
            inference,
            jobs,
            sandboxes,
        }
    }
}

impl SpentByKind {
    fn add(&mut self, kind: CostKind, amount: MicroUsd) {
        match kind {
            CostKind::Inference => self.inference += amount,
            CostKind::Jobs => self.jobs += amount,
            CostKind::Sandboxes => self.sandboxes += amount,
        }
    }
}
