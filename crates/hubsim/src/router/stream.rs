//! Sends an answer as server-sent events at the script's pace, with the script's faults.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::answer::Answer;
use super::chunks::chunks;
use super::scenario::{Fault, FaultKind};

/// Events that may wait for a slow client.
const QUEUE: usize = 32;

const FLUSH: Duration = Duration::from_millis(20);

type Sender = mpsc::Sender<Result<Bytes, std::io::Error>>;

/// A stream to be sent.
#[derive(Debug)]
pub struct Plan {
    pub answer: Answer,
    pub include_usage: bool,
    /// Between chunks.
    pub pace: Duration,
    pub fault: Option<Fault>,
}

/// The response; its events are made by a task that ends with the client's connection.
pub fn respond(plan: Plan) -> Response {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(play(plan, sender));
    let events = futures_util::stream::unfold(receiver, |mut receiver| async {
        Some((receiver.recv().await?, receiver))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

/// What is left to do after the chunks.
enum Ending {
    Done,
    Cut,
    Error(String),
}

async fn play(plan: Plan, sender: Sender) {
    let fault = plan.fault.as_ref();
    let kind = fault.map(|fault| fault.kind);
    let after = |usual| fault.and_then(|fault| fault.after_chunks).unwrap_or(usual);
    let (limit, ending) = match kind {
        Some(FaultKind::Hang) => return sender.closed().await,
        Some(FaultKind::Garbage) => return garbage(&sender).await,
        Some(FaultKind::Cut) => (after(3), Ending::Cut),
        Some(FaultKind::ErrorEvent) => {
            let message = fault.and_then(|fault| fault.body.clone());
            (
                after(0),
                Ending::Error(message.unwrap_or_else(|| "upstream provider failed".into())),
            )
        }
        _ => (usize::MAX, Ending::Done),
    };
    let answer = match kind {
        Some(FaultKind::Empty) => plan.answer.emptied(),
        _ => plan.answer,
    };
    for chunk in chunks(answer, plan.include_usage).take(limit) {
        if !send(&sender, &chunk).await {
            return;
        }
        if !plan.pace.is_zero() {
            tokio::time::sleep(plan.pace).await;
        }
    }
    if matches!(ending, Ending::Cut) {
        // Lets what was said reach the wire before the connection goes.
        tokio::time::sleep(FLUSH).await;
    }
    let last = match ending {
        Ending::Done => Ok(Bytes::from_static(b"data: [DONE]\n\n")),
        Ending::Cut => Err(std::io::Error::other("scripted cut")),
        Ending::Error(message) => Ok(event(
            &json!({"error": {"message": message, "type": "server_error"}}),
        )),
    };
    let _gone = sender.send(last).await;
}

fn event(payload: &Value) -> Bytes {
    Bytes::from(format!("data: {payload}\n\n"))
}

/// Says whether the client is still there.
async fn send(sender: &Sender, payload: &Value) -> bool {
    sender.send(Ok(event(payload))).await.is_ok()
}

async fn garbage(sender: &Sender) {
    let pieces: [&[u8]; 3] = [
        b"<html><body>502 Bad Gateway</body></html>\n\n",
        b"data: {\"choices\":[{\"delta\":{\"content\":\"bro\n\n",
        b"\xff\xfe\x00data: ]]}\n\n",
    ];
    for piece in pieces {
        if sender.send(Ok(Bytes::from_static(piece))).await.is_err() {
            return;
        }
    }
}
