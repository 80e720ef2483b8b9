//! The response object (contract §4): every field always present, so that OpenAI's types and the Open Responses
//! schema both accept it.

use crate::money::as_usd;
use crate::{
    Artifact, Budget, CostByKind, CreateRequest, GivenTool, MicroUsd, OutputItem, PendingAction,
    ResponseId, SessionId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    pub id: ResponseId,
    pub object: String,
    /// Unix seconds.
    pub created_at: u64,
    pub started_at: Option<u64>,
    pub completed_at: Option<u64>,
    pub status: Status,
    pub background: bool,
    pub error: Option<RunError>,
    pub incomplete_details: Option<IncompleteDetails>,
    pub instructions: Option<String>,
    pub model: String,
    pub output: Vec<OutputItem>,
    pub previous_response_id: Option<ResponseId>,
    pub session_id: SessionId,
    pub metadata: Map<String, Value>,
    pub usage: Option<Usage>,
    #[serde(with = "as_usd")]
    pub max_cost_usd: MicroUsd,
    pub budget: Budget,
    pub artifacts: Vec<Artifact>,
    pub pending_approval: Option<Vec<PendingAction>>,
    pub last_sequence_number: u64,
    /// OpenAI's fields that we honour or echo.
    #[serde(flatten)]
    pub echo: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    InProgress,
    Completed,
    Incomplete,
    Failed,
    Cancelled,
}

impl Status {
    /// Completed, failed or cancelled: nothing ever follows in the log.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The turn does not move by itself now: terminal, or paused.
    #[must_use]
    pub fn is_at_rest(self) -> bool {
        self.is_terminal() || self == Self::Incomplete
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncompleteDetails {
    pub reason: IncompleteReason,
}

/// Why a response is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    ApprovalRequired,
    ServerRestart,
}

/// Why a run failed. `code` is from OpenAI's list, `type` is ours and finer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    pub code: String,
    pub message: String,
    #[serde(rename = "type")]
    pub kind: FailureType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureType {
    ModelError,
    ModelAuthError,
    ModelBillingError,
    ModelRateLimited,
    ContextWindowExceeded,
    IterationLimit,
    InternalError,
}

impl RunError {
    #[must_use]
    pub fn new(kind: FailureType, message: impl Into<String>) -> Self {
        let code = match kind {
            FailureType::ModelRateLimited => "rate_limit_exceeded",
            FailureType::ContextWindowExceeded => "invalid_prompt",
            _ => "server_error",
        };
        Self {
            code: code.into(),
            message: message.into(),
            kind,
        }
    }
}

/// Tokens of this response, and what the session has spent up to its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub input_tokens_details: InputTokensDetails,
    pub output_tokens: u64,
    pub output_tokens_details: OutputTokensDetails,
    pub total_tokens: u64,
    #[serde(with = "as_usd")]
    pub cost_usd: MicroUsd,
    pub cost_by_kind: CostByKind,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InputTokensDetails {
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputTokensDetails {
    pub reasoning_tokens: u64,
}

impl Response {
    /// The object of a response that was just submitted.
    #[must_use]
    pub fn submitted(
        id: ResponseId,
        session_id: SessionId,
        request: &CreateRequest,
        model: String,
        budget: Budget,
        created_at: u64,
    ) -> Self {
        Self {
            id,
            object: "response".into(),
            created_at,
            started_at: None,
            completed_at: None,
            status: Status::Queued,
            background: request.background,
            error: None,
            incomplete_details: None,
            instructions: request.instructions.clone(),
            model,
            output: Vec::new(),
            previous_response_id: request.previous_response_id.clone(),
            session_id,
            metadata: request.metadata.clone(),
            usage: None,
            max_cost_usd: budget.cap_usd,
            budget,
            artifacts: Vec::new(),
            pending_approval: None,
            last_sequence_number: 0,
            echo: echo(request),
        }
    }
}

/// OpenAI's defaults, overlaid with what the request gave.
fn echo(request: &CreateRequest) -> Map<String, Value> {
    let defaults = json!({
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": request.tools.iter().map(GivenTool::echo).collect::<Vec<_>>(),
        "temperature": 1.0,
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "truncation": "auto",
        "text": {"format": {"type": "text"}},
        "reasoning": {"effort": null, "summary": null},
        "max_output_tokens": null,
        "max_tool_calls": null,
        "store": true,
        "service_tier": "default",
        "safety_identifier": null,
        "prompt_cache_key": null,
        "user": null,
    });
    let Value::Object(mut echo) = defaults else {
        return Map::new();
    };
    for (name, value) in &request.openai {
        match (echo.get_mut(name), value) {
            // Objects are merged, so that `reasoning: {effort}` keeps its `summary`.
            (Some(Value::Object(known)), Value::Object(given)) => {
                known.extend(given.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            (Some(known), value) => *known = value.clone(),
            (None, _) => {}
        }
    }
    echo
}
