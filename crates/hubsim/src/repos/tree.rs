//! What is in a commit: `GET …/tree/{rev}[/{path}]` and `POST …/paths-info/{rev}`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::access::{self, RevisionPath};
use super::git::{self, Entry, Files};
use super::kind::RepoKind;
use super::repo::Commit;
use crate::clock::iso;
use crate::error::HubError;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

const PAGE: usize = 1000;

/// A place in a repository, as a request names it.
struct Place {
    kind: RepoKind,
    namespace: String,
    name: String,
    revision: String,
    /// Without slashes at the ends; empty for the whole.
    path: String,
}

pub async fn root(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision)): RevisionPath,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    let path = String::new();
    list(
        &app,
        Place {
            kind,
            namespace,
            name,
            revision,
            path,
        },
        caller,
        &query,
    )
    .await
}

pub async fn below(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision, path)): Path<(String, String, String, String)>,
    caller: Caller,
    query: Query,
) -> Result<Response, HubError> {
    let path = path.trim_matches('/').to_owned();
    list(
        &app,
        Place {
            kind,
            namespace,
            name,
            revision,
            path,
        },
        caller,
        &query,
    )
    .await
}

async fn list(
    app: &App,
    place: Place,
    caller: Caller,
    query: &Query,
) -> Result<Response, HubError> {
    let Place {
        kind,
        namespace,
        name,
        revision,
        path,
    } = &place;
    let repo = access::readable(app, *kind, (namespace, name), caller).await?;
    let repo = repo.read().await;
    let commit = repo
        .revision(revision)
        .ok_or_else(|| HubError::revision_not_found(revision))?;
    let items = items(&commit.files, path, query.flag("recursive"));
    if items.is_empty() && !path.is_empty() {
        return Err(HubError::entry_not_found(path, &commit.oid));
    }
    let start = query.number("cursor").unwrap_or(0);
    let limit = query.number("limit").unwrap_or(PAGE).clamp(1, PAGE);
    let expand = query.flag("expand");
    let page = items.iter().skip(start).take(limit);
    let shown: Vec<Value> = page
        .map(|item| item.describe(expand.then_some(commit)))
        .collect();
    let mut response = Json(shown).into_response();
    if let Ok(oid) = commit.oid.parse() {
        response.headers_mut().insert("x-repo-commit", oid);
    }
    if start + limit < items.len() {
        let rest = query.without("cursor");
        let id = &repo.id;
        let address = format!(
            "{}/api/{}/{id}/tree/{}/{path}",
            app.url,
            kind.plural(),
            commit.oid
        );
        let link = format!(
            "<{}?{rest}&cursor={}>; rel=\"next\"",
            address.trim_end_matches('/'),
            start + limit
        );
        if let Ok(link) = link.parse() {
            response.headers_mut().insert("link", link);
        }
    }
    Ok(response)
}

/// A file or a folder.
enum Item<'a> {
    File(&'a str, &'a Entry),
    Folder(String, String),
}

impl Item<'_> {
    fn describe(&self, last_commit: Option<&Commit>) -> Value {
        let mut view = match self {
            Self::Folder(path, oid) => {
                json!({"type": "directory", "oid": oid, "size": 0, "path": path})
            }
            Self::File(path, entry) => {
                let mut view =
                    json!({"type": "file", "oid": entry.oid, "size": entry.size, "path": path});
                if let Some(sha256) = &entry.lfs {
                    view["lfs"] = json!({"oid": sha256, "size": entry.size, "pointerSize": entry.pointer_size()});
                }
                view
            }
        };
        if let Some(commit) = last_commit {
            let at = jiff::Timestamp::from_millisecond(commit.millis).unwrap_or_default();
            view["lastCommit"] = json!({"id": commit.oid, "title": commit.title, "date": iso(at)});
        }
        view
    }
}

/// What lies under a folder, each folder before its content.
fn items<'a>(files: &'a Files, folder: &str, recursive: bool) -> Vec<Item<'a>> {
    let prefix = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let mut items = Vec::new();
    let mut folders = std::collections::BTreeSet::new();
    for (path, entry) in files.iter().filter(|(path, _)| path.starts_with(&prefix)) {
        let rest = &path[prefix.len()..];
        let depth = if recursive { usize::MAX } else { 1 };
        for (at, _) in rest.match_indices('/').take(depth) {
            let inner = &path[..prefix.len() + at];
            if folders.insert(inner) {
                items.push(Item::Folder(
                    inner.to_owned(),
                    git::tree(files, &format!("{inner}/")),
                ));
            }
        }
        if recursive || !rest.contains('/') {
            items.push(Item::File(path, entry));
        }
    }
    items
}

/// The paths that exist, of those asked for in a form or a JSON body.
pub async fn paths_info(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision)): RevisionPath,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, HubError> {
    let repo = access::readable(&app, kind, (&namespace, &name), caller).await?;
    let repo = repo.read().await;
    let commit = repo
        .revision(&revision)
        .ok_or_else(|| HubError::revision_not_found(&revision))?;
    let (paths, expand) = asked(&headers, &body)?;
    let items = items(&commit.files, "", true);
    let wanted = |item: &&Item| match item {
        Item::File(path, _) => paths.iter().any(|p| p == path),
        Item::Folder(path, _) => paths.iter().any(|p| p.trim_end_matches('/') == path),
    };
    let found = items
        .iter()
        .filter(wanted)
        .map(|item| item.describe(expand.then_some(commit)));
    Ok(Json(found.collect()))
}

fn asked(headers: &HeaderMap, body: &[u8]) -> Result<(Vec<String>, bool), HubError> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if !media_type.starts_with("application/json") {
        let form = Query::parse(body);
        return Ok((
            form.all("paths").map(str::to_owned).collect(),
            form.flag("expand"),
        ));
    }
    #[derive(serde::Deserialize)]
    struct Wanted {
        paths: Vec<String>,
        #[serde(default)]
        expand: bool,
    }
    let wanted: Wanted =
        serde_json::from_slice(body).map_err(|error| HubError::bad_request(error.to_string()))?;
    Ok((wanted.paths, wanted.expand))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: &Files, folder: &str, recursive: bool) -> Vec<String> {
        let items = items(files, folder, recursive);
        items
            .iter()
            .map(|item| item.describe(None)["path"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn folders_appear_once() {
        let file = Entry::regular(b"x");
        let names = ["a.txt", "d/b", "d/e/c", "d/e/f", "z"];
        let files: Files = names
            .iter()
            .map(|name| ((*name).to_owned(), file.clone()))
            .collect();
        assert_eq!(paths(&files, "", false), ["a.txt", "d", "z"]);
        assert_eq!(paths(&files, "d", false), ["d/b", "d/e"]);
        assert_eq!(
            paths(&files, "", true),
            ["a.txt", "d", "d/b", "d/e", "d/e/c", "d/e/f", "z"]
        );
        assert!(paths(&files, "nope", true).is_empty());
    }
}
