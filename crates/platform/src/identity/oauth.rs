//! The scopes of an OAuth access token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::Token;

/// Reads the `scope` claim of `hf_oauth_<JWT>`. The signature is not checked: the Hub has just
/// accepted the token, and a forged claim could only promise what the Hub refuses later.
pub(super) fn scopes(token: &Token) -> Option<String> {
    let jwt = token.expose().strip_prefix("hf_oauth_")?;
    let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    match claims.get("scope")? {
        Value::String(scopes) => Some(scopes.clone()),
        Value::Array(scopes) => Some(
            scopes
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::super::capability::Capabilities;
    use super::scopes;
    use crate::Token;

    fn token(claims: &str) -> Token {
        Token::new(format!(
            "hf_oauth_e30.{}.sig",
            URL_SAFE_NO_PAD.encode(claims)
        ))
    }

    #[test]
    fn scopes_are_read_from_the_claims() {
        let given = scopes(&token(r#"{"scope":"openid inference-api jobs"}"#)).unwrap();
        let expected = Capabilities {
            infer: true,
            write_repos: false,
            run_jobs: true,
        };
        assert_eq!(Capabilities::of_scopes(&given), expected);
        let listed = scopes(&token(r#"{"scope":["write-repos"]}"#)).unwrap();
        assert!(Capabilities::of_scopes(&listed).write_repos);
    }

    #[test]
    fn other_tokens_have_none() {
        for text in ["hf_abc", "hf_oauth_", "hf_oauth_a.b", "hf_oauth_a.!!.c"] {
            assert_eq!(scopes(&Token::new(text.into())), None, "{text}");
        }
        assert_eq!(scopes(&token("{}")), None);
    }
}
