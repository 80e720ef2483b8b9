//! The session object.

use serde_json::{Map, Value, json};

pub(super) fn schemas() -> Map<String, Value> {
    let schemas = [
        ("Session", session()),
        ("Resource", resource()),
        ("CancelledResponse", cancelled()),
    ];
    schemas
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

fn resource() -> Value {
    json!({
        "type": "object",
        "description": "Something that a run started and that still runs outside.",
        "required": ["type", "id", "url", "state", "price_per_hour_usd"],
        "properties": {
            "type": {"type": "string"},
            "id": {"type": "string"},
            "url": {"type": ["string", "null"]},
            "state": {"type": "string"},
            "price_per_hour_usd": {"type": ["number", "null"], "minimum": 0},
        },
    })
}

fn cancelled() -> Value {
    json!({
        "description": "The response as it is now, and what still runs outside.",
        "allOf": [
            {"$ref": "#/components/schemas/Response"},
            {"type": "object", "properties": {
                "resources": {"type": "array", "items": {"$ref": "#/components/schemas/Resource"}},
            }},
        ],
    })
}

fn session() -> Value {
    let list = |of: &str| json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{of}")}});
    let money = json!({"type": "number", "minimum": 0});
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "A chain of responses with one conversation, sandbox and budget.",
        "required": [
            "id", "object", "created_at", "state", "model", "budget", "usage", "reservations", "plan", "artifacts",
            "responses", "sandbox", "resources", "webhooks",
        ],
        "properties": {
            "id": {"$ref": "#/components/schemas/SessionId"},
            "object": {"const": "session"},
            "created_at": {"type": "integer", "description": "Unix seconds."},
            "state": {
                "enum": ["running", "awaiting_approval", "idle", "released"],
                "description": "`released`: it holds no runtime; the next request that names it restores it.",
            },
            "model": {"type": "string"},
            "budget": {"$ref": "#/components/schemas/Budget"},
            "usage": {
                "type": "object",
                "required": ["cost_usd", "cost_by_kind"],
                "properties": {"cost_usd": money, "cost_by_kind": {"$ref": "#/components/schemas/CostByKind"}},
            },
            "reservations": {"type": "array", "items": {"type": "object"}, "description": "What is held for actions under way."},
            "plan": list("PlanItem"),
            "artifacts": list("Artifact"),
            "responses": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "status", "created_at"],
                "properties": {
                    "id": {"$ref": "#/components/schemas/ResponseId"},
                    "status": {"$ref": "#/components/schemas/Status"},
                    "created_at": {"type": "integer"},
                },
            }},
            "sandbox": {
                "type": "object",
                "required": ["state"],
                "properties": {"state": text},
            },
            "resources": {"type": "array", "items": {"$ref": "#/components/schemas/Resource"}},
            "webhooks": {"type": "array", "items": {"type": "object"}, "description": "Receivers, with the state of delivery."},
        },
    })
}
