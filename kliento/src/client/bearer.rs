//! A token that is ready to be sent.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use veraid::{Period, Timestamp};
use zeroize::Zeroizing;

use super::period;
use crate::{Audience, Error, TokenBundle, header};

/// A token as a client sends it: the value of an `Authorization` field, whom it is for and when it holds.
///
/// Cheap to clone. Whoever has it can use it until it ends, so `Debug` does not show it, and its memory is wiped when the
/// last copy goes.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    value: HeaderValue,
    audience: Audience,
    period: Period,
}

/// What a bundle turned out to be.
pub(super) enum Reading {
    /// A token, for whomever and whenever it may be.
    Token(BearerToken),
    /// A token whose parts hold at no one time.
    NeverValid,
}

impl BearerToken {
    /// Reads a bundle's DER, and verifies none of it. Where it holds more than once, the period is the one around `now`.
    pub(super) fn read(der: &[u8], now: Timestamp) -> Result<Reading, Error> {
        let bundle = TokenBundle::from_der(der)?;
        let (audience, _) = bundle.unverified_token()?.into_parts();
        let Some(period) = period::claimed(bundle.signature_bundle(), now) else {
            return Ok(Reading::NeverValid);
        };
        Ok(Reading::Token(Self(Arc::new(Inner {
            value: header_value(der)?,
            audience,
            period,
        }))))
    }

    /// The value of the `Authorization` field that carries it, `Kliento MII…`, marked as sensitive.
    pub fn header_value(&self) -> HeaderValue {
        self.0.value.clone()
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        // Base64 behind the name of a scheme.
        self.0.value.to_str().unwrap_or_default()
    }

    /// Whom it says it is for.
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// When it says that it holds: it, its certificates and its DNSSEC chain together.
    pub fn period(&self) -> Period {
        self.0.period
    }
}

fn header_value(der: &[u8]) -> Result<HeaderValue, Error> {
    let text = Zeroizing::new(header::encode(der).into_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| {
        Error::MalformedHeader {
            detail: "the token is no value of a header field",
        }
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl AsRef<str> for BearerToken {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Without the token.
impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BearerToken")
            .field("audience", &self.0.audience)
            .field("period", &self.0.period)
            .finish_non_exhaustive()
    }
}
