//! For pipes, files and CI logs: plain lines as things happen, no escape codes.

use super::ink::Ink;
use super::story;
use super::view::{Change, RunningTool, View};

/// The lines that a change adds.
pub fn lines(change: &Change, view: &View) -> Vec<String> {
    let ink = Ink::NONE;
    match change {
        Change::Started => vec![format!("model {}", view.model)],
        Change::Plan => {
            let (done, all) = view.progress();
            let mut lines = vec![format!("plan {done}/{all}")];
            lines.extend(story::plan(view, ink));
            lines
        }
        Change::ToolStarted { id } => tool(view, id)
            .map(|tool| format!("> {} {}", tool.name, tool.about))
            .into_iter()
            .collect(),
        Change::ToolLine { id, line } => {
            let name = tool(view, id).map_or("tool", |tool| &tool.name);
            vec![format!("  {name} | {line}")]
        }
        Change::TextLine(line) => vec![line.clone()],
        other => story::shared(other, ink),
    }
}

fn tool<'a>(view: &'a View, id: &str) -> Option<&'a RunningTool> {
    view.tools.iter().find(|tool| tool.id == id)
}
