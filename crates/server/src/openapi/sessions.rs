//! The session object, and the snapshot that a cancel answers with.

use crate::sessions::object::SessionObject;
use crate::sessions::resources::ListedResource;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

pub(super) fn schemas() -> Map<String, Value> {
    let mut types = vec![
        (SessionObject::name().into_owned(), SessionObject::schema()),
        (
            ListedResource::name().into_owned(),
            ListedResource::schema(),
        ),
    ];
    SessionObject::schemas(&mut types);
    let encoded = types
        .into_iter()
        .filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?)));
    let mut schemas: Map<String, Value> = encoded.collect();
    schemas.insert("CancelledResponse".into(), cancelled());
    schemas
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
