//! The verifier: built once per server, consulted on every request.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(feature = "tower")]
use veraid::Recognition;
use veraid::{MemoryLimits, Period, Policy, Timestamp, TrustAnchors};

use crate::bundle::{self, check_audience, with_limit};
use crate::cache::{self, Cache, Form};
use crate::error::VerifyError;
use crate::{Audience, CacheStatistics, Requirements, SERVICE, VerifiedToken, header};

/// Verifies tokens for one audience: built once, shared by all threads, cheap to clone.
///
/// It makes no network calls: its verdict depends only on the bundle, the clock, the trust anchors and the requirements of
/// its owner. It remembers the bundles that it verified, so that a bundle which comes again costs a look-up. That changes
/// no verdict.
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
/// # Ok::<(), kliento::AudienceError>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    /// The audience that tokens must name, or the first of several.
    audience: Arc<Audience>,
    other_audiences: Arc<[Audience]>,
    shared: SharedVerifier,
}

/// All that verifiers for several audiences share: anchors, policy, requirements, clock and cache.
///
/// It is for servers that learn the audience from the request or from a rule. By itself it verifies nothing, since a token
/// is always for an audience.
///
/// ```
/// use kliento::SharedVerifier;
///
/// let shared = SharedVerifier::builder().build();
/// let orders = shared.for_audience("https://orders.example.com".parse()?);
/// let both = shared.for_any_of("https://a.example.com".parse()?, ["https://b.example.com".parse()?]);
/// assert_eq!(orders.audience().as_str(), "https://orders.example.com");
/// # let _ = both;
/// # Ok::<(), kliento::AudienceError>(())
/// ```
#[derive(Clone)]
pub struct SharedVerifier {
    requirements: Arc<Requirements>,
    foundation: Arc<Foundation>,
}

struct Foundation {
    verifier: veraid::Verifier,
    clock_skew: i64,
    clock: Clock,
    cache: Option<Cache>,
}

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

impl SharedVerifier {
    /// Starts with the DNS root's keys as IANA publishes them, no clock skew and the system's clock.
    pub fn builder() -> VerifierBuilder<AnyAudience> {
        VerifierBuilder::new(AnyAudience)
    }

    /// A verifier of tokens for `audience`.
    #[must_use]
    pub fn for_audience(&self, audience: Audience) -> Verifier {
        Verifier {
            audience: Arc::new(audience),
            other_audiences: Arc::default(),
            shared: self.clone(),
        }
    }

    /// A verifier of tokens for any of several audiences, of which there is at least one: a token is for somebody.
    /// [`VerifiedToken::audience`] is the one that a token names.
    #[must_use]
    pub fn for_any_of(
        &self,
        first: Audience,
        others: impl IntoIterator<Item = Audience>,
    ) -> Verifier {
        Verifier {
            audience: Arc::new(first),
            other_audiences: others.into_iter().collect(),
            shared: self.clone(),
        }
    }

    /// The same that also refuses valid tokens that do not meet `requirements`, with one cache for both. What is required
    /// already stays required.
    #[must_use]
    pub fn with_requirements(&self, requirements: Requirements) -> Self {
        let present = Requirements::clone(&self.requirements);
        Self {
            requirements: Arc::new(present.and(requirements)),
            foundation: Arc::clone(&self.foundation),
        }
    }

    /// The requirements that tokens must meet beyond being valid.
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// The counts of the cache; zero if it is switched off.
    pub fn cache_statistics(&self) -> CacheStatistics {
        let cache = self.foundation.cache.as_ref();
        let signers = self.foundation.verifier.statistics();
        CacheStatistics {
            bundles: cache.map(Cache::statistics).unwrap_or_default(),
            organisations: signers.organisations,
            members: signers.signers,
        }
    }

    /// Forgets tokens that have ended. The cache needs no such call to stay within its bound; it gives memory back
    /// earlier.
    pub fn remove_expired(&self) {
        let time = self.foundation.tolerance(self.foundation.now()).start();
        if let Some(cache) = &self.foundation.cache {
            cache.remove_expired(time);
        }
        self.foundation.verifier.remove_expired(time);
    }
}

impl Foundation {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The period around `time` of which one second will do.
    fn tolerance(&self, time: Timestamp) -> Period {
        let skew = self.clock_skew;
        Period::new(time.saturating_sub(skew), time.saturating_add(skew))
            .unwrap_or(Period::at(time))
    }
}

impl Verifier {
    /// Starts a verifier for `audience` that trusts the DNS root's keys as IANA publishes them, allows
    /// for no clock skew and reads the system's clock.
    ///
    /// An [`Audience`] is made from text, and is never empty: `Verifier::builder("https://api.example.com".parse()?)`.
    pub fn builder(audience: Audience) -> VerifierBuilder {
        VerifierBuilder::new(audience)
    }

    /// The parts that it shares with verifiers for other audiences.
    pub fn shared(&self) -> &SharedVerifier {
        &self.shared
    }

    /// The same for another audience: with the same anchors, policy, requirements and clock, and one cache for both.
    #[must_use]
    pub fn for_audience(&self, audience: Audience) -> Self {
        self.shared.for_audience(audience)
    }

    /// The same that also refuses valid tokens that do not meet `requirements`, with one cache for both. What is required
    /// already stays required.
    #[must_use]
    pub fn with_requirements(&self, requirements: Requirements) -> Self {
        Self {
            shared: self.shared.with_requirements(requirements),
            ..self.clone()
        }
    }

    /// The audience that tokens must name, the first if there are [several](SharedVerifier::for_any_of).
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The requirements that tokens must meet beyond being valid.
    pub fn requirements(&self) -> &Requirements {
        self.shared.requirements()
    }

    /// Verifies the value of an `Authorization` field, now.
    ///
    /// Takes text or octets, such as the `HeaderValue` of an HTTP library.
    ///
    /// # Errors
    ///
    /// Any [`VerifyError`]. Answer those that are [forbidden](VerifyError::is_forbidden) with status 403, and all others with status 401
    /// and `WWW-Authenticate: Kliento`.
    pub fn verify_header(&self, value: impl AsRef<[u8]>) -> Result<VerifiedToken, VerifyError> {
        let octets = header::credentials(value.as_ref())?;
        self.verify(Form::Credentials, octets, self.now())
    }

    /// Verifies a token bundle's DER octets, now.
    ///
    /// # Errors
    ///
    /// Any [`VerifyError`] that is not about a header.
    pub fn verify_bundle(&self, bundle: &[u8]) -> Result<VerifiedToken, VerifyError> {
        self.verify_bundle_at(bundle, self.now())
    }

    /// Verifies a token bundle's DER octets as if it were `time`. The clock skew counts here too.
    ///
    /// # Errors
    ///
    /// As for [`verify_bundle`](Self::verify_bundle).
    pub fn verify_bundle_at(
        &self,
        bundle: &[u8],
        time: Timestamp,
    ) -> Result<VerifiedToken, VerifyError> {
        self.verify(Form::Der, bundle, time)
    }

    /// The verdict of [`verify_header`](Self::verify_header), if it is known without verifying anything: the
    /// bundle was verified before, or it is no Kliento at all, or too large.
    ///
    /// It takes less than a microsecond, while verifying may take hundreds: an asynchronous server asks here first, and only
    /// where there is no answer has [`verify_header`](Self::verify_header) run where it may block.
    pub fn recall_header(
        &self,
        value: impl AsRef<[u8]>,
    ) -> Option<Result<VerifiedToken, VerifyError>> {
        match header::credentials(value.as_ref()) {
            Ok(octets) => self.recall(Form::Credentials, octets, self.now()),
            Err(error) => Some(Err(error)),
        }
    }

    /// The verdict of [`verify_bundle`](Self::verify_bundle), if it is known without verifying anything.
    pub fn recall_bundle(&self, bundle: &[u8]) -> Option<Result<VerifiedToken, VerifyError>> {
        self.recall(Form::Der, bundle, self.now())
    }

    /// The counts of the cache; zero if it is switched off.
    pub fn cache_statistics(&self) -> CacheStatistics {
        self.shared.cache_statistics()
    }

    /// Forgets tokens that have ended: see [`SharedVerifier::remove_expired`].
    pub fn remove_expired(&self) {
        self.shared.remove_expired();
    }

    fn verify(
        &self,
        form: Form,
        octets: &[u8],
        time: Timestamp,
    ) -> Result<VerifiedToken, VerifyError> {
        let cache = self.shared.foundation.cache.as_ref();
        let known_as = cache.map(|cache| (cache, cache.presented(form, octets)));
        if let Some((cache, presented)) = known_as
            && let Some(token) = cache.get(presented, self.tolerance(time))
        {
            return self.check(token);
        }
        let decoded;
        let bundle = match form {
            Form::Der => octets,
            Form::Credentials => {
                decoded = header::decode_base64(octets)?;
                &decoded
            }
        };
        let verifier = &self.shared.foundation.verifier;
        let (token, signature) = bundle::verify(bundle, verifier, self.tolerance(time))?;
        let token = self.check(token)?;
        if let Some((cache, presented)) = known_as {
            cache.insert(presented, &token, signature);
        }
        Ok(token)
    }

    /// The parties of the bundle in an `Authorization` field that the cache knows.
    #[cfg(feature = "tower")]
    pub(crate) fn recognise_header(&self, value: &[u8]) -> Recognition {
        header::credentials(value)
            .and_then(header::decode_base64)
            .map(|bundle| self.recognise_bundle(&bundle))
            .unwrap_or_default()
    }

    /// The same of a bundle's DER octets.
    #[cfg(feature = "tower")]
    pub(crate) fn recognise_bundle(&self, bundle: &[u8]) -> Recognition {
        let period = self.tolerance(self.now());
        bundle::recognise(bundle, &self.shared.foundation.verifier, period)
    }

    /// The verdict on a bundle that is remembered. All verifiers that share the cache share the anchors, policy and clock
    /// by which it is valid; audience and requirements are compared for each of them.
    fn recall(
        &self,
        form: Form,
        octets: &[u8],
        time: Timestamp,
    ) -> Option<Result<VerifiedToken, VerifyError>> {
        let cache = self.shared.foundation.cache.as_ref()?;
        let token = cache.get(cache.presented(form, octets), self.tolerance(time))?;
        Some(self.check(token))
    }

    /// Refuses a verified token that is for others, or not enough.
    fn check(&self, token: VerifiedToken) -> Result<VerifiedToken, VerifyError> {
        let token = if self.other_audiences.contains(token.audience()) {
            token
        } else {
            check_audience(&self.audience, token)?
        };
        self.shared.requirements.check(&token)?;
        Ok(token)
    }

    fn now(&self) -> Timestamp {
        self.shared.foundation.now()
    }

    /// The period around `time` of which one second will do.
    fn tolerance(&self, time: Timestamp) -> Period {
        self.shared.foundation.tolerance(time)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verifier")
            .field("audience", &self.audience)
            .field("other_audiences", &self.other_audiences)
            .field("shared", &self.shared)
            .finish()
    }
}

impl fmt::Debug for SharedVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SharedVerifier")
            .field("requirements", &self.requirements)
            .field("verifier", &self.foundation.verifier)
            .field("clock_skew", &self.foundation.clock_skew)
            .field("cache", &self.foundation.cache)
            .finish_non_exhaustive()
    }
}

/// Stands for the audience in the builder of a [`SharedVerifier`], which has none.
#[derive(Clone, Copy, Debug)]
pub struct AnyAudience;

/// The optional parts of a [`Verifier`] or a [`SharedVerifier`].
#[must_use]
pub struct VerifierBuilder<A = Audience> {
    audience: A,
    requirements: Requirements,
    anchors: Option<TrustAnchors>,
    policy: Option<Policy>,
    clock_skew: Duration,
    clock: Clock,
    cache_octets: usize,
}

impl<A> VerifierBuilder<A> {
    fn new(audience: A) -> Self {
        Self {
            audience,
            requirements: Requirements::new(),
            anchors: None,
            policy: None,
            clock_skew: Duration::ZERO,
            clock: Box::new(|| Timestamp::from(SystemTime::now())),
            cache_octets: cache::DEFAULT_OCTETS,
        }
    }

    /// Trusts `anchors` in place of IANA's.
    pub fn trust_anchors(mut self, anchors: TrustAnchors) -> Self {
        self.anchors = Some(anchors);
        self
    }

    /// Takes what `policy` says, in place of tokens of both dialects with RSA keys alone. If it sets no limit on work,
    /// [`MAX_WORK`](crate::MAX_WORK) is the limit. Called again, it takes only what both policies take.
    ///
    /// ```
    /// use kliento::Verifier;
    /// use kliento::veraid::{Dialect, KeyAlgorithm, Policy};
    ///
    /// let verifier = Verifier::builder("https://api.example.com".parse()?)
    ///     .policy(Policy::new().with_only(Dialect::DomainAuth).with_algorithm(KeyAlgorithm::Ed25519))
    ///     .build();
    /// # Ok::<(), kliento::AudienceError>(())
    /// ```
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(self.policy.map_or(policy, |present| present.and(policy)));
        self
    }

    /// Allows for clocks of clients and DNS signers that are off by up to `skew`, in whole seconds (a fraction is dropped).
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
        self.clock = Box::new(clock);
        self
    }

    /// Refuses valid tokens that do not meet `requirements`. Called again, it adds to what is required already: all must
    /// be met.
    pub fn requirements(mut self, requirements: Requirements) -> Self {
        self.requirements = self.requirements.and(requirements);
        self
    }

    /// Sets how many bytes the verifier may take to remember what it verified: 16 MiB by default, and 0 for no memory.
    ///
    /// Half of it is for bundles, of which a thousand with RSA-2048 keys fit into 8 MiB; an eighth of that half is for copies
    /// that threads keep of those that they are asked about most. The rest is for what bundles have in
    /// common, so that a new one costs but its own signature: a quarter for organisations (eight kilobytes each), and a
    /// quarter for members and others who sign for an organisation (four kilobytes each).
    ///
    /// Only what is valid is remembered, until it ends or what was asked for later needs the room. A bundle that comes both
    /// as DER and in `Authorization` values is remembered twice. A token with more than a few hundred claims is not
    /// remembered, since it would take more than 32 KiB; nor is any that takes more than a tenth of its tier, if that is
    /// over 8 KiB: below 1 MiB in all, large tokens are verified each time.
    pub fn cache_octets(mut self, octets: usize) -> Self {
        self.cache_octets = octets;
        self
    }

    fn build_shared(self) -> (SharedVerifier, A) {
        let anchors = self.anchors.unwrap_or_else(TrustAnchors::iana);
        let policy = with_limit(self.policy.unwrap_or_default());
        let room = cache::Shares::of(self.cache_octets);
        let shared = SharedVerifier {
            requirements: Arc::new(self.requirements),
            foundation: Arc::new(Foundation {
                verifier: veraid::Verifier::new(SERVICE, anchors, policy).with_memory(
                    MemoryLimits {
                        organisation_octets: room.organisations,
                        signer_octets: room.members,
                    },
                ),
                clock_skew: i64::try_from(self.clock_skew.as_secs()).unwrap_or(i64::MAX),
                clock: self.clock,
                cache: Cache::new(room.bundles),
            }),
        };
        (shared, self.audience)
    }
}

impl VerifierBuilder<Audience> {
    /// The verifier.
    pub fn build(self) -> Verifier {
        let (shared, audience) = self.build_shared();
        shared.for_audience(audience)
    }
}

impl VerifierBuilder<AnyAudience> {
    /// Builds the parts that verifiers for several audiences share.
    pub fn build(self) -> SharedVerifier {
        self.build_shared().0
    }
}

impl<A: fmt::Debug> fmt::Debug for VerifierBuilder<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifierBuilder")
            .field("audience", &self.audience)
            .field("clock_skew", &self.clock_skew)
            .finish_non_exhaustive()
    }
}
