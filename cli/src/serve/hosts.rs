//! Requests that a browser was made to send: a page of a stranger's, whose host's name is made to lead to this machine
//! (DNS rebinding), could read what is served on loopback. Such a request has the stranger's name in `Host`.
//!
//! So what comes over loopback, and is not a proxy's question about somebody else's request, must be for an IP address, for
//! `localhost` or a name below it, for a name without a dot, which no stranger has in the DNS, or for a name that the
//! configuration gives. Other addresses are reached by names that only their network knows, from clients that are no
//! browsers, so nothing is asked of those.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri};

use super::endpoints::host::RequestHost;

/// A name that this server goes by, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName(String);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_a_name = RequestHost::parse(text).is_some() && !text.contains([':', '[']);
        if !is_a_name {
            return Err(format!(
                "{text:?} is not the name of a host; write it without a port, as in kliento.example.com"
            ));
        }
        Ok(Self(normalised(text)))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The names beyond those that always do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<HostName>);

impl Hosts {
    pub(crate) fn new(names: Vec<HostName>) -> Self {
        Self(names)
    }

    /// Tells whether a request over loopback is meant for this server. Without a host, as in HTTP/1.0, it is from no
    /// browser.
    pub(crate) fn admit(&self, target: &Uri, fields: &HeaderMap) -> bool {
        let mut named = fields.get_all(HOST).iter().map(|value| {
            let authority: Option<Authority> = value.as_bytes().try_into().ok();
            authority
        });
        let in_target = target
            .authority()
            .into_iter()
            .all(|host| self.is_ours(host));
        in_target && named.all(|host| host.is_some_and(|host| self.is_ours(&host)))
    }

    fn is_ours(&self, authority: &Authority) -> bool {
        let host = normalised(authority.host());
        is_address(&host)
            || host == "localhost"
            || host.ends_with(".localhost")
            || !host.is_empty() && !host.contains('.')
            || self.0.iter().any(|name| name.0 == host)
    }
}

fn is_address(host: &str) -> bool {
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match in_brackets {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    }
}

/// In lower case, and without the dot that may end a name in the DNS.
fn normalised(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    host.strip_suffix('.').map(str::to_owned).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn admits(hosts: &[&str]) -> bool {
        let ours = Hosts::new(vec!["Kliento.example.com".parse().unwrap()]);
        let mut fields = HeaderMap::new();
        for host in hosts {
            fields.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        ours.admit(&Uri::from_static("/metrics"), &fields)
    }

    #[test]
    fn only_names_that_no_stranger_can_have_are_ours() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "10.0.0.7:9090",
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "app.localhost:80",
            "kliento",
            "x",
            "kliento.example.com:8080",
            "KLIENTO.example.com.",
        ] {
            assert!(admits(&[host]), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil-localhost.example",
            "notlocalhost.com",
            "a.kliento.example.com",
            "kliento.example.com.evil.example",
            "127.0.0.1@evil.example",
            "[::1",
            "::1",
            "",
            ".",
            "a b",
            "é.example",
        ] {
            assert!(!admits(&[host]), "{host}");
        }
        assert!(admits(&[]), "HTTP/1.0");
        assert!(!admits(&["localhost", "evil.example"]));
        let absolute = Uri::from_static("http://evil.example/metrics");
        assert!(!Hosts::default().admit(&absolute, &HeaderMap::new()));
    }

    #[test]
    fn a_name_is_one_without_a_port() {
        for text in ["kliento.example.com", "a"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
        for text in [
            "",
            "a:1",
            "*.example.com",
            "http://a",
            "[::1]",
            "a/b",
            "a b",
            "user@a",
            ".",
            ".a",
            "a..",
            "a..b",
            "a!b",
        ] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
