//! What the scripted model will answer to one request, with all values filled in.

use serde_json::{Value, json};

use super::scenario::{Style, UsageSpec};

/// One rendered turn.
#[derive(Debug, Clone)]
pub struct Answer {
    /// `chatcmpl-…`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    pub model: String,
    pub think: String,
    pub say: String,
    /// How many times `say` is said.
    pub repeat: usize,
    pub calls: Vec<AnswerCall>,
    pub finish: String,
    pub usage: UsageSpec,
}

#[derive(Debug, Clone)]
pub struct AnswerCall {
    pub id: String,
    pub name: String,
    /// JSON text, or whatever the script wants to pass for it.
    pub arguments: String,
    pub style: Style,
}

impl Answer {
    /// The same answer with nothing in it.
    pub fn emptied(mut self) -> Self {
        self.think.clear();
        self.say.clear();
        self.calls.clear();
        self.finish = "stop".to_owned();
        self.usage.completion = 0;
        self
    }

    /// The `usage` object.
    pub fn usage(&self) -> Value {
        let UsageSpec {
            prompt,
            completion,
            cached,
        } = self.usage;
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        })
    }

    /// The whole `chat.completion` object of a request that does not stream.
    pub fn completion(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": null});
        if !self.say.is_empty() {
            message["content"] = Value::String(self.say.repeat(self.repeat));
        }
        if !self.think.is_empty() {
            message["reasoning_content"] = Value::String(self.think.clone());
        }
        if !self.calls.is_empty() {
            message["tool_calls"] = self.calls.iter().map(AnswerCall::whole).collect();
        }
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
            "usage": self.usage(),
        })
    }
}

impl AnswerCall {
    fn whole(&self) -> Value {
        let function = json!({"name": self.name, "arguments": self.arguments});
        json!({"id": self.id, "type": "function", "function": function})
    }
}
