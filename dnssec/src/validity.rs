//! Periods, and sets of periods.
//!
//! A signature is good for a period; an RRset that several signatures cover is good for the union of their periods; a
//! chain of RRsets is good for the intersection along the chain. That algebra is all this module is for. Periods are
//! inclusive at both ends, as RRSIGs are (RFC 4034 §3.1.5).

use std::fmt;

use smallvec::{SmallVec, smallvec};

use crate::time::Timestamp;

/// A span of time from one second to another, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

impl Period {
    /// All of time.
    pub const ALWAYS: Self = Self {
        start: Timestamp::MIN,
        end: Timestamp::MAX,
    };

    /// From `start` to `end`, or `None` if that would end before it starts.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// One second.
    pub const fn at(moment: Timestamp) -> Self {
        Self {
            start: moment,
            end: moment,
        }
    }

    /// Its first second.
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// Its last second.
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// `end − start` in seconds: 0 for a single moment.
    pub const fn seconds(self) -> u64 {
        self.end.unix_seconds().abs_diff(self.start.unix_seconds())
    }

    /// Whether `moment` lies within.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start <= moment && moment <= self.end
    }

    /// Whether at least one second belongs to both.
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// The seconds that belong to both, if any.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Whether no second lies between this period and a `later` one that starts no earlier.
    fn reaches(self, later: Self) -> bool {
        later.start <= self.end.saturating_add(1)
    }
}

/// Both ends as RFC 3339 times, or the one moment.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            return write!(f, "{}", self.start);
        }
        write!(f, "{} to {}", self.start, self.end)
    }
}

/// The times at which something holds: periods in order, none touching the next.
///
/// ```
/// use dnssec::{Period, Timestamp, Validity};
///
/// let period = |from, to| {
///     Period::new(Timestamp::from_unix_seconds(from), Timestamp::from_unix_seconds(to)).unwrap()
/// };
/// let rrset: Validity = [period(0, 9), period(20, 29)].into_iter().collect();
/// let key = Validity::from(period(5, 22));
/// assert_eq!(rrset.intersect(&key).periods(), [period(5, 9), period(20, 22)]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Validity(SmallVec<[Period; 1]>);

impl Validity {
    /// Holds at no time.
    pub fn never() -> Self {
        Self::default()
    }

    /// Holds at any time.
    pub fn always() -> Self {
        Period::ALWAYS.into()
    }

    /// The periods, from the earliest to the latest.
    pub fn periods(&self) -> &[Period] {
        &self.0
    }

    /// How many seconds it holds for in all.
    pub(crate) fn seconds(&self) -> u64 {
        self.0.iter().fold(0, |seconds: u64, period| {
            seconds.saturating_add(period.seconds().saturating_add(1))
        })
    }

    /// Whether there is no second at which it holds.
    pub fn is_never(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it holds at `moment`.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.overlaps(Period::at(moment))
    }

    /// Whether it holds for at least one second of `period`.
    pub fn overlaps(&self, period: Period) -> bool {
        self.first_overlapping(period).is_some()
    }

    /// Whether it holds for all of `period`.
    pub(crate) fn covers(&self, period: Period) -> bool {
        let covers = |own: &Period| own.start <= period.start && period.end <= own.end;
        self.0.iter().any(covers)
    }

    /// The first of its periods that shares a second with `period`, whole.
    pub fn first_overlapping(&self, period: Period) -> Option<Period> {
        self.0.iter().copied().find(|own| own.overlaps(period))
    }

    /// When both hold.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut common = SmallVec::new();
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            common.extend(a.intersect(**b));
            // Whichever ends first can meet nothing further.
            if a.end <= b.end {
                ours.next();
            } else {
                theirs.next();
            }
        }
        Self(common)
    }

    /// When it holds within `period`.
    #[must_use]
    pub fn intersect_period(&self, period: Period) -> Self {
        Self(
            self.0
                .iter()
                .filter_map(|own| own.intersect(period))
                .collect(),
        )
    }

    /// When either holds.
    #[must_use]
    pub fn unite(&self, other: &Self) -> Self {
        if self.is_never() {
            return other.clone();
        }
        self.0.iter().chain(&other.0).copied().collect()
    }
}

impl From<Period> for Validity {
    fn from(period: Period) -> Self {
        Self(smallvec![period])
    }
}

/// The union of periods in any order.
impl FromIterator<Period> for Validity {
    fn from_iter<I: IntoIterator<Item = Period>>(periods: I) -> Self {
        let mut sorted: SmallVec<[Period; 4]> = periods.into_iter().collect();
        sorted.sort_unstable_by_key(|period| period.start);
        let mut united: SmallVec<[Period; 1]> = SmallVec::new();
        for period in sorted {
            match united.last_mut() {
                Some(last) if last.reaches(period) => last.end = last.end.max(period.end),
                _ => united.push(period),
            }
        }
        Self(united)
    }
}

/// The periods, separated by commas, or `never`.
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("never");
        }
        for (index, period) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{period}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn period(start: i64, end: i64) -> Period {
        let at = Timestamp::from_unix_seconds;
        Period::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn a_period_cannot_end_before_it_starts() {
        let at = Timestamp::from_unix_seconds;
        assert_eq!(Period::new(at(2), at(1)), None);
        assert!(Period::new(at(1), at(1)).is_some());
    }

    #[test]
    fn periods_are_inclusive_at_both_ends() {
        assert!(period(1, 3).overlaps(period(3, 5)));
        assert_eq!(period(1, 3).intersect(period(3, 5)).unwrap(), period(3, 3));
        assert!(!period(1, 3).overlaps(period(4, 5)));
        assert_eq!(period(1, 3).intersect(period(4, 5)), None);
    }

    #[test]
    fn adjacent_seconds_make_one_period() {
        let validity: Validity = [period(4, 5), period(1, 3)].into_iter().collect();
        assert_eq!(validity.periods(), [period(1, 5)]);
        let validity: Validity = [period(5, 6), period(1, 3)].into_iter().collect();
        assert_eq!(validity.periods(), [period(1, 3), period(5, 6)]);
    }

    #[test]
    fn all_of_time_has_room_for_everything() {
        let always = Validity::always();
        assert_eq!(always.unite(&period(1, 2).into()), always);
        assert_eq!(always.intersect(&always), always);
        assert_eq!(Period::ALWAYS.seconds(), u64::MAX);
    }

    /// A set of seconds below 32, to check the algebra against.
    fn seconds(validity: &Validity) -> u32 {
        (0..32)
            .filter(|&second| validity.contains(Timestamp::from_unix_seconds(second)))
            .fold(0, |set, second| set | 1 << second)
    }

    fn validities() -> impl Strategy<Value = Validity> {
        prop::collection::vec((0i64..32, 0i64..32), 0..6).prop_map(|ends| {
            ends.into_iter()
                .map(|(a, b)| period(a.min(b), a.max(b)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn is_the_algebra_of_sets_of_seconds(a in validities(), b in validities()) {
            prop_assert_eq!(seconds(&a.unite(&b)), seconds(&a) | seconds(&b));
            prop_assert_eq!(seconds(&a.intersect(&b)), seconds(&a) & seconds(&b));
            prop_assert_eq!(a.unite(&b), b.unite(&a));
            prop_assert_eq!(a.intersect(&b), b.intersect(&a));
            prop_assert_eq!(a.intersect(&a), a.clone());
            if let [first, ..] = b.periods() {
                let held = seconds(&a) & seconds(&(*first).into());
                prop_assert_eq!(a.covers(*first), held == seconds(&(*first).into()));
                prop_assert_eq!(a.intersect_period(*first), a.intersect(&(*first).into()));
            }
        }

        #[test]
        fn periods_are_in_order_and_apart(a in validities(), b in validities()) {
            for set in [a.unite(&b), a.intersect(&b)] {
                for pair in set.periods().windows(2) {
                    prop_assert!(pair[0].end.saturating_add(1) < pair[1].start);
                }
            }
        }
    }
}
