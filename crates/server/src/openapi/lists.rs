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
    json!({
        "description": "An input item as it was submitted, with an id that stays the same.",
        "allOf": [
            {"$ref": "#/components/schemas/InputItem"},
            {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        ],
    })
}
