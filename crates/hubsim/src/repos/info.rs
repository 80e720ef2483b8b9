//! What the Hub says about a repository.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::access::{self, RepoPath, RevisionPath};
use super::card;
use super::git::Entry;
use super::kind::RepoKind;
use super::repo::{Commit, MAIN, Repo};
use super::store::Repos;
use crate::clock::iso;
use crate::error::HubError;
use crate::ids::stable_id;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

/// Bytes of a README that are looked at.
const LONGEST_README: u64 = 1 << 20;

/// `GET /api/{kind}/{id}`
pub async fn head(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, HubError> {
    show(&app, kind, (&namespace, &name), MAIN, caller, &query).await
}

/// `GET /api/{kind}/{id}/revision/{rev}`
pub async fn revision(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision)): RevisionPath,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, HubError> {
    show(&app, kind, (&namespace, &name), &revision, caller, &query).await
}

async fn show(
    app: &App,
    kind: RepoKind,
    path: (&str, &str),
    revision: &str,
    caller: Caller,
    query: &Query,
) -> Result<Json<Value>, HubError> {
    let repo = access::readable(app, kind, path, caller).await?;
    let repo = repo.read().await;
    let commit = repo
        .revision(revision)
        .ok_or_else(|| HubError::revision_not_found(revision))?;
    let mut view = describe(&app.repos, &repo, commit).await;
    view["siblings"] = siblings(commit, query.flag("blobs"));
    let expand: Vec<&str> = query.all("expand").collect();
    if let (false, Some(all)) = (expand.is_empty(), view.as_object_mut()) {
        all.retain(|key, _| key == "_id" || key == "id" || expand.contains(&key.as_str()));
    }
    Ok(Json(view))
}

/// Everything but the list of files.
pub async fn describe(repos: &Repos, repo: &Repo, commit: &Commit) -> Value {
    let readme = readme(repos, commit).await;
    let card = card::data(&readme);
    let at = |millis| iso(jiff::Timestamp::from_millisecond(millis).unwrap_or_default());
    let mut view = json!({
        "_id": stable_id(&format!("{}:{}", repo.kind.as_str(), repo.id)),
        "id": repo.id,
        "author": repo.namespace(),
        "sha": commit.oid,
        "private": repo.private,
        "gated": false,
        "disabled": false,
        "downloads": 0,
        "downloadsAllTime": 0,
        "likes": 0,
        "lastModified": at(repo.head().millis),
        "createdAt": at(repo.created),
        "tags": card::tags(&readme),
        "usedStorage": commit.files.values().map(|entry| entry.size).sum::<u64>(),
    });
    of_its_kind(&mut view, repo, &card);
    if !card.is_empty() {
        view["cardData"] = Value::Object(card);
    }
    view
}

fn of_its_kind(view: &mut Value, repo: &Repo, card: &Map<String, Value>) {
    match repo.kind {
        RepoKind::Model => {
            view["modelId"] = json!(repo.id);
            view["spaces"] = json!([]);
            for key in ["pipeline_tag", "library_name"] {
                if let Some(value) = card.get(key) {
                    view[key] = value.clone();
                }
            }
        }
        RepoKind::Dataset => {
            view["description"] = json!("");
            view["citation"] = Value::Null;
        }
        RepoKind::Space => {
            let slug = repo.id.replace(['/', '_', '.'], "-").to_lowercase();
            view["sdk"] = json!(repo.sdk);
            view["host"] = json!(format!("https://{slug}.hf.space"));
            view["subdomain"] = json!(slug);
            view["models"] = json!([]);
            view["datasets"] = json!([]);
        }
    }
}

async fn readme(repos: &Repos, commit: &Commit) -> String {
    let Some(entry) = commit
        .files
        .get("README.md")
        .filter(|entry| entry.size <= LONGEST_README)
    else {
        return String::new();
    };
    let content = repos.blobs.read(entry.key()).await.unwrap_or_default();
    String::from_utf8_lossy(&content).into_owned()
}

/// The list of files, with sizes and ids when asked for.
pub fn siblings(commit: &Commit, blobs: bool) -> Value {
    let sibling = |(path, entry): (&String, &Entry)| {
        let mut view = json!({"rfilename": path});
        if blobs {
            view["size"] = json!(entry.size);
            view["blobId"] = json!(entry.oid);
            if let Some(sha256) = &entry.lfs {
                view["lfs"] = json!({"sha256": sha256, "size": entry.size, "pointerSize": entry.pointer_size()});
            }
        }
        view
    };
    commit.files.iter().map(sibling).collect()
}
