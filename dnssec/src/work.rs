//! The cost of cryptographic operations, in one unit for all of them.

use crate::crypto::signature;
use crate::rdata::{Algorithm, Dnskey};

/// An amount of work, in units of about a microsecond of one core of a server.
///
/// The time for a check differs between machines, but the ratio between two checks differs much
/// less. The figures are medians in microseconds with AWS-LC 1.19 on an AMD EPYC with ADX and
/// AVX-512: RSA-2048 16 to 17, RSA-3072 33, RSA-4096 57, RSA-8192 213 to 245; with an exponent of
/// 33 bits instead of 65537 up to 2.5 times as much; P-256 41, P-384 160, Ed25519 28. (With `ring`,
/// P-384 takes 570.)
///
/// ```
/// use dnssec::Work;
///
/// let [ordinary, hostile] = [(2_048, 17), (8_192, 33)].map(|(bits, exponent)| Work::of_rsa(bits, exponent));
/// assert_eq!((ordinary.units(), hostile.units()), (17, 555));
/// assert!(Work::P384.units() > 3 * Work::P256.units());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(u32);

/// The length of 65537 in bits. Larger exponents have no practical use.
const USUAL_EXPONENT_BITS: usize = 17;
/// The octets that SHA-384 hashes in one unit. SHA-256 hashes twice as many.
const OCTETS_PER_UNIT: usize = 512;
/// The blocks of SHA-1 that an NSEC3 hash takes in one unit. Each block is a hash of its own.
const SHA_1_BLOCKS_PER_UNIT: u32 = 8;

impl Work {
    /// No work.
    pub const NONE: Self = Self(0);
    /// The maximum, which no verification reaches.
    pub const UNLIMITED: Self = Self(u32::MAX);
    /// The work of checking an Ed25519 signature.
    pub const ED25519: Self = Self(28);
    /// The work of checking an ECDSA signature on P-256.
    pub const P256: Self = Self(41);
    /// The work of checking an ECDSA signature on P-384.
    pub const P384: Self = Self(160);

    /// Makes an amount of so many units.
    pub const fn from_units(units: u32) -> Self {
        Self(units)
    }

    /// The number of units.
    pub const fn units(self) -> u32 {
        self.0
    }

    /// The work of checking a signature with an RSA key whose modulus and public exponent have so
    /// many bits.
    pub const fn of_rsa(modulus_bits: usize, exponent_bits: usize) -> Self {
        // A multiplication takes time proportional to the square of the number of words. The
        // constant is for the preparation.
        let words = modulus_bits.div_ceil(64);
        let usual = words.saturating_mul(words) / 75;
        let usual = if usual > 1 << 20 { 1 << 20 } else { usual } + 4;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "`try_from` is not const, and this is small"
        )]
        let usual = usual as u32;
        if exponent_bits > USUAL_EXPONENT_BITS {
            Self(usual * 5 / 2)
        } else {
            Self(usual)
        }
    }

    /// The work of hashing so many octets.
    pub fn of_digest(octets: usize) -> Self {
        Self(u32::try_from(octets / OCTETS_PER_UNIT).unwrap_or(u32::MAX))
    }

    /// The sum, or [`Work::UNLIMITED`] if it is too large.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; `None` if `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(left) => Some(Self(left)),
            None => None,
        }
    }

    /// The work of checking a signature with a zone key.
    pub(crate) fn of_check(key: &Dnskey<'_>) -> Self {
        match key.algorithm {
            Algorithm::RSASHA256 | Algorithm::RSASHA512 => signature::rsa_bits(key.public_key)
                .map_or(Self::NONE, |(modulus, exponent)| {
                    Self::of_rsa(modulus, exponent)
                }),
            Algorithm::ECDSAP256SHA256 => Self::P256,
            Algorithm::ECDSAP384SHA384 => Self::P384,
            Algorithm::ED25519 => Self::ED25519,
            _ => Self::NONE,
        }
    }

    /// The work of checking a signature of that algorithm with the smallest usual key. This is
    /// enough to decide which signature to try first.
    pub(crate) fn of_least_check(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ECDSAP256SHA256 => Self::P256,
            Algorithm::ECDSAP384SHA384 => Self::P384,
            Algorithm::ED25519 => Self::ED25519,
            _ => Self::of_rsa(2_048, USUAL_EXPONENT_BITS),
        }
    }

    /// The work of hashing names for NSEC3.
    pub(crate) fn of_sha_1_blocks(blocks: u32) -> Self {
        Self(blocks.div_ceil(SHA_1_BLOCKS_PER_UNIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures in microseconds from the type's documentation, and the permitted deviation of a
    /// unit from them.
    #[test]
    fn rsa_is_as_costly_as_it_was_measured() {
        for (bits, exponent_bits, microseconds) in [
            (1_024, 17, 6),
            (1_280, 17, 9),
            (2_048, 17, 17),
            (3_072, 17, 33),
            (4_096, 17, 57),
            (6_144, 17, 122),
            (8_192, 17, 220),
            (1_024, 33, 11),
            (1_280, 33, 19),
            (2_048, 33, 37),
            (3_072, 33, 78),
            (4_096, 33, 136),
            (6_144, 33, 297),
            (8_192, 33, 550),
        ] {
            let units = Work::of_rsa(bits, exponent_bits).units();
            let least = microseconds * 19 / 20;
            assert!(units >= least, "{bits} {exponent_bits}: {units}");
            assert!(
                units <= microseconds * 4 / 3 + 4,
                "{bits} {exponent_bits}: {units}"
            );
        }
    }

    #[test]
    fn a_check_costs_what_its_key_does_and_one_that_is_not_made_costs_nothing() {
        let work = |algorithm: Algorithm, public_key: &[u8]| {
            let rdata = [&[1, 0, 3, algorithm.0][..], public_key].concat();
            Work::of_check(&Dnskey::parse(&rdata).unwrap())
        };
        let rsa = |bits: usize| [&[3, 1, 0, 1][..], &vec![0xff; bits / 8]].concat();
        for algorithm in [Algorithm::RSASHA256, Algorithm::RSASHA512] {
            assert_eq!(work(algorithm, &rsa(2_048)), Work::of_rsa(2_048, 17));
            assert_eq!(work(algorithm, &rsa(4_096)), Work::of_rsa(4_096, 17));
            assert_eq!(work(algorithm, &rsa(512)), Work::NONE);
            assert_eq!(Work::of_least_check(algorithm), Work::of_rsa(2_048, 17));
        }
        for (algorithm, cost) in [
            (Algorithm::ECDSAP256SHA256, Work::P256),
            (Algorithm::ECDSAP384SHA384, Work::P384),
            (Algorithm::ED25519, Work::ED25519),
        ] {
            assert_eq!(work(algorithm, b"key"), cost);
            assert_eq!(Work::of_least_check(algorithm), cost);
        }
        for unknown in [Algorithm(5), Algorithm(16), Algorithm(255)] {
            assert_eq!(work(unknown, &rsa(2_048)), Work::NONE);
        }
    }

    #[test]
    fn nothing_overflows() {
        assert!(Work::of_rsa(usize::MAX, 33) > Work::of_rsa(16_384, 33));
        assert_eq!(Work::UNLIMITED.saturating_add(Work::P256), Work::UNLIMITED);
        assert_eq!(Work::of_digest(usize::MAX), Work::UNLIMITED);
        assert_eq!(Work::P256.checked_sub(Work::P384), None);
        assert_eq!(
            Work::P384.checked_sub(Work::P256),
            Some(Work::from_units(119))
        );
    }
}
