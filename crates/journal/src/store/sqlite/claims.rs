//! Claims in SQLite.

use super::write::prepared;
use crate::store::Commit;
use crate::{AppendError, Claim, Claimed, JournalError};
use protocol::ResponseId;
use rusqlite::{Connection, OptionalExtension, params};

/// Who has a name at this time (unix seconds).
pub(super) fn claimed(
    connection: &Connection,
    name: &str,
    now: u64,
) -> Result<Option<Claimed>, JournalError> {
    let sql = "SELECT response_id, fingerprint FROM claims WHERE name = ?1 AND expires_at > ?2";
    let row: Option<(String, String)> = connection
        .prepare_cached(sql)?
        .query_row(params![name, now], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(response, fingerprint)| {
        let response = ResponseId::parse(&response)
            .ok_or_else(|| JournalError::Corrupt("a response id".to_owned()))?;
        Ok(Claimed {
            response,
            fingerprint,
        })
    })
    .transpose()
}

/// Refuses when an exclusive name is taken.
pub(super) fn check(
    connection: &Connection,
    claims: &[Claim],
    now: u64,
) -> Result<(), AppendError> {
    for claim in claims.iter().filter(|claim| claim.is_exclusive) {
        if let Some(taken) = claimed(connection, &claim.name, now)? {
            return Err(AppendError::Taken(taken));
        }
    }
    Ok(())
}

/// Takes the names: they are free, have expired, or go to the newest.
pub(super) fn take(
    connection: &Connection,
    claims: &[Claim],
    commit: &Commit,
) -> Result<(), JournalError> {
    let sql = "INSERT OR REPLACE INTO claims (name, fingerprint, response_id, expires_at) VALUES (?1, ?2, ?3, ?4)";
    for claim in claims {
        let row = params![
            claim.name,
            claim.fingerprint,
            commit.response.as_str(),
            claim.expires_at
        ];
        prepared(connection, sql, row)?;
    }
    Ok(())
}

/// Forgets expired claims, at most `limit`, and returns how many.
pub(super) fn purge(
    connection: &Connection,
    now: u64,
    limit: usize,
) -> Result<usize, JournalError> {
    let sql = "DELETE FROM claims WHERE name IN (SELECT name FROM claims WHERE expires_at <= ?1 LIMIT ?2)";
    prepared(connection, sql, params![now, limit])
}
