//! Branches and commits of a repository.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::access::{self, RepoPath, RevisionPath};
use super::kind::RepoKind;
use super::repo::{Commit, MAIN};
use crate::clock::iso;
use crate::error::HubError;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

const PAGE: usize = 50;

/// `GET …/refs`: there is one branch and nothing else.
pub async fn refs(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    let repo = access::readable(&app, kind, (&namespace, &name), caller).await?;
    let head = repo.read().await.head().oid.clone();
    let branch = json!({"name": MAIN, "ref": "refs/heads/main", "targetCommit": head});
    Ok(Json(
        json!({"branches": [branch], "converts": [], "tags": [], "pullRequests": []}),
    ))
}

/// `GET …/commits/{rev}?p&limit`
pub async fn commits(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision)): RevisionPath,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    let repo = access::readable(&app, kind, (&namespace, &name), caller).await?;
    let repo = repo.read().await;
    let history = repo
        .history(&revision)
        .ok_or_else(|| HubError::revision_not_found(&revision))?;
    let limit = query.number("limit").unwrap_or(PAGE).clamp(1, 1000);
    let page = query.number("p").unwrap_or(0);
    let start = page.saturating_mul(limit);
    let shown: Vec<Value> = history
        .iter()
        .skip(start)
        .take(limit)
        .map(|commit| describe(commit))
        .collect();
    let mut response = Json(shown).into_response();
    let headers = response.headers_mut();
    headers.insert("x-total-count", history.len().into());
    if start.saturating_add(limit) < history.len() {
        let address = format!(
            "{}/api/{}/{}/commits/{MAIN}",
            app.url,
            kind.plural(),
            repo.id
        );
        let link = format!("<{address}?p={}&limit={limit}>; rel=\"next\"", page + 1);
        if let Ok(link) = link.parse() {
            headers.insert("link", link);
        }
    }
    Ok(response)
}

fn describe(commit: &Commit) -> Value {
    let at = jiff::Timestamp::from_millisecond(commit.millis).unwrap_or_default();
    json!({
        "id": commit.oid,
        "title": commit.title,
        "message": commit.message,
        "authors": [{"user": commit.author, "avatar": format!("/avatars/{}.svg", commit.author)}],
        "date": iso(at),
    })
}
