//! A borrowing reader of definite-length BER, for structures that honest implementations do not
//! always encode in DER.
//!
//! The reference library does not sort SETs, pads INTEGERs and writes a constructed OCTET STRING
//! (X.690 §8.7.3), which a DER decoder refuses. This reader parses the octets in place and keeps
//! their original encoding. It is strict about framing: single-octet tags, definite lengths in the
//! fewest octets (X.690 §10.1), and nothing after the end. It is not recursive, whatever the
//! nesting of the input.

use dnssec::Timestamp;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Identifier octets (X.690 §8.1.2).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const CONSTRUCTED_OCTET_STRING: u8 = 0x24;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// The tag `[number]`, primitive.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// The tag `[number]`, constructed.
    pub(crate) const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// The place of a parse error, and the element that was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Octets from the start of the outermost structure.
    pub(crate) offset: usize,
    /// The element that was expected there.
    pub(crate) expected: &'static str,
}

type Result<T> = std::result::Result<T, Unreadable>;

/// A reader of values one after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// The octets from the start of the outermost structure to the end of the readable part. A
    /// position in them is therefore an offset that a person can look up.
    input: &'a [u8],
    position: usize,
}

/// One value: tag, length and content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    input: &'a [u8],
    start: usize,
    content_start: usize,
    tag: u8,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.position
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.input.get(self.position..).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Returns the next value's identifier octet; `None` at the end.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(crate) fn fail(&self, expected: &'static str) -> Unreadable {
        Unreadable {
            offset: self.position,
            expected,
        }
    }

    /// Reads the next value, whatever its tag.
    #[inline]
    pub(crate) fn any(&mut self, expected: &'static str) -> Result<Value<'a>> {
        let (&tag, after_tag) = self
            .rest()
            .split_first()
            .ok_or_else(|| self.fail(expected))?;
        if tag & 0x1f == 0x1f {
            return Err(self.fail("a tag number below 31"));
        }
        let (length, after_length) = split_length(after_tag).map_err(|expected| Unreadable {
            offset: self.position.saturating_add(1),
            expected,
        })?;
        let rest = after_length.get(length..).ok_or(Unreadable {
            offset: self.position.saturating_add(1),
            expected: "a length within the enclosing structure",
        })?;
        let value = Value {
            input: before(self.input, rest),
            start: self.position,
            content_start: before(self.input, after_length).len(),
            tag,
        };
        self.position = value.input.len();
        Ok(value)
    }

    /// Reads the next value, which must have the tag `tag`.
    #[inline]
    pub(crate) fn read(&mut self, tag: u8, expected: &'static str) -> Result<Value<'a>> {
        if self.peek() == Some(tag) {
            self.any(expected)
        } else {
            Err(self.fail(expected))
        }
    }

    /// Reads the next value if it has the tag `tag`.
    #[inline]
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>> {
        if self.peek() == Some(tag) {
            self.any("a value").map(Some)
        } else {
            Ok(None)
        }
    }

    /// Skips the remaining values, whatever their tags, but refuses octets that are not values.
    pub(crate) fn skip_values(mut self, expected: &'static str) -> Result<()> {
        while !self.is_empty() {
            self.any(expected)?;
        }
        Ok(())
    }

    /// Refuses any remaining octets.
    #[inline]
    pub(crate) fn finish(&self) -> Result<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.fail("the end of the data"))
        }
    }
}

/// The part of `whole` before its tail `rest`.
#[inline]
fn before<'a>(whole: &'a [u8], rest: &[u8]) -> &'a [u8] {
    let end = whole.len().saturating_sub(rest.len());
    whole.get(..end).unwrap_or(whole)
}

/// Splits off the length octets (X.690 §8.1.3, §10.1).
#[inline]
fn split_length(octets: &[u8]) -> std::result::Result<(usize, &[u8]), &'static str> {
    let (&first, rest) = octets.split_first().ok_or("a length")?;
    let count = match first {
        0..0x80 => return Ok((usize::from(first), rest)),
        0x80 => return Err("a definite length"),
        0x81..=0x84 => usize::from(first & 0x7f),
        _ => return Err("a length of at most four bytes"),
    };
    let (digits, rest) = rest.split_at_checked(count).ok_or("a length")?;
    let length = digits
        .iter()
        .fold(0u32, |length, &digit| length << 8 | u32::from(digit));
    let fewest = match length {
        0..0x80 => 0,
        0x80..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xff_ffff => 3,
        _ => 4,
    };
    if count != fewest {
        return Err("a length in as few bytes as possible");
    }
    let length = usize::try_from(length).map_err(|_| "a length that fits in memory")?;
    Ok((length, rest))
}

impl<'a> Value<'a> {
    /// Reads `input` as exactly one value with the tag `tag`.
    pub(crate) fn whole(input: &'a [u8], tag: u8, expected: &'static str) -> Result<Self> {
        let mut reader = Reader::new(input);
        let value = reader.read(tag, expected)?;
        reader.finish()?;
        Ok(value)
    }

    #[inline]
    pub(crate) fn tag(&self) -> u8 {
        self.tag
    }

    pub(crate) fn fail(&self, expected: &'static str) -> Unreadable {
        Unreadable {
            offset: self.start,
            expected,
        }
    }

    /// The content octets.
    #[inline]
    pub(crate) fn content(&self) -> &'a [u8] {
        self.input.get(self.content_start..).unwrap_or_default()
    }

    /// The identifier, length and content octets.
    #[inline]
    pub(crate) fn encoding(&self) -> &'a [u8] {
        self.input.get(self.start..).unwrap_or_default()
    }

    /// The identifier and length octets.
    pub(crate) fn header(&self) -> &'a [u8] {
        self.input
            .get(self.start..self.content_start)
            .unwrap_or_default()
    }

    /// Returns a reader of the content.
    #[inline]
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader {
            input: self.input,
            position: self.content_start,
        }
    }

    /// Returns the value of an INTEGER, if it is from 0 to 127 in one octet.
    pub(crate) fn small_integer(&self) -> Option<u8> {
        match self.content() {
            [value @ 0..0x80] => Some(*value),
            _ => None,
        }
    }

    /// Returns the content of an INTEGER in its fewest octets (X.690 §8.3.2).
    pub(crate) fn minimal_integer(&self) -> Result<&'a [u8]> {
        let mut content = self.content();
        while let [0x00, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] = content {
            content = content.get(1..).unwrap_or_default();
        }
        match content {
            [] => Err(self.fail("an INTEGER of at least one byte")),
            _ => Ok(content),
        }
    }

    /// Returns the value of a BOOLEAN in DER (X.690 §11.1).
    pub(crate) fn boolean(&self) -> Result<bool> {
        match self.content() {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(self.fail("a BOOLEAN")),
        }
    }

    /// Returns the octets of a BIT STRING without unused bits.
    pub(crate) fn whole_octets(&self) -> Result<&'a [u8]> {
        match self.content() {
            [0, octets @ ..] => Ok(octets),
            _ => Err(self.fail("a BIT STRING of whole bytes")),
        }
    }

    /// Parses a `UTCTime` or `GeneralizedTime` of RFC 5280 §4.1.2.5: with seconds and `Z`, without
    /// a fraction.
    pub(crate) fn certificate_time(&self) -> Result<Timestamp> {
        let parsed = match self.tag {
            tag::UTC_TIME => parse_utc_time(self.content()),
            tag::GENERALIZED_TIME => parse_generalized_time(self.content()),
            _ => None,
        };
        parsed.ok_or_else(|| self.fail("a UTCTime or GeneralizedTime with seconds and Z"))
    }

    /// Parses a `GeneralizedTime` with seconds and `Z`, and truncates any fraction of a second.
    pub(crate) fn time_without_fraction(&self) -> Result<Timestamp> {
        parse_fractional_time(self.content())
            .ok_or_else(|| self.fail("a GeneralizedTime with seconds and Z"))
    }
}

/// Parses `YYMMDDHHMMSSZ`: years from 50 are of the twentieth century, others of the twenty-first
/// (RFC 5280 §4.1.2.5.1).
fn parse_utc_time(text: &[u8]) -> Option<Timestamp> {
    let (year, rest) = text.split_at_checked(2)?;
    let year = i32::from(two_digits(year)?);
    let century = if year >= 50 { 1900 } else { 2000 };
    parse_after_year(year.checked_add(century)?, rest)
}

/// Parses `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5.2).
fn parse_generalized_time(text: &[u8]) -> Option<Timestamp> {
    let (century, rest) = text.split_at_checked(2)?;
    let (year, rest) = rest.split_at_checked(2)?;
    let year = i32::from(two_digits(century)?)
        .checked_mul(100)?
        .checked_add(i32::from(two_digits(year)?))?;
    parse_after_year(year, rest)
}

/// Parses `YYYYMMDDHHMMSS[.f…]Z`.
fn parse_fractional_time(text: &[u8]) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(14)?;
    let fraction = rest.strip_suffix(b"Z")?;
    match fraction {
        [] => {}
        [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {}
        _ => return None,
    }
    let mut whole = [b'Z'; 15];
    whole.get_mut(..14)?.copy_from_slice(seconds);
    parse_generalized_time(&whole)
}

fn parse_after_year(year: i32, text: &[u8]) -> Option<Timestamp> {
    let digits = text.strip_suffix(b"Z")?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let &[month, day, hour, minute, second] = pairs else {
        return None;
    };
    let month = Month::try_from(two_digits(&month)?).ok()?;
    let date = Date::from_calendar_date(year, month, two_digits(&day)?).ok()?;
    let time = Time::from_hms(
        two_digits(&hour)?,
        two_digits(&minute)?,
        two_digits(&second)?,
    )
    .ok()?;
    let moment: OffsetDateTime = PrimitiveDateTime::new(date, time).assume_utc();
    Some(Timestamp::from_unix_seconds(moment.unix_timestamp()))
}

fn two_digits(digits: &[u8]) -> Option<u8> {
    match digits {
        &[tens @ b'0'..=b'9', units @ b'0'..=b'9'] => {
            Some((tens & 0x0f).wrapping_mul(10).wrapping_add(units & 0x0f))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(octets: &[u8]) -> Unreadable {
        Value::whole(octets, tag::SEQUENCE, "a SEQUENCE").unwrap_err()
    }

    #[test]
    fn refuses_framing_that_is_not_der() {
        for (octets, offset, expected) in [
            (&b""[..], 0, "a SEQUENCE"),
            (b"\x31\x00", 0, "a SEQUENCE"),
            (b"\x30", 1, "a length"),
            (b"\x30\x80\x00\x00", 1, "a definite length"),
            (
                b"\x30\x81\x01\x00",
                1,
                "a length in as few bytes as possible",
            ),
            (
                b"\x30\x82\x00\x80",
                1,
                "a length in as few bytes as possible",
            ),
            (
                b"\x30\x84\x00\xff\xff\xff",
                1,
                "a length in as few bytes as possible",
            ),
            (
                b"\x30\x85\x01\x00\x00\x00\x00",
                1,
                "a length of at most four bytes",
            ),
            (b"\x30\xff", 1, "a length of at most four bytes"),
            (b"\x30\x82\x01", 1, "a length"),
            (
                b"\x30\x84\xff\xff\xff\xff",
                1,
                "a length within the enclosing structure",
            ),
            (b"\x30\x01", 1, "a length within the enclosing structure"),
            (b"\x30\x00\x00", 2, "the end of the data"),
        ] {
            assert_eq!(
                unreadable(octets),
                Unreadable { offset, expected },
                "{octets:x?}"
            );
        }
        let high_tag = Reader::new(b"\x1f\x20\x00").any("a value").unwrap_err();
        assert_eq!(high_tag.expected, "a tag number below 31");
    }

    #[test]
    fn counts_offsets_from_the_outermost_structure() {
        let outer = Value::whole(b"\x30\x04\x30\x02\x02\x05", tag::SEQUENCE, "a SEQUENCE").unwrap();
        let inner = outer.reader().any("a value").unwrap();
        let error = inner.reader().any("an INTEGER").unwrap_err();
        assert_eq!(error.offset, 5);
    }

    #[test]
    fn a_value_cannot_reach_past_its_enclosing_one() {
        let outer = Value::whole(b"\x30\x03\x04\x02\x00", tag::SEQUENCE, "a SEQUENCE").unwrap();
        assert!(outer.reader().any("a value").is_err());
    }

    #[test]
    fn compares_integers_by_value() {
        for (content, minimal) in [
            (&b"\x02\x01\x05"[..], &b"\x05"[..]),
            (b"\x02\x03\x00\x00\x05", b"\x05"),
            (b"\x02\x02\x00\x85", b"\x00\x85"),
            (b"\x02\x03\xff\xff\x85", b"\x85"),
            (b"\x02\x01\x00", b"\x00"),
            (b"\x02\x02\x00\x00", b"\x00"),
        ] {
            let value = Value::whole(content, tag::INTEGER, "an INTEGER").unwrap();
            assert_eq!(value.minimal_integer().unwrap(), minimal);
        }
        let empty = Value::whole(b"\x02\x00", tag::INTEGER, "an INTEGER").unwrap();
        assert!(empty.minimal_integer().is_err());
    }

    #[test]
    fn reads_times_in_utc_with_seconds_and_refuses_others() {
        let utc = |text: &str| parse_utc_time(text.as_bytes()).map(|time| time.to_string());
        assert_eq!(utc("261121120000Z").unwrap(), "2026-11-21T12:00:00Z");
        assert_eq!(utc("491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
        assert_eq!(utc("500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
        for text in [
            "",
            "2611211200Z",
            "26112112000Z",
            "261121120000",
            "261121120000+0000",
            "261321120000Z",
            "26112112000 Z",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
        let generalized =
            |text: &str| parse_fractional_time(text.as_bytes()).map(|time| time.to_string());
        assert_eq!(
            generalized("20261121120000Z").unwrap(),
            "2026-11-21T12:00:00Z"
        );
        assert_eq!(
            generalized("20261121120000.768Z").unwrap(),
            "2026-11-21T12:00:00Z"
        );
        assert_eq!(
            generalized("99991231235959Z").unwrap(),
            "9999-12-31T23:59:59Z"
        );
        for text in [
            "20261121120000",
            "20261121120000+0100",
            "20261121120000.5+0100",
            "20261121120000-0000",
            "20261121120000.Z",
            "20261121120000,5Z",
            "20261121120000.5.5Z",
            "20261121120060Z",
            "202611211200Z",
            "20260230120000Z",
            "2026112112000٠Z",
        ] {
            assert_eq!(generalized(text), None, "{text}");
        }
        assert_eq!(parse_generalized_time(b"20261121120000.5Z"), None);
    }
}
