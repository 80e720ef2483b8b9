//! A log as server-sent events: one reader of the journal, one frame a chunk.

use crate::app::App;
use crate::metrics::OpenStream;
use crate::surface::view::View;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use http::{HeaderValue, header};
use journal::{Follower, Frame, JournalError};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One newline: an empty line after a comment makes openai-python parse an empty event once it has seen ids.
const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n");
const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// How a route shows the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub view: View,
    /// `id:` lines, for clients that resume with `Last-Event-ID`.
    pub with_ids: bool,
    /// `data: [DONE]` at the end, for the SDKs.
    pub with_done: bool,
}

struct Reader {
    /// `None` when there is nothing (more) to read.
    follower: Option<Follower>,
    style: Style,
    keepalive: Duration,
    /// When the next keep-alive is due. Only what is sent puts it off: a log may grow by much that the view hides.
    keepalive_at: Instant,
    closing: CancellationToken,
    ready: VecDeque<Bytes>,
    _open: OpenStream,
}

/// An event stream that follows the log until a terminal event, or a pause that lasts.
pub(crate) fn follow(app: &App, follower: Follower, style: Style) -> Response {
    respond(app, Some(follower), style, VecDeque::new())
}

/// A stream with nothing in it: the cursor is at the end of a terminal response.
pub(crate) fn empty(app: &App, style: Style) -> Response {
    let done = style.with_done.then_some(DONE);
    respond(app, None, style, done.into_iter().collect())
}

fn respond(
    app: &App,
    follower: Option<Follower>,
    style: Style,
    ready: VecDeque<Bytes>,
) -> Response {
    let reader = Reader {
        follower,
        style,
        keepalive: app.keepalive,
        keepalive_at: Instant::now() + app.keepalive,
        closing: app.closing.clone(),
        ready,
        _open: app.metrics.stream_opened(),
    };
    let frames = stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next().await?;
        reader.keepalive_at = Instant::now() + reader.keepalive;
        Some((Ok::<_, std::convert::Infallible>(bytes), reader))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Reader {
    /// The next chunk to send; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            let follower = self.follower.as_mut()?;
            let frames = tokio::select! {
                biased;
                frames = follower.next() => frames,
                () = self.closing.cancelled() => return None,
                () = tokio::time::sleep_until(self.keepalive_at) => return Some(KEEP_ALIVE),
            };
            match frames {
                Ok(frames) => self.take(&frames),
                Err(JournalError::Deleted) => return None,
                Err(error) => {
                    // The client reconnects from its cursor.
                    tracing::error!(%error, "a stream could not read the journal");
                    return None;
                }
            }
        }
    }

    fn take(&mut self, frames: &[Frame]) {
        for frame in frames {
            self.ready
                .extend(self.style.view.show(frame, self.style.with_ids));
            if self
                .follower
                .as_ref()
                .is_some_and(|follower| follower.ends_at(frame))
            {
                self.follower = None;
                if self.style.with_done {
                    self.ready.push_back(DONE);
                }
                return;
            }
        }
    }
}
