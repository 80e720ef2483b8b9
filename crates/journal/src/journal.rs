//! The journal's one API: append, read, watch.

mod deletion;
mod outbox;

pub use deletion::Past;

use crate::store::{Commit, NewResponse, Phase, ResponseRow, SessionRow, Store, StoredEvent};
use crate::tails::{Hold, Tails};
use crate::writer::{self, Append};
use crate::{
    AppendError, Doubt, Entry, Follower, Frame, JournalError, Listing, Private, Submission,
};
use protocol::{Event, Response, ResponseId, SessionId};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, mpsc, oneshot};

/// Appends that may wait for the writer; more make their turns wait.
const QUEUE: usize = 1024;

/// Entries read from the store at once while folding.
const FOLD_PAGE: usize = 1000;

/// The right to append to a session. A newer lease makes it worthless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    session: SessionId,
    fence: u64,
}

impl Lease {
    /// The lease of a session that does not exist yet.
    #[must_use]
    pub fn first(session: SessionId) -> Self {
        Self { session, fence: 1 }
    }

    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }
}

/// A cheap handle; clones share everything.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<Store>,
    appends: mpsc::Sender<Append>,
    tails: Arc<Tails>,
    observer: OnceLock<Observer>,
    /// Something that a webhook may want was committed.
    news: Arc<Notify>,
}

/// Sees every entry of this process once it is durable.
type Observer = Box<dyn Fn(&Entry) + Send + Sync>;

impl Journal {
    /// Opens a store (`sqlite:PATH` or `memory`) and starts its writer.
    ///
    /// # Errors
    /// When the store cannot be opened or migrated.
    pub async fn open(url: &str) -> Result<Self, JournalError> {
        let store = Arc::new(Store::open(url).await?);
        let (appends, queue) = mpsc::channel(QUEUE);
        let news = Arc::new(Notify::new());
        tokio::spawn(writer::run(Arc::clone(&store), queue, Arc::clone(&news)));
        Ok(Self {
            shared: Arc::new(Shared {
                store,
                appends,
                tails: Arc::default(),
                observer: OnceLock::new(),
                news,
            }),
        })
    }

    /// From now on `observer` sees every entry that this journal appends, as soon as it is durable. It must be quick. Only
    /// the first one counts.
    pub fn observe(&self, observer: impl Fn(&Entry) + Send + Sync + 'static) {
        let _ = self.shared.observer.set(Box::new(observer));
    }

    /// Takes over a session: from now on only this lease may append to it.
    ///
    /// # Errors
    /// [`AppendError::Unknown`] for a session that does not exist; or when the store fails.
    pub async fn acquire(&self, session: &SessionId) -> Result<Lease, AppendError> {
        let fence = self
            .shared
            .store
            .raise_fence(session)
            .await?
            .ok_or(AppendError::Unknown)?;
        Ok(Lease {
            session: session.clone(),
            fence,
        })
    }

    /// Creates a response with its first entries. Of concurrent creates on one session, one wins.
    ///
    /// # Errors
    /// [`AppendError::Taken`] when another response has a name that this one claims; [`AppendError::Busy`] or
    /// [`AppendError::ApprovalPending`] while the session has an open response.
    pub async fn create(
        &self,
        lease: &Lease,
        response: &ResponseId,
        new: NewResponse,
        entries: &[Entry],
    ) -> Result<(), AppendError> {
        self.commit(lease, response, Some(new), entries).await
    }

    /// Appends entries; returns when they are durable. Either all of them are in the log, or none. An append whose future
    /// is dropped may still happen.
    ///
    /// # Errors
    /// [`AppendError::Fenced`] when another writer has taken over; [`AppendError::OutOfOrder`] when the entries do not
    /// follow the head.
    pub async fn append(
        &self,
        lease: &Lease,
        response: &ResponseId,
        entries: &[Entry],
    ) -> Result<(), AppendError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.commit(lease, response, None, entries).await
    }

    /// A reader that starts at sequence number `next`. At a response at rest whose head lies before `next`, it waits for
    /// events that may never come.
    ///
    /// # Errors
    /// When the response was deleted, or the store fails.
    pub async fn follow(&self, row: &ResponseRow, next: u64) -> Result<Follower, JournalError> {
        let tail = self.tail(&row.id);
        // Read the head after the tail is in place: whatever is committed from here on is published to it.
        let now = self.response(&row.id).await?;
        tail.raise(now.ok_or(JournalError::Deleted)?.head);
        Ok(Follower::new(self.clone(), row.id.clone(), tail, next))
    }

    /// Frames from sequence number `from` on, at most `limit`, from the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn frames(
        &self,
        response: &ResponseId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Frame>, JournalError> {
        self.frames_within(response, from, limit, usize::MAX).await
    }

    /// As [`Journal::frames`], and no more after `most_bytes`.
    pub(crate) async fn frames_within(
        &self,
        response: &ResponseId,
        from: u64,
        limit: usize,
        most_bytes: usize,
    ) -> Result<Vec<Frame>, JournalError> {
        let store = &self.shared.store;
        let events = store.events(response, from, limit, most_bytes).await?;
        Ok(events
            .iter()
            .map(|event| Frame::encode(event.seq, &event.name, &event.body))
            .collect())
    }

    /// A whole log with its private parts, for folding.
    ///
    /// # Errors
    /// When the store fails or holds an entry that this version cannot read.
    pub async fn entries(&self, response: &ResponseId) -> Result<Vec<Entry>, JournalError> {
        self.entries_from(response, 0).await
    }

    /// What the crash that interrupted a response left in doubt, if anything still is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn doubt(&self, id: &ResponseId) -> Result<Option<Doubt>, JournalError> {
        let row = self.response(id).await?;
        let Some(row) = row.filter(|row| row.phase == Phase::Interrupted) else {
            return Ok(None);
        };
        let newest = self.entries_from(id, row.head).await?.pop();
        Ok(newest.and_then(|entry| entry.private.doubt))
    }

    /// The response object. A response at rest is read from its newest event, which carries it; a running one is folded
    /// from where the last fold ended.
    ///
    /// # Errors
    /// When the store fails, or the log does not begin with `response.created`.
    pub async fn object(&self, row: &ResponseRow) -> Result<Arc<Response>, JournalError> {
        if !row.phase.is_in_flight()
            && let Some(entry) = self.entries_from(&row.id, row.head).await?.pop()
            && let Some(snapshot) = snapshot(entry.event)
        {
            return Ok(Arc::new(*snapshot));
        }
        let tail = self.tail(&row.id);
        let folded = match tail.folded() {
            Some(folded) => self.refold(&row.id, folded).await?,
            None => match self.entries(&row.id).await? {
                gone if gone.is_empty() => return Err(JournalError::Deleted),
                entries => Arc::new(fold(&entries)?),
            },
        };
        tail.keep_folded(Arc::clone(&folded));
        Ok(folded)
    }

    /// # Errors
    /// When the store fails.
    pub async fn response(&self, id: &ResponseId) -> Result<Option<ResponseRow>, JournalError> {
        self.shared.store.response(id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn session(&self, id: &SessionId) -> Result<Option<SessionRow>, JournalError> {
        self.shared.store.session(id).await
    }

    /// A session's responses, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn responses_of(
        &self,
        session: &SessionId,
    ) -> Result<Vec<ResponseRow>, JournalError> {
        self.shared.store.responses_of(session).await
    }

    /// A page of an owner's responses.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<ResponseRow>, JournalError> {
        self.shared.store.list(listing).await
    }

    /// What was submitted with a response.
    ///
    /// # Errors
    /// When the response was deleted, or the store fails.
    pub async fn submission(&self, id: &ResponseId) -> Result<Submission, JournalError> {
        let first = self.shared.store.events(id, 0, 1, usize::MAX).await?.pop();
        let created = load_event(first.ok_or(JournalError::Deleted)?)?;
        Ok(created.private.submission.unwrap_or_default())
    }

    /// Responses whose turn was queued or running when its process ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn in_flight(&self) -> Result<Vec<ResponseRow>, JournalError> {
        self.shared.store.in_flight().await
    }

    /// # Errors
    /// When the store does not answer.
    pub async fn ping(&self) -> Result<(), JournalError> {
        self.shared.store.ping().await
    }

    async fn commit(
        &self,
        lease: &Lease,
        response: &ResponseId,
        create: Option<NewResponse>,
        entries: &[Entry],
    ) -> Result<(), AppendError> {
        let commit = Commit {
            session: lease.session.clone(),
            response: response.clone(),
            fence: lease.fence,
            create,
            events: entries.iter().map(store_event).collect::<Result<_, _>>()?,
            phase: entries
                .iter()
                .rev()
                .find_map(|entry| Phase::after(&entry.event)),
        };
        let (reply, outcome) = oneshot::channel();
        let append = Append {
            commit,
            tail: self.tail(response),
            reply,
        };
        self.shared
            .appends
            .send(append)
            .await
            .map_err(|_| JournalError::Closed)?;
        outcome.await.map_err(|_| JournalError::Closed)??;
        if let Some(observer) = self.shared.observer.get() {
            entries.iter().for_each(observer);
        }
        Ok(())
    }

    async fn entries_from(
        &self,
        response: &ResponseId,
        from: u64,
    ) -> Result<Vec<Entry>, JournalError> {
        let mut entries = Vec::new();
        let mut next = from;
        loop {
            let store = &self.shared.store;
            let page = store.events(response, next, FOLD_PAGE, usize::MAX).await?;
            let Some(last) = page.last() else {
                return Ok(entries);
            };
            next = last.seq + 1;
            let is_last = page.len() < FOLD_PAGE;
            for event in page {
                entries.push(load_event(event)?);
            }
            if is_last {
                return Ok(entries);
            }
        }
    }

    async fn refold(
        &self,
        id: &ResponseId,
        folded: Arc<Response>,
    ) -> Result<Arc<Response>, JournalError> {
        let newer = self
            .entries_from(id, folded.last_sequence_number + 1)
            .await?;
        if newer.is_empty() {
            return Ok(folded);
        }
        let mut response = (*folded).clone();
        for entry in &newer {
            response.apply(entry.seq, &entry.event);
        }
        Ok(Arc::new(response))
    }

    fn tail(&self, response: &ResponseId) -> Hold {
        self.shared.tails.hold(response)
    }
}

fn store_event(entry: &Entry) -> Result<StoredEvent, JournalError> {
    let private = if entry.private.is_empty() {
        None
    } else {
        Some(serde_json::to_string(&entry.private)?)
    };
    Ok(StoredEvent {
        seq: entry.seq,
        name: entry.event.name().to_owned(),
        body: entry.event.encode(entry.seq)?,
        private,
    })
}

fn load_event(stored: StoredEvent) -> Result<Entry, JournalError> {
    let event: Event = serde_json::from_str(&stored.body)?;
    let private: Private = match stored.private {
        Some(private) => serde_json::from_str(&private)?,
        None => Private::default(),
    };
    Ok(Entry {
        seq: stored.seq,
        event,
        private,
    })
}

fn fold(entries: &[Entry]) -> Result<Response, JournalError> {
    Response::fold(entries.iter().map(|entry| (entry.seq, &entry.event))).ok_or_else(|| {
        JournalError::Corrupt("a log that does not begin with response.created".into())
    })
}

/// The whole object that an event which puts a response to rest carries.
fn snapshot(event: Event) -> Option<Box<Response>> {
    match event {
        Event::Completed { response }
        | Event::Failed { response }
        | Event::Cancelled { response }
        | Event::Incomplete { response }
        | Event::ApprovalRequired { response, .. } => Some(response),
        _ => None,
    }
}
