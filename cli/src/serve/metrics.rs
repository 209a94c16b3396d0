//! What there is to measure, as Prometheus reads it. Labels come from sets that no client can make larger.

use std::time::Duration;

use super::{Outcome, Tier};

/// The counters of the process.
#[derive(Debug, Default)]
pub(crate) struct Metrics {}

impl Metrics {
    /// A request was decided upon: `reason` is one of a fixed set.
    pub(crate) fn verification(
        &self,
        _endpoint: &'static str,
        _result: Outcome,
        _reason: &'static str,
        _tier: Tier,
        _elapsed: Duration,
    ) {
    }
}
