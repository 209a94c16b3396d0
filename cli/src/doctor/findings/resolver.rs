//! Findings about the resolver that was asked.

use std::fmt::Display;

use dnssec::Name;

use super::it_says;
use crate::doctor::finding::Finding;
use crate::doctor::words::plain;

/// Resolvers that pass DNSSEC on, for those whose own does not.
const ANOTHER: &str =
    "Ask another resolver, with --resolver https://1.1.1.1/dns-query for example.";

pub(crate) fn untrusted(resolver: &str, problem: impl Display) -> Finding {
    Finding::problem(
        "resolver.untrusted",
        format!(
            "The identity of the resolver at {resolver} could not be verified: {problem}."
        ),
    )
    .advise(
        "If it is a resolver of your own, give the certificate of its authority with --resolver-ca. If not, check its \
         name, and that nobody sits in between.",
    )
    .with("resolver", resolver)
}

pub(crate) fn malformed(resolver: &str, problem: impl Display) -> Finding {
    Finding::problem(
        "resolver.malformed",
        format!("The answer of {resolver} is not a DNS message: {problem}."),
    )
    .advise(ANOTHER)
    .with("resolver", resolver)
}

pub(crate) fn no_response(resolver: &str, problem: impl Display) -> Finding {
    Finding::problem(
        "resolver.no_response",
        format!("{resolver} does not answer, so nothing could be looked at: {problem}."),
    )
    .advise(format!(
        "Check its address, and that this machine is online and no firewall stops DNS. {ANOTHER}"
    ))
    .with("resolver", resolver)
}

/// It fails with SERVFAIL even at the zone of the trust anchor.
pub(crate) fn fails(
    resolver: &str,
    anchored: &Name,
    code: String,
    explanation: Option<String>,
) -> Finding {
    Finding::problem(
        "resolver.fails",
        format!(
            "The resolver {resolver} fails ({code}) even when asked for the keys of {}: it can't reach the DNS \
             itself.{}",
            plain(anchored),
            it_says(explanation)
        ),
    )
    .advise(ANOTHER)
    .with("resolver", resolver)
    .with("responseCode", code)
}

pub(crate) fn refuses(resolver: &str, code: String, explanation: Option<String>) -> Finding {
    Finding::problem(
        "resolver.refuses",
        format!(
            "The server at {resolver} won't answer questions of this machine ({code}). Perhaps it is no resolver, but \
             a name server for certain domains only.{}",
            it_says(explanation)
        ),
    )
    .advise(ANOTHER)
    .with("resolver", resolver)
    .with("responseCode", code)
}

pub(crate) fn strips_signatures(resolver: &str, anchored: &Name) -> Finding {
    Finding::problem(
        "resolver.strips_signatures",
        format!(
            "The resolver {resolver} removes the DNSSEC signatures from its answers, even from the keys of {}. So the \
             domain's set-up can't be examined.",
            plain(anchored)
        ),
    )
    .advise(format!(
        "Many home routers and some office networks do that. The domain may be fine. {ANOTHER}"
    ))
    .with("resolver", resolver)
}

pub(crate) fn answers(resolver: &str) -> Finding {
    Finding::good(
        "resolver.answers",
        format!("{resolver} answers, and passes DNSSEC signatures on."),
    )
    .with("resolver", resolver)
}

pub(crate) fn validates() -> Finding {
    Finding::good(
        "resolver.validates",
        "It verifies DNSSEC itself, as most of the large public ones do.",
    )
}

pub(crate) fn not_validating(resolver: &str) -> Finding {
    Finding::note(
        "resolver.not_validating",
        "It does not verify DNSSEC itself. That does no harm: kliento verifies all of it, and trusts no resolver.",
    )
    .with("resolver", resolver)
}

/// Its keys of the zone at the top are not those of the trust anchors.
pub(crate) fn other_root(resolver: &str, top: &Name) -> Finding {
    Finding::problem(
        "resolver.other_root",
        format!(
            "The keys that {resolver} has for {} are not those that are trusted here, so nothing that it says can be \
             proven.",
            plain(top)
        ),
    )
    .advise(
        "If the domain lives under a private root, give that root's keys with --trust-anchors. If you gave some, they \
         are not the right ones. Otherwise, the resolver returns forged answers: ask another one, with \
         --resolver https://1.1.1.1/dns-query for example.",
    )
    .with("zone", top.to_string())
}

/// It refuses, once it verifies, what it hands over when it doesn't.
pub(crate) fn rejects(owner: &Name, explanation: Option<String>) -> Finding {
    Finding::warning(
        "resolver.rejects",
        format!(
            "The resolver verifies DNSSEC and refuses what it gets for {}: for everybody who asks such a resolver, \
             these names do not exist at all. That may well be true of the domain's web site and mail.{}",
            plain(owner),
            it_says(explanation)
        ),
    )
    .advise(
        "Fix the problems below first. If there are none, they were fixed a short while ago, and the resolver \
         remembers: wait an hour and check again.",
    )
}
