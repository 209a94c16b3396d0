//! The organisation's records: whether they are where they should be, can be read, and are about the key.

mod altered;
mod domain_auth;
mod explanation;
mod reading;

use dnssec::{Name, RecordType};
use kliento::veraid::{Dialect, DigestType, KeyAlgorithm, PublicKey, TtlOverride, TxtRecord};

use self::altered::{Alteration, alterations};
use self::explanation::{Explanation, about_oddity, about_trouble, shortened};
use self::reading::{Reading, Trouble};
use super::Subject;
use super::finding::{Finding, Severity};
use super::survey::{Elsewhere, Lookup, Reply, Survey, response_code_name};
use super::words::{count, list, plain};
use crate::arguments::service_name;
use crate::duration::Duration;
use crate::fault::with_causes;

/// Aliases in a row that are followed (as many as a verifier follows).
const MAX_ALIASES: usize = 8;
/// The TTL override of records that are suggested: an hour.
const TTL_OVERRIDE_SECONDS: u32 = 3_600;
/// What travels over UDP without fragments (DNS flag day 2020); larger answers take TCP.
const UDP_OCTETS: usize = 1_232;
const DIGEST_TYPES: [DigestType; 3] = [DigestType::Sha256, DigestType::Sha384, DigestType::Sha512];

/// What the records came to.
#[derive(Default)]
pub(super) struct Examination {
    pub(super) findings: Vec<Finding>,
    /// The TTL overrides of the records that count.
    pub(super) overrides: Vec<TtlOverride>,
    /// The kind of key that they are for.
    pub(super) key_algorithm: Option<KeyAlgorithm>,
}

/// A TXT record as it is published.
struct Published {
    strings: Vec<Vec<u8>>,
}

impl Published {
    /// Takes RDATA apart into its character strings (RFC 1035 §3.3.14).
    fn new(rdata: &[u8]) -> Self {
        let mut strings = Vec::new();
        let mut rest = rdata;
        while let Some((&length, after)) = rest.split_first() {
            let (string, next) = after
                .split_at_checked(usize::from(length))
                .unwrap_or((after, &[]));
            strings.push(string.to_vec());
            rest = next;
        }
        Self { strings }
    }

    fn strings(&self) -> Vec<&[u8]> {
        self.strings.iter().map(Vec::as_slice).collect()
    }

    fn record(&self, dialect: Dialect) -> Option<TxtRecord> {
        TxtRecord::parse(&self.strings.concat(), dialect)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.strings.concat()).into_owned()
    }

    /// Whether somebody meant it as a record of that dialect, well made or not.
    fn is_meant_for(&self, dialect: Dialect) -> bool {
        match (dialect, self.reading()) {
            (Dialect::DomainAuth, reading) => {
                matches!(reading, Reading::Trouble(Trouble::DomainAuth))
            }
            (_, reading) => reading.is_an_attempt(),
        }
    }

    fn reading(&self) -> Reading {
        Reading::of(&self.strings())
    }
}

pub(super) fn examine(survey: &Survey, subject: &Subject) -> Examination {
    let mut examination = Examination::default();
    let Some(lookup) = &survey.records else {
        return examination;
    };
    let reply = match lookup {
        Ok(reply) if reply.is_answer() => reply,
        failure => {
            examination.findings.push(lookup_failed(survey, failure));
            return examination;
        }
    };
    let place = follow_aliases(reply, &survey.owner);
    let wildcard = from_wildcard(reply, &place.end);
    let mut published: Vec<Published> = reply
        .rrset(&place.end, RecordType::TXT)
        .map(Published::new)
        .collect();
    let is_meant = |published: &Published| published.is_meant_for(subject.dialect);
    if wildcard.is_some() && !published.iter().any(is_meant) {
        // Such as one that says of every name that it sends no mail.
        published.clear();
    }
    let findings = &mut examination.findings;
    let is_veraid = subject.dialect == Dialect::VeraId;
    findings.extend(place.finding(survey).filter(|_| is_veraid));
    if published.is_empty() {
        findings.extend(nowhere(survey, subject, &place));
    } else {
        findings.extend(wildcard);
        if is_veraid {
            examine_records(&published, survey, subject, &mut examination);
        } else {
            domain_auth::examine_records(&published, survey, subject, &mut examination);
        }
        examination.findings.extend(large_answer(reply));
    }
    examination
        .findings
        .extend(domain_auth::examine_beside(survey, subject));
    examination
}

fn lookup_failed(survey: &Survey, lookup: &Lookup) -> Finding {
    let what = match lookup {
        Ok(reply) => {
            let code = response_code_name(reply.response_code);
            match reply.extended_error() {
                Some(text) => format!("{code}, {text}"),
                None => code,
            }
        }
        Err(error) => with_causes(error),
    };
    Finding::problem(
        "records.lookup_failed",
        format!(
            "The domain is there, but the question for its record at {} gets no answer ({what}).",
            plain(&survey.owner)
        ),
    )
    .advise(
        "Some name servers and firewalls stumble over names that start with an underscore, or over answers that take \
         TCP. Have the DNS host look at it; or ask another resolver, with --resolver https://1.1.1.1/dns-query for \
         example.",
    )
    .with("name", survey.owner.to_string())
}

/// Where the question led.
struct Place {
    end: Name,
    aliases: Vec<Name>,
    is_redirected: bool,
}

fn follow_aliases(reply: &Reply, owner: &Name) -> Place {
    let mut place = Place {
        end: owner.clone(),
        aliases: Vec::new(),
        is_redirected: false,
    };
    while place.aliases.len() < MAX_ALIASES {
        let target = reply
            .rrset(&place.end, RecordType::CNAME)
            .find_map(|rdata| Name::from_wire(rdata).ok());
        let Some(target) = target else {
            break;
        };
        place.aliases.push(target.clone());
        place.end = target;
    }
    place.is_redirected = reply
        .answers
        .iter()
        .any(|entry| entry.record_type == RecordType::DNAME);
    place
}

impl Place {
    fn finding(&self, survey: &Survey) -> Option<Finding> {
        if self.aliases.is_empty() {
            return None;
        }
        let how = if self.is_redirected { "DNAME" } else { "CNAME" };
        Some(
            Finding::warning(
                "records.alias",
                format!(
                    "{} is an alias ({how}): the record is looked for at {}. kliento follows it; VeraId's reference \
                     library, which others may use to verify, does not.",
                    plain(&survey.owner),
                    plain(&self.end)
                ),
            )
            .advise(format!(
                "If those who will verify use that library, publish the TXT record at {} itself, in place of the \
                 alias.",
                plain(&survey.owner)
            ))
            .with("name", survey.owner.to_string())
            .with("target", self.end.to_string())
            .with("by", how),
        )
    }
}

/// What to type into the box for the name of a record, as most hosts' forms have it.
fn relative_name(survey: &Survey) -> String {
    let full = plain(&survey.owner);
    let zone = survey.own_zone().map(|zone| plain(&zone.name));
    zone.and_then(|zone| {
        full.strip_suffix(&format!(".{zone}"))
            .map(ToOwned::to_owned)
    })
    .unwrap_or(full)
}

/// The line to publish for the key at hand.
fn record_line(subject: &Subject) -> Option<String> {
    let ttl_override = TtlOverride::from_seconds(TTL_OVERRIDE_SECONDS)?;
    let key = subject.key.as_ref()?;
    let record = TxtRecord::new(key, subject.dialect, ttl_override, Some(subject.service)).ok()?;
    record.to_zone_line(&subject.domain).ok()
}

/// What commands are told of a dialect that is not the usual one.
pub(crate) fn dialect_option(dialect: Dialect) -> String {
    match dialect {
        Dialect::VeraId => String::new(),
        other => format!(" --dialect {other}"),
    }
}

/// How to come by the line to publish.
fn how_to_publish(survey: &Survey, subject: &Subject) -> String {
    let where_to = format!(
        "In a form, the type is TXT, the name {}, and the value what stands in quotes, without them.",
        relative_name(survey)
    );
    if let Some(key) = &subject.key {
        if record_line(subject).is_some() {
            return format!("Publish this line at the DNS host. {where_to}");
        }
        format!(
            "VeraId has no records for {} keys. Use an RSA key of 2048, 3072 or 4096 bits, or DomainAuth, whose record \
             `kliento organisation record --dialect domainauth` prints.",
            key.algorithm()
        )
    } else {
        format!(
            "Publish what `kliento organisation record --domain {} --key org.key.pem{}` prints at the DNS host. \
             {where_to}",
            subject.domain,
            dialect_option(subject.dialect)
        )
    }
}

/// There is no TXT record where the organisation's should be.
fn nowhere(survey: &Survey, subject: &Subject, place: &Place) -> Vec<Finding> {
    let misplaced: Vec<Finding> = survey
        .elsewhere
        .iter()
        .filter(|found| is_meant_for(found, survey, subject))
        .map(|found| misplaced(&found.name, survey))
        .collect();
    if !misplaced.is_empty() {
        return misplaced;
    }
    if let Some(target) = place.aliases.last() {
        return vec![
            Finding::problem(
                "records.alias_to_nothing",
                format!(
                    "{} is an alias of {}, and there is no TXT record there.",
                    plain(&survey.owner),
                    plain(target)
                ),
            )
            .advise(how_to_publish(survey, subject))
            .publish(record_line(subject))
            .with("name", survey.owner.to_string())
            .with("target", target.to_string()),
        ];
    }
    vec![
        Finding::problem(
            "records.absent",
            format!(
                "There is no TXT record at {}, where the organisation's key should be.",
                plain(&survey.owner)
            ),
        )
        .advise(format!(
            "{} If you have just done so, wait an hour: resolvers remember that there was none.{}",
            how_to_publish(survey, subject),
            survey.missing.as_ref().map_or_else(String::new, |name| format!(
                " (There is nothing else at {} either. If that is a domain to be registered, do so first.)",
                plain(name)
            ))
        ))
        .publish(record_line(subject))
        .with("name", survey.owner.to_string())
        .with(
            "proven",
            matches!(&survey.chain, Some(Err(dnssec::RetrievalError::Absent(_)))),
        ),
    ]
}

/// Whether records that stand elsewhere were meant to stand here. Those of the zone's own name may well be there for an
/// organisation of that name, unless they are about the key at hand.
fn is_meant_for(found: &Elsewhere, survey: &Survey, subject: &Subject) -> bool {
    let published: Vec<Published> = found
        .records
        .iter()
        .map(|rdata| Published::new(rdata))
        .collect();
    let is_the_zones_own = survey
        .own_zone()
        .is_some_and(|zone| found.name.parent().as_ref() == Some(&zone.name))
        && found.name.labels().next() == survey.owner.labels().next();
    if !is_the_zones_own {
        return published
            .iter()
            .any(|published| published.is_meant_for(subject.dialect));
    }
    let record = |published: &Published| published.record(subject.dialect);
    subject.key.as_ref().is_some_and(|key| {
        let mut records = published.iter().filter_map(record);
        records.any(|record| record.is_about(key))
    })
}

fn misplaced(name: &Name, survey: &Survey) -> Finding {
    Finding::problem(
        "records.misplaced",
        format!(
            "The record is at {}; it should be at {}.",
            plain(name),
            plain(&survey.owner)
        ),
    )
    .advise(format!(
        "Move it. Most forms add the name of the zone by themselves, so type {} and nothing after it; in a zone file, \
         a name written in full ends with a dot.",
        relative_name(survey)
    ))
    .with("found", name.to_string())
    .with("name", survey.owner.to_string())
}

/// An answer that was made from a wildcard counts fewer labels than its name has (RFC 4034 §3.1.3).
fn from_wildcard(reply: &Reply, owner: &Name) -> Option<Finding> {
    let is_expanded = reply
        .rrsigs(owner, RecordType::TXT)
        .any(|rrsig| usize::from(rrsig.labels) < owner.rrsig_labels());
    is_expanded.then(|| {
        Finding::warning(
            "records.wildcard",
            format!(
                "There is no record at {} itself: a wildcard (a record whose name starts with *) answers for it. \
                 kliento verifies that; VeraId's reference library, which others may use to verify, does not. It also \
                 makes every domain that the wildcard covers an organisation with that key.",
                plain(owner)
            ),
        )
        .advise("Publish the record at that very name.")
        .with("name", owner.to_string())
    })
}

fn large_answer(reply: &Reply) -> Option<Finding> {
    let octets = reply.octets.len();
    (octets > UDP_OCTETS).then(|| {
        Finding::note(
            "records.large_answer",
            format!(
                "The answer with the TXT records has {octets} bytes, more than the {UDP_OCTETS} that DNS carries in \
                 one packet. It comes all the same, by TCP, which a few firewalls block."
            ),
        )
        .advise("Withdraw the records of keys that are no longer in use.")
        .with("octets", octets)
    })
}

fn examine_records(
    published: &[Published],
    survey: &Survey,
    subject: &Subject,
    examination: &mut Examination,
) {
    let readings: Vec<(&Published, Reading)> = published
        .iter()
        .map(|published| (published, published.reading()))
        .collect();
    let good: Vec<TxtRecord> = readings
        .iter()
        .filter_map(|(_, reading)| match reading {
            Reading::Record(record, _) => Some(record.clone()),
            Reading::Trouble(_) => None,
        })
        .collect();
    let findings = &mut examination.findings;
    let counting = match &subject.key {
        Some(key) => of_the_key(key, &good, published, survey, subject, findings),
        None => without_key(&good, survey, subject, findings),
    };
    for (published, reading) in &readings {
        if let Some(key) = &subject.key {
            // The better word for it was said.
            if is_under_another_algorithm(published, key) {
                continue;
            }
            if let Some(alterations) = alterations_of(published, key, Dialect::VeraId) {
                let finding = altered(
                    published,
                    &alterations,
                    !counting.is_empty(),
                    survey,
                    subject,
                );
                findings.push(finding);
                continue;
            }
        }
        findings.extend(findings_about(
            published,
            reading,
            !good.is_empty(),
            survey,
            subject,
        ));
    }
    if !good.is_empty() {
        findings.extend(refused_by_reference(published, survey));
    }
    examination.overrides = counting.iter().map(TxtRecord::ttl_override).collect();
    examination.key_algorithm = counting.iter().map(TxtRecord::key_algorithm).max();
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

/// The record that counts for the key, if one does, and what is to be said of that.
fn of_the_key(
    key: &PublicKey,
    records: &[TxtRecord],
    published: &[Published],
    survey: &Survey,
    subject: &Subject,
    findings: &mut Vec<Finding>,
) -> Vec<TxtRecord> {
    match TxtRecord::select(records.iter().cloned(), key, subject.service) {
        Ok(record) => {
            findings.push(matching(&record, survey));
            vec![record]
        }
        Err(kliento::veraid::Error::AmbiguousRecord) => {
            findings.push(ambiguous(survey));
            Vec::new()
        }
        Err(_) => {
            findings.extend(without_match(published, records, key, survey, subject));
            Vec::new()
        }
    }
}

/// A record that is as it should be: good where DNSSEC proves it, and no more than a note where it doesn't.
fn sound(id: &'static str, message: String, survey: &Survey) -> Finding {
    if matches!(&survey.chain, Some(Ok(_))) {
        return Finding::good(id, message);
    }
    Finding::note(
        id,
        format!("{message} It can't be relied on until DNSSEC works."),
    )
}

fn matching(record: &TxtRecord, survey: &Survey) -> Finding {
    sound(
        "records.matches",
        format!(
            "{} has a record for your key: {}.",
            plain(&survey.owner),
            described(record)
        ),
        survey,
    )
    .with("record", record.to_string())
}

/// What there is to say of records when no key was given to compare them with; gives those that count.
fn without_key(
    good: &[TxtRecord],
    survey: &Survey,
    subject: &Subject,
    findings: &mut Vec<Finding>,
) -> Vec<TxtRecord> {
    if good.is_empty() {
        return Vec::new();
    }
    let twice = good.iter().enumerate().any(|(index, record)| {
        let mut earlier = good.iter().take(index);
        earlier.any(|other| {
            other.key_algorithm() == record.key_algorithm()
                && other.key_id() == record.key_id()
                && other.service() == record.service()
        })
    });
    if twice {
        findings.push(ambiguous(survey));
        return Vec::new();
    }
    let counting: Vec<TxtRecord> = good
        .iter()
        .filter(|record| {
            record
                .service()
                .is_none_or(|service| service == subject.service)
        })
        .cloned()
        .collect();
    if counting.is_empty() {
        findings.push(other_service(good, survey, subject));
        return counting;
    }
    let records: Vec<String> = counting.iter().map(described).collect();
    findings.push(
        sound(
            "records.found",
            format!(
                "{} has {}: {}. (Give --key to compare it with your key.)",
                plain(&survey.owner),
                count(counting.len(), "record", "records"),
                records.join("; ")
            ),
            survey,
        )
        .with(
            "records",
            counting.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ),
    );
    counting
}

fn other_service(records: &[TxtRecord], survey: &Survey, subject: &Subject) -> Finding {
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
            plain(&survey.owner),
            list(&services),
            service_name(subject.service)
        ),
    )
    .advise(format!(
        "If the key is meant for that service as well, add a record for it. {} To check for another service, give \
         --service.",
        how_to_publish(survey, subject)
    ))
    .publish(record_line(subject))
    .with("services", services)
}

fn ambiguous(survey: &Survey) -> Finding {
    Finding::problem(
        "records.ambiguous",
        format!(
            "At {} there are two records for the same key and the same service. A verifier can't tell which one \
             counts, so none does.",
            plain(&survey.owner)
        ),
    )
    .advise("Remove one of the two. To change the TTL override, change the record rather than adding another.")
    .with("name", survey.owner.to_string())
}

/// No record is about the key: why? `None` if that is said with what is wrong about the only records there.
fn without_match(
    published: &[Published],
    good: &[TxtRecord],
    key: &PublicKey,
    survey: &Survey,
    subject: &Subject,
) -> Option<Finding> {
    let about_the_key: Vec<TxtRecord> = good
        .iter()
        .filter(|record| record.is_about(key))
        .cloned()
        .collect();
    if !about_the_key.is_empty() {
        return Some(other_service(&about_the_key, survey, subject));
    }
    let under_another = published.iter().find(|published| {
        subject.dialect == Dialect::VeraId && is_under_another_algorithm(published, key)
    });
    let is_altered = published
        .iter()
        .any(|published| alterations_of(published, key, subject.dialect).is_some());
    let finding = if let Some(published) = under_another {
        Finding::problem(
            "records.other_algorithm",
            format!(
                "The record at {} has your key's id, but under another algorithm: yours is an {} key, and its records \
                 start with {}.",
                plain(&survey.owner),
                key.algorithm(),
                algorithm_number(key)
            ),
        )
        .with("record", published.text())
    } else if good.is_empty() || is_altered {
        return None;
    } else {
        Finding::problem(
            "records.no_match",
            format!(
                "None of the records at {} is about your key ({} {}).",
                plain(&survey.owner),
                key.algorithm(),
                key.key_id(DigestType::default_for(key.algorithm(), subject.dialect))
            ),
        )
        .with(
            "records",
            good.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    };
    Some(
        finding
            .advise(format!(
                "{} If you made the key anew, add its record beside the old one until nothing signed with the old key \
                 is in use.",
                how_to_publish(survey, subject)
            ))
            .publish(record_line(subject)),
    )
}

/// What was done to a record of the key that verifiers don't recognise as one any more; `None` for all others, and where
/// the reading alone says exactly what is wrong.
fn alterations_of(
    published: &Published,
    key: &PublicKey,
    dialect: Dialect,
) -> Option<Vec<Alteration>> {
    let is_about_key = |dialect| {
        let record = published.record(dialect);
        record.is_some_and(|record| record.is_about(key))
    };
    // A record of the other dialect is whole, and in the wrong place.
    let is_explained = Dialect::ALL.iter().copied().any(is_about_key)
        || dialect == Dialect::VeraId
            && matches!(published.reading(), Reading::Trouble(trouble) if trouble.is_exact());
    if is_explained {
        return None;
    }
    let ids: Vec<String> = DigestType::ALL
        .iter()
        .filter(|digest_type| digest_type.may_identify(key.algorithm(), dialect))
        .map(|digest_type| key.key_id(*digest_type).to_string())
        .collect();
    let first = if dialect == Dialect::VeraId {
        algorithm_number(key)
    } else {
        // The version.
        "0".to_owned()
    };
    alterations(&published.text(), &ids, &first)
        // Then the reading alone says more.
        .filter(|changes| !changes.is_empty())
}

/// The key's own record, changed on its way into the DNS.
fn altered(
    published: &Published,
    alterations: &[Alteration],
    has_match: bool,
    survey: &Survey,
    subject: &Subject,
) -> Finding {
    let text = published.text();
    let changes: Vec<String> = alterations.iter().map(ToString::to_string).collect();
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
            .advise(format!("Replace it. {}", how_to_publish(survey, subject)))
            .publish(record_line(subject))
    };
    finding.with("record", text).with("changes", changes)
}

/// Whether a record has the key's id behind another algorithm's number.
fn is_under_another_algorithm(published: &Published, key: &PublicKey) -> bool {
    let text = published.text();
    let mut fields = text.split_ascii_whitespace();
    let number = fields.next().filter(|field| field.parse::<u8>().is_ok());
    let digests = DIGEST_TYPES.map(|digest_type| key.key_id(digest_type));
    number.is_some_and(|number| number != algorithm_number(key))
        && fields
            .filter_map(reading::decode_key_id)
            .any(|id| digests.iter().any(|digest| digest.as_bytes() == id))
}

/// The first field of a key's records.
fn algorithm_number(key: &PublicKey) -> String {
    let record = TxtRecord::new(key, Dialect::VeraId, TtlOverride::MAX, None);
    let text = record.map_or_else(|_| String::new(), |record| record.to_string());
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Records that the reference library can't read make it give up on those that it can.
fn refused_by_reference(published: &[Published], survey: &Survey) -> Option<Finding> {
    let unread: Vec<String> = published
        .iter()
        .filter(|published| !reading::reference_reads(&published.strings()))
        .map(Published::text)
        .collect();
    (!unread.is_empty()).then(|| {
        Finding::warning(
            "records.reference_refuses",
            format!(
                "VeraId's reference library, which others may use to verify, reads all the records at {} or none. It \
                 can't read {} of them, so it refuses the others as well.",
                plain(&survey.owner),
                unread.len()
            ),
        )
        .advise("Keep nothing at this name but records as `kliento organisation record` prints them.")
        .with("records", unread)
    })
}

/// What is odd or wrong about one record.
fn findings_about(
    published: &Published,
    reading: &Reading,
    has_good: bool,
    survey: &Survey,
    subject: &Subject,
) -> Vec<Finding> {
    let text = published.text();
    match reading {
        Reading::Record(_, oddities) => oddities
            .iter()
            .map(|oddity| about_oddity(*oddity, &text).with("record", text.clone()))
            .collect(),
        Reading::Trouble(trouble) => {
            let Explanation { id, what, advice } = about_trouble(trouble, &subject.domain);
            let severity = match (has_good, trouble) {
                (false, _) => Severity::Problem,
                (true, Trouble::Foreign) => Severity::Note,
                (true, _) => Severity::Warning,
            };
            let finding = Finding::new(
                id,
                severity,
                format!("The TXT record \"{}\" {what}", shortened(&text)),
            );
            let finding = if has_good {
                finding.advise(advice)
            } else {
                finding
                    .advise(format!("{advice} {}", how_to_publish(survey, subject)))
                    .publish(record_line(subject))
            };
            vec![finding.with("record", text)]
        }
    }
}
