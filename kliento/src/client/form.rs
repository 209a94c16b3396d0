//! Token bundles in the forms that the command `kliento` writes.

use zeroize::Zeroizing;

use crate::{MAX_BUNDLE_OCTETS, VerifyError, header};

/// An upper bound on a bundle in its longest form, Base64 in lines. Anything longer is not a token.
pub(super) const MAX_OCTETS: usize = 4 * MAX_BUNDLE_OCTETS;

/// The first byte of a bundle in DER. As text it is `0`, and neither of the other forms starts with
/// that.
const SEQUENCE: u8 = 0x30;

/// The DER of a bundle that is given as DER, as Base64 text or as an `Authorization` value.
pub(super) fn bundle_octets(input: &[u8]) -> Result<Zeroizing<Vec<u8>>, VerifyError> {
    if input.first() == Some(&SEQUENCE) {
        return Ok(Zeroizing::new(input.to_vec()));
    }
    let text = input.trim_ascii();
    let is_header = text
        .get(..header::SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(header::SCHEME.as_bytes()));
    if is_header {
        return header::decode(text).map(Zeroizing::new);
    }
    // Base64 may come in lines.
    let mut value = Zeroizing::new(Vec::with_capacity(header::SCHEME.len() + 1 + text.len()));
    value.extend(header::SCHEME.bytes());
    value.push(b' ');
    value.extend(text.iter().filter(|octet| !octet.is_ascii_whitespace()));
    header::decode(value.as_slice()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_forms_of_a_bundle_apart_by_content() {
        let der = [0x30, 0x03, 0x02, 0x01, 0x00];
        for form in [
            &der[..],
            b"MAMCAQA=",
            b"MAMCAQA\n",
            b" MAMC\r\nAQA=\n",
            b"Kliento MAMCAQA=\n",
            b"kliento  MAMCAQA",
        ] {
            assert_eq!(**bundle_octets(form).unwrap(), der, "{form:?}");
        }
    }

    #[test]
    fn refuses_text_that_is_no_bundle() {
        for text in [
            "",
            "\n",
            "hello, world",
            "Kliento",
            "Bearer MAMCAQA=",
            "MAMC-QA=",
            "MAMCAQB=",
        ] {
            assert!(bundle_octets(text.as_bytes()).is_err(), "{text}");
        }
    }
}
