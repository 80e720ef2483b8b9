//! A journal to test, and what to put into it.

use journal::{Entry, Journal, NewResponse};
use protocol::{Budget, CreateRequest, Event, MicroUsd, Response, ResponseId, SessionId};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything here takes; a test that waits for longer has found a lost wake-up.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub journal: Journal,
    folder: Option<TempDir>,
}

impl World {
    pub async fn memory() -> Self {
        Self {
            journal: Journal::open("memory").await.unwrap(),
            folder: None,
        }
    }

    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let journal = Journal::open(&url(&folder)).await.unwrap();
        Self {
            journal,
            folder: Some(folder),
        }
    }

    /// A second journal on the same SQLite store, as another process would have it; `None` on the memory backend.
    pub async fn reopened(&self) -> Option<Journal> {
        Some(
            Journal::open(&url(self.folder.as_ref()?))
                .await
                .expect("the store opens again"),
        )
    }

    /// The SQLite file.
    pub fn file(&self) -> Option<std::path::PathBuf> {
        Some(self.folder.as_ref()?.path().join("journal.db"))
    }
}

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("journal.db").display())
}

pub fn new(owner: &str, opens_session: bool) -> NewResponse {
    NewResponse {
        owner: owner.to_owned(),
        created_at: 1_700_000_000,
        opens_session,
        ..NewResponse::default()
    }
}

pub fn response(id: &ResponseId, session: &SessionId) -> Response {
    let request = CreateRequest::parse(&serde_json::json!({"input": "task", "temperature": 0.1}));
    let budget = Budget::new(MicroUsd(5_000_000), MicroUsd(0), MicroUsd(0));
    Response::submitted(
        id.clone(),
        session.clone(),
        &request.unwrap(),
        "m".into(),
        budget,
        1_700_000_000,
    )
}

/// The first entries of a response.
pub fn opening(id: &ResponseId, session: &SessionId) -> Vec<Entry> {
    let response = response(id, session);
    let queued = response.snapshot(1, |_| {});
    vec![
        Entry::new(
            0,
            Event::Created {
                response: Box::new(response),
            },
        ),
        Entry::new(1, Event::Queued { response: queued }),
    ]
}

/// An event of no consequence.
pub fn note(seq: u64) -> Entry {
    let event = Event::ToolLog {
        item_id: "mcp_1".into(),
        tool: "bash".into(),
        delta: format!("line {seq}\n"),
    };
    Entry::new(seq, event)
}
