//! A session's state: a fold of its responses' logs, in order.

use crate::offered::is_handed_over;
use crate::transcript::Transcript;
use journal::{CallRecord, Entry, Inherited, Ledger, LedgerOp, Residue, Resource};
use protocol::{Artifact, Event, InputItem, ItemId, MicroUsd, PlanItem, Problem, Response};
use std::collections::{BTreeMap, BTreeSet};

/// Reservations of tool calls begin so; the call's item id follows.
pub(crate) const CALL: &str = "call:";
/// The guard that tells the model what the caller has added to an approval.
pub(crate) const FEEDBACK: &str = "approval";
/// Reservations of sandboxes begin so.
pub(crate) const SANDBOX: &str = "sandbox:";

const NOT_AS_BEFORE: &str =
    "The caller did not approve of going on as planned. Come to an end soon, with what there is.";

/// A caller's decision on the newest pause, until the turn has gone past it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Approved,
    Denied { feedback: Option<String> },
}

/// Everything a turn knows. Rebuilt from the journal at any time by applying every entry of every response in order.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionState {
    /// The response the newest entry belongs to.
    pub response: Option<Response>,
    /// Whether a response behind that one was deleted: what was paused before it does not go on.
    pub newest_is_deleted: bool,
    pub ledger: Ledger,
    pub transcript: Transcript,
    pub plan: Vec<PlanItem>,
    /// Whether the plan was written in the current response; an old plan makes no demands on a new turn.
    pub plan_is_current: bool,
    /// Calls of the newest assistant message that have no result yet.
    pub pending: Vec<CallRecord>,
    /// Ids of calls for the client to run, whose outputs the next request may bring.
    pub awaited: BTreeSet<String>,
    /// Pending calls that have begun, with the lines of log that they have shown.
    pub begun: BTreeMap<ItemId, usize>,
    /// What was decided about the pending calls; without any, about the next model call.
    pub decision: Option<Decision>,
    /// What callers said with their decisions, in whole sentences, and the model has not been told yet.
    pub feedback: Vec<String>,
    /// Why the newest model answer ended; none before the first one of the current response.
    pub finish_reason: Option<String>,
    /// External things that run and cost money, by their id.
    pub resources: BTreeMap<String, Resource>,
    /// What the session has made, each once, oldest first.
    pub artifacts: Vec<Artifact>,
    /// When the session's first response was created, in Unix seconds.
    pub began_at: Option<u64>,
    /// Model calls of the current response.
    pub model_calls: u32,
}

impl SessionState {
    /// The state of a session without a response.
    #[must_use]
    pub fn new(cap: MicroUsd) -> Self {
        Self {
            response: None,
            newest_is_deleted: false,
            ledger: Ledger::new(cap),
            transcript: Transcript::default(),
            plan: Vec::new(),
            plan_is_current: false,
            pending: Vec::new(),
            awaited: BTreeSet::new(),
            begun: BTreeMap::new(),
            decision: None,
            feedback: Vec::new(),
            finish_reason: None,
            resources: BTreeMap::new(),
            artifacts: Vec::new(),
            began_at: None,
            model_calls: 0,
        }
    }

    /// Reservations of calls and sandboxes that belong to nothing known: what they were made for may exist all the same.
    #[must_use]
    pub(crate) fn unexplained_reservations(&self) -> Vec<String> {
        let is_known = |id: &str| self.resources.values().any(|known| known.reservation == id);
        let open = self.ledger.reservations().map(|(id, _)| id);
        open.filter(|id| id.starts_with(CALL) || id.starts_with(SANDBOX))
            .filter(|id| !is_known(id))
            .map(str::to_owned)
            .collect()
    }

    /// Applies what is left of a deleted response, in its place.
    pub fn apply_residue(&mut self, residue: &Residue) {
        self.began_at = self.began_at.or(residue.created_at);
        self.newest_is_deleted = true;
        self.awaited.clear();
        residue.ledger.iter().for_each(|op| self.ledger.apply(op));
        for id in &residue.released {
            self.resources.remove(id);
        }
        for resource in &residue.resources {
            self.resources.insert(resource.id.clone(), resource.clone());
        }
    }

    /// Calls for the client to run, and the others.
    #[must_use]
    pub(crate) fn split_handed_over(
        &self,
        calls: Vec<CallRecord>,
    ) -> (Vec<CallRecord>, Vec<CallRecord>) {
        let output = self.response.as_ref().map(|response| &response.output);
        calls.into_iter().partition(|call| {
            let item = output.and_then(|output| output.get(call.output_index));
            is_handed_over(item.filter(|item| *item.id() == call.item_id))
        })
    }

    /// Checks that each output of a client's tool answers a call that the session waits for.
    ///
    /// # Errors
    /// 400, naming the first that does not.
    pub fn check_outputs(&self, input: &[InputItem]) -> Result<(), Problem> {
        for (index, item) in input.iter().enumerate() {
            if let InputItem::FunctionCallOutput { call_id, .. } = item
                && !self.awaited.contains(call_id)
            {
                let param = format!("input[{index}].call_id");
                let why = "The session does not wait for the output of a call with this id.";
                return Err(Problem::invalid("invalid_value", param, why));
            }
        }
        Ok(())
    }

    /// Whether a call waits for its result.
    #[must_use]
    pub(crate) fn is_pending(&self, reservation: &str) -> bool {
        let item = reservation.strip_prefix(CALL);
        item.is_some_and(|item| {
            self.pending
                .iter()
                .any(|call| call.item_id.as_str() == item)
        })
    }

    /// The state of a session that begins where this one is: its conversation, its plan, and what it has spent. What runs
    /// and what is reserved stays with this one.
    #[must_use]
    pub fn forked(self) -> Self {
        let mut open = self.ledger.open(self.ledger.cap());
        if let LedgerOp::Open { reserved, .. } = &mut open {
            reserved.clear();
        }
        let mut forked = Self::new(self.ledger.cap());
        forked.ledger.apply(&open);
        forked.transcript = self.transcript;
        forked.awaited = self.awaited;
        forked.plan = self.plan;
        forked
    }

    /// What the first response of a forked session has to record of its origin; none for others.
    pub(crate) fn inheritance(&self) -> Option<Inherited> {
        let is_forked = self.response.is_none() && !self.transcript.raw().is_empty();
        is_forked.then(|| Inherited {
            messages: self.transcript.to_values(),
            plan: self.plan.clone(),
        })
    }

    /// Applies one entry. Apart from a residue, the only way this state changes.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Created { response } => {
                self.response = Some((**response).clone());
                self.newest_is_deleted = false;
                self.began_at = self.began_at.or(Some(response.created_at));
                self.pending.clear();
                self.awaited.clear();
                self.begun.clear();
                self.decision = None;
                self.feedback.clear();
                self.finish_reason = None;
                self.plan_is_current = false;
                self.model_calls = 0;
            }
            Event::PlanUpdate { plan } => {
                self.plan.clone_from(plan);
                self.plan_is_current = true;
            }
            Event::ArtifactCreated { artifact } => self.keep_artifact(artifact),
            Event::LlmCall(call) => {
                self.model_calls += 1;
                self.finish_reason.clone_from(&call.finish_reason);
                self.decision = None;
            }
            _ => self.apply_pause(&entry.event),
        }
        if let Some(response) = &mut self.response {
            response.apply(entry.seq, &entry.event);
        }
        self.apply_private(entry);
        self.transcript.apply(entry);
    }

    /// Whether the session has this artifact already.
    pub(crate) fn knows(&self, artifact: &Artifact) -> bool {
        self.artifacts
            .iter()
            .any(|known| known.identity() == artifact.identity())
    }

    fn keep_artifact(&mut self, artifact: &Artifact) {
        if !self.knows(artifact) {
            self.artifacts.push(artifact.clone());
        }
    }

    /// A pending call has its result. A model may give two calls of one answer the same id; their places differ.
    fn answered(&mut self, event: &Event, call_id: &str) {
        let place = match event {
            Event::ItemDone { output_index, .. } => Some(*output_index),
            _ => None,
        };
        let is_answered = |call: &CallRecord| {
            call.call_id == call_id && place.is_none_or(|place| place == call.output_index)
        };
        if let Some(index) = self.pending.iter().position(is_answered) {
            let call = self.pending.remove(index);
            self.begun.remove(&call.item_id);
            if self.pending.is_empty() {
                // It is done; it does not stand for whatever is asked next.
                self.decision = None;
            }
        }
    }

    /// What happens to pending calls and around them.
    fn apply_pause(&mut self, event: &Event) {
        match event {
            Event::CallInProgress { item_id, .. } => {
                self.begun.entry(item_id.clone()).or_default();
            }
            Event::ToolLog { item_id, delta, .. } => {
                if let Some(lines) = self.begun.get_mut(item_id) {
                    *lines += delta.matches('\n').count();
                }
            }
            Event::ApprovalRequired { .. } => self.decision = None,
            Event::ApprovalDecided {
                approve, feedback, ..
            } => self.decide(*approve, feedback.as_deref()),
            Event::Guard { guard, .. } if guard == FEEDBACK => self.feedback.clear(),
            _ => {}
        }
    }

    fn decide(&mut self, approve: bool, feedback: Option<&str>) {
        let feedback = feedback.filter(|text| !text.trim().is_empty());
        self.decision = Some(if approve {
            let told = |text| format!("The caller approved this and adds: {text}");
            self.feedback.extend(feedback.map(told));
            Decision::Approved
        } else {
            // Without pending calls the pause was about going on at all: the model hears of it once it can be asked.
            if self.pending.is_empty() {
                let feedback =
                    feedback.map_or_else(String::new, |text| format!(" Feedback: {text}"));
                self.feedback.push(format!("{NOT_AS_BEFORE}{feedback}"));
            }
            let feedback = feedback.map(str::to_owned);
            Decision::Denied { feedback }
        });
    }

    fn apply_private(&mut self, entry: &Entry) {
        if let Some(inherited) = &entry.private.inherited {
            self.transcript = Transcript::of_values(&inherited.messages);
            self.plan.clone_from(&inherited.plan);
        }
        for op in &entry.private.ledger {
            self.ledger.apply(op);
        }
        if let Some(turn) = &entry.private.assistant {
            self.pending.clone_from(&turn.calls);
            let (awaited, _) = self.split_handed_over(turn.calls.clone());
            self.awaited = awaited.into_iter().map(|call| call.call_id).collect();
        }
        if let Some(result) = &entry.private.result {
            self.answered(&entry.event, &result.call_id);
        }
        if let Some(resource) = &entry.private.resource {
            self.resources.insert(resource.id.clone(), resource.clone());
        }
        if let Some(id) = &entry.private.released {
            self.resources.remove(id);
        }
    }
}
