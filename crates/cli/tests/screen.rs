//! What events do to the view, and what the renderers make of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use ml_intern::client::{Event, Status};
use ml_intern::screen::ink::Ink;
use ml_intern::screen::live::{self, Painter};
use ml_intern::screen::view::{Change, Pause, StepState, ToolEnd, View};
use ml_intern::screen::{plain, story};
use serde_json::{Value, json};

/// Folds events that come one second apart; the view, and all changes.
fn fold(events: &[Value]) -> (View, Vec<Change>) {
    let (mut view, mut changes, start) = (View::default(), Vec::new(), Instant::now());
    for (seq, event) in events.iter().enumerate() {
        changes.extend(view.apply(
            &numbered(event, seq),
            start + Duration::from_secs(seq as u64),
        ));
    }
    (view, changes)
}

fn numbered(event: &Value, seq: usize) -> Event {
    let mut event = event.clone();
    event["sequence_number"] = json!(seq);
    Event::parse(event.to_string()).unwrap()
}

fn added(id: &str, tool: &str, arguments: &str) -> Value {
    json!({"type": "response.output_item.added", "output_index": 0,
        "item": {"type": "mcp_call", "id": id, "name": tool, "arguments": arguments}})
}

fn done(id: &str, status: &str, error: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": 0,
        "item": {"type": "mcp_call", "id": id, "status": status, "error": error}})
}

fn log(id: &str, delta: &str) -> Value {
    json!({"type": "response.tool_log", "item_id": id, "tool": "bash", "delta": delta})
}

fn says(item: &str, delta: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": item, "delta": delta})
}

fn text_lines(changes: &[Change]) -> Vec<&str> {
    let lines = changes.iter().filter_map(|change| match change {
        Change::TextLine(line) => Some(line.as_str()),
        _ => None,
    });
    lines.collect()
}

#[test]
fn text_streams_line_by_line_and_comes_once() {
    let part_done =
        json!({"type": "response.output_text.done", "item_id": "m", "text": "one\ntwo"});
    let item_done = json!({"type": "response.output_item.done",
        "item": {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "one\ntwo"}]}});
    for (name, events) in [
        (
            "streamed",
            vec![
                says("m", "on"),
                says("m", "e\ntw"),
                says("m", "o"),
                part_done.clone(),
                item_done.clone(),
            ],
        ),
        ("only done", vec![part_done.clone(), item_done.clone()]),
        ("only the item", vec![item_done.clone()]),
        (
            "a tool begins before the item is done",
            vec![
                says("m", "one\ntwo"),
                added("c", "bash", "{}"),
                item_done.clone(),
            ],
        ),
    ] {
        let (view, changes) = fold(&events);
        assert_eq!(text_lines(&changes), ["one", "two"], "{name}");
        assert_eq!(view.message, None, "{name}");
    }
}

#[test]
fn a_tool_call_from_start_to_end() {
    let events = [
        added("c1", "bash", ""),
        json!({"type": "response.mcp_call_arguments.done", "item_id": "c1", "arguments": r#"{"command":"make"}"#}),
        json!({"type": "response.mcp_call.in_progress", "item_id": "c1"}),
        log("c1", "compiling\nlin"),
        log("c1", "king\n"),
        log("other", "nobody's\n"),
    ];
    let (view, changes) = fold(&events);
    assert_eq!(
        (view.tools[0].about.as_str(), view.tools[0].lines),
        ("make", 2)
    );
    assert_eq!(view.tools[0].last_lines(5), ["compiling", "linking"]);
    let starts = changes
        .iter()
        .filter(|c| matches!(c, Change::ToolStarted { .. }));
    assert_eq!(starts.count(), 1);

    for (status, error, end) in [
        ("completed", Value::Null, ToolEnd::Done),
        (
            "failed",
            json!({"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": "exit code 2"}]}),
            ToolEnd::Failed("exit code 2".into()),
        ),
        (
            "failed",
            json!({"message": "no"}),
            ToolEnd::Failed("no".into()),
        ),
        ("failed", Value::Null, ToolEnd::Failed(String::new())),
        ("incomplete", Value::Null, ToolEnd::Stopped),
    ] {
        let mut all = events.to_vec();
        all.push(done("c1", status, error));
        let (view, changes) = fold(&all);
        let Some(Change::ToolEnded(tool)) = changes.last() else {
            panic!("{changes:?}")
        };
        assert_eq!(
            (&tool.end, tool.took, view.tools.len()),
            (&end, Duration::from_secs(4), 0)
        );
    }
}

#[test]
fn parallel_tools_keep_their_own_logs() {
    let (view, _) = fold(&[
        added("a", "bash", r#"{"command":"x"}"#),
        added("b", "hf_jobs", r#"{"operation":"run"}"#),
        log("a", "from a\n"),
        log("b", "from b\n"),
        json!({"type": "response.tool_state_change", "item_id": "b", "state": "running", "job_url": "https://h/jobs/u/1"}),
        done("a", "completed", Value::Null),
    ]);
    assert_eq!(view.tools.len(), 1);
    assert_eq!(view.tools[0].last_lines(9), ["from b"]);
    assert_eq!(view.tools[0].job_url.as_deref(), Some("https://h/jobs/u/1"));
}

#[test]
fn plan_artifacts_and_money() {
    let artifact = json!({"type": "response.artifact.created",
        "artifact": {"type": "model", "repo_id": "a/b", "url": "https://h/a/b"}});
    let budget = json!({"type": "response.budget_update",
        "budget": {"cap_usd": 5.0, "spent_usd": 1.0, "reserved_usd": 0.5, "remaining_usd": 3.5}});
    let (view, changes) = fold(&[
        json!({"type": "response.plan_update", "plan": [
            {"id": "1", "content": "look", "status": "completed"},
            {"id": "2", "content": "train", "status": "in_progress"},
            {"id": "3", "content": "tell", "status": "pending"}]}),
        artifact.clone(),
        artifact,
        budget.clone(),
        budget,
        json!({"type": "response.llm_call", "input_tokens": 10, "output_tokens": 2}),
        json!({"type": "response.from_the_future", "plan": 3}),
    ]);
    assert_eq!(view.progress(), (1, 3));
    assert_eq!(view.plan[1].state, StepState::Active);
    assert_eq!(view.artifacts.len(), 1);
    assert_eq!(view.budget.unwrap().reserved, 0.5);
    assert_eq!((view.inference.calls, view.inference.input_tokens), (1, 10));
    assert_eq!(
        changes.len(),
        3,
        "repeated artifacts and budgets change nothing: {changes:?}"
    );
}

fn approval() -> Value {
    json!({"type": "response.approval_required",
        "response": {"id": "resp_1", "status": "incomplete", "incomplete_details": {"reason": "approval_required"}},
        "pending_actions": [{"item_id": "c", "tool": "hf_jobs", "reason": "over the cap",
            "arguments": {"operation": "run", "hardware_flavor": "a100-large"}, "estimated_cost_usd": 7.5}],
        "budget": {"cap_usd": 5.0, "spent_usd": 1.0, "reserved_usd": 0.0, "remaining_usd": 4.0}})
}

#[test]
fn pauses_say_what_they_wait_for_and_end() {
    let (view, changes) = fold(&[approval()]);
    assert_eq!(
        (view.status, changes),
        (Status::Incomplete, vec![Change::Paused])
    );
    let lines = story::pause(&view, "resp_1", Some("http://s"), Ink::NONE).join("\n");
    for words in [
        "hf_jobs run a100-large  (about $7.50)",
        "over the cap",
        "$1.00 of $5.00",
        "ml-intern approve resp_1 --max-cost-usd NEW_CAP --server http://s",
        "ml-intern deny resp_1",
    ] {
        assert!(lines.contains(words), "{words} is not in:\n{lines}");
    }
    let decided =
        json!({"type": "response.approval_decided", "approve": false, "feedback": "too dear"});
    let (view, changes) = fold(&[approval(), decided]);
    assert_eq!((view.pause, view.status), (None, Status::InProgress));
    assert_eq!(changes[2], Change::Note("denied: too dear".into()));

    let restart = json!({"type": "response.incomplete",
        "response": {"id": "r", "status": "incomplete", "incomplete_details": {"reason": "server_restart"}}});
    let (view, _) = fold(&[restart]);
    assert_eq!(view.pause, Some(Pause::ServerRestart));
}

#[test]
fn the_end_closes_what_is_open() {
    let (view, changes) = fold(&[
        says("m", "half a sen"),
        added("c", "bash", r#"{"command":"sleep"}"#),
        json!({"type": "response.cancelled", "response": {"id": "r", "status": "cancelled"}}),
    ]);
    assert_eq!(
        (view.status, view.tools.len(), view.message.is_none()),
        (Status::Cancelled, 0, true)
    );
    assert_eq!(text_lines(&changes), ["half a sen"]);
    assert!(
        changes
            .iter()
            .any(|c| matches!(c, Change::ToolEnded(tool) if tool.end == ToolEnd::Stopped))
    );
    assert_eq!(changes.last(), Some(&Change::Ended));
}

#[test]
fn plain_output_of_a_small_run() {
    let events = [
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "org/m", "status": "queued"}}),
        json!({"type": "response.plan_update", "plan": [{"id": "1", "content": "look", "status": "in_progress"}]}),
        says("m", "Looking.\nHere"),
        added("c", "bash", r#"{"command":"wc -l"}"#),
        json!({"type": "response.mcp_call.in_progress", "item_id": "c"}),
        log("c", "12 rows\n"),
        done("c", "failed", json!("exit code 1")),
        json!({"type": "response.artifact.created", "artifact": {"type": "hf_job", "id": "66", "url": "https://h/66"}}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}),
    ];
    let mut view = View::default();
    let mut lines = Vec::new();
    let now = Instant::now();
    for (seq, event) in events.iter().enumerate() {
        for change in view.apply(&numbered(event, seq), now) {
            lines.extend(plain::lines(&change, &view));
        }
    }
    assert_eq!(
        lines,
        [
            "model org/m",
            "plan 0/1",
            "  [>] look",
            "Looking.",
            "Here",
            "> bash wc -l",
            "  bash | 12 rows",
            "✗ bash 0.0s wc -l",
            "    exit code 1",
            "◆ hf_job 66  https://h/66",
        ]
    );
}

#[test]
fn the_frame_fits_and_shows_what_runs() {
    let steps: Vec<_> = (0..30).map(|n| json!({"content": format!("step {n}"), "status": if n < 20 {"completed"} else {"pending"}})).collect();
    let mut events = vec![
        json!({"type": "response.plan_update", "plan": steps}),
        json!({"type": "response.budget_update", "budget": {"cap_usd": 5.0, "spent_usd": 1.0}}),
    ];
    for id in ["a", "b", "c"] {
        events.push(added(id, "bash", r#"{"command":"train"}"#));
        events.push(log(
            id,
            &format!("epoch {}\n", "long ".repeat(40)).repeat(50),
        ));
    }
    let (view, _) = fold(&events);
    let now = Instant::now();
    for height in [1, 2, 5, 10, 24, 100] {
        let frame = live::frame(&view, Ink::NONE, now, now, (height, 80));
        assert!(frame.len() <= height, "{} lines in {height}", frame.len());
        assert!(frame.iter().all(|line| line.chars().count() <= 80));
        assert!(frame.last().unwrap().contains("$1.00 of $5.00"));
    }
    let frame = live::frame(&view, Ink::NONE, now, now, (100, 80)).join("\n");
    assert!(
        frame.contains("Plan 20/30") && frame.contains("[ ] step 20"),
        "{frame}"
    );
    assert_eq!(frame.matches("  │ epoch").count(), 15);
}

/// Every string of every event is an attack; nothing of it may reach the terminal.
#[test]
fn hostile_text_is_harmless_everywhere() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}x\r\u{8}";
    let events = [
        json!({"type": "response.created", "response": {"id": evil, "model": evil, "status": evil}}),
        json!({"type": "response.plan_update", "plan": [{"content": evil, "status": evil}]}),
        json!({"type": "response.reasoning_summary_text.delta", "delta": evil}),
        says("m", &format!("{evil}\n{evil}")),
        added("c", evil, evil),
        added("d", "bash", &json!({"command": evil}).to_string()),
        log("c", &format!("{evil}\n{evil}")),
        json!({"type": "response.tool_state_change", "item_id": "c", "state": evil, "job_url": evil}),
        done("c", evil, json!(evil)),
        json!({"type": "response.artifact.created", "artifact": {"type": evil, "id": evil, "url": evil}}),
        json!({"type": "response.approval_decided", "approve": true, "feedback": evil}),
        json!({"type": "response.approval_required", "response": {"id": evil},
            "pending_actions": [{"tool": evil, "arguments": evil, "reason": evil}]}),
        json!({"type": "response.failed", "response": {"id": evil, "status": "failed",
            "error": {"message": evil, "type": evil}, "artifacts": [{"type": evil, "id": evil, "url": evil}]}}),
    ];
    let (mut view, now, mut shown) = (View::default(), Instant::now(), Vec::new());
    for (seq, event) in events.iter().enumerate() {
        for change in view.apply(&numbered(event, seq), now) {
            shown.extend(plain::lines(&change, &view));
            shown.extend(live::lines(&change, Ink::NONE, 80));
        }
        shown.extend(live::frame(&view, Ink::NONE, now, now, (50, 80)));
        shown.extend(story::pause(&view, "resp_1", None, Ink::NONE));
        shown.extend(story::ending(&view.snapshot, Ink::NONE));
    }
    assert!(shown.len() > 50);
    for line in shown {
        assert!(
            !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{line:?}"
        );
    }
}

#[test]
fn the_painter_removes_its_last_frame_before_it_draws() {
    let mut out = Vec::new();
    let mut painter = Painter::new(&mut out);
    painter.paint(&[], &["one".into(), "two".into()]).unwrap();
    painter.paint(&["stays".into()], &["three".into()]).unwrap();
    painter.paint(&[], &[]).unwrap();
    let text = String::from_utf8(out).unwrap();
    let second = text.split("\u{1b}[?2026h").nth(2).unwrap();
    assert!(
        second.starts_with("\r\u{1b}[2A\u{1b}[Jstays\n"),
        "{second:?}"
    );
    let third = text.split("\u{1b}[?2026h").nth(3).unwrap();
    assert!(third.starts_with("\r\u{1b}[1A\u{1b}[J"), "{third:?}");
}
