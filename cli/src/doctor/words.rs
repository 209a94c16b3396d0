//! Names for people: whose job something is, and what zones and keys are called in plain text.

use dnssec::{Algorithm, Dnskey, Name, RecordType};

/// A name as people write it, without the final dot.
pub(super) fn plain(name: &Name) -> String {
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some("") | None => "the DNS root".to_owned(),
        Some(plain) => plain.to_owned(),
    }
}

/// A zone as seen from the domain: who can change something about it depends on whether the domain is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenZone<'n> {
    pub(crate) name: &'n Name,
    /// The zone that holds the domain, if the way led as far.
    pub(crate) own: Option<&'n Name>,
}

impl SeenZone<'_> {
    pub(crate) fn is_own(self) -> bool {
        self.own == Some(self.name)
    }

    pub(crate) fn plain(self) -> String {
        plain(self.name)
    }

    pub(crate) fn keeper(self) -> String {
        keeper(self.name, self.own)
    }

    /// The same at the start of a sentence.
    pub(crate) fn keeper_first(self) -> String {
        keeper_first(self.name, self.own)
    }
}

/// The people who run a zone's DNS, as seen from somebody whose domain is in the zone `own`.
fn keeper(zone: &Name, own: Option<&Name>) -> String {
    if Some(zone) == own {
        return format!("the DNS host of {}", plain(zone));
    }
    match zone.label_count() {
        0 => "the operator of the DNS root".to_owned(),
        1 => format!("the registry of .{}", plain(zone)),
        _ => format!("the operator of the zone {}", plain(zone)),
    }
}

fn keeper_first(zone: &Name, own: Option<&Name>) -> String {
    capitalised(&keeper(zone, own))
}

/// A text as the start of a sentence.
pub(super) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// A key by what sets it apart in every tool: tag and algorithm.
pub(super) fn key_name(key: &Dnskey<'_>) -> String {
    format!("{} ({})", key.key_tag(), algorithm_name(key.algorithm))
}

/// Mnemonic and number, since some forms ask for the one and some for the other.
pub(super) fn algorithm_name(algorithm: Algorithm) -> String {
    match algorithm.mnemonic() {
        Some(mnemonic) => format!("{mnemonic}, number {}", algorithm.0),
        None => format!("algorithm number {}", algorithm.0),
    }
}

/// The DS record that commits to a key, as a line for a zone file or a registrar's form.
pub(super) fn ds_line(zone: &Name, key: &Dnskey<'_>) -> String {
    /// SHA-256 (RFC 4509).
    const SHA_256: u8 = 2;
    let mut rdata = key.key_tag().to_be_bytes().to_vec();
    rdata.extend([key.algorithm.0, SHA_256]);
    rdata.extend(key.sha256_digest(zone));
    let rdata = dnssec::rdata_to_text(RecordType::DS, &rdata);
    format!("{zone} IN DS {rdata}")
}

/// The key itself, as a line for a zone file: for registrars that make the DS record from it.
pub(super) fn dnskey_line(zone: &Name, key: &Dnskey<'_>) -> String {
    let rdata = dnssec::rdata_to_text(RecordType::DNSKEY, key.rdata());
    format!("{zone} IN DNSKEY {rdata}")
}

/// `1 record`, `2 records`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// As much of a text as it takes to recognise it.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 100;
    let start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() {
        format!("{start}…")
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_whose_job_a_zone_is() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let own = name("example.com.");
        assert_eq!(keeper(&own, Some(&own)), "the DNS host of example.com");
        assert_eq!(keeper(&name("com."), Some(&own)), "the registry of .com");
        assert_eq!(
            keeper_first(&name("co.uk."), Some(&own)),
            "The operator of the zone co.uk"
        );
    }

    #[test]
    fn counts_and_lists_as_people_do() {
        let items = ["a", "b", "c"].map(ToOwned::to_owned);
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..2]), "a and b");
        assert_eq!(count(1, "key", "keys"), "1 key");
        assert_eq!(count(0, "key", "keys"), "0 keys");
    }
}
