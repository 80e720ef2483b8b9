//! `POST …/commit/{rev}`: a commit as newline-delimited JSON, applied as a whole or not at all.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::TryStreamExt;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use tokio_util::io::StreamReader;

use super::access::{self, RevisionPath};
use super::git::{Entry, Files};
use super::kind::RepoKind;
use super::repo::is_main;
use super::upload_mode::{LARGEST_BINARY, LARGEST_REGULAR, is_binary};
use crate::error::HubError;
use crate::query::Query;
use crate::state::App;
use crate::token::Caller;

/// Bytes: a regular file of the largest size in base64, and what stands around it.
const LONGEST_LINE: u64 = LARGEST_REGULAR / 3 * 4 + (64 << 10);
const MOST_OPERATIONS: usize = 25_000;

#[derive(Debug, Deserialize)]
#[serde(tag = "key", content = "value", rename_all = "camelCase")]
enum Line {
    Header(Header),
    File(File),
    LfsFile(LfsFile),
    DeletedFile(Target),
    DeletedFolder(Target),
    DeletedEntry(Target),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    summary: String,
    #[serde(default)]
    description: String,
    parent_commit: Option<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    content: String,
    encoding: Option<String>,
}

#[derive(Debug, Deserialize)]
struct LfsFile {
    path: String,
    oid: String,
    size: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Target {
    path: String,
}

/// A change, its content already in the blob store.
enum Operation {
    Put(String, Entry),
    Delete(String),
}

pub async fn create(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision)): RevisionPath,
    caller: Caller,
    query: Query,
    body: Body,
) -> Result<Json<Value>, HubError> {
    let (repo, account) = access::writable(&app, kind, (&namespace, &name), caller).await?;
    if query.flag("create_pr") {
        return Err(HubError::new(
            StatusCode::NOT_IMPLEMENTED,
            "Pull requests are not simulated",
        ));
    }
    if !is_main(&revision) {
        return Err(HubError::revision_not_found(&revision));
    }
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let (header, operations) = receive(&app, reader).await?;
    let mut repo = repo.write().await;
    if header
        .parent_commit
        .is_some_and(|parent| parent != repo.head().oid)
    {
        return Err(HubError::new(
            StatusCode::PRECONDITION_FAILED,
            "A commit has happened since. Please refresh and try again.",
        ));
    }
    let mut files = repo.head().files.clone();
    apply(&mut files, operations);
    let oid = repo
        .commit(files, &account.name, &header.summary, &header.description)
        .oid
        .clone();
    app.repos.save(&repo).await?;
    let url = format!("{}/{}{}/commit/{oid}", app.url, kind.prefix(), repo.id);
    Ok(Json(
        json!({"success": true, "commitOid": oid, "commitUrl": url, "hookOutput": ""}),
    ))
}

/// Reads all lines, storing contents as they come.
async fn receive(
    app: &App,
    mut reader: impl AsyncBufRead + Unpin,
) -> Result<(Header, Vec<Operation>), HubError> {
    let mut header = None;
    let mut operations = Vec::new();
    while let Some(line) = next_line(&mut reader).await? {
        match parse(&line)? {
            Line::Header(value) => header = Some(value),
            Line::File(file) => operations.push(store(app, file).await?),
            Line::LfsFile(file) => operations.push(point(app, file).await?),
            Line::DeletedFile(target)
            | Line::DeletedFolder(target)
            | Line::DeletedEntry(target) => {
                operations.push(Operation::Delete(target.path));
            }
        }
        if operations.len() > MOST_OPERATIONS {
            return Err(HubError::bad_request("Too many files in one commit"));
        }
    }
    let header = header.ok_or_else(|| HubError::bad_request("The commit has no header"))?;
    Ok((header, operations))
}

fn parse(line: &[u8]) -> Result<Line, HubError> {
    serde_json::from_slice(line)
        .map_err(|error| HubError::bad_request(format!("Invalid commit line: {error}")))
}

/// The next line that is not empty; nothing at the end. Errors: 400 for one that is too long.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Vec<u8>>, HubError> {
    loop {
        let mut line = Vec::new();
        let read = (&mut *reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await;
        let read = read.map_err(|_| HubError::bad_request("The request body broke off"))?;
        if read == 0 {
            return Ok(None);
        }
        if u64::try_from(read).is_ok_and(|read| read >= LONGEST_LINE) && !line.ends_with(b"\n") {
            return Err(too_large("a file of this commit"));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(line));
        }
    }
}

fn too_large(path: &str) -> HubError {
    HubError::bad_request(format!(
        "Your push was rejected because it contains files larger than 10 MiB. Please use large file storage. \
         Offending files: - {path} (ref: refs/heads/main)"
    ))
}

async fn store(app: &App, file: File) -> Result<Operation, HubError> {
    check_path(&file.path)?;
    let content = match file.encoding.as_deref() {
        Some("base64") => BASE64_STANDARD
            .decode(file.content.as_bytes())
            .map_err(|_| HubError::bad_request(format!("Invalid base64 content: {}", file.path)))?,
        _ => file.content.into_bytes(),
    };
    if u64::try_from(content.len()).is_ok_and(|size| size > LARGEST_REGULAR) {
        return Err(too_large(&file.path));
    }
    if content.len() > LARGEST_BINARY && is_binary(&content) {
        return Err(HubError::bad_request(format!(
            "Your push was rejected because it contains binary files. Please use large file storage. \
             Offending files: - {} (ref: refs/heads/main)",
            file.path
        )));
    }
    let entry = Entry::regular(&content);
    app.repos.blobs.put(entry.key(), &content).await?;
    Ok(Operation::Put(file.path, entry))
}

async fn point(app: &App, file: LfsFile) -> Result<Operation, HubError> {
    check_path(&file.path)?;
    if !app.repos.blobs.has(&file.oid).await {
        return Err(HubError::bad_request(format!(
            "LFS pointer pointed to a file that does not exist: {}",
            file.path
        )));
    }
    let size = app
        .repos
        .blobs
        .open_file(&file.oid)
        .await?
        .metadata()
        .await?
        .len();
    if file.size.is_some_and(|announced| announced != size) {
        return Err(HubError::bad_request(format!(
            "Wrong size of {}",
            file.path
        )));
    }
    Ok(Operation::Put(file.path, Entry::large(&file.oid, size)))
}

/// Errors: 400 for a path that does not stay inside the repository.
pub fn check_path(path: &str) -> Result<(), HubError> {
    let bad = |part: &str| part.is_empty() || part == "." || part == ".." || part == ".git";
    if path.len() > 1024 || path.contains(['\0', '\\']) || path.split('/').any(bad) {
        return Err(HubError::bad_request(format!(
            "Invalid path in repo: {path}"
        )));
    }
    Ok(())
}

/// A file replaces a folder of its name and the other way round, as in git.
fn apply(files: &mut Files, operations: Vec<Operation>) {
    for operation in operations {
        match operation {
            Operation::Put(path, entry) => {
                remove(files, &path);
                let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
                for parent in parents {
                    files.remove(parent);
                }
                files.insert(path, entry);
            }
            Operation::Delete(path) => remove(files, path.trim_end_matches('/')),
        }
    }
}

fn remove(files: &mut Files, path: &str) {
    let below = format!("{path}/");
    files.retain(|file, _| file != path && !file.starts_with(&below));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind_parse() {
        for line in [
            r#"{"key":"header","value":{"summary":"s","description":""}}"#,
            r#"{"key":"file","value":{"path":"a","content":"eA==","encoding":"base64"}}"#,
            r#"{"key":"lfsFile","value":{"path":"a","algo":"sha256","oid":"0","size":1}}"#,
            r#"{"key":"deletedFolder","value":{"path":"a/"}}"#,
        ] {
            assert!(parse(line.as_bytes()).is_ok(), "{line}");
        }
        assert!(parse(b"{}").is_err());
    }

    #[test]
    fn operations_apply_in_order() {
        let put = |path: &str| Operation::Put(path.to_owned(), Entry::regular(b"x"));
        let mut files = Files::new();
        apply(
            &mut files,
            vec![put("d/a"), put("d/b"), put("e"), put("f/g")],
        );
        apply(
            &mut files,
            vec![Operation::Delete("d/".into()), put("e/h"), put("f")],
        );
        assert_eq!(files.keys().collect::<Vec<_>>(), ["e/h", "f"]);
    }

    #[test]
    fn paths_stay_inside() {
        assert!(check_path("a/b.txt").is_ok());
        for bad in ["", "/a", "a//b", "../a", "a/..", ".git/config", "a\\b"] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn empty_lines_are_skipped() {
        let mut reader = &b"\n{}\n\n[]"[..];
        assert_eq!(next_line(&mut reader).await.ok().unwrap().unwrap(), b"{}\n");
        assert_eq!(next_line(&mut reader).await.ok().unwrap().unwrap(), b"[]");
        assert!(next_line(&mut reader).await.ok().unwrap().is_none());
    }
}
