//! The signatures: whether they prove what they cover, and for how long.

use dnssec::{
    Chain, Committer, Demand, Error, Name, Period, RecordType, RetrievalError, Rrsig, RrsigId,
    Timestamp,
};
use kliento::veraid::{Dialect, TtlOverride};

use super::Subject;
use super::finding::Finding;
use super::survey::Survey;
use super::words::{keeper, keeper_first, plain};
use crate::duration::Duration;
use crate::fault::with_causes;

const DAY: u64 = 86_400;
/// Signatures that are made for less than this end before people get round to anything.
const SHORT_LIFETIME: u64 = 3 * DAY;
/// What is left of a longer one by then should have been renewed.
const LAST_MOMENT: u64 = DAY;

/// What is said of the signatures, given whether what ails them was said already, and the TTL overrides in the records.
pub(super) fn examine(
    survey: &Survey,
    now: Timestamp,
    is_explained: bool,
    overrides: &[TtlOverride],
) -> Vec<Finding> {
    let failure = failure(survey, now).filter(|_| !is_explained);
    if let Some(finding) = failure {
        return vec![finding];
    }
    let signed = signatures(survey);
    let own = survey.own_zone().map(|zone| &zone.name);
    let mut findings = Vec::new();
    findings.extend(proven(survey, now));
    findings.extend(own_lifetime(&signed, own, now));
    findings.extend(lifetime_above(&signed, own, now));
    findings.extend(against_override(&signed, own, now, overrides));
    findings
}

/// The first thing, from the top down, that does not hold. What is below it hangs on it.
fn failure(survey: &Survey, now: Timestamp) -> Option<Finding> {
    let of_zones = survey
        .zones
        .iter()
        .find_map(|zone| zone.proof.as_ref().err());
    let of_soa = || {
        survey
            .soa_proof
            .as_ref()
            .and_then(|proof| proof.as_ref().err())
    };
    if let Some(error) = of_zones.or_else(of_soa) {
        return Some(diagnose(error, survey, now));
    }
    let answered = matches!(&survey.records, Some(Ok(reply)) if reply.is_answer());
    match principal(survey.chain.as_ref()?.as_ref().err()?) {
        RetrievalError::Unverified(error) => Some(diagnose(error, survey, now)),
        // Of that speaks what is said of the records.
        RetrievalError::Absent(_) => None,
        error => answered.then(|| unproven_by_retrieval(error)),
    }
}

/// Of several servers' failures the one that says most.
fn principal(error: &RetrievalError) -> &RetrievalError {
    match error {
        RetrievalError::NoProof(failures) => {
            failures.first().map_or(error, |failure| &failure.error)
        }
        error => error,
    }
}

/// DomainAuth's verifiers take no signature that is valid for too long, whatever DNSSEC says of it.
pub(super) fn examine_for_domain_auth(
    chain_der: &[u8],
    owner: &Name,
    subject: &Subject,
) -> Vec<Finding> {
    let demand =
        Demand::from(Period::at(subject.now)).with_longest_signature(TtlOverride::MAX.seconds());
    let refusal = Chain::from_der(chain_der)
        .and_then(|chain| {
            chain
                .look_up(owner, RecordType::TXT, &subject.anchors, demand)
                .map(|_| ())
        })
        .err()
        .filter(|_| subject.dialect == Dialect::DomainAuth);
    let finding = refusal.map(|error| {
        Finding::problem(
            "signatures.too_long",
            format!("DomainAuth takes DNSSEC signatures of 90 days or less: {error}."),
        )
        .advise("Have whoever runs that zone make shorter signatures; two weeks are usual.")
    });
    finding.into_iter().collect()
}

/// No chain was retrieved, and nothing that was found says why.
pub(super) fn without_chain(survey: &Survey) -> Finding {
    match &survey.chain {
        Some(Err(error)) => unproven_by_retrieval(principal(error)),
        _ => unproven(
            "no chain of signatures leads to it",
            "dnssec.missing_response",
        )
        .advise("Check again in a while."),
    }
}

/// No chain could be retrieved.
fn unproven_by_retrieval(error: &RetrievalError) -> Finding {
    let hint = error.hint().unwrap_or("check again in a while");
    unproven(&with_causes(error), error.reason()).advise(format!("{}.", capitalised(hint)))
}

/// What there is no better word for.
fn unproven(error: &str, reason: &str) -> Finding {
    Finding::problem(
        "signatures.unproven",
        format!("What the domain publishes can't be proven: {error}."),
    )
    .with("reason", reason)
}

fn diagnose(error: &Error, survey: &Survey, now: Timestamp) -> Finding {
    let own = survey.own_zone().map(|zone| &zone.name);
    let top = survey.zones.first().map(|zone| &zone.name);
    let finding = match error {
        Error::RrsigExpired { rrsig, expired, .. } if Some(&rrsig.signer) == top => {
            clock(rrsig, *expired, now)
        }
        Error::RrsigNotYetValid {
            rrsig, valid_from, ..
        } if Some(&rrsig.signer) == top => clock(rrsig, *valid_from, now),
        Error::RrsigExpired { rrsig, expired, .. } => expired_signature(rrsig, *expired, now, own),
        Error::RrsigNotYetValid {
            rrsig, valid_from, ..
        } => not_yet_valid(rrsig, *valid_from, now, own),
        Error::NoRrsig(rrset) => unsigned(&rrset.owner, rrset.record_type, survey),
        Error::BadSignature(rrsig) => bad_signature(rrsig, own),
        Error::NoMatchingKey(rrsig) => key_gone(rrsig, own),
        Error::DnskeyNotCommitted {
            zone,
            committed_by: Committer::Parent,
        } => Finding::problem(
            "signatures.key_not_signing",
            format!(
                "The DS record in the zone above is for a key that {} has, but does not sign its keys with. So nobody \
                 can tell that the other keys are its own.",
                plain(zone)
            ),
        )
        .advise(format!(
            "{} has to sign the zone's keys (its DNSKEY records) with the key that the DS record is for; or the \
             registrar has to change the DS record for one of the key that signs them now.",
            keeper_first(zone, own)
        ))
        .with("zone", zone.to_string()),
        other => unproven(&with_causes(other), other.reason()).advise(
            "Have the zone named here checked by whoever runs it: its name servers, or the program that signs it, do \
             something out of the ordinary.",
        ),
    };
    finding.with("reason", error.reason())
}

/// Records without a signature in a zone that is signed.
fn unsigned(owner: &Name, record_type: RecordType, survey: &Survey) -> Finding {
    let own = survey.own_zone().map(|zone| &zone.name);
    Finding::problem(
        "signatures.missing",
        format!(
            "{} come without a signature, though {} is signed: it is signed in part only.",
            capitalised(&named(owner, record_type)),
            own.map_or_else(|| "the zone".to_owned(), plain),
        ),
    )
    .advise(format!(
        "{} has to sign the whole zone again. If the records were added by hand to a signed zone file, or by a \
         program behind the signer's back, they have to go where the signer sees them.",
        own.map_or_else(
            || "The DNS host".to_owned(),
            |own| keeper_first(own, Some(own))
        )
    ))
    .with("rrset", format!("{owner} {record_type}"))
}

/// `the TXT records of _veraid.example.com`.
fn named(owner: &Name, record_type: RecordType) -> String {
    format!("the {record_type} records of {}", plain(owner))
}

fn about(rrsig: &RrsigId) -> String {
    named(&rrsig.rrset.owner, rrsig.rrset.record_type)
}

fn rough(from: Timestamp, until: Timestamp) -> String {
    Duration::from_seconds(until.unix_seconds().abs_diff(from.unix_seconds())).rough()
}

/// Nobody lets the top zone's signatures expire: it is this machine's idea of the time that is wrong.
fn clock(rrsig: &RrsigId, bound: Timestamp, now: Timestamp) -> Finding {
    Finding::problem(
        "signatures.clock",
        format!(
            "Even the signatures of {} don't hold now. It is more likely that this machine's clock is wrong: it says \
             {now}, which is {} away from what they allow.",
            plain(&rrsig.signer),
            rough(bound, now)
        ),
    )
    .advise("Set the clock of this machine, and keep it right with NTP. Then check again.")
    .with("now", now.to_string())
    .with("bound", bound.to_string())
}

fn expired_signature(
    rrsig: &RrsigId,
    expired: Timestamp,
    now: Timestamp,
    own: Option<&Name>,
) -> Finding {
    Finding::problem(
        "signatures.expired",
        format!(
            "The signature over {} ended {} ago, at {expired}. Everybody who verifies DNSSEC takes what is in {} for \
             a forgery, so web sites and mail there are out of reach for many.",
            about(rrsig),
            rough(expired, now),
            plain(&rrsig.signer)
        ),
    )
    .advise(format!(
        "{} has to sign the zone again, and to find out why that does not happen by itself: a program that renews the \
         signatures has stopped, or some name servers no longer get the zone from the one that does.",
        keeper_first(&rrsig.signer, own)
    ))
    .with("rrset", rrsig.rrset.to_string())
    .with("signer", rrsig.signer.to_string())
    .with("expired", expired.to_string())
}

fn not_yet_valid(
    rrsig: &RrsigId,
    valid_from: Timestamp,
    now: Timestamp,
    own: Option<&Name>,
) -> Finding {
    Finding::problem(
        "signatures.not_yet_valid",
        format!(
            "The signature over {} begins in {} only, at {valid_from}.",
            about(rrsig),
            rough(now, valid_from)
        ),
    )
    .advise(format!(
        "The clock of the machine that signs is fast, which is for {} to fix; or the clock here is slow: it says \
         {now}.",
        keeper(&rrsig.signer, own)
    ))
    .with("rrset", rrsig.rrset.to_string())
    .with("signer", rrsig.signer.to_string())
    .with("validFrom", valid_from.to_string())
}

fn bad_signature(rrsig: &RrsigId, own: Option<&Name>) -> Finding {
    Finding::problem(
        "signatures.bad",
        format!(
            "The signature over {} is not one of what is there: something was changed after it was signed.",
            about(rrsig)
        ),
    )
    .advise(format!(
        "{} has to sign the zone again. If records were changed by hand in a signed zone file, that is why: they have \
         to be changed where the signer sees them.",
        keeper_first(&rrsig.signer, own)
    ))
    .with("rrset", rrsig.rrset.to_string())
    .with("signer", rrsig.signer.to_string())
    .with("keyTag", rrsig.key_tag)
}

fn key_gone(rrsig: &RrsigId, own: Option<&Name>) -> Finding {
    Finding::problem(
        "signatures.key_gone",
        format!(
            "{} are signed with the key {}, which {} does not publish (any more).",
            capitalised(&about(rrsig)),
            rrsig.key_tag,
            plain(&rrsig.signer)
        ),
    )
    .advise(format!(
        "A key was taken out before the signatures that it made had gone. {} has to sign the zone again, or to \
         publish that key again. If keys were changed within the last hours, it may resolve itself: check again \
         tomorrow.",
        keeper_first(&rrsig.signer, own)
    ))
    .with("rrset", rrsig.rrset.to_string())
    .with("signer", rrsig.signer.to_string())
    .with("keyTag", rrsig.key_tag)
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// When something that a proof needs is signed for.
struct Signed {
    owner: Name,
    record_type: RecordType,
    signer: Name,
    period: Period,
}

impl Signed {
    fn new(owner: &Name, rrsig: &Rrsig<'_>) -> Option<Self> {
        Some(Self {
            owner: owner.clone(),
            record_type: rrsig.type_covered,
            signer: rrsig.signer.clone(),
            period: rrsig.period()?,
        })
    }

    fn left(&self, now: Timestamp) -> u64 {
        self.period
            .end()
            .unix_seconds()
            .saturating_sub(now.unix_seconds())
            .try_into()
            .unwrap_or(0)
    }
}

/// The signatures of the chain that anybody would make; or of what was seen, where none could be made.
fn signatures(survey: &Survey) -> Vec<Signed> {
    if let Some(Ok(der)) = &survey.chain
        && let Ok(chain) = Chain::from_der(der)
    {
        let answers = chain.responses().iter().flat_map(dnssec::Response::answers);
        return answers
            .filter_map(|record| Signed::new(&record.owner(), &record.rrsig()?))
            .collect();
    }
    survey
        .signed_rrsets()
        .filter_map(|(reply, owner, record_type)| {
            reply
                .rrsigs(owner, record_type)
                .filter_map(|rrsig| Signed::new(owner, &rrsig))
                .max_by_key(|signed| signed.period.end())
        })
        .collect()
}

/// For how long a chain that is retrieved now holds.
pub(super) fn chain_end(chain_der: &[u8], now: Timestamp) -> Option<Timestamp> {
    let chain = Chain::from_der(chain_der).ok()?;
    let answers = chain.responses().iter().flat_map(dnssec::Response::answers);
    answers
        .filter_map(|record| record.rrsig()?.period())
        .filter(|period| period.contains(now))
        .map(Period::end)
        .min()
}

fn proven(survey: &Survey, now: Timestamp) -> Option<Finding> {
    let chain = survey.chain.as_ref()?.as_ref().ok()?;
    let end = chain_end(chain, now)?;
    Some(
        Finding::good(
            "signatures.proven",
            format!(
                "The records are proven. A chain retrieved now, and what is made with it, holds until {end} ({} from \
                 now).",
                rough(now, end)
            ),
        )
        .with("validUntil", end.to_string()),
    )
}

/// Whether the domain's own signatures last long enough to be of use.
fn own_lifetime(signed: &[Signed], own: Option<&Name>, now: Timestamp) -> Option<Finding> {
    let first = signed
        .iter()
        .filter(|signed| Some(&signed.signer) == own && signed.period.contains(now))
        .min_by_key(|signed| signed.period.end())?;
    let (left, whole) = (first.left(now), first.period.seconds());
    let (left_text, whole_text) = (
        Duration::from_seconds(left).rough(),
        Duration::from_seconds(whole).rough(),
    );
    let what = named(&first.owner, first.record_type);
    let host = keeper_first(&first.signer, own);
    let finding = if whole < SHORT_LIFETIME {
        Finding::warning(
            "signatures.short_lived",
            format!(
                "{host} makes signatures for {whole_text} at a time; the one over {what} has {left_text} left. \
                 Whatever is made with a chain ends with it, so members need a new member id bundle that often."
            ),
        )
        .advise(
            "Let a program retrieve the chain and certify members every day, or have the DNS host sign for longer: \
             two weeks are usual.",
        )
    } else if left < LAST_MOMENT {
        Finding::warning(
            "signatures.end_soon",
            format!(
                "The signature over {what} ends in {left_text}, at {}. It was made for {whole_text}, so it should \
                 have been renewed by now.",
                first.period.end()
            ),
        )
        .advise(format!(
            "{host} should look why signatures are not renewed: when this one ends, the domain is lost to everybody \
             who verifies DNSSEC. If it renews them at the last moment only, retrieve the chain again right after \
             that."
        ))
    } else {
        return None;
    };
    Some(
        finding
            .with("validUntil", first.period.end().to_string())
            .with("secondsLeft", left)
            .with("secondsInAll", whole),
    )
}

/// The same of the zones above, about which there is nothing to be done.
fn lifetime_above(signed: &[Signed], own: Option<&Name>, now: Timestamp) -> Option<Finding> {
    let first = signed
        .iter()
        .filter(|signed| Some(&signed.signer) != own && signed.period.contains(now))
        .min_by_key(|signed| signed.period.end())
        .filter(|signed| signed.left(now) < LAST_MOMENT)?;
    let left = Duration::from_seconds(first.left(now)).rough();
    Some(
        Finding::note(
            "signatures.above_end_soon",
            format!(
                "The signature over {} by {} ends in {left}, so a chain that is retrieved now ends then as well.",
                named(&first.owner, first.record_type),
                keeper(&first.signer, own)
            ),
        )
        .advise("It will be renewed without your doing: retrieve the chain again after that.")
        .with("signer", first.signer.to_string())
        .with("validUntil", first.period.end().to_string()),
    )
}

/// What it means that a record counts for longer than the signatures over it.
fn against_override(
    signed: &[Signed],
    own: Option<&Name>,
    now: Timestamp,
    overrides: &[TtlOverride],
) -> Option<Finding> {
    let longest = overrides.iter().max()?;
    let shortest = signed
        .iter()
        .filter(|signed| Some(&signed.signer) == own && signed.period.contains(now))
        .map(|signed| signed.period.seconds())
        .min()?;
    let seconds = u64::from(longest.seconds());
    if seconds <= shortest {
        return None;
    }
    let (override_text, shortest_text) = (
        Duration::from_seconds(seconds).rough(),
        Duration::from_seconds(shortest).rough(),
    );
    Some(
        Finding::note(
            "signatures.shorter_than_ttl_override",
            format!(
                "The record's TTL override is {override_text}, and the signatures over it are made for \
                 {shortest_text} at a time. Servers that ask whether something is valid now (all that check Kliento \
                 tokens do) stop at the end of the signatures all the same. Only who verifies what was signed in some \
                 past period goes by the TTL override, and counts on the record for up to {override_text} after the \
                 signatures have ended."
            ),
        )
        .advise(
            "That is right for documents that travel for long. It also means that for such readers a key that you \
             withdraw lives on for that long. If you only issue tokens, publish the record with --ttl-override 1h.",
        )
        .with("ttlOverride", longest.seconds())
        .with("signatureSeconds", shortest),
    )
}
