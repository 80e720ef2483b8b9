//! A JSON schema as rows of a table.

use super::markup::escape;
use serde::Serialize;
use serde_json::Value;

/// One field of an object.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub name: String,
    pub is_required: bool,
    /// HTML: types link to their tables.
    pub kind: String,
    pub description: String,
}

/// The fields of an object schema, those of its `allOf` parts included.
pub(super) fn rows(document: &Value, schema: &Value) -> Vec<Row> {
    if let Some(name) = named(schema) {
        return rows(document, &document["components"]["schemas"][name]);
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut found: Vec<Row> = parts.flat_map(|part| rows(document, part)).collect();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.retain(|row| row.name != *name);
        found.push(Row {
            name: name.clone(),
            is_required: required.contains(&name.as_str()),
            kind: kind(field),
            description: description(document, field),
        });
    }
    let told = schema["x-order"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let order: Vec<&str> = told.chain(required.iter().copied()).collect();
    let place = |row: &Row| order.iter().position(|name| *name == row.name);
    found.sort_by_key(|row| place(row).unwrap_or(usize::MAX));
    found
}

/// The name of the schema that a reference points at.
pub(super) fn named(schema: &Value) -> Option<&str> {
    schema["$ref"]
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

fn description(document: &Value, schema: &Value) -> String {
    let choices = ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| schema[key].as_array())
        .flatten();
    let own = std::iter::once(schema).chain(choices);
    let mut texts = own.filter_map(|schema| schema["description"].as_str());
    let referred = || document["components"]["schemas"][named(schema)?]["description"].as_str();
    texts
        .next()
        .or_else(referred)
        .unwrap_or_default()
        .to_owned()
}

/// What a value may be, in few words, as HTML.
pub(super) fn kind(schema: &Value) -> String {
    let mut text = bare(schema);
    text.push_str(&limits(schema));
    if let Some(default) = schema.get("default").filter(|default| !default.is_array()) {
        let default = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        text.push_str(&format!(" = {}", escape(&default)));
    }
    text
}

fn bare(schema: &Value) -> String {
    if let Some(name) = named(schema) {
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    if let Some(constant) = schema.get("const") {
        return escape(&constant.to_string());
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| escape(&word.to_string())).collect();
        return words.join(" | ");
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[key]
            .as_array()
            .filter(|_| schema.get("type").is_none())
        {
            let choices: Vec<String> = choices.iter().map(titled).collect();
            return choices.join(" | ");
        }
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "any".to_owned(),
    };
    let names = names.into_iter().map(|name| match name {
        "array" => elements(&schema["items"]),
        name => name.to_owned(),
    });
    names.collect::<Vec<_>>().join(" | ")
}

fn titled(schema: &Value) -> String {
    schema["title"]
        .as_str()
        .map_or_else(|| bare(schema), str::to_owned)
}

fn elements(items: &Value) -> String {
    let one = titled(items);
    match one.contains(" | ") {
        true => format!("({one})[]"),
        false => format!("{one}[]"),
    }
}

fn limits(schema: &Value) -> String {
    let number = |key: &str| schema.get(key).map(Value::to_string);
    let low = number("exclusiveMinimum").map(|low| format!("({low}"));
    let low = low.or_else(|| number("minimum").map(|low| format!("[{low}")));
    match (low, number("maximum"), number("maxLength")) {
        (Some(low), Some(high), _) => format!(", {low}, {high}]"),
        (_, _, Some(length)) => format!(", at most {length} characters"),
        _ => String::new(),
    }
}
