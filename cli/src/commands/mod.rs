//! The commands, one module each.

use clap::{Parser, Subcommand};

use crate::fault::Fault;
use crate::output::Output;

mod completions;
mod demo;
mod dnssec;
mod key;
mod kubectl_credential;
mod man;
mod member;
mod organisation;
#[cfg(unix)]
mod serve;
mod signature;
mod token;

/// Prove who you are with a domain name; check it with no network.
///
/// A domain publishes a key in its DNSSEC-signed zone. That key vouches for members' keys, members sign short-lived
/// tokens, and a server checks all of it offline: no shared secret, no identity provider, no key to fetch.
#[derive(Parser, Debug)]
#[command(
    name = "kliento",
    version,
    long_version = crate::version::long(),
    max_term_width = HELP_WIDTH,
    after_help = START
)]
pub(crate) struct Kliento {
    /// Print the result as one JSON document.
    #[arg(long, global = true, display_order = 900)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Characters in a line of help.
const HELP_WIDTH: usize = 100;

const START: &str = "\
See it work, with nothing set up:
  kliento demo

Set up a domain, once:
  kliento key generate --algorithm rsa-2048 --out org.key.pem
  # Publish what this prints:
  kliento organisation record --domain example.com --key org.key.pem \\
      --service kliento
  # Is everything as it should be?
  kliento organisation check --domain example.com --key org.key.pem
  kliento organisation certificate --domain example.com --key org.key.pem \\
      --out org.pem
  kliento dnssec retrieve --domain example.com --out example.com.chain

Certify a member, issue a token, check it:
  kliento member certify --name alice --public-key alice.pub.pem \\
      --out alice.member-id \\
      --organisation-certificate org.pem --organisation-key org.key.pem \\
      --dnssec-chain example.com.chain
  kliento token issue --audience https://api.example.com \\
      --member-id-bundle alice.member-id \\
      --key alice.key.pem --out alice.token
  kliento token verify --audience https://api.example.com alice.token

Put it in front of a server that knows nothing of it:
  kliento serve --audience https://app.example.com --allow '*@example.com'

Exit status: 0 done, or valid; 1 not valid, or malformed; 2 usage, files,
network or configuration.";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Watch the whole story in one go, in memory: a signed domain, a member, a token, a server, six attacks.
    Demo(demo::Arguments),
    /// Make a private key, or take the public one out of it.
    #[command(subcommand)]
    Key(key::Command),
    /// Publish a domain's key, and certify it.
    #[command(subcommand, aliases = ["org", "organization"])]
    Organisation(organisation::Command),
    /// Retrieve, verify and look into DNSSEC chains.
    #[command(subcommand)]
    Dnssec(dnssec::Command),
    /// Certify the keys of an organisation's members.
    #[command(subcommand)]
    Member(member::Command),
    /// Issue, verify and look into tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Verify tokens for others: for proxies, for Kubernetes, and for programs by an API.
    #[cfg(unix)]
    Serve(serve::Arguments),
    /// Give kubectl a fresh token: an exec credential plugin of Kubernetes.
    KubectlCredential(kubectl_credential::Arguments),
    /// Sign files for any VeraId service, and verify such signatures.
    #[command(subcommand)]
    Signature(signature::Command),
    /// Print a completion script for a shell.
    Completions(completions::Arguments),
    /// Write the man pages.
    Man(man::Arguments),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Demo(arguments) => arguments.run(output),
            Self::Key(command) => command.run(output),
            Self::Organisation(command) => command.run(output),
            Self::Dnssec(command) => command.run(output),
            Self::Member(command) => command.run(output),
            Self::Token(command) => command.run(output),
            #[cfg(unix)]
            Self::Serve(arguments) => arguments.run(output),
            Self::KubectlCredential(arguments) => arguments.run(),
            Self::Signature(command) => command.run(output),
            Self::Completions(arguments) => arguments.run(),
            Self::Man(arguments) => arguments.run(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Kliento::command().debug_assert();
    }

    #[test]
    fn every_command_that_does_something_shows_an_example() {
        fn visit(command: &clap::Command) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(visit);
            } else {
                let help = command.get_after_help().map(ToString::to_string);
                let (help, name) = (help.unwrap_or_default(), command.get_name());
                assert!(
                    help.contains("kliento "),
                    "`{name}` has no example in its help"
                );
                let is_whole = |line: &str| line.chars().count() <= super::HELP_WIDTH;
                assert!(
                    help.lines().all(is_whole),
                    "an example of `{name}` would be broken"
                );
            }
        }
        super::Kliento::command().get_subcommands().for_each(visit);
    }
}
