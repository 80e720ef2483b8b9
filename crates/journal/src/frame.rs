//! An event as readers get it: encoded once, shared by all of them.

use bytes::Bytes;
use std::sync::Arc;

/// One server-sent event, `id: N\nevent: NAME\ndata: JSON\n\n`, and slices of it. Cloning copies no payload.
#[derive(Debug, Clone)]
pub struct Frame {
    pub seq: u64,
    name: Arc<str>,
    bytes: Bytes,
    /// Where the `event:` line begins, behind the `id:` line.
    event_at: usize,
    /// Where the JSON begins.
    data_at: usize,
}

impl Frame {
    /// Encodes a stored event. The same input gives the same bytes, whenever and wherever it is read.
    #[must_use]
    pub fn encode(seq: u64, name: &str, body: &str) -> Self {
        let id = format!("id: {seq}\n");
        let head = format!("event: {name}\ndata: ");
        let mut text = String::with_capacity(id.len() + head.len() + body.len() + 2);
        for piece in [id.as_str(), head.as_str(), body, "\n\n"] {
            text.push_str(piece);
        }
        let (event_at, data_at) = (id.len(), id.len() + head.len());
        Self {
            seq,
            name: name.into(),
            bytes: text.into(),
            event_at,
            data_at,
        }
    }

    /// The event's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The frame with its `id:` line.
    #[must_use]
    pub fn with_id(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The frame without its `id:` line.
    #[must_use]
    pub fn without_id(&self) -> Bytes {
        self.bytes.slice(self.event_at..)
    }

    /// The JSON line alone.
    #[must_use]
    pub fn data(&self) -> Bytes {
        self.bytes.slice(self.data_at..self.bytes.len() - 2)
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_views_of_a_frame() {
        let frame = Frame::encode(12, "response.x", r#"{"a":1}"#);
        assert_eq!(
            frame.with_id(),
            "id: 12\nevent: response.x\ndata: {\"a\":1}\n\n"
        );
        assert_eq!(frame.without_id(), "event: response.x\ndata: {\"a\":1}\n\n");
        assert_eq!(frame.data(), r#"{"a":1}"#);
    }
}
