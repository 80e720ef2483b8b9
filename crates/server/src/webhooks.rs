//! Webhooks: telling somebody's server what a response came to, since long runs end when nobody polls.
//!
//! In: the journal's outbox, which an append makes due in the very transaction that makes the event durable. Out: signed
//! POSTs as Standard Webhooks has them, in the log's order per response, each at least once. How far a delivery has come
//! is in the store, so a restart goes on where the last process stopped; what was sent and not recorded is sent again
//! under the same `webhook-id`.
//!
//! Invariants:
//! - One attempt per response at a time, a bounded number at one receiver, for one account, and in all: a slow receiver
//!   holds up nobody else.
//! - A client's URL is reached through [`platform::public`] only. The operator's own is trusted.
//! - The body holds what clients read anyway. No token is near: none is needed.

mod attempt;
mod message;
mod retry;
mod secret;
mod sign;
mod status;
mod worker;

pub use secret::{BadSecret, WebhookSecret};
pub(crate) use status::WebhookStatus;

use crate::config::Config;
use crate::metrics::Metrics;
use journal::{Journal, JournalError, NewWebhook, WebhookRow};
use platform::public::{PublicError, PublicHttp};
use protocol::{Problem, SessionId, WebhookRequest};
use std::sync::Arc;

/// Where the key is kept when the operator gives none.
const KEY_SETTING: &str = "webhook_key";

/// Everything that a delivery needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Webhooks {
    journal: Journal,
    http: PublicHttp,
    key: WebhookSecret,
    /// For responses whose request names no receiver.
    default: Option<NewWebhook>,
    metrics: Arc<Metrics>,
}

impl Webhooks {
    /// Takes the operator's key, or the store's, which is made at the first start.
    ///
    /// # Errors
    /// When the store fails, or holds a key that is none.
    pub async fn open(
        config: &Config,
        journal: Journal,
        http: PublicHttp,
        metrics: Arc<Metrics>,
    ) -> Result<Self, JournalError> {
        let key = match config.webhook_secret.clone() {
            Some(key) => key,
            None => stored_key(&journal).await?,
        };
        if config.webhook_url.is_some() && config.webhook_secret.is_none() {
            tracing::warn!(
                "the operator's webhook has no secret: its receiver cannot verify what comes"
            );
        }
        let default = config.webhook_url.as_ref().map(|url| NewWebhook {
            request: WebhookRequest::of_endings(url.to_string()),
            by_operator: true,
        });
        Ok(Self {
            journal,
            http,
            key,
            default,
            metrics,
        })
    }

    /// The receiver to keep with a new response: the request's own, else the operator's.
    ///
    /// # Errors
    /// 400 for a URL that can never be delivered to. Names are looked up at each delivery.
    pub fn receiver(&self, asked: Option<&WebhookRequest>) -> Result<Option<NewWebhook>, Problem> {
        let Some(request) = asked else {
            return Ok(self.default.clone());
        };
        self.http.check(&request.url).map_err(refused)?;
        Ok(Some(NewWebhook {
            request: request.clone(),
            by_operator: false,
        }))
    }

    /// How far the deliveries of a session's responses have come, oldest response first, as their owner may see it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_session(&self, id: &SessionId) -> Result<Vec<WebhookStatus>, JournalError> {
        let rows = self.journal.webhooks_of(id).await?;
        let secret = |row: &WebhookRow| self.key.of_account(&row.owner);
        let status = |row: WebhookRow| WebhookStatus::of(&secret(&row), row);
        Ok(rows.into_iter().map(status).collect())
    }

    /// What the receiver of this row checks signatures with.
    fn secret(&self, row: &WebhookRow) -> WebhookSecret {
        if row.by_operator {
            self.key.clone()
        } else {
            self.key.of_account(&row.owner)
        }
    }
}

async fn stored_key(journal: &Journal) -> Result<WebhookSecret, JournalError> {
    let fresh = WebhookSecret::random();
    let stands = journal
        .set_setting_once(KEY_SETTING, fresh.expose())
        .await?;
    stands
        .parse()
        .map_err(|_| JournalError::Corrupt("the key of the webhooks".into()))
}

fn refused(error: PublicError) -> Problem {
    let message = match error {
        PublicError::NotPublic => "`webhook.url` must be at a public address.",
        _ => "`webhook.url` must be an http or https URL with a host.",
    };
    Problem::invalid("invalid_value", "webhook.url", message)
}
