//! An answer cut into stream chunks, a word at a time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Answer, AnswerCall};
use super::scenario::Style;

/// Characters of call arguments in one delta.
const PIECE: usize = 24;

/// The `data:` payloads of a stream, in order and without `[DONE]`; made while they are read, so that a very
/// long answer costs no memory.
pub fn chunks(answer: Answer, include_usage: bool) -> impl Iterator<Item = Value> + Send {
    let frame = Frame::of(&answer);
    let role = frame.delta(json!({"role": "assistant", "content": ""}));
    let mut end =
        vec![frame.chunk(json!([{"index": 0, "delta": {}, "finish_reason": answer.finish}]))];
    if include_usage {
        let mut chunk = frame.chunk(json!([]));
        chunk["usage"] = answer.usage();
        end.push(chunk);
    }
    let thoughts = words(&answer.think);
    let said: Arc<[String]> = words(&answer.say).into();
    let saying = (0..answer.repeat).flat_map(move |_| {
        let said = said.clone();
        (0..said.len()).map(move |index| said[index].clone())
    });
    let calls = answer
        .calls
        .into_iter()
        .enumerate()
        .flat_map(|(index, call)| deltas(index, &call));
    let deltas = std::iter::empty()
        .chain(
            thoughts
                .into_iter()
                .map(|word| json!({"reasoning_content": word})),
        )
        .chain(saying.map(|word| json!({"content": word})))
        .chain(calls.map(|call| json!({"tool_calls": [call]})))
        .map(move |delta| frame.delta(delta));
    std::iter::once(role).chain(deltas).chain(end)
}

/// What all chunks of a stream have in common.
struct Frame {
    id: String,
    created: i64,
    model: String,
}

impl Frame {
    fn of(answer: &Answer) -> Self {
        Self {
            id: answer.id.clone(),
            created: answer.created,
            model: answer.model.clone(),
        }
    }

    fn chunk(&self, choices: Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk",
            "created": self.created, "model": self.model, "choices": choices,
        })
    }

    fn delta(&self, delta: Value) -> Value {
        self.chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]))
    }
}

/// Words with the white space that follows them; joined they are the text again.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut in_space = false;
    for (at, c) in text.char_indices() {
        if in_space && !c.is_whitespace() {
            out.push(text[start..at].to_owned());
            start = at;
        }
        in_space = c.is_whitespace();
    }
    if start < text.len() {
        out.push(text[start..].to_owned());
    }
    out
}

fn deltas(index: usize, call: &AnswerCall) -> Vec<Value> {
    let head = |arguments: &str| {
        let function = json!({"name": call.name, "arguments": arguments});
        let mut delta =
            json!({"index": index, "id": call.id, "type": "function", "function": function});
        if call.style == Style::NoIndex {
            delta.as_object_mut().map(|object| object.remove("index"));
        }
        delta
    };
    let tail = |piece: &str| {
        let function = json!({"arguments": piece});
        match call.style {
            Style::RepeatedId => head(piece),
            Style::NoIndex => json!({"function": function}),
            _ => json!({"index": index, "function": function}),
        }
    };
    if call.style == Style::Whole {
        return vec![head(&call.arguments)];
    }
    let letters: Vec<char> = call.arguments.chars().collect();
    let pieces = letters
        .chunks(PIECE)
        .map(|piece| tail(&piece.iter().collect::<String>()));
    std::iter::once(head("")).chain(pieces).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::scenario::UsageSpec;

    fn answer(style: Style) -> Answer {
        Answer {
            id: "x".into(),
            created: 1,
            model: "m".into(),
            think: "hm".into(),
            say: "one two".into(),
            repeat: 2,
            calls: vec![AnswerCall {
                id: "c1".into(),
                name: "bash".into(),
                arguments: r#"{"command":"a rather long command"}"#.into(),
                style,
            }],
            finish: "tool_calls".into(),
            usage: UsageSpec {
                prompt: 3,
                completion: 4,
                cached: 0,
            },
        }
    }

    fn call_deltas(style: Style) -> Vec<Value> {
        let all = chunks(answer(style), false);
        let calls = all.filter_map(|c| c["choices"][0]["delta"].get("tool_calls").cloned());
        calls.map(|list| list[0].clone()).collect()
    }

    #[test]
    fn words_join_to_the_text() {
        let text = "  a bc\n\n  d ";
        assert_eq!(words(text), ["  ", "a ", "bc\n\n  ", "d "]);
        assert_eq!(words(text).concat(), text);
        assert!(words("").is_empty());
    }

    #[test]
    fn content_repeats_and_usage_comes_last() {
        let all: Vec<Value> = chunks(answer(Style::Whole), true).collect();
        let said: String = all
            .iter()
            .filter_map(|c| c["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(said, "one twoone two");
        assert_eq!(all.last().unwrap()["usage"]["total_tokens"], 7);
        assert_eq!(
            all[all.len() - 2]["choices"][0]["finish_reason"],
            "tool_calls"
        );
    }

    #[test]
    fn every_style_carries_the_same_arguments() {
        for style in [
            Style::Pieces,
            Style::Whole,
            Style::NoIndex,
            Style::RepeatedId,
        ] {
            let deltas = call_deltas(style);
            let arguments: String = deltas
                .iter()
                .filter_map(|d| d["function"]["arguments"].as_str())
                .collect();
            assert_eq!(arguments, answer(style).calls[0].arguments, "{style:?}");
            let indexed = deltas.iter().all(|d| d.get("index").is_some());
            assert_eq!(indexed, style != Style::NoIndex);
            let named = deltas
                .iter()
                .filter(|d| d["function"].get("name").is_some())
                .count();
            assert_eq!(named > 1, style == Style::RepeatedId);
        }
    }
}
