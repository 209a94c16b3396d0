//! The requests that may carry a token.

use core::fmt;
use core::str::FromStr;
use std::net::IpAddr;

use reqwest::Url;
use reqwest::redirect::{Action, Attempt, Policy};

/// A destination of tokens: a scheme, a host, a port, and optionally a path.
///
/// ```
/// use kliento::client::Origin;
/// use reqwest::Url;
///
/// let origin: Origin = "https://api.example.com/v1".parse()?;
/// assert!(origin.covers(&Url::parse("https://api.example.com:443/v1/orders?all").unwrap()));
/// assert!(!origin.covers(&Url::parse("https://api.example.com/v10").unwrap()));
/// assert!(!origin.covers(&Url::parse("https://api.example.com:8443/v1").unwrap()));
/// assert!(!origin.covers(&Url::parse("http://api.example.com/v1").unwrap()));
/// # Ok::<(), kliento::client::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
    /// The path, without a slash at its end.
    path: String,
}

impl Origin {
    /// The origin of a URL, and its path if it has one, even if tokens would travel unencrypted.
    /// Then anybody on their way can read them, and use them until they end. So this is for
    /// networks in which nobody can, such as one between containers.
    ///
    /// # Errors
    ///
    /// [`OriginError`], except [`OriginError::PlainHttp`].
    pub fn allowing_plain_http(url: &str) -> Result<Self, OriginError> {
        let url = Url::parse(url).map_err(|error| OriginError::NotAUrl(Box::new(error)))?;
        let ("https" | "http", Some(port)) = (url.scheme(), url.port_or_known_default()) else {
            return Err(OriginError::NotHttp);
        };
        let has_more = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if has_more {
            return Err(OriginError::MoreThanAnOrigin);
        }
        Ok(Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str().ok_or(OriginError::NotHttp)?.to_owned(),
            port,
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Returns whether a request to `url` may carry a token: its scheme, host and port are the
    /// same, and its path is that of this origin or below it.
    ///
    /// A path that servers read in different ways is below no path except the root. Such a path
    /// contains `%2F`, `%5C`, `%2E` or `%25` (a slash, a backslash, a dot and, for servers that
    /// decode twice, a percent sign), or a segment `..;`, whose semicolon may be encoded.
    pub fn covers(&self, url: &Url) -> bool {
        url.scheme() == self.scheme
            && url.host_str() == Some(self.host.as_str())
            && url.port_or_known_default() == Some(self.port)
            && self.covers_path(url.path())
    }

    fn covers_path(&self, path: &str) -> bool {
        if self.path.is_empty() {
            return true;
        }
        let is_below = path
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_below && !is_ambiguous(path)
    }

    /// A policy that follows no redirect from this origin to another, and applies `otherwise` to
    /// all other redirects.
    ///
    /// For clients that were not made by
    /// [`KlientoMiddleware::client`](super::KlientoMiddleware::client). **Without it, a token can
    /// leak to another server.** `reqwest` 0.13.5 removes `Authorization` when a redirect leads to
    /// another origin. But if that origin redirects again, within itself, `reqwest` adds the field
    /// to the next request. If a redirect is not followed, it is the response.
    pub fn redirect_policy(&self, otherwise: Policy) -> Policy {
        let origin = self.clone();
        Policy::custom(move |attempt| origin.redirect(&otherwise, attempt))
    }

    fn redirect(&self, otherwise: &Policy, attempt: Attempt<'_>) -> Action {
        let may_bear_a_token = attempt.previous().iter().any(|url| self.covers(url));
        if may_bear_a_token && !self.covers(attempt.url()) {
            return attempt.stop();
        }
        otherwise.redirect(attempt)
    }

    fn is_secure(&self) -> bool {
        self.scheme == "https" || is_loopback(&self.host)
    }
}

/// Returns whether a host is this machine: a loopback address, or `localhost`, which each machine
/// has in its own table. Names below `localhost` should be loopback, too (RFC 6761 §6.3). But
/// resolvers such as glibc's look them up in the DNS, where an attacker can answer.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse().map(|address: IpAddr| address.is_loopback());
    address.unwrap_or_else(|_| host == "localhost")
}

/// Returns whether a server might read the path differently from its spelling.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2f", "%5c", "%2e", "%25", "/..;", "/..%3b"]
        .iter()
        .any(|escape| lower.contains(escape))
}

/// The origin of an `https` URL, and its path if it has one. `http` is accepted for this machine
/// alone: `localhost` and the loopback addresses.
impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(url: &str) -> Result<Self, OriginError> {
        let origin = Self::allowing_plain_http(url)?;
        if !origin.is_secure() {
            return Err(OriginError::PlainHttp);
        }
        Ok(origin)
    }
}

/// Writes the origin as a URL.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme,
            host,
            port,
            path,
        } = self;
        write!(formatter, "{scheme}://{host}:{port}{path}")
    }
}

/// The reason why a text is not an origin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The text is not a URL.
    #[error("not a URL")]
    NotAUrl(#[source] Box<dyn core::error::Error + Send + Sync>),

    /// The URL is for another protocol.
    #[error("not an http or https URL with a host")]
    NotHttp,

    /// The URL has a user, a query or a fragment.
    #[error("the URL has a user, a query or a fragment, which an origin can't have")]
    MoreThanAnOrigin,

    /// Tokens would travel unencrypted.
    #[error(
        "tokens are only sent over https; `Origin::allowing_plain_http` allows unencrypted http"
    )]
    PlainHttp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(origin: &str, url: &str) -> bool {
        let origin: Origin = origin.parse().unwrap();
        origin.covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for (origin, url) in [
            ("https://api.example.com", "https://api.example.com"),
            (
                "https://api.example.com/",
                "https://API.example.com:443/x?y#z",
            ),
            (
                "https://api.example.com:8443",
                "https://api.example.com:8443/",
            ),
            ("https://xn--mnchen-3ya.example", "https://münchen.example/"),
            ("http://localhost:8080", "http://localhost:8080/x"),
            ("http://[::1]:8080", "http://[0:0::1]:8080/x"),
        ] {
            assert!(covers(origin, url), "{url}");
        }
        for (attack, url) in [
            ("another scheme", "http://api.example.com/"),
            (
                "another scheme at the same port",
                "http://api.example.com:443/",
            ),
            ("another port", "https://api.example.com:8443/"),
            ("a host above", "https://example.com/"),
            ("a host below", "https://x.api.example.com/"),
            (
                "a host that begins so",
                "https://api.example.com.attacker.example/",
            ),
            ("a host that ends so", "https://attackerapi.example.com/"),
            (
                "the host as a user",
                "https://api.example.com@attacker.example/",
            ),
            (
                "the host as a password",
                "https://x:api.example.com@attacker.example/",
            ),
            (
                "the host in the path",
                "https://attacker.example/https://api.example.com",
            ),
            ("the same name from the root", "https://api.example.com./"),
            ("a backslash", "https://attacker.example\\@api.example.com/"),
        ] {
            assert!(!covers("https://api.example.com", url), "{attack}");
        }
    }

    #[test]
    fn a_path_covers_what_lies_below_it() {
        for url in [
            "/v1",
            "/v1/",
            "/v1?x",
            "/v1/orders",
            "/v1/a/../b",
            "/x/../v1",
            "/%2e%2e/v1",
        ] {
            assert!(
                covers("https://a.example/v1", &format!("https://a.example{url}")),
                "{url}"
            );
        }
        for url in [
            "/",
            "/v",
            "/v10",
            "/V1",
            "/v2",
            "/v1.5",
            "/v1/../admin",
            "/v1/%2e%2e/admin",
            "/v1/.%2E/admin",
            "/v1%2f..%2fadmin",
            "/v1/..%2Fadmin",
            "/v1/..%5cadmin",
            "/v1/x%2e",
            "/v1/..;/admin",
            "/v1/..%3B/admin",
            "/v1/%252e%252e/admin",
            "/v1/..%252fadmin",
        ] {
            assert!(
                !covers("https://a.example/v1/", &format!("https://a.example{url}")),
                "{url}"
            );
        }
        assert!(
            covers("https://a.example/", "https://a.example/x%2Fy"),
            "all paths are below the root"
        );
    }

    #[test]
    fn plain_http_is_for_this_machine_alone_unless_its_owner_says_so() {
        for url in ["http://localhost", "http://127.9.9.9", "http://[::1]:80"] {
            assert!(url.parse::<Origin>().is_ok(), "{url}");
        }
        for url in [
            "http://api.example.com",
            "http://localhost.example.com",
            "http://a.localhost",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::]",
            "http://127.0.0.1.example.com",
        ] {
            assert!(
                matches!(url.parse::<Origin>(), Err(OriginError::PlainHttp)),
                "{url}"
            );
            assert!(Origin::allowing_plain_http(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn refuses_what_is_no_origin() {
        for url in [
            "",
            "api.example.com",
            "//api.example.com",
            "ftp://api.example.com",
            "https://",
            "mailto:a@example.com",
            "https://user@api.example.com",
            "https://:x@api.example.com",
            "https://api.example.com/?x",
            "https://api.example.com/#x",
            "wss://api.example.com",
        ] {
            assert!(Origin::allowing_plain_http(url).is_err(), "{url}");
        }
    }

    #[test]
    fn is_written_as_a_url_with_its_port() {
        for (url, text) in [
            ("https://API.example.com/", "https://api.example.com:443"),
            (
                "https://api.example.com:8443/v1/",
                "https://api.example.com:8443/v1",
            ),
            ("http://[::1]/", "http://[::1]:80"),
        ] {
            let origin: Origin = url.parse().unwrap();
            assert_eq!(origin.to_string(), text);
            assert_eq!(text.parse::<Origin>().unwrap(), origin);
        }
    }
}
