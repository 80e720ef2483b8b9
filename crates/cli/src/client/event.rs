//! One event of a response's log, as the server sent it.

use serde_json::Value;

/// A parsed event. Payloads stay JSON: names and fields that this program does not know are kept
/// (`--json` prints them) and otherwise ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Position in the log, 0, 1, 2 …
    pub seq: u64,
    /// E.g. `response.output_text.delta`.
    pub kind: String,
    /// The whole payload.
    pub data: Value,
    /// The payload's text, byte for byte.
    pub raw: String,
}

/// What an event means for whoever follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// More follows.
    None,
    /// The run waits for somebody (approval, or a restarted server).
    Pause,
    /// Nothing ever follows.
    Terminal,
}

impl Event {
    /// Reads a frame's data; `None` if it is not an event of the API.
    pub fn parse(raw: String) -> Option<Self> {
        let data: Value = serde_json::from_str(&raw).ok()?;
        let kind = data.get("type")?.as_str()?.to_owned();
        let seq = data.get("sequence_number")?.as_u64()?;
        Some(Self {
            seq,
            kind,
            data,
            raw,
        })
    }

    /// A string field of the payload, empty if absent.
    pub fn text(&self, field: &str) -> &str {
        self.data.get(field).and_then(Value::as_str).unwrap_or("")
    }

    pub fn boundary(&self) -> Boundary {
        match self.kind.as_str() {
            "response.completed" | "response.failed" | "response.cancelled" => Boundary::Terminal,
            "response.approval_required" | "response.incomplete" => Boundary::Pause,
            _ => Boundary::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_bytes_and_finds_the_boundary() {
        let raw = r#"{"type":"response.completed", "sequence_number":4,"new_field":[1]}"#;
        let event = Event::parse(raw.to_owned()).unwrap();
        assert_eq!(
            (event.seq, event.raw.as_str(), event.boundary()),
            (4, raw, Boundary::Terminal)
        );
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for raw in [
            "[DONE]",
            "{}",
            r#"{"type":"x"}"#,
            r#"{"type":1,"sequence_number":1}"#,
        ] {
            assert_eq!(Event::parse(raw.to_owned()), None, "{raw}");
        }
    }
}
