//! A chat completion request, as far as a scripted model reads it.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::HubError;

#[derive(Debug, Deserialize)]
pub struct ChatRequest {
    pub model: String,
    pub messages: Vec<Message>,
    #[serde(default)]
    pub stream: bool,
    pub stream_options: Option<StreamOptions>,
    #[serde(default)]
    tools: Vec<OfferedTool>,
    #[serde(default)]
    tool_choice: Value,
    #[serde(default)]
    response_format: Value,
}

#[derive(Debug, Deserialize)]
struct OfferedTool {
    function: MadeFunction,
}

#[derive(Debug, Deserialize)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

#[derive(Debug, Deserialize)]
pub struct Message {
    pub role: String,
    #[serde(default)]
    content: Value,
    tool_calls: Option<Vec<MadeCall>>,
    tool_call_id: Option<String>,
    name: Option<String>,
}

/// A call that the model made earlier in the conversation.
#[derive(Debug, Deserialize)]
struct MadeCall {
    id: String,
    function: MadeFunction,
}

#[derive(Debug, Deserialize)]
struct MadeFunction {
    name: String,
}

impl Message {
    /// The text of the content, images left out.
    pub fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        }
    }

    fn calls(&self) -> &[MadeCall] {
        self.tool_calls.as_deref().unwrap_or_default()
    }
}

impl ChatRequest {
    /// Parses and checks a body. Errors: 400 in the router's object form.
    pub fn parse(body: &[u8]) -> Result<Self, HubError> {
        let request: Self =
            serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
        if request.messages.is_empty() {
            return Err(invalid("messages must not be empty"));
        }
        request.check_calls()?;
        Ok(request)
    }

    /// Providers refuse a conversation in which a tool call has no result, or a result no call.
    fn check_calls(&self) -> Result<(), HubError> {
        let mut open: Vec<&str> = Vec::new();
        for message in &self.messages {
            if message.role == "tool" {
                let id = message.tool_call_id.as_deref().unwrap_or("");
                let Some(index) = open.iter().position(|known| *known == id) else {
                    return Err(invalid(&format!(
                        "a message with role 'tool' must answer a preceding tool call (tool_call_id '{id}')"
                    )));
                };
                open.remove(index);
                continue;
            }
            unanswered(&open)?;
            open.extend(message.calls().iter().map(|call| call.id.as_str()));
        }
        unanswered(&open)
    }

    /// The names of the tools that the model may call.
    pub fn tool_names(&self) -> String {
        let names: Vec<&str> = self
            .tools
            .iter()
            .map(|tool| tool.function.name.as_str())
            .collect();
        names.join(",")
    }

    /// The wish about calls: a word, or the name of a function.
    pub fn wish(&self) -> &str {
        let name = self.tool_choice["function"]["name"].as_str();
        self.tool_choice.as_str().or(name).unwrap_or_default()
    }

    /// The form that the answer is to have, as JSON; nothing when it is free.
    pub fn format(&self) -> String {
        match &self.response_format {
            Value::Null => String::new(),
            format => format.to_string(),
        }
    }

    /// How many images the model is shown.
    pub fn images(&self) -> usize {
        let parts = self
            .messages
            .iter()
            .filter_map(|message| message.content.as_array());
        parts
            .flatten()
            .filter(|part| part["type"] == "image_url")
            .count()
    }

    /// The name of the tool whose result the message at `index` is.
    pub fn tool_name(&self, index: usize) -> Option<&str> {
        let message = self.messages.get(index)?;
        let id = message.tool_call_id.as_deref()?;
        let made = self.messages[..index].iter().rev().flat_map(Message::calls);
        let call = made.into_iter().find(|call| call.id == id);
        call.map(|call| call.function.name.as_str())
            .or(message.name.as_deref())
    }
}

fn unanswered(open: &[&str]) -> Result<(), HubError> {
    match open.first() {
        None => Ok(()),
        Some(id) => Err(invalid(&format!(
            "an assistant message with 'tool_calls' must be followed by tool messages; no result for '{id}'"
        ))),
    }
}

/// 400 with the OpenAI-style error object.
pub fn invalid(message: &str) -> HubError {
    let error =
        json!({"message": message, "type": "invalid_request_error", "param": null, "code": null});
    HubError::with_body(StatusCode::BAD_REQUEST, json!({ "error": error }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(messages: Value) -> Result<ChatRequest, HubError> {
        ChatRequest::parse(
            json!({"model": "m", "messages": messages})
                .to_string()
                .as_bytes(),
        )
    }

    fn call(id: &str) -> Value {
        let function = json!({"name": "bash", "arguments": "{}"});
        json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": function}]})
    }

    #[test]
    fn dangling_calls_are_refused() {
        let user = json!({"role": "user", "content": [{"type": "text", "text": "hi"}]});
        let result = json!({"role": "tool", "tool_call_id": "a", "content": "x"});
        let good = parse(json!([user, call("a"), result])).unwrap();
        assert_eq!(good.messages[0].text(), "hi");
        assert_eq!(good.tool_name(2), Some("bash"));
        assert!(parse(json!([user, call("a")])).is_err());
        assert!(parse(json!([user, call("a"), user, result])).is_err());
        assert!(parse(json!([user, call("a"), result, result])).is_err());
        assert!(parse(json!([])).is_err());
    }
}
