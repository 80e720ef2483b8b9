//! Which kind of training a dataset's columns suit.

use platform::Rows;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A paragraph for the report.
pub(super) fn verdict(rows: &Rows) -> String {
    let names: Vec<&str> = rows
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let has = |name: &str| names.contains(&name);
    let mut lines: Vec<String> = Vec::new();
    if has("messages") {
        lines.push("SFT: yes, conversational (`messages`).".into());
    } else if has("prompt") && has("completion") {
        lines.push("SFT: yes, `prompt` and `completion`.".into());
    } else if has("text") {
        lines.push("SFT: yes, plain `text`.".into());
    } else {
        let near = [
            "conversations",
            "conversation",
            "dialog",
            "instruction",
            "question",
        ];
        let near = near.into_iter().find(|name| has(name));
        lines.push(match near {
            Some(name) => format!("SFT: not as it is; `{name}` has to be mapped to `messages` or to `prompt` and `completion`."),
            None => "SFT: no `messages`, no `prompt` and `completion`, no `text`.".into(),
        });
    }
    let is_preference = has("chosen") && has("rejected");
    lines.push(match (is_preference, has("prompt")) {
        (true, true) => "DPO: yes, `prompt`, `chosen` and `rejected`.".into(),
        (true, false) => "DPO: yes, `chosen` and `rejected` with the prompt inside them.".into(),
        _ => "DPO: no `chosen` and `rejected`.".into(),
    });
    lines.push(match has("prompt") {
        true => "GRPO: yes, `prompt`.".into(),
        false => "GRPO: no `prompt`.".into(),
    });
    for name in ["messages", "chosen", "rejected", "prompt"] {
        lines.extend(conversation(rows, name));
    }
    format!("\n## Training formats\n\n- {}\n", lines.join("\n- "))
}

/// What the conversations of a column look like, if they are some.
fn conversation(rows: &Rows, column: &str) -> Option<String> {
    let cells: Vec<&Vec<Value>> = rows
        .rows
        .iter()
        .filter_map(|row| row.get(column)?.as_array())
        .collect();
    let messages: Vec<&Map<String, Value>> = cells
        .iter()
        .flat_map(|cell| cell.iter())
        .filter_map(Value::as_object)
        .collect();
    if messages.is_empty() {
        return None;
    }
    let roles: BTreeSet<&str> = messages
        .iter()
        .filter_map(|message| message.get("role")?.as_str())
        .collect();
    let keys: BTreeSet<&str> = messages
        .iter()
        .flat_map(|message| message.keys())
        .map(String::as_str)
        .collect();
    let join = |names: &BTreeSet<&str>| {
        names
            .iter()
            .copied()
            .take(20)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let well_formed = messages.iter().all(|message| {
        message.get("role").is_some_and(Value::is_string)
            && (message.contains_key("content") || message.contains_key("tool_calls"))
    });
    let open = cells.iter().filter(|cell| {
        cell.last().and_then(|last| last.get("role")?.as_str()) != Some("assistant")
    });
    let verdict = match (well_formed, open.count()) {
        (false, _) => "NOT all messages have `role` and `content`".to_owned(),
        (true, 0) => "well formed, every conversation ends with the assistant".to_owned(),
        (true, open) => format!(
            "well formed, {open} of {} conversations do not end with the assistant",
            cells.len()
        ),
    };
    let tools = messages.iter().any(|message| {
        message.contains_key("tool_calls") || message.get("role").is_some_and(|role| role == "tool")
    });
    let tools = if tools { "; with tool calls" } else { "" };
    Some(format!(
        "`{column}`: roles {}; keys {}; {verdict}{tools} (in the rows looked at).",
        join(&roles),
        join(&keys)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::Column;
    use serde_json::json;

    fn rows(rows: Value) -> Rows {
        let rows: Vec<Map<String, Value>> = serde_json::from_value(rows).unwrap();
        let columns = rows[0].keys().map(|name| Column {
            name: name.clone(),
            kind: json!({}),
        });
        Rows {
            columns: columns.collect(),
            rows,
        }
    }

    #[test]
    fn formats_are_told_apart() {
        let turn = |role: &str| json!({"role": role, "content": "x"});
        for (table, expected) in [
            (
                json!([{"messages": [turn("user"), turn("assistant")]}]),
                "every conversation ends with the assistant",
            ),
            (
                json!([{"messages": [turn("user")]}]),
                "1 of 1 conversations do not end",
            ),
            (
                json!([{"messages": [{"from": "human", "value": "x"}]}]),
                "NOT all messages",
            ),
            (
                json!([{"prompt": "p", "chosen": "a", "rejected": "b"}]),
                "DPO: yes, `prompt`",
            ),
            (
                json!([{"conversations": []}]),
                "`conversations` has to be mapped",
            ),
            (json!([{"prompt": "p"}]), "GRPO: yes"),
        ] {
            let verdict = verdict(&rows(table));
            assert!(verdict.contains(expected), "{verdict}");
        }
    }
}
