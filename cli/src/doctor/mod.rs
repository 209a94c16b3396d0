//! A doctor for domains: what is wrong with the way an organisation's record is published, and what to do about it.
//!
//! The domain's DNS is where adopting this goes wrong, and where the least can be seen from the outside. So everything
//! is asked once ([`survey`]), and then an [`Examiner`] decides, area by area, what there is to say. The texts are in
//! [`findings`]: in words for somebody who has never dealt with DNSSEC, with the very lines to hand on, and under stable
//! names for programs. Whether the record is proven is never guessed here: that is [`dnssec`]'s verdict, and nothing is
//! called good against it.

mod delegation;
mod finding;
mod findings;
mod keys;
mod records;
mod report;
mod resolver;
mod signatures;
mod size;
mod survey;
mod words;

use dnssec::{Client, Name, Resolver, TrustAnchors};
use kliento::veraid::{Dialect, KeyAlgorithm, Organisation, PublicKey, ServiceOid, Timestamp};

use self::finding::Finding;
pub(crate) use self::findings::records::dialect_option;
pub(crate) use self::report::{Report, Status};
use self::size::{BundleSizes, ChainSize};
use self::survey::Survey;
use self::words::SeenZone;
use crate::fault::Fault;

/// The subject of an examination, and what it is examined against.
pub(crate) struct Subject {
    pub(crate) domain: Organisation,
    /// The protocol whose records are looked for.
    pub(crate) dialect: Dialect,
    pub(crate) resolver: Resolver,
    pub(crate) anchors: TrustAnchors,
    /// The key that the records should be about, if there is one to compare them with.
    pub(crate) key: Option<PublicKey>,
    /// The service that the records should allow.
    pub(crate) service: ServiceOid,
    pub(crate) now: Timestamp,
    pub(crate) commands: Commands,
}

/// The commands to type after the examination.
pub(crate) struct Commands {
    /// For a domain with problems, or one of which nothing is known.
    pub(crate) check: String,
    /// For a domain without problems.
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

/// The examination of one domain: what was asked about it, and what its DNS says. Each area's part is in its module.
struct Examiner<'e> {
    subject: &'e Subject,
    survey: &'e Survey,
}

impl<'e> Examiner<'e> {
    /// The zone that holds the domain, if the way led as far.
    fn own(&self) -> Option<&'e Name> {
        self.survey.own_zone().map(|zone| &zone.name)
    }

    /// A zone as seen from the domain.
    fn seen<'n>(&'n self, name: &'n Name) -> SeenZone<'n> {
        SeenZone {
            name,
            own: self.own(),
        }
    }

    /// Tells whether a chain proves the records.
    fn has_chain(&self) -> bool {
        matches!(&self.survey.chain, Some(Ok(_)))
    }

    /// Examines everything, starting from what there was to say of the resolver at first contact.
    fn examine(&self, mut findings: Vec<Finding>) -> Result<Report, Fault> {
        findings.extend(self.examine_resolver());
        findings.extend(self.examine_delegation());
        findings.extend(self.examine_keys());
        let is_explained = findings.iter().any(Finding::is_problem);
        let records = self.examine_records();
        findings.extend(self.examine_signatures(is_explained, &records.overrides));
        findings.extend(records.findings);
        let report = Report::new(self.subject, findings);
        if let Some(Ok(chain_der)) = &self.survey.chain {
            let too_long = self.examine_longest_signature(chain_der);
            let report = report.with(too_long.into_iter().collect());
            self.measured(report, chain_der, records.key_algorithm)
        } else if report.has_problems() {
            Ok(report)
        } else {
            // Nothing is called good that is not proven.
            Ok(report.with(vec![self.without_chain()]))
        }
    }

    /// Adds how large things are that are made with the chain.
    fn measured(
        &self,
        report: Report,
        chain_der: &[u8],
        published: Option<KeyAlgorithm>,
    ) -> Result<Report, Fault> {
        let subject = self.subject;
        let algorithm = subject
            .key
            .as_ref()
            .map(PublicKey::algorithm)
            // Others have no records.
            .filter(|algorithm| self.records().number_of(*algorithm).is_some())
            .or(published)
            .unwrap_or(KeyAlgorithm::Rsa2048);
        let Some(chain) = ChainSize::of(chain_der, subject.now) else {
            return Ok(report);
        };
        let bundle = BundleSizes::measure(chain_der, subject, algorithm)?;
        let findings = size::examine(&chain, &bundle);
        Ok(report.with(findings).sized(chain, bundle))
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
        let finding = findings::delegation::no_anchor(subject.domain.as_str());
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
    let findings = resolver::examine_probe(&resolver, &probe);
    if findings.iter().any(Finding::is_problem) {
        return Ok(Report::new(subject, findings));
    }
    let survey = survey::gather(&client, subject, probe)
        .await
        .map_err(|error| Fault::in_file(&subject.domain, &error))?;
    let survey = &survey;
    Examiner { subject, survey }.examine(findings)
}
