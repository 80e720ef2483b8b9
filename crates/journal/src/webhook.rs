//! The outbox: who is told of a response's events, and how far that has come.

use protocol::{ResponseId, SessionId, WebhookRequest};

/// A receiver to keep with a new response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    pub request: WebhookRequest,
    /// Whether the operator chose the URL, not a client.
    pub by_operator: bool,
}

/// How far the delivery of one response's events has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    pub response_id: ResponseId,
    pub session_id: SessionId,
    pub owner: String,
    pub url: String,
    /// Names of the wanted events.
    pub events: Vec<String>,
    pub by_operator: bool,
    /// Unix seconds.
    pub created_at: u64,
    /// Every wanted event before it is delivered.
    pub next_seq: u64,
    /// Failed attempts since the last delivery.
    pub attempts: u32,
    /// Unix milliseconds of the first of those.
    pub failing_since_ms: Option<u64>,
    /// Unix milliseconds; 0 means at once.
    pub next_attempt_at_ms: u64,
    pub last_error: Option<String>,
    /// The HTTP status of the newest attempt that had one.
    pub last_status: Option<u16>,
    /// Events delivered.
    pub delivered: u64,
    pub state: WebhookState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookState {
    /// More is to be delivered, or may come.
    Pending,
    /// The response has ended, and all that was wanted is delivered.
    Delivered,
    /// Given up.
    Failed,
}

impl WebhookState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn of(gave_up: bool, has_more: bool, response_ended: bool) -> Self {
        match (gave_up, has_more, response_ended) {
            (true, ..) => Self::Failed,
            (false, false, true) => Self::Delivered,
            _ => Self::Pending,
        }
    }
}

/// How many due webhooks are asked for at once. Nobody's slow receiver hides anybody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueLimits {
    /// Of one account to one URL.
    pub at_receiver: usize,
    /// Of one account; the operator's own count as one more account's.
    pub of_account: usize,
    pub in_all: usize,
}

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookFailure {
    /// Unix milliseconds of the attempt.
    pub now_ms: u64,
    /// Unix milliseconds of the next attempt; `None` gives up.
    pub retry_at_ms: Option<u64>,
    pub status: Option<u16>,
    pub error: String,
}
