//! Tool calls: from the item that announces one to the item that closes it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Change, MAX_LISTED, View};
use crate::clean;
use crate::client::Event;
use crate::screen::{describe, lines::LineAssembler};

/// How many log lines of a running tool are kept.
const TAIL: usize = 40;

/// A tool call that has begun and not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningTool {
    pub id: String,
    pub name: String,
    /// What it does, in a line; empty until its arguments are known.
    pub about: String,
    pub started: Instant,
    pub job_url: Option<String>,
    /// The last lines of its output, oldest first.
    pub tail: VecDeque<String>,
    /// All lines of its output so far.
    pub lines: usize,
    log: LineAssembler,
    announced: bool,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolEnd {
    Done,
    Failed(String),
    /// Cut off by a cancel, a restart or a denial.
    Stopped,
}

/// A finished call, as it is reported once.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedTool {
    pub name: String,
    pub about: String,
    pub end: ToolEnd,
    pub took: Duration,
    pub tail: VecDeque<String>,
    pub lines: usize,
}

impl RunningTool {
    /// Once: it runs, and its arguments are known.
    fn announce(&mut self) -> Option<Change> {
        let first = !std::mem::replace(&mut self.announced, true);
        first.then(|| Change::ToolStarted {
            id: self.id.clone(),
        })
    }

    fn take_lines(&mut self, raw: Vec<String>) -> Vec<Change> {
        let mut changes = Vec::with_capacity(raw.len());
        for line in raw {
            let line = clean::line(&line);
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(line.clone());
            self.lines += 1;
            let id = self.id.clone();
            changes.push(Change::ToolLine { id, line });
        }
        changes
    }

    /// The last `n` lines, the unfinished one included.
    pub fn last_lines(&self, n: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.tail.iter().rev().take(n).rev().cloned().collect();
        let partial = clean::line(self.log.partial());
        if !partial.trim().is_empty() {
            lines.push(partial);
        }
        lines.split_off(lines.len().saturating_sub(n))
    }
}

impl View {
    pub(super) fn item_added(&mut self, data: &Value, now: Instant) -> Vec<Change> {
        let item = &data["item"];
        // The plan is shown as a checklist; the call that writes it would only repeat it.
        let is_shown = item["type"] == "mcp_call" && item["name"] != "plan_tool";
        if !is_shown || self.tools.len() >= MAX_LISTED {
            return Vec::new();
        }
        let changes = self.close_message();
        self.thinking.clear();
        let name = clean::short(item["name"].as_str().unwrap_or("tool"), 60);
        let id = clean::short(item["id"].as_str().unwrap_or(""), 120);
        self.tools.push(RunningTool {
            about: describe::call(&name, item["arguments"].as_str().unwrap_or("")),
            id,
            name,
            started: now,
            job_url: None,
            tail: VecDeque::new(),
            lines: 0,
            log: LineAssembler::default(),
            announced: false,
        });
        changes
    }

    pub(super) fn item_done(&mut self, data: &Value, now: Instant) -> Vec<Change> {
        let item = &data["item"];
        match item["type"].as_str().unwrap_or("") {
            "message" => self.message_done(item),
            "reasoning" => {
                self.thinking.clear();
                Vec::new()
            }
            "mcp_call" => self.tool_done(item, now),
            _ => Vec::new(),
        }
    }

    fn tool_done(&mut self, item: &Value, now: Instant) -> Vec<Change> {
        let id = item["id"].as_str().unwrap_or("");
        let Some(at) = self.tools.iter().position(|tool| tool.id == id) else {
            return Vec::new();
        };
        let mut tool = self.tools.remove(at);
        if let Some(arguments) = item["arguments"].as_str() {
            tool.about = describe::call(&tool.name, arguments);
        }
        let rest: Vec<_> = tool.log.finish().into_iter().collect();
        let mut changes = tool.take_lines(rest);
        changes.push(Change::ToolEnded(ended(tool, tool_end(item), now)));
        changes
    }

    /// The run ended: whatever still ran was cut off.
    pub(super) fn drop_tools(&mut self, now: Instant) -> Vec<Change> {
        let tools = std::mem::take(&mut self.tools).into_iter();
        tools
            .map(|tool| Change::ToolEnded(ended(tool, ToolEnd::Stopped, now)))
            .collect()
    }

    /// The call itself begins now; until here the model was still writing its arguments.
    pub(super) fn call_runs(&mut self, id: &str, now: Instant) -> Vec<Change> {
        self.tool(id).map_or_else(Vec::new, |tool| {
            tool.started = now;
            tool.announce().into_iter().collect()
        })
    }

    pub(super) fn call_arguments(&mut self, event: &Event) -> Vec<Change> {
        if let Some(tool) = self.tool(event.text("item_id")) {
            tool.about = describe::call(&tool.name, event.text("arguments"));
        }
        Vec::new()
    }

    pub(super) fn tool_log(&mut self, event: &Event) -> Vec<Change> {
        match self.tool(event.text("item_id")) {
            Some(tool) => {
                let mut changes: Vec<_> = tool.announce().into_iter().collect();
                let lines = tool.log.push(event.text("delta"));
                changes.extend(tool.take_lines(lines));
                changes
            }
            None => Vec::new(),
        }
    }

    pub(super) fn tool_state(&mut self, event: &Event, now: Instant) -> Vec<Change> {
        let url = clean::short(event.text("job_url"), 500);
        let state = event.text("state").to_owned();
        let Some(tool) = self.tool(event.text("item_id")) else {
            return Vec::new();
        };
        if state == "approved" {
            tool.started = now; // it waited for a person until now
        }
        if !url.is_empty() {
            tool.job_url = Some(url);
        }
        Vec::new()
    }

    fn tool(&mut self, id: &str) -> Option<&mut RunningTool> {
        self.tools.iter_mut().find(|tool| tool.id == id)
    }
}

fn tool_end(item: &Value) -> ToolEnd {
    let error = match &item["error"] {
        Value::Null => None,
        Value::String(words) => Some(words.clone()),
        other => {
            let words = [&other["content"][0]["text"], &other["message"]];
            let words = words.into_iter().find_map(Value::as_str);
            Some(words.map_or_else(|| other.to_string(), str::to_owned))
        }
    };
    match (item["status"].as_str(), error) {
        (Some("incomplete"), _) => ToolEnd::Stopped,
        (_, Some(words)) => ToolEnd::Failed(clean::short(&words, 300)),
        (Some("failed"), None) => ToolEnd::Failed(String::new()),
        _ => ToolEnd::Done,
    }
}

fn ended(tool: RunningTool, end: ToolEnd, now: Instant) -> EndedTool {
    EndedTool {
        name: tool.name,
        about: tool.about,
        end,
        took: now.saturating_duration_since(tool.started),
        tail: tool.tail,
        lines: tool.lines,
    }
}
