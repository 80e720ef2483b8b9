//! Whether streamed JSON text is complete, without parsing it again for each piece.

/// How far a JSON object has come, by its brackets alone.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whether anything but blanks came.
    pub begun: bool,
    /// Whether the outermost bracket was closed.
    pub complete: bool,
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Progress {
    pub(super) fn take(&mut self, piece: &str) {
        for byte in piece.bytes() {
            self.begun |= !byte.is_ascii_whitespace();
            if self.in_string {
                self.in_string = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete |= self.depth == 0;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let complete = |pieces: &[&str]| {
            let mut progress = Progress::default();
            pieces.iter().for_each(|piece| progress.take(piece));
            progress.complete
        };
        assert!(complete(&["{\"a\":\"}\\\"}\"", "}"]));
        assert!(!complete(&["{\"a\":\"}\\", "\"}"]));
        assert!(!complete(&["{\"a\":{}"]));
        assert!(!complete(&[""]));
    }
}
