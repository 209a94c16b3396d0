//! Six bundles that look like tokens of Alice's, and must not pass for one.

use kliento::veraid::{
    Dialect, KeyAlgorithm, Member, OrganisationCertificate, OrganisationRequest, PrivateKey,
    Signer, SignerIdentity, SigningKey as _, TxtRecord,
};
use kliento::{Audience, Token};
use kliento_fixtures::{Algorithm, World};

use super::cast::{
    AUDIENCE, Cast, build_world, certify, chain_of, publishing, span, sure, ttl_override,
};
use super::unexpected;
use crate::fault::Fault;

pub(super) const OTHER_AUDIENCE: &str = "https://shop.example.net";

/// Something that somebody might try.
pub(super) struct Attack {
    /// The attack in a few words.
    pub(super) title: &'static str,
    /// The story of the attack.
    pub(super) plot: &'static str,
    /// The command that shows the same with a file.
    pub(super) command: String,
    /// The reason why it must be refused.
    pub(super) reason: &'static str,
    /// The token that is sent.
    pub(super) bundle: Vec<u8>,
}

pub(super) fn all(cast: &Cast) -> Result<[Attack; 6], Fault> {
    // Mallory has one key for all that she tries: it costs time to make one.
    let mallory = sure(PrivateKey::generate(KeyAlgorithm::Rsa2048))?;
    Ok([
        other_audience(cast)?,
        altered_claim(cast)?,
        expired_token(cast)?,
        strangers_dnskey(cast, &mallory)?,
        attribution_by_a_member(cast)?,
        other_root(cast, &mallory)?,
    ])
}

fn verify_command(file: &str) -> String {
    format!("kliento token verify --audience {AUDIENCE} {file}")
}

pub(super) fn guest(cast: &Cast) -> Token {
    Token::new(cast.audience.clone()).with_claim("role", "guest")
}

fn other_audience(cast: &Cast) -> Result<Attack, Fault> {
    let elsewhere: Audience = sure(OTHER_AUDIENCE.parse())?;
    Ok(Attack {
        title: "another audience",
        plot: "a shop passes on the token that Alice sent it",
        command: verify_command("for-the-shop.token"),
        reason: "kliento.audience_mismatch",
        bundle: cast.issue_as_alice(&Token::new(elsewhere))?,
    })
}

fn altered_claim(cast: &Cast) -> Result<Attack, Fault> {
    let bundle = altered(cast.issue_as_alice(&guest(cast))?)?;
    Ok(Attack {
        title: "an altered claim",
        plot: "Alice makes herself an owner, after the fact",
        command: verify_command("altered.token"),
        reason: "cms.digest_mismatch",
        bundle,
    })
}

/// A guest's token with the claim of an owner.
pub(super) fn altered(mut bundle: Vec<u8>) -> Result<Vec<u8>, Fault> {
    let (before, after) = (b"\"guest\"", b"\"owner\"");
    let position = bundle
        .windows(before.len())
        .position(|window| window == before)
        .ok_or_else(|| unexpected("the claim is not in the bundle"))?;
    for (octet, new) in bundle.iter_mut().skip(position).zip(after) {
        *octet = *new;
    }
    Ok(bundle)
}

fn expired_token(cast: &Cast) -> Result<Attack, Fault> {
    Ok(Attack {
        title: "an expired token",
        plot: "a log file from a while ago falls into the wrong hands",
        command: verify_command("old.token"),
        reason: "veraid.signature_expired",
        bundle: cast.issue_as_alice_too_early(&guest(cast))?,
    })
}

/// All that Mallory needs to be `example.com`, but for the DNS.
fn masquerade(cast: &Cast, world: &World, mallory: &PrivateKey) -> Result<Vec<u8>, Fault> {
    let record = sure(TxtRecord::new(
        mallory.public_key(),
        Dialect::VeraId,
        ttl_override()?,
        None,
    ))?;
    let chain = chain_of(&publishing(world, &record));
    // The member's key is Alice's, which makes no difference and saves making another.
    let (_, bundle) = certify(
        &chain,
        &cast.organisation,
        mallory,
        &cast.alice_key,
        cast.now,
    )?;
    let signer = Signer::member(&bundle, &cast.alice_key);
    sure(kliento::issue(&signer, &guest(cast), cast.ten_minutes()?))
}

fn strangers_dnskey(cast: &Cast, mallory: &PrivateKey) -> Result<Attack, Fault> {
    Ok(Attack {
        title: "a stranger's DNSKEY",
        plot: "Mallory signs example.com's zone with a key that com. does not vouch for",
        command: "kliento dnssec verify --name _veraid.example.com --type TXT --chain forged.chain"
            .to_owned(),
        reason: "dnssec.dnskey_not_committed",
        bundle: masquerade(cast, &cast.world.usurped("example.com."), mallory)?,
    })
}

/// An organisation's signature, made with Alice's key. The library would not put it beside the organisation's
/// certificate, so that is done by hand.
fn attribution_by_a_member(cast: &Cast) -> Result<Attack, Fault> {
    let victim = Member::User(sure("bob".parse())?);
    let yesterday = cast.now.saturating_sub(86_400);
    let own_certificate = sure(OrganisationCertificate::self_issue(
        &OrganisationRequest::new(
            &cast.organisation,
            Dialect::VeraId,
            span(yesterday, cast.now.saturating_add(86_400))?,
        ),
        &cast.alice_key,
    ))?;
    let signer = Signer::new(
        SignerIdentity::Organisation {
            chain_der: &cast.chain,
            certificate: &own_certificate,
            attribution: &victim,
        },
        &cast.alice_key,
    );
    let bundle = sure(kliento::issue(&signer, &guest(cast), cast.ten_minutes()?))?;
    Ok(Attack {
        title: "attribution by a member",
        plot: "Alice signs as the organisation does, in the name of Bob",
        command: verify_command("as-bob.token"),
        reason: "veraid.attribution_by_member",
        bundle: replace_certificate(
            &bundle,
            own_certificate.as_der(),
            cast.organisation_certificate.as_der(),
        )?,
    })
}

fn other_root(cast: &Cast, mallory: &PrivateKey) -> Result<Attack, Fault> {
    let record = sure(TxtRecord::new(
        mallory.public_key(),
        Dialect::VeraId,
        ttl_override()?,
        None,
    ))?;
    let world = build_world(Algorithm::EcdsaP256Sha256, cast.now, &record);
    Ok(Attack {
        title: "another root",
        plot: "Mallory makes a whole DNS of her own, without fault from its root down",
        command: verify_command("from-another-root.token"),
        reason: "dnssec.dnskey_not_committed",
        bundle: masquerade(cast, &world, mallory)?,
    })
}

/// Puts one certificate in place of another in a bundle, and sets the lengths around it right.
fn replace_certificate(bundle: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>, Fault> {
    // Both are SEQUENCEs by themselves and [2] in the bundle, so all but the first octet is in there.
    let old = old.get(1..).unwrap_or_default();
    let new = new.get(1..).unwrap_or_default();
    let position = bundle
        .windows(old.len())
        .position(|window| window == old)
        .ok_or_else(|| unexpected("the certificate is not in the bundle"))?;
    let (before, rest) = bundle.split_at(position);
    let after = rest.get(old.len()..).unwrap_or_default();
    // The bundle is a SEQUENCE with a length of two octets: 30 82 xx xx.
    let before = before.get(4..).unwrap_or_default();
    let content = [before, new, after].concat();
    let length = u16::try_from(content.len()).map_err(unexpected)?;
    let mut spliced = vec![0x30, 0x82];
    spliced.extend(length.to_be_bytes());
    spliced.extend(content);
    Ok(spliced)
}
