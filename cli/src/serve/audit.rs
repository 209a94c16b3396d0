//! The record of decisions: one line for each, with nothing in it that is secret, and nothing that a client could use to
//! write lines of its own.

use std::time::Duration;

use super::{Outcome, Tier};

/// What was decided on one request, and on what grounds.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    /// The bounded name of the endpoint, as in the metrics.
    pub(crate) endpoint: &'static str,
    pub(crate) outcome: Outcome,
    /// A stable reason code; `ok` for what was allowed with a token, `public` for what takes none.
    pub(crate) reason: &'static str,
    /// What went wrong, for the operator alone.
    pub(crate) message: Option<&'a str>,
    /// Whose token it is, once that is verified.
    pub(crate) subject: Option<&'a str>,
    /// Whom the token had to be for.
    pub(crate) audience: Option<&'a str>,
    /// The host that the request was for, as the client or the proxy has it.
    pub(crate) host: Option<&'a str>,
    /// The path that the request was for, as the client or the proxy has it, without its query.
    pub(crate) path: Option<&'a str>,
    /// The rule that applied, as host and path of the configuration.
    pub(crate) rule: Option<&'a str>,
    pub(crate) tier: Tier,
    pub(crate) elapsed: Duration,
}

/// Writes decisions down. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audit {}

impl Audit {
    pub(crate) fn decision(&self, _decision: &Decision<'_>) {}
}
