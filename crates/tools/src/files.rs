//! `read`, `write` and `edit`: files in the session's sandbox.

use crate::edit::{self, Mode};
use crate::in_sandbox::with_sandbox;
use crate::{Call, EffectClass, Outcome, Tool};
use futures_util::future::BoxFuture;
use platform::ToolSpec;
use sandbox::SandboxError;
use sandbox::client::SandboxClient;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

const DEFAULT_LINES: usize = 2000;
const MOST_LINE: usize = 4000;
/// Larger files are read in parts with `bash`.
const MOST_FILE: u64 = 8 * 1024 * 1024;
const TOO_LARGE: &str =
    "The file is larger than 8 MiB; look at parts of it with bash (head, tail, sed -n).";

pub(crate) struct Read;
pub(crate) struct Write;
pub(crate) struct Edit;

#[derive(Deserialize)]
struct ReadArguments {
    path: String,
    offset: Option<usize>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct WriteArguments {
    path: String,
    content: String,
}

#[derive(Deserialize)]
struct EditArguments {
    path: String,
    old_str: String,
    new_str: String,
    #[serde(default)]
    replace_all: bool,
    mode: Option<String>,
}

impl Tool for Read {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read".into(),
            description: "Read a text file in the sandbox. Lines come numbered. Read a file before you change it.".into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "offset": {"type": "integer", "minimum": 1, "description": "First line; default 1."},
                    "limit": {"type": "integer", "minimum": 1, "description": "How many lines; default 2000."},
                },
                "required": ["path"],
                "additionalProperties": false,
            }),
        }
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        EffectClass::Read
    }

    fn needs_sandbox(&self, _arguments: &Value) -> bool {
        true
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(with_sandbox(
            arguments,
            call,
            |arguments: ReadArguments, client, call| async move {
                let Some(stat) = client.stat(&arguments.path).await? else {
                    return Ok(Outcome::failed(format!(
                        "{} does not exist.",
                        arguments.path
                    )));
                };
                if stat.size > MOST_FILE {
                    return Ok(Outcome::failed(TOO_LARGE));
                }
                let bytes = client.read(&arguments.path, None).await?;
                call.session.mark_seen(&arguments.path);
                let text = String::from_utf8_lossy(&bytes);
                let first = arguments.offset.unwrap_or(1);
                Ok(Outcome::ok(numbered(
                    &text,
                    first,
                    arguments.limit.unwrap_or(DEFAULT_LINES),
                )))
            },
        ))
    }
}

/// Lines `first…` as `<number>\t<line>`; long lines are cut.
fn numbered(text: &str, first: usize, limit: usize) -> String {
    if text.is_empty() {
        return "(the file is empty)".into();
    }
    let mut shown = String::new();
    for (index, line) in text.lines().enumerate().skip(first - 1).take(limit) {
        let cut: String = line.chars().take(MOST_LINE).collect();
        let mark = if cut.len() < line.len() { " […]" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(shown, "{}\t{cut}{mark}", index + 1);
    }
    let total = text.lines().count();
    let last = (first - 1).saturating_add(limit);
    if shown.is_empty() {
        return format!("(the file has {total} lines)");
    }
    if last < total {
        let _ = writeln!(
            shown,
            "({} more lines; go on with offset {})",
            total - last,
            last + 1
        );
    }
    shown
}

impl Tool for Write {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "write".into(),
            description: "Write a whole file in the sandbox; folders are made as needed. An existing file must have been \
                          read first. Use edit for small changes."
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "content": {"type": "string"},
                },
                "required": ["path", "content"],
                "additionalProperties": false,
            }),
        }
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        EffectClass::Idempotent
    }

    fn needs_sandbox(&self, _arguments: &Value) -> bool {
        true
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(with_sandbox(
            arguments,
            call,
            |arguments: WriteArguments, client, call| async move {
                let WriteArguments { path, content } = arguments;
                if !call.session.has_seen(&path) && client.stat(&path).await?.is_some() {
                    return Ok(Outcome::failed(format!(
                        "{path} exists; read it before you overwrite it."
                    )));
                }
                let (lines, bytes) = (content.lines().count(), content.len());
                client.write(&path, content.into()).await?;
                call.session.mark_seen(&path);
                Ok(Outcome::ok(format!(
                    "Wrote {path} ({lines} lines, {bytes} bytes)."
                )))
            },
        ))
    }
}

impl Tool for Edit {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "edit".into(),
            description: "Change a file in the sandbox by replacing text. old_str must occur exactly once (or set \
                          replace_all). Read the file first."
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "old_str": {"type": "string"},
                    "new_str": {"type": "string"},
                    "replace_all": {"type": "boolean"},
                    "mode": {"type": "string", "enum": ["replace", "append_after", "prepend_before"]},
                },
                "required": ["path", "old_str", "new_str"],
                "additionalProperties": false,
            }),
        }
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        EffectClass::Once
    }

    fn needs_sandbox(&self, _arguments: &Value) -> bool {
        true
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(with_sandbox(
            arguments,
            call,
            |arguments: EditArguments, client, call| async move {
                if !call.session.has_seen(&arguments.path) {
                    return Ok(Outcome::failed(format!(
                        "Read {} before you edit it.",
                        arguments.path
                    )));
                }
                if client
                    .stat(&arguments.path)
                    .await?
                    .is_some_and(|stat| stat.size > MOST_FILE)
                {
                    return Ok(Outcome::failed(TOO_LARGE));
                }
                let bytes = client.read(&arguments.path, None).await?;
                let Ok(text) = std::str::from_utf8(&bytes) else {
                    return Ok(Outcome::failed(format!(
                        "{} is not a UTF-8 text file.",
                        arguments.path
                    )));
                };
                edit_file(&arguments, text, &client).await
            },
        ))
    }
}

async fn edit_file(
    arguments: &EditArguments,
    text: &str,
    client: &SandboxClient,
) -> Result<Outcome, SandboxError> {
    let mode = match arguments.mode.as_deref() {
        Some("append_after") => Mode::AppendAfter,
        Some("prepend_before") => Mode::PrependBefore,
        _ => Mode::Replace,
    };
    let wanted = edit::Edit {
        old: &arguments.old_str,
        new: &arguments.new_str,
        mode,
        all: arguments.replace_all,
    };
    match edit::apply(text, &wanted) {
        Err(error) => Ok(Outcome::failed(format!("Nothing was changed: {error}."))),
        Ok(edited) => {
            client.write(&arguments.path, edited.text.into()).await?;
            let note = edited
                .note
                .map(|note| format!(" ({note})"))
                .unwrap_or_default();
            Ok(Outcome::ok(format!(
                "Edited {}: {} replacement(s){note}.",
                arguments.path, edited.count
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_what_is_left_is_named() {
        assert_eq!(numbered("a\nb\nc\n", 1, 2000), "1\ta\n2\tb\n3\tc\n");
        assert_eq!(
            numbered("a\nb\nc\n", 2, 1),
            "2\tb\n(1 more lines; go on with offset 3)\n"
        );
        assert_eq!(numbered("", 1, 10), "(the file is empty)");
        assert_eq!(numbered("a\n", 9, 10), "(the file has 1 lines)");
        assert!(numbered(&"x".repeat(5000), 1, 1).contains("[…]"));
    }
}
