//! Events (contract §5): one entry of a response's log, as clients read it.

use crate::money::{as_optional_usd, as_usd};
use crate::{
    Artifact, Budget, ContentPart, CostByKind, ItemId, MicroUsd, OutputItem, PlanItem, Response,
    SummaryPart,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The payload of an event beyond its `sequence_number`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum Event {
    /// The response exists. The first event of every log.
    #[serde(rename = "response.created")]
    Created { response: Box<Response> },
    /// The turn waits to be started.
    #[serde(rename = "response.queued")]
    Queued { response: Box<Response> },
    /// The turn runs; also the first event after a pause that is over, beside `response.approval_decided`.
    #[serde(rename = "response.in_progress")]
    InProgress { response: Box<Response> },
    /// An output item has begun.
    #[serde(rename = "response.output_item.added")]
    ItemAdded {
        output_index: usize,
        item: OutputItem,
    },
    /// An output item is as it stays.
    #[serde(rename = "response.output_item.done")]
    ItemDone {
        output_index: usize,
        item: OutputItem,
    },
    /// A part of a message has begun.
    #[serde(rename = "response.content_part.added")]
    PartAdded {
        item_id: ItemId,
        output_index: usize,
        content_index: usize,
        part: ContentPart,
    },
    /// A part of a message is as it stays.
    #[serde(rename = "response.content_part.done")]
    PartDone {
        item_id: ItemId,
        output_index: usize,
        content_index: usize,
        part: ContentPart,
    },
    /// A piece of the model's text.
    #[serde(rename = "response.output_text.delta")]
    TextDelta {
        item_id: ItemId,
        output_index: usize,
        content_index: usize,
        delta: String,
        logprobs: Vec<Value>,
    },
    /// The whole text of a part.
    #[serde(rename = "response.output_text.done")]
    TextDone {
        item_id: ItemId,
        output_index: usize,
        content_index: usize,
        text: String,
        logprobs: Vec<Value>,
    },
    /// A part of the model's reasoning has begun.
    #[serde(rename = "response.reasoning_summary_part.added")]
    SummaryPartAdded {
        item_id: ItemId,
        output_index: usize,
        summary_index: usize,
        part: SummaryPart,
    },
    /// A part of the model's reasoning is as it stays.
    #[serde(rename = "response.reasoning_summary_part.done")]
    SummaryPartDone {
        item_id: ItemId,
        output_index: usize,
        summary_index: usize,
        part: SummaryPart,
    },
    /// A piece of the model's reasoning.
    #[serde(rename = "response.reasoning_summary_text.delta")]
    SummaryDelta {
        item_id: ItemId,
        output_index: usize,
        summary_index: usize,
        delta: String,
    },
    /// The whole text of a part of the model's reasoning.
    #[serde(rename = "response.reasoning_summary_text.done")]
    SummaryDone {
        item_id: ItemId,
        output_index: usize,
        summary_index: usize,
        text: String,
    },
    /// A piece of a tool call's arguments.
    #[serde(rename = "response.mcp_call_arguments.delta")]
    ArgumentsDelta {
        item_id: ItemId,
        output_index: usize,
        delta: String,
    },
    /// The whole arguments of a tool call, as JSON text.
    #[serde(rename = "response.mcp_call_arguments.done")]
    ArgumentsDone {
        item_id: ItemId,
        output_index: usize,
        arguments: String,
    },
    /// The arguments of a call that the client is to run.
    #[serde(rename = "response.function_call_arguments.delta")]
    FunctionArgumentsDelta {
        item_id: ItemId,
        output_index: usize,
        delta: String,
    },
    /// The whole arguments of a call that the client is to run, as JSON text.
    #[serde(rename = "response.function_call_arguments.done")]
    FunctionArgumentsDone {
        item_id: ItemId,
        output_index: usize,
        name: String,
        arguments: String,
    },
    /// A tool that the server runs has started.
    #[serde(rename = "response.mcp_call.in_progress")]
    CallInProgress {
        item_id: ItemId,
        output_index: usize,
    },
    /// A tool that the server ran has ended well.
    #[serde(rename = "response.mcp_call.completed")]
    CallCompleted {
        item_id: ItemId,
        output_index: usize,
    },
    /// A tool that the server ran has failed; the item says how.
    #[serde(rename = "response.mcp_call.failed")]
    CallFailed {
        item_id: ItemId,
        output_index: usize,
    },
    /// A piece of a running tool's output, as it comes; all of it.
    #[serde(rename = "response.tool_log")]
    ToolLog {
        item_id: ItemId,
        tool: String,
        delta: String,
    },
    /// A tool call changed its state.
    #[serde(rename = "response.tool_state_change")]
    ToolStateChange {
        item_id: ItemId,
        tool: String,
        state: ToolState,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        job_url: Option<String>,
        /// The platform's own word for the job's stage, where the tool follows a job.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        job_stage: Option<String>,
    },
    /// The agent's plan, whole.
    #[serde(rename = "response.plan_update")]
    PlanUpdate { plan: Vec<PlanItem> },
    /// The turn made something on the Hub.
    #[serde(rename = "response.artifact.created")]
    ArtifactCreated { artifact: Artifact },
    /// The intent of a model call: durable, with its reservation, before the call starts.
    #[serde(rename = "response.llm_call_started")]
    LlmCallStarted { model: String, attempt: u32 },
    /// The outcome of a model call.
    #[serde(rename = "response.llm_call")]
    LlmCall(LlmCall),
    /// A model call failed and is tried again.
    #[serde(rename = "response.llm_retry")]
    LlmRetry {
        attempt: u32,
        reason: String,
        delay_ms: u64,
    },
    /// The session's budget changed.
    #[serde(rename = "response.budget_update")]
    BudgetUpdate {
        budget: Budget,
        cost_by_kind: CostByKind,
    },
    /// The conversation was shortened to fit the model's context.
    #[serde(rename = "response.compacted")]
    Compacted {
        tokens_before: u64,
        tokens_after: u64,
    },
    /// A message that the loop itself put before the model (a guard's, a restart's).
    #[serde(rename = "response.guard")]
    Guard { guard: String, message: String },
    /// The session's sandbox changed: `starting`, `ready`, `reset`, `failed`.
    #[serde(rename = "response.sandbox")]
    Sandbox { state: String, message: String },
    /// Paused: an action costs more than the budget has left, or its price cannot be known. The stream ends.
    #[serde(rename = "response.approval_required")]
    ApprovalRequired {
        response: Box<Response>,
        pending_actions: Vec<PendingAction>,
        budget: Budget,
    },
    /// The pending actions were decided: the first event after such a pause.
    #[serde(rename = "response.approval_decided")]
    ApprovalDecided {
        approve: bool,
        #[schema(required)]
        feedback: Option<String>,
        budget: Budget,
    },
    /// Paused because the server restarted in the middle of the turn. The stream ends.
    #[serde(rename = "response.incomplete")]
    Incomplete { response: Box<Response> },
    /// A turn that a restart had paused goes on.
    #[serde(rename = "response.resumed")]
    Resumed {},
    /// Terminal. The stream ends.
    #[serde(rename = "response.completed")]
    Completed { response: Box<Response> },
    /// Terminal: `response.error` says why. The stream ends.
    #[serde(rename = "response.failed")]
    Failed { response: Box<Response> },
    /// Terminal. The stream ends.
    #[serde(rename = "response.cancelled")]
    Cancelled { response: Box<Response> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolState {
    Running,
    Approved,
    Rejected,
    Cancelled,
    Interrupted,
}

/// Telemetry of one finished model call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LlmCall {
    pub model: String,
    #[schema(required)]
    pub provider: Option<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cached_tokens: u64,
    pub reasoning_tokens: u64,
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub cost_usd: MicroUsd,
    pub latency_ms: u64,
    #[schema(required)]
    pub finish_reason: Option<String>,
    pub attempt: u32,
}

/// One action that waits for a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PendingAction {
    /// The call's item; null where the action is the next model call itself.
    #[schema(required)]
    pub item_id: Option<ItemId>,
    /// The tool, or `model` for the next model call.
    pub tool: String,
    /// The arguments as JSON text.
    pub arguments: String,
    #[serde(with = "as_optional_usd")]
    #[schema(value_type = Option<f64>, required)]
    pub estimated_cost_usd: Option<MicroUsd>,
    /// Why it waits.
    pub reason: String,
}

impl Event {
    /// The event's name, as `type` and as the SSE event name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "response.created",
            Self::Queued { .. } => "response.queued",
            Self::InProgress { .. } => "response.in_progress",
            Self::ItemAdded { .. } => "response.output_item.added",
            Self::ItemDone { .. } => "response.output_item.done",
            Self::PartAdded { .. } => "response.content_part.added",
            Self::PartDone { .. } => "response.content_part.done",
            Self::TextDelta { .. } => "response.output_text.delta",
            Self::TextDone { .. } => "response.output_text.done",
            Self::SummaryPartAdded { .. } => "response.reasoning_summary_part.added",
            Self::SummaryPartDone { .. } => "response.reasoning_summary_part.done",
            Self::SummaryDelta { .. } => "response.reasoning_summary_text.delta",
            Self::SummaryDone { .. } => "response.reasoning_summary_text.done",
            Self::ArgumentsDelta { .. } => "response.mcp_call_arguments.delta",
            Self::ArgumentsDone { .. } => "response.mcp_call_arguments.done",
            Self::FunctionArgumentsDelta { .. } => "response.function_call_arguments.delta",
            Self::FunctionArgumentsDone { .. } => "response.function_call_arguments.done",
            Self::CallInProgress { .. } => "response.mcp_call.in_progress",
            Self::CallCompleted { .. } => "response.mcp_call.completed",
            Self::CallFailed { .. } => "response.mcp_call.failed",
            Self::ToolLog { .. } => "response.tool_log",
            Self::ToolStateChange { .. } => "response.tool_state_change",
            Self::PlanUpdate { .. } => "response.plan_update",
            Self::ArtifactCreated { .. } => "response.artifact.created",
            Self::LlmCallStarted { .. } => "response.llm_call_started",
            Self::LlmCall(_) => "response.llm_call",
            Self::LlmRetry { .. } => "response.llm_retry",
            Self::BudgetUpdate { .. } => "response.budget_update",
            Self::Compacted { .. } => "response.compacted",
            Self::Guard { .. } => "response.guard",
            Self::Sandbox { .. } => "response.sandbox",
            Self::ApprovalRequired { .. } => "response.approval_required",
            Self::ApprovalDecided { .. } => "response.approval_decided",
            Self::Incomplete { .. } => "response.incomplete",
            Self::Resumed {} => "response.resumed",
            Self::Completed { .. } => "response.completed",
            Self::Failed { .. } => "response.failed",
            Self::Cancelled { .. } => "response.cancelled",
        }
    }

    /// Encodes the event as one line of JSON: `type`, `sequence_number`, then the payload.
    ///
    /// # Errors
    /// When the payload cannot be represented as JSON, which its types exclude.
    pub fn encode(&self, sequence_number: u64) -> Result<String, serde_json::Error> {
        let mut json = serde_json::to_string(self)?;
        // An internally tagged enum writes its tag first: `{"type":"…"`, then `,` or `}`.
        let after_type = r#"{"type":"""#.len() + self.name().len();
        debug_assert!(json.is_char_boundary(after_type));
        json.insert_str(
            after_type,
            &format!(r#","sequence_number":{sequence_number}"#),
        );
        Ok(json)
    }

    /// Whether nothing may follow this event in the log.
    #[must_use]
    pub fn is_terminal(name: &str) -> bool {
        matches!(
            name,
            "response.completed" | "response.failed" | "response.cancelled"
        )
    }

    /// Whether a stream ends at this event while it is the newest: terminal, or a pause.
    #[must_use]
    pub fn ends_stream(name: &str) -> bool {
        Self::is_terminal(name)
            || matches!(name, "response.approval_required" | "response.incomplete")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn type_comes_first_and_the_number_second() {
        let event = Event::PlanUpdate { plan: Vec::new() };
        assert_eq!(
            event.encode(7).unwrap(),
            r#"{"type":"response.plan_update","sequence_number":7,"plan":[]}"#
        );
        assert_eq!(
            Event::Resumed {}.encode(0).unwrap(),
            r#"{"type":"response.resumed","sequence_number":0}"#
        );
    }

    #[test]
    fn an_encoded_event_reads_back_and_has_no_top_level_error() {
        let event = Event::ToolLog {
            item_id: "mcp_1".into(),
            tool: "bash".into(),
            delta: "a\nb\u{2028}".into(),
        };
        let line = event.encode(3).unwrap();
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["sequence_number"], json!(3));
        assert_eq!(value["type"], json!(event.name()));
        assert!(value.get("error").is_none());
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}
