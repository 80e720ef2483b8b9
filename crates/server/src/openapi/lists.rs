//! Pages, and answers that only say that something was done.

use serde_json::{Map, Value, json};

pub(super) fn schemas() -> Map<String, Value> {
    let integer = json!({"type": "integer", "minimum": 0});
    let schemas = [
        (
            "ResponsePage",
            page("Response", &[("first_id", id()), ("last_id", id())]),
        ),
        (
            "InputItemPage",
            page("StoredInputItem", &[("first_id", id()), ("last_id", id())]),
        ),
        (
            "EventPage",
            page("Event", &[("last_sequence_number", integer)]),
        ),
        ("DeletedResponse", deleted("ResponseId", "response")),
        ("DeletedSession", deleted("SessionId", "session")),
        ("StoredInputItem", input_item()),
        (
            "ResumeRequest",
            json!({"type": ["object", "null"], "description": "Nothing in it is read."}),
        ),
        (
            "Health",
            json!({
                "type": "object",
                "required": ["status"],
                "properties": {"status": {"type": "string"}},
            }),
        ),
    ];
    schemas
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

fn id() -> Value {
    json!({"type": ["string", "null"]})
}

fn page(of: &str, more: &[(&str, Value)]) -> Value {
    let mut properties = json!({
        "object": {"const": "list"},
        "data": {"type": "array", "items": {"$ref": format!("#/components/schemas/{of}")}},
        "has_more": {"type": "boolean"},
    });
    let mut required = vec!["object", "data", "has_more"];
    for (name, schema) in more {
        properties[*name] = schema.clone();
        required.push(name);
    }
    json!({"type": "object", "required": required, "properties": properties})
}

fn deleted(id: &str, object: &str) -> Value {
    json!({
        "type": "object",
        "required": ["id", "object", "deleted"],
        "properties": {
            "id": {"$ref": format!("#/components/schemas/{id}")},
            "object": {"const": object},
            "deleted": {"const": true},
        },
    })
}

fn input_item() -> Value {
    let item = |kind: &str, rest: Value| {
        let mut schema = json!({
            "type": "object",
            "required": ["id", "type", "status"],
            "properties": {
                "id": {"type": "string", "description": "Stays the same."},
                "type": {"type": "string", "enum": [kind]},
                "status": {"const": "completed"},
            },
        });
        for (name, field) in rest.as_object().into_iter().flatten() {
            schema["properties"][name] = field.clone();
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(json!(name));
            }
        }
        schema
    };
    let message = json!({
        "role": {"enum": ["user", "assistant", "system", "developer"]},
        "content": {"type": "array", "items": input_part()},
    });
    let output = json!({
        "call_id": {"type": "string"},
        "output": {"anyOf": [{"type": "string"}, {"type": "array", "items": input_part()}]},
    });
    json!({
        "description": "An input item as it was submitted.",
        "oneOf": [item("message", message), item("function_call_output", output)],
    })
}

fn input_part() -> Value {
    json!({
        "title": "part",
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"enum": ["input_text", "output_text", "input_image"]},
            "text": {"type": "string"},
            "image_url": {"type": "string"},
        },
    })
}
