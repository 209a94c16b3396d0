//! The times to renew a token, and to try again after a failed renewal.
//!
//! Tokens end at times on the wall clock. They are compared with it each time a caller asks, so a
//! clock that is set takes effect at once. Pauses between attempts are measured on the monotonic
//! clock.

use std::ops::RangeInclusive;
use std::time::Duration;

use veraid::{Period, Timestamp};

/// The part of its remaining time after which a token is renewed, in thousandths. The point in this
/// range is random, so that clients that started together, or read their tokens from one file,
/// don't all renew at once.
const RENEWED_AFTER: RangeInclusive<i64> = 700..=800;
const THOUSANDTHS: i64 = 1_000;

/// A token that ends within this number of seconds may end while a request is on its way.
const URGENT_SECONDS: i64 = 10;
/// The part of its period within which a short-lived token is urgent, as a divisor.
const URGENT_PART: i64 = 10;

/// The shortest pause between two attempts, whatever their outcome.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, after many failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The part of a pause that is waited after a failure, in thousandths. The value in this range is
/// random.
const JITTERED_PAUSE: RangeInclusive<u32> = 750..=1_000;

/// The times at which a token becomes due and urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// The time from which it is renewed while it is still sent.
    pub(super) renewal: Timestamp,
    /// The time from which it is sent only if there is no other.
    pub(super) urgency: Timestamp,
}

impl Schedule {
    /// The schedule of a token that was obtained `now`.
    pub(super) fn new(period: Period, now: Timestamp) -> Self {
        let end = period.end();
        let left = end.unix_seconds().saturating_sub(now.unix_seconds()).max(0);
        let part = fastrand::i64(RENEWED_AFTER);
        // In this order nothing overflows.
        let after = left / THOUSANDTHS * part + left % THOUSANDTHS * part / THOUSANDTHS;
        // A part of the whole period, and not of the remaining time, which is shorter each time the
        // same token is supplied again.
        let lifetime = i64::try_from(period.seconds()).unwrap_or(i64::MAX);
        let urgent = (lifetime / URGENT_PART).min(URGENT_SECONDS);
        Self {
            renewal: now.saturating_add(after),
            urgency: end.saturating_sub(urgent),
        }
    }
}

/// The pause after this number of failures in a row: a second, then twice as long each time, less a
/// random part.
pub(super) fn pause_after(failures: u32) -> Duration {
    let doubled = failures.saturating_sub(1).min(u32::BITS - 1);
    let pause = SHORTEST_PAUSE
        .saturating_mul(1_u32.checked_shl(doubled).unwrap_or(u32::MAX))
        .min(LONGEST_PAUSE);
    pause * fastrand::u32(JITTERED_PAUSE) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const NOON: Timestamp = Timestamp::from_unix_seconds(1_795_262_400);

    fn schedules(seconds: i64) -> Vec<Schedule> {
        let period = Period::new(NOON, NOON.saturating_add(seconds)).unwrap();
        (0..500).map(|_| Schedule::new(period, NOON)).collect()
    }

    #[test]
    fn renews_well_ahead_of_the_end_and_not_all_at_once() {
        // With shorter lifetimes, whole seconds leave chance so little room that all 500 may fall
        // together.
        for (seconds, earliest, latest) in [(100, 70, 80), (600, 420, 480), (3_600, 2_520, 2_880)] {
            let renewals: BTreeSet<i64> = schedules(seconds)
                .iter()
                .map(|schedule| schedule.renewal.unix_seconds() - NOON.unix_seconds())
                .collect();
            assert!(
                renewals
                    .iter()
                    .all(|&after| (earliest..=latest).contains(&after))
            );
            assert!(renewals.len() > 1, "no jitter for {seconds} seconds");
        }
    }

    #[test]
    fn the_last_seconds_of_a_token_are_urgent() {
        for (seconds, urgent) in [(3_600, 10), (600, 10), (50, 5), (5, 0), (0, 0)] {
            let end = NOON.saturating_add(seconds);
            for schedule in schedules(seconds) {
                assert_eq!(schedule.urgency, end.saturating_sub(urgent));
                assert!(schedule.renewal <= schedule.urgency);
            }
        }
    }

    #[test]
    fn how_urgent_a_token_is_does_not_depend_on_when_it_was_read() {
        let end = NOON.saturating_add(600);
        let period = Period::new(NOON, end).unwrap();
        for late in [0, 500, 595, 600] {
            let schedule = Schedule::new(period, NOON.saturating_add(late));
            assert_eq!(schedule.urgency, end.saturating_sub(10));
        }
    }

    #[test]
    fn nothing_overflows_for_tokens_without_an_end() {
        let schedule = Schedule::new(Period::always(), NOON);
        assert!(schedule.renewal > NOON && schedule.renewal < Timestamp::MAX);
        assert!(Schedule::new(Period::always(), Timestamp::MIN).renewal < Timestamp::MAX);
    }

    #[test]
    fn waits_longer_after_each_failure_up_to_half_a_minute() {
        let mut longest = Duration::ZERO;
        for (failures, seconds) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (5, 16),
            (6, 30),
            (7, 30),
            (u32::MAX, 30),
        ] {
            let whole = Duration::from_secs(seconds);
            for _ in 0..100 {
                let pause = pause_after(failures);
                assert!(pause <= whole && pause >= whole * 3 / 4);
                longest = longest.max(pause);
            }
        }
        assert!(longest > Duration::from_secs(22));
    }
}
