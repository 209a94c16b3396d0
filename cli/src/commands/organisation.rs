//! `kliento organisation`: what a domain's owner publishes and hands out.

use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Subcommand};
use dnssec::Resolver;
use kliento::veraid::{
    self, Dialect, DialectError, DigestType, IntermediateCertificate, IntermediateName,
    IntermediateRequest, Member, Organisation, OrganisationCertificate, OrganisationRequest,
    Period, PublicKey, SigningKey as _, TtlOverride, TxtRecord, TxtRecordKeyError, UserName,
};
use serde::Serialize;

use crate::arguments::{self, AnchorArguments, IssuerArguments, Service, StartArguments};
use crate::destination::{Content, Destination};
use crate::doctor::{self, Commands, Status, Subject};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::Source;
use crate::output::Output;
use crate::runtime;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Print the TXT record to publish, as a line of a zone file; or one for each dialect.
    Record(Record),
    /// Make the organisation's certificate, which its own key signs.
    Certificate(Certificate),
    /// Make the certificate of somebody who signs, or certifies members, in the organisation's place (DomainAuth).
    Delegate(Delegate),
    /// Examine how the domain is set up: what is wrong, and what to do about it.
    Check(Check),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Record(arguments) => arguments.run(output),
            Self::Certificate(arguments) => arguments.run(output),
            Self::Delegate(arguments) => arguments.run(output),
            Self::Check(arguments) => arguments.run(output),
        }
    }
}

/// For which dialects to print records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordDialects {
    One(Dialect),
    Both,
}

/// The word for both dialects.
const BOTH_DIALECTS: &str = "both";

impl FromStr for RecordDialects {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == BOTH_DIALECTS {
            return Ok(Self::Both);
        }
        text.parse().map(Self::One)
    }
}

fn record_dialects_parser() -> impl TypedValueParser<Value = RecordDialects> {
    let both = PossibleValue::new(BOTH_DIALECTS).help("a record for each, side by side");
    let one = Dialect::ALL.iter().copied().map(arguments::dialect_value);
    PossibleValuesParser::new(one.chain([both])).try_map(|name| name.parse::<RecordDialects>())
}

fn digest_type_parser() -> impl TypedValueParser<Value = DigestType> {
    let values = DigestType::ALL.iter().map(|digest_type| {
        let value = PossibleValue::new(digest_type.to_string());
        match digest_type {
            DigestType::None => value.help("the key itself, if it is small: Ed25519 and ECDSA"),
            _ => value,
        }
    });
    PossibleValuesParser::new(values).try_map(|name| name.parse::<DigestType>())
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento organisation record --domain example.com --key org.key.pem
  kliento org record --domain example.com --key org.key.pem \\
      --service kliento --ttl-override 6h
  kliento org record --domain example.com --key org.key.pem --dialect both

With --json and --dialect both, the records are in the array \"records\".")]
pub(crate) struct Record {
    /// The domain.
    #[arg(long)]
    domain: Organisation,

    /// The organisation's key: a private key, or its public half (PEM or DER).
    #[arg(long, value_name = "FILE")]
    key: Source,

    /// How far back a verifier that checks a past period may rely on the record (TTL override), at most 90d; servers that
    /// check tokens now are not affected.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    ttl_override: Duration,

    /// Allow the key for this service alone: `kliento`, or an OID.
    #[arg(long, value_name = "OID")]
    service: Option<Service>,

    /// The protocol that the record is for.
    #[arg(long, default_value = "veraid", value_parser = record_dialects_parser())]
    dialect: RecordDialects,

    /// How a DomainAuth record identifies the key, in place of sha-256. VeraId's has the digest that goes with the key's
    /// size.
    #[arg(long, value_name = "TYPE", value_parser = digest_type_parser())]
    digest_type: Option<DigestType>,
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

/// The document that `--json` prints for both dialects.
#[derive(Serialize)]
struct RecordsDocument {
    records: Vec<RecordDocument>,
}

impl Record {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let ttl_override = u32::try_from(self.ttl_override.seconds())
            .ok()
            .and_then(TtlOverride::from_seconds)
            .ok_or_else(|| {
                Fault::failure(format!(
                    "--ttl-override {} is longer than 90 days, the limit for a record",
                    self.ttl_override
                ))
                .hint("give 90d or less")
            })?;
        let key = arguments::either_key(&self.key)?;
        match self.dialect {
            RecordDialects::One(dialect) => {
                let document = self.document(dialect, &key, ttl_override)?;
                output.product(&document, &format_args!("{}\n", document.zone_file_line))
            }
            RecordDialects::Both => {
                let records: Vec<RecordDocument> = Dialect::ALL
                    .iter()
                    .map(|&dialect| self.document(dialect, &key, ttl_override))
                    .collect::<Result<_, _>>()?;
                let lines: Vec<&str> = records
                    .iter()
                    .map(|record| record.zone_file_line.as_str())
                    .collect();
                let text = format!("{}\n", lines.join("\n"));
                output.product(&RecordsDocument { records }, &text)
            }
        }
    }

    fn document(
        &self,
        dialect: Dialect,
        key: &PublicKey,
        ttl_override: TtlOverride,
    ) -> Result<RecordDocument, Fault> {
        let service = self.service.map(|Service(service)| service);
        // VeraId's records don't say which digest they have.
        let digest_type = self
            .digest_type
            .filter(|_| dialect == Dialect::DomainAuth)
            .unwrap_or_else(|| DigestType::default_for(key.algorithm(), dialect));
        self.check_digest_type(dialect)?;
        let record = TxtRecord::with_digest_type(key, dialect, digest_type, ttl_override, service)
            .map_err(unrecordable)?;
        let in_zone = |error| Fault::in_file(&self.domain, &error);
        let owner = self.domain.record_owner(dialect).map_err(in_zone)?;
        Ok(RecordDocument {
            name: owner.to_string(),
            record_type: "TXT",
            rdata: record.to_rdata(),
            zone_file_line: record.to_zone_line(&self.domain).map_err(in_zone)?,
        })
    }

    fn check_digest_type(&self, dialect: Dialect) -> Result<(), Fault> {
        let is_for_veraid_alone = self.dialect == RecordDialects::One(Dialect::VeraId);
        if dialect == Dialect::VeraId && is_for_veraid_alone && self.digest_type.is_some() {
            return Err(Fault::failure(
                "--digest-type is for DomainAuth; VeraId's records don't name one",
            )
            .hint("omit --digest-type, or give --dialect domainauth"));
        }
        Ok(())
    }
}

/// The dialect's records can't be about the key.
fn unrecordable(error: TxtRecordKeyError) -> Fault {
    let fault = Fault::failure(error.to_string());
    match error {
        TxtRecordKeyError::NoNumber {
            dialect: Dialect::VeraId,
            algorithm,
        } if algorithm.is_experimental() => {
            fault.hint("give --dialect domainauth, which supports experimental keys")
        }
        TxtRecordKeyError::NoNumber { .. } => fault.hint(
            "an organisation's RSA key must have 2048, 3072 or 4096 bits; only members and delegates in DomainAuth may have others",
        ),
        TxtRecordKeyError::DigestType { .. } => fault.hint("omit --digest-type"),
        _ => fault,
    }
}

/// The longest validity in DomainAuth, in seconds.
const MAX_DOMAIN_AUTH_SECONDS: u32 = TtlOverride::MAX.seconds();

/// Refuses as a matter of usage what the library would refuse too.
fn check_lifetime(dialect: Dialect, valid_for: Duration) -> Result<(), Fault> {
    let limit = u64::from(MAX_DOMAIN_AUTH_SECONDS);
    if dialect == Dialect::DomainAuth && valid_for.seconds() > limit {
        return Err(Fault::failure(format!(
            "--valid-for {valid_for}: in DomainAuth, a certificate is valid for at most {}",
            Duration::from_seconds(limit)
        ))
        .hint("give 90d or less, and renew the certificate in time"));
    }
    Ok(())
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento organisation certificate --domain example.com --key org.key.pem \\
      --valid-for 90d \\
      --out org.pem
  kliento organisation certificate --domain example.com --key org.key.pem \\
      --dialect domainauth \\
      --path-length 1 --out org.pem")]
pub(crate) struct Certificate {
    /// The domain.
    #[arg(long)]
    domain: Organisation,

    /// The organisation's private key (PKCS #8, PEM or DER).
    #[arg(long, value_name = "FILE")]
    key: Source,

    /// The protocol that the certificate is for.
    #[arg(long, default_value = "veraid", value_parser = arguments::dialect_parser())]
    dialect: Dialect,

    /// The most intermediate certificates between the organisation and a member (DomainAuth): 1 if delegates certify
    /// members, 0 if they only sign.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    path_length: u8,

    /// How long it is valid; in DomainAuth 90d at most.
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
    dialect: String,
    key_algorithm: String,
    path_length: u8,
    valid_from: String,
    valid_until: String,
}

impl Certificate {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        self.out.check(Content::PublicText, output)?;
        check_lifetime(self.dialect, self.valid_for)?;
        let key = arguments::private_key(&self.key)?;
        let period = self.start.period(self.valid_for)?;
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&self.domain, self.dialect, period)
                .with_path_length(self.path_length),
            &key,
        )
        .map_err(|error| self.refusal(&error))?;
        self.out
            .write(certificate.to_pem().as_bytes(), Content::PublicText)?;
        let document = CertificateDocument {
            file: self.out.to_string(),
            organisation: self.domain.to_string(),
            dialect: self.dialect.to_string(),
            key_algorithm: key.public_key().algorithm().to_string(),
            path_length: self.path_length,
            valid_from: period.start().to_string(),
            valid_until: period.end().to_string(),
        };
        let text = format!(
            "Wrote {}, the certificate of {}, valid until {}.",
            self.out, self.domain, document.valid_until
        );
        self.out.report(output, &document, &text)
    }

    fn refusal(&self, error: &veraid::IssueError) -> Fault {
        if matches!(
            error,
            veraid::IssueError::Invalid(veraid::VerifyError::IntermediatesOutsideDialect)
        ) {
            return Fault::failure(format!(
                "--path-length {}: VeraId has no intermediate certificates",
                self.path_length
            ))
            .hint("omit --path-length, or give --dialect domainauth");
        }
        Fault::of_request(error)
    }
}

/// The validity of an intermediate's certificate if nothing else is said, in seconds: 30 days.
const DELEGATE_SECONDS: u64 = 2_592_000;

#[derive(Args, Debug)]
#[command(
    group(ArgGroup::new("delegate").args(["label", "name"]).required(true)),
    after_help = "\
Examples:
  kliento organisation delegate --label gateway \\
      --public-key gateway.pub.pem \\
      --organisation-certificate org.pem --organisation-key org.key.pem \\
      --out gateway.pem
  kliento organisation delegate --label 'Paris office' \\
      --public-key paris.pub.pem \\
      --organisation-certificate org.pem --organisation-key org.key.pem \\
      --out paris.pem

The delegate signs in the organisation's name with `kliento token issue
--intermediate`. If the organisation's certificate was made with
--path-length 1, it also issues certificates to members, with `kliento
member certify --intermediate`; with 2 and more, those to whom it delegates
in turn do, each of whom takes one away."
)]
pub(crate) struct Delegate {
    /// What the delegate does, in a few words; it signs nothing as a member.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = arguments::hyphenated::<String>())]
    label: Option<String>,

    /// The member that the delegate is, and as whom its key may sign, too.
    #[arg(long, value_name = "MEMBER", allow_hyphen_values = true, value_parser = arguments::hyphenated::<UserName>())]
    name: Option<UserName>,

    /// The delegate's public key (SPKI, PEM or DER).
    #[arg(long, value_name = "FILE")]
    public_key: Source,

    #[command(flatten)]
    issuer: IssuerArguments,

    /// How many further intermediates may stand between this one and a member: 0 if it is to issue certificates to
    /// members alone, or only to sign.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    path_length: u8,

    /// How long it is valid, 90d at most. Without it, 30d, or until the issuer's certificate ends if that is sooner.
    #[arg(long, value_name = "DURATION")]
    valid_for: Option<Duration>,

    #[command(flatten)]
    start: StartArguments,

    /// Where to write the certificate (PEM): a file, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DelegateDocument {
    file: String,
    organisation: String,
    label: Option<String>,
    user: Option<String>,
    key_algorithm: String,
    path_length: u8,
    valid_from: String,
    valid_until: String,
}

impl Delegate {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        self.out.check(Content::PublicText, output)?;
        if let Some(valid_for) = self.valid_for {
            check_lifetime(Dialect::DomainAuth, valid_for)?;
        }
        let public_key = arguments::public_key(&self.public_key)?;
        let issuer = self.issuer.load()?;
        let period = self.period(issuer.period())?;
        let name = self.subject()?;
        let certificate = IntermediateCertificate::issue(
            &IntermediateRequest::new(&name, &public_key, issuer.issuer(), period)
                .with_path_length(self.path_length),
            &issuer.key,
        )
        .map_err(|error| Fault::of_request(&error))?;
        self.out
            .write(certificate.to_pem().as_bytes(), Content::PublicText)?;
        let organisation = issuer.organisation.organisation();
        let document = DelegateDocument {
            file: self.out.to_string(),
            organisation: organisation.to_string(),
            label: self.label.clone(),
            user: self.name.as_ref().map(ToString::to_string),
            key_algorithm: public_key.algorithm().to_string(),
            path_length: self.path_length,
            valid_from: period.start().to_string(),
            valid_until: period.end().to_string(),
        };
        let text = format!(
            "Wrote {}, the certificate of a delegate of {organisation}, valid until {}.",
            self.out, document.valid_until
        );
        self.out.report(output, &document, &text)
    }

    fn subject(&self) -> Result<IntermediateName, Fault> {
        match (&self.label, &self.name) {
            (Some(label), _) => Ok(IntermediateName::Unit(label.clone())),
            (None, Some(name)) => Ok(IntermediateName::Member(Member::User(name.clone()))),
            (None, None) => Err(Fault::failure("give --label or --name")),
        }
    }

    fn period(&self, issuer: Period) -> Result<Period, Fault> {
        if let Some(valid_for) = self.valid_for {
            return self.start.period(valid_for);
        }
        let usual = self
            .start
            .period(Duration::from_seconds(DELEGATE_SECONDS))?;
        // What starts outside of it is refused where it is issued, and says why.
        Ok(Period::new(usual.start(), usual.end().min(issuer.end())).unwrap_or(usual))
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
  kliento organisation check --domain example.com --dialect domainauth
  kliento org check --domain example.com --key org.key.pem \\
      --resolver https://1.1.1.1/dns-query

Exit status: 0 nothing is wrong (there may be notes and warnings), 1
something is, 2 no resolver could be reached.")]
pub(crate) struct Check {
    /// The domain.
    #[arg(long)]
    domain: Organisation,

    /// The organisation's key, to compare the records with: a private key, or its public half (PEM or DER).
    #[arg(long, value_name = "FILE")]
    key: Option<Source>,

    /// The protocol whose records to examine. For VeraId, the report also says whether DomainAuth records exist.
    #[arg(long, default_value = "veraid", value_parser = arguments::dialect_parser())]
    dialect: Dialect,

    /// The service that the record should allow: `kliento`, or an OID.
    #[arg(long, value_name = "OID", default_value = "kliento")]
    service: Service,

    /// The resolver to ask: `system`, `IP[:PORT]`, `tls://HOST[:PORT]` or `https://HOST[:PORT]/PATH`.
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
        Ok(resolver.with_authorities(arguments::certificates(source)?))
    }

    /// The commands to type next, to get or to check again what was checked.
    fn commands(&self) -> Commands {
        let Self { domain, .. } = self;
        let given = |option: &str, source: Option<&Source>| {
            source.map_or_else(String::new, |source| {
                format!(" {option} {}", shell_word(&source.to_string()))
            })
        };
        let dialect = doctor::dialect_option(self.dialect);
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
            check: format!("kliento organisation check --domain {domain}{dialect}{what}{how}"),
            retrieve: format!(
                "kliento dnssec retrieve --domain {domain}{dialect}{how} --out {domain}.chain"
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
            dialect: self.dialect,
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
