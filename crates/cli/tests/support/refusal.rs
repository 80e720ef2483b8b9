//! Refusals as they come over the wire: status, headers, envelope.

use super::{Client, Server};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// An id that no response has.
pub const UNKNOWN: &str = "resp_00000000000000000000000000000000";

/// An answer with its head.
pub struct Answer {
    pub status: u16,
    headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        Self {
            status,
            headers,
            bytes,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the envelope and gives `(status, type, code, param)`.
    pub fn refusal(&self) -> (u16, String, String, Option<String>) {
        let text = String::from_utf8_lossy(&self.bytes);
        let body: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}", self.status));
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        let error = body["error"]
            .as_object()
            .unwrap_or_else(|| panic!("{body}"));
        assert_eq!(error.len(), 4, "{body}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()));
        assert_eq!(
            self.header("www-authenticate").is_some(),
            self.status == 401
        );
        assert_eq!(
            self.header("x-should-retry"),
            (self.status == 409).then_some("false")
        );
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        (
            self.status,
            text("type").unwrap(),
            text("code").unwrap(),
            text("param"),
        )
    }
}

/// Sends a request that is to be refused so, with everything that belongs to such a refusal.
pub async fn refused(
    request: RequestBuilder,
    status: u16,
    code: &str,
    param: Option<&str>,
) -> Answer {
    let shown = format!("{request:?}");
    let answer = Answer::to(request).await;
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        503 => "server_error",
        _ => "invalid_request_error",
    };
    let wanted = (
        status,
        kind.to_owned(),
        code.to_owned(),
        param.map(str::to_owned),
    );
    assert_eq!(
        answer.refusal(),
        wanted,
        "{shown}: {}",
        String::from_utf8_lossy(&answer.bytes)
    );
    answer
}

pub fn create(client: &Client, body: &Value) -> RequestBuilder {
    client.request(Method::POST, "/v1/responses").json(body)
}

/// The responses in the store, read behind the server's back.
pub async fn stored(server: &Server) -> usize {
    let path = server.folder().join("journal.db");
    let journal = journal::Journal::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let mut count = 0;
    for owner in ["alice", "bob", "carol", "acme"] {
        let listing = journal::Listing::newest(owner, 1000);
        count += journal.list(&listing).await.unwrap().len();
    }
    count
}
