//! [`Authorization<Kliento>`](headers::Authorization) for the crate [`headers`], and for frameworks
//! that use its typed fields.
//!
//! ```
//! use headers::{Authorization, HeaderMap, HeaderMapExt};
//! use kliento::Token;
//! use kliento::http::headers::Kliento;
//! use kliento::testing::TrustChain;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let chain = TrustChain::new("example.com", "alice");
//! # let bundle = chain.token(&Token::new("https://api.example.com".parse()?));
//! let mut fields = HeaderMap::new();
//! fields.typed_insert(Authorization(Kliento::from_bundle(&bundle)?));
//!
//! let Authorization(credentials) = fields.typed_get::<Authorization<Kliento>>().ok_or("no token")?;
//! let token = credentials.verify(&chain.verifier("https://api.example.com"))?;
//! assert_eq!(token.subject(), "alice@example.com");
//! # Ok(())
//! # }
//! ```
//!
//! If there are several fields, `Authorization` reads the first. A server should refuse such
//! requests, verify outside of its async threads, and answer with the right status: [the other
//! modules](super) do all of that.

use headers::authorization::Credentials;
use http::HeaderValue;

use crate::{MAX_BUNDLE_OCTETS, VerifiedToken, Verifier, VerifyError, header};

/// A token bundle as credentials. It was read and not verified, so don't rely on its content yet.
///
/// Its text is canonical Base64 of a permitted length. The bundle was not read. `Debug` output does
/// not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kliento {
    /// The field's value as it was written, marked as sensitive.
    value: HeaderValue,
}

impl Kliento {
    /// Credentials from a token bundle in DER, as [`issue`](crate::issue) makes it.
    ///
    /// # Errors
    ///
    /// [`VerifyError::BundleTooLarge`], and [`VerifyError::MalformedHeader`] if `bundle` is empty.
    pub fn from_bundle(bundle: &[u8]) -> Result<Self, VerifyError> {
        if bundle.len() > MAX_BUNDLE_OCTETS {
            return Err(VerifyError::BundleTooLarge {
                octets: bundle.len(),
            });
        }
        Self::read(header::encode(bundle).as_bytes())
    }

    /// Verifies them on this thread. Unless the verifier [remembers](Verifier::recall_header) them,
    /// that takes some time: see `kliento::http::VerificationQueue` in the feature `tower`.
    ///
    /// # Errors
    ///
    /// As for [`Verifier::verify_header`].
    pub fn verify(&self, verifier: &Verifier) -> Result<VerifiedToken, VerifyError> {
        verifier.verify_header(&self.value)
    }

    /// The bundle in DER.
    pub fn unverified_bundle(&self) -> Vec<u8> {
        // It was read once, so the default is never used.
        header::decode(&self.value).unwrap_or_default()
    }

    /// The value of the `Authorization` field, marked as sensitive.
    pub fn as_header_value(&self) -> &HeaderValue {
        &self.value
    }

    fn read(value: &[u8]) -> Result<Self, VerifyError> {
        header::decode(value)?;
        let mut value =
            HeaderValue::from_bytes(value).map_err(|_| VerifyError::MalformedHeader {
                detail: "the token contains a character that is not standard Base64",
            })?;
        value.set_sensitive(true);
        Ok(Self { value })
    }
}

impl Credentials for Kliento {
    const SCHEME: &'static str = header::SCHEME;

    fn decode(value: &HeaderValue) -> Option<Self> {
        Self::read(value.as_bytes()).ok()
    }

    fn encode(&self) -> HeaderValue {
        // The scheme in its canonical spelling, as `Credentials` asks for, whatever spelling was
        // read.
        let canonical = header::encode(&self.unverified_bundle());
        let mut value = HeaderValue::try_from(canonical).unwrap_or_else(|_| self.value.clone());
        value.set_sensitive(true);
        value
    }
}
