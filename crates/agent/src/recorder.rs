//! The recorder: the only writer of a response's events. It numbers drafts, makes them durable, and folds them.

use crate::draft::{Draft, now};
use crate::{SessionState, budget};
use journal::{
    AppendError, Claim, Doubt, Entry, Journal, Lease, LedgerOp, NewResponse, NewWebhook, Private,
    Submission,
};
use protocol::{
    ApprovalRequest, CreateRequest, Event, FailureType, MicroUsd, OutputItem, Response, ResponseId,
    RunError, Status,
};
use serde_json::{Map, Value};

/// How a turn ends or pauses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Completed,
    Failed(RunError),
    Cancelled,
    /// Paused until the turn is resumed.
    Interrupted,
}

pub struct Recorder {
    journal: Journal,
    lease: Lease,
    id: ResponseId,
    state: SessionState,
    next_seq: u64,
}

/// What a response is made of.
#[derive(Debug)]
pub struct Submit<'a> {
    pub owner: &'a str,
    pub model: String,
    pub request: &'a CreateRequest,
    /// Names that the response takes.
    pub claims: Vec<Claim>,
    /// Who is told of its events.
    pub webhook: Option<NewWebhook>,
}

impl Recorder {
    /// Creates a response in its session and records its first events.
    ///
    /// # Errors
    /// The state, unchanged, with [`AppendError::Taken`] when another response has a claimed name; [`AppendError::Busy`] or [`AppendError::ApprovalPending`] while the session has an open response.
    pub async fn submit(
        journal: &Journal,
        lease: &Lease,
        state: SessionState,
        submit: Submit<'_>,
    ) -> Result<Self, (Box<SessionState>, AppendError)> {
        let Submit {
            owner,
            model,
            request,
            claims,
            webhook,
        } = submit;
        let id = ResponseId::fresh();
        let cap = request.max_cost.unwrap_or_else(|| state.ledger.cap());
        let open = state.ledger.open(cap);
        let mut ledger = state.ledger.clone();
        ledger.apply(&open);
        let created_at = now();
        let response = Response::submitted(
            id.clone(),
            lease.session().clone(),
            request,
            model,
            ledger.budget(),
            created_at,
        );
        let queued = response.snapshot(1, |_| {});
        let submission = Submission {
            input: request.input.clone(),
        };
        let private = Private {
            ledger: vec![open],
            submission: Some(submission),
            inherited: state.inheritance(),
            ..Private::default()
        };
        let entries = [
            Entry::with(
                0,
                Event::Created {
                    response: Box::new(response),
                },
                private,
            ),
            Entry::new(1, Event::Queued { response: queued }),
        ];
        let new = NewResponse {
            owner: owner.to_owned(),
            created_at,
            opens_session: state.response.is_none(),
            metadata: text_pairs(&request.metadata),
            claims,
            webhook,
        };
        if let Err(error) = journal.create(lease, &id, new, &entries).await {
            return Err((Box::new(state), error));
        }
        let mut recorder = Self {
            journal: journal.clone(),
            lease: lease.clone(),
            id,
            state,
            next_seq: entries.len() as u64,
        };
        entries.iter().for_each(|entry| recorder.state.apply(entry));
        Ok(recorder)
    }

    /// Goes on with a response whose log has been folded into `state`.
    ///
    /// # Errors
    /// The state, when it holds no response.
    pub fn resume(
        journal: &Journal,
        lease: &Lease,
        state: SessionState,
    ) -> Result<Self, Box<SessionState>> {
        let Some(response) = &state.response else {
            return Err(Box::new(state));
        };
        let (id, next_seq) = (response.id.clone(), response.last_sequence_number + 1);
        let (journal, lease) = (journal.clone(), lease.clone());
        Ok(Self {
            journal,
            lease,
            id,
            state,
            next_seq,
        })
    }

    #[must_use]
    pub fn id(&self) -> &ResponseId {
        &self.id
    }

    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    #[must_use]
    pub fn state(&self) -> &SessionState {
        &self.state
    }

    #[must_use]
    pub fn into_state(self) -> SessionState {
        self.state
    }

    /// The response as folded so far.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.state.response.as_ref()
    }

    /// Makes drafts durable, all or none, and folds them. Must not be dropped half-way: whether the log has them would
    /// not be known.
    ///
    /// # Errors
    /// When they are not in the log; the state is unchanged then.
    pub async fn record(&mut self, drafts: Vec<Draft>) -> Result<(), AppendError> {
        let entries: Vec<Entry> = drafts
            .into_iter()
            .zip(self.next_seq..)
            .map(|(draft, seq)| Entry::with(seq, draft.event, draft.private))
            .collect();
        self.journal.append(&self.lease, &self.id, &entries).await?;
        self.next_seq += entries.len() as u64;
        entries.iter().for_each(|entry| self.state.apply(entry));
        Ok(())
    }

    /// Records drafts and, as the last event of the same append, one that carries a snapshot of what they lead to.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn record_with_snapshot<D: Into<Draft>>(
        &mut self,
        mut drafts: Vec<Draft>,
        change: impl FnOnce(&mut Response),
        event: impl FnOnce(Box<Response>) -> D,
    ) -> Result<(), AppendError> {
        let Some(mut response) = self.state.response.clone() else {
            return Err(AppendError::Unknown);
        };
        for (draft, seq) in drafts.iter().zip(self.next_seq..) {
            response.apply(seq, &draft.event);
        }
        let seq = self.next_seq + drafts.len() as u64;
        drafts.push(event(response.snapshot(seq, change)).into());
        self.record(drafts).await
    }

    /// Records that the turn runs.
    pub(crate) async fn start(&mut self, before: Vec<Draft>) -> Result<(), AppendError> {
        let started = now();
        let change = |response: &mut Response| {
            response.status = Status::InProgress;
            response.started_at = response.started_at.or(Some(started));
            response.incomplete_details = None;
            response.pending_approval = None;
        };
        self.record_with_snapshot(before, change, |response| Event::InProgress { response })
            .await
    }

    /// Ends or interrupts the turn: closes what is open, frees what can no longer be spent, and records the last event.
    pub(crate) async fn end(&mut self, ending: Ending) -> Result<(), AppendError> {
        let mut drafts = self.closings(&ending);
        drafts.extend(budget::settle_model_calls(&self.state.ledger));
        let ended = now();
        let unexplained = self.state.unexplained_reservations();
        let is_in_doubt = ending == Ending::Interrupted && !unexplained.is_empty();
        let doubt = is_in_doubt.then_some(Doubt {
            reservations: unexplained,
        });
        let status = match &ending {
            Ending::Completed => Status::Completed,
            Ending::Failed(_) => Status::Failed,
            Ending::Cancelled => Status::Cancelled,
            Ending::Interrupted => Status::Incomplete,
        };
        let error = if let Ending::Failed(error) = &ending {
            Some(error.clone())
        } else {
            None
        };
        let change = |response: &mut Response| {
            response.status = status;
            response.pending_approval = None;
            response.error = error;
            response.incomplete_details = None;
            match status {
                Status::Incomplete => {
                    let reason = protocol::IncompleteReason::ServerRestart;
                    response.incomplete_details = Some(protocol::IncompleteDetails { reason });
                }
                Status::Completed => response.completed_at = Some(ended),
                _ => {}
            }
        };
        let event = |response| match status {
            Status::Completed => Event::Completed { response },
            Status::Failed => Event::Failed { response },
            Status::Cancelled => Event::Cancelled { response },
            _ => Event::Incomplete { response },
        };
        let private = Private {
            doubt,
            ..Private::default()
        };
        self.record_with_snapshot(drafts, change, |response| {
            Draft::with(event(response), private)
        })
        .await
    }

    /// Closes open items. An interrupted turn keeps the items of calls that will be settled when it resumes.
    fn closings(&self, ending: &Ending) -> Vec<Draft> {
        let Some(response) = &self.state.response else {
            return Vec::new();
        };
        let is_kept = |item: &OutputItem| {
            *ending == Ending::Interrupted
                && self
                    .state
                    .pending
                    .iter()
                    .any(|call| call.item_id == *item.id())
        };
        close_open_items(response, |item| !is_kept(item))
    }

    /// A `budget_update` that makes these changes to the ledger.
    #[must_use]
    pub fn ledger_draft(&self, ops: Vec<LedgerOp>) -> Draft {
        budget::draft(&self.state.ledger, ops)
    }

    /// What remains of the budget.
    #[must_use]
    pub fn remaining(&self) -> MicroUsd {
        self.state.ledger.remaining()
    }
}

impl Recorder {
    /// Records a decision on a paused response; the turn is then started with [`crate::Start::Approved`] or [`crate::Start::Denied`].
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn decide(&mut self, decision: &ApprovalRequest) -> Result<(), AppendError> {
        let cap = decision.new_max_cost.map(|cap| LedgerOp::Cap { cap });
        let mut ledger = self.state().ledger.clone();
        cap.iter().for_each(|op| ledger.apply(op));
        let decided = Event::ApprovalDecided {
            approve: decision.approve,
            feedback: decision.feedback.clone(),
            budget: ledger.budget(),
        };
        self.start(vec![Draft::with(decided, Private::ledger(cap))])
            .await
    }

    /// Records that a response at rest, or one whose turn is gone, was cancelled.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn cancel(&mut self) -> Result<(), AppendError> {
        self.end(Ending::Cancelled).await
    }

    /// Records that the turn failed for a reason of our own.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn fail_internally(&mut self) -> Result<(), AppendError> {
        let error = RunError::new(
            FailureType::InternalError,
            "The turn failed inside the server.",
        );
        self.end(Ending::Failed(error)).await
    }

    /// Records that the turn of this response has been lost: it pauses with `server_restart`.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub async fn interrupt(&mut self) -> Result<(), AppendError> {
        self.end(Ending::Interrupted).await
    }
}

/// Metadata as the store finds responses by it.
fn text_pairs(metadata: &Map<String, Value>) -> Vec<(String, String)> {
    let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    metadata.iter().filter_map(pair).collect()
}

/// Closes, as they stand, the open items that `closes` picks.
pub(crate) fn close_open_items(
    response: &Response,
    closes: impl Fn(&OutputItem) -> bool,
) -> Vec<Draft> {
    let items = response.output.iter().enumerate();
    let open = items.filter(|(_, item)| item.is_open() && closes(item));
    open.map(|(output_index, item)| {
        let item = item.clone().interrupted();
        Event::ItemDone { output_index, item }.into()
    })
    .collect()
}
