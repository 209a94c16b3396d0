//! The record to publish, and how to come by it.

use kliento::veraid::{PublicKey, TtlOverride, TxtRecord};

use crate::doctor::Examiner;
use crate::doctor::findings::records::{Publishable, Publishing};
use crate::doctor::words::plain;

/// The TTL override of records that are suggested: an hour.
const TTL_OVERRIDE_SECONDS: u32 = 3_600;

impl Examiner<'_> {
    /// The record to publish, and the way to come by it.
    pub(super) fn publishing(&self) -> Publishing {
        let subject = self.subject;
        let record = match &subject.key {
            None => Publishable::ByCommand {
                domain: subject.domain.clone(),
                dialect: subject.dialect,
            },
            Some(key) => self.record_line(key).map_or_else(
                || Publishable::Impossible(key.algorithm()),
                Publishable::Line,
            ),
        };
        Publishing {
            relative_name: self.relative_name(),
            record,
        }
    }

    /// The line to publish for a key.
    fn record_line(&self, key: &PublicKey) -> Option<String> {
        let subject = self.subject;
        let ttl_override = TtlOverride::from_seconds(TTL_OVERRIDE_SECONDS)?;
        let service = Some(subject.service);
        let record = TxtRecord::new(key, subject.dialect, ttl_override, service).ok()?;
        record.to_zone_line(&subject.domain).ok()
    }

    /// The name of the record as most hosts' forms want it: relative to the zone.
    fn relative_name(&self) -> String {
        let full = plain(&self.survey.owner);
        let relative = self.own().and_then(|own| {
            let suffix = format!(".{}", plain(own));
            full.strip_suffix(&suffix).map(ToOwned::to_owned)
        });
        relative.unwrap_or(full)
    }
}
