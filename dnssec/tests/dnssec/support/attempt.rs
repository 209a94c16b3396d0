//! The verdicts on chains in the making, and a loop over tables of such chains.

use std::fmt::Write as _;

use dnssec::{Chain, Denial, Error, Fact, Insecurity, Period, RecordType, TrustAnchors};
pub(crate) use kliento_fixture_cases::chain::*;

use super::verify;

/// The verdicts of the crate under test.
pub(crate) trait Judged {
    /// Returns `proven`, `nxdomain`, `nodata`, `insecure: ` and the cause, or the reason code of the error.
    fn verdict(&self) -> String;
    fn verdict_at(&self, period: Period) -> String;
    /// Looks it up, and gives the result with the seconds for which it holds and the name that it is about.
    fn look_up(&self, messages: &[Vec<u8>], period: Period) -> Result<Found, Error>;
    /// Returns the fact, which must be proven.
    fn find(&self) -> Found;
    /// The proof of the RRset, or why there is none.
    fn outcome(&self, period: Period) -> Result<super::Proven, Error>;
}

impl Judged for Attempt {
    /// Returns `proven`, `nxdomain`, `nodata`, `insecure: ` and the cause, or the reason code of the error.
    fn verdict(&self) -> String {
        self.verdict_at(asked(self.period))
    }

    fn verdict_at(&self, period: Period) -> String {
        let messages = self.messages();
        let verdict = verdict(&self.look_up(&messages, period));
        let backwards: Vec<_> = messages.iter().rev().cloned().collect();
        let reverse = self::verdict(&self.look_up(&backwards, period));
        if reverse == verdict {
            verdict
        } else {
            format!("{verdict}, and in reverse order {reverse}")
        }
    }

    /// Looks it up, and gives the result with the seconds for which it holds and the name that it is about.
    fn look_up(&self, messages: &[Vec<u8>], period: Period) -> Result<Found, Error> {
        let anchors: TrustAnchors = self.anchors.parse().expect("the anchors can be read");
        let name = self.name.parse().expect("the name can be read");
        let record_type = RecordType(self.record_type);
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        let fact = chain
            .look_up(&name, record_type, &anchors, period)?
            .into_secure()?;
        let validity = fact.validity().periods().iter();
        Ok(Found {
            validity: validity
                .map(|period| (period.start().unix_seconds(), period.end().unix_seconds()))
                .collect(),
            canonical_name: fact.canonical_name().to_string(),
            what: match fact {
                Fact::Proven(proof) => {
                    assert_eq!((proof.name(), proof.record_type()), (&name, record_type));
                    What::Records(proof.rdata().map(<[u8]>::to_vec).collect())
                }
                Fact::ProvenAbsent(absence) => {
                    assert_eq!(
                        (absence.name(), absence.record_type()),
                        (&name, record_type)
                    );
                    What::Absent(absence.denial())
                }
                Fact::ProvenInsecure(insecure) => panic!("{insecure}"),
            },
        })
    }

    /// Returns the fact, which must be proven.
    #[track_caller]
    fn find(&self) -> Found {
        match self.look_up(&self.messages(), asked(self.period)) {
            Ok(found) => found,
            Err(error) => panic!("{}: {error}", error.reason()),
        }
    }

    /// The proof of the RRset, or why there is none.
    fn outcome(&self, period: Period) -> Result<super::Proven, Error> {
        verify(
            &self.messages(),
            &self.name,
            self.record_type,
            &self.anchors,
            period,
        )
    }
}

/// The period that is asked about.
pub(crate) fn asked((start, end): (i64, i64)) -> Period {
    super::period(start, end)
}

/// A fact, and for which seconds it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) what: What,
    pub(crate) canonical_name: String,
    pub(crate) validity: Vec<(i64, i64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Records(Vec<Vec<u8>>),
    Absent(Denial),
}

pub(crate) fn verdict(outcome: &Result<Found, Error>) -> String {
    match outcome {
        Ok(found) => match &found.what {
            What::Records(_) => "proven".to_owned(),
            What::Absent(denial) => denial.to_string(),
        },
        Err(Error::InsecureDelegation { cause, .. }) => {
            let cause = match cause {
                Insecurity::NoDs => "no DS",
                Insecurity::Algorithms => "algorithms",
                Insecurity::OptOut => "opt-out",
                Insecurity::Nsec3Iterations => "iterations",
                Insecurity::Nsec3Hash => "hash",
                _ => "another cause",
            };
            format!("insecure: {cause}")
        }
        Err(error) => error.reason().to_owned(),
    }
}

/// Whether something is proven.
pub(crate) fn is_fact(verdict: &str) -> bool {
    ["proven", "nxdomain", "nodata"].contains(&verdict)
}

/// Whether a case comes out as it has to; what does not hinge on the time that is asked for comes out at no other
/// either.
pub(crate) fn complaint(attempt: &Attempt, expected: &str) -> Option<String> {
    let verdict = attempt.verdict();
    if verdict != expected {
        return Some(format!("{verdict}, not {expected}"));
    }
    let hinges_on_time =
        expected.starts_with("dnssec.rrsig_") || expected == "dnssec.not_valid_together";
    if is_fact(expected) || hinges_on_time {
        return None;
    }
    let at_any_time = attempt.verdict_at(Period::always());
    is_fact(&at_any_time).then(|| format!("{at_any_time} if asked for all time"))
}

/// Tries each case in each style, from `start` on.
#[track_caller]
pub(crate) fn check(styles: &[Style], start: fn(Style) -> Attempt, cases: &[Case]) {
    let mut complaints = String::new();
    for (case, make, expected) in cases {
        for style in styles {
            let mut attempt = start(*style);
            make(&mut attempt);
            if let Some(complaint) = complaint(&attempt, expected) {
                writeln!(complaints, "{style:?}: {case}: {complaint}")
                    .expect("a string can be written to");
            }
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}
