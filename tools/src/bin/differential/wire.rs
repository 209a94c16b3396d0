//! Names in RDATA.

use kliento_fixtures::Name;

/// The uncompressed name at the start of the octets, and what comes after it; `None` if there is none (RFC 1035 §3.1).
pub(crate) fn split_name(octets: &[u8]) -> Option<(Name, &[u8])> {
    /// RFC 1035 §2.3.4.
    const MAX_LABEL_OCTETS: u8 = 63;
    const MAX_NAME_OCTETS: usize = 255;
    let mut labels = Vec::new();
    let mut rest = octets;
    loop {
        let (&length, after) = rest.split_first()?;
        if length > MAX_LABEL_OCTETS || octets.len() - after.len() > MAX_NAME_OCTETS {
            return None;
        }
        if length == 0 {
            return Some((Name::from_labels(labels), after));
        }
        let (label, after) = after.split_at_checked(usize::from(length))?;
        labels.push(label);
        rest = after;
    }
}

/// The name that the octets are, if they are one.
pub(crate) fn name_in(octets: &[u8]) -> Option<Name> {
    let (name, rest) = split_name(octets)?;
    rest.is_empty().then_some(name)
}
