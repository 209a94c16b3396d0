//! Verification of zones' signatures, with keys as DNSKEY records have them.

use der::Encode as _;
use der::asn1::UintRef;

use super::back_end::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, RsaParameters,
    RsaPublicKeyComponents as PublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use crate::rdata::{Algorithm, Dnskey};

/// The shortest RSA modulus in bits. RFC 5702 allows zone keys from 1,024 bits with algorithm 10
/// and from 512 with 8; this crate refuses less than 1,024 with either.
const MIN_RSA_BITS: usize = 1024;
/// The longest RSA modulus in bits that RFC 5702 allows.
const MAX_RSA_BITS: usize = 4096;

/// The octet for the uncompressed point format, which DNSKEY omits (RFC 6605 §4).
const UNCOMPRESSED: u8 = 0x04;
const P256_OCTETS: usize = 64;
const P384_OCTETS: usize = 96;
/// The maximum size in octets: two integers with a sign octet, with the tags and lengths of both
/// and of the whole.
const MAX_ECDSA_SIG_VALUE_OCTETS: usize = P384_OCTETS + 2 * 3 + 2;
/// The length of a key (RFC 8080 §3).
const ED25519_OCTETS: usize = 32;

/// Returns true if `signature` over `signed_data` verifies with `key`.
pub(crate) fn verifies(key: &Dnskey<'_>, signed_data: &[u8], signature: &[u8]) -> bool {
    match key.algorithm {
        Algorithm::RSASHA256 => rsa_verifies(
            &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            key.public_key,
            signed_data,
            signature,
        ),
        Algorithm::RSASHA512 => rsa_verifies(
            &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            key.public_key,
            signed_data,
            signature,
        ),
        Algorithm::ECDSAP256SHA256 => point::<P256_OCTETS, { P256_OCTETS + 1 }>(key.public_key)
            .is_some_and(|point| {
                ecdsa_verifies(&ECDSA_P256_SHA256_ASN1, &point, signed_data, signature)
            }),
        Algorithm::ECDSAP384SHA384 => point::<P384_OCTETS, { P384_OCTETS + 1 }>(key.public_key)
            .is_some_and(|point| {
                ecdsa_verifies(&ECDSA_P384_SHA384_ASN1, &point, signed_data, signature)
            }),
        // Without the check the back end would also accept a SubjectPublicKeyInfo.
        Algorithm::ED25519 if key.public_key.len() == ED25519_OCTETS => {
            UnparsedPublicKey::new(&ED25519, key.public_key)
                .verify(signed_data, signature)
                .is_ok()
        }
        _ => false,
    }
}

fn rsa_verifies(
    parameters: &'static RsaParameters,
    public_key: &[u8],
    signed_data: &[u8],
    signature: &[u8],
) -> bool {
    rsa_components(public_key)
        .is_some_and(|key| key.verify(parameters, signed_data, signature).is_ok())
}

/// Returns the lengths in bits of an RSA key's modulus and exponent, if the key is acceptable.
pub(crate) fn rsa_bits(public_key: &[u8]) -> Option<(usize, usize)> {
    let bits = |number: &[u8]| {
        let unused = number.first().map_or(0, |first| first.leading_zeros());
        (number.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or(0))
    };
    rsa_components(public_key).map(|key| (bits(key.n), bits(key.e)))
}

/// Splits an RSA key into exponent and modulus (RFC 3110 §2), and checks the modulus against the
/// limits above.
fn rsa_components(public_key: &[u8]) -> Option<PublicKeyComponents<&[u8]>> {
    let (exponent_octets, rest) = match *public_key {
        [0, high, low, ref rest @ ..] => (usize::from(u16::from_be_bytes([high, low])), rest),
        [length, ref rest @ ..] => (usize::from(length), rest),
        [] => return None,
    };
    let (e, n) = rest.split_at_checked(exponent_octets)?;
    // Both must not have leading zeros (RFC 3110 §2).
    let (&first_of_n, &first_of_e) = (n.first()?, e.first()?);
    if first_of_n == 0 || first_of_e == 0 {
        return None;
    }
    let leading_zeros = usize::try_from(first_of_n.leading_zeros()).ok()?;
    let bits = n.len() * 8 - leading_zeros;
    (MIN_RSA_BITS..=MAX_RSA_BITS)
        .contains(&bits)
        .then_some(PublicKeyComponents { n, e })
}

/// Checks an ECDSA signature: two adjacent integers, each as long as a coordinate of the key (RFC
/// 6605 §4).
///
/// Both back ends accept that form too, but AWS-LC first converts it into an `Ecdsa-Sig-Value` (RFC
/// 3279 §2.2.3) by way of two bignums on the heap. Writing that value here costs a fifth of that.
fn ecdsa_verifies(
    algorithm: &'static dyn VerificationAlgorithm,
    point: &[u8],
    signed_data: &[u8],
    signature: &[u8],
) -> bool {
    if signature.len() + 1 != point.len() {
        return false;
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    let mut buffer = [0; MAX_ECDSA_SIG_VALUE_OCTETS];
    let value = UintRef::new(r)
        .and_then(|r| Ok([r, UintRef::new(s)?]))
        .and_then(|integers| integers.encode_to_slice(&mut buffer));
    value.is_ok_and(|value| {
        UnparsedPublicKey::new(algorithm, point)
            .verify(signed_data, value)
            .is_ok()
    })
}

/// Returns an elliptic-curve key with the format octet that the back end expects.
fn point<const KEY: usize, const POINT: usize>(public_key: &[u8]) -> Option<[u8; POINT]> {
    let key: &[u8; KEY] = public_key.try_into().ok()?;
    let mut point = [UNCOMPRESSED; POINT];
    point.get_mut(1..)?.copy_from_slice(key);
    Some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa_key(exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
        let mut key = vec![u8::try_from(exponent.len()).unwrap()];
        key.extend(exponent);
        key.extend(modulus);
        key
    }

    #[test]
    fn rsa_keys_have_1024_to_4096_bits() {
        let e = [1, 0, 1];
        let modulus = |first: u8, octets: usize| {
            let mut modulus = vec![0xff; octets];
            modulus[0] = first;
            modulus
        };
        for (modulus, accepted) in [
            (modulus(0x80, 128), true),
            (modulus(0x7f, 128), false),
            (modulus(0xff, 127), false),
            (modulus(0xff, 512), true),
            (modulus(0x01, 513), false),
            (modulus(0x00, 257), false),
        ] {
            let (key, octets) = (rsa_key(&e, &modulus), modulus.len());
            assert_eq!(rsa_components(&key).is_some(), accepted, "{octets}");
        }
    }

    #[test]
    fn reads_a_long_exponent_and_refuses_broken_ones() {
        let modulus = [0xff; 256];
        let mut long = vec![0, 0, 3, 1, 0, 1];
        long.extend(modulus);
        assert_eq!(rsa_components(&long).unwrap().e, [1, 0, 1]);
        assert!(rsa_components(&rsa_key(&[0, 1, 1], &modulus)).is_none());
        for broken in [
            &b""[..],
            b"\x00",
            b"\x00\x01",
            b"\x03\x01",
            b"\x00\x00\x00",
            b"\x03\x01\x00\x01",
        ] {
            assert!(rsa_components(broken).is_none());
        }
    }

    #[test]
    fn an_elliptic_curve_key_has_exactly_its_length() {
        assert!(point::<64, 65>(&[1; 64]).is_some());
        assert!(point::<64, 65>(&[1; 63]).is_none());
        assert!(point::<64, 65>(&[1; 65]).is_none());
    }

    /// A key, and signatures over `example` whose integers need a zero octet before them in DER, or
    /// have fewer than 32 octets.
    #[test]
    fn an_ecdsa_signature_is_two_integers_of_any_size_in_32_octets_each() {
        let decode = |text: &str| data_encoding::BASE64.decode(text.as_bytes()).unwrap();
        let mut rdata = vec![1, 0, 3, 13];
        rdata.extend(decode(
            "GWBKQOCPlfkATgiczKhUgiRTNCYrpaKfuuCOD1KesZ5BzNQqy3I/2ZA8DtTM6y88vs5z8uyX1vg7pytG6HX77w==",
        ));
        let key = Dnskey::parse(&rdata).unwrap();
        for signature in [
            "va5hDw61jy00A976VcWFskaG56WbAkzAguKSZvgeDeugeTiIubY0Q+P4/0E7I+hPb9rWYZcgaQ0VzkRctDvnCg==",
            "Qb2Edmqq04PuYzVemedeBvcES/ZAsKZetMAfsOi+1QAApCqD8+I8DYx+4QKB9lGWBEVC6xrkHhsnPqMqmkRNFw==",
            "AFz3ZGWEHDbWcBzl3dQ1Ricg7kVDW9u0jHBn7eSG9AsRFoOn47lfyUmXY+OLFHkX3EmcmnJ/TR3hAeZRfrQIyg==",
            "ANcl1izxwZQqNROQKc4Q24/1ZAam2Mul98FIJG3H7bMAAVxZ1f48hY6qgOGIg6sk+oYl7oG2X33+q5VxM2h3jA==",
        ]
        .map(decode)
        {
            assert!(verifies(&key, b"example", &signature));
            assert!(!verifies(&key, b"Example", &signature));
            assert!(!verifies(&key, b"example", &signature[1..]));
            assert!(!verifies(&key, b"example", &signature[..63]));
            assert!(!verifies(&key, b"example", &[&signature[..], &[0]].concat()));
        }
        for signature in [&[][..], &[0; 64], &[0xff; 64], &[0; 65]] {
            assert!(!verifies(&key, b"example", signature));
        }
    }
}
