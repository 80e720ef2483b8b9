//! Facts about repositories: whether one exists, when it changed, what files it has.

use crate::{Platform, PlatformError, Token};

/// Kind of repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepoKind {
    Model,
    Dataset,
    Space,
}

/// A repository at its default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoInfo {
    /// `owner/name` as the Hub spells it now; differs from the question after a rename.
    pub id: String,
    /// Head commit.
    pub sha: Option<String>,
    pub private: bool,
    pub created_at: Option<jiff::Timestamp>,
    pub last_modified: Option<jiff::Timestamp>,
    /// Paths of the files at the head commit.
    pub files: Vec<String>,
}

impl Platform {
    /// What is known about a repository; `None` when it does not exist or the token may not see it.
    pub async fn repo(
        &self,
        token: &Token,
        kind: RepoKind,
        id: &str,
    ) -> Result<Option<RepoInfo>, PlatformError> {
        let _ = (token, kind, id);
        Err(PlatformError::unavailable("not written yet"))
    }

    /// The repository's web page.
    pub fn repo_url(&self, kind: RepoKind, id: &str) -> String {
        let prefix = match kind {
            RepoKind::Model => "",
            RepoKind::Dataset => "datasets/",
            RepoKind::Space => "spaces/",
        };
        format!("{}/{prefix}{id}", self.endpoints().hub)
    }
}
