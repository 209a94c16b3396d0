//! Findings about DNSSEC signatures: what they fail to prove, and for how long the rest holds.

use std::fmt::Display;

use dnssec::{Name, Period, RecordType, RrsigId, Timestamp};
use kliento::veraid::TtlOverride;

use crate::doctor::finding::Finding;
use crate::doctor::words::{SeenZone, capitalised, plain};
use crate::duration::Duration;

/// A failure for which there is no finding of its own. `reason` is the library's.
pub(crate) fn unproven(error: &str, reason: &str) -> Finding {
    Finding::problem(
        "signatures.unproven",
        format!("The domain's records can't be proven: {error}."),
    )
    .with("reason", reason)
}

/// The same where a chain can't be retrieved, with what the library would do.
pub(crate) fn unproven_by_retrieval(error: &str, reason: &str, hint: Option<&str>) -> Finding {
    let hint = hint.unwrap_or("check again in a while");
    unproven(error, reason).advise(format!("{}.", capitalised(hint)))
}

/// The same where a zone proves nothing for a reason that is out of the ordinary.
pub(crate) fn unproven_by_zone(error: &str, reason: &str) -> Finding {
    unproven(error, reason).advise(
        "Have the zone named here checked by whoever runs it: its name servers, or the program that signs it, do \
         something out of the ordinary.",
    )
}

/// No chain was retrieved, and there is no error that says why.
pub(crate) fn no_chain() -> Finding {
    unproven(
        "no chain of signatures proves it",
        "dnssec.missing_response",
    )
    .advise("Check again in a while.")
}

/// DomainAuth's verifiers take no signature that is valid for too long, whatever DNSSEC says of it.
pub(crate) fn too_long(error: impl Display) -> Finding {
    Finding::problem(
        "signatures.too_long",
        format!("DomainAuth allows DNSSEC signatures of at most 90 days: {error}."),
    )
    .advise("Have whoever runs that zone make shorter signatures; two weeks are usual.")
}

/// The key that the parent commits to does not sign the zone's keys.
pub(crate) fn key_not_signing(zone: SeenZone<'_>) -> Finding {
    Finding::problem(
        "signatures.key_not_signing",
        format!(
            "The DS record in the zone above is for a key that {} has, but does not sign its keys with. So nobody can \
             tell that the other keys are its own.",
            zone.plain()
        ),
    )
    .advise(format!(
        "{} has to sign the zone's keys (its DNSKEY records) with the key that the DS record is for; or the registrar \
         has to change the DS record for one of the key that signs them now.",
        zone.keeper_first()
    ))
    .with("zone", zone.name.to_string())
}

/// Records without a signature in a zone that is signed. `own` is the domain's zone, if the way led as far.
pub(crate) fn missing(owner: &Name, record_type: RecordType, own: Option<SeenZone<'_>>) -> Finding {
    Finding::problem(
        "signatures.missing",
        format!(
            "{} come without a signature, though {} is signed: it is signed in part only.",
            capitalised(&records_of(owner, record_type)),
            own.map_or_else(|| "the zone".to_owned(), SeenZone::plain),
        ),
    )
    .advise(format!(
        "{} has to sign the whole zone again. If the records were added by hand to a signed zone file, or by a \
         program behind the signer's back, they have to go where the signer sees them.",
        own.map_or_else(|| "The DNS host".to_owned(), SeenZone::keeper_first)
    ))
    .with("rrset", format!("{owner} {record_type}"))
}

/// Nobody lets the top zone's signatures expire: it is this machine's idea of the time that is wrong.
pub(crate) fn clock(signer: &Name, bound: Timestamp, now: Timestamp) -> Finding {
    Finding::problem(
        "signatures.clock",
        format!(
            "Even the signatures of {} don't hold now. It is more likely that this machine's clock is wrong: it says \
             {now}, which is {} away from what they allow.",
            plain(signer),
            rough(bound, now)
        ),
    )
    .advise("Set the clock of this machine, and keep it right with NTP. Then check again.")
    .with("now", now.to_string())
    .with("bound", bound.to_string())
}

pub(crate) fn expired(
    rrsig: &RrsigId,
    signer: SeenZone<'_>,
    expired: Timestamp,
    now: Timestamp,
) -> Finding {
    about(
        rrsig,
        "signatures.expired",
        format!(
            "The signature over {} ended {} ago, at {expired}. Everybody who verifies DNSSEC treats what is in {} as \
             forged, so many people can't reach web sites and mail there.",
            covered(rrsig),
            rough(expired, now),
            signer.plain()
        ),
        format!(
            "{} has to sign the zone again, and to find out why that does not happen by itself: a program that renews \
             the signatures has stopped, or some name servers no longer get the zone from the one that does.",
            signer.keeper_first()
        ),
    )
    .with("expired", expired.to_string())
}

pub(crate) fn not_yet_valid(
    rrsig: &RrsigId,
    signer: SeenZone<'_>,
    valid_from: Timestamp,
    now: Timestamp,
) -> Finding {
    about(
        rrsig,
        "signatures.not_yet_valid",
        format!(
            "The signature over {} is not valid yet: it begins in {}, at {valid_from}.",
            covered(rrsig),
            rough(now, valid_from)
        ),
        format!(
            "The clock of the machine that signs is fast, which is for {} to fix; or the clock here is slow: it says \
             {now}.",
            signer.keeper()
        ),
    )
    .with("validFrom", valid_from.to_string())
}

/// A signature does not fit what it covers.
pub(crate) fn bad(rrsig: &RrsigId, signer: SeenZone<'_>) -> Finding {
    about(
        rrsig,
        "signatures.bad",
        format!(
            "The signature over {} does not match the records: something was changed after signing.",
            covered(rrsig)
        ),
        format!(
            "{} has to sign the zone again. If records were changed by hand in a signed zone file, that is why: they \
             have to be changed where the signer sees them.",
            signer.keeper_first()
        ),
    )
    .with("keyTag", rrsig.key_tag)
}

/// The key that made a signature is not in the zone.
pub(crate) fn key_gone(rrsig: &RrsigId, signer: SeenZone<'_>) -> Finding {
    about(
        rrsig,
        "signatures.key_gone",
        format!(
            "{} are signed with the key {}, which {} does not publish (any more).",
            capitalised(&covered(rrsig)),
            rrsig.key_tag,
            signer.plain()
        ),
        format!(
            "A key was taken out before the signatures that it made had gone. {} has to sign the zone again, or to \
             publish that key again. If keys were changed within the last hours, it may resolve itself: check again \
             tomorrow.",
            signer.keeper_first()
        ),
    )
    .with("keyTag", rrsig.key_tag)
}

/// A problem with one signature.
fn about(rrsig: &RrsigId, id: &'static str, message: String, advice: String) -> Finding {
    Finding::problem(id, message)
        .advise(advice)
        .with("rrset", rrsig.rrset.to_string())
        .with("signer", rrsig.signer.to_string())
}

/// A chain that is retrieved now holds until `end`.
pub(crate) fn proven(end: Timestamp, now: Timestamp) -> Finding {
    Finding::good(
        "signatures.proven",
        format!(
            "The records are proven. A chain retrieved now, and what is made with it, holds until {end} ({} from \
             now).",
            rough(now, end)
        ),
    )
    .with("validUntil", end.to_string())
}

/// Facts about a signature that ends before others.
pub(crate) struct FirstToEnd<'s> {
    pub(crate) owner: &'s Name,
    pub(crate) record_type: RecordType,
    pub(crate) signer: SeenZone<'s>,
    pub(crate) period: Period,
    /// Seconds until it ends.
    pub(crate) left: u64,
}

impl FirstToEnd<'_> {
    fn with_times(&self, finding: Finding) -> Finding {
        finding
            .with("validUntil", self.period.end().to_string())
            .with("secondsLeft", self.left)
            .with("secondsInAll", self.period.seconds())
    }
}

/// The domain's own signatures are made for a short time.
pub(crate) fn short_lived(first: &FirstToEnd<'_>) -> Finding {
    let finding = Finding::warning(
        "signatures.short_lived",
        format!(
            "{} makes signatures for {} at a time; the one over {} has {} left. Whatever is made with a chain ends \
             with it, so members need a new member id bundle that often.",
            first.signer.keeper_first(),
            Duration::from_seconds(first.period.seconds()).rough(),
            records_of(first.owner, first.record_type),
            Duration::from_seconds(first.left).rough()
        ),
    )
    .advise(
        "Let a program retrieve the chain and certify members every day, or have the DNS host sign for longer: two \
         weeks are usual.",
    );
    first.with_times(finding)
}

/// One of the domain's own signatures should have been renewed by now.
pub(crate) fn end_soon(first: &FirstToEnd<'_>) -> Finding {
    let finding = Finding::warning(
        "signatures.end_soon",
        format!(
            "The signature over {} ends in {}, at {}. It was made for {}, so it should have been renewed by now.",
            records_of(first.owner, first.record_type),
            Duration::from_seconds(first.left).rough(),
            first.period.end(),
            Duration::from_seconds(first.period.seconds()).rough()
        ),
    )
    .advise(format!(
        "{} should look why signatures are not renewed: when this one ends, the domain is lost to everybody who \
         verifies DNSSEC. If it renews them at the last moment only, retrieve the chain again right after that.",
        first.signer.keeper_first()
    ));
    first.with_times(finding)
}

/// A signature of a zone above ends soon, about which there is nothing to be done.
pub(crate) fn above_end_soon(first: &FirstToEnd<'_>) -> Finding {
    Finding::note(
        "signatures.above_end_soon",
        format!(
            "The signature over {} by {} ends in {}, so a chain that is retrieved now ends then as well.",
            records_of(first.owner, first.record_type),
            first.signer.keeper(),
            Duration::from_seconds(first.left).rough()
        ),
    )
    .advise("It will be renewed without your doing: retrieve the chain again after that.")
    .with("signer", first.signer.name.to_string())
    .with("validUntil", first.period.end().to_string())
}

/// A record counts for longer than the signatures over it, which are made for `shortest` seconds.
pub(crate) fn shorter_than_ttl_override(ttl_override: TtlOverride, shortest: u64) -> Finding {
    let override_text = Duration::from_seconds(ttl_override.seconds().into()).rough();
    let shortest_text = Duration::from_seconds(shortest).rough();
    Finding::note(
        "signatures.shorter_than_ttl_override",
        format!(
            "The record's TTL override is {override_text}, and the signatures over it are made for {shortest_text} at \
             a time. Servers that ask whether something is valid now (all that check Kliento tokens do) stop at the \
             end of the signatures all the same. Only who verifies what was signed in some past period goes by the \
             TTL override, and counts on the record for up to {override_text} after the signatures have ended."
        ),
    )
    .advise(
        "That is right for documents that travel for long. It also means that for such readers a key that you \
         withdraw lives on for that long. If you only issue tokens, publish the record with --ttl-override 1h.",
    )
    .with("ttlOverride", ttl_override.seconds())
    .with("signatureSeconds", shortest)
}

/// `the TXT records of _veraid.example.com`.
fn records_of(owner: &Name, record_type: RecordType) -> String {
    format!("the {record_type} records of {}", plain(owner))
}

fn covered(rrsig: &RrsigId) -> String {
    records_of(&rrsig.rrset.owner, rrsig.rrset.record_type)
}

fn rough(from: Timestamp, until: Timestamp) -> String {
    Duration::from_seconds(until.unix_seconds().abs_diff(from.unix_seconds())).rough()
}
