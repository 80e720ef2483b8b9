//! The worker: starts attempts as they become due, as many at once as there is room for.

use super::Webhooks;
use super::attempt::unix_ms;
use journal::{JournalError, WebhookRow};
use protocol::ResponseId;
use std::collections::HashMap;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Attempts at once.
const MOST: usize = 64;
/// Of these, attempts for one account, or for the operator's receiver.
const MOST_IN_LANE: usize = 8;
/// The store is asked this often even if nothing wakes the worker.
const TICK: Duration = Duration::from_secs(30);
/// A store that fails is left alone for this long.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Whose receivers wait for one another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Lane {
    Account(String),
    Operator,
}

impl Lane {
    fn of(row: &WebhookRow) -> Self {
        if row.by_operator {
            Self::Operator
        } else {
            Self::Account(row.owner.clone())
        }
    }
}

/// The attempts under way.
#[derive(Default)]
struct Attempts {
    tasks: JoinSet<()>,
    busy: HashMap<Id, (ResponseId, Lane)>,
}

impl Webhooks {
    /// Delivers until it is stopped; then lets the attempts under way end. To be aborted if that takes too long.
    pub async fn run(self, stop: CancellationToken) {
        let mut attempts = Attempts::default();
        loop {
            let wake = match self.start_due(&mut attempts).await {
                Ok(wake) => wake,
                Err(error) => {
                    tracing::warn!(%error, "the webhooks' outbox cannot be read");
                    STORE_PAUSE
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = attempts.tasks.join_next_with_id() => attempts.end(&ended),
                () = self.journal.webhook_news() => {}
                () = tokio::time::sleep(wake) => {}
            }
        }
        while attempts.tasks.join_next().await.is_some() {}
    }

    /// Starts what is due and has room; says how long nothing else can become due by time alone.
    async fn start_due(&self, attempts: &mut Attempts) -> Result<Duration, JournalError> {
        let now_ms = unix_ms();
        // What is under way is still due, so enough is asked for to see past it.
        let due = self
            .journal
            .webhooks_due(now_ms, MOST_IN_LANE, 2 * MOST)
            .await?;
        for row in due {
            if attempts.have_room_for(&row) {
                let webhooks = self.clone();
                attempts.start(row, webhooks);
            }
        }
        let next_ms = self.journal.webhooks_next_due(now_ms).await?;
        let wait = next_ms.map(|next| Duration::from_millis(next.saturating_sub(now_ms)));
        Ok(wait.unwrap_or(TICK).min(TICK))
    }

    /// One attempt. Whatever keeps it from leaving its mark is given a moment, for the row is due again at once.
    async fn try_once(self, row: WebhookRow) {
        match self.attempt(&row).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(response = %row.response_id, %error, "a webhook's delivery could not be recorded");
            }
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
}

impl Attempts {
    fn have_room_for(&self, row: &WebhookRow) -> bool {
        let lane = Lane::of(row);
        let in_lane = self.busy.values().filter(|(_, other)| *other == lane);
        let is_busy = self.busy.values().any(|(id, _)| *id == row.response_id);
        !is_busy && self.busy.len() < MOST && in_lane.count() < MOST_IN_LANE
    }

    fn start(&mut self, row: WebhookRow, webhooks: Webhooks) {
        let mark = (row.response_id.clone(), Lane::of(&row));
        let task = self.tasks.spawn(webhooks.try_once(row));
        self.busy.insert(task.id(), mark);
    }

    fn end(&mut self, ended: &Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(panicked) => panicked.id(),
        };
        self.busy.remove(&id);
    }
}
