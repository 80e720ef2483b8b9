//! Making someone else's words fit to be shown and logged.

use crate::Token;

const LONGEST_MESSAGE: usize = 500;
/// A real token has more characters than any word that merely starts like one.
const SHORTEST_TAIL: usize = 20;

/// At most 500 characters, without control characters.
pub(crate) fn clip(message: &str) -> String {
    let line = message
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    let mut clipped: String = line.clone().take(LONGEST_MESSAGE).collect();
    if line.clone().nth(LONGEST_MESSAGE).is_some() {
        clipped.pop();
        clipped.push('…');
    }
    clipped
}

/// Blanks out the caller's token and everything that looks like one.
pub(crate) fn scrub(message: &str, token: Option<&Token>) -> String {
    let secret = token.map(Token::expose).filter(|secret| !secret.is_empty());
    let message = match secret {
        Some(secret) => message.replace(secret, "[token]"),
        None => message.to_owned(),
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let looks_secret = |word: &str| {
        ["hf_", "api_org_"].iter().any(|prefix| {
            word.strip_prefix(prefix).is_some_and(|tail| {
                tail.strip_prefix("oauth_")
                    .unwrap_or(tail)
                    .split('_')
                    .any(|part| part.len() >= SHORTEST_TAIL)
            })
        })
    };
    message
        .split_inclusive(|c| !is_word(c))
        .map(|piece| {
            let word = piece.trim_end_matches(|c| !is_word(c));
            if looks_secret(word) {
                piece.replacen(word, "[token]", 1)
            } else {
                piece.to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{clip, scrub};
    use crate::Token;

    #[test]
    fn long_and_ugly_messages_are_clipped() {
        assert_eq!(clip(" a\nb\u{7}c\n"), "a b c");
        let clipped = clip(&"é".repeat(600));
        assert_eq!(clipped.chars().count(), 500);
        assert!(clipped.ends_with('…'));
        assert_eq!(clip(&"x".repeat(500)), "x".repeat(500));
    }

    #[test]
    fn tokens_are_blanked_out() {
        let token = Token::new("hf_alice".into());
        assert_eq!(scrub("bad hf_alice!", Some(&token)), "bad [token]!");
        let real = format!(
            "token 'hf_{}' and hf_hub_download_progress_bar",
            "aB3".repeat(11)
        );
        assert_eq!(
            scrub(&real, None),
            "token '[token]' and hf_hub_download_progress_bar"
        );
        let oauth = format!("hf_oauth_{}.x", "eyJhbGciOiJFZERTQSJ9abc");
        assert_eq!(scrub(&oauth, None), "[token].x");
        assert_eq!(
            scrub("nothing here", Some(&Token::new(String::new()))),
            "nothing here"
        );
    }
}
