//! The session's collection on the Hub: where jobs put the repos they make, and where the session's own are kept together.

use crate::draft::now;
use crate::work::{TurnError, Work};
use platform::{CollectionItem, Platform, PlatformError, RepoKind, Token};
use protocol::{Artifact, Event, SessionId};
use std::time::Duration;

/// How long a turn's end may be held up by it.
const PATIENCE: Duration = Duration::from_secs(5);
/// The Hub takes titles of fewer than 60 characters.
const LONGEST_TITLE: usize = 59;

/// What the collection holds, and its slug.
struct Gathered {
    slug: String,
    items: Vec<CollectionItem>,
}

impl Work<'_> {
    /// At a turn's end: finds the repos that jobs have put into the session's collection, and adds those that the session
    /// knows and the collection lacks. As good as the Hub and the token allow; the turn ends all the same.
    pub(crate) async fn gather_artifacts(&mut self) -> Result<(), TurnError> {
        let state = self.recorder.state();
        if state.artifacts.is_empty() {
            // No job, no repo: nothing can be in a collection.
            return Ok(());
        }
        let Some(response) = &state.response else {
            return Ok(());
        };
        let title = title(&response.session_id, state.began_at.unwrap_or_default());
        let own: Vec<CollectionItem> = state.artifacts.iter().filter_map(item).collect();
        let session = std::sync::Arc::clone(&self.session);
        let gathering = gather(
            &session.platform,
            &session.token,
            &session.account,
            &title,
            &own,
        );
        let stop = self.stop.token().clone();
        let gathered = tokio::select! {
            gathered = tokio::time::timeout(PATIENCE, gathering) => gathered,
            () = stop.cancelled() => return Ok(()),
        };
        match gathered {
            Ok(Ok(Some(gathered))) => self.record_gathered(gathered).await,
            Ok(Ok(None)) => Ok(()),
            Ok(Err(error)) => {
                tracing::info!(response = %self.recorder.id(), %error, "the session's collection could not be read");
                Ok(())
            }
            Err(_) => {
                tracing::info!(response = %self.recorder.id(), "the session's collection took too long");
                Ok(())
            }
        }
    }

    async fn record_gathered(&mut self, gathered: Gathered) -> Result<(), TurnError> {
        let platform = self.session.platform.clone();
        let collection = Artifact::Collection {
            url: platform.collection_url(&gathered.slug),
            slug: gathered.slug,
            created_at: now(),
        };
        let artifacts = gathered
            .items
            .into_iter()
            .filter(|item| !is_sandbox(item))
            .map(|item| artifact(&platform, item))
            .chain([collection]);
        let state = self.recorder.state();
        let new: Vec<_> = artifacts
            .filter(|artifact| !state.knows(artifact))
            .map(|artifact| Event::ArtifactCreated { artifact }.into())
            .collect();
        self.record(new).await
    }
}

/// Reads the collection and adds to it what of `own` it lacks. One that would be empty is not made.
async fn gather(
    platform: &Platform,
    token: &Token,
    account: &str,
    title: &str,
    own: &[CollectionItem],
) -> Result<Option<Gathered>, PlatformError> {
    let slug = match platform.find_collection(token, account, title).await? {
        Some(slug) => slug,
        None if own.is_empty() => return Ok(None),
        None => {
            let description = "Made by ml-intern in one session.";
            platform
                .create_collection(token, account, title, description)
                .await?
        }
    };
    let items = platform.collection(token, &slug).await?.items;
    for item in own.iter().filter(|item| !items.contains(item)) {
        if let Err(error) = platform.add_to_collection(token, &slug, item).await {
            tracing::info!(%error, "a repo could not be added to the session's collection");
        }
    }
    Ok(Some(Gathered { slug, items }))
}

/// `ml-intern-artifacts-{date the session began}-{session id}`, cut to what the Hub takes.
fn title(session: &SessionId, began_at: u64) -> String {
    let began = i64::try_from(began_at).ok();
    let began = began.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let date = began.unwrap_or_default().strftime("%Y-%m-%d").to_string();
    let whole = format!("ml-intern-artifacts-{date}-{session}");
    let cut: String = whole.chars().take(LONGEST_TITLE).collect();
    cut.trim_end_matches(['-', '.', '_']).to_owned()
}

/// A repo as an item; other artifacts are none.
fn item(artifact: &Artifact) -> Option<CollectionItem> {
    let (kind, id) = match artifact {
        Artifact::Model { repo_id, .. } => (RepoKind::Model, repo_id),
        Artifact::Dataset { repo_id, .. } => (RepoKind::Dataset, repo_id),
        Artifact::Space { repo_id, .. } => (RepoKind::Space, repo_id),
        _ => return None,
    };
    Some(CollectionItem {
        kind,
        id: id.clone(),
    })
}

fn artifact(platform: &Platform, item: CollectionItem) -> Artifact {
    let (repo_id, created_at) = (item.id, now());
    let url = platform.repo_url(item.kind, &repo_id);
    match item.kind {
        RepoKind::Model => Artifact::Model {
            repo_id,
            url,
            created_at,
        },
        RepoKind::Dataset => Artifact::Dataset {
            repo_id,
            url,
            created_at,
        },
        RepoKind::Space => Artifact::Space {
            repo_id,
            url,
            created_at,
        },
    }
}

/// A Space that served as a sandbox is scaffolding, not a result.
fn is_sandbox(item: &CollectionItem) -> bool {
    let name = item.id.rsplit('/').next().unwrap_or_default();
    let is_hex = |rest: &str| rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    item.kind == RepoKind::Space && name.strip_prefix("sandbox-").is_some_and(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_fits_the_hub_and_names_the_session() {
        let session = SessionId::fresh();
        let title = title(&session, 1_764_000_000);
        assert!(
            title.starts_with("ml-intern-artifacts-2025-11-24-sess_"),
            "{title}"
        );
        assert_eq!(title.chars().count(), 59);
    }

    #[test]
    fn sandboxes_are_no_artifacts() {
        let space = |id: &str| CollectionItem {
            kind: RepoKind::Space,
            id: id.into(),
        };
        assert!(is_sandbox(&space("alice/sandbox-0123abcd")));
        assert!(!is_sandbox(&space("alice/sandbox-of-mine")));
    }
}
