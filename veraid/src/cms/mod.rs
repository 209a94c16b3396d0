//! CMS `SignedData` as VeraId uses it (RFC 5652 §5; VeraId §4.4): one `SignerInfo` with `issuerAndSerialNumber` and signed
//! attributes, over id-data.
//!
//! Reading is done here alone, and so leniently that it takes all that VeraId's reference library writes. Writing is DER, and
//! is all that the crate `cms` is used for.

mod read;
mod write;

pub(crate) use read::{SignedData, SignerInfo, SignerOctets};
pub(crate) use write::{PreparedSignedData, SigningRequest};
