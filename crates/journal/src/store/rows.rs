//! The rows that every backend keeps.

use crate::{AppendError, Claim, NewWebhook};
use protocol::{Event, ResponseId, SessionId, WebhookRequest};

/// What a response's newest lifecycle event means, for claiming and for conflict checks. The numbers are stored; the
/// first three mean "open": at most one such response per session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Queued = 0,
    Running = 1,
    AwaitingApproval = 2,
    Interrupted = 3,
    Completed = 4,
    Failed = 5,
    Cancelled = 6,
}

impl Phase {
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        use Phase::{AwaitingApproval, Cancelled, Completed, Failed, Interrupted, Queued, Running};
        let phases = [
            Queued,
            Running,
            AwaitingApproval,
            Interrupted,
            Completed,
            Failed,
            Cancelled,
        ];
        phases.into_iter().find(|phase| *phase as i64 == number)
    }

    /// The phase that an event leads to, if it changes it.
    #[must_use]
    pub fn after(event: &Event) -> Option<Self> {
        match event {
            Event::Created { .. } | Event::Queued { .. } => Some(Self::Queued),
            Event::InProgress { .. } | Event::ApprovalDecided { .. } => Some(Self::Running),
            Event::ApprovalRequired { .. } => Some(Self::AwaitingApproval),
            Event::Incomplete { .. } => Some(Self::Interrupted),
            Event::Completed { .. } => Some(Self::Completed),
            Event::Failed { .. } => Some(Self::Failed),
            Event::Cancelled { .. } => Some(Self::Cancelled),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    #[must_use]
    pub fn is_in_flight(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// Whether the response keeps its session from beginning another one.
    pub(crate) fn is_open(self) -> bool {
        self.is_in_flight() || self == Self::AwaitingApproval
    }

    /// Why a session with a response in this phase cannot open another one, if it cannot.
    pub(crate) fn conflict(self) -> Option<AppendError> {
        match self {
            Self::AwaitingApproval => Some(AppendError::ApprovalPending),
            phase if phase.is_open() => Some(AppendError::Busy),
            _ => None,
        }
    }
}

/// A response to create, together with its first events.
#[derive(Debug, Clone, Default)]
pub struct NewResponse {
    pub owner: String,
    /// Unix seconds.
    pub created_at: u64,
    /// Whether its session begins with it.
    pub opens_session: bool,
    /// What it can be found by.
    pub metadata: Vec<(String, String)>,
    /// Names that it takes; see [`AppendError::Taken`].
    pub claims: Vec<Claim>,
    /// Who is told of its events.
    pub webhook: Option<NewWebhook>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRow {
    pub id: ResponseId,
    pub session_id: SessionId,
    pub owner: String,
    pub phase: Phase,
    /// Newest durable sequence number.
    pub head: u64,
    pub created_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    pub owner: String,
    pub fence: u64,
    pub created_at: u64,
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    pub seq: u64,
    pub name: String,
    pub body: String,
    pub private: Option<String>,
}

/// One append, encoded.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub session: SessionId,
    pub response: ResponseId,
    pub fence: u64,
    pub create: Option<NewResponse>,
    pub events: Vec<StoredEvent>,
    pub phase: Option<Phase>,
}

impl Commit {
    /// Whether the events are numbered `next`, `next + 1` … and nothing follows a terminal one.
    ///
    /// # Errors
    /// [`AppendError::OutOfOrder`] when not.
    pub fn check_order(&self, next: u64) -> Result<(), AppendError> {
        let is_numbered = (next..)
            .zip(&self.events)
            .all(|(seq, event)| event.seq == seq);
        let terminal = self
            .events
            .iter()
            .position(|event| Event::is_terminal(&event.name));
        let is_last = terminal.is_none_or(|index| index + 1 == self.events.len());
        if is_numbered && is_last && !self.events.is_empty() {
            Ok(())
        } else {
            Err(AppendError::OutOfOrder)
        }
    }

    /// Whether the response is open after this commit.
    pub fn opens(&self) -> bool {
        self.phase.is_some_and(Phase::is_open)
    }

    /// The events that a webhook may want.
    pub fn told(&self) -> impl Iterator<Item = &StoredEvent> {
        let events = self.events.iter();
        events.filter(|event| WebhookRequest::may_name(&event.name))
    }

    pub fn last_seq(&self) -> u64 {
        self.events.last().map_or(0, |event| event.seq)
    }
}
