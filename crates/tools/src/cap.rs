//! Capping what goes back to the model: a quarter from the beginning, the rest from the end.

/// Most characters of one tool output in the conversation.
pub const OUTPUT_LIMIT: usize = 25_000;

/// A text that may have lost its middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capped {
    pub text: String,
    /// Characters left out.
    pub omitted: usize,
}

/// Caps `text` to `limit` characters; `where_to_find` says where the whole is, e.g. `the full output is in /tmp/x`.
#[must_use]
pub fn cap(text: &str, limit: usize, where_to_find: Option<&str>) -> Capped {
    let characters = text.chars().count();
    if characters <= limit {
        return Capped {
            text: text.to_owned(),
            omitted: 0,
        };
    }
    let head = limit / 4;
    let tail = limit - head;
    let omitted = characters - limit;
    let head_end = text
        .char_indices()
        .nth(head)
        .map_or(text.len(), |(at, _)| at);
    let tail_start = text
        .char_indices()
        .nth(characters - tail)
        .map_or(text.len(), |(at, _)| at);
    let hint = where_to_find
        .map(|hint| format!("; {hint}"))
        .unwrap_or_default();
    let text = format!(
        "{}\n\n[… {omitted} characters left out{hint} …]\n\n{}",
        &text[..head_end],
        &text[tail_start..]
    );
    Capped { text, omitted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_quarter_head_and_the_rest_tail() {
        let text: String = (0..1000)
            .map(|i| char::from(b'a' + (i % 26) as u8))
            .collect();
        let capped = cap(&text, 100, Some("see /tmp/full"));
        assert!(capped.text.starts_with(&text[..25]));
        assert!(capped.text.ends_with(&text[925..]));
        assert!(
            capped
                .text
                .contains("900 characters left out; see /tmp/full")
        );
        assert_eq!(capped.omitted, 900);
        assert_eq!(
            cap("short", 100, None),
            Capped {
                text: "short".into(),
                omitted: 0
            }
        );
        assert_eq!(cap(&"é".repeat(200), 100, None).omitted, 100);
    }
}
