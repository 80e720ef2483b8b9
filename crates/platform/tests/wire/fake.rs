//! A server for one test.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use platform::{Deadlines, Endpoints, Platform, Token};

/// Stops when dropped.
pub struct Fake {
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn serve(router: Router) -> Fake {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Fake { url, task }
}

/// Time limits short enough for a test and long enough for a busy machine.
pub fn quick() -> Deadlines {
    let ms = Duration::from_millis;
    Deadlines {
        connect: ms(2000),
        call: ms(5000),
        chat_open: ms(5000),
        chat_idle: ms(5000),
        chat_silence: ms(5000),
        chat_total: ms(20_000),
        chat_tail: ms(300),
        log_idle: ms(5000),
        log_drain: ms(1000),
        job_poll: ms(20),
        job_outage: ms(1000),
        retry_pause: ms(5),
    }
}

/// Hub and router at one address.
pub fn platform(fake: &Fake) -> Platform {
    platform_with(fake, quick())
}

pub fn platform_with(fake: &Fake, deadlines: Deadlines) -> Platform {
    let endpoints = Endpoints {
        hub: format!("{}/", fake.url),
        router: format!("{}/v1", fake.url),
        ..Endpoints::default()
    };
    Platform::with_deadlines(endpoints, deadlines).unwrap()
}

/// An address where nobody listens.
pub async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub fn token() -> Token {
    Token::new("hf_alice".into())
}

/// Counts requests.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    /// Adds one and gives the number of requests before this one.
    pub fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a scripted body does next.
#[derive(Clone)]
pub enum Act {
    Send(String),
    /// Breaks the connection without a proper end.
    Cut,
    /// Sends nothing more, ever.
    Hang,
}

pub fn send(text: impl Into<String>) -> Act {
    Act::Send(text.into())
}

/// A response body that follows a script and then ends properly.
pub fn scripted(content_type: &str, acts: impl IntoIterator<Item = Act>) -> Response {
    let acts: Vec<Act> = acts.into_iter().collect();
    let body = stream::iter(acts).then(|act| async {
        // The client must see each piece by itself, so that a cut comes after what precedes it.
        tokio::time::sleep(Duration::from_millis(5)).await;
        match act {
            Act::Send(text) => Ok(Bytes::from(text)),
            Act::Cut => Err(std::io::Error::other("cut")),
            Act::Hang => std::future::pending().await,
        }
    });
    streamed(content_type, body)
}

pub fn streamed(
    content_type: &str,
    body: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
) -> Response {
    ([("content-type", content_type)], Body::from_stream(body)).into_response()
}

/// Polls until a condition holds.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Fails a test that hangs.
pub async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .expect("the test hangs")
}
