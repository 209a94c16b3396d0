//! The parser of `SignedData`.
//!
//! VeraId's reference library does not write DER throughout: SETs have any order, and the content
//! is a constructed OCTET STRING. The signed attributes are digested as they were received, with
//! the tag of a SET (RFC 5652 §5.4).

use std::borrow::Cow;

use der::Encode as _;
use der::asn1::ObjectIdentifier;
use dnssec::Period;
use smallvec::SmallVec;

use crate::algorithm::{AlgorithmFault, SignatureAlgorithm, read_hash, read_signature_algorithm};
use crate::asn1::{Reader, Unreadable, Value, tag};
use crate::certificate::{
    IssuerAndSerialNumber, MAX_INTERMEDIATES, UnverifiedCertificate, identify,
};
use crate::content::SignedContent;
use crate::crypto::HashAlgorithm;
use crate::error::{CertificateRole, SignedAttribute, VerifyError, Within as _};
use crate::key::{PublicKeyRef, VerifyingKey};
use crate::oid;
use crate::policy::Rules;

/// The versions of `SignedData` that writers derive from the rules of RFC 5652 §5.1, or take from
/// VeraId §4.4.
const SIGNED_DATA_VERSIONS: [u8; 4] = [1, 3, 4, 5];
/// The most certificates in a `SignedData`: the signer's, and as many intermediates as are
/// considered.
const MAX_CERTIFICATES: usize = MAX_INTERMEDIATES + 1;
/// The version of a `SignerInfo` with `issuerAndSerialNumber` (RFC 5652 §5.3).
const SIGNER_INFO_VERSION: u8 = 1;

/// The octets that the signed attributes of honest signers take at most, unless an attribution has
/// a long name.
const SIGNED_ATTRIBUTES_OCTETS: usize = 256;
/// The octets of `YYYYMMDDHHMMSSZ`.
const WHOLE_SECONDS_OCTETS: usize = 15;

/// `SignedData` that has been parsed, but not verified.
#[derive(Clone, Debug)]
pub(crate) struct SignedData<'a> {
    /// The attached content. It borrows from the input unless its OCTET STRING has several pieces.
    pub(crate) content: Option<Cow<'a, [u8]>>,
    /// The content octets of the field with the certificates; empty if it is absent.
    certificate_set: &'a [u8],
    pub(crate) certificates: SmallVec<[Value<'a>; 2]>,
    pub(crate) signer: SignerInfo<'a>,
}

/// The octets that determine, for a given organisation, who the signer is and whether the
/// organisation vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SignerOctets<'a> {
    /// True if the signature is in the organisation's name, false if it is the member's.
    pub(crate) is_attributed: bool,
    pub(crate) identifier: IssuerAndSerialNumber<'a>,
    pub(crate) certificate_set: &'a [u8],
}

/// The only signature.
#[derive(Clone, Debug)]
pub(crate) struct SignerInfo<'a> {
    pub(crate) identifier: IssuerAndSerialNumber<'a>,
    pub(crate) digest_algorithm: HashAlgorithm,
    signed_attributes: Value<'a>,
    signature_algorithm: SignatureAlgorithm,
    signature: &'a [u8],
    message_digest: &'a [u8],
    pub(crate) metadata: Metadata<'a>,
    /// The member attribution, which only organisation signatures have.
    pub(crate) attribution: Option<&'a str>,
}

/// The service and the period that a signature is for (VeraId §7.3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metadata<'a> {
    /// The content octets of the service's OBJECT IDENTIFIER.
    pub(crate) service: &'a [u8],
    pub(crate) period: Period,
    /// True if the times are in whole seconds, as DomainAuth requires.
    whole_seconds: bool,
}

impl<'a> SignedData<'a> {
    /// Parses the fields of a `ContentInfo`.
    pub(crate) fn read(mut content_info: Reader<'a>) -> Result<Self, VerifyError> {
        let content_type = content_info
            .read(tag::OBJECT_IDENTIFIER, "a content type")
            .within_signed_data()?;
        if content_type.content() != oid::SIGNED_DATA.as_bytes() {
            return Err(VerifyError::NotSignedData);
        }
        let signed_data = read_explicit(&mut content_info, tag::SEQUENCE, "SignedData")
            .within_signed_data()?
            .ok_or(content_info.fail("SignedData"))
            .within_signed_data()?;
        content_info.finish().within_signed_data()?;
        Self::read_fields(signed_data.reader())
    }

    fn read_fields(mut fields: Reader<'a>) -> Result<Self, VerifyError> {
        let version = fields
            .read(tag::INTEGER, "a version")
            .within_signed_data()?;
        if !version
            .small_integer()
            .is_some_and(|version| SIGNED_DATA_VERSIONS.contains(&version))
        {
            return Err(VerifyError::CmsVersion {
                structure: "SignedData",
            });
        }
        // The SignerInfo repeats the digest algorithm (RFC 5652 §5.1).
        fields
            .read(tag::SET, "digest algorithms")
            .and_then(|set| skip_algorithms(set.reader()))
            .within_signed_data()?;
        let encapsulated = fields
            .read(tag::SEQUENCE, "an EncapsulatedContentInfo")
            .within_signed_data()?;
        let content = read_encapsulated_content(encapsulated.reader())?;
        let certificates = fields
            .optional(tag::context_constructed(0))
            .within_signed_data()?;
        let certificate_set = certificates.map_or(&[][..], |set| set.content());
        let certificates = certificates.map_or(Ok(SmallVec::new()), |set| {
            read_certificates(set.reader()).within_signed_data()
        })?;
        // VeraId does not use revocation lists.
        skip_optional_set(&mut fields, "a revocation list").within_signed_data()?;
        let signers = fields.read(tag::SET, "SignerInfos").within_signed_data()?;
        fields.finish().within_signed_data()?;
        Ok(Self {
            content,
            certificate_set,
            certificates,
            signer: SignerInfo::read_only(signers.reader())?,
        })
    }

    /// The octets by which the signer's certificate, and those that may lead to it, are found.
    pub(crate) fn signer_octets(&self) -> SignerOctets<'a> {
        SignerOctets {
            is_attributed: self.signer.attribution.is_some(),
            identifier: self.signer.identifier,
            certificate_set: self.certificate_set,
        }
    }

    /// The attached certificate that the signer's identifier names, if there is one.
    pub(crate) fn signer_certificate(
        &self,
        role: CertificateRole,
    ) -> Result<Option<UnverifiedCertificate<'a>>, VerifyError> {
        let mut found: Option<Value<'a>> = None;
        for certificate in &self.certificates {
            let identifier = identify(*certificate).within_certificate(role)?;
            if identifier != self.signer.identifier {
                continue;
            }
            match found {
                Some(earlier) if earlier.content() != certificate.content() => {
                    return Err(VerifyError::AmbiguousSignerCertificate);
                }
                _ => found = Some(*certificate),
            }
        }
        found
            .map(|certificate| UnverifiedCertificate::read(role, certificate))
            .transpose()
    }

    /// The attached certificates that can be parsed, without duplicates: they may be between the
    /// organisation's and the signer's. Those that cannot be parsed are ignored.
    pub(crate) fn intermediate_certificates(
        &self,
    ) -> Result<Vec<UnverifiedCertificate<'a>>, VerifyError> {
        let mut intermediates: Vec<UnverifiedCertificate<'a>> = Vec::new();
        if self.certificates.len() > MAX_CERTIFICATES {
            return Err(VerifyError::TooManyCertificates {
                limit: MAX_CERTIFICATES,
            });
        }
        for certificate in &self.certificates {
            let role = CertificateRole::Intermediate;
            let Ok(certificate) = UnverifiedCertificate::read(role, *certificate) else {
                continue;
            };
            if intermediates
                .iter()
                .all(|known| known.content() != certificate.content())
            {
                intermediates.push(certificate);
            }
        }
        Ok(intermediates)
    }
}

/// Parses `[0] EXPLICIT` with one value of `inner` tag, if present.
fn read_explicit<'a>(
    fields: &mut Reader<'a>,
    inner: u8,
    expected: &'static str,
) -> Result<Option<Value<'a>>, Unreadable> {
    let Some(outer) = fields.optional(tag::context_constructed(0))? else {
        return Ok(None);
    };
    let mut reader = outer.reader();
    let value = reader.read(inner, expected)?;
    reader.finish()?;
    Ok(Some(value))
}

/// Parses `EncapsulatedContentInfo` (RFC 5652 §5.2) and returns the content, if it is attached.
fn read_encapsulated_content(mut fields: Reader<'_>) -> Result<Option<Cow<'_, [u8]>>, VerifyError> {
    let content_type = fields
        .read(tag::OBJECT_IDENTIFIER, "a content type")
        .within_signed_data()?;
    if content_type.content() != oid::DATA.as_bytes() {
        return Err(VerifyError::ContentType);
    }
    let explicit = fields
        .optional(tag::context_constructed(0))
        .within_signed_data()?;
    fields.finish().within_signed_data()?;
    explicit
        .map(|explicit| read_content(explicit.reader()).within_signed_data())
        .transpose()
}

/// Parses the content's OCTET STRING: primitive as in DER, or constructed of primitive ones (X.690
/// §8.7.3).
fn read_content(mut reader: Reader<'_>) -> Result<Cow<'_, [u8]>, Unreadable> {
    let content = reader.any("an OCTET STRING")?;
    reader.finish()?;
    match content.tag() {
        tag::OCTET_STRING => Ok(Cow::Borrowed(content.content())),
        tag::CONSTRUCTED_OCTET_STRING => join_segments(content.reader()),
        _ => Err(content.fail("an OCTET STRING")),
    }
}

fn join_segments(mut segments: Reader<'_>) -> Result<Cow<'_, [u8]>, Unreadable> {
    const SEGMENT: &str = "a primitive OCTET STRING";
    if segments.is_empty() {
        return Ok(Cow::Borrowed(&[]));
    }
    let mut joined = Cow::Borrowed(segments.read(tag::OCTET_STRING, SEGMENT)?.content());
    while !segments.is_empty() {
        let segment = segments.read(tag::OCTET_STRING, SEGMENT)?;
        joined.to_mut().extend_from_slice(segment.content());
    }
    Ok(joined)
}

/// Skips `AlgorithmIdentifier`s, but refuses anything else (RFC 5652 §10.1.1, RFC 5280 §4.1.1.2).
fn skip_algorithms(mut set: Reader<'_>) -> Result<(), Unreadable> {
    while !set.is_empty() {
        let mut algorithm = set.read(tag::SEQUENCE, "a digest algorithm")?.reader();
        let identifier = algorithm.read(tag::OBJECT_IDENTIFIER, "a digest algorithm")?;
        // The last octet of a number, and so of an identifier, is the one whose first bit is not set (X.690 §8.19.2).
        if !matches!(identifier.content().last(), Some(..0x80)) {
            return Err(algorithm.fail("an identifier with an end"));
        }
        if !algorithm.is_empty() {
            algorithm.any("its parameters")?;
        }
        algorithm.finish()?;
    }
    Ok(())
}

/// Skips `[1] IMPLICIT` with a SET of any values, if present.
fn skip_optional_set(fields: &mut Reader<'_>, expected: &'static str) -> Result<(), Unreadable> {
    match fields.optional(tag::context_constructed(1))? {
        Some(set) => set.reader().skip_values(expected),
        None => Ok(()),
    }
}

/// Parses `CertificateSet` (RFC 5652 §10.2.2), and skips anything but X.509 certificates.
fn read_certificates(mut set: Reader<'_>) -> Result<SmallVec<[Value<'_>; 2]>, Unreadable> {
    const FIRST_OTHER: u8 = tag::context_constructed(0);
    const LAST_OTHER: u8 = tag::context_constructed(3);
    let mut certificates = SmallVec::new();
    while !set.is_empty() {
        let choice = set.any("a certificate")?;
        match choice.tag() {
            tag::SEQUENCE => certificates.push(choice),
            FIRST_OTHER..=LAST_OTHER => {}
            _ => return Err(choice.fail("a certificate")),
        }
    }
    Ok(certificates)
}

impl<'a> SignerInfo<'a> {
    /// Parses the only `SignerInfo` of a set.
    fn read_only(mut set: Reader<'a>) -> Result<Self, VerifyError> {
        if set.is_empty() {
            return Err(VerifyError::SignerCount);
        }
        let signer = set
            .read(tag::SEQUENCE, "a SignerInfo")
            .within_signed_data()?;
        if !set.is_empty() {
            return Err(VerifyError::SignerCount);
        }
        Self::read_fields(signer.reader())
    }

    fn read_fields(mut fields: Reader<'a>) -> Result<Self, VerifyError> {
        let version = fields
            .read(tag::INTEGER, "a version")
            .within_signed_data()?;
        if fields.peek() == Some(tag::context(0)) {
            return Err(VerifyError::SignerIdentifier);
        }
        if version.small_integer() != Some(SIGNER_INFO_VERSION) {
            return Err(VerifyError::CmsVersion {
                structure: "SignerInfo",
            });
        }
        let identifier = fields
            .read(tag::SEQUENCE, "an IssuerAndSerialNumber")
            .within_signed_data()?;
        let identifier = read_signer_identifier(identifier.reader()).within_signed_data()?;
        let digest_algorithm = fields
            .read(tag::SEQUENCE, "a digest algorithm")
            .within_signed_data()?;
        let digest_algorithm = read_hash(digest_algorithm).map_err(|fault| match fault {
            AlgorithmFault::Unreadable(unreadable) => malformed(unreadable),
            AlgorithmFault::NotAllowed(_) => VerifyError::DigestAlgorithm,
        })?;
        let signed_attributes = fields
            .optional(tag::context_constructed(0))
            .within_signed_data()?
            .ok_or(VerifyError::MissingAttribute {
                attribute: SignedAttribute::ContentType,
            })?;
        let signature_algorithm = fields
            .read(tag::SEQUENCE, "a signature algorithm")
            .within_signed_data()?;
        let signature_algorithm =
            read_signature_algorithm(signature_algorithm).map_err(|fault| match fault {
                AlgorithmFault::Unreadable(unreadable) => malformed(unreadable),
                AlgorithmFault::NotAllowed(problem) => VerifyError::SignatureAlgorithm { problem },
            })?;
        let signature = fields
            .read(tag::OCTET_STRING, "a signature")
            .within_signed_data()?;
        // Unsigned attributes are ignored.
        skip_optional_set(&mut fields, "an unsigned attribute").within_signed_data()?;
        fields.finish().within_signed_data()?;
        let attributes = SignedAttributes::read(signed_attributes.reader())?;
        Ok(Self {
            identifier,
            digest_algorithm,
            signed_attributes,
            signature_algorithm,
            signature: signature.content(),
            message_digest: attributes.message_digest()?,
            metadata: attributes.metadata()?,
            attribution: attributes.attribution()?,
        })
    }

    pub(crate) fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    pub(crate) fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// Returns true if the signer's identifier names the certificate.
    pub(crate) fn is_by(
        &self,
        certificate: &UnverifiedCertificate<'_>,
    ) -> Result<bool, VerifyError> {
        Ok(self.identifier == certificate.issuer_and_serial_number()?)
    }

    /// Checks the dialect's rules that involve neither content nor key.
    pub(crate) fn check_form(&self, rules: Rules) -> Result<(), VerifyError> {
        rules.check_signature_period(self.metadata.period)?;
        if rules.is_domain_auth() && !self.metadata.whole_seconds {
            return Err(VerifyError::FractionalTime);
        }
        Ok(())
    }

    /// Checks that the signer's key is of the algorithm of the signature.
    pub(crate) fn check_algorithms(
        &self,
        key: &PublicKeyRef<'_>,
        rules: Rules,
    ) -> Result<(), VerifyError> {
        if !key.makes(self.signature_algorithm) {
            return Err(VerifyError::SignatureKeyAlgorithm { key: key.algorithm });
        }
        rules.check_content_digest(self.signature_algorithm, self.digest_algorithm)
    }

    /// Compares the digest of the content with the signed digest (RFC 5652 §5.6).
    pub(crate) fn check_digest(&self, content: &SignedContent<'_>) -> Result<(), VerifyError> {
        if content.digest(self.digest_algorithm)?.as_ref() == self.message_digest {
            Ok(())
        } else {
            Err(VerifyError::DigestMismatch)
        }
    }

    /// Verifies the signature over the signed attributes; its algorithm must belong to the key (RFC
    /// 5652 §5.4, §5.6).
    pub(crate) fn verify(&self, key: &VerifyingKey<'_>) -> Result<(), VerifyError> {
        key.verify(
            self.signature_algorithm,
            &self.signed_message(),
            self.signature,
        )
        .map_err(|failure| {
            VerifyError::unverified(failure, key.borrow().algorithm, VerifyError::BadSignature)
        })
    }

    /// The signed attributes in the form in which they are signed, with the tag of a SET.
    fn signed_message(&self) -> SmallVec<[u8; SIGNED_ATTRIBUTES_OCTETS]> {
        let mut message = SmallVec::from_slice(self.signed_attributes.encoding());
        if let Some(tag) = message.first_mut() {
            *tag = tag::SET;
        }
        message
    }
}

fn malformed(unreadable: Unreadable) -> VerifyError {
    VerifyError::MalformedSignedData {
        offset: unreadable.offset,
        expected: unreadable.expected,
    }
}

fn read_signer_identifier(mut fields: Reader<'_>) -> Result<IssuerAndSerialNumber<'_>, Unreadable> {
    let issuer = fields.read(tag::SEQUENCE, "an issuer")?;
    let serial_number = fields.read(tag::INTEGER, "a serial number")?;
    fields.finish()?;
    Ok(IssuerAndSerialNumber {
        issuer: issuer.encoding(),
        serial_number: serial_number.minimal_integer()?,
    })
}

/// The values of the known signed attributes. Each occurs at most once and has one value.
#[derive(Default)]
struct SignedAttributes<'a> {
    content_type: Option<Value<'a>>,
    message_digest: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    attribution: Option<Value<'a>>,
}

impl<'a> SignedAttributes<'a> {
    fn read(mut attributes: Reader<'a>) -> Result<Self, VerifyError> {
        let mut known = Self::default();
        while !attributes.is_empty() {
            let mut fields = attributes
                .read(tag::SEQUENCE, "an Attribute")
                .within_signed_data()?
                .reader();
            let attribute_type = fields
                .read(tag::OBJECT_IDENTIFIER, "an attribute type")
                .within_signed_data()?;
            let values = fields
                .read(tag::SET, "attribute values")
                .within_signed_data()?;
            fields.finish().within_signed_data()?;
            if let Some((attribute, slot)) = known.slot(attribute_type.content()) {
                let value = only_value(attribute, values.reader())?;
                if slot.replace(value).is_some() {
                    return Err(VerifyError::AttributeCount { attribute });
                }
            }
        }
        if known
            .required(known.content_type, SignedAttribute::ContentType)?
            .encoding()
            != oid::DATA.to_der().map_err(|_| VerifyError::ContentType)?
        {
            return Err(VerifyError::ContentType);
        }
        Ok(known)
    }

    fn slot(&mut self, attribute_type: &[u8]) -> Option<(SignedAttribute, &mut Option<Value<'a>>)> {
        let is = |oid: ObjectIdentifier| oid.as_bytes() == attribute_type;
        if is(oid::CONTENT_TYPE) {
            Some((SignedAttribute::ContentType, &mut self.content_type))
        } else if is(oid::MESSAGE_DIGEST) {
            Some((SignedAttribute::MessageDigest, &mut self.message_digest))
        } else if is(oid::SIGNATURE_METADATA) {
            Some((SignedAttribute::SignatureMetadata, &mut self.metadata))
        } else if is(oid::MEMBER_ATTRIBUTION) {
            Some((SignedAttribute::MemberAttribution, &mut self.attribution))
        } else {
            None
        }
    }

    #[allow(clippy::unused_self, reason = "reads as what it is about")]
    fn required(
        &self,
        value: Option<Value<'a>>,
        attribute: SignedAttribute,
    ) -> Result<Value<'a>, VerifyError> {
        value.ok_or(VerifyError::MissingAttribute { attribute })
    }

    fn message_digest(&self) -> Result<&'a [u8], VerifyError> {
        let value = self.required(self.message_digest, SignedAttribute::MessageDigest)?;
        expect(value, tag::OCTET_STRING, "an OCTET STRING").map(|value| value.content())
    }

    /// Parses `SignatureMetadata`.
    fn metadata(&self) -> Result<Metadata<'a>, VerifyError> {
        let value = self.required(self.metadata, SignedAttribute::SignatureMetadata)?;
        let metadata = expect(value, tag::SEQUENCE, "SignatureMetadata")?;
        let mut fields = metadata.reader();
        let service = fields
            .read(tag::context(0), "a service")
            .within_signed_data()?;
        let period = fields
            .read(tag::context_constructed(1), "a validity period")
            .within_signed_data()?;
        fields.finish().within_signed_data()?;
        let (period, whole_seconds) = read_date_period(period.reader())?;
        Ok(Metadata {
            service: service.content(),
            period,
            whole_seconds,
        })
    }

    /// Parses `MemberAttribution`, if present.
    fn attribution(&self) -> Result<Option<&'a str>, VerifyError> {
        const EXPECTED: &str = "a UTF8String";
        let Some(value) = self.attribution else {
            return Ok(None);
        };
        let value = expect(value, tag::UTF8_STRING, EXPECTED)?;
        std::str::from_utf8(value.content())
            .map(Some)
            .map_err(|_| malformed(value.fail(EXPECTED)))
    }
}

fn expect<'a>(value: Value<'a>, tag: u8, expected: &'static str) -> Result<Value<'a>, VerifyError> {
    if value.tag() == tag {
        Ok(value)
    } else {
        Err(malformed(value.fail(expected)))
    }
}

fn only_value(
    attribute: SignedAttribute,
    mut values: Reader<'_>,
) -> Result<Value<'_>, VerifyError> {
    if values.is_empty() {
        return Err(VerifyError::AttributeCount { attribute });
    }
    let value = values.any("an attribute value").within_signed_data()?;
    if values.is_empty() {
        Ok(value)
    } else {
        Err(VerifyError::AttributeCount { attribute })
    }
}

/// Parses `DatePeriod`, and tells whether it is in whole seconds. The reference library writes
/// fractions of a second, which are truncated.
fn read_date_period(mut fields: Reader<'_>) -> Result<(Period, bool), VerifyError> {
    let mut time = |number, expected| {
        let value = fields.read(tag::context(number), expected)?;
        let is_whole = value.content().len() == WHOLE_SECONDS_OCTETS;
        Ok((value.time_without_fraction()?, is_whole))
    };
    let (start, start_is_whole) = time(0, "a start").within_signed_data()?;
    let (end, end_is_whole) = time(1, "an end").within_signed_data()?;
    fields.finish().within_signed_data()?;
    let period = Period::new(start, end).ok_or(VerifyError::SignaturePeriod)?;
    Ok((period, start_is_whole && end_is_whole))
}
