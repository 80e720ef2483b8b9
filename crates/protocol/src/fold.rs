//! Folding events into the response object.

use crate::response::{InputTokensDetails, OutputTokensDetails};
use crate::{
    Artifact, ContentPart, Event, IncompleteDetails, IncompleteReason, ItemId, LlmCall, MicroUsd,
    OutputItem, Response, Status, SummaryPart,
};

impl Response {
    /// Applies one event. Lifecycle events carry a snapshot for readers; the fold takes from it only what the event
    /// itself decides (status, times, error), so that folding from the first event and starting from a snapshot agree.
    pub fn apply(&mut self, sequence_number: u64, event: &Event) {
        self.last_sequence_number = sequence_number;
        match event {
            Event::InProgress { response } => {
                self.status = Status::InProgress;
                self.started_at = self.started_at.or(response.started_at);
                self.incomplete_details = None;
                self.pending_approval = None;
            }
            Event::ItemAdded { item, .. } => self.output.push(item.clone()),
            Event::ItemDone { output_index, item } => {
                if let Some(slot) = self.output.get_mut(*output_index) {
                    *slot = item.clone();
                }
            }
            Event::TextDelta {
                item_id,
                content_index,
                delta,
                ..
            } => self.push_text(item_id, *content_index, delta),
            Event::PartAdded { item_id, part, .. } => self.push_part(item_id, part),
            Event::SummaryPartAdded { item_id, part, .. } => self.push_summary(item_id, part),
            Event::SummaryDelta {
                item_id,
                summary_index,
                delta,
                ..
            } => {
                self.push_summary_text(item_id, *summary_index, delta);
            }
            Event::ArgumentsDelta { item_id, delta, .. }
            | Event::FunctionArgumentsDelta { item_id, delta, .. } => {
                if let Some(arguments) = self.arguments_mut(item_id) {
                    arguments.push_str(delta);
                }
            }
            Event::ArgumentsDone {
                item_id,
                arguments: whole,
                ..
            }
            | Event::FunctionArgumentsDone {
                item_id,
                arguments: whole,
                ..
            } => {
                if let Some(arguments) = self.arguments_mut(item_id) {
                    arguments.clone_from(whole);
                }
            }
            Event::ArtifactCreated { artifact } => self.push_artifact(artifact),
            Event::LlmCall(call) => self.count_tokens(call),
            Event::BudgetUpdate {
                budget,
                cost_by_kind,
            } => {
                self.budget = *budget;
                self.max_cost_usd = budget.cap_usd;
                // Usage is null until there is some: a first reservation spends nothing.
                if self.usage.is_some() || cost_by_kind.total() > MicroUsd::ZERO {
                    let usage = self.usage.get_or_insert_default();
                    usage.cost_usd = cost_by_kind.total();
                    usage.cost_by_kind = *cost_by_kind;
                }
            }
            Event::ApprovalRequired {
                pending_actions, ..
            } => {
                self.status = Status::Incomplete;
                self.incomplete_details = Some(IncompleteDetails {
                    reason: IncompleteReason::ApprovalRequired,
                });
                self.pending_approval = Some(pending_actions.clone());
            }
            Event::ApprovalDecided { budget, .. } => {
                self.budget = *budget;
                self.max_cost_usd = budget.cap_usd;
            }
            Event::Incomplete { .. } => {
                self.status = Status::Incomplete;
                self.incomplete_details = Some(IncompleteDetails {
                    reason: IncompleteReason::ServerRestart,
                });
                self.pending_approval = None;
            }
            Event::Completed { response } => self.end(Status::Completed, response),
            Event::Failed { response } => self.end(Status::Failed, response),
            Event::Cancelled { response } => self.end(Status::Cancelled, response),
            Event::Created { .. }
            | Event::Queued { .. }
            | Event::PartDone { .. }
            | Event::TextDone { .. }
            | Event::SummaryPartDone { .. }
            | Event::SummaryDone { .. }
            | Event::CallInProgress { .. }
            | Event::CallCompleted { .. }
            | Event::CallFailed { .. }
            | Event::ToolLog { .. }
            | Event::ToolStateChange { .. }
            | Event::PlanUpdate { .. }
            | Event::LlmCallStarted { .. }
            | Event::LlmRetry { .. }
            | Event::Compacted { .. }
            | Event::Guard { .. }
            | Event::Sandbox { .. }
            | Event::Resumed {} => {}
        }
    }

    /// Folds a whole log; `None` when it does not begin with `response.created`.
    pub fn fold<'a>(events: impl IntoIterator<Item = (u64, &'a Event)>) -> Option<Self> {
        let mut events = events.into_iter();
        let (first, Event::Created { response }) = events.next()? else {
            return None;
        };
        let mut folded = (**response).clone();
        folded.last_sequence_number = first;
        for (sequence_number, event) in events {
            folded.apply(sequence_number, event);
        }
        Some(folded)
    }

    /// The snapshot that a lifecycle event at `sequence_number` carries.
    #[must_use]
    pub fn snapshot(&self, sequence_number: u64, change: impl FnOnce(&mut Self)) -> Box<Self> {
        let mut snapshot = self.clone();
        snapshot.last_sequence_number = sequence_number;
        change(&mut snapshot);
        Box::new(snapshot)
    }

    fn end(&mut self, status: Status, ended: &Self) {
        self.status = status;
        self.completed_at = ended.completed_at;
        self.error.clone_from(&ended.error);
        self.incomplete_details = None;
        self.pending_approval = None;
    }

    fn item_mut(&mut self, id: &ItemId) -> Option<&mut OutputItem> {
        self.output.iter_mut().rev().find(|item| item.id() == id)
    }

    fn push_part(&mut self, id: &ItemId, part: &ContentPart) {
        if let Some(OutputItem::Message { content, .. }) = self.item_mut(id) {
            content.push(part.clone());
        }
    }

    fn push_text(&mut self, id: &ItemId, content_index: usize, delta: &str) {
        if let Some(OutputItem::Message { content, .. }) = self.item_mut(id)
            && let Some(ContentPart::OutputText { text, .. }) = content.get_mut(content_index)
        {
            text.push_str(delta);
        }
    }

    fn push_summary(&mut self, id: &ItemId, part: &SummaryPart) {
        if let Some(OutputItem::Reasoning { summary, .. }) = self.item_mut(id) {
            summary.push(part.clone());
        }
    }

    fn push_summary_text(&mut self, id: &ItemId, summary_index: usize, delta: &str) {
        if let Some(OutputItem::Reasoning { summary, .. }) = self.item_mut(id)
            && let Some(SummaryPart::SummaryText { text }) = summary.get_mut(summary_index)
        {
            text.push_str(delta);
        }
    }

    fn arguments_mut(&mut self, id: &ItemId) -> Option<&mut String> {
        match self.item_mut(id) {
            Some(
                OutputItem::McpCall { arguments, .. } | OutputItem::FunctionCall { arguments, .. },
            ) => Some(arguments),
            _ => None,
        }
    }

    fn push_artifact(&mut self, artifact: &Artifact) {
        if !self
            .artifacts
            .iter()
            .any(|known| known.identity() == artifact.identity())
        {
            self.artifacts.push(artifact.clone());
        }
    }

    fn count_tokens(&mut self, call: &LlmCall) {
        let usage = self.usage.get_or_insert_default();
        usage.input_tokens += call.input_tokens;
        usage.output_tokens += call.output_tokens;
        usage.total_tokens = usage.input_tokens + usage.output_tokens;
        usage.input_tokens_details = InputTokensDetails {
            cached_tokens: usage.input_tokens_details.cached_tokens + call.cached_tokens,
            cache_write_tokens: 0,
        };
        usage.output_tokens_details = OutputTokensDetails {
            reasoning_tokens: usage.output_tokens_details.reasoning_tokens + call.reasoning_tokens,
        };
    }
}
