//! From a model's deltas to events: opens and closes items in the order that OpenAI's accumulators expect. Pure.

mod prose;

use crate::draft::Draft;
use crate::offered::Offered;
use crate::scrub::{Scrubber, StreamScrubber};
use journal::CallRecord;
use platform::{CallAssembler, ChatDelta, ToolCallDelta, Usage};
use prose::{Kind, Prose};
use protocol::{Event, ItemId, ItemStatus, OutputItem, Phase};
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
    offered: Offered,
    next_index: usize,
    open: Option<Prose>,
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

struct RelayedCall {
    item: Option<(ItemId, usize)>,
    name: String,
    arguments: String,
    scrubber: StreamScrubber,
}

impl Relay {
    /// A relay whose first item gets this output index.
    pub fn new(scrubber: Scrubber, offered: Offered, next_index: usize) -> Self {
        Self {
            scrubber,
            offered,
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
            ChatDelta::Text(text) => self.push_text(&text, Kind::Message, out),
            ChatDelta::Reasoning(text) => self.push_text(&text, Kind::Reasoning, out),
            ChatDelta::ToolCall(delta) => self.push_call(delta, out),
            ChatDelta::Finish(reason) => self.finish_reason = Some(self.scrubber.scrub(&reason)),
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
        let mut has_handed_over = false;
        for (call, mut relayed) in assembled
            .into_iter()
            .zip(std::mem::take(&mut self.calls).into_values())
        {
            let arguments = self.scrubber.scrub(&call.arguments);
            let name = self.scrubber.scrub(&call.name);
            if let Some(arguments) = self.for_client(&name, &arguments) {
                if self.offered.is_one_at_a_time && has_handed_over {
                    continue;
                }
                has_handed_over = true;
                calls.push(self.hand_over(name, arguments, out));
                continue;
            }
            let (item_id, output_index) = self.announce(&mut relayed, out);
            let held = match self.offered.is_clients(&name) {
                true => arguments.clone(),
                false => relayed.scrubber.finish(),
            };
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
            // A model may put what it has read anywhere.
            calls.push(CallRecord {
                call_id: self.scrubber.scrub(&call.id),
                item_id,
                output_index,
                name,
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

    /// The arguments of a call for the client to run. A call that was cut, or that does not fit, is none: it is
    /// answered here.
    fn for_client(&self, name: &str, arguments: &str) -> Option<String> {
        let is_cut = self.finish_reason.as_deref() == Some("length");
        if is_cut || !self.offered.is_clients(name) {
            return None;
        }
        self.offered.hand_over(name, arguments).ok()
    }

    /// Adds the whole item of a call for the client. Its call id is our own, because the model's may come again.
    fn hand_over(&mut self, name: String, arguments: String, out: &mut Vec<Draft>) -> CallRecord {
        let (item_id, output_index) = (ItemId::fresh("fc"), self.take_index());
        let call_id = ItemId::fresh("call").to_string();
        let mut item = OutputItem::function_call(item_id.clone(), call_id.clone(), name.clone());
        let added = Event::ItemAdded {
            output_index,
            item: item.clone(),
        };
        if let OutputItem::FunctionCall {
            arguments: whole,
            status,
            ..
        } = &mut item
        {
            whole.clone_from(&arguments);
            *status = ItemStatus::Completed;
        }
        let events = [
            added,
            Event::FunctionArgumentsDelta {
                item_id: item_id.clone(),
                output_index,
                delta: arguments.clone(),
            },
            Event::FunctionArgumentsDone {
                item_id: item_id.clone(),
                output_index,
                name: name.clone(),
                arguments: arguments.clone(),
            },
            Event::ItemDone { output_index, item },
        ];
        out.extend(events.map(Draft::from));
        CallRecord {
            call_id,
            item_id,
            output_index,
            name,
            arguments,
        }
    }

    fn push_text(&mut self, text: &str, kind: Kind, out: &mut Vec<Draft>) {
        if text.is_empty() {
            return;
        }
        self.has_output = true;
        self.has_answer |= kind == Kind::Message && !text.trim().is_empty();
        if self.open.as_ref().is_some_and(|open| open.kind != kind) {
            self.close(Phase::Commentary, out);
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Prose::open(kind, self.take_index(), self.scrubber.stream(), out),
        };
        let safe = open.push(text, out);
        self.keep(kind, &safe);
        self.open = Some(open);
    }

    fn close(&mut self, phase: Phase, out: &mut Vec<Draft>) {
        if let Some(open) = self.open.take() {
            let kind = open.kind;
            let held = open.close(phase, out);
            self.keep(kind, &held);
        }
    }

    fn keep(&mut self, kind: Kind, shown: &str) {
        if kind == Kind::Message {
            self.text.push_str(shown);
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
        // The name is whole once arguments come. What the client is to run is shown when it is whole and checked.
        if !delta.arguments.is_empty() && !self.offered.is_clients(&call.name) {
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
        let name = self.scrubber.scrub(&call.name);
        let item = self.offered.toolbox.item(id.clone(), &name);
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
mod tests;
