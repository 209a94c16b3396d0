//! What a look-up demands of the signatures that it rests on.

use crate::time::Timestamp;
use crate::validity::Period;
use crate::work::Work;

/// The period in which a proof must hold, for how long a signature may be valid in all, and what it may cost to find out.
///
/// A [`Period`] alone makes one without a limit, and so does a [`Timestamp`], so both can be given wherever a demand is
/// asked for.
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
    /// Passes over RRSIGs whose expiration is more than that many seconds after their inception, as if they were not
    /// there. DNSSEC has no such limit; the DomainAuth draft has ("Maximum Validity Period").
    #[must_use]
    pub const fn with_longest_signature(mut self, seconds: u32) -> Self {
        self.longest_signature = Some(seconds);
        self
    }

    /// Stops, with [`Error::BudgetExhausted`](crate::Error::BudgetExhausted), at chains that take more work than that.
    ///
    /// Without it, a look-up takes as many signature checks as any honest chain may need, some more for each zone that is
    /// proven; whoever has a domain can have it take a hundred times what an ordinary chain takes. That is all right for
    /// whoever asked for the chain. A server that takes chains from strangers sets a limit.
    ///
    /// With it, an RRset is proven by the first good signature that holds throughout the period; others over the same
    /// RRset are not looked at, so a validity beyond the period may be less than without.
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

    /// The proof must hold for at least one second of this.
    #[must_use]
    pub const fn period(self) -> Period {
        self.period
    }

    /// The limit, if there is one, on what it may cost.
    pub(crate) const fn most_work(self) -> Option<Work> {
        self.most_work
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
            most_work: None,
        }
    }
}

/// That one second.
impl From<Timestamp> for Demand {
    fn from(moment: Timestamp) -> Self {
        Period::at(moment).into()
    }
}
