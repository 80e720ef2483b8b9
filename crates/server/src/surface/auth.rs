//! Who is calling (contract §2): the bearer token, checked with the Hub and remembered for five minutes.

use crate::app::App;
use crate::surface::refusal::Refusal;
use axum::extract::FromRequestParts;
use hmac::{Hmac, KeyInit, Mac};
use http::header::AUTHORIZATION;
use http::request::Parts;
use moka::future::Cache;
use platform::{AccountKind, ErrorKind, Identity, Platform, Token};
use protocol::{ErrorType, Problem};
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const REMEMBERED: Duration = Duration::from_secs(300);
const MOST_REMEMBERED: u64 = 100_000;
/// How long a route that needs no token waits for the Hub's word on one.
const OPTIONAL_PATIENCE: Duration = Duration::from_secs(1);
/// A longer header is no token; hashing and forwarding it would be work for an attacker.
const LONGEST_TOKEN: usize = 4096;

/// The account behind a request, and its token.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub identity: Arc<Identity>,
    pub token: Token,
}

impl Caller {
    pub fn account(&self) -> &str {
        &self.identity.name
    }
}

/// Remembers identities under a keyed hash of the token, never under the token.
pub(crate) struct Gate {
    platform: Platform,
    key: [u8; 32],
    known: Cache<[u8; 32], Arc<Identity>>,
}

impl Gate {
    pub fn new(platform: Platform) -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        let known = Cache::builder()
            .time_to_live(REMEMBERED)
            .max_capacity(MOST_REMEMBERED)
            .build();
        Self {
            platform,
            key,
            known,
        }
    }

    /// Checks a token. Concurrent first uses of one token make one call to the Hub.
    async fn identify(&self, token: &Token) -> Result<Arc<Identity>, Problem> {
        let lookup = async { self.platform.whoami(token).await.map(Arc::new) };
        let identity = self.known.try_get_with(self.hash(token), lookup).await;
        match identity {
            Ok(identity) if identity.kind == AccountKind::Organization => Err(unauthorized(
                "organization_token_not_supported",
                "Organization tokens are not supported; use a user access token.",
            )),
            Ok(identity) => Ok(identity),
            Err(error) => match error.kind {
                ErrorKind::Auth | ErrorKind::Permission => Err(unauthorized(
                    "invalid_token",
                    "Hugging Face does not accept this token.",
                )),
                _ => Err(unavailable()),
            },
        }
    }

    fn hash(&self, token: &Token) -> [u8; 32] {
        let mut hash = [0; 32];
        // HMAC takes keys of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            mac.update(token.expose().as_bytes());
            hash.copy_from_slice(&mac.finalize().into_bytes());
        }
        hash
    }
}

fn unauthorized(code: &'static str, message: &str) -> Problem {
    Problem::new(401, ErrorType::Authentication, code, message)
}

fn unavailable() -> Problem {
    let message = "The token could not be checked: Hugging Face does not answer.";
    Problem::new(503, ErrorType::Server, "auth_unavailable", message).with_retry_after(5)
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let token = bearer(parts).ok_or_else(|| {
            unauthorized(
                "missing_token",
                "Send a Hugging Face token as `Authorization: Bearer hf_…`.",
            )
        })?;
        let identity = app.gate.identify(&token).await?;
        app.rate_limit.check(&identity.name, &parts.extensions)?;
        Ok(Self { identity, token })
    }
}

/// Who is calling, where that is welcome and not needed: without a good token, or when it cannot be checked at once,
/// nobody.
pub(crate) struct MaybeCaller(pub Option<Caller>);

impl FromRequestParts<App> for MaybeCaller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let Some(token) = bearer(parts) else {
            return Ok(Self(None));
        };
        let identified = timeout(OPTIONAL_PATIENCE, app.gate.identify(&token)).await;
        let identity = identified.ok().and_then(Result::ok);
        Ok(Self(identity.map(|identity| Caller { identity, token })))
    }
}

fn bearer(parts: &Parts) -> Option<Token> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    // Of two headers nobody knows which one a proxy has checked.
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let value = value.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let is_token =
        scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= LONGEST_TOKEN;
    is_token.then(|| Token::new(token.to_owned()))
}
