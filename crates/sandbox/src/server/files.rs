//! Reading, listing, looking at and removing files.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::body::Body;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::failure::Failure;
use super::request::query;
use crate::wire::{FileKind, FileStat, Listing};

/// Entries of a folder that are listed at most.
const LONGEST_LISTING: usize = 100_000;
const READ_AT_ONCE: usize = 64 << 10;

#[derive(Deserialize)]
pub(super) struct Place {
    pub path: String,
}

#[derive(Deserialize)]
struct Range {
    path: String,
    #[serde(default)]
    offset: u64,
    length: Option<u64>,
}

#[derive(Deserialize)]
struct Removal {
    path: String,
    #[serde(default)]
    recursive: String,
}

/// Runs file work where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    subject: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| Failure::io(subject, &error))
}

pub(super) async fn read(uri: Uri) -> Result<Response, Failure> {
    let Range {
        path,
        offset,
        length,
    } = query(&uri)?;
    let place = PathBuf::from(&path);
    // Opening a pipe or a device could block or never end.
    let file = blocking(&path, move || {
        if fs::metadata(&place)?.is_file() {
            fs::File::open(place)
        } else {
            Err(not_a_file())
        }
    })
    .await?;
    let mut file = tokio::fs::File::from_std(file);
    file.seek(io::SeekFrom::Start(offset))
        .await
        .map_err(|error| Failure::io(&path, &error))?;
    let content = ReaderStream::with_capacity(file.take(length.unwrap_or(u64::MAX)), READ_AT_ONCE);
    Ok((
        [(CONTENT_TYPE, "application/octet-stream")],
        Body::from_stream(content),
    )
        .into_response())
}

pub(super) fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

pub(super) async fn stat(uri: Uri) -> Result<Json<FileStat>, Failure> {
    let Place { path } = query(&uri)?;
    let place = PathBuf::from(&path);
    blocking(&path, move || look(&place)).await.map(Json)
}

pub(super) async fn list(uri: Uri) -> Result<Json<Listing>, Failure> {
    let Place { path } = query(&uri)?;
    let place = PathBuf::from(&path);
    let entries = blocking(&path, move || {
        let mut entries: Vec<FileStat> = fs::read_dir(place)?
            .take(LONGEST_LISTING + 1)
            // What disappears meanwhile isn't there.
            .filter_map(|entry| look(&entry.ok()?.path()).ok())
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    });
    let entries = entries.await?;
    if entries.len() > LONGEST_LISTING {
        return Err(Failure::too_large(
            "the folder has more than 100,000 entries",
        ));
    }
    Ok(Json(Listing { entries }))
}

pub(super) async fn delete(uri: Uri) -> Result<Json<Value>, Failure> {
    let Removal { path, recursive } = query(&uri)?;
    let place = PathBuf::from(&path);
    blocking(&path, move || {
        match fs::symlink_metadata(&place)?.is_dir() {
            false => fs::remove_file(place),
            true if matches!(recursive.as_str(), "1" | "true") => fs::remove_dir_all(place),
            true => fs::remove_dir(place),
        }
    })
    .await?;
    Ok(Json(json!({ "ok": true })))
}

pub(super) async fn mkdir(uri: Uri) -> Result<Json<Value>, Failure> {
    let Place { path } = query(&uri)?;
    let place = PathBuf::from(&path);
    blocking(&path, move || fs::create_dir_all(place)).await?;
    Ok(Json(json!({ "ok": true })))
}

/// Follows links, except one that leads nowhere.
fn look(path: &Path) -> io::Result<FileStat> {
    let data = fs::metadata(path).or_else(|_| fs::symlink_metadata(path))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(FileStat {
        name: name.to_string_lossy().into_owned(),
        path: path.to_string_lossy().into_owned(),
        kind: kind(&data),
        size: data.len(),
        mtime_ms: modified(&data),
        mode: format!("{:o}", data.permissions().mode() & 0o7777),
    })
}

fn kind(data: &Metadata) -> FileKind {
    match data.file_type() {
        kind if kind.is_file() => FileKind::File,
        kind if kind.is_dir() => FileKind::Dir,
        kind if kind.is_symlink() => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

fn modified(data: &Metadata) -> Option<i64> {
    let since = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}
