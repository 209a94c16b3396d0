//! What a server builds once and asks about each request.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::SystemTime;

use veraid::{Period, Policy, Timestamp, TrustAnchors};

use crate::error::Error;
use crate::{Audience, TokenBundle, VerifiedToken, header};

/// Verifies tokens for one audience: built once, shared by all threads, cheap to clone.
///
/// It makes no network calls and keeps no state, so what it says depends on the bundle, the clock and
/// the trust anchors alone.
///
/// ```
/// use std::time::Duration;
/// use kliento::Verifier;
///
/// let verifier = Verifier::builder("https://api.example.com".parse()?)
///     .clock_skew(Duration::from_secs(5))
///     .build();
/// let refusal = verifier.verify_header("Bearer abc").unwrap_err();
/// assert_eq!(refusal.reason(), "kliento.wrong_scheme");
/// # Ok::<(), kliento::Error>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    audience: Audience,
    anchors: Arc<TrustAnchors>,
    policy: Policy,
    clock_skew: i64,
    clock: Clock,
}

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Verifier {
    /// Starts a verifier for `audience` that trusts the DNS root's keys as IANA publishes them, allows
    /// for no clock skew and reads the system's clock.
    pub fn builder(audience: Audience) -> VerifierBuilder {
        VerifierBuilder {
            audience,
            anchors: None,
            policy: Policy::new(),
            clock_skew: Duration::ZERO,
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        }
    }

    /// The audience that tokens must name.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Verifies the value of an `Authorization` field, now.
    ///
    /// Takes text or octets, such as the `HeaderValue` of an HTTP library.
    ///
    /// # Errors
    ///
    /// Any [`Error`]. Answer all of them with status 401 and `WWW-Authenticate: Kliento`.
    pub fn verify_header(&self, value: impl AsRef<[u8]>) -> Result<VerifiedToken, Error> {
        self.verify_bundle(&header::decode(value)?)
    }

    /// Verifies a token bundle's DER octets, now.
    ///
    /// # Errors
    ///
    /// Any [`Error`] that is not about a header.
    pub fn verify_bundle(&self, bundle: &[u8]) -> Result<VerifiedToken, Error> {
        self.verify_bundle_at(bundle, (self.clock)())
    }

    /// Verifies a token bundle's DER octets as if it were `time`. The clock skew counts here too.
    ///
    /// # Errors
    ///
    /// As for [`verify_bundle`](Self::verify_bundle).
    pub fn verify_bundle_at(&self, bundle: &[u8], time: Timestamp) -> Result<VerifiedToken, Error> {
        TokenBundle::from_der(bundle)?.verify(
            &self.audience,
            &self.anchors,
            self.tolerance(time),
            self.policy,
        )
    }

    /// The period around `time` of which one second will do.
    fn tolerance(&self, time: Timestamp) -> Period {
        Period::new(
            time.saturating_sub(self.clock_skew),
            time.saturating_add(self.clock_skew),
        )
        .unwrap_or(Period::at(time))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verifier")
            .field("audience", &self.audience)
            .field("policy", &self.policy)
            .field("clock_skew", &self.clock_skew)
            .finish_non_exhaustive()
    }
}

/// The optional parts of a [`Verifier`].
#[must_use]
pub struct VerifierBuilder {
    audience: Audience,
    anchors: Option<TrustAnchors>,
    policy: Policy,
    clock_skew: Duration,
    clock: Clock,
}

impl VerifierBuilder {
    /// Trusts `anchors` in place of IANA's.
    pub fn trust_anchors(mut self, anchors: TrustAnchors) -> Self {
        self.anchors = Some(anchors);
        self
    }

    /// Takes what `policy` says, in place of tokens of both dialects with RSA keys alone.
    ///
    /// ```
    /// use kliento::Verifier;
    /// use kliento::veraid::{Dialect, KeyAlgorithm, Policy};
    ///
    /// let verifier = Verifier::builder("https://api.example.com".parse()?)
    ///     .policy(Policy::new().only(Dialect::DomainAuth).allow(KeyAlgorithm::Ed25519))
    ///     .build();
    /// # Ok::<(), kliento::Error>(())
    /// ```
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How far the clocks of clients and DNS signers may be off, in whole seconds (a fraction is dropped).
    /// None by default.
    ///
    /// A token is accepted at time `t` if everything about it (the token, the certificates, every DNSSEC
    /// signature on the path) holds together at one second at least from `t − skew` to `t + skew`, both
    /// included. So a token is taken up to `skew` before it starts and up to `skew` after it ends, and an
    /// organisation's TTL override, which reaches back from the end of that period, is counted from
    /// `t + skew`. The longest lifetime of a token is not stretched.
    ///
    /// A few seconds do for servers that keep time; every second more is one in which a stolen token still
    /// works.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Reads the time from `clock`, for tests and for servers with a clock of their own.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The verifier.
    pub fn build(self) -> Verifier {
        Verifier {
            audience: self.audience,
            anchors: Arc::new(self.anchors.unwrap_or_else(TrustAnchors::iana)),
            policy: self.policy,
            clock_skew: i64::try_from(self.clock_skew.as_secs()).unwrap_or(i64::MAX),
            clock: self.clock,
        }
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifierBuilder")
            .field("audience", &self.audience)
            .field("clock_skew", &self.clock_skew)
            .finish_non_exhaustive()
    }
}
