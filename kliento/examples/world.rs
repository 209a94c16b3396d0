//! Writes a world to try servers with: a private DNS root, a domain below it, and tokens of every kind.
//!
//! ```sh
//! cargo run --release -p kliento --features testing --example world -- world
//! kliento token verify --trust-anchors world/anchors --audience https://app.example.com world/tokens/good
//! ```
//!
//! | file | is |
//! |---|---|
//! | `anchors` | the root's DNSKEY, for `--trust-anchors` |
//! | `org.key.pem`, `org.pem`, `org.chain` | the key, certificate and DNSSEC chain of `example.com` |
//! | `alice.key.pem`, `alice.member-id` | what alice signs with, for `kliento token issue` |
//! | `tokens/*` | values for `Authorization`, named after what is to be said of them; most are good for 50 minutes |
//!
//! Nothing of it is a secret worth keeping, and no resolver knows any of it.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, iter};

use kliento::veraid::dnssec::{Chain, RecordType};
use kliento::veraid::{
    Dialect, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest, Organisation,
    OrganisationCertificate, OrganisationRequest, Period, PrivateKey, Signer, SignerIdentity,
    SigningKey as _, TtlOverride, TxtRecord,
};
use kliento::{Audience, MAX_BUNDLE_OCTETS, SERVICE, Timestamp, Token, TrustAnchors, header};
use kliento_fixtures::{Algorithm, Key, TXT, World, ZoneSpec, chain_der};

const DOMAIN: &str = "example.com";
/// Whom the tokens are for, unless a second argument says otherwise.
const AUDIENCE: &str = "https://app.example.com";
const OTHER_AUDIENCE: &str = "https://other.example.com";
/// Another server of the same people, in the examples of forward authentication.
const STAFF_AUDIENCE: &str = "https://staff.example.com";

/// A claim that forward authentication passes on to nobody, since its name can be no part of a header field's.
const FILLING: &str = "the_filling";
/// Octets of a claim that has no room in the head of an answer to a proxy.
const LARGE_CLAIM: usize = 4_096;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// The root's key: of the size that the real one has, so that chains have theirs.
const RSA_BITS: u32 = 2_048;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (directory, audience) = match &arguments[..] {
        [directory] => (directory, AUDIENCE),
        [directory, audience] => (directory, audience.as_str()),
        _ => return Err("a directory to write to is needed, and an audience may follow".into()),
    };
    let directory = PathBuf::from(directory);
    fs::create_dir_all(directory.join("tokens"))?;
    let domain = Domain::new(SystemTime::now().into())?;
    domain.write(&directory)?;
    write_tokens(&domain, &audience.parse()?, &directory.join("tokens"))
}

/// An organisation, and the DNS that vouches for it.
struct Domain {
    now: Timestamp,
    anchors: String,
    chain: Vec<u8>,
    key: PrivateKey,
    certificate: OrganisationCertificate,
}

impl Domain {
    fn new(now: Timestamp) -> Result<Self, Box<dyn Error>> {
        let organisation: Organisation = DOMAIN.parse()?;
        let key = PrivateKey::generate(KeyAlgorithm::Rsa2048)?;
        let owner = organisation.record_owner(Dialect::VeraId)?;
        let day = TtlOverride::from_seconds(86_400).ok_or("a day is within bounds")?;
        let record = TxtRecord::new(key.public_key(), Dialect::VeraId, day, Some(SERVICE))?;
        let root_key = Key::recorded_rsa(Algorithm::RsaSha256, RSA_BITS);
        let root = ZoneSpec::new(".", Algorithm::RsaSha256)
            .ksk(root_key.clone())
            .zsk(root_key);
        let world = World::builder()
            .at(now.unix_seconds())
            .with_zone(root)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP256Sha256)
            .txt(owner.to_string().as_str(), record.to_string())
            .build();
        let anchors: TrustAnchors = world.anchors().parse()?;
        let answers = world.chain(owner.to_string().as_str(), TXT);
        let from_now_on = Period::new(now, Timestamp::MAX).ok_or("time ends")?;
        let needed = Chain::from_messages(answers.iter().map(Vec::as_slice))?.minimal(
            &owner,
            RecordType::TXT,
            &anchors,
            from_now_on,
        )?;
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, Dialect::VeraId, around(now, DAY, 30 * DAY)?),
            &key,
        )?;
        Ok(Self {
            now,
            anchors: world.anchors(),
            chain: chain_der(&needed),
            key,
            certificate,
        })
    }

    fn write(&self, directory: &Path) -> Result<(), Box<dyn Error>> {
        fs::write(directory.join("anchors"), &self.anchors)?;
        write_key(&directory.join("org.key.pem"), &self.key)?;
        fs::write(directory.join("org.pem"), self.certificate.to_pem())?;
        fs::write(directory.join("org.chain"), &self.chain)?;
        Ok(())
    }

    /// A key and an id for one who signs by herself.
    fn certify(&self, name: &str) -> Result<(PrivateKey, MemberIdBundle), Box<dyn Error>> {
        let key = PrivateKey::generate(KeyAlgorithm::Rsa2048)?;
        let certificate = MemberCertificate::issue(
            &MemberRequest::new(
                &Member::parse_for(name, Dialect::VeraId)?,
                key.public_key(),
                &self.certificate,
                Dialect::VeraId,
                around(self.now, DAY, 3 * DAY)?,
            ),
            &self.key,
        )?;
        let bundle = MemberIdBundle::new(
            &self.chain,
            self.certificate.clone(),
            certificate,
            Vec::new(),
        )?;
        Ok((key, bundle))
    }

    /// A token that the organisation signs in the name of `member`: for those who are here only to be refused.
    fn in_the_name_of(&self, member: &str, token: &Token) -> Result<Vec<u8>, Box<dyn Error>> {
        let attribution = Member::parse_for(member, Dialect::VeraId)?;
        let signer = Signer::new(
            SignerIdentity::Organisation {
                chain_der: &self.chain,
                certificate: &self.certificate,
                attribution: &attribution,
            },
            &self.key,
        );
        Ok(kliento::issue(&signer, token, self.present()?)?)
    }

    fn present(&self) -> Result<Period, &'static str> {
        around(self.now, MINUTE, 50 * MINUTE)
    }
}

fn write_tokens(domain: &Domain, audience: &Audience, tokens: &Path) -> Result<(), Box<dyn Error>> {
    let (key, bundle) = domain.certify("alice")?;
    let directory = tokens.parent().ok_or("tokens have a directory above")?;
    write_key(&directory.join("alice.key.pem"), &key)?;
    fs::write(directory.join("alice.member-id"), bundle.to_der()?)?;
    let signer = Signer::member(&bundle, &key);
    let sign = |token: &Token, period| kliento::issue(&signer, token, period);
    let write = |name: &str, bundle: &[u8]| fs::write(tokens.join(name), header::encode(bundle));
    let ago = |minutes: i64| domain.now.saturating_sub(minutes * MINUTE);
    let later = |minutes: i64| domain.now.saturating_add(minutes * MINUTE);

    let plain = Token::new(audience.clone());
    let admin = plain
        .clone()
        .with_claim("role", "admin")
        .with_claim("team", "blue");
    let present = domain.present()?;
    let good = sign(&admin, present)?;
    write("good", &good)?;
    write("tampered", &tampered(&good))?;
    write("no-claims", &sign(&plain, present)?)?;
    write("maximal", &maximal(&admin, |token| sign(token, present))?)?;
    let large = admin.clone().with_claim("essay", "x".repeat(LARGE_CLAIM));
    write("large-claim", &sign(&large, present)?)?;
    write(
        "strange-claims",
        &sign(&with_strange_claims(admin.clone()), present)?,
    )?;

    let past = Period::new(ago(30), ago(20)).ok_or("time runs backwards")?;
    write("expired", &sign(&admin, past)?)?;
    let future = Period::new(later(30), later(40)).ok_or("time runs backwards")?;
    write("not-yet", &sign(&admin, future)?)?;
    let elsewhere = Token::new(OTHER_AUDIENCE.parse()?).with_claim("role", "admin");
    write("wrong-audience", &sign(&elsewhere, present)?)?;

    let staff = Token::new(STAFF_AUDIENCE.parse()?).with_claims(admin.claims().clone());
    write("for-staff", &sign(&staff, present)?)?;

    write("by-organisation", &domain.in_the_name_of("alice", &admin)?)?;
    write("bot", &domain.in_the_name_of("@", &admin)?)?;
    write("mallory", &domain.in_the_name_of("mallory", &admin)?)?;
    Ok(())
}

/// With the last bit of the signature turned over.
fn tampered(bundle: &[u8]) -> Vec<u8> {
    let mut tampered = bundle.to_vec();
    if let Some(last) = tampered.last_mut() {
        *last ^= 1;
    }
    tampered
}

/// The largest bundle that anybody accepts, to the octet: a claim of junk fills it.
fn maximal(
    token: &Token,
    sign: impl Fn(&Token) -> Result<Vec<u8>, kliento::IssueError>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let filled = |octets: usize| {
        let filling: String = iter::repeat_n('x', octets).collect();
        sign(&token.clone().with_claim(FILLING, filling))
    };
    // The lengths of what is around it grow too, so the first guess comes close and the second is exact.
    let mut octets = MAX_BUNDLE_OCTETS / 2;
    loop {
        let bundle = filled(octets)?;
        if bundle.len() == MAX_BUNDLE_OCTETS {
            return Ok(bundle);
        }
        octets = octets
            .checked_add_signed(MAX_BUNDLE_OCTETS.cast_signed() - bundle.len().cast_signed())
            .ok_or("the token is too large without any filling")?;
    }
}

/// Claims that no header field can hold as they are, and names that would be the same field.
fn with_strange_claims(token: Token) -> Token {
    token
        .with_claim("motto", "naïve “quotes” 🦀")
        .with_claim("lines", "one\r\nX-Kliento-Subject: root@example.com")
        .with_claim("spaces", "  100% padded\t")
        .with_claim("empty", "")
        .with_claim("project_id", "one")
        .with_claim("project-id", "two")
        .with_claim("Project-Id", "three")
}

fn write_key(path: &Path, key: &PrivateKey) -> Result<(), Box<dyn Error>> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    Ok(file.write_all(key.to_pkcs8_pem()?.as_bytes())?)
}

fn around(time: Timestamp, before: i64, after: i64) -> Result<Period, &'static str> {
    let (start, end) = (time.saturating_sub(before), time.saturating_add(after));
    Period::new(start, end).ok_or("time runs backwards")
}
