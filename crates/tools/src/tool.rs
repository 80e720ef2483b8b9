//! What a tool is.

use crate::{Call, ToolSession};
use futures_util::future::BoxFuture;
use platform::{Job, ToolSpec};
use protocol::{CostKind, MicroUsd};
use serde_json::Value;

/// Whether a call may be made again after a crash that hid its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectClass {
    /// Safe to repeat.
    Read,
    /// Safe to repeat with its key.
    Idempotent,
    /// Must be looked up before it is repeated.
    Once,
}

/// What a call would cost at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    Free,
    Known {
        kind: CostKind,
        amount: MicroUsd,
    },
    /// It may cost money, and how much cannot be known: a person decides.
    Unknown(String),
    /// The call cannot succeed; the model is told why and nothing runs.
    Refused(String),
}

/// What a call came to, for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Spent exactly this; the rest of the reservation is free again.
    Spent(MicroUsd),
    /// What the call started still runs: the reservation stays until that is known to have ended.
    StillRunning,
}

/// The one result of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub ok: bool,
    pub text: String,
    pub settlement: Settlement,
}

impl Outcome {
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self {
            ok: true,
            text: text.into(),
            settlement: Settlement::Spent(MicroUsd::ZERO),
        }
    }

    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        Self {
            ok: false,
            ..Self::ok(text)
        }
    }

    #[must_use]
    pub fn settled(self, settlement: Settlement) -> Self {
        Self { settlement, ..self }
    }
}

/// Something outside that a call has started and that costs money while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub kind: StartedKind,
    pub id: String,
    pub namespace: String,
    pub url: String,
    pub micro_usd_per_minute: u64,
}

/// A job that an interrupted call has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    pub id: String,
    pub namespace: String,
    pub url: String,
    pub micro_usd_per_minute: u64,
    /// Lines of its log that the call has reported already.
    pub lines: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartedKind {
    Job,
    Sandbox,
}

/// What a job or sandbox that has ended came to: it is billed by the started minute.
#[must_use]
pub fn job_cost(job: &Job, micro_usd_per_minute: u64) -> MicroUsd {
    let seconds = job.running_seconds.or(job.total_seconds).unwrap_or(0);
    MicroUsd(micro_usd_per_minute).times(seconds.div_ceil(60))
}

/// Where a tool that is not the server's own comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The label of the MCP server.
    pub label: String,
    /// What the tool is called there.
    pub name: String,
}

/// A tool. Bodies run on tasks of their own, so a panic in one is that call's failure and nobody else's.
pub trait Tool: Send + Sync {
    /// Name, description and argument schema, as the model sees them.
    fn spec(&self) -> ToolSpec;

    /// The MCP server that the tool is of; `None` for the server's own.
    fn origin(&self) -> Option<Origin> {
        None
    }

    fn effect(&self, arguments: &Value) -> EffectClass;

    /// Whether the call works in the session's sandbox, which is then started first.
    fn needs_sandbox(&self, _arguments: &Value) -> bool {
        false
    }

    /// The most the call can cost.
    fn price<'a>(
        &'a self,
        _arguments: &'a Value,
        _session: &'a ToolSession,
    ) -> BoxFuture<'a, Price> {
        Box::pin(async { Price::Free })
    }

    /// Whether all that the call does outside is to start one job, which carries the call's id as a label: such a job is
    /// found again, and [`Tool::adopt`] goes on with it.
    fn starts_job(&self, _arguments: &Value) -> bool {
        false
    }

    /// Goes on with the job of an interrupted call, to the outcome that the call would have had.
    fn adopt(&self, _arguments: Value, _call: Call, job: Adopted) -> BoxFuture<'static, Outcome> {
        let text = format!(
            "The call was interrupted; its job is {}: {}",
            job.id, job.url
        );
        Box::pin(async { Outcome::failed(text).settled(Settlement::StillRunning) })
    }

    /// Runs the call to its one outcome.
    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome>;
}
