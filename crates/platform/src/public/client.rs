//! The guarded client.

use super::resolver::PublicOnly;
use super::{Allowed, PublicError};
use crate::PlatformError;
use crate::client::{USER_AGENT, ensure_tls_provider};
use reqwest::{Client, ClientBuilder, Url, redirect};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Name lookup, TCP and TLS together.
const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections kept to one host: receivers are many and rarely busy.
const IDLE_CONNECTIONS: usize = 2;

/// HTTP to public addresses. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct PublicHttp {
    allowed: Arc<Allowed>,
    guarded: Client,
    /// For what the operator trusts.
    open: Client,
}

impl PublicHttp {
    /// Builds the clients; nothing is sent.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(allowed: Allowed) -> Result<Self, PlatformError> {
        ensure_tls_provider();
        let allowed = Arc::new(allowed);
        let guard = Arc::new(PublicOnly(Arc::clone(&allowed)));
        let guarded = builder().dns_resolver(guard).build();
        let open = builder().build();
        Ok(Self {
            allowed,
            guarded: guarded.map_err(PlatformError::transport)?,
            open: open.map_err(PlatformError::transport)?,
        })
    }

    /// Reads a URL and checks what can be checked without looking its name up: scheme, host, an address in place of a
    /// name.
    ///
    /// # Errors
    /// [`PublicError::NotAUrl`] and [`PublicError::NotPublic`].
    pub fn check(&self, url: &str) -> Result<Url, PublicError> {
        let url = Url::parse(url).map_err(|_| PublicError::NotAUrl)?;
        self.client_for(&url)?;
        Ok(url)
    }

    /// The client for requests to this URL and to no other: it checks the names of its connections, while addresses in
    /// URLs are checked here. It waits 5 s for a connection; any other deadline is the caller's.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn client_for(&self, url: &Url) -> Result<&Client, PublicError> {
        if !matches!(url.scheme(), "http" | "https") || url.port() == Some(0) {
            return Err(PublicError::NotAUrl);
        }
        let host = url.host_str().ok_or(PublicError::NotAUrl)?;
        if self.allowed.has_host(url) {
            return Ok(&self.open);
        }
        match literal(host) {
            Some(address) if !self.allowed.has_address(address) => Err(PublicError::NotPublic),
            _ => Ok(&self.guarded),
        }
    }

    /// The client for URLs that the operator has configured: no guard, no redirects either.
    #[must_use]
    pub fn trusted(&self) -> &Client {
        &self.open
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
}

/// The address that stands in a URL in place of a name. The parser has brought every spelling to this one.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}
