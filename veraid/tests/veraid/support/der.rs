//! Writes any tag with any content, right or wrong.

/// Tag, length in the fewest octets, content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
    match digits[..] {
        [] => encoded.push(0),
        [short @ 0..0x80] => encoded.push(short),
        _ => {
            encoded.push(0x80 | u8::try_from(digits.len()).unwrap());
            encoded.extend(digits);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

pub(crate) fn sequence<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x30, &concat(parts))
}

pub(crate) fn set<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x31, &concat(parts))
}

pub(crate) fn concat<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    parts.iter().flat_map(AsRef::as_ref).copied().collect()
}

/// `[number]`, constructed.
pub(crate) fn context(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// `[number]`, primitive.
pub(crate) fn context_primitive(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

pub(crate) fn integer(content: &[u8]) -> Vec<u8> {
    tlv(0x02, content)
}

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

pub(crate) fn bit_string(octets: &[u8]) -> Vec<u8> {
    tlv(0x03, &concat(&[&[0], octets]))
}

pub(crate) fn utf8_string(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

pub(crate) fn bmp_string(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    tlv(0x1e, &units)
}

pub(crate) fn null() -> Vec<u8> {
    tlv(0x05, &[])
}

pub(crate) fn boolean(octet: u8) -> Vec<u8> {
    tlv(0x01, &[octet])
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    let oid: veraid::ServiceOid = text.parse().unwrap();
    tlv(0x06, oid.as_der_content())
}

/// An INTEGER above zero from its magnitude.
pub(crate) fn positive_integer(magnitude: &[u8]) -> Vec<u8> {
    if magnitude[0] < 0x80 {
        integer(magnitude)
    } else {
        integer(&concat(&[&[0], magnitude]))
    }
}

/// The same value under another tag.
pub(crate) fn retag(tag: u8, encoded: &[u8]) -> Vec<u8> {
    let mut encoded = encoded.to_vec();
    encoded[0] = tag;
    encoded
}

/// The content of one value.
pub(crate) fn content(encoded: &[u8]) -> &[u8] {
    match encoded[1] {
        short @ 0..0x80 => &encoded[2..][..usize::from(short)],
        long => &encoded[2 + usize::from(long & 0x7f)..],
    }
}

/// SEQUENCEs within each other.
pub(crate) fn nested(depth: usize) -> Vec<u8> {
    // From the inside out, written backwards so that each layer only adds its header.
    let mut reversed: Vec<u8> = Vec::new();
    for _ in 0..depth {
        let header = tlv(0x30, &vec![0; reversed.len()]);
        let header = &header[..header.len() - reversed.len()];
        reversed.extend(header.iter().rev());
    }
    reversed.reverse();
    reversed
}
