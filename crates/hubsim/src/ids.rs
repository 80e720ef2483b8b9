//! Identifiers: random ones for new things, derived ones for accounts and conversations.

use sha2::{Digest, Sha256};

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// 24 random hexadecimal digits: the shape of job, repository and item ids.
pub fn random_id() -> String {
    hex(&rand::random::<[u8; 12]>())
}

/// 24 hexadecimal digits that are always the same for the same text (account and repository `_id`).
pub fn stable_id(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..12])
}

/// The value of the `X-Request-Id` response header.
pub fn request_id() -> String {
    let id = random_id();
    let start: String = hex(&rand::random::<[u8; 4]>());
    format!("Root=1-{start}-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_stable_ids() {
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
        assert_eq!(stable_id("alice"), stable_id("alice"));
        assert_eq!(stable_id("alice").len(), 24);
        assert_ne!(random_id(), random_id());
    }
}
