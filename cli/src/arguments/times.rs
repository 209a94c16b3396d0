//! The time for which to verify.

use std::time::SystemTime;

use clap::Args;
use kliento::veraid::{Period, Timestamp};

use crate::fault::Fault;

/// The time for which to verify.
#[derive(Args, Debug)]
pub(crate) struct MomentArguments {
    /// Verify at this time instead of now (RFC 3339, such as 2026-11-21T12:00:00Z).
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl MomentArguments {
    pub(crate) fn get(&self) -> Timestamp {
        self.at.unwrap_or_else(now)
    }
}

/// The moment or the period for which to verify.
#[derive(Args, Debug)]
pub(crate) struct PeriodArguments {
    #[command(flatten)]
    moment: MomentArguments,

    /// Start of a period: verify that it is valid at some second of this period; goes with --until.
    #[arg(long, value_name = "TIME", conflicts_with = "at", requires = "until")]
    from: Option<Timestamp>,

    /// End of the period; goes with --from.
    #[arg(long, value_name = "TIME", conflicts_with = "at", requires = "from")]
    until: Option<Timestamp>,
}

impl PeriodArguments {
    pub(crate) fn get(&self) -> Result<Period, Fault> {
        match (self.from, self.until) {
            (Some(from), Some(until)) => Period::new(from, until)
                .ok_or_else(|| Fault::failure(format!("--until {until} is before --from {from}"))),
            _ => Ok(Period::at(self.moment.get())),
        }
    }

    /// Tells whether a period was given, and not a moment.
    pub(crate) fn is_a_span(&self) -> bool {
        self.from.is_some()
    }
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
