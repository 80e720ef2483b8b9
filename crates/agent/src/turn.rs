//! The turn's loop: model step, tool step, until there is nothing more to do, or something stops it.

use crate::dispatch::Approval;
use crate::draft::Draft;
use crate::model_step::ModelStep;
use crate::offered::Offered;
use crate::recorder::{Ending, Recorder};
use crate::relay::Answer;
use crate::scrub::Scrubber;
use crate::state::Decision;
use crate::stop::{Stop, StopReason};
use crate::work::{Agent, Step, TurnError, Work};
use crate::{compaction, guards, offered};
use journal::AppendError;
use protocol::{
    Event, FailureType, IncompleteDetails, IncompleteReason, PendingAction, Response, RunError,
    Status,
};
use std::sync::Arc;
use tools::ToolSession;

/// How often a turn that wants to end with an unfinished plan is told to go on.
const PLAN_REMINDERS: u32 = 2;
/// How often an answer that was cut by its length is asked to be continued.
const LENGTH_REMINDERS: u32 = 3;

/// Why a turn runs now. What there is to go on with, the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It was just submitted.
    Fresh,
    /// A pause was decided.
    Decided,
    /// It was lost in a restart, and its caller is back.
    Resumed,
}

/// Where a turn came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    Terminal,
    AwaitingApproval,
    /// Paused by a shutdown.
    Interrupted,
}

impl Agent {
    /// Runs a turn until it rests. The recorder then holds the session's state.
    ///
    /// # Errors
    /// When the journal no longer takes this turn's events: the log stands as it is, and somebody else (or a later
    /// recovery) goes on from there.
    pub async fn run(
        &self,
        recorder: &mut Recorder,
        session: Arc<ToolSession>,
        start: Start,
        stop: Stop,
    ) -> Result<Rest, AppendError> {
        let model = recorder
            .response()
            .map(|response| response.model.clone())
            .unwrap_or_default();
        let billing_session = recorder
            .response()
            .map(|response| response.session_id.to_string())
            .unwrap_or_default();
        let scrubber = Scrubber::new(&session.token);
        let approved_unknown_prices = recorder.state().decision == Some(Decision::Approved);
        let offered = Offered::new(self.toolbox.clone(), recorder.response());
        let mut work = Work {
            agent: self,
            offered,
            recorder,
            session,
            stop,
            scrubber,
            model,
            billing_session,
            approved_unknown_prices,
            model_calls_started: 0,
        };
        let step = work.steps(start).await?;
        work.rest(step).await
    }
}

impl Work<'_> {
    async fn steps(&mut self, start: Start) -> Result<Step, TurnError> {
        if start == Start::Fresh {
            self.recorder.start(Vec::new()).await?;
        }
        let news = self.settle_earlier_turns().await?;
        let notes = self.connect_mcp().await;
        let step = self.settle_pending().await?;
        if matches!(step, None | Some(Step::Completed)) {
            // Behind the results: no message may stand between a call and its result.
            for (guard, message) in news.into_iter().chain(self.feedback()).chain(notes) {
                self.guard(guard, message).await?;
            }
        }
        if let Some(step) = step {
            return Ok(step);
        }
        if start == Start::Resumed
            && let Some(step) = self.resume_answer().await?
        {
            return Ok(step);
        }
        self.iterate().await
    }

    /// Connects the MCP servers that the session has been given, and offers their tools. What the model should know of
    /// it comes back. After a restart only the echo of the request is left of them: no headers.
    async fn connect_mcp(&mut self) -> Vec<(&'static str, String)> {
        let servers = &self.session.mcp;
        servers.remember(offered::echoed_servers(self.recorder.response()));
        let notes = tokio::select! {
            notes = servers.connect() => notes,
            () = self.stop.token().cancelled() => Vec::new(),
        };
        let clients = |name: &str| self.offered.is_clients(name);
        self.offered.toolbox = self.agent.toolbox.with(servers.tools(), clients);
        notes.into_iter().map(|note| ("mcp", note)).collect()
    }

    async fn iterate(&mut self) -> Result<Step, TurnError> {
        let (mut plan_reminders, mut length_reminders) = (0, 0);
        let mut was_too_long = false;
        loop {
            if let Some(step) = self.before_model_call().await? {
                return Ok(step);
            }
            let answer = match self.model_step().await? {
                ModelStep::Rest(step) => return Ok(step),
                // Shortened once already, and still too long: the newest messages alone do not fit.
                ModelStep::TooLong if was_too_long => return Ok(compaction::still_too_long()),
                ModelStep::TooLong => match self.compact().await? {
                    Some(step) => return Ok(step),
                    None => {
                        was_too_long = true;
                        continue;
                    }
                },
                ModelStep::Answered(answer) => answer,
            };
            was_too_long = false;
            if answer.finish_reason.as_deref() == Some("length") {
                length_reminders += 1;
                if length_reminders > LENGTH_REMINDERS && answer.calls.is_empty() {
                    return Ok(Step::Completed);
                }
                self.answer_was_cut(&answer).await?;
            } else if answer.calls.is_empty() {
                if plan_reminders == PLAN_REMINDERS || !self.remind_of_plan().await? {
                    return Ok(Step::Completed);
                }
                plan_reminders += 1;
            } else {
                (plan_reminders, length_reminders) = (0, 0);
                if let Some(step) = self.dispatch(answer.calls, Approval::Needed).await? {
                    return Ok(step);
                }
            }
        }
    }

    /// Stops, limits and guards, in that order.
    async fn before_model_call(&mut self) -> Result<Option<Step>, TurnError> {
        if self.stop.reason().is_some() {
            return Ok(Some(Step::Stopped));
        }
        let limit = self.agent.settings.max_iterations;
        if self.recorder.state().model_calls >= limit {
            let message =
                format!("The turn was ended after {limit} model calls without a final answer.");
            return Ok(Some(Step::Failed(RunError::new(
                FailureType::IterationLimit,
                message,
            ))));
        }
        if self.is_nearly_full().await
            && let Some(step) = self.compact().await?
        {
            return Ok(Some(step));
        }
        if let Some(warning) = guards::repetition(self.recorder.state().transcript.raw()) {
            self.guard("repetition", warning).await?;
        }
        Ok(None)
    }

    /// Tells a model that wants to end of what its plan still holds; false when there is nothing.
    pub(crate) async fn remind_of_plan(&mut self) -> Result<bool, TurnError> {
        let state = self.recorder.state();
        let reminder = match state.plan_is_current {
            true => guards::unfinished_plan(&state.plan),
            false => None,
        };
        match reminder {
            Some(reminder) => self.guard("unfinished_plan", reminder).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// An answer that ran into the output limit: its calls were not recorded, and the model is told so.
    async fn answer_was_cut(&mut self, answer: &Answer) -> Result<(), TurnError> {
        let drafts = answer
            .calls
            .iter()
            .filter_map(|call| self.dropped_call(call))
            .collect();
        self.record(drafts).await?;
        let names: Vec<&str> = answer.calls.iter().map(|call| call.name.as_str()).collect();
        self.tell_of_cut(&names).await
    }

    /// Tells the model that its answer was cut, and which of its calls that has cost.
    pub(crate) async fn tell_of_cut(&mut self, names: &[&str]) -> Result<(), TurnError> {
        let lost = match names.is_empty() {
            true => "Go on where it ended.".to_owned(),
            false => format!(
                "Its calls ({}) were lost and nothing was executed. Do not send the same amount again: write long files in \
                 several smaller calls.",
                names.join(", ")
            ),
        };
        self.guard(
            "length",
            format!("Your answer was cut at the output limit. {lost}"),
        )
        .await
    }

    /// Closes the item of a call that will never run.
    fn dropped_call(&self, call: &journal::CallRecord) -> Option<Draft> {
        let item = self
            .recorder
            .response()?
            .output
            .get(call.output_index)?
            .clone();
        Some(
            Event::ItemDone {
                output_index: call.output_index,
                item: item.interrupted(),
            }
            .into(),
        )
    }

    pub(crate) async fn guard(&mut self, guard: &str, message: String) -> Result<(), TurnError> {
        self.record(vec![
            Event::Guard {
                guard: guard.to_owned(),
                message,
            }
            .into(),
        ])
        .await
    }

    /// Records how the turn rests.
    async fn rest(&mut self, step: Step) -> Result<Rest, AppendError> {
        if self.stop.reason().is_none() {
            // A stopped turn ends at once and leaves this to the next one.
            self.settle_ended_resources().await?;
            if matches!(step, Step::Completed | Step::Failed(_)) {
                self.gather_artifacts().await?;
            }
        }
        if self.stop.stops_jobs() {
            let session = Arc::clone(&self.session);
            self.recorder.stop_jobs(&session).await?;
        }
        self.accrue_running_resources().await?;
        let ending = match (step, self.stop.reason()) {
            (Step::Paused(pending), None) => return self.pause(pending).await,
            (Step::Paused(_) | Step::Stopped, Some(StopReason::Shutdown)) => Ending::Interrupted,
            // Also at the very end: the caller's 200 promised a cancelled response.
            (Step::Paused(_) | Step::Stopped, _)
            | (Step::Completed, Some(StopReason::Cancelled)) => Ending::Cancelled,
            (Step::Completed, _) => Ending::Completed,
            (Step::Failed(error), _) => {
                let message = self.scrubber.scrub(&error.message);
                Ending::Failed(RunError { message, ..error })
            }
        };
        let rest = if ending == Ending::Interrupted {
            Rest::Interrupted
        } else {
            Rest::Terminal
        };
        self.recorder.end(ending).await?;
        Ok(rest)
    }

    async fn pause(&mut self, pending: Vec<PendingAction>) -> Result<Rest, AppendError> {
        let budget = self.recorder.state().ledger.budget();
        let waiting = pending.clone();
        let change = |response: &mut Response| {
            response.status = Status::Incomplete;
            let reason = IncompleteReason::ApprovalRequired;
            response.incomplete_details = Some(IncompleteDetails { reason });
            response.pending_approval = Some(waiting);
        };
        let event = |response| Event::ApprovalRequired {
            response,
            pending_actions: pending,
            budget,
        };
        self.recorder
            .record_with_snapshot(Vec::new(), change, event)
            .await?;
        Ok(Rest::AwaitingApproval)
    }
}
