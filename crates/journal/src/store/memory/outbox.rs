//! The outbox in memory.

use super::{Log, MemoryStore};
use crate::store::{Commit, StoredEvent};
use crate::{DueLimits, JournalError, NewWebhook, WebhookFailure, WebhookRow, WebhookState};
use protocol::{ResponseId, SessionId};
use std::collections::HashMap;
use std::hash::Hash;

#[derive(Clone)]
pub(super) struct Webhook {
    new: NewWebhook,
    next_seq: u64,
    /// The newest durable event that is wanted.
    newest: Option<u64>,
    attempts: u32,
    failing_since_ms: Option<u64>,
    next_attempt_at_ms: u64,
    last_error: Option<String>,
    last_status: Option<u16>,
    delivered: u64,
    gave_up: bool,
}

impl Webhook {
    pub fn new(new: NewWebhook) -> Self {
        Self {
            new,
            next_seq: 0,
            newest: None,
            attempts: 0,
            failing_since_ms: None,
            next_attempt_at_ms: 0,
            last_error: None,
            last_status: None,
            delivered: 0,
            gave_up: false,
        }
    }

    /// Becomes due when an event that it wants is committed.
    pub fn tell(&mut self, commit: &Commit) {
        let wanted = commit
            .told()
            .filter(|event| self.new.request.events.contains(&event.name));
        self.newest = wanted.last().map(|event| event.seq).or(self.newest);
    }

    fn has_more(&self) -> bool {
        self.newest.is_some_and(|newest| newest >= self.next_seq)
    }

    fn is_due(&self) -> bool {
        self.has_more() && !self.gave_up
    }

    fn row(&self, log: &Log) -> WebhookRow {
        let ended = log.row.phase.is_terminal();
        WebhookRow {
            response_id: log.row.id.clone(),
            session_id: log.row.session_id.clone(),
            owner: log.row.owner.clone(),
            url: self.new.request.url.clone(),
            events: self.new.request.events.clone(),
            by_operator: self.new.by_operator,
            created_at: log.row.created_at,
            next_seq: self.next_seq,
            attempts: self.attempts,
            failing_since_ms: self.failing_since_ms,
            next_attempt_at_ms: self.next_attempt_at_ms,
            last_error: self.last_error.clone(),
            last_status: self.last_status,
            delivered: self.delivered,
            state: WebhookState::of(self.gave_up, self.has_more(), ended),
        }
    }
}

impl MemoryStore {
    pub fn webhooks_due(
        &self,
        now_ms: u64,
        most: DueLimits,
    ) -> Result<Vec<WebhookRow>, JournalError> {
        let state = self.state();
        let is_due = |hook: &Webhook| hook.is_due() && hook.next_attempt_at_ms <= now_ms;
        let mut due: Vec<WebhookRow> = state
            .existing_logs()
            .filter_map(|log| log.webhook.as_ref().map(|hook| (log, hook)))
            .filter(|(_, hook)| is_due(hook))
            .map(|(log, hook)| hook.row(log))
            .collect();
        due.sort_by(|one, other| {
            let key = |row: &WebhookRow| (row.next_attempt_at_ms, row.response_id.to_string());
            key(one).cmp(&key(other))
        });
        let account = |row: &WebhookRow| (!row.by_operator).then(|| row.owner.clone());
        keep_first_of_each(&mut due, most.at_receiver, |row| {
            (account(row), row.url.clone())
        });
        keep_first_of_each(&mut due, most.of_account, account);
        due.truncate(most.in_all);
        Ok(due)
    }

    pub fn webhooks_next_due(&self, now_ms: u64) -> Result<Option<u64>, JournalError> {
        let state = self.state();
        let hooks = state.existing_logs().filter_map(|log| log.webhook.as_ref());
        let due = hooks.filter(|hook| hook.is_due());
        let times = due.map(|hook| hook.next_attempt_at_ms);
        Ok(times.filter(|at| *at > now_ms).min())
    }

    pub fn webhooks_of(&self, session: &SessionId) -> Result<Vec<WebhookRow>, JournalError> {
        let state = self.state();
        let mut logs: Vec<&Log> = state.logs_of(session).collect();
        logs.sort_by_key(|log| log.position);
        let row = |log: &Log| log.webhook.as_ref().map(|hook| hook.row(log));
        Ok(logs.into_iter().filter_map(row).collect())
    }

    pub fn webhook_event(
        &self,
        response: &ResponseId,
        from: u64,
        names: &[String],
    ) -> Result<Option<StoredEvent>, JournalError> {
        let state = self.state();
        let events = state
            .existing(response)
            .into_iter()
            .flat_map(|log| &log.events);
        let mut wanted = events.filter(|event| event.seq >= from && names.contains(&event.name));
        Ok(wanted.next().cloned())
    }

    pub fn webhook_delivered(
        &self,
        response: &ResponseId,
        seq: u64,
        status: u16,
    ) -> Result<(), JournalError> {
        self.change(response, |hook| {
            if hook.next_seq > seq {
                return;
            }
            hook.next_seq = seq + 1;
            hook.delivered += 1;
            hook.attempts = 0;
            hook.failing_since_ms = None;
            hook.next_attempt_at_ms = 0;
            hook.last_error = None;
            hook.last_status = Some(status);
        });
        Ok(())
    }

    pub fn webhook_failed(
        &self,
        response: &ResponseId,
        failure: WebhookFailure,
    ) -> Result<(), JournalError> {
        self.change(response, |hook| {
            hook.attempts += 1;
            hook.failing_since_ms = hook.failing_since_ms.or(Some(failure.now_ms));
            hook.gave_up = failure.retry_at_ms.is_none();
            hook.next_attempt_at_ms = failure.retry_at_ms.unwrap_or(hook.next_attempt_at_ms);
            hook.last_error = Some(failure.error);
            hook.last_status = failure.status;
        });
        Ok(())
    }

    fn change(&self, response: &ResponseId, change: impl FnOnce(&mut Webhook)) {
        let mut state = self.state();
        let log = state.responses.get_mut(response);
        if let Some(webhook) = log.and_then(|log| log.webhook.as_mut()) {
            change(webhook);
        }
    }
}

/// Keeps the first `most` of the rows that have the same key.
fn keep_first_of_each<K: Hash + Eq>(
    rows: &mut Vec<WebhookRow>,
    most: usize,
    key: impl Fn(&WebhookRow) -> K,
) {
    let mut places: HashMap<K, usize> = HashMap::new();
    rows.retain(|row| {
        let place = places.entry(key(row)).or_default();
        *place += 1;
        *place <= most
    });
}
