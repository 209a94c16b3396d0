//! Aliases on the way to the organisation's records.

use dnssec::{MAX_ALIASES, Name, RecordType};

use crate::doctor::survey::{Entry, Reply};

/// The aliases in an answer, followed to their end.
pub(super) struct AliasPath {
    /// The name at the end; the owner itself if it is no alias.
    pub(super) end: Name,
    pub(super) is_alias: bool,
    /// The type of record that says so.
    pub(super) by: &'static str,
}

impl AliasPath {
    pub(super) fn of(reply: &Reply, owner: &Name) -> Self {
        let mut end = owner.clone();
        let mut aliases = 0;
        while aliases < MAX_ALIASES {
            let target = reply
                .rrset(&end, RecordType::CNAME)
                .find_map(|rdata| Name::from_wire(rdata).ok());
            let Some(target) = target else {
                break;
            };
            end = target;
            aliases += 1;
        }
        let is_redirection = |entry: &Entry| entry.record_type == RecordType::DNAME;
        let by = if reply.answers.iter().any(is_redirection) {
            "DNAME"
        } else {
            "CNAME"
        };
        Self {
            end,
            is_alias: aliases > 0,
            by,
        }
    }
}
