//! Lines out of text that arrives in pieces.

/// The longest line that is kept whole; a longer one is broken.
const MAX_LINE: usize = 4000;

/// Collects deltas and gives complete lines. A lone carriage return starts the line anew, as a
/// progress bar means it. Raw text in, raw text out: cleaning needs whole lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineAssembler {
    partial: String,
    after_cr: bool,
}

impl LineAssembler {
    /// Takes a delta, returns the lines it completed.
    pub fn push(&mut self, delta: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for c in delta.chars() {
            if std::mem::take(&mut self.after_cr) && c != '\n' {
                self.partial.clear();
            }
            match c {
                '\n' => lines.push(std::mem::take(&mut self.partial)),
                '\r' => self.after_cr = true,
                c => self.partial.push(c),
            }
            if self.partial.len() >= MAX_LINE {
                lines.push(std::mem::take(&mut self.partial));
            }
        }
        lines
    }

    /// The unfinished line.
    pub fn partial(&self) -> &str {
        &self.partial
    }

    /// Ends the text: the unfinished line, if there is one.
    pub fn finish(&mut self) -> Option<String> {
        self.after_cr = false;
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(pieces: &[&str]) -> (Vec<String>, String) {
        let mut assembler = LineAssembler::default();
        let lines = pieces.iter().flat_map(|p| assembler.push(p)).collect();
        (lines, assembler.partial().to_owned())
    }

    #[test]
    fn lines_across_deltas() {
        for (pieces, lines, partial) in [
            (&["a", "b\nc"][..], &["ab"][..], "c"),
            (&["a\r", "\nb\r\n"], &["a", "b"], ""),
            (&["10%\r", "20%\r90%\n"], &["90%"], ""),
            (&["10%\r"], &[], "10%"),
            (&["\n\n"], &["", ""], ""),
        ] {
            let (got, rest) = feed(pieces);
            assert_eq!(
                (got.as_slice(), rest.as_str()),
                (
                    &lines.iter().map(|s| s.to_string()).collect::<Vec<_>>()[..],
                    partial
                )
            );
        }
    }

    #[test]
    fn an_endless_line_is_broken() {
        let (lines, partial) = feed(&[&"x".repeat(MAX_LINE * 2 + 1)]);
        assert_eq!((lines.len(), partial.len()), (2, 1));
    }
}
