//! [`Authorization<Kliento>`](headers::Authorization) for the crate [`headers`], and so for whatever takes typed fields
//! of it.
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
//! `Authorization` reads the first field where there are several. Servers that refuse the rest, as they should, verify
//! away from their async threads, and answer with the right status, are made with [the other modules](super).

use headers::authorization::Credentials;
use http::HeaderValue;

use crate::{Error, MAX_BUNDLE_OCTETS, VerifiedToken, Verifier, header};

/// A token bundle as credentials: read, and not verified, so nothing in it can be relied on yet.
///
/// Its text is canonical Base64 of a length that a bundle can have; the bundle in it was not looked into. Printing it
/// does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kliento {
    /// The field's value as it was written, marked as sensitive.
    value: HeaderValue,
}

impl Kliento {
    /// Credentials from a token bundle's DER octets, as [`issue`](crate::issue) makes them.
    ///
    /// # Errors
    ///
    /// [`Error::BundleTooLarge`], and [`Error::MalformedHeader`] if `bundle` is empty.
    pub fn from_bundle(bundle: &[u8]) -> Result<Self, Error> {
        if bundle.len() > MAX_BUNDLE_OCTETS {
            return Err(Error::BundleTooLarge {
                octets: bundle.len(),
            });
        }
        Self::read(header::encode(bundle).as_bytes())
    }

    /// Verifies them now. A verifier that does not [remember](Verifier::recall_header) them takes its time: see
    /// `kliento::http::VerificationQueue`, which the feature `tower` has.
    ///
    /// # Errors
    ///
    /// As for [`Verifier::verify_header`].
    pub fn verify(&self, verifier: &Verifier) -> Result<VerifiedToken, Error> {
        verifier.verify_header(&self.value)
    }

    /// The bundle's DER octets.
    pub fn unverified_bundle(&self) -> Vec<u8> {
        // It was read once, so the default is never used.
        header::decode(&self.value).unwrap_or_default()
    }

    /// The value of the `Authorization` field, marked as sensitive.
    pub fn as_header_value(&self) -> &HeaderValue {
        &self.value
    }

    fn read(value: &[u8]) -> Result<Self, Error> {
        header::decode(value)?;
        let mut value = HeaderValue::from_bytes(value).map_err(|_| Error::MalformedHeader {
            detail: "the token holds a character that standard Base64 does not have",
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
        // The scheme in its canonical spelling, as `Credentials` asks for, whatever spelling was read.
        let canonical = header::encode(&self.unverified_bundle());
        let mut value = HeaderValue::try_from(canonical).unwrap_or_else(|_| self.value.clone());
        value.set_sensitive(true);
        value
    }
}
