//! The two forms of the model list.

use serde_json::{Map, Value, json};

pub(super) fn schemas() -> Map<String, Value> {
    let price = json!({"type": ["number", "null"], "minimum": 0});
    let model = json!({
        "type": "object",
        "required": ["id", "label", "provider"],
        "properties": {
            "id": {"type": "string", "description": "For `model` in a request."},
            "label": {"type": "string"},
            "provider": {"type": ["string", "null"]},
            "recommended": {"type": "boolean"},
            "default_for": {"enum": ["free", "pro", null], "description": "The plan whose accounts get it by default."},
            "context_length": {"type": ["integer", "null"], "description": "In tokens."},
            "pricing": {
                "type": ["object", "null"],
                "properties": {"input_usd_per_million_tokens": price, "output_usd_per_million_tokens": price},
            },
        },
    });
    let list = json!({
        "type": "object",
        "required": ["current", "available"],
        "properties": {
            "current": {"type": "string", "description": "The default of the caller's plan; without a good token, of a free account."},
            "available": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
        },
    });
    let openai = json!({
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "object", "created", "owned_by"],
                "properties": {
                    "id": {"type": "string"},
                    "object": {"const": "model"},
                    "created": {"type": "integer"},
                    "owned_by": {"type": "string"},
                },
            }},
        },
    });
    let schemas = [
        ("Model", model),
        ("ModelConfig", list),
        ("ModelList", openai),
    ];
    schemas
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}
