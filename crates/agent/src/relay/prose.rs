//! A message or reasoning item while it is being written: opened, extended, closed.

use crate::draft::Draft;
use crate::scrub::StreamScrubber;
use protocol::{ContentPart, Event, ItemId, ItemStatus, OutputItem, Phase, SummaryPart};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Reasoning,
}

/// The open item. Every item has one part, at index 0.
pub(super) struct Prose {
    pub kind: Kind,
    id: ItemId,
    output_index: usize,
    text: String,
    scrubber: StreamScrubber,
}

impl Prose {
    /// Adds the item and its part.
    pub fn open(
        kind: Kind,
        output_index: usize,
        scrubber: StreamScrubber,
        out: &mut Vec<Draft>,
    ) -> Self {
        let id = ItemId::fresh(match kind {
            Kind::Message => "msg",
            Kind::Reasoning => "rs",
        });
        let (item, part_added) = match kind {
            Kind::Message => {
                let (item_id, part) = (id.clone(), ContentPart::text(""));
                let added = Event::PartAdded {
                    item_id,
                    output_index,
                    content_index: 0,
                    part,
                };
                (OutputItem::message(id.clone()), added)
            }
            Kind::Reasoning => {
                let (item_id, part) = (
                    id.clone(),
                    SummaryPart::SummaryText {
                        text: String::new(),
                    },
                );
                let added = Event::SummaryPartAdded {
                    item_id,
                    output_index,
                    summary_index: 0,
                    part,
                };
                let status = Some(ItemStatus::InProgress);
                (
                    OutputItem::Reasoning {
                        id: id.clone(),
                        summary: Vec::new(),
                        status,
                    },
                    added,
                )
            }
        };
        out.push(Event::ItemAdded { output_index, item }.into());
        out.push(part_added.into());
        Self {
            kind,
            id,
            output_index,
            text: String::new(),
            scrubber,
        }
    }

    /// Adds a piece and gives what of it is safe to show by now.
    pub fn push(&mut self, piece: &str, out: &mut Vec<Draft>) -> String {
        let safe = self.scrubber.push(piece);
        self.show(safe, out)
    }

    /// Closes part and item, and gives what was still held back.
    pub fn close(mut self, phase: Phase, out: &mut Vec<Draft>) -> String {
        let held = self.scrubber.finish();
        let held = self.show(held, out);
        let Self {
            kind,
            id,
            output_index,
            text,
            ..
        } = self;
        let item_id = id.clone();
        match kind {
            Kind::Message => close_message(item_id, output_index, text, phase, out),
            Kind::Reasoning => close_reasoning(item_id, output_index, text, out),
        }
        held
    }

    /// Adds a delta, joined to the one before it when both wait in the same append.
    fn show(&mut self, safe: String, out: &mut Vec<Draft>) -> String {
        if safe.is_empty() {
            return safe;
        }
        self.text.push_str(&safe);
        match out.last_mut().map(|draft| &mut draft.event) {
            Some(
                Event::TextDelta { item_id, delta, .. }
                | Event::SummaryDelta { item_id, delta, .. },
            ) if *item_id == self.id => {
                delta.push_str(&safe);
            }
            _ => out.push(self.delta(safe.clone()).into()),
        }
        safe
    }

    fn delta(&self, delta: String) -> Event {
        let (item_id, output_index) = (self.id.clone(), self.output_index);
        match self.kind {
            Kind::Message => Event::TextDelta {
                item_id,
                output_index,
                content_index: 0,
                delta,
                logprobs: Vec::new(),
            },
            Kind::Reasoning => Event::SummaryDelta {
                item_id,
                output_index,
                summary_index: 0,
                delta,
            },
        }
    }
}

fn close_message(
    id: ItemId,
    output_index: usize,
    text: String,
    phase: Phase,
    out: &mut Vec<Draft>,
) {
    let part = ContentPart::text(text.clone());
    let item = OutputItem::Message {
        id: id.clone(),
        status: ItemStatus::Completed,
        role: "assistant".into(),
        content: vec![part.clone()],
        phase: Some(phase),
    };
    let (item_id, content_index, logprobs) = (id.clone(), 0, Vec::new());
    out.push(
        Event::TextDone {
            item_id,
            output_index,
            content_index,
            text,
            logprobs,
        }
        .into(),
    );
    out.push(
        Event::PartDone {
            item_id: id,
            output_index,
            content_index,
            part,
        }
        .into(),
    );
    out.push(Event::ItemDone { output_index, item }.into());
}

fn close_reasoning(id: ItemId, output_index: usize, text: String, out: &mut Vec<Draft>) {
    let part = SummaryPart::SummaryText { text: text.clone() };
    let status = Some(ItemStatus::Completed);
    let item = OutputItem::Reasoning {
        id: id.clone(),
        summary: vec![part.clone()],
        status,
    };
    let (item_id, summary_index) = (id.clone(), 0);
    out.push(
        Event::SummaryDone {
            item_id,
            output_index,
            summary_index,
            text,
        }
        .into(),
    );
    out.push(
        Event::SummaryPartDone {
            item_id: id,
            output_index,
            summary_index,
            part,
        }
        .into(),
    );
    out.push(Event::ItemDone { output_index, item }.into());
}
