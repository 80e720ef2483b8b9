//! The platform as the server sees it here: one account, one model, answers that carry the time they were sent at.

use crate::clock;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::{Listener, ListenerExt};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The account behind every token.
pub const ACCOUNT: &str = "bench";
/// What clients send; as long as a real one, since the server looks for it in everything the model says.
pub const TOKEN: &str = "hf_BenchmarkTokenOfTheUsualLength0123456";
pub const MODEL: &str = "bench/model:fake";

/// How the model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// A short text, at once.
    Brief,
    /// So many chunks at this pace, each of them the nanoseconds on [`clock`] when it was sent, and a space.
    Stamps { chunks: usize, pace: Duration },
}

/// Serves until it is dropped.
pub struct FakePlatform {
    pub url: String,
    // A plain mutex: held to copy a value.
    script: Arc<Mutex<Script>>,
    serving: JoinHandle<()>,
}

impl FakePlatform {
    pub async fn start() -> anyhow::Result<Self> {
        let script = Arc::new(Mutex::new(Script::Brief));
        let router = Router::new()
            .route("/api/whoami-v2", get(whoami))
            .route("/v1/models", get(models))
            .route("/v1/chat/completions", post(chat))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&script));
        // A chunk leaves when it is sent, not when the one before it is acknowledged.
        let listener = TcpListener::bind("127.0.0.1:0").await?.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let url = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the fake platform ended: {error}");
            }
        });
        Ok(Self {
            url,
            script,
            serving,
        })
    }

    /// From now on the model answers like this.
    pub fn set(&self, script: Script) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }
}

impl Drop for FakePlatform {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn whoami() -> Json<Value> {
    Json(json!({
        "type": "user", "id": "000000000000000000000001", "name": ACCOUNT, "isPro": false, "orgs": [],
        "auth": {"type": "access_token", "accessToken": {"role": "write"}},
    }))
}

async fn models() -> Json<Value> {
    let (id, provider) = MODEL.split_once(':').unwrap_or((MODEL, ""));
    Json(json!({"object": "list", "data": [{
        "id": id,
        "architecture": {"input_modalities": ["text"]},
        "providers": [{
            "provider": provider, "status": "live", "context_length": 200_000, "supports_tools": true,
            "pricing": {"input": 0.01, "output": 0.01},
        }],
    }]}))
}

async fn chat(State(script): State<Arc<Mutex<Script>>>, _request: Bytes) -> Response {
    let script = *script.lock().unwrap_or_else(PoisonError::into_inner);
    let headers = [("content-type", "text/event-stream")];
    let body = match script {
        Script::Brief => Body::from(format!("{}{}", delta("All is done."), ending())),
        Script::Stamps { chunks, pace } => stamps(chunks, pace),
    };
    (headers, body).into_response()
}

struct Stamping {
    left: usize,
    ticks: Interval,
    ended: bool,
}

/// Each chunk is made at the moment it is handed to the connection.
fn stamps(chunks: usize, pace: Duration) -> Body {
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stamping = Stamping {
        left: chunks,
        ticks,
        ended: false,
    };
    Body::from_stream(stream::unfold(stamping, |mut stamping| async move {
        if stamping.ended {
            return None;
        }
        let chunk = if stamping.left == 0 {
            stamping.ended = true;
            ending()
        } else {
            stamping.left -= 1;
            stamping.ticks.tick().await;
            delta(&format!("{} ", clock::now()))
        };
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), stamping))
    }))
}

/// `text` needs no escaping.
fn delta(text: &str) -> String {
    event(&format!(
        r#"{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}"#
    ))
}

fn ending() -> String {
    let finish = event(r#"{"index":0,"delta":{},"finish_reason":"stop"}"#);
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":10}}"#;
    format!("{finish}{usage}\n\ndata: [DONE]\n\n")
}

fn event(choice: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"m\",\"choices\":[{choice}]}}\n\n"
    )
}
