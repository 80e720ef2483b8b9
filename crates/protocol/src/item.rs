//! Output items (contract §4): messages, reasoning, one `mcp_call` for every tool the server runs, and one
//! `function_call` for every call that the client is to run.

use crate::ItemId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tool output longer than this many bytes is cut in `output[]` (the full text streams as `response.tool_log`).
pub const TOOL_OUTPUT_LIMIT: usize = 4096;

/// The server label of the tools we run ourselves.
pub const SERVER_LABEL: &str = "ml-intern";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OutputItem {
    Message {
        id: ItemId,
        status: ItemStatus,
        role: String,
        content: Vec<ContentPart>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        phase: Option<Phase>,
    },
    Reasoning {
        id: ItemId,
        summary: Vec<SummaryPart>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        status: Option<ItemStatus>,
    },
    McpCall {
        id: ItemId,
        status: ItemStatus,
        server_label: String,
        name: String,
        /// The arguments as JSON text, as the model wrote them.
        arguments: String,
        #[schema(required)]
        output: Option<String>,
        #[schema(required)]
        error: Option<CallError>,
        #[schema(required)]
        approval_request_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        truncated: Option<bool>,
        /// Size in bytes of the output before it was cut.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        full_size: Option<usize>,
    },
    /// A call of one of the client's own tools: handed over whole, never run here.
    FunctionCall {
        id: ItemId,
        /// Unique in the session; the client's output names it.
        call_id: String,
        name: String,
        /// The arguments as JSON text, valid for the tool's schema.
        arguments: String,
        status: ItemStatus,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

/// Text between tool calls is commentary; the text that ends the turn is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Commentary,
    FinalAnswer,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    OutputText {
        text: String,
        annotations: Vec<serde_json::Value>,
        logprobs: Vec<serde_json::Value>,
    },
}

impl ContentPart {
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::OutputText {
            text: text.into(),
            annotations: Vec::new(),
            logprobs: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SummaryPart {
    SummaryText { text: String },
}

/// Why a call of a tool failed. OpenAI's shape since 2026 (before, it was a text): their Python package prints a
/// screenful of warnings over anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallError {
    McpToolExecutionError { content: Vec<CallErrorPart> },
}

/// What a failed call had to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallErrorPart {
    Text { text: String },
}

impl CallError {
    /// The tool failed with these words.
    #[must_use]
    pub fn told(text: String) -> Self {
        Self::McpToolExecutionError {
            content: vec![CallErrorPart::Text { text }],
        }
    }
}

impl OutputItem {
    #[must_use]
    pub fn id(&self) -> &ItemId {
        match self {
            Self::Message { id, .. }
            | Self::Reasoning { id, .. }
            | Self::McpCall { id, .. }
            | Self::FunctionCall { id, .. } => id,
        }
    }

    /// A message that has just begun.
    #[must_use]
    pub fn message(id: ItemId) -> Self {
        Self::Message {
            id,
            status: ItemStatus::InProgress,
            role: "assistant".into(),
            content: Vec::new(),
            phase: None,
        }
    }

    /// A call of one of our own tools that has just begun.
    #[must_use]
    pub fn call(id: ItemId, name: impl Into<String>) -> Self {
        Self::call_of(id, SERVER_LABEL, name)
    }

    /// A call of a tool of the server with this label that has just begun.
    #[must_use]
    pub fn call_of(id: ItemId, label: impl Into<String>, name: impl Into<String>) -> Self {
        Self::McpCall {
            id,
            status: ItemStatus::InProgress,
            server_label: label.into(),
            name: name.into(),
            arguments: String::new(),
            output: None,
            error: None,
            approval_request_id: None,
            truncated: None,
            full_size: None,
        }
    }

    /// A call for the client to run, before its arguments.
    #[must_use]
    pub fn function_call(id: ItemId, call_id: String, name: String) -> Self {
        Self::FunctionCall {
            id,
            call_id,
            name,
            arguments: String::new(),
            status: ItemStatus::InProgress,
        }
    }

    /// Whether the item may still change.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Message { status, .. }
            | Self::McpCall { status, .. }
            | Self::FunctionCall { status, .. } => *status == ItemStatus::InProgress,
            Self::Reasoning { status, .. } => *status == Some(ItemStatus::InProgress),
        }
    }

    /// The item, closed as it stands because the turn ended around it.
    #[must_use]
    pub fn interrupted(mut self) -> Self {
        match &mut self {
            Self::Message { status, .. }
            | Self::McpCall { status, .. }
            | Self::FunctionCall { status, .. } => *status = ItemStatus::Incomplete,
            Self::Reasoning { status, .. } => *status = Some(ItemStatus::Incomplete),
        }
        self
    }
}

/// Cuts a tool output to [`TOOL_OUTPUT_LIMIT`] bytes at a character boundary; the second value is the full size if cut.
#[must_use]
pub fn cut_output(text: &str) -> (String, Option<usize>) {
    if text.len() <= TOOL_OUTPUT_LIMIT {
        return (text.to_owned(), None);
    }
    let end = (0..=TOOL_OUTPUT_LIMIT)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0);
    (text[..end].to_owned(), Some(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_cut_at_a_character_boundary() {
        assert_eq!(cut_output("short"), ("short".into(), None));
        let long = "é".repeat(3000);
        let (cut, full) = cut_output(&long);
        assert_eq!((cut.len(), full), (4096, Some(6000)));
        let odd = format!("a{}", "é".repeat(3000));
        assert_eq!(cut_output(&odd).0.len(), 4095);
    }
}
