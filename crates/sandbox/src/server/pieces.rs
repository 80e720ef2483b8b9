//! Cutting a stream of bytes into pieces of text without cutting characters apart.

/// Longest a character can be while it is still incomplete.
const LONGEST_REST: usize = 3;

/// Keeps the beginning of a character until its other bytes arrive; invalid bytes become U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    rest: Vec<u8>,
}

impl Pieces {
    /// The text that is complete with these bytes; may be empty.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let complete = self.rest.len() - incomplete(&self.rest);
        let tail = self.rest.split_off(complete);
        let text = String::from_utf8_lossy(&self.rest).into_owned();
        self.rest = tail;
        text
    }

    /// What is left at the end of the stream.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.rest).into_owned()
    }
}

/// How many bytes at the end may be the beginning of a character.
fn incomplete(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(LONGEST_REST)..];
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len() - error.valid_up_to(),
        // The tail may begin within a character; then look at what follows it.
        _ => (1..tail.len())
            .map(|start| &tail[start..])
            .find_map(|part| match std::str::from_utf8(part) {
                Err(error) if error.error_len().is_none() && error.valid_up_to() == 0 => {
                    Some(part.len())
                }
                _ => None,
            })
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_gives_the_same_text() {
        let text = "aé€😀z\u{fffd}日本";
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut pieces = Pieces::default();
                let mut all = String::new();
                for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                    all += &pieces.push(part);
                }
                all += &pieces.finish();
                assert_eq!(all, text, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn invalid_bytes_are_replaced_and_never_held_back_for_long() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.push(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(pieces.push(b"\xf0\x9f"), "");
        assert_eq!(pieces.push(b"xyz"), "\u{fffd}xyz");
        assert_eq!(pieces.push(b"\xe2\x82"), "");
        assert_eq!(pieces.finish(), "\u{fffd}");
        let mut continuation = Pieces::default();
        assert_eq!(continuation.push(&[0x80; 5]), "\u{fffd}".repeat(5));
    }
}
