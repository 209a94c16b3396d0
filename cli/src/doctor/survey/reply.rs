//! Responses, read.

use dnssec::{Name, Record, RecordType, Response, RetrievalError, RrsetId, Rrsig};

pub(in crate::doctor) const SERVFAIL: u16 = 2;
/// The octet of a DNS header that holds the AD bit, and the bit (RFC 4035 §3.2.3).
const AD_OCTET: usize = 3;
const AD_BIT: u8 = 0x20;

/// A record on its own.
#[derive(Clone, Debug)]
pub(in crate::doctor) struct Entry {
    pub(in crate::doctor) owner: Name,
    pub(in crate::doctor) record_type: RecordType,
    /// In canonical form, so that names in it are whole.
    pub(in crate::doctor) rdata: Vec<u8>,
}

impl Entry {
    fn new(record: &Record<'_>) -> Self {
        let rdata = record.canonical_rdata();
        Self {
            owner: record.owner(),
            record_type: record.record_type(),
            rdata: rdata.map_or_else(|| record.rdata().to_vec(), std::borrow::Cow::into_owned),
        }
    }

    fn is(&self, owner: &Name, record_type: RecordType) -> bool {
        self.record_type == record_type && self.owner == *owner
    }

    /// The signature, if it is one.
    fn rrsig(&self) -> Option<Rrsig<'_>> {
        (self.record_type == RecordType::RRSIG)
            .then(|| Rrsig::parse(&self.rdata))
            .flatten()
    }
}

/// A response, read.
#[derive(Clone, Debug)]
pub(in crate::doctor) struct Reply {
    pub(in crate::doctor) octets: Vec<u8>,
    pub(in crate::doctor) response_code: u16,
    is_answer: bool,
    /// The AD bit: the resolver says that it has verified this.
    pub(in crate::doctor) is_authenticated: bool,
    pub(in crate::doctor) answers: Vec<Entry>,
    others: Vec<Entry>,
}

/// The outcome of a question.
pub(in crate::doctor) type Lookup = Result<Reply, RetrievalError>;

impl Reply {
    pub(super) fn read(octets: Vec<u8>, name: &Name, record_type: RecordType) -> Lookup {
        let response = Response::parse(&octets).map_err(|source| {
            RetrievalError::malformed_response(RrsetId::new(name.clone(), record_type), source)
        })?;
        let (response_code, is_answer, answers, others) = (
            response.response_code(),
            response.is_an_answer(),
            response.answers().iter().map(Entry::new).collect(),
            response.others().iter().map(Entry::new).collect(),
        );
        Ok(Self {
            is_authenticated: octets
                .get(AD_OCTET)
                .is_some_and(|flags| flags & AD_BIT != 0),
            octets,
            response_code,
            is_answer,
            answers,
            others,
        })
    }

    /// Tells whether the server had something to say, be it that there is nothing.
    pub(in crate::doctor) fn is_answer(&self) -> bool {
        self.is_answer
    }

    pub(in crate::doctor) fn is_nxdomain(&self) -> bool {
        self.response_code == Response::NXDOMAIN
    }

    /// The data of an RRset in the answer section.
    pub(in crate::doctor) fn rrset<'r>(
        &'r self,
        owner: &'r Name,
        record_type: RecordType,
    ) -> impl Iterator<Item = &'r [u8]> {
        self.answers
            .iter()
            .filter(move |entry| entry.is(owner, record_type))
            .map(|entry| entry.rdata.as_slice())
    }

    /// The signatures over an RRset in the answer section.
    pub(in crate::doctor) fn rrsigs<'r>(
        &'r self,
        owner: &'r Name,
        record_type: RecordType,
    ) -> impl Iterator<Item = Rrsig<'r>> {
        self.answers
            .iter()
            .filter(move |entry| entry.owner == *owner)
            .filter_map(Entry::rrsig)
            .filter(move |rrsig| rrsig.type_covered == record_type)
    }

    pub(super) fn holds(&self, owner: &Name, record_type: RecordType) -> bool {
        self.rrset(owner, record_type).next().is_some()
    }

    /// The resolver's explanation of a failure, beyond its code (RFC 8914).
    pub(in crate::doctor) fn extended_error(&self) -> Option<String> {
        const EXTENDED_ERROR: u16 = 15;
        let options = self
            .others
            .iter()
            .find(|entry| entry.record_type == RecordType::OPT)?;
        let mut rest = options.rdata.as_slice();
        while let Some((&[c1, c0, l1, l0], after)) = rest.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([l1, l0]));
            let (value, next) = after.split_at_checked(length)?;
            if u16::from_be_bytes([c1, c0]) == EXTENDED_ERROR {
                let (code, text) = value.split_first_chunk::<2>()?;
                return Some(extended_error_text(u16::from_be_bytes(*code), text));
            }
            rest = next;
        }
        None
    }
}

/// IANA's names of the extended errors that have to do with a broken domain, and what the resolver added.
fn extended_error_text(code: u16, text: &[u8]) -> String {
    let name = match code {
        6 => "DNSSEC bogus",
        7 => "signature expired",
        8 => "signature not yet valid",
        9 => "DNSKEY missing",
        10 => "RRSIGs missing",
        18 => "prohibited",
        20 => "not authoritative",
        22 => "no reachable authority",
        23 => "network error",
        _ => "extended error",
    };
    let text = String::from_utf8_lossy(text);
    let text = text.trim_matches('\0').trim();
    if text.is_empty() {
        format!("{name} ({code})")
    } else {
        format!("{name} ({code}): {text}")
    }
}

/// The name of a response code.
pub(in crate::doctor) fn response_code_name(code: u16) -> String {
    match code {
        Response::NOERROR => "NOERROR".to_owned(),
        1 => "FORMERR".to_owned(),
        SERVFAIL => "SERVFAIL".to_owned(),
        Response::NXDOMAIN => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        9 => "NOTAUTH".to_owned(),
        code => format!("response code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_the_resolver_added_to_a_failure() {
        assert_eq!(extended_error_text(22, b""), "no reachable authority (22)");
        assert_eq!(
            extended_error_text(6, b"no keys have a DS"),
            "DNSSEC bogus (6): no keys have a DS"
        );
    }
}
