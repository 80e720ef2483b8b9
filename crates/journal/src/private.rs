//! The private part of an event: what only a restart needs, and no client ever reads.

use crate::LedgerOp;
use protocol::{InputItem, ItemId, PlanItem};
use serde::{Deserialize, Serialize};

/// Everything that may stand beside an event. Absent parts take no space in the store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Changes to the ledger that this event makes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerOp>,
    /// With `response.created`: what was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,
    /// With the `response.created` of a fork: what its session begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited: Option<Inherited>,
    /// With `response.llm_call`: the assistant message as the model will see it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant: Option<AssistantTurn>,
    /// With a tool call's `output_item.done`: the result as the model will see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
    /// Something outside that the session started and pays for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// The id of a [`Resource`] that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<String>,
    /// With `response.incomplete`: what may run outside without a record of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// With `response.compacted`: the summary that stands for everything before the kept tail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compaction: Option<Compaction>,
}

impl Private {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Only a ledger change.
    #[must_use]
    pub fn ledger(ops: impl IntoIterator<Item = LedgerOp>) -> Self {
        Self {
            ledger: ops.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// What a client submitted, beyond what the response object echoes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Context messages, then the task.
    pub input: Vec<InputItem>,
}

/// What a forked session takes from its origin, so that it never depends on it again. Its spend is in the ledger's
/// opening change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inherited {
    /// The conversation, message by message, as the model reads it.
    pub messages: Vec<serde_json::Value>,
    pub plan: Vec<PlanItem>,
}

/// One finished model answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssistantTurn {
    pub text: Option<String>,
    pub calls: Vec<CallRecord>,
    /// Tokens of the whole conversation after this answer, as the provider counted them; bounds the next prompt.
    pub context_tokens: u64,
}

/// One tool call as the model made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The model's id for the call.
    pub call_id: String,
    /// Our item that shows it.
    pub item_id: ItemId,
    pub output_index: usize,
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
}

/// The result of a tool call, capped but not cut to what `output[]` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    pub call_id: String,
    pub name: String,
    pub text: String,
}

/// An external thing that costs money while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub kind: ResourceKind,
    /// The platform's id.
    pub id: String,
    pub namespace: String,
    pub url: String,
    /// The ledger reservation that covers it.
    pub reservation: String,
    /// What it costs per started minute, in micro-dollars.
    pub micro_usd_per_minute: u64,
    /// Unix seconds.
    #[serde(default)]
    pub started_at: u64,
}

/// Reservations whose effect is not known: the turn was lost between the intent and what it started. Looked up as soon
/// as the caller's token is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Ids of ledger reservations.
    pub reservations: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    Job,
    Sandbox,
}

/// A shortened conversation: the first messages are replaced by a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compaction {
    pub summary: String,
    /// How many of the newest messages stay as they are.
    pub kept_messages: usize,
}
