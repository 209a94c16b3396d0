//! `kliento token`: tokens issued, checked and looked into.

use clap::{Args, Subcommand, ValueEnum};
use kliento::veraid::{MemberIdBundle, Period};
use kliento::{Audience, Claims, Token, Verifier, header};
use serde::Serialize;

use crate::arguments::{
    self, AnchorArguments, Lifetime, LoadedSigner, MakingArguments, MomentArguments,
    PolicyArguments, SignerArguments,
};
use crate::destination::{Content, Destination};
use crate::document::Signed;
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::{self, Source};
use crate::inspection::Inspection;
use crate::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Sign a token.
    Issue(Issue),
    /// Check a token, offline.
    Verify(Verify),
    /// Show all that is in a token bundle, unverified, and when each part of it is valid.
    Inspect(Inspect),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Issue(arguments) => arguments.run(output),
            Self::Verify(arguments) => arguments.run(output),
            Self::Inspect(arguments) => arguments.run(output),
        }
    }
}

/// How a token bundle is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The octets themselves.
    Der,
    /// One line of Base64.
    Base64,
    /// The value of an Authorization field.
    Header,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento token issue --audience https://api.example.com \\
      --claim role=admin \\
      --member-id-bundle alice.member-id --key alice.key.pem \\
      --format header --out -
  kliento token issue --audience https://api.example.com \\
      --organisation-certificate org.pem \\
      --dnssec-chain example.com.chain --key org.key.pem \\
      --on-behalf-of alice --out alice.token
  kliento token issue --audience https://api.example.com \\
      --organisation-certificate org.pem \\
      --dnssec-chain example.com.chain --intermediate gateway.pem \\
      --key gateway.key.pem --bot \\
      --out gateway.token")]
pub(crate) struct Issue {
    /// The server that the token is for, exactly as that server calls itself.
    #[arg(long, allow_hyphen_values = true, value_parser = arguments::hyphenated::<Audience>())]
    audience: Audience,

    #[command(flatten)]
    claims: ClaimArguments,

    #[command(flatten)]
    signer: SignerArguments,

    #[command(flatten)]
    making: MakingArguments<TokenLifetime>,

    /// How to write it.
    #[arg(long, default_value = "der")]
    format: Format,

    /// Where to write it: a file, of mode 0600 if it is new, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

/// The lifetime of tokens.
#[derive(Debug)]
enum TokenLifetime {}

impl Lifetime for TokenLifetime {
    const HELP: &'static str = "How long the token is valid: 1h at most";
    const DEFAULT: &'static str = "10m";
}

/// The claims of a token.
#[derive(Args, Debug)]
pub(super) struct ClaimArguments {
    /// A claim; may be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", allow_hyphen_values = true, value_parser = arguments::hyphenated::<Claim>())]
    claims: Vec<Claim>,
}

impl ClaimArguments {
    pub(super) fn get(&self) -> Result<Claims, Fault> {
        let mut claims = Claims::new();
        for Claim { name, value } in &self.claims {
            if claims.insert(name, value).is_some() {
                return Err(Fault::failure(format!("--claim {name} is given twice"))
                    .hint("give each claim once; a claim has one value"));
            }
        }
        Ok(claims)
    }
}

/// `NAME=VALUE`.
#[derive(Clone, Debug)]
struct Claim {
    name: String,
    value: String,
}

impl std::str::FromStr for Claim {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IssueDocument {
    file: String,
    octets: usize,
    subject: String,
    audience: String,
    claims: Claims,
    valid_from: String,
    valid_until: String,
}

impl Issue {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let content = match self.format {
            Format::Der => Content::BearerBinary,
            Format::Base64 | Format::Header => Content::BearerText,
        };
        self.out.check(content, output)?;
        check_lifetime(self.making.valid_for())?;
        let token = Token::new(self.audience.clone()).with_claims(self.claims.get()?);
        let anchors = self.making.anchors()?;
        let signer = self.signer.load()?;
        let period = self.making.period()?;

        let id = self
            .making
            .verify(&signer, &anchors, period, kliento::SERVICE)?;
        let bundle = issue(&signer, &token, period)?;
        self.out.write(&self.encode(&bundle), content)?;

        let (audience, claims) = token.into_parts();
        let document = IssueDocument {
            file: self.out.to_string(),
            octets: bundle.len(),
            subject: id.to_string(),
            audience: audience.to_string(),
            claims,
            valid_from: period.start().to_string(),
            valid_until: period.end().to_string(),
        };
        let text = format!(
            "Wrote {}, a token of {id}, valid until {}.",
            self.out, document.valid_until
        );
        self.out.report(output, &document, &text)
    }

    fn encode(&self, bundle: &[u8]) -> Vec<u8> {
        let text = match self.format {
            Format::Der => return bundle.to_vec(),
            Format::Header => header::encode(bundle),
            Format::Base64 => base64(bundle),
        };
        format!("{text}\n").into_bytes()
    }
}

/// Refuses as a matter of usage what the library would refuse too.
pub(super) fn check_lifetime(valid_for: Duration) -> Result<(), Fault> {
    if valid_for.seconds() > kliento::MAX_LIFETIME_SECONDS {
        return Err(Fault::failure(format!(
            "--valid-for {valid_for}: the lifetime of a token is at most {}",
            Duration::from_seconds(kliento::MAX_LIFETIME_SECONDS)
        ))
        .hint("issue short-lived tokens more often: this needs no network"));
    }
    Ok(())
}

/// Signs a token; a signer that can't is not what was given to be judged.
pub(super) fn issue(
    signer: &LoadedSigner,
    token: &Token,
    period: Period,
) -> Result<Vec<u8>, Fault> {
    kliento::issue(&signer.signer(), token, period).map_err(|error| match error {
        kliento::IssueError::VeraId(error) => Fault::of_request(&error),
        other => other.into(),
    })
}

/// A bundle as one line of Base64, without a scheme before it.
pub(crate) fn base64(bundle: &[u8]) -> String {
    let header = header::encode(bundle);
    let base64 = header.strip_prefix(header::SCHEME).unwrap_or_default();
    base64.trim_start().to_owned()
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento token verify --audience https://api.example.com alice.token
  echo \"$AUTHORIZATION\" |
      kliento token verify --audience https://api.example.com --json -
  kliento token verify --audience https://api.example.com --dialect domainauth \\
      --allow-algorithm ml-dsa-65 --allow-algorithm ed25519 alice.token")]
pub(crate) struct Verify {
    /// The audience that the token must name, compared byte by byte.
    #[arg(long, allow_hyphen_values = true, value_parser = arguments::hyphenated::<Audience>())]
    audience: Audience,

    #[command(flatten)]
    moment: MomentArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    policy: PolicyArguments,

    /// The token bundle: DER, Base64 or an Authorization value; - for stdin.
    bundle: Source,
}

impl Verify {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let verifier = Verifier::builder(self.audience.clone())
            .trust_anchors(self.anchors.load()?)
            .policy(self.policy.policy())
            // There is but one bundle.
            .cache_octets(0)
            .build();
        let bundle = input::bundle_octets(self.bundle.read_to_judge()?)?;
        let token = verifier.verify_bundle_at(&bundle, self.moment.get())?;
        let document = Signed::token(&token);
        document.warn();
        output.result(&document, &document)
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento token inspect alice.token
  kliento token inspect --at 2026-11-21T12:00:00Z --json alice.token")]
pub(crate) struct Inspect {
    #[command(flatten)]
    moment: MomentArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    /// The token bundle: DER, Base64 or an Authorization value; - for stdin.
    bundle: Source,
}

impl Inspect {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let anchors = self.anchors.load()?;
        let octets = input::bundle_octets(self.bundle.read_to_judge()?)?;
        let inspection = Inspection::of_bundle(&octets, self.moment.get(), &anchors)
            .map_err(|fault| hint_at_membership(fault, &octets))?;
        output.result(&inspection, &inspection)
    }
}

/// The other kind of bundle is easily taken for this one.
fn hint_at_membership(fault: Fault, octets: &[u8]) -> Fault {
    if MemberIdBundle::from_der(octets).is_err() {
        return fault;
    }
    fault.hint("this is a member id bundle; see `kliento member inspect`")
}
