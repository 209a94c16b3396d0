//! Why octets or a file are no key that can be used.

use der::asn1::ObjectIdentifier;

use super::KeyAlgorithm;
use crate::algorithm::AlgorithmFault;
use crate::asn1::Unreadable;
use crate::oid;

/// Why octets or a file are no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM block, or one that is cut off or garbled.
    #[error(
        "not a PEM file: there is no complete block from `-----BEGIN …` to `-----END …` with Base64 in it"
    )]
    NotPem,
    /// A PEM block of some other kind.
    #[error("the PEM file contains a {found}, not a {expected}")]
    OtherPem {
        /// What it is.
        found: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
    /// A private key under a password.
    #[error(
        "the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Encrypted,
    /// An RSA private key in the form from before PKCS #8.
    #[error(
        "the private key is in PKCS #1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Pkcs1,
    /// An elliptic-curve private key in the form from before PKCS #8 (RFC 5915 §4).
    #[error(
        "the private key is in SEC 1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Sec1,
    /// A private key in OpenSSH's own form.
    #[error(
        "the private key is in OpenSSH's form; convert a copy of an RSA or ECDSA key with `ssh-keygen -p -m PKCS8 -f COPY`"
    )]
    OpenSsh,
    /// A public key where a private key is needed.
    #[error("this is a public key; the private key is needed")]
    PublicGiven,
    /// A private key where a public key is needed.
    #[error(
        "this is a private key; give the public key instead (`openssl pkey -in FILE -pubout` extracts it), and keep the private key secret"
    )]
    PrivateGiven,
    /// An RSA public key without its `SubjectPublicKeyInfo`.
    #[error(
        "the public key is in PKCS #1 form; convert it with `openssl rsa -RSAPublicKey_in -in FILE -pubout`"
    )]
    Pkcs1Public,
    /// A key for some other algorithm, or on some other curve.
    #[error(
        "{algorithm} keys are not supported; RSA, Ed25519, ECDSA (P-256, P-384) and ML-DSA are"
    )]
    UnsupportedAlgorithm {
        /// Such as `Ed448`, or an object identifier.
        algorithm: String,
    },
    /// A key that can be used, but not in VeraId.
    #[error("VeraId does not allow {algorithm} keys; use an RSA key of 2048, 3072 or 4096 bits")]
    NotInVeraId {
        /// Such as `ed25519`.
        algorithm: String,
    },
    /// An RSA key with another modulus.
    #[error("RSA keys of {bits} bits are not supported; use 2048 to 8192 bits")]
    UnsupportedRsaSize {
        /// The modulus's length in bits.
        bits: usize,
    },
    /// An RSA key that may only make signatures which are not allowed (RFC 4055 §3.3).
    #[error("the RSA key is restricted to signatures that are not allowed: {problem}")]
    RestrictedRsa {
        /// What about it.
        problem: &'static str,
    },
    /// Keys for that algorithm can be used, but are not made here.
    #[error(
        "{algorithm} keys can be used but not generated here; make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:BITS`, with the size for BITS"
    )]
    NotMade {
        /// What was asked for.
        algorithm: KeyAlgorithm,
    },
    /// No back end that is built in can do it.
    #[error("this build can't {task} ({algorithm}); build with the feature {features}")]
    NotBuilt {
        /// What the key is.
        algorithm: KeyAlgorithm,
        /// What cannot be done.
        task: &'static str,
        /// The features of which one would do, in prose.
        features: &'static str,
    },
    /// A structure that cannot be read, or numbers that make no key.
    #[error("the key is malformed: expected {expected}")]
    Malformed {
        /// What should have been there.
        expected: &'static str,
    },
    /// The cryptographic library failed to make or write a key.
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

/// About the parameters that restrict an RSA key.
impl From<AlgorithmFault> for KeyError {
    fn from(fault: AlgorithmFault) -> Self {
        match fault {
            AlgorithmFault::Unreadable(unreadable) => unreadable.into(),
            AlgorithmFault::NotAllowed(problem) => Self::RestrictedRsa { problem },
        }
    }
}

impl From<der::Error> for KeyError {
    fn from(_: der::Error) -> Self {
        Self::Library
    }
}

impl KeyError {
    /// Says what a key with an identifier that is not read here is.
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

    /// Says what a curve that is not read here is.
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
