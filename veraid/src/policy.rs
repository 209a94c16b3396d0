//! The choices of a verifier, and the rules of the dialect of a bundle.
//!
//! The DomainAuth draft has one signature algorithm and requires that all algorithms it does not
//! allow are rejected. The other algorithms of [`KeyAlgorithm`] are experimental: a verifier
//! accepts only those that its owner names.

use dnssec::{Demand, Period, Work};

use crate::algorithm::SignatureAlgorithm;
use crate::certificate::UnverifiedCertificate;
use crate::crypto::HashAlgorithm;
use crate::error::{CertificateRole, VerifyError};
use crate::key::{KeyAlgorithm, KeyError, PublicKeyRef};
use crate::name::Dialect;
use crate::record::TtlOverride;

/// The longest validity of anything in DomainAuth, `end − start` in seconds: 90 days (DomainAuth
/// draft, "Maximum Validity Period").
pub(crate) const MAX_VALIDITY_SECONDS: u32 = TtlOverride::MAX.seconds();

/// The dialects and experimental key algorithms that a verifier accepts, and the most work for a
/// bundle.
///
/// By default, a policy accepts both dialects and RSA alone, and as much work as any honest bundle
/// may need.
///
/// ```
/// use veraid::{Dialect, KeyAlgorithm, Policy};
///
/// let policy = Policy::new().with_only(Dialect::DomainAuth).with_algorithm(KeyAlgorithm::MlDsa65);
/// assert!(policy.takes(Dialect::DomainAuth) && !policy.takes(Dialect::VeraId));
/// assert!(policy.allows(KeyAlgorithm::MlDsa65) && !policy.allows(KeyAlgorithm::Ed25519));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    refuses_veraid: bool,
    refuses_domain_auth: bool,
    /// One bit for each experimental algorithm.
    experimental: u8,
    most_work: Option<Work>,
}

impl Policy {
    /// Creates a policy that accepts both dialects and no experimental algorithm.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            refuses_veraid: false,
            refuses_domain_auth: false,
            experimental: 0,
            most_work: None,
        }
    }

    /// Accepts only this dialect. A second call with the other dialect makes it accept neither.
    ///
    /// ```
    /// use veraid::{Dialect, Policy};
    ///
    /// let neither = Policy::new().with_only(Dialect::VeraId).with_only(Dialect::DomainAuth);
    /// assert!(!neither.takes(Dialect::VeraId) && !neither.takes(Dialect::DomainAuth));
    /// ```
    #[must_use]
    pub const fn with_only(mut self, dialect: Dialect) -> Self {
        match dialect {
            Dialect::VeraId => self.refuses_domain_auth = true,
            Dialect::DomainAuth => self.refuses_veraid = true,
        }
        self
    }

    /// Accepts what both policies accept: their common dialects and algorithms, within the smaller
    /// limit.
    ///
    /// ```
    /// use veraid::{Dialect, KeyAlgorithm, Policy};
    ///
    /// let domain_auth = Policy::new().with_only(Dialect::DomainAuth).with_algorithm(KeyAlgorithm::Ed25519);
    /// let both = domain_auth.and(Policy::new().with_algorithm(KeyAlgorithm::EcdsaP256));
    /// assert!(!both.takes(Dialect::VeraId) && !both.allows(KeyAlgorithm::Ed25519));
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            refuses_veraid: self.refuses_veraid || other.refuses_veraid,
            refuses_domain_auth: self.refuses_domain_auth || other.refuses_domain_auth,
            experimental: self.experimental & other.experimental,
            most_work: match (self.most_work, other.most_work) {
                (Some(one), Some(another)) => Some(one.min(another)),
                (one, another) => one.or(another),
            },
        }
    }

    /// Accepts this algorithm as well, for keys of organisations, intermediates and members.
    ///
    /// This affects DomainAuth alone: VeraId has no records for experimental algorithms.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: KeyAlgorithm) -> Self {
        self.experimental |= bit(algorithm);
        self
    }

    /// Accepts all supported algorithms.
    #[must_use]
    pub fn with_all_algorithms(self) -> Self {
        KeyAlgorithm::ALL
            .iter()
            .copied()
            .fold(self, Self::with_algorithm)
    }

    /// Refuses bundles that take more work than `work`: before any work is done if possible,
    /// otherwise once the work is used up.
    ///
    /// The work for all certificates and the signature is known in advance, and reading the content
    /// counts as one unit for each 32 octets. The DNSSEC chain may take the rest
    /// ([`Demand::with_most_work`]). Facts from memory take no work
    /// ([`Verifier`](crate::Verifier)). Without a limit, a bundle may take as much work as its size
    /// allows, which is suitable when a person inspects a bundle. A server that accepts bundles
    /// from strangers should set a limit, as `kliento` does.
    ///
    /// ```
    /// use veraid::{Policy, dnssec::Work};
    ///
    /// let policy = Policy::new().with_most_work(Work::from_units(1_000));
    /// assert_eq!(policy.most_work(), Some(Work::from_units(1_000)));
    /// ```
    #[must_use]
    pub const fn with_most_work(mut self, work: Work) -> Self {
        self.most_work = Some(work);
        self
    }

    /// The most work that a bundle may take, if there is a limit.
    #[must_use]
    pub const fn most_work(self) -> Option<Work> {
        self.most_work
    }

    /// Returns true if bundles of this dialect are accepted.
    #[must_use]
    pub fn takes(self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::VeraId => !self.refuses_veraid,
            Dialect::DomainAuth => !self.refuses_domain_auth,
        }
    }

    /// Returns true if keys of this algorithm are accepted, at least in DomainAuth.
    #[must_use]
    pub fn allows(self, algorithm: KeyAlgorithm) -> bool {
        let bit = bit(algorithm);
        bit == 0 || self.experimental & bit != 0
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// The bit of an experimental algorithm; 0 for the others.
const fn bit(algorithm: KeyAlgorithm) -> u8 {
    match algorithm {
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::OtherRsa(_) => 0,
        KeyAlgorithm::Ed25519 => 1,
        KeyAlgorithm::EcdsaP256 => 1 << 1,
        KeyAlgorithm::EcdsaP384 => 1 << 2,
        KeyAlgorithm::MlDsa44 => 1 << 3,
        KeyAlgorithm::MlDsa65 => 1 << 4,
        KeyAlgorithm::MlDsa87 => 1 << 5,
    }
}

/// The rules for one bundle: those of its dialect, and those of the verifier's policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    policy: Policy,
}

impl Rules {
    /// # Errors
    /// [`VerifyError::DialectNotAccepted`] if the verifier does not accept the dialect.
    pub(crate) fn new(dialect: Dialect, policy: Policy) -> Result<Self, VerifyError> {
        if policy.takes(dialect) {
            Ok(Self { dialect, policy })
        } else {
            Err(VerifyError::DialectNotAccepted { dialect })
        }
    }

    /// The most permissive rules of a dialect, for issuing and signing.
    pub(crate) fn widest(dialect: Dialect) -> Self {
        Self {
            dialect,
            policy: Policy::new().with_all_algorithms(),
        }
    }

    pub(crate) fn is_domain_auth(self) -> bool {
        self.dialect == Dialect::DomainAuth
    }

    /// Checks that a certificate in this role may have this key.
    pub(crate) fn check_key(
        self,
        certificate: CertificateRole,
        key: &PublicKeyRef<'_>,
    ) -> Result<(), VerifyError> {
        let refused = |source| VerifyError::CertificateKey {
            certificate,
            source,
        };
        if !self.is_domain_auth() {
            return key.check_for_vera_id().map_err(refused);
        }
        match key.algorithm {
            // No record can identify it.
            KeyAlgorithm::OtherRsa(size) if certificate == CertificateRole::Organisation => {
                Err(refused(KeyError::UnsupportedRsaSize {
                    bits: size.bits().into(),
                }))
            }
            algorithm if self.policy.allows(algorithm) => Ok(()),
            algorithm => Err(VerifyError::AlgorithmNotAllowed {
                certificate,
                algorithm,
            }),
        }
    }

    /// Checks the signature algorithm of a certificate whose issuer is ignored: "each certificate
    /// MUST … only use the algorithms specified" (DomainAuth draft, "X.509 Certificate Profile").
    pub(crate) fn check_foreign_signature(
        self,
        certificate: &UnverifiedCertificate<'_>,
    ) -> Result<(), VerifyError> {
        match certificate.signature_algorithm().key_algorithm() {
            Some(algorithm) if !self.policy.allows(algorithm) => {
                Err(VerifyError::ForeignAlgorithmNotAllowed {
                    certificate: certificate.role(),
                    algorithm,
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks that the validity period of a certificate is not too long.
    pub(crate) fn check_certificate_period(
        self,
        certificate: &UnverifiedCertificate<'_>,
    ) -> Result<(), VerifyError> {
        self.check_validity(certificate.role(), certificate.period())
    }

    pub(crate) fn check_validity(
        self,
        certificate: CertificateRole,
        period: Period,
    ) -> Result<(), VerifyError> {
        if self.is_too_long(period) {
            return Err(VerifyError::CertificateTooLong {
                certificate,
                period,
            });
        }
        Ok(())
    }

    /// Checks that the period of a signature is not too long.
    pub(crate) fn check_signature_period(self, period: Period) -> Result<(), VerifyError> {
        if self.is_too_long(period) {
            return Err(VerifyError::SignatureTooLong { period });
        }
        Ok(())
    }

    /// Checks that the verifier's period is not too long.
    pub(crate) fn check_required_period(self, period: Period) -> Result<(), VerifyError> {
        if self.is_too_long(period) {
            return Err(VerifyError::VerificationTooLong { period });
        }
        Ok(())
    }

    fn is_too_long(self, period: Period) -> bool {
        self.is_domain_auth() && period.seconds() > MAX_VALIDITY_SECONDS.into()
    }

    /// Checks that the digest algorithm of the content matches the signature algorithm. VeraId's
    /// reference library mixes them for larger keys, so VeraId allows any.
    pub(crate) fn check_content_digest(
        self,
        signature: SignatureAlgorithm,
        digest: HashAlgorithm,
    ) -> Result<(), VerifyError> {
        if self.is_domain_auth() && !signature.goes_with_digest(digest) {
            return Err(VerifyError::DigestAlgorithmMismatch);
        }
        Ok(())
    }

    /// The demand on the chain: the longest DNSSEC signatures, and the work that is left after
    /// `certificates`, the work for certificates and signature.
    ///
    /// # Errors
    /// [`VerifyError::WorkExhausted`] if `certificates` exceeds the limit.
    pub(crate) fn demand(
        self,
        required: Period,
        certificates: Work,
    ) -> Result<Demand, VerifyError> {
        let demand = match self.dialect {
            Dialect::VeraId => required.into(),
            Dialect::DomainAuth => {
                Demand::from(required).with_longest_signature(MAX_VALIDITY_SECONDS)
            }
        };
        let Some(limit) = self.policy.most_work else {
            return Ok(demand);
        };
        let left = limit
            .checked_sub(certificates)
            .ok_or(VerifyError::WorkExhausted { limit })?;
        Ok(demand.with_most_work(left))
    }
}
