//! How far a delivery has come, as the session object shows it.

use super::WebhookSecret;
use journal::{WebhookRow, WebhookState};
use protocol::ResponseId;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WebhookStatus {
    pub response_id: ResponseId,
    /// `null` for the operator's receiver, which is none of the account's business.
    pub url: Option<String>,
    pub events: Vec<String>,
    /// `pending`, `delivered` (the response has ended and nothing is left) or `failed` (given up).
    pub state: &'static str,
    /// Events delivered.
    pub delivered: u64,
    /// Failed attempts since the last delivery.
    pub attempts: u32,
    /// The HTTP status of the newest attempt, if there was an answer.
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
    /// Unix seconds of the next attempt while one is to come after a failure.
    pub next_attempt_at: Option<u64>,
    /// What the account checks signatures with; `null` for the operator's receiver.
    pub secret: Option<String>,
}

impl WebhookStatus {
    /// `secret` is the account's.
    pub(super) fn of(secret: &WebhookSecret, row: WebhookRow) -> Self {
        let is_retrying = row.state == WebhookState::Pending && row.attempts > 0;
        let is_theirs = !row.by_operator;
        Self {
            response_id: row.response_id,
            url: is_theirs.then_some(row.url),
            events: row.events,
            state: row.state.as_str(),
            delivered: row.delivered,
            attempts: row.attempts,
            last_status: row.last_status,
            last_error: row.last_error,
            next_attempt_at: is_retrying.then(|| row.next_attempt_at_ms.div_ceil(1000)),
            secret: is_theirs.then(|| secret.expose().to_owned()),
        }
    }
}
