//! Asking a resolver for a chain: the one part of this crate that does I/O.
//!
//! The questions follow the signatures. The answer's RRSIG names the zone that signed it; that zone's DNSKEY and DS
//! RRsets are asked for, the DS's RRSIG names the next zone up, and so on until a zone that an anchor is about. Every
//! query has DO set, so that signatures come along (RFC 3225), and CD, so that a validating resolver hands over what it
//! has rather than its own verdict (RFC 4035 §3.2.2).
//!
//! Nothing is returned that did not verify; and of what verified only what the proof needs.

mod client;
mod error;
mod resolver;
mod shrink;

pub use client::Client;
pub use error::RetrievalError;
pub use resolver::{Resolver, ResolverError};

use crate::anchor::{TrustAnchor, TrustAnchors};
use crate::chain::{Chain, encode_der};
use crate::error::{Error, RrsetId};
use crate::message::{Record, Response};
use crate::name::Name;
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::Period;

/// Retrieves what proves the RRset of `record_type` at `name`, and proves it for the moment `at`.
///
/// Gives the chain as a DER `SET OF OCTET STRING`: for each zone from the anchor's down a DNSKEY and, the anchor's zone
/// aside, a DS response, and the answer; each with one RRSIG, and with nothing that the proof does not need.
///
/// Needs a Tokio runtime with I/O and time enabled. Each query takes ten seconds at most, retries included.
///
/// ```no_run
/// use dnssec::{Chain, Period, RecordType, Resolver, Timestamp, TrustAnchors, retrieve};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let name = "_veraid.example.com".parse()?;
/// let anchors = TrustAnchors::iana();
/// let now = Timestamp::from(std::time::SystemTime::now());
/// let resolver: Resolver = "https://1.1.1.1/dns-query".parse()?;
///
/// let der = retrieve(&name, RecordType::TXT, &resolver, &anchors, now).await?;
/// // … and on any machine, with no network:
/// let proof = Chain::from_der(&der)?.verify(&name, RecordType::TXT, &anchors, Period::at(now))?;
/// println!("proven for {}", proof.validity());
/// # Ok(())
/// # }
/// ```
pub async fn retrieve(
    name: &Name,
    record_type: RecordType,
    resolver: &Resolver,
    anchors: &TrustAnchors,
    at: Timestamp,
) -> Result<Vec<u8>, RetrievalError> {
    let client = Client::connect(resolver).await?;
    let messages = collect(name, record_type, &client, anchors).await?;
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    chain.verify(name, record_type, anchors, Period::at(at))?;
    let minimal = shrink::shrink(&chain, name, record_type, anchors, at);
    Ok(encode_der(minimal.iter().map(Vec::as_slice)))
}

/// Follows the signatures from the answer up to an anchor.
async fn collect(
    name: &Name,
    record_type: RecordType,
    client: &Client,
    anchors: &TrustAnchors,
) -> Result<Vec<Vec<u8>>, RetrievalError> {
    let answer = ask(client, name, record_type).await?;
    let mut signer = signer_of(&answer, name, record_type)?;
    let mut messages = vec![answer];
    // Each zone lies above the one before, so this ends.
    while let Some(zone) = signer {
        if zone.is_root() || anchors.of(&zone).next().is_some() {
            messages.push(ask(client, &zone, RecordType::DNSKEY).await?);
            return Ok(messages);
        }
        let (dnskey, ds) = tokio::join!(
            ask(client, &zone, RecordType::DNSKEY),
            ask(client, &zone, RecordType::DS)
        );
        let ds = ds?;
        messages.push(dnskey?);
        signer = match signer_of(&ds, &zone, RecordType::DS) {
            Err(RetrievalError::NoSuchRecord(_)) => {
                return Err(RetrievalError::NoDelegationSigner(zone));
            }
            found => found?.filter(|parent| *parent != zone),
        };
        messages.push(ds);
    }
    Err(why_unsigned(client, name, anchors).await)
}

/// Asks one question, and takes only a response that says something.
async fn ask(
    client: &Client,
    name: &Name,
    record_type: RecordType,
) -> Result<Vec<u8>, RetrievalError> {
    let rrset = || RrsetId {
        owner: name.clone(),
        record_type,
    };
    let octets = client.query(name, record_type).await?;
    let response =
        Response::parse(&octets).map_err(|source| RetrievalError::MalformedResponse {
            rrset: rrset(),
            source,
        })?;
    if !response.is_an_answer() {
        return Err(RetrievalError::ResponseCode {
            rrset: rrset(),
            response_code: response.response_code(),
        });
    }
    Ok(octets)
}

/// The zone that signed what the response answers, the lowest if several did; `None` if it is unsigned.
fn signer_of(
    octets: &[u8],
    name: &Name,
    record_type: RecordType,
) -> Result<Option<Name>, RetrievalError> {
    let rrset = RrsetId {
        owner: name.clone(),
        record_type,
    };
    let response = Response::parse(octets).map_err(|source| RetrievalError::MalformedResponse {
        rrset: rrset.clone(),
        source,
    })?;
    let answered = |record: &Record<'_>| {
        record.belongs_to(name, record_type) || record.belongs_to(name, RecordType::CNAME)
    };
    if !response.answers().iter().any(answered) {
        return Err(RetrievalError::NoSuchRecord(rrset));
    }
    let signers = response
        .answers()
        .iter()
        .filter(|record| record.belongs_to(name, RecordType::RRSIG))
        .filter_map(Record::rrsig)
        .map(|rrsig| rrsig.signer)
        .filter(|signer| name.is_within(signer));
    Ok(signers.max_by_key(Name::label_count))
}

/// Tells a resolver that strips signatures from a domain that has none: the zones that the anchors are about are signed,
/// so their DNSKEY RRsets must come with RRSIGs.
async fn why_unsigned(client: &Client, name: &Name, anchors: &TrustAnchors) -> RetrievalError {
    let anchored = anchors
        .iter()
        .map(TrustAnchor::owner)
        .filter(|owner| name.is_within(owner))
        .max_by_key(|owner| owner.label_count());
    let Some(zone) = anchored else {
        return Error::NoTrustAnchor(name.clone()).into();
    };
    let signed = match ask(client, zone, RecordType::DNSKEY).await {
        Ok(octets) => signer_of(&octets, zone, RecordType::DNSKEY),
        Err(error) => return error,
    };
    match signed {
        Ok(Some(_)) => RetrievalError::Unsigned(name.clone()),
        _ => RetrievalError::SignaturesStripped(zone.clone()),
    }
}
