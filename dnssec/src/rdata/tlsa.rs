//! TLSA records (RFC 6698, RFC 7671): the certificates or keys that a TLS server may have.

use crate::crypto::digest;
use crate::name::{Name, NameError};

/// A TLSA record: the statement of a domain about the certificate or key of a TLS server.
///
/// ```
/// use dnssec::{Name, Tlsa};
///
/// let host: Name = "www.example.com".parse()?;
/// assert_eq!(Tlsa::owner(&host, 443, "tcp")?.to_string(), "_443._tcp.www.example.com.");
///
/// let certificate = b"the certificate in DER";
/// let public_key = b"its SubjectPublicKeyInfo in DER";
/// # let rdata = [&[3, 1, 0][..], public_key].concat();
/// let tlsa = Tlsa::parse(&rdata).ok_or("malformed")?;
/// assert_eq!((tlsa.usage, tlsa.selector), (Tlsa::DANE_EE, Tlsa::SPKI));
/// assert!(tlsa.matches(certificate, public_key));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tlsa<'m> {
    /// The certificate usage: the certificate of a path that the record is about, and the other
    /// requirements (RFC 6698 §2.1.1).
    pub usage: u8,
    /// The part of the certificate that is compared (RFC 6698 §2.1.2).
    pub selector: u8,
    /// The way in which it is compared (RFC 6698 §2.1.3).
    pub matching_type: u8,
    /// The part itself, or its digest.
    pub data: &'m [u8],
}

/// The lengths of SHA-256 and SHA-512 in octets.
const SHA_256_OCTETS: usize = 32;
const SHA_512_OCTETS: usize = 64;

/// The values have the acronyms of RFC 7218.
impl<'m> Tlsa<'m> {
    /// Usage 0: an authority's certificate. The path must be valid according to the verifier's own
    /// trust store.
    pub const PKIX_TA: u8 = 0;
    /// Usage 1: the server's certificate. The path must be valid according to the verifier's own
    /// trust store.
    pub const PKIX_EE: u8 = 1;
    /// Usage 2: an authority's certificate, which is the trust anchor.
    pub const DANE_TA: u8 = 2;
    /// Usage 3: the server's certificate or key. The rest of its certificate does not matter (RFC
    /// 7671 §5.1).
    pub const DANE_EE: u8 = 3;
    /// Selector 0: the whole certificate.
    pub const CERT: u8 = 0;
    /// Selector 1: its `SubjectPublicKeyInfo`.
    pub const SPKI: u8 = 1;
    /// Matching type 0: the part itself.
    pub const FULL: u8 = 0;
    /// Matching type 1: its digest by SHA-256.
    pub const SHA2_256: u8 = 1;
    /// Matching type 2: its digest by SHA-512.
    pub const SHA2_512: u8 = 2;

    /// Reads the RDATA of a TLSA record. Returns `None` if there are no data after the three
    /// numbers.
    pub fn parse(rdata: &'m [u8]) -> Option<Self> {
        let (&[usage, selector, matching_type], data) = rdata.split_first_chunk()?;
        (!data.is_empty()).then_some(Self {
            usage,
            selector,
            matching_type,
            data,
        })
    }

    /// Returns the owner of the TLSA records of a server (RFC 6698 §3), such as
    /// `_443._tcp.www.example.com.` for port 443 and `tcp`. The other protocols are `udp` and
    /// `sctp`.
    pub fn owner(host: &Name, port: u16, protocol: &str) -> Result<Name, NameError> {
        let labels = [format!("_{port}"), format!("_{protocol}")];
        Name::from_labels(labels.iter().map(String::as_bytes).chain(host.labels()))
    }

    /// Returns true if the record can match anything: its numbers are known, and a digest has the
    /// length for its type. Unusable records are ignored (RFC 7671 §4.1).
    pub fn is_usable(&self) -> bool {
        let data_fits = match self.matching_type {
            Self::FULL => true,
            Self::SHA2_256 => self.data.len() == SHA_256_OCTETS,
            Self::SHA2_512 => self.data.len() == SHA_512_OCTETS,
            _ => false,
        };
        data_fits && self.usage <= Self::DANE_EE && self.selector <= Self::SPKI
    }

    /// Returns true if the record matches a certificate, given the certificate and its
    /// `SubjectPublicKeyInfo` in DER (RFC 6698 §2.1). The usage determines which certificate of a
    /// path must match, and what else must hold. An unusable record matches nothing.
    pub fn matches(&self, certificate: &[u8], public_key: &[u8]) -> bool {
        let selected = match self.selector {
            Self::CERT => certificate,
            Self::SPKI => public_key,
            _ => return false,
        };
        // A digest is equal only if it has the length for its type.
        self.usage <= Self::DANE_EE
            && match self.matching_type {
                Self::FULL => selected == self.data,
                Self::SHA2_256 => digest::sha256([selected, &[]]).as_ref() == self.data,
                Self::SHA2_512 => digest::sha512([selected, &[]]).as_ref() == self.data,
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = b"a certificate";
    const PUBLIC_KEY: &[u8] = b"its key";

    fn data(selector: u8, matching_type: u8) -> Vec<u8> {
        let selected = [CERTIFICATE, PUBLIC_KEY][usize::from(selector)];
        match matching_type {
            Tlsa::FULL => selected.to_vec(),
            Tlsa::SHA2_256 => digest::sha256([selected, b""]).as_ref().to_vec(),
            _ => digest::sha512([selected, b""]).as_ref().to_vec(),
        }
    }

    #[test]
    fn matches_the_certificate_or_the_key_by_itself_or_by_digest() {
        for (selector, matching_type) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
            let data = data(selector, matching_type);
            let tlsa = |data| Tlsa {
                usage: Tlsa::DANE_EE,
                selector,
                matching_type,
                data,
            };
            assert!(tlsa(&data).matches(CERTIFICATE, PUBLIC_KEY));
            assert!(!tlsa(&data).matches(b"another", b"another"));
            let mut other = data.clone();
            other[0] ^= 1;
            assert!(!tlsa(&other).matches(CERTIFICATE, PUBLIC_KEY));
        }
    }

    #[test]
    fn what_is_unknown_or_has_another_length_matches_nothing() {
        let of = |usage, selector, matching_type, data| Tlsa {
            usage,
            selector,
            matching_type,
            data,
        };
        let digest = data(1, 1);
        assert!(of(3, 1, 1, &digest).is_usable());
        let longer_digest = data(1, 2);
        assert!(of(3, 1, 2, &longer_digest).is_usable());
        assert!(of(0, 0, 0, b"of any length").is_usable());
        for tlsa in [
            of(4, 1, 1, &digest),
            of(3, 2, 1, &digest),
            of(3, 1, 3, &digest),
            of(3, 1, 2, &digest),
            of(3, 1, 1, &digest[1..]),
        ] {
            assert!(
                !tlsa.is_usable() && !tlsa.matches(CERTIFICATE, PUBLIC_KEY),
                "{tlsa:?}"
            );
        }
        assert_eq!(Tlsa::parse(&[3, 1, 0]), None);
        assert_eq!(Tlsa::parse(&[3, 1]), None);
    }

    #[test]
    fn an_owner_has_port_and_protocol_in_front() {
        let host: Name = "example.com".parse().unwrap();
        let owner = Tlsa::owner(&host, 853, "udp").unwrap();
        assert_eq!(owner.to_string(), "_853._udp.example.com.");
        assert_eq!(
            Tlsa::owner(&host, 1, &"x".repeat(63)),
            Err(NameError::LabelTooLong)
        );
    }
}
