//! A server that answers like ml-intern, with a log the test wrote and connections that break on order.

#![allow(dead_code)] // each test file uses a part

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

/// How one connection to the event stream goes; the last order is kept for all later ones.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Serve; end cleanly where the API says so.
    Serve,
    /// Break the connection after this many bytes of the body.
    CutAfter(usize),
    /// Ignore the cursor: send everything again.
    ServeFromStart,
    /// Answer with an error status.
    Status(u16),
}

#[derive(Debug, Default)]
pub struct Inner {
    pub log: Vec<String>,
    pub orders: VecDeque<Order>,
    pub snapshot: Value,
    /// Bodies and headers of what was asked, in order: `METHOD path`, body.
    pub calls: Vec<(String, Value)>,
    pub tokens: Vec<String>,
    pub cursors: Vec<Option<u64>>,
}

#[derive(Clone)]
pub struct Fake {
    inner: Arc<Mutex<Inner>>,
    head: watch::Sender<usize>,
    pub url: String,
}

impl Fake {
    pub async fn start(log: Vec<String>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            head: watch::Sender::new(log.len()),
            inner: Arc::new(Mutex::new(Inner {
                log,
                snapshot: json!({"id": "resp_1", "status": "queued"}),
                ..Inner::default()
            })),
        };
        let app = Router::new()
            .route("/v1/responses", post(submit).get(list))
            .route("/v1/responses/{id}", get(snapshot))
            .route("/v1/responses/{id}/events", get(events))
            .route("/v1/responses/{id}/{verb}", post(verb))
            .with_state(fake.clone());
        let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn order(&self, orders: impl IntoIterator<Item = Order>) {
        self.inner().orders = orders.into_iter().collect();
    }

    /// Adds to the log, as a run does.
    pub fn append(&self, event: String) {
        let mut inner = self.inner();
        inner.log.push(event);
        self.head.send_replace(inner.log.len());
    }

    fn note(&self, what: &str, headers: &HeaderMap, body: &Bytes) {
        let token = headers
            .get(header::AUTHORIZATION)
            .map_or("", |v| v.to_str().unwrap());
        let mut inner = self.inner();
        inner.tokens.push(token.to_owned());
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        inner.calls.push((what.to_owned(), body));
    }
}

async fn submit(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> Response {
    fake.note("POST /v1/responses", &headers, &body);
    let snapshot = fake.inner().snapshot.clone();
    Json(snapshot).into_response()
}

async fn list(State(fake): State<Fake>) -> Json<Value> {
    let snapshot = fake.inner().snapshot.clone();
    Json(json!({"object": "list", "data": [snapshot], "has_more": false}))
}

async fn snapshot(State(fake): State<Fake>, Path(id): Path<String>) -> Response {
    let snapshot = fake.inner().snapshot.clone();
    if snapshot["id"] != Value::String(id) {
        return missing();
    }
    Json(snapshot).into_response()
}

async fn verb(
    State(fake): State<Fake>,
    Path((id, verb)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    fake.note(&format!("POST {id}/{verb}"), &headers, &body);
    Json(fake.inner().snapshot.clone())
}

fn missing() -> Response {
    let error = json!({"error": {"message": "No response with this id.", "type": "not_found_error",
        "param": null, "code": "response_not_found"}});
    (StatusCode::NOT_FOUND, Json(error)).into_response()
}

async fn events(
    State(fake): State<Fake>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let from_header = headers
        .get("last-event-id")
        .map(|v| v.to_str().unwrap().to_owned());
    let by_header = from_header.is_some();
    let cursor: Option<u64> = from_header
        .or_else(|| query.get("starting_after").cloned())
        .map(|text| text.parse().unwrap());
    let order = {
        let mut inner = fake.inner();
        inner.cursors.push(cursor);
        match inner.orders.len() {
            0 => Order::Serve,
            1 => inner.orders[0],
            _ => inner.orders.pop_front().unwrap(),
        }
    };
    let mut next = cursor.map_or(0, |seq| seq as usize + 1);
    let mut cut = None;
    match order {
        Order::Status(404) => return missing(),
        Order::Status(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Order::CutAfter(bytes) => cut = Some(bytes),
        Order::ServeFromStart => next = 0,
        Order::Serve => {}
    }
    let over = fake.inner().log.last().is_some_and(|e| is_terminal(e));
    if by_header && over && next >= fake.inner().log.len() {
        return StatusCode::NO_CONTENT.into_response();
    }
    serve(fake, next, cut)
}

fn is_terminal(event: &str) -> bool {
    ["completed", "failed", "cancelled"]
        .iter()
        .any(|kind| event.contains(&format!("\"response.{kind}\"")))
}

fn is_pause(event: &str) -> bool {
    event.contains("\"response.approval_required\"")
}

struct Reader {
    fake: Fake,
    next: usize,
    cut: Option<usize>,
    head: watch::Receiver<usize>,
    ended: bool,
}

fn serve(fake: Fake, next: usize, cut: Option<usize>) -> Response {
    let head = fake.head.subscribe();
    let reader = Reader {
        fake,
        next,
        cut,
        head,
        ended: false,
    };
    let body = stream::unfold(reader, |mut reader| async move {
        let chunk = reader.chunk().await?;
        Some((chunk, reader))
    });
    (
        [(header::CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(body),
    )
        .into_response()
}

impl Reader {
    async fn chunk(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        if self.ended {
            return None;
        }
        if self.cut == Some(0) {
            self.ended = true;
            // hyper flushes what it has when the body makes it wait, and drops it on an error.
            tokio::task::yield_now().await;
            return Some(Err(std::io::Error::other("cut")));
        }
        let event = loop {
            let found = {
                let inner = self.fake.inner();
                inner
                    .log
                    .get(self.next)
                    .cloned()
                    .map(|event| (event, self.next + 1 == inner.log.len()))
            };
            match found {
                Some((event, last)) => {
                    // A pause ends the stream only while nothing follows it.
                    self.ended = is_terminal(&event) || (is_pause(&event) && last);
                    break event;
                }
                None => self.head.changed().await.ok()?,
            }
        };
        self.next += 1;
        let seq = self.next - 1;
        let mut frame =
            format!("id: {seq}\nevent: x\ndata: {event}\n\n: keep-alive\n").into_bytes();
        if let Some(left) = &mut self.cut {
            frame.truncate(*left);
            *left -= frame.len();
            self.ended &= *left > 0;
        }
        Some(Ok(Bytes::from(frame)))
    }
}

/// Waits for a condition, with a deadline.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "waited too long: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Events with their numbers put in.
pub fn numbered(events: impl IntoIterator<Item = Value>) -> Vec<String> {
    let numbered = events.into_iter().enumerate().map(|(seq, mut event)| {
        event["sequence_number"] = json!(seq);
        event.to_string()
    });
    numbered.collect()
}
