//! A turn reduced to what the journal sees of it: appends, with the fold kept beside.

use crate::world::{new, opening};
use journal::{AppendError, Entry, Journal, Lease, NewResponse, ResponseRow};
use protocol::{ContentPart, Event, OutputItem, Response, ResponseId, SessionId, Status};

pub struct Turn {
    pub journal: Journal,
    pub lease: Lease,
    pub id: ResponseId,
    pub object: Response,
}

impl Turn {
    /// A response in a session of its own.
    pub async fn begin(journal: &Journal, owner: &str) -> Self {
        let lease = Lease::first(SessionId::fresh());
        Self::submit(journal, &lease, owner, true).await.unwrap()
    }

    pub async fn submit(
        journal: &Journal,
        lease: &Lease,
        owner: &str,
        opens_session: bool,
    ) -> Result<Self, AppendError> {
        Self::create(journal, lease, new(owner, opens_session)).await
    }

    pub async fn create(
        journal: &Journal,
        lease: &Lease,
        new: NewResponse,
    ) -> Result<Self, AppendError> {
        let id = ResponseId::fresh();
        let entries = opening(&id, lease.session());
        journal.create(lease, &id, new, &entries).await?;
        let events = entries.iter().map(|entry| (entry.seq, &entry.event));
        Ok(Self {
            journal: journal.clone(),
            lease: lease.clone(),
            id,
            object: Response::fold(events).unwrap(),
        })
    }

    pub fn next(&self) -> u64 {
        self.object.last_sequence_number + 1
    }

    pub async fn append(&mut self, events: Vec<Event>) -> Result<(), AppendError> {
        let entries: Vec<Entry> = events
            .into_iter()
            .zip(self.next()..)
            .map(|(event, seq)| Entry::new(seq, event))
            .collect();
        self.journal.append(&self.lease, &self.id, &entries).await?;
        for entry in &entries {
            self.object.apply(entry.seq, &entry.event);
        }
        Ok(())
    }

    /// Opens a message that [`delta`] then fills.
    pub async fn open_message(&mut self) {
        let item = OutputItem::message("msg_1".into());
        let part = ContentPart::text("");
        let added = Event::PartAdded {
            item_id: "msg_1".into(),
            output_index: 0,
            content_index: 0,
            part,
        };
        let item = Event::ItemAdded {
            output_index: 0,
            item,
        };
        self.append(vec![self.running(), item, added])
            .await
            .unwrap();
    }

    pub fn running(&self) -> Event {
        let response = self.snapshot(Status::InProgress);
        Event::InProgress { response }
    }

    pub async fn pause(&mut self) {
        let event = Event::ApprovalRequired {
            response: self.snapshot(Status::Incomplete),
            pending_actions: Vec::new(),
            budget: self.object.budget,
        };
        self.append(vec![event]).await.unwrap();
    }

    pub async fn complete(&mut self) {
        let response = self.snapshot(Status::Completed);
        self.append(vec![Event::Completed { response }])
            .await
            .unwrap();
    }

    pub fn snapshot(&self, status: Status) -> Box<Response> {
        self.object.snapshot(self.next(), |response| {
            response.status = status;
            if status == Status::Completed {
                response.completed_at = Some(1_700_000_100);
            }
        })
    }

    pub async fn row(&self) -> ResponseRow {
        self.journal.response(&self.id).await.unwrap().unwrap()
    }
}

pub fn delta(text: impl Into<String>) -> Event {
    Event::TextDelta {
        item_id: "msg_1".into(),
        output_index: 0,
        content_index: 0,
        delta: text.into(),
        logprobs: Vec::new(),
    }
}
