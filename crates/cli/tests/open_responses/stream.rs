//! A stream as a client of the specification reads it: every event checked by itself, then all of them together.

use super::schema::Schemas;
use super::support::{RawStream, parse_frames};
use serde_json::Value;
use std::collections::HashMap;

/// Reads a stream to its end and gives its events; the last one's `response` is the final object.
pub async fn read(response: reqwest::Response, schemas: &Schemas) -> Vec<Value> {
    assert_eq!(response.status(), 200);
    let media = response.headers()["content-type"].to_str().unwrap();
    assert!(media.starts_with("text/event-stream"), "{media}");
    let bytes = RawStream::new(response).read_to_end().await;
    let end = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(16)..]).into_owned();
    assert!(end.ends_with("\n\ndata: [DONE]\n\n"), "{end:?}");
    let frames = parse_frames(&bytes);
    for frame in &frames {
        assert_eq!(frame.name, frame.data["type"], "{}", frame.frame);
        assert!(frame.id.is_none(), "{}", frame.frame);
        let faults = schemas.event(&frame.data);
        assert!(faults.is_empty(), "{faults:#?}\n{:#}", frame.data);
    }
    let events: Vec<Value> = frames.into_iter().map(|frame| frame.data).collect();
    add_up(&events);
    events
}

/// The names of some events, `response.` left out.
pub fn names(events: &[Value]) -> Vec<&str> {
    let names = events.iter().map(|event| event["type"].as_str().unwrap());
    names
        .map(|name| name.strip_prefix("response.").unwrap_or(name))
        .collect()
}

/// Created first, numbers that rise, pieces that make up what is called done, and the done items as the final output.
fn add_up(events: &[Value]) {
    assert_eq!(events[0]["type"], "response.created");
    let numbers = events
        .iter()
        .map(|event| event["sequence_number"].as_u64().unwrap());
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let mut items: Vec<(bool, Value)> = Vec::new();
    let mut pieces: HashMap<String, String> = HashMap::new();
    for event in events {
        let (name, step) = event["type"].as_str().unwrap().rsplit_once('.').unwrap();
        let index = event["output_index"].as_u64().map(|index| index as usize);
        match (name, step) {
            ("response.output_item", "added") => {
                assert_eq!(index, Some(items.len()), "{event}");
                items.push((false, event["item"].clone()));
            }
            ("response.output_item", _) => {
                let (is_done, item) = &mut items[index.unwrap()];
                assert!(!*is_done && item["id"] == event["item"]["id"], "{event}");
                (*is_done, *item) = (true, event["item"].clone());
            }
            _ => piece(event, name, step, &mut pieces),
        }
        let of_item = event["item_id"].as_str();
        assert!(
            of_item.is_none_or(|id| items[index.unwrap()].1["id"] == id),
            "{event}"
        );
    }
    assert!(items.iter().all(|(is_done, _)| *is_done), "{items:#?}");
    let done: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    assert_eq!(
        events.last().unwrap()["response"]["output"],
        Value::from(done)
    );
}

fn piece(event: &Value, name: &str, step: &str, pieces: &mut HashMap<String, String>) {
    let part = [&event["content_index"], &event["summary_index"]];
    let place = format!("{name} {} {part:?}", event["item_id"]);
    let whole = ["text", "refusal", "arguments"]
        .iter()
        .find_map(|key| event[*key].as_str());
    match (step, whole) {
        ("delta", _) => pieces
            .entry(place)
            .or_default()
            .push_str(event["delta"].as_str().unwrap()),
        ("done", Some(whole)) => {
            assert_eq!(pieces.remove(&place).unwrap_or_default(), whole, "{event}");
        }
        _ => {}
    }
}
