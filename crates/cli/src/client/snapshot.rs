//! The response object, read for people. Strings that come out are clean for a terminal.

use serde_json::Value;

use crate::clean;

/// Where a response stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    #[default]
    Queued,
    InProgress,
    Completed,
    Failed,
    Cancelled,
    /// Paused: see [`Snapshot::pause_reason`].
    Incomplete,
    /// A word of a newer server.
    Unknown,
}

impl Status {
    fn parse(word: &str) -> Self {
        match word {
            "queued" => Self::Queued,
            "in_progress" => Self::InProgress,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "incomplete" => Self::Incomplete,
            _ => Self::Unknown,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Incomplete => "paused",
            Self::Unknown => "unknown",
        }
    }

    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// The session's money, in USD, for display only.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    pub cap: f64,
    pub spent: f64,
    pub reserved: f64,
}

impl Budget {
    /// `None` unless the value has the shape of a budget.
    pub fn read(value: &Value) -> Option<Self> {
        let usd = |field| value.get(field).and_then(Value::as_f64);
        Some(Self {
            cap: usd("cap_usd").or_else(|| usd("max_cost_usd"))?,
            spent: usd("spent_usd")?,
            reserved: usd("reserved_usd").unwrap_or(0.0),
        })
    }
}

/// Something the run left on the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// `hf_job`, `model`, `dataset`, `space`, `trackio_dashboard`, `collection` …
    pub kind: String,
    /// Job id, repository id, slug.
    pub name: String,
    pub url: String,
}

impl Artifact {
    pub fn read(value: &Value) -> Self {
        let name = ["repo_id", "id", "space_id", "slug"]
            .into_iter()
            .find_map(|key| value.get(key).and_then(Value::as_str))
            .unwrap_or("");
        Self {
            kind: word(value, "type"),
            name: clean::short(name, 200),
            url: clean::short(value["url"].as_str().unwrap_or(""), 500),
        }
    }
}

/// A call that waits for a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingAction {
    pub tool: String,
    /// The arguments as one line of JSON.
    pub arguments: String,
    pub estimated_cost: Option<f64>,
    pub reason: String,
}

impl PendingAction {
    pub fn read(value: &Value) -> Self {
        let arguments = match &value["arguments"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Self {
            tool: word(value, "tool"),
            arguments: clean::short(&arguments, 2000),
            estimated_cost: value["estimated_cost_usd"].as_f64(),
            reason: clean::short(value["reason"].as_str().unwrap_or(""), 500),
        }
    }
}

/// An entry of `output[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputItem {
    Message {
        text: String,
        is_final: bool,
    },
    Tool {
        name: String,
        arguments: String,
        status: String,
    },
    Other(String),
}

/// A response object as the server gave it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot(Value);

impl Snapshot {
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The object itself.
    pub fn json(&self) -> &Value {
        &self.0
    }

    pub fn id(&self) -> String {
        word(&self.0, "id")
    }

    pub fn session(&self) -> String {
        word(&self.0, "session_id")
    }

    pub fn model(&self) -> String {
        word(&self.0, "model")
    }

    pub fn status(&self) -> Status {
        Status::parse(self.0["status"].as_str().unwrap_or(""))
    }

    /// Unix seconds.
    pub fn created_at(&self) -> Option<f64> {
        self.0["created_at"].as_f64()
    }

    /// Seconds from the submission to the end, once it has ended.
    pub fn duration(&self) -> Option<f64> {
        Some((self.0["completed_at"].as_f64()? - self.created_at()?).max(0.0))
    }

    /// The task's first line, if this program submitted it.
    pub fn title(&self) -> String {
        let title = self.0["metadata"][super::task::TITLE].as_str();
        clean::short(title.unwrap_or(""), 80)
    }

    pub fn budget(&self) -> Option<Budget> {
        Budget::read(&self.0["budget"])
    }

    /// What the session has cost so far, in USD.
    pub fn cost(&self) -> Option<f64> {
        self.0["usage"]["cost_usd"]
            .as_f64()
            .or_else(|| self.budget().map(|budget| budget.spent))
    }

    /// USD by kind (`inference`, `jobs`, `sandboxes`).
    pub fn cost_by_kind(&self) -> Vec<(String, f64)> {
        let kinds = self.0["usage"]["cost_by_kind"].as_object();
        kinds
            .into_iter()
            .flatten()
            .filter_map(|(kind, usd)| Some((clean::short(kind, 40), usd.as_f64()?)))
            .collect()
    }

    /// Input and output tokens.
    pub fn tokens(&self) -> Option<(u64, u64)> {
        let usage = &self.0["usage"];
        Some((
            usage["input_tokens"].as_u64()?,
            usage["output_tokens"].as_u64()?,
        ))
    }

    pub fn artifacts(&self) -> Vec<Artifact> {
        array(&self.0["artifacts"]).map(Artifact::read).collect()
    }

    /// Why it is paused: `approval_required`, `server_restart`.
    pub fn pause_reason(&self) -> String {
        word(&self.0["incomplete_details"], "reason")
    }

    /// The calls that wait for a decision.
    pub fn pending(&self) -> Vec<PendingAction> {
        let pending = &self.0["pending_approval"];
        let actions = pending.get("pending_actions").unwrap_or(pending);
        array(actions).map(PendingAction::read).collect()
    }

    /// What a failed run says of itself.
    pub fn error(&self) -> Option<String> {
        let error = self.0["error"].as_object()?;
        let field = |name| error.get(name).and_then(Value::as_str);
        let message = clean::short(field("message").unwrap_or("no reason given"), 500);
        match field("type").or_else(|| field("code")) {
            Some(kind) => Some(format!("{message} ({})", clean::short(kind, 60))),
            None => Some(message),
        }
    }

    pub fn output(&self) -> Vec<OutputItem> {
        array(&self.0["output"]).map(output_item).collect()
    }

    /// The last message: the answer, once the run is completed.
    pub fn answer(&self) -> Option<String> {
        self.output().into_iter().rev().find_map(|item| match item {
            OutputItem::Message { text, .. } if !text.is_empty() => Some(text),
            _ => None,
        })
    }
}

fn output_item(item: &Value) -> OutputItem {
    match item["type"].as_str().unwrap_or("") {
        "message" => OutputItem::Message {
            text: message_text(item),
            is_final: item["phase"] != "commentary",
        },
        "mcp_call" | "function_call" => OutputItem::Tool {
            name: word(item, "name"),
            arguments: item["arguments"].as_str().unwrap_or("").to_owned(),
            status: word(item, "status"),
        },
        other => OutputItem::Other(clean::short(other, 60)),
    }
}

/// All text parts of a message item.
pub fn message_text(item: &Value) -> String {
    let parts = array(&item["content"]).filter_map(|part| part["text"].as_str());
    clean::text(&parts.collect::<String>())
}

fn word(value: &Value, field: &str) -> String {
    clean::short(value[field].as_str().unwrap_or(""), 200)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_a_finished_response() {
        let snapshot = Snapshot::new(json!({
            "id": "resp_1", "status": "completed", "created_at": 10, "completed_at": 75,
            "metadata": {"title": "Train\u{1b}[2J it"},
            "usage": {"cost_usd": 0.25, "input_tokens": 5, "output_tokens": 7, "cost_by_kind": {"jobs": 0.2}},
            "artifacts": [{"type": "model", "repo_id": "a/b", "url": "https://h/a/b"}],
            "output": [
                {"type": "message", "phase": "commentary", "content": [{"type": "output_text", "text": "one"}]},
                {"type": "mcp_call", "name": "bash", "arguments": "{}", "status": "completed"},
                {"type": "message", "content": [{"type": "output_text", "text": "two"}]},
            ],
        }));
        assert_eq!(snapshot.status(), Status::Completed);
        assert_eq!(snapshot.duration(), Some(65.0));
        assert_eq!(snapshot.title(), "Train it");
        assert_eq!(snapshot.cost(), Some(0.25));
        assert_eq!(snapshot.cost_by_kind(), [("jobs".to_owned(), 0.2)]);
        assert_eq!(snapshot.artifacts()[0].name, "a/b");
        assert_eq!(snapshot.answer().as_deref(), Some("two"));
        assert_eq!(snapshot.output().len(), 3);
    }

    #[test]
    fn anything_missing_is_absent_not_a_panic() {
        let snapshot =
            Snapshot::new(json!({"output": 3, "artifacts": null, "pending_approval": "x"}));
        assert_eq!(snapshot.status(), Status::Unknown);
        assert_eq!(
            (snapshot.answer(), snapshot.error(), snapshot.budget()),
            (None, None, None)
        );
        assert!(snapshot.pending().is_empty() && snapshot.artifacts().is_empty());
    }

    #[test]
    fn pending_actions_in_both_places() {
        let action = json!({"tool": "hf_jobs", "arguments": {"a": 1}, "estimated_cost_usd": 2.0, "reason": "cap"});
        for pending in [json!([action]), json!({"pending_actions": [action]})] {
            let snapshot = Snapshot::new(json!({ "pending_approval": pending }));
            assert_eq!(snapshot.pending()[0].arguments, r#"{"a":1}"#);
        }
    }
}
