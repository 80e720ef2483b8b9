//! From a provider's JSON to deltas: a chunk of a stream, or a whole completion.

use std::collections::VecDeque;

use serde_json::Value;

use super::slots::{Piece, Slots};
use crate::error::from_stream_event;
use crate::{ChatDelta, PlatformError, Token, ToolCallDelta, Usage};

/// Reads chunks in order; remembers which tool calls have begun.
#[derive(Debug, Default)]
pub(super) struct ChunkReader {
    slots: Slots,
    /// Whether a finish reason was seen.
    pub finished: bool,
}

impl ChunkReader {
    /// Puts what a chunk says into `out`, in the order reasoning, text, calls, finish, usage.
    pub(super) fn read(
        &mut self,
        chunk: &Value,
        token: &Token,
        out: &mut VecDeque<ChatDelta>,
    ) -> Result<(), PlatformError> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(from_stream_event(chunk, Some(token)));
        }
        if !chunk.is_object() {
            return Err(PlatformError::garbage(
                "the model's answer is not a completion",
            ));
        }
        let choices = chunk.get("choices").and_then(Value::as_array);
        let first = |choice: &&Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        if let Some(choice) = choices.and_then(|choices| choices.iter().find(first)) {
            self.choice(choice, out)?;
        }
        out.extend(chunk.get("usage").and_then(usage).map(ChatDelta::Usage));
        Ok(())
    }

    fn choice(
        &mut self,
        choice: &Value,
        out: &mut VecDeque<ChatDelta>,
    ) -> Result<(), PlatformError> {
        let said = choice.get("delta").or_else(|| choice.get("message"));
        if let Some(said) = said {
            // Two names for one thing; some providers send both.
            let reasoning = ["reasoning", "reasoning_content"]
                .iter()
                .find_map(|name| text(said.get(*name)?));
            out.extend(reasoning.map(ChatDelta::Reasoning));
            out.extend(said.get("content").and_then(text).map(ChatDelta::Text));
            self.calls(said.get("tool_calls"), out)?;
        }
        let finish = choice
            .get("finish_reason")
            .and_then(Value::as_str)
            .filter(|reason| !reason.is_empty());
        if let Some(reason) = finish {
            self.finished = true;
            out.push_back(ChatDelta::Finish(reason.to_owned()));
        }
        Ok(())
    }

    fn calls(
        &mut self,
        calls: Option<&Value>,
        out: &mut VecDeque<ChatDelta>,
    ) -> Result<(), PlatformError> {
        let calls = calls
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (position, call) in calls.iter().enumerate() {
            let function = call.get("function");
            let id = filled(call.get("id"));
            let name = filled(function.and_then(|function| function.get("name")));
            let arguments = arguments(function.and_then(|function| function.get("arguments")));
            let listed = call.get("index").and_then(Value::as_u64);
            // Several anonymous pieces in one chunk: their order is the only thing that tells them
            // apart.
            let implied = (id.is_none() && calls.len() > 1).then_some(position as u64);
            let piece = Piece {
                index: listed.or(implied),
                id,
                name,
                arguments: &arguments,
            };
            let slot = self.slots.place(piece)?;
            out.push_back(ChatDelta::ToolCall(ToolCallDelta {
                slot,
                id: id.map(str::to_owned),
                name: name.map(str::to_owned),
                arguments,
            }));
        }
        Ok(())
    }
}

fn filled(value: Option<&Value>) -> Option<&str> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Arguments are JSON text; some providers send the object itself.
fn arguments(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Text, or a list of text parts; `None` when empty.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn usage(usage: &Value) -> Option<Usage> {
    let number = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let (input, output) = (number("/prompt_tokens"), number("/completion_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Usage {
        input: input.unwrap_or(0),
        output: output.unwrap_or(0),
        cached: number("/prompt_tokens_details/cached_tokens").unwrap_or(0),
        reasoning: number("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use serde_json::{Value, json};

    use super::ChunkReader;
    use crate::ChatDelta::{Finish, Reasoning, Text, ToolCall};
    use crate::{CallAssembler, ChatDelta, ErrorKind, PlatformError, Token, ToolCallDelta, Usage};

    fn read(chunks: &[Value]) -> Result<Vec<ChatDelta>, PlatformError> {
        let (mut reader, mut out) = (ChunkReader::default(), VecDeque::new());
        for chunk in chunks {
            reader.read(chunk, &Token::new("hf_t".into()), &mut out)?;
        }
        Ok(out.into())
    }

    fn delta(delta: Value) -> Value {
        json!({"choices":[{"index":0,"delta":delta,"finish_reason":null}]})
    }

    #[test]
    fn text_reasoning_finish_and_usage_are_read() {
        let chunks = [
            delta(json!({"role":"assistant","content":""})),
            delta(json!({"reasoning":"hm","reasoning_content":"hm"})),
            delta(json!({"reasoning_content":"so"})),
            delta(json!({"content":"Hi"})),
            delta(json!({"content":[{"type":"text","text":" you"}]})),
            json!({"choices":[{"index":1,"delta":{"content":"other"}}]}),
            json!({"choices":[{"delta":{},"finish_reason":"stop"}]}),
            json!({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,
                "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}),
            json!({"choices":[],"usage":null}),
        ];
        let usage = Usage {
            input: 9,
            output: 5,
            cached: 4,
            reasoning: 2,
        };
        let expected = [
            Reasoning("hm".into()),
            Reasoning("so".into()),
            Text("Hi".into()),
            Text(" you".into()),
            Finish("stop".into()),
            ChatDelta::Usage(usage),
        ];
        assert_eq!(read(&chunks).unwrap(), expected);
    }

    #[test]
    fn a_whole_completion_is_one_chunk() {
        let whole = json!({"object":"chat.completion","choices":[{"index":0,"finish_reason":"tool_calls","message":
            {"role":"assistant","content":null,"reasoning":"r","tool_calls":[
                {"id":"a","type":"function","function":{"name":"x","arguments":"{}"}},
                {"id":"b","type":"function","function":{"name":"y","arguments":{"k":1}}}]}}],
            "usage":{"prompt_tokens":1,"completion_tokens":2}});
        let call = |slot, id: &str, name: &str, arguments: &str| {
            ToolCall(ToolCallDelta {
                slot,
                id: Some(id.into()),
                name: Some(name.into()),
                arguments: arguments.into(),
            })
        };
        let expected = [
            Reasoning("r".into()),
            call(0, "a", "x", "{}"),
            call(1, "b", "y", "{\"k\":1}"),
            Finish("tool_calls".into()),
            ChatDelta::Usage(Usage {
                input: 1,
                output: 2,
                cached: 0,
                reasoning: 0,
            }),
        ];
        assert_eq!(read(&[whole]).unwrap(), expected);
    }

    #[test]
    fn anonymous_calls_in_one_chunk_stay_apart() {
        let both = |a: &str, b: &str| {
            delta(
                json!({"tool_calls":[{"function":{"name":"x","arguments":a}},{"function":{"name":"x","arguments":b}}]}),
            )
        };
        let mut assembler = CallAssembler::default();
        for delta in read(&[both("{\"n\":", "{\"n\":"), both("1}", "2}")]).unwrap() {
            if let ToolCall(delta) = delta {
                assembler.push(delta);
            }
        }
        let arguments: Vec<_> = assembler
            .finish()
            .into_iter()
            .map(|call| call.arguments)
            .collect();
        assert_eq!(arguments, ["{\"n\":1}", "{\"n\":2}"]);
    }

    #[test]
    fn an_error_event_is_an_error() {
        let error = read(&[json!({"error":{"message":"over hf_t","code":503}})]).unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::Unavailable, Some(503))
        );
        assert_eq!(error.message, "over [token]");
    }

    #[test]
    fn strange_shapes_say_nothing_or_fail_but_never_panic() {
        for quiet in [
            json!({}),
            json!({"choices":7}),
            json!({"choices":[null]}),
            json!({"error":null}),
            delta(json!({"content":{"a":1},"tool_calls":{"a":1}})),
            delta(Value::Null),
        ] {
            assert_eq!(read(&[quiet]).unwrap(), []);
        }
        for wrong in [json!([]), json!("x"), Value::Null] {
            assert_eq!(read(&[wrong]).unwrap_err().kind, ErrorKind::Garbage);
        }
    }
}
