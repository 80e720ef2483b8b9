//! The outbox, and the settings that its worker keeps.

use crate::{DueLimits, Frame, Journal, JournalError, WebhookFailure, WebhookRow};
use protocol::{ResponseId, SessionId};

impl Journal {
    /// Webhooks with a wanted, durable event that is not delivered and whose time has come, the longest due first. They are
    /// not claimed: the worker remembers which ones it is busy with.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhooks_due(
        &self,
        now_ms: u64,
        most: DueLimits,
    ) -> Result<Vec<WebhookRow>, JournalError> {
        self.shared.store.webhooks_due(now_ms, most).await
    }

    /// When the next of the webhooks that are not due yet becomes so, in unix milliseconds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhooks_next_due(&self, now_ms: u64) -> Result<Option<u64>, JournalError> {
        self.shared.store.webhooks_next_due(now_ms).await
    }

    /// Returns when a wanted event may have been committed since the last call. For one waiter.
    pub async fn webhook_news(&self) {
        self.shared.news.notified().await;
    }

    /// The next event to deliver.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhook_event(&self, row: &WebhookRow) -> Result<Option<Frame>, JournalError> {
        let store = &self.shared.store;
        let event = store
            .webhook_event(&row.response_id, row.next_seq, &row.events)
            .await?;
        Ok(event.map(|event| Frame::encode(event.seq, &event.name, &event.body)))
    }

    /// Records that event `seq` has been delivered. Nothing happens when that is known, or the response is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhook_delivered(
        &self,
        response: &ResponseId,
        seq: u64,
        status: u16,
    ) -> Result<(), JournalError> {
        let store = &self.shared.store;
        store.webhook_delivered(response, seq, status).await
    }

    /// Records an attempt that failed. Nothing happens when the response is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhook_failed(
        &self,
        response: &ResponseId,
        failure: WebhookFailure,
    ) -> Result<(), JournalError> {
        self.shared.store.webhook_failed(response, failure).await
    }

    /// A session's webhooks, the oldest response's first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhooks_of(&self, session: &SessionId) -> Result<Vec<WebhookRow>, JournalError> {
        self.shared.store.webhooks_of(session).await
    }

    /// A value that the program keeps for itself.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, JournalError> {
        self.shared.store.setting(name).await
    }

    /// Keeps a value unless there is one already, and returns the one that stands.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_setting_once(&self, name: &str, value: &str) -> Result<String, JournalError> {
        self.shared.store.set_setting_once(name, value).await
    }
}
