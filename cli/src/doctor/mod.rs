//! A doctor for domains: what is wrong with the way an organisation's record is published, and what to do about it.
//!
//! The domain's DNS is where adopting this goes wrong, and where the least can be seen from the outside. So everything
//! is asked once ([`survey`]), and then each area says what it finds: in words for somebody who has never dealt with
//! DNSSEC, with the very lines to hand on, and under stable names for programs. Whether the record is proven is never
//! guessed here: that is [`dnssec`]'s verdict, and nothing is called good against it.

mod delegation;
mod finding;
mod keys;
mod records;
mod report;
mod resolver;
mod signatures;
mod size;
mod survey;
mod words;

use dnssec::{Client, Resolver, TrustAnchors};
use kliento::veraid::{
    Dialect, KeyAlgorithm, ObjectIdentifier, Organisation, PublicKey, Timestamp,
};

use self::finding::Finding;
pub(crate) use self::records::dialect_option;
pub(crate) use self::report::{Report, Status};
use self::size::{BundleSizes, ChainSize};
use crate::fault::Fault;

/// What to examine, and against what.
pub(crate) struct Subject {
    pub(crate) domain: Organisation,
    /// The protocol whose records are looked for.
    pub(crate) dialect: Dialect,
    pub(crate) resolver: Resolver,
    pub(crate) anchors: TrustAnchors,
    /// The key that the records should be about, if there is one to compare them with.
    pub(crate) key: Option<PublicKey>,
    /// The service that the records should allow.
    pub(crate) service: ObjectIdentifier,
    pub(crate) now: Timestamp,
    pub(crate) commands: Commands,
}

/// What to type after the examination.
pub(crate) struct Commands {
    /// Where something is wrong, or nothing is known.
    pub(crate) check: String,
    /// Where all is well.
    pub(crate) retrieve: String,
}

impl Subject {
    fn resolver_name(&self) -> String {
        match self.resolver.to_string().as_str() {
            "system" => "this machine's resolver".to_owned(),
            other => other.to_owned(),
        }
    }
}

/// Examines a domain. A fault is one of what was asked, or of this machine; whatever is wrong with the domain or on the
/// way to it is in the report.
pub(crate) async fn examine(subject: &Subject) -> Result<Report, Fault> {
    let resolver = subject.resolver_name();
    let owner = subject
        .domain
        .record_owner(subject.dialect)
        .map_err(|error| Fault::in_file(&subject.domain, &error))?;
    let Some(anchored) = survey::anchored_zone(&subject.anchors, &owner) else {
        let finding = delegation::without_anchor(subject.domain.as_str());
        return Ok(Report::new(subject, vec![finding]));
    };
    let contact = async {
        let client = Client::connect(&subject.resolver).await?;
        let probe = survey::probe(&client, anchored).await?;
        Ok((client, probe))
    };
    let (client, probe) = match contact.await {
        Ok(contact) => contact,
        Err(error @ dnssec::RetrievalError::Resolver(_)) => return Err(error.into()),
        Err(error) => {
            let finding = resolver::unreachable(&resolver, &error);
            return Ok(Report::new(subject, vec![finding]).unexamined());
        }
    };
    let mut findings = resolver::examine(&resolver, &probe);
    if findings.iter().any(Finding::is_problem) {
        return Ok(Report::new(subject, findings));
    }
    let survey = survey::gather(&client, subject, probe)
        .await
        .map_err(|error| Fault::in_file(&subject.domain, &error))?;
    findings.extend(resolver::examine_survey(&resolver, &survey));
    findings.extend(delegation::examine(&survey));
    findings.extend(keys::examine(&survey));
    let records = records::examine(&survey, subject);
    let is_explained = findings.iter().any(Finding::is_problem);
    findings.extend(signatures::examine(
        &survey,
        subject.now,
        is_explained,
        &records.overrides,
    ));
    findings.extend(records.findings);
    let mut report = Report::new(subject, findings);
    if let Some(Ok(chain_der)) = &survey.chain {
        report = report.with(signatures::examine_for_domain_auth(
            chain_der, &owner, subject,
        ));
        report = measured(report, chain_der, subject, records.key_algorithm)?;
    } else if !report.has_problems() {
        // Nothing is called good that is not proven.
        report = report.with(vec![signatures::without_chain(&survey)]);
    }
    Ok(report)
}

/// Adds how large things are that are made with the chain.
fn measured(
    report: Report,
    chain_der: &[u8],
    subject: &Subject,
    published: Option<KeyAlgorithm>,
) -> Result<Report, Fault> {
    let algorithm = subject
        .key
        .as_ref()
        .map(PublicKey::algorithm)
        // Others have no records.
        .filter(|algorithm| {
            let is_in_dialect =
                subject.dialect == Dialect::DomainAuth || !algorithm.is_experimental();
            is_in_dialect && algorithm.record_number().is_some()
        })
        .or(published)
        .unwrap_or(KeyAlgorithm::Rsa2048);
    let Some(chain) = ChainSize::of(chain_der, subject.now) else {
        return Ok(report);
    };
    let bundle = BundleSizes::measure(chain_der, subject, algorithm)?;
    let findings = size::examine(&chain, &bundle);
    Ok(report.with(findings).sized(chain, bundle))
}
