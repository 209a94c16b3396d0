//! What the tests of verification share: a world to start from, and verification in one call.

pub(crate) mod attempt;

use dnssec::{Chain, Error, Period, RecordType, Timestamp, TrustAnchors};
use proptest::test_runner::{RngAlgorithm, TestRng};

/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: i64 = 1_795_262_400;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) use kliento_fixture_cases::chain::{OWNER, TEXT, WORLD, standard};

/// One second.
pub(crate) fn at(unix_seconds: i64) -> Period {
    Period::at(Timestamp::from_unix_seconds(unix_seconds))
}

/// From one second to another, both included.
pub(crate) fn period(start: i64, end: i64) -> Period {
    Period::new(
        Timestamp::from_unix_seconds(start),
        Timestamp::from_unix_seconds(end),
    )
    .expect("the period starts before it ends")
}

/// What a chain proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) rdata: Vec<Vec<u8>>,
    /// First and last seconds of the periods for which it holds.
    pub(crate) validity: Vec<(i64, i64)>,
}

/// Verifies messages in the order in which they are given.
pub(crate) fn verify(
    messages: &[Vec<u8>],
    name: &str,
    record_type: u16,
    anchors: &str,
    period: Period,
) -> Result<Proven, Error> {
    let anchors: TrustAnchors = anchors.parse().expect("the anchors can be read");
    let name = name.parse().expect("the name can be read");
    let record_type = RecordType(record_type);
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    let proof = chain.verify(&name, record_type, &anchors, period)?;
    assert_eq!(proof.name(), &name);
    assert_eq!(proof.record_type(), record_type);
    let seconds = |period: &Period| (period.start().unix_seconds(), period.end().unix_seconds());
    Ok(Proven {
        rdata: proof.rdata().map(<[u8]>::to_vec).collect(),
        validity: proof.validity().periods().iter().map(seconds).collect(),
    })
}

/// Verifies what must hold, and that neither the order of the messages nor the way through DER makes a difference.
#[track_caller]
pub(crate) fn prove(
    messages: &[Vec<u8>],
    name: &str,
    record_type: u16,
    anchors: &str,
    period: Period,
) -> Proven {
    let forward = verify(messages, name, record_type, anchors, period);
    let proven = match forward {
        Ok(proven) => proven,
        Err(error) => panic!("{}: {error}", error.reason()),
    };
    let reversed: Vec<Vec<u8>> = messages.iter().rev().cloned().collect();
    let backward = verify(&reversed, name, record_type, anchors, period);
    assert_eq!(backward.as_ref(), Ok(&proven), "in reverse order");

    let der = kliento_fixtures::chain_der(messages);
    let chain = Chain::from_der(&der).expect("the chain is DER");
    let as_der: Vec<Vec<u8>> = chain.messages().map(<[u8]>::to_vec).collect();
    let through_der = verify(&as_der, name, record_type, anchors, period);
    assert_eq!(through_der.as_ref(), Ok(&proven), "through DER");
    proven
}

/// Numbers that look random and are the same in every run.
pub(crate) fn random() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}
