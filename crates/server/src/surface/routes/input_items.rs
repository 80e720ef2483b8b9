//! `GET /v1/responses/{id}/input_items`: what was submitted, paged as OpenAI pages it.

use super::page::{self, PageQuery};
use super::{Id, owned};
use crate::app::App;
use crate::surface::auth::Caller;
use crate::surface::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use protocol::{InputItem, InputPart, Problem, ResponseId, Role};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(crate) async fn input_items(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    query: PageQuery,
) -> Result<Response, Refusal> {
    let row = owned(&app, &caller, &id).await?;
    let submission = app.journal.submission(&row.id).await?;
    let items = submission.input.iter().enumerate();
    let mut shown: Vec<Value> = items
        .map(|(index, item)| show(&row.id, index, item))
        .collect();
    if query.newest_first {
        shown.reverse();
    }
    let begin = match query.after.as_deref() {
        None => 0,
        Some(after) => {
            let place = shown.iter().position(|item| id_of(item) == after);
            place.ok_or_else(unknown_cursor)? + 1
        }
    };
    let mut page = shown.split_off(begin);
    let has_more = page.len() > query.limit;
    page.truncate(query.limit);
    Ok(page::list(&page, id_of, has_more))
}

/// An item as OpenAI shows it.
fn show(response: &ResponseId, index: usize, item: &InputItem) -> Value {
    match item {
        InputItem::Message(message) => {
            let parts = message.content.iter();
            json!({
                "id": stable_id("msg", response, index),
                "type": "message",
                "status": "completed",
                "role": message.role,
                "content": parts.map(|part| show_part(part, message.role)).collect::<Vec<_>>(),
            })
        }
        InputItem::FunctionCallOutput { call_id, output } => json!({
            "id": stable_id("fco", response, index),
            "type": "function_call_output",
            "status": "completed",
            "call_id": call_id,
            "output": show_output(output),
        }),
    }
}

fn show_part(part: &InputPart, role: Role) -> Value {
    match part {
        InputPart::InputText { text } if role == Role::Assistant => {
            json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
        }
        InputPart::InputText { text } => json!({"type": "input_text", "text": text}),
        InputPart::InputImage { image_url } => {
            json!({"type": "input_image", "image_url": image_url, "detail": "auto", "file_id": null})
        }
    }
}

/// A text alone is shown as one, as it mostly comes.
fn show_output(output: &[InputPart]) -> Value {
    match output {
        [InputPart::InputText { text }] => Value::from(text.as_str()),
        parts => parts
            .iter()
            .map(|part| show_part(part, Role::User))
            .collect(),
    }
}

/// The same for the same place in the same response, whenever it is asked for.
fn stable_id(prefix: &str, response: &ResponseId, index: usize) -> String {
    let digest = Sha256::digest(format!("{response}/input/{index}"));
    let mut id = format!("{prefix}_");
    for byte in digest.iter().take(16) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

fn id_of(item: &Value) -> &str {
    item["id"].as_str().unwrap_or_default()
}

fn unknown_cursor() -> Problem {
    let why = "`after` must be the id of an input item of this response.";
    Problem::invalid("invalid_cursor", "after", why)
}
