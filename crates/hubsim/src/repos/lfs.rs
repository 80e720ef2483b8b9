//! Large files: the git-lfs batch API with basic transfers.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{self, RepoPath};
use super::kind::RepoKind;
use crate::error::HubError;
use crate::state::App;
use crate::token::Caller;

#[derive(Debug, Deserialize)]
struct Batch {
    operation: String,
    objects: Vec<Object>,
}

#[derive(Debug, Deserialize)]
struct Object {
    oid: String,
    size: u64,
}

/// `POST /{repo}.git/info/lfs/objects/batch`
pub async fn batch(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name)): RepoPath,
    caller: Caller,
    body: Bytes,
) -> Result<Response, HubError> {
    let batch: Batch =
        serde_json::from_slice(&body).map_err(|error| HubError::bad_request(error.to_string()))?;
    let name = name.strip_suffix(".git").unwrap_or(&name);
    let uploads = batch.operation == "upload";
    if uploads {
        access::writable(&app, kind, (&namespace, name), caller).await?;
    } else {
        access::readable(&app, kind, (&namespace, name), caller).await?;
    }
    let mut objects = Vec::new();
    for object in &batch.objects {
        objects.push(answer(&app, object, uploads).await);
    }
    let media_type = [(CONTENT_TYPE, "application/vnd.git-lfs+json")];
    let text = json!({"transfer": "basic", "objects": objects}).to_string();
    Ok((media_type, text).into_response())
}

async fn answer(app: &App, object: &Object, uploads: bool) -> Value {
    let Object { oid, size } = object;
    let known = app.repos.blobs.has(oid).await;
    let href = format!("{}/lfs-storage/{oid}", app.url);
    let mut answer = json!({"oid": oid, "size": size});
    if !uploads {
        answer["error"] = json!({"code": 404, "message": "download over resolve instead"});
    } else if !known {
        answer["actions"] = json!({
            "upload": {"href": href, "header": {}},
            "verify": {"href": format!("{href}/verify"), "header": {}},
        });
    }
    answer
}

/// `PUT /lfs-storage/{oid}`: the address itself is the permission, as with a signed URL.
pub async fn upload(
    State(app): State<Arc<App>>,
    Path(oid): Path<String>,
    body: Body,
) -> Result<StatusCode, HubError> {
    if app.repos.blobs.receive(&oid, body).await? {
        return Ok(StatusCode::OK);
    }
    Err(HubError::bad_request(
        "The content does not have the announced SHA-256",
    ))
}

/// `POST /lfs-storage/{oid}/verify`
pub async fn verify(
    State(app): State<Arc<App>>,
    Path(oid): Path<String>,
) -> Result<Json<Value>, HubError> {
    if app.repos.blobs.has(&oid).await {
        return Ok(Json(json!({})));
    }
    Err(HubError::not_found("Object was not uploaded"))
}
