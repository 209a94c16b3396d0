//! The content, and what its signature says of itself: for free, but for one digest.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use dnssec::{Period, Work};

use super::outcome::Verification;
use crate::cms::{SignedData, SignerInfo};
use crate::error::Error;

/// The content: attached or given, never both.
pub(super) fn choose_content<'v, 'a: 'v>(
    signed_data: &SignedData<'a>,
    verification: &Verification<'v>,
) -> Result<Cow<'v, [u8]>, Error> {
    match (&signed_data.content, verification.detached_content) {
        (Some(content), None) => Ok(content.clone()),
        (None, Some(content)) => Ok(Cow::Borrowed(content)),
        (None, None) => Err(Error::MissingContent),
        (Some(_), Some(_)) => Err(Error::UnexpectedContent),
    }
}

pub(super) fn check_service(
    signer: &SignerInfo<'_>,
    expected: ObjectIdentifier,
) -> Result<(), Error> {
    if signer.metadata.service == expected.as_bytes() {
        Ok(())
    } else {
        Err(Error::ServiceMismatch { expected })
    }
}

pub(super) fn check_signature_time(signer: &SignerInfo<'_>, required: Period) -> Result<(), Error> {
    let validity = signer.metadata.period;
    if validity.overlaps(required) {
        Ok(())
    } else {
        Err(Error::signature_time(validity, required))
    }
}

/// The work of reading content, whoever it is for: a unit for so many octets, if it is JSON of many small members.
pub(super) fn work_of_content(content: &[u8]) -> Work {
    const OCTETS_PER_UNIT: usize = 32;
    let units = content.len() / OCTETS_PER_UNIT;
    Work::from_units(u32::try_from(units).unwrap_or(u32::MAX))
}
