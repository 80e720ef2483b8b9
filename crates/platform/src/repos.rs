//! Facts about repositories: whether one exists, when it changed, what files it has.

use jiff::Timestamp;
use serde::Deserialize;

use crate::answer::typed;
use crate::segment::repo_id;
use crate::{ErrorKind, Platform, PlatformError, Token};

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
    pub created_at: Option<Timestamp>,
    pub last_modified: Option<Timestamp>,
    /// Paths of the files at the head commit.
    pub files: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    sha: Option<String>,
    #[serde(default)]
    private: bool,
    created_at: Option<String>,
    last_modified: Option<String>,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: Option<String>,
}

impl RepoKind {
    /// The path segment of the API.
    fn api(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
            Self::Space => "spaces",
        }
    }

    /// The word that the Hub uses for the kind.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Space => "space",
        }
    }

    /// The kind that a word of the Hub's means.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Model, Self::Dataset, Self::Space]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }

    /// What precedes the id in a web address.
    fn web(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
            Self::Space => "spaces/",
        }
    }
}

impl Platform {
    /// What is known about a repository; `None` when it does not exist or the token may not see it.
    pub async fn repo(
        &self,
        token: &Token,
        kind: RepoKind,
        id: &str,
    ) -> Result<Option<RepoInfo>, PlatformError> {
        let path = format!("/api/{}/{}", kind.api(), repo_id(id)?);
        match self
            .read(self.hub_get(Some(token), &path), Some(token))
            .await
        {
            Ok(answer) => Ok(Some(info(typed(answer.body, "a repository")?))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The repository's web page.
    pub fn repo_url(&self, kind: RepoKind, id: &str) -> String {
        format!("{}/{}{id}", self.endpoints().hub, kind.web())
    }
}

fn info(wire: Wire) -> RepoInfo {
    let moment = |text: Option<String>| text.and_then(|text| text.parse().ok());
    RepoInfo {
        id: wire.id,
        sha: wire.sha,
        private: wire.private,
        created_at: moment(wire.created_at),
        last_modified: moment(wire.last_modified),
        files: wire
            .siblings
            .into_iter()
            .filter_map(|sibling| sibling.rfilename)
            .collect(),
    }
}
