//! One connection's bytes: a deadline for each request head, and an envelope where the HTTP library would refuse with a
//! bare status line.

use crate::surface::head;
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a request's head may take to arrive, from its first byte; for the first one, from the connection's start.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long, and for how many bytes, a refused client is listened to.
const LINGER: Duration = Duration::from_secs(1);
const MOST_DISCARDED: usize = 4 * 1024 * 1024;

/// The requests of one connection, as its service sees them.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    begun: AtomicU64,
    is_handled: AtomicBool,
}

/// One request that is being handled: what arrives meanwhile is its body.
pub(crate) struct Handled(Arc<Requests>);

impl Requests {
    pub fn begin(self: &Arc<Self>) -> Handled {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.is_handled.store(true, Ordering::Relaxed);
        Handled(Arc::clone(self))
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        self.0.is_handled.store(false, Ordering::Relaxed);
    }
}

/// A TCP stream that gives up on a head that does not come.
pub(crate) struct Connection {
    stream: TcpStream,
    requests: Arc<Requests>,
    /// Runs while a head arrives.
    deadline: Pin<Box<Sleep>>,
    is_running: bool,
    /// Requests begun when the deadline was set: it has been met when there are more.
    begun: u64,
    /// What is sent in place of a bare refusal, and how much of it has been.
    envelope: Option<(Bytes, usize)>,
    /// A refusal was sent before the request was read to its end.
    is_refused: bool,
    /// Bytes thrown away since.
    discarded: usize,
}

impl Connection {
    pub fn new(stream: TcpStream, requests: Arc<Requests>) -> Self {
        Self {
            stream,
            requests,
            deadline: Box::pin(sleep(HEAD_PATIENCE)),
            is_running: true,
            begun: 0,
            envelope: None,
            is_refused: false,
            discarded: 0,
        }
    }

    /// # Errors
    /// When the head has taken too long.
    fn check_deadline(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.begun != self.requests.begun.load(Ordering::Relaxed) {
            self.is_running = false;
        }
        if self.is_running && self.deadline.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// The first bytes of a head have come.
    fn start_deadline(&mut self) {
        if self.is_running || self.requests.is_handled.load(Ordering::Relaxed) {
            return;
        }
        self.begun = self.requests.begun.load(Ordering::Relaxed);
        self.deadline.as_mut().reset(Instant::now() + HEAD_PATIENCE);
        self.is_running = true;
    }

    /// Notes that a refusal is under way.
    fn refuse(&mut self, envelope: Bytes) {
        self.envelope = Some((envelope, 0));
        self.is_refused = true;
        self.deadline.as_mut().reset(Instant::now() + LINGER);
    }

    /// Throws away what the client still sends, within bounds: closing on unread bytes resets the connection, and the
    /// client would lose the answer.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 4096];
        while self.discarded < MOST_DISCARDED {
            if self.deadline.as_mut().poll(context).is_ready() {
                break;
            }
            let mut buffer = ReadBuf::new(&mut space);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
            match ready!(read) {
                Ok(()) if !buffer.filled().is_empty() => self.discarded += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }

    fn poll_envelope(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((bytes, sent)) = &mut self.envelope {
            if *sent == bytes.len() {
                self.envelope = None;
                break;
            }
            let wrote = Pin::new(&mut self.stream).poll_write(context, &bytes[*sent..]);
            match ready!(wrote)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                wrote => *sent += wrote,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_deadline(context)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.start_deadline();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.envelope.is_none() {
            match envelope(bytes) {
                Some(envelope) => self.refuse(envelope),
                None => return Pin::new(&mut self.stream).poll_write(context, bytes),
            }
        }
        ready!(self.poll_envelope(context))?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [only] => self.poll_write(context, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        if self.is_refused {
            ready!(self.poll_linger(context));
        }
        Poll::Ready(Ok(()))
    }
}

/// The whole answer in place of a bare refusal of the HTTP library, which is a head without a body and, unlike every
/// answer of ours, without a request id.
fn envelope(bytes: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"HTTP/1.1 ")?).ok()?;
    if !text.ends_with("\r\n\r\n") || text.to_ascii_lowercase().contains("x-request-id:") {
        return None;
    }
    let (line, _) = text.split_once("\r\n")?;
    let problem = match line.get(..3)? {
        "400" => head::malformed(),
        "414" => head::uri_too_long(),
        "431" => head::headers_too_large(),
        _ => return None,
    };
    let body = problem.body().to_string();
    let (length, id) = (body.len(), uuid::Uuid::new_v4().simple());
    let answer = format!(
        "HTTP/1.1 {line}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\
         x-request-id: req_{id}\r\n\r\n{body}"
    );
    Some(answer.into())
}

#[cfg(test)]
mod tests {
    use super::envelope;

    #[test]
    fn only_a_bare_refusal_is_replaced() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let answer = String::from_utf8(envelope(bare).unwrap().to_vec()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
        assert!(head.contains("x-request-id: req_"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], "headers_too_large");

        for other in [
            "HTTP/1.1 431 x\r\nx-request-id: req_1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 x\r\ncontent-length: 9\r\n\r\nnot empty",
            "data: HTTP/1.1 431 x\r\n\r\n",
        ] {
            assert_eq!(envelope(other.as_bytes()), None, "{other}");
        }
    }
}
