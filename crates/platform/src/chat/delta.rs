//! One step of a streamed answer.

/// What a provider sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatDelta {
    /// More of the answer's text.
    Text(String),
    /// More of the model's reasoning, where the provider shows it.
    Reasoning(String),
    ToolCall(ToolCallDelta),
    /// The finish reason: `stop`, `length`, `tool_calls`, … If it comes more than once the last one
    /// counts.
    Finish(String),
    /// Tokens so far. Some providers report running totals: the last one counts.
    Usage(Usage),
}

/// A piece of a tool call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolCallDelta {
    /// Which call of the message this belongs to: 0 is the first. Resolved from the provider's
    /// index and id.
    pub slot: usize,
    /// The call's id, when this piece names it.
    pub id: Option<String>,
    /// The tool's name, when this piece names it.
    pub name: Option<String>,
    /// The next piece of the arguments' JSON text; may be empty.
    pub arguments: String,
}

/// Tokens used by one model call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All prompt tokens, cached ones included.
    pub input: u64,
    /// All completion tokens, reasoning included.
    pub output: u64,
    /// Prompt tokens served from a cache.
    pub cached: u64,
    /// Completion tokens spent on reasoning.
    pub reasoning: u64,
}
