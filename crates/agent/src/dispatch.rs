//! One step of a turn: a batch of tool calls. Each gets exactly one result; each runs on its own; what does not fit the
//! budget waits for a decision.

mod run;

use crate::Draft;
use crate::state::{CALL, SANDBOX};
use crate::work::{Step, TurnError, Work};
use journal::{CallRecord, Ledger, LedgerOp, Private, Resource, ResourceKind, Shortfall};
use protocol::{CostKind, Event, MicroUsd, OutputItem, PendingAction, ToolState};
use serde_json::Value;
use tools::{Adopted, Outcome, Price, Started, StartedKind};

/// Whether a person has approved the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    Needed,
    Granted,
}

/// A call that may run now.
pub(crate) struct Ready {
    pub call: CallRecord,
    pub arguments: Value,
    /// The reservation that covers it.
    pub reserve: Option<LedgerOp>,
    /// The job that it has started already.
    pub adopts: Option<Adopted>,
}

/// A batch, sorted by what happens to each call.
#[derive(Default)]
struct Batch {
    ready: Vec<Ready>,
    refused: Vec<(CallRecord, String)>,
    waiting: Vec<PendingAction>,
}

impl Work<'_> {
    /// Runs a batch, but for the calls that the client is to run. `Some` when the turn rests after it: stopped, paused,
    /// or because it is the client's turn.
    pub(crate) async fn dispatch(
        &mut self,
        calls: Vec<CallRecord>,
        approval: Approval,
    ) -> Result<Option<Step>, TurnError> {
        self.dispatch_with(calls, approval, Vec::new()).await
    }

    /// As [`Work::dispatch`], beside calls that are under way already.
    pub(crate) async fn dispatch_with(
        &mut self,
        calls: Vec<CallRecord>,
        approval: Approval,
        under_way: Vec<Ready>,
    ) -> Result<Option<Step>, TurnError> {
        let mut batch = Batch {
            ready: under_way,
            ..Batch::default()
        };
        let mut checked = Vec::new();
        let (handed_over, calls) = self.recorder.state().split_handed_over(calls);
        for call in calls {
            if let Some(reason) = self.over_call_limit(&call) {
                batch.refused.push((call, format!("ERROR: {reason}")));
                continue;
            }
            match self.offered.check(&call.name, &call.arguments) {
                Ok(arguments) => checked.push((call, arguments)),
                Err(reason) => batch.refused.push((call, format!("ERROR: {reason}"))),
            }
        }
        let checked = self.with_sandbox(checked, &mut batch, approval).await?;
        self.price(checked, &mut batch, approval).await;
        let Batch {
            ready,
            refused,
            waiting,
        } = batch;
        for (call, reason) in refused {
            self.finish_call(&call, Outcome::failed(reason)).await?;
        }
        if approval == Approval::Granted {
            let approved = |Ready { call, .. }: &Ready| {
                tool_state(call.item_id.clone(), &call.name, ToolState::Approved)
            };
            let new = ready.iter().filter(|ready| ready.adopts.is_none());
            self.record(new.map(approved).collect()).await?;
        }
        self.run_all(ready).await?;
        if self.stop.reason().is_some() {
            return Ok(Some(Step::Stopped));
        }
        if !waiting.is_empty() {
            return Ok(Some(Step::Paused(waiting)));
        }
        Ok((!handed_over.is_empty()).then_some(Step::Completed))
    }

    /// Why a call is one more than the request's `max_tool_calls` allows, if it is.
    fn over_call_limit(&self, call: &CallRecord) -> Option<String> {
        let response = self.recorder.response()?;
        let most = response.echo.get("max_tool_calls")?.as_u64()?;
        let earlier = response.output.iter().take(call.output_index);
        let earlier = earlier.filter(|item| matches!(item, OutputItem::McpCall { .. }));
        (earlier.count() as u64 >= most).then(|| {
            format!(
                "the caller allows {most} tool calls in a turn, and they are used up; nothing was executed. Answer \
                 with what you have."
            )
        })
    }

    /// Starts the sandbox if a call needs it and none runs. Calls that cannot have one wait or fail.
    async fn with_sandbox(
        &mut self,
        calls: Vec<(CallRecord, Value)>,
        batch: &mut Batch,
        approval: Approval,
    ) -> Result<Vec<(CallRecord, Value)>, TurnError> {
        let toolbox = self.offered.toolbox.clone();
        let needs = |call: &CallRecord, arguments: &Value| {
            toolbox
                .get(&call.name)
                .is_some_and(|tool| tool.needs_sandbox(arguments))
        };
        let is_needed = calls.iter().any(|(call, arguments)| needs(call, arguments));
        if !is_needed || self.session.sandbox.is_running().await {
            return Ok(calls);
        }
        self.settle_ended_resources().await?;
        let (others, mut blocked): (Vec<_>, Vec<_>) = match self.start_sandbox(approval).await? {
            SandboxState::Ready => return Ok(calls),
            SandboxState::Failed(reason) => {
                let (needing, others): (Vec<_>, Vec<_>) = calls
                    .into_iter()
                    .partition(|(call, arguments)| needs(call, arguments));
                batch.refused.extend(
                    needing
                        .into_iter()
                        .map(|(call, _)| (call, format!("ERROR: {reason}"))),
                );
                (others, Vec::new())
            }
            SandboxState::Waits { estimate, reason } => {
                let (needing, others): (Vec<_>, Vec<_>) = calls
                    .into_iter()
                    .partition(|(call, arguments)| needs(call, arguments));
                let action = |(call, _): (CallRecord, Value)| pending(&call, estimate, &reason);
                (others, needing.into_iter().map(action).collect())
            }
        };
        batch.waiting.append(&mut blocked);
        Ok(others)
    }

    async fn start_sandbox(&mut self, approval: Approval) -> Result<SandboxState, TurnError> {
        let reservation = format!("{SANDBOX}{}", protocol::ItemId::fresh("sbx"));
        let ledger = &self.recorder.state().ledger;
        let op = match self.session.sandbox.price(&self.session).await {
            Price::Free => None,
            Price::Known { kind, amount } => {
                match ledger.reserve(reservation.clone(), kind, amount) {
                    Ok(op) => Some(op),
                    Err(short) => {
                        let reason = format!("starting the sandbox: {short}");
                        return Ok(SandboxState::Waits {
                            estimate: Some(amount),
                            reason,
                        });
                    }
                }
            }
            Price::Unknown(_) if approval == Approval::Granted => Some(LedgerOp::Reserve {
                id: reservation.clone(),
                kind: CostKind::Sandboxes,
                amount: MicroUsd::ZERO,
            }),
            Price::Unknown(reason) => {
                return Ok(SandboxState::Waits {
                    estimate: None,
                    reason,
                });
            }
            Price::Refused(reason) => return Ok(SandboxState::Failed(reason)),
        };
        let mut drafts = vec![sandbox_event("starting", "The sandbox is being started.")];
        if let Some(op) = op.clone() {
            drafts.push(self.recorder.ledger_draft(vec![op]));
        }
        self.record(drafts).await?;
        self.boot_sandbox(reservation, op.is_some()).await
    }

    async fn boot_sandbox(
        &mut self,
        reservation: String,
        is_paid: bool,
    ) -> Result<SandboxState, TurnError> {
        let session = std::sync::Arc::clone(&self.session);
        let response = self.recorder.id().clone();
        // What costs money is announced before it is ready, and recorded as soon as it is known.
        let (announce, announced) = tokio::sync::oneshot::channel();
        let stop = self.stop.token().clone();
        let start = session.sandbox.start(&session, &response, &stop, announce);
        let record_resource = async {
            match announced.await {
                Ok(started) => {
                    let private = Private {
                        resource: Some(resource(started, reservation.clone())),
                        ..Private::default()
                    };
                    let event = Event::Sandbox {
                        state: "started".into(),
                        message: "The sandbox's job exists.".into(),
                    };
                    self.recorder
                        .record(vec![Draft::with(event, private)])
                        .await
                        .map(|()| true)
                }
                Err(_) => Ok(false),
            }
        };
        let (outcome, exists) = tokio::join!(start, record_resource);
        let exists = exists?;
        match outcome {
            Ok(()) => {
                self.record(vec![sandbox_event("ready", "The sandbox is ready.")])
                    .await?;
                Ok(SandboxState::Ready)
            }
            Err(reason) => {
                let reason = self.scrubber.scrub(&reason);
                let mut drafts = vec![sandbox_event("failed", &reason)];
                if is_paid && !exists {
                    let settle = LedgerOp::Settle {
                        id: reservation,
                        amount: MicroUsd::ZERO,
                    };
                    drafts.push(self.recorder.ledger_draft(vec![settle]));
                }
                self.record(drafts).await?;
                Ok(SandboxState::Failed(reason))
            }
        }
    }

    /// Prices each call in order, against what the calls before it leave.
    async fn price(
        &mut self,
        calls: Vec<(CallRecord, Value)>,
        batch: &mut Batch,
        approval: Approval,
    ) {
        let mut ledger: Ledger = self.recorder.state().ledger.clone();
        for (call, arguments) in calls {
            let Some(tool) = self.offered.toolbox.get(&call.name) else {
                continue;
            };
            let id = reservation_id(&call);
            let reserve = match tool.price(&arguments, &self.session).await {
                Price::Free => None,
                Price::Known { kind, amount } => match top_up(&ledger, id, kind, amount) {
                    Ok(op) => op,
                    Err(short) => {
                        batch
                            .waiting
                            .push(pending(&call, Some(amount), &short.to_string()));
                        continue;
                    }
                },
                // Nothing can be held back for it, but what it turns out to cost is counted.
                Price::Unknown(_) if approval == Approval::Granted => Some(LedgerOp::Reserve {
                    id,
                    kind: CostKind::Jobs,
                    amount: MicroUsd::ZERO,
                }),
                Price::Unknown(reason) => {
                    batch.waiting.push(pending(&call, None, &reason));
                    continue;
                }
                Price::Refused(reason) => {
                    batch.refused.push((call, format!("ERROR: {reason}")));
                    continue;
                }
            };
            reserve.iter().for_each(|op| ledger.apply(op));
            batch.ready.push(Ready {
                call,
                arguments,
                reserve,
                adopts: None,
            });
        }
    }
}

enum SandboxState {
    Ready,
    Failed(String),
    Waits {
        estimate: Option<MicroUsd>,
        reason: String,
    },
}

/// Reserves what a call needs beyond what an interrupted attempt at it still holds.
fn top_up(
    ledger: &Ledger,
    id: String,
    kind: CostKind,
    amount: MicroUsd,
) -> Result<Option<LedgerOp>, Shortfall> {
    let held = ledger.reservation(&id).map(|held| held.amount);
    match held {
        Some(held) if held >= amount => Ok(None),
        held => {
            let missing = amount.saturating_sub(held.unwrap_or_default());
            ledger.reserve(id, kind, missing).map(Some)
        }
    }
}

/// The ledger reservation of a call. Item ids are unique; a model's call ids are not.
pub(crate) fn reservation_id(call: &CallRecord) -> String {
    format!("{CALL}{}", call.item_id)
}

fn pending(call: &CallRecord, estimate: Option<MicroUsd>, reason: &str) -> PendingAction {
    PendingAction {
        item_id: Some(call.item_id.clone()),
        tool: call.name.clone(),
        arguments: call.arguments.clone(),
        estimated_cost_usd: estimate,
        reason: reason.to_owned(),
    }
}

fn resource(started: Started, reservation: String) -> Resource {
    let kind = match started.kind {
        StartedKind::Job => ResourceKind::Job,
        StartedKind::Sandbox => ResourceKind::Sandbox,
    };
    let Started {
        id,
        namespace,
        url,
        micro_usd_per_minute,
        ..
    } = started;
    Resource {
        kind,
        id,
        namespace,
        url,
        reservation,
        micro_usd_per_minute,
        started_at: crate::draft::now(),
    }
}

fn sandbox_event(state: &str, message: &str) -> Draft {
    Event::Sandbox {
        state: state.to_owned(),
        message: message.to_owned(),
    }
    .into()
}

pub(crate) fn tool_state(item_id: protocol::ItemId, tool: &str, state: ToolState) -> Draft {
    Event::ToolStateChange {
        item_id,
        tool: tool.to_owned(),
        state,
        job_url: None,
        job_stage: None,
    }
    .into()
}
