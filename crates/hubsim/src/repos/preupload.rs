//! `POST …/preupload/{rev}`: how each file is to be uploaded, and which ones are there already.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, RevisionPath};
use super::kind::RepoKind;
use super::upload_mode;
use crate::body::JsonBody;
use crate::error::HubError;
use crate::state::App;
use crate::token::Caller;

#[derive(Debug, Deserialize)]
pub struct Announcement {
    files: Vec<AnnouncedFile>,
}

#[derive(Debug, Deserialize)]
struct AnnouncedFile {
    path: String,
    #[serde(default)]
    sample: String,
    #[serde(default)]
    size: u64,
}

pub async fn modes(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision)): RevisionPath,
    caller: Caller,
    JsonBody(body): JsonBody<Announcement>,
) -> Result<Json<Value>, HubError> {
    let (repo, _) = access::writable(&app, kind, (&namespace, &name), caller).await?;
    let repo = repo.read().await;
    let commit = repo
        .revision(&revision)
        .ok_or_else(|| HubError::revision_not_found(&revision))?;
    let files: Vec<Value> = body
        .files
        .iter()
        .map(|file| {
            let sample = BASE64_STANDARD.decode(&file.sample).unwrap_or_default();
            let large = upload_mode::is_large(&file.path, file.size, &sample);
            let mut answer = json!({
                "path": file.path,
                "uploadMode": if large { "lfs" } else { "regular" },
                "shouldIgnore": false,
            });
            if let Some(entry) = commit.files.get(&file.path) {
                answer["oid"] = json!(entry.key());
            }
            answer
        })
        .collect();
    Ok(Json(json!({"files": files, "commitOid": commit.oid})))
}
