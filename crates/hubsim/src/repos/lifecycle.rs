//! Creating, deleting, and the settings of a repository.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, RepoPath};
use super::git::{Entry, Files};
use super::kind::RepoKind;
use super::repo::Repo;
use super::upload_mode;
use crate::body::JsonBody;
use crate::error::HubError;
use crate::ids::stable_id;
use crate::state::App;
use crate::token::Caller;

#[derive(Debug, Deserialize)]
pub struct Create {
    name: String,
    organization: Option<String>,
    #[serde(rename = "type")]
    kind: Option<RepoKind>,
    visibility: Option<String>,
    private: Option<bool>,
    sdk: Option<String>,
}

/// `POST /api/repos/create`
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<Create>,
) -> Result<Json<Value>, HubError> {
    let account = caller.require()?;
    let namespace = body.organization.as_deref().unwrap_or(&account.name);
    access::may_write(&account, namespace)?;
    let kind = body.kind.unwrap_or(RepoKind::Model);
    check(&body, kind)?;
    let id = format!("{namespace}/{}", body.name);
    let private = is_private(body.visibility.as_deref(), body.private).unwrap_or(false);
    let repo = Repo::new(kind, &id, private, body.sdk, first_files(&app).await?);
    let url = format!("{}/{}{id}", app.url, kind.prefix());
    if !app.repos.add(repo).await? {
        let error = format!("You already created this {} repo", kind.as_str());
        return Err(HubError::with_body(
            StatusCode::CONFLICT,
            json!({"error": error, "url": url}),
        ));
    }
    Ok(Json(json!({"url": url, "name": id, "id": stable_id(&url)})))
}

fn check(body: &Create, kind: RepoKind) -> Result<(), HubError> {
    if !is_repo_name(&body.name) {
        return Err(HubError::bad_request(format!(
            "Invalid repo name: {} - name must be 1 to 96 letters, digits, '-', '_' or '.'",
            body.name
        )));
    }
    let sdk = body.sdk.as_deref();
    if kind == RepoKind::Space
        && !sdk.is_some_and(|sdk| ["docker", "gradio", "static", "streamlit"].contains(&sdk))
    {
        return Err(HubError::bad_request(
            "Invalid option: a Space needs an sdk: gradio, docker or static",
        ));
    }
    Ok(())
}

fn is_repo_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=96).contains(&name.len())
        && name.chars().all(allowed)
        && !name.starts_with(['.', '-'])
        && !name.ends_with(['.', '-'])
        && !name.contains("..")
        && !name.contains("--")
        && !name.ends_with(".git")
}

fn is_private(visibility: Option<&str>, private: Option<bool>) -> Option<bool> {
    visibility.map(|word| word == "private").or(private)
}

/// What a new repository starts with.
pub async fn first_files(app: &App) -> Result<Files, HubError> {
    let attributes = upload_mode::attributes();
    let entry = Entry::regular(attributes.as_bytes());
    app.repos
        .blobs
        .put(entry.key(), attributes.as_bytes())
        .await?;
    Ok([(".gitattributes".to_owned(), entry)].into())
}

#[derive(Debug, Deserialize)]
pub struct Delete {
    name: String,
    organization: Option<String>,
    #[serde(rename = "type")]
    kind: Option<RepoKind>,
}

/// `DELETE /api/repos/delete`; answers `OK`.
pub async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<Delete>,
) -> Result<&'static str, HubError> {
    let account = caller.require()?;
    let namespace = body.organization.as_deref().unwrap_or(&account.name);
    access::may_write(&account, namespace)?;
    let kind = body.kind.unwrap_or(RepoKind::Model);
    if !app
        .repos
        .remove(kind, &format!("{namespace}/{}", body.name))
        .await?
    {
        return Err(HubError::repo_not_found(false));
    }
    Ok("OK")
}

#[derive(Debug, Deserialize)]
pub struct Settings {
    visibility: Option<String>,
    private: Option<bool>,
}

/// `PUT …/settings`: only the visibility has an effect here.
pub async fn settings(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
    JsonBody(body): JsonBody<Settings>,
) -> Result<Json<Value>, HubError> {
    let (repo, _) = access::writable(&app, kind, (&namespace, &name), caller).await?;
    let mut repo = repo.write().await;
    if let Some(private) = is_private(body.visibility.as_deref(), body.private) {
        repo.private = private;
        app.repos.save(&repo).await?;
    }
    Ok(Json(json!({"private": repo.private})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repo_names() {
        for good in ["a", "my-model_1.0", "imdb"] {
            assert!(is_repo_name(good), "{good}");
        }
        for bad in ["", "a/b", "..", "a..b", "-a", "a.git", "ä", "a--b"] {
            assert!(!is_repo_name(bad), "{bad}");
        }
    }
}
