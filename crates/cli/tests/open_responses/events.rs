//! The events that the specification lets a stream have.

use super::items::{citation, item, logprob, part};
use super::schema::{integer, list, must_and_may, nullable, problem, response, text, word};
use serde_json::Value;

/// Every event: its name and its schema.
pub fn all() -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    for name in [
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.completed",
        "response.failed",
        "response.incomplete",
    ] {
        events.push(event(name, &[("response", response())]));
    }
    for name in ["response.output_item.added", "response.output_item.done"] {
        let keys = [("output_index", integer()), ("item", nullable(item()))];
        events.push(event(name, &keys));
    }
    events.extend(of_content());
    events.extend(of_summary());
    let arguments = |name, key| event(name, &within(&[(key, text())]));
    events.push(arguments("response.function_call_arguments.delta", "delta"));
    events.push(arguments(
        "response.function_call_arguments.done",
        "arguments",
    ));
    events.push(event("error", &[("error", problem())]));
    events
}

/// Pieces of a message's or a reasoning's content.
fn of_content() -> Vec<(&'static str, Value)> {
    let content = |name, key, schema| {
        let keys = within(&[("content_index", integer()), (key, schema)]);
        event(name, &keys)
    };
    let output = |name, key| {
        let keys = within(&[("content_index", integer()), (key, text())]);
        event_and(name, &keys, &[("logprobs", list(logprob()))])
    };
    let annotation = within(&[
        ("content_index", integer()),
        ("annotation_index", integer()),
        ("annotation", nullable(citation())),
    ]);
    vec![
        content("response.content_part.added", "part", part()),
        content("response.content_part.done", "part", part()),
        output("response.output_text.delta", "delta"),
        output("response.output_text.done", "text"),
        content("response.refusal.delta", "delta", text()),
        content("response.refusal.done", "refusal", text()),
        content("response.reasoning.delta", "delta", text()),
        content("response.reasoning.done", "text", text()),
        event("response.output_text.annotation.added", &annotation),
    ]
}

/// Pieces of a reasoning's summary.
fn of_summary() -> Vec<(&'static str, Value)> {
    let summary = |name, key, schema| {
        let keys = within(&[("summary_index", integer()), (key, schema)]);
        event(name, &keys)
    };
    vec![
        summary("response.reasoning_summary_part.added", "part", part()),
        summary("response.reasoning_summary_part.done", "part", part()),
        summary("response.reasoning_summary_text.delta", "delta", text()),
        summary("response.reasoning_summary_text.done", "text", text()),
    ]
}

/// Keys of an event that is about an item.
fn within<'a>(keys: &[(&'a str, Value)]) -> Vec<(&'a str, Value)> {
    let mut all = vec![("item_id", text()), ("output_index", integer())];
    all.extend_from_slice(keys);
    all
}

fn event(name: &'static str, keys: &[(&str, Value)]) -> (&'static str, Value) {
    event_and(name, keys, &[])
}

fn event_and(
    name: &'static str,
    keys: &[(&str, Value)],
    optional: &[(&str, Value)],
) -> (&'static str, Value) {
    let mut all = vec![("type", word(&[name])), ("sequence_number", integer())];
    all.extend_from_slice(keys);
    (name, must_and_may(&all, optional))
}
