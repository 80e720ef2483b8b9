//! The lines that stay: what a change says for good, in both renderers.

use super::format::{elapsed, usd};
use super::ink::Ink;
use super::view::{Change, EndedTool, Pause, StepState, ToolEnd, View};
use crate::client::{Artifact, PendingAction, Snapshot, Status};

/// `hf_job  66f0…  https://…`
pub fn artifact(artifact: &Artifact, ink: Ink) -> String {
    format!(
        "{} {} {}  {}",
        ink.good("◆"),
        ink.bold(&artifact.kind),
        artifact.name,
        ink.link(&artifact.url)
    )
}

/// `✓ bash 0.3s wc -l train.csv`, and what went wrong in a line of its own.
pub fn ended_tool(tool: &EndedTool, ink: Ink) -> Vec<String> {
    let mark = match &tool.end {
        ToolEnd::Done => ink.good("✓"),
        ToolEnd::Failed(_) => ink.bad("✗"),
        ToolEnd::Stopped => ink.warn("■"),
    };
    let (name, time) = (ink.bold(&tool.name), ink.dim(&elapsed(tool.took)));
    let line = format!("{mark} {name} {time} {}", tool.about);
    let mut lines = vec![line.trim_end().to_owned()];
    match &tool.end {
        ToolEnd::Failed(words) if !words.is_empty() => {
            lines.push(format!("    {}", ink.bad(words)));
        }
        ToolEnd::Stopped => lines.push(format!("    {}", ink.warn("stopped"))),
        ToolEnd::Failed(_) | ToolEnd::Done => {}
    }
    lines
}

/// The plan as a checklist, indented.
pub fn plan(view: &View, ink: Ink) -> Vec<String> {
    let steps = view.plan.iter().map(|step| match step.state {
        StepState::Done => format!("  {} {}", ink.good("[x]"), ink.dim(&step.text)),
        StepState::Active => format!("  {} {}", ink.warn("[>]"), ink.bold(&step.text)),
        StepState::Pending => format!("  [ ] {}", step.text),
    });
    steps.collect()
}

/// Why the run waits, and the commands that make it go on.
pub fn pause(view: &View, id: &str, server: Option<&str>, ink: Ink) -> Vec<String> {
    let mut lines = match &view.pause {
        Some(Pause::ServerRestart) => {
            vec![ink.warn("Paused: the server restarted in the middle of the turn.")]
        }
        _ => vec![ink.warn("Paused: an action needs your approval.")],
    };
    let Some(Pause::Approval(pending)) = &view.pause else {
        lines.push(format!(
            "  go on:    {}",
            command(&format!("resume {id}"), server)
        ));
        return lines;
    };
    lines.extend(
        pending
            .iter()
            .flat_map(|action| pending_action(action, ink)),
    );
    if let Some(budget) = view.budget {
        let (spent, cap) = (usd(budget.spent + budget.reserved), usd(budget.cap));
        lines.push(format!("  spent or reserved {spent} of {cap}"));
    }
    let raise = " --max-cost-usd NEW_CAP";
    lines.push(format!(
        "  approve:  {}",
        command(&format!("approve {id}{raise}"), server)
    ));
    lines.push(format!(
        "  deny:     {}",
        command(&format!("deny {id} --feedback \"…\""), server)
    ));
    lines
}

fn pending_action(action: &PendingAction, ink: Ink) -> Vec<String> {
    let about = super::describe::call(&action.tool, &action.arguments);
    let cost = action.estimated_cost.map_or_else(
        || "cost unknown".to_owned(),
        |cost| format!("about {}", usd(cost)),
    );
    let mut lines = vec![format!("  {} {about}  ({cost})", ink.bold(&action.tool))];
    if !action.reason.is_empty() {
        lines.push(format!("    {}", action.reason));
    }
    lines
}

/// `ml-intern WORDS`, with the server if it is not the default one.
pub fn command(words: &str, server: Option<&str>) -> String {
    match server {
        Some(server) => format!("ml-intern {words} --server {server}"),
        None => format!("ml-intern {words}"),
    }
}

/// The end of a run: how it ended, what it cost, what it left.
pub fn ending(snapshot: &Snapshot, ink: Ink) -> Vec<String> {
    let word = match snapshot.status() {
        Status::Completed => ink.good("completed"),
        Status::Failed => ink.bad("failed"),
        other => ink.warn(other.word()),
    };
    let mut facts = vec![ink.bold(&snapshot.id()), word];
    facts.extend(
        snapshot
            .duration()
            .map(|s| elapsed(std::time::Duration::from_secs_f64(s.min(1e9)))),
    );
    facts.extend(snapshot.cost().map(usd));
    facts.extend(
        snapshot
            .tokens()
            .map(|(i, o)| ink.dim(&format!("{i} tokens in, {o} out"))),
    );
    let mut lines = vec![facts.join("  ")];
    lines.extend(
        snapshot
            .error()
            .map(|error| format!("  {}", ink.bad(&error))),
    );
    lines.extend(
        snapshot
            .artifacts()
            .iter()
            .map(|a| format!("  {}", artifact(a, ink))),
    );
    lines
}

/// Lines of a change that both renderers print alike.
pub fn shared(change: &Change, ink: Ink) -> Vec<String> {
    match change {
        Change::ToolEnded(tool) => ended_tool(tool, ink),
        Change::Artifact(it) => vec![artifact(it, ink)],
        Change::Note(words) => vec![ink.dim(&format!("· {words}"))],
        _ => Vec::new(),
    }
}
