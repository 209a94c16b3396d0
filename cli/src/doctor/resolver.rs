//! The resolver that was asked: whether it answers, passes DNSSEC on, and has the root that we trust.

use dnssec::{Committer, Error, RecordType, RetrievalError};

use super::finding::Finding;
use super::survey::{Lookup, Probe, Survey, response_code_name};
use super::words::plain;

/// Resolvers that pass DNSSEC on, for those whose own does not.
const ANOTHER: &str =
    "Ask another resolver, with --resolver https://1.1.1.1/dns-query for example.";
const SERVFAIL: u16 = 2;

/// Why no resolver could be asked at all.
pub(super) fn unreachable(resolver: &str, error: &RetrievalError) -> Finding {
    match error {
        RetrievalError::UntrustedResolver { problem, .. } => Finding::problem(
            "resolver.untrusted",
            format!(
                "The server at {resolver} can't show that it is the resolver it is meant to be: {problem}."
            ),
        )
        .advise(
            "If it is a resolver of your own, give the certificate of its authority with --resolver-ca. If not, check \
             its name, and that nobody sits in between.",
        ),
        RetrievalError::MalformedResponse { source, .. } => Finding::problem(
            "resolver.malformed",
            format!("What {resolver} answers is no DNS message: {source}."),
        )
        .advise(ANOTHER),
        error => {
            let problem = match error {
                RetrievalError::NoResponse { problem, .. } => problem.clone(),
                other => other.to_string(),
            };
            Finding::problem(
                "resolver.no_response",
                format!("{resolver} does not answer, so nothing could be looked at: {problem}."),
            )
            .advise(format!(
                "Check its address, and that this machine is online and no firewall stops DNS. {ANOTHER}"
            ))
        }
    }
    .with("resolver", resolver)
}

/// What first contact tells.
pub(super) fn examine(resolver: &str, probe: &Probe) -> Vec<Finding> {
    let zone = plain(&probe.anchored);
    let keys = &probe.keys;
    if !keys.is_answer() {
        let code = response_code_name(keys.response_code);
        let detail = keys
            .extended_error()
            .map(|text| format!(" It says: {text}."))
            .unwrap_or_default();
        let finding = if keys.response_code == SERVFAIL {
            Finding::problem(
                "resolver.fails",
                format!(
                    "The resolver {resolver} fails ({code}) even when asked for the keys of {zone}: it can't reach \
                     the DNS itself.{detail}"
                ),
            )
        } else {
            Finding::problem(
                "resolver.refuses",
                format!(
                    "The server at {resolver} won't answer questions of this machine ({code}). Perhaps it is no \
                     resolver, but a name server for certain domains only.{detail}"
                ),
            )
        };
        return vec![
            finding
                .advise(ANOTHER)
                .with("resolver", resolver)
                .with("responseCode", code),
        ];
    }
    let mut signatures = keys.rrsigs(&probe.anchored, RecordType::DNSKEY);
    if signatures.next().is_none() {
        return vec![
            Finding::problem(
                "resolver.strips_signatures",
                format!(
                    "The resolver {resolver} takes the DNSSEC signatures out of its answers: even the keys of {zone} \
                     come without. So it can't be told how the domain is set up."
                ),
            )
            .advise(format!(
                "Many home routers and some office networks do that. The domain may be fine. {ANOTHER}"
            ))
            .with("resolver", resolver),
        ];
    }
    let answers = Finding::good(
        "resolver.answers",
        format!("{resolver} answers, and passes DNSSEC signatures on."),
    )
    .with("resolver", resolver);
    vec![answers, validation(resolver, &probe.checked)]
}

/// Whether it verifies what it says. That is for others to rely on: what counts here is verified here.
fn validation(resolver: &str, checked: &Lookup) -> Finding {
    if checked.as_ref().is_ok_and(|reply| reply.is_authenticated) {
        return Finding::good(
            "resolver.validates",
            "It verifies DNSSEC itself, as most of the large public ones do.",
        );
    }
    Finding::note(
        "resolver.not_validating",
        "It does not verify DNSSEC itself. That does no harm: kliento verifies all of it, and trusts no resolver.",
    )
    .with("resolver", resolver)
}

/// Whether what it says can be squared with what is trusted, and with what it says itself when it verifies.
pub(super) fn examine_survey(resolver: &str, survey: &Survey) -> Vec<Finding> {
    let mut findings = Vec::new();
    let top = survey.zones.first();
    if let Some(zone) = top
        && let Err(Error::DnskeyNotCommitted {
            committed_by: Committer::TrustAnchor,
            ..
        }) = &zone.proof
    {
        let name = plain(&zone.name);
        findings.push(
            Finding::problem(
                "resolver.other_root",
                format!(
                    "The keys that {resolver} has for {name} are not those that are trusted here, so nothing that it \
                     says can be proven."
                ),
            )
            .advise(
                "If the domain lives under a private root, give that root's keys with --trust-anchors. If you gave \
                 some, they are not the right ones. If you did neither, the resolver does not tell the truth: ask \
                 another one, with --resolver https://1.1.1.1/dns-query for example.",
            )
            .with("zone", zone.name.to_string()),
        );
    }
    if let (Some(Ok(records)), Some(Ok(checked))) = (&survey.records, &survey.checked)
        && records.is_answer()
        && checked.response_code == SERVFAIL
    {
        let detail = checked
            .extended_error()
            .map(|text| format!(" It says: {text}."))
            .unwrap_or_default();
        findings.push(
            Finding::warning(
                "resolver.rejects",
                format!(
                    "The resolver verifies DNSSEC and refuses what it gets for {}: for everybody who asks such a \
                     resolver, these names do not exist at all. That may well be true of the domain's web site and \
                     mail.{detail}",
                    plain(&survey.owner)
                ),
            )
            .advise(
                "Fix the problems below first. If there are none, they were fixed a short while ago, and the \
                 resolver remembers: wait an hour and check again.",
            ),
        );
    }
    findings
}
