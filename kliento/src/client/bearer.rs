//! A token that is ready to send.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use veraid::{Period, Timestamp};
use zeroize::Zeroizing;

use super::period;
use crate::{Audience, TokenBundle, VerifyError, header};

/// A token as a client sends it: the value of an `Authorization` field, its audience and its
/// period.
///
/// Cheap to clone. Anybody who has it can use it until it ends, so `Debug` does not show it, and
/// its memory is wiped when the last copy is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    value: HeaderValue,
    audience: Audience,
    period: Period,
}

/// The result of reading a bundle.
pub(super) enum Reading {
    /// A token, whatever its audience and period.
    Token(BearerToken),
    /// A token whose parts are never valid at the same time.
    NeverValid,
}

impl BearerToken {
    /// Reads a bundle in DER, without verifying it. If it has several periods, the one around `now`
    /// is used.
    pub(super) fn read(der: &[u8], now: Timestamp) -> Result<Reading, VerifyError> {
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

    /// The value as text.
    pub fn as_str(&self) -> &str {
        // Base64 after the name of a scheme.
        self.0.value.to_str().unwrap_or_default()
    }

    /// The audience that the token names.
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// The period in which the token, its certificates and its DNSSEC chain claim to be valid
    /// together.
    pub fn period(&self) -> Period {
        self.0.period
    }
}

fn header_value(der: &[u8]) -> Result<HeaderValue, VerifyError> {
    let text = Zeroizing::new(header::encode(der).into_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| {
        VerifyError::MalformedHeader {
            detail: "the token is not a valid value of a header field",
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

/// Does not show the token.
impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BearerToken")
            .field("audience", &self.0.audience)
            .field("period", &self.0.period)
            .finish_non_exhaustive()
    }
}
