//! The document's operations, types and events, and the refusals, as the page shows them.

use super::schema::{Row, kind, named, rows};
use crate::openapi::FAULTS;
use crate::surface::view::View;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

#[derive(Serialize)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    is_open: bool,
    parameters: Vec<Parameter>,
    body: Vec<Row>,
    examples: Vec<Example>,
    answers: Vec<Answer>,
}

#[derive(Serialize)]
struct Parameter {
    place: String,
    row: Row,
}

#[derive(Serialize)]
struct Example {
    summary: String,
    text: String,
}

#[derive(Serialize)]
struct Answer {
    status: String,
    description: String,
    /// HTML.
    kinds: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Type {
    name: String,
    description: String,
    variants: Vec<Variant>,
}

#[derive(Serialize)]
struct Variant {
    name: Option<String>,
    rows: Vec<Row>,
    kind: String,
}

#[derive(Serialize)]
pub(super) struct Event {
    pub name: String,
    description: String,
    rows: Vec<Row>,
    views: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Refusal {
    status: u16,
    kind: &'static str,
    code: &'static str,
    when: &'static str,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Operations by tag, each in the order of the document's list.
pub(super) fn groups(document: &Value) -> Vec<Group> {
    let order = crate::openapi::order();
    let mut operations: Vec<(&str, Operation)> = Vec::new();
    for (method, path) in order {
        let operation = &document["paths"][path][method];
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        operations.push((tag, describe(document, method, path, operation)));
    }
    let tags = document["tags"].as_array().into_iter().flatten();
    let group = |tag: &Value| {
        let name = text(&tag["name"]);
        let of_group = operations.extract_if(.., |(tag, _)| *tag == name);
        let operations = of_group.map(|(_, operation)| operation).collect();
        Group {
            name,
            description: text(&tag["description"]),
            operations,
        }
    };
    tags.map(group).collect()
}

fn describe(document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters
        .filter(|parameter| parameter["in"] != "path")
        .map(|parameter| Parameter {
            place: text(&parameter["in"]),
            row: Row {
                name: text(&parameter["name"]),
                is_required: false,
                kind: kind(&parameter["schema"]),
                description: text(&parameter["description"]),
            },
        });
    let body = &operation["requestBody"]["content"]["application/json"];
    let examples = body["examples"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, example)| Example {
            summary: text(&example["summary"]),
            text: serde_json::to_string_pretty(&example["value"]).unwrap_or_default(),
        });
    let answers = operation["responses"].as_object().into_iter().flatten();
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        is_open: operation["security"].as_array().is_some_and(Vec::is_empty),
        parameters: parameters.collect(),
        body: rows(document, &body["schema"]),
        examples: examples.collect(),
        answers: answers
            .map(|(status, answer)| describe_answer(status, answer))
            .collect(),
    }
}

fn describe_answer(status: &str, answer: &Value) -> Answer {
    let kinds = answer["content"]
        .as_object()
        .into_iter()
        .flatten()
        .map(
            |(media, content)| match (media.as_str(), named(&content["schema"])) {
                ("text/event-stream", _) => "<a href=\"#events\">events</a>".to_owned(),
                (_, Some(_)) => kind(&content["schema"]),
                (_, None) if content["schema"].get("allOf").is_some() => {
                    "<a href=\"#errors\">Error</a>".to_owned()
                }
                (media, None) => media.to_owned(),
            },
        );
    Answer {
        status: status.to_owned(),
        description: text(&answer["description"]),
        kinds: kinds.collect(),
    }
}

/// Schemas that other tables link to. Requests and events stand elsewhere.
pub(super) fn types(document: &Value) -> Vec<Type> {
    let hidden = [
        "CreateRequest",
        "ApprovalRequest",
        "CancelRequest",
        "Event",
        "Echo",
    ];
    let schemas = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten();
    let shown = schemas.filter(|(name, _)| !hidden.contains(&name.as_str()));
    shown
        .map(|(name, schema)| Type {
            name: name.clone(),
            description: text(&schema["description"]),
            variants: variants(document, schema),
        })
        .collect()
}

fn variants(document: &Value, schema: &Value) -> Vec<Variant> {
    let variant = |schema: &Value| {
        let mut rows = rows(document, schema);
        let is_tag = |row: &Row| {
            row.name == "type" && row.kind.starts_with("&quot;") && !row.kind.contains('|')
        };
        let tag = rows.iter().position(is_tag).map(|at| rows.remove(at));
        Variant {
            name: tag.map(|row| row.kind.replace("&quot;", "")),
            kind: if rows.is_empty() {
                kind(schema)
            } else {
                String::new()
            },
            rows,
        }
    };
    match schema["oneOf"].as_array() {
        Some(choices) => choices.iter().map(variant).collect(),
        None => vec![variant(schema)],
    }
}

/// The event catalogue.
pub(super) fn events(document: &Value) -> Vec<Event> {
    let variants = document["components"]["schemas"]["Event"]["oneOf"].as_array();
    let event = |schema: &Value| {
        let mut rows = rows(document, schema);
        let name = rows
            .iter()
            .find(|row| row.name == "type")
            .map(|row| row.kind.replace("&quot;", ""));
        rows.retain(|row| row.name != "type" && row.name != "sequence_number");
        let name = name.unwrap_or_default();
        Event {
            views: View::names_that_show(&name),
            description: text(&schema["description"]),
            name,
            rows,
        }
    };
    variants.into_iter().flatten().map(event).collect()
}

pub(super) fn faults() -> Vec<Refusal> {
    let refusal = |fault: &crate::openapi::Fault| Refusal {
        status: fault.status,
        kind: fault.kind.as_str(),
        code: fault.code,
        when: fault.when,
    };
    FAULTS.iter().map(refusal).collect()
}
