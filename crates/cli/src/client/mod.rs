//! The client of the HTTP API: calls, and the log of a response as one unbroken stream.
//!
//! In: the server's address and the caller's Hugging Face token. Out: [`Snapshot`]s and [`Event`]s.
//! The token sits in one header value marked sensitive; it is in no error, no log and no `Debug`,
//! and follows no redirect.

mod error;
mod event;
mod follow;
mod snapshot;
mod sse;
mod task;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::{Value, json};

use crate::clean;

pub use error::ClientError;
pub use event::{Boundary, Event};
pub use follow::{Backoff, Follower, Until, Update};
pub use snapshot::message_text;
pub use snapshot::{Artifact, Budget, OutputItem, PendingAction, Snapshot, Status};
pub use sse::{Frame, SseError, SseParser};
pub use task::Task;

/// How long a plain call may take; none of them waits for a run.
const CALL: Duration = Duration::from_secs(60);
/// The largest JSON answer that is read.
const MAX_BODY: usize = 64 << 20;
/// The most of an error's text that is shown.
const MAX_MESSAGE: usize = 500;

/// A server, spoken to with one account's token. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: String,
    backoff: Backoff,
    cleartext: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.server)
    }
}

impl Client {
    /// A client for `server` (`http://host:port`, with or without a path) and `token` (`hf_…`).
    /// Nothing is sent yet.
    pub fn new(server: &str, token: &str) -> Result<Self, ClientError> {
        let server = server.trim_end_matches('/');
        let url = reqwest::Url::parse(server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| ClientError::Unusable(format!("{server:?} is not an http(s) URL")))?;
        let mut bearer = header::HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| ClientError::Unusable("the token has forbidden characters".into()))?;
        bearer.set_sensitive(true);
        let headers = header::HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("ml-intern/", env!("CARGO_PKG_VERSION")));
        let here = is_loopback(&url);
        if here {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| ClientError::Unusable(error.to_string()))?;
        Ok(Self {
            http,
            server: server.to_owned(),
            backoff: Backoff::default(),
            cleartext: url.scheme() == "http" && !here,
        })
    }

    /// The token leaves this machine without TLS.
    pub fn is_readable_by_others(&self) -> bool {
        self.cleartext
    }

    /// The same client with another patience between the connections of [`Self::events`].
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// The server's address, without a trailing slash.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Submits a task in the background. Repeats itself on a lost connection: the idempotency key
    /// makes the repetitions one task.
    pub async fn submit(&self, task: &Task) -> Result<Snapshot, ClientError> {
        let key = uuid::Uuid::new_v4().to_string();
        let mut attempts = 3;
        loop {
            let request = self
                .request(Method::POST, "/v1/responses")
                .header("idempotency-key", &key)
                .json(task);
            match self.snapshot(request).await {
                Err(ClientError::Unreachable { .. }) if attempts > 1 => attempts -= 1,
                result => return result,
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// The response as it is now.
    pub async fn get(&self, id: &str) -> Result<Snapshot, ClientError> {
        let path = format!("/v1/responses/{}", segment(id)?);
        self.snapshot(self.request(Method::GET, &path)).await
    }

    /// The caller's newest responses.
    pub async fn list(&self, limit: u32) -> Result<Vec<Snapshot>, ClientError> {
        let request = self
            .request(Method::GET, "/v1/responses")
            .query(&[("limit", limit)]);
        let mut page = self.json(request).await?;
        match page.get_mut("data").map(Value::take) {
            Some(Value::Array(data)) => Ok(data.into_iter().map(Snapshot::new).collect()),
            _ => Err(self.garbage("the list has no data")),
        }
    }

    /// Asks the turn to stop. Answers with the snapshot, which may still say `in_progress`.
    pub async fn cancel(&self, id: &str, stop_jobs: bool) -> Result<Snapshot, ClientError> {
        let path = format!("/v1/responses/{}/cancel", segment(id)?);
        let request = self.request(Method::POST, &path);
        let request = match stop_jobs {
            true => request.json(&json!({ "stop_jobs": true })),
            false => request,
        };
        self.snapshot(request).await
    }

    /// Goes on with a run that a restart has paused.
    pub async fn resume(&self, id: &str) -> Result<Snapshot, ClientError> {
        let path = format!("/v1/responses/{}/resume", segment(id)?);
        self.snapshot(self.request(Method::POST, &path)).await
    }

    /// Decides a paused batch. `new_cap_usd` raises the session's cap before it goes on.
    pub async fn decide(
        &self,
        id: &str,
        approve: bool,
        new_cap_usd: Option<f64>,
        feedback: Option<&str>,
    ) -> Result<Snapshot, ClientError> {
        let path = format!("/v1/responses/{}/approvals", segment(id)?);
        let mut body = json!({ "approve": approve });
        if let Some(cap) = new_cap_usd {
            body["new_max_cost_usd"] = json!(cap);
        }
        if let Some(feedback) = feedback {
            body["feedback"] = json!(feedback);
        }
        self.snapshot(self.request(Method::POST, &path).json(&body))
            .await
    }

    /// The response's log after event `after` (`None`: from the first), across lost connections.
    pub fn events(
        &self,
        id: &str,
        after: Option<u64>,
        until: Until,
    ) -> Result<Follower, ClientError> {
        let id = segment(id)?.to_owned();
        Ok(Follower::start(self.clone(), id, after, until))
    }

    /// The JSON at a path of the server.
    pub async fn get_json(&self, path: &str) -> Result<Value, ClientError> {
        self.json(self.request(Method::GET, path)).await
    }

    /// The bytes at a path of the server.
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let request = self.request(Method::GET, path).timeout(CALL);
        self.body(self.send(request).await?).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server))
    }

    /// Sends and turns every status but 2xx into an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request
            .send()
            .await
            .map_err(|error| ClientError::unreachable(&self.server, error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = self.body(answer).await.unwrap_or_default();
        Err(api_error(status.as_u16(), &body))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, ClientError> {
        let answer = self.send(request.timeout(CALL)).await?;
        let body = self.body(answer).await?;
        serde_json::from_slice(&body).map_err(|_| self.garbage("the answer is not JSON"))
    }

    async fn snapshot(&self, request: RequestBuilder) -> Result<Snapshot, ClientError> {
        let value = self.json(request).await?;
        if value.get("id").is_none_or(|id| !id.is_string()) {
            return Err(self.garbage("the answer is not a response object"));
        }
        Ok(Snapshot::new(value))
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| ClientError::unreachable(&self.server, error))?
        {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(self.garbage("the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn garbage(&self, what: &str) -> ClientError {
        ClientError::Garbage {
            server: self.server.clone(),
            what: what.to_owned(),
        }
    }

    fn silent(&self) -> ClientError {
        ClientError::Unreachable {
            server: self.server.clone(),
            reason: "no answer in time".to_owned(),
        }
    }
}

/// The API's envelope, or whatever else a proxy in between may have said.
fn api_error(status: u16, body: &[u8]) -> ClientError {
    let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &envelope["error"];
    let message = match error["message"].as_str() {
        Some(message) => message.to_owned(),
        None if body.is_empty() => "the server gave no reason".to_owned(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    ClientError::Api {
        status,
        code: error["code"].as_str().map(str::to_owned),
        message: clean::short(&message, MAX_MESSAGE),
    }
}

/// An id becomes a path segment: only what ids are made of may go there.
fn segment(id: &str) -> Result<&str, ClientError> {
    let sane = !id.is_empty() && id.len() <= 128;
    if sane
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    {
        return Ok(id);
    }
    Err(ClientError::Unusable(format!(
        "{id:?} is not a response id (resp_…)"
    )))
}

fn is_loopback(url: &reqwest::Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    })
}
