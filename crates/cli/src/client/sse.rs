//! Server-sent events out of bytes that arrive in any pieces.

use std::collections::VecDeque;

/// The longest frame that is accepted. The server's largest event carries a whole response object.
const MAX_FRAME: usize = 64 << 20;

/// One dispatched block of an event stream: what WHATWG calls an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    pub event: String,
    pub data: String,
    pub id: Option<String>,
}

/// The stream broke a limit or the encoding: the connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    #[error("an event is longer than {MAX_FRAME} bytes")]
    TooLong,
    #[error("the event stream is not UTF-8")]
    NotUtf8,
}

/// Incremental parser. Works on bytes, so a chunk may end inside a character, a line or a frame;
/// every byte is looked at once.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    after_cr: bool,
    frame: Frame,
    has_data: bool,
    ready: VecDeque<Frame>,
}

impl SseParser {
    /// Takes the next bytes of the body.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), SseError> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                self.keep(bytes)?;
                return Ok(());
            };
            self.keep(&bytes[..end])?;
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line()?;
        }
        Ok(())
    }

    /// The next complete frame, if there is one.
    pub fn pop(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        if self.line.len() + self.frame.data.len() + bytes.len() > MAX_FRAME {
            return Err(SseError::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.dispatch();
            return Ok(());
        }
        let line = String::from_utf8(line).map_err(|_| SseError::NotUtf8)?;
        let (field, value) = line.split_once(':').unwrap_or((line.as_str(), ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.frame.event = value.to_owned(),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.frame.id = Some(value.to_owned()),
            _ => {} // comments, `retry` (our back-off is our own) and fields of the future
        }
        Ok(())
    }

    fn dispatch(&mut self) {
        let frame = std::mem::take(&mut self.frame);
        if std::mem::take(&mut self.has_data) {
            self.ready.push_back(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut parser = SseParser::default();
        for piece in pieces {
            parser.push(piece).unwrap();
        }
        std::iter::from_fn(|| parser.pop()).collect()
    }

    #[test]
    fn one_frame_with_every_field() {
        let frames = parse(&[b"id: 7\nevent: a.b\ndata: {\"x\":1}\n\n"]);
        assert_eq!(
            frames,
            [Frame {
                event: "a.b".into(),
                data: "{\"x\":1}".into(),
                id: Some("7".into())
            }]
        );
    }

    #[test]
    fn comments_and_blocks_without_data_are_silent() {
        assert_eq!(parse(&[b": keep-alive\n\nretry: 3\n\nid: 1\n\n"]), []);
    }

    #[test]
    fn line_ends_of_all_three_kinds_and_joined_data() {
        let frames = parse(&[b"data: a\r\ndata:b\rdata: \n\n"]);
        assert_eq!(frames[0].data, "a\nb\n");
    }

    #[test]
    fn a_frame_without_its_empty_line_is_not_dispatched() {
        assert_eq!(parse(&[b"data: half\n"]), []);
    }

    #[test]
    fn every_cut_of_a_stream_gives_the_same_frames() {
        let stream = "id: 0\nevent: e\ndata: {\"t\":\"é漢🎈\"}\r\n\r\n: x\ndata: 2\n\n".as_bytes();
        let whole = parse(&[stream]);
        assert_eq!(whole.len(), 2);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let cut = parse(&[&stream[..first], &stream[first..second], &stream[second..]]);
                assert_eq!(cut, whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn invalid_utf8_and_floods_are_errors() {
        let mut parser = SseParser::default();
        assert_eq!(parser.push(b"data: \xff\n"), Err(SseError::NotUtf8));
        let mut parser = SseParser::default();
        let flood = vec![b'x'; MAX_FRAME / 4];
        let result = (0..5).try_for_each(|_| parser.push(&flood));
        assert_eq!(result, Err(SseError::TooLong));
    }
}
