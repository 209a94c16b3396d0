//! Record types, and the canonical form of record data (RFC 4034 §6.2, RFC 6840 §5.1).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::wire_name::WireName;

/// A resource record type, by its number in IANA's registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

/// Defines constants and mnemonics for the types that this crate or its users need. Other types are
/// written as `TYPE123` (RFC 3597 §5).
macro_rules! record_types {
    ($($name:ident = $number:literal),+ $(,)?) => {
        impl RecordType {
            $(#[doc = concat!("Type ", stringify!($number), ", `", stringify!($name), "`.")]
            pub const $name: Self = Self($number);)+

            fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }

            fn from_mnemonic(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case(stringify!($name)) {
                    return Some(Self::$name);
                })+
                None
            }
        }
    };
}

record_types! {
    A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, PTR = 12, HINFO = 13, MINFO = 14,
    MX = 15, TXT = 16, RP = 17, AFSDB = 18, RT = 21, SIG = 24, PX = 26, AAAA = 28, LOC = 29, NXT = 30, SRV = 33,
    NAPTR = 35, KX = 36, CERT = 37, DNAME = 39, OPT = 41, DS = 43, SSHFP = 44, IPSECKEY = 45, RRSIG = 46, NSEC = 47,
    DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51, TLSA = 52, SMIMEA = 53, CDS = 59, CDNSKEY = 60,
    OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, SPF = 99, EUI48 = 108, EUI64 = 109, URI = 256,
    CAA = 257, NXNAME = 128, ANY = 255,
}

impl RecordType {
    /// Returns true if this is not a type of data, but a question for several types or a part of
    /// the protocol (RFC 6895 §3.1). Also returns true for RRSIG: RRSIGs are data, but are not
    /// signed themselves (RFC 4035 §2.2).
    pub(crate) fn is_meta(self) -> bool {
        matches!(self.0, 0 | 128..=255) || matches!(self, Self::OPT | Self::RRSIG)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(mnemonic) => f.pad(mnemonic),
            None => f.pad(&format!("TYPE{}", self.0)),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for a text that is not a record type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record type; write a mnemonic such as TXT, or a number such as 16 or TYPE16")]
pub struct RecordTypeError;

/// Reads a mnemonic, a number, or a number after `TYPE`, in any case.
impl FromStr for RecordType {
    type Err = RecordTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(known) = Self::from_mnemonic(text) {
            return Ok(known);
        }
        let digits = match text.split_at_checked(4) {
            Some((prefix, digits)) if prefix.eq_ignore_ascii_case("TYPE") => digits,
            _ => text,
        };
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(RecordTypeError);
        }
        digits.parse().map(Self).map_err(|_| RecordTypeError)
    }
}

/// The positions of domain names in the RDATA of a type whose canonical form has them in lower
/// case. After `fixed` octets and `strings` character strings come `names` names; the rest is
/// opaque.
struct NameLayout {
    fixed: usize,
    strings: usize,
    names: usize,
}

/// The layouts of the types of RFC 4034 §6.2, without NSEC (RFC 6840 §5.1). A6 is omitted because
/// it is historic (RFC 6563), HINFO because it has no names.
fn name_layout(record_type: RecordType) -> Option<NameLayout> {
    let (fixed, strings, names) = match record_type {
        RecordType::NS
        | RecordType::MD
        | RecordType::MF
        | RecordType::CNAME
        | RecordType::MB
        | RecordType::MG
        | RecordType::MR
        | RecordType::PTR
        | RecordType::NXT
        | RecordType::DNAME => (0, 0, 1),
        RecordType::SOA | RecordType::MINFO | RecordType::RP => (0, 0, 2),
        RecordType::MX | RecordType::AFSDB | RecordType::RT | RecordType::KX => (2, 0, 1),
        RecordType::PX => (2, 0, 2),
        RecordType::SRV => (6, 0, 1),
        RecordType::NAPTR => (4, 3, 1),
        RecordType::SIG | RecordType::RRSIG => (18, 0, 1),
        _ => return None,
    };
    Some(NameLayout {
        fixed,
        strings,
        names,
    })
}

/// Returns the canonical form of the RDATA in `message` at `start..end`: for the types of RFC 4034
/// §6.2, names uncompressed and in lower case. Returns `None` if the names do not fit the RDATA.
pub(crate) fn canonical_rdata(
    record_type: RecordType,
    message: &[u8],
    start: usize,
    end: usize,
) -> Option<Cow<'_, [u8]>> {
    let rdata = message.get(start..end)?;
    let Some(layout) = name_layout(record_type) else {
        return Some(Cow::Borrowed(rdata));
    };
    let mut position = start.checked_add(layout.fixed)?;
    for _ in 0..layout.strings {
        let length = *message.get(position).filter(|_| position < end)?;
        position = position.checked_add(1 + usize::from(length))?;
    }
    let mut canonical = message.get(start..position)?.to_vec();
    for _ in 0..layout.names {
        let (name, after, _) = WireName::read(message, position).ok()?;
        canonical.extend_from_slice(name.to_name()?.as_wire());
        position = after;
    }
    canonical.extend_from_slice(message.get(position..end)?);
    Some(Cow::Owned(canonical))
}

/// Returns true if a name in uncompressed RDATA is a pointer or ends in one (RFC 1035 §4.1.4): in the types of
/// RFC 4034 §6.2, and in NSEC.
pub(crate) fn has_compressed_name(record_type: RecordType, rdata: &[u8]) -> bool {
    let layout = match record_type {
        RecordType::NSEC => name_layout(RecordType::CNAME),
        _ => name_layout(record_type),
    };
    let Some(layout) = layout else {
        return false;
    };
    let mut rest = rdata.get(layout.fixed..).unwrap_or_default();
    for _ in 0..layout.strings {
        rest = after_length(rest);
    }
    for _ in 0..layout.names {
        loop {
            match rest.first() {
                None => return false,
                Some(0) => break,
                Some(0xc0..) => return true,
                Some(_) => rest = after_length(rest),
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// The octets after a length and as many octets as it says; none, if there are fewer.
fn after_length(octets: &[u8]) -> &[u8] {
    let split = octets.split_first();
    let after = split.and_then(|(length, rest)| rest.get(usize::from(*length)..));
    after.unwrap_or_default()
}

/// Joins the character strings of a TXT record's RDATA (RFC 1035 §3.3.14). Returns `None` if the
/// RDATA does not consist of character strings.
pub fn txt_content(rdata: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut strings = character_strings(rdata);
    let first = strings.next()?.ok()?;
    let mut joined = Cow::Borrowed(first);
    for string in strings {
        joined.to_mut().extend_from_slice(string.ok()?);
    }
    Some(joined)
}

/// The error for a character string that is longer than the rest of the RDATA.
pub(crate) struct CutShort;

/// The character strings of the RDATA. If one is truncated, the last item is [`CutShort`].
pub(crate) fn character_strings(rdata: &[u8]) -> impl Iterator<Item = Result<&[u8], CutShort>> {
    let mut rest = rdata;
    std::iter::from_fn(move || {
        let (&length, after) = rest.split_first()?;
        let Some((string, after)) = after.split_at_checked(usize::from(length)) else {
            rest = &[];
            return Some(Err(CutShort));
        };
        rest = after;
        Some(Ok(string))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back_what_they_write() {
        for number in 0..=u16::MAX {
            let record_type = RecordType(number);
            assert_eq!(record_type.to_string().parse(), Ok(record_type));
            assert_eq!(format!("{record_type:?}"), record_type.to_string());
        }
        assert_eq!(RecordType::TXT.to_string(), "TXT");
        assert_eq!(RecordType(65_280).to_string(), "TYPE65280");
        assert_eq!("txt".parse(), Ok(RecordType::TXT));
        for text in ["16", "TYPE16", "type16", "0016"] {
            assert_eq!(text.parse(), Ok(RecordType::TXT), "{text}");
        }
        for text in [
            "",
            "TYPE",
            "TYPE65536",
            "65536",
            "TYPE+1",
            "+1",
            "-1",
            "1 ",
            "BOGUS",
            "TÿPE1",
            "TYPETYPE1",
        ] {
            assert_eq!(text.parse::<RecordType>(), Err(RecordTypeError), "{text}");
        }
    }

    #[test]
    fn joins_character_strings() {
        assert_eq!(txt_content(b"\x02ab\x01c").unwrap(), &b"abc"[..]);
        assert_eq!(txt_content(b"\x00").unwrap(), &b""[..]);
        for rdata in [&b""[..], b"\x02a", b"\x01a\x01"] {
            assert_eq!(txt_content(rdata), None);
        }
    }

    #[test]
    fn finds_compressed_names() {
        for (record_type, rdata, is_compressed) in [
            (RecordType::CNAME, &b"\x01a\xc0\x0c"[..], true),
            (RecordType::CNAME, b"\xc0\x0c", true),
            (RecordType::CNAME, b"\x01\xc0\x00", false),
            (RecordType::CNAME, b"\x01a\x00\xc0", false),
            (RecordType::CNAME, b"\x05a", false),
            (RecordType::CNAME, b"", false),
            (RecordType::NSEC, b"\x01a\xff\x0c\x00\x01\x40", true),
            (RecordType::NSEC, b"\x01a\x00\x00\x01\xc0", false),
            (RecordType::SOA, b"\x01a\x00\xc0\x0c", true),
            (RecordType::MX, b"\xc0\x0c\x00", false),
            (RecordType::MX, b"\x00\x0a\xc0\x0c", true),
            (RecordType::NAPTR, b"\0\0\0\0\x01\xc0\x00\x00\xc0\x0c", true),
            (RecordType::NAPTR, b"\0\0\0\0\x01\xc0\x00\x00\x00", false),
            (RecordType::TXT, b"\xc0\x0c", false),
        ] {
            let found = has_compressed_name(record_type, rdata);
            assert_eq!(found, is_compressed, "{record_type} {rdata:x?}");
        }
    }

    #[test]
    fn lowers_the_case_of_names_in_the_old_types_alone() {
        let mx = b"\x00\x0a\x04MAIL\x00";
        assert_eq!(
            canonical_rdata(RecordType::MX, mx, 0, mx.len()).unwrap(),
            &b"\x00\x0a\x04mail\x00"[..]
        );
        let nsec = b"\x04NEXT\x00\x00\x01\x40";
        assert_eq!(
            canonical_rdata(RecordType::NSEC, nsec, 0, nsec.len()).unwrap(),
            &nsec[..]
        );
        let naptr = b"\x00\x01\x00\x02\x01U\x03E2U\x00\x03SIP\x00";
        assert_eq!(
            canonical_rdata(RecordType::NAPTR, naptr, 0, naptr.len()).unwrap(),
            &b"\x00\x01\x00\x02\x01U\x03E2U\x00\x03sip\x00"[..]
        );
    }

    /// Each layout, with a letter after the last name, which stays as it is.
    #[test]
    fn finds_the_names_in_each_of_the_old_types() {
        use RecordType as Type;
        for (types, fixed, names) in [
            (
                &[
                    Type::NS,
                    Type::MD,
                    Type::MF,
                    Type::CNAME,
                    Type::MB,
                    Type::MG,
                    Type::MR,
                    Type::PTR,
                    Type::NXT,
                    Type::DNAME,
                ][..],
                0,
                1,
            ),
            (&[Type::SOA, Type::MINFO, Type::RP], 0, 2),
            (&[Type::MX, Type::AFSDB, Type::RT, Type::KX], 2, 1),
            (&[Type::PX], 2, 2),
            (&[Type::SRV], 6, 1),
            (&[Type::SIG, Type::RRSIG], 18, 1),
        ] {
            let rdata = [&vec![b'X'; fixed], &b"\x01A\x00".repeat(names), &b"Z"[..]].concat();
            let lowered = [&vec![b'X'; fixed], &b"\x01a\x00".repeat(names), &b"Z"[..]].concat();
            for record_type in types {
                let canonical = canonical_rdata(*record_type, &rdata, 0, rdata.len());
                assert_eq!(canonical.as_deref(), Some(&lowered[..]), "{record_type}");
            }
        }
    }

    #[test]
    fn writes_compressed_names_out() {
        let message = b"\x03COM\x00\x00\x0a\x04mail\xc0\x00";
        assert_eq!(
            canonical_rdata(RecordType::MX, message, 5, message.len()).unwrap(),
            &b"\x00\x0a\x04mail\x03com\x00"[..]
        );
    }

    #[test]
    fn refuses_names_that_reach_past_the_rdata() {
        let message = b"\x00\x0a\x04mail\x00more";
        assert_eq!(canonical_rdata(RecordType::MX, message, 0, 5), None);
        assert_eq!(canonical_rdata(RecordType::SOA, message, 2, 8), None);
    }
}
