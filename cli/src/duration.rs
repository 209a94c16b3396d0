//! Durations as people type them: `90s`, `10m`, `1h`, `30d`.

use std::fmt;
use std::str::FromStr;

/// Units with their letters, from the largest.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A whole number of seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duration(u64);

impl Duration {
    pub(crate) const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    pub(crate) const fn seconds(self) -> u64 {
        self.0
    }

    /// For arithmetic with times, which end long before this saturates.
    pub(crate) fn signed_seconds(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Its two largest units, for a glance: `6d 3h`, `59m 10s`.
    pub(crate) fn rough(self) -> String {
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (letter, seconds) in UNITS {
            let count = rest / seconds;
            rest %= seconds;
            if count > 0 {
                parts.push(format!("{count}{letter}"));
            } else if !parts.is_empty() {
                break;
            }
            if parts.len() == 2 {
                break;
            }
        }
        if parts.is_empty() {
            return "0s".to_owned();
        }
        parts.join(" ")
    }
}

impl FromStr for Duration {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write a number and a unit: 90s, 10m, 1h or 30d";
        let unit = text.chars().next_back().ok_or(FORM)?;
        let (_, seconds) = UNITS
            .into_iter()
            .find(|&(letter, _)| letter == unit)
            .ok_or(FORM)?;
        let count = text.strip_suffix(unit).unwrap_or_default();
        if count.is_empty() || !count.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(FORM);
        }
        let total = count
            .parse()
            .ok()
            .and_then(|count: u64| count.checked_mul(seconds))
            // More than the calendar has.
            .filter(|&total| total <= 10_000 * 366 * 86_400)
            .ok_or("longer than ten thousand years")?;
        if total == 0 {
            return Err("must be at least one second");
        }
        Ok(Self(total))
    }
}

/// The one unit that leaves no remainder, as it would be typed.
impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (letter, seconds) = UNITS
            .into_iter()
            .find(|(_, seconds)| self.0.is_multiple_of(*seconds))
            .unwrap_or(('s', 1));
        write!(formatter, "{}{letter}", self.0 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_one_number_with_a_unit() {
        for (text, seconds, written) in [
            ("90s", 90, "90s"),
            ("10m", 600, "10m"),
            ("60m", 3_600, "1h"),
            ("1h", 3_600, "1h"),
            ("030d", 2_592_000, "30d"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.seconds(), seconds);
            assert_eq!(duration.to_string(), written);
        }
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            "",
            "s",
            "10",
            "-1s",
            "+1s",
            "1.5h",
            "1 h",
            "1H",
            "1w",
            "1h30m",
            "0s",
            "１s",
            "99999999999999999999s",
            "999999999999d",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn says_the_two_largest_units_at_a_glance() {
        for (seconds, rough) in [
            (0, "0s"),
            (59, "59s"),
            (3_550, "59m 10s"),
            (3_600, "1h"),
            (90_061, "1d 1h"),
            (86_405, "1d"),
        ] {
            assert_eq!(Duration::from_seconds(seconds).rough(), rough);
        }
    }
}
