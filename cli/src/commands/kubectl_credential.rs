//! `kliento kubectl-credential`: an exec credential plugin, which `kubectl` and other clients of Kubernetes run when they
//! need a token (`client.authentication.k8s.io`, versions v1 and v1beta1).
//!
//! The client says in the environment which version it speaks, and refuses an answer in another. It keeps the token in
//! memory until the time that stands beside it, and asks again after that, or when the API server answers 401. So nothing
//! is kept here.

use std::env;

use clap::Args;
use http::Uri;
use kliento::veraid::{Period, Timestamp};
use kliento::{Audience, Token};
use serde::{Deserialize, Serialize};

use super::token::{ClaimArguments, base64, check_lifetime, issue};
use crate::arguments::{
    self, AlgorithmArguments, AnchorArguments, SignerArguments, now, warn_of_an_early_end,
};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::json::Object;
use crate::output;

/// The variable in which the client says what it wants: an `ExecCredential` as JSON.
const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

const KIND: &str = "ExecCredential";

/// A token starts so many seconds before it is made, for the webhook that verifies it may run on a machine whose clock is
/// a little behind.
const BACKDATED_SECONDS: u64 = 30;

#[derive(Args, Debug)]
#[command(after_help = "\
Example, of a kubeconfig file:
  clusters:
  - name: production
    cluster:
      server: https://kubernetes.example.com
  users:
  - name: alice
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: kliento
        args:
        - kubectl-credential
        - --audience=https://kubernetes.example.com
        - --member-id-bundle=/home/alice/alice.member-id
        - --key=/home/alice/alice.key.pem
        interactiveMode: Never

To try it by hand:
  kliento kubectl-credential --audience https://kubernetes.example.com \\
      --member-id-bundle alice.member-id --key alice.key.pem

The API server is set up for this with the webhook of `kliento serve`.")]
pub(crate) struct Arguments {
    /// The API server that the token is for, exactly as it calls itself.
    ///
    /// Without it, `audience` in the extension client.authentication.k8s.io/exec of the cluster's entry (with
    /// `provideClusterInfo: true`), if that is the origin of the entry's `server`: anybody who adds a cluster to the
    /// kubeconfig must not get tokens for other servers. An entry with `proxy-url`, `tls-server-name` or
    /// `insecure-skip-tls-verify` does not count. (One with a certificate authority of its own does: anybody who adds it
    /// and sits on the way to the server gets the token.)
    #[arg(long, allow_hyphen_values = true, value_parser = arguments::hyphenated::<Audience>())]
    audience: Option<Audience>,

    /// Take the audience from the cluster's entry even if it is not the origin of the entry's server. Anybody who can add
    /// clusters to the kubeconfig then gets tokens for any audience.
    #[arg(long, conflicts_with = "audience")]
    audience_from_cluster: bool,

    #[command(flatten)]
    claims: ClaimArguments,

    #[command(flatten)]
    signer: SignerArguments,

    /// How long the token is valid: 1h at most.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    valid_for: Duration,

    /// Start of its validity (RFC 3339) instead of half a minute ago, which is for servers whose clocks are behind.
    #[arg(long, value_name = "TIME")]
    not_before: Option<Timestamp>,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    algorithms: AlgorithmArguments,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<(), Fault> {
        output::check_stdout()?;
        let request = Request::from_environment()?;
        check_lifetime(self.valid_for)?;
        let audience = self.audience(&request)?;
        let token = Token::new(audience).with_claims(self.claims.get()?);
        let anchors = self.anchors.load()?;
        let signer = self.signer.load()?;
        let now = now();
        let period = period(self.not_before, self.valid_for, now)?;

        let moment = if period.contains(now) {
            now
        } else {
            period.start()
        };
        let policy = self.algorithms.policy();
        let (_, rest) = signer.verify(&anchors, Period::at(moment), kliento::SERVICE, policy)?;
        warn_of_an_early_end(period, rest);
        let bundle = issue(&signer, &token, period)?;

        // Somebody must get it: without a reader this was for nothing.
        output::json(&Credential {
            api_version: request.version.name(),
            kind: KIND,
            status: Status {
                token: base64(&bundle),
                expiration_timestamp: period.end().min(rest.end()).to_string(),
            },
        })
        .map_err(Fault::undelivered)
    }

    fn audience(&self, request: &Request) -> Result<Audience, Fault> {
        if let Some(audience) = &self.audience {
            return Ok(audience.clone());
        }
        let audience = request.audience.as_deref().ok_or_else(|| {
            Fault::failure("there is no audience for the token").hint("give --audience")
        })?;
        if !self.audience_from_cluster && !is_origin_of(audience, request.server.as_deref()) {
            let server = request
                .server
                .as_deref()
                .unwrap_or("missing, or unusable because of proxy-url, tls-server-name or insecure-skip-tls-verify");
            return Err(Fault::failure(format!(
                "the cluster's entry in the kubeconfig has the audience {audience}, which is not the origin of its \
                 server ({server})"
            ))
            .hint(
                "give --audience, or --audience-from-cluster if only trusted people can edit the kubeconfig",
            ));
        }
        audience
            .parse()
            .map_err(|error| Fault::in_file(EXEC_INFO, &error))
    }
}

/// True if an audience is the origin of a server: the same scheme, host and port (RFC 6454 §4), and nothing else.
fn is_origin_of(audience: &str, server: Option<&str>) -> bool {
    let is_bare = audience.matches('/').count() == 2 && !audience.contains(['?', '#']);
    let origin = origin_of(audience).filter(|_| is_bare);
    origin.is_some() && origin == server.and_then(origin_of)
}

/// Scheme, host in lower case, and port. None where there is more to the authority than these.
fn origin_of(url: &str) -> Option<(String, String, u16)> {
    let url: Uri = url.parse().ok()?;
    let (scheme, authority) = (url.scheme_str()?, url.authority()?);
    let default = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    if authority.as_str().contains('@') {
        return None;
    }
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        // What stands behind the host is no port.
        None if authority.as_str() != authority.host() => return None,
        None => default,
    };
    Some((
        scheme.to_owned(),
        authority.host().to_ascii_lowercase(),
        port,
    ))
}

/// From the start for so long; without a start from `now` on, and from a little earlier if the token may live that long.
fn period(
    not_before: Option<Timestamp>,
    valid_for: Duration,
    now: Timestamp,
) -> Result<Period, Fault> {
    let spare = kliento::MAX_LIFETIME_SECONDS.saturating_sub(valid_for.seconds());
    let before = Duration::from_seconds(BACKDATED_SECONDS.min(spare));
    let start = not_before.unwrap_or(now.saturating_sub(before.signed_seconds()));
    let end = not_before
        .unwrap_or(now)
        .saturating_add(valid_for.signed_seconds());
    Period::new(start, end).ok_or_else(|| Fault::failure("the end of the period is out of range"))
}

/// The versions of the interface. Since its v1beta1 they differ in name alone, as far as tokens go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V1Beta1,
}

impl Version {
    const ALL: [Self; 2] = [Self::V1, Self::V1Beta1];

    const fn name(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// The client's request.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    version: Version,
    /// The URL that the token is going to be sent to, if the client says so and nothing else in the entry can lead it
    /// elsewhere.
    server: Option<String>,
    audience: Option<String>,
}

impl Request {
    /// Only clients from before Kubernetes 1.20 say nothing: they set the variable for v1alpha1 alone, have v1beta1
    /// besides, and know no v1, which came with 1.22.
    const OF_OLD_CLIENTS: Self = Self {
        version: Version::V1Beta1,
        server: None,
        audience: None,
    };

    fn from_environment() -> Result<Self, Fault> {
        match env::var_os(EXEC_INFO) {
            None => Ok(Self::OF_OLD_CLIENTS),
            Some(text) if text.is_empty() => Ok(Self::OF_OLD_CLIENTS),
            Some(text) => Self::read(&text.to_string_lossy()),
        }
    }

    fn read(json: &str) -> Result<Self, Fault> {
        let Object(information): Object<Information> =
            serde_json::from_str(json).map_err(|error| {
                Fault::in_file(EXEC_INFO, &error).hint(
                    "kubectl sets this variable to an ExecCredential; unset it to run the command by hand",
                )
            })?;
        if information.kind != KIND {
            return Err(Fault::failure(format!(
                "{EXEC_INFO}: this is a {:?}, not an {KIND}",
                information.kind
            )));
        }
        let version = Version::ALL
            .into_iter()
            .find(|version| version.name() == information.api_version)
            .ok_or_else(|| unknown_version(&information.api_version))?;
        let cluster = information.spec.and_then(|Object(spec)| spec.cluster);
        let (server, configuration) = cluster.map_or((None, None), |Object(cluster)| {
            (
                cluster.destination(),
                cluster.config.map(|Object(config)| config),
            )
        });
        Ok(Self {
            version,
            server,
            audience: configuration.and_then(|configuration| configuration.audience),
        })
    }
}

fn unknown_version(asked: &str) -> Fault {
    let [newest, older] = Version::ALL.map(Version::name);
    Fault::failure(format!(
        "{EXEC_INFO} requests version {asked:?}, which is not supported ({newest} and {older} are)"
    ))
    .hint(format!(
        "in the kubeconfig file, write `apiVersion: {newest}` under `exec`"
    ))
}

/// The `ExecCredential` that comes in. What else it says (the cluster's certificates, whether there is a terminal) makes
/// no difference to a token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Information {
    api_version: String,
    kind: String,
    spec: Option<Object<Specification>>,
}

#[derive(Deserialize)]
struct Specification {
    /// There with `provideClusterInfo: true` alone.
    cluster: Option<Object<Cluster>>,
}

#[derive(Deserialize)]
struct Cluster {
    /// The URL that the token is going to be sent to, unless one of the next three says otherwise.
    server: Option<String>,
    #[serde(rename = "proxy-url")]
    proxy_url: Option<String>,
    #[serde(rename = "tls-server-name")]
    tls_server_name: Option<String>,
    #[serde(rename = "insecure-skip-tls-verify")]
    insecure_skip_tls_verify: Option<bool>,
    /// The cluster's extension `client.authentication.k8s.io/exec`, `null` if it has none.
    config: Option<Object<Configuration>>,
}

impl Cluster {
    /// The server, if it is the server that gets what is sent there: no proxy in between, and its certificate checked
    /// against its own name.
    fn destination(&self) -> Option<String> {
        let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let is_redirected = is_set(&self.proxy_url)
            || is_set(&self.tls_server_name)
            || self.insecure_skip_tls_verify == Some(true);
        self.server.clone().filter(|_| !is_redirected)
    }
}

#[derive(Deserialize)]
struct Configuration {
    audience: Option<String>,
}

/// The `ExecCredential` that goes out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    api_version: &'static str,
    kind: &'static str,
    status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    /// The token that the client puts behind `Bearer`.
    token: String,
    expiration_timestamp: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: &str) -> Request {
        let json = format!(
            r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",{spec}"status":null}}"#
        );
        Request::read(&json).unwrap()
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_else() {
        for (audience, server) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example", "https://A.example:443/path/?x"),
            ("https://a.example:6443", "https://a.example:6443"),
            ("http://a.example:80", "http://a.example/"),
            ("https://[::1]:6443", "https://[::1]:6443"),
        ] {
            assert!(is_origin_of(audience, Some(server)), "{audience} {server}");
        }
        for (audience, server) in [
            ("https://a.example", "https://a.example:6443"),
            ("https://a.example", "http://a.example"),
            ("https://a.example", "https://b.example"),
            ("https://a.example", "https://a.example.evil.example"),
            ("https://a.example", "https://a.example@evil.example"),
            ("https://a.example@evil.example", "https://evil.example"),
            ("https://a.example/", "https://a.example"),
            ("https://a.example/x", "https://a.example"),
            ("https://a.example?x", "https://a.example"),
            ("https://a.example#x", "https://a.example"),
            ("https://a.example:99999", "https://a.example:99999"),
            ("https://a.example:99999", "https://a.example"),
            ("https://a.example:", "https://a.example"),
            ("a.example", "a.example"),
            ("app", "app"),
            ("", ""),
        ] {
            assert!(!is_origin_of(audience, Some(server)), "{audience} {server}");
        }
        assert!(!is_origin_of("https://a.example", None));
    }

    #[test]
    fn tokens_start_a_little_early_unless_told_when_and_never_live_too_long() {
        let now = Timestamp::from_unix_seconds(1_795_262_400);
        for (minutes, before) in [("10m", 30), ("59m", 30), ("3590s", 10), ("1h", 0)] {
            let valid_for: Duration = minutes.parse().unwrap();
            let end = now.saturating_add(valid_for.signed_seconds());
            let usual = period(None, valid_for, now).unwrap();
            assert_eq!(usual, Period::new(now.saturating_sub(before), end).unwrap());
            let told = period(Some(now), valid_for, now.saturating_add(99)).unwrap();
            assert_eq!(told, Period::new(now, end).unwrap());
        }
    }

    #[test]
    fn reads_what_clients_say_of_the_cluster() {
        for (spec, audience) in [
            ("", None),
            (r#""spec":{},"#, None),
            (r#""spec":{"interactive":true},"#, None),
            (r#""spec":{"cluster":null,"interactive":false},"#, None),
            (
                r#""spec":{"cluster":{"server":"https://k","config":null},"interactive":false},"#,
                None,
            ),
            (
                r#""spec":{"cluster":{"server":"https://k","config":{"other":1}}},"#,
                None,
            ),
            (
                r#""spec":{"cluster":{"server":"https://k","certificate-authority-data":"AA==","config":{"audience":"a"}}},"#,
                Some("a"),
            ),
        ] {
            let request = read(spec);
            assert_eq!(request.audience.as_deref(), audience, "{spec}");
            assert_eq!(request.version, Version::V1);
        }
    }
}
