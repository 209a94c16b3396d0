//! `kliento member renew`: a fresh DNSSEC chain in place of the one in a member id bundle.
//!
//! The bundle is replaced only by one that verifies and holds for longer. Whatever goes wrong, it stays as it was, and
//! the message says how long it is still good for.

use clap::Args;
use dnssec::RecordType;
use kliento::MAX_BUNDLE_OCTETS;
use kliento::veraid::{
    MemberIdBundle, Period, Timestamp, TrustAnchors, Verification, VerifiedMember, VerifyError,
};
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

/// The octets that a token adds to the bundle of its member: a signature by the largest RSA key, its attributes, the
/// audience and some claims.
const TOKEN_OCTETS: usize = 1_536;

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

/// A bundle with the time until which it is known to hold.
struct Standing<'a> {
    file: &'a Source,
    now: Timestamp,
    /// `None` if it does not hold now.
    until: Option<Timestamp>,
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
        let any_service =
            Verification::for_any_service(Period::at(now), &anchors).with_policy(policy);
        let tokens =
            Verification::new(kliento::SERVICE, Period::at(now), &anchors).with_policy(policy);
        // A bundle that is good for tokens has to stay so.
        let (verification, present) = match bundle.verify(&tokens) {
            Ok(verified) => (tokens, Some(verified)),
            Err(error) if is_about_time_of_certificates(&error) => {
                return Err(explain_to_member(error));
            }
            // Another chain may do better.
            Err(_) => (any_service, bundle.verify(&any_service).ok()),
        };
        let standing = Standing {
            file,
            now,
            until: present.as_ref().map(|verified| verified.period().end()),
        };
        if let Some(verified) = &present
            && self.is_enough(verified, now)
        {
            return self.report(output, verified, Outcome::NotNeeded, now);
        }
        if let Some(verified) = present
            .as_ref()
            .filter(|it| ends_with_certificates(it, &bundle))
        {
            return self.report(output, verified, Outcome::CertificatesEnd, now);
        }

        let chain = self
            .retrieve(&bundle, &anchors, now)
            .map_err(|fault| standing.kept(fault))?;
        let renewed = bundle
            .with_chain(&chain, &verification)
            .map_err(|error| standing.kept(error.into()))?;
        let verified = renewed.verify(&verification)?;
        if let Some(present) = &present
            && verified.period().end() <= present.period().end()
        {
            return self.report(output, present, Outcome::NothingNewer, now);
        }
        let der = renewed
            .to_der()
            .map_err(|error| standing.kept(Fault::of_request(&error)))?;
        standing.check_size(der.len())?;
        standing.check_unchanged(&written)?;
        let is_der = written == octets;
        if is_der {
            out.write(&der, Content::PublicBinary)?;
        } else {
            let text = format!("{}\n", base64(&der));
            out.write(text.as_bytes(), Content::PublicText)?;
        }
        if ends_with_certificates(&verified, &renewed) {
            warn_of_certificates(file, &verified);
        }
        self.report(output, &verified, Outcome::Renewed, now)
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

/// Tells whether the bundle fails for something that no chain mends.
fn is_about_time_of_certificates(error: &VerifyError) -> bool {
    use VerifyError::{CertificateExpired, CertificateNotYetValid};
    matches!(
        error,
        CertificateExpired { .. } | CertificateNotYetValid { .. }
    )
}

/// The seconds for which the bundle still holds.
fn left(verified: &VerifiedMember, now: Timestamp) -> i64 {
    let end = verified.period().end().unix_seconds();
    end.saturating_sub(now.unix_seconds())
}

fn rough(seconds: i64) -> String {
    Duration::from_seconds(u64::try_from(seconds).unwrap_or(0)).rough()
}

/// Tells whether a certificate ends before the chain, or with it, so that a newer chain is of no use.
fn ends_with_certificates(verified: &VerifiedMember, bundle: &MemberIdBundle) -> bool {
    let chain = verified.record_validity();
    let end = verified.period().end();
    let outlives = |period: &Period| period.contains(end) && end < period.end();
    let member = bundle.member_certificate().period().end();
    let organisation = bundle.organisation_certificate().period().end();
    end == member.min(organisation) || chain.periods().iter().any(outlives)
}

fn warn_of_certificates(file: &Source, verified: &VerifiedMember) {
    terminal::warn(format_args!(
        "the certificates in {file} expire at {}, and a newer DNSSEC chain does not change that; get a new member id \
         bundle from your organisation's administrator",
        verified.period().end()
    ));
}

impl Standing<'_> {
    /// A fault for which the bundle was left as it was.
    fn kept(&self, fault: Fault) -> Fault {
        let file = self.file;
        match self.until {
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

    /// Refuses a bundle whose tokens no server would take.
    fn check_size(&self, octets: usize) -> Result<(), Fault> {
        let most = MAX_BUNDLE_OCTETS.saturating_sub(TOKEN_OCTETS);
        if octets <= most {
            return Ok(());
        }
        Err(self.kept(Fault::invalid(
            "kliento.bundle_too_large",
            format!(
                "with the chain of the resolver it would have {octets} bytes; tokens made with more than {most} may \
                 exceed {MAX_BUNDLE_OCTETS}, the limit of servers"
            ),
        )))
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
