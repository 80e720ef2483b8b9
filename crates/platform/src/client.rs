//! The HTTP clients everything goes through.

use std::sync::Arc;

use crate::{Deadlines, Endpoints, PlatformError};

/// The platform. Cheap to clone; clones share connections and caches.
#[derive(Clone)]
pub struct Platform(Arc<Shared>);

struct Shared {
    endpoints: Endpoints,
    deadlines: Deadlines,
    http: reqwest::Client,
}

impl Platform {
    /// Builds the clients; nothing is sent.
    pub fn new(endpoints: Endpoints) -> Result<Self, PlatformError> {
        Self::with_deadlines(endpoints, Deadlines::default())
    }

    /// The same with other time limits.
    pub fn with_deadlines(
        endpoints: Endpoints,
        deadlines: Deadlines,
    ) -> Result<Self, PlatformError> {
        let http = reqwest::Client::builder()
            .build()
            .map_err(PlatformError::transport)?;
        Ok(Self(Arc::new(Shared {
            endpoints: endpoints.trimmed(),
            deadlines,
            http,
        })))
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.0.http
    }
}
