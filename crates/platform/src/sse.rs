//! Server-sent events out of bytes, with a bound on every buffer.
//!
//! Written here because the ready-made decoders let a line, or an event of many lines, grow without
//! end, and copy the rest of a chunk for every line in it.

use std::collections::VecDeque;

/// What the decoder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SseItem {
    Event {
        name: String,
        data: String,
    },
    /// An event larger than the limit; its bytes were thrown away.
    Oversized,
}

/// An incremental decoder. Memory is at most twice the limit, plus what `feed` puts out for one
/// chunk.
#[derive(Debug)]
pub(crate) struct SseDecoder {
    limit: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    name: String,
    has_data: bool,
    line_lost: bool,
    oversized: bool,
    after_cr: bool,
    at_start: bool,
}

impl SseDecoder {
    /// `limit` bounds the bytes of one line and of one event's data.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            data: Vec::new(),
            name: String::new(),
            has_data: false,
            line_lost: false,
            oversized: false,
            after_cr: false,
            at_start: true,
        }
    }

    /// Takes the next bytes and puts every completed event into `out`. Lines end in LF, CR or CRLF.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut VecDeque<SseItem>) {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend_line(&bytes[..end]);
            out.extend(self.end_line());
            let crlf = bytes[end..].starts_with(b"\r\n");
            self.after_cr = bytes[end..] == *b"\r";
            bytes = &bytes[end + 1 + usize::from(crlf)..];
        }
        self.extend_line(bytes);
    }

    /// The event that the end of the stream cut off before its blank line. Some servers end without
    /// one.
    pub(crate) fn finish(&mut self) -> Option<SseItem> {
        if !self.line.is_empty() || self.line_lost {
            self.end_line();
        }
        self.dispatch()
    }

    fn extend_line(&mut self, piece: &[u8]) {
        if self.line.len() + piece.len() > self.limit {
            self.line_lost = true;
            self.line = Vec::new();
        } else if !self.line_lost {
            self.line.extend_from_slice(piece);
        }
    }

    /// Interprets the line read so far; a blank one ends the event.
    fn end_line(&mut self) -> Option<SseItem> {
        if std::mem::take(&mut self.line_lost) {
            self.line.clear();
            self.oversized = true;
            return None;
        }
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.at_start) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        let item = if line.is_empty() {
            self.dispatch()
        } else {
            None
        };
        self.field(&line);
        // Keep the buffer for the next line.
        line.clear();
        self.line = line;
        item
    }

    fn field(&mut self, line: &[u8]) {
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => self.push_data(value),
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            // Comments, ids, retry times and unknown fields mean nothing here.
            _ => {}
        }
    }

    fn push_data(&mut self, value: &[u8]) {
        if self.data.len() + value.len() + 1 > self.limit {
            self.oversized = true;
            self.data = Vec::new();
        } else if !self.oversized {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value);
        }
        self.has_data = true;
    }

    fn dispatch(&mut self) -> Option<SseItem> {
        let data = std::mem::take(&mut self.data);
        let name = std::mem::take(&mut self.name);
        let has_data = std::mem::take(&mut self.has_data);
        if std::mem::take(&mut self.oversized) {
            return Some(SseItem::Oversized);
        }
        has_data.then(|| SseItem::Event {
            name,
            data: String::from_utf8_lossy(&data).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::{SseDecoder, SseItem};

    fn decode(chunks: &[&[u8]], limit: usize) -> Vec<SseItem> {
        let (mut decoder, mut out) = (SseDecoder::new(limit), VecDeque::new());
        for chunk in chunks {
            decoder.feed(chunk, &mut out);
            assert!(decoder.line.len() <= limit && decoder.data.len() <= limit);
        }
        out.extend(decoder.finish());
        out.into()
    }

    fn event(name: &str, data: &str) -> SseItem {
        SseItem::Event {
            name: name.into(),
            data: data.into(),
        }
    }

    #[test]
    fn events_are_read_with_every_line_end() {
        for end in ["\n", "\r", "\r\n"] {
            let text = [
                "\u{feff}: hello",
                "event: log",
                "data: a",
                "data:b",
                "id: 7",
                "",
                "",
                "data",
                "",
                "data: c",
            ];
            let expected = [event("log", "a\nb"), event("", ""), event("", "c")];
            assert_eq!(
                decode(&[text.join(end).as_bytes()], 100),
                expected,
                "{end:?}"
            );
        }
    }

    #[test]
    fn comments_and_other_fields_make_no_event() {
        assert_eq!(
            decode(
                &[b": keep-alive\n\nretry: 3\n\nevent: x\n\nnonsense\n\n"],
                100
            ),
            []
        );
    }

    #[test]
    fn an_endless_line_costs_the_limit_and_is_skipped() {
        let flood = [b'x'; 1000];
        let items = decode(&[b"data: ", &flood, &flood, b"\n\ndata: ok\n\n"], 1500);
        assert_eq!(items, [SseItem::Oversized, event("", "ok")]);
    }

    #[test]
    fn an_endless_event_costs_the_limit_and_is_skipped() {
        let many = b"data: 0123456789\n".repeat(100);
        let items = decode(&[&many, &many, b"\ndata: ok\n\n"], 200);
        assert_eq!(items, [SseItem::Oversized, event("", "ok")]);
    }

    proptest! {
        #[test]
        fn the_split_into_chunks_does_not_matter(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), Just(0xc3), any::<u8>()
            ], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..10),
        ) {
            let mut bytes = bytes;
            bytes.splice(0..0, *b"data: x\r\ndata: y\n\n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&chunks, 50), decode(&[&bytes], 50));
        }
    }
}
