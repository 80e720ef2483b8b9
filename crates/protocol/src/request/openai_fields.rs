//! OpenAI's request fields that make sense for an agent: honoured where we can, echoed in the response object.
//!
//! One table says what each takes. Checking, the echo and the published schema all follow it.

use super::DEEPEST;
use crate::Problem;
use crate::reader::Reader;
use serde_json::{Map, Value, json};

const LARGEST_COUNT: u64 = u32::MAX as u64;

/// What a field takes.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A number within `[0, most]`.
    UpTo(f64),
    /// A whole number within `[least, most]`.
    Whole(u64, u64),
    Boolean,
    Text,
    OneOf(&'static [&'static str]),
    Object,
    Texts,
    /// One of these words, or an object.
    OneOfOrObject(&'static [&'static str]),
}

const FIELDS: [(&str, Shape); 16] = [
    ("temperature", Shape::UpTo(2.0)),
    ("top_p", Shape::UpTo(1.0)),
    ("max_output_tokens", Shape::Whole(1, LARGEST_COUNT)),
    ("max_tool_calls", Shape::Whole(1, LARGEST_COUNT)),
    ("reasoning", Shape::Object),
    ("truncation", Shape::OneOf(&["auto", "disabled"])),
    ("text", Shape::Object),
    ("parallel_tool_calls", Shape::Boolean),
    ("prompt_cache_key", Shape::Text),
    ("safety_identifier", Shape::Text),
    ("service_tier", Shape::Text),
    ("store", Shape::Boolean),
    ("user", Shape::Text),
    ("include", Shape::Texts),
    (
        "tool_choice",
        Shape::OneOfOrObject(&["none", "auto", "required"]),
    ),
    ("top_logprobs", Shape::Whole(0, 20)),
];

pub(super) fn is_known(name: &str) -> bool {
    FIELDS.iter().any(|(known, _)| *known == name)
}

/// Reads the fields that a request gives.
pub(super) fn parse(body: &Reader<'_>) -> Result<Map<String, Value>, Problem> {
    let mut given = Map::new();
    for (name, shape) in FIELDS {
        let Some(value) = body.get(name) else {
            continue;
        };
        shape.check(body, name, value)?;
        if !super::is_shallow(value, DEEPEST) {
            return Err(body.invalid(name, "is nested too deeply"));
        }
        given.insert(name.to_owned(), value.clone());
    }
    Ok(given)
}

/// The JSON schema of each field.
pub(super) fn schemas() -> impl Iterator<Item = (&'static str, Value)> {
    FIELDS.iter().map(|(name, shape)| (*name, shape.schema()))
}

/// The JSON schema of one field.
pub(crate) fn schema(name: &str) -> Option<Value> {
    schemas().find_map(|(known, schema)| (known == name).then_some(schema))
}

impl Shape {
    fn check(self, body: &Reader<'_>, name: &str, value: &Value) -> Result<(), Problem> {
        match self {
            Self::UpTo(most) => {
                let fits = |number: f64| (0.0..=most).contains(&number);
                body.number_in(name, fits, &format!("[0, {most}]"))?;
            }
            Self::Whole(least, most) => {
                body.integer(name, least, most)?;
            }
            Self::Boolean => {
                body.boolean(name)?;
            }
            Self::Text => {
                body.string(name)?;
            }
            Self::OneOf(words) => check_word(body, name, words)?,
            Self::Object => {
                body.object(name)?;
            }
            Self::Texts => {
                let texts = body.array(name)?;
                if !texts.is_none_or(|texts| texts.iter().all(Value::is_string)) {
                    return Err(body.wrong_type(name, "an array of strings"));
                }
            }
            Self::OneOfOrObject(_) if value.is_object() => {}
            Self::OneOfOrObject(words) => check_word(body, name, words)?,
        }
        Ok(())
    }

    fn schema(self) -> Value {
        match self {
            Self::UpTo(most) => json!({"type": "number", "minimum": 0, "maximum": most}),
            Self::Whole(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Self::Boolean => json!({"type": "boolean"}),
            Self::Text => json!({"type": "string"}),
            Self::OneOf(words) => json!({"type": "string", "enum": words}),
            Self::Object => json!({"type": "object"}),
            Self::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Self::OneOfOrObject(words) => {
                json!({"anyOf": [{"type": "string", "enum": words}, {"type": "object"}]})
            }
        }
    }
}

fn check_word(body: &Reader<'_>, name: &str, words: &[&str]) -> Result<(), Problem> {
    match body.string(name)? {
        Some(word) if !words.contains(&word) => {
            Err(body.invalid(name, &format!("must be {}", words.join(" or "))))
        }
        _ => Ok(()),
    }
}
