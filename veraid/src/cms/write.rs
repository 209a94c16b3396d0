//! The encoder of `SignedData`, with the structures of the crate `cms`, which only this module
//! uses.

use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::EncapsulatedContentInfo;
use der::asn1::{
    Any, AnyRef, GeneralizedTime, ObjectIdentifier, OctetStringRef, SetOfVec, Utf8StringRef,
};
use der::{Decode as _, Encode as _, Sequence, Tag, TagNumber};
use dnssec::Period;
use x509_cert::attr::Attribute;

use crate::algorithm::{AlgorithmIdentifierRef, SignatureAlgorithm, hash_identifier};
use crate::certificate::{UnverifiedCertificate, date_time};
use crate::content::Content;
use crate::error::IssueError;
use crate::key::KeyAlgorithm;
use crate::name::Member;
use crate::oid;
use crate::service::ServiceOid;

/// The contents of a new signature.
pub(crate) struct SigningRequest<'s> {
    pub(crate) content: Content<'s>,
    pub(crate) service: &'s ServiceOid,
    pub(crate) period: Period,
    pub(crate) attribution: Option<&'s Member>,
    /// The certificate of the signing key. `key` is the algorithm of that key.
    pub(crate) certificate: &'s UnverifiedCertificate<'s>,
    pub(crate) key: KeyAlgorithm,
    /// The certificates that go into the `SignedData`.
    pub(crate) attached_certificates: Vec<&'s [u8]>,
}

/// `SignedData` without its signature.
pub(crate) struct PreparedSignedData {
    algorithm: SignatureAlgorithm,
    signed_attributes: SetOfVec<Attribute>,
    /// The issuer and the serial number, as encoded in the certificate.
    issuer: Vec<u8>,
    serial_number: Vec<u8>,
    content: Option<Any>,
    /// The certificates as they were received, which need not be DER.
    certificates: Option<SetOfVec<Any>>,
}

#[derive(Sequence)]
struct WrittenSignedData<'a> {
    version: CmsVersion,
    digest_algorithms: SetOfVec<AlgorithmIdentifierRef<'a>>,
    encapsulated_content: EncapsulatedContentInfo,
    #[asn1(
        context_specific = "0",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    certificates: Option<SetOfVec<Any>>,
    signers: SetOfVec<Any>,
}

#[derive(Sequence)]
struct WrittenSignerInfo<'a> {
    version: CmsVersion,
    identifier: WrittenIdentifier<'a>,
    digest_algorithm: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true")]
    signed_attributes: SetOfVec<Attribute>,
    signature_algorithm: AnyRef<'a>,
    signature: &'a OctetStringRef,
}

#[derive(Sequence)]
struct WrittenIdentifier<'a> {
    issuer: AnyRef<'a>,
    serial_number: AnyRef<'a>,
}

#[derive(Sequence)]
struct WrittenPeriod {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    start: GeneralizedTime,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT")]
    end: GeneralizedTime,
}

const UNWRITABLE: IssueError = IssueError::Unwritable("signature");

impl SigningRequest<'_> {
    /// Prepares the `SignedData` for signing.
    ///
    /// # Errors
    /// [`IssueError::UnwritablePeriod`]; [`IssueError::ContentHash`] if the content is only known
    /// by a digest of another hash function than that of the key.
    pub(crate) fn prepare(&self) -> Result<PreparedSignedData, IssueError> {
        let period = self.written_period()?;
        let algorithm = SignatureAlgorithm::written_by(self.key);
        let expected = algorithm.written_digest();
        let digest = self.content.digest(expected);
        let digest = digest.ok_or(IssueError::ContentHash {
            key: self.key,
            expected,
        })?;
        let signed_attributes = self.signed_attributes(digest.as_ref(), &period);
        Ok(PreparedSignedData {
            algorithm,
            signed_attributes: signed_attributes.map_err(|_| UNWRITABLE)?,
            issuer: self.certificate.issuer().to_vec(),
            serial_number: self.certificate.serial_number_encoding().to_vec(),
            content: self.attached_content().map_err(|_| UNWRITABLE)?,
            certificates: self.written_certificates().map_err(|_| UNWRITABLE)?,
        })
    }

    fn written_period(&self) -> Result<WrittenPeriod, IssueError> {
        let time = |moment| {
            date_time(moment)
                .map(GeneralizedTime::from_date_time)
                .ok_or(IssueError::UnwritablePeriod(self.period))
        };
        Ok(WrittenPeriod {
            start: time(self.period.start())?,
            end: time(self.period.end())?,
        })
    }

    fn signed_attributes(
        &self,
        digest: &[u8],
        period: &WrittenPeriod,
    ) -> der::Result<SetOfVec<Attribute>> {
        let mut attributes = vec![
            attribute(oid::CONTENT_TYPE, &oid::DATA)?,
            attribute(oid::MESSAGE_DIGEST, &OctetStringRef::new(digest)?)?,
            attribute(oid::SIGNATURE_METADATA, &metadata(self.service, period)?)?,
        ];
        if let Some(member) = self.attribution {
            let name = Utf8StringRef::new(member.as_str())?;
            attributes.push(attribute(oid::MEMBER_ATTRIBUTION, &name)?);
        }
        SetOfVec::try_from(attributes)
    }

    fn attached_content(&self) -> der::Result<Option<Any>> {
        self.content
            .attached()
            .map(|content| Any::encode_from(&OctetStringRef::new(content)?))
            .transpose()
    }

    fn written_certificates(&self) -> der::Result<Option<SetOfVec<Any>>> {
        if self.attached_certificates.is_empty() {
            return Ok(None);
        }
        let certificates: Vec<Any> = self
            .attached_certificates
            .iter()
            .map(|certificate| Any::from_der(certificate))
            .collect::<Result<_, _>>()?;
        SetOfVec::try_from(certificates).map(Some)
    }
}

impl PreparedSignedData {
    /// Encodes the signed attributes, with the tag of a SET (RFC 5652 §5.4).
    pub(crate) fn to_be_signed(&self) -> Result<Vec<u8>, IssueError> {
        self.signed_attributes.to_der().map_err(|_| UNWRITABLE)
    }

    /// Encodes a `ContentInfo` as DER, with a signature over [`PreparedSignedData::to_be_signed`].
    pub(crate) fn content_info(self, signature: &[u8]) -> Result<Vec<u8>, IssueError> {
        self.write(signature).map_err(|_| UNWRITABLE)
    }

    fn write(self, signature: &[u8]) -> der::Result<Vec<u8>> {
        let signature_algorithm = self.algorithm.to_der()?;
        let digest_algorithm = hash_identifier(self.algorithm.written_digest());
        let signer = WrittenSignerInfo {
            version: CmsVersion::V1,
            identifier: WrittenIdentifier {
                issuer: AnyRef::from_der(&self.issuer)?,
                serial_number: AnyRef::from_der(&self.serial_number)?,
            },
            digest_algorithm,
            signed_attributes: self.signed_attributes,
            signature_algorithm: AnyRef::from_der(&signature_algorithm)?,
            signature: OctetStringRef::new(signature)?,
        };
        let signed_data = WrittenSignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from([digest_algorithm])?,
            encapsulated_content: EncapsulatedContentInfo {
                econtent_type: oid::DATA,
                econtent: self.content,
            },
            certificates: self.certificates,
            signers: SetOfVec::try_from([Any::encode_from(&signer)?])?,
        };
        ContentInfo {
            content_type: oid::SIGNED_DATA,
            content: Any::encode_from(&signed_data)?,
        }
        .to_der()
    }
}

/// Encodes `SignatureMetadata`: the service and the period, implicitly tagged (VeraId §7.3).
fn metadata(service: &ServiceOid, period: &WrittenPeriod) -> der::Result<Any> {
    let period = period.to_der()?;
    let tagged = |number, constructed, content| {
        let number = TagNumber(number);
        AnyRef::new(
            Tag::ContextSpecific {
                constructed,
                number,
            },
            content,
        )
    };
    let fields = vec![
        tagged(0, false, service.as_der_content())?,
        tagged(1, true, AnyRef::from_der(&period)?.value())?,
    ];
    Any::from_der(&fields.to_der()?)
}

/// Encodes an attribute with one value.
fn attribute<T: der::Tagged + der::EncodeValue>(
    oid: ObjectIdentifier,
    value: &T,
) -> der::Result<Attribute> {
    Ok(Attribute {
        oid,
        values: SetOfVec::try_from([Any::encode_from(value)?])?,
    })
}
