//! `kliento demo`: the whole story, from nothing to a verified request, and six that are refused.
//!
//! Nothing in it is pretended: the zones are signed, the tokens go over HTTP, and the server answers what the library
//! says. It lives in memory and on 127.0.0.1 alone, and in files if it is told to [keep] them. Each step is held against
//! what it should come to, so that the demo fails where the software does.

mod attacks;
mod cast;
mod http;
mod keep;
mod narrator;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use kliento::veraid::{Dialect, SignedBy, TxtRecord};
use kliento::{Token, Verifier, header};

use self::cast::{ALICE, AUDIENCE, Cast, DOMAIN};
use self::http::{Answer, Server};
use self::keep::Directory;
use self::narrator::Narrator;
use crate::document::signer_name;
use crate::fault::Fault;
use crate::output::Output;
use crate::runtime;

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  kliento demo
  kliento demo --keep world

The commands that it shows are those that you would type, with files, for a
domain of your own. They are VeraId's; its successor DomainAuth goes the
same way, with --dialect domainauth where the record, the certificate and
the chain are made.")]
pub(crate) struct Arguments {
    /// Write the demo's world to this directory, which must be new or empty: trust anchors, keys, certificates, a DNSSEC
    /// chain, tokens and a configuration of `kliento serve`. They are for trying only.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Fault> {
        let directory = self.keep.as_deref().map(Directory::prepare).transpose()?;
        runtime::block_on(tell(output, directory))?
    }
}

/// Stops the story where something did not go as described.
fn unexpected(what: impl std::fmt::Display) -> Fault {
    Fault::failure(format!("the demo did not go as described: {what}"))
        .hint("that is a fault in kliento itself; please report it")
}

async fn tell(output: &Output, directory: Option<Directory>) -> Result<(), Fault> {
    let started = Instant::now();
    let mut narrator = Narrator::new(output);
    narrator.open(directory.is_some())?;

    let cast = Cast::gather()?;
    tell_of_the_domain(&mut narrator, &cast)?;
    tell_of_the_member(&mut narrator, &cast)?;
    let tokens = tell_of_the_tokens(&mut narrator, &cast)?;

    let verifier = Verifier::builder(cast.audience.clone())
        .trust_anchors(cast.anchors.clone())
        .build();
    let server = Server::start(verifier)
        .await
        .map_err(|error| unexpected(format_args!("no server on 127.0.0.1: {error}")))?;
    tell_of_the_server(&mut narrator, &server, &tokens).await?;
    tell_of_the_attacks(&mut narrator, &server, &cast).await?;
    if let Some(directory) = directory {
        directory.keep(&mut narrator, &cast)?;
    }
    narrator.close(started.elapsed())
}

/// The tokens that Alice and the organisation issue.
struct Tokens {
    alice: Vec<u8>,
    organisation: Vec<u8>,
}

fn tell_of_the_domain(narrator: &mut Narrator<'_>, cast: &Cast) -> Result<(), Fault> {
    narrator.step("A DNS signed from the root down, as the real one is")?;
    for zone in cast.zones() {
        narrator.fact(&zone.name, &zone.description)?;
    }

    narrator.step("example.com makes a key, and publishes its fingerprint in the DNS")?;
    narrator.command("kliento key generate --algorithm rsa-2048 --out org.key.pem")?;
    narrator.command("kliento organisation record --domain example.com --key org.key.pem")?;
    narrator.record(&cast.record_line)?;
    let chain_octets = cast.chain.len();
    narrator.command("kliento dnssec retrieve --domain example.com --out example.com.chain")?;
    let proof = cast.prove_record()?;
    let published = TxtRecord::parse(&proof.text, Dialect::VeraId)
        .ok_or_else(|| unexpected("the record is gone"))?;
    if published.key_id() != cast.record.key_id() {
        return Err(unexpected("the DNS holds another key"));
    }
    narrator.say(&format!(
        "its proof: {} DNS responses, {chain_octets} bytes, good until {}",
        proof.responses, proof.until
    ))
}

fn tell_of_the_member(narrator: &mut Narrator<'_>, cast: &Cast) -> Result<(), Fault> {
    narrator.step("It vouches for the key of Alice, one of its members")?;
    narrator.command(
        "kliento organisation certificate --domain example.com --key org.key.pem \
         --out org.pem",
    )?;
    narrator.command("kliento key generate --out alice.key.pem")?;
    narrator.command("kliento key public --key alice.key.pem --out alice.pub.pem")?;
    narrator.command(
        "kliento member certify --name alice --public-key alice.pub.pem \
         --organisation-certificate org.pem --organisation-key org.key.pem \
         --dnssec-chain example.com.chain --out alice.member-id",
    )?;
    let member = cast.verify_member()?;
    narrator.say(&format!(
        "a member id bundle for {member}, {} bytes, which is no secret",
        cast.member_id_bundle.to_der()?.len()
    ))
}

fn tell_of_the_tokens(narrator: &mut Narrator<'_>, cast: &Cast) -> Result<Tokens, Fault> {
    narrator.step("Alice signs a token for one server and ten minutes, with no network")?;
    narrator.command(&format!(
        "kliento token issue --audience {AUDIENCE} --claim role=guest \
         --member-id-bundle alice.member-id --key alice.key.pem --format header --out -"
    ))?;
    let token = Token::new(cast.audience.clone()).with_claim("role", "guest");
    let alice = cast.issue_as_alice(&token)?;
    let value = header::encode(&alice);
    let shown: String = value.chars().take(58).collect();
    narrator.output(&format!("{shown}… ({} bytes)", alice.len()))?;

    narrator.step("The organisation can sign in a member's name too, or in its own, as a bot")?;
    narrator.command(&format!(
        "kliento token issue --audience {AUDIENCE} --bot --key org.key.pem \
         --organisation-certificate org.pem --dnssec-chain example.com.chain --out bot.token"
    ))?;
    let organisation = cast.issue_as_organisation(&Token::new(cast.audience.clone()))?;
    narrator.say(&format!(
        "a token of {DOMAIN}, {} bytes",
        organisation.len()
    ))?;
    Ok(Tokens {
        alice,
        organisation,
    })
}

async fn tell_of_the_server(
    narrator: &mut Narrator<'_>,
    server: &Server,
    tokens: &Tokens,
) -> Result<(), Fault> {
    let address = server.address();
    narrator.step("A server that knows none of them checks their requests, offline")?;
    narrator.say(&format!(
        "http://{address}/ demands a Kliento token for {AUDIENCE}"
    ))?;

    let answer = ask(server, None).await?;
    expect(&answer, 401, "kliento.wrong_scheme")?;
    if answer.challenge.as_deref() != Some("Kliento") {
        return Err(unexpected("the server does not say what it wants"));
    }
    narrator.exchange("without a token", &answer)?;

    let answer = ask(server, Some(&tokens.alice)).await?;
    let alice = format!("{ALICE}@{DOMAIN}");
    expect_subject(&answer, &alice, SignedBy::Member)?;
    if answer.text("/claims/role") != Some("guest") {
        return Err(unexpected("Alice's claim did not arrive"));
    }
    narrator.exchange("with Alice's token", &answer)?;

    let answer = ask(server, Some(&tokens.organisation)).await?;
    expect_subject(&answer, DOMAIN, SignedBy::Organisation)?;
    narrator.exchange("with the organisation's", &answer)?;
    narrator.command(&format!(
        "kliento token verify --audience {AUDIENCE} alice.token"
    ))
}

async fn tell_of_the_attacks(
    narrator: &mut Narrator<'_>,
    server: &Server,
    cast: &Cast,
) -> Result<(), Fault> {
    narrator.step("Six ways to cheat, and what becomes of them")?;
    for attack in attacks::all(cast)? {
        let answer = ask(server, Some(&attack.bundle)).await?;
        expect(&answer, 401, attack.reason)?;
        narrator.attack(&attack, &answer)?;
    }
    Ok(())
}

async fn ask(server: &Server, bundle: Option<&[u8]>) -> Result<Answer, Fault> {
    http::get(server.address(), bundle.map(header::encode))
        .await
        .map_err(|error| unexpected(format_args!("the request failed: {error}")))
}

fn expect(answer: &Answer, status: u16, reason: &str) -> Result<(), Fault> {
    if answer.status == status && answer.text("/reason") == Some(reason) {
        return Ok(());
    }
    Err(unexpected(format_args!(
        "expected {status} {reason}, got {} {}",
        answer.status, answer.body
    )))
}

fn expect_subject(answer: &Answer, subject: &str, signed_by: SignedBy) -> Result<(), Fault> {
    let signed_by = signer_name(signed_by);
    if answer.status == 200
        && answer.text("/subject") == Some(subject)
        && answer.text("/signedBy") == Some(signed_by)
        && answer.text("/dialect") == Some(&Dialect::VeraId.to_string())
    {
        return Ok(());
    }
    Err(unexpected(format_args!(
        "expected {subject}, signed by the {signed_by}, got {} {}",
        answer.status, answer.body
    )))
}
