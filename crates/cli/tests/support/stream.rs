//! Event streams as raw bytes, cut where a test wants.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value;

/// A streaming body.
pub struct RawStream {
    chunks: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    pub bytes: Vec<u8>,
}

/// One whole frame.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEvent {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
    /// The frame's bytes as they came, blank line included.
    pub frame: String,
}

impl RawStream {
    pub fn new(response: reqwest::Response) -> Self {
        Self {
            chunks: response.bytes_stream().boxed(),
            bytes: Vec::new(),
        }
    }

    /// Reads on until the stream ends or breaks, and gives everything read.
    pub async fn read_to_end(mut self) -> Vec<u8> {
        while self.read_chunk().await {}
        self.bytes
    }

    /// Reads until at least `count` bytes have come (or the stream ends), then cuts there and hangs up.
    pub async fn read_and_cut(mut self, count: usize) -> Vec<u8> {
        while self.bytes.len() < count && self.read_chunk().await {}
        self.bytes.truncate(count);
        self.bytes
    }

    /// Reads until a whole event satisfies `found`, or the stream ends.
    pub async fn read_until(&mut self, found: impl Fn(&RawEvent) -> bool) -> Option<RawEvent> {
        loop {
            if let Some(event) = parse_frames(&self.bytes)
                .into_iter()
                .find(|event| found(event))
            {
                return Some(event);
            }
            if !self.read_chunk().await {
                return None;
            }
        }
    }

    /// Reads one more chunk; false at the end.
    pub async fn read_chunk(&mut self) -> bool {
        match self.chunks.next().await {
            Some(Ok(chunk)) => {
                self.bytes.extend_from_slice(&chunk);
                true
            }
            Some(Err(_)) | None => false,
        }
    }
}

/// The whole frames of a piece of stream; a cut last frame and comments are left out.
pub fn parse_frames(bytes: &[u8]) -> Vec<RawEvent> {
    let text = String::from_utf8_lossy(bytes);
    let end = text.rfind("\n\n").map_or(0, |at| at + 2);
    text[..end]
        .split_inclusive("\n\n")
        .filter_map(parse_frame)
        .collect()
}

fn parse_frame(frame: &str) -> Option<RawEvent> {
    let frame: String = frame
        .split_inclusive('\n')
        .filter(|line| !line.starts_with(':'))
        .collect();
    let field = |name: &str| {
        frame
            .lines()
            .find_map(|line| line.strip_prefix(name).map(str::trim_start))
    };
    let data = serde_json::from_str(field("data:")?).ok()?;
    Some(RawEvent {
        id: field("id:").and_then(|id| id.parse().ok()),
        name: field("event:")?.to_owned(),
        data,
        frame,
    })
}
