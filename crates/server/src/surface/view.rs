//! Three views of one log (contract §5): the same events under the same numbers, more or fewer of them.

use bytes::Bytes;
use http::HeaderMap;
use journal::Frame;
use protocol::Problem;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// Everything.
    All,
    /// OpenAI's names and the seed's; no telemetry.
    Documented,
    /// OpenAI's names only.
    OpenAi,
}

const OPENAI_PREFIXES: [&str; 7] = [
    "response.output_item.",
    "response.content_part.",
    "response.output_text.",
    "response.reasoning_summary_",
    "response.mcp_call",
    "response.function_call_arguments.",
    "response.refusal.",
];

const OPENAI_NAMES: [&str; 6] = [
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.completed",
    "response.failed",
    "response.incomplete",
];

const SEED_NAMES: [&str; 4] = [
    "response.approval_required",
    "response.artifact.created",
    "response.tool_log",
    "response.cancelled",
];

impl View {
    /// The view that `?view=` names.
    pub fn named(name: &str) -> Result<Self, Problem> {
        match name {
            "all" => Ok(Self::All),
            "documented" => Ok(Self::Documented),
            "openai" => Ok(Self::OpenAi),
            _ => Err(Problem::invalid(
                "invalid_value",
                "view",
                "`view` must be all, documented or openai.",
            )),
        }
    }

    /// The names of the views that show an event of this name.
    pub fn names_that_show(event: &str) -> Vec<&'static str> {
        let views = [
            ("all", Self::All),
            ("documented", Self::Documented),
            ("openai", Self::OpenAi),
        ];
        let shows = |view: Self| view.show(&Frame::encode(0, event, r#"{"response":{}}"#), false);
        let shown = views.into_iter().filter(|(_, view)| shows(*view).is_some());
        shown.map(|(name, _)| name).collect()
    }

    /// The view of a route that SDKs read: the one that the request names, else the one that suits its client.
    pub fn of_sdk_route(named: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        match named {
            Some(name) => Self::named(name),
            None if headers.contains_key("x-stainless-lang") => Ok(Self::OpenAi),
            None => Ok(Self::Documented),
        }
    }

    /// The frame as this view shows it, if it does.
    pub fn show(self, frame: &Frame, with_id: bool) -> Option<Bytes> {
        let name = frame.name();
        let is_openai = OPENAI_NAMES.contains(&name)
            || OPENAI_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix));
        match self {
            Self::OpenAi if matches!(name, "response.approval_required" | "response.cancelled") => {
                as_incomplete(frame).map(|frame| {
                    if with_id {
                        frame.with_id()
                    } else {
                        frame.without_id()
                    }
                })
            }
            Self::OpenAi if !is_openai => None,
            Self::Documented if !is_openai && !SEED_NAMES.contains(&name) => None,
            _ => Some(if with_id {
                frame.with_id()
            } else {
                frame.without_id()
            }),
        }
    }
}

/// A pause or a cancel under a name that OpenAI's clients know, with the same number and the same snapshot.
fn as_incomplete(frame: &Frame) -> Option<Frame> {
    let event: Value = serde_json::from_slice(&frame.data()).ok()?;
    let response = serde_json::to_string(event.get("response")?).ok()?;
    let body = format!(
        r#"{{"type":"response.incomplete","sequence_number":{},"response":{response}}}"#,
        frame.seq
    );
    Some(Frame::encode(frame.seq, "response.incomplete", &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_view_shows() {
        let frame = |name: &str| Frame::encode(3, name, r#"{"response":{"id":"r"}}"#);
        let shows = |view: View, name: &str| view.show(&frame(name), false).is_some();
        for (name, documented, openai) in [
            ("response.created", true, true),
            ("response.output_text.delta", true, true),
            ("response.mcp_call.in_progress", true, true),
            ("response.tool_log", true, false),
            ("response.llm_call", false, false),
            ("response.artifact.created", true, false),
            ("response.approval_required", true, true),
            ("response.cancelled", true, true),
        ] {
            assert!(shows(View::All, name), "{name}");
            assert_eq!(shows(View::Documented, name), documented, "{name}");
            assert_eq!(shows(View::OpenAi, name), openai, "{name}");
        }
        let renamed = View::OpenAi
            .show(&frame("response.cancelled"), true)
            .unwrap();
        assert_eq!(
            renamed,
            "id: 3\nevent: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"sequence_number\":3,\"response\":{\"id\":\"r\"}}\n\n"
        );
    }
}
