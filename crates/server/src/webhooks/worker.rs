//! The worker: starts attempts as they become due, as many at once as there is room for.

use super::Webhooks;
use super::attempt::unix_ms;
use journal::{DueLimits, JournalError, WebhookRow};
use protocol::ResponseId;
use std::collections::HashMap;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Attempts at once.
const MOST: usize = 128;
/// Of these, attempts for one account, or for the operator.
const MOST_OF_ACCOUNT: usize = 32;
/// Of these, attempts at one receiver.
const MOST_AT_RECEIVER: usize = 8;
/// What is asked for at once. What is under way is still due, so it takes more than [`MOST`] to see past it.
const ASKED: DueLimits = DueLimits {
    at_receiver: MOST_AT_RECEIVER,
    of_account: MOST_OF_ACCOUNT,
    in_all: 2 * MOST,
};
/// The store is asked this often even if nothing wakes the worker.
const TICK: Duration = Duration::from_secs(30);
/// A store that fails is left alone for this long.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What an attempt is for. Those for one receiver wait for one another, and those for one account.
#[derive(Debug, Clone)]
struct Target {
    response: ResponseId,
    /// `None` is the operator.
    account: Option<String>,
    url: String,
}

impl Target {
    fn of(row: &WebhookRow) -> Self {
        Self {
            response: row.response_id.clone(),
            account: (!row.by_operator).then(|| row.owner.clone()),
            url: row.url.clone(),
        }
    }
}

/// The attempts under way.
#[derive(Default)]
struct Attempts {
    tasks: JoinSet<()>,
    busy: HashMap<Id, Target>,
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
        for row in self.journal.webhooks_due(now_ms, ASKED).await? {
            let target = Target::of(&row);
            if attempts.have_room_for(&target) {
                attempts.start(target, self.clone().try_once(row));
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
    fn have_room_for(&self, target: &Target) -> bool {
        let (mut of_account, mut at_receiver) = (0, 0);
        for busy in self.busy.values() {
            if busy.response == target.response {
                return false;
            }
            if busy.account == target.account {
                of_account += 1;
                at_receiver += usize::from(busy.url == target.url);
            }
        }
        self.busy.len() < MOST && of_account < MOST_OF_ACCOUNT && at_receiver < MOST_AT_RECEIVER
    }

    fn start(&mut self, target: Target, attempt: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(attempt);
        self.busy.insert(task.id(), target);
    }

    fn end(&mut self, ended: &Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(panicked) => panicked.id(),
        };
        self.busy.remove(&id);
    }
}
