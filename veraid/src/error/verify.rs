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
/// [`VerifyError::reason`] is for machines and stays as it is; the text is for people and may change. A text does not
/// repeat that of its [`source`](std::error::Error::source): print the chain of sources to see all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    // ---- The bundle
    /// The octets are no DER bundle.
    #[error("not a {structure}: expected {expected} at byte {offset}")]
    Malformed {
        /// What it should have been.
        structure: Structure,
        /// Octets from the start of the bundle.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The bundle has a version other than 0.
    #[error("the {structure} has an unsupported version (only 0 is supported)")]
    UnsupportedBundleVersion {
        /// Which bundle.
        structure: Structure,
    },
    /// The DNSSEC chain cannot be read, or does not prove the organisation's TXT records.
    #[error(transparent)]
    Dnssec(#[from] dnssec::Error),

    // ---- X.509
    /// A certificate cannot be read.
    #[error("the {certificate} is malformed: expected {expected} at byte {offset}")]
    MalformedCertificate {
        /// Which certificate.
        certificate: CertificateRole,
        /// Octets from the start of the bundle, or of the certificate if it stands alone.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The certificate is not of version 3.
    #[error("the {certificate} is not an X.509 version 3 certificate")]
    CertificateVersion {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The certificate is signed with something else than RSASSA-PSS as the protocol has it.
    #[error("the {certificate} has a signature algorithm that is not allowed: {problem}")]
    CertificateSignatureAlgorithm {
        /// Which certificate.
        certificate: CertificateRole,
        /// What about it.
        problem: &'static str,
    },
    /// The signature algorithm inside the signed part is not the one outside (RFC 5280 §4.1.1.2).
    #[error("the {certificate} names two different signature algorithms")]
    CertificateAlgorithmMismatch {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The certificate ends before it starts.
    #[error("the validity period of the {certificate} ends before it starts")]
    CertificatePeriod {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The certificate has a key that cannot be used.
    #[error("the key of the {certificate} is not allowed")]
    CertificateKey {
        /// Which certificate.
        certificate: CertificateRole,
        /// What about it.
        source: KeyError,
    },
    /// The certificate's subject has no common name.
    #[error("the subject of the {certificate} has no common name")]
    NoCommonName {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The certificate's subject has more than one common name.
    #[error("the subject of the {certificate} has more than one common name")]
    SeveralCommonNames {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The common name is not a well-formed `UTF8String`, `PrintableString` or `BMPString`.
    #[error(
        "the common name of the {certificate} is not a well-formed UTF8String, PrintableString or BMPString"
    )]
    CommonNameEncoding {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The common name is no domain, or no member's name.
    #[error("the common name of the {certificate} is not valid")]
    InvalidCommonName {
        /// Which certificate.
        certificate: CertificateRole,
        /// What about it.
        source: NameError,
    },
    /// An extension that must not be ignored, and that means nothing here (RFC 5280 §4.2).
    #[error("the {certificate} has an unknown critical extension")]
    UnhandledCriticalExtension {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The same extension twice (RFC 5280 §4.2).
    #[error("the {certificate} has the same extension twice")]
    DuplicateExtension {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// More extensions than any honest certificate has.
    #[error("the {certificate} has more than {limit} extensions")]
    TooManyExtensions {
        /// Which certificate.
        certificate: CertificateRole,
        /// The bound.
        limit: usize,
    },
    /// The organisation certificate, or an intermediate's, is no CA certificate.
    #[error("the {certificate} is not a CA certificate")]
    NotCa {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// A CA's basic constraints may be ignored (DomainAuth draft, "X.509 Certificate Profile").
    #[error("the basic constraints of the {certificate} are not marked as critical")]
    UncriticalConstraints {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// More intermediates follow a certificate than it allows (RFC 5280 §4.2.1.9).
    #[error("the {certificate} allows {limit} intermediates below it, and there are more")]
    PathTooLong {
        /// Which certificate.
        certificate: CertificateRole,
        /// How many it allows.
        limit: u8,
    },
    /// There are more certificates beside the organisation's than any honest bundle has.
    #[error("there are more than {limit} certificates beside the organisation's")]
    TooManyCertificates {
        /// The bound.
        limit: usize,
    },
    /// There are too many ways in which the certificates could belong together.
    #[error("the certificates form too many possible paths")]
    PathBudgetExhausted,
    /// Checking certificates and signature would take more work than the verifier allows
    /// ([`Policy::with_most_work`](crate::Policy::with_most_work)).
    #[error(
        "verifying the certificates and the signature needs more than the {} units of work that this verifier allows for a bundle",
        .limit.units()
    )]
    WorkExhausted {
        /// The bound.
        limit: Work,
    },
    /// The certificate is valid for more than 90 days (DomainAuth draft, "Maximum Validity Period").
    #[error("the {certificate} is valid for more than 90 days ({period})")]
    CertificateTooLong {
        /// Which certificate.
        certificate: CertificateRole,
        /// When it is valid.
        period: Period,
    },
    /// An experimental algorithm that the verifier's owner did not opt in to.
    #[error(
        "the key of the {certificate} is {algorithm}, an experimental algorithm that this verifier's policy does not allow"
    )]
    AlgorithmNotAllowed {
        /// Which certificate.
        certificate: CertificateRole,
        /// The key's algorithm.
        algorithm: KeyAlgorithm,
    },
    /// A certificate that somebody else issued is signed by an experimental algorithm that the verifier's owner did not opt in
    /// to.
    #[error(
        "the {certificate} has a signature algorithm that is not allowed: it is experimental, and this verifier's policy does not allow it"
    )]
    ForeignAlgorithmNotAllowed {
        /// Which certificate.
        certificate: CertificateRole,
        /// The algorithm of its issuer's key.
        algorithm: KeyAlgorithm,
    },
    /// The member certificate is a CA certificate.
    #[error("the member certificate is a CA certificate, which it must not be")]
    CaMember,
    /// The key usage extension does not allow what the key was used for (RFC 5280 §4.2.1.3).
    #[error("the key usage of the {certificate} does not include {needed}")]
    KeyUsage {
        /// Which certificate.
        certificate: CertificateRole,
        /// The usage that was needed.
        needed: &'static str,
    },
    /// A key identifier extension is missing.
    #[error("the {certificate} has no {identifier}")]
    MissingKeyIdentifier {
        /// Which certificate.
        certificate: CertificateRole,
        /// Which extension.
        identifier: KeyIdentifier,
    },
    /// A key identifier is not the SHA-256 of the key's `SubjectPublicKeyInfo`.
    #[error("the {identifier} of the {certificate} does not match the key")]
    KeyIdentifierMismatch {
        /// Which certificate.
        certificate: CertificateRole,
        /// Which extension.
        identifier: KeyIdentifier,
    },
    /// The organisation certificate's issuer is not its subject.
    #[error("the organisation certificate is not self-issued")]
    NotSelfIssued,
    /// The certificate's issuer is neither the organisation nor an intermediate that is there.
    #[error(
        "the issuer of the {certificate} is neither the organisation nor one of the intermediates"
    )]
    OtherIssuer {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// A certificate is signed with an algorithm that its issuer's key is not for.
    #[error("the {certificate} is not signed with the algorithm of its issuer's key, {key}")]
    CertificateKeyAlgorithm {
        /// Which certificate.
        certificate: CertificateRole,
        /// What the issuer's key is.
        key: KeyAlgorithm,
    },
    /// A certificate's signature is wrong.
    #[error("the signature of the {certificate} does not verify")]
    CertificateSignature {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// A certificate had expired by then.
    #[error("the {certificate} expired at {}, before {required}", .validity.end())]
    CertificateExpired {
        /// Which certificate.
        certificate: CertificateRole,
        /// When it is valid.
        validity: Period,
        /// What was asked for.
        required: Period,
    },
    /// A certificate was not valid yet.
    #[error("the {certificate} is not valid before {}, which is after {required}", .validity.start())]
    CertificateNotYetValid {
        /// Which certificate.
        certificate: CertificateRole,
        /// When it is valid.
        validity: Period,
        /// What was asked for.
        required: Period,
    },

    // ---- CMS
    /// The `SignedData` cannot be read.
    #[error("the signature is malformed: expected {expected} at byte {offset}")]
    MalformedSignedData {
        /// Octets from the start of the bundle.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The `ContentInfo` holds something else than `SignedData`.
    #[error("the signature is a CMS structure other than SignedData")]
    NotSignedData,
    /// `SignedData` or `SignerInfo` has a version that does not go with its content (RFC 5652 §5.1, §5.3).
    #[error("the CMS version of the {structure} does not match its content")]
    CmsVersion {
        /// `SignedData` or `SignerInfo`.
        structure: &'static str,
    },
    /// What is signed is not id-data.
    #[error("the content type of the signed data, or the content-type attribute, is not id-data")]
    ContentType,
    /// There is not exactly one signer.
    #[error("the signature does not have exactly one SignerInfo")]
    SignerCount,
    /// The signer is named by something else than issuer and serial number.
    #[error("the signer is not identified by issuer and serial number")]
    SignerIdentifier,
    /// The digest algorithm is not one of SHA-256, SHA-384 and SHA-512.
    #[error("the digest algorithm is not SHA-256, SHA-384 or SHA-512")]
    DigestAlgorithm,
    /// The signature algorithm is not RSASSA-PSS as the protocol has it.
    #[error("the signature algorithm is not allowed: {problem}")]
    SignatureAlgorithm {
        /// What about it.
        problem: &'static str,
    },
    /// A signed attribute is missing.
    #[error("the signed attribute {attribute} is missing")]
    MissingAttribute {
        /// Which one.
        attribute: SignedAttribute,
    },
    /// A signed attribute stands there twice, or has not exactly one value.
    #[error("the signed attribute {attribute} does not have exactly one value")]
    AttributeCount {
        /// Which one.
        attribute: SignedAttribute,
    },
    /// The content is neither attached nor given.
    #[error("the content is detached from the signature: it is needed to verify the signature")]
    MissingContent,
    /// The content is both attached and given.
    #[error("the signature already contains the content: do not supply it again")]
    UnexpectedContent,
    /// The content was given as a digest by another function than the one that the signature has.
    #[error("the signature is over the {expected} digest of the content, not the {given} digest")]
    UndigestedContent {
        /// The function by which the content must be digested.
        expected: HashAlgorithm,
        /// The function by which it was.
        given: HashAlgorithm,
    },
    /// The content is not what was signed.
    #[error("the content is not the one that was signed: its digest differs")]
    DigestMismatch,
    /// No certificate of the signer.
    #[error("the signer's certificate is not among the attached certificates")]
    NoSignerCertificate,
    /// Several different certificates with the signer's issuer and serial number.
    #[error("several certificates have the issuer and serial number of the signer")]
    AmbiguousSignerCertificate,
    /// The content is signed with an algorithm that the signer's key is not for.
    #[error("the content is not signed with the algorithm of the signer's key, {key}")]
    SignatureKeyAlgorithm {
        /// What the signer's key is.
        key: KeyAlgorithm,
    },
    /// The content is hashed with another function than the signature goes with (RFC 8933 §3.1, RFC 8419 §3.1, RFC 9882
    /// §3.3).
    #[error("the digest algorithm of the content does not match the signature algorithm")]
    DigestAlgorithmMismatch,
    /// The signature's times have fractions of a second, which DomainAuth does not.
    #[error("the signature's times are not in whole seconds, as `YYYYMMDDHHMMSSZ`")]
    FractionalTime,
    /// The signature over the signed attributes is wrong.
    #[error("the signature does not verify")]
    BadSignature,

    // ---- VeraId
    /// The chain answers for no dialect that is supported.
    #[error("the DNSSEC chain has no response to the question for {owner} TXT")]
    NoRecordResponse {
        /// The owner of the records that were looked for.
        owner: Box<dnssec::Name>,
    },
    /// The domain is signed with DNSSEC, and proves that it has no such record.
    #[error("the domain is signed, but has no VeraId record: {0}")]
    RecordAbsent(Box<dnssec::Absence>),
    /// The chain answers for VeraId and for DomainAuth.
    #[error("the DNSSEC chain is ambiguous: it answers for both VeraId and DomainAuth")]
    AmbiguousDialect,
    /// The chain is for a dialect that the verifier does not take.
    #[error("the DNSSEC chain is for {dialect}, which this verifier's policy does not accept")]
    DialectNotAccepted {
        /// The chain's.
        dialect: Dialect,
    },
    /// There are intermediate certificates in VeraId, which has none.
    #[error("VeraId does not allow intermediate certificates (DomainAuth does)")]
    IntermediatesOutsideDialect,
    /// The signature is valid for more than 90 days (DomainAuth draft, "Maximum Validity Period").
    #[error("the signature is valid for more than 90 days ({period})")]
    SignatureTooLong {
        /// When it is valid.
        period: Period,
    },
    /// The verifier asks about more than 90 days (DomainAuth draft, "Maximum Validity Period").
    #[error("the period to verify, {period}, is longer than 90 days")]
    VerificationTooLong {
        /// What was asked for.
        period: Period,
    },
    /// The organisation's domain is too long to have records.
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
    /// The DNSSEC signatures ran out longer ago than the TXT record allows.
    #[error(
        "the DNSSEC chain is valid for {validity}, but the TTL override requires it to be valid within the last {ttl_override} seconds of {required}"
    )]
    TtlOverrideExceeded {
        /// When the chain holds.
        validity: Validity,
        /// What the record allows.
        ttl_override: TtlOverride,
        /// What was asked for.
        required: Period,
    },
    /// The member attribution is no member's name.
    #[error("the member attribution is not valid")]
    InvalidAttribution(#[source] NameError),
    /// A signature without attribution was made with the organisation's own key.
    #[error(
        "the signature was made with the organisation's own key, but has no member attribution"
    )]
    #[doc(alias = "OrganizationAsMember")]
    OrganisationAsMember,
    /// A signature with an attribution was made by somebody else than the organisation.
    #[error("only the organisation itself can attribute a signature to a member")]
    AttributionByMember,
    /// The signature is for another service.
    #[error("the signature is for another service, not {expected}")]
    ServiceMismatch {
        /// The verifier's.
        expected: ServiceOid,
    },
    /// A signature can be verified for one service only, and the verifier named none.
    #[error("no service was given to verify the signature for")]
    NoService,
    /// The signature's period ends before it starts.
    #[error("the signature's period ends before it starts")]
    SignaturePeriod,
    /// The signature had expired by then.
    #[error("the signature expired at {}, before {required}", .validity.end())]
    SignatureExpired {
        /// When it is valid.
        validity: Period,
        /// What was asked for.
        required: Period,
    },
    /// The signature was not valid yet.
    #[error("the signature is not valid before {}, which is after {required}", .validity.start())]
    SignatureNotYetValid {
        /// When it is valid.
        validity: Period,
        /// What was asked for.
        required: Period,
    },
    /// Each part is valid within the period, but there is no second at which all are.
    #[error(
        "the certificates, the signature and the DNSSEC chain are never valid at the same time within {required}"
    )]
    NeverValidTogether {
        /// What was asked for.
        required: Period,
    },
    /// No back end that is built in verifies such signatures, good or bad.
    #[error("this build can't verify {algorithm} signatures; build with the feature {features}")]
    AlgorithmNotBuilt {
        /// What the key is.
        algorithm: KeyAlgorithm,
        /// The features of which one would do, in prose.
        features: &'static str,
    },
    /// A file that holds no PEM certificate.
    #[error(
        "not a PEM certificate: there is no complete block from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`"
    )]
    NotPemCertificate,
}

impl VerifyError {
    /// A stable name for the reason, for machines: `cms.…`, `x509.…`, `veraid.…`, or `dnssec.…` as that crate says.
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

    /// Whether the bundle itself could not be read: its text form, DER structure, version or size.
    ///
    /// Anything that is wrong further inside makes it invalid instead: in a DNS message, a certificate, the `SignedData`.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::UnsupportedBundleVersion { .. } => true,
            Self::Dnssec(error) => error.is_malformed(),
            _ => false,
        }
    }

    /// Whose fault it is.
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

    /// The error about a signature by such a key that was not verified, which is `wrong` if anybody could verify it here.
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
        // It trusts other anchors.
        ErrorKind::Indeterminate => Fault::Policy,
        ErrorKind::Question => Fault::Caller,
        ErrorKind::Limit => match error {
            dnssec::Error::RrsigTooLong { .. } => Fault::Domain,
            // As what is counted for certificates.
            dnssec::Error::BudgetExhausted { .. } => Fault::Policy,
            _ => Fault::Sender,
        },
        _ => Fault::Sender,
    }
}

/// Turns unreadable octets into the error of the structure that they belong to.
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
