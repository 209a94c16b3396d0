//! The record of decisions: one line for each, with nothing in it that is secret, and nothing that a client could use to
//! write lines of its own or to deceive their reader. Text from outside is cut where it is long, and written
//! as a quoted string in which [deceptive](is_deceptive) characters are escaped.

use std::borrow::Cow;
use std::time::Duration;

use tracing::info;

use super::{CacheUse, Outcome};
use crate::terminal::{Printable, is_deceptive};

/// The target that marks such lines, so that they can be told from others, and kept when others are not.
pub(crate) const TARGET: &str = "kliento::audit";

/// Octets of a text from outside that are written; a request's head can have hundreds of times as many.
const MAX_TEXT: usize = 512;

/// Facts that a proxy tells of a request for the record alone, so that a line can be matched with its own log. Nothing
/// is decided by it: it is as trustworthy as the configuration of the proxy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace<'a> {
    pub(crate) method: Option<&'a str>,
    /// The address of the client.
    pub(crate) client: Option<&'a str>,
    /// The proxy's name for the request.
    pub(crate) request_id: Option<&'a str>,
}

/// The decision on one request, and its grounds.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    /// The bounded name of the endpoint, as in the metrics.
    pub(crate) endpoint: &'static str,
    pub(crate) outcome: Outcome,
    /// A stable reason code; `ok` for what was allowed with a token, `public` or
    /// `preflight` for what takes none.
    pub(crate) reason: &'static str,
    /// The fault in words, for the operator alone.
    pub(crate) message: Option<&'a str>,
    /// The subject of the token once it is verified, also where it is refused then.
    pub(crate) subject: Option<&'a str>,
    /// The audience that the token had to be for.
    pub(crate) audience: Option<&'a str>,
    pub(crate) trace: Trace<'a>,
    /// The host that the request was for, as the client or the proxy has it.
    pub(crate) host: Option<&'a str>,
    /// The path that the request was for, as the client or the proxy has it, without its query.
    pub(crate) path: Option<&'a str>,
    /// The rule that applied, as host and path of the configuration.
    pub(crate) rule: Option<&'a str>,
    pub(crate) cache: CacheUse,
    pub(crate) elapsed: Duration,
}

impl Decision<'_> {
    /// Writes the decision to the record.
    pub(crate) fn write(&self) {
        info!(
            target: TARGET,
            endpoint = self.endpoint,
            decision = self.outcome.name(),
            reason = self.reason,
            subject = written(self.subject).as_deref(),
            audience = written(self.audience).as_deref(),
            method = written(self.trace.method).as_deref(),
            host = written(self.host).as_deref(),
            path = written(self.path).as_deref(),
            rule = written(self.rule).as_deref(),
            client = written(self.trace.client).as_deref(),
            request_id = written(self.trace.request_id).as_deref(),
            cache = self.cache.name(),
            microseconds = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX),
            error = written(self.message).as_deref(),
            "decision"
        );
    }
}

/// Text from outside as it is written: its start, with deceptive characters escaped.
fn written(text: Option<&str>) -> Option<Cow<'_, str>> {
    let text = bounded(text?);
    if text.chars().any(is_deceptive) {
        return Some(Printable(text).to_string().into());
    }
    Some(text.into())
}

/// The start of it, in whole characters.
fn bounded(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let start = (0..=MAX_TEXT).rev().find_map(|end| text.get(..end));
    start.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_in_whole_characters() {
        assert_eq!(bounded("short"), "short");
        let long = "é".repeat(MAX_TEXT);
        assert_eq!(bounded(&long).len(), MAX_TEXT);
        let odd = format!("a{long}");
        assert_eq!(bounded(&odd).len(), MAX_TEXT - 1);
    }
}
