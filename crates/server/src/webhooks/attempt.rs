//! One attempt to deliver one event, and what it came to.

use super::message::Message;
use super::{Webhooks, retry, sign};
use http::{StatusCode, header};
use journal::{JournalError, WebhookFailure, WebhookRow};
use platform::public::PublicError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From the name's lookup to the answer's head.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a receiver did.
enum Outcome {
    Taken(StatusCode),
    Refused(StatusCode),
    /// It wants nothing any more.
    Gone,
    Unreached(PublicError),
}

impl Outcome {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Taken(_) => "delivered",
            Self::Refused(_) => "refused",
            Self::Gone => "gone",
            Self::Unreached(_) => "unreached",
        }
    }
}

impl Webhooks {
    /// Delivers the row's next event, or records why that failed. An error is the store's; the attempt may be made again
    /// then, and the receiver knows it by its id. `false`: there was nothing to deliver.
    pub(super) async fn attempt(&self, row: &WebhookRow) -> Result<bool, JournalError> {
        let Some(event) = self.journal.webhook_event(row).await? else {
            return Ok(false);
        };
        let now_ms = unix_ms();
        let message = Message::new(row, &event, now_ms);
        let outcome = self.send(row, message, now_ms).await;
        self.metrics.webhook_sent(outcome.as_str());
        if let Outcome::Taken(status) = outcome {
            let (response, status) = (&row.response_id, status.as_u16());
            self.journal
                .webhook_delivered(response, event.seq, status)
                .await?;
        } else {
            let failure = failure(row, &outcome, now_ms);
            tracing::debug!(response = %row.response_id, seq = event.seq, error = failure.error, "a webhook failed");
            self.journal
                .webhook_failed(&row.response_id, failure)
                .await?;
        }
        Ok(true)
    }

    async fn send(&self, row: &WebhookRow, message: Message, now_ms: u64) -> Outcome {
        match self.post(row, message, now_ms).await {
            Ok(status) if status.is_success() => Outcome::Taken(status),
            Ok(StatusCode::GONE) => Outcome::Gone,
            Ok(status) => Outcome::Refused(status),
            Err(error) => Outcome::Unreached(error),
        }
    }

    /// The answer's body is nobody's business here; it is not read.
    async fn post(
        &self,
        row: &WebhookRow,
        message: Message,
        now_ms: u64,
    ) -> Result<StatusCode, PublicError> {
        let url = reqwest::Url::parse(&row.url).map_err(|_| PublicError::NotAUrl)?;
        let client = if row.by_operator {
            self.http.trusted()
        } else {
            self.http.client_for(&url)?
        };
        let mut request = client
            .post(url)
            .timeout(DEADLINE)
            .header(header::CONTENT_TYPE, "application/json");
        let secret = self.secret(row);
        for (name, value) in sign::headers(&secret, &message.id, now_ms / 1000, &message.body) {
            request = request.header(name, value);
        }
        Ok(request.body(message.body).send().await?.status())
    }
}

fn failure(row: &WebhookRow, outcome: &Outcome, now_ms: u64) -> WebhookFailure {
    let (status, error) = match outcome {
        Outcome::Gone => (Some(StatusCode::GONE), "the receiver wants no more".into()),
        Outcome::Taken(status) | Outcome::Refused(status) => (Some(*status), words(*status)),
        Outcome::Unreached(error) => (None, error.to_string()),
    };
    let retry_at_ms = match outcome {
        Outcome::Gone => None,
        _ => retry::next_attempt(
            now_ms.max(unix_ms()),
            row.attempts,
            row.failing_since_ms,
            chance(),
        ),
    };
    WebhookFailure {
        now_ms,
        retry_at_ms,
        status: status.map(|status| status.as_u16()),
        error,
    }
}

fn words(status: StatusCode) -> String {
    if status.is_redirection() {
        format!(
            "the receiver answered {}, and redirects are not followed",
            status.as_u16()
        )
    } else {
        format!("the receiver answered {}", status.as_u16())
    }
}

/// Uniform in 0..1.
fn chance() -> f64 {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    // The upper half of a random id has 32 bits at its top that carry no version.
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

pub(super) fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
