//! The period of something that is being made, and what it is built on.

use std::marker::PhantomData;

use clap::Args;
use kliento::veraid::{MemberId, Period, Policy, ServiceOid, Timestamp, TrustAnchors};

use super::{AlgorithmArguments, AnchorArguments, LoadedSigner, now};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::terminal;

/// The start of the period of something that is being made.
#[derive(Args, Debug)]
pub(crate) struct StartArguments {
    /// Start of its validity (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME")]
    not_before: Option<Timestamp>,
}

impl StartArguments {
    /// From the start for so long.
    pub(crate) fn period(&self, length: Duration) -> Result<Period, Fault> {
        let start = self.not_before.unwrap_or_else(now);
        Period::new(start, start.saturating_add(length.signed_seconds()))
            .ok_or_else(|| Fault::failure("the end of the period is out of range"))
    }
}

/// The moment at which what something is built on must hold.
#[derive(Args, Debug)]
struct FoundationArguments {
    /// The time at which the chain and the certificates must be valid. The default is now, or the start of the new
    /// token or certificate if that is in the future.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl FoundationArguments {
    /// The moment at which to verify what something for `made` is built on.
    fn moment(&self, made: Period) -> Period {
        let now = now();
        let usual = if made.contains(now) {
            now
        } else {
            made.start()
        };
        Period::at(self.at.unwrap_or(usual))
    }
}

/// The usual lifetime of things of a kind that are made.
pub(crate) trait Lifetime {
    const HELP: &'static str;
    const DEFAULT: &'static str;
}

/// The period of something that is being made, and what it is built on.
#[derive(Args, Debug)]
pub(crate) struct MakingArguments<L: Lifetime> {
    #[arg(long, value_name = "DURATION", default_value = L::DEFAULT, help = L::HELP)]
    valid_for: Duration,

    #[command(flatten)]
    start: StartArguments,

    #[command(flatten)]
    foundation: FoundationArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    algorithms: AlgorithmArguments,

    #[arg(skip)]
    kind: PhantomData<L>,
}

impl<L: Lifetime> MakingArguments<L> {
    pub(crate) fn valid_for(&self) -> Duration {
        self.valid_for
    }

    /// The period for which it is made.
    pub(crate) fn period(&self) -> Result<Period, Fault> {
        self.start.period(self.valid_for)
    }

    /// The moment at which to verify what something for `made` is built on.
    pub(crate) fn moment(&self, made: Period) -> Period {
        self.foundation.moment(made)
    }

    pub(crate) fn anchors(&self) -> Result<TrustAnchors, Fault> {
        self.anchors.load()
    }

    pub(crate) fn policy(&self) -> Policy {
        self.algorithms.policy()
    }

    /// Verifies what `signer` would put around a signature for `made`, and warns if that ends earlier. Gives the name
    /// that the signature will speak in.
    pub(crate) fn verify(
        &self,
        signer: &LoadedSigner,
        anchors: &TrustAnchors,
        made: Period,
        service: ServiceOid,
    ) -> Result<MemberId, Fault> {
        let moment = self.moment(made);
        let (id, rest) = signer.verify(anchors, moment, service, self.policy())?;
        warn_of_an_early_end(made, rest);
        Ok(id)
    }
}

/// The parts around what was made end before it does.
pub(crate) fn warn_of_an_early_end(made: Period, rest: Period) {
    if rest.end() < made.end() {
        terminal::warn(format_args!(
            "it is valid until {} by its own dates, but its DNSSEC chain and certificates expire at {}",
            made.end(),
            rest.end()
        ));
    }
}
