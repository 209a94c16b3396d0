//! `kliento member`: an organisation vouches for a member's key, and the member renews the proof of that.

use clap::{ArgGroup, Args, Subcommand};
use kliento::veraid::{MemberCertificate, MemberIdBundle, MemberRequest, UserName, Verification};
use serde::Serialize;

use self::renew::Renew;
use crate::arguments::{
    self, AnchorArguments, Authority, IssuerArguments, Lifetime, MakingArguments, MomentArguments,
    warn_of_an_early_end,
};
use crate::destination::{Content, Destination};
use crate::fault::Fault;
use crate::input::{self, Source};
use crate::inspection::MembershipInspection;
use crate::output::Output;

mod renew;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a member id bundle: the member's certificate, with all that proves it.
    Certify(Box<Certify>),
    /// Put a fresh DNSSEC chain into a member id bundle; nobody's key is needed for that.
    Renew(Renew),
    /// Show all that is in a member id bundle, unverified, and when each part of it is valid.
    Inspect(Inspect),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Certify(arguments) => arguments.run(output),
            Self::Renew(arguments) => arguments.run(output),
            Self::Inspect(arguments) => arguments.run(output),
        }
    }
}

#[derive(Args, Debug)]
#[command(
    group(ArgGroup::new("member").args(["name", "bot"]).required(true)),
    after_help = "\
Examples:
  kliento member certify --name alice --public-key alice.pub.pem \\
      --organisation-certificate org.pem --organisation-key org.key.pem \\
      --dnssec-chain example.com.chain --out alice.member-id
  kliento member certify --name alice --public-key alice.pub.pem \\
      --organisation-certificate org.pem --intermediate staff.pem \\
      --intermediate-key staff.key.pem \\
      --dnssec-chain example.com.chain --out alice.member-id"
)]
pub(crate) struct Certify {
    /// The user's name within the organisation.
    #[arg(long, allow_hyphen_values = true, value_parser = arguments::hyphenated::<UserName>())]
    name: Option<UserName>,

    /// Certify the organisation's bot, which speaks for the organisation itself.
    #[arg(long)]
    bot: bool,

    /// The member's public key (SPKI, PEM or DER).
    #[arg(long, value_name = "FILE")]
    public_key: Source,

    #[command(flatten)]
    issuer: IssuerArguments,

    /// The organisation's DNSSEC chain, from `kliento dnssec retrieve`; it decides between VeraId and DomainAuth.
    #[arg(long, value_name = "FILE")]
    dnssec_chain: Source,

    #[command(flatten)]
    making: MakingArguments<CertificateLifetime>,

    /// Where to write the bundle (DER): a file, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

/// The lifetime of members' certificates.
#[derive(Debug)]
enum CertificateLifetime {}

impl Lifetime for CertificateLifetime {
    const HELP: &'static str = "How long the member's certificate is valid";
    const DEFAULT: &'static str = "7d";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertifyDocument {
    file: String,
    octets: usize,
    member: String,
    organisation: String,
    user: Option<String>,
    dialect: String,
    valid_from: String,
    valid_until: String,
}

impl Certify {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        self.out.check(Content::PublicBinary, output)?;
        let anchors = self.making.anchors()?;
        let chain = self.dnssec_chain.read_to_judge()?;
        let issuer = self.issuer.load()?;
        let public_key = arguments::public_key(&self.public_key)?;
        let member = arguments::member(self.name.as_ref());
        let period = self.making.period()?;

        let policy = self.making.policy();
        let moment = self.making.moment(period);
        // What nobody would accept is better refused where it can be mended.
        let dialect = issuer
            .organisation
            .verify(
                &chain,
                &Verification::for_any_service(moment, &anchors).with_policy(policy),
            )?
            .dialect();
        let certificate = MemberCertificate::issue(
            &MemberRequest::new(&member, &public_key, issuer.issuer(), dialect, period),
            &issuer.key,
        )
        .map_err(|error| Fault::of_request(&error))?;
        let Authority {
            organisation,
            intermediates,
            ..
        } = issuer;
        let bundle = MemberIdBundle::new(&chain, organisation, certificate, intermediates)?;
        let verified =
            bundle.verify(&Verification::for_any_service(moment, &anchors).with_policy(policy))?;
        warn_of_an_early_end(period, verified.period());

        let der = bundle.to_der()?;
        self.out.write(&der, Content::PublicBinary)?;
        let id = verified.member_id();
        let document = CertifyDocument {
            file: self.out.to_string(),
            octets: der.len(),
            member: id.to_string(),
            organisation: id.organisation().to_string(),
            user: id.member().user().map(ToString::to_string),
            dialect: dialect.to_string(),
            valid_from: verified.period().start().to_string(),
            valid_until: verified.period().end().to_string(),
        };
        let text = format!(
            "Wrote {}, the member id bundle of {id}, valid until {}.",
            self.out, document.valid_until
        );
        self.out.report(output, &document, &text)
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento member inspect alice.member-id
  kliento member inspect --at 2026-11-21T12:00:00Z --json alice.member-id")]
pub(crate) struct Inspect {
    #[command(flatten)]
    moment: MomentArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    /// The member id bundle: DER or Base64; - for stdin.
    bundle: Source,
}

impl Inspect {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let anchors = self.anchors.load()?;
        let octets = input::bundle_octets(self.bundle.read_to_judge()?)?;
        let inspection = MembershipInspection::of_bundle(&octets, self.moment.get(), &anchors)?;
        output.result(&inspection, &inspection)
    }
}
