//! The outbox in SQLite.

use super::write::prepared;
use crate::store::Phase;
use crate::store::{Commit, StoredEvent};
use crate::{DueLimits, JournalError, NewWebhook, WebhookFailure, WebhookRow, WebhookState};
use protocol::{ResponseId, SessionId};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

const WEBHOOK: &str = "SELECT w.response_id, r.session_id, r.owner, w.url, w.events, w.by_operator, r.created_at, \
                       w.next_seq, w.attempts, w.failing_since_ms, w.next_attempt_at, w.last_error, w.last_status, \
                       w.delivered, w.gave_up, w.newest >= w.next_seq, r.phase \
                       FROM webhooks w JOIN responses r ON r.id = w.response_id";

/// In the words of the partial index.
const IS_DUE: &str = "newest >= next_seq AND gave_up = 0";

pub(super) fn insert(
    connection: &Connection,
    response: &ResponseId,
    new: &NewWebhook,
) -> Result<(), JournalError> {
    let sql =
        "INSERT INTO webhooks (response_id, url, events, by_operator) VALUES (?1, ?2, ?3, ?4)";
    let events = serde_json::to_string(&new.request.events)?;
    let row = params![response.as_str(), new.request.url, events, new.by_operator];
    prepared(connection, sql, row).map(drop)
}

/// Makes the webhook of a response due when an event that it wants is committed.
pub(super) fn tell(connection: &Connection, commit: &Commit) -> Result<(), JournalError> {
    let sql = "UPDATE webhooks SET newest = ?2 WHERE response_id = ?1 \
               AND EXISTS (SELECT 1 FROM json_each(events) WHERE value = ?3)";
    for event in commit.told() {
        let row = params![commit.response.as_str(), event.seq, event.name];
        prepared(connection, sql, row)?;
    }
    Ok(())
}

/// The rows are numbered by receiver, and what of these is not too far behind by account; the operator counts as one.
pub(super) fn due(
    connection: &Connection,
    now_ms: u64,
    most: DueLimits,
) -> Result<Vec<WebhookRow>, JournalError> {
    let sql = format!(
        "WITH due AS (SELECT d.response_id AS id, d.next_attempt_at AS at, d.url AS url, \
                              iif(d.by_operator, '', o.owner) AS account \
                       FROM webhooks d JOIN responses o ON o.id = d.response_id \
                       WHERE {IS_DUE} AND d.next_attempt_at <= ?1), \
         by_receiver AS (SELECT *, row_number() OVER (PARTITION BY account, url ORDER BY at, id) AS place FROM due), \
         by_account AS (SELECT id, row_number() OVER (PARTITION BY account ORDER BY at, id) AS place \
                        FROM by_receiver WHERE place <= ?2) \
         {WEBHOOK} JOIN by_account b ON b.id = w.response_id AND b.place <= ?3 \
         ORDER BY w.next_attempt_at, w.response_id LIMIT ?4"
    );
    let row = params![now_ms, most.at_receiver, most.of_account, most.in_all];
    rows(connection, &sql, row)
}

pub(super) fn next_due(connection: &Connection, now_ms: u64) -> Result<Option<u64>, JournalError> {
    let sql = format!(
        "SELECT min(next_attempt_at) FROM webhooks WHERE {IS_DUE} AND next_attempt_at > ?1"
    );
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([now_ms], |row| row.get(0))?)
}

pub(super) fn of_session(
    connection: &Connection,
    session: &SessionId,
) -> Result<Vec<WebhookRow>, JournalError> {
    let sql = format!("{WEBHOOK} WHERE r.session_id = ?1 ORDER BY r.position");
    rows(connection, &sql, params![session.as_str()])
}

/// The first wanted event from `from` on.
pub(super) fn event(
    connection: &Connection,
    response: &ResponseId,
    from: u64,
    names: &[String],
) -> Result<Option<StoredEvent>, JournalError> {
    let sql = "SELECT seq, name, body FROM events WHERE response_id = ?1 AND seq >= ?2 \
               AND name IN (SELECT value FROM json_each(?3)) ORDER BY seq LIMIT 1";
    let row = params![response.as_str(), from, serde_json::to_string(names)?];
    let event = connection.prepare_cached(sql)?.query_row(row, |row| {
        Ok(StoredEvent {
            seq: row.get(0)?,
            name: row.get(1)?,
            body: row.get(2)?,
            private: None,
        })
    });
    Ok(event.optional()?)
}

pub(super) fn delivered(
    connection: &Connection,
    response: &ResponseId,
    seq: u64,
    status: u16,
) -> Result<(), JournalError> {
    let sql = "UPDATE webhooks SET next_seq = ?2 + 1, delivered = delivered + 1, attempts = 0, failing_since_ms = NULL, \
               next_attempt_at = 0, last_error = NULL, last_status = ?3 WHERE response_id = ?1 AND next_seq <= ?2";
    prepared(connection, sql, params![response.as_str(), seq, status]).map(drop)
}

pub(super) fn failed(
    connection: &Connection,
    response: &ResponseId,
    failure: &WebhookFailure,
) -> Result<(), JournalError> {
    let sql = "UPDATE webhooks SET attempts = attempts + 1, failing_since_ms = coalesce(failing_since_ms, ?2), \
               next_attempt_at = coalesce(?3, next_attempt_at), gave_up = ?3 IS NULL, last_error = ?4, \
               last_status = ?5 WHERE response_id = ?1";
    let row = params![
        response.as_str(),
        failure.now_ms,
        failure.retry_at_ms,
        failure.error,
        failure.status
    ];
    prepared(connection, sql, row).map(drop)
}

fn rows(
    connection: &Connection,
    sql: &str,
    row: impl Params,
) -> Result<Vec<WebhookRow>, JournalError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(row)?;
    let mut webhooks = Vec::new();
    while let Some(row) = rows.next()? {
        webhooks.push(webhook_row(row)?);
    }
    Ok(webhooks)
}

fn webhook_row(row: &Row<'_>) -> Result<WebhookRow, JournalError> {
    let corrupt = |what: &str| JournalError::Corrupt(what.to_owned());
    let (response, session): (String, String) = (row.get(0)?, row.get(1)?);
    let events: String = row.get(4)?;
    let phase = Phase::from_number(row.get(16)?).ok_or_else(|| corrupt("a phase"))?;
    Ok(WebhookRow {
        response_id: ResponseId::parse(&response).ok_or_else(|| corrupt("a response id"))?,
        session_id: SessionId::parse(&session).ok_or_else(|| corrupt("a session id"))?,
        owner: row.get(2)?,
        url: row.get(3)?,
        events: serde_json::from_str(&events)?,
        by_operator: row.get(5)?,
        created_at: row.get(6)?,
        next_seq: row.get(7)?,
        attempts: row.get(8)?,
        failing_since_ms: row.get(9)?,
        next_attempt_at_ms: row.get(10)?,
        last_error: row.get(11)?,
        last_status: row.get(12)?,
        delivered: row.get(13)?,
        state: WebhookState::of(row.get(14)?, row.get(15)?, phase.is_terminal()),
    })
}
