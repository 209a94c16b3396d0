//! The object identifiers of services (VeraId §4.4), which state the purpose of a signature.

use std::fmt;
use std::str::FromStr;

use crate::oid;

/// The most octets of an identifier: enough for three arcs of 128 bits.
const MAX_OCTETS: usize = 63;
/// The most octets of an arc: 128 bits in base 128.
const MAX_ARC_OCTETS: usize = 19;
/// The largest first octet of an arc of that length.
const MAX_FIRST_OCTET: u8 = 0x83;
/// The bit that is set in all octets of an arc but the last (X.690 §8.19.2).
const CONTINUES: u8 = 0x80;

/// The object identifier of a service: the purpose of a signature or a TXT record.
///
/// Arcs may have up to 128 bits, so that a UUID can identify a service without registration
/// (`2.25.<UUID as a decimal number>`, ITU-T X.667). Identifiers are compared as a whole: no
/// service includes another.
///
/// ```
/// use veraid::ServiceOid;
///
/// let service: ServiceOid = "2.25.61078008062011347731654199188088923356".parse()?;
/// assert_eq!(service.to_string(), "2.25.61078008062011347731654199188088923356");
/// # Ok::<(), veraid::ServiceOidError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceOid {
    length: u8,
    /// The arcs as encoded in DER, padded with zeros.
    octets: [u8; MAX_OCTETS],
}

/// A text or a list of arcs that is not an object identifier, or is too long for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an object identifier of at least two arcs, such as 1.3.6.1.4.1.58708.3.0: arcs have at most 128 bits, and all \
     of them together at most {MAX_OCTETS} bytes"
)]
pub struct ServiceOidError;

/// The service for tests (VeraId, appendix B). Real services have their own identifiers.
#[allow(clippy::unwrap_used, reason = "evaluated when compiled")]
pub const TEST_SERVICE: ServiceOid =
    ServiceOid::from_arcs(&[1, 3, 6, 1, 4, 1, 58708, 1, 1]).unwrap();

impl ServiceOid {
    const EMPTY: Self = Self {
        length: 0,
        octets: [0; MAX_OCTETS],
    };

    /// Creates an identifier from its arcs; `None` where [`FromStr`] returns an error. For
    /// constants:
    ///
    /// ```
    /// use veraid::ServiceOid;
    ///
    /// const SERVICE: ServiceOid = ServiceOid::from_arcs(&[1, 3, 6, 1, 4, 1, 58708, 3, 0]).unwrap();
    /// ```
    #[must_use]
    pub const fn from_arcs(arcs: &[u128]) -> Option<Self> {
        let Some((&root, rest)) = arcs.split_first() else {
            return None;
        };
        let Some((&second, mut rest)) = rest.split_first() else {
            return None;
        };
        let Some(mut whole) = Self::from_first_arcs(root, second) else {
            return None;
        };
        while let Some((&arc, further)) = rest.split_first() {
            if !whole.push(arc) {
                return None;
            }
            rest = further;
        }
        Some(whole)
    }

    /// Combines the first two arcs, which share a number (X.690 §8.19.4).
    const fn from_first_arcs(root: u128, second: u128) -> Option<Self> {
        if root > 2 || root < 2 && second > 39 {
            return None;
        }
        let Some(joint) = second.checked_add(root * 40) else {
            return None;
        };
        let mut whole = Self::EMPTY;
        if whole.push(joint) { Some(whole) } else { None }
    }

    /// Appends a number in base 128. Returns true if there was room for it.
    const fn push(&mut self, number: u128) -> bool {
        let mut digits = 1;
        while digits < MAX_ARC_OCTETS && number >> (7 * digits) != 0 {
            digits += 1;
        }
        while digits > 0 {
            digits -= 1;
            #[allow(clippy::cast_possible_truncation, reason = "seven bits are kept")]
            let digit = (number >> (7 * digits)) as u8 & !CONTINUES;
            let octet = if digits == 0 {
                digit
            } else {
                digit | CONTINUES
            };
            let Some((_, [place, ..])) = self.octets.split_at_mut_checked(self.length as usize)
            else {
                return false;
            };
            *place = octet;
            self.length += 1;
        }
        true
    }

    /// Parses the content octets of a DER OBJECT IDENTIFIER (X.690 §8.19).
    ///
    /// # Errors
    /// [`ServiceOidError`], also for a number that is not encoded in the fewest octets.
    pub fn from_der_content(content: &[u8]) -> Result<Self, ServiceOidError> {
        let mut arc_octets = 0;
        for &octet in content {
            let is_first = arc_octets == 0;
            arc_octets += 1;
            let is_too_long = arc_octets > MAX_ARC_OCTETS;
            if is_too_long || is_first && octet == CONTINUES {
                return Err(ServiceOidError);
            }
            if octet & CONTINUES == 0 {
                arc_octets = 0;
            }
        }
        let has_long_arc_too_large = content
            .split_inclusive(|octet| octet & CONTINUES == 0)
            .any(|arc| arc.len() == MAX_ARC_OCTETS && arc.first() > Some(&MAX_FIRST_OCTET));
        if content.is_empty() || arc_octets != 0 || has_long_arc_too_large {
            return Err(ServiceOidError);
        }
        let mut whole = Self::EMPTY;
        let place = whole.octets.get_mut(..content.len());
        place.ok_or(ServiceOidError)?.copy_from_slice(content);
        whole.length = u8::try_from(content.len()).map_err(|_| ServiceOidError)?;
        Ok(whole)
    }

    /// The content octets of its DER OBJECT IDENTIFIER.
    #[must_use]
    pub fn as_der_content(&self) -> &[u8] {
        self.octets.get(..self.length.into()).unwrap_or_default()
    }

    /// Its arcs, starting from the root.
    pub fn arcs(&self) -> impl Iterator<Item = u128> {
        let numbers = self
            .as_der_content()
            .split_inclusive(|octet| octet & CONTINUES == 0)
            .map(|digits| {
                digits.iter().fold(0_u128, |number, digit| {
                    number << 7 | u128::from(digit & !CONTINUES)
                })
            });
        numbers.enumerate().flat_map(|(index, number)| {
            let root = (number / 40).min(2);
            match index {
                0 => [Some(root), Some(number - root * 40)],
                _ => [Some(number), None],
            }
            .into_iter()
            .flatten()
        })
    }

    /// Returns true if the protocol itself uses the identifier, so that no service can have it.
    pub(crate) fn is_part_of_the_protocol(&self) -> bool {
        [oid::SIGNATURE_METADATA, oid::MEMBER_ATTRIBUTION]
            .iter()
            .any(|taken| taken.as_bytes() == self.as_der_content())
    }
}

impl FromStr for ServiceOid {
    type Err = ServiceOidError;

    /// Parses decimal arcs separated by dots, without leading zeros.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut arcs = text.split('.').map(read_arc);
        let mut next = || arcs.next().unwrap_or(Err(ServiceOidError));
        let mut whole = Self::from_first_arcs(next()?, next()?).ok_or(ServiceOidError)?;
        for arc in arcs {
            if !whole.push(arc?) {
                return Err(ServiceOidError);
            }
        }
        Ok(whole)
    }
}

fn read_arc(text: &str) -> Result<u128, ServiceOidError> {
    /// The most decimal digits that 64 bits always hold; such arcs are parsed faster.
    const SHORT: usize = 19;
    let is_canonical = text == "0" || !text.starts_with('0');
    if !is_canonical || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(ServiceOidError);
    }
    let read = if text.len() <= SHORT {
        text.parse::<u64>().map(u128::from)
    } else {
        text.parse()
    };
    read.map_err(|_| ServiceOidError)
}

/// Writes decimal arcs separated by dots.
impl fmt::Display for ServiceOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arc) in self.arcs().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServiceOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceOid({self})")
    }
}

#[cfg(test)]
mod tests {
    use der::asn1::ObjectIdentifier;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_written_as_it_is_read() {
        for text in [
            "0.0",
            "1.39",
            "2.40",
            "2.999.1",
            "1.3.6.1.4.1.58708.3.0",
            "2.25.0",
            "2.25.24169382326627798513118376208326471389",
            "2.25.340282366920938463463374607431768211455",
            "1.2.340282366920938463463374607431768211455.340282366920938463463374607431768211455",
        ] {
            let service: ServiceOid = text.parse().unwrap();
            assert_eq!(service.to_string(), text);
            assert_eq!(
                ServiceOid::from_der_content(service.as_der_content()),
                Ok(service)
            );
            let arcs: Vec<u128> = service.arcs().collect();
            assert_eq!(ServiceOid::from_arcs(&arcs), Some(service));
        }
        assert_eq!(TEST_SERVICE.to_string(), "1.3.6.1.4.1.58708.1.1");
    }

    #[test]
    fn refuses_what_is_no_object_identifier() {
        let too_long = format!(
            "1.2{}",
            ".340282366920938463463374607431768211455".repeat(4)
        );
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "1..2",
            "3.1",
            "0.40",
            "1.40",
            "01.2",
            "1.02",
            "1.2.-3",
            "1.+2",
            "1.2 ",
            "1.a",
            "2.340282366920938463463374607431768211455",
            "2.25.340282366920938463463374607431768211456",
            too_long.as_str(),
        ] {
            assert_eq!(text.parse::<ServiceOid>(), Err(ServiceOidError), "{text}");
        }
        for arcs in [
            &[][..],
            &[1],
            &[3, 1],
            &[0, 40],
            &[2, u128::MAX],
            &[1, 2, u128::MAX, u128::MAX, u128::MAX, u128::MAX],
        ] {
            assert_eq!(ServiceOid::from_arcs(arcs), None, "{arcs:?}");
        }
        let too_large = [&[0x69, 0x84][..], &[0x80; 17], &[0x00]].concat();
        let too_many_octets = [&[0x69][..], &[0x81; 19], &[0x00]].concat();
        for content in [
            &[][..],
            &[0x2a, 0x80, 0x01],
            &[0x80, 0x01],
            &[0x2a, 0x81],
            &too_large,
            &too_many_octets,
            &[0x01; MAX_OCTETS + 1],
        ] {
            let read = ServiceOid::from_der_content(content);
            assert_eq!(read, Err(ServiceOidError), "{content:02x?}");
        }
        assert!(ServiceOid::from_der_content(&[0x01; MAX_OCTETS]).is_ok());
    }

    proptest! {
        /// Compares with an implementation that has arcs of 32 bits.
        #[test]
        fn is_the_same_as_another_implementation_reads(text in "[0-2](\\.(0|[1-9][0-9]{0,8})){1,6}") {
            if let Ok(other) = ObjectIdentifier::new(&text) {
                let service: ServiceOid = text.parse().unwrap();
                prop_assert_eq!(service.as_der_content(), other.as_bytes());
                prop_assert_eq!(service.to_string(), other.to_string());
            }
        }

        #[test]
        fn reads_any_octets_or_refuses_them(content in proptest::collection::vec(any::<u8>(), 0..70)) {
            if let Ok(service) = ServiceOid::from_der_content(&content) {
                prop_assert_eq!(service.as_der_content(), content.as_slice());
                let again: ServiceOid = service.to_string().parse().unwrap();
                prop_assert_eq!(again, service);
            }
        }
    }
}
