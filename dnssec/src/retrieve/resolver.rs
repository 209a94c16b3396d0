//! The resolvers that can be asked, and their text form.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs as _};
use std::str::FromStr;

use rustls::pki_types::CertificateDer;

/// DNS (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;
/// DNS over TLS (RFC 7858 §3.1).
const TLS_PORT: u16 = 853;
/// DNS over HTTPS (RFC 8484).
const HTTPS_PORT: u16 = 443;
/// The path that RFC 8484's examples and most servers use.
const HTTPS_PATH: &str = "/dns-query";
/// The only expression that a URI template of DNS over HTTPS has at its end (RFC 8484 §4.1). It is
/// for GET; with POST, which this crate uses, it expands to nothing.
const DNS_EXPRESSION: &str = "{?dns}";

/// A resolver.
///
/// Its text form is `system` (the operating system's configuration), `IP[:PORT]` (UDP, and TCP if
/// an answer is truncated), `tls://HOST[:PORT]` or `https://HOST[:PORT][/PATH]`. An IPv6 address
/// with a port stands in brackets. A link-local address is followed by its zone, as in
/// `fe80::1%eth0` or `[fe80::1%2]:53` (RFC 4007 §11). The zone is the name or number of an
/// interface, looked up when the text is read. The expression `{?dns}` of a URI template for DNS
/// over HTTPS is accepted (RFC 8484 §4.1).
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

/// The address of a TLS server, and the name that its certificate must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// An IP address or a domain name.
    pub(super) name: String,
    pub(super) port: u16,
}

/// The reason why a resolver can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The text has none of the four forms.
    #[error(
        "{0:?} is not a resolver: write `system`, `IP[:PORT]`, `tls://HOST[:PORT]` or `https://HOST[:PORT]/PATH`"
    )]
    Syntax(String),
    /// An address has a zone that is not an interface of this machine (RFC 4007 §11).
    #[error("{address} names the interface {zone:?}, which this machine does not have")]
    #[non_exhaustive]
    Zone {
        /// The address without the zone.
        address: Ipv6Addr,
        /// The zone as given.
        zone: String,
    },
    /// A URI template has an expression other than `{?dns}` at its end (RFC 8484 §4.1).
    #[error(
        "{0:?} contains an expression other than {{?dns}} at its end: remove every other expression in braces"
    )]
    Template(String),
    /// The operating system's configuration can't be read, or names no server.
    #[error("the system's resolver configuration can't be used: {0}")]
    System(String),
    /// The TLS server's name has no address, or cannot be the name in a certificate.
    #[error("the resolver's host {host:?} can't be used: {problem}")]
    #[non_exhaustive]
    Host {
        /// The name as given.
        host: String,
        /// The problem with it.
        problem: String,
    },
    /// A certificate of an authority can't be used.
    #[error("the CA certificate for the resolver can't be used: {0}")]
    Certificate(String),
}

impl Resolver {
    /// Returns the resolver that the operating system is configured with.
    pub fn system() -> Self {
        Endpoint::System.into()
    }

    /// Returns each server of this resolver as a resolver of its own: `system` may stand for
    /// several. If the system's configuration can't be used, returns `system` itself, which says
    /// why when it is asked.
    pub(super) fn servers(&self) -> Vec<Self> {
        let of_system = (self.endpoint == Endpoint::System).then(system_servers);
        let Some(Ok(addresses)) = of_system else {
            return vec![self.clone()];
        };
        let plain = |address| Endpoint::Plain(address).into();
        addresses.into_iter().map(plain).collect()
    }

    /// Trusts these certificates (DER) as well as the public authorities, for example for a private
    /// resolver with TLS.
    #[must_use]
    pub fn with_authorities(mut self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
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
        let syntax = || ResolverError::Syntax(shortened(text));
        let endpoint = if text == "system" {
            Endpoint::System
        } else if let Some(host) = without_scheme(text, "tls://") {
            let host = host.strip_suffix('/').unwrap_or(host);
            Endpoint::Tls(Host::parse(host, TLS_PORT).ok_or_else(syntax)?)
        } else if let Some(template) = without_scheme(text, "https://") {
            let rest = template.strip_suffix(DNS_EXPRESSION).unwrap_or(template);
            if rest.contains(['{', '}']) {
                return Err(ResolverError::Template(shortened(text)));
            }
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
            Endpoint::Plain(socket_address(text)?.ok_or_else(syntax)?)
        };
        Ok(endpoint.into())
    }
}

/// Removes a scheme, without regard to its case (RFC 3986 §3.1).
fn without_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The start of a text, short enough to repeat in a message.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Reads an address with or without a port, and with or without a zone. Returns `None` if it is
/// none of these.
fn socket_address(text: &str) -> Result<Option<SocketAddr>, ResolverError> {
    let (zoned, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((ip, "")) => (ip, Some(DNS_PORT)),
        Some((ip, port)) => (
            ip,
            port.strip_prefix(':').and_then(|port| port.parse().ok()),
        ),
        None => (text, Some(DNS_PORT)),
    };
    let (Some((ip, zone)), Some(port)) = (zoned.split_once('%'), port) else {
        let address = text.parse::<SocketAddr>().ok();
        let ip = || unbracketed(text).parse::<IpAddr>().ok();
        return Ok(address.or_else(|| Some((ip()?, DNS_PORT).into())));
    };
    let Ok(address) = ip.parse::<Ipv6Addr>() else {
        return Ok(None);
    };
    let scope = interface_number(address, zone).ok_or_else(|| ResolverError::Zone {
        address,
        zone: shortened(zone),
    })?;
    Ok(Some(SocketAddrV6::new(address, port, 0, scope).into()))
}

/// The number of the interface that a zone names by its number or, as the operating system has it,
/// by its name.
fn interface_number(address: Ipv6Addr, zone: &str) -> Option<u32> {
    if !zone.is_empty() && zone.bytes().all(|octet| octet.is_ascii_digit()) {
        return zone.parse().ok();
    }
    // The system's look-up recognises this text as an address, so it asks no server. The check of
    // the characters ensures that: a text that is not an address would be looked up.
    let is_name = !zone.is_empty() && zone.bytes().all(|octet| octet.is_ascii_graphic());
    let found = is_name.then(|| (format!("{address}%{zone}"), DNS_PORT).to_socket_addrs())?;
    found.ok()?.find_map(|found| match found {
        SocketAddr::V6(found) if found.scope_id() != 0 => Some(found.scope_id()),
        _ => None,
    })
}

/// The servers of the operating system's configuration, in its order.
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
pub(super) fn system_servers() -> Result<Vec<SocketAddr>, ResolverError> {
    let path = "/etc/resolv.conf";
    let octets =
        std::fs::read(path).map_err(|error| ResolverError::System(format!("{path}: {error}")))?;
    configured_servers(&String::from_utf8_lossy(&octets))
}

/// The servers that a text in the form of resolv.conf(5) names.
///
/// The rest of the text, such as the search list, does not matter, because all names are absolute.
/// A server that can't be read is skipped, as C libraries do, unless there is no other.
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
fn configured_servers(text: &str) -> Result<Vec<SocketAddr>, ResolverError> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    let mut unusable = None;
    for line in text.lines() {
        let mut words = line
            .split([' ', '\t', '\r'])
            .filter(|word| !word.is_empty());
        let (Some("nameserver"), Some(server)) = (words.next(), words.next()) else {
            continue;
        };
        match socket_address(server) {
            Ok(Some(address)) if addresses.contains(&address) => {}
            Ok(Some(address)) => addresses.push(address),
            Ok(None) => unusable = Some(format!("{:?} is not an address", shortened(server))),
            Err(error) => unusable = Some(error.to_string()),
        }
    }
    if addresses.is_empty() {
        let problem = unusable.unwrap_or_else(|| "it names no server".into());
        return Err(ResolverError::System(problem));
    }
    Ok(addresses)
}

/// The servers of the operating system's configuration, in its order.
#[cfg(not(all(unix, not(any(target_os = "android", target_vendor = "apple")))))]
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
            ("fe80::1%2", "[fe80::1%2]:53"),
            ("[fe80::1%2]", "[fe80::1%2]:53"),
            ("[fe80::1%2]:5300", "[fe80::1%2]:5300"),
            ("TLS://dns.example/", "tls://dns.example:853"),
            ("Https://dns.example/q", "https://dns.example:443/q"),
            (
                "https://dns.example/dns-query{?dns}",
                "https://dns.example:443/dns-query",
            ),
            (
                "https://dns.example{?dns}",
                "https://dns.example:443/dns-query",
            ),
            (
                "https://dns.example/{?dns}",
                "https://dns.example:443/dns-query",
            ),
        ] {
            assert_eq!(text.parse::<Resolver>().unwrap().to_string(), shown);
        }
        assert_eq!("system".parse(), Ok(Resolver::system()));
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
            "192.0.2.1%1",
            "dns.example%1",
            "[fe80::1%1",
            "[fe80::1%1]53",
            "[fe80::1%1]:99999",
            "tls://[fe80::1%1]",
            "httpS:/dns.example",
        ] {
            assert!(
                matches!(text.parse::<Resolver>(), Err(ResolverError::Syntax(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_expressions_of_uri_templates_other_than_that_of_dns() {
        for text in [
            "https://dns.example/dns-query{?dns,x}",
            "https://dns.example/dns-query{?ct}",
            "https://dns.example/{?dns}/q",
            "https://dns.example/q{?dns}{?dns}",
            "https://dns.example/q{?DNS}",
            "https://{host}/q",
            "https://dns.example/q}",
            "https://dns.example/q{",
        ] {
            let refusal = text.parse::<Resolver>().unwrap_err();
            assert_eq!(refusal, ResolverError::Template(text.into()));
            assert!(refusal.to_string().contains("other than {?dns}"));
        }
    }

    #[test]
    fn refuses_a_zone_that_is_no_interface() {
        for (text, zone) in [
            ("fe80::1%nosuch0", "nosuch0"),
            ("[fe80::1%nosuch0]:53", "nosuch0"),
            ("fe80::1%", ""),
            ("fe80::1%a b", "a b"),
            ("fe80::1%4294967296", "4294967296"),
        ] {
            let refusal = text.parse::<Resolver>().unwrap_err();
            let address = "fe80::1".parse().unwrap();
            let zone = zone.into();
            assert_eq!(refusal, ResolverError::Zone { address, zone });
            assert!(refusal.to_string().contains("this machine does not have"));
        }
    }

    #[cfg(target_os = "linux")]
    mod on_linux {
        use super::*;

        #[test]
        fn finds_the_interface_of_a_zone_by_its_name() {
            let number = std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
            let shown = format!("[fe80::1%{}]:53", number.trim());
            for text in ["fe80::1%lo", "[fe80::1%lo]", "[fe80::1%lo]:53"] {
                assert_eq!(text.parse::<Resolver>().unwrap().to_string(), shown);
            }
        }

        fn configured(text: &str) -> Vec<String> {
            let servers = configured_servers(text).unwrap();
            servers.iter().map(ToString::to_string).collect()
        }

        #[test]
        fn the_systems_resolver_stands_for_each_server_of_its_file() {
            let shown = |resolver: &Resolver| resolver.to_string();
            let servers: Vec<_> = Resolver::system().servers().iter().map(shown).collect();
            let file = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            // Without a file that can be used it is asked as such, and says what is wrong.
            let expected = configured_servers(&file).map_or(vec!["system".into()], |addresses| {
                addresses.iter().map(ToString::to_string).collect()
            });
            assert_eq!(servers, expected);
            let other: Resolver = "192.0.2.1".parse().unwrap();
            assert_eq!(other.servers(), std::slice::from_ref(&other));
        }

        #[test]
        fn nothing_in_the_search_list_disables_the_systems_resolver() {
            let label = "a".repeat(101);
            for odd in [
                &label,
                "space\\032space.com",
                "~corp",
                "-x",
                "--",
                "a..b",
                "\u{e4}.example",
            ] {
                for line in ["search", "domain", "options", "sortlist", "nonsense"] {
                    let text = format!("{line} {odd} lan\nnameserver 192.0.2.1\n{line} {odd}\n");
                    assert_eq!(configured(&text), ["192.0.2.1:53"], "{line} {odd}");
                }
            }
        }

        #[test]
        fn keeps_the_zone_of_a_link_local_server() {
            let number = std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
            let zoned = format!("[fe80::53%{}]:53", number.trim());
            assert_eq!(
                configured("nameserver fe80::53%lo\nnameserver fe80::53%7\n"),
                [&*zoned, "[fe80::53%7]:53"]
            );
        }

        #[test]
        fn takes_the_servers_of_the_file_in_its_order() {
            let text = "# nameserver 192.0.2.9\n; nameserver 192.0.2.8\r\n  nameserver\t192.0.2.2 # the first\r\n\
                        nameserver 2001:db8::1\nnameserver 192.0.2.2\nnameserver\nnameservers 192.0.2.7\nnameserver x\n";
            assert_eq!(configured(text), ["192.0.2.2:53", "[2001:db8::1]:53"]);
            for (text, problem) in [
                ("", "it names no server"),
                ("search lan\n", "it names no server"),
                (
                    "nameserver dns.example\n",
                    "\"dns.example\" is not an address",
                ),
                ("nameserver fe80::1%nosuch0\n", "this machine does not have"),
            ] {
                let refusal = configured_servers(text).unwrap_err().to_string();
                assert!(refusal.contains(problem), "{text}: {refusal}");
            }
        }
    }
}
