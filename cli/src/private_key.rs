//! The forms of private keys in files, those that are read here and others: so that none is replaced by mistake, or taken
//! for something else.

use kliento::veraid::KeyError;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Header, Reader as _, SliceReader, Tag};

/// The forms of a private key in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5958 §2).
    Pkcs8,
    /// `EncryptedPrivateKeyInfo` (RFC 5958 §3).
    Encrypted,
    /// `RSAPrivateKey` (RFC 8017 Appendix A.1.2), or the like for DSA.
    Pkcs1,
    /// `ECPrivateKey` (RFC 5915 §3).
    Sec1,
    /// `PFX` (RFC 7292 §4), with certificates beside the key.
    Pkcs12,
}

impl KeyForm {
    /// Tells the form by the first octets, which may be all there are.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let mut next = || Header::decode(&mut reader).ok();
        if next()?.tag() != Tag::Sequence {
            return None;
        }
        let first = next()?;
        match first.tag() {
            Tag::Integer if first.length() == 1_u8.into() => {
                let version = reader.read_byte().ok()?;
                let second = Header::decode(&mut reader).ok()?;
                match (version, second.tag()) {
                    (0 | 1, Tag::Sequence) => Some(Self::Pkcs8),
                    (0 | 1, Tag::Integer) => Some(Self::Pkcs1),
                    (1, Tag::OctetString) => Some(Self::Sec1),
                    (3, Tag::Sequence) => Some(Self::Pkcs12),
                    _ => None,
                }
            }
            Tag::Sequence => {
                let algorithm = ObjectIdentifier::decode(&mut reader).ok()?;
                encrypts(algorithm).then_some(Self::Encrypted)
            }
            _ => None,
        }
    }

    /// The error for a key in this form, unless it is read.
    pub(crate) const fn fault(self) -> Option<KeyError> {
        match self {
            Self::Pkcs8 | Self::Pkcs12 => None,
            Self::Encrypted => Some(KeyError::Encrypted),
            Self::Pkcs1 => Some(KeyError::Pkcs1),
            Self::Sec1 => Some(KeyError::Sec1),
        }
    }
}

/// Recognises a password-based scheme: of PKCS #5 (RFC 8018) or of PKCS #12 (RFC 7292 Appendix C).
fn encrypts(algorithm: ObjectIdentifier) -> bool {
    const PKCS_5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5");
    const PKCS_12: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1");
    algorithm
        .parent()
        .is_some_and(|arc| arc == PKCS_5 || arc == PKCS_12)
}

/// Recognises a private key in `octets`, which may be the start of more: in PEM of any label and encoding, or in
/// DER.
pub(crate) fn is_in(octets: &[u8]) -> bool {
    const LABEL_END: &[u8] = b"PRIVATE KEY-----";
    // As in UTF-16 of either byte order.
    const WIDE_LABEL_END: &[u8] = b"P\0R\0I\0V\0A\0T\0E\0 \0K\0E\0Y\0-\0-\0-\0-\0-";
    let holds = |part: &[u8]| octets.windows(part.len()).any(|window| window == part);
    holds(LABEL_END) || holds(WIDE_LABEL_END) || KeyForm::of(octets).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_forms_of_a_private_key_by_their_first_octets() {
        for (start, form) in [
            (&b"\x30\x2e\x02\x01\x00\x30\x05"[..], KeyForm::Pkcs8),
            (b"\x30\x82\x04\xbd\x02\x01\x01\x30\x0d", KeyForm::Pkcs8),
            (
                b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01",
                KeyForm::Pkcs1,
            ),
            (b"\x30\x77\x02\x01\x01\x04\x20", KeyForm::Sec1),
            (
                b"\x30\x82\x09\x11\x02\x01\x03\x30\x82\x08\xd7",
                KeyForm::Pkcs12,
            ),
            // PBES2 and pbeWithSHAAnd3-KeyTripleDES-CBC.
            (
                b"\x30\x81\x9b\x30\x57\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d",
                KeyForm::Encrypted,
            ),
            (
                b"\x30\x40\x30\x1c\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03",
                KeyForm::Encrypted,
            ),
        ] {
            assert_eq!(KeyForm::of(start), Some(form), "{start:02x?}");
            assert!(is_in(start));
        }
    }

    #[test]
    fn knows_pem_of_any_label_and_encoding() {
        for text in [
            "PRIVATE",
            "RSA PRIVATE",
            "ENCRYPTED PRIVATE",
            "OPENSSH PRIVATE",
        ] {
            let pem = format!("some remark\n-----BEGIN {text} KEY-----\nMIIE");
            let units: Vec<u16> = pem.encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            assert!(is_in(pem.as_bytes()) && is_in(&little) && is_in(&big));
        }
    }

    #[test]
    fn takes_nothing_else_for_a_private_key() {
        for octets in [
            &b""[..],
            b"\x30",
            b"\x30\x03\x02\x01\x00",
            b"hello",
            b"-----BEGIN PUBLIC KEY-----",
            // A public key, a certificate, CMS and one of our bundles.
            b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            b"\x30\x82\x03\x0a\x30\x82\x01\xf2\xa0\x03\x02\x01\x02",
            b"\x30\x82\x03\x0a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
            b"\x30\x82\x03\x0a\x80\x01\x00\x31\x82\x01\x02",
        ] {
            assert!(!is_in(octets), "{octets:02x?}");
        }
    }
}
