//! One job: what it is, and where it stands.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::logs::Log;
use super::spec::Spec;
use crate::ids;
use crate::token::Account;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Scheduling,
    Running,
    Completed,
    Canceled,
    Error,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduling => "SCHEDULING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
            Self::Error => "ERROR",
        }
    }

    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Scheduling | Self::Running)
    }
}

/// The part of a job that changes by itself.
#[derive(Debug, Clone)]
pub struct Status {
    pub stage: Stage,
    pub message: Option<String>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// A job and its folder. Not `Debug`: the specification holds secrets.
pub struct Job {
    pub id: String,
    pub owner: Account,
    pub spec: Spec,
    pub created_at: Timestamp,
    /// Its own loopback address: exposed ports of different jobs do not collide.
    pub address: Ipv4Addr,
    pub log: Arc<Log>,
    /// Asks the job to end.
    pub cancel: CancellationToken,
    labels: Mutex<BTreeMap<String, String>>,
    status: watch::Sender<Status>,
    folder: PathBuf,
}

impl Job {
    /// A new job in stage SCHEDULING; `number` makes its address its own. Its folder must not exist yet.
    pub fn new(owner: Account, spec: Spec, number: u32, jobs: &Path) -> std::io::Result<Self> {
        let id = ids::random_id();
        let folder = jobs.join(&id);
        std::fs::create_dir_all(&folder)?;
        let status = Status {
            stage: Stage::Scheduling,
            message: None,
            started_at: None,
            finished_at: None,
        };
        Ok(Self {
            owner,
            created_at: Timestamp::now(),
            address: address(number),
            log: Arc::new(Log::create(folder.join("log.ndjson"))?),
            cancel: CancellationToken::new(),
            labels: Mutex::new(spec.labels.clone()),
            status: watch::Sender::new(status),
            spec,
            id,
            folder,
        })
    }

    /// What the command may write to; gone when the job has ended.
    pub fn scratch(&self) -> PathBuf {
        self.folder.join("box")
    }

    /// A folder in the scratch folder: `work` (its HOME, where it starts) or `tmp` (its `/tmp`).
    pub fn folder(&self, name: &str) -> PathBuf {
        self.scratch().join(name)
    }

    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Moves to RUNNING.
    pub fn start(&self, at: Timestamp) {
        self.status.send_modify(|status| {
            status.stage = Stage::Running;
            status.started_at = Some(at);
        });
    }

    /// Moves to a terminal stage, once.
    pub fn finish(&self, stage: Stage, message: Option<String>) {
        self.status.send_if_modified(|status| {
            let changes = !status.stage.is_terminal();
            if changes {
                status.stage = stage;
                status.message = message;
                status.finished_at = Some(Timestamp::now());
            }
            changes
        });
    }

    /// Waits for a terminal stage.
    pub async fn finished(&self) {
        let mut status = self.status.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ended = status.wait_for(|status| status.stage.is_terminal()).await;
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        self.labels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn relabel(&self, labels: BTreeMap<String, String>) {
        *self.labels.lock().unwrap_or_else(PoisonError::into_inner) = labels;
    }

    /// Whether a `key=value` (or bare `key`) filter holds.
    pub fn has_label(&self, filter: &str) -> bool {
        let labels = self.labels();
        match filter.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
            None => labels.contains_key(filter),
        }
    }
}

/// 127.a.b.c with a ≥ 64, so that it is never the usual 127.0.0.1.
fn address(number: u32) -> Ipv4Addr {
    let [_, a, b, c] = number.to_be_bytes();
    Ipv4Addr::new(127, 64 + (a & 63), b, c.clamp(1, 254))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_loopback_and_apart() {
        assert_eq!(address(1), Ipv4Addr::new(127, 64, 0, 1));
        assert_eq!(address(258), Ipv4Addr::new(127, 64, 1, 2));
    }
}
