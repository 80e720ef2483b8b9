//! All jobs of this simulator, and the room in which they run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use tokio_util::task::TaskTracker;

use super::job::Job;
use super::shims::{self, Shims};
use super::spec::Spec;
use crate::error::HubError;
use crate::token::Account;

/// Jobs that run at the same time; more wait in SCHEDULING.
const PARALLEL: usize = 64;
/// Finished jobs are forgotten beyond this many.
const KEPT: usize = 20_000;

/// Jobs, oldest first.
pub struct Jobs {
    folder: PathBuf,
    list: Mutex<Vec<Arc<Job>>>,
    created: AtomicU32,
    pub slots: Semaphore,
    pub tasks: TaskTracker,
    shims: OnceCell<Shims>,
}

impl Jobs {
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            list: Mutex::default(),
            created: AtomicU32::new(0),
            slots: Semaphore::new(PARALLEL),
            tasks: TaskTracker::new(),
            shims: OnceCell::new(),
        })
    }

    /// The programs that stand in for what a container image offers; made for the first job.
    pub async fn shims(&self) -> std::io::Result<&Shims> {
        let folder = self.folder.join("shims");
        self.shims
            .get_or_try_init(|| async move {
                // Both take a while and are not needed before the first job.
                let prepare = move || {
                    sandbox::confine::warm_up();
                    shims::install(&folder)
                };
                tokio::task::spawn_blocking(prepare).await?
            })
            .await
    }

    /// Adds a job in stage SCHEDULING.
    pub fn add(&self, owner: Account, spec: Spec) -> Result<Arc<Job>, HubError> {
        // Every 256th number is left out, so that the last byte of an address is never 0 or 255.
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let number = (number / 254) * 256 + number % 254 + 1;
        let job = Arc::new(Job::new(owner, spec, number, &self.folder)?);
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= KEPT {
            let finished = list.iter().position(|job| job.status().stage.is_terminal());
            let forgotten = finished.ok_or_else(|| HubError::bad_request("too many jobs"))?;
            list.remove(forgotten);
        }
        list.push(job.clone());
        Ok(job)
    }

    /// All jobs, newest first.
    pub fn all(&self) -> Vec<Arc<Job>> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().rev().cloned().collect()
    }

    /// The jobs of a namespace, newest first.
    pub fn of(&self, namespace: &str) -> Vec<Arc<Job>> {
        let mut jobs = self.all();
        jobs.retain(|job| job.owner.name == namespace);
        jobs
    }

    pub fn get(&self, id: &str) -> Option<Arc<Job>> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().find(|job| job.id == id).cloned()
    }

    /// Waits until no job runs any more, at most `limit`.
    pub async fn wait_for_all(&self, limit: Duration) {
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some jobs did not end in time");
        }
    }
}
