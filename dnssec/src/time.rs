//! Seconds on the UTC time line.
//!
//! Nothing in this crate reads a clock: whoever verifies says for which times. RRSIGs count whole seconds since the Unix
//! epoch (RFC 4034 §3.1.5), so that is the unit here too.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment: whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment that can be said.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment that can be said.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment so many seconds after the Unix epoch.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// The moment so many seconds later, or [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The moment so many seconds earlier, or [`Timestamp::MIN`].
    #[must_use]
    pub const fn saturating_sub(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }
}

/// RFC 3339 in UTC, such as `2026-11-21T12:00:00Z`. Outside the years 0 to 9999: `@` and the Unix seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::try_from(*self)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "@{}", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// A text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-11-21T12:00:00Z")]
pub struct TimestampError;

/// Reads RFC 3339; a fraction of a second is cut off.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Self::from)
            .map_err(|_| TimestampError)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        Self(moment.unix_timestamp())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(moment: SystemTime) -> Self {
        let seconds =
            |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        match moment.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(seconds(since)),
            // Towards the past a started second counts whole, as everywhere when a fraction is cut off.
            Err(before) => {
                let before = before.duration();
                let started = i64::from(before.subsec_nanos() > 0);
                Self(seconds(before).saturating_neg().saturating_sub(started))
            }
        }
    }
}

impl TryFrom<Timestamp> for OffsetDateTime {
    type Error = time::error::ComponentRange;

    /// Fails outside the years −9999 to 9999.
    fn try_from(moment: Timestamp) -> Result<Self, Self::Error> {
        Self::from_unix_timestamp(moment.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let noon: Timestamp = "2026-11-21T13:00:00.9+01:00".parse().unwrap();
        assert_eq!(noon.to_string(), "2026-11-21T12:00:00Z");
        assert_eq!(noon.unix_seconds(), 1_795_262_400);
        assert!("2026-11-21".parse::<Timestamp>().is_err());
    }

    #[test]
    fn says_any_moment_without_panic() {
        for moment in [Timestamp::MIN, Timestamp::MAX] {
            assert!(moment.to_string().starts_with('@'));
        }
    }

    #[test]
    fn cuts_fractions_towards_the_past() {
        let before = UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(Timestamp::from(before).unix_seconds(), -2);
        let after = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(Timestamp::from(after).unix_seconds(), 1);
    }
}
