//! The `input` of a request: a task, or a list of messages whose last one is the task.

use crate::Problem;
use crate::reader::{Reader, check_length};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most characters in one message (the seed's limit).
const MESSAGE_LIMIT: usize = 100_000;

/// One input message, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputItem {
    pub role: Role,
    pub content: Vec<InputPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
    Developer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InputPart {
    InputText {
        text: String,
    },
    /// An https or data URL.
    InputImage {
        image_url: String,
    },
}

impl InputItem {
    /// The message's text parts, joined.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|part| match part {
            InputPart::InputText { text } => Some(text.as_str()),
            InputPart::InputImage { .. } => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    fn is_blank(&self) -> bool {
        self.content
            .iter()
            .all(|part| matches!(part, InputPart::InputText { text } if text.trim().is_empty()))
    }
}

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
        Some(last) if last.is_blank() => Err(empty_input()),
        Some(_) => Ok(items),
    }
}

fn plain_task(task: &str) -> Result<InputItem, Problem> {
    check_length("input", task.chars().count(), MESSAGE_LIMIT)?;
    Ok(InputItem {
        role: Role::User,
        content: vec![InputPart::InputText {
            text: task.to_owned(),
        }],
    })
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
    match parsed.last() {
        Some(last) if last.role != Role::User => {
            let name = format!("input[{}].role", parsed.len() - 1);
            Err(Problem::invalid(
                "invalid_value",
                name,
                "The last input item must be a user message.",
            ))
        }
        _ => Ok(parsed),
    }
}

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
    if let Some(kind) = item.string("type")?
        && kind != "message"
    {
        let why = format!("Input items of type `{kind}` are not supported.");
        return Err(Problem::invalid(
            "unsupported_content",
            item.name("type"),
            why,
        ));
    }
    let role = match item.required_string("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => return Err(item.invalid("role", "must be user, assistant, system or developer")),
    };
    let content = parse_content(&item)?;
    let parsed = InputItem { role, content };
    check_length(
        &item.name("content"),
        parsed.text().chars().count(),
        MESSAGE_LIMIT,
    )?;
    Ok(parsed)
}

fn parse_content(item: &Reader<'_>) -> Result<Vec<InputPart>, Problem> {
    match item.get("content") {
        None => Err(item.missing("content")),
        Some(Value::String(text)) => Ok(vec![InputPart::InputText { text: text.clone() }]),
        Some(Value::Array(parts)) => {
            let name = item.name("content");
            parts
                .iter()
                .enumerate()
                .map(|(index, part)| parse_part(&format!("{name}[{index}]"), part))
                .collect()
        }
        Some(_) => Err(item.wrong_type("content", "a string or an array of parts")),
    }
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
        "input_text" | "output_text" | "text" => Ok(InputPart::InputText {
            text: part.required_string("text")?.to_owned(),
        }),
        "input_image" => parse_image(&part),
        kind => {
            let why = format!("Content parts of type `{kind}` are not supported.");
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
    if url.starts_with("https://") || url.starts_with("data:image/") {
        return Ok(InputPart::InputImage {
            image_url: url.to_owned(),
        });
    }
    Err(part.invalid("image_url", "must be an https or a data:image URL"))
}
