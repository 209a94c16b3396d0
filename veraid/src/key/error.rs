//! The reasons why octets or a file are not a usable key.

use der::asn1::ObjectIdentifier;

use super::KeyAlgorithm;
use crate::algorithm::AlgorithmFault;
use crate::asn1::Unreadable;
use crate::oid;

/// The reason why octets or a file are not a usable key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file has no PEM block, or a truncated or corrupted one.
    #[error(
        "not a PEM file: there is no complete block from `-----BEGIN …` to `-----END …` with Base64 in it"
    )]
    NotPem,
    /// The PEM block is of another kind.
    #[error("the PEM file contains a {found}, not a {expected}")]
    OtherPem {
        /// The kind of the block.
        found: &'static str,
        /// The kind that was expected.
        expected: &'static str,
    },
    /// The private key is encrypted with a password.
    #[error(
        "the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Encrypted,
    /// The RSA private key has the form that preceded PKCS #8.
    #[error(
        "the private key is in PKCS #1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Pkcs1,
    /// The elliptic-curve private key has the form that preceded PKCS #8 (RFC 5915 §4).
    #[error(
        "the private key is in SEC 1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Sec1,
    /// The private key has OpenSSH's own form.
    #[error(
        "the private key is in OpenSSH's form; convert a copy of an RSA or ECDSA key with `ssh-keygen -p -m PKCS8 -f COPY`"
    )]
    OpenSsh,
    /// A public key was given where a private key is needed.
    #[error("this is a public key; the private key is needed")]
    PublicGiven,
    /// A private key was given where a public key is needed.
    #[error(
        "this is a private key; give the public key instead (`openssl pkey -in FILE -pubout` extracts it), and keep the private key secret"
    )]
    PrivateGiven,
    /// The RSA public key has no `SubjectPublicKeyInfo`.
    #[error(
        "the public key is in PKCS #1 form; convert it with `openssl rsa -RSAPublicKey_in -in FILE -pubout`"
    )]
    Pkcs1Public,
    /// The key is for an unsupported algorithm or curve.
    #[error(
        "{algorithm} keys are not supported; RSA, Ed25519, ECDSA (P-256, P-384) and ML-DSA are"
    )]
    UnsupportedAlgorithm {
        /// The algorithm: a name such as `Ed448`, or an object identifier.
        algorithm: String,
    },
    /// The key is supported, but VeraId does not allow it.
    #[error("VeraId does not allow {algorithm} keys; use an RSA key of 2048, 3072 or 4096 bits")]
    NotInVeraId {
        /// The algorithm, such as `ed25519`.
        algorithm: String,
    },
    /// The RSA key has a modulus of an unsupported size.
    #[error("RSA keys of {bits} bits are not supported; use 2048 to 8192 bits")]
    UnsupportedRsaSize {
        /// The modulus's length in bits.
        bits: usize,
    },
    /// The RSA key is restricted to signatures that are not allowed (RFC 4055 §3.3).
    #[error("the RSA key is restricted to signatures that are not allowed: {problem}")]
    RestrictedRsa {
        /// A description of the problem.
        problem: &'static str,
    },
    /// Keys of this algorithm can be used, but not generated here.
    #[error(
        "{algorithm} keys can be used but not generated here; make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:BITS`, with the size for BITS"
    )]
    NotMade {
        /// The algorithm that was requested.
        algorithm: KeyAlgorithm,
    },
    /// No cryptographic back end in this build supports the task.
    #[error("this build can't {task} ({algorithm}); build with the feature {features}")]
    NotBuilt {
        /// The algorithm of the key.
        algorithm: KeyAlgorithm,
        /// The task that is not supported.
        task: &'static str,
        /// The features that support the task, in prose; one of them is enough.
        features: &'static str,
    },
    /// The structure cannot be parsed, or its numbers are not a key.
    #[error("the key is malformed: expected {expected}")]
    Malformed {
        /// The part that was expected.
        expected: &'static str,
    },
    /// The cryptographic back end failed to generate or encode a key.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<Unreadable> for KeyError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Malformed {
            expected: unreadable.expected,
        }
    }
}

/// Converts the problem with the parameters that restrict an RSA key.
impl From<AlgorithmFault> for KeyError {
    fn from(fault: AlgorithmFault) -> Self {
        match fault {
            AlgorithmFault::Unreadable(unreadable) => unreadable.into(),
            AlgorithmFault::NotAllowed(problem) => Self::RestrictedRsa { problem },
        }
    }
}

impl KeyError {
    /// Converts the error of writing DER. No `From`, which would put the crate `der` into the
    /// public interface.
    pub(super) fn unwritable(_: der::Error) -> Self {
        Self::Library
    }

    /// Describes a key whose algorithm identifier is not supported.
    pub(super) fn other_algorithm(identifier: &[u8]) -> Self {
        Self::unsupported(identifier, |identifier| match identifier {
            oid::RSASSA_PSS => Some("private id-RSASSA-PSS"),
            oid::ED448 => Some("Ed448"),
            oid::X25519 => Some("X25519"),
            oid::X448 => Some("X448"),
            oid::HASH_ML_DSA_44 | oid::HASH_ML_DSA_65 | oid::HASH_ML_DSA_87 => {
                Some("HashML-DSA (pre-hash)")
            }
            _ => None,
        })
    }

    /// Describes a key on a curve that is not supported.
    pub(super) fn other_curve(identifier: &[u8]) -> Self {
        Self::unsupported(identifier, |identifier| match identifier {
            oid::SECP224R1 => Some("ECDSA P-224"),
            oid::SECP521R1 => Some("ECDSA P-521"),
            oid::SECP256K1 => Some("ECDSA secp256k1"),
            _ => None,
        })
    }

    fn unsupported(
        identifier: &[u8],
        name: impl FnOnce(ObjectIdentifier) -> Option<&'static str>,
    ) -> Self {
        let algorithm = ObjectIdentifier::from_bytes(identifier).map(|identifier| {
            name(identifier).map_or_else(|| identifier.to_string(), str::to_owned)
        });
        Self::UnsupportedAlgorithm {
            algorithm: algorithm.unwrap_or_else(|_| "unknown".to_owned()),
        }
    }
}
