//! The items of an output, and what they are made of.

use super::schema::{integer, list, must, must_and_may, nullable, number, one_of, text, word};
use serde_json::Value;

/// An item of any of the kinds that the specification knows.
pub fn item() -> Value {
    let progress = || word(&["in_progress", "completed", "incomplete"]);
    let typed = |name: &str, keys: &[(&str, Value)], optional: &[(&str, Value)]| {
        let mut all = vec![("type", word(&[name])), ("id", text())];
        all.extend_from_slice(keys);
        must_and_may(&all, optional)
    };
    one_of(vec![
        typed(
            "message",
            &[
                ("status", progress()),
                ("role", word(&["user", "assistant", "system", "developer"])),
                ("content", list(part())),
            ],
            &[("phase", word(&["commentary", "final_answer"]))],
        ),
        typed(
            "function_call",
            &[
                ("call_id", text()),
                ("name", text()),
                ("arguments", text()),
                ("status", progress()),
            ],
            &[],
        ),
        typed(
            "function_call_output",
            &[
                ("call_id", text()),
                ("output", one_of(vec![text(), list(part())])),
                ("status", progress()),
            ],
            &[],
        ),
        typed(
            "reasoning",
            &[("summary", list(part()))],
            &[("content", list(part())), ("encrypted_content", text())],
        ),
        typed(
            "compaction",
            &[("encrypted_content", text())],
            &[("created_by", text())],
        ),
    ])
}

/// A part of a message or of reasoning.
pub fn part() -> Value {
    let plain = |name: &str| must(&[("type", word(&[name])), ("text", text())]);
    one_of(vec![
        plain("input_text"),
        plain("text"),
        plain("summary_text"),
        plain("reasoning_text"),
        must_and_may(
            &[
                ("type", word(&["output_text"])),
                ("text", text()),
                ("annotations", list(citation())),
            ],
            &[("logprobs", list(logprob()))],
        ),
        must(&[("type", word(&["refusal"])), ("refusal", text())]),
        must(&[
            ("type", word(&["input_image"])),
            ("image_url", nullable(text())),
            ("detail", word(&["low", "high", "auto"])),
        ]),
        must_and_may(
            &[("type", word(&["input_file"]))],
            &[("filename", text()), ("file_url", text())],
        ),
    ])
}

pub fn logprob() -> Value {
    let token = |more: &[(&str, Value)]| {
        let mut keys = vec![
            ("token", text()),
            ("logprob", number()),
            ("bytes", list(integer())),
        ];
        keys.extend_from_slice(more);
        must(&keys)
    };
    token(&[("top_logprobs", list(token(&[])))])
}

pub fn citation() -> Value {
    must(&[
        ("type", word(&["url_citation"])),
        ("url", text()),
        ("start_index", integer()),
        ("end_index", integer()),
        ("title", text()),
    ])
}
