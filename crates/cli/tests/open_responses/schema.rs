//! What the Open Responses specification (<https://www.openresponses.org>, version 2026-04-24) says of what a server
//! sends: its rules, written down here as schemas in our own words, not a copy of its document.
//!
//! Which keys must stand, of which type, and where null is allowed. Keys beyond those are allowed everywhere. Left out is
//! `input_video`, which nothing here sends.

use super::items::item;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The rules, ready to be asked.
pub struct Schemas {
    object: Validator,
    problem: Validator,
    events: BTreeMap<&'static str, Validator>,
}

impl Schemas {
    pub fn new() -> Self {
        let compiled = |schema: Value| jsonschema::validator_for(&schema).unwrap();
        let events = super::events::all().into_iter();
        Self {
            object: compiled(response()),
            problem: compiled(must(&[("error", problem())])),
            events: events
                .map(|(name, schema)| (name, compiled(schema)))
                .collect(),
        }
    }

    /// What is wrong with a response object; empty when nothing is.
    pub fn object(&self, object: &Value) -> Vec<String> {
        faults(&self.object, object)
    }

    /// What is wrong with the body of a refusal.
    pub fn problem(&self, body: &Value) -> Vec<String> {
        faults(&self.problem, body)
    }

    /// What is wrong with an event of a stream; the specification knows no other names than its own.
    pub fn event(&self, event: &Value) -> Vec<String> {
        let name = event["type"].as_str().unwrap_or_default();
        match self.events.get(name) {
            Some(schema) => faults(schema, event),
            None => vec![format!("no event of the specification: {name:?}")],
        }
    }
}

fn faults(schema: &Validator, value: &Value) -> Vec<String> {
    let faults = schema.iter_errors(value);
    faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

pub fn text() -> Value {
    json!({"type": "string"})
}

pub fn integer() -> Value {
    json!({"type": "integer"})
}

pub fn number() -> Value {
    json!({"type": "number"})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

pub fn word(words: &[&str]) -> Value {
    json!({"enum": words})
}

pub fn list(of: Value) -> Value {
    json!({"type": "array", "items": of})
}

pub fn nullable(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

pub fn one_of(schemas: Vec<Value>) -> Value {
    json!({"oneOf": schemas})
}

/// An object with these keys.
pub fn must(keys: &[(&str, Value)]) -> Value {
    must_and_may(keys, &[])
}

/// An object with these keys, and perhaps those. A key that may be left out may not therefore be null.
pub fn must_and_may(keys: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
    let all = keys.iter().chain(optional);
    let properties: Map<String, Value> = all
        .map(|(key, schema)| ((*key).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

/// The response object.
pub fn response() -> Value {
    must(&[
        ("id", text()),
        ("object", word(&["response"])),
        ("created_at", integer()),
        ("completed_at", nullable(integer())),
        ("status", text()),
        ("incomplete_details", nullable(must(&[("reason", text())]))),
        ("model", text()),
        ("previous_response_id", nullable(text())),
        ("instructions", nullable(text())),
        ("output", list(item())),
        (
            "error",
            nullable(must(&[("code", text()), ("message", text())])),
        ),
        ("tools", list(tool())),
        ("tool_choice", tool_choice()),
        ("truncation", word(&["auto", "disabled"])),
        ("parallel_tool_calls", boolean()),
        ("text", text_field()),
        ("top_p", number()),
        ("presence_penalty", number()),
        ("frequency_penalty", number()),
        ("top_logprobs", integer()),
        ("temperature", number()),
        ("reasoning", nullable(reasoning_field())),
        ("usage", nullable(usage())),
        ("max_output_tokens", nullable(integer())),
        ("max_tool_calls", nullable(integer())),
        ("store", boolean()),
        ("background", boolean()),
        ("service_tier", text()),
        ("metadata", json!(true)),
        ("safety_identifier", nullable(text())),
        ("prompt_cache_key", nullable(text())),
    ])
}

/// An error, as a refusal and a stream's `error` carry it.
pub fn problem() -> Value {
    must(&[
        ("type", text()),
        ("code", nullable(text())),
        ("message", text()),
        ("param", nullable(text())),
    ])
}

fn tool() -> Value {
    must(&[
        ("type", word(&["function"])),
        ("name", text()),
        ("description", nullable(text())),
        ("parameters", nullable(json!({"type": "object"}))),
        ("strict", nullable(boolean())),
    ])
}

fn tool_choice() -> Value {
    let mode = || word(&["none", "auto", "required"]);
    let function = || must_and_may(&[("type", word(&["function"]))], &[("name", text())]);
    one_of(vec![
        function(),
        mode(),
        must(&[
            ("type", word(&["allowed_tools"])),
            ("tools", list(function())),
            ("mode", mode()),
        ]),
    ])
}

fn text_field() -> Value {
    let format = one_of(vec![
        must(&[("type", word(&["text", "json_object"]))]),
        must(&[
            ("type", word(&["json_schema"])),
            ("name", text()),
            ("description", nullable(text())),
            ("schema", json!({"type": "null"})),
            ("strict", boolean()),
        ]),
    ]);
    must_and_may(
        &[("format", format)],
        &[("verbosity", word(&["low", "medium", "high"]))],
    )
}

fn reasoning_field() -> Value {
    must(&[
        (
            "effort",
            nullable(word(&["none", "low", "medium", "high", "xhigh"])),
        ),
        ("summary", nullable(word(&["concise", "detailed", "auto"]))),
    ])
}

fn usage() -> Value {
    must(&[
        ("input_tokens", integer()),
        ("output_tokens", integer()),
        ("total_tokens", integer()),
        (
            "input_tokens_details",
            must(&[("cached_tokens", integer())]),
        ),
        (
            "output_tokens_details",
            must(&[("reasoning_tokens", integer())]),
        ),
    ])
}
