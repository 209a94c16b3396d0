//! `kliento member renew`: a fresh DNSSEC chain in place of the one in a member id bundle.
//!
//! The bundle is replaced only by one that verifies and holds for longer. Whatever goes wrong, it stays as it was, and
//! the message says how long it is still good for.

use clap::Args;
use dnssec::RecordType;
use kliento::renewal::{BundleEnd, Standing};
use kliento::veraid::{MemberIdBundle, Timestamp, TrustAnchors, VerifiedMember};
use serde::Serialize;

use crate::arguments::{
    self, AlgorithmArguments, AnchorArguments, ResolverArguments, explain_to_member,
};
use crate::commands::token::base64;
use crate::destination::{Content, Destination};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::{self, Source};
use crate::output::Output;
use crate::terminal::Printable;
use crate::{runtime, terminal};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento member renew --member-id-bundle alice.member-id
  # Each hour, from cron or a timer:
  kliento member renew --member-id-bundle alice.member-id --if-less-than 2d

A DNSSEC chain is public, so this needs no key. It renews no certificate:
for that, the organisation's administrator makes a new bundle.

Exit status: 0 renewed, or not needed; 1 it could not be renewed, or is
still valid for less than --if-less-than; 2 usage, files or network.")]
pub(crate) struct Renew {
    /// The member id bundle, which is replaced: a file of DER or Base64.
    #[arg(long, value_name = "FILE")]
    member_id_bundle: Source,

    /// Do nothing if the bundle is valid for at least this long.
    #[arg(long, value_name = "DURATION")]
    if_less_than: Option<Duration>,

    #[command(flatten)]
    resolvers: ResolverArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    algorithms: AlgorithmArguments,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RenewDocument {
    file: String,
    member: String,
    renewed: bool,
    valid_until: String,
}

/// A bundle in a file.
struct Renewal<'a> {
    file: &'a Source,
    now: Timestamp,
    standing: Standing<'a>,
}

impl Renew {
    pub(super) fn run(&self, output: &Output) -> Result<(), Fault> {
        let now = arguments::now();
        let file = &self.member_id_bundle;
        let path = match file {
            Source::File(path) if !path.exists() || path.is_file() => path,
            _ => {
                return Err(Fault::failure(format!(
                    "{file} is not a regular file, so no new bundle can take its place"
                )));
            }
        };
        let out = Destination::File(path.clone());
        out.check(Content::PublicBinary, output)?;
        let anchors = self.anchors.load()?;
        let written = file.read_to_judge()?;
        let octets = input::bundle_octets(written.clone())?;
        let bundle =
            MemberIdBundle::from_der(&octets).map_err(|error| Fault::from(error).context(file))?;
        let policy = self.algorithms.policy();
        let renewal = Renewal {
            file,
            now,
            standing: Standing::new(&bundle, &anchors, policy, now).map_err(explain_to_member)?,
        };
        if let Some(verified) = renewal.standing.member() {
            if self.is_enough(verified, now) {
                return self.report(output, verified, Outcome::NotNeeded, now);
            }
            if renewal.standing.end() == Some(BundleEnd::Certificate) {
                return self.report(output, verified, Outcome::CertificatesEnd, now);
            }
        }

        let chain = self
            .retrieve(&bundle, &anchors, now)
            .map_err(|fault| renewal.kept(fault))?;
        let replaced = renewal
            .standing
            .replace_chain(&chain)
            .map_err(|error| renewal.kept(error.into()))?;
        let Some(renewed) = replaced else {
            // What is not valid now would have been replaced.
            let present = renewal.standing.member().ok_or_else(Fault::unwelcome)?;
            return self.report(output, present, Outcome::NothingNewer, now);
        };
        renewal.check_unchanged(&written)?;
        let is_der = written == octets;
        if is_der {
            out.write(renewed.der(), Content::PublicBinary)?;
        } else {
            let text = format!("{}\n", base64(renewed.der()));
            out.write(text.as_bytes(), Content::PublicText)?;
        }
        if renewed.end() == BundleEnd::Certificate {
            warn_of_certificates(file, renewed.member());
        }
        self.report(output, renewed.member(), Outcome::Renewed, now)
    }

    fn retrieve(
        &self,
        bundle: &MemberIdBundle,
        anchors: &TrustAnchors,
        now: Timestamp,
    ) -> Result<Vec<u8>, Fault> {
        let resolvers = self.resolvers.load()?;
        let domain = bundle.organisation_certificate().organisation();
        let owner = domain
            .record_owner(bundle.dialect())
            .map_err(|error| Fault::in_file(domain, &error))?;
        let shown: Vec<String> = resolvers.iter().map(ToString::to_string).collect();
        let what = format!("asking {} for the chain of {owner}", shown.join(", "));
        let retrieval = dnssec::retrieve(&owner, RecordType::TXT, &resolvers, anchors, now);
        Ok(runtime::block_on_patiently(retrieval, &what)??.chain)
    }

    /// Tells whether the bundle holds for long enough not to be renewed.
    fn is_enough(&self, verified: &VerifiedMember, now: Timestamp) -> bool {
        self.if_less_than
            .is_some_and(|limit| left(verified, now) >= limit.signed_seconds())
    }

    /// Prints the outcome for a bundle that holds now. It is no good one if it ends too soon.
    fn report(
        &self,
        output: &Output,
        verified: &VerifiedMember,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let file = &self.member_id_bundle;
        let member = verified.member_id();
        let until = verified.period().end();
        let document = RenewDocument {
            file: file.to_string(),
            member: member.to_string(),
            renewed: outcome == Outcome::Renewed,
            valid_until: until.to_string(),
        };
        let rest = rough(left(verified, now));
        let text = match outcome {
            Outcome::Renewed => {
                format!("Renewed {file}, the bundle of {member}: valid until {until} ({rest}).")
            }
            Outcome::NotNeeded => format!("{file} is still valid until {until} ({rest})."),
            Outcome::NothingNewer => format!(
                "{file} stays as it is, valid until {until} ({rest}): there are no later signatures."
            ),
            Outcome::CertificatesEnd => {
                warn_of_certificates(file, verified);
                format!("{file} stays as it is, valid until {until} ({rest}).")
            }
        };
        output.result(&document, &format_args!("{}\n", Printable(&text)))?;
        if self.if_less_than.is_some() && !self.is_enough(verified, now) {
            return Err(Fault::unwelcome());
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Renewed,
    NotNeeded,
    /// The chain that was retrieved does not hold for longer.
    NothingNewer,
    /// A certificate ends first, whatever the chain.
    CertificatesEnd,
}

/// The seconds for which the bundle still holds.
fn left(verified: &VerifiedMember, now: Timestamp) -> i64 {
    let end = verified.period().end().unix_seconds();
    end.saturating_sub(now.unix_seconds())
}

fn rough(seconds: i64) -> String {
    Duration::from_seconds(u64::try_from(seconds).unwrap_or(0)).rough()
}

fn warn_of_certificates(file: &Source, verified: &VerifiedMember) {
    terminal::warn(format_args!(
        "the certificates in {file} expire at {}, and a newer DNSSEC chain does not change that; get a new member id \
         bundle from your organisation's administrator",
        verified.period().end()
    ));
}

impl Renewal<'_> {
    /// A fault for which the bundle was left as it was.
    fn kept(&self, fault: Fault) -> Fault {
        let file = self.file;
        match self.standing.valid_until() {
            Some(until) => {
                let rest = until.unix_seconds().saturating_sub(self.now.unix_seconds());
                let rest = rough(rest);
                fault.context(format_args!(
                    "{file} was not renewed, and is valid until {until} ({rest})"
                ))
            }
            None => fault.context(format_args!("{file} was not renewed, and is not valid now")),
        }
    }

    /// Refuses to replace a file that is not the one that was read: an administrator may have put a new bundle there.
    fn check_unchanged(&self, written: &[u8]) -> Result<(), Fault> {
        if self.file.read_to_judge()? == written {
            return Ok(());
        }
        let file = self.file;
        Err(Fault::failure(format!(
            "{file} was replaced while its chain was being retrieved, so it was left alone"
        ))
        .hint("run the command again"))
    }
}
