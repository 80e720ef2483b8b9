//! The answer to a chat request as it arrives.

use std::collections::VecDeque;

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout_at;

use super::chunk::ChunkReader;
use super::patience::Patience;
use crate::answer::JSON_CAP;
use crate::sse::{SseDecoder, SseItem};
use crate::{ChatDelta, Deadlines, PlatformError, Token};

/// Largest event. The arguments of a call may come in one piece, and escaping can make their
/// mebibyte six.
const EVENT_CAP: usize = 8 * 1024 * 1024;
/// Largest stream, framing included: far beyond any model's longest answer.
const STREAM_CAP: usize = 64 * 1024 * 1024;

/// A streamed answer. Dropping it cancels the request.
pub struct ChatStream {
    response: Response,
    request_id: Option<String>,
    token: Token,
    body: Body,
    reader: ChunkReader,
    ready: VecDeque<ChatDelta>,
    patience: Patience,
    received: usize,
    ended: bool,
}

enum Body {
    Events {
        decoder: SseDecoder,
        items: VecDeque<SseItem>,
        any: bool,
    },
    Whole(Vec<u8>),
}

impl ChatStream {
    pub(super) fn events(response: Response, token: Token, deadlines: &Deadlines) -> Self {
        let body = Body::Events {
            decoder: SseDecoder::new(EVENT_CAP),
            items: VecDeque::new(),
            any: false,
        };
        Self::new(response, token, deadlines, body)
    }

    pub(super) fn whole(response: Response, token: Token, deadlines: &Deadlines) -> Self {
        Self::new(response, token, deadlines, Body::Whole(Vec::new()))
    }

    fn new(response: Response, token: Token, deadlines: &Deadlines, body: Body) -> Self {
        let header = |name: &str| {
            response
                .headers()
                .get(name)?
                .to_str()
                .ok()
                .map(str::to_owned)
        };
        let request_id = header("inference-id").or_else(|| header("x-request-id"));
        Self {
            response,
            request_id,
            token,
            body,
            reader: ChunkReader::default(),
            ready: VecDeque::new(),
            patience: Patience::new(deadlines),
            received: 0,
            ended: false,
        }
    }

    /// The provider's id of this request, for support.
    pub fn provider_request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The next delta; `None` at the proper end. After an error there is nothing more. Safe to
    /// cancel: what has been read is kept, and the time already waited counts.
    pub async fn next(&mut self) -> Option<Result<ChatDelta, PlatformError>> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Some(Ok(delta));
            }
            if self.ended {
                return None;
            }
            if let Err(mut error) = self.advance().await {
                self.ended = true;
                error.request_id = error.request_id.or_else(|| self.request_id.clone());
                return Some(Err(error));
            }
        }
    }

    /// One step: an event that is waiting, or the next bytes.
    async fn advance(&mut self) -> Result<(), PlatformError> {
        if let Body::Events { items, .. } = &mut self.body
            && let Some(item) = items.pop_front()
        {
            return self.take(item);
        }
        match timeout_at(
            self.patience.until(self.reader.finished),
            self.response.chunk(),
        )
        .await
        {
            Ok(Ok(Some(bytes))) => self.feed(&bytes),
            Ok(Ok(None)) => self.end_of_bytes(),
            // The answer was complete; only its end mark is missing.
            _ if self.reader.finished => {
                self.ended = true;
                Ok(())
            }
            Ok(Err(_)) => Err(PlatformError::unavailable(
                "stream ended early: the connection broke",
            )),
            Err(_) => Err(PlatformError::unavailable(self.patience.complaint())),
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), PlatformError> {
        self.patience.bytes_came();
        self.received += bytes.len();
        match &mut self.body {
            Body::Events { decoder, items, .. } if self.received <= STREAM_CAP => {
                decoder.feed(bytes, items);
                Ok(())
            }
            Body::Whole(whole) if self.received <= JSON_CAP => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
            _ => Err(PlatformError::garbage("the model's answer is too large")),
        }
    }

    fn end_of_bytes(&mut self) -> Result<(), PlatformError> {
        match &mut self.body {
            Body::Whole(whole) => {
                let completion = serde_json::from_slice(whole)
                    .map_err(|_| PlatformError::garbage("the model's answer is not JSON"))?;
                self.ended = true;
                self.reader.read(&completion, &self.token, &mut self.ready)
            }
            Body::Events { decoder, any, .. } => {
                let any = *any;
                if let Some(SseItem::Event { data, .. }) = decoder.finish() {
                    // Its blank line is missing, so it may be cut: what does not parse does not
                    // count.
                    self.last_words(&data)?;
                }
                match (
                    self.ended || self.reader.finished,
                    any || self.received == 0,
                ) {
                    (true, _) => {
                        self.ended = true;
                        Ok(())
                    }
                    (false, true) => Err(PlatformError::unavailable("stream ended early")),
                    (false, false) => Err(PlatformError::garbage(
                        "the model's answer is not an event stream",
                    )),
                }
            }
        }
    }

    fn last_words(&mut self, data: &str) -> Result<(), PlatformError> {
        if data.trim() == "[DONE]" {
            self.ended = true;
        } else if let Ok(chunk) = serde_json::from_str::<Value>(data) {
            self.reader.read(&chunk, &self.token, &mut self.ready)?;
        }
        Ok(())
    }

    fn take(&mut self, item: SseItem) -> Result<(), PlatformError> {
        let SseItem::Event { name, data } = item else {
            return Err(PlatformError::garbage(
                "an event of the model's answer is too large",
            ));
        };
        if let Body::Events { any, .. } = &mut self.body {
            *any = true;
        }
        let data = data.trim();
        if data == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let mut chunk: Value = serde_json::from_str(data)
            .map_err(|_| PlatformError::garbage("an event of the model's answer is not JSON"))?;
        if name == "error" && chunk.get("error").is_none() {
            chunk = serde_json::json!({ "error": chunk });
        }
        self.reader.read(&chunk, &self.token, &mut self.ready)?;
        if !self.ready.is_empty() {
            self.patience.progress_came();
        }
        Ok(())
    }
}
