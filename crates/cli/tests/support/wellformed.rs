//! Rules that every log keeps, whatever happened in it.

use serde_json::Value;
use std::collections::HashMap;

/// Parses and checks a log at rest: contiguous numbers, every item closed once, nothing behind a terminal event, money
/// within the cap. Items that wait for a decision may be open in a paused response.
pub fn check_log(log: &[(u64, String)]) -> Vec<Value> {
    let events: Vec<Value> = log
        .iter()
        .map(|(seq, frame)| payload(*seq, frame))
        .collect();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], index, "{event}");
        let is_last = index == events.len() - 1;
        let is_terminal = ["completed", "failed", "cancelled"]
            .iter()
            .any(|end| event["type"] == format!("response.{end}"));
        assert!(
            !is_terminal || is_last,
            "behind the end: {}",
            events[index + 1]
        );
        check_money(event);
    }
    check_items(&events);
    events
}

/// The events with this name, `response.` left out.
pub fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    let name = format!("response.{name}");
    events
        .iter()
        .filter(|event| event["type"] == *name)
        .collect()
}

fn payload(seq: u64, frame: &str) -> Value {
    let data = frame.lines().find_map(|line| line.strip_prefix("data: "));
    let event: Value = serde_json::from_str(data.unwrap()).unwrap();
    assert_eq!(event["sequence_number"], seq);
    event
}

fn check_money(event: &Value) {
    for budget in [&event["budget"], &event["response"]["budget"]] {
        if budget.is_null() {
            continue;
        }
        let micro = |name: &str| (budget[name].as_f64().unwrap() * 1e6).round();
        let used = micro("spent_usd") + micro("reserved_usd");
        assert!(used <= micro("cap_usd"), "over the cap: {event}");
    }
}

fn check_items(events: &[Value]) {
    let mut open: HashMap<u64, (String, Vec<&str>)> = HashMap::new();
    let mut count = 0;
    for event in events {
        let name = event["type"]
            .as_str()
            .unwrap()
            .trim_start_matches("response.");
        let index = event["output_index"].as_u64();
        match (name, index) {
            ("output_item.added", Some(index)) => {
                assert_eq!(index, count, "indexes count up: {event}");
                count += 1;
                let id = event["item"]["id"].as_str().unwrap().to_owned();
                open.insert(index, (id, Vec::new()));
            }
            ("output_item.done", Some(index)) => {
                let (id, parts) = open
                    .remove(&index)
                    .unwrap_or_else(|| panic!("not open: {event}"));
                assert_eq!(event["item"]["id"], id);
                assert_ne!(event["item"]["status"], "in_progress", "{event}");
                let is_whole = event["item"]["status"] == "completed";
                assert!(
                    !is_whole || parts.is_empty(),
                    "open parts {parts:?}: {event}"
                );
            }
            (name, Some(index)) => {
                let (id, parts) = open
                    .get_mut(&index)
                    .unwrap_or_else(|| panic!("not open: {event}"));
                assert_eq!(event["item_id"], *id, "{event}");
                match name {
                    "content_part.added" | "reasoning_summary_part.added" => parts.push("part"),
                    "content_part.done" | "reasoning_summary_part.done" => drop(parts.pop()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let Some(last) = events.last() else { return };
    let is_pause = ["response.approval_required", "response.incomplete"]
        .iter()
        .any(|pause| last["type"] == *pause);
    assert!(is_pause || open.is_empty(), "never closed: {open:?}");
}

/// Micro-dollars that a response's budget holds for jobs, spent and still reserved (nothing else being reserved).
pub fn held_for_jobs(object: &Value) -> u64 {
    let micro = |usd: &Value| (usd.as_f64().unwrap_or_default() * 1e6).round() as u64;
    micro(&object["budget"]["reserved_usd"]) + micro(&object["usage"]["cost_by_kind"]["jobs"])
}
