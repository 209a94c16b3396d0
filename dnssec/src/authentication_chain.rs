//! Reads the `AuthenticationChain` of RFC 9102 §2.3: the records of a chain without the messages.
//!
//! It is a list of resource records in uncompressed wire form, in any order. Sorted into one
//! message for each RRset they make an ordinary [`Chain`](crate::Chain), and are verified by the
//! same code. [`Chain::to_authentication_chain`](crate::Chain::to_authentication_chain) writes such
//! lists.

use crate::budget::{MAX_RECORDS, MAX_RESPONSES};
use crate::error::Error;
use crate::message::{CLASS_IN, NOERROR, TOO_MANY_RESPONSES};
use crate::name::Name;
use crate::rdata::{Rrsig, split_u16, split_u32};
use crate::record::{RecordType, has_compressed_name};
use crate::writer::{NewRecord, NewResponse};

/// The maximum length in the TLS extension (RFC 9102 §2.3).
pub(crate) const MAX_AUTHENTICATION_CHAIN_OCTETS: usize = 65_535;

/// An RRset and the RRSIGs over it.
struct SignedRecords<'r> {
    owner: Name,
    record_type: RecordType,
    records: Vec<WireRecord<'r>>,
}

/// A record in wire form, without its owner.
struct WireRecord<'r> {
    record_type: RecordType,
    ttl: u32,
    rdata: &'r [u8],
}

/// Sorts the records of an `AuthenticationChain` into DNS messages, one for each RRset.
///
/// [`Chain::from_authentication_chain`](crate::Chain::from_authentication_chain) does this and
/// reads the messages. This function is for callers that keep the chain in another form.
///
/// `records` is the list itself, without the `ExtSupportLifetime` that precedes it in the TLS
/// extension.
///
/// ```
/// use dnssec::{Chain, messages_from_authentication_chain};
/// # let records: &[u8] = b"\x01a\x00\x00\x10\x00\x01\x00\x00\x00\x01\x00\x02\x01x";
///
/// let messages = messages_from_authentication_chain(records)?;
/// let chain = Chain::from_messages(&messages)?;
/// # assert_eq!(chain.responses().len(), 1);
/// # Ok::<(), dnssec::Error>(())
/// ```
pub fn messages_from_authentication_chain(records: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut rrsets: Vec<SignedRecords<'_>> = Vec::new();
    let mut rest = records;
    let mut count = 0;
    while !rest.is_empty() {
        count += 1;
        if count > MAX_RECORDS {
            return Err(Error::ChainTooLarge {
                what: "records",
                limit: MAX_RECORDS,
            });
        }
        let offset = records.len() - rest.len();
        let (owner, record, after) = split_record(rest).ok_or_else(|| Error::MalformedChain {
            offset,
            problem: problem_of(records),
        })?;
        rest = after;
        add(&mut rrsets, owner, record);
        if rrsets.len() > MAX_RESPONSES {
            return Err(TOO_MANY_RESPONSES);
        }
    }
    rrsets.iter().map(SignedRecords::to_message).collect()
}

/// Describes the problem with a list that does not consist of records, and its probable form.
fn problem_of(records: &[u8]) -> String {
    /// The length of the `ExtSupportLifetime` (RFC 9102 §2.3).
    const LIFETIME_OCTETS: usize = 2;
    /// The tag of a DER SET.
    const DER_SET: u8 = 0x31;
    let expected = "expected an AuthenticationChain of RFC 9102, whole resource records in class IN with uncompressed names";
    let without_lifetime = records.get(LIFETIME_OCTETS..).unwrap_or_default();
    if records.first() == Some(&DER_SET) {
        format!("{expected} (it looks like a DER SET OF OCTET STRING, which is read otherwise)")
    } else if starts_with_record(without_lifetime) {
        format!(
            "{expected} (it looks like one behind the ExtSupportLifetime of the TLS extension: leave these two bytes out)"
        )
    } else {
        expected.into()
    }
}

/// Returns true if the octets begin with a whole record in class IN.
pub(crate) fn starts_with_record(octets: &[u8]) -> bool {
    split_record(octets).is_some()
}

/// Splits the first record off the octets (RFC 1035 §4.1.3).
fn split_record(octets: &[u8]) -> Option<(Name, WireRecord<'_>, &[u8])> {
    let (owner, rest) = Name::split_wire(octets).ok()?;
    let (record_type, rest) = split_u16(rest)?;
    let (class, rest) = split_u16(rest)?;
    let (ttl, rest) = split_u32(rest)?;
    let (length, rest) = split_u16(rest)?;
    let (rdata, rest) = rest.split_at_checked(length.into())?;
    let record = WireRecord {
        record_type: RecordType(record_type),
        ttl,
        rdata,
    };
    // A pointer would lead into a message that the sender never made (RFC 9102 §2.3).
    let is_readable = class == CLASS_IN && !has_compressed_name(record.record_type, rdata);
    is_readable.then_some((owner, record, rest))
}

/// Adds a record to those of its RRset. An RRSIG belongs to the RRset that it covers.
fn add<'r>(rrsets: &mut Vec<SignedRecords<'r>>, owner: Name, record: WireRecord<'r>) {
    let record_type = match record.record_type {
        RecordType::RRSIG => Rrsig::parse(record.rdata).map(|rrsig| rrsig.type_covered),
        _ => None,
    }
    .unwrap_or(record.record_type);
    let same =
        |rrset: &&mut SignedRecords<'_>| rrset.record_type == record_type && rrset.owner == owner;
    match rrsets.iter_mut().find(same) {
        Some(rrset) => rrset.records.push(record),
        None => rrsets.push(SignedRecords {
            owner,
            record_type,
            records: vec![record],
        }),
    }
}

impl<'r> SignedRecords<'r> {
    fn to_message(&self) -> Result<Vec<u8>, Error> {
        let record = |record: &WireRecord<'r>| NewRecord {
            owner: &self.owner,
            record_type: record.record_type,
            ttl: record.ttl,
            rdata: record.rdata,
        };
        let response = NewResponse {
            name: &self.owner,
            record_type: self.record_type,
            response_code: NOERROR,
            answers: self.records.iter().map(record).collect(),
            authorities: Vec::new(),
        };
        response.to_message().ok_or(Error::ChainTooLarge {
            what: "bytes in one RRset",
            limit: usize::from(u16::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Period, Timestamp, TrustAnchors};
    use kliento_fixtures::{Algorithm, TXT, World};

    const AT: i64 = 1_795_262_400;

    fn world() -> World {
        World::builder()
            .at(AT)
            .zone(".", Algorithm::Ed25519)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP256Sha256)
            .txt("_veraid.example.com.", "b")
            .txt("_veraid.example.com.", "a")
            .build()
    }

    /// All records of the world's chain, concatenated.
    fn authentication_chain(world: &World) -> Vec<u8> {
        let mut records = Vec::new();
        for response in world.responses("_veraid.example.com.", TXT).0 {
            for record in response.answers {
                records.extend(record.to_wire());
            }
        }
        records
    }

    #[test]
    fn proves_what_the_same_records_in_messages_prove() {
        let world = world();
        let anchors: TrustAnchors = world.anchors().parse().unwrap();
        let name: Name = "_veraid.example.com".parse().unwrap();
        let at = Period::at(Timestamp::from_unix_seconds(AT));
        let by_messages = world.chain("_veraid.example.com.", TXT);
        let by_records = messages_from_authentication_chain(&authentication_chain(&world)).unwrap();
        let proof = |messages: &[Vec<u8>]| {
            let messages = messages.iter().map(Vec::as_slice);
            let chain = Chain::from_messages(messages).unwrap();
            let proof = chain.verify(&name, RecordType::TXT, &anchors, at).unwrap();
            (
                proof.validity().clone(),
                proof.rdata().map(<[u8]>::to_vec).collect::<Vec<_>>(),
            )
        };
        assert_eq!(proof(&by_records), proof(&by_messages));
    }

    #[test]
    fn every_prefix_is_refused_or_lacks_records() {
        let records = authentication_chain(&world());
        let whole = messages_from_authentication_chain(&records).unwrap();
        for length in 0..records.len() {
            match messages_from_authentication_chain(&records[..length]) {
                Ok(messages) => assert_ne!(messages, whole),
                Err(error) => assert!(error.is_malformed()),
            }
        }
    }

    #[test]
    fn refuses_other_classes_and_compressed_names() {
        for records in [
            &b"\x00\x00\x10\x00\x03\x00\x00\x00\x01\x00\x01\x00"[..],
            b"\xc0\x00\x00\x10\x00\x01\x00\x00\x00\x01\x00\x01\x00",
        ] {
            let refusal = messages_from_authentication_chain(records).unwrap_err();
            assert_eq!(refusal.reason(), "dnssec.malformed_chain");
        }
    }

    /// The record's message has its owner at offset 12, so that the target can be read there: `a.b.`.
    #[test]
    fn refuses_compressed_names_in_data() {
        let alias = |target: &[u8]| {
            let length = u8::try_from(target.len()).unwrap();
            [
                b"\x01c\x01b\x00\x00\x05\x00\x01\x00\x00\x00\x01\x00",
                &[length][..],
                target,
            ]
            .concat()
        };
        assert!(messages_from_authentication_chain(&alias(b"\x01a\x01b\x00")).is_ok());
        let refusal = messages_from_authentication_chain(&alias(b"\x01a\xc0\x0e")).unwrap_err();
        assert_eq!(refusal.reason(), "dnssec.malformed_chain");
    }

    #[test]
    fn is_bounded() {
        let record = b"\x00\x00\x10\x00\x01\x00\x00\x00\x01\x00\x01\x00";
        let refusal =
            messages_from_authentication_chain(&record.repeat(MAX_RECORDS + 1)).unwrap_err();
        assert_eq!(refusal.reason(), "dnssec.chain_too_large");
        // As many RRsets as a chain may have responses, and one more.
        let rrsets = |count: usize| {
            let record = |number: usize| format!("\x04{number:04}\0\0\x10\0\x01\0\0\0\x01\0\x01\0");
            let records: String = (0..count).map(record).collect();
            messages_from_authentication_chain(records.as_bytes())
        };
        assert_eq!(rrsets(MAX_RESPONSES).unwrap().len(), MAX_RESPONSES);
        assert_eq!(rrsets(MAX_RESPONSES + 1), Err(TOO_MANY_RESPONSES));
        let large = [
            &b"\x00\x00\x10\x00\x01\x00\x00\x00\x01\xff\xff"[..],
            &vec![0; 65_535],
        ]
        .concat();
        let refusal = messages_from_authentication_chain(&large).unwrap_err();
        assert_eq!(refusal.reason(), "dnssec.chain_too_large");
    }
}
