//! Settings that the program keeps for itself, in SQLite.

use super::write::prepared;
use crate::JournalError;
use rusqlite::{Connection, OptionalExtension, params};

pub(super) fn get(connection: &Connection, name: &str) -> Result<Option<String>, JournalError> {
    let sql = "SELECT value FROM settings WHERE name = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![name], |row| row.get(0))
        .optional()?)
}

/// Keeps a value unless there is one, and returns the one that stands.
pub(super) fn set_once(
    connection: &Connection,
    name: &str,
    value: &str,
) -> Result<String, JournalError> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    prepared(connection, sql, params![name, value])?;
    get(connection, name)?.ok_or_else(|| JournalError::Corrupt("a setting".to_owned()))
}
