//! Somebody's server that webhooks come to.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request that came.
#[derive(Clone)]
pub struct Delivery {
    pub at: Instant,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What to answer.
pub enum Reply {
    Status(u16),
    RedirectTo(String),
    Never,
}

type Script = Arc<dyn Fn(&Delivery, usize) -> Reply + Send + Sync>;

/// Listens until it is dropped.
pub struct Receiver {
    pub port: u16,
    came: Arc<Mutex<Vec<Delivery>>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self::answering(|_, _| Reply::Status(204)).await
    }

    /// One that answers as the script says, which is told how many requests came before.
    pub async fn answering(
        script: impl Fn(&Delivery, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), script)
    }

    pub fn on(
        listener: TcpListener,
        script: impl Fn(&Delivery, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let came: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let script: Script = Arc::new(script);
        let router = Router::new()
            .fallback(take)
            .with_state((Arc::clone(&came), script));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            port,
            came,
            serving,
        }
    }

    /// Its address, at a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Everything that has come, in the order it came.
    pub fn came(&self) -> Vec<Delivery> {
        self.came.lock().unwrap().clone()
    }

    /// What has come to one path.
    pub fn came_to(&self, path: &str) -> Vec<Delivery> {
        let came = self.came();
        came.into_iter().filter(|one| one.path == path).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Shared = (Arc<Mutex<Vec<Delivery>>>, Script);

async fn take(
    State((came, script)): State<Shared>,
    uri: http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let delivery = Delivery {
        at: Instant::now(),
        path: uri.path().to_owned(),
        headers,
        body,
    };
    let reply = {
        let mut came = came.lock().unwrap();
        let reply = script(&delivery, came.len());
        came.push(delivery);
        reply
    };
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::RedirectTo(url) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", url)]).into_response()
        }
        Reply::Never => std::future::pending().await,
    }
}

impl Delivery {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The number of the event, and the response it is of.
    pub fn event(&self) -> (String, u64) {
        let (response, seq) = self.id().rsplit_once('_').unwrap();
        (response.to_owned(), seq.parse().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether it is what it says it is: the checks of the Standard Webhooks specification, from its text.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let sent_at: u64 = self.header("webhook-timestamp").parse().unwrap();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        if now.abs_diff(sent_at) > 300 {
            return false;
        }
        let mut content = format!("{}.{sent_at}.", self.id()).into_bytes();
        content.extend_from_slice(&self.body);
        let expected = BASE64_STANDARD.encode(hmac_sha256(&key, &content));
        let mut signatures = self.header("webhook-signature").split(' ');
        signatures.any(|signature| signature.strip_prefix("v1,") == Some(&expected))
    }
}

/// RFC 2104, by hand: the server's own implementation is not to be checked with itself.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| -> Vec<u8> {
        let byte = |at: usize| key.get(at).copied().unwrap_or(0) ^ with;
        (0..64).map(byte).collect()
    };
    let inner = Sha256::digest([&pad(0x36), message].concat());
    Sha256::digest([&pad(0x5c), inner.as_slice()].concat()).to_vec()
}
