//! Bundles: everything that a signature or a membership needs to be verified, in one piece (VeraId §7.1, §7.2).
//!
//! ```text
//! SignatureBundle ::= SEQUENCE {
//!     version                  [0] INTEGER,
//!     dnssecChain              [1] DnssecChain,
//!     organisationCertificate  [2] Certificate,
//!     signature                [3] ContentInfo }
//!
//! MemberIdBundle ::= SEQUENCE {
//!     version                  [0] INTEGER,
//!     dnssecChain              [1] DnssecChain,
//!     organisationCertificate  [2] Certificate,
//!     memberCertificate        [3] Certificate,
//!     intermediateCertificates [4] SET OF Certificate OPTIONAL }  -- in DomainAuth alone
//! ```
//!
//! All tags are implicit. The version is 0 and always there.

mod member_id;
mod signature;

use der::asn1::AnyRef;
use der::{Decode as _, Encode as _, Tag, TagNumber};
use dnssec::{Chain, Period, RecordType, Timestamp, Work};

pub use member_id::MemberIdBundle;
pub use signature::{BundleOutline, SignatureBundle};
pub(crate) use signature::{SignatureParts, write_signature_bundle};

use crate::asn1::{Value, tag};
use crate::error::{Structure, VerifyError, Within as _};
use crate::name::{Dialect, Organisation};
use crate::policy::Rules;
use crate::verify::{Verification, find_dialect};

/// The only version.
const VERSION: u8 = 0;

/// The four elements of both bundles, and the optional fifth of one.
struct Elements<'a> {
    chain: Value<'a>,
    organisation_certificate: Value<'a>,
    /// The signature or the member certificate.
    main: Value<'a>,
    intermediates: Option<Value<'a>>,
}

impl<'a> Elements<'a> {
    fn read(structure: Structure, der: &'a [u8]) -> Result<Self, VerifyError> {
        let mut elements = Value::whole(der, tag::SEQUENCE, "a SEQUENCE")
            .within_bundle(structure)?
            .reader();
        let mut element = |tag, expected| elements.read(tag, expected).within_bundle(structure);
        let version = element(tag::context(0), "a version, [0]")?;
        if version.small_integer() != Some(VERSION) {
            return Err(VerifyError::UnsupportedBundleVersion { structure });
        }
        let chain = element(tag::context_constructed(1), "a DNSSEC chain, [1]")?;
        let organisation_certificate = element(
            tag::context_constructed(2),
            "an organisation certificate, [2]",
        )?;
        let main = element(
            tag::context_constructed(3),
            match structure {
                Structure::MemberIdBundle => "a member certificate, [3]",
                Structure::SignatureBundle => "a signature, [3]",
            },
        )?;
        let intermediates = match structure {
            Structure::MemberIdBundle => elements
                .optional(tag::context_constructed(4))
                .within_bundle(structure)?,
            Structure::SignatureBundle => None,
        };
        elements.finish().within_bundle(structure)?;
        Ok(Self {
            chain,
            organisation_certificate,
            main,
            intermediates,
        })
    }
}

/// Parses the chain. Offsets in its errors count from the start of the bundle.
fn read_chain(chain: Value<'_>) -> Result<Chain<'_>, VerifyError> {
    Chain::from_der_value(chain.content())
        .map_err(|error| error.at_offset(chain.reader().offset()).into())
}

/// Returns the part of a chain that proves the organisation's records of the dialect for as long as
/// possible from the start of the verifier's period, as DER.
///
/// It may come from a resolver, with more in it than a bundle has to carry.
fn replacement_chain(
    chain_der: &[u8],
    organisation: &Organisation,
    dialect: Dialect,
    verification: &Verification<'_>,
) -> Result<Vec<u8>, VerifyError> {
    let chain = Chain::from_der(chain_der)?;
    let (found, owner) = find_dialect(&chain, organisation)?;
    if found != dialect {
        let owner = organisation.record_owner(dialect);
        return Err(match owner {
            Ok(owner) => VerifyError::NoRecordResponse {
                owner: Box::new(owner),
            },
            Err(error) => VerifyError::RecordOwner(error),
        });
    }
    let start = verification.period().start();
    let from_then_on = Period::new(start, Timestamp::MAX).unwrap_or(Period::at(start));
    let demand = Rules::new(dialect, verification.policy())?.demand(from_then_on, Work::NONE)?;
    let messages = chain.minimal(&owner, RecordType::TXT, verification.anchors(), demand)?;
    Ok(Chain::from_messages(&messages)?.to_der())
}

/// Encodes a bundle. All elements but the version are given as DER with their own tags, which are
/// replaced by the bundle's.
fn write(
    chain: &[u8],
    organisation_certificate: &[u8],
    main: &[u8],
    intermediates: Option<&[u8]>,
) -> der::Result<Vec<u8>> {
    let untagged = |der| AnyRef::from_der(der).map(AnyRef::value);
    let mut elements = vec![
        (false, &[VERSION][..]),
        (true, untagged(chain)?),
        (true, untagged(organisation_certificate)?),
        (true, untagged(main)?),
    ];
    if let Some(intermediates) = intermediates {
        elements.push((true, untagged(intermediates)?));
    }
    let elements: Vec<AnyRef<'_>> = (0..)
        .zip(elements)
        .map(|(number, (constructed, content))| {
            let number = TagNumber(number);
            AnyRef::new(
                Tag::ContextSpecific {
                    constructed,
                    number,
                },
                content,
            )
        })
        .collect::<Result<_, _>>()?;
    elements.to_der()
}
