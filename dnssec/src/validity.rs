//! Periods, and sets of periods.
//!
//! A signature is valid for a period. An RRset that several signatures cover is valid for the union
//! of their periods. A chain of RRsets is valid for the intersection of their validities. This
//! module implements that algebra. Periods include both ends, as those of RRSIGs do (RFC 4034
//! §3.1.5).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

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
    pub const fn always() -> Self {
        Self {
            start: Timestamp::MIN,
            end: Timestamp::MAX,
        }
    }

    /// Returns the period from `start` to `end`, or `None` if `end` is before `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// Returns the period of one second.
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

    /// Returns true if `moment` lies within the period.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start <= moment && moment <= self.end
    }

    /// Returns true if at least one second belongs to both periods.
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// Returns the seconds that belong to both periods, if any.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Returns true if no second lies between this period and a `later` one that does not start
    /// earlier.
    fn reaches(self, later: Self) -> bool {
        later.start <= self.end.saturating_add(1)
    }
}

/// The period of that one second.
impl From<Timestamp> for Period {
    fn from(moment: Timestamp) -> Self {
        Self::at(moment)
    }
}

/// The period from the first to the last second; an error if the range is empty.
impl TryFrom<RangeInclusive<Timestamp>> for Period {
    type Error = PeriodError;

    fn try_from(range: RangeInclusive<Timestamp>) -> Result<Self, Self::Error> {
        let (start, end) = range.into_inner();
        Self::new(start, end).ok_or(PeriodError)
    }
}

/// Writes both ends as RFC 3339 times, or the single moment. Without an end it writes `from … on`,
/// without a start `until …`, and without both `always`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end } = *self;
        match (start == Timestamp::MIN, end == Timestamp::MAX) {
            (true, true) => f.write_str("always"),
            _ if start == end => write!(f, "{start}"),
            (false, true) => write!(f, "from {start} on"),
            (true, false) => write!(f, "until {end}"),
            (false, false) => write!(f, "{start} to {end}"),
        }
    }
}

/// The error for a text that is not a period, or for ends of a period in the wrong order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a period such as `2026-11-21T12:00:00Z to 2026-11-27T12:00:00Z`, `from 2026-11-21T12:00:00Z on` or `always`"
)]
pub struct PeriodError;

/// Reads the form that [`Display`](fmt::Display) writes.
impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = |text: &str| text.trim().parse::<Timestamp>().map_err(|_| PeriodError);
        let text = text.trim();
        let ends = if text == "always" {
            (Timestamp::MIN, Timestamp::MAX)
        } else if let Some((start, end)) = text.split_once(" to ") {
            (moment(start)?, moment(end)?)
        } else if let Some(start) = text.strip_prefix("from ") {
            let start = start.strip_suffix(" on").ok_or(PeriodError)?;
            (moment(start)?, Timestamp::MAX)
        } else if let Some(end) = text.strip_prefix("until ") {
            (Timestamp::MIN, moment(end)?)
        } else {
            (moment(text)?, moment(text)?)
        };
        Self::new(ends.0, ends.1).ok_or(PeriodError)
    }
}

/// The times at which something holds: disjoint periods in order, none adjacent to the next.
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
    /// Returns the empty set.
    pub fn never() -> Self {
        Self::default()
    }

    /// Returns the set of all times.
    pub fn always() -> Self {
        Period::always().into()
    }

    /// The periods, from the earliest to the latest.
    pub fn periods(&self) -> &[Period] {
        &self.0
    }

    /// Iterates over the periods, from the earliest to the latest.
    pub fn iter(&self) -> std::slice::Iter<'_, Period> {
        self.0.iter()
    }

    /// The total number of seconds.
    pub(crate) fn seconds(&self) -> u64 {
        self.0.iter().fold(0, |seconds: u64, period| {
            seconds.saturating_add(period.seconds().saturating_add(1))
        })
    }

    /// Returns true if the set is empty.
    pub fn is_never(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if `moment` belongs to the set.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.overlaps(Period::at(moment))
    }

    /// Returns true if at least one second of `period` belongs to the set.
    pub fn overlaps(&self, period: Period) -> bool {
        self.first_overlapping(period).is_some()
    }

    /// Returns true if all of `period` belongs to the set.
    pub(crate) fn covers(&self, period: Period) -> bool {
        let covers = |own: &Period| own.start <= period.start && period.end <= own.end;
        self.0.iter().any(covers)
    }

    /// The first period that shares a second with `period`, in full.
    pub fn first_overlapping(&self, period: Period) -> Option<Period> {
        self.0.iter().copied().find(|own| own.overlaps(period))
    }

    /// Returns the times that belong to both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut common = SmallVec::new();
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            common.extend(a.intersect(**b));
            // The period that ends first cannot overlap any further period of the other set.
            if a.end <= b.end {
                ours.next();
            } else {
                theirs.next();
            }
        }
        Self(common)
    }

    /// Returns the times of the set that lie within `period`.
    #[must_use]
    pub fn intersect_period(&self, period: Period) -> Self {
        Self(
            self.0
                .iter()
                .filter_map(|own| own.intersect(period))
                .collect(),
        )
    }

    /// Returns the times that belong to at least one of the sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_never() {
            return other.clone();
        }
        self.0.iter().chain(&other.0).copied().collect()
    }
}

/// Reads the form that [`Display`](fmt::Display) writes.
impl FromStr for Validity {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "never" {
            return Ok(Self::never());
        }
        text.split(',').map(str::parse::<Period>).collect()
    }
}

impl IntoIterator for Validity {
    type Item = Period;
    type IntoIter = std::vec::IntoIter<Period>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl<'v> IntoIterator for &'v Validity {
    type Item = &'v Period;
    type IntoIter = std::slice::Iter<'v, Period>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The seconds from the first to the last of a range; none if the range is empty.
impl From<RangeInclusive<Timestamp>> for Validity {
    fn from(range: RangeInclusive<Timestamp>) -> Self {
        Period::try_from(range).map_or_else(|_| Self::never(), Self::from)
    }
}

impl From<Period> for Validity {
    fn from(period: Period) -> Self {
        Self(smallvec![period])
    }
}

/// The union of periods, which may be in any order.
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

/// Writes the periods, separated by commas, or `never`.
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
        let contained = |second| period(1, 3).contains(Timestamp::from_unix_seconds(second));
        assert_eq!(
            [0, 1, 2, 3, 4].map(contained),
            [false, true, true, true, false]
        );
    }

    #[test]
    fn adjacent_seconds_make_one_period() {
        let validity: Validity = [period(4, 5), period(1, 3)].into_iter().collect();
        assert_eq!(validity.periods(), [period(1, 5)]);
        let validity: Validity = [period(5, 6), period(1, 3)].into_iter().collect();
        assert_eq!(validity.periods(), [period(1, 3), period(5, 6)]);
    }

    #[test]
    fn a_moment_is_the_period_of_one_second() {
        let moment = Timestamp::from_unix_seconds(7);
        assert_eq!(Period::from(moment), period(7, 7));
    }

    #[test]
    fn a_set_gives_its_periods_from_the_earliest_to_the_latest() {
        let periods = [period(1, 3), period(5, 6), period(9, 9)];
        let validity: Validity = periods.iter().rev().copied().collect();
        assert!(validity.iter().eq(&periods));
        assert!((&validity).into_iter().eq(&periods));
        assert!(validity.into_iter().eq(periods));
        assert_eq!(Validity::never().into_iter().next(), None);
    }

    #[test]
    fn all_of_time_has_room_for_everything() {
        let always = Validity::always();
        assert_eq!(always.union(&period(1, 2).into()), always);
        assert_eq!(always.intersect(&always), always);
        assert_eq!(Period::always().seconds(), u64::MAX);
    }

    #[test]
    fn an_open_end_is_shown_as_one() {
        let at = Timestamp::from_unix_seconds;
        let shown = |start, end| Period::new(start, end).unwrap().to_string();
        assert_eq!(
            shown(at(0), at(1)),
            "1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z"
        );
        assert_eq!(shown(at(0), at(0)), "1970-01-01T00:00:00Z");
        assert_eq!(shown(at(0), Timestamp::MAX), "from 1970-01-01T00:00:00Z on");
        assert_eq!(shown(Timestamp::MIN, at(0)), "until 1970-01-01T00:00:00Z");
        assert_eq!(Period::always().to_string(), "always");
    }

    #[test]
    fn refuses_what_is_no_period() {
        for text in [
            "",
            "never",
            "from 1970-01-01T00:00:00Z",
            "1970-01-01T00:00:01Z to 1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z to",
            "until",
        ] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError), "{text}");
        }
        let at = Timestamp::from_unix_seconds;
        assert_eq!(Period::try_from(at(2)..=at(1)), Err(PeriodError));
        assert_eq!(Period::try_from(at(1)..=at(2)), Ok(period(1, 2)));
        assert!(Validity::from(at(2)..=at(1)).is_never());
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

    fn moments() -> impl Strategy<Value = Timestamp> {
        prop_oneof![
            Just(Timestamp::MIN),
            Just(Timestamp::MAX),
            any::<i64>().prop_map(Timestamp::from_unix_seconds),
            (0i64..4_000_000_000).prop_map(Timestamp::from_unix_seconds),
        ]
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(ends in prop::collection::vec((moments(), moments()), 0..4)) {
            let periods = ends.iter().map(|&(a, b)| Period::new(a.min(b), a.max(b)).unwrap());
            for period in periods.clone() {
                prop_assert_eq!(period.to_string().parse(), Ok(period));
            }
            let validity: Validity = periods.collect();
            prop_assert_eq!(validity.to_string().parse(), Ok(validity));
        }

        #[test]
        fn is_the_algebra_of_sets_of_seconds(a in validities(), b in validities()) {
            prop_assert_eq!(seconds(&a.union(&b)), seconds(&a) | seconds(&b));
            prop_assert_eq!(seconds(&a.intersect(&b)), seconds(&a) & seconds(&b));
            prop_assert_eq!(a.union(&b), b.union(&a));
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
            for set in [a.union(&b), a.intersect(&b)] {
                for pair in set.periods().windows(2) {
                    prop_assert!(pair[0].end.saturating_add(1) < pair[1].start);
                }
            }
        }
    }
}
