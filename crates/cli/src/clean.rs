//! Makes text from outside harmless for a terminal.
//!
//! Model output, tool output and server words may carry escape sequences that move the cursor, rename
//! the window, write the clipboard or fake a prompt, and direction marks that show a command other
//! than the one that runs. Everything that is shown passes through here first.

/// Text of several lines: line feeds and tabs stay.
pub fn text(raw: &str) -> String {
    strip(raw, true)
}

/// One line: every line break and tab becomes a space.
pub fn line(raw: &str) -> String {
    strip(raw, false)
}

/// [`line`], cut to `max` characters with an ellipsis.
pub fn short(raw: &str, max: usize) -> String {
    // Cleaning first: an escape sequence must not be cut in half. Bounded, for huge inputs.
    let head: String = raw.trim_start().chars().take(max * 8 + 64).collect();
    let clean = line(&head);
    let clean = clean.trim();
    if clean.chars().count() <= max {
        return clean.to_owned();
    }
    let cut: String = clean.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

fn strip(raw: &str, keep_breaks: bool) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\u{1b}' => skip_escape(after),
            '\u{9b}' => skip_csi(after),
            '\n' | '\t' if keep_breaks => {
                out.push(c);
                after
            }
            '\r' if keep_breaks => after,
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => {
                out.push(' ');
                after
            }
            c => {
                if !is_unsafe(c) {
                    out.push(c);
                }
                after
            }
        };
    }
    out
}

/// Control characters of both sets, and characters that reorder or hide what stands around them.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{fff9}'..='\u{fffb}')
}

/// What follows an ESC. A string sequence (OSC, DCS …) without its end loses only the introducer: the
/// rest of the text must not vanish with it.
fn skip_escape(rest: &str) -> &str {
    match rest.chars().next() {
        Some('[') => skip_csi(&rest[1..]),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let body = &rest[1..];
            skip_string(body).unwrap_or(body)
        }
        // Two-character sequences, with intermediates: ESC ( B
        Some(' '..='/') => {
            let end = rest.trim_start_matches(|c| (' '..='/').contains(&c));
            end.strip_prefix(|c| ('0'..='~').contains(&c))
                .unwrap_or(end)
        }
        Some('0'..='~') => &rest[1..],
        _ => rest,
    }
}

/// Parameters, intermediates, final byte.
fn skip_csi(rest: &str) -> &str {
    let end = rest.trim_start_matches(|c| ('0'..='?').contains(&c));
    let end = end.trim_start_matches(|c| (' '..='/').contains(&c));
    end.strip_prefix(|c| ('@'..='~').contains(&c))
        .unwrap_or(end)
}

/// To behind BEL or ST; `None` if neither comes on this line.
fn skip_string(body: &str) -> Option<&str> {
    for (at, c) in body.char_indices() {
        match c {
            '\u{7}' | '\u{9c}' => return Some(&body[at + c.len_utf8()..]),
            '\u{1b}' => return body[at + 1..].strip_prefix('\\'),
            '\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_and_words_stay() {
        for (raw, clean) in [
            ("plain é漢🎈 text", "plain é漢🎈 text"),
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]52;c;aGk=\u{1b}\\after", "after"),
            ("\u{1b}]8;;http://evil\u{7}link\u{1b}]8;;\u{7}", "link"),
            ("\u{1b}Pdcs\u{1b}\\x", "x"),
            ("\u{1b}(Bx\u{1b}7y\u{1b}cz", "xyz"),
            ("\u{9b}2Jx\u{9d}y", "xy"),
            ("a\u{8}\u{7}\u{0}\u{7f}b", "ab"),
            ("rm \u{202e}txt.exe", "rm txt.exe"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[31", ""),
        ] {
            assert_eq!(text(raw), clean, "{raw:?}");
        }
    }

    #[test]
    fn an_unended_string_sequence_hides_nothing() {
        assert_eq!(text("\u{1b}]0;visible rest"), "0;visible rest");
        assert_eq!(text("\u{1b}]0;a\nb\u{7}"), "0;a\nb");
    }

    #[test]
    fn lines_have_no_breaks() {
        assert_eq!(line("a\r\nb\tc\u{2028}d"), "a b c d");
        assert_eq!(text("a\r\nb\tc"), "a\nb\tc");
    }

    #[test]
    fn short_counts_characters() {
        assert_eq!(short("  äöü  ", 3), "äöü");
        assert_eq!(short("äöüß", 3), "äö…");
        assert_eq!(short(&"x\u{1b}[1m".repeat(1000), 5), "xxxx…");
    }

    #[test]
    fn no_input_leaves_a_control_character() {
        let pieces = [
            "\u{1b}", "[", "]", "P", "\\", "\u{7}", "\u{9c}", "3", "m", ";", "\r", "é", "\u{9b}",
            "(",
        ];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    let raw = format!("{a}{b}{c}{a}{c}{b}x");
                    assert!(!line(&raw).contains(is_unsafe), "{raw:?}");
                }
            }
        }
    }
}
