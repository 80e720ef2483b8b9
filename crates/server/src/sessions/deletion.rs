//! Deleting responses: by request, and by age.

use crate::sessions::{Rested, Session, Sessions, Slot};
use crate::surface::refusal::Refusal;
use journal::{AppendError, JournalError, ResponseRow};
use protocol::Problem;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Responses that one sweep deletes at most; the next one goes on.
const SWEPT: usize = 500;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Sessions {
    /// Deletes a terminal response; its session forgets what was said in it, and keeps its money and what runs outside.
    ///
    /// # Errors
    /// 409 `response_active` before it is terminal.
    pub async fn delete(&self, row: &ResponseRow) -> Result<(), Refusal> {
        self.delete_from_session(row)
            .await
            .map_err(|error| match error {
                AppendError::Busy => Refusal(response_active()),
                AppendError::Unknown => Refusal(Problem::response_not_found()),
                error => error.into(),
            })?;
        Ok(self.journal.scrub_log().await?)
    }

    async fn delete_from_session(&self, row: &ResponseRow) -> Result<(), AppendError> {
        let session = self.get(&row.session_id);
        let mut slot = session.slot_at_rest(&self.journal).await?;
        self.journal.delete(&row.id).await?;
        session.must_forget();
        self.forget_deleted(&session, &mut slot).await;
        Ok(())
    }

    /// Rebuilds what a resting session has in memory, if something of it was deleted. A running turn goes on with what it
    /// has, and this is done when it rests.
    pub async fn forget_deleted(&self, session: &Session, slot: &mut Slot) {
        if matches!(slot, Slot::Running { .. }) || !session.has_to_forget() {
            return;
        }
        let Slot::Resting { rested, .. } = slot else {
            return;
        };
        match self.restore(&session.id).await {
            Ok(restored) => {
                let tools = rested.tools.take();
                **rested = Rested { tools, ..restored };
            }
            Err(error) => {
                tracing::error!(session = %session.id, %error, "a deleted response is still in memory");
                session.must_forget();
            }
        }
    }

    /// Deletes what is older than `days`, and forgets sessions and claims that nobody can ask for any more.
    ///
    /// # Errors
    /// When the store fails; the next sweep goes on.
    pub async fn delete_old(&self, days: u32) -> Result<(), JournalError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        self.journal.purge_claims(now.as_secs(), SWEPT).await?;
        let mut deleted = 0;
        if days > 0 {
            let before = now.saturating_sub(DAY * days).as_secs();
            for row in self.journal.expired(before, SWEPT).await? {
                match self.delete_from_session(&row).await {
                    Ok(()) => deleted += 1,
                    Err(AppendError::Unknown) => {}
                    Err(error) => {
                        tracing::warn!(response = %row.id, %error, "an old response could not be deleted");
                    }
                }
            }
        }
        let sessions = self.journal.remove_empty_sessions().await?;
        if deleted + sessions > 0 {
            self.journal.scrub_log().await?;
            tracing::info!(responses = deleted, sessions, "deleted what was old");
        }
        Ok(())
    }
}

fn response_active() -> Problem {
    Problem::conflict(
        "response_active",
        "The response has not ended yet; cancel it first.",
    )
}
