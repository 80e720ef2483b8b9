//! Downloads: `HEAD` and `GET /{repo}/resolve/{rev}/{path}`, whole or in part.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::access;
use super::git::Entry;
use super::kind::RepoKind;
use crate::error::HubError;
use crate::state::App;
use crate::token::Caller;

pub async fn file(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<RepoKind>,
    Path((namespace, name, revision, path)): Path<(String, String, String, String)>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, HubError> {
    let repo = access::readable(&app, kind, (&namespace, &name), caller).await?;
    let (entry, oid) = {
        let repo = repo.read().await;
        let commit = repo
            .revision(&revision)
            .ok_or_else(|| HubError::revision_not_found(&revision))?;
        let entry = commit.files.get(&path);
        let entry = entry.ok_or_else(|| HubError::entry_not_found(&path, &commit.oid))?;
        (entry.clone(), commit.oid.clone())
    };
    let range = match headers.get(RANGE) {
        None => None,
        Some(range) => Some(part(range, entry.size).ok_or_else(|| {
            HubError::new(StatusCode::RANGE_NOT_SATISFIABLE, "Range Not Satisfiable")
                .header("content-range", &format!("bytes */{}", entry.size))
        })?),
    };
    let (start, length) = range.unwrap_or((0, entry.size));
    let mut content = app.repos.blobs.open_file(entry.key()).await?;
    content.seek(std::io::SeekFrom::Start(start)).await?;
    let mut response = Response::new(Body::from_stream(ReaderStream::new(content.take(length))));
    describe(response.headers_mut(), &entry, &path, &oid);
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let text = format!("bytes {start}-{}/{}", start + length - 1, entry.size);
        put(response.headers_mut(), CONTENT_RANGE, &text);
    }
    Ok(response)
}

fn describe(headers: &mut HeaderMap, entry: &Entry, path: &str, commit: &str) {
    let name: String = path
        .rsplit('/')
        .next()
        .unwrap_or(path)
        .replace(['"', '\\'], "_");
    put(headers, ETAG, &format!("\"{}\"", entry.key()));
    put(headers, HeaderName::from_static("x-repo-commit"), commit);
    put(headers, ACCEPT_RANGES, "bytes");
    put(headers, CONTENT_TYPE, media_type(path));
    put(
        headers,
        CONTENT_DISPOSITION,
        &format!("inline; filename=\"{name}\";"),
    );
    if let Some(sha256) = &entry.lfs {
        put(
            headers,
            HeaderName::from_static("x-linked-etag"),
            &format!("\"{sha256}\""),
        );
        put(
            headers,
            HeaderName::from_static("x-linked-size"),
            &entry.size.to_string(),
        );
    }
}

/// A name that HTTP does not allow in a header is left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "json" => "application/json; charset=utf-8",
        "md" | "txt" | "py" | "csv" | "jsonl" | "yaml" | "yml" | "toml" => {
            "text/plain; charset=utf-8"
        }
        _ => "application/octet-stream",
    }
}

/// Start and length of a single `bytes=` range; nothing if it lies outside.
fn part(range: &HeaderValue, size: u64) -> Option<(u64, u64)> {
    let (from, to) = range
        .to_str()
        .ok()?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    let (start, end) = match (from.is_empty(), to.is_empty()) {
        (true, _) => (size.saturating_sub(to.parse().ok()?), size),
        (false, true) => (from.parse().ok()?, size),
        (false, false) => (
            from.parse().ok()?,
            to.parse::<u64>().ok()?.saturating_add(1).min(size),
        ),
    };
    (start < end).then(|| (start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |text: &'static str| part(&HeaderValue::from_static(text), 100);
        assert_eq!(part("bytes=0-0"), Some((0, 1)));
        assert_eq!(part("bytes=90-"), Some((90, 10)));
        assert_eq!(part("bytes=-10"), Some((90, 10)));
        assert_eq!(part("bytes=50-1000"), Some((50, 50)));
        assert_eq!(part("bytes=100-"), None);
        assert_eq!(part("lines=1-2"), None);
    }
}
