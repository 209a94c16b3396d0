//! DNS messages read in place (RFC 1035 §4).
//!
//! Signatures cover records as they were received. So nothing is decoded here that would have to be
//! encoded again: a [`Record`] points into its message. Reading checks every name, length and count
//! of all four sections once; a message that was read can be walked without further checks. Of the
//! flags only the response code is kept: the flags of a message in a chain prove nothing.

use std::borrow::Cow;

use crate::budget::{MAX_RESPONSES, max_name_steps};
use crate::error::{Error, MessageError};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::{RecordType, canonical_rdata};
use crate::wire_name::WireName;

/// The response codes of responses that are examined. The signed records decide between the two.
pub(crate) const NOERROR: u16 = 0;
pub(crate) const NXDOMAIN: u16 = 3;
/// Class IN, the only one with DNSSEC.
pub(crate) const CLASS_IN: u16 = 1;
const HEADER_OCTETS: usize = 12;
/// The longest message that its length prefix over TCP can describe (RFC 1035 §4.2.2).
pub(crate) const MAX_MESSAGE_OCTETS: usize = 65_535;
/// The octets before the question that are irrelevant to facts: the ID and the flags.
const UNSIGNED_HEADER_OCTETS: usize = 4;

/// The error for a chain that has too many responses.
pub(crate) const TOO_MANY_RESPONSES: Error = Error::ChainTooLarge {
    what: "responses",
    limit: MAX_RESPONSES,
};

type Result<T> = std::result::Result<T, MessageError>;

/// One DNS message: a question, and a server's response to it.
#[derive(Clone, Debug)]
pub struct Response<'m> {
    octets: &'m [u8],
    response_code: u16,
    question: Option<Question<'m>>,
    records: Vec<Record<'m>>,
    /// The index in `records` at which the authority section starts.
    answer_count: usize,
    /// The number of labels and pointers in all names.
    name_steps: usize,
}

/// The question that a message echoes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'m> {
    pub(crate) name: WireName<'m>,
    pub(crate) record_type: RecordType,
    pub(crate) class: u16,
}

impl<'m> Response<'m> {
    /// Reads a message that takes up all of `octets`.
    pub fn parse(octets: &'m [u8]) -> std::result::Result<Self, MessageError> {
        let mut reader = Reader {
            octets,
            position: 0,
            steps: 0,
        };
        if octets.len() > MAX_MESSAGE_OCTETS {
            return Err(reader.error("a message of more than 65,535 bytes"));
        }
        let _id = reader.u16()?;
        let flags = reader.u16()?;
        let question_count = reader.u16()?;
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?];

        let mut question = None;
        for _ in 0..question_count {
            let read = reader.question()?;
            // With several questions it is undefined which one the response answers.
            question = (question_count == 1).then_some(read);
        }

        let mut response_code = flags & 0xf;
        let mut records = Vec::with_capacity(usize::from(counts[0]).min(8));
        for count in counts {
            for _ in 0..count {
                let record = reader.record()?;
                if record.record_type == RecordType::OPT {
                    // The upper eight bits of the response code (RFC 6891 §6.1.3).
                    let [extended, ..] = record.ttl.to_be_bytes();
                    response_code |= u16::from(extended) << 4;
                }
                records.push(record);
            }
        }
        if reader.position != octets.len() {
            return Err(reader.error("bytes after the last record"));
        }
        Ok(Self {
            octets,
            response_code,
            question,
            records,
            answer_count: usize::from(counts[0]),
            name_steps: reader.steps,
        })
    }

    /// The message as it was received.
    pub fn octets(&self) -> &'m [u8] {
        self.octets
    }

    /// The response code, with EDNS's upper bits: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN. No signature covers it.
    pub fn response_code(&self) -> u16 {
        self.response_code
    }

    /// The response code of a server for which the name exists (RFC 1035 §4.1.1).
    pub const NOERROR: u16 = NOERROR;
    /// The response code of a server for which the name does not exist (RFC 1035 §4.1.1).
    pub const NXDOMAIN: u16 = NXDOMAIN;

    /// Returns true if the response code is NOERROR or NXDOMAIN. Any other code is a failure to
    /// answer.
    pub fn is_an_answer(&self) -> bool {
        matches!(self.response_code, NOERROR | NXDOMAIN)
    }

    /// Returns the question, unless the message holds none or several.
    pub fn question(&self) -> Option<(Name, RecordType)> {
        let question = self
            .question
            .filter(|question| question.class == CLASS_IN)?;
        Some((question.name.to_name()?, question.record_type))
    }

    /// The records of the answer section.
    pub fn answers(&self) -> &[Record<'m>] {
        self.records.get(..self.answer_count).unwrap_or_default()
    }

    /// The records of all sections.
    pub(crate) fn records(&self) -> &[Record<'m>] {
        &self.records
    }

    /// The records of the authority and additional sections.
    pub fn others(&self) -> &[Record<'m>] {
        self.records.get(self.answer_count..).unwrap_or_default()
    }

    /// Returns the name in the question if that is above `name` and asks for `record_type` in class
    /// IN.
    pub(crate) fn asks_above(&self, name: &Name, record_type: RecordType) -> Option<Name> {
        self.question
            .filter(|question| question.record_type == record_type && question.class == CLASS_IN)
            .filter(|question| question.name.is_above(name))
            .and_then(|question| question.name.to_name())
    }

    /// Returns true if this is a response to the question for `record_type` at `name` in class IN.
    pub fn answers_question(&self, name: &Name, record_type: RecordType) -> bool {
        self.question.is_some_and(|question| {
            question.record_type == record_type
                && question.class == CLASS_IN
                && question.name.is(name)
        })
    }

    /// Returns true if the answer section has records of `record_type` at `name` in class IN, or an
    /// alias: a CNAME at the name, or a DNAME above it (RFC 6672). Verifies nothing.
    pub(crate) fn has_records_or_alias(&self, name: &Name, record_type: RecordType) -> bool {
        self.answers().iter().any(|record| {
            record.class == CLASS_IN
                && match record.record_type {
                    RecordType::DNAME if record.is_above(name) => true,
                    own if own == record_type || own == RecordType::CNAME => record.is_at(name),
                    _ => false,
                }
        })
    }

    /// The cost of walking all names, in labels and pointers.
    pub(crate) fn name_steps(&self) -> usize {
        self.name_steps
    }

    /// The part that distinguishes responses: the ID and the flags may differ, but not the response
    /// code.
    pub(crate) fn message(&self) -> (u16, &'m [u8]) {
        let rest = self.octets.get(UNSIGNED_HEADER_OCTETS..);
        (self.response_code, rest.unwrap_or_default())
    }
}

/// A resource record as it is in a message.
#[derive(Clone, Copy, Debug)]
pub struct Record<'m> {
    owner: WireName<'m>,
    record_type: RecordType,
    class: u16,
    ttl: u32,
    rdata_start: usize,
    rdata: &'m [u8],
}

impl<'m> Record<'m> {
    /// Its owner.
    pub fn owner(&self) -> Name {
        self.owner.to_name().unwrap_or_else(Name::root)
    }

    /// Returns true if its owner is `name`.
    pub fn is_at(&self, name: &Name) -> bool {
        self.owner.is(name)
    }

    /// Returns true if `name` is below its owner.
    pub fn is_above(&self, name: &Name) -> bool {
        self.owner.is_above(name)
    }

    /// Its type.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// Its class: 1 for IN.
    pub fn class(&self) -> u16 {
        self.class
    }

    /// Its time to live in seconds, as counted down by the server. No signature covers it.
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// Its data as received.
    pub fn rdata(&self) -> &'m [u8] {
        self.rdata
    }

    /// Its data in canonical form (RFC 4034 §6.2); `None` if the names in it are invalid.
    pub fn canonical_rdata(&self) -> Option<Cow<'m, [u8]>> {
        canonical_rdata(
            self.record_type,
            self.owner.message(),
            self.rdata_start,
            self.rdata_start + self.rdata.len(),
        )
    }

    /// The RRSIG, if this is an RRSIG record that can be read.
    pub fn rrsig(&self) -> Option<Rrsig<'m>> {
        (self.record_type == RecordType::RRSIG)
            .then(|| Rrsig::parse(self.rdata))
            .flatten()
    }

    /// Returns true if it belongs to the RRset of `record_type` at `owner` in class IN.
    pub(crate) fn belongs_to(&self, owner: &Name, record_type: RecordType) -> bool {
        self.record_type == record_type && self.class == CLASS_IN && self.owner.is(owner)
    }
}

struct Reader<'m> {
    octets: &'m [u8],
    position: usize,
    /// The cost of walking all names read so far, in labels and pointers.
    steps: usize,
}

impl<'m> Reader<'m> {
    fn error(&self, what: &'static str) -> MessageError {
        MessageError {
            offset: self.position,
            what,
        }
    }

    fn take(&mut self, count: usize) -> Result<&'m [u8]> {
        let taken = self
            .octets
            .get(self.position..)
            .and_then(|rest| rest.get(..count))
            .ok_or_else(|| {
                self.error(if self.position < HEADER_OCTETS {
                    "the header is truncated"
                } else {
                    "a record is truncated"
                })
            })?;
        self.position += count;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16> {
        let octets = self.take(2)?;
        Ok(octets
            .iter()
            .fold(0, |value, &octet| value << 8 | u16::from(octet)))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// Reads a name and counts its steps. Compression can represent a long name in a few octets,
    /// and each walk along it takes a step for each label and each pointer.
    fn name(&mut self) -> Result<WireName<'m>> {
        let (name, after, steps) = WireName::read(self.octets, self.position)?;
        self.walk(steps)?;
        self.position = after;
        Ok(name)
    }

    fn walk(&mut self, steps: usize) -> Result<()> {
        self.steps += steps;
        if self.steps > max_name_steps(self.octets.len()) {
            return Err(self.error("names with more labels than a message may have in total"));
        }
        Ok(())
    }

    fn question(&mut self) -> Result<Question<'m>> {
        Ok(Question {
            name: self.name()?,
            record_type: RecordType(self.u16()?),
            class: self.u16()?,
        })
    }

    fn record(&mut self) -> Result<Record<'m>> {
        let owner = self.name()?;
        let record_type = RecordType(self.u16()?);
        let class = self.u16()?;
        let ttl = self.u32()?;
        let length = usize::from(self.u16()?);
        let rdata_start = self.position;
        if matches!(record_type, RecordType::CNAME | RecordType::DNAME)
            && let Ok((_, _, steps)) = WireName::read(self.octets, rdata_start)
        {
            self.walk(steps)?;
        }
        Ok(Record {
            owner,
            record_type,
            class,
            ttl,
            rdata_start,
            rdata: self.take(length)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A response to `example. TXT` with the given sections' counts and octets after the question.
    fn response(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
        let mut message = vec![0, 0, 0x81, 0x80];
        for count in counts {
            message.extend(count.to_be_bytes());
        }
        message.extend(b"\x07example\x00\x00\x10\x00\x01");
        message.extend(rest);
        message
    }

    #[test]
    fn reads_a_compressed_answer() {
        let octets = response(
            [1, 1, 0, 0],
            b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x0e\x10\x00\x02\x01a",
        );
        let parsed = Response::parse(&octets).unwrap();
        let name: Name = "EXAMPLE".parse().unwrap();
        assert!(parsed.answers_question(&name, RecordType::TXT));
        assert!(!parsed.answers_question(&name, RecordType::A));
        assert!(!parsed.answers_question(&Name::root(), RecordType::TXT));
        let [record] = parsed.answers() else { panic!() };
        let below: Name = "a.Example".parse().unwrap();
        assert!(record.is_at(&name) && !record.is_at(&below));
        assert!(record.is_above(&below) && !record.is_above(&name));
        assert!(!record.is_above(&Name::root()));
        assert!(!record.is_above(&"a.xexample".parse().unwrap()));
        assert!(!record.is_above(&"exampl.e".parse().unwrap()));
        assert!(record.belongs_to(&name, RecordType::TXT));
        assert_eq!(
            (record.owner(), record.ttl(), record.rdata()),
            (name, 3600, &b"\x01a"[..])
        );
    }

    #[test]
    fn two_questions_are_answered_by_nothing() {
        let octets = response([2, 0, 0, 0], b"\x07example\x00\x00\x10\x00\x01");
        let parsed = Response::parse(&octets).unwrap();
        assert!(!parsed.answers_question(&"example".parse().unwrap(), RecordType::TXT));
        assert_eq!(parsed.question(), None);
    }

    /// A record of fourteen octets or fewer can hold a name of 127 labels, as its owner or in its
    /// RDATA.
    #[test]
    fn refuses_names_that_are_walked_for_longer_than_the_message_is() {
        let labels = b"\x01a".repeat(127);
        let deep = |count: u16, record: &[u8]| {
            let mut message = b"\0\0\x81\x80\0\x01".to_vec();
            message.extend(count.to_be_bytes());
            message.extend(b"\0\0\0\0");
            message.extend(&labels);
            message.extend(b"\0\0\x10\0\x01");
            message.extend(record.repeat(count.into()));
            message
        };
        for record in [
            &b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x02\x01a"[..],
            b"\0\0\x05\0\x01\0\0\0\0\0\x02\xc0\x0c",
        ] {
            assert!(Response::parse(&deep(1, record)).is_ok());
            let refusal = Response::parse(&deep(2_000, record)).unwrap_err();
            assert!(refusal.what.contains("more labels"), "{refusal}");
        }
        let long = [&b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x80\x7f"[..], &[b'a'; 127]].concat();
        assert!(Response::parse(&deep(100, &long)).is_ok());
    }

    #[test]
    fn every_prefix_is_refused() {
        let octets = response(
            [1, 1, 0, 0],
            b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x0e\x10\x00\x02\x01a",
        );
        for length in 0..octets.len() {
            assert!(Response::parse(&octets[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn refuses_names_that_loop_or_overflow() {
        let long_name =
            [&b"\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..]; 4]
                .concat();
        for (case, name) in [
            ("a pointer to itself", &b"\xc0\x19"[..]),
            ("a pointer forward", b"\xc0\x20"),
            ("a label, then back to it", b"\x01a\xc0\x19"),
            ("a pointer past the end", b"\xff\xff"),
            ("half a pointer", b"\xc0"),
            ("an extended label type", b"\x41"),
            ("256 bytes", &long_name),
        ] {
            let octets = response([1, 1, 0, 0], name);
            assert!(Response::parse(&octets).is_err(), "{case}");
        }
    }

    #[test]
    fn refuses_octets_after_the_last_record() {
        assert!(Response::parse(&response([1, 0, 0, 0], b"")).is_ok());
        assert!(Response::parse(&response([1, 0, 0, 0], b"\x00")).is_err());
    }

    #[test]
    fn a_count_allocates_nothing_by_itself() {
        assert!(Response::parse(&response([1, 0xffff, 0xffff, 0xffff], b"")).is_err());
    }

    #[test]
    fn reads_the_extended_response_code() {
        let octets = response(
            [1, 0, 0, 1],
            b"\x00\x00\x29\x04\xd0\x01\x00\x00\x00\x00\x00",
        );
        assert_eq!(Response::parse(&octets).unwrap().response_code(), 16);
    }
}
