//! `kliento organisation`: what a domain's owner publishes and hands out.

use clap::{Args, Subcommand, ValueEnum};
use dnssec::Resolver;
use kliento::veraid::{
    Dialect, Organisation, OrganisationCertificate, SigningKey as _, TtlOverride, TxtRecord,
};
use serde::Serialize;

use crate::arguments::{self, AnchorArguments, Service, StartArguments};
use crate::destination::{Content, Destination};
use crate::doctor::{self, Commands, Status, Subject};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::Source;
use crate::output::Output;
use crate::runtime;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Print the TXT record to publish, as a line of a zone file.
    Record(Record),
    /// Make the organisation's certificate, which its own key signs.
    Certificate(Certificate),
    /// Examine how the domain is set up: what is wrong, and what to do about it.
    Check(Check),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Record(arguments) => arguments.run(output),
            Self::Certificate(arguments) => arguments.run(output),
            Self::Check(arguments) => arguments.run(output),
        }
    }
}

/// The generations of the protocol that records are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DialectChoice {
    /// VeraId, published at _veraid.DOMAIN.
    Veraid,
    /// Not spoken by this version.
    #[value(hide = true)]
    Domainauth,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento organisation record --domain example.com --key org.key.pem
  kliento org record --domain example.com --key org.key.pem --service kliento --ttl-override 6h")]
pub(crate) struct Record {
    /// The domain.
    #[arg(long)]
    domain: Organisation,

    /// The organisation's key: a private key, or its public half (PEM).
    #[arg(long, value_name = "FILE")]
    key: Source,

    /// How long after a DNSSEC signature has ended a verifier that looks at a period may still count on the record;
    /// at most 90d.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    ttl_override: Duration,

    /// Allow the key for this service alone: `kliento`, or an OID.
    #[arg(long, value_name = "OID")]
    service: Option<Service>,

    /// The generation of the protocol; this version speaks veraid only.
    #[arg(long, default_value = "veraid")]
    dialect: DialectChoice,
}

#[derive(Serialize)]
struct RecordDocument {
    name: String,
    #[serde(rename = "type")]
    record_type: &'static str,
    rdata: String,
    #[serde(rename = "zoneFileLine")]
    zone_file_line: String,
}

impl Record {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        if self.dialect == DialectChoice::Domainauth {
            return Err(
                Fault::failure("this version of kliento speaks only the veraid dialect")
                    .hint("leave --dialect out"),
            );
        }
        let ttl_override = u32::try_from(self.ttl_override.seconds())
            .ok()
            .and_then(TtlOverride::from_seconds)
            .ok_or_else(|| {
                Fault::failure(format!(
                    "--ttl-override {} is longer than the 90 days that VeraId allows",
                    self.ttl_override
                ))
                .hint("give 90d or less")
            })?;
        let key = arguments::either_key(&self.key)?;
        let service = self.service.map(|Service(service)| service);
        let record = TxtRecord::new(&key, Dialect::VeraId, ttl_override, service)
            .map_err(|error| Fault::failure(error.to_string()))?;
        let in_zone = |error| Fault::in_file(&self.domain, &error);
        let owner = self.domain.record_owner(Dialect::VeraId).map_err(in_zone)?;
        let zone_file_line = record.to_zone_line(&self.domain).map_err(in_zone)?;
        let document = RecordDocument {
            name: owner.to_string(),
            record_type: "TXT",
            rdata: record.to_rdata(),
            zone_file_line,
        };
        let text = format!("{}\n", document.zone_file_line.trim_end());
        output.product(&document, &text)
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  kliento organisation certificate --domain example.com --key org.key.pem --valid-for 90d --out org.pem")]
pub(crate) struct Certificate {
    /// The domain.
    #[arg(long)]
    domain: Organisation,

    /// The organisation's private key (PKCS #8 PEM).
    #[arg(long, value_name = "FILE")]
    key: Source,

    /// How long it is valid.
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    valid_for: Duration,

    #[command(flatten)]
    start: StartArguments,

    /// Where to write it (PEM): a file, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateDocument {
    file: String,
    organisation: String,
    key_algorithm: String,
    valid_from: String,
    valid_until: String,
}

impl Certificate {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        self.out.check(Content::PublicText, output)?;
        let key = arguments::private_key(&self.key)?;
        let period = self.start.period(self.valid_for)?;
        let certificate =
            OrganisationCertificate::self_issue(&self.domain, Dialect::VeraId, &key, period, 0)?;
        self.out
            .write(certificate.to_pem().as_bytes(), Content::PublicText)?;
        let document = CertificateDocument {
            file: self.out.to_string(),
            organisation: self.domain.to_string(),
            key_algorithm: key.public_key().algorithm().to_string(),
            valid_from: period.start().to_string(),
            valid_until: period.end().to_string(),
        };
        let text = format!(
            "Wrote {}, the certificate of {}, valid until {}.",
            self.out, self.domain, document.valid_until
        );
        output.written(&self.out, &document, &text)
    }
}

/// A file's name as a shell takes it.
fn shell_word(text: &str) -> String {
    let is_plain =
        |character: char| character.is_alphanumeric() || "-_./+=:,@%".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento organisation check --domain example.com
  kliento org check --domain example.com --key org.key.pem --resolver https://1.1.1.1/dns-query

Exit status: 0 nothing is wrong (there may be notes and warnings), 1 something is, 2 nobody could be asked.")]
pub(crate) struct Check {
    /// The domain.
    #[arg(long)]
    domain: Organisation,

    /// The organisation's key, to compare the records with: a private key, or its public half (PEM).
    #[arg(long, value_name = "FILE")]
    key: Option<Source>,

    /// The service that the record should allow: `kliento`, or an OID.
    #[arg(long, value_name = "OID", default_value = "kliento")]
    service: Service,

    /// Whom to ask: `system`, `IP[:PORT]`, `tls://HOST[:PORT]` or `https://HOST[:PORT]/PATH`.
    #[arg(long, default_value = "system")]
    resolver: Resolver,

    /// Trust these certificates, too, for a resolver with TLS (PEM, or one as DER).
    #[arg(long, value_name = "FILE")]
    resolver_ca: Option<Source>,

    #[command(flatten)]
    anchors: AnchorArguments,
}

impl Check {
    fn resolver(&self) -> Result<Resolver, Fault> {
        let resolver = self.resolver.clone();
        let Some(source) = &self.resolver_ca else {
            return Ok(resolver);
        };
        let octets = source.read()?;
        Ok(resolver.trusting(super::dnssec::certificates(source, &octets)?))
    }

    /// What to type next, to get or to check again what was checked.
    fn commands(&self) -> Commands {
        let Self { domain, .. } = self;
        let given = |option: &str, source: Option<&Source>| {
            source.map_or_else(String::new, |source| {
                format!(" {option} {}", shell_word(&source.to_string()))
            })
        };
        let mut how = match self.resolver.to_string().as_str() {
            "system" => String::new(),
            resolver => format!(" --resolver {resolver}"),
        };
        how += &given("--resolver-ca", self.resolver_ca.as_ref());
        how += &given("--trust-anchors", self.anchors.source());
        let service = match self.service.0 {
            kliento::SERVICE => String::new(),
            service => format!(" --service {service}"),
        };
        let what = given("--key", self.key.as_ref()) + &service;
        Commands {
            check: format!("kliento organisation check --domain {domain}{what}{how}"),
            retrieve: format!(
                "kliento dnssec retrieve --domain {domain}{how} --out {domain}.chain"
            ),
        }
    }

    fn run(self, output: &Output) -> Result<(), Fault> {
        let subject = Subject {
            commands: self.commands(),
            resolver: self.resolver()?,
            anchors: self.anchors.load()?,
            key: self.key.as_ref().map(arguments::either_key).transpose()?,
            service: self.service.0,
            now: arguments::now(),
            domain: self.domain,
        };
        let what = format!("asking {} about {}", subject.resolver, subject.domain);
        let report = runtime::block_on_patiently(doctor::examine(&subject), &what)??;
        output.result(&report, &report)?;
        match report.status() {
            Status::Good => Ok(()),
            Status::Problems => Err(Fault::unwelcome()),
            Status::Unknown => Err(Fault::undecided()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word("/etc/root-anchors.xml"), "/etc/root-anchors.xml");
        assert_eq!(shell_word("my keys; rm -r *"), "'my keys; rm -r *'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }
}
