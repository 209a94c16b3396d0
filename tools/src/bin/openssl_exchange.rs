//! Our half of `interop/openssl/run`: makes things for OpenSSL to read, and reads what OpenSSL makes.
//!
//! ```text
//! openssl_exchange offer KEYS     writes an organisation of each key algorithm, with members and signatures
//! openssl_exchange read FILE...   prints `ok …`, `FAILED …` or `skip …` for each thing in the files
//! ```
//!
//! KEYS has a private key of each algorithm, for those that this build cannot make.
//!
//! Both speak JSON, an object a line, with keys and certificates as PEM or DER and all octets in Base64. The other half is
//! `interop/openssl`.
#![allow(
    clippy::print_stdout,
    reason = "a program for developers, whose output it is"
)]

use std::error::Error;
use std::slice;
use std::time::SystemTime;

use data_encoding::BASE64;
use der::asn1::AnyRef;
use der::{Encode as _, Tag};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use serde_json::{Value, json};
use veraid::{
    Content, Dialect, IntermediateCertificate, IntermediateName, IntermediateRequest, KeyAlgorithm,
    KeyError, Member, MemberCertificate, MemberIdBundle, MemberRequest, Organisation,
    OrganisationCertificate, OrganisationRequest, Period, Policy, PrivateKey, PublicKey,
    SignatureBundle, SignatureRequest, SignedBy, Signer, SignerIdentity, SigningKey as _,
    TEST_SERVICE, Timestamp, TrustAnchors, TtlOverride, TxtRecord, Verification, WithSources,
};

const DOMAIN: &str = "example.com";
const USER: &str = "alice";
const RECORD_OWNER: &str = "_domainauth.example.com.";
const CONTENT: &[u8] = "What we sign: naïve “quotes” and all".as_bytes();
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
/// Whose keys an organisation certifies: of algorithms so many places further on in [`KeyAlgorithm::ALL`].
const INTERMEDIATE_OFFSET: usize = 2;
const USER_OFFSET: usize = 5;
const BOT_OFFSET: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["offer", keys] => offer(keys),
        ["read", files @ ..] => files.iter().try_for_each(|file| read(file)),
        _ => Err("say `offer` and a file, or `read` and files".into()),
    }
}

/// What holds the record that names an organisation's key, and what to trust for it.
fn prove(record: &str) -> Result<(Vec<u8>, TrustAnchors), Box<dyn Error>> {
    let world = World::builder()
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .zone("example.com.", Algorithm::EcdsaP384Sha384)
        .txt(RECORD_OWNER, record)
        .build();
    let chain = chain_der(&world.chain(RECORD_OWNER, TXT));
    Ok((chain, world.anchors().parse()?))
}

/// From a minute ago on.
fn period_of(seconds: i64) -> Result<Period, Box<dyn Error>> {
    let start = Timestamp::from(SystemTime::now()).saturating_add(-MINUTE);
    Period::new(start, start.saturating_add(seconds)).ok_or_else(|| "the end of time".into())
}

// ---------------------------------------------------------------------------------------------------------------------
// Ours

fn offer(keys: &str) -> Result<(), Box<dyn Error>> {
    let keys = std::fs::read_to_string(keys)?;
    let keys = keys
        .lines()
        .map(|line| Ok(Thing(serde_json::from_str(line)?)));
    let keys = keys.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    for place in 0..KeyAlgorithm::ALL.len() {
        println!("{}", Offer::new(place, &keys)?.to_json()?);
    }
    Ok(())
}

/// A new key; or one that is at hand, if this build cannot make any.
fn generate(algorithm: KeyAlgorithm, keys: &[Thing]) -> Result<PrivateKey, Box<dyn Error>> {
    let failure = match PrivateKey::generate(algorithm) {
        Ok(key) => return Ok(key),
        Err(failure) => failure,
    };
    let name = algorithm.to_string();
    let key = keys
        .iter()
        .find(|key| key.text("algorithm").is_ok_and(|found| found == name));
    Ok(PrivateKey::from_pkcs8_pem(
        key.ok_or(failure)?.text("private_key")?,
    )?)
}

/// An organisation that has certified an intermediate, which has certified a user; and a bot, with nobody between.
struct Offer {
    organisation_key: PrivateKey,
    organisation: OrganisationCertificate,
    intermediate_key: PrivateKey,
    intermediate: IntermediateCertificate,
    user_key: PrivateKey,
    user: MemberCertificate,
    bot_key: PrivateKey,
    bot: MemberCertificate,
    record: String,
}

impl Offer {
    /// With the organisation's algorithm at that place of [`KeyAlgorithm::ALL`].
    fn new(place: usize, keys: &[Thing]) -> Result<Self, Box<dyn Error>> {
        let generate = |offset| {
            let mut algorithms = KeyAlgorithm::ALL.iter().cycle().skip(place + offset);
            let algorithm = algorithms.next().ok_or("there are no algorithms")?;
            generate(*algorithm, keys)
        };
        let organisation_key = generate(0)?;
        let intermediate_key = generate(INTERMEDIATE_OFFSET)?;
        let user_key = generate(USER_OFFSET)?;
        let bot_key = generate(BOT_OFFSET)?;

        let name: Organisation = DOMAIN.parse()?;
        let period = period_of(30 * DAY)?;
        let dialect = Dialect::DomainAuth;
        let organisation = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&name, dialect, period).with_path_length(1),
            &organisation_key,
        )?;
        let intermediate = IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &IntermediateName::Unit("Staff".to_owned()),
                intermediate_key.public_key(),
                &organisation,
                period,
            ),
            &organisation_key,
        )?;
        let user = MemberCertificate::issue(
            &MemberRequest::new(
                &USER.parse()?,
                user_key.public_key(),
                &intermediate,
                dialect,
                period,
            ),
            &intermediate_key,
        )?;
        let bot = MemberCertificate::issue(
            &MemberRequest::new(
                &Member::Bot,
                bot_key.public_key(),
                &organisation,
                dialect,
                period,
            ),
            &organisation_key,
        )?;
        let hour = TtlOverride::from_seconds(3_600).ok_or("an hour is too long")?;
        let record = TxtRecord::new(organisation_key.public_key(), dialect, hour, None)?;
        Ok(Self {
            organisation_key,
            organisation,
            intermediate_key,
            intermediate,
            user_key,
            user,
            bot_key,
            bot,
            record: record.to_string(),
        })
    }

    fn to_json(&self) -> Result<Value, Box<dyn Error>> {
        let party = |key: &PrivateKey, certificate: String| -> Result<Value, KeyError> {
            Ok(json!({
                "algorithm": key.public_key().algorithm().to_string(),
                "private_key": *key.to_pkcs8_pem()?,
                "public_key": key.public_key().to_spki_pem(),
                "certificate": certificate,
            }))
        };
        Ok(json!({
            "record": self.record,
            "content": BASE64.encode(CONTENT),
            "parties": {
                "organisation": party(&self.organisation_key, self.organisation.to_pem())?,
                "intermediate": party(&self.intermediate_key, self.intermediate.to_pem())?,
                "user": party(&self.user_key, self.user.to_pem())?,
                "bot": party(&self.bot_key, self.bot.to_pem())?,
            },
            "signatures": self.sign()?,
        }))
    }

    /// A signature of each kind by each of them.
    fn sign(&self) -> Result<Vec<Value>, Box<dyn Error>> {
        let (chain, _) = prove(&self.record)?;
        let member_id = |member: &MemberCertificate, intermediates| {
            MemberIdBundle::new(
                &chain,
                self.organisation.clone(),
                member.clone(),
                intermediates,
            )
        };
        let user_id = member_id(&self.user, vec![self.intermediate.clone()])?;
        let bot_id = member_id(&self.bot, Vec::new())?;
        let user: Member = USER.parse()?;
        let signers = [
            ("user", Signer::member(&user_id, &self.user_key)),
            ("bot", Signer::member(&bot_id, &self.bot_key)),
            (
                "organisation",
                Signer::new(
                    SignerIdentity::Organisation {
                        chain_der: &chain,
                        certificate: &self.organisation,
                        attribution: &user,
                    },
                    &self.organisation_key,
                ),
            ),
            (
                "delegate",
                Signer::new(
                    SignerIdentity::Delegate {
                        chain_der: &chain,
                        certificate: &self.organisation,
                        intermediates: slice::from_ref(&self.intermediate),
                        attribution: &Member::Bot,
                    },
                    &self.intermediate_key,
                ),
            ),
        ];
        let period = period_of(10 * MINUTE)?;
        let mut signatures = Vec::new();
        for (name, signer) in &signers {
            for content in [Content::Attached(CONTENT), Content::Detached(CONTENT)] {
                let bundle = signer.sign(&SignatureRequest::new(content, TEST_SERVICE, period))?;
                signatures.push(json!({ "signer": name, "bundle": BASE64.encode(&bundle) }));
            }
        }
        Ok(signatures)
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Theirs

fn read(file: &str) -> Result<(), Box<dyn Error>> {
    for line in std::fs::read_to_string(file)?.lines() {
        let thing = Thing(serde_json::from_str(line)?);
        let label = thing.text("label")?;
        let expected = thing.text("expected")?;
        let (found, why) = match thing.judge() {
            Ok(()) => ("valid", String::new()),
            Err(Judgement::Refused { reason, text }) => (reason, text),
            Err(Judgement::Wrong(error)) => ("wrong", error.to_string()),
            Err(Judgement::NotBuilt(error)) => {
                println!("skip {label}: {error}");
                continue;
            }
        };
        if found == expected {
            println!("ok {label}");
        } else {
            println!("FAILED {label}: expected {expected}, got {found} {why}");
        }
    }
    Ok(())
}

/// Why something is not valid.
enum Judgement {
    /// Our library says so.
    Refused { reason: &'static str, text: String },
    /// It is accepted, but for something else than it is; or it is not written as it should be.
    Wrong(Box<dyn Error>),
    /// This build has no back end that could tell.
    NotBuilt(KeyError),
}

impl From<veraid::VerifyError> for Judgement {
    fn from(error: veraid::VerifyError) -> Self {
        Self::Refused {
            reason: error.reason(),
            text: WithSources(&error).to_string(),
        }
    }
}

impl From<veraid::IssueError> for Judgement {
    fn from(error: veraid::IssueError) -> Self {
        Self::Refused {
            reason: error.reason(),
            text: WithSources(&error).to_string(),
        }
    }
}

/// There are no names for the reasons for which a key is refused.
impl From<KeyError> for Judgement {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NotBuilt { .. } => Self::NotBuilt(error),
            _ => Self::Refused {
                reason: "refused",
                text: WithSources(&error).to_string(),
            },
        }
    }
}

impl From<Box<dyn Error>> for Judgement {
    fn from(error: Box<dyn Error>) -> Self {
        Self::Wrong(error)
    }
}

/// A line: a key, a member id or a signature.
struct Thing(Value);

impl Thing {
    fn judge(&self) -> Result<(), Judgement> {
        match self.text("kind")? {
            "private-key" => self.judge_private_key(),
            "member-id" => self.judge_member_id(),
            "signature" => self.judge_signature(),
            kind => Err(Judgement::Wrong(format!("there is no kind {kind}").into())),
        }
    }

    /// Reads a key and its public half, and signs with it.
    fn judge_private_key(&self) -> Result<(), Judgement> {
        let key = PrivateKey::from_pkcs8_pem(self.text("private_key")?)?;
        let public_key = PublicKey::from_spki_pem(self.text("public_key")?)?;
        expect(
            "public key",
            &key.public_key().to_spki_pem(),
            &public_key.to_spki_pem(),
        )?;
        expect(
            "algorithm",
            &public_key.algorithm().to_string(),
            self.text("algorithm")?,
        )?;
        let organisation: Organisation = DOMAIN.parse().map_err(Box::from)?;
        // Which checks what the key signs with its public half.
        OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, Dialect::DomainAuth, period_of(DAY)?),
            &key,
        )?;
        Ok(())
    }

    /// Verifies a member's certificate by an organisation, and those between.
    fn judge_member_id(&self) -> Result<(), Judgement> {
        let (chain, anchors) = prove(self.text("record")?)?;
        let organisation = OrganisationCertificate::from_der(&self.octets("organisation")?)?;
        let member = MemberCertificate::from_der(&self.octets("member")?)?;
        let intermediates = self.list("intermediates")?;
        let intermediates = intermediates
            .iter()
            .map(|der| IntermediateCertificate::from_der(der))
            .collect::<Result<_, _>>()?;
        let bundle = MemberIdBundle::new(&chain, organisation, member, intermediates)?;
        let now = Period::at(SystemTime::now().into());
        let policy = Policy::new().with_all_algorithms();
        let verified =
            bundle.verify(&Verification::new(TEST_SERVICE, now, &anchors).with_policy(policy))?;
        expect(
            "subject",
            &verified.member_id().to_string(),
            self.text("subject")?,
        )?;
        expect(
            "algorithm",
            &verified.key_algorithm().to_string(),
            self.text("algorithm")?,
        )
    }

    /// Verifies a bundle of a chain, the organisation's certificate and CMS `SignedData`.
    fn judge_signature(&self) -> Result<(), Judgement> {
        let (chain, anchors) = prove(self.text("record")?)?;
        let bundle = write_signature_bundle(
            &chain,
            &self.octets("organisation")?,
            &self.octets("signed_data")?,
        )
        .map_err(Box::from)?;
        let content = self.octets("content")?;
        let now = Period::at(SystemTime::now().into());
        let mut verification = Verification::new(TEST_SERVICE, now, &anchors)
            .with_policy(Policy::new().with_all_algorithms());
        let bundle = SignatureBundle::from_der(&bundle)?;
        if bundle.unverified_content().is_none() {
            verification = verification.with_detached_content(&content);
        }
        let verified = bundle.verify(&verification)?;
        let signed_by = match verified.signed_by() {
            SignedBy::Member => "member",
            SignedBy::Organisation => "organisation",
            _ => "nobody known here",
        };
        expect(
            "content",
            &BASE64.encode(verified.content().unwrap_or_default()),
            &BASE64.encode(&content),
        )?;
        expect(
            "subject",
            &verified.member_id().to_string(),
            self.text("subject")?,
        )?;
        expect(
            "algorithm",
            &verified.key_algorithm().to_string(),
            self.text("algorithm")?,
        )?;
        expect("signed_by", signed_by, self.text("signed_by")?)
    }

    fn text(&self, field: &str) -> Result<&str, Box<dyn Error>> {
        let value = self.0.get(field).and_then(Value::as_str);
        value.ok_or_else(|| format!("there is no text {field}").into())
    }

    fn octets(&self, field: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(BASE64.decode(self.text(field)?.as_bytes())?)
    }

    fn list(&self, field: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
        let values = self.0.get(field).and_then(Value::as_array);
        let values = values.ok_or_else(|| format!("there is no list {field}"))?;
        let decode =
            |value: &Value| Ok(BASE64.decode(value.as_str().unwrap_or("no text").as_bytes())?);
        values.iter().map(decode).collect()
    }
}

fn expect(what: &str, found: &str, wanted: &str) -> Result<(), Judgement> {
    if found == wanted {
        Ok(())
    } else {
        Err(Judgement::Wrong(
            format!("its {what} is {found}, not {wanted}").into(),
        ))
    }
}

/// Puts the parts of a signature bundle together, each with the tag that it has there and else as it is.
fn write_signature_bundle(
    chain: &[u8],
    organisation_certificate: &[u8],
    signed_data: &[u8],
) -> der::Result<Vec<u8>> {
    const VERSION: &[u8] = &[0x80, 1, 0];
    let tagged = [
        (0xa1, chain),
        (0xa2, organisation_certificate),
        (0xa3, signed_data),
    ];
    let mut content = VERSION.to_vec();
    for (tag, part) in tagged {
        content.push(tag);
        content.extend(part.iter().skip(1));
    }
    AnyRef::new(Tag::Sequence, &content)?.to_der()
}
