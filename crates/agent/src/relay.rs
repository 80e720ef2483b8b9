//! From a model's deltas to events: opens and closes items in the order that OpenAI's accumulators expect. Pure.

use crate::recorder::Draft;
use crate::scrub::{Scrubber, StreamScrubber};
use journal::CallRecord;
use platform::{CallAssembler, ChatDelta, ToolCallDelta, Usage};
use protocol::{ContentPart, Event, ItemId, ItemStatus, OutputItem, Phase, SummaryPart};
use std::collections::BTreeMap;

/// A finished model answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub text: String,
    pub calls: Vec<CallRecord>,
    pub finish_reason: Option<String>,
    pub usage: Option<Usage>,
}

/// Translates one model call's stream.
pub(crate) struct Relay {
    scrubber: Scrubber,
    next_index: usize,
    open: Option<OpenItem>,
    /// All text of the answer, over all its message items.
    text: String,
    assembler: CallAssembler,
    calls: BTreeMap<usize, RelayedCall>,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    /// Whether anything has arrived.
    has_output: bool,
    /// Whether there is something that counts as an answer: text or a call, not only thoughts.
    has_answer: bool,
}

/// The message or reasoning item that is being written.
struct OpenItem {
    id: ItemId,
    index: usize,
    is_reasoning: bool,
    text: String,
    scrubber: StreamScrubber,
}

struct RelayedCall {
    item: Option<(ItemId, usize)>,
    name: String,
    arguments: String,
    scrubber: StreamScrubber,
}

impl Relay {
    /// A relay whose first item gets this output index.
    pub fn new(scrubber: Scrubber, next_index: usize) -> Self {
        Self {
            scrubber,
            next_index,
            open: None,
            text: String::new(),
            assembler: CallAssembler::default(),
            calls: BTreeMap::new(),
            finish_reason: None,
            usage: None,
            has_output: false,
            has_answer: false,
        }
    }

    pub fn has_output(&self) -> bool {
        self.has_output
    }

    /// Whether this is an answer. One that was cut while the model was still thinking is one too: it is continued.
    pub fn has_answer(&self) -> bool {
        self.has_answer || (self.has_output && self.finish_reason.as_deref() == Some("length"))
    }

    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// Characters of output so far, for a guess at what a broken call has cost.
    pub fn output_bytes(&self) -> usize {
        self.text.len()
            + self
                .calls
                .values()
                .map(|call| call.arguments.len())
                .sum::<usize>()
    }

    /// Translates one delta.
    pub fn push(&mut self, delta: ChatDelta, out: &mut Vec<Draft>) {
        match delta {
            ChatDelta::Text(text) => self.push_text(&text, false, out),
            ChatDelta::Reasoning(text) => self.push_text(&text, true, out),
            ChatDelta::ToolCall(delta) => self.push_call(delta, out),
            ChatDelta::Finish(reason) => self.finish_reason = Some(reason),
            ChatDelta::Usage(usage) => self.usage = Some(usage),
        }
    }

    /// Closes everything and gives the answer.
    pub fn finish(mut self, out: &mut Vec<Draft>) -> Answer {
        let phase = if self.calls.is_empty() {
            Phase::FinalAnswer
        } else {
            Phase::Commentary
        };
        self.close(phase, out);
        let assembled = std::mem::take(&mut self.assembler).finish();
        let mut calls = Vec::with_capacity(assembled.len());
        for (call, mut relayed) in assembled
            .into_iter()
            .zip(std::mem::take(&mut self.calls).into_values())
        {
            let arguments = self.scrubber.scrub(&call.arguments);
            let (item_id, output_index) = self.announce(&mut relayed, out);
            let held = relayed.scrubber.finish();
            push_arguments(&item_id, output_index, held, out);
            let whole = arguments.clone();
            out.push(
                Event::ArgumentsDone {
                    item_id: item_id.clone(),
                    output_index,
                    arguments: whole,
                }
                .into(),
            );
            calls.push(CallRecord {
                call_id: self.scrubber.scrub(&call.id),
                item_id,
                output_index,
                name: self.scrubber.scrub(&call.name),
                arguments,
            });
        }
        Answer {
            text: self.text,
            calls,
            finish_reason: self
                .finish_reason
                .map(|reason| self.scrubber.scrub(&reason)),
            usage: self.usage,
        }
    }

    fn push_text(&mut self, text: &str, is_reasoning: bool, out: &mut Vec<Draft>) {
        if text.is_empty() {
            return;
        }
        self.has_output = true;
        self.has_answer |= !is_reasoning && !text.trim().is_empty();
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.is_reasoning != is_reasoning)
        {
            self.close(Phase::Commentary, out);
        }
        if self.open.is_none() {
            self.open(is_reasoning, out);
        }
        if let Some(open) = &mut self.open {
            let safe = open.scrubber.push(text);
            open.text.push_str(&safe);
            if !is_reasoning {
                self.text.push_str(&safe);
            }
            push_delta(open, safe, out);
        }
    }

    fn open(&mut self, is_reasoning: bool, out: &mut Vec<Draft>) {
        let output_index = self.take_index();
        let id = ItemId::fresh(if is_reasoning { "rs" } else { "msg" });
        let item_id = id.clone();
        if is_reasoning {
            let item = OutputItem::Reasoning {
                id: id.clone(),
                summary: Vec::new(),
                status: Some(ItemStatus::InProgress),
            };
            out.push(Event::ItemAdded { output_index, item }.into());
            let part = SummaryPart::SummaryText {
                text: String::new(),
            };
            out.push(
                Event::SummaryPartAdded {
                    item_id,
                    output_index,
                    summary_index: 0,
                    part,
                }
                .into(),
            );
        } else {
            out.push(
                Event::ItemAdded {
                    output_index,
                    item: OutputItem::message(id.clone()),
                }
                .into(),
            );
            let part = ContentPart::text("");
            out.push(
                Event::PartAdded {
                    item_id,
                    output_index,
                    content_index: 0,
                    part,
                }
                .into(),
            );
        }
        let scrubber = self.scrubber.stream();
        self.open = Some(OpenItem {
            id,
            index: output_index,
            is_reasoning,
            text: String::new(),
            scrubber,
        });
    }

    fn close(&mut self, phase: Phase, out: &mut Vec<Draft>) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let held = open.scrubber.finish();
        open.text.push_str(&held);
        if !open.is_reasoning {
            self.text.push_str(&held);
        }
        push_delta(&open, held, out);
        let OpenItem {
            id,
            index: output_index,
            is_reasoning,
            text,
            ..
        } = open;
        let item_id = id.clone();
        if is_reasoning {
            let part = SummaryPart::SummaryText { text: text.clone() };
            let summary = vec![part.clone()];
            let done = Event::SummaryDone {
                item_id: item_id.clone(),
                output_index,
                summary_index: 0,
                text,
            };
            out.push(done.into());
            out.push(
                Event::SummaryPartDone {
                    item_id,
                    output_index,
                    summary_index: 0,
                    part,
                }
                .into(),
            );
            let item = OutputItem::Reasoning {
                id,
                summary,
                status: Some(ItemStatus::Completed),
            };
            out.push(Event::ItemDone { output_index, item }.into());
        } else {
            let part = ContentPart::text(text.clone());
            let content = vec![part.clone()];
            let logprobs = Vec::new();
            let done = Event::TextDone {
                item_id: item_id.clone(),
                output_index,
                content_index: 0,
                text,
                logprobs,
            };
            out.push(done.into());
            out.push(
                Event::PartDone {
                    item_id,
                    output_index,
                    content_index: 0,
                    part,
                }
                .into(),
            );
            let status = ItemStatus::Completed;
            let item = OutputItem::Message {
                id,
                status,
                role: "assistant".into(),
                content,
                phase: Some(phase),
            };
            out.push(Event::ItemDone { output_index, item }.into());
        }
    }

    fn push_call(&mut self, delta: ToolCallDelta, out: &mut Vec<Draft>) {
        (self.has_output, self.has_answer) = (true, true);
        self.close(Phase::Commentary, out);
        let name = delta.name.clone().unwrap_or_default();
        if name.is_empty() && delta.arguments.is_empty() && !self.calls.contains_key(&delta.slot) {
            self.assembler.push(delta);
            return;
        }
        let scrubber = &self.scrubber;
        let mut call = self
            .calls
            .remove(&delta.slot)
            .unwrap_or_else(|| RelayedCall {
                item: None,
                name: String::new(),
                arguments: String::new(),
                scrubber: scrubber.stream(),
            });
        if call.arguments.is_empty() {
            merge_name(&mut call.name, &name);
        }
        call.arguments.push_str(&delta.arguments);
        if !delta.arguments.is_empty() {
            // The name is whole once arguments come.
            let (item_id, output_index) = self.announce(&mut call, out);
            let safe = call.scrubber.push(&delta.arguments);
            push_arguments(&item_id, output_index, safe, out);
        }
        self.calls.insert(delta.slot, call);
        self.assembler.push(delta);
    }

    /// Adds the call's item, once.
    fn announce(&mut self, call: &mut RelayedCall, out: &mut Vec<Draft>) -> (ItemId, usize) {
        if let Some(item) = &call.item {
            return item.clone();
        }
        let (id, output_index) = (ItemId::fresh("mcp"), self.take_index());
        let item = OutputItem::call(id.clone(), self.scrubber.scrub(&call.name));
        out.push(Event::ItemAdded { output_index, item }.into());
        call.item = Some((id.clone(), output_index));
        (id, output_index)
    }

    fn take_index(&mut self) -> usize {
        let index = self.next_index;
        self.next_index += 1;
        index
    }
}

/// Providers send a name whole, repeated, or in pieces.
fn merge_name(known: &mut String, piece: &str) {
    if piece.starts_with(known.as_str()) {
        piece.clone_into(known);
    } else if !known.starts_with(piece) {
        known.push_str(piece);
    }
}

/// Adds a text delta, joined to the one before it when both wait in the same append.
fn push_delta(open: &OpenItem, piece: String, out: &mut Vec<Draft>) {
    if piece.is_empty() {
        return;
    }
    let newest = out.last_mut().map(|draft| &mut draft.event);
    match newest {
        Some(
            Event::TextDelta { item_id, delta, .. } | Event::SummaryDelta { item_id, delta, .. },
        ) if *item_id == open.id => {
            delta.push_str(&piece);
        }
        _ => {
            let (item_id, output_index) = (open.id.clone(), open.index);
            out.push(Draft::from(if open.is_reasoning {
                Event::SummaryDelta {
                    item_id,
                    output_index,
                    summary_index: 0,
                    delta: piece,
                }
            } else {
                Event::TextDelta {
                    item_id,
                    output_index,
                    content_index: 0,
                    delta: piece,
                    logprobs: Vec::new(),
                }
            }));
        }
    }
}

fn push_arguments(id: &ItemId, output_index: usize, piece: String, out: &mut Vec<Draft>) {
    if piece.is_empty() {
        return;
    }
    match out.last_mut().map(|draft| &mut draft.event) {
        Some(Event::ArgumentsDelta { item_id, delta, .. }) if item_id == id => {
            delta.push_str(&piece)
        }
        _ => out.push(
            Event::ArgumentsDelta {
                item_id: id.clone(),
                output_index,
                delta: piece,
            }
            .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::Token;

    fn relay(deltas: Vec<ChatDelta>) -> (Vec<String>, Answer) {
        let mut relay = Relay::new(Scrubber::new(&Token::new("hf_secret_value".into())), 0);
        let mut out = Vec::new();
        deltas
            .into_iter()
            .for_each(|delta| relay.push(delta, &mut out));
        let answer = relay.finish(&mut out);
        let names = out.iter().map(|draft| {
            draft
                .event
                .name()
                .trim_start_matches("response.")
                .to_owned()
        });
        (names.collect(), answer)
    }

    fn call(slot: usize, name: &str, arguments: &str) -> ChatDelta {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        ChatDelta::ToolCall(ToolCallDelta {
            slot,
            id: Some(format!("c{slot}")),
            name,
            arguments: arguments.into(),
        })
    }

    #[test]
    fn items_open_and_close_in_order() {
        let (names, answer) = relay(vec![
            ChatDelta::Reasoning("hm".into()),
            ChatDelta::Text("I ".into()),
            ChatDelta::Text("look".into()),
            call(0, "bash", ""),
            call(0, "", "{}"),
            ChatDelta::Finish("tool_calls".into()),
        ]);
        assert_eq!(
            names,
            [
                "output_item.added",
                "reasoning_summary_part.added",
                "reasoning_summary_text.delta",
                "reasoning_summary_text.done",
                "reasoning_summary_part.done",
                "output_item.done",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "output_item.added",
                "mcp_call_arguments.delta",
                "mcp_call_arguments.done",
            ]
        );
        assert_eq!(answer.text, "I look");
        assert_eq!(
            (answer.calls[0].name.as_str(), answer.calls[0].output_index),
            ("bash", 2)
        );
    }

    #[test]
    fn a_call_without_arguments_is_announced_at_the_end() {
        let (names, answer) = relay(vec![call(0, "pl", ""), call(0, "plan_tool", "")]);
        assert_eq!(names, ["output_item.added", "mcp_call_arguments.done"]);
        assert_eq!(
            (
                answer.calls[0].name.as_str(),
                answer.calls[0].arguments.as_str()
            ),
            ("plan_tool", "{}")
        );
    }

    #[test]
    fn the_token_is_removed_from_text_and_arguments() {
        let (_, answer) = relay(vec![
            ChatDelta::Text("it is hf_sec".into()),
            ChatDelta::Text("ret_value!".into()),
            call(0, "bash", r#"{"command":"echo hf_secret"#),
            call(0, "", r#"_value"}"#),
        ]);
        assert_eq!(answer.text, "it is [token removed]!");
        assert!(!answer.calls[0].arguments.contains("hf_secret_value"));
    }
}
