//! Everything must hold at one and the same second of the verifier's period, and DNSSEC within its TTL override.

use crate::support::der::*;
use crate::support::*;
use kliento_fixture_cases::tables::veraid as vera_id;
use veraid::Period;

/// Seconds from noon on, both included, as four periods: DNSSEC, organisation, member, signature.
struct Windows {
    dnssec: (i64, i64),
    organisation: (i64, i64),
    member: (i64, i64),
    signature: (i64, i64),
}

const ALL_DAY: (i64, i64) = (0, 43_199);

/// All windows open all day.
const OPEN: Windows = Windows {
    dnssec: ALL_DAY,
    organisation: ALL_DAY,
    member: ALL_DAY,
    signature: ALL_DAY,
};

/// The time so many seconds after noon, `MMDDHHMMSSZ` aside.
fn clock(seconds: i64) -> String {
    let seconds = seconds + 43_200;
    format!(
        "{:02}{:02}{:02}Z",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn validity((start, end): (i64, i64)) -> Vec<u8> {
    let time = |seconds| utc_time(&format!("261121{}", clock(seconds)));
    sequence(&[time(start), time(end)])
}

fn parts(good: fn() -> Parts, windows: &Windows, required: (i64, i64), ttl_override: i64) -> Parts {
    let mut parts = good();
    parts.dnssec_window = (NOON + windows.dnssec.0, NOON + windows.dnssec.1);
    parts.organisation.validity = validity(windows.organisation);
    parts.member.validity = validity(windows.member);
    let time = |seconds| format!("20261121{}", clock(seconds));
    let (start, end) = windows.signature;
    parts.signed_data.signed_attributes[METADATA] =
        metadata("1.3.6.1.4.1.58708.1.1", &time(start), &time(end));
    parts.required = from_noon(required);
    parts.records = vec![organisation_key().record(&ttl_override.to_string())];
    parts
}

fn from_noon((start, end): (i64, i64)) -> Period {
    period(NOON + start, NOON + end)
}

fn outcome(
    windows: &Windows,
    required: (i64, i64),
    ttl_override: i64,
) -> Result<Period, &'static str> {
    parts(Parts::member, windows, required, ttl_override).verify(|outcome| {
        outcome
            .map(|verified| verified.period())
            .map_err(|error| error.reason())
    })
}

#[test]
fn every_window_is_inclusive_at_both_ends() {
    type Narrow = fn(&mut Windows, (i64, i64));
    let cases: [(Narrow, [&str; 2]); 4] = [
        (
            |w, window| w.dnssec = window,
            ["dnssec.rrsig_not_yet_valid", "dnssec.rrsig_expired"],
        ),
        (
            |w, window| w.organisation = window,
            ["x509.not_yet_valid", "x509.expired"],
        ),
        (
            |w, window| w.member = window,
            ["x509.not_yet_valid", "x509.expired"],
        ),
        (
            |w, window| w.signature = window,
            ["veraid.signature_not_yet_valid", "veraid.signature_expired"],
        ),
    ];
    for (narrow, [too_early, too_late]) in cases {
        let mut windows = OPEN;
        narrow(&mut windows, (100, 200));
        let whole = Ok(from_noon((100, 200)));
        assert_eq!(outcome(&windows, (99, 99), 3_600), Err(too_early));
        assert_eq!(outcome(&windows, (100, 100), 3_600), whole);
        assert_eq!(outcome(&windows, (200, 200), 3_600), whole);
        assert_eq!(outcome(&windows, (201, 201), 3_600), Err(too_late));
        // One second of the period is enough, and the result is not cut to the period.
        assert_eq!(outcome(&windows, (0, 100), 3_600), whole);
        assert_eq!(outcome(&windows, (200, 300), 3_600), whole);
    }
}

#[test]
fn the_result_holds_for_as_long_as_all_of_it_holds() {
    let windows = Windows {
        dnssec: (10, 400),
        organisation: (20, 300),
        member: (30, 350),
        signature: (0, 290),
    };
    assert_eq!(
        outcome(&windows, (100, 100), 3_600),
        Ok(from_noon((30, 290)))
    );
}

#[test]
fn all_must_hold_at_one_and_the_same_second() {
    // Each overlaps the period, and each overlaps some other.
    let apart = |dnssec, organisation, member, signature| Windows {
        dnssec,
        organisation,
        member,
        signature,
    };
    for windows in [
        apart(ALL_DAY, (0, 100), (101, 200), ALL_DAY),
        apart(ALL_DAY, (0, 100), ALL_DAY, (101, 200)),
        apart(ALL_DAY, ALL_DAY, (0, 100), (101, 200)),
        apart((0, 100), (101, 200), ALL_DAY, ALL_DAY),
        apart((0, 100), ALL_DAY, (101, 200), ALL_DAY),
        apart((0, 100), ALL_DAY, ALL_DAY, (101, 200)),
        apart((0, 120), (110, 200), (0, 115), (116, 200)),
    ] {
        assert_eq!(
            outcome(&windows, (0, 200), 3_600),
            Err("veraid.never_valid_together")
        );
    }
    // They hold together, but outside the period.
    let windows = apart(ALL_DAY, (0, 150), (100, 300), (0, 300));
    assert_eq!(outcome(&windows, (0, 99), 3_600), Err("x509.not_yet_valid"));
    let windows = apart(ALL_DAY, (0, 150), (100, 300), (0, 130));
    assert_eq!(
        outcome(&windows, (131, 200), 3_600),
        Err("veraid.signature_expired")
    );
    let windows = apart((0, 105), ALL_DAY, (100, 300), (103, 300));
    assert_eq!(
        outcome(&windows, (0, 102), 3_600),
        Err("veraid.signature_not_yet_valid")
    );
    // Certificates and signature meet within the period, DNSSEC meets them outside it.
    let windows = apart((0, 1_000), (500, 1_000), ALL_DAY, ALL_DAY);
    assert_eq!(
        outcome(&windows, (500, 600), 3_600),
        Ok(from_noon((500, 1_000)))
    );
    let windows = apart((0, 540), (550, 1_000), ALL_DAY, ALL_DAY);
    assert_eq!(
        outcome(&windows, (500, 600), 3_600),
        Err("veraid.never_valid_together")
    );
}

#[test]
fn dnssec_may_run_out_no_longer_before_the_end_of_the_period_than_its_ttl_override() {
    let windows = Windows {
        dnssec: (0, 1_000),
        ..OPEN
    };
    assert_eq!(
        outcome(&windows, (500, 1_100), 100),
        Ok(from_noon((0, 1_000)))
    );
    assert_eq!(
        outcome(&windows, (500, 1_101), 100),
        Err("veraid.ttl_override_exceeded")
    );
    assert_eq!(
        outcome(&windows, (500, 1_101), 101),
        Ok(from_noon((0, 1_000)))
    );
    // It stretches nothing when the verifier asks for one second.
    assert_eq!(
        outcome(&windows, (1_001, 1_001), 3_600),
        Err("dnssec.rrsig_expired")
    );
    // Nor beyond the start of the period.
    assert_eq!(
        outcome(&windows, (1_001, 1_100), 3_600),
        Err("dnssec.rrsig_expired")
    );
}

#[test]
fn the_ttl_override_counts_from_the_end_of_the_verifiers_period_whenever_the_signature_ends() {
    // The signature ends while DNSSEC still holds; the verifier's period ends later than the override reaches.
    let windows = Windows {
        dnssec: (0, 1_000),
        signature: (0, 900),
        ..OPEN
    };
    assert_eq!(
        outcome(&windows, (500, 1_100), 100),
        Ok(from_noon((0, 900)))
    );
    assert_eq!(
        outcome(&windows, (500, 1_200), 100),
        Err("veraid.ttl_override_exceeded")
    );
}

#[test]
fn the_window_of_the_ttl_override_is_for_dnssec_alone() {
    // The signature had ended when the window begins, but held while DNSSEC, which holds in the window too, held.
    let windows = Windows {
        signature: (0, 100),
        ..OPEN
    };
    assert_eq!(outcome(&windows, (50, 1_000), 10), Ok(from_noon((0, 100))));
}

#[test]
fn organisation_signatures_keep_time_too() {
    let windows = Windows {
        organisation: (100, 200),
        signature: (201, 300),
        ..OPEN
    };
    let reason = |required| parts(Parts::organisation, &windows, required, 3_600).reason();
    assert_eq!(reason((0, 400)), "veraid.never_valid_together");
    assert_eq!(reason((0, 99)), "veraid.signature_not_yet_valid");
    assert_eq!(reason((250, 250)), "x509.expired");
}

#[test]
fn each_part_holds_from_its_first_to_its_last_second() {
    try_group(vera_id::add, "times");
}
