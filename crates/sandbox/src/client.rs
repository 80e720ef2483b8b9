//! Driving a sandbox from outside.

mod exec;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

use crate::error::{SandboxError, shorten};
use crate::wire::{ErrorBody, Health, Listing, TOKEN_HEADER};

pub use crate::wire::{FileKind, FileStat};
pub use exec::{ExecEvent, ExecSpec};

/// Largest file [`SandboxClient::read`] returns in one piece, and largest JSON answer.
pub const LARGEST_READ: usize = 64 << 20;

const HEALTH_PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(120);
const LARGEST_ERROR: usize = 64 << 10;

/// A sandbox's address and the right to use it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    http: reqwest::Client,
    base_url: String,
    headers: HeaderMap,
}

impl SandboxClient {
    /// `base_url` without a slash at its end. `bearer` is for a proxy in front of the sandbox (Hugging Face Jobs:
    /// the caller's Hub token). `http` should not follow redirects: they would take the sandbox token along.
    pub fn new(
        http: reqwest::Client,
        base_url: String,
        sandbox_token: SecretString,
        bearer: Option<SecretString>,
    ) -> Self {
        let mut headers = HeaderMap::new();
        put(
            &mut headers,
            HeaderName::from_static(TOKEN_HEADER),
            sandbox_token.expose_secret(),
        );
        if let Some(bearer) = bearer {
            put(
                &mut headers,
                AUTHORIZATION,
                &format!("Bearer {}", bearer.expose_secret()),
            );
        }
        Self {
            http,
            base_url,
            headers,
        }
    }

    /// Whether the sandbox answers; waits at most five seconds.
    pub async fn health(&self) -> Result<(), SandboxError> {
        self.health_report().await.map(drop)
    }

    pub(crate) async fn health_report(&self) -> Result<Health, SandboxError> {
        let response = send(
            self.request(Method::GET, "/health")
                .timeout(HEALTH_PATIENCE),
        )
        .await?;
        // Any body will do: the status says it all.
        Ok(json(response).await.unwrap_or_default())
    }

    /// A file's bytes, or those of a range `(offset, length)`; fewer where the file ends.
    pub async fn read(&self, path: &str, range: Option<(u64, u64)>) -> Result<Bytes, SandboxError> {
        let mut request = self.files(Method::GET, "read", path);
        if let Some((offset, length)) = range {
            request = request.query(&[("offset", offset), ("length", length)]);
        }
        body(send(request).await?, LARGEST_READ).await
    }

    /// Replaces or creates a file at once, with its parent folders.
    pub async fn write(&self, path: &str, content: Bytes) -> Result<(), SandboxError> {
        send(self.files(Method::PUT, "write", path).body(content))
            .await
            .map(drop)
    }

    /// `None` if there is nothing at `path`.
    pub async fn stat(&self, path: &str) -> Result<Option<FileStat>, SandboxError> {
        match send(self.files(Method::GET, "stat", path)).await {
            Ok(response) => json(response).await.map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a folder holds, by name.
    pub async fn list(&self, path: &str) -> Result<Vec<FileStat>, SandboxError> {
        let listing: Listing = json(send(self.files(Method::GET, "list", path)).await?).await?;
        Ok(listing.entries)
    }

    /// Removes a file or folder; a folder that isn't empty only if `recursive`.
    pub async fn delete(&self, path: &str, recursive: bool) -> Result<(), SandboxError> {
        let mut request = self.files(Method::DELETE, "delete", path);
        if recursive {
            request = request.query(&[("recursive", "1")]);
        }
        send(request).await.map(drop)
    }

    /// Creates a folder with its parents; fine if it exists.
    pub async fn mkdir(&self, path: &str) -> Result<(), SandboxError> {
        send(self.files(Method::POST, "mkdir", path))
            .await
            .map(drop)
    }

    fn files(&self, method: Method, what: &str, path: &str) -> RequestBuilder {
        self.request(method, &format!("/v1/files/{what}"))
            .query(&[("path", path)])
            .timeout(PATIENCE)
    }

    fn request(&self, method: Method, route: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{route}", self.base_url))
            .headers(self.headers.clone())
    }
}

/// A token that can't be a header can't be right either; the sandbox will say so.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

async fn send(request: RequestBuilder) -> Result<Response, SandboxError> {
    let response = request.send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = body(response, LARGEST_ERROR).await.unwrap_or_default();
    let told = serde_json::from_slice(&text).map(|body: ErrorBody| body.error);
    let mut message = told.unwrap_or_else(|_| String::from_utf8_lossy(&text).into_owned());
    shorten(&mut message, 500);
    Err(SandboxError::Refused {
        status: status.as_u16(),
        message,
    })
}

async fn body(response: Response, limit: usize) -> Result<Bytes, SandboxError> {
    let mut stream = response.bytes_stream();
    let mut all = BytesMut::new();
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece?);
        if all.len() > limit {
            return Err(SandboxError::TooLarge { limit });
        }
    }
    Ok(all.freeze())
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, SandboxError> {
    let bytes = body(response, LARGEST_READ).await?;
    serde_json::from_slice(&bytes).map_err(|error| SandboxError::Protocol(error.to_string()))
}
