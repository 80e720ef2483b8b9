//! A chat request and its wire shape.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::ChatMessage;
use std::sync::LazyLock;

/// The model chooses.
static AUTO: LazyLock<Value> = LazyLock::new(|| json!("auto"));

/// One model call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRequest {
    /// `org/model`, with an optional `:provider`, `:fastest`, `:cheapest` or `:preferred`.
    pub model: String,
    pub messages: Vec<ChatMessage>,
    pub tools: Vec<ToolSpec>,
    /// Upper bound of completion tokens.
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`; not every model takes it.
    pub reasoning_effort: Option<String>,
    /// `{"type":"json_object"}`, `{"type":"json_schema",…}`.
    pub response_format: Option<Value>,
    /// `"none"`, `"required"` or `{"type":"function","function":{"name":…}}`; left out, the model chooses.
    pub tool_choice: Option<Value>,
    /// Sent only as `false`: several calls in one answer are what providers do anyway.
    pub parallel_tool_calls: Option<bool>,
}

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Value,
}

impl Serialize for ToolSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"type": "function", "function": {
            "name": self.name, "description": self.description, "parameters": self.parameters,
        }})
        .serialize(serializer)
    }
}

/// The request body. Always streamed: a long answer in one piece runs into gateway timeouts.
#[derive(Serialize)]
pub(crate) struct WireRequest<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: &'a [ToolSpec],
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<&'a Value>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> From<&'a ChatRequest> for WireRequest<'a> {
    fn from(request: &'a ChatRequest) -> Self {
        let has_tools = !request.tools.is_empty();
        Self {
            model: &request.model,
            messages: &request.messages,
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            tools: &request.tools,
            tool_choice: has_tools.then(|| request.tool_choice.as_ref().unwrap_or(&AUTO)),
            parallel_tool_calls: request
                .parallel_tool_calls
                .filter(|many| has_tools && !many),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            top_p: request.top_p,
            reasoning_effort: request.reasoning_effort.as_deref(),
            response_format: request.response_format.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::{ChatRequest, ToolSpec, WireRequest};
    use crate::ChatMessage;

    #[test]
    fn a_bare_request_sends_only_what_is_set() {
        let request = ChatRequest {
            model: "o/m:p".into(),
            messages: vec![ChatMessage::System("s".into())],
            ..ChatRequest::default()
        };
        assert_eq!(
            to_value(WireRequest::from(&request)).unwrap(),
            json!({"model":"o/m:p","messages":[{"role":"system","content":"s"}],
                "stream":true,"stream_options":{"include_usage":true}})
        );
    }

    #[test]
    fn tools_bring_a_tool_choice() {
        let tool = ToolSpec {
            name: "bash".into(),
            description: "Runs.".into(),
            parameters: json!({"type":"object"}),
        };
        let request = ChatRequest {
            model: "o/m".into(),
            tools: vec![tool],
            max_tokens: Some(7),
            temperature: Some(0.5),
            top_p: Some(0.25),
            reasoning_effort: Some("high".into()),
            response_format: Some(json!({"type":"json_object"})),
            ..ChatRequest::default()
        };
        assert_eq!(
            to_value(WireRequest::from(&request)).unwrap(),
            json!({"model":"o/m","messages":[],"stream":true,"stream_options":{"include_usage":true},
                "tools":[{"type":"function","function":
                    {"name":"bash","description":"Runs.","parameters":{"type":"object"}}}],
                "tool_choice":"auto","max_tokens":7,"temperature":0.5,"top_p":0.25,"reasoning_effort":"high",
                "response_format":{"type":"json_object"}})
        );
    }
}
