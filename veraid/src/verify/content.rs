//! The content, and the service and period of its signature: checks that cost at most one digest.

use std::borrow::Cow;

use dnssec::Period;

use super::outcome::{Given, Verification};
use crate::cms::{SignedData, SignerInfo};
use crate::content::SignedContent;
use crate::error::VerifyError;
use crate::service::ServiceOid;

/// Selects the content, which must be either attached or given, but not both.
pub(super) fn choose_content<'v, 'a: 'v>(
    signed_data: &SignedData<'a>,
    verification: &Verification<'v>,
) -> Result<SignedContent<'v>, VerifyError> {
    match (&signed_data.content, verification.given) {
        (Some(content), Given::Nothing) => Ok(SignedContent::Octets(content.clone())),
        (None, Given::Content(content)) => Ok(SignedContent::Octets(Cow::Borrowed(content))),
        (None, Given::Digest(digest)) => Ok(SignedContent::Digest(digest)),
        (None, Given::Nothing) => Err(VerifyError::MissingContent),
        (Some(_), Given::Content(_) | Given::Digest(_)) => Err(VerifyError::UnexpectedContent),
    }
}

/// The service that the signature must be for.
pub(super) fn demanded_service(verification: &Verification<'_>) -> Result<ServiceOid, VerifyError> {
    verification.service.ok_or(VerifyError::NoService)
}

pub(super) fn check_service(
    signer: &SignerInfo<'_>,
    expected: ServiceOid,
) -> Result<(), VerifyError> {
    if signer.metadata.service == expected.as_der_content() {
        Ok(())
    } else {
        Err(VerifyError::ServiceMismatch { expected })
    }
}

pub(super) fn check_signature_time(
    signer: &SignerInfo<'_>,
    required: Period,
) -> Result<(), VerifyError> {
    let validity = signer.metadata.period;
    if validity.overlaps(required) {
        Ok(())
    } else {
        Err(VerifyError::signature_time(validity, required))
    }
}
