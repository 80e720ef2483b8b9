//! I4: whatever a session does and whenever it crashes, `spent + reserved ≤ cap` holds at every change of the ledger, and
//! what the platform has charged is within what the ledger has spent or reserved.

// Everything here is a test; clippy knows only functions marked so.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use journal::{Ledger, LedgerOp};
use proptest::collection::vec;
use proptest::prelude::*;
use protocol::{CostKind, MicroUsd};
use std::collections::BTreeMap;

/// What a session may do next. Numbers pick among what is there, modulo its count.
#[derive(Debug, Clone)]
enum Move {
    /// A batch of parallel calls; each that fits begins. The process is gone after `survive` of them are recorded.
    Begin {
        calls: Vec<(CostKind, u64)>,
        survive: usize,
    },
    /// A call ends and has cost a share of what was reserved, in percent; the outcome is lost with the process or not.
    End { pick: usize, share: u64, lost: bool },
    /// A call that goes on has cost a share of what is still reserved.
    Accrue { pick: usize, share: u64 },
    /// A call never began to cost anything.
    Release { pick: usize },
    /// A person sets another cap.
    Cap { cap: u64 },
    /// The session's next response, perhaps with another cap.
    Next { cap: Option<u64> },
    /// The process is killed.
    Crash,
}

fn kind() -> impl Strategy<Value = CostKind> {
    prop_oneof![
        Just(CostKind::Inference),
        Just(CostKind::Jobs),
        Just(CostKind::Sandboxes)
    ]
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0u64..400, 1 => Just(u64::MAX), 1 => 0u64..5_000]
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => (vec((kind(), amount()), 1..6), 0usize..8)
            .prop_map(|(calls, survive)| Move::Begin { calls, survive }),
        6 => (any::<usize>(), 0u64..=100, any::<bool>())
            .prop_map(|(pick, share, lost)| Move::End { pick, share, lost }),
        2 => (any::<usize>(), 0u64..=120).prop_map(|(pick, share)| Move::Accrue { pick, share }),
        1 => any::<usize>().prop_map(|pick| Move::Release { pick }),
        1 => (0u64..3_000).prop_map(|cap| Move::Cap { cap }),
        1 => proptest::option::of(0u64..3_000).prop_map(|cap| Move::Next { cap }),
        1 => Just(Move::Crash),
    ]
}

/// A session: the ledger in memory, its log, and what the world outside really charged.
struct Session {
    live: Ledger,
    first_cap: MicroUsd,
    log: Vec<String>,
    /// What each call has cost, whether our process lived to hear of it or not.
    charges: BTreeMap<String, MicroUsd>,
    /// Calls that were begun and not settled, in the process's memory.
    running: Vec<String>,
    named: usize,
}

impl Session {
    fn new(cap: MicroUsd) -> Self {
        Self {
            live: Ledger::new(cap),
            first_cap: cap,
            log: Vec::new(),
            charges: BTreeMap::new(),
            running: Vec::new(),
            named: 0,
        }
    }

    /// Records a change: durable first, then applied, then checked.
    fn record(&mut self, op: &LedgerOp) -> Result<(), TestCaseError> {
        self.log.push(serde_json::to_string(op).unwrap());
        let before = committed(&self.live);
        self.live.apply(op);
        let after = committed(&self.live);
        // Nothing but lowering the cap leads above it, and from there it only goes down.
        prop_assert!(
            after <= self.live.cap().max(before),
            "{op:?}: {before} to {after} of {}",
            self.live.cap()
        );
        if !matches!(op, LedgerOp::Cap { .. } | LedgerOp::Open { .. }) && before <= self.live.cap()
        {
            prop_assert!(after <= self.live.cap());
        }
        prop_assert_eq!(&self.refolded(), &self.live);
        let budget = self.live.budget();
        prop_assert_eq!(budget.spent_usd + budget.reserved_usd, after);
        prop_assert_eq!(
            self.live.cost_by_kind().total(),
            self.live.spent(),
            "by kind"
        );
        Ok(())
    }

    fn refolded(&self) -> Ledger {
        let mut ledger = Ledger::new(self.first_cap);
        for line in &self.log {
            ledger.apply(&serde_json::from_str(line).unwrap());
        }
        ledger
    }

    fn act(&mut self, step: &Move) -> Result<(), TestCaseError> {
        match step {
            Move::Begin { calls, survive } => self.begin(calls, *survive),
            Move::End { pick, share, lost } => self.end(*pick, *share, *lost),
            Move::Accrue { pick, share } => {
                match self.running.get(*pick % self.running.len().max(1)) {
                    Some(id) => {
                        let held = self.live.reservation(id).unwrap().amount;
                        let amount = u128::from(held.0) * u128::from(*share) / 100;
                        let amount = MicroUsd(u64::try_from(amount).unwrap_or(u64::MAX));
                        let id = id.clone();
                        self.record(&LedgerOp::Accrue { id, amount })
                    }
                    None => Ok(()),
                }
            }
            Move::Release { pick } => match self.pick(*pick) {
                Some(id) => {
                    let cost = *self.charges.entry(id.clone()).or_default();
                    self.settle(&id, cost)
                }
                None => Ok(()),
            },
            Move::Cap { cap } => self.record(&LedgerOp::Cap {
                cap: MicroUsd(*cap),
            }),
            Move::Next { cap } => {
                let cap = cap.map_or(self.live.cap(), MicroUsd);
                let open = self.live.open(cap);
                self.record(&open)
            }
            Move::Crash => self.crash(),
        }
    }

    /// As a batch of calls is dispatched: each is priced against what those before it leave, then they are recorded one
    /// after the other, and a call begins to cost once its reservation is durable.
    fn begin(&mut self, calls: &[(CostKind, u64)], survive: usize) -> Result<(), TestCaseError> {
        let mut planned = self.live.clone();
        let mut ops = Vec::new();
        for (kind, amount) in calls {
            let kept_by = match kind {
                CostKind::Inference => "model",
                _ => "call",
            };
            let id = format!("{kept_by}:{}", self.named);
            self.named += 1;
            match planned.reserve(id, *kind, MicroUsd(*amount)) {
                Ok(op) => {
                    planned.apply(&op);
                    ops.push(op);
                }
                Err(short) => prop_assert_eq!(short.remaining, planned.remaining()),
            }
        }
        for op in ops.iter().take(survive) {
            self.record(op)?;
            if let LedgerOp::Reserve { id, .. } = op {
                self.running.push(id.clone());
            }
        }
        if survive < ops.len() {
            self.crash()?;
        }
        Ok(())
    }

    fn end(&mut self, pick: usize, share: u64, lost: bool) -> Result<(), TestCaseError> {
        let Some(id) = self.pick(pick) else {
            return Ok(());
        };
        let held = self.live.reservation(&id).unwrap();
        let cost = u128::from((held.amount + held.accrued).0) * u128::from(share) / 100;
        // What ended in an earlier process has its price already, and is found out now.
        let cost = MicroUsd(u64::try_from(cost).unwrap());
        let cost = *self.charges.entry(id.clone()).or_insert(cost);
        if lost {
            self.crash()
        } else {
            self.settle(&id, cost)
        }
    }

    fn settle(&mut self, id: &str, cost: MicroUsd) -> Result<(), TestCaseError> {
        let op = self.live.settle(id, cost);
        self.record(&op.unwrap())?;
        prop_assert_eq!(self.live.settle(id, cost), None, "settled once");
        Ok(())
    }

    /// Everything in memory is gone. Model calls of unknown outcome are settled in full; other things are looked up
    /// later, under the reservation that the log still has.
    fn crash(&mut self) -> Result<(), TestCaseError> {
        self.live = self.refolded();
        self.running.clear();
        let open: Vec<_> = self
            .live
            .reservations()
            .map(|(id, held)| (id.to_owned(), held.amount + held.accrued))
            .collect();
        for (id, amount) in open {
            if id.starts_with("model:") {
                self.settle(&id, amount)?;
            } else {
                self.running.push(id);
            }
        }
        Ok(())
    }

    fn pick(&mut self, pick: usize) -> Option<String> {
        (!self.running.is_empty()).then(|| self.running.swap_remove(pick % self.running.len()))
    }
}

fn committed(ledger: &Ledger) -> MicroUsd {
    ledger.spent() + ledger.reserved()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cap_holds_at_every_change(cap in 0u64..3_000, moves in vec(any_move(), 1..60)) {
        let mut session = Session::new(MicroUsd(cap));
        for step in &moves {
            session.act(step)?;
            // A call that ended without its outcome being recorded is still covered by its reservation.
            prop_assert!(session.charges.values().copied().sum::<MicroUsd>() <= committed(&session.live), "after {:?}", step);
        }
        // Any prefix of the log, followed by the rest, is the whole log.
        let cut = session.log.len() / 2;
        let prefix = Session { log: session.log[..cut].to_vec(), ..Session::new(MicroUsd(cap)) };
        let mut ledger = prefix.refolded();
        session.log[cut..].iter().for_each(|line| ledger.apply(&serde_json::from_str(line).unwrap()));
        prop_assert_eq!(ledger, session.live);
    }

    /// Where the platform charges more than was reserved, the truth is recorded, and nothing more is granted.
    #[test]
    fn an_overcharge_is_recorded_and_grants_nothing(
        cap in 1u64..1_000, charges in vec((kind(), 1u64..400, 0u64..800), 1..20),
    ) {
        let mut ledger = Ledger::new(MicroUsd(cap));
        let mut charged = MicroUsd::ZERO;
        for (number, (kind, amount, charge)) in charges.into_iter().enumerate() {
            let id = number.to_string();
            let fits = committed(&ledger) + MicroUsd(amount) <= MicroUsd(cap);
            let op = ledger.reserve(id.clone(), kind, MicroUsd(amount));
            prop_assert_eq!(op.is_ok(), fits);
            let Ok(op) = op else { continue };
            ledger.apply(&op);
            let settle = ledger.settle(&id, MicroUsd(charge)).unwrap();
            ledger.apply(&settle);
            charged += MicroUsd(charge);
            prop_assert_eq!(ledger.spent(), charged);
        }
    }

    /// Two reservations under one id, as a replay might make them, hold the sum of both.
    #[test]
    fn no_reservation_hides_another(first in 0u64..500, second in 0u64..500) {
        let mut ledger = Ledger::new(MicroUsd(1_000));
        for amount in [first, second] {
            let op = ledger.reserve("call:1", CostKind::Jobs, MicroUsd(amount)).unwrap();
            ledger.apply(&op);
        }
        prop_assert_eq!(ledger.reserved(), MicroUsd(first + second));
        prop_assert!(ledger.reserve("call:2", CostKind::Jobs, MicroUsd(1_001 - first - second)).is_err());
    }
}
