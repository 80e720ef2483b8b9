//! What must hold of a response after a crash.

use super::support::{Client, RawEvent, Rng, parse_frames};
use super::workload::Seen;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A response as the restarted server has it.
pub struct Kept {
    pub object: Value,
    /// The log's exact bytes, and where each event begins in them.
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Kept {
    /// Reads a response in every way and compares.
    pub async fn read(client: &Client, id: &str, rng: &mut Rng) -> Self {
        let bytes = client.events(id, None).await.read_to_end().await;
        let events = parse_frames(&bytes);
        let mut starts = Vec::with_capacity(events.len());
        let mut at = 0;
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event.id, Some(index as u64), "{id}: a gap in the numbers");
            assert_eq!(event.data["sequence_number"], json!(index), "{id}");
            starts.push(at);
            at += event.frame.len();
        }
        assert_eq!(at, bytes.len(), "{id}: something between the events");
        let object = client.object(id).await;
        check_object(id, &object, &events);
        let kept = Self {
            object,
            bytes,
            starts,
        };
        kept.check_cursors(client, id, rng).await;
        kept
    }

    pub fn events(&self) -> usize {
        self.starts.len()
    }

    pub fn status(&self) -> &str {
        self.object["status"].as_str().unwrap()
    }

    pub fn is_interrupted(&self) -> bool {
        self.object["incomplete_details"]["reason"] == "server_restart"
    }

    /// What a client saw, byte by byte.
    pub fn check_seen(&self, seen: &Seen) {
        if seen.bytes.is_empty() {
            return;
        }
        let from = usize::try_from(seen.from).unwrap();
        let start = self.starts.get(from);
        let start = *start.unwrap_or_else(|| panic!("{}: event {from} was seen and lost", seen.id));
        let is_kept = self.bytes[start..].starts_with(&seen.bytes);
        assert!(
            is_kept,
            "{}: what a client saw from event {from} on was lost or changed:\n{}\n--- now:\n{}",
            seen.id,
            String::from_utf8_lossy(&seen.bytes),
            String::from_utf8_lossy(&self.bytes[start..]),
        );
    }

    /// The ids of its `hf_job` artifacts.
    pub fn jobs(&self) -> BTreeSet<String> {
        jobs_of(&self.object)
    }

    /// Whether this job became known only after the crash.
    pub fn knows_by_lookup(&self, job: &str) -> bool {
        let events = parse_frames(&self.bytes);
        let interruption = events
            .iter()
            .position(|event| event.name == "response.incomplete");
        let told = events
            .iter()
            .position(|event| event.data["artifact"]["id"] == *job);
        interruption.is_some_and(|at| told.is_some_and(|told| told > at))
    }

    async fn check_cursors(&self, client: &Client, id: &str, rng: &mut Rng) {
        for _ in 0..2 {
            // Behind the last event of a pause the stream would wait.
            let after = rng.below(self.starts.len() as u64 - 1);
            let from = self.starts[usize::try_from(after).unwrap() + 1];
            let bytes = client.events(id, Some(after)).await.read_to_end().await;
            assert!(
                bytes == self.bytes[from..],
                "{id}: another log behind {after}"
            );
        }
    }
}

/// The ids of an object's `hf_job` artifacts.
pub fn jobs_of(object: &Value) -> BTreeSet<String> {
    let artifacts = object["artifacts"].as_array().unwrap().iter();
    artifacts
        .filter(|artifact| artifact["type"] == "hf_job")
        .map(|artifact| artifact["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The object is what the log says it is.
fn check_object(id: &str, object: &Value, events: &[RawEvent]) {
    let last = events.last().unwrap();
    assert_eq!(
        object["last_sequence_number"], last.data["sequence_number"],
        "{id}"
    );
    assert_eq!(
        object, &last.data["response"],
        "{id}: the object is not the log's"
    );
    let reason = object["incomplete_details"]["reason"].as_str();
    let expected = match (object["status"].as_str().unwrap(), reason) {
        ("completed", None) => "response.completed",
        ("incomplete", Some("server_restart")) => "response.incomplete",
        ("incomplete", Some("approval_required")) => "response.approval_required",
        other => panic!("{id} rests as {other:?}: {object:#}"),
    };
    assert_eq!(last.name, expected, "{id}");
    let added = events
        .iter()
        .filter(|event| event.name == "response.output_item.added");
    assert_eq!(
        object["output"].as_array().unwrap().len(),
        added.count(),
        "{id}"
    );
}
