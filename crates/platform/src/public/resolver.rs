//! Names to addresses, without those that may not be reached.

use super::{Allowed, PublicError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;

/// The system's resolver behind the guard. What it returns is what the connection uses.
pub(super) struct PublicOnly(pub Arc<Allowed>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.0);
        Box::pin(async move {
            // The port is the connection's to fill in.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found
                .filter(|address| allowed.has_address(address.ip()))
                .collect();
            if public.is_empty() {
                return Err(PublicError::NotPublic.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}
