//! Parsing X.509 certificates in place (RFC 5280 §4.1). It accepts common mistakes of honest
//! issuers: serial numbers and booleans that are not DER, and names in `BMPString`.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use dnssec::Period;
use smallvec::SmallVec;

use crate::algorithm::{AlgorithmFault, SignatureAlgorithm, read_signature_algorithm};
use crate::asn1::{Reader, Unreadable, Value, tag};
use crate::error::{CertificateRole, VerifyError, Within as _};
use crate::key::{PublicKey, PublicKeyRef};
use crate::oid;

/// X.509 version 3.
const VERSION_3: u8 = 2;
/// A limit that no honest certificate reaches.
const MAX_EXTENSIONS: usize = 32;
/// The longest name that is compared as text, in octets: more than a domain or 64 characters (RFC
/// 5280 §A.1) take in any string type. The search for paths compares names repeatedly.
const MAX_TEXT_NAME_OCTETS: usize = 1_024;
/// The key usage bits, at their place in the BIT STRING's first octet (RFC 5280 §4.2.1.3).
const DIGITAL_SIGNATURE: u8 = 0b1000_0000;
const KEY_CERT_SIGN: u8 = 0b0000_0100;

/// The identifier of a certificate in CMS (RFC 5652 §10.2.4), in comparable form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IssuerAndSerialNumber<'a> {
    /// The DER of the issuer's name.
    pub(crate) issuer: &'a [u8],
    /// The INTEGER's content in the fewest octets.
    pub(crate) serial_number: &'a [u8],
}

/// A certificate that has been parsed, but not verified.
#[derive(Clone, Debug)]
pub struct UnverifiedCertificate<'a> {
    role: CertificateRole,
    /// The content octets of the outermost SEQUENCE; the certificate has another tag within a
    /// bundle.
    content: &'a [u8],
    header: &'a [u8],
    signed: &'a [u8],
    serial_number: Value<'a>,
    issuer: Value<'a>,
    period: Period,
    subject: Value<'a>,
    public_key: Value<'a>,
    extensions: Extensions<'a>,
    signature_algorithm: SignatureAlgorithm,
    signature: &'a [u8],
}

impl<'a> UnverifiedCertificate<'a> {
    /// Parses a certificate that stands alone.
    pub(crate) fn from_der(role: CertificateRole, der: &'a [u8]) -> Result<Self, VerifyError> {
        let value = Value::whole(der, tag::SEQUENCE, "a Certificate").within_certificate(role)?;
        Self::read(role, value)
    }

    /// Parses a certificate with any tag.
    pub(crate) fn read(role: CertificateRole, certificate: Value<'a>) -> Result<Self, VerifyError> {
        let mut fields = certificate.reader();
        let mut field = |tag, expected| fields.read(tag, expected).within_certificate(role);
        let signed = field(tag::SEQUENCE, "a TBSCertificate")?;
        let outer_algorithm = field(tag::SEQUENCE, "a signature algorithm")?;
        let signature = field(tag::BIT_STRING, "a signature")?;
        fields.finish().within_certificate(role)?;
        let signature = signature.whole_octets().within_certificate(role)?;

        let tbs = TbsCertificate::read(signed.reader()).within_certificate(role)?;
        if tbs.version != Some(VERSION_3) && !tbs.is_plain_version_1 {
            return Err(VerifyError::CertificateVersion { certificate: role });
        }
        if tbs.signature_algorithm.encoding() != outer_algorithm.encoding() {
            return Err(VerifyError::CertificateAlgorithmMismatch { certificate: role });
        }
        let signature_algorithm =
            read_signature_algorithm(outer_algorithm).map_err(|fault| match fault {
                AlgorithmFault::Unreadable(unreadable) => VerifyError::MalformedCertificate {
                    certificate: role,
                    offset: unreadable.offset,
                    expected: unreadable.expected,
                },
                AlgorithmFault::NotAllowed(problem) => VerifyError::CertificateSignatureAlgorithm {
                    certificate: role,
                    problem,
                },
            })?;
        Ok(Self {
            role,
            content: certificate.content(),
            header: certificate.header(),
            signed: signed.encoding(),
            serial_number: tbs.serial_number,
            issuer: tbs.issuer,
            period: read_validity(role, tbs.validity)?,
            subject: tbs.subject,
            public_key: tbs.public_key,
            extensions: Extensions::read(role, tbs.extensions)?,
            signature_algorithm,
            signature,
        })
    }

    /// Encodes the certificate as DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut der = Vec::with_capacity(self.header.len().saturating_add(self.content.len()));
        der.push(tag::SEQUENCE);
        der.extend(self.header.iter().skip(1));
        der.extend(self.content);
        der
    }

    /// The period for which it says that it is valid.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// The octets of the serial number, as in the certificate.
    #[must_use]
    pub fn serial_number(&self) -> &'a [u8] {
        self.serial_number.content()
    }

    /// Returns true if it is marked as a CA certificate.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.extensions
            .basic_constraints
            .is_some_and(|constraints| constraints.ca)
    }

    /// Checks that the subject is a name, and not an empty one: RFC 5280 §4.1.2.6 requires that of
    /// whoever issues certificates. The names of organisations and members are read anyway.
    pub(crate) fn check_subject(&self) -> Result<(), VerifyError> {
        check_name(self.subject).within_certificate(self.role)
    }

    /// Returns the one common name of its subject.
    pub fn common_name(&self) -> Result<Cow<'a, str>, VerifyError> {
        read_common_name(self.role, self.subject)
    }

    /// Returns the organisational unit of its subject, if the subject has no other attribute: the
    /// name of an intermediate that is not a member.
    pub fn unit(&self) -> Option<Cow<'a, str>> {
        lone_attribute(self.subject, oid::ORGANISATIONAL_UNIT)
    }

    /// Returns the key that it certifies.
    pub fn public_key(&self) -> Result<PublicKey, VerifyError> {
        self.public_key_ref().map(PublicKey::from)
    }

    pub(crate) fn public_key_ref(&self) -> Result<PublicKeyRef<'a>, VerifyError> {
        PublicKeyRef::parse(self.public_key).map_err(|source| VerifyError::CertificateKey {
            certificate: self.role,
            source,
        })
    }

    pub(crate) fn role(&self) -> CertificateRole {
        self.role
    }

    /// The content octets, which identify the certificate whatever its tag.
    pub(crate) fn content(&self) -> &'a [u8] {
        self.content
    }

    pub(crate) fn issuer(&self) -> &'a [u8] {
        self.issuer.encoding()
    }

    pub(crate) fn subject(&self) -> &'a [u8] {
        self.subject.encoding()
    }

    /// Returns true if the certificate names the subject of `issuer` as its issuer.
    ///
    /// An organisation may renew its certificate with other software, which writes the same common
    /// name in another string type; the certificates that it issued to its members before still
    /// name the old form. Names with only a common name are therefore compared as text, character
    /// by character; all others are compared octet by octet.
    pub(crate) fn names_as_issuer(&self, issuer: &UnverifiedCertificate<'_>) -> bool {
        self.issuer() == issuer.subject()
            || lone_attribute(self.issuer, oid::COMMON_NAME)
                .zip(lone_attribute(issuer.subject, oid::COMMON_NAME))
                .is_some_and(|(named, subject)| named == subject)
    }

    /// The serial number with tag and length, as received. The reference library compares it in
    /// this form.
    pub(crate) fn serial_number_encoding(&self) -> &'a [u8] {
        self.serial_number.encoding()
    }

    pub(crate) fn issuer_and_serial_number(
        &self,
    ) -> Result<IssuerAndSerialNumber<'a>, VerifyError> {
        let serial_number = self.serial_number.minimal_integer();
        Ok(IssuerAndSerialNumber {
            issuer: self.issuer.encoding(),
            serial_number: serial_number.within_certificate(self.role)?,
        })
    }

    pub(crate) fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    /// The signature algorithm that the certificate states.
    pub(crate) fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// Checks that the issuer's key is of the algorithm with which the certificate is signed.
    pub(crate) fn check_signature_algorithm(
        &self,
        issuer: &PublicKeyRef<'_>,
    ) -> Result<(), VerifyError> {
        if issuer.makes(self.signature_algorithm) {
            return Ok(());
        }
        Err(VerifyError::CertificateKeyAlgorithm {
            certificate: self.role,
            key: issuer.algorithm,
        })
    }

    /// Checks the signature with the issuer's key (RFC 5280 §6.1.3 (a) (1)).
    pub(crate) fn verify_signature(&self, issuer: &PublicKeyRef<'_>) -> Result<(), VerifyError> {
        self.check_signature_algorithm(issuer)?;
        issuer
            .verify(self.signature_algorithm, self.signed, self.signature)
            .map_err(|failure| {
                let certificate = self.role;
                let wrong = VerifyError::CertificateSignature { certificate };
                VerifyError::unverified(failure, issuer.algorithm, wrong)
            })
    }
}

/// The fields of the signed part.
struct TbsCertificate<'a> {
    version: Option<u8>,
    /// True if there is neither a version nor anything but basic fields: then the certificate
    /// should be of version 1, which is omitted (RFC 5280 §4.1.2.1).
    is_plain_version_1: bool,
    serial_number: Value<'a>,
    signature_algorithm: Value<'a>,
    issuer: Value<'a>,
    validity: Value<'a>,
    subject: Value<'a>,
    public_key: Value<'a>,
    extensions: Option<Value<'a>>,
}

impl<'a> TbsCertificate<'a> {
    fn read(mut fields: Reader<'a>) -> Result<Self, Unreadable> {
        let explicit_version = fields.optional(tag::context_constructed(0))?;
        let version = match explicit_version {
            Some(explicit) => {
                let mut reader = explicit.reader();
                let version = reader.read(tag::INTEGER, "a version")?;
                reader.finish()?;
                version.small_integer()
            }
            None => None,
        };
        let serial_number = fields.read(tag::INTEGER, "a serial number")?;
        let signature_algorithm = fields.read(tag::SEQUENCE, "a signature algorithm")?;
        let issuer = fields.read(tag::SEQUENCE, "an issuer")?;
        let validity = fields.read(tag::SEQUENCE, "a validity")?;
        let subject = fields.read(tag::SEQUENCE, "a subject")?;
        let public_key = fields.read(tag::SEQUENCE, "a SubjectPublicKeyInfo")?;
        let is_plain_version_1 = explicit_version.is_none() && fields.is_empty();
        for unique_identifier in [1, 2] {
            fields.optional(tag::context(unique_identifier))?;
        }
        let extensions = fields.optional(tag::context_constructed(3))?;
        fields.finish()?;
        serial_number.minimal_integer()?;
        Ok(Self {
            version,
            is_plain_version_1,
            serial_number,
            signature_algorithm,
            issuer,
            validity,
            subject,
            public_key,
            extensions,
        })
    }
}

/// Parses only as much of a certificate as identifies it.
pub(crate) fn identify(certificate: Value<'_>) -> Result<IssuerAndSerialNumber<'_>, Unreadable> {
    let mut fields = certificate
        .reader()
        .read(tag::SEQUENCE, "a TBSCertificate")?
        .reader();
    fields.optional(tag::context_constructed(0))?;
    let serial_number = fields.read(tag::INTEGER, "a serial number")?;
    fields.read(tag::SEQUENCE, "a signature algorithm")?;
    let issuer = fields.read(tag::SEQUENCE, "an issuer")?;
    Ok(IssuerAndSerialNumber {
        issuer: issuer.encoding(),
        serial_number: serial_number.minimal_integer()?,
    })
}

fn read_validity(role: CertificateRole, validity: Value<'_>) -> Result<Period, VerifyError> {
    let mut times = validity.reader();
    let mut time = || times.any("a time")?.certificate_time();
    let not_before = time().within_certificate(role)?;
    let not_after = time().within_certificate(role)?;
    times.finish().within_certificate(role)?;
    Period::new(not_before, not_after).ok_or(VerifyError::CertificatePeriod { certificate: role })
}

/// Checks that a distinguished name has the form of RFC 5280 §4.1.2.4, and is not empty.
fn check_name(name: Value<'_>) -> Result<(), Unreadable> {
    let mut relative_names = name.reader();
    loop {
        let mut attributes = relative_names
            .read(tag::SET, "a RelativeDistinguishedName")?
            .reader();
        loop {
            read_name_attribute(&mut attributes)?;
            if attributes.is_empty() {
                break;
            }
        }
        if relative_names.is_empty() {
            return Ok(());
        }
    }
}

/// Finds the one common name in a distinguished name (RFC 5280 §4.1.2.4, §A.1).
fn read_common_name(role: CertificateRole, name: Value<'_>) -> Result<Cow<'_, str>, VerifyError> {
    let mut found = None;
    let mut relative_names = name.reader();
    while !relative_names.is_empty() {
        let mut attributes = relative_names
            .read(tag::SET, "a RelativeDistinguishedName")
            .within_certificate(role)?
            .reader();
        while !attributes.is_empty() {
            let (attribute, value) =
                read_name_attribute(&mut attributes).within_certificate(role)?;
            if attribute != oid::COMMON_NAME.as_bytes() {
                continue;
            }
            if found.replace(value).is_some() {
                return Err(VerifyError::SeveralCommonNames { certificate: role });
            }
        }
    }
    let value = found.ok_or(VerifyError::NoCommonName { certificate: role })?;
    decode_directory_string(value).ok_or(VerifyError::CommonNameEncoding { certificate: role })
}

/// Finds an attribute in a distinguished name that has no other attribute.
fn lone_attribute(name: Value<'_>, wanted: ObjectIdentifier) -> Option<Cow<'_, str>> {
    if name.content().len() > MAX_TEXT_NAME_OCTETS {
        return None;
    }
    let mut relative_names = name.reader();
    let relative_name = relative_names
        .read(tag::SET, "a RelativeDistinguishedName")
        .ok()?;
    let mut attributes = relative_name.reader();
    let (attribute, value) = read_name_attribute(&mut attributes).ok()?;
    (relative_names.is_empty() && attributes.is_empty() && attribute == wanted.as_bytes())
        .then(|| decode_directory_string(value))
        .flatten()
}

/// Parses one `AttributeTypeAndValue` into the octets of the type, and the value.
fn read_name_attribute<'a>(
    attributes: &mut Reader<'a>,
) -> Result<(&'a [u8], Value<'a>), Unreadable> {
    let mut fields = attributes
        .read(tag::SEQUENCE, "an AttributeTypeAndValue")?
        .reader();
    let attribute = fields.read(tag::OBJECT_IDENTIFIER, "an attribute type")?;
    let value = fields.any("an attribute value")?;
    fields.finish()?;
    Ok((attribute.content(), value))
}

/// Decodes the forms of `DirectoryString` that are in use. `BMPString` is decoded as UTF-16,
/// because some writers use characters beyond the Basic Multilingual Plane there.
fn decode_directory_string(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.tag() {
        tag::UTF8_STRING => std::str::from_utf8(value.content()).ok().map(Cow::Borrowed),
        tag::PRINTABLE_STRING => {
            let text = std::str::from_utf8(value.content()).ok()?;
            text.bytes()
                .all(is_printable_string_octet)
                .then_some(Cow::Borrowed(text))
        }
        tag::BMP_STRING => {
            let (units, []) = value.content().as_chunks::<2>() else {
                return None;
            };
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units)
                .collect::<Result<String, _>>()
                .ok()
                .map(Cow::Owned)
        }
        _ => None,
    }
}

/// The characters of X.680 §41.4.
fn is_printable_string_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

/// The extensions that are known here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions<'a> {
    /// The basic constraints, if present.
    basic_constraints: Option<BasicConstraints>,
    /// The first octet of the key usage bits, if the extension is present.
    key_usage: Option<u8>,
    subject_key_identifier: Option<&'a [u8]>,
    authority_key_identifier: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    /// Parses `Extensions` (RFC 5280 §4.2). An unknown critical extension is an error, and so is an
    /// extension that occurs twice.
    fn read(role: CertificateRole, explicit: Option<Value<'a>>) -> Result<Self, VerifyError> {
        let mut known = Self::default();
        let Some(explicit) = explicit else {
            return Ok(known);
        };
        let mut reader = explicit.reader();
        let list = reader
            .read(tag::SEQUENCE, "Extensions")
            .within_certificate(role)?;
        reader.finish().within_certificate(role)?;

        let mut extensions = list.reader();
        let mut seen = SmallVec::<[&[u8]; 8]>::new();
        while !extensions.is_empty() {
            let extension = Extension::read(&mut extensions).within_certificate(role)?;
            if seen.contains(&extension.identifier) {
                return Err(VerifyError::DuplicateExtension { certificate: role });
            }
            if seen.len() == MAX_EXTENSIONS {
                return Err(VerifyError::TooManyExtensions {
                    certificate: role,
                    limit: MAX_EXTENSIONS,
                });
            }
            seen.push(extension.identifier);
            let is_known = known.interpret(&extension).within_certificate(role)?;
            if extension.critical && !is_known {
                return Err(VerifyError::UnhandledCriticalExtension { certificate: role });
            }
        }
        Ok(known)
    }

    /// Stores a known extension. Returns true if the extension is known.
    fn interpret(&mut self, extension: &Extension<'a>) -> Result<bool, Unreadable> {
        let is = |oid: ObjectIdentifier| oid.as_bytes() == extension.identifier;
        let value = extension.value;
        if is(oid::BASIC_CONSTRAINTS) {
            self.basic_constraints = Some(BasicConstraints {
                critical: extension.critical,
                ..read_basic_constraints(value)?
            });
        } else if is(oid::KEY_USAGE) {
            self.key_usage = Some(read_key_usage(value)?);
        } else if is(oid::SUBJECT_KEY_IDENTIFIER) {
            let identifier = only_value(value, tag::OCTET_STRING, "a key identifier")?;
            self.subject_key_identifier = Some(identifier.content());
        } else if is(oid::AUTHORITY_KEY_IDENTIFIER) {
            self.authority_key_identifier = read_authority_key_identifier(value)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Returns true if there are critical basic constraints.
    pub(crate) fn basic_constraints_critical(&self) -> bool {
        self.basic_constraints
            .is_some_and(|constraints| constraints.critical)
    }

    /// The number of intermediates that may follow below this CA certificate; `None` for any
    /// number.
    pub(crate) fn path_length(&self) -> Option<u8> {
        self.basic_constraints
            .and_then(|constraints| constraints.path_length)
    }

    /// Returns true if the key usage, if any, allows the key to sign content.
    pub(crate) fn may_sign_content(&self) -> bool {
        self.allows(DIGITAL_SIGNATURE)
    }

    /// Returns true if the key usage, if any, allows the key to sign certificates.
    pub(crate) fn may_sign_certificates(&self) -> bool {
        self.allows(KEY_CERT_SIGN)
    }

    fn allows(&self, usage: u8) -> bool {
        self.key_usage.is_none_or(|usages| usages & usage != 0)
    }

    pub(crate) fn subject_key_identifier(&self) -> Option<&'a [u8]> {
        self.subject_key_identifier
    }

    pub(crate) fn authority_key_identifier(&self) -> Option<&'a [u8]> {
        self.authority_key_identifier
    }
}

/// The values of the basic constraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug)]
struct BasicConstraints {
    critical: bool,
    ca: bool,
    path_length: Option<u8>,
}

struct Extension<'a> {
    identifier: &'a [u8],
    critical: bool,
    /// The OCTET STRING that wraps the extension's own structure.
    value: Value<'a>,
}

impl<'a> Extension<'a> {
    fn read(extensions: &mut Reader<'a>) -> Result<Self, Unreadable> {
        let mut fields = extensions.read(tag::SEQUENCE, "an Extension")?.reader();
        let identifier = fields.read(tag::OBJECT_IDENTIFIER, "an extension's identifier")?;
        let critical = match fields.optional(tag::BOOLEAN)? {
            Some(critical) => critical.boolean()?,
            None => false,
        };
        let value = fields.read(tag::OCTET_STRING, "an extension's value")?;
        fields.finish()?;
        Ok(Self {
            identifier: identifier.content(),
            critical,
            value,
        })
    }
}

/// Returns the one value in an OCTET STRING.
fn only_value<'a>(
    wrapper: Value<'a>,
    tag: u8,
    expected: &'static str,
) -> Result<Value<'a>, Unreadable> {
    let mut reader = wrapper.reader();
    let value = reader.read(tag, expected)?;
    reader.finish()?;
    Ok(value)
}

/// Parses `BasicConstraints` (RFC 5280 §4.2.1.9). A path length without the CA flag and an explicit
/// FALSE both occur in practice.
fn read_basic_constraints(wrapper: Value<'_>) -> Result<BasicConstraints, Unreadable> {
    let mut fields = only_value(wrapper, tag::SEQUENCE, "BasicConstraints")?.reader();
    let ca = match fields.optional(tag::BOOLEAN)? {
        Some(ca) => ca.boolean()?,
        None => false,
    };
    let path_length = match fields.optional(tag::INTEGER)? {
        Some(length) => match length.minimal_integer()? {
            [length @ 0..0x80] => Some(*length),
            // No path is that long.
            [0..0x80, ..] => Some(u8::MAX),
            _ => return Err(length.fail("a path length of at least 0")),
        },
        None => None,
    };
    fields.finish()?;
    Ok(BasicConstraints {
        critical: false,
        ca,
        path_length,
    })
}

/// Parses `KeyUsage`, a named bit list, and returns its first octet, which has all bits that matter
/// here. Unused bits must be zero (X.690 §11.2.1), so that they are not read as a usage.
fn read_key_usage(wrapper: Value<'_>) -> Result<u8, Unreadable> {
    let bits = only_value(wrapper, tag::BIT_STRING, "KeyUsage")?;
    match bits.content() {
        [0] => Ok(0),
        [unused @ 0..=7, usages @ ..] => match (usages.first(), usages.last()) {
            (Some(first), Some(last)) if last.trailing_zeros() >= u32::from(*unused) => Ok(*first),
            _ => Err(bits.fail("a BIT STRING with zeros for unused bits")),
        },
        _ => Err(bits.fail("a BIT STRING")),
    }
}

/// Parses `AuthorityKeyIdentifier` and returns the key identifier, if present. The issuer's name
/// and serial number, which may follow, only help to find a certificate.
fn read_authority_key_identifier(wrapper: Value<'_>) -> Result<Option<&[u8]>, Unreadable> {
    let mut fields = only_value(wrapper, tag::SEQUENCE, "AuthorityKeyIdentifier")?.reader();
    let identifier = fields.optional(tag::context(0))?;
    fields.optional(tag::context_constructed(1))?;
    fields.optional(tag::context(2))?;
    fields.finish()?;
    Ok(identifier.map(|identifier| identifier.content()))
}
