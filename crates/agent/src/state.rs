//! A session's state: a fold of its responses' logs, in order.

use crate::offered::is_handed_over;
use crate::transcript::Transcript;
use journal::{CallRecord, Entry, Ledger, Resource};
use protocol::{Artifact, Event, InputItem, MicroUsd, PlanItem, Problem, Response};
use std::collections::BTreeMap;

/// Reservations of tool calls begin so; the call's item id follows.
pub(crate) const CALL: &str = "call:";
/// Reservations of sandboxes begin so.
pub(crate) const SANDBOX: &str = "sandbox:";

/// Everything a turn knows. Rebuilt from the journal at any time by applying every entry of every response in order.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionState {
    /// The response the newest entry belongs to.
    pub response: Option<Response>,
    pub ledger: Ledger,
    pub transcript: Transcript,
    pub plan: Vec<PlanItem>,
    /// Whether the plan was written in the current response; an old plan makes no demands on a new turn.
    pub plan_is_current: bool,
    /// Calls of the newest assistant message that have no result yet.
    pub pending: Vec<CallRecord>,
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
            ledger: Ledger::new(cap),
            transcript: Transcript::default(),
            plan: Vec::new(),
            plan_is_current: false,
            pending: Vec::new(),
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
        let (awaited, _) = self.split_handed_over(self.pending.clone());
        for (index, item) in input.iter().enumerate() {
            if let InputItem::FunctionCallOutput { call_id, .. } = item
                && !awaited.iter().any(|call| call.call_id == *call_id)
            {
                let param = format!("input[{index}].call_id");
                let why = "The session does not wait for the output of a call with this id.";
                return Err(Problem::invalid("invalid_value", param, why));
            }
        }
        Ok(())
    }

    /// Applies one entry. The only way this state changes.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Created { response } => {
                self.response = Some((**response).clone());
                self.began_at = self.began_at.or(Some(response.created_at));
                self.pending.clear();
                self.plan_is_current = false;
                self.model_calls = 0;
            }
            Event::PlanUpdate { plan } => {
                self.plan.clone_from(plan);
                self.plan_is_current = true;
            }
            Event::ArtifactCreated { artifact } => self.keep_artifact(artifact),
            Event::LlmCall(_) => self.model_calls += 1,
            _ => {}
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

    fn apply_private(&mut self, entry: &Entry) {
        for op in &entry.private.ledger {
            self.ledger.apply(op);
        }
        if let Some(turn) = &entry.private.assistant {
            self.pending.clone_from(&turn.calls);
        }
        if let Some(result) = &entry.private.result {
            self.pending.retain(|call| call.call_id != result.call_id);
        }
        if let Some(resource) = &entry.private.resource {
            self.resources.insert(resource.id.clone(), resource.clone());
        }
        if let Some(id) = &entry.private.released {
            self.resources.remove(id);
        }
    }
}
