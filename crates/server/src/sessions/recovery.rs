//! After a restart, or when a turn is lost: every response that was in flight gets its end or its pause (I7).

use crate::sessions::{Sessions, Slot};
use crate::surface::auth::Caller;
use journal::{AppendError, JournalError, ResponseRow};
use protocol::ResponseId;
use std::time::Duration;

/// How a turn was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Its process ended.
    Restart,
    /// The store refused its events.
    Store,
    /// It panicked.
    Panic,
}

/// Retries while the store does not take the end.
const RETRIES: u32 = 8;

/// Ends every turn that was in flight when the last process ended. To be called before the first request is served.
///
/// # Errors
/// When the store fails.
pub(crate) async fn recover(sessions: &Sessions) -> Result<usize, JournalError> {
    let lost = sessions.journal.in_flight().await?;
    for row in &lost {
        if let Err(error) = end(sessions, &row.id, Loss::Restart).await {
            tracing::error!(response = %row.id, %error, "a lost response could not be ended");
        }
    }
    Ok(lost.len())
}

/// Ends responses that are in flight although no turn of this process runs them: what [`end_lost`] had to give up while
/// the store failed.
pub(crate) async fn sweep(sessions: &Sessions) {
    let Ok(in_flight) = sessions.journal.in_flight().await else {
        return;
    };
    for row in in_flight {
        let session = sessions.get(&row.session_id);
        let Some(mut slot) = session.try_slot() else {
            continue;
        };
        // While the slot is held nothing starts or ends; what has ended since the list was read is left alone.
        let now = sessions.journal.response(&row.id).await;
        let is_in_flight = matches!(now, Ok(Some(row)) if row.phase.is_in_flight());
        if matches!(*slot, Slot::Running { .. }) || !is_in_flight {
            continue;
        }
        // Ending it takes the lease over, so nothing older may go on from memory.
        *slot = Slot::Cold;
        if let Err(error) = end(sessions, &row.id, Loss::Store).await {
            tracing::warn!(response = %row.id, %error, "a lost response could not be ended yet");
        }
    }
}

/// Ends one lost response; tries again while the store fails.
pub(crate) async fn end_lost(sessions: &Sessions, response: &ResponseId, loss: Loss) {
    let mut wait = Duration::from_millis(100);
    for _ in 0..RETRIES {
        match end(sessions, response, loss).await {
            Ok(()) | Err(AppendError::Fenced | AppendError::Unknown) => return,
            Err(error) => {
                tracing::warn!(%response, %error, "a lost response could not be ended yet")
            }
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

impl Sessions {
    /// Looks up, with the caller's token, what a crash left in doubt: jobs that the platform had made and no event told
    /// of. Found ones become artifacts of the interrupted response before anybody reads it. A failure leaves the doubt.
    pub(crate) async fn clear_doubt(&self, caller: &Caller, row: &ResponseRow) {
        if let Err(error) = self.try_to_clear_doubt(caller, row).await {
            tracing::warn!(response = %row.id, %error, "what a crash left in doubt could not be recorded");
        }
    }

    async fn try_to_clear_doubt(
        &self,
        caller: &Caller,
        row: &ResponseRow,
    ) -> Result<(), AppendError> {
        if self.journal.doubt(&row.id).await?.is_none() {
            return Ok(());
        }
        let session = self.get(&row.session_id);
        let mut slot = session.slot().await;
        // Readers come together; the first one clears it for all.
        let Some(doubt) = self.journal.doubt(&row.id).await? else {
            return Ok(());
        };
        if !session.may_ask() {
            return Ok(());
        }
        let Some(rested) = slot.take(self, &session.id).await? else {
            return Ok(());
        };
        let tools = self.tools(&session, &rested, caller);
        match rested.recorder(&self.journal, &row.id) {
            // The slot stays cold: the journal has it all.
            Ok(mut recorder) => recorder.clear_doubt(&tools, &doubt).await,
            // The session has gone on; its next turn looks for what is left.
            Err(rested) => {
                slot.rest(*rested);
                Ok(())
            }
        }
    }
}

async fn end(sessions: &Sessions, response: &ResponseId, loss: Loss) -> Result<(), AppendError> {
    let Some(row) = sessions.journal.response(response).await? else {
        return Ok(());
    };
    if !row.phase.is_in_flight() {
        return Ok(());
    }
    let rested = sessions.restore(&row.session_id).await?;
    let Ok(mut recorder) = rested.recorder(&sessions.journal, response) else {
        return Ok(());
    };
    match loss {
        Loss::Panic => recorder.fail_internally().await,
        Loss::Restart | Loss::Store => recorder.interrupt().await,
    }
}
