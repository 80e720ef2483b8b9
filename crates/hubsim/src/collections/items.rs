//! The items of a collection.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::Item;
use super::{SlugPath, writable};
use crate::body::JsonBody;
use crate::error::HubError;
use crate::ids::random_id;
use crate::repos::kind::RepoKind;
use crate::state::App;
use crate::token::Caller;

const KINDS: [&str; 6] = ["paper", "collection", "space", "model", "dataset", "bucket"];
const LONGEST_NOTE: usize = 500;

/// What an item points to.
#[derive(Debug, Deserialize)]
pub struct Named {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Named {
    pub fn into_item(self, note: Option<String>) -> Item {
        Item {
            key: random_id(),
            id: self.id,
            kind: self.kind,
            note,
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Add {
    item: Named,
    note: Option<String>,
}

pub async fn add(
    State(app): State<Arc<App>>,
    Path(path): SlugPath,
    caller: Caller,
    JsonBody(body): JsonBody<Add>,
) -> Result<Json<Value>, HubError> {
    let account = caller.clone().require()?.name;
    let mut collection = writable(&app, &path, caller)?;
    check(&app, &body.item, &account).await?;
    check_note(body.note.as_deref())?;
    let same = |known: &Item| known.id == body.item.id && known.kind == body.item.kind;
    if collection.items.iter().any(same) {
        let error = "This item is already in the collection";
        return Err(HubError::new(StatusCode::CONFLICT, error));
    }
    collection.items.push(body.item.into_item(body.note));
    app.collections.save(collection.clone()).await?;
    Ok(Json(collection.view(usize::MAX)))
}

#[derive(Debug, Deserialize)]
pub struct Change {
    note: Option<String>,
    position: Option<usize>,
}

pub async fn change(
    State(app): State<Arc<App>>,
    Path((namespace, slug, key)): Path<(String, String, String)>,
    caller: Caller,
    JsonBody(body): JsonBody<Change>,
) -> Result<Json<Value>, HubError> {
    let mut collection = writable(&app, &(namespace, slug), caller)?;
    check_note(body.note.as_deref())?;
    let index = collection.position(&key).ok_or_else(no_item)?;
    let mut item = collection.items.remove(index);
    item.note = body.note.or(item.note);
    let to = body.position.unwrap_or(index).min(collection.items.len());
    collection.items.insert(to, item);
    app.collections.save(collection).await?;
    Ok(Json(json!({"success": true})))
}

pub async fn remove(
    State(app): State<Arc<App>>,
    Path((namespace, slug, key)): Path<(String, String, String)>,
    caller: Caller,
) -> Result<Json<Value>, HubError> {
    let mut collection = writable(&app, &(namespace, slug), caller)?;
    let index = collection.position(&key).ok_or_else(no_item)?;
    collection.items.remove(index);
    app.collections.save(collection).await?;
    Ok(Json(json!({"success": true})))
}

/// Errors: 400 for a kind that there is not; 404 for a repository that does not exist or that `account` may not see.
pub async fn check(app: &App, item: &Named, account: &str) -> Result<(), HubError> {
    if !KINDS.contains(&item.kind.as_str()) {
        return Err(HubError::bad_request("Invalid item type"));
    }
    let kind = RepoKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == item.kind);
    let Some(kind) = kind else {
        return Ok(());
    };
    let Some(repo) = app.repos.get(kind, &item.id) else {
        return Err(no_item());
    };
    let repo = repo.read().await;
    if repo.private && repo.namespace() != account {
        return Err(no_item());
    }
    Ok(())
}

fn check_note(note: Option<&str>) -> Result<(), HubError> {
    if note.is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(HubError::bad_request(
            "Invalid note: it may have at most 500 characters",
        ));
    }
    Ok(())
}

fn no_item() -> HubError {
    HubError::not_found("Item not found")
}
