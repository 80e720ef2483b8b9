//! For a terminal: lines that stay scroll up, and below them a frame shows what goes on now.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::format::{bar, elapsed, usd};
use super::ink::Ink;
use super::story;
use super::view::{Change, EndedTool, RunningTool, StepState, ToolEnd, View};

/// Log lines shown of each running tool, and of a finished one that failed.
const TAIL: usize = 5;
/// Plan steps shown at once.
const STEPS: usize = 8;
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// The lines that a change leaves in the scrollback. A tool's output is cut at `width` columns; words of
/// the model are left to the terminal to break.
pub fn lines(change: &Change, ink: Ink, width: usize) -> Vec<String> {
    match change {
        Change::ToolEnded(tool) => {
            let mut lines = story::ended_tool(tool, ink);
            lines.extend(folded(tool, ink));
            cut(lines, width)
        }
        Change::TextLine(line) => vec![line.clone()],
        other => story::shared(other, ink),
    }
}

/// The end of a finished tool's log, folded.
fn folded(tool: &EndedTool, ink: Ink) -> Vec<String> {
    let shown = match tool.end {
        ToolEnd::Done => TAIL - 2,
        _ => TAIL,
    };
    let last = tool.tail.iter().skip(tool.tail.len().saturating_sub(shown));
    let mut lines: Vec<_> = last.map(|line| ink.dim(&format!("    {line}"))).collect();
    let hidden = tool.lines.saturating_sub(lines.len());
    if hidden > 0 {
        lines.insert(0, ink.dim(&format!("    … {hidden} lines before")));
    }
    lines
}

fn cut(lines: Vec<String>, width: usize) -> Vec<String> {
    let lines = lines.into_iter();
    lines
        .map(|line| console::truncate_str(&line, width, "…").into_owned())
        .collect()
}

/// What goes on right now, in at most `height` lines of `width` columns. `since` is when this program
/// attached.
pub fn frame(
    view: &View,
    ink: Ink,
    now: Instant,
    since: Instant,
    (height, width): (usize, usize),
) -> Vec<String> {
    let spin = spinner(now.saturating_duration_since(since));
    let mut top = plan(view, ink);
    let mut work: Vec<String> = view
        .tools
        .iter()
        .flat_map(|tool| running(tool, ink, now, spin))
        .collect();
    if let Some(message) = &view.message {
        work.push(message.current_line());
    } else if view.tools.is_empty() && !view.status.is_terminal() && view.pause.is_none() {
        work.push(thinking(view, ink, spin));
    }
    let foot = foot(view, ink, now.saturating_duration_since(since));
    // The foot and the newest work matter most when room is short.
    let room = height.saturating_sub(1);
    work.drain(..work.len().saturating_sub(room));
    top.truncate(room - work.len());
    cut(top.into_iter().chain(work).chain([foot]).collect(), width)
}

fn spinner(time: Duration) -> char {
    SPINNER[(time.as_millis() / 100) as usize % SPINNER.len()]
}

/// The plan, a window of it around the active step if it is long.
fn plan(view: &View, ink: Ink) -> Vec<String> {
    let (done, all) = view.progress();
    if all == 0 {
        return Vec::new();
    }
    let active = view.plan.iter().position(|s| s.state != StepState::Done);
    let first = active
        .unwrap_or(all)
        .saturating_sub(2)
        .min(all.saturating_sub(STEPS));
    let mut lines = vec![ink.bold(&format!("Plan {done}/{all}"))];
    lines.extend(story::plan(view, ink).into_iter().skip(first).take(STEPS));
    lines
}

fn running(tool: &RunningTool, ink: Ink, now: Instant, spin: char) -> Vec<String> {
    let time = elapsed(now.saturating_duration_since(tool.started));
    let mut lines = vec![format!(
        "{} {} {} {} {}",
        ink.warn(&spin.to_string()),
        ink.bold(&tool.name),
        ink.dim(&time),
        tool.about,
        ink.link(tool.job_url.as_deref().unwrap_or(""))
    )];
    let tail = tool.last_lines(TAIL).into_iter();
    lines.extend(tail.map(|line| ink.dim(&format!("  │ {line}"))));
    lines
}

fn thinking(view: &View, ink: Ink, spin: char) -> String {
    let words: Vec<char> = view.thinking.chars().collect();
    let end: String = words[words.len().saturating_sub(80)..].iter().collect();
    let spin = ink.warn(&spin.to_string());
    format!("{spin} {} {}", ink.bold("thinking"), ink.dim(&end))
}

fn foot(view: &View, ink: Ink, time: Duration) -> String {
    let time = ink.dim(&elapsed(time));
    let Some(budget) = view.budget else {
        return format!("{} {time}", view.status.word());
    };
    let bar = bar(20, budget.spent, budget.reserved, budget.cap);
    let reserved = match budget.reserved > 0.0 {
        true => format!(" + {} reserved", usd(budget.reserved)),
        false => String::new(),
    };
    let money = format!("{}{reserved} of {}", usd(budget.spent), usd(budget.cap));
    format!("{} {money}  {time}", ink.dim(&bar))
}

/// Draws on a terminal: clears the last frame, prints what stays, draws the next frame.
#[derive(Debug)]
pub struct Painter<W: Write> {
    out: W,
    drawn: usize,
}

impl<W: Write> Painter<W> {
    pub fn new(out: W) -> Self {
        Self { out, drawn: 0 }
    }

    /// One repaint, written at once. Should a frame line still be too long, the terminal cuts it: a line
    /// that wraps would spoil the count.
    pub fn paint(&mut self, stays: &[String], frame: &[String]) -> io::Result<()> {
        let mut buffer = String::from("\u{1b}[?2026h\r");
        if self.drawn > 0 {
            buffer.push_str(&format!("\u{1b}[{}A", self.drawn));
        }
        buffer.push_str("\u{1b}[J");
        for line in stays {
            buffer.push_str(line);
            buffer.push('\n');
        }
        buffer.push_str("\u{1b}[?7l");
        for line in frame {
            buffer.push_str(line);
            buffer.push('\n');
        }
        buffer.push_str("\u{1b}[?7h\u{1b}[?2026l");
        self.drawn = frame.len();
        self.out.write_all(buffer.as_bytes())?;
        self.out.flush()
    }
}
