//! Seconds on the UTC time line.
//!
//! Nothing in this crate reads a clock: the caller gives the times. RRSIGs count whole seconds
//! since the Unix epoch (RFC 4034 §3.1.5), so this is the unit here too.

mod civil;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use civil::CivilTime;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment that can be expressed.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment that can be expressed.
    pub const MAX: Self = Self(i64::MAX);

    /// Returns the moment that is so many seconds after the Unix epoch.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The number of seconds since the Unix epoch.
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// Returns the moment that is so many seconds later, or [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns the moment that is so many seconds earlier, or [`Timestamp::MIN`].
    #[must_use]
    pub const fn saturating_sub(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }
}

/// Writes RFC 3339 in UTC, such as `2026-11-21T12:00:00Z`. Outside the years 0 to 9999 it writes
/// `@` and the Unix seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CivilTime::from_unix_seconds(self.0) {
            Some(civil) => civil.fmt(f),
            None => write!(f, "@{}", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// The error for a text that is not an RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-11-21T12:00:00Z")]
pub struct TimestampError;

/// Reads RFC 3339; drops a fraction of a second. Also reads `@` and Unix seconds, the form of times
/// that RFC 3339 cannot express.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = match text.strip_prefix('@') {
            // Only the canonical spelling is accepted.
            Some(seconds) => seconds
                .parse()
                .ok()
                .filter(|number: &i64| number.to_string() == seconds),
            None => civil::parse(text.as_bytes()),
        };
        seconds.map(Self).ok_or(TimestampError)
    }
}

#[cfg(feature = "time")]
impl From<time::OffsetDateTime> for Timestamp {
    fn from(moment: time::OffsetDateTime) -> Self {
        Self(moment.unix_timestamp())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(moment: SystemTime) -> Self {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        match moment.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(seconds(since)),
            // Rounds down, like everything here that drops a fraction.
            Err(before) => {
                let before = before.duration();
                let started = i64::from(before.subsec_nanos() > 0);
                Self(seconds(before).saturating_neg().saturating_sub(started))
            }
        }
    }
}

/// The error for a moment that a [`SystemTime`] of this platform cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is outside the range of times that this platform supports")]
pub struct OutOfRange(Timestamp);

impl TryFrom<Timestamp> for SystemTime {
    type Error = OutOfRange;

    /// Converts the moment. Fails outside the range of the platform, on some at [`Timestamp::MAX`].
    fn try_from(moment: Timestamp) -> Result<Self, Self::Error> {
        let distance = Duration::from_secs(moment.0.unsigned_abs());
        let time = if moment.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.ok_or(OutOfRange(moment))
    }
}

#[cfg(feature = "time")]
impl TryFrom<Timestamp> for time::OffsetDateTime {
    type Error = time::error::ComponentRange;

    /// Converts the moment. Fails outside the years −9999 to 9999.
    fn try_from(moment: Timestamp) -> Result<Self, Self::Error> {
        Self::from_unix_timestamp(moment.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let noon: Timestamp = "2026-11-21T13:00:00.9+01:00".parse().unwrap();
        assert_eq!(noon.to_string(), "2026-11-21T12:00:00Z");
        assert_eq!(noon.unix_seconds(), 1_795_262_400);
        assert_eq!(format!("{noon:?}"), "Timestamp(2026-11-21T12:00:00Z)");
        assert!("2026-11-21".parse::<Timestamp>().is_err());
    }

    #[test]
    fn says_any_moment_without_panic_and_reads_it_back() {
        for moment in [Timestamp::MIN, Timestamp::MAX] {
            assert!(moment.to_string().starts_with('@'));
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }

    #[test]
    fn cuts_fractions_towards_the_past() {
        let before = UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(Timestamp::from(before).unix_seconds(), -2);
        let after = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(Timestamp::from(after).unix_seconds(), 1);
    }

    #[test]
    fn becomes_a_system_time_and_comes_back() {
        for seconds in [-1, 0, 1_795_262_400] {
            let moment = Timestamp::from_unix_seconds(seconds);
            let time = SystemTime::try_from(moment).unwrap();
            assert_eq!(Timestamp::from(time), moment);
        }
    }

    #[cfg(feature = "time")]
    #[test]
    fn becomes_a_time_of_the_crate_time_and_comes_back() {
        use time::OffsetDateTime;

        let noon = OffsetDateTime::from_unix_timestamp(1_795_262_400).unwrap();
        let half_past = noon + Duration::from_millis(1_800_500);
        assert_eq!(Timestamp::from(half_past).unix_seconds(), 1_795_264_200);
        let before = OffsetDateTime::UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(Timestamp::from(before).unix_seconds(), -2);
        for (seconds, expected) in [
            (1_795_262_400, Some(noon)),
            (0, Some(OffsetDateTime::UNIX_EPOCH)),
            (i64::MIN, None),
            (i64::MAX, None),
        ] {
            let converted = OffsetDateTime::try_from(Timestamp::from_unix_seconds(seconds));
            assert_eq!(converted.ok(), expected, "{seconds}");
        }
    }
}
