//! Writes certificates with keys and signatures of an attacker's choice, which no issuer would make.

/// Tag, length in the fewest octets, content.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    match content.len() {
        short @ 0..0x80 => encoded.extend(u8::try_from(short)),
        long => {
            let digits = long.to_be_bytes();
            let digits = digits.iter().skip_while(|digit| **digit == 0);
            let count = u8::try_from(digits.clone().count()).unwrap_or(0);
            encoded.push(0x80 | count);
            encoded.extend(digits);
        }
    }
    encoded.extend(content);
    encoded
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn bit_string(octets: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], octets].concat())
}

fn positive_integer(magnitude: &[u8]) -> Vec<u8> {
    match magnitude.first() {
        Some(0x80..) => tlv(0x02, &[&[0], magnitude].concat()),
        _ => tlv(0x02, magnitude),
    }
}

/// 2.5.4.3 and 2.5.4.11.
pub(super) const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
pub(super) const UNIT: &[u8] = b"\x06\x03\x55\x04\x0b";
/// 1.2.840.113549.1.1.1 with NULL.
const RSA_ENCRYPTION: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 octets.
const RSASSA_PSS: &[u8] = b"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
    \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
    \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
    \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
    \xa2\x03\x02\x01\x20";
/// Basic constraints of a CA, critical.
pub(super) const CA: &[u8] =
    b"\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff";
/// A subject key identifier, and an authority key identifier that is another.
pub(super) const SUBJECT_KEY_A: &[u8] = b"\x30\x0a\x06\x03\x55\x1d\x0e\x04\x03\x04\x01\x0a";
pub(super) const AUTHORITY_KEY_B: &[u8] =
    b"\x30\x0c\x06\x03\x55\x1d\x23\x04\x05\x30\x03\x80\x01\x0b";

/// A distinguished name that is one attribute as `UTF8String`.
pub(super) fn name(attribute: &[u8], text: &str) -> Vec<u8> {
    let value = tlv(0x0c, text.as_bytes());
    sequence(&[&tlv(0x31, &sequence(&[attribute, &value]))])
}

/// The same as `BMPString`.
pub(super) fn wide_name(attribute: &[u8], text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    sequence(&[&tlv(0x31, &sequence(&[attribute, &tlv(0x1e, &units)]))])
}

/// The `SubjectPublicKeyInfo` of an RSA key.
pub(super) fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = sequence(&[&positive_integer(modulus), &positive_integer(exponent)]);
    sequence(&[RSA_ENCRYPTION, &bit_string(&key)])
}

/// A certificate, valid from 2026-11-01 to 2026-12-31.
pub(super) struct Certificate<'c> {
    pub(super) serial_number: u8,
    /// Distinguished names as DER.
    pub(super) issuer: &'c [u8],
    pub(super) subject: &'c [u8],
    pub(super) spki: &'c [u8],
    /// Extensions as DER, one after the other.
    pub(super) extensions: &'c [u8],
}

impl Certificate<'_> {
    /// Its DER, with what `sign` says of its signed part.
    pub(super) fn signed(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        const VALIDITY: &[u8] = b"\x30\x1e\x17\x0d261101000000Z\x17\x0d261231000000Z";
        let extensions = tlv(0xa3, &sequence(&[self.extensions]));
        let signed = sequence(&[
            b"\xa0\x03\x02\x01\x02\x02\x01",
            &[self.serial_number],
            RSASSA_PSS,
            self.issuer,
            VALIDITY,
            self.subject,
            self.spki,
            &extensions,
        ]);
        let signature = sign(&signed);
        sequence(&[&signed, RSASSA_PSS, &bit_string(&signature)])
    }
}
