//! Writes record data in the form of zone files (RFC 1035 §5.1), for people to read.
//!
//! The types in chains and the most common others have their own form. The rest have the form that
//! RFC 3597 §5 defines for any type: `\# 3 AB12CD`.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::{BASE32_DNSSEC, BASE64, HEXUPPER};

use crate::name::Name;
use crate::rdata::{Dnskey, Ds, Nsec, Nsec3, Nsec3Parameters, Rrsig, TypeBitmap};
use crate::record::{RecordType, character_strings};
use crate::time::Timestamp;

/// Writes RDATA, in which names are uncompressed, in presentation form.
///
/// ```
/// use dnssec::{RecordType, rdata_to_text};
///
/// assert_eq!(rdata_to_text(RecordType::TXT, b"\x05a \"b\""), r#""a \"b\"""#);
/// assert_eq!(rdata_to_text(RecordType(65280), &[0xab]), r"\# 1 AB");
/// ```
pub fn rdata_to_text(record_type: RecordType, rdata: &[u8]) -> String {
    known_form(record_type, rdata).unwrap_or_else(|| unknown_form(rdata))
}

/// Returns the form of a known type. Returns `None` if the type has none here, or the RDATA do not
/// fit it.
fn known_form(record_type: RecordType, rdata: &[u8]) -> Option<String> {
    Some(match record_type {
        RecordType::A => {
            Ipv4Addr::from(*rdata.first_chunk().filter(|_| rdata.len() == 4)?).to_string()
        }
        RecordType::AAAA => {
            Ipv6Addr::from(*rdata.first_chunk().filter(|_| rdata.len() == 16)?).to_string()
        }
        RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => {
            Name::from_wire(rdata).ok()?.to_string()
        }
        RecordType::MX | RecordType::AFSDB | RecordType::KX | RecordType::RT => {
            let (preference, name) = rdata.split_first_chunk()?;
            format!(
                "{} {}",
                u16::from_be_bytes(*preference),
                Name::from_wire(name).ok()?
            )
        }
        RecordType::SRV => srv(rdata)?,
        RecordType::SOA => soa(rdata)?,
        RecordType::TXT | RecordType::SPF | RecordType::HINFO => strings(rdata)?,
        RecordType::DS | RecordType::CDS => {
            let ds = Ds::parse(rdata)?;
            format!(
                "{} {} {} {}",
                ds.key_tag,
                ds.algorithm.0,
                ds.digest_type,
                HEXUPPER.encode(ds.digest)
            )
        }
        RecordType::DNSKEY | RecordType::CDNSKEY => {
            let key = Dnskey::parse(rdata)?;
            format!(
                "{} {} {} {}",
                key.flags,
                key.protocol,
                key.algorithm.0,
                BASE64.encode(key.public_key)
            )
        }
        RecordType::RRSIG => rrsig(&Rrsig::parse(rdata)?),
        RecordType::NSEC => {
            let nsec = Nsec::parse(rdata)?;
            with_types(nsec.next.to_string(), nsec.types)
        }
        RecordType::NSEC3 => {
            let nsec3 = Nsec3::parse(rdata)?;
            let parameters = nsec3_parameters(&nsec3.parameters, nsec3.flags);
            let next = BASE32_DNSSEC.encode(nsec3.next_hashed_owner);
            with_types(format!("{parameters} {next}"), nsec3.types)
        }
        RecordType::NSEC3PARAM => {
            // The fields are those of NSEC3 up to the salt (RFC 5155 §4.2).
            let (&[hash_algorithm, flags, high, low, salt_length], salt) =
                rdata.split_first_chunk()?;
            let parameters = Nsec3Parameters {
                hash_algorithm,
                iterations: u16::from_be_bytes([high, low]),
                salt,
            };
            (salt.len() == usize::from(salt_length))
                .then(|| nsec3_parameters(&parameters, flags))?
        }
        // Three numbers and octets (RFC 6698 §2.2, RFC 8162 §2).
        RecordType::TLSA | RecordType::SMIMEA => {
            let (&[usage, selector, matching_type], association) = rdata.split_first_chunk()?;
            format!(
                "{usage} {selector} {matching_type} {}",
                HEXUPPER.encode(association)
            )
        }
        // RFC 4255 §3.2.
        RecordType::SSHFP => {
            let (&[algorithm, fingerprint_type], fingerprint) = rdata.split_first_chunk()?;
            format!(
                "{algorithm} {fingerprint_type} {}",
                HEXUPPER.encode(fingerprint)
            )
        }
        // RFC 8659 §4.1.1.
        RecordType::CAA => {
            let (&[flags, tag_length], rest) = rdata.split_first_chunk()?;
            let (tag, value) = rest.split_at_checked(tag_length.into())?;
            let is_tag = !tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric);
            let tag = std::str::from_utf8(tag).ok().filter(|_| is_tag)?;
            format!("{flags} {tag} {}", quoted(value))
        }
        _ => return None,
    })
}

fn srv(rdata: &[u8]) -> Option<String> {
    let (numbers, target) = rdata.split_at_checked(6)?;
    let mut text = String::new();
    for number in numbers.chunks(2) {
        write!(text, "{} ", u16::from_be_bytes(number.try_into().ok()?)).ok()?;
    }
    write!(text, "{}", Name::from_wire(target).ok()?).ok()?;
    Some(text)
}

fn soa(rdata: &[u8]) -> Option<String> {
    let (server, rest) = Name::split_wire(rdata).ok()?;
    let (mailbox, numbers) = Name::split_wire(rest).ok()?;
    if numbers.len() != 20 {
        return None;
    }
    let mut text = format!("{server} {mailbox}");
    for number in numbers.chunks(4) {
        let number = u32::from_be_bytes(number.try_into().ok()?);
        write!(text, " {number}").ok()?;
    }
    Some(text)
}

fn strings(rdata: &[u8]) -> Option<String> {
    let quoted: Vec<String> = character_strings(rdata)
        .map(|string| string.ok().map(quoted))
        .collect::<Option<_>>()?;
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

/// Writes a character string in quotes (RFC 1035 §5.1).
fn quoted(string: &[u8]) -> String {
    let mut text = String::from("\"");
    for &octet in string {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            0x20..=0x7e => text.push(char::from(octet)),
            // Writing to a String can't fail.
            _ => _ = write!(text, "\\{octet:03}"),
        }
    }
    text.push('"');
    text
}

/// Writes the parameters as in RFC 5155 §3.3: an empty salt is a dash.
fn nsec3_parameters(parameters: &Nsec3Parameters<'_>, flags: u8) -> String {
    let Nsec3Parameters {
        hash_algorithm,
        iterations,
        salt,
    } = parameters;
    let salt = if salt.is_empty() {
        "-".to_owned()
    } else {
        HEXUPPER.encode(salt)
    };
    format!("{hash_algorithm} {flags} {iterations} {salt}")
}

fn with_types(mut text: String, types: TypeBitmap<'_>) -> String {
    for record_type in types.iter() {
        // Writing to a String can't fail.
        let _ = write!(text, " {record_type}");
    }
    text
}

fn rrsig(rrsig: &Rrsig<'_>) -> String {
    let time = |seconds: u32| {
        // Only digits, as in `20261121120000` (RFC 4034 §3.2).
        Timestamp::from_unix_seconds(seconds.into())
            .to_string()
            .replace(|c: char| !c.is_ascii_digit(), "")
    };
    format!(
        "{} {} {} {} {} {} {} {} {}",
        rrsig.type_covered,
        rrsig.algorithm.0,
        rrsig.labels,
        rrsig.original_ttl,
        time(rrsig.expiration),
        time(rrsig.inception),
        rrsig.key_tag,
        rrsig.signer,
        BASE64.encode(rrsig.signature)
    )
}

fn unknown_form(rdata: &[u8]) -> String {
    if rdata.is_empty() {
        return r"\# 0".into();
    }
    format!(r"\# {} {}", rdata.len(), HEXUPPER.encode(rdata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_zone_files_have() {
        for (record_type, rdata, text) in [
            (RecordType::A, &b"\xc0\x00\x02\x01"[..], "192.0.2.1"),
            (RecordType::AAAA, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1"),
            (RecordType::MX, b"\x00\x0a\x04mail\x00", "10 mail."),
            (RecordType::SRV, b"\x00\x01\x00\x02\x00\x35\x01a\x00", "1 2 53 a."),
            (
                RecordType::SOA,
                b"\x01a\x00\x01b\x00\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05",
                "a. b. 1 2 3 4 5",
            ),
            (RecordType::TXT, b"\x02a\\\x00\x01\xff", r#""a\\" "" "\255""#),
            (RecordType::DS, b"\x4f\x66\x08\x02\xab\xcd", "20326 8 2 ABCD"),
            (RecordType::DNSKEY, b"\x01\x01\x03\x0d\x00", "257 3 13 AA=="),
            (RecordType::NSEC, b"\x01b\x00\x00\x01\x60", "b. A NS"),
            (
                RecordType::NSEC3,
                b"\x01\x01\x00\x0c\x02\xaa\xbb\x05\x00\x44\x32\x14\xc7\x00\x01\x40",
                "1 1 12 AABB 01234567 A",
            ),
            (
                RecordType::NSEC3,
                b"\x01\x00\x00\x00\x00\x05\x00\x44\x32\x14\xc7\x00\x01\x40",
                "1 0 0 - 01234567 A",
            ),
            (RecordType::NSEC3PARAM, b"\x01\x00\x00\x05\x01\xff", "1 0 5 FF"),
            (RecordType::NSEC3PARAM, b"\x01\x00\x00\x00\x00", "1 0 0 -"),
            (RecordType::TLSA, b"\x03\x01\x01\xab", "3 1 1 AB"),
            (RecordType::SSHFP, b"\x04\x02\xab", "4 2 AB"),
            (RecordType::CAA, b"\x80\x05issueca.example", "128 issue \"ca.example\""),
            (
                RecordType::RRSIG,
                b"\x00\x10\x0d\x02\x00\x00\x0e\x10\x00\x00\x00\x3c\x00\x00\x00\x00\x00\x07\x01c\x00\x00",
                "TXT 13 2 3600 19700101000100 19700101000000 7 c. AA==",
            ),
        ] {
            assert_eq!(rdata_to_text(record_type, rdata), text);
        }
    }

    #[test]
    fn writes_types_without_a_form_here_as_octets() {
        for record_type in [RecordType::LOC, RecordType(65_280)] {
            assert_eq!(rdata_to_text(record_type, b"\x00\xab"), r"\# 2 00AB");
        }
    }

    #[test]
    fn writes_data_that_does_not_fit_its_type_as_octets() {
        for (record_type, rdata, text) in [
            (RecordType::A, &b"\x01"[..], r"\# 1 01"),
            (RecordType::TXT, b"\x02a", r"\# 2 0261"),
            (RecordType::TXT, b"", r"\# 0"),
            (RecordType::MX, b"\x00\x0a", r"\# 2 000A"),
            (RecordType::SOA, b"\x00\x00\x01", r"\# 3 000001"),
            (RecordType::NS, b"\x00\x00", r"\# 2 0000"),
            (RecordType::NSEC, b"\x00\x00\x00", r"\# 3 000000"),
            (
                RecordType::NSEC3PARAM,
                b"\x01\x00\x00\x05\x02\xff",
                r"\# 6 0100000502FF",
            ),
            (RecordType::CAA, b"\x00\x01 x", r"\# 4 00012078"),
            (
                RecordType::NSEC3,
                b"\x01\x00\x00\x00\x00\x00",
                r"\# 6 010000000000",
            ),
        ] {
            assert_eq!(rdata_to_text(record_type, rdata), text);
        }
    }
}
