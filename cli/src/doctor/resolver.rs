//! The resolver that was asked: whether it answers, passes DNSSEC on, and has the root that we trust.

use dnssec::{Committer, Error, RecordType, RetrievalError};

use super::Examiner;
use super::finding::Finding;
use super::findings::resolver as found;
use super::survey::{Lookup, Probe, SERVFAIL, response_code_name};

/// The finding that no resolver could be asked at all.
pub(super) fn unreachable(resolver: &str, error: &RetrievalError) -> Finding {
    match error {
        RetrievalError::UntrustedResolver { problem, .. } => found::untrusted(resolver, problem),
        RetrievalError::MalformedResponse { source, .. } => found::malformed(resolver, source),
        RetrievalError::NoResponse { problem, .. } => found::no_response(resolver, problem),
        error => found::no_response(resolver, error),
    }
}

/// Examines the answers of first contact.
pub(super) fn examine_probe(resolver: &str, probe: &Probe) -> Vec<Finding> {
    let (anchored, keys) = (&probe.anchored, &probe.keys);
    if !keys.is_answer() {
        let code = response_code_name(keys.response_code);
        let explanation = keys.extended_error();
        return vec![if keys.response_code == SERVFAIL {
            found::fails(resolver, anchored, code, explanation)
        } else {
            found::refuses(resolver, code, explanation)
        }];
    }
    let mut signatures = keys.rrsigs(anchored, RecordType::DNSKEY);
    if signatures.next().is_none() {
        return vec![found::strips_signatures(resolver, anchored)];
    }
    vec![
        found::answers(resolver),
        validation(resolver, &probe.checked),
    ]
}

/// Others may rely on the resolver's own verdict; what counts here is verified here.
fn validation(resolver: &str, checked: &Lookup) -> Finding {
    if checked.as_ref().is_ok_and(|reply| reply.is_authenticated) {
        found::validates()
    } else {
        found::not_validating(resolver)
    }
}

impl Examiner<'_> {
    /// Compares what the resolver says with what is trusted, and with what it says itself when it verifies.
    pub(super) fn examine_resolver(&self) -> Vec<Finding> {
        let survey = self.survey;
        let mut findings = Vec::new();
        if let Some(top) = survey.zones.first()
            && let Err(Error::DnskeyNotCommitted {
                committed_by: Committer::TrustAnchor,
                ..
            }) = &top.proof
        {
            findings.push(found::other_root(&self.subject.resolver_name(), &top.name));
        }
        if let (Some(Ok(records)), Some(Ok(checked))) = (&survey.records, &survey.checked)
            && records.is_answer()
            && checked.response_code == SERVFAIL
        {
            findings.push(found::rejects(&survey.owner, checked.extended_error()));
        }
        findings
    }
}
