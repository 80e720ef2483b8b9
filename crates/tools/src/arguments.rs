//! Arguments as the model wrote them, made into what the tool's schema asks for, or refused with a reason that names
//! the field.

use serde_json::{Map, Value};

/// Parses and checks arguments. Numeric strings and `"true"`/`"false"` become what the schema wants.
///
/// # Errors
/// A sentence for the model.
pub fn check(schema: &Value, text: &str) -> Result<Value, String> {
    let mut arguments = parse(text)?;
    coerce(schema, &mut arguments);
    let validator = validator(schema)?;
    let faults: Vec<String> = validator
        .iter_errors(&arguments)
        .take(5)
        .map(|error| fault(&error))
        .collect();
    if faults.is_empty() {
        Ok(arguments)
    } else {
        Err(faults.join("; "))
    }
}

/// Whether arguments can be checked with this schema: an object's, that refers to nothing outside itself.
#[must_use]
pub fn is_usable_schema(schema: &Value) -> bool {
    let is_objects = schema.get("type").is_none_or(|kind| {
        kind == "object"
            || kind
                .as_array()
                .is_some_and(|kinds| kinds.contains(&"object".into()))
    });
    schema.is_object() && is_objects && validator(schema).is_ok()
}

/// No backtracking in patterns: schemas come from callers and from MCP servers too.
fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(schema)
        .map_err(|error| format!("the tool's schema is broken: {error}"))
}

fn parse(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(Value::Object(fields)),
        Ok(_) => Err("the arguments must be a JSON object".into()),
        Err(error) => Err(format!(
            "the arguments are not valid JSON ({error}), so nothing was executed; send smaller, valid JSON"
        )),
    }
}

fn fault(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let message: String = error.to_string().chars().take(300).collect();
    if place.is_empty() {
        message
    } else {
        format!("`{}`: {message}", place.trim_start_matches('/'))
    }
}

/// Converts where the schema says so and the text allows it; leaves everything else to the check.
fn coerce(schema: &Value, value: &mut Value) {
    if let Some(wanted) = schema.get("type").and_then(Value::as_str)
        && let Value::String(text) = value
        && let Some(converted) = convert(wanted, text.trim())
    {
        *value = converted;
        return;
    }
    match value {
        Value::Object(fields) => {
            let properties = schema.get("properties");
            // Models send null for what they leave out.
            fields.retain(|name, value| !value.is_null() || is_required(schema, name));
            for (name, value) in fields.iter_mut() {
                if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                    coerce(schema, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| coerce(schema, item));
            }
        }
        _ => {}
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

fn convert(wanted: &str, text: &str) -> Option<Value> {
    match wanted {
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::from),
        "boolean" => text.to_lowercase().parse::<bool>().ok().map(Value::from),
        // Some models send a list or an object as a string of JSON.
        "array" => serde_json::from_str(text).ok().filter(Value::is_array),
        "object" => serde_json::from_str(text).ok().filter(Value::is_object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "command": {"type": "string"},
                "timeout": {"type": "integer", "minimum": 1},
                "all": {"type": "boolean"},
                "env": {"type": "object"},
                "names": {"type": "array", "items": {"type": "string"}},
                "mode": {"type": "string", "enum": ["a", "b"]},
            },
            "required": ["command"],
            "additionalProperties": false,
        })
    }

    #[test]
    fn strings_become_what_the_schema_wants() {
        let text = r#"{"command": "5", "timeout": "600", "all": "True", "env": "{\"A\": 1}", "names": null}"#;
        let wanted = json!({"command": "5", "timeout": 600, "all": true, "env": {"A": 1}});
        assert_eq!(check(&schema(), text), Ok(wanted));
        assert_eq!(check(&json!({"type": "object"}), ""), Ok(json!({})));
    }

    #[test]
    fn refusals_name_the_field() {
        for (text, named) in [
            ("{", "not valid JSON"),
            ("[1]", "must be a JSON object"),
            ("{}", "command"),
            (r#"{"command": null}"#, "command"),
            (r#"{"command": "x", "timeout": "soon"}"#, "timeout"),
            (r#"{"command": "x", "timeout": 0}"#, "timeout"),
            (r#"{"command": "x", "mode": "c"}"#, "mode"),
            (r#"{"command": "x", "colour": 1}"#, "colour"),
            (r#"{"command": "x", "names": [1]}"#, "names/0"),
        ] {
            let refusal = check(&schema(), text).unwrap_err();
            assert!(refusal.contains(named), "{text}: {refusal}");
        }
    }
}
