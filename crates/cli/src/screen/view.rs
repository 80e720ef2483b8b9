//! What a run looks like right now: a fold of its events, and what each event changed.
//!
//! Pure: no clock (the caller says when), no terminal. Every string in a [`View`] or a [`Change`] is
//! clean. Only what is needed to draw is kept, so the size does not grow with the log.

mod message;
mod tool;

use std::time::Instant;

use serde_json::Value;

use crate::clean;
use crate::client::{Artifact, Boundary, Budget, Event, PendingAction, Snapshot, Status};

pub use message::OpenMessage;
pub use tool::{EndedTool, RunningTool, ToolEnd};

/// The most plan steps, artifacts and running tools that are kept.
const MAX_LISTED: usize = 200;

/// A step of the agent's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    pub text: String,
    pub state: StepState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Pending,
    Active,
    Done,
}

/// The model calls so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Inference {
    pub calls: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// Why a run waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Pause {
    Approval(Vec<PendingAction>),
    ServerRestart,
}

/// What one event changed, for those who print as things happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Started,
    Plan,
    ToolStarted {
        id: String,
    },
    ToolLine {
        id: String,
        line: String,
    },
    ToolEnded(EndedTool),
    /// A complete line of the model's text.
    TextLine(String),
    TextEnded,
    Artifact(Artifact),
    Budget,
    Note(String),
    Paused,
    Resumed,
    Ended,
}

/// The state of a run as its events tell it.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub status: Status,
    pub model: String,
    pub plan: Vec<PlanStep>,
    /// In the order in which they started.
    pub tools: Vec<RunningTool>,
    pub message: Option<OpenMessage>,
    /// The item whose text was streamed last.
    spoken: String,
    /// The end of what the model thinks at the moment; empty when it does not.
    pub thinking: String,
    pub budget: Option<Budget>,
    pub artifacts: Vec<Artifact>,
    pub inference: Inference,
    pub pause: Option<Pause>,
    /// The response object of the last event that carried one.
    pub snapshot: Snapshot,
    pub last_seq: Option<u64>,
}

impl View {
    /// Folds one event in. `now` is when it arrived: start times are local, events carry none.
    pub fn apply(&mut self, event: &Event, now: Instant) -> Vec<Change> {
        self.last_seq = Some(event.seq);
        if event.data["response"].is_object() {
            self.take_snapshot(&event.data["response"]);
        }
        if event.boundary() == Boundary::Terminal {
            return self.end(now);
        }
        let name = event.kind.strip_prefix("response.").unwrap_or("");
        match name {
            "created" => vec![Change::Started],
            "plan_update" => self.replan(&event.data["plan"]),
            "output_item.added" => self.item_added(&event.data, now),
            "output_item.done" => self.item_done(&event.data, now),
            "output_text.delta" | "output_text.done" => self.text(name, event),
            "reasoning_summary_text.delta" => self.think(event.text("delta")),
            "mcp_call.in_progress" => self.call_runs(event.text("item_id"), now),
            "mcp_call_arguments.done" => self.call_arguments(event),
            "tool_log" => self.tool_log(event),
            "tool_state_change" => self.tool_state(event, now),
            "artifact.created" => self.artifact(&event.data["artifact"]),
            "budget_update" => self.money(&event.data["budget"]),
            "llm_call" => self.llm_call(&event.data),
            "llm_retry" => retry(event),
            "sandbox" => sandbox(event),
            "compacted" => vec![Change::Note("the conversation was compacted".to_owned())],
            "approval_required" => self.await_approval(&event.data),
            "incomplete" => self.restarted(),
            "approval_decided" => self.decided(&event.data),
            "resumed" => self.resume(),
            _ => Vec::new(),
        }
    }

    /// Plan steps done, and all of them.
    pub fn progress(&self) -> (usize, usize) {
        let done = self.plan.iter().filter(|s| s.state == StepState::Done);
        (done.count(), self.plan.len())
    }

    fn take_snapshot(&mut self, response: &Value) {
        self.snapshot = Snapshot::new(response.clone());
        self.status = self.snapshot.status();
        self.model = self.snapshot.model();
        self.budget = self.snapshot.budget().or(self.budget);
    }

    fn replan(&mut self, plan: &Value) -> Vec<Change> {
        let steps = plan.as_array().into_iter().flatten().take(MAX_LISTED);
        self.plan = steps.map(plan_step).collect();
        vec![Change::Plan]
    }

    fn artifact(&mut self, value: &Value) -> Vec<Change> {
        let artifact = Artifact::read(value);
        if self.artifacts.contains(&artifact) || self.artifacts.len() >= MAX_LISTED {
            return Vec::new();
        }
        self.artifacts.push(artifact.clone());
        vec![Change::Artifact(artifact)]
    }

    fn money(&mut self, budget: &Value) -> Vec<Change> {
        match Budget::read(budget) {
            Some(budget) if self.budget != Some(budget) => {
                self.budget = Some(budget);
                vec![Change::Budget]
            }
            _ => Vec::new(),
        }
    }

    fn llm_call(&mut self, data: &Value) -> Vec<Change> {
        let count = |field: &str| data[field].as_u64().unwrap_or(0);
        self.inference.calls += 1;
        self.inference.input_tokens += count("input_tokens");
        self.inference.output_tokens += count("output_tokens");
        Vec::new()
    }

    fn await_approval(&mut self, data: &Value) -> Vec<Change> {
        let pending = data["pending_actions"].as_array().into_iter().flatten();
        let pending = pending.take(MAX_LISTED).map(PendingAction::read).collect();
        self.pause = Some(Pause::Approval(pending));
        self.budget = Budget::read(&data["budget"]).or(self.budget);
        self.status = Status::Incomplete;
        vec![Change::Paused]
    }

    fn restarted(&mut self) -> Vec<Change> {
        self.pause = Some(match self.snapshot.pause_reason().as_str() {
            "approval_required" => Pause::Approval(self.snapshot.pending()),
            _ => Pause::ServerRestart,
        });
        self.status = Status::Incomplete;
        self.tools.clear();
        vec![Change::Paused]
    }

    fn decided(&mut self, data: &Value) -> Vec<Change> {
        let verdict = match data["approve"].as_bool() {
            Some(true) => "approved",
            _ => "denied",
        };
        let feedback = clean::short(data["feedback"].as_str().unwrap_or(""), 200);
        let note = match feedback.as_str() {
            "" => verdict.to_owned(),
            words => format!("{verdict}: {words}"),
        };
        self.budget = Budget::read(&data["budget"]).or(self.budget);
        let mut changes = self.resume();
        changes.push(Change::Note(note));
        changes
    }

    fn resume(&mut self) -> Vec<Change> {
        self.pause = None;
        self.status = Status::InProgress;
        vec![Change::Resumed]
    }

    fn end(&mut self, now: Instant) -> Vec<Change> {
        let mut changes = self.close_message();
        changes.extend(self.drop_tools(now));
        self.thinking.clear();
        self.pause = None;
        changes.push(Change::Ended);
        changes
    }
}

fn retry(event: &Event) -> Vec<Change> {
    let reason = clean::short(event.text("reason"), 200);
    vec![Change::Note(format!(
        "the model call failed ({reason}), trying again"
    ))]
}

fn sandbox(event: &Event) -> Vec<Change> {
    let note = match clean::short(event.text("message"), 200) {
        words if words.is_empty() => format!("sandbox {}", clean::short(event.text("state"), 60)),
        words => words,
    };
    vec![Change::Note(note)]
}

fn plan_step(value: &Value) -> PlanStep {
    PlanStep {
        text: clean::short(value["content"].as_str().unwrap_or(""), 160),
        state: match value["status"].as_str() {
            Some("completed") => StepState::Done,
            Some("in_progress") => StepState::Active,
            _ => StepState::Pending,
        },
    }
}
