//! The host that a request is for, as rules compare it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Octets in a name (RFC 1035 §2.3.4), as text without the last dot.
const MAX_NAME_OCTETS: usize = 253;

/// Digits of a port.
const MAX_PORT_DIGITS: usize = 5;
/// Octets of a name with its last dot and a port, which are more than those of an address.
const MAX_AUTHORITY_OCTETS: usize = MAX_NAME_OCTETS + 1 + 1 + MAX_PORT_DIGITS;

/// The host of a `Host` field or an `:authority` (RFC 9110 §7.2), in lower case, without port and last dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestHost(String);

impl RequestHost {
    /// `None` if this is no `host[:port]`: user information, lists and what is not ASCII are refused.
    pub(crate) fn parse(authority: &str) -> Option<Self> {
        if authority.len() > MAX_AUTHORITY_OCTETS {
            return None;
        }
        if let Some(rest) = authority.strip_prefix('[') {
            let (literal, port) = rest.split_once(']')?;
            let address: Ipv6Addr = literal.parse().ok()?;
            is_port_or_nothing(port).then_some(())?;
            return Some(Self(format!("[{address}]")));
        }
        let (name, port) = match authority.find(':') {
            Some(colon) => authority.split_at_checked(colon)?,
            None => (authority, ""),
        };
        is_port_or_nothing(port).then_some(())?;
        let name = name.strip_suffix('.').unwrap_or(name);
        is_name(name).then(|| Self(name.to_ascii_lowercase()))
    }
}

fn is_port_or_nothing(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(digits) => {
            digits.len() <= MAX_PORT_DIGITS && digits.bytes().all(|octet| octet.is_ascii_digit())
        }
        None => text.is_empty(),
    }
}

/// A host name, an IPv4 address, or one of the names with underscores that containers go by.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    text.len() <= MAX_NAME_OCTETS && text.split('.').all(is_label)
}

/// The hosts that a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// Any at all.
    #[default]
    Any,
    /// This one.
    Exact(RequestHost),
    /// Those below a name, at any depth, and not the name itself. The name has its dot in front.
    Below(String),
}

impl HostPattern {
    pub(crate) fn covers(&self, host: &RequestHost) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == host,
            Self::Below(suffix) => host.0.ends_with(suffix),
        }
    }

    /// Tells whether whatever `other` covers is covered.
    pub(crate) fn covers_all_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Exact(host)) => self.covers(host),
            (Self::Below(suffix), Self::Below(other)) => other.ends_with(suffix),
            (_, Self::Any | Self::Below(_)) => false,
        }
    }
}

impl FromStr for HostPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let has_port = RequestHost::parse(name).is_some() && name.contains(':');
        if has_port && !name.ends_with(']') {
            return Err(format!(
                "{text:?} has a port: leave it out, since a rule covers all ports"
            ));
        }
        let host = RequestHost::parse(name).ok_or_else(|| {
            format!(
                "{text:?} is not a host: write app.example.com, *.example.com or [2001:db8::1], with A-labels (xn--…) \
                 for international names, or leave the key out for any host"
            )
        })?;
        if !is_below {
            return Ok(Self::Exact(host));
        }
        if host.0.starts_with('[') || host.0.parse::<Ipv4Addr>().is_ok() {
            return Err(format!("{text:?}: an address has no hosts below it"));
        }
        Ok(Self::Below(format!(".{}", host.0)))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Exact(host) => formatter.write_str(&host.0),
            Self::Below(suffix) => write!(formatter, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn covers(pattern: &str, host: &str) -> bool {
        let host = RequestHost::parse(host).unwrap_or_else(|| panic!("{host}"));
        pattern.parse::<HostPattern>().unwrap().covers(&host)
    }

    #[test]
    fn one_host_has_one_form() {
        for host in [
            "app.example.com",
            "APP.Example.COM",
            "app.example.com.",
            "app.example.com:443",
            "app.example.com.:8443",
            "app.example.com:",
        ] {
            assert!(covers("app.example.com", host), "{host}");
            assert!(covers("App.Example.com.", host), "{host}");
        }
        for host in [
            "[2001:db8::1]",
            "[2001:DB8:0:0::1]:443",
            "[2001:db8:0:0:0:0:0:1]",
        ] {
            assert!(covers("[2001:db8::1]", host), "{host}");
        }
        assert!(covers("127.0.0.1", "127.0.0.1:8080"));
        assert!(covers("my_service", "my_service:80"));
    }

    #[test]
    fn refuses_what_is_no_single_host() {
        for authority in [
            "",
            ".",
            ":80",
            "..",
            "a..b",
            ".a",
            "a..",
            "app.example.com,evil.example",
            "app.example.com, evil.example",
            "app.example.com evil.example",
            " app.example.com",
            "app.example.com/",
            "app.example.com?",
            "app.example.com#",
            "app.example.com\\",
            "app.example.com\t",
            "user@app.example.com",
            "user:password@app.example.com",
            "app.example.com:80:80",
            "app.example.com:80@evil.example",
            "app.example.com:+80",
            "app.example.com:000443",
            "app.example.com:http",
            "[::1",
            "::1",
            "[::1]x",
            "[::1].example.com",
            "[fe80::1%25eth0]",
            "[v1.x]",
            "[127.0.0.1]",
            "münchen.example",
            "app。example。com",
            "app%2eexample.com",
            "*.example.com",
        ] {
            assert_eq!(RequestHost::parse(authority), None, "{authority:?}");
        }
        let longest = "a.".repeat(126) + "a";
        assert_eq!(longest.len(), MAX_NAME_OCTETS);
        RequestHost::parse(&format!("{longest}.:65535")).expect("the longest host");
        for long in [
            format!("{longest}a"),
            format!("{longest}.:655350"),
            format!("a:{}", "0".repeat(60_000)),
            format!("[{}::1]", "0".repeat(60_000)),
        ] {
            assert_eq!(RequestHost::parse(&long), None);
        }
    }

    #[test]
    fn a_wildcard_covers_what_is_below_and_nothing_else() {
        for (host, expected) in [
            ("app.example.com", true),
            ("a.b.EXAMPLE.com:1", true),
            ("example.com", false),
            ("badexample.com", false),
            ("app.example.com.evil.example", false),
        ] {
            assert_eq!(covers("*.example.com", host), expected, "{host}");
        }
    }

    #[test]
    fn refuses_patterns_that_nobody_can_mean() {
        for pattern in [
            "",
            "*",
            "*.",
            "*.*.example.com",
            "app.*.com",
            "*example.com",
            "app.example.com:443",
            "[::1]:443",
            "*.[::1]",
            "*.127.0.0.1",
            "https://app.example.com",
            "app.example.com/",
            "münchen.example",
            ".example.com",
            "**.example.com",
            "?.example.com",
            "app[12].example.com",
            "{app,api}.example.com",
            "app.example.com,api.example.com",
            "app.example.com|api.example.com",
            "~^app",
            "^app.example.com$",
            "(app|api).example.com",
            ":tenant.example.com",
            "<tenant>.example.com",
            "app\\.example\\.com",
            "app.example.com:*",
            "$host",
        ] {
            pattern.parse::<HostPattern>().expect_err(pattern);
        }
    }

    proptest! {
        #[test]
        fn a_host_reads_back_as_itself(authority in "[a-zA-Z0-9.:\\[\\]_@, -]{0,24}") {
            if let Some(host) = RequestHost::parse(&authority) {
                prop_assert_eq!(RequestHost::parse(&host.0), Some(host.clone()));
                prop_assert_eq!(host.0.to_ascii_lowercase(), host.0.clone());
            }
        }
    }
}
