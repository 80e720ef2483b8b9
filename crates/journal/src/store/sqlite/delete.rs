//! Deleting, in SQLite.

use super::read::{self, RESPONSE};
use super::write::prepared;
use crate::JournalError;
use crate::store::ResponseRow;
use protocol::{ResponseId, SessionId};
use rusqlite::{Connection, TransactionBehavior, params};

/// Replaces a terminal response by its residue; `false` when there is no such response.
pub(super) fn response(
    connection: &mut Connection,
    id: &ResponseId,
    residue: &str,
) -> Result<bool, JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "UPDATE responses SET residue = ?2 WHERE id = ?1 AND residue IS NULL AND phase >= 4";
    if prepared(&transaction, sql, params![id.as_str(), residue])? == 0 {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM events WHERE response_id = ?1",
        "DELETE FROM metadata WHERE response_id = ?1",
        "DELETE FROM claims WHERE response_id = ?1",
        "DELETE FROM webhooks WHERE response_id = ?1",
    ] {
        prepared(&transaction, sql, params![id.as_str()])?;
    }
    transaction.commit()?;
    Ok(true)
}

/// Removes a session all of whose responses are deleted, with what is left of them; `false` when one is not.
pub(super) fn session(connection: &mut Connection, id: &SessionId) -> Result<bool, JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT 1 FROM responses WHERE session_id = ?1 AND residue IS NULL";
    if transaction
        .prepare_cached(sql)?
        .exists(params![id.as_str()])?
    {
        return Ok(false);
    }
    let sql = "DELETE FROM responses WHERE session_id = ?1";
    prepared(&transaction, sql, params![id.as_str()])?;
    let sql = "DELETE FROM sessions WHERE id = ?1";
    let removed = prepared(&transaction, sql, params![id.as_str()])? > 0;
    transaction.commit()?;
    Ok(removed)
}

/// Empties the write-ahead log, where deleted text would stay until it is overwritten. Readers may be in the way: the next
/// deletion tries again.
pub(super) fn scrub_log(connection: &Connection) {
    let truncate = || {
        connection.busy_timeout(std::time::Duration::ZERO)?;
        let outcome = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        connection.busy_timeout(super::PATIENCE)?;
        outcome
    };
    if let Err(error) = truncate() {
        tracing::debug!(%error, "the write-ahead log was not emptied");
    }
}

/// Terminal responses created before this time (unix seconds), oldest first.
pub(super) fn expired(
    connection: &Connection,
    before: u64,
    limit: usize,
) -> Result<Vec<ResponseRow>, JournalError> {
    let sql = format!(
        "{RESPONSE} WHERE created_at < ?1 AND residue IS NULL AND phase >= 4 ORDER BY created_at LIMIT ?2"
    );
    read::responses(connection, &sql, params![before, limit])
}

/// Sessions all of whose responses are deleted.
pub(super) fn empty_sessions(connection: &Connection) -> Result<Vec<SessionId>, JournalError> {
    let sql = "SELECT DISTINCT session_id FROM responses d WHERE residue IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM responses r WHERE r.session_id = d.session_id AND r.residue IS NULL)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        sessions.push(
            SessionId::parse(&id)
                .ok_or_else(|| JournalError::Corrupt("a session id".to_owned()))?,
        );
    }
    Ok(sessions)
}
