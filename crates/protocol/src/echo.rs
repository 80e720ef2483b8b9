//! OpenAI's request fields in the response object: always there, with OpenAI's default where the request gave none.

use crate::request::openai_fields;
use crate::schema::nullable;
use crate::{CreateRequest, GivenTool};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// OpenAI's fields that we honour or echo: the part of [`crate::Response`] that is no field of the type. Its schema is
/// [`schema`]; this type only lends it a name.
#[derive(ToSchema)]
pub(crate) struct Echo {}

/// OpenAI's defaults, overlaid with what the request gave.
pub(crate) fn echo(request: &CreateRequest) -> Map<String, Value> {
    let mut echo = defaults();
    let tools = request.tools.iter().map(GivenTool::echo).collect();
    echo.insert("tools".to_owned(), tools);
    for (name, value) in &request.openai {
        match (echo.get_mut(name), value) {
            // Objects are merged, so that `reasoning: {effort}` keeps its `summary`; null is absent here too.
            (Some(Value::Object(known)), Value::Object(given)) => {
                let given = given.iter().filter(|(_, value)| !value.is_null());
                known.extend(given.map(|(k, v)| (k.clone(), v.clone())));
            }
            (Some(known), value) => *known = value.clone(),
            (None, _) => {}
        }
    }
    echo
}

fn defaults() -> Map<String, Value> {
    let defaults = json!({
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "truncation": "auto",
        "text": {"format": {"type": "text"}},
        "reasoning": {"effort": null, "summary": null},
        "max_output_tokens": null,
        "max_tool_calls": null,
        "store": true,
        "service_tier": "default",
        "safety_identifier": null,
        "prompt_cache_key": null,
        "user": null,
    });
    match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    }
}

/// What [`echo`] writes, as a JSON schema.
pub(crate) fn schema() -> Value {
    let mut properties = Map::new();
    for (name, default) in defaults() {
        let shape = match name.as_str() {
            "tools" => json!({"type": "array", "items": {"type": "object"}}),
            name => openai_fields::schema(name).unwrap_or_else(|| json!({"type": "number"})),
        };
        let shape = match default.is_null() {
            true => nullable(shape),
            false => shape,
        };
        properties.insert(name, shape);
    }
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "description": "OpenAI's fields: as the request gave them, else OpenAI's defaults.",
        "required": required,
        "properties": properties,
    })
}
