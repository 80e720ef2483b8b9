//! Going on with what a log leaves open: calls without a result, after a decision or a restart, and an answer after which
//! nothing was recorded.
//!
//! A call that had begun is settled by what may happen twice: a reading is repeated; a job is looked up, and its call goes
//! on with it; what can neither be repeated nor looked up is answered with just that. Whatever had not begun is dispatched
//! as if it came from the model now.

use crate::dispatch::{Approval, Ready, reservation_id, tool_state};
use crate::draft::Draft;
use crate::state::{Decision, FEEDBACK};
use crate::work::{Step, TurnError, Work};
use journal::CallRecord;
use platform::ChatMessage;
use protocol::ToolState;
use serde_json::Value;
use tools::{Adopted, EffectClass, Outcome, Settlement};

const DENIED: &str = "DENIED: the caller did not approve this action, and it was not executed.";

/// What is to be done about a pending call.
enum Fate {
    /// It has not happened, or may happen again.
    Run,
    /// Its job exists.
    Adopt { arguments: Value, job: Adopted },
    /// It may have happened, and nobody can tell.
    Unknown,
}

impl Work<'_> {
    /// Gives every pending call its result, but for those that the client is to run, or leaves the turn for a decision.
    pub(crate) async fn settle_pending(&mut self) -> Result<Option<Step>, TurnError> {
        let state = self.recorder.state();
        let decision = state.decision.clone();
        let (handed_over, pending) = state.split_handed_over(state.pending.clone());
        let rest = (!handed_over.is_empty()).then_some(Step::Completed);
        if let Some(Decision::Denied { feedback }) = decision {
            self.deny(pending, feedback.as_deref()).await?;
            return Ok(rest);
        }
        if self.stop.reason().is_some() {
            return Ok(Some(Step::Stopped));
        }
        let (mut to_run, mut under_way) = (Vec::new(), Vec::new());
        for call in pending {
            match self.fate(&call) {
                Fate::Run => to_run.push(call),
                Fate::Adopt { arguments, job } => under_way.push(Ready {
                    call,
                    arguments,
                    reserve: None,
                    adopts: Some(job),
                }),
                Fate::Unknown => self.effect_unknown(&call).await?,
            }
        }
        if to_run.is_empty() && under_way.is_empty() {
            return Ok(rest);
        }
        let approval = match decision {
            Some(Decision::Approved) => Approval::Granted,
            _ => Approval::Needed,
        };
        let step = self.dispatch_with(to_run, approval, under_way).await?;
        Ok(step.or(rest))
    }

    fn fate(&self, call: &CallRecord) -> Fate {
        let state = self.recorder.state();
        let Some(lines) = state.begun.get(&call.item_id) else {
            return Fate::Run;
        };
        let tool = self.offered.toolbox.get(&call.name);
        let arguments = self.offered.toolbox.check(&call.name, &call.arguments);
        let (Some(tool), Ok(arguments)) = (tool, arguments) else {
            return Fate::Unknown;
        };
        if tool.effect(&arguments) != EffectClass::Once {
            return Fate::Run;
        }
        if !tool.starts_job(&arguments) {
            return Fate::Unknown;
        }
        let reservation = reservation_id(call);
        let mut resources = state.resources.values();
        match resources.find(|resource| resource.reservation == reservation) {
            Some(resource) => Fate::Adopt {
                arguments,
                job: Adopted {
                    id: resource.id.clone(),
                    namespace: resource.namespace.clone(),
                    url: resource.url.clone(),
                    micro_usd_per_minute: resource.micro_usd_per_minute,
                    lines: *lines,
                },
            },
            // Looked up by now, and neither found nor freed.
            None if state.ledger.reservation(&reservation).is_some() => Fate::Unknown,
            None => Fate::Run,
        }
    }

    async fn effect_unknown(&mut self, call: &CallRecord) -> Result<(), TurnError> {
        let needs_sandbox = self
            .offered
            .toolbox
            .check(&call.name, &call.arguments)
            .ok()
            .zip(self.offered.toolbox.get(&call.name))
            .is_some_and(|(arguments, tool)| tool.needs_sandbox(&arguments));
        let place = if needs_sandbox && !self.session.sandbox.is_running().await {
            " The sandbox it ran in is lost with its files; the next call that needs one gets a new, empty one."
        } else {
            " Find out before you do it again."
        };
        let text = format!(
            "INTERRUPTED: the server was restarted while this ran. What of it has happened is not known.{place}"
        );
        let item_id = call.item_id.clone();
        let draft = tool_state(item_id, &call.name, ToolState::Interrupted);
        self.record(vec![draft]).await?;
        let outcome = Outcome::failed(text).settled(Settlement::StillRunning);
        self.finish_call(call, outcome).await
    }

    /// Answers every pending call as denied.
    async fn deny(
        &mut self,
        pending: Vec<CallRecord>,
        feedback: Option<&str>,
    ) -> Result<(), TurnError> {
        let feedback = feedback
            .map(|text| format!(" Feedback: {text}"))
            .unwrap_or_default();
        for call in pending {
            let item_id = call.item_id.clone();
            let state = ToolState::Rejected;
            self.record(vec![tool_state(item_id, &call.name, state)])
                .await?;
            let outcome = Outcome::failed(format!("{DENIED}{feedback}"));
            self.finish_call(&call, outcome).await?;
        }
        Ok(())
    }

    /// What callers have said with their decisions and no result tells, as a message to the model.
    pub(crate) fn feedback(&self) -> Option<(&'static str, String)> {
        let feedback = &self.recorder.state().feedback;
        (!feedback.is_empty()).then(|| (FEEDBACK, feedback.join("\n")))
    }

    /// Goes on behind a last model answer without calls, as the lost turn would have.
    pub(crate) async fn resume_answer(&mut self) -> Result<Option<Step>, TurnError> {
        let state = self.recorder.state();
        let is_last = matches!(
            state.transcript.raw().last(),
            Some(ChatMessage::Assistant { calls, .. }) if calls.is_empty()
        );
        let was_cut = state.finish_reason.as_deref() == Some("length");
        if !is_last || state.model_calls == 0 {
            return Ok(None);
        }
        if was_cut {
            return self.tell_of_cut(&[]).await.map(|()| None);
        }
        let goes_on = self.remind_of_plan().await?;
        Ok((!goes_on).then_some(Step::Completed))
    }
}

impl crate::Recorder {
    /// Records that an interrupted response goes on; the turn is then started with [`crate::Start::Resumed`].
    ///
    /// # Errors
    /// As [`crate::Recorder::record`].
    pub async fn go_on(&mut self) -> Result<(), journal::AppendError> {
        let resumed = Draft::from(protocol::Event::Resumed {});
        self.start(vec![resumed]).await
    }
}
