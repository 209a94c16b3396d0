//! Key algorithms and dialects, and the policy of a verifier.

use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kliento::veraid::{Dialect, KeyAlgorithm, KeyAlgorithmError, Policy};

/// The word that allows all experimental algorithms.
const ALL_ALGORITHMS: &str = "all";

/// Names of key algorithms, the experimental ones marked so.
pub(crate) fn key_algorithm_parser() -> impl TypedValueParser<Value = KeyAlgorithm> {
    PossibleValuesParser::new(KeyAlgorithm::ALL.iter().copied().map(key_algorithm_value))
        .try_map(|name| name.parse::<KeyAlgorithm>())
}

fn key_algorithm_value(algorithm: KeyAlgorithm) -> PossibleValue {
    let value = PossibleValue::new(algorithm.to_string());
    if algorithm.is_experimental() {
        value.help("experimental: for DomainAuth alone, and verifiers that opt in")
    } else {
        value
    }
}

/// Names of dialects.
pub(crate) fn dialect_parser() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.iter().copied().map(dialect_value))
        .try_map(|name| name.parse::<Dialect>())
}

pub(crate) fn dialect_value(dialect: Dialect) -> PossibleValue {
    let value = PossibleValue::new(dialect.to_string());
    match dialect {
        Dialect::VeraId => value.help("VeraId, with records at _veraid.DOMAIN"),
        Dialect::DomainAuth => {
            value.help("DomainAuth, VeraId's successor, with records at _domainauth.DOMAIN")
        }
        _ => value,
    }
}

/// The experimental key algorithms that are taken.
#[derive(Args, Debug)]
pub(crate) struct AlgorithmArguments {
    /// Also accept keys of this experimental algorithm, or of all of them; may be given several times. Without this
    /// option, only RSA keys are accepted, as the specifications require.
    #[arg(long = "allow-algorithm", value_name = "ALGORITHM", value_parser = allowed_parser())]
    allowed: Vec<Allowed>,
}

/// One of the experimental algorithms, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    All,
    One(KeyAlgorithm),
}

impl FromStr for Allowed {
    type Err = KeyAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == ALL_ALGORITHMS {
            return Ok(Self::All);
        }
        text.parse().map(Self::One)
    }
}

/// RSA is always taken, and naming it is no mistake.
fn allowed_parser() -> impl TypedValueParser<Value = Allowed> {
    let names = KeyAlgorithm::ALL.iter().map(|algorithm| {
        let value = PossibleValue::new(algorithm.to_string());
        value.hide(!algorithm.is_experimental())
    });
    let all = PossibleValue::new(ALL_ALGORITHMS);
    PossibleValuesParser::new(names.chain([all])).try_map(|name| name.parse::<Allowed>())
}

impl AlgorithmArguments {
    pub(crate) fn policy(&self) -> Policy {
        allowing(&self.allowed)
    }

    /// As they were given.
    pub(crate) fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }
}

/// Takes RSA, and `allowed` besides.
pub(crate) fn allowing(allowed: &[Allowed]) -> Policy {
    let allow = |policy: Policy, allowed: &Allowed| match *allowed {
        Allowed::All => policy.with_all_algorithms(),
        Allowed::One(algorithm) => policy.with_algorithm(algorithm),
    };
    allowed.iter().fold(Policy::new(), allow)
}

/// The policy of a verifier.
#[derive(Args, Debug)]
pub(crate) struct PolicyArguments {
    #[command(flatten)]
    algorithms: AlgorithmArguments,

    /// Accept only this dialect of the protocol. The default is both.
    #[arg(long, value_parser = dialect_parser())]
    dialect: Option<Dialect>,
}

impl PolicyArguments {
    /// The algorithms, as they were given.
    pub(crate) fn allowed(&self) -> &[Allowed] {
        self.algorithms.allowed()
    }

    /// The one dialect, if it was given.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    pub(crate) fn policy(&self) -> Policy {
        let policy = self.algorithms.policy();
        match self.dialect {
            Some(dialect) => policy.with_only(dialect),
            None => policy,
        }
    }
}
