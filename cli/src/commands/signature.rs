//! `kliento signature`: VeraId signatures over any content, for any service.

use std::fmt;

use clap::{Args, Subcommand};
use kliento::veraid::{
    self, Dialect, Encapsulation, KeyAlgorithm, MemberId, Period, SignatureBundle, SignedBy,
    Verification, VerifiedSignature,
};
use serde::Serialize;

use super::member::warn_of_an_early_end;
use crate::arguments::{
    AlgorithmArguments, AnchorArguments, FoundationArguments, PeriodArguments, PolicyArguments,
    Service, SignerArguments, StartArguments, service_name,
};
use crate::destination::{Content, Destination};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::{self, Source};
use crate::output::{self, Fields, GOOD, Output, Printable};

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Sign a file.
    Create(Create),
    /// Verify a signature, offline.
    Verify(Verify),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Create(arguments) => arguments.run(output),
            Self::Verify(arguments) => arguments.run(output),
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento signature create --service 1.3.6.1.4.1.58708.1.1 \\
      --plaintext report.pdf \\
      --member-id-bundle alice.member-id --key alice.key.pem \\
      --valid-for 30d --out report.pdf.sig
  kliento signature create --service 1.3.6.1.4.1.58708.1.1 --plaintext - \\
      --attach \\
      --organisation-certificate org.pem --dnssec-chain example.com.chain \\
      --key org.key.pem \\
      --on-behalf-of alice --out message.sig < message")]
pub(crate) struct Create {
    /// The service that the signature is for: an OID, or `kliento`.
    #[arg(long, value_name = "OID")]
    service: Service,

    /// What to sign; - for stdin.
    #[arg(long, value_name = "FILE")]
    plaintext: Source,

    /// Put the content into the bundle.
    #[arg(long)]
    attach: bool,

    #[command(flatten)]
    signer: SignerArguments,

    /// How long the signature is valid.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    valid_for: Duration,

    #[command(flatten)]
    start: StartArguments,

    #[command(flatten)]
    foundation: FoundationArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    algorithms: AlgorithmArguments,

    /// Where to write the bundle (DER): a file, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateDocument {
    file: String,
    octets: usize,
    subject: String,
    service: String,
    attached: bool,
    valid_from: String,
    valid_until: String,
}

impl Create {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let form = self.form();
        self.out.check(form, output)?;
        let anchors = self.anchors.load()?;
        let signer = self.signer.load()?;
        let content = self.plaintext.read_document()?;
        let period = self.start.period(self.valid_for)?;
        let Service(service) = self.service;

        let (id, rest) = signer.verify(
            &anchors,
            self.foundation.moment(period),
            service,
            self.algorithms.policy(),
        )?;
        warn_of_an_early_end(period, rest);
        let encapsulation = if self.attach {
            Encapsulation::Attached
        } else {
            Encapsulation::Detached
        };
        let bundle = veraid::sign(&signer.signer(), &content, service, period, encapsulation)
            .map_err(|error| Fault::of_request(&error))?;
        self.out.write(&bundle, form)?;

        let document = CreateDocument {
            file: self.out.to_string(),
            octets: bundle.len(),
            subject: id.to_string(),
            service: service.to_string(),
            attached: self.attach,
            valid_from: period.start().to_string(),
            valid_until: period.end().to_string(),
        };
        let text = format!(
            "Wrote {}, signed as {id}, valid until {}.",
            self.out, document.valid_until
        );
        output.written(&self.out, &document, &text)
    }

    /// What is signed for Kliento is a token, whichever command signs it.
    fn form(&self) -> Content {
        if self.service == Service(kliento::SERVICE) {
            Content::BearerBinary
        } else {
            Content::PublicBinary
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento signature verify --service 1.3.6.1.4.1.58708.1.1 \\
      --plaintext report.pdf report.pdf.sig
  kliento signature verify --service 1.3.6.1.4.1.58708.1.1 message.sig \\
      --from 2026-11-01T00:00:00Z --until 2026-11-30T00:00:00Z")]
pub(crate) struct Verify {
    /// The service that the signature must be for: an OID, or `kliento`.
    #[arg(long, value_name = "OID")]
    service: Service,

    /// What was signed, if it is not in the bundle; - for stdin.
    #[arg(long, value_name = "FILE")]
    plaintext: Option<Source>,

    #[command(flatten)]
    period: PeriodArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    policy: PolicyArguments,

    /// The signature bundle: DER or Base64; - for stdin.
    bundle: Source,
}

/// What `signature verify --json` and, with an audience and claims in place of the service, `token verify --json` say
/// of a signature that is valid.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signed {
    status: &'static str,
    subject_id: String,
    subject: String,
    #[serde(flatten)]
    purpose: Purpose,
    organisation: String,
    organisation_unicode: String,
    user: Option<String>,
    signed_by: &'static str,
    /// By somebody to whom the organisation delegates, if that is so.
    #[serde(skip_serializing_if = "is_false")]
    delegated: bool,
    dialect: String,
    key_algorithm: String,
    valid_from: String,
    valid_until: String,
    /// What a careful reader should know before believing their eyes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What was signed for.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Purpose {
    Token {
        claims: kliento::Claims,
        audience: String,
    },
    Service {
        service: String,
    },
}

/// The facts that every valid signature has.
pub(super) struct Facts<'a> {
    pub(super) id: &'a MemberId,
    pub(super) signed_by: SignedBy,
    pub(super) is_delegated: bool,
    pub(super) dialect: Dialect,
    pub(super) key_algorithm: KeyAlgorithm,
    pub(super) validity: Period,
}

impl Signed {
    pub(super) fn new(purpose: Purpose, facts: &Facts<'_>) -> Self {
        let subject = facts.id.to_string();
        let organisation = facts.id.organisation();
        Self {
            status: "valid",
            subject_id: subject.clone(),
            subject,
            purpose,
            organisation: organisation.to_string(),
            organisation_unicode: organisation.unicode().into_owned(),
            user: facts.id.member().user().map(ToString::to_string),
            signed_by: signer_name(facts.signed_by),
            delegated: facts.is_delegated,
            dialect: facts.dialect.to_string(),
            key_algorithm: facts.key_algorithm.to_string(),
            valid_from: facts.validity.start().to_string(),
            valid_until: facts.validity.end().to_string(),
            warnings: organisation
                .confusable_labels()
                .iter()
                .map(|label| format!("the domain may pass for another: {label}"))
                .collect(),
        }
    }

    /// Says on stderr what people should know.
    pub(super) fn warn(&self) {
        for warning in &self.warnings {
            output::warn(Printable(warning));
        }
    }
}

/// Who signed, as `--json` has it.
pub(crate) fn signer_name(signed_by: SignedBy) -> &'static str {
    match signed_by {
        SignedBy::Member => "member",
        SignedBy::Organisation => "organisation",
        _ => "unknown",
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{GOOD}valid{GOOD:#}")?;
        let mut fields = Fields::new();
        fields.add("subject", &self.subject);
        if self.organisation_unicode != self.organisation {
            fields.add("organisation", &self.organisation_unicode);
        }
        fields.add(
            "signed by",
            match (self.signed_by, self.delegated) {
                ("member", _) => "the member",
                (_, false) => "the organisation, which names the member",
                (_, true) => "a delegate of the organisation, which names the member",
            },
        );
        match &self.purpose {
            Purpose::Token { claims, audience } => {
                fields.add("audience", Printable(audience));
                for (name, value) in claims.iter() {
                    fields.add(
                        "claim",
                        format_args!("{} = {}", Printable(name), Printable(value)),
                    );
                }
            }
            Purpose::Service { service } => {
                fields.add("service", service);
            }
        }
        fields.add("dialect", &self.dialect);
        fields.add("key", &self.key_algorithm);
        fields.add(
            "valid",
            format_args!("{} to {}", self.valid_from, self.valid_until),
        );
        fields.fmt(formatter)
    }
}

impl Verify {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let anchors = self.anchors.load()?;
        let Service(service) = self.service;
        let period = self.period.get()?;
        let plaintext = self
            .plaintext
            .as_ref()
            .map(Source::read_document)
            .transpose()?;
        let octets = input::bundle_octets(self.bundle.read_document_to_judge()?)?;
        let bundle = SignatureBundle::from_der(&octets)?;

        let mut verification =
            Verification::new(service, period, &anchors).with_policy(self.policy.policy());
        if let Some(plaintext) = &plaintext {
            verification = verification.with_detached_content(plaintext);
        }
        let verified = bundle.verify(&verification)?;
        let purpose = Purpose::Service {
            service: service_name(service),
        };
        let text = Signed::new(purpose, &facts(&verified));
        text.warn();
        let purpose = Purpose::Service {
            service: service.to_string(),
        };
        output.result(&Signed::new(purpose, &facts(&verified)), &text)
    }
}

fn facts<'a>(verified: &'a VerifiedSignature<'_>) -> Facts<'a> {
    Facts {
        id: verified.member_id(),
        signed_by: verified.signed_by(),
        is_delegated: verified.is_delegated(),
        dialect: verified.dialect(),
        key_algorithm: verified.key_algorithm(),
        validity: verified.period(),
    }
}
