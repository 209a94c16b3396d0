//! Tokens that a member signs when they are needed.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use veraid::{KeyError, MemberIdBundle, Period, PrivateKey, Signer, SigningKey, Timestamp};
use zeroize::Zeroizing;

use super::file::read_bounded;
use super::{form, supply};
use crate::{Claims, IssueError, MAX_LIFETIME_SECONDS, Token, VerifyError, issue};

/// The default lifetime of tokens.
const LIFETIME: Duration = Duration::from_secs(600);

/// The number of seconds by which tokens start before they are made. Otherwise a server whose clock
/// is slightly behind would refuse them, and not every server tolerates that.
const BACKDATED_SECONDS: i64 = 30;

/// An upper bound on the size of member id bundles and key files.
const MAX_OCTETS: usize = 64 * 1_024;

/// A member that signs its tokens itself, with its private key and the member id bundle that its
/// organisation gave it.
///
/// It makes the tokens' signatures and nothing else. The bundle's DNSSEC chain and certificates
/// expire after a few days, and then tokens made with it are no longer valid. A program that runs
/// longer should read both from [files](Self::from_files), which its operator replaces in time. If
/// they have expired, the source returns an error.
///
/// ```
/// use kliento::client::{MemberSigner, TokenSource};
/// # use kliento::client::BoxError;
/// # use kliento::{testing::TrustChain, veraid::{MemberIdBundle, PrivateKey}};
/// # fn main() -> Result<(), BoxError> {
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let chain = TrustChain::new("example.com", "alice");
/// # let (id, key) = (chain.member_id_bundle().to_der()?, chain.member_key().to_pkcs8_pem()?);
///
/// let bundle = MemberIdBundle::from_der(&id)?;
/// let key = PrivateKey::from_pkcs8_pem(&key)?;
/// let signer = MemberSigner::new(bundle, key).with_claim("role", "admin");
///
/// let source = TokenSource::new("https://api.example.com".parse()?, signer);
/// let token = source.token().await?;
/// # assert_eq!(chain.verifier("https://api.example.com").verify_header(token.as_str())?.subject(), "alice@example.com");
/// # Ok(()) }) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct MemberSigner {
    identity: Identity,
    claims: Claims,
    lifetime: Duration,
}

#[derive(Clone)]
enum Identity {
    Held {
        bundle: Arc<MemberIdBundle>,
        key: Arc<dyn SigningKey + Send + Sync>,
    },
    Files {
        bundle: Arc<Path>,
        key: Arc<Path>,
    },
}

impl MemberSigner {
    /// A signer for the member of `bundle`. Its `key` may be in an HSM, since it is used on a
    /// thread that may block.
    pub fn new(bundle: MemberIdBundle, key: impl SigningKey + Send + Sync + 'static) -> Self {
        Self::of(Identity::Held {
            bundle: Arc::new(bundle),
            key: Arc::new(key),
        })
    }

    /// A signer for the member whose id bundle (DER or Base64) and private key (PKCS #8 PEM) are in
    /// these files. They are read again for each token.
    pub fn from_files(bundle: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self::of(Identity::Files {
            bundle: bundle.into().into(),
            key: key.into().into(),
        })
    }

    fn of(identity: Identity) -> Self {
        Self {
            identity,
            claims: Claims::new(),
            lifetime: LIFETIME,
        }
    }

    /// Adds a claim to each token, and replaces one of the same name. Claims are strings: other
    /// values are converted with `Display`.
    pub fn with_claim(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.claims.insert(name, value);
        self
    }

    /// Sets the claims of each token, in place of those that were set before.
    pub fn with_claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// Sets the lifetime of each token from its making, in whole seconds. The default is ten
    /// minutes, and the maximum an hour. A token also starts half a minute earlier, for servers
    /// whose clock is behind.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    pub(super) async fn issue(
        &self,
        token: Token,
        now: Timestamp,
    ) -> Result<supply::Bundle, SigningFault> {
        let token = token.with_claims(self.claims.clone());
        let identity = self.identity.clone();
        let period = period(now, self.lifetime);
        tokio::task::spawn_blocking(move || identity.sign(&token, period))
            .await
            .map_err(|error| SigningFault::BrokenOff(io::Error::other(error)))?
    }
}

/// The period of `lifetime` from now, which starts a little earlier. The whole period is within the
/// maximum lifetime if `lifetime` is.
fn period(now: Timestamp, lifetime: Duration) -> Period {
    let longest = i64::try_from(MAX_LIFETIME_SECONDS).unwrap_or(i64::MAX);
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let before = BACKDATED_SECONDS
        .min(longest.saturating_sub(lifetime))
        .max(0);
    Period::new(now.saturating_sub(before), now.saturating_add(lifetime)).unwrap_or(Period::at(now))
}

impl Identity {
    fn sign(&self, token: &Token, period: Period) -> Result<supply::Bundle, SigningFault> {
        let issued = match self {
            Self::Held { bundle, key } => {
                let key = key.as_ref();
                issue(&Signer::member(bundle, key), token, period)
            }
            Self::Files { bundle, key } => {
                let bundle = &read_bundle(bundle)?;
                let key = &read_key(key)?;
                issue(&Signer::member(bundle, key), token, period)
            }
        };
        issued
            .map(Zeroizing::new)
            .map_err(|error| SigningFault::Refused(Box::new(error)))
    }
}

fn read_bundle(path: &Path) -> Result<MemberIdBundle, SigningFault> {
    let unreadable = |error: VerifyError| SigningFault::Bundle {
        path: path.to_owned(),
        source: Box::new(error),
    };
    let octets = read_bounded(path, MAX_OCTETS).map_err(|error| SigningFault::file(path, error))?;
    let der = form::bundle_octets(&octets).map_err(unreadable)?;
    MemberIdBundle::from_der(&der).map_err(|error| unreadable(error.into()))
}

fn read_key(path: &Path) -> Result<PrivateKey, SigningFault> {
    let octets = read_bounded(path, MAX_OCTETS).map_err(|error| SigningFault::file(path, error))?;
    // A file that is not text is not PEM.
    let pem = core::str::from_utf8(&octets).unwrap_or_default();
    PrivateKey::from_pkcs8_pem(pem).map_err(|source| SigningFault::Key {
        path: path.to_owned(),
        source,
    })
}

/// The reason why a member did not sign.
#[derive(Debug, thiserror::Error)]
pub(super) enum SigningFault {
    #[error("cannot read {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is not a member id bundle", path.display())]
    Bundle {
        path: PathBuf,
        source: Box<VerifyError>,
    },
    #[error("{} is not a private key", path.display())]
    Key { path: PathBuf, source: KeyError },
    #[error("cannot sign a token")]
    Refused(#[source] Box<IssueError>),
    #[error("signing was aborted")]
    BrokenOff(#[source] io::Error),
}

impl SigningFault {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }
}

/// Does not show claims and keys.
impl fmt::Debug for MemberSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemberSigner")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_start_a_little_early_and_never_live_too_long() {
        let now = Timestamp::from_unix_seconds(1_795_262_400);
        for (lifetime, before) in [(600, 30), (3_570, 30), (3_590, 10), (3_600, 0), (3_601, 0)] {
            let period = period(now, Duration::from_secs(lifetime));
            assert_eq!(period.start(), now.saturating_sub(before));
            assert_eq!(
                period.end().unix_seconds(),
                now.unix_seconds() + i64::try_from(lifetime).unwrap()
            );
        }
    }
}
