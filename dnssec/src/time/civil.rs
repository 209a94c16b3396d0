//! Dates of the Gregorian calendar, as RFC 3339 writes them.
//!
//! Days are counted in eras of 400 years, which all have the same length. Each year begins on the
//! first of March, so that a leap day is its last day.

use std::fmt;

const SECONDS_PER_MINUTE: i64 = 60;
const SECONDS_PER_HOUR: i64 = 3_600;
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_PER_ERA: i64 = 146_097;
const YEARS_PER_ERA: i64 = 400;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;

/// A second in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CivilTime {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl CivilTime {
    /// Returns the civil time, or `None` outside the years 0 to 9999.
    pub(super) fn from_unix_seconds(seconds: i64) -> Option<Self> {
        let civil = Self::of_any(seconds);
        (0..=9_999).contains(&civil.year).then_some(civil)
    }

    fn of_any(seconds: i64) -> Self {
        let days = seconds.div_euclid(SECONDS_PER_DAY) + DAYS_TO_EPOCH;
        let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
        // There is a leap day every four years, except every hundred years, but again every four
        // hundred years.
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - days_before_year(year_of_era);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - days_before_month(march_month) + 1;
        let month = (march_month + 2) % 12 + 1;
        let year = era * YEARS_PER_ERA + year_of_era + i64::from(month <= 2);
        Self {
            year,
            month,
            day,
            second_of_day: seconds.rem_euclid(SECONDS_PER_DAY),
        }
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            second_of_day,
        } = self;
        let hour = second_of_day / SECONDS_PER_HOUR;
        let minute = second_of_day % SECONDS_PER_HOUR / SECONDS_PER_MINUTE;
        let second = second_of_day % SECONDS_PER_MINUTE;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// The days of an era before one of its years.
const fn days_before_year(year_of_era: i64) -> i64 {
    365 * year_of_era + year_of_era / 4 - year_of_era / 100
}

/// The days of a year before one of its months, counted from March, which is 0.
const fn days_before_month(march_month: i64) -> i64 {
    (153 * march_month + 2) / 5
}

/// Returns the days from the Unix epoch to a date. Returns `None` if there is no such date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let march_year = year - i64::from(month <= 2);
    let (era, year_of_era) = (
        march_year.div_euclid(YEARS_PER_ERA),
        march_year.rem_euclid(YEARS_PER_ERA),
    );
    let day_of_year = days_before_month((month + 9) % 12) + day - 1;
    Some(era * DAYS_PER_ERA + days_before_year(year_of_era) + day_of_year - DAYS_TO_EPOCH)
}

/// Reads an RFC 3339 time (§5.6) as Unix seconds. Any octet may separate date and time. A leap
/// second (§5.7) counts as the second before it, and a fraction is dropped.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let mut reader = Reader(text);
    let year = reader.number(4)?;
    reader.literal(b'-')?;
    let month = reader.number(2)?;
    reader.literal(b'-')?;
    let date = days(year, month, reader.number(2)?)?;
    reader.octet()?;
    let hour = reader.number_below(24)?;
    reader.literal(b':')?;
    let minute = reader.number_below(60)?;
    reader.literal(b':')?;
    let second = reader.number_below(61)?;
    if reader.0.first() == Some(&b'.') {
        reader.octet()?;
        reader.number(1)?;
        while reader.0.first().is_some_and(u8::is_ascii_digit) {
            reader.octet()?;
        }
    }
    let offset = match reader.octet()? {
        b'Z' | b'z' => 0,
        sign @ (b'+' | b'-') => {
            let hours = reader.number_below(24)?;
            reader.literal(b':')?;
            let offset = hours * SECONDS_PER_HOUR + reader.number_below(60)? * SECONDS_PER_MINUTE;
            if sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    let of_day = hour * SECONDS_PER_HOUR + minute * SECONDS_PER_MINUTE + second.min(59);
    let seconds = date * SECONDS_PER_DAY + of_day - offset;
    let is_last_of_month = || {
        let next = CivilTime::of_any(seconds + 1);
        next.day == 1 && next.second_of_day == 0
    };
    (reader.0.is_empty() && (second < 60 || is_last_of_month())).then_some(seconds)
}

/// The octets that have not been read yet.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn literal(&mut self, expected: u8) -> Option<()> {
        (self.octet()? == expected).then_some(())
    }

    /// Reads so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |number, _| {
            let digit = self.octet().filter(u8::is_ascii_digit)?;
            Some(number * 10 + i64::from(digit - b'0'))
        })
    }

    /// Reads two digits that make a number less than a bound.
    fn number_below(&mut self, bound: i64) -> Option<i64> {
        self.number(2).filter(|number| *number < bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    /// 0000-01-01T00:00:00Z.
    const FIRST: i64 = -62_167_219_200;
    /// 9999-12-31T23:59:59Z.
    const LAST: i64 = 253_402_300_799;

    fn written_by_time(seconds: i64) -> Option<String> {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        moment.format(&Rfc3339).ok()
    }

    fn read_by_time(text: &str) -> Option<i64> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(moment.unix_timestamp())
    }

    fn written(seconds: i64) -> Option<String> {
        CivilTime::from_unix_seconds(seconds).map(|civil| civil.to_string())
    }

    #[test]
    fn writes_the_years_0_to_9999_and_no_others() {
        assert_eq!(written(FIRST).unwrap(), "0000-01-01T00:00:00Z");
        assert_eq!(written(LAST).unwrap(), "9999-12-31T23:59:59Z");
        for seconds in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX] {
            assert_eq!(written(seconds), None);
        }
    }

    #[test]
    fn each_day_of_an_era_is_the_calendars() {
        for day in 0..DAYS_PER_ERA {
            let seconds = day * SECONDS_PER_DAY;
            let text = written(seconds);
            assert_eq!(text, written_by_time(seconds));
            assert_eq!(parse(text.unwrap().as_bytes()), Some(seconds));
        }
    }

    #[test]
    fn reads_leap_seconds_only_where_there_can_be_some() {
        for text in [
            "2016-12-31T23:59:60Z",
            "2017-01-01T00:59:60+01:00",
            "2016-12-30T23:59:60Z",
            "2016-12-31T22:59:60Z",
            "2016-12-31T23:58:60Z",
            "9999-12-31T23:59:60Z",
            "2016-12-31T23:59:61Z",
        ] {
            assert_eq!(parse(text.as_bytes()), read_by_time(text), "{text}");
        }
    }

    #[test]
    fn the_offset_is_z_or_has_a_sign() {
        assert_eq!(parse(b"1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse(b"1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse(b"1969-12-31T23:00:00-01:00"), Some(0));
        for offset in ["", "X", " ", "01:00", "+01", "+0100", "\u{2212}01:00"] {
            let text = format!("1970-01-01T00:00:00{offset}");
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn writes_what_time_writes(seconds in FIRST - 1_000_000..=LAST + 1_000_000) {
            prop_assert_eq!(written(seconds), written_by_time(seconds));
        }

        /// Texts that are times, and texts that are nearly times.
        #[test]
        fn reads_what_time_reads(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9][T t_][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?([Zz]|[+-][0-2][0-9]:[0-6][0-9])[Z0]?"
        ) {
            prop_assert_eq!(parse(text.as_bytes()), read_by_time(&text), "{}", text);
        }

        #[test]
        fn never_panics(text in ".*", octets in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(parse(text.as_bytes()), read_by_time(&text), "{}", text);
            let _ = parse(&octets);
        }
    }
}
