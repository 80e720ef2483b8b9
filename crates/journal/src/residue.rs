//! What a session must not forget of a deleted response: its money, and what still runs outside.

use crate::{Entry, LedgerOp, Resource};
use protocol::Event;
use serde::{Deserialize, Serialize};

/// A deleted log, reduced. Nothing of what was said, called or answered is in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Residue {
    /// When the response was created, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerOp>,
    /// Started by the response and not known to have ended when it did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Ids of resources of earlier responses that ended during this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<String>,
}

impl Residue {
    /// The residue of a whole log.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut residue = Self::default();
        for Entry { event, private, .. } in entries {
            if let Event::Created { response } = event {
                residue.created_at = Some(response.created_at);
            }
            residue.ledger.extend(private.ledger.iter().cloned());
            if let Some(resource) = &private.resource {
                residue.resources.retain(|known| known.id != resource.id);
                residue.resources.push(resource.clone());
            }
            if let Some(id) = &private.released {
                let started_here = residue.resources.iter().any(|known| known.id == *id);
                residue.resources.retain(|known| known.id != *id);
                if !started_here {
                    residue.released.push(id.clone());
                }
            }
        }
        residue.ledger = shortened(residue.ledger);
        residue
    }

    /// Whether anything that a session's residues tell of may still run; they are given in the session's order.
    #[must_use]
    pub fn any_runs(residues: &[Self]) -> bool {
        let mut running: Vec<&str> = Vec::new();
        for residue in residues {
            running.retain(|id| !residue.released.iter().any(|released| released == id));
            running.extend(
                residue
                    .resources
                    .iter()
                    .map(|resource| resource.id.as_str()),
            );
        }
        !running.is_empty()
    }
}

/// One change that leads where all of them lead, when the first of them sets the whole ledger.
fn shortened(ops: Vec<LedgerOp>) -> Vec<LedgerOp> {
    let Some(LedgerOp::Open { cap, .. }) = ops.first() else {
        return ops;
    };
    let mut ledger = crate::Ledger::new(*cap);
    ops.iter().for_each(|op| ledger.apply(op));
    vec![ledger.open(ledger.cap())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ledger, Private, ResourceKind};
    use protocol::{CostKind, MicroUsd};

    fn entry(private: Private) -> Entry {
        let event = Event::ToolLog {
            item_id: "mcp_1".into(),
            tool: "bash".into(),
            delta: "secret".into(),
        };
        Entry::with(0, event, private)
    }

    fn resource(id: &str) -> Resource {
        Resource {
            kind: ResourceKind::Job,
            id: id.into(),
            namespace: "alice".into(),
            url: String::new(),
            reservation: format!("call:{id}"),
            micro_usd_per_minute: 1,
            started_at: 0,
        }
    }

    fn started(id: &str) -> Entry {
        entry(Private {
            resource: Some(resource(id)),
            ..Private::default()
        })
    }

    fn ended(id: &str) -> Entry {
        entry(Private {
            released: Some(id.into()),
            ..Private::default()
        })
    }

    #[test]
    fn the_ledger_leads_to_the_same_money() {
        let ops = [
            Ledger::new(MicroUsd(100)).open(MicroUsd(100)),
            LedgerOp::Reserve {
                id: "call:a".into(),
                kind: CostKind::Jobs,
                amount: MicroUsd(30),
            },
            LedgerOp::Accrue {
                id: "call:a".into(),
                amount: MicroUsd(10),
            },
            LedgerOp::Cap { cap: MicroUsd(70) },
        ];
        let entries: Vec<Entry> = ops
            .iter()
            .map(|op| entry(Private::ledger([op.clone()])))
            .collect();
        let residue = Residue::of(&entries);
        assert_eq!(residue.ledger.len(), 1);
        let fold = |ops: &[LedgerOp]| {
            let mut ledger = Ledger::new(MicroUsd(0));
            ops.iter().for_each(|op| ledger.apply(op));
            ledger
        };
        assert_eq!(fold(&residue.ledger), fold(&ops));
        // Without the opening change nothing can be left out.
        assert_eq!(Residue::of(&entries[1..]).ledger, ops[1..]);
    }

    #[test]
    fn what_still_runs_is_kept_and_what_ended_is_told() {
        let first = Residue::of(&[started("a"), started("b"), ended("a")]);
        assert_eq!(first.resources, [resource("b")]);
        assert!(first.released.is_empty());
        let second = Residue::of(&[ended("b")]);
        assert_eq!(second.released, ["b"]);
        assert!(Residue::any_runs(std::slice::from_ref(&first)));
        assert!(!Residue::any_runs(&[first, second]));
    }
}
