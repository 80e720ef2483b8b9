//! The SQLite backend: WAL, `synchronous=FULL`, one writer thread, a few reading connections.

mod claims;
mod delete;
mod list;
mod read;
mod settings;
mod webhooks;
mod write;

use super::{Commit, Outcomes, ResponseRow, SessionRow, StoredEvent};
use crate::{Claimed, DueLimits, JournalError, Listing, WebhookFailure, WebhookRow};
use protocol::{ResponseId, SessionId};
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Migrations in order; `PRAGMA user_version` counts those applied.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/sqlite/0001_journal.sql")];

/// Reading connections; each has a page cache of its own, so more queries than these wait.
const READERS: usize = 4;

/// How long a connection waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct SqliteStore {
    path: PathBuf,
    writer: mpsc::Sender<write::Job>,
    /// Idle reading connections. A plain mutex: held only to push and pop.
    readers: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
}

impl SqliteStore {
    pub async fn open(path: &str) -> Result<Self, JournalError> {
        let path = PathBuf::from(path);
        let at = path.clone();
        let connection = blocking(move || open_for_writing(&at)).await?;
        let (writer, jobs) = mpsc::channel(4);
        std::thread::Builder::new()
            .name("journal-writer".into())
            .spawn(move || write::run(connection, jobs))
            .map_err(|error| JournalError::Store(error.to_string()))?;
        Ok(Self {
            path,
            writer,
            readers: Arc::default(),
            reading: Arc::new(Semaphore::new(READERS)),
        })
    }

    pub async fn commit(&self, batch: Vec<Commit>) -> Result<Outcomes, JournalError> {
        let (reply, outcome) = oneshot::channel();
        self.submit(write::Job::Commit { batch, reply }, outcome)
            .await
    }

    pub async fn raise_fence(&self, session: &SessionId) -> Result<Option<u64>, JournalError> {
        let session = session.clone();
        self.write(move |connection| write::raise_fence(connection, &session))
            .await
    }

    pub async fn session(&self, id: &SessionId) -> Result<Option<SessionRow>, JournalError> {
        let id = id.clone();
        self.read(move |connection| read::session(connection, &id))
            .await
    }

    pub async fn response(&self, id: &ResponseId) -> Result<Option<ResponseRow>, JournalError> {
        let id = id.clone();
        self.read(move |connection| read::response(connection, &id))
            .await
    }

    pub async fn responses_of(
        &self,
        session: &SessionId,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        let session = session.clone();
        self.read(move |connection| read::responses_of(connection, &session))
            .await
    }

    pub async fn history(
        &self,
        session: &SessionId,
    ) -> Result<Vec<(ResponseRow, Option<String>)>, JournalError> {
        let session = session.clone();
        self.read(move |connection| read::history(connection, &session))
            .await
    }

    pub async fn list(&self, listing: &Listing) -> Result<Vec<ResponseRow>, JournalError> {
        let listing = listing.clone();
        self.read(move |connection| list::responses(connection, &listing))
            .await
    }

    pub async fn in_flight(&self) -> Result<Vec<ResponseRow>, JournalError> {
        self.read(read::in_flight).await
    }

    pub async fn events(
        &self,
        response: &ResponseId,
        from: u64,
        limit: usize,
        most_bytes: usize,
    ) -> Result<Vec<StoredEvent>, JournalError> {
        let response = response.clone();
        self.read(move |connection| read::events(connection, &response, from, limit, most_bytes))
            .await
    }

    pub async fn ping(&self) -> Result<(), JournalError> {
        self.read(|connection| Ok(connection.execute_batch("SELECT 1")?))
            .await
    }

    pub async fn claimed(&self, name: &str, now: u64) -> Result<Option<Claimed>, JournalError> {
        let name = name.to_owned();
        self.read(move |connection| claims::claimed(connection, &name, now))
            .await
    }

    pub async fn purge_claims(&self, now: u64, limit: usize) -> Result<usize, JournalError> {
        self.write(move |connection| claims::purge(connection, now, limit))
            .await
    }

    pub async fn delete(&self, id: &ResponseId, residue: String) -> Result<bool, JournalError> {
        let id = id.clone();
        self.write(move |connection| delete::response(connection, &id, &residue))
            .await
    }

    pub async fn scrub_log(&self) -> Result<(), JournalError> {
        self.write(|connection| {
            delete::scrub_log(connection);
            Ok(())
        })
        .await
    }

    pub async fn delete_session(&self, id: &SessionId) -> Result<bool, JournalError> {
        let id = id.clone();
        self.write(move |connection| delete::session(connection, &id))
            .await
    }

    pub async fn expired(
        &self,
        before: u64,
        limit: usize,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        self.read(move |connection| delete::expired(connection, before, limit))
            .await
    }

    pub async fn empty_sessions(&self) -> Result<Vec<SessionId>, JournalError> {
        self.read(delete::empty_sessions).await
    }

    pub async fn webhooks_due(
        &self,
        now_ms: u64,
        most: DueLimits,
    ) -> Result<Vec<WebhookRow>, JournalError> {
        self.read(move |connection| webhooks::due(connection, now_ms, most))
            .await
    }

    pub async fn webhooks_next_due(&self, now_ms: u64) -> Result<Option<u64>, JournalError> {
        self.read(move |connection| webhooks::next_due(connection, now_ms))
            .await
    }

    pub async fn webhooks_of(&self, session: &SessionId) -> Result<Vec<WebhookRow>, JournalError> {
        let session = session.clone();
        self.read(move |connection| webhooks::of_session(connection, &session))
            .await
    }

    pub async fn webhook_event(
        &self,
        response: &ResponseId,
        from: u64,
        names: &[String],
    ) -> Result<Option<StoredEvent>, JournalError> {
        let (response, names) = (response.clone(), names.to_vec());
        self.read(move |connection| webhooks::event(connection, &response, from, &names))
            .await
    }

    pub async fn webhook_delivered(
        &self,
        response: &ResponseId,
        seq: u64,
        status: u16,
    ) -> Result<(), JournalError> {
        let response = response.clone();
        self.write(move |connection| webhooks::delivered(connection, &response, seq, status))
            .await
    }

    pub async fn webhook_failed(
        &self,
        response: &ResponseId,
        failure: WebhookFailure,
    ) -> Result<(), JournalError> {
        let response = response.clone();
        self.write(move |connection| webhooks::failed(connection, &response, &failure))
            .await
    }

    pub async fn setting(&self, name: &str) -> Result<Option<String>, JournalError> {
        let name = name.to_owned();
        self.read(move |connection| settings::get(connection, &name))
            .await
    }

    pub async fn set_setting_once(&self, name: &str, value: &str) -> Result<String, JournalError> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |connection| settings::set_once(connection, &name, &value))
            .await
    }

    /// Runs a change on the writer thread, behind what waits there.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (reply, outcome) = oneshot::channel();
        let work = move |connection: &mut Connection| {
            let _ = reply.send(change(connection));
        };
        self.submit(write::Job::Work(Box::new(work)), outcome).await
    }

    async fn submit<T>(
        &self,
        job: write::Job,
        outcome: oneshot::Receiver<Result<T, JournalError>>,
    ) -> Result<T, JournalError> {
        self.writer
            .send(job)
            .await
            .map_err(|_| JournalError::Closed)?;
        outcome.await.map_err(|_| JournalError::Closed)?
    }

    /// Runs a query on a reading connection, away from the async threads.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (path, readers) = (self.path.clone(), Arc::clone(&self.readers));
        let permit = Arc::clone(&self.reading)
            .acquire_owned()
            .await
            .map_err(|_| JournalError::Closed)?;
        blocking(move || {
            // Held until the query ends, also when nobody waits for its answer any more.
            let _permit = permit;
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.map_or_else(|| connect(&path), Ok)?;
            let answer = query(&connection)?;
            readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
            Ok(answer)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| JournalError::Closed)?
}

fn connect(path: &Path) -> Result<Connection, JournalError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn open_for_writing(path: &Path) -> Result<Connection, JournalError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| JournalError::Store(error.to_string()))?;
    }
    let mut connection = connect(path)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten, not only unlinked.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), JournalError> {
    // One transaction: of two processes that open a new store at once, one migrates and the other finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if applied > MIGRATIONS.len() {
        let why = "it was written by a newer version of this program";
        return Err(JournalError::Corrupt(why.into()));
    }
    for migration in &MIGRATIONS[applied..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    Ok(transaction.commit()?)
}
