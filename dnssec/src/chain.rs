//! The set of DNS responses from which a fact is proven, with its DER form. `verify` implements
//! look-ups in it.
//!
//! On the wire a chain is a DER `SET OF OCTET STRING`, each string a whole DNS message (RFC 1035).
//! Their order is irrelevant, and messages that a proof does not need are ignored.

use std::collections::HashSet;
use std::hash::Hash;

use der::asn1::{OctetStringRef, SetOfVec};
use der::{Decode, Encode, Header, Reader, SliceReader, Tag};
use smallvec::{Array, SmallVec};

use crate::authentication_chain::starts_with_record;
use crate::budget::{MAX_RECORDS, MAX_RESPONSES, max_name_steps};
use crate::error::Error;
use crate::message::{Response, TOO_MANY_RESPONSES};
use crate::name::Name;
use crate::record::RecordType;

/// DNS responses that were read once and are borrowed.
///
/// Its data prove nothing until [`Chain::verify`] returns a [`Proof`](crate::Proof).
#[derive(Clone, Debug, Default)]
pub struct Chain<'a> {
    responses: Vec<Response<'a>>,
}

impl<'a> Chain<'a> {
    /// Reads a DER `SET OF OCTET STRING` that takes up all of `der`. The order of the strings is
    /// not checked.
    pub fn from_der(der: &'a [u8]) -> Result<Self, Error> {
        let set = read_set(der).map_err(|error| hint_at_authentication_chain(error, der))?;
        let content_offset = der.len() - set.len();
        Self::from_octet_strings(set, content_offset)
    }

    /// Reads the content octets of such a SET, without its tag and length: the form that the SET
    /// has inside a structure with another tag.
    pub fn from_der_value(content: &'a [u8]) -> Result<Self, Error> {
        Self::from_octet_strings(content, 0)
    }

    fn from_octet_strings(content: &'a [u8], content_offset: usize) -> Result<Self, Error> {
        let within_chain = |error: Error| error.at_offset(content_offset);
        // The usual number for an answer below four zones, with the keys and the delegation of
        // each.
        let mut messages: SmallVec<[_; 8]> = SmallVec::new();
        if !content.is_empty() {
            let mut reader = SliceReader::new(content)
                .map_err(malformed_chain)
                .map_err(within_chain)?;
            while !reader.is_finished() {
                messages.push(read_value(&mut reader, Tag::OctetString).map_err(within_chain)?);
                if messages.len() > MAX_RESPONSES {
                    return Err(TOO_MANY_RESPONSES);
                }
            }
        }
        Self::from_messages(messages)
    }

    /// Reads DNS messages as a resolver sent them: a `&Vec<Vec<u8>>`, or slices of octets.
    pub fn from_messages<M: AsRef<[u8]> + ?Sized + 'a>(
        messages: impl IntoIterator<Item = &'a M>,
    ) -> Result<Self, Error> {
        let messages = messages.into_iter().map(AsRef::as_ref);
        let (count, _) = messages.size_hint();
        let mut responses = Vec::with_capacity(count.min(MAX_RESPONSES));
        let (mut records, mut name_steps, mut length) = (0, 0, 0_usize);
        for (index, octets) in messages.enumerate() {
            if index >= MAX_RESPONSES {
                return Err(TOO_MANY_RESPONSES);
            }
            let response = Response::parse(octets)
                .map_err(|source| Error::MalformedResponse { index, source })?;
            records += response.answers().len() + response.others().len();
            if records > MAX_RECORDS {
                return Err(Error::ChainTooLarge {
                    what: "records",
                    limit: MAX_RECORDS,
                });
            }
            length = length.saturating_add(octets.len());
            name_steps += response.name_steps();
            if name_steps > max_name_steps(length) {
                return Err(Error::ChainTooLarge {
                    what: "labels in names",
                    limit: max_name_steps(length),
                });
            }
            responses.push(response);
        }
        Ok(Self { responses })
    }

    /// Writes the chain as DER: sorted, without duplicates.
    pub fn to_der(&self) -> Vec<u8> {
        encode_der(self.messages())
    }

    /// The messages, in the order in which they were read.
    pub fn messages(&self) -> impl Iterator<Item = &'a [u8]> {
        self.responses.iter().map(Response::octets)
    }

    /// The responses, in the order in which they were read. They are not verified.
    pub fn responses(&self) -> &[Response<'a>] {
        &self.responses
    }

    /// Returns true if a response echoes the question for `record_type` at `name`. Verifies
    /// nothing.
    pub fn has_response_to(&self, name: &Name, record_type: RecordType) -> bool {
        let mut responses = self.responses.iter();
        responses.any(|response| response.answers_question(name, record_type))
    }

    /// Returns true if a response to the question for `record_type` at `name` has such records, or
    /// an alias to them: a CNAME, or a DNAME above. Responses with an error code do not count.
    ///
    /// Verifies nothing: this tells what a chain is meant to prove, before it is verified.
    pub fn has_answer_to(&self, name: &Name, record_type: RecordType) -> bool {
        self.responses.iter().any(|response| {
            response.is_an_answer()
                && response.answers_question(name, record_type)
                && response.has_records_or_alias(name, record_type)
        })
    }

    /// The different responses to this question.
    pub(crate) fn responses_to(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> SmallVec<[&Response<'a>; 2]> {
        let mut responses: SmallVec<[&Response<'a>; 2]> = self
            .responses
            .iter()
            .filter(|response| response.answers_question(name, record_type))
            .collect();
        keep_each_once(&mut responses, |response| response.message());
        responses
    }
}

/// Removes from `items` each item that has the same `key` as an earlier one.
pub(crate) fn keep_each_once<A: Array, K: Eq + Hash>(
    items: &mut SmallVec<A>,
    key: impl Fn(&A::Item) -> K,
) {
    // Usually there is one item, so a hash set would be a waste.
    if items.len() > 1 {
        let mut seen = HashSet::with_capacity(items.len());
        items.retain(|item| seen.insert(key(item)));
    }
}

/// Returns the content of a DER SET that takes up all of `der`.
fn read_set(der: &[u8]) -> Result<&[u8], Error> {
    let mut reader = SliceReader::new(der).map_err(malformed_chain)?;
    let set = read_value(&mut reader, Tag::Set)?;
    reader.finish().map_err(malformed_chain)?;
    Ok(set)
}

/// Adds a hint on the probable form of octets that are not DER.
fn hint_at_authentication_chain(error: Error, octets: &[u8]) -> Error {
    match error {
        Error::MalformedChain { offset, problem } if starts_with_record(octets) => {
            Error::MalformedChain {
                offset,
                problem: format!(
                    "{problem} (it looks like an AuthenticationChain of RFC 9102, which is read otherwise)"
                ),
            }
        }
        other => other,
    }
}

/// Reads one element with `tag` and a definite length, and returns its content.
fn read_value<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<&'a [u8], Error> {
    let offset = usize::try_from(reader.position()).unwrap_or(usize::MAX);
    let header = Header::decode(reader).map_err(malformed_chain)?;
    if header.tag() != tag {
        return Err(Error::MalformedChain {
            offset,
            problem: format!("expected {tag}, found {}", header.tag()),
        });
    }
    reader.read_slice(header.length()).map_err(malformed_chain)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn malformed_chain(error: der::Error) -> Error {
    Error::MalformedChain {
        offset: error
            .position()
            .and_then(|position| usize::try_from(position).ok())
            .unwrap_or(0),
        problem: error.kind().to_string(),
    }
}

/// Writes messages as a DER `SET OF OCTET STRING`: sorted, without duplicates.
fn encode_der<'m>(messages: impl Iterator<Item = &'m [u8]>) -> Vec<u8> {
    let mut messages: Vec<&[u8]> = messages.collect();
    messages.sort_unstable();
    messages.dedup();
    messages
        .into_iter()
        .map(OctetStringRef::new)
        .collect::<Result<Vec<_>, _>>()
        .and_then(SetOfVec::try_from)
        .and_then(|set| set.to_der())
        // This cannot fail: a message has at most 65,535 octets and a chain 512 messages, far from
        // the 256 MiB that `der` can write.
        .unwrap_or_default()
}
