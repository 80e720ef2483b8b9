//! The writer thread: one transaction per batch.

use crate::store::{Commit, NewResponse, Outcomes, Phase};
use crate::{AppendError, JournalError};
use protocol::SessionId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio::sync::{mpsc, oneshot};

pub(super) enum Job {
    Commit {
        batch: Vec<Commit>,
        reply: oneshot::Sender<Result<Outcomes, JournalError>>,
    },
    RaiseFence {
        session: SessionId,
        reply: oneshot::Sender<Result<Option<u64>, JournalError>>,
    },
}

/// Works until every sender is gone. A reply that nobody waits for any more is dropped.
pub(super) fn run(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.blocking_recv() {
        match job {
            Job::Commit { batch, reply } => {
                let _ = reply.send(commit(&mut connection, &batch));
            }
            Job::RaiseFence { session, reply } => {
                let _ = reply.send(raise_fence(&connection, &session));
            }
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Commit]) -> Result<Outcomes, JournalError> {
    let transaction = connection.transaction()?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for commit in batch {
        match apply(&transaction, commit) {
            Err(AppendError::Journal(error)) => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    transaction.commit()?;
    Ok(outcomes)
}

fn apply(transaction: &Transaction<'_>, commit: &Commit) -> Result<(), AppendError> {
    match &commit.create {
        Some(new) => create(transaction, new, commit)?,
        None => check(transaction, commit)?,
    }
    let sql = "UPDATE responses SET head = ?2, phase = coalesce(?3, phase) WHERE id = ?1";
    let phase = commit.phase.map(|phase| phase as i64);
    prepared(
        transaction,
        sql,
        params![commit.response.as_str(), commit.last_seq(), phase],
    )?;
    let sql =
        "INSERT INTO events (response_id, seq, name, body, private) VALUES (?1, ?2, ?3, ?4, ?5)";
    for event in &commit.events {
        prepared(
            transaction,
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
    Ok(())
}

fn create(
    transaction: &Transaction<'_>,
    new: &NewResponse,
    commit: &Commit,
) -> Result<(), AppendError> {
    let sql = "SELECT phase FROM responses WHERE session_id = ?1 AND phase <= 2";
    match query(transaction, sql, params![commit.session.as_str()])?.and_then(Phase::from_number) {
        Some(Phase::AwaitingApproval) => return Err(AppendError::ApprovalPending),
        Some(_) => return Err(AppendError::Busy),
        None => {}
    }
    if new.opens_session {
        let sql = "INSERT INTO sessions (id, owner, fence, created_at) VALUES (?1, ?2, ?3, ?4)";
        let row = params![
            commit.session.as_str(),
            new.owner,
            commit.fence,
            new.created_at
        ];
        prepared(transaction, sql, row)?;
    }
    check_fence(transaction, commit)?;
    let sql = "INSERT INTO responses (id, session_id, owner, phase, head, created_at) VALUES (?1, ?2, ?3, 0, 0, ?4)";
    let row = params![
        commit.response.as_str(),
        commit.session.as_str(),
        new.owner,
        new.created_at
    ];
    prepared(transaction, sql, row)?;
    Ok(())
}

fn check(transaction: &Transaction<'_>, commit: &Commit) -> Result<(), AppendError> {
    check_fence(transaction, commit)?;
    // Terminal phases are 4 and above: nothing may follow them.
    let sql = "SELECT head FROM responses WHERE id = ?1 AND phase < 4";
    let head = query(transaction, sql, params![commit.response.as_str()])?;
    let follows = head.is_some_and(|head| u64::try_from(head + 1) == Ok(commit.first_seq()));
    if follows {
        Ok(())
    } else {
        Err(AppendError::OutOfOrder)
    }
}

fn check_fence(transaction: &Transaction<'_>, commit: &Commit) -> Result<(), AppendError> {
    let sql = "SELECT fence FROM sessions WHERE id = ?1";
    match query(transaction, sql, params![commit.session.as_str()])? {
        None => Err(AppendError::Unknown),
        Some(fence) if u64::try_from(fence) == Ok(commit.fence) => Ok(()),
        Some(_) => Err(AppendError::Fenced),
    }
}

fn raise_fence(connection: &Connection, session: &SessionId) -> Result<Option<u64>, JournalError> {
    let sql = "UPDATE sessions SET fence = fence + 1 WHERE id = ?1 RETURNING fence";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row(params![session.as_str()], |row| row.get(0))
        .optional()?)
}

fn prepared(
    transaction: &Transaction<'_>,
    sql: &str,
    row: impl rusqlite::Params,
) -> Result<usize, JournalError> {
    Ok(transaction.prepare_cached(sql)?.execute(row)?)
}

fn query(
    transaction: &Transaction<'_>,
    sql: &str,
    row: impl rusqlite::Params,
) -> Result<Option<i64>, JournalError> {
    Ok(transaction
        .prepare_cached(sql)?
        .query_row(row, |row| row.get(0))
        .optional()?)
}
