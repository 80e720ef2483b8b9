//! The response object (contract §4): every field always present, so that OpenAI's types and the Open Responses
//! schema both accept it.

use crate::echo::{Echo, echo};
use crate::money::as_usd;
use crate::{
    Artifact, Budget, CostByKind, CreateRequest, MicroUsd, OutputItem, PendingAction, ResponseId,
    SessionId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One turn of the agent: a fold of its event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Response {
    pub id: ResponseId,
    /// Always `response`.
    #[schema(pattern = "^response$")]
    pub object: String,
    /// Unix seconds.
    pub created_at: u64,
    /// When the turn began to run, in Unix seconds.
    #[schema(required)]
    pub started_at: Option<u64>,
    /// When it was completed, in Unix seconds; null for every other end.
    #[schema(required)]
    pub completed_at: Option<u64>,
    /// `incomplete` is a pause that can be resumed; `completed`, `failed` and `cancelled` are terminal.
    pub status: Status,
    /// As asked for.
    pub background: bool,
    /// Why the run failed; null unless `status` is `failed`.
    #[schema(required)]
    pub error: Option<RunError>,
    /// Why the turn is paused; null unless `status` is `incomplete`.
    #[schema(required)]
    pub incomplete_details: Option<IncompleteDetails>,
    /// The request's.
    #[schema(required)]
    pub instructions: Option<String>,
    /// The session's model.
    pub model: String,
    /// What the turn has produced so far, in order. It only grows.
    pub output: Vec<OutputItem>,
    /// The response that this one continues.
    #[schema(required)]
    pub previous_response_id: Option<ResponseId>,
    /// The session: a chain of responses with one conversation, sandbox and budget.
    pub session_id: SessionId,
    /// The request's, unmodified.
    #[schema(value_type = HashMap<String, String>)]
    pub metadata: Map<String, Value>,
    /// Tokens, and the session's spend up to this response's end; null until known.
    #[schema(required)]
    pub usage: Option<Usage>,
    /// The session's cap in USD.
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub max_cost_usd: MicroUsd,
    pub budget: Budget,
    /// What the turn made on the Hub, each once.
    pub artifacts: Vec<Artifact>,
    /// The actions that wait for a decision, while paused on them; else null.
    #[schema(required)]
    pub pending_approval: Option<Vec<PendingAction>>,
    /// The number of the newest event: where a stream can be taken up.
    pub last_sequence_number: u64,
    /// OpenAI's fields that we honour or echo.
    #[serde(flatten)]
    #[schema(value_type = Echo)]
    pub echo: Map<String, Value>,
}

/// Where a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncompleteDetails {
    pub reason: IncompleteReason,
}

/// Why a response is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    ApprovalRequired,
    ServerRestart,
}

/// Why a run failed. `code` is from OpenAI's list, `type` is ours and finer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunError {
    pub code: String,
    pub message: String,
    #[serde(rename = "type")]
    pub kind: FailureType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    pub input_tokens: u64,
    pub input_tokens_details: InputTokensDetails,
    pub output_tokens: u64,
    pub output_tokens_details: OutputTokensDetails,
    pub total_tokens: u64,
    #[serde(with = "as_usd")]
    #[schema(value_type = f64, minimum = 0)]
    pub cost_usd: MicroUsd,
    pub cost_by_kind: CostByKind,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InputTokensDetails {
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
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
