//! `kliento signature`: VeraId signatures over any content, for any service.

use clap::{Args, Subcommand};
use kliento::veraid::{self, SignatureBundle, SignatureRequest, Verification};
use serde::Serialize;

use crate::arguments::{
    AnchorArguments, Lifetime, MakingArguments, PeriodArguments, PolicyArguments, Service,
    SignerArguments, service_name,
};
use crate::destination::{Content, Destination};
use crate::document::Signed;
use crate::fault::Fault;
use crate::input::{self, Source};
use crate::output::Output;

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

    #[command(flatten)]
    making: MakingArguments<SignatureLifetime>,

    /// Where to write the bundle (DER): a file, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

/// The lifetime of signatures.
#[derive(Debug)]
enum SignatureLifetime {}

impl Lifetime for SignatureLifetime {
    const HELP: &'static str = "How long the signature is valid";
    const DEFAULT: &'static str = "10m";
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
        let anchors = self.making.anchors()?;
        let signer = self.signer.load()?;
        let content = self.plaintext.read_document()?;
        let period = self.making.period()?;
        let Service(service) = self.service;

        let id = self.making.verify(&signer, &anchors, period, service)?;
        let content = if self.attach {
            veraid::Content::Attached(&content)
        } else {
            veraid::Content::Detached(&content)
        };
        let bundle = signer
            .signer()
            .sign(&SignatureRequest::new(content, service, period))
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
        self.out.report(output, &document, &text)
    }

    /// The kind of content: whatever is signed for Kliento is a token, whichever command signs it.
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
        let text = Signed::signature(&verified, service_name(service));
        text.warn();
        output.result(&Signed::signature(&verified, service.to_string()), &text)
    }
}
