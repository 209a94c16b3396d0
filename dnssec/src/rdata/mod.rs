//! The record types of DNSSEC: RRSIG, DNSKEY, DS and NSEC (RFC 4034), and NSEC3 (RFC 5155). Also
//! TLSA (RFC 6698).

mod dnskey;
mod ds;
mod nsec;
mod nsec3;
mod rrsig;
mod tlsa;

pub use dnskey::Dnskey;
pub use ds::Ds;
pub use nsec::{Nsec, TypeBitmap};
pub(crate) use nsec3::nsec3_owner_hash;
pub use nsec3::{Nsec3, Nsec3Hash, Nsec3Parameters, nsec3_owner};
pub use rrsig::Rrsig;
pub use tlsa::Tlsa;

/// A DNSSEC algorithm number (IANA's registry "DNS Security Algorithm Numbers").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Algorithm(pub u8);

impl Algorithm {
    /// RSA with SHA-256, PKCS #1 v1.5 (RFC 5702).
    pub const RSASHA256: Self = Self(8);
    /// RSA with SHA-512, PKCS #1 v1.5 (RFC 5702).
    pub const RSASHA512: Self = Self(10);
    /// ECDSA over P-256 with SHA-256 (RFC 6605).
    pub const ECDSAP256SHA256: Self = Self(13);
    /// ECDSA over P-384 with SHA-384 (RFC 6605).
    pub const ECDSAP384SHA384: Self = Self(14);
    /// Ed25519 (RFC 8080).
    pub const ED25519: Self = Self(15);

    /// Returns true if this crate accepts signatures of this algorithm. SHA-1 (5 and 7) and unknown
    /// algorithms are not accepted.
    pub fn is_supported(self) -> bool {
        matches!(
            self,
            Self::RSASHA256
                | Self::RSASHA512
                | Self::ECDSAP256SHA256
                | Self::ECDSAP384SHA384
                | Self::ED25519
        )
    }

    /// IANA's mnemonic, if there is one.
    pub fn mnemonic(self) -> Option<&'static str> {
        ALGORITHMS
            .iter()
            .find(|(number, _)| *number == self.0)
            .map(|(_, mnemonic)| *mnemonic)
    }

    /// Reads a number or one of IANA's mnemonics, in any case, as in the presentation forms of
    /// records (RFC 4034 §§2.2, 3.2 and 5.3).
    ///
    /// ```
    /// use dnssec::Algorithm;
    ///
    /// assert_eq!(Algorithm::from_text("ecdsap256sha256"), Some(Algorithm::ECDSAP256SHA256));
    /// assert_eq!(Algorithm::from_text("13"), Some(Algorithm::ECDSAP256SHA256));
    /// assert_eq!(Algorithm::from_text("RSA"), None);
    /// ```
    pub fn from_text(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()) {
            return text.parse().ok().map(Self);
        }
        ALGORITHMS
            .iter()
            .find(|(_, mnemonic)| text.eq_ignore_ascii_case(mnemonic))
            .map(|(number, _)| Self(*number))
    }
}

/// IANA's registry "DNS Security Algorithm Numbers", which began as RFC 4034 Appendix A.1.
const ALGORITHMS: [(u8, &str); 18] = [
    (1, "RSAMD5"),
    (2, "DH"),
    (3, "DSA"),
    (5, "RSASHA1"),
    (6, "DSA-NSEC3-SHA1"),
    (7, "RSASHA1-NSEC3-SHA1"),
    (8, "RSASHA256"),
    (10, "RSASHA512"),
    (12, "ECC-GOST"),
    (13, "ECDSAP256SHA256"),
    (14, "ECDSAP384SHA384"),
    (15, "ED25519"),
    (16, "ED448"),
    (17, "SM2SM3"),
    (23, "ECC-GOST12"),
    (252, "INDIRECT"),
    (253, "PRIVATEDNS"),
    (254, "PRIVATEOID"),
];

/// Writes the mnemonic, or the number if there is none.
impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.mnemonic() {
            Some(mnemonic) => f.pad(mnemonic),
            None => f.pad(&self.0.to_string()),
        }
    }
}

/// Splits the first two octets off as a number.
pub(crate) fn split_u16(octets: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

/// Splits the first four octets off as a number.
pub(crate) fn split_u32(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_written_as_its_mnemonic_or_its_number() {
        for (number, text) in [
            (8, "RSASHA256"),
            (13, "ECDSAP256SHA256"),
            (99, "99"),
            (0, "0"),
        ] {
            assert_eq!(Algorithm(number).to_string(), text);
            assert_eq!(
                format!("{:>16}|", Algorithm(number)),
                format!("{text:>16}|")
            );
        }
        for number in 0..=255 {
            let algorithm = Algorithm(number);
            assert_eq!(
                Algorithm::from_text(&algorithm.to_string()),
                Some(algorithm)
            );
        }
    }
}
