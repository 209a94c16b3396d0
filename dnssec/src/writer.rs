//! Writes DNS messages (RFC 1035 §4), always in the same way.
//!
//! The messages have the form of a resolver's: QR, RD and RA are set, and the ID is 0. Owner names
//! are compressed against earlier names. Names in RDATA are never compressed, which is correct for
//! every type, old and new (RFC 3597 §4).

use std::collections::HashMap;

use crate::message::{CLASS_IN, MAX_MESSAGE_OCTETS};
use crate::name::Name;
use crate::record::RecordType;

/// QR, RD and RA, as in a resolver's response (RFC 1035 §4.1.1).
const RESPONSE_FLAGS: u16 = 0x8180;
/// The two high bits that mark a compression pointer (RFC 1035 §4.1.4).
const POINTER: u16 = 0xc000;
/// The first offset that a pointer cannot hold.
const POINTER_LIMIT: usize = 0x4000;

/// A record to be written, in class IN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRecord<'r> {
    pub(crate) owner: &'r Name,
    pub(crate) record_type: RecordType,
    /// The time to live in seconds.
    pub(crate) ttl: u32,
    /// The data, with uncompressed names.
    pub(crate) rdata: &'r [u8],
}

/// A response to be written.
#[derive(Clone, Debug)]
pub(crate) struct NewResponse<'r> {
    pub(crate) name: &'r Name,
    pub(crate) record_type: RecordType,
    pub(crate) response_code: u16,
    pub(crate) answers: Vec<NewRecord<'r>>,
    pub(crate) authorities: Vec<NewRecord<'r>>,
}

impl NewRecord<'_> {
    /// Writes the record without compression (RFC 1035 §3.2.1). Returns `None` if its data are too
    /// long.
    pub(crate) fn to_wire(self) -> Option<Vec<u8>> {
        let mut wire = self.owner.as_wire().to_vec();
        self.append_after_owner(&mut wire)?;
        Some(wire)
    }

    fn append_after_owner(self, octets: &mut Vec<u8>) -> Option<()> {
        let length = u16::try_from(self.rdata.len()).ok()?;
        octets.extend_from_slice(&self.record_type.0.to_be_bytes());
        octets.extend_from_slice(&CLASS_IN.to_be_bytes());
        octets.extend_from_slice(&self.ttl.to_be_bytes());
        octets.extend_from_slice(&length.to_be_bytes());
        octets.extend_from_slice(self.rdata);
        Some(())
    }
}

impl NewResponse<'_> {
    /// Writes the message. Returns `None` if it would exceed the limits on the octets of a message
    /// or the records of a section.
    pub(crate) fn to_message(&self) -> Option<Vec<u8>> {
        let mut writer = Writer::default();
        let answers = u16::try_from(self.answers.len()).ok()?;
        let authorities = u16::try_from(self.authorities.len()).ok()?;
        let flags = RESPONSE_FLAGS | self.response_code;
        for field in [0, flags, 1, answers, authorities, 0] {
            writer.octets.extend_from_slice(&field.to_be_bytes());
        }
        writer.name(self.name);
        for field in [self.record_type.0, CLASS_IN] {
            writer.octets.extend_from_slice(&field.to_be_bytes());
        }
        for record in self.answers.iter().chain(&self.authorities) {
            writer.record(*record)?;
        }
        (writer.octets.len() <= MAX_MESSAGE_OCTETS).then_some(writer.octets)
    }
}

/// The octets so far, and the offsets of the names in them, by uncompressed wire form.
#[derive(Default)]
struct Writer {
    octets: Vec<u8>,
    offsets: HashMap<Vec<u8>, u16>,
}

impl Writer {
    fn record(&mut self, record: NewRecord<'_>) -> Option<()> {
        self.name(record.owner);
        record.append_after_owner(&mut self.octets)?;
        if record.record_type == RecordType::CNAME {
            // The target is usually the next owner. Names in the data of types newer than RFC 1035
            // are not used, because some readers treat those data as opaque.
            let start = self.octets.len() - record.rdata.len();
            self.remember(record.rdata, start);
        }
        Some(())
    }

    /// Writes a name, with a pointer in place of the longest suffix that occurs earlier.
    fn name(&mut self, name: &Name) {
        let mut rest = name.as_wire();
        while let Some((label, after)) = split_label(rest) {
            if let Some(offset) = self.offsets.get(rest) {
                let pointer = POINTER | offset;
                self.octets.extend_from_slice(&pointer.to_be_bytes());
                return;
            }
            self.remember_one(rest, self.octets.len());
            self.octets.extend_from_slice(label);
            rest = after;
        }
        self.octets.extend_from_slice(rest);
    }

    /// Notes that an uncompressed name begins at `start`.
    fn remember(&mut self, name: &[u8], start: usize) {
        let mut rest = name;
        while let Some((_, after)) = split_label(rest) {
            self.remember_one(rest, start + (name.len() - rest.len()));
            rest = after;
        }
    }

    fn remember_one(&mut self, name: &[u8], offset: usize) {
        if offset < POINTER_LIMIT
            && let Ok(offset) = u16::try_from(offset)
        {
            self.offsets.entry(name.to_vec()).or_insert(offset);
        }
    }
}

/// Splits the first label, including its length, off an uncompressed name. Returns `None` at the
/// root.
fn split_label(wire: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(*wire.first()?);
    (length > 0)
        .then(|| wire.split_at_checked(1 + length))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Response;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn compresses_owner_names_and_nothing_else() {
        let (alias, target, zone) = (
            name("www.example.com"),
            name("host.example.com"),
            name("example.com"),
        );
        let record = |owner, record_type, rdata| NewRecord {
            owner,
            record_type,
            ttl: 60,
            rdata,
        };
        let response = NewResponse {
            name: &alias,
            record_type: RecordType::TXT,
            response_code: 0,
            answers: vec![
                record(&alias, RecordType::CNAME, target.as_wire()),
                record(&target, RecordType::TXT, b"\x01a"),
            ],
            authorities: vec![record(&zone, RecordType::NS, target.as_wire())],
        };
        let octets = response.to_message().unwrap();
        // Header, question, and three records: pointers to the question's name, into the CNAME's data, and to the end
        // of the question's name.
        let question = 12 + 17 + 4;
        assert_eq!(octets.len(), question + (12 + 18) + (12 + 2) + (12 + 18));
        assert_eq!(octets[question..question + 2], [0xc0, 12]);
        let cname_data = question + 12;
        let second = cname_data + 18;
        let offset = u8::try_from(cname_data).unwrap();
        assert_eq!(octets[second..second + 2], [0xc0, offset]);
        assert_eq!(octets[second + 14..second + 16], [0xc0, 12 + 4]);

        let read = Response::parse(&octets).unwrap();
        assert_eq!(read.question(), Some((alias.clone(), RecordType::TXT)));
        let owners: Vec<_> = read
            .answers()
            .iter()
            .chain(read.others())
            .map(crate::Record::owner)
            .collect();
        assert_eq!(owners, [alias, target.clone(), zone]);
        assert_eq!(
            read.others()[0].canonical_rdata().unwrap(),
            target.as_wire()
        );
    }

    #[test]
    fn points_no_further_than_a_pointer_reaches() {
        let (question, far) = (name("a"), name("far.example"));
        let filler = vec![0; POINTER_LIMIT];
        let record = |owner, rdata| NewRecord {
            owner,
            record_type: RecordType::TXT,
            ttl: 0,
            rdata,
        };
        let response = NewResponse {
            name: &question,
            record_type: RecordType::TXT,
            response_code: 3,
            answers: vec![
                record(&question, &filler[..]),
                record(&far, b""),
                record(&far, b""),
            ],
            authorities: Vec::new(),
        };
        let octets = response.to_message().unwrap();
        let read = Response::parse(&octets).unwrap();
        assert_eq!(read.response_code(), 3);
        assert_eq!(read.answers()[1].owner(), far);
        assert_eq!(read.answers()[2].owner(), far);
    }

    #[test]
    fn writes_no_message_of_more_than_65_535_octets() {
        let root = Name::root();
        let rdata = vec![0; 40_000];
        let record = NewRecord {
            owner: &root,
            record_type: RecordType::TXT,
            ttl: 0,
            rdata: &rdata,
        };
        let mut response = NewResponse {
            name: &root,
            record_type: RecordType::TXT,
            response_code: 0,
            answers: vec![record],
            authorities: Vec::new(),
        };
        assert!(response.to_message().is_some());
        response.answers.push(record);
        assert_eq!(response.to_message(), None);
        let rdata = vec![0; 65_536];
        response.answers = vec![NewRecord {
            rdata: &rdata,
            ..record
        }];
        assert_eq!(response.to_message(), None);
    }
}
