//! A caller's Hugging Face token, held in memory only.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A bearer token. Zeroed on drop; `Debug` hides it; there is no `Display` and no serialisation.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    pub fn new(token: String) -> Self {
        Self(SecretString::from(token))
    }

    /// The token itself. For an `Authorization` header or a job secret, nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn debug_hides_the_token() {
        assert_eq!(format!("{:?}", Token::new("hf_secret".into())), "Token(…)");
    }
}
