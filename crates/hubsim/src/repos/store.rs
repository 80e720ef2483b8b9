//! All repositories: in memory by kind and id, and one file each in the state folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::RwLock as AsyncRwLock;

use super::blobs::Blobs;
use super::kind::RepoKind;
use super::repo::Repo;
use crate::error::HubError;
use crate::ids::{random_id, stable_id};

/// A repository that may be read by many and changed by one at a time.
pub type Shared = Arc<AsyncRwLock<Repo>>;
type Key = (RepoKind, String);

#[derive(Debug)]
pub struct Repos {
    folder: PathBuf,
    pub blobs: Blobs,
    all: RwLock<BTreeMap<Key, Shared>>,
}

impl Repos {
    /// Opens a folder, with the repositories that are in it.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        let records = folder.join("records");
        std::fs::create_dir_all(&records)?;
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir(&records)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let repo: Repo = serde_json::from_slice(&std::fs::read(&path)?)?;
                all.insert(
                    (repo.kind, repo.id.clone()),
                    Arc::new(AsyncRwLock::new(repo)),
                );
            }
        }
        Ok(Self {
            folder: records,
            blobs: Blobs::open(folder.join("blobs"))?,
            all: RwLock::new(all),
        })
    }

    pub fn get(&self, kind: RepoKind, id: &str) -> Option<Shared> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&(kind, id.to_owned())).cloned()
    }

    pub fn of_kind(&self, kind: RepoKind) -> Vec<Shared> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let kept = all.iter().filter(|((found, _), _)| *found == kind);
        kept.map(|(_, repo)| repo.clone()).collect()
    }

    /// Adds a repository unless there is one of that kind and id; says whether it was added.
    pub async fn add(&self, repo: Repo) -> Result<bool, HubError> {
        let shared = Arc::new(AsyncRwLock::new(repo.clone()));
        {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            let key = (repo.kind, repo.id.clone());
            if all.contains_key(&key) {
                return Ok(false);
            }
            all.insert(key, shared);
        }
        self.save(&repo).await?;
        Ok(true)
    }

    /// Forgets a repository; says whether it was there. Its contents stay in the blob store.
    pub async fn remove(&self, kind: RepoKind, id: &str) -> Result<bool, HubError> {
        let removed = {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            all.remove(&(kind, id.to_owned()))
        };
        if removed.is_some() {
            tokio::fs::remove_file(self.record(kind, id)).await?;
        }
        Ok(removed.is_some())
    }

    /// Writes a repository's record; call it with the write lock held after a change.
    pub async fn save(&self, repo: &Repo) -> Result<(), HubError> {
        let text = serde_json::to_vec(repo).map_err(HubError::internal)?;
        let temporary = self.folder.join(format!("{}.new", random_id()));
        tokio::fs::write(&temporary, text).await?;
        tokio::fs::rename(&temporary, self.record(repo.kind, &repo.id)).await?;
        Ok(())
    }

    fn record(&self, kind: RepoKind, id: &str) -> PathBuf {
        self.folder
            .join(format!("{}-{}.json", kind.as_str(), stable_id(id)))
    }
}
