//! The wire as JSON schemas, for the OpenAPI document: derived from the types where serde reads or writes them, built from
//! the parsers' own limits where a request is checked by hand.

use crate::{
    ApprovalRequest, Artifact, CancelRequest, CreateRequest, Event, PlanItem, Response, echo,
    problem,
};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Every named schema of the wire.
#[must_use]
pub fn schemas() -> Map<String, Value> {
    let mut types = Vec::new();
    add::<Response>(&mut types);
    add::<Event>(&mut types);
    add::<Artifact>(&mut types);
    add::<PlanItem>(&mut types);
    let mut schemas = Map::new();
    for (name, schema) in types {
        if let Ok(schema) = serde_json::to_value(schema) {
            schemas.insert(name, schema);
        }
    }
    if let Some(event) = schemas.get_mut("Event") {
        number(event);
    }
    schemas.insert("Echo".into(), echo::schema());
    schemas.insert("CreateRequest".into(), CreateRequest::schema());
    schemas.insert("ApprovalRequest".into(), ApprovalRequest::schema());
    schemas.insert("CancelRequest".into(), CancelRequest::schema());
    schemas.insert("Error".into(), problem::schema());
    schemas
}

fn add<T: ToSchema + PartialSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// Adds what [`Event::encode`] writes beside the payload.
fn number(event: &mut Value) {
    let variants = event.get_mut("oneOf").and_then(Value::as_array_mut);
    for variant in variants.into_iter().flatten() {
        let own = match variant.get_mut("allOf").and_then(Value::as_array_mut) {
            Some(parts) => parts.last_mut(),
            None => Some(variant),
        };
        let Some(own) = own else { continue };
        own["properties"]["sequence_number"] = json!({
            "type": "integer",
            "minimum": 0,
            "description": "0, 1, 2 … without gaps in the response's log.",
        });
        if let Some(required) = own["required"].as_array_mut() {
            required.push(json!("sequence_number"));
        }
    }
}

/// The schema, or null.
pub(crate) fn nullable(mut schema: Value) -> Value {
    let Some(kind) = schema.get("type").and_then(Value::as_str) else {
        return json!({"anyOf": [schema, {"type": "null"}]});
    };
    schema["type"] = json!([kind, "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}
