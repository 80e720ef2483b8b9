//! Deleting responses, and what stays of them.

use crate::{AppendError, Claimed, Journal, JournalError, Residue, ResponseRow};
use protocol::{ResponseId, SessionId};

/// A response of a session's past.
#[derive(Debug, Clone, PartialEq)]
pub enum Past {
    Kept(ResponseRow),
    Deleted(Residue),
}

impl Journal {
    /// Deletes a terminal response: from now on its id is unknown, and of its log only the [`Residue`] is left, for its
    /// session. Readers that are still at it end.
    ///
    /// # Errors
    /// [`AppendError::Busy`] while the response is not terminal, [`AppendError::Unknown`] when there is none.
    pub async fn delete(&self, id: &ResponseId) -> Result<(), AppendError> {
        let row = self.response(id).await?.ok_or(AppendError::Unknown)?;
        if !row.phase.is_terminal() {
            return Err(AppendError::Busy);
        }
        // Nothing follows a terminal event: what is read here is the whole log.
        let residue = Residue::of(&self.entries(id).await?);
        let residue = serde_json::to_string(&residue).map_err(JournalError::from)?;
        let tail = self.tail(id);
        if !self.shared.store.delete(id, residue).await? {
            return Err(AppendError::Unknown);
        }
        tail.close();
        Ok(())
    }

    /// Makes what was deleted unreadable in the store's files too.
    ///
    /// # Errors
    /// When the store has shut down.
    pub async fn scrub_log(&self) -> Result<(), JournalError> {
        self.shared.store.scrub_log().await
    }

    /// All that was ever submitted to a session, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(&self, session: &SessionId) -> Result<Vec<Past>, JournalError> {
        let history = self.shared.store.history(session).await?;
        let past = |(row, residue): (ResponseRow, Option<String>)| match residue {
            None => Ok(Past::Kept(row)),
            Some(residue) => Ok(Past::Deleted(serde_json::from_str(&residue)?)),
        };
        history.into_iter().map(past).collect()
    }

    /// Terminal responses created before this time (unix seconds), oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expired(
        &self,
        before: u64,
        limit: usize,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        self.shared.store.expired(before, limit).await
    }

    /// Removes the sessions whose responses are all deleted and for which nothing runs outside any more; returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_empty_sessions(&self) -> Result<usize, JournalError> {
        let mut removed = 0;
        for session in self.shared.store.empty_sessions().await? {
            let past = self.history(&session).await?;
            let residue = |past: Past| match past {
                Past::Deleted(residue) => Some(residue),
                Past::Kept(_) => None,
            };
            let residues: Vec<Residue> = past.into_iter().filter_map(residue).collect();
            if !Residue::any_runs(&residues) {
                removed += usize::from(self.shared.store.delete_session(&session).await?);
            }
        }
        Ok(removed)
    }

    /// Who has a claimed name at this time (unix seconds).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claimed(&self, name: &str, now: u64) -> Result<Option<Claimed>, JournalError> {
        self.shared.store.claimed(name, now).await
    }

    /// Forgets claims that have expired at this time (unix seconds), at most `limit`; returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn purge_claims(&self, now: u64, limit: usize) -> Result<usize, JournalError> {
        self.shared.store.purge_claims(now, limit).await
    }
}
