//! `PUT /v1/files/write`: whole files replaced at once, or a range written in place.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::http::Uri;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::failure::Failure;
use super::files::{blocking, not_a_file};
use super::request::query;

const DEFAULT_MODE: u32 = 0o644;

#[derive(Deserialize)]
struct Target {
    path: String,
    /// Octal permissions.
    mode: Option<String>,
    offset: Option<u64>,
}

pub(super) async fn write(uri: Uri, body: Body) -> Result<Json<Value>, Failure> {
    let target: Target = query(&uri)?;
    let mode = target.mode.as_deref().map(permissions).transpose()?;
    let size = match target.offset {
        Some(offset) => write_range(&target.path, offset, mode, body).await?,
        None => replace(&target.path, mode, body).await?,
    };
    Ok(Json(json!({ "path": target.path, "size": size })))
}

fn permissions(text: &str) -> Result<u32, Failure> {
    let bits = u32::from_str_radix(text.trim_start_matches("0o"), 8)
        .ok()
        .filter(|bits| *bits <= 0o7777);
    bits.ok_or_else(|| Failure::bad("mode must be octal permissions"))
}

/// Readers see the old content or the new one, never a part. A caller who leaves midway changes nothing.
async fn replace(path: &str, mode: Option<u32>, body: Body) -> Result<u64, Failure> {
    let place = PathBuf::from(path);
    let (file, temporary, place, mode) = blocking(path, move || prepare(place, mode)).await?;
    let mut file = File::from_std(file);
    let size = fill(path, &mut file, body).await?;
    let file = file.into_std().await;
    blocking(path, move || {
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_data()?;
        temporary.persist(place).map_err(|error| error.error)
    })
    .await?;
    Ok(size)
}

/// A temporary file beside the real one, which is found through links and whose mode is kept.
fn prepare(place: PathBuf, mode: Option<u32>) -> io::Result<(fs::File, TempPath, PathBuf, u32)> {
    let place = place.canonicalize().unwrap_or(place);
    let existing = match fs::metadata(&place) {
        Ok(data) if data.is_file() => Some(data.permissions().mode() & 0o7777),
        Ok(_) => return Err(not_a_file()),
        Err(_) => None,
    };
    let folder = parent(&place);
    fs::create_dir_all(folder)?;
    let (file, temporary) = tempfile::Builder::new()
        .prefix(".sbx-")
        .tempfile_in(folder)?
        .into_parts();
    Ok((
        file,
        temporary,
        place,
        mode.or(existing).unwrap_or(DEFAULT_MODE),
    ))
}

fn parent(place: &Path) -> &Path {
    place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Several ranges of one file may arrive at the same time, in any order.
async fn write_range(
    path: &str,
    offset: u64,
    mode: Option<u32>,
    body: Body,
) -> Result<u64, Failure> {
    let place = PathBuf::from(path);
    let file = blocking(path, move || {
        if fs::metadata(&place).is_ok_and(|data| !data.is_file()) {
            return Err(not_a_file());
        }
        fs::create_dir_all(parent(&place))?;
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(place)?;
        mode.map_or(Ok(()), |mode| {
            file.set_permissions(Permissions::from_mode(mode))
        })?;
        Ok(file)
    });
    let mut file = File::from_std(file.await?);
    file.seek(io::SeekFrom::Start(offset))
        .await
        .map_err(|error| Failure::io(path, &error))?;
    fill(path, &mut file, body).await
}

async fn fill(path: &str, file: &mut File, body: Body) -> Result<u64, Failure> {
    let mut content = body.into_data_stream();
    let mut size = 0;
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(|_| Failure::bad("the body was cut off"))?;
        file.write_all(&piece)
            .await
            .map_err(|error| Failure::io(path, &error))?;
        size += piece.len() as u64;
    }
    file.flush()
        .await
        .map_err(|error| Failure::io(path, &error))?;
    Ok(size)
}
