//! CMS `SignedData` in the profile of VeraId (RFC 5652 §5; VeraId §4.4): one `SignerInfo` with
//! `issuerAndSerialNumber` and signed attributes, over id-data.
//!
//! The parser here is lenient enough to accept everything that VeraId's reference library writes.
//! The crate `cms` is only used for writing, which is in DER.

mod read;
mod write;

pub(crate) use read::{SignedData, SignerInfo, SignerOctets};
pub(crate) use write::{PreparedSignedData, SigningRequest};
