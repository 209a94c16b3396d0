//! Findings about the organisation's TXT records.

use dnssec::Name;
use kliento::veraid::{Dialect, KeyAlgorithm, KeyId, Organisation, ServiceOid, TxtRecord};

use super::record_text::Explanation;
use crate::arguments::service_name;
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::words::{count, list, plain, shortened};
use crate::duration::Duration;

/// The way to publish the record that should be there: the end of most advice here.
pub(crate) struct Publishing {
    /// The name of the record as most hosts' forms want it: relative to the zone.
    pub(crate) relative_name: String,
    pub(crate) record: Publishable,
}

/// The record to publish.
pub(crate) enum Publishable {
    /// The record of the key at hand, as a line of a zone file.
    Line(String),
    /// There can be none for such keys.
    Impossible(KeyAlgorithm),
    /// No key is at hand: a command prints it.
    ByCommand {
        domain: Organisation,
        dialect: Dialect,
    },
}

impl Publishing {
    fn advice(&self) -> String {
        let where_to = format!(
            "In the host's form, choose the type TXT, the name {}, and as the value the text between the quotes.",
            self.relative_name
        );
        match &self.record {
            Publishable::Line(_) => format!("Publish this line at the DNS host. {where_to}"),
            Publishable::Impossible(algorithm) => format!(
                "VeraId has no records for {algorithm} keys. Use an RSA key of 2048, 3072 or 4096 bits, or DomainAuth, \
                 whose record `kliento organisation record --dialect domainauth` prints."
            ),
            Publishable::ByCommand { domain, dialect } => format!(
                "Publish what `kliento organisation record --domain {domain} --key org.key.pem{}` prints at the DNS \
                 host. {where_to}",
                dialect_option(*dialect)
            ),
        }
    }

    fn line(&self) -> Option<String> {
        match &self.record {
            Publishable::Line(line) => Some(line.clone()),
            Publishable::Impossible(_) | Publishable::ByCommand { .. } => None,
        }
    }
}

/// The option that tells commands of a dialect other than the usual one.
pub(crate) fn dialect_option(dialect: Dialect) -> String {
    match dialect {
        Dialect::VeraId => String::new(),
        other => format!(" --dialect {other}"),
    }
}

/// A record in words.
fn described(record: &TxtRecord) -> String {
    let service = record
        .service()
        .map_or_else(|| "any service".to_owned(), service_name);
    format!(
        "{} key {}, TTL override {}, for {service}",
        record.key_algorithm(),
        record.key_id(),
        Duration::from_seconds(record.ttl_override().seconds().into()),
    )
}

fn described_all(records: &[TxtRecord]) -> String {
    let described: Vec<String> = records.iter().map(described).collect();
    described.join("; ")
}

fn texts(records: &[TxtRecord]) -> Vec<String> {
    records.iter().map(ToString::to_string).collect()
}

/// The question for the records failed, with this response.
pub(crate) fn lookup_failed(owner: &Name, response: &str) -> Finding {
    Finding::problem(
        "records.lookup_failed",
        format!(
            "The domain exists, but the query for its record at {} failed ({response}).",
            plain(owner)
        ),
    )
    .advise(
        "Some name servers and firewalls stumble over names that start with an underscore, or over answers that take \
         TCP. Have the DNS host look at it; or ask another resolver, with --resolver https://1.1.1.1/dns-query for \
         example.",
    )
    .with("name", owner.to_string())
}

/// The record's name is an alias, by a CNAME or a DNAME.
pub(crate) fn alias(owner: &Name, target: &Name, by: &'static str) -> Finding {
    Finding::warning(
        "records.alias",
        format!(
            "{} is an alias ({by}): the record is looked for at {}. kliento follows it; VeraId's reference library, \
             which others may use to verify, does not.",
            plain(owner),
            plain(target)
        ),
    )
    .advise(format!(
        "If those who will verify use that library, publish the TXT record at {} itself, in place of the alias.",
        plain(owner)
    ))
    .with("name", owner.to_string())
    .with("target", target.to_string())
    .with("by", by)
}

pub(crate) fn alias_to_nothing(owner: &Name, target: &Name, publishing: &Publishing) -> Finding {
    Finding::problem(
        "records.alias_to_nothing",
        format!(
            "{} is an alias of {}, and there is no TXT record there.",
            plain(owner),
            plain(target)
        ),
    )
    .advise(publishing.advice())
    .publish(publishing.line())
    .with("name", owner.to_string())
    .with("target", target.to_string())
}

/// There is no record. `missing` is the name above it that does not exist either.
pub(crate) fn absent(
    owner: &Name,
    missing: Option<&Name>,
    is_proven: bool,
    publishing: &Publishing,
) -> Finding {
    let missing = missing.map_or_else(String::new, |name| {
        format!(
            " (There is nothing else at {} either. If that is a domain to be registered, do so first.)",
            plain(name)
        )
    });
    Finding::problem(
        "records.absent",
        format!(
            "There is no TXT record at {}, where the organisation's key should be.",
            plain(owner)
        ),
    )
    .advise(format!(
        "{} If you have just done so, wait an hour: resolvers remember that there was none.{missing}",
        publishing.advice()
    ))
    .publish(publishing.line())
    .with("name", owner.to_string())
    .with("proven", is_proven)
}

/// The record is at another name than it should be.
pub(crate) fn misplaced(found: &Name, owner: &Name, publishing: &Publishing) -> Finding {
    Finding::problem(
        "records.misplaced",
        format!(
            "The record is at {}; it should be at {}.",
            plain(found),
            plain(owner)
        ),
    )
    .advise(format!(
        "Move it. Most forms add the name of the zone by themselves, so type {} and nothing after it; in a zone file, \
         a name written in full ends with a dot.",
        publishing.relative_name
    ))
    .with("found", found.to_string())
    .with("name", owner.to_string())
}

pub(crate) fn wildcard(owner: &Name) -> Finding {
    Finding::warning(
        "records.wildcard",
        format!(
            "There is no record at {} itself: a wildcard (a record whose name starts with *) answers for it. kliento \
             verifies that; VeraId's reference library, which others may use to verify, does not. It also makes every \
             domain that the wildcard covers an organisation with that key.",
            plain(owner)
        ),
    )
    .advise("Publish the record at that very name.")
    .with("name", owner.to_string())
}

/// The answer is larger than the `most` octets that UDP carries.
pub(crate) fn large_answer(octets: usize, most: usize) -> Finding {
    Finding::note(
        "records.large_answer",
        format!(
            "The answer with the TXT records has {octets} bytes, more than the {most} that DNS carries in one packet. \
             It comes all the same, by TCP, which a few firewalls block."
        ),
    )
    .advise("Withdraw the records of keys that are no longer in use.")
    .with("octets", octets)
}

/// A record that is as it should be: good where DNSSEC proves it, and no more than a note where it doesn't.
fn sound(id: &'static str, message: String, is_proven: bool) -> Finding {
    if is_proven {
        return Finding::good(id, message);
    }
    Finding::note(
        id,
        format!("{message} It can't be relied on until DNSSEC works."),
    )
}

pub(crate) fn matches(owner: &Name, record: &TxtRecord, is_proven: bool) -> Finding {
    let message = format!(
        "{} has a record for your key: {}.",
        plain(owner),
        described(record)
    );
    sound("records.matches", message, is_proven).with("record", record.to_string())
}

/// Records that count, when there is no key to compare them with.
pub(crate) fn found(owner: &Name, records: &[TxtRecord], is_proven: bool) -> Finding {
    let message = format!(
        "{} has {}: {}. (Give --key to compare it with your key.)",
        plain(owner),
        count(records.len(), "record", "records"),
        described_all(records)
    );
    sound("records.found", message, is_proven).with("records", texts(records))
}

/// All records are for other services than the one asked about.
pub(crate) fn other_service(
    owner: &Name,
    records: &[TxtRecord],
    service: ServiceOid,
    publishing: &Publishing,
) -> Finding {
    let mut services: Vec<String> = records
        .iter()
        .filter_map(|record| record.service().map(service_name))
        .collect();
    services.sort();
    services.dedup();
    Finding::problem(
        "records.other_service",
        format!(
            "The record at {} allows the key for {} alone, and not for {}.",
            plain(owner),
            list(&services),
            service_name(service)
        ),
    )
    .advise(format!(
        "If the key is meant for that service as well, add a record for it. {} To check for another service, give \
         --service.",
        publishing.advice()
    ))
    .publish(publishing.line())
    .with("services", services)
}

/// Two records are for the same key and the same service.
pub(crate) fn ambiguous(owner: &Name) -> Finding {
    Finding::problem(
        "records.ambiguous",
        format!(
            "At {} there are two records for the same key and the same service. A verifier can't tell which one \
             counts, so none does.",
            plain(owner)
        ),
    )
    .advise("Remove one of the two. To change the TTL override, change the record rather than adding another.")
    .with("name", owner.to_string())
}

/// A record has the key's id behind another algorithm's number than `number`.
pub(crate) fn other_algorithm(
    owner: &Name,
    text: String,
    algorithm: KeyAlgorithm,
    number: &str,
    publishing: &Publishing,
) -> Finding {
    let finding = Finding::problem(
        "records.other_algorithm",
        format!(
            "The record at {} has your key's id, but under another algorithm: yours is an {algorithm} key, and its \
             records start with {number}.",
            plain(owner),
        ),
    )
    .with("record", text);
    to_be_published(finding, publishing)
}

/// No record is about the key.
pub(crate) fn no_match(
    owner: &Name,
    records: &[TxtRecord],
    algorithm: KeyAlgorithm,
    key_id: &KeyId,
    publishing: &Publishing,
) -> Finding {
    let finding = Finding::problem(
        "records.no_match",
        format!(
            "None of the records at {} is about your key ({algorithm} {key_id}).",
            plain(owner),
        ),
    )
    .with("records", texts(records));
    to_be_published(finding, publishing)
}

fn to_be_published(finding: Finding, publishing: &Publishing) -> Finding {
    finding
        .advise(format!(
            "{} If you made the key anew, add its record beside the old one until nothing signed with the old key is \
             in use.",
            publishing.advice()
        ))
        .publish(publishing.line())
}

/// The key's own record, changed on its way into the DNS; it matters little where another one matches.
pub(crate) fn altered(
    text: String,
    changes: Vec<String>,
    has_match: bool,
    publishing: &Publishing,
) -> Finding {
    let message = format!(
        "The TXT record \"{}\" is the record of your key, but it was changed. On its way {}.",
        shortened(&text),
        list(&changes)
    );
    let finding = if has_match {
        Finding::warning("records.altered", message)
            .advise("A sound record of the key stands beside it: remove this one.")
    } else {
        Finding::problem("records.altered", message)
            .advise(format!("Replace it. {}", publishing.advice()))
            .publish(publishing.line())
    };
    finding.with("record", text).with("changes", changes)
}

/// A record that can't be read, for the reason that `explanation` gives.
pub(crate) fn unreadable(
    text: String,
    explanation: Explanation,
    severity: Severity,
    publishing: Option<&Publishing>,
) -> Finding {
    let Explanation { id, what, advice } = explanation;
    let finding = Finding::new(
        id,
        severity,
        format!("The TXT record \"{}\" {what}", shortened(&text)),
    );
    let finding = match publishing {
        None => finding.advise(advice),
        Some(publishing) => finding
            .advise(format!("{advice} {}", publishing.advice()))
            .publish(publishing.line()),
    };
    finding.with("record", text)
}

/// Records that VeraId's reference library can't read make it give up on those that it can.
pub(crate) fn reference_refuses(owner: &Name, unread: Vec<String>) -> Finding {
    Finding::warning(
        "records.reference_refuses",
        format!(
            "VeraId's reference library, which others may use to verify, reads all the records at {} or none. It \
             can't read {} of them, so it refuses the others as well.",
            plain(owner),
            unread.len()
        ),
    )
    .advise("Keep nothing at this name but records as `kliento organisation record` prints them.")
    .with("records", unread)
}

const EXPERIMENTAL: &str =
    "Verifiers take experimental keys only if they were told to, with --allow-algorithm.";

/// A record that counts is for an experimental key.
pub(crate) fn experimental() -> Finding {
    Finding::note("records.experimental", EXPERIMENTAL)
}

/// There are no records of DomainAuth beside VeraId's.
pub(crate) fn domainauth_absent(owner: &Name) -> Finding {
    Finding::note(
        "records.domainauth_absent",
        format!(
            "There is no record at {}. None is needed for VeraId: it is for DomainAuth, VeraId's successor, and \
             `kliento organisation record --dialect domainauth` prints it.",
            plain(owner)
        ),
    )
    .with("name", owner.to_string())
}

/// Those that stand beside VeraId's are about other keys.
pub(crate) fn domainauth_no_match(owner: &Name, texts: Vec<String>) -> Finding {
    Finding::warning(
        "records.domainauth_no_match",
        format!(
            "None of DomainAuth's records at {} is about your key.",
            plain(owner)
        ),
    )
    .advise(
        "If the key is meant for DomainAuth as well, publish what `kliento organisation record --dialect domainauth` \
         prints beside them.",
    )
    .with("records", texts)
}

/// There are some beside VeraId's. `texts` are all that stand there, `records` those that read.
pub(crate) fn domainauth_present(
    owner: &Name,
    records: &[TxtRecord],
    texts: Vec<String>,
) -> Finding {
    let is_experimental = |record: &TxtRecord| record.key_algorithm().is_experimental();
    let caution = if records.iter().any(is_experimental) {
        EXPERIMENTAL
    } else {
        ""
    };
    Finding::note(
        "records.domainauth_present",
        format!(
            "{} has {} for DomainAuth, VeraId's successor: {}. {caution}",
            plain(owner),
            count(records.len(), "record", "records"),
            described_all(records)
        )
        .trim_end(),
    )
    .with("records", texts)
}

/// A record that is none of DomainAuth's, for the reason `why`.
pub(crate) fn domainauth_unreadable(
    owner: &Name,
    text: &str,
    why: &str,
    severity: Severity,
) -> Finding {
    Finding::new(
        "records.domainauth_unreadable",
        severity,
        format!(
            "The record \"{}\" at {} is no DomainAuth record: {why}.",
            shortened(text),
            plain(owner)
        ),
    )
    .advise(
        "Its form is: 0, the algorithm, the digest type, the key id, the TTL override and perhaps a service. If it was \
         meant for VeraId, it belongs at _veraid.",
    )
    .with("record", text.to_owned())
}
