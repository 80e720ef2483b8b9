//! Queries on a reading connection.

use crate::JournalError;
use crate::store::{Phase, ResponseRow, SessionRow, StoredEvent};
use protocol::{ResponseId, SessionId};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

pub(super) const RESPONSE: &str =
    "SELECT id, session_id, owner, phase, head, created_at FROM responses";

pub(super) fn session(
    connection: &Connection,
    id: &SessionId,
) -> Result<Option<SessionRow>, JournalError> {
    let sql = "SELECT owner, fence, created_at FROM sessions WHERE id = ?1";
    let row = connection
        .prepare_cached(sql)?
        .query_row(params![id.as_str()], |row| {
            Ok(SessionRow {
                id: id.clone(),
                owner: row.get(0)?,
                fence: row.get(1)?,
                created_at: row.get(2)?,
            })
        })
        .optional()?;
    Ok(row)
}

pub(super) fn response(
    connection: &Connection,
    id: &ResponseId,
) -> Result<Option<ResponseRow>, JournalError> {
    let rows = responses(
        connection,
        &format!("{RESPONSE} WHERE id = ?1 AND residue IS NULL"),
        params![id.as_str()],
    )?;
    Ok(rows.into_iter().next())
}

pub(super) fn responses_of(
    connection: &Connection,
    session: &SessionId,
) -> Result<Vec<ResponseRow>, JournalError> {
    let sql = format!("{RESPONSE} WHERE session_id = ?1 AND residue IS NULL ORDER BY position");
    responses(connection, &sql, params![session.as_str()])
}

/// A session's deleted responses and others, in its order; of the deleted ones, the residue.
pub(super) fn history(
    connection: &Connection,
    session: &SessionId,
) -> Result<Vec<(ResponseRow, Option<String>)>, JournalError> {
    let sql = "SELECT id, session_id, owner, phase, head, created_at, residue FROM responses WHERE session_id = ?1 ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![session.as_str()])?;
    let mut history = Vec::new();
    while let Some(row) = rows.next()? {
        history.push((response_row(row)?, row.get(6)?));
    }
    Ok(history)
}

pub(super) fn in_flight(connection: &Connection) -> Result<Vec<ResponseRow>, JournalError> {
    // Within the range of the partial index `one_open_response`.
    responses(
        connection,
        &format!("{RESPONSE} WHERE phase <= 2 AND phase <> 2 ORDER BY id"),
        [],
    )
}

pub(super) fn events(
    connection: &Connection,
    response: &ResponseId,
    from: u64,
    limit: usize,
    most_bytes: usize,
) -> Result<Vec<StoredEvent>, JournalError> {
    let sql = "SELECT seq, name, body, private FROM events WHERE response_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query_map(params![response.as_str(), from, limit], |row| {
        Ok(StoredEvent {
            seq: row.get(0)?,
            name: row.get(1)?,
            body: row.get(2)?,
            private: row.get(3)?,
        })
    })?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while bytes < most_bytes
        && let Some(event) = rows.next()
    {
        let event: StoredEvent = event?;
        bytes += event.body.len();
        events.push(event);
    }
    Ok(events)
}

pub(super) fn responses(
    connection: &Connection,
    sql: &str,
    row: impl Params,
) -> Result<Vec<ResponseRow>, JournalError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(row)?;
    let mut responses = Vec::new();
    while let Some(row) = rows.next()? {
        responses.push(response_row(row)?);
    }
    Ok(responses)
}

fn response_row(row: &Row<'_>) -> Result<ResponseRow, JournalError> {
    let corrupt = |what: &str| JournalError::Corrupt(what.to_owned());
    let (id, session_id): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(ResponseRow {
        id: ResponseId::parse(&id).ok_or_else(|| corrupt("a response id"))?,
        session_id: SessionId::parse(&session_id).ok_or_else(|| corrupt("a session id"))?,
        owner: row.get(2)?,
        phase: Phase::from_number(row.get(3)?).ok_or_else(|| corrupt("a phase"))?,
        head: row.get(4)?,
        created_at: row.get(5)?,
    })
}
