//! Who may read and change a repository.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::kind::RepoKind;
use super::store::Shared;
use crate::error::HubError;
use crate::state::App;
use crate::token::{Account, Caller};

/// Namespace and name in a path.
pub type RepoPath = Path<(String, String)>;
/// Namespace, name and revision in a path.
pub type RevisionPath = Path<(String, String, String)>;

/// A repository the caller may read. Errors: 401 for a bad token; `RepoNotFound` when it is absent or private.
pub async fn readable(
    app: &App,
    kind: RepoKind,
    (namespace, name): (&str, &str),
    caller: Caller,
) -> Result<Shared, HubError> {
    let account = caller.optional()?;
    let anonymous = account.is_none();
    let found = app.repos.get(kind, &format!("{namespace}/{name}"));
    let repo = found.ok_or_else(|| HubError::repo_not_found(anonymous))?;
    let own = account.is_some_and(|account| account.name == namespace);
    if repo.read().await.private && !own {
        return Err(HubError::repo_not_found(anonymous));
    }
    Ok(repo)
}

/// A repository the caller may change. Errors: as [`readable`], and 401 without a token, 403 without the right.
pub async fn writable(
    app: &App,
    kind: RepoKind,
    path: (&str, &str),
    caller: Caller,
) -> Result<(Shared, Account), HubError> {
    let account = caller.clone().require()?;
    let repo = readable(app, kind, path, caller).await?;
    may_write(&account, path.0)?;
    Ok((repo, account))
}

/// Errors: 403.
pub fn may_write(account: &Account, namespace: &str) -> Result<(), HubError> {
    if !account.may_write() {
        return Err(HubError::forbidden(
            "You must use a write token to upload to a repository.",
        ));
    }
    if account.name != namespace {
        return Err(HubError::forbidden(format!(
            "You don't have the rights to create or change a repository under the namespace \"{namespace}\""
        )));
    }
    Ok(())
}

/// `GET …/auth-check`
pub async fn check_read(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    readable(&app, kind, (&namespace, &name), caller).await?;
    Ok(Json(json!({})))
}

/// `GET …/auth-check/write`
pub async fn check_write(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    writable(&app, kind, (&namespace, &name), caller).await?;
    Ok(Json(json!({})))
}
