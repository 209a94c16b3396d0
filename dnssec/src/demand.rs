//! The demands that a look-up makes on the signatures it depends on.

use crate::time::Timestamp;
use crate::validity::Period;
use crate::work::Work;

/// The period in which a proof must hold, the maximum lifetime of a signature, and the maximum work
/// of a look-up.
///
/// A [`Period`] or a [`Timestamp`] converts into a demand without limits, so both can be passed
/// wherever a demand is expected.
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
    most_work: Option<Work>,
}

impl Demand {
    /// Ignores RRSIGs whose expiration is more than that many seconds after their inception. DNSSEC
    /// has no such limit, but the DomainAuth draft has one ("Maximum Validity Period").
    #[must_use]
    pub const fn with_longest_signature(mut self, seconds: u32) -> Self {
        self.longest_signature = Some(seconds);
        self
    }

    /// Stops with [`Error::BudgetExhausted`](crate::Error::BudgetExhausted) at a chain that needs
    /// more work than that.
    ///
    /// Without a limit, a look-up makes as many signature checks as any honest chain may need, and
    /// some more for each zone that is proven. The owner of a domain can make it cost a hundred
    /// times as much as an ordinary chain. That is acceptable if the caller asked for the chain. A
    /// server that takes chains from strangers should set a limit.
    ///
    /// With a limit, an RRset is proven by the first signature that verifies and is valid
    /// throughout the period. Other signatures over the same RRset are not checked, so the validity
    /// outside the period may be less than without a limit.
    ///
    /// ```
    /// use dnssec::{Demand, Period, Timestamp, Work};
    ///
    /// // A root of RSA-2048 (its keys, a DS), and two zones of P-256 (keys, DS, keys, TXT), with room for digests.
    /// let ordinary = 2 * Work::of_rsa(2_048, 17).units() + 4 * Work::P256.units() + 10;
    /// let noon = Period::at("2026-11-21T12:00:00Z".parse()?);
    /// let thrice = Demand::from(noon).with_most_work(Work::from_units(3 * ordinary));
    /// # Ok::<(), dnssec::TimestampError>(())
    /// ```
    #[must_use]
    pub const fn with_most_work(mut self, work: Work) -> Self {
        self.most_work = Some(work);
        self
    }

    /// The period. The proof must hold for at least one second of it.
    #[must_use]
    pub const fn period(self) -> Period {
        self.period
    }

    /// The limit on the work, if there is one.
    pub(crate) const fn most_work(self) -> Option<Work> {
        self.most_work
    }

    /// The limit on the lifetime of a signature, if `window` exceeds it.
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
            most_work: None,
        }
    }
}

/// The demand for that one second.
impl From<Timestamp> for Demand {
    fn from(moment: Timestamp) -> Self {
        Period::at(moment).into()
    }
}
