//! The HTTP clients everything goes through.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use reqwest::{Client, RequestBuilder};

use crate::catalogue::Catalogue;
use crate::jobs::HardwareList;
use crate::snapshot::Snapshot;
use crate::{Deadlines, Endpoints, PlatformError, Token};

const MAX_REDIRECTS: usize = 5;
pub(crate) const USER_AGENT: &str = concat!("ml-intern/", env!("CARGO_PKG_VERSION"));

/// The platform. Cheap to clone; clones share connections and caches.
#[derive(Clone)]
pub struct Platform(Arc<Shared>);

struct Shared {
    endpoints: Endpoints,
    deadlines: Deadlines,
    http: Client,
    api: Client,
    catalogue: Snapshot<Catalogue>,
    hardware: Snapshot<HardwareList>,
}

impl Platform {
    /// Builds the clients; nothing is sent. Fails when TLS cannot be set up.
    pub fn new(endpoints: Endpoints) -> Result<Self, PlatformError> {
        Self::with_deadlines(endpoints, Deadlines::default())
    }

    /// The same with other time limits.
    pub fn with_deadlines(
        endpoints: Endpoints,
        deadlines: Deadlines,
    ) -> Result<Self, PlatformError> {
        ensure_tls_provider();
        let http = client(&deadlines, redirect::Policy::limited(MAX_REDIRECTS))?;
        let api = client(&deadlines, same_origin_redirects())?;
        Ok(Self(Arc::new(Shared {
            endpoints: endpoints.trimmed(),
            deadlines,
            http,
            api,
            catalogue: Snapshot::new(Duration::from_secs(300), Duration::from_secs(15)),
            hardware: Snapshot::new(Duration::from_secs(6 * 3600), Duration::from_secs(60)),
        })))
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    /// A client for what this crate has no method for: sandboxes, downloads, other services. It
    /// follows redirects and drops `Authorization` when one leaves the origin. It sets a connect
    /// deadline only.
    pub fn http(&self) -> &Client {
        &self.0.http
    }

    pub(crate) fn deadlines(&self) -> &Deadlines {
        &self.0.deadlines
    }

    pub(crate) fn catalogue(&self) -> &Snapshot<Catalogue> {
        &self.0.catalogue
    }

    pub(crate) fn hardware_list(&self) -> &Snapshot<HardwareList> {
        &self.0.hardware
    }

    /// `GET` of a hub path, which starts with a slash.
    pub(crate) fn hub_get(&self, token: Option<&Token>, path: &str) -> RequestBuilder {
        authorized(
            self.0.api.get(format!("{}{path}", self.0.endpoints.hub)),
            token,
        )
    }

    /// `POST` to a hub path.
    pub(crate) fn hub_post(&self, token: &Token, path: &str) -> RequestBuilder {
        authorized(
            self.0.api.post(format!("{}{path}", self.0.endpoints.hub)),
            Some(token),
        )
    }

    /// `GET` of one of the dataset viewer's endpoints.
    pub(crate) fn viewer_get(&self, token: &Token, endpoint: &str) -> RequestBuilder {
        let url = format!("{}/{endpoint}", self.0.endpoints.datasets_server);
        authorized(self.0.api.get(url), Some(token))
    }

    /// `GET` of a router path.
    pub(crate) fn router_get(&self, path: &str) -> RequestBuilder {
        self.0.api.get(format!("{}{path}", self.0.endpoints.router))
    }

    /// `POST` to a router path.
    pub(crate) fn router_post(&self, token: &Token, path: &str) -> RequestBuilder {
        authorized(
            self.0
                .api
                .post(format!("{}{path}", self.0.endpoints.router)),
            Some(token),
        )
    }
}

fn authorized(request: RequestBuilder, token: Option<&Token>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token.expose()),
        None => request,
    }
}

fn client(deadlines: &Deadlines, redirects: redirect::Policy) -> Result<Client, PlatformError> {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(deadlines.connect)
        .redirect(redirects)
        .referer(false)
        .build()
        .map_err(PlatformError::transport)
}

/// A request to the API may hold a token in its header and secrets in its body (a job's), and a 307
/// repeats both. So a redirect is followed within the origin only (renamed repositories); any other
/// is handed back and becomes an error.
fn same_origin_redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let stays = attempt
            .previous()
            .last()
            .is_some_and(|from| from.origin() == attempt.url().origin());
        if stays && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

/// The HTTP client panics without a process-wide TLS provider. The binary installs one first thing;
/// this covers tests and embedders. Losing a race against another installer is as good as winning
/// it.
pub(crate) fn ensure_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
