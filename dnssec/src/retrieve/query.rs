//! One DNS query (RFC 1035 §4.1), and the check that a response answers it.

use crate::crypto;
use crate::message::CLASS_IN;
use crate::name::Name;
use crate::record::RecordType;

/// Octets of a message's header (RFC 1035 §4.1.1).
const HEADER_OCTETS: usize = 12;
/// The octets of the type and class after the question's name.
const TYPE_AND_CLASS_OCTETS: usize = 4;
/// RD: recursion desired. CD: return the data, and leave validation to this crate (RFC 4035
/// §3.2.2).
const FLAGS: u16 = 0x0110;
/// The index of the last octet of the flags, which contains CD.
const FLAGS_END_OCTET: usize = 3;
const CD: u8 = 0b0001_0000;
/// The bits of the third octet of a message for QR, set in a response, and for the opcode, 0 for a
/// query.
const QR_AND_OPCODE: u8 = 0b1111_1000;
const QR: u8 = 0b1000_0000;
/// The bit of the same octet for TC: the rest did not fit.
const TC: u8 = 0b0000_0010;
/// The bits of the fourth octet for the response code.
const RESPONSE_CODE: u8 = 0b0000_1111;
/// The size that fits any path unfragmented (DNS flag day 2020; RFC 9715 §3.1 allows 1,400).
const UDP_PAYLOAD_OCTETS: u16 = 1_232;
/// DO, which asks for signatures (RFC 3225 §3), in the upper half of EDNS's flags.
const DNSSEC_OK: u16 = 0x8000;

/// A query with an unpredictable ID.
#[derive(Clone, Debug)]
pub(super) struct Query {
    octets: Vec<u8>,
    /// The offset at which the question ends.
    question_end: usize,
}

impl Query {
    pub(super) fn new(name: &Name, record_type: RecordType) -> Self {
        let mut id = [0; 2];
        // Without randomness, forged responses can disturb retrieval more easily. They still prove
        // nothing.
        crypto::fill_random(&mut id);
        let mut octets = id.to_vec();
        // One question, and one additional record.
        for field in [FLAGS, 1, 0, 0, 1] {
            octets.extend(field.to_be_bytes());
        }
        octets.extend_from_slice(name.as_wire());
        octets.extend(record_type.0.to_be_bytes());
        octets.extend(CLASS_IN.to_be_bytes());
        let question_end = octets.len();
        // EDNS (RFC 6891 §6.1.2): the root as owner, the payload as class, the flags in the TTL, no options.
        octets.push(0);
        for field in [RecordType::OPT.0, UDP_PAYLOAD_OCTETS, 0, DNSSEC_OK, 0] {
            octets.extend(field.to_be_bytes());
        }
        Self {
            octets,
            question_end,
        }
    }

    /// Clears CD, so that the resolver validates the answer itself.
    pub(super) fn with_checking(mut self) -> Self {
        if let Some(flags) = self.octets.get_mut(FLAGS_END_OCTET) {
            *flags &= !CD;
        }
        self
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Returns true if these octets are a response to exactly this query (RFC 5452 §9.1): they have
    /// its ID and its question. A server that could not read the question may leave it out.
    pub(super) fn is_answered_by(&self, response: &[u8]) -> bool {
        response.get(..2) == self.octets.get(..2) && self.is_about_the_same(response)
    }

    /// Does the same without the ID, for a channel that matches responses to queries itself and may
    /// change IDs.
    pub(super) fn is_about_the_same(&self, response: &[u8]) -> bool {
        let Some(&[_, _, flags, code, questions_high, questions_low, ..]) =
            response.first_chunk::<HEADER_OCTETS>()
        else {
            return false;
        };
        if flags & QR_AND_OPCODE != QR {
            return false;
        }
        match u16::from_be_bytes([questions_high, questions_low]) {
            0 => code & RESPONSE_CODE != 0,
            1 => self.echoes_question(response),
            _ => false,
        }
    }

    /// Compares the questions, names without regard to case: a server need not preserve the case.
    fn echoes_question(&self, response: &[u8]) -> bool {
        let name_end = self.question_end - TYPE_AND_CLASS_OCTETS;
        let part =
            |octets: &'_ [u8], from, to| octets.get(from..to).map(<[u8]>::to_ascii_lowercase);
        part(response, HEADER_OCTETS, name_end) == part(&self.octets, HEADER_OCTETS, name_end)
            && response.get(name_end..self.question_end)
                == self.octets.get(name_end..self.question_end)
    }
}

/// Returns true if the response is marked as truncated.
pub(super) fn is_truncated(response: &[u8]) -> bool {
    response.get(2).is_some_and(|flags| flags & TC != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> Query {
        Query::new(&"_veraid.example".parse().unwrap(), RecordType::TXT)
    }

    /// The response of a server without any records.
    fn response(query: &Query) -> Vec<u8> {
        let mut octets = query.octets()[..query.question_end].to_vec();
        octets[2] |= QR;
        octets[11] = 0;
        octets
    }

    #[test]
    fn asks_for_recursion_signatures_and_no_verdict() {
        let octets = query().octets;
        assert_eq!(octets[2..12], *b"\x01\x10\0\x01\0\0\0\0\0\x01");
        assert!(octets[12..].starts_with(b"\x07_veraid\x07example\0\0\x10\0\x01"));
        assert!(octets.ends_with(b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"));
    }

    #[test]
    fn asks_for_a_verdict_where_that_is_wanted() {
        let octets = query().with_checking().octets;
        assert_eq!(octets[2..12], *b"\x01\0\0\x01\0\0\0\0\0\x01");
    }

    #[test]
    fn ids_differ() {
        let ids: std::collections::HashSet<_> =
            (0..64).map(|_| query().octets[..2].to_vec()).collect();
        assert!(ids.len() > 32);
    }

    #[test]
    fn takes_the_response_to_its_question_in_any_case() {
        let query = query();
        let mut octets = response(&query);
        assert!(query.is_answered_by(&octets));
        octets[13..20].make_ascii_uppercase();
        assert!(query.is_answered_by(&octets));
    }

    #[test]
    fn takes_no_other_response() {
        let query = query();
        for (case, position, octet) in [
            ("another ID", 0, query.octets[0] ^ 1),
            ("a query", 2, 0x01),
            ("another opcode", 2, 0xa1),
            ("two questions", 5, 2),
            ("another name", 13, b'-'),
            // In lower case the same octet as type 97 has.
            ("another type", query.question_end - 3, 0x61),
            ("another class", query.question_end - 1, 3),
        ] {
            let mut octets = response(&query);
            octets[position] = octet;
            assert!(!query.is_answered_by(&octets), "{case}");
        }
        let octets = response(&query);
        for length in 0..octets.len() {
            assert!(!query.is_answered_by(&octets[..length]), "{length}");
        }
    }

    #[test]
    fn a_failure_needs_no_question() {
        let query = query();
        let mut octets = response(&query);
        octets.truncate(HEADER_OCTETS);
        octets[5] = 0;
        assert!(!query.is_answered_by(&octets), "an answer does");
        octets[3] |= 1;
        assert!(query.is_answered_by(&octets));
    }
}
