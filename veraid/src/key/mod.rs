//! Keys: RSA, Ed25519, ECDSA and ML-DSA.
//!
//! Public keys are `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7; RFC 3279 §2.3.1, RFC 4055 §1.2, RFC
//! 8410, RFC 5480, RFC 9881), private keys are PKCS #8 (RFC 5958), both in PEM as in RFC 7468.
//! Other common forms are recognised, and their errors say how to convert them.

mod algorithm;
mod error;
mod private;
mod public;
mod ready;
mod scheme;

pub use algorithm::{KeyAlgorithm, KeyAlgorithmError, RsaSize};
pub use error::KeyError;
pub use private::{PrivateKey, SigningError, SigningKey};
#[cfg(test)]
pub(crate) use private::{PrivateKeyInfo, write_new_key};
pub(crate) use public::PublicKeyRef;
pub use public::{PublicKey, SignatureError};
pub(crate) use ready::{ReadyKey, VerifyingKey};
pub use scheme::{EcdsaFormat, SignatureScheme};

/// The label of a PEM public key (RFC 7468 §13).
const PUBLIC_KEY_LABEL: &str = "PUBLIC KEY";
/// The label of a PEM private key (RFC 7468 §10).
const PRIVATE_KEY_LABEL: &str = "PRIVATE KEY";
/// The label of a PEM elliptic-curve private key in the form that preceded PKCS #8 (RFC 5915 §4).
const SEC1_LABEL: &str = "EC PRIVATE KEY";

/// The name, for people, of a PEM block that cannot be used here.
fn pem_kind(label: &str) -> &'static str {
    match label {
        PUBLIC_KEY_LABEL | "RSA PUBLIC KEY" => "public key",
        label if label.ends_with("PRIVATE KEY") => "private key",
        "CERTIFICATE" => "certificate",
        "CERTIFICATE REQUEST" => "certificate request",
        "EC PARAMETERS" => "set of elliptic-curve parameters",
        _ => "block of another kind",
    }
}
