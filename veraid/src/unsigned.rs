//! Signing in two steps, for keys whose holder cannot sign within a function call.

use std::fmt;

use crate::algorithm::SignatureAlgorithm;
use crate::bundle::write_signature_bundle;
use crate::certificate::OrganisationCertificate;
use crate::cms::PreparedSignedData;
use crate::error::{CertificateRole, IssueError, VerifyError};
use crate::key::{PublicKey, SignatureScheme, SigningKey};
use crate::sign::SignerCertificate;

/// The octets to be signed, and the key that must sign them.
struct ToBeSigned {
    octets: Vec<u8>,
    key: PublicKey,
    /// The role of the certificate of that key.
    role: CertificateRole,
}

impl ToBeSigned {
    /// # Errors
    /// [`IssueError::RestrictedKey`] before the key holder is asked for a useless signature.
    fn new(octets: Vec<u8>, key: PublicKey, role: CertificateRole) -> Result<Self, IssueError> {
        let scheme = key.algorithm().signature_scheme();
        if !key.borrow().makes(scheme.algorithm()) {
            let certificate = role;
            return Err(IssueError::RestrictedKey {
                certificate,
                scheme,
            });
        }
        Ok(Self { octets, key, role })
    }

    fn scheme(&self) -> SignatureScheme {
        self.key.algorithm().signature_scheme()
    }

    /// Verifies a signature, so that a key store for another scheme is detected here, and not by
    /// the verifiers of the signature.
    fn check(&self, signature: &[u8]) -> Result<(), IssueError> {
        let public_key = self.key.borrow();
        let key = public_key.algorithm;
        let algorithm = SignatureAlgorithm::written_by(key);
        public_key
            .verify(algorithm, &self.octets, signature)
            .map_err(|failure| {
                match VerifyError::unverified(failure, key, VerifyError::BadSignature) {
                    VerifyError::BadSignature => IssueError::SignedWrongly { key },
                    lacking => lacking.into(),
                }
            })
    }

    fn sign(&self, key: &dyn SigningKey) -> Result<Vec<u8>, IssueError> {
        if *key.public_key() != self.key {
            let certificate = self.role;
            return Err(IssueError::KeyMismatch { certificate });
        }
        Ok(key.sign(&self.octets, self.scheme())?)
    }
}

/// Adds the accessors of objects that lack only their signature.
macro_rules! accessors_of_unsigned {
    ($unsigned:ident $(<$parameter:ident>)?) => {
        impl $(<$parameter>)? $unsigned $(<$parameter>)? {
            /// The octets that the key must sign: the message itself, not its digest.
            #[must_use]
            pub fn to_be_signed(&self) -> &[u8] {
                &self.to_be_signed.octets
            }

            /// The scheme in which the key must sign, and the form of the signature.
            #[must_use]
            pub fn scheme(&self) -> SignatureScheme {
                self.to_be_signed.scheme()
            }

            /// The public key of the key that must sign.
            #[must_use]
            pub fn public_key(&self) -> &PublicKey {
                &self.to_be_signed.key
            }
        }

        impl $(<$parameter>)? fmt::Debug for $unsigned $(<$parameter>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($unsigned))
                    .field("public_key", self.public_key())
                    .finish_non_exhaustive()
            }
        }
    };
}

/// A function that creates a certificate from the signed part, the algorithm and the signature.
pub(crate) type PutTogether<C> = fn(&[u8], SignatureAlgorithm, &[u8]) -> Result<C, IssueError>;

/// A certificate that lacks only its signature.
///
/// It owns its data, so that it can wait for a key management service, a person or another machine.
pub struct UnsignedCertificate<C> {
    to_be_signed: ToBeSigned,
    finish: PutTogether<C>,
}

accessors_of_unsigned!(UnsignedCertificate<C>);

impl<C> UnsignedCertificate<C> {
    /// Creates it from the octets of a `TBSCertificate`. `finish` combines these, the algorithm and
    /// the signature.
    pub(crate) fn new(
        octets: Vec<u8>,
        issuer_key: PublicKey,
        issuer: CertificateRole,
        finish: PutTogether<C>,
    ) -> Result<Self, IssueError> {
        Ok(Self {
            to_be_signed: ToBeSigned::new(octets, issuer_key, issuer)?,
            finish,
        })
    }

    /// Completes the certificate with a signature over [`UnsignedCertificate::to_be_signed`].
    ///
    /// # Errors
    /// [`IssueError::SignedWrongly`] if the signature does not verify;
    /// [`VerifyError::AlgorithmNotBuilt`] if no cryptographic back end in this build can verify it;
    /// [`IssueError::Unwritable`].
    pub fn finish(self, signature: &[u8]) -> Result<C, IssueError> {
        self.to_be_signed.check(signature)?;
        let algorithm = self.scheme().algorithm();
        (self.finish)(&self.to_be_signed.octets, algorithm, signature)
    }

    /// Signs with a key, and completes the certificate.
    ///
    /// # Errors
    /// As [`UnsignedCertificate::finish`]; [`IssueError::KeyMismatch`] for another key;
    /// [`IssueError::Signing`] if the key holder refuses.
    pub fn sign(self, key: &dyn SigningKey) -> Result<C, IssueError> {
        let signature = self.to_be_signed.sign(key)?;
        self.finish(&signature)
    }
}

/// A signature bundle that lacks only its signature.
///
/// It owns its data, so that it can wait for a key management service, a person or another machine.
pub struct UnsignedSignature {
    to_be_signed: ToBeSigned,
    signed_data: PreparedSignedData,
    chain_der: Vec<u8>,
    organisation_certificate: Vec<u8>,
}

accessors_of_unsigned!(UnsignedSignature);

impl UnsignedSignature {
    pub(crate) fn new(
        signed_data: PreparedSignedData,
        certificate: &SignerCertificate<'_>,
        chain_der: Vec<u8>,
        organisation_certificate: &OrganisationCertificate,
    ) -> Result<Self, IssueError> {
        Ok(Self {
            to_be_signed: ToBeSigned::new(
                signed_data.to_be_signed()?,
                certificate.key.clone(),
                certificate.parsed.role(),
            )?,
            signed_data,
            chain_der,
            organisation_certificate: organisation_certificate.as_der().to_vec(),
        })
    }

    /// Completes the DER of the signature bundle with a signature over
    /// [`UnsignedSignature::to_be_signed`].
    ///
    /// # Errors
    /// [`IssueError::SignedWrongly`] if the signature does not verify;
    /// [`VerifyError::AlgorithmNotBuilt`] if no cryptographic back end in this build can verify it;
    /// [`IssueError::Unwritable`].
    pub fn finish(self, signature: &[u8]) -> Result<Vec<u8>, IssueError> {
        self.to_be_signed.check(signature)?;
        let content_info = self.signed_data.content_info(signature)?;
        write_signature_bundle(
            &self.chain_der,
            &self.organisation_certificate,
            &content_info,
        )
    }

    /// Signs with a key, and completes the DER of the signature bundle.
    ///
    /// # Errors
    /// As [`UnsignedSignature::finish`]; [`IssueError::KeyMismatch`] for another key;
    /// [`IssueError::Signing`] if the key holder refuses.
    pub fn sign(self, key: &dyn SigningKey) -> Result<Vec<u8>, IssueError> {
        let signature = self.to_be_signed.sign(key)?;
        self.finish(&signature)
    }
}
