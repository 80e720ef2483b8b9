//! The operator's exceptions.

use super::is_public;
use ipnet::IpNet;
use reqwest::Url;
use std::net::IpAddr;
use std::str::FromStr;

/// Hosts that may be reached although they are not public. Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Addresses, however they were named in a URL.
    nets: Vec<IpNet>,
    /// Hosts as a URL spells them, normalized.
    hosts: Vec<AllowedHost>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AllowedHost {
    host: String,
    /// Any port where there is none.
    port: Option<u16>,
}

/// An exception that is not a host, a host with a port, an address or a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host, host:port, IP address or CIDR network")]
pub struct BadException(String);

impl FromStr for Allowed {
    type Err = BadException;

    /// Reads a list with commas: `hooks.corp`, `hooks.corp:8443`, `10.1.2.3`, `10.1.2.3:8443`, `[fd00::1]:8443`,
    /// `10.0.0.0/8`. A network or an address without a port also covers the names that resolve to it; an address with a
    /// port covers URLs that spell it so.
    fn from_str(list: &str) -> Result<Self, BadException> {
        let mut allowed = Self::default();
        for item in list
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            allowed.add(item)?;
        }
        Ok(allowed)
    }
}

impl Allowed {
    fn add(&mut self, item: &str) -> Result<(), BadException> {
        let bare = item.trim_start_matches('[').trim_end_matches(']');
        if let Ok(net) = item.parse::<IpNet>() {
            self.nets.push(net.trunc());
        } else if let Ok(address) = bare.parse::<IpAddr>() {
            self.nets.push(IpNet::from(address));
        } else {
            self.hosts
                .push(host(item).ok_or_else(|| BadException(item.to_owned()))?);
        }
        Ok(())
    }

    /// Whether a connection to this address may be made.
    pub(super) fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.nets.iter().any(|net| net.contains(&address))
    }

    /// Whether the operator trusts this URL's host by its name, wherever that leads.
    pub(super) fn has_host(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().map(normalized) else {
            return false;
        };
        self.hosts.iter().any(|allowed| {
            allowed.host == host
                && (allowed.port.is_none() || allowed.port == url.port_or_known_default())
        })
    }
}

/// Reads `host` or `host:port` as a URL would.
fn host(item: &str) -> Option<AllowedHost> {
    if item.contains(['/', '?', '#', '@', '\\', '*']) {
        return None;
    }
    let url = Url::parse(&format!("http://{item}")).ok()?;
    // A URL forgets a port that its scheme has anyway.
    let port = item.ends_with(":80").then_some(80).or_else(|| url.port());
    let host = normalized(url.host_str()?);
    Some(AllowedHost { host, port })
}

/// One spelling for a name with and without its closing dot; the rest is the URL parser's work.
fn normalized(host: &str) -> String {
    host.trim_end_matches('.').to_owned()
}
