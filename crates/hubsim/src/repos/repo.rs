//! One repository: its commits, oldest first, each with all its files.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::git::{self, Files};
use super::kind::RepoKind;

/// The one branch.
pub const MAIN: &str = "main";

/// A state of the files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Commit {
    pub oid: String,
    pub title: String,
    pub message: String,
    pub author: String,
    /// Unix milliseconds.
    pub millis: i64,
    pub files: Files,
}

/// A repository, as it is kept on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Repo {
    pub kind: RepoKind,
    /// `namespace/name`
    pub id: String,
    pub private: bool,
    /// Only for Spaces.
    pub sdk: Option<String>,
    /// Unix milliseconds.
    pub created: i64,
    /// Never empty.
    commits: Vec<Commit>,
}

impl Repo {
    /// A repository with its first commit.
    pub fn new(kind: RepoKind, id: &str, private: bool, sdk: Option<String>, files: Files) -> Self {
        let now = Timestamp::now();
        let author = namespace(id);
        let title = "initial commit".to_owned();
        let first = Commit {
            oid: git::commit(&files, None, author, now.as_second(), &title),
            message: String::new(),
            author: author.to_owned(),
            millis: now.as_millisecond(),
            title,
            files,
        };
        Self {
            kind,
            id: id.to_owned(),
            private,
            sdk,
            created: now.as_millisecond(),
            commits: vec![first],
        }
    }

    pub fn namespace(&self) -> &str {
        namespace(&self.id)
    }

    /// The newest commit.
    pub fn head(&self) -> &Commit {
        // Made with one commit, and commits are only ever added.
        &self.commits[self.commits.len() - 1]
    }

    /// The commit that a branch name, `HEAD`, or a commit id (or the start of one) means.
    pub fn revision(&self, name: &str) -> Option<&Commit> {
        self.position(name).map(|index| &self.commits[index])
    }

    /// A commit and those before it, newest first.
    pub fn history(&self, name: &str) -> Option<Vec<&Commit>> {
        let index = self.position(name)?;
        Some(self.commits[..=index].iter().rev().collect())
    }

    fn position(&self, name: &str) -> Option<usize> {
        if is_main(name) {
            return Some(self.commits.len() - 1);
        }
        let long_enough = name.len() >= 7;
        self.commits
            .iter()
            .rposition(|commit| long_enough && commit.oid.starts_with(name))
    }

    /// Adds a commit with these files; the same files make none. Returns the newest commit.
    pub fn commit(&mut self, files: Files, author: &str, title: &str, message: &str) -> &Commit {
        if files != self.head().files {
            let now = Timestamp::now();
            let text = if message.is_empty() {
                title.to_owned()
            } else {
                format!("{title}\n\n{message}")
            };
            let oid = git::commit(
                &files,
                Some(&self.head().oid),
                author,
                now.as_second(),
                &text,
            );
            self.commits.push(Commit {
                oid,
                title: title.to_owned(),
                message: message.to_owned(),
                author: author.to_owned(),
                millis: now.as_millisecond(),
                files,
            });
        }
        self.head()
    }
}

/// Whether a revision name means the one branch.
pub fn is_main(name: &str) -> bool {
    [MAIN, "HEAD", "refs/heads/main"].contains(&name)
}

fn namespace(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repos::git::Entry;

    #[test]
    fn revisions_and_history() {
        let mut repo = Repo::new(RepoKind::Model, "alice/m", false, None, Files::new());
        let first = repo.head().oid.clone();
        let files: Files = [("a".to_owned(), Entry::regular(b"x"))].into();
        let second = repo.commit(files.clone(), "alice", "add a", "").oid.clone();
        assert_eq!(repo.commit(files, "alice", "again", "").oid, second);
        assert_eq!(repo.revision("HEAD").unwrap().oid, second);
        assert_eq!(repo.revision(&first).unwrap().oid, first);
        assert_eq!(repo.revision(&first[..8]).unwrap().oid, first);
        assert!(repo.revision("nope").is_none());
        assert_eq!(repo.history(MAIN).unwrap().len(), 2);
        assert_eq!(repo.history(&first).unwrap().len(), 1);
    }
}
