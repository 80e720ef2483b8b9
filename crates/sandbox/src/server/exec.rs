//! `POST /v1/exec`: a command's output as lines of JSON, as it comes.
//!
//! Memory is bounded by a short channel: a command that prints faster than the caller reads waits in its own write.
//! When the caller goes away the channel closes, and the command is ended.

use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::future::OptionFuture;
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::command::{self, Running};
use super::failure::Failure;
use super::pieces::Pieces;
use super::{Shared, request};
use crate::wire::{ExecRequest, Line};

const PING_EVERY: Duration = Duration::from_secs(15);
/// Lines that may wait for a slow caller.
const WAITING_LINES: usize = 4;
/// Bytes of output in one line.
const PIECE: usize = 32 << 10;
/// After a command's end: an empty pipe stays empty this long before we believe that the rest isn't its own.
const QUIET: Duration = Duration::from_millis(50);
/// The most a pipe can still hold from a command that has ended (Linux's default `pipe-max-size`).
const PIPE_HOLDS: usize = 1 << 20;

pub(super) async fn exec(
    State(shared): State<Arc<Shared>>,
    body: Body,
) -> Result<Response, Failure> {
    let request: ExecRequest = request::json(body).await?;
    let limit = request.timeout.map(limit).transpose()?;
    let permit = Arc::clone(&shared.commands)
        .try_acquire_owned()
        .map_err(|_| Failure::busy())?;
    let running = command::start(&shared.environment, &request, Stdio::piped)?;
    let busy = shared.activity.busy();
    let (lines, receiver) = mpsc::channel(WAITING_LINES);
    tokio::spawn(async move {
        supervise(running, limit, lines).await;
        drop((permit, busy));
    });
    let lines = stream::unfold(receiver, async |mut receiver| {
        Some((Ok::<_, std::io::Error>(receiver.recv().await?), receiver))
    });
    Ok((
        [(CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(lines),
    )
        .into_response())
}

fn limit(seconds: f64) -> Result<Duration, Failure> {
    let limit = Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| Failure::bad("timeout must be a positive number of seconds"))
}

async fn supervise(mut running: Running, limit: Option<Duration>, lines: Sender<Bytes>) {
    let started = Instant::now();
    let ended = CancellationToken::new();
    let out = running.child.stdout.take().map(|pipe| {
        relay(
            pipe,
            |data| Line::Stdout { data },
            lines.clone(),
            ended.clone(),
        )
    });
    let err = running.child.stderr.take().map(|pipe| {
        relay(
            pipe,
            |data| Line::Stderr { data },
            lines.clone(),
            ended.clone(),
        )
    });
    let relays = async { tokio::join!(OptionFuture::from(out), OptionFuture::from(err)) };
    let waiting = async {
        let outcome = wait(&mut running, limit, &lines).await;
        ended.cancel();
        outcome
    };
    let ((status, timed_out), _) = tokio::join!(waiting, relays);
    let status = status.ok();
    let exit = Line::Exit {
        exit_code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        timed_out,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let _ = send(&lines, &exit).await;
}

/// Waits for the command's own end, its time limit or the caller's departure, whichever comes first. Returns how it
/// ended and whether its time was up.
async fn wait(
    running: &mut Running,
    limit: Option<Duration>,
    lines: &Sender<Bytes>,
) -> (std::io::Result<std::process::ExitStatus>, bool) {
    let mut time_up = pin!(OptionFuture::from(limit.map(sleep)));
    let mut ping = interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        tokio::select! {
            status = running.child.wait() => return (status, false),
            Some(()) = &mut time_up => return (running.end().await, true),
            () = lines.closed() => return (running.end().await, false),
            // A full channel keeps the connection alive by itself.
            _ = ping.tick() => drop(line(&Line::Ping).map(|ping| lines.try_send(ping))),
        }
    }
}

/// Passes a pipe's bytes on as lines. After the command's end (`ended`) only what it left in the pipe is passed on;
/// a background process that still holds the pipe may write into the void.
async fn relay(
    mut pipe: impl AsyncRead + Unpin + Send + 'static,
    make: fn(String) -> Line,
    lines: Sender<Bytes>,
    ended: CancellationToken,
) {
    let mut buffer = vec![0; PIECE];
    let mut pieces = Pieces::default();
    let mut after_end = 0;
    while after_end < PIPE_HOLDS {
        let read = if ended.is_cancelled() {
            match timeout(QUIET, pipe.read(&mut buffer)).await {
                Ok(read) => read,
                Err(_) => break,
            }
        } else {
            tokio::select! {
                biased;
                read = pipe.read(&mut buffer) => read,
                () = ended.cancelled() => continue,
            }
        };
        let Ok(count @ 1..) = read else {
            let _ = send_text(&lines, make, pieces.finish()).await;
            return;
        };
        after_end += if ended.is_cancelled() { count } else { 0 };
        if !send_text(&lines, make, pieces.push(&buffer[..count])).await {
            return;
        }
    }
    let _ = send_text(&lines, make, pieces.finish()).await;
    tokio::spawn(async move { tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await });
}

/// Whether anybody still listens.
async fn send_text(lines: &Sender<Bytes>, make: fn(String) -> Line, text: String) -> bool {
    text.is_empty() || send(lines, &make(text)).await
}

async fn send(lines: &Sender<Bytes>, what: &Line) -> bool {
    match line(what) {
        Some(line) => lines.send(line).await.is_ok(),
        None => false,
    }
}

fn line(what: &Line) -> Option<Bytes> {
    let mut text = serde_json::to_vec(what).ok()?;
    text.push(b'\n');
    Some(text.into())
}
