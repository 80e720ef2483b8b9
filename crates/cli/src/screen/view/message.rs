//! The model's words: text as it streams, and what it thinks.

use serde_json::Value;

use super::{Change, View};
use crate::clean;
use crate::client::Event;
use crate::screen::lines::LineAssembler;

/// How much of the model's thinking is kept to show.
const THOUGHT: usize = 400;

/// A message that the model is writing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenMessage {
    item: String,
    lines: LineAssembler,
    /// A delta of the current part came: its `done` event brings nothing new.
    heard: bool,
}

impl OpenMessage {
    /// The line being written, clean.
    pub fn current_line(&self) -> String {
        clean::line(self.lines.partial())
    }
}

impl View {
    pub(super) fn text(&mut self, name: &str, event: &Event) -> Vec<Change> {
        let mut changes = Vec::new();
        let item = event.text("item_id");
        if self.message.as_ref().is_some_and(|open| open.item != item) {
            changes = self.close_message();
        }
        self.thinking.clear();
        item.clone_into(&mut self.spoken);
        let open = self.message.get_or_insert_with(|| OpenMessage {
            item: item.to_owned(),
            ..OpenMessage::default()
        });
        let is_delta = name == "output_text.delta";
        let words = match is_delta {
            true => event.text("delta"),
            false if open.heard => "",
            false => event.text("text"),
        };
        open.heard = is_delta;
        let lines = open.lines.push(words).into_iter();
        changes.extend(lines.map(|line| Change::TextLine(clean::line(&line))));
        changes
    }

    /// A message item is done: whatever of it was not streamed comes now.
    pub(super) fn message_done(&mut self, item: &Value) -> Vec<Change> {
        let streamed = item["id"].as_str().is_some_and(|id| id == self.spoken);
        if self.message.is_none() && !streamed {
            let text = crate::client::message_text(item);
            let mut changes: Vec<_> = text
                .lines()
                .map(|line| Change::TextLine(clean::line(line)))
                .collect();
            if !changes.is_empty() {
                changes.push(Change::TextEnded);
            }
            return changes;
        }
        self.close_message()
    }

    pub(super) fn close_message(&mut self) -> Vec<Change> {
        let Some(mut open) = self.message.take() else {
            return Vec::new();
        };
        let rest = open.lines.finish();
        let mut changes: Vec<_> = rest
            .map(|line| Change::TextLine(clean::line(&line)))
            .into_iter()
            .collect();
        changes.push(Change::TextEnded);
        changes
    }

    pub(super) fn think(&mut self, delta: &str) -> Vec<Change> {
        // Cleaned whole, so that a sequence in two deltas leaves at worst its harmless letters.
        let mut thought = clean::line(&format!("{}{delta}", self.thinking));
        if let Some((cut, _)) = thought.char_indices().rev().nth(THOUGHT) {
            thought.drain(..cut);
        }
        self.thinking = thought;
        Vec::new()
    }
}
