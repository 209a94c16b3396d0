//! Writing X.509 certificates: DER, with exactly the extensions that VeraId §4.3 requires.
//! DomainAuth certificates also have key usage, because all of RFC 5280 applies there (§4.2.1.3).

use der::asn1::{
    Any, AnyRef, BitStringRef, ContextSpecific, ObjectIdentifier, OctetString, SetOfVec,
    Utf8StringRef,
};
use der::flagset::FlagSet;
use der::{DateTime, Decode as _, Encode as _, Sequence, TagMode, TagNumber};
use dnssec::{Period, Timestamp};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use crate::algorithm::SignatureAlgorithm;
use crate::crypto;
use crate::error::{CertificateRole, IssueError};
use crate::key::PublicKey;
use crate::name::Dialect;
use crate::oid;
use crate::unsigned::{PutTogether, UnsignedCertificate};

/// The octets of a serial number: enough that two never coincide by chance, and fewer than the 20
/// that RFC 5280 §4.1.2.2 allows.
const SERIAL_NUMBER_OCTETS: usize = 16;

/// The contents of a new certificate.
pub(super) struct Request<'r> {
    /// The issuer's name as DER; the subject's name if the certificate is self-issued.
    pub(super) issuer: &'r [u8],
    /// The subject's name as DER.
    pub(super) subject: &'r [u8],
    pub(super) subject_key: &'r PublicKey,
    pub(super) period: Period,
    pub(super) authority: Authority,
    /// The subject key identifier of the issuer's certificate; if there is none, it is computed
    /// from the issuer's key.
    pub(super) authority_key_identifier: Option<&'r [u8]>,
    pub(super) dialect: Dialect,
}

/// The powers of the subject besides signing content in its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authority {
    /// Nothing.
    None,
    /// Signing in the organisation's name, which requires a CA certificate (DomainAuth draft,
    /// "Intermediate Certificate"), but no issuing of certificates.
    Sign,
    /// Issuing certificates, with up to this many intermediates below.
    Issue(u8),
}

impl Authority {
    const fn path_length(self) -> Option<u8> {
        match self {
            Self::None | Self::Sign => None,
            Self::Issue(path_length) => Some(path_length),
        }
    }
}

#[derive(Sequence)]
struct Certificate<'a> {
    signed: AnyRef<'a>,
    signature_algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

#[derive(Sequence)]
struct TbsCertificate<'a> {
    version: ContextSpecific<Version>,
    serial_number: SerialNumber,
    signature_algorithm: AnyRef<'a>,
    issuer: AnyRef<'a>,
    validity: Validity,
    subject: AnyRef<'a>,
    public_key: AnyRef<'a>,
    extensions: ContextSpecific<Vec<Extension>>,
}

fn explicitly<T>(number: u8, value: T) -> ContextSpecific<T> {
    ContextSpecific {
        tag_number: TagNumber(number.into()),
        tag_mode: TagMode::Explicit,
        value,
    }
}

/// Prepares a certificate that the private key of `issuer_key` is to sign.
pub(super) fn prepare<C>(
    request: &Request<'_>,
    issuer_key: &PublicKey,
    issuer: CertificateRole,
    finish: PutTogether<C>,
) -> Result<UnsignedCertificate<C>, IssueError> {
    let validity = validity(request.period)?;
    let algorithm = issuer_key.algorithm().signature_scheme().algorithm();
    let algorithm = algorithm.to_der().map_err(unwritable)?;
    let signed = TbsCertificate {
        version: explicitly(0, Version::V3),
        serial_number: serial_number()?,
        signature_algorithm: AnyRef::from_der(&algorithm).map_err(unwritable)?,
        issuer: AnyRef::from_der(request.issuer).map_err(unwritable)?,
        validity,
        subject: AnyRef::from_der(request.subject).map_err(unwritable)?,
        public_key: AnyRef::from_der(request.subject_key.as_spki_der()).map_err(unwritable)?,
        extensions: explicitly(3, extensions(request, issuer_key).map_err(unwritable)?),
    }
    .to_der()
    .map_err(unwritable)?;
    UnsignedCertificate::new(signed, issuer_key.clone(), issuer, finish)
}

/// Encodes a certificate as DER from the signed part, the algorithm and the signature.
pub(super) fn put_together(
    signed: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, IssueError> {
    let algorithm = algorithm.to_der().map_err(unwritable)?;
    Certificate {
        signed: AnyRef::from_der(signed).map_err(unwritable)?,
        signature_algorithm: AnyRef::from_der(&algorithm).map_err(unwritable)?,
        signature: BitStringRef::from_bytes(signature).map_err(unwritable)?,
    }
    .to_der()
    .map_err(unwritable)
}

fn unwritable(_: der::Error) -> IssueError {
    IssueError::Unwritable("certificate")
}

/// Generates a random positive serial number.
fn serial_number() -> Result<SerialNumber, IssueError> {
    const FAILED: IssueError = IssueError::Unwritable("serial number");
    let mut octets = [0; SERIAL_NUMBER_OCTETS];
    crypto::fill_random(&mut octets).map_err(|_| FAILED)?;
    if let Some(first) = octets.first_mut() {
        // Positive and without leading zeros, so that the length is always the same.
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::new(&octets).map_err(|_| FAILED)
}

fn validity(period: Period) -> Result<Validity, IssueError> {
    let time = |moment: Timestamp| {
        // `x509-cert` writes UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5).
        date_time(moment)
            .map(Time::from)
            .ok_or(IssueError::UnwritablePeriod(period))
    };
    Ok(Validity::new(time(period.start())?, time(period.end())?))
}

/// Converts a time to the type of `der`; `None` for times before 1970 or after 9999.
pub(crate) fn date_time(moment: Timestamp) -> Option<DateTime> {
    let seconds = u64::try_from(moment.unix_seconds()).ok()?;
    DateTime::from_unix_duration(std::time::Duration::from_secs(seconds)).ok()
}

fn extensions(request: &Request<'_>, issuer_key: &PublicKey) -> der::Result<Vec<Extension>> {
    let key_identifier = |key: &PublicKey| OctetString::new(key.borrow().key_identifier().as_ref());
    let basic_constraints = BasicConstraints {
        ca: request.authority != Authority::None,
        path_len_constraint: request.authority.path_length(),
    };
    let authority_key_identifier = AuthorityKeyIdentifier {
        key_identifier: Some(match request.authority_key_identifier {
            Some(identifier) => OctetString::new(identifier)?,
            None => key_identifier(issuer_key)?,
        }),
        ..AuthorityKeyIdentifier::default()
    };
    let subject_key_identifier = SubjectKeyIdentifier(key_identifier(request.subject_key)?);
    let mut extensions = vec![Extension {
        extn_id: oid::BASIC_CONSTRAINTS,
        critical: true,
        extn_value: OctetString::new(basic_constraints.to_der()?)?,
    }];
    if request.dialect == Dialect::DomainAuth {
        let mut usages = FlagSet::from(KeyUsages::DigitalSignature);
        if request.authority.path_length().is_some() {
            usages |= KeyUsages::KeyCertSign;
        }
        extensions.push(Extension {
            extn_id: oid::KEY_USAGE,
            critical: true,
            extn_value: OctetString::new(KeyUsage(usages).to_der()?)?,
        });
    }
    extensions.extend([
        Extension {
            extn_id: oid::AUTHORITY_KEY_IDENTIFIER,
            critical: false,
            extn_value: OctetString::new(authority_key_identifier.to_der()?)?,
        },
        Extension {
            extn_id: oid::SUBJECT_KEY_IDENTIFIER,
            critical: false,
            extn_value: OctetString::new(subject_key_identifier.to_der()?)?,
        },
    ]);
    Ok(extensions)
}

/// The DER of a name with only a common name, as `UTF8String`.
pub(super) fn common_name(text: &str) -> Result<Vec<u8>, IssueError> {
    distinguished_name(oid::COMMON_NAME, text)
}

/// The DER of a name with only an organisational unit, as `UTF8String`.
pub(super) fn organisational_unit(text: &str) -> Result<Vec<u8>, IssueError> {
    distinguished_name(oid::ORGANISATIONAL_UNIT, text)
}

fn distinguished_name(attribute: ObjectIdentifier, text: &str) -> Result<Vec<u8>, IssueError> {
    encode_name(attribute, text).map_err(|_| IssueError::Unwritable("distinguished name"))
}

fn encode_name(attribute: ObjectIdentifier, text: &str) -> der::Result<Vec<u8>> {
    let attribute = AttributeTypeAndValue {
        oid: attribute,
        value: Any::encode_from(&Utf8StringRef::new(text)?)?,
    };
    vec![SetOfVec::try_from([attribute])?].to_der()
}

#[cfg(test)]
mod tests {
    use super::{SERIAL_NUMBER_OCTETS, serial_number};

    #[test]
    fn serial_numbers_are_positive_and_all_of_one_length() {
        for _ in 0..200 {
            let number = serial_number().unwrap();
            let octets = number.as_bytes();
            assert_eq!(octets.len(), SERIAL_NUMBER_OCTETS);
            assert!((0x40..0x80).contains(&octets[0]), "{octets:?}");
        }
        let number = || serial_number().unwrap();
        assert!(number() != number());
    }
}
