//! The writer thread: one transaction per batch.

use super::{claims, webhooks};
use crate::store::{Commit, NewResponse, Outcomes, Phase};
use crate::{AppendError, JournalError};
use protocol::SessionId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

pub(super) enum Job {
    Commit {
        batch: Vec<Commit>,
        reply: oneshot::Sender<Result<Outcomes, JournalError>>,
    },
    /// Anything else; it answers by itself.
    Work(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// Works until every sender is gone. A reply that nobody waits for any more is dropped.
pub(super) fn run(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.blocking_recv() {
        match job {
            Job::Commit { batch, reply } => {
                let _ = reply.send(commit(&mut connection, &batch));
            }
            Job::Work(work) => work(&mut connection),
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Commit]) -> Result<Outcomes, JournalError> {
    // Immediate: the checks read what no other process can change before the commit.
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for commit in batch {
        // Of its own, so that a commit which fails half-way takes nothing with it.
        let savepoint = transaction.savepoint()?;
        let outcome = apply(&savepoint, commit);
        if outcome.is_ok() {
            savepoint.commit()?;
        } else {
            drop(savepoint);
        }
        match outcome {
            // A full disk or a failed read ends the whole transaction.
            Err(AppendError::Journal(error)) if transaction.is_autocommit() => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    transaction.commit()?;
    Ok(outcomes)
}

fn apply(connection: &Connection, commit: &Commit) -> Result<(), AppendError> {
    match &commit.create {
        Some(new) => create(connection, new, commit)?,
        None => check(connection, commit)?,
    }
    let sql = "UPDATE responses SET head = ?2, phase = coalesce(?3, phase) WHERE id = ?1";
    let phase = commit.phase.map(|phase| phase as i64);
    prepared(
        connection,
        sql,
        params![commit.response.as_str(), commit.last_seq(), phase],
    )?;
    let sql =
        "INSERT INTO events (response_id, seq, name, body, private) VALUES (?1, ?2, ?3, ?4, ?5)";
    for event in &commit.events {
        prepared(
            connection,
            sql,
            params![
                commit.response.as_str(),
                event.seq,
                event.name,
                event.body,
                event.private
            ],
        )?;
    }
    Ok(webhooks::tell(connection, commit)?)
}

fn create(connection: &Connection, new: &NewResponse, commit: &Commit) -> Result<(), AppendError> {
    commit.check_order(0)?;
    // Before anything else: the response that has the name is often what keeps the session busy.
    claims::check(connection, &new.claims, new.created_at)?;
    check_free(connection, commit)?;
    if new.opens_session {
        // A session that is there already keeps its fence, which then decides.
        let sql = "INSERT INTO sessions (id, owner, fence, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let row = params![
            commit.session.as_str(),
            new.owner,
            commit.fence,
            new.created_at
        ];
        prepared(connection, sql, row)?;
    }
    check_fence(connection, commit)?;
    let sql = "INSERT INTO responses (id, session_id, position, owner, phase, head, created_at) \
               SELECT ?1, ?2, coalesce(max(position) + 1, 0), ?3, 0, 0, ?4 FROM responses WHERE session_id = ?2 \
               ON CONFLICT (id) DO NOTHING";
    let row = params![
        commit.response.as_str(),
        commit.session.as_str(),
        new.owner,
        new.created_at
    ];
    if prepared(connection, sql, row)? == 0 {
        return Err(AppendError::OutOfOrder);
    }
    claims::take(connection, &new.claims, commit)?;
    let sql =
        "INSERT OR IGNORE INTO metadata (owner, key, value, response_id) VALUES (?1, ?2, ?3, ?4)";
    for (key, value) in &new.metadata {
        let row = params![new.owner, key, value, commit.response.as_str()];
        prepared(connection, sql, row)?;
    }
    if let Some(webhook) = &new.webhook {
        webhooks::insert(connection, &commit.response, webhook)?;
    }
    Ok(())
}

fn check(connection: &Connection, commit: &Commit) -> Result<(), AppendError> {
    check_fence(connection, commit)?;
    let sql = "SELECT head, phase FROM responses WHERE id = ?1 AND session_id = ?2";
    let row = connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            let ids = params![commit.response.as_str(), commit.session.as_str()];
            statement
                .query_row(ids, |row| Ok((row.get::<_, u64>(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(JournalError::from)?;
    let (head, phase) = row.ok_or(AppendError::Unknown)?;
    let phase =
        Phase::from_number(phase).ok_or_else(|| JournalError::Corrupt("a phase".to_owned()))?;
    if phase.is_terminal() {
        return Err(AppendError::OutOfOrder);
    }
    commit.check_order(head + 1)?;
    if commit.opens() && !phase.is_open() {
        check_free(connection, commit)?;
    }
    Ok(())
}

/// Refuses while the session has an open response.
fn check_free(connection: &Connection, commit: &Commit) -> Result<(), AppendError> {
    let sql = "SELECT phase FROM responses WHERE session_id = ?1 AND phase <= 2";
    query(connection, sql, params![commit.session.as_str()])?
        .and_then(Phase::from_number)
        .and_then(Phase::conflict)
        .map_or(Ok(()), Err)
}

fn check_fence(connection: &Connection, commit: &Commit) -> Result<(), AppendError> {
    let sql = "SELECT fence FROM sessions WHERE id = ?1";
    match query(connection, sql, params![commit.session.as_str()])? {
        None => Err(AppendError::Unknown),
        Some(fence) if u64::try_from(fence) == Ok(commit.fence) => Ok(()),
        Some(_) => Err(AppendError::Fenced),
    }
}

pub(super) fn raise_fence(
    connection: &Connection,
    session: &SessionId,
) -> Result<Option<u64>, JournalError> {
    let sql = "UPDATE sessions SET fence = fence + 1 WHERE id = ?1 RETURNING fence";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row(params![session.as_str()], |row| row.get(0))
        .optional()?)
}

pub(super) fn prepared(
    connection: &Connection,
    sql: &str,
    row: impl rusqlite::Params,
) -> Result<usize, JournalError> {
    Ok(connection.prepare_cached(sql)?.execute(row)?)
}

fn query(
    connection: &Connection,
    sql: &str,
    row: impl rusqlite::Params,
) -> Result<Option<i64>, JournalError> {
    Ok(connection
        .prepare_cached(sql)?
        .query_row(row, |row| row.get(0))
        .optional()?)
}
