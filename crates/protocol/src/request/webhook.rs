//! `webhook` in a request (an extension): where to tell of the run when nobody polls.

use crate::Problem;
use crate::reader::{Reader, check_length};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) const URL_LIMIT: usize = 2_000;

/// Events that a webhook may ask for. Deltas and telemetry are for streams.
pub(super) const EVENTS: [&str; 10] = [
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.completed",
    "response.failed",
    "response.cancelled",
    "response.incomplete",
    "response.approval_required",
    "response.approval_decided",
    "response.artifact.created",
];

/// What is told when a request names no events: the run has ended, or waits.
pub(super) const DEFAULT_EVENTS: [&str; 5] = [
    "response.completed",
    "response.failed",
    "response.cancelled",
    "response.incomplete",
    "response.approval_required",
];

/// A receiver of some of a response's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRequest {
    /// http or https. Whether its host may be reached is checked at each delivery.
    pub url: String,
    /// Names of events, at least one.
    pub events: Vec<String>,
}

impl WebhookRequest {
    /// A receiver of what ends or pauses a run.
    #[must_use]
    pub fn of_endings(url: String) -> Self {
        Self {
            url,
            events: DEFAULT_EVENTS.map(str::to_owned).to_vec(),
        }
    }

    /// Whether a webhook can ask for events of this name.
    #[must_use]
    pub fn may_name(event: &str) -> bool {
        EVENTS.contains(&event)
    }
}

/// Reads `webhook: {url, events?}`.
pub(super) fn parse(body: &Reader<'_>) -> Result<Option<WebhookRequest>, Problem> {
    let Some(fields) = body.object("webhook")? else {
        return Ok(None);
    };
    let webhook = Reader::new(fields, "webhook");
    let url = webhook.required_string("url")?.to_owned();
    check_length("webhook.url", url.chars().count(), URL_LIMIT)?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(webhook.invalid("url", "must be an http or https URL"));
    }
    let request = WebhookRequest::of_endings(url);
    match webhook.array("events")? {
        None => Ok(Some(request)),
        Some(names) => {
            let events = events(&webhook, names)?;
            Ok(Some(WebhookRequest { events, ..request }))
        }
    }
}

fn events(webhook: &Reader<'_>, names: &[Value]) -> Result<Vec<String>, Problem> {
    if names.is_empty() {
        return Err(webhook.invalid("events", "must name at least one event"));
    }
    let mut events: Vec<String> = Vec::new();
    for name in names {
        match name.as_str() {
            None => return Err(webhook.wrong_type("events", "an array of strings")),
            Some(name) if !EVENTS.contains(&name) => {
                let why = format!("may hold {}", EVENTS.join(", "));
                return Err(webhook.invalid("events", &why));
            }
            Some(name) if events.iter().any(|known| known == name) => {}
            Some(name) => events.push(name.to_owned()),
        }
    }
    Ok(events)
}
