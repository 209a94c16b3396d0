//! Which resolver to ask, and how.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use rustls::pki_types::CertificateDer;

/// DNS (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;
/// DNS over TLS (RFC 7858 §3.1).
const TLS_PORT: u16 = 853;
/// DNS over HTTPS (RFC 8484).
const HTTPS_PORT: u16 = 443;
/// The path that RFC 8484's examples use, and everybody since.
const HTTPS_PATH: &str = "/dns-query";

/// A resolver.
///
/// Written `system` (what the operating system is configured with), `IP[:PORT]` (UDP, and TCP when an answer is
/// truncated), `tls://HOST[:PORT]` or `https://HOST[:PORT][/PATH]`. An IPv6 address with a port stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    pub(super) endpoint: Endpoint,
    pub(super) extra_roots: Vec<CertificateDer<'static>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    System,
    Plain(SocketAddr),
    Tls(Host),
    Https { host: Host, path: String },
}

/// Where a TLS server is, and whose certificate it must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// An IP address or a domain name.
    pub(super) name: String,
    pub(super) port: u16,
}

/// Why a resolver can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The text is none of the four forms.
    #[error(
        "{0:?} names no resolver: write `system`, `IP[:PORT]`, `tls://HOST[:PORT]` or `https://HOST[:PORT]/PATH`"
    )]
    Syntax(String),
    /// The operating system's configuration can't be read, or names none.
    #[error("the system's resolver configuration can't be used: {0}")]
    System(String),
    /// The TLS server's name leads nowhere, or no certificate could be for it.
    #[error("the resolver's host {host:?} can't be used: {problem}")]
    Host {
        /// The name as given.
        host: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate that should be trusted is none.
    #[error("a certificate to trust the resolver by can't be used: {0}")]
    Certificate(String),
}

impl Resolver {
    /// What the operating system is configured with.
    pub fn system() -> Self {
        Endpoint::System.into()
    }

    /// Each of its servers as a resolver by itself: `system` may stand for several.
    pub(super) fn servers(&self) -> Result<Vec<Self>, ResolverError> {
        Ok(match &self.endpoint {
            Endpoint::System => system_servers()?
                .into_iter()
                .map(|address| Endpoint::Plain(address).into())
                .collect(),
            _ => vec![self.clone()],
        })
    }

    /// Trusts these certificates (DER) as well as the public authorities, for a resolver of one's own with TLS.
    #[must_use]
    pub fn trusting(mut self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.extra_roots
            .extend(certificates.into_iter().map(CertificateDer::from));
        self
    }
}

impl From<Endpoint> for Resolver {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            extra_roots: Vec::new(),
        }
    }
}

impl FromStr for Resolver {
    type Err = ResolverError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || ResolverError::Syntax(text.chars().take(80).collect());
        let endpoint = if text == "system" {
            Endpoint::System
        } else if let Some(host) = text.strip_prefix("tls://") {
            let host = host.strip_suffix('/').unwrap_or(host);
            Endpoint::Tls(Host::parse(host, TLS_PORT).ok_or_else(syntax)?)
        } else if let Some(rest) = text.strip_prefix("https://") {
            let (host, path) = match rest.find('/') {
                Some(slash) => rest.split_at(slash),
                None => (rest, HTTPS_PATH),
            };
            let path = if path == "/" { HTTPS_PATH } else { path };
            Endpoint::Https {
                host: Host::parse(host, HTTPS_PORT).ok_or_else(syntax)?,
                path: path.into(),
            }
        } else {
            let address = text.parse::<SocketAddr>().or_else(|_| {
                unbracketed(text)
                    .parse()
                    .map(|ip: IpAddr| (ip, DNS_PORT).into())
            });
            Endpoint::Plain(address.map_err(|_| syntax())?)
        };
        Ok(endpoint.into())
    }
}

/// The servers of the operating system's configuration, in its order.
pub(super) fn system_servers() -> Result<Vec<SocketAddr>, ResolverError> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| ResolverError::System(error.to_string()))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for server in &config.name_servers {
        for connection in &server.connections {
            let address = SocketAddr::new(server.ip, connection.port);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    if addresses.is_empty() {
        return Err(ResolverError::System("it names no server".into()));
    }
    Ok(addresses)
}

impl Host {
    fn parse(text: &str, default_port: u16) -> Option<Self> {
        if let Ok(ip) = unbracketed(text).parse::<IpAddr>() {
            return Some(Self {
                name: ip.to_string(),
                port: default_port,
            });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().ok()?),
            None => (text, default_port),
        };
        let name = unbracketed(name);
        let is_host = |name: &str| {
            name.bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"-.".contains(&octet))
        };
        let named = name.parse::<IpAddr>().is_ok() || (!name.is_empty() && is_host(name));
        named.then(|| Self {
            name: name.into(),
            port,
        })
    }
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::System => f.write_str("system"),
            Endpoint::Plain(address) => write!(f, "{address}"),
            Endpoint::Tls(host) => write!(f, "tls://{host}"),
            Endpoint::Https { host, path } => write!(f, "https://{host}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_forms() {
        for (text, shown) in [
            ("system", "system"),
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5300", "192.0.2.1:5300"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5300", "[2001:db8::1]:5300"),
            ("tls://dns.example", "tls://dns.example:853"),
            ("tls://192.0.2.1:8853", "tls://192.0.2.1:8853"),
            ("tls://[2001:db8::1]", "tls://[2001:db8::1]:853"),
            ("tls://[2001:db8::1]:8853", "tls://[2001:db8::1]:8853"),
            ("https://dns.example", "https://dns.example:443/dns-query"),
            ("https://192.0.2.1:8443/q", "https://192.0.2.1:8443/q"),
        ] {
            assert_eq!(text.parse::<Resolver>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn refuses_what_names_no_resolver() {
        for text in [
            "",
            "dns.example",
            "http://192.0.2.1",
            "tls://",
            "tls://a b",
            "https://:53",
            "192.0.2.1:99999",
        ] {
            assert!(
                matches!(text.parse::<Resolver>(), Err(ResolverError::Syntax(_))),
                "{text}"
            );
        }
    }
}
