//! Signature bundles: a signature and everything that is needed to verify it (VeraId §7.2;
//! DomainAuth draft, "Signature Bundle").

use dnssec::{Chain, Period};

use super::{Elements, read_chain, replacement_chain, write};
use crate::asn1::Value;
use crate::certificate::{UnverifiedCertificate, named_organisation};
use crate::cms::SignedData;
use crate::crypto::HashAlgorithm;
use crate::error::{CertificateRole, IssueError, Structure, VerifyError};
use crate::service::ServiceOid;
use crate::verify::{Backing, Root, Verification, VerifiedSignature, find_dialect, verify};

/// A signature bundle of which only the signature has been parsed.
///
/// The chain and the certificates are parsed when they are needed. They are not needed if the
/// verifier remembers them ([`Verifier`](crate::Verifier)).
///
/// Nothing in it is verified, so its accessors are named `unverified_…`.
#[derive(Clone, Debug)]
pub struct BundleOutline<'a> {
    chain: Value<'a>,
    organisation_certificate: Value<'a>,
    signature: Value<'a>,
    signed_data: SignedData<'a>,
}

impl<'a> BundleOutline<'a> {
    /// Parses the DER of a bundle in place.
    ///
    /// # Errors
    /// An error for which [`VerifyError::is_malformed`] returns true, if the bundle has another
    /// structure or version; other errors if the `SignedData` in it cannot be parsed.
    pub fn from_der(der: &'a [u8]) -> Result<Self, VerifyError> {
        let elements = Elements::read(Structure::SignatureBundle, der)?;
        Ok(Self {
            chain: elements.chain,
            organisation_certificate: elements.organisation_certificate,
            signature: elements.main,
            signed_data: SignedData::read(elements.main.reader())?,
        })
    }

    /// Parses the chain and the certificates too.
    ///
    /// # Errors
    /// As [`SignatureBundle::from_der`].
    pub fn read_whole(self) -> Result<SignatureBundle<'a>, VerifyError> {
        Ok(SignatureBundle {
            chain: self.read_chain()?,
            organisation_certificate: self.organisation_certificate,
            signature: self.signature,
            parts: SignatureParts::read(self)?,
        })
    }

    /// The period for which the signature claims to be valid.
    #[must_use]
    pub fn unverified_period(&self) -> Period {
        self.signed_data.signer.metadata.period
    }

    /// The content, if it is attached.
    #[must_use]
    pub fn unverified_content(&self) -> Option<&[u8]> {
        self.signed_data.content.as_deref()
    }

    /// The signature itself.
    ///
    /// It is the same for every encoding of the rest of the bundle. It therefore distinguishes
    /// verified signatures from each other, which the octets of the bundle do not.
    #[must_use]
    pub fn unverified_signature(&self) -> &'a [u8] {
        self.signed_data.signer.signature()
    }

    pub(crate) fn read_chain(&self) -> Result<Chain<'a>, VerifyError> {
        read_chain(self.chain)
    }

    /// The content octets of the chain's SET.
    #[cfg(feature = "cache")]
    pub(crate) fn chain(&self) -> &'a [u8] {
        self.chain.content()
    }

    /// The content octets of the organisation's certificate.
    #[cfg(feature = "cache")]
    pub(crate) fn organisation_certificate(&self) -> &'a [u8] {
        self.organisation_certificate.content()
    }

    #[cfg(feature = "cache")]
    pub(crate) fn signed_data(&self) -> &SignedData<'a> {
        &self.signed_data
    }
}

/// The parts of a bundle besides the chain: the signature and the certificates at both ends of the
/// path.
#[derive(Clone, Debug)]
pub(crate) struct SignatureParts<'a> {
    pub(crate) organisation_certificate: UnverifiedCertificate<'a>,
    /// The signer's certificate, unless that is the organisation's own.
    pub(crate) signer_certificate: Option<UnverifiedCertificate<'a>>,
    pub(crate) signed_data: SignedData<'a>,
}

impl<'a> SignatureParts<'a> {
    pub(crate) fn read(outline: BundleOutline<'a>) -> Result<Self, VerifyError> {
        let organisation_certificate = UnverifiedCertificate::read(
            CertificateRole::Organisation,
            outline.organisation_certificate,
        )?;
        let signed_data = outline.signed_data;
        let signer_certificate = match signed_data.signer.attribution {
            Some(_) if signed_data.signer.is_by(&organisation_certificate)? => None,
            Some(_) => signed_data.signer_certificate(CertificateRole::Intermediate)?,
            None => Some(
                signed_data
                    .signer_certificate(CertificateRole::Member)?
                    .ok_or(VerifyError::NoSignerCertificate)?,
            ),
        };
        Ok(Self {
            organisation_certificate,
            signer_certificate,
            signed_data,
        })
    }
}

/// A signature bundle that has been parsed, but not verified.
///
/// Do not trust anything in it before [`SignatureBundle::verify`]. The accessors that do not verify
/// are named `unverified_…`.
#[derive(Clone, Debug)]
pub struct SignatureBundle<'a> {
    chain: Chain<'a>,
    organisation_certificate: Value<'a>,
    signature: Value<'a>,
    parts: SignatureParts<'a>,
}

impl<'a> SignatureBundle<'a> {
    /// Parses the DER of a bundle in place.
    ///
    /// # Errors
    /// An error for which [`VerifyError::is_malformed`] returns true, if the bundle has another
    /// structure or version; other errors if a certificate, a DNS message or the `SignedData` in it
    /// cannot be parsed.
    pub fn from_der(der: &'a [u8]) -> Result<Self, VerifyError> {
        BundleOutline::from_der(der)?.read_whole()
    }

    /// Verifies everything: DNSSEC chain, TXT record, certificates, signature, content, service and
    /// times.
    ///
    /// Cheap checks come first; public-key operations come last.
    pub fn verify<'v>(
        &self,
        verification: &Verification<'v>,
    ) -> Result<VerifiedSignature<'v>, VerifyError>
    where
        'a: 'v,
    {
        let backing = Backing::Certificates {
            parts: &self.parts,
            root: Root::Chain(&self.chain),
        };
        let (verified, _) = verify(&self.parts.signed_data, backing, verification)?;
        Ok(verified)
    }

    /// Encodes the bundle with another DNSSEC chain, after verifying it as
    /// [`SignatureBundle::verify`] does.
    ///
    /// A chain is public and holds for some days. So a signature that is kept for longer can be
    /// verified later without anyone's key, for as long as its certificates are valid.
    ///
    /// `chain_der` is a chain as DER, `SET OF OCTET STRING`. Only those of its records are taken
    /// that prove the organisation's TXT records for as long as possible from the start of the
    /// verifier's period.
    ///
    /// # Errors
    /// [`IssueError::Invalid`] with the errors of [`SignatureBundle::verify`], or with
    /// [`VerifyError::NoRecordResponse`] if the chain is of the other dialect.
    pub fn with_chain(
        &self,
        chain_der: &[u8],
        verification: &Verification<'_>,
    ) -> Result<Vec<u8>, IssueError> {
        let named = named_organisation(&self.parts.organisation_certificate)?;
        let (dialect, _) = find_dialect(&self.chain, &named)?;
        let chain = replacement_chain(chain_der, &named, dialect, verification)?;
        let renewed = write_signature_bundle(
            &chain,
            self.organisation_certificate.encoding(),
            self.signature.encoding(),
        )?;
        SignatureBundle::from_der(&renewed)?.verify(verification)?;
        Ok(renewed)
    }

    /// The DNSSEC chain.
    #[must_use]
    pub fn unverified_chain(&self) -> &Chain<'a> {
        &self.chain
    }

    /// The certificate that claims to be the organisation's.
    #[doc(alias = "unverified_organization_certificate")]
    #[must_use]
    pub fn unverified_organisation_certificate(&self) -> &UnverifiedCertificate<'a> {
        &self.parts.organisation_certificate
    }

    /// The certificate that claims to be the signing member's; `None` if the organisation claims to have signed.
    #[must_use]
    pub fn unverified_member_certificate(&self) -> Option<&UnverifiedCertificate<'a>> {
        match self.unverified_attribution() {
            Some(_) => None,
            None => self.parts.signer_certificate.as_ref(),
        }
    }

    /// The certificate that claims to be a delegate's, signing in the organisation's name; `None`
    /// if the organisation itself or a member claims to have signed.
    #[must_use]
    pub fn unverified_delegate_certificate(&self) -> Option<&UnverifiedCertificate<'a>> {
        self.unverified_attribution()
            .and(self.parts.signer_certificate.as_ref())
    }

    /// The certificates besides the signer's that can be parsed: in DomainAuth, those of
    /// intermediates.
    #[must_use]
    pub fn unverified_intermediate_certificates(&self) -> Vec<UnverifiedCertificate<'a>> {
        let mut certificates = self
            .parts
            .signed_data
            .intermediate_certificates()
            .unwrap_or_default();
        certificates.retain(|certificate| {
            self.parts
                .signer_certificate
                .as_ref()
                .is_none_or(|signer| signer.content() != certificate.content())
        });
        certificates
    }

    /// The service that the signature claims to be for; `None` if it is not an object identifier
    /// that [`ServiceOid`] can represent.
    #[must_use]
    pub fn unverified_service(&self) -> Option<ServiceOid> {
        ServiceOid::from_der_content(self.parts.signed_data.signer.metadata.service).ok()
    }

    /// The hash function with which detached content must be digested
    /// ([`Verification::with_detached_digest`]).
    #[must_use]
    pub fn unverified_content_hash(&self) -> HashAlgorithm {
        self.parts.signed_data.signer.digest_algorithm
    }

    /// The period for which the signature claims to be valid. Only the signer vouches for it, even
    /// once the signature is verified.
    #[must_use]
    pub fn unverified_period(&self) -> Period {
        self.parts.signed_data.signer.metadata.period
    }

    /// The member to whom the organisation attributes the content, if the organisation signed.
    #[must_use]
    pub fn unverified_attribution(&self) -> Option<&'a str> {
        self.parts.signed_data.signer.attribution
    }

    /// The content, if it is attached.
    #[must_use]
    pub fn unverified_content(&self) -> Option<&[u8]> {
        self.parts.signed_data.content.as_deref()
    }
}

/// Encodes a bundle around a signature, which is a `ContentInfo`; all three are given as DER.
pub(crate) fn write_signature_bundle(
    chain: &[u8],
    organisation_certificate: &[u8],
    signature: &[u8],
) -> Result<Vec<u8>, IssueError> {
    write(chain, organisation_certificate, signature, None)
        .map_err(|_| IssueError::Unwritable("signature bundle"))
}
