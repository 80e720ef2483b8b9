//! The secrets that signatures are made with, spelled as Standard Webhooks has them: `whsec_` and base64.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

const PREFIX: &str = "whsec_";
/// Lengths that the specification recommends, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// Sets the derived secrets apart from any other use of the key.
const PURPOSE: &[u8] = b"ml-intern webhook secret of account ";

/// A symmetric signing secret. Its `Debug` output does not hold it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    spelled: Arc<str>,
    key: Arc<[u8]>,
}

/// Says nothing of what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is `whsec_` and then base64 of 24 to 64 bytes")]
pub struct BadSecret;

impl FromStr for WebhookSecret {
    type Err = BadSecret;

    fn from_str(spelled: &str) -> Result<Self, BadSecret> {
        let encoded = spelled.strip_prefix(PREFIX).ok_or(BadSecret)?;
        let key = BASE64_STANDARD.decode(encoded).map_err(|_| BadSecret)?;
        if !LENGTHS.contains(&key.len()) {
            return Err(BadSecret);
        }
        Ok(Self::from_key(&key))
    }
}

impl WebhookSecret {
    pub(super) fn random() -> Self {
        let (first, second) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        Self::from_key(&[*first.as_bytes(), *second.as_bytes()].concat())
    }

    /// An account's own secret: nobody who knows it learns this one or another account's.
    pub(super) fn of_account(&self, account: &str) -> Self {
        Self::from_key(&self.mac(&[PURPOSE, account.as_bytes()]))
    }

    pub(super) fn expose(&self) -> &str {
        &self.spelled
    }

    /// HMAC-SHA256 of the pieces, one behind the other.
    pub(super) fn mac(&self, pieces: &[&[u8]]) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("a key of any length is a key")
        };
        pieces.iter().for_each(|piece| mac.update(piece));
        mac.finalize().into_bytes().into()
    }

    fn from_key(key: &[u8]) -> Self {
        Self {
            spelled: format!("{PREFIX}{}", BASE64_STANDARD.encode(key)).into(),
            key: key.into(),
        }
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_as_the_specification_spells_them() {
        let spelled = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret: WebhookSecret = spelled.parse().unwrap();
        assert_eq!(secret.expose(), spelled);
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        for bad in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_!!",
        ] {
            assert_eq!(bad.parse::<WebhookSecret>(), Err(BadSecret), "{bad}");
        }
    }

    #[test]
    fn every_account_has_its_own_and_always_the_same() {
        let key: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let alice = key.of_account("alice");
        assert_eq!(alice, key.of_account("alice"));
        assert_ne!(alice, key.of_account("alicf"));
        assert_ne!(alice, key);
        assert_eq!(alice.expose().parse(), Ok(alice.clone()));
        assert_ne!(WebhookSecret::random(), WebhookSecret::random());
    }
}
