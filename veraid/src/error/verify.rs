//! The reasons why something could not be read or does not verify.

use dnssec::{ErrorKind, Period, Validity, Work};

use super::{CertificateRole, Fault, KeyIdentifier, SignedAttribute, Structure};
use crate::asn1::Unreadable;
use crate::crypto::{self, Failure, HashAlgorithm};
use crate::key::{KeyAlgorithm, KeyError};
use crate::name::{Dialect, NameError};
use crate::record::TtlOverride;
use crate::service::ServiceOid;

/// The reason why a bundle, a certificate or a signature could not be read or does not verify.
///
/// [`VerifyError::reason`] is for machines and stays as it is; the text is for people and may
/// change. A text does not repeat the text of its [`source`](std::error::Error::source): print the
/// chain of sources to see all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    // ---- The bundle
    /// The octets are not a bundle in DER.
    #[error("not a {structure}: expected {expected} at byte {offset}")]
    Malformed {
        /// The structure that was expected.
        structure: Structure,
        /// Octets from the start of the bundle.
        offset: usize,
        /// The part that was expected at this offset.
        expected: &'static str,
    },
    /// The bundle has a version other than 0.
    #[error("the {structure} has an unsupported version (only 0 is supported)")]
    UnsupportedBundleVersion {
        /// The kind of bundle.
        structure: Structure,
    },
    /// The DNSSEC chain cannot be read, or does not prove the organisation's TXT records.
    #[error(transparent)]
    Dnssec(#[from] dnssec::Error),

    // ---- X.509
    /// A certificate cannot be read.
    #[error("the {certificate} is malformed: expected {expected} at byte {offset}")]
    MalformedCertificate {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// Octets from the start of the bundle, or of the certificate if it stands alone.
        offset: usize,
        /// The part that was expected at this offset.
        expected: &'static str,
    },
    /// The certificate is not of version 3.
    #[error("the {certificate} is not an X.509 version 3 certificate")]
    CertificateVersion {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The certificate is not signed with RSASSA-PSS as the protocol requires it.
    #[error("the {certificate} has a signature algorithm that is not allowed: {problem}")]
    CertificateSignatureAlgorithm {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// A description of the problem.
        problem: &'static str,
    },
    /// The signature algorithm in the signed part differs from the one outside it (RFC 5280
    /// §4.1.1.2).
    #[error("the {certificate} names two different signature algorithms")]
    CertificateAlgorithmMismatch {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The certificate ends before it starts.
    #[error("the validity period of the {certificate} ends before it starts")]
    CertificatePeriod {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The certificate has a key that cannot be used.
    #[error("the key of the {certificate} is not allowed")]
    CertificateKey {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The problem with the key.
        source: KeyError,
    },
    /// The certificate's subject has no common name.
    #[error("the subject of the {certificate} has no common name")]
    NoCommonName {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The certificate's subject has more than one common name.
    #[error("the subject of the {certificate} has more than one common name")]
    SeveralCommonNames {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The common name is not a well-formed `UTF8String`, `PrintableString` or `BMPString`.
    #[error(
        "the common name of the {certificate} is not a well-formed UTF8String, PrintableString or BMPString"
    )]
    CommonNameEncoding {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The common name is not a domain, or not a member's name.
    #[error("the common name of the {certificate} is not valid")]
    InvalidCommonName {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The problem with the name.
        source: NameError,
    },
    /// The certificate has a critical extension that is unknown here (RFC 5280 §4.2).
    #[error("the {certificate} has an unknown critical extension")]
    UnhandledCriticalExtension {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The certificate has the same extension twice (RFC 5280 §4.2).
    #[error("the {certificate} has the same extension twice")]
    DuplicateExtension {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The certificate has more extensions than any honest certificate.
    #[error("the {certificate} has more than {limit} extensions")]
    TooManyExtensions {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The limit that is exceeded.
        limit: usize,
    },
    /// The organisation certificate or an intermediate certificate is not a CA certificate.
    #[error("the {certificate} is not a CA certificate")]
    NotCa {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The basic constraints of a CA certificate are not critical, so that they may be ignored
    /// (DomainAuth draft, "X.509 Certificate Profile").
    #[error("the basic constraints of the {certificate} are not marked as critical")]
    UncriticalConstraints {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// More intermediates follow below a certificate than it allows (RFC 5280 §4.2.1.9).
    #[error("the {certificate} allows {limit} intermediates below it, and there are more")]
    PathTooLong {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The number of intermediates that the certificate allows.
        limit: u8,
    },
    /// There are more certificates, besides the organisation's, than in any honest bundle.
    #[error("there are more than {limit} certificates beside the organisation's")]
    TooManyCertificates {
        /// The limit that is exceeded.
        limit: usize,
    },
    /// The certificates can form too many paths.
    #[error("the certificates form too many possible paths")]
    PathBudgetExhausted,
    /// The certificates and the signature would take more work than the verifier allows
    /// ([`Policy::with_most_work`](crate::Policy::with_most_work)).
    #[error(
        "verifying the certificates and the signature needs more than the {} units of work that this verifier allows for a bundle",
        .limit.units()
    )]
    WorkExhausted {
        /// The limit that is exceeded.
        limit: Work,
    },
    /// The certificate is valid for more than 90 days (DomainAuth draft, "Maximum Validity Period").
    #[error("the {certificate} is valid for more than 90 days ({period})")]
    CertificateTooLong {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The period for which the certificate is valid.
        period: Period,
    },
    /// The key is of an experimental algorithm that the verifier's owner did not opt in to.
    #[error(
        "the key of the {certificate} is {algorithm}, an experimental algorithm that this verifier's policy does not allow"
    )]
    AlgorithmNotAllowed {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The key's algorithm.
        algorithm: KeyAlgorithm,
    },
    /// A certificate that a third party issued is signed with an experimental algorithm that the
    /// verifier's owner did not opt in to.
    #[error(
        "the {certificate} has a signature algorithm that is not allowed: it is experimental, and this verifier's policy does not allow it"
    )]
    ForeignAlgorithmNotAllowed {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The algorithm of its issuer's key.
        algorithm: KeyAlgorithm,
    },
    /// The member certificate is a CA certificate.
    #[error("the member certificate is a CA certificate, which it must not be")]
    CaMember,
    /// The key usage extension does not allow the use of the key (RFC 5280 §4.2.1.3).
    #[error("the key usage of the {certificate} does not include {needed}")]
    KeyUsage {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The usage that was needed.
        needed: &'static str,
    },
    /// The certificate lacks a key identifier extension.
    #[error("the {certificate} has no {identifier}")]
    MissingKeyIdentifier {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The extension that the error is about.
        identifier: KeyIdentifier,
    },
    /// A key identifier is not the SHA-256 digest of the key's `SubjectPublicKeyInfo`.
    #[error("the {identifier} of the {certificate} does not match the key")]
    KeyIdentifierMismatch {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The extension that the error is about.
        identifier: KeyIdentifier,
    },
    /// The organisation certificate's issuer is not its subject.
    #[error("the organisation certificate is not self-issued")]
    NotSelfIssued,
    /// The issuer of the certificate is neither the organisation nor one of the given
    /// intermediates.
    #[error(
        "the issuer of the {certificate} is neither the organisation nor one of the intermediates"
    )]
    OtherIssuer {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// A certificate is signed with an algorithm that does not belong to its issuer's key.
    #[error("the {certificate} is not signed with the algorithm of its issuer's key, {key}")]
    CertificateKeyAlgorithm {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The algorithm of the issuer's key.
        key: KeyAlgorithm,
    },
    /// The signature of a certificate does not verify.
    #[error("the signature of the {certificate} does not verify")]
    CertificateSignature {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// A certificate expired before the verifier's period.
    #[error("the {certificate} expired at {}, before {required}", .validity.end())]
    CertificateExpired {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The period for which the certificate is valid.
        validity: Period,
        /// The verifier's period.
        required: Period,
    },
    /// A certificate becomes valid only after the verifier's period.
    #[error("the {certificate} is not valid before {}, which is after {required}", .validity.start())]
    CertificateNotYetValid {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The period for which the certificate is valid.
        validity: Period,
        /// The verifier's period.
        required: Period,
    },

    // ---- CMS
    /// The `SignedData` cannot be read.
    #[error("the signature is malformed: expected {expected} at byte {offset}")]
    MalformedSignedData {
        /// Octets from the start of the bundle.
        offset: usize,
        /// The part that was expected at this offset.
        expected: &'static str,
    },
    /// The `ContentInfo` holds anything but `SignedData`.
    #[error("the signature is a CMS structure other than SignedData")]
    NotSignedData,
    /// The version of `SignedData` or `SignerInfo` does not match its content (RFC 5652 §5.1,
    /// §5.3).
    #[error("the CMS version of the {structure} does not match its content")]
    CmsVersion {
        /// The structure: `SignedData` or `SignerInfo`.
        structure: &'static str,
    },
    /// The signed content is not of the type id-data.
    #[error("the content type of the signed data, or the content-type attribute, is not id-data")]
    ContentType,
    /// There is not exactly one signer.
    #[error("the signature does not have exactly one SignerInfo")]
    SignerCount,
    /// The signer is not identified by issuer and serial number.
    #[error("the signer is not identified by issuer and serial number")]
    SignerIdentifier,
    /// The digest algorithm is not one of SHA-256, SHA-384 and SHA-512.
    #[error("the digest algorithm is not SHA-256, SHA-384 or SHA-512")]
    DigestAlgorithm,
    /// The signature algorithm is not RSASSA-PSS as the protocol requires it.
    #[error("the signature algorithm is not allowed: {problem}")]
    SignatureAlgorithm {
        /// A description of the problem.
        problem: &'static str,
    },
    /// A signed attribute is missing.
    #[error("the signed attribute {attribute} is missing")]
    MissingAttribute {
        /// The attribute that the error is about.
        attribute: SignedAttribute,
    },
    /// A signed attribute occurs twice, or does not have exactly one value.
    #[error("the signed attribute {attribute} does not have exactly one value")]
    AttributeCount {
        /// The attribute that the error is about.
        attribute: SignedAttribute,
    },
    /// The content is neither attached nor given.
    #[error("the content is detached from the signature: it is needed to verify the signature")]
    MissingContent,
    /// The content is both attached and given.
    #[error("the signature already contains the content: do not supply it again")]
    UnexpectedContent,
    /// The content was given as a digest by a hash function other than that of the signature.
    #[error("the signature is over the {expected} digest of the content, not the {given} digest")]
    UndigestedContent {
        /// The hash function with which the content must be digested.
        expected: HashAlgorithm,
        /// The hash function with which the given digest was made.
        given: HashAlgorithm,
    },
    /// The content differs from the content that was signed.
    #[error("the content is not the one that was signed: its digest differs")]
    DigestMismatch,
    /// The signer's certificate is missing.
    #[error("the signer's certificate is not among the attached certificates")]
    NoSignerCertificate,
    /// Several different certificates have the signer's issuer and serial number.
    #[error("several certificates have the issuer and serial number of the signer")]
    AmbiguousSignerCertificate,
    /// The content is signed with an algorithm that does not belong to the signer's key.
    #[error("the content is not signed with the algorithm of the signer's key, {key}")]
    SignatureKeyAlgorithm {
        /// The algorithm of the signer's key.
        key: KeyAlgorithm,
    },
    /// The content is digested with a hash function that does not match the signature algorithm
    /// (RFC 8933 §3.1, RFC 8419 §3.1, RFC 9882 §3.3).
    #[error("the digest algorithm of the content does not match the signature algorithm")]
    DigestAlgorithmMismatch,
    /// The times of the signature have fractions of a second, which DomainAuth does not allow.
    #[error("the signature's times are not in whole seconds, as `YYYYMMDDHHMMSSZ`")]
    FractionalTime,
    /// The signature over the signed attributes does not verify.
    #[error("the signature does not verify")]
    BadSignature,

    // ---- VeraId
    /// The chain has no response to the question for the TXT records of a supported dialect.
    #[error("the DNSSEC chain has no response to the question for {owner} TXT")]
    NoRecordResponse {
        /// The owner of the records that were expected.
        owner: Box<dnssec::Name>,
    },
    /// The domain is signed with DNSSEC, and proves that the record does not exist.
    #[error("the domain is signed, but has no VeraId record: {0}")]
    RecordAbsent(Box<dnssec::Absence>),
    /// The chain has answers for both VeraId and DomainAuth.
    #[error("the DNSSEC chain is ambiguous: it answers for both VeraId and DomainAuth")]
    AmbiguousDialect,
    /// The chain is for a dialect that the verifier does not accept.
    #[error("the DNSSEC chain is for {dialect}, which this verifier's policy does not accept")]
    DialectNotAccepted {
        /// The dialect of the chain.
        dialect: Dialect,
    },
    /// There are intermediate certificates in VeraId, which does not allow any.
    #[error("VeraId does not allow intermediate certificates (DomainAuth does)")]
    IntermediatesOutsideDialect,
    /// The signature is valid for more than 90 days (DomainAuth draft, "Maximum Validity Period").
    #[error("the signature is valid for more than 90 days ({period})")]
    SignatureTooLong {
        /// The period for which the signature is valid.
        period: Period,
    },
    /// The verifier's period is longer than 90 days (DomainAuth draft, "Maximum Validity Period").
    #[error("the period to verify, {period}, is longer than 90 days")]
    VerificationTooLong {
        /// The verifier's period.
        period: Period,
    },
    /// The organisation's domain is so long that it has no room for the record's name.
    #[error(transparent)]
    RecordOwner(NameError),
    /// No TXT record publishes the organisation's key for the service.
    #[error(
        "no published TXT record matches the key in the organisation certificate for this service"
    )]
    NoMatchingRecord,
    /// Several TXT records publish the key for the service.
    #[error("several TXT records match the key in the organisation certificate for this service")]
    AmbiguousRecord,
    /// The DNSSEC signatures expired longer ago than the TXT record allows.
    #[error(
        "the DNSSEC chain is valid for {validity}, but the TTL override requires it to be valid within the last {ttl_override} seconds of {required}"
    )]
    TtlOverrideExceeded {
        /// The validity of the chain.
        validity: Validity,
        /// The TTL override of the record.
        ttl_override: TtlOverride,
        /// The verifier's period.
        required: Period,
    },
    /// The member attribution is not a member's name.
    #[error("the member attribution is not valid")]
    InvalidAttribution(#[source] NameError),
    /// A signature without attribution was made with the organisation's own key.
    #[error(
        "the signature was made with the organisation's own key, but has no member attribution"
    )]
    #[doc(alias = "OrganizationAsMember")]
    OrganisationAsMember,
    /// A signature with an attribution was not made by the organisation.
    #[error("only the organisation itself can attribute a signature to a member")]
    AttributionByMember,
    /// The signature is for another service.
    #[error("the signature is for another service, not {expected}")]
    ServiceMismatch {
        /// The service that the verifier expects.
        expected: ServiceOid,
    },
    /// The verifier named no service, and a signature can be verified for one service only.
    #[error("no service was given to verify the signature for")]
    NoService,
    /// The signature's period ends before it starts.
    #[error("the signature's period ends before it starts")]
    SignaturePeriod,
    /// The signature expired before the verifier's period.
    #[error("the signature expired at {}, before {required}", .validity.end())]
    SignatureExpired {
        /// The period for which the signature is valid.
        validity: Period,
        /// The verifier's period.
        required: Period,
    },
    /// The signature becomes valid only after the verifier's period.
    #[error("the signature is not valid before {}, which is after {required}", .validity.start())]
    SignatureNotYetValid {
        /// The period for which the signature is valid.
        validity: Period,
        /// The verifier's period.
        required: Period,
    },
    /// Each part is valid within the period, but at no second are all of them valid.
    #[error(
        "the certificates, the signature and the DNSSEC chain are never valid at the same time within {required}"
    )]
    NeverValidTogether {
        /// The period in which all parts must be valid together: the verifier's period, or the part
        /// of it that the TTL override leaves (DomainAuth).
        required: Period,
    },
    /// No cryptographic back end in this build can verify signatures of this algorithm.
    #[error("this build can't verify {algorithm} signatures; build with the feature {features}")]
    AlgorithmNotBuilt {
        /// The algorithm of the key.
        algorithm: KeyAlgorithm,
        /// The features that provide the algorithm, in prose; one of them is enough.
        features: &'static str,
    },
    /// The file does not contain a PEM certificate.
    #[error(
        "not a PEM certificate: there is no complete block from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`"
    )]
    NotPemCertificate,
}

impl VerifyError {
    /// Returns a stable name for the reason, for machines: `cms.…`, `x509.…`, `veraid.…`, or the
    /// `dnssec.…` name that [`dnssec::Error::reason`] returns.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "veraid.malformed_bundle",
            Self::UnsupportedBundleVersion { .. } => "veraid.unsupported_version",
            Self::Dnssec(error) => error.reason(),

            Self::MalformedCertificate { .. } => "x509.malformed_certificate",
            Self::CertificateVersion { .. } => "x509.unsupported_version",
            Self::CertificateSignatureAlgorithm { .. }
            | Self::ForeignAlgorithmNotAllowed { .. } => "x509.unsupported_signature_algorithm",
            Self::CertificateAlgorithmMismatch { .. } => "x509.signature_algorithm_mismatch",
            Self::CertificatePeriod { .. } => "x509.ends_before_start",
            Self::CertificateKey { .. } => "x509.unsupported_key",
            Self::NoCommonName { .. } => "x509.no_common_name",
            Self::SeveralCommonNames { .. } => "x509.several_common_names",
            Self::CommonNameEncoding { .. } => "x509.common_name_encoding",
            Self::InvalidCommonName { .. } => "x509.invalid_common_name",
            Self::UnhandledCriticalExtension { .. } => "x509.unhandled_critical_extension",
            Self::DuplicateExtension { .. } => "x509.duplicate_extension",
            Self::TooManyExtensions { .. } => "x509.too_many_extensions",
            Self::NotCa {
                certificate: CertificateRole::Organisation,
            } => "x509.organisation_not_ca",
            Self::NotCa { .. } => "x509.intermediate_not_ca",
            Self::UncriticalConstraints { .. } => "x509.basic_constraints_not_critical",
            Self::PathTooLong { .. } => "x509.path_length_exceeded",
            Self::TooManyCertificates { .. } => "x509.too_many_certificates",
            Self::PathBudgetExhausted | Self::WorkExhausted { .. } => "x509.path_budget_exhausted",
            Self::CertificateTooLong { .. } => "x509.valid_too_long",
            Self::AlgorithmNotAllowed { .. } => "veraid.algorithm_not_allowed",
            Self::CaMember => "x509.member_is_ca",
            Self::KeyUsage { .. } => "x509.key_usage",
            Self::MissingKeyIdentifier { .. } => "x509.missing_key_identifier",
            Self::KeyIdentifierMismatch { .. } => "x509.key_identifier_mismatch",
            Self::NotSelfIssued => "x509.not_self_issued",
            Self::OtherIssuer { .. } => "x509.other_issuer",
            Self::CertificateKeyAlgorithm { .. } => "x509.issuer_key_algorithm",
            Self::CertificateSignature { .. } => "x509.bad_signature",
            Self::CertificateExpired { .. } => "x509.expired",
            Self::CertificateNotYetValid { .. } => "x509.not_yet_valid",

            Self::MalformedSignedData { .. } => "cms.malformed_signed_data",
            Self::NotSignedData => "cms.not_signed_data",
            Self::CmsVersion { .. } => "cms.unsupported_version",
            Self::ContentType => "cms.content_type",
            Self::SignerCount => "cms.signer_count",
            Self::SignerIdentifier => "cms.signer_identifier",
            Self::DigestAlgorithm => "cms.unsupported_digest_algorithm",
            Self::SignatureAlgorithm { .. } => "cms.unsupported_signature_algorithm",
            Self::MissingAttribute { .. } => "cms.missing_attribute",
            Self::AttributeCount { .. } => "cms.attribute_count",
            Self::MissingContent => "cms.missing_content",
            Self::UnexpectedContent => "cms.unexpected_content",
            Self::UndigestedContent { .. } => "cms.other_digest",
            Self::DigestMismatch => "cms.digest_mismatch",
            Self::NoSignerCertificate => "cms.no_signer_certificate",
            Self::AmbiguousSignerCertificate => "cms.ambiguous_signer_certificate",
            Self::SignatureKeyAlgorithm { .. } => "cms.signer_key_algorithm",
            Self::DigestAlgorithmMismatch => "cms.digest_algorithm_mismatch",
            Self::FractionalTime => "cms.fractional_time",
            Self::BadSignature => "cms.bad_signature",

            Self::NoRecordResponse { .. } => "veraid.no_record_response",
            Self::RecordAbsent(_) => "veraid.record_absent",
            Self::AmbiguousDialect => "veraid.ambiguous_dialect",
            Self::DialectNotAccepted { .. } => "veraid.dialect_not_accepted",
            Self::IntermediatesOutsideDialect => "veraid.intermediates_outside_dialect",
            Self::SignatureTooLong { .. } => "veraid.signature_valid_too_long",
            Self::VerificationTooLong { .. } => "veraid.verification_too_long",
            Self::RecordOwner(_) => "veraid.no_room_for_record",
            Self::NoMatchingRecord => "veraid.no_matching_record",
            Self::AmbiguousRecord => "veraid.ambiguous_record",
            Self::TtlOverrideExceeded { .. } => "veraid.ttl_override_exceeded",
            Self::InvalidAttribution(_) => "veraid.invalid_attribution",
            Self::OrganisationAsMember => "veraid.organisation_as_member",
            Self::AttributionByMember => "veraid.attribution_by_member",
            Self::ServiceMismatch { .. } => "veraid.service_mismatch",
            Self::NoService => "veraid.no_service",
            Self::SignaturePeriod => "veraid.signature_ends_before_start",
            Self::SignatureExpired { .. } => "veraid.signature_expired",
            Self::SignatureNotYetValid { .. } => "veraid.signature_not_yet_valid",
            Self::NeverValidTogether { .. } => "veraid.never_valid_together",

            Self::AlgorithmNotBuilt { .. } => "veraid.algorithm_not_built",
            Self::NotPemCertificate => "veraid.not_pem_certificate",
        }
    }

    /// Returns true if the bundle itself could not be read: its text form, DER structure, version
    /// or size.
    ///
    /// A problem further inside makes the bundle invalid instead: in a DNS message, a certificate
    /// or the `SignedData`.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::UnsupportedBundleVersion { .. } => true,
            Self::Dnssec(error) => error.is_malformed(),
            _ => false,
        }
    }

    /// Returns the party whose fault the error is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Dnssec(error) => fault_of_chain(error),
            Self::CertificateExpired { .. }
            | Self::CertificateNotYetValid { .. }
            | Self::SignatureExpired { .. }
            | Self::SignatureNotYetValid { .. }
            | Self::NeverValidTogether { .. }
            | Self::TtlOverrideExceeded { .. } => Fault::Time,
            Self::RecordAbsent(_) | Self::NoMatchingRecord | Self::AmbiguousRecord => Fault::Domain,
            Self::AlgorithmNotAllowed { .. }
            | Self::ForeignAlgorithmNotAllowed { .. }
            | Self::DialectNotAccepted { .. }
            | Self::WorkExhausted { .. } => Fault::Policy,
            Self::MissingContent
            | Self::UnexpectedContent
            | Self::UndigestedContent { .. }
            | Self::NoService
            | Self::VerificationTooLong { .. }
            | Self::AlgorithmNotBuilt { .. }
            | Self::NotPemCertificate => Fault::Caller,
            Self::Malformed { .. }
            | Self::UnsupportedBundleVersion { .. }
            | Self::MalformedCertificate { .. }
            | Self::CertificateVersion { .. }
            | Self::CertificateSignatureAlgorithm { .. }
            | Self::CertificateAlgorithmMismatch { .. }
            | Self::CertificatePeriod { .. }
            | Self::CertificateKey { .. }
            | Self::NoCommonName { .. }
            | Self::SeveralCommonNames { .. }
            | Self::CommonNameEncoding { .. }
            | Self::InvalidCommonName { .. }
            | Self::UnhandledCriticalExtension { .. }
            | Self::DuplicateExtension { .. }
            | Self::TooManyExtensions { .. }
            | Self::NotCa { .. }
            | Self::UncriticalConstraints { .. }
            | Self::PathTooLong { .. }
            | Self::TooManyCertificates { .. }
            | Self::PathBudgetExhausted
            | Self::CertificateTooLong { .. }
            | Self::CaMember
            | Self::KeyUsage { .. }
            | Self::MissingKeyIdentifier { .. }
            | Self::KeyIdentifierMismatch { .. }
            | Self::NotSelfIssued
            | Self::OtherIssuer { .. }
            | Self::CertificateKeyAlgorithm { .. }
            | Self::CertificateSignature { .. }
            | Self::MalformedSignedData { .. }
            | Self::NotSignedData
            | Self::CmsVersion { .. }
            | Self::ContentType
            | Self::SignerCount
            | Self::SignerIdentifier
            | Self::DigestAlgorithm
            | Self::SignatureAlgorithm { .. }
            | Self::MissingAttribute { .. }
            | Self::AttributeCount { .. }
            | Self::DigestMismatch
            | Self::NoSignerCertificate
            | Self::AmbiguousSignerCertificate
            | Self::SignatureKeyAlgorithm { .. }
            | Self::DigestAlgorithmMismatch
            | Self::FractionalTime
            | Self::BadSignature
            | Self::NoRecordResponse { .. }
            | Self::AmbiguousDialect
            | Self::IntermediatesOutsideDialect
            | Self::SignatureTooLong { .. }
            | Self::RecordOwner(_)
            | Self::InvalidAttribution(_)
            | Self::OrganisationAsMember
            | Self::AttributionByMember
            | Self::ServiceMismatch { .. }
            | Self::SignaturePeriod => Fault::Sender,
        }
    }

    /// The error about a signature by a key of algorithm `key` that could not be verified.
    ///
    /// It is `wrong` if a back end in this build refused the signature.
    pub(crate) fn unverified(failure: Failure, key: KeyAlgorithm, wrong: Self) -> Self {
        match failure {
            Failure::Refused => wrong,
            Failure::Lacking => Self::AlgorithmNotBuilt {
                algorithm: key,
                features: crypto::features_for(key),
            },
        }
    }

    /// The error about a certificate that is not valid at any second of `required`.
    pub(crate) fn certificate_time(
        certificate: CertificateRole,
        validity: Period,
        required: Period,
    ) -> Self {
        if validity.end() < required.start() {
            Self::CertificateExpired {
                certificate,
                validity,
                required,
            }
        } else {
            Self::CertificateNotYetValid {
                certificate,
                validity,
                required,
            }
        }
    }

    /// The error about a signature that is not valid at any second of `required`.
    pub(crate) fn signature_time(validity: Period, required: Period) -> Self {
        if validity.end() < required.start() {
            Self::SignatureExpired { validity, required }
        } else {
            Self::SignatureNotYetValid { validity, required }
        }
    }
}

fn fault_of_chain(error: &dnssec::Error) -> Fault {
    match error.kind() {
        ErrorKind::Time => Fault::Time,
        ErrorKind::Insecure | ErrorKind::Absent => Fault::Domain,
        // The verifier trusts other anchors.
        ErrorKind::Indeterminate => Fault::Policy,
        ErrorKind::Question => Fault::Caller,
        ErrorKind::Limit => match error {
            dnssec::Error::RrsigTooLong { .. } => Fault::Domain,
            // The same fault as for the work that is counted for certificates.
            dnssec::Error::BudgetExhausted { .. } => Fault::Policy,
            _ => Fault::Sender,
        },
        _ => Fault::Sender,
    }
}

/// A conversion from unreadable octets to the error of the structure that contains them.
pub(crate) trait Within<T> {
    fn within_bundle(self, structure: Structure) -> Result<T, VerifyError>;
    fn within_certificate(self, certificate: CertificateRole) -> Result<T, VerifyError>;
    fn within_signed_data(self) -> Result<T, VerifyError>;
}

impl<T> Within<T> for Result<T, Unreadable> {
    fn within_bundle(self, structure: Structure) -> Result<T, VerifyError> {
        self.map_err(|Unreadable { offset, expected }| VerifyError::Malformed {
            structure,
            offset,
            expected,
        })
    }

    fn within_certificate(self, certificate: CertificateRole) -> Result<T, VerifyError> {
        self.map_err(
            |Unreadable { offset, expected }| VerifyError::MalformedCertificate {
                certificate,
                offset,
                expected,
            },
        )
    }

    fn within_signed_data(self) -> Result<T, VerifyError> {
        self.map_err(
            |Unreadable { offset, expected }| VerifyError::MalformedSignedData { offset, expected },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnssec::Timestamp;

    fn at(second: i64) -> Period {
        Period::at(Timestamp::from_unix_seconds(second))
    }

    #[test]
    fn says_whose_fault_it_is() {
        let certificate = CertificateRole::Member;
        let algorithm = KeyAlgorithm::Ed25519;
        let rrset = || dnssec::RrsetId::new(dnssec::Name::root(), dnssec::RecordType::TXT);
        for (error, fault) in [
            (VerifyError::BadSignature, Fault::Sender),
            (VerifyError::CaMember, Fault::Sender),
            (dnssec::Error::NoRrsig(rrset()).into(), Fault::Sender),
            (
                dnssec::Error::MissingResponse(rrset()).into(),
                Fault::Sender,
            ),
            (VerifyError::NoMatchingRecord, Fault::Domain),
            (VerifyError::AmbiguousRecord, Fault::Domain),
            (VerifyError::signature_time(at(0), at(1)), Fault::Time),
            (
                VerifyError::certificate_time(certificate, at(2), at(1)),
                Fault::Time,
            ),
            (
                VerifyError::AlgorithmNotAllowed {
                    certificate,
                    algorithm,
                },
                Fault::Policy,
            ),
            (
                VerifyError::ForeignAlgorithmNotAllowed {
                    certificate,
                    algorithm,
                },
                Fault::Policy,
            ),
            (
                VerifyError::WorkExhausted { limit: Work::NONE },
                Fault::Policy,
            ),
            (
                dnssec::Error::NoTrustAnchor(dnssec::Name::root()).into(),
                Fault::Policy,
            ),
            (VerifyError::NoService, Fault::Caller),
            (VerifyError::MissingContent, Fault::Caller),
        ] {
            assert_eq!(error.fault(), fault, "{error}");
        }
    }
}
