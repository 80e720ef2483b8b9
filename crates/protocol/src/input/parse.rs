//! Reading and checking `input`.

use super::{InputItem, InputMessage, InputPart, Role, text};
use crate::Problem;
use crate::reader::{Reader, check_length, shown};
use serde_json::Value;
use std::collections::HashSet;

/// Most characters in one message (the seed's limit).
pub(crate) const MESSAGE_LIMIT: usize = 100_000;
/// Most characters in the id of a call.
pub(crate) const CALL_ID_LIMIT: usize = 256;

/// Reads and checks `input`.
pub(crate) fn parse(body: &Reader<'_>) -> Result<Vec<InputItem>, Problem> {
    let items = match body.get("input") {
        None => return Err(body.missing("input")),
        Some(Value::String(task)) => vec![plain_task(task)?],
        Some(Value::Array(items)) => parse_list(items)?,
        Some(_) => return Err(body.wrong_type("input", "a string or an array of messages")),
    };
    match items.last() {
        None => Err(empty_input()),
        Some(InputItem::Message(task)) if is_blank(task) => Err(empty_input()),
        Some(_) => Ok(items),
    }
}

fn plain_task(task: &str) -> Result<InputItem, Problem> {
    check_length("input", task.chars().count(), MESSAGE_LIMIT)?;
    Ok(InputItem::user(task))
}

fn empty_input() -> Problem {
    Problem::invalid("empty_input", "input", "`input` holds no task.")
}

fn parse_list(items: &[Value]) -> Result<Vec<InputItem>, Problem> {
    let parsed: Vec<InputItem> = items
        .iter()
        .enumerate()
        .map(|(index, item)| parse_item(index, item))
        .collect::<Result<_, _>>()?;
    refuse_doubled_outputs(&parsed)?;
    match parsed.last() {
        Some(InputItem::Message(last)) if last.role != Role::User => {
            let name = format!("input[{}].role", parsed.len() - 1);
            Err(Problem::invalid(
                "invalid_value",
                name,
                "The last input item must be a user message or the output of a client's tool.",
            ))
        }
        _ => Ok(parsed),
    }
}

/// What a text part may be called.
pub(crate) const TEXT_PARTS: [&str; 3] = ["input_text", "output_text", "text"];
/// What an image's URL begins with.
pub(crate) const IMAGE_PREFIXES: [&str; 2] = ["https://", "data:image/"];

fn parse_item(index: usize, item: &Value) -> Result<InputItem, Problem> {
    let path = format!("input[{index}]");
    let Value::Object(fields) = item else {
        return Err(Problem::invalid(
            "invalid_type",
            path.clone(),
            format!("`{path}` must be an object."),
        ));
    };
    let item = Reader::new(fields, path);
    match item.string("type")? {
        None | Some("message") => parse_message(&item).map(InputItem::Message),
        Some("function_call_output") => parse_output(&item),
        Some(kind) => {
            let why = format!("Input items of type `{}` are not supported.", shown(kind));
            Err(Problem::invalid(
                "unsupported_content",
                item.name("type"),
                why,
            ))
        }
    }
}

fn parse_message(item: &Reader<'_>) -> Result<InputMessage, Problem> {
    let role = match item.required_string("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => return Err(item.invalid("role", "must be user, assistant, system or developer")),
    };
    let content = parse_parts(item, "content")?;
    Ok(InputMessage { role, content })
}

fn parse_output(item: &Reader<'_>) -> Result<InputItem, Problem> {
    let call_id = item.required_string("call_id")?.to_owned();
    check_length(
        &item.name("call_id"),
        call_id.chars().count(),
        CALL_ID_LIMIT,
    )?;
    let output = parse_parts(item, "output")?;
    Ok(InputItem::FunctionCallOutput { call_id, output })
}

/// A call has one result.
fn refuse_doubled_outputs(items: &[InputItem]) -> Result<(), Problem> {
    let mut known = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        if let InputItem::FunctionCallOutput { call_id, .. } = item
            && !known.insert(call_id)
        {
            let why = "The request brings two outputs for this call.";
            return Err(Problem::invalid(
                "invalid_value",
                format!("input[{index}].call_id"),
                why,
            ));
        }
    }
    Ok(())
}

fn is_blank(message: &InputMessage) -> bool {
    let is_blank =
        |part: &InputPart| matches!(part, InputPart::InputText { text } if text.trim().is_empty());
    message.content.iter().all(is_blank)
}

/// A text, or a list of parts, within the limit of a message.
fn parse_parts(item: &Reader<'_>, field: &str) -> Result<Vec<InputPart>, Problem> {
    let name = item.name(field);
    let parts = match item.get(field) {
        None => return Err(item.missing(field)),
        Some(Value::String(text)) => vec![InputPart::InputText { text: text.clone() }],
        Some(Value::Array(parts)) => {
            let parts = parts.iter().enumerate();
            parts
                .map(|(index, part)| parse_part(&format!("{name}[{index}]"), part))
                .collect::<Result<_, _>>()?
        }
        Some(_) => return Err(item.wrong_type(field, "a string or an array of parts")),
    };
    check_length(&name, text(&parts).chars().count(), MESSAGE_LIMIT)?;
    Ok(parts)
}

fn parse_part(path: &str, part: &Value) -> Result<InputPart, Problem> {
    let Value::Object(fields) = part else {
        return Err(Problem::invalid(
            "invalid_type",
            path,
            format!("`{path}` must be an object."),
        ));
    };
    let part = Reader::new(fields, path);
    match part.required_string("type")? {
        kind if TEXT_PARTS.contains(&kind) => Ok(InputPart::InputText {
            text: part.required_string("text")?.to_owned(),
        }),
        "input_image" => parse_image(&part),
        kind => {
            let why = format!("Content parts of type `{}` are not supported.", shown(kind));
            Err(Problem::invalid(
                "unsupported_content",
                part.name("type"),
                why,
            ))
        }
    }
}

fn parse_image(part: &Reader<'_>) -> Result<InputPart, Problem> {
    let url = part.required_string("image_url")?;
    if IMAGE_PREFIXES.iter().any(|prefix| url.starts_with(prefix)) {
        return Ok(InputPart::InputImage {
            image_url: url.to_owned(),
        });
    }
    Err(part.invalid("image_url", "must be an https or a data:image URL"))
}
