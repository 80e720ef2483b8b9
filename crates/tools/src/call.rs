//! What a running call is given.

use crate::{McpServers, Sandbox, Started};
use platform::{Platform, Token};
use protocol::{Artifact, PlanItem, ResponseId};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the tools of one live session share. Holds the caller's token, in memory only, for the session's life.
pub struct ToolSession {
    pub platform: Platform,
    pub token: Token,
    /// The account behind the token: the default namespace.
    pub account: String,
    /// Every namespace the account may act in, its own first.
    pub namespaces: Vec<String>,
    pub sandbox: Arc<Sandbox>,
    /// MCP servers that requests of this session have brought.
    pub mcp: Arc<McpServers>,
    /// Files the model has seen in the current sandbox. A plain mutex: set operations only.
    seen: Mutex<HashSet<String>>,
}

impl ToolSession {
    #[must_use]
    pub fn new(
        platform: Platform,
        token: Token,
        account: String,
        orgs: &[String],
        sandbox: Arc<Sandbox>,
        mcp: Arc<McpServers>,
    ) -> Self {
        let namespaces = std::iter::once(account.clone())
            .chain(orgs.iter().cloned())
            .collect();
        Self {
            platform,
            token,
            account,
            namespaces,
            sandbox,
            mcp,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn mark_seen(&self, path: &str) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned());
    }

    pub(crate) fn has_seen(&self, path: &str) -> bool {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(path)
    }
}

/// Something that happens while a call runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// A piece of output.
    Log(String),
    Plan(Vec<PlanItem>),
    Artifact(Artifact),
    /// The call has started something that costs money while it runs; a job is also an artifact. Must come before
    /// anything that the started thing prints.
    Started(Started),
    /// The stage of the job that the call follows.
    JobStage {
        url: String,
        stage: String,
    },
}

/// One call in flight.
#[derive(Clone)]
pub struct Call {
    /// The model's id for the call: the key under which its effects can be found again.
    pub id: String,
    pub response: ResponseId,
    pub session: Arc<ToolSession>,
    pub reports: mpsc::Sender<(String, Report)>,
    pub cancel: CancellationToken,
}

impl Call {
    /// Reports something; waits while the journal is behind (that is the backpressure). A report after the turn has gone
    /// is dropped.
    pub async fn report(&self, report: Report) {
        let _ = self.reports.send((self.id.clone(), report)).await;
    }
}

/// Unix seconds, for display only.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
