//! What a look-up demands of the signatures that it rests on.

use crate::validity::Period;

/// When a proof must hold, and for how long a signature may be valid in all.
///
/// A [`Period`] alone makes one without a limit, so it can be given wherever a demand is asked for.
///
/// ```
/// use dnssec::{Demand, Period, Timestamp};
///
/// let noon = Period::at("2026-11-21T12:00:00Z".parse()?);
/// let ninety_days = Demand::from(noon).with_longest_signature(7_776_000);
/// assert_eq!(ninety_days.period(), noon);
/// # Ok::<(), dnssec::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    period: Period,
    longest_signature: Option<u32>,
}

impl Demand {
    /// Passes over RRSIGs whose expiration is more than that many seconds after their inception, as if they were not
    /// there. DNSSEC has no such limit; the DomainAuth draft has ("Maximum Validity Period").
    #[must_use]
    pub const fn with_longest_signature(mut self, seconds: u32) -> Self {
        self.longest_signature = Some(seconds);
        self
    }

    /// The proof must hold for at least one second of this.
    #[must_use]
    pub const fn period(self) -> Period {
        self.period
    }

    /// The limit, if there is one, on a signature that is valid for so long.
    pub(crate) fn limit_exceeded_by(self, window: Period) -> Option<u32> {
        self.longest_signature
            .filter(|&limit| window.seconds() > u64::from(limit))
    }
}

impl From<Period> for Demand {
    fn from(period: Period) -> Self {
        Self {
            period,
            longest_signature: None,
        }
    }
}
