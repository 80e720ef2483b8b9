//! Running calls in parallel, each isolated, and recording what they report.

use super::{Ready, reservation_id, resource, tool_state};
use crate::draft::{Draft, now};
use crate::scrub::StreamScrubber;
use crate::state::CALL;
use crate::stop::StopReason;
use crate::work::{TurnError, Work};
use journal::{CallRecord, LedgerOp, Private, ToolResult};
use protocol::{
    Artifact, CallError, Event, ItemId, ItemStatus, MicroUsd, OutputItem, ToolState, cut_output,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tools::{Call, Outcome, Report, Settlement, StartedKind};

/// Reports that may wait for the journal; a tool that reports faster waits.
const REPORTS: usize = 256;
/// How long calls may take to end by themselves once the turn is stopped.
const STOP_GRACE: Duration = Duration::from_millis(1200);
/// Longest piece of a log in one event.
const LOG_PIECE: usize = 32 * 1024;

/// The calls of a batch that run.
struct Running {
    tasks: JoinSet<Outcome>,
    calls: HashMap<Id, CallRecord>,
    /// By the key that reports carry.
    logs: HashMap<String, Log>,
}

struct Log {
    item_id: ItemId,
    tool: String,
    scrubber: StreamScrubber,
}

impl Work<'_> {
    /// Records the intents, runs the calls, and records each result as it comes.
    pub(super) async fn run_all(&mut self, ready: Vec<Ready>) -> Result<(), TurnError> {
        if ready.is_empty() || self.stop.reason().is_some() {
            return Ok(());
        }
        self.record_intents(&ready).await?;
        let (reports, mut inbox) = mpsc::channel(REPORTS);
        let mut running = self.spawn_all(ready, &reports);
        drop(reports);
        let stop = self.stop.token().clone();
        let mut kill_at: Option<Instant> = None;
        let mut waiting = Vec::new();
        while !running.calls.is_empty() {
            tokio::select! {
                biased;
                count = inbox.recv_many(&mut waiting, REPORTS), if !inbox.is_closed() || !inbox.is_empty() => {
                    if count > 0 {
                        self.record_reports(&mut running, std::mem::take(&mut waiting)).await?;
                    }
                }
                Some(ended) = running.tasks.join_next_with_id() => {
                    // What the call reported before it ended comes before its result.
                    while let Ok(report) = inbox.try_recv() {
                        waiting.push(report);
                    }
                    self.record_reports(&mut running, std::mem::take(&mut waiting)).await?;
                    self.record_ended(&mut running, ended).await?;
                }
                () = stop.cancelled(), if kill_at.is_none() => kill_at = Some(Instant::now() + STOP_GRACE),
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    running.tasks.abort_all();
                    kill_at = Some(Instant::now() + STOP_GRACE);
                }
            }
        }
        Ok(())
    }

    async fn record_intents(&mut self, ready: &[Ready]) -> Result<(), TurnError> {
        let mut drafts = Vec::new();
        let reserve: Vec<LedgerOp> = ready
            .iter()
            .filter_map(|ready| ready.reserve.clone())
            .collect();
        if !reserve.is_empty() {
            drafts.push(self.recorder.ledger_draft(reserve));
        }
        for Ready { call, .. } in ready.iter().filter(|ready| ready.adopts.is_none()) {
            let (item_id, output_index) = (call.item_id.clone(), call.output_index);
            drafts.push(tool_state(item_id.clone(), &call.name, ToolState::Running));
            drafts.push(
                Event::CallInProgress {
                    item_id,
                    output_index,
                }
                .into(),
            );
        }
        self.record(drafts).await
    }

    fn spawn_all(&self, ready: Vec<Ready>, reports: &mpsc::Sender<(String, Report)>) -> Running {
        let mut running = Running {
            tasks: JoinSet::new(),
            calls: HashMap::new(),
            logs: HashMap::new(),
        };
        for Ready {
            call,
            arguments,
            adopts,
            ..
        } in ready
        {
            let Some(tool) = self.offered.toolbox.get(&call.name) else {
                continue;
            };
            let key = call.item_id.to_string();
            let running_call = Call {
                id: key.clone(),
                response: self.recorder.id().clone(),
                session: Arc::clone(&self.session),
                reports: reports.clone(),
                cancel: self.stop.token().child_token(),
            };
            let body = match adopts {
                Some(job) => tool.adopt(arguments, running_call, job),
                None => tool.call(arguments, running_call),
            };
            let log = Log {
                item_id: call.item_id.clone(),
                tool: call.name.clone(),
                scrubber: self.scrubber.stream(),
            };
            running.logs.insert(key, log);
            let task = running.tasks.spawn(body);
            running.calls.insert(task.id(), call);
        }
        running
    }

    async fn record_reports(
        &mut self,
        running: &mut Running,
        reports: Vec<(String, Report)>,
    ) -> Result<(), TurnError> {
        let mut drafts = Vec::with_capacity(reports.len());
        for (key, report) in reports {
            if let Some(log) = running.logs.get_mut(&key) {
                report_draft(log, &key, report, &mut drafts);
            }
        }
        self.record(drafts).await
    }

    async fn record_ended(
        &mut self,
        running: &mut Running,
        ended: Result<(Id, Outcome), JoinError>,
    ) -> Result<(), TurnError> {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => {
                tracing::error!(response = %self.recorder.id(), "a tool panicked");
                (
                    error.id(),
                    Outcome::failed(
                        "ERROR: the tool failed inside; nothing is known about its effect.",
                    ),
                )
            }
            // Aborted: what it started may go on.
            Err(error) => {
                let text = "Cancelled before it ended.";
                (
                    error.id(),
                    Outcome::failed(text).settled(Settlement::StillRunning),
                )
            }
        };
        let Some(call) = running.calls.remove(&id) else {
            return Ok(());
        };
        if let Some(mut log) = running.logs.remove(call.item_id.as_str()) {
            let held = log.scrubber.finish();
            let mut drafts = Vec::new();
            push_log(&log, held, &mut drafts);
            self.record(drafts).await?;
        }
        if self.stop.reason() == Some(StopReason::Shutdown) && !outcome.ok {
            // It stays pending, and the turn goes on with it when it is resumed.
            let state = ToolState::Interrupted;
            let draft = tool_state(call.item_id.clone(), &call.name, state);
            return self.record(vec![draft]).await;
        }
        if self.stop.reason().is_some() {
            self.record(vec![tool_state(
                call.item_id.clone(),
                &call.name,
                ToolState::Cancelled,
            )])
            .await?;
        }
        self.finish_call(&call, outcome).await
    }

    /// Records a call's one result: its item done, its settlement, and what the model will see.
    pub(crate) async fn finish_call(
        &mut self,
        call: &CallRecord,
        outcome: Outcome,
    ) -> Result<(), TurnError> {
        let text = self.scrubber.scrub(&outcome.text);
        let (item_id, output_index) = (call.item_id.clone(), call.output_index);
        let is_stopped = self.stop.reason().is_some() && !outcome.ok;
        let ended = match outcome.ok {
            true => Event::CallCompleted {
                item_id,
                output_index,
            },
            false => Event::CallFailed {
                item_id,
                output_index,
            },
        };
        let begun = self.offered.toolbox.item(call.item_id.clone(), &call.name);
        let item = done_item(begun, call, &text, outcome.ok, is_stopped);
        let (settle, released) = self.settlement(call, &outcome);
        let result = ToolResult {
            call_id: call.call_id.clone(),
            name: call.name.clone(),
            text,
        };
        let private = Private {
            result: Some(result),
            released,
            ..Private::default()
        };
        let mut drafts = vec![
            ended.into(),
            Draft::with(Event::ItemDone { output_index, item }, private),
        ];
        if let Some(op) = settle {
            drafts.push(self.recorder.ledger_draft(vec![op]));
        }
        self.record(drafts).await
    }

    /// How the call's reservation ends, and which resource ends with it.
    fn settlement(
        &self,
        call: &CallRecord,
        outcome: &Outcome,
    ) -> (Option<LedgerOp>, Option<String>) {
        let reservation = reservation_id(call);
        let state = self.recorder.state();
        let resource = state
            .resources
            .values()
            .find(|resource| resource.reservation == reservation);
        match outcome.settlement {
            Settlement::Spent(amount) => {
                let released = resource.map(|resource| resource.id.clone());
                (state.ledger.settle(&reservation, amount), released)
            }
            Settlement::StillRunning if resource.is_some() => (None, None),
            // Nothing was seen to start. A free call has no reservation; a paid one keeps it, since it may have started.
            Settlement::StillRunning => {
                let is_free = state
                    .ledger
                    .reservation(&reservation)
                    .is_none_or(|held| held.amount == MicroUsd::ZERO);
                (
                    if is_free {
                        state.ledger.settle(&reservation, MicroUsd::ZERO)
                    } else {
                        None
                    },
                    None,
                )
            }
        }
    }
}

fn report_draft(log: &mut Log, key: &str, report: Report, drafts: &mut Vec<Draft>) {
    let (item_id, tool) = (log.item_id.clone(), log.tool.clone());
    match report {
        Report::Log(piece) => {
            let safe = log.scrubber.push(&piece);
            push_log(log, safe, drafts);
        }
        Report::Plan(plan) => drafts.push(Event::PlanUpdate { plan }.into()),
        Report::Artifact(artifact) => drafts.push(Event::ArtifactCreated { artifact }.into()),
        Report::Started(started) => {
            let job_url = Some(started.url.clone());
            let event = Event::ToolStateChange {
                item_id,
                tool,
                state: ToolState::Running,
                job_url,
                job_stage: None,
            };
            let artifact = (started.kind == StartedKind::Job).then(|| Artifact::HfJob {
                id: started.id.clone(),
                url: started.url.clone(),
                created_at: now(),
            });
            let resource = resource(started, format!("{CALL}{key}"));
            drafts.push(Draft::with(
                event,
                Private {
                    resource: Some(resource),
                    ..Private::default()
                },
            ));
            // In the same append: no crash comes between a job and its artifact.
            drafts.extend(artifact.map(|artifact| Event::ArtifactCreated { artifact }.into()));
        }
        Report::JobStage { url, stage } => {
            let (job_url, job_stage) = (Some(url), Some(stage));
            let state = ToolState::Running;
            drafts.push(
                Event::ToolStateChange {
                    item_id,
                    tool,
                    state,
                    job_url,
                    job_stage,
                }
                .into(),
            );
        }
    }
}

/// Adds a piece of log, joined to the piece before it when both wait in the same append.
fn push_log(log: &Log, piece: String, drafts: &mut Vec<Draft>) {
    if piece.is_empty() {
        return;
    }
    match drafts.last_mut().map(|draft| &mut draft.event) {
        Some(Event::ToolLog { item_id, delta, .. })
            if *item_id == log.item_id && delta.len() < LOG_PIECE =>
        {
            delta.push_str(&piece);
        }
        _ => {
            let (item_id, tool) = (log.item_id.clone(), log.tool.clone());
            drafts.push(
                Event::ToolLog {
                    item_id,
                    tool,
                    delta: piece,
                }
                .into(),
            );
        }
    }
}

fn done_item(
    mut item: OutputItem,
    call: &CallRecord,
    text: &str,
    ok: bool,
    is_stopped: bool,
) -> OutputItem {
    let (output, full_size) = cut_output(text);
    let reason = || {
        text.lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("failed")
    };
    let error = (!ok).then(|| CallError::told(reason().chars().take(300).collect()));
    let status = match (ok, is_stopped) {
        (true, _) => ItemStatus::Completed,
        (false, true) => ItemStatus::Incomplete,
        (false, false) => ItemStatus::Failed,
    };
    if let OutputItem::McpCall {
        status: item_status,
        arguments,
        output: item_output,
        error: item_error,
        truncated,
        full_size: item_size,
        ..
    } = &mut item
    {
        *item_status = status;
        arguments.clone_from(&call.arguments);
        *item_output = Some(output);
        *item_error = error;
        *truncated = full_size.map(|_| true);
        *item_size = full_size;
    }
    item
}
