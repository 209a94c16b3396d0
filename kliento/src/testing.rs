//! A whole chain of trust in memory, for your own tests.
//!
//! A [`TrustChain`] is a signed DNS of its own, an organisation in it and one member: all that a client needs to issue
//! tokens, and the trust anchors with which a server believes them. Everything is real but the root: what your server
//! verifies in a test, it verifies in the same way in production.
//!
//! ```
//! use kliento::Token;
//! use kliento::testing::TrustChain;
//!
//! let chain = TrustChain::new("example.com", "alice");
//! let verifier = chain.verifier("https://api.example.com");
//!
//! let token = Token::new("https://api.example.com".parse()?).with_claim("role", "admin");
//! let verified = verifier.verify_header(chain.header(&token))?;
//!
//! assert_eq!(verified.subject(), "alice@example.com");
//! assert_eq!(verified.claims().get("role"), Some("admin"));
//! # Ok::<(), kliento::Error>(())
//! ```
//!
//! Your server's own [`Verifier`] takes [`TrustChain::trust_anchors`] and, for a chain that was made for another time
//! than now, a clock:
//!
//! ```
//! use kliento::testing::TrustChain;
//! use kliento::{Timestamp, Token, Verifier};
//!
//! let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
//! let chain = TrustChain::at(noon, "example.com", &"alice".parse().unwrap());
//! let verifier = Verifier::builder("https://api.example.com".parse()?)
//!     .trust_anchors(chain.trust_anchors().clone())
//!     .clock(move || noon.saturating_add(601))
//!     .build();
//!
//! let token = Token::new("https://api.example.com".parse()?);
//! let refusal = verifier.verify_bundle(&chain.token(&token)).unwrap_err();
//! assert_eq!(refusal.reason(), "veraid.signature_expired");
//! # Ok::<(), kliento::Error>(())
//! ```
//!
//! Keys are RSA-2048 and the dialect is VeraId unless the [builder](TrustChain::builder) is told otherwise:
//!
//! ```
//! use kliento::Token;
//! use kliento::testing::TrustChain;
//! use kliento::veraid::{Dialect, KeyAlgorithm};
//!
//! let chain = TrustChain::builder("example.com", "alice")
//!     .dialect(Dialect::DomainAuth)
//!     .algorithms(KeyAlgorithm::MlDsa65, KeyAlgorithm::Ed25519)
//!     .build();
//!
//! let token = Token::new("https://api.example.com".parse()?);
//! let verified = chain.verifier("https://api.example.com").verify_header(chain.header(&token))?;
//! assert_eq!(verified.key_algorithm(), KeyAlgorithm::Ed25519);
//! # Ok::<(), kliento::Error>(())
//! ```
//!
//! Making RSA keys takes a fraction of a second: share a chain between tests, in a
//! [`LazyLock`](std::sync::LazyLock) say.

// What can fail here is a mistake in a test, and a panic is how a test says so.
#![allow(clippy::expect_used, clippy::panic)]

use std::time::SystemTime;

use kliento_fixtures::{Algorithm, TXT, World, chain_der, rsa_pkcs8};
use veraid::{
    Dialect, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, Organisation,
    OrganisationCertificate, Period, Policy, PrivateKey, Signer, SigningKey as _, Timestamp,
    TrustAnchors, TtlOverride, TxtRecord,
};

use crate::{Audience, Token, Verifier, header, issue};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// How long tokens live unless another period is given, in seconds.
const TOKEN_LIFETIME: i64 = 600;

/// An organisation with one member, and the DNS that vouches for it.
///
/// DNSSEC signatures hold from an hour before to six days after the chain's time; certificates from a day before to
/// thirty days (the organisation's) or seven (the member's) after it.
#[derive(Debug)]
pub struct TrustChain {
    time: Timestamp,
    anchors: TrustAnchors,
    anchor_lines: String,
    dnssec_chain: Vec<u8>,
    organisation_key: PrivateKey,
    organisation_certificate: OrganisationCertificate,
    member_key: PrivateKey,
    member_id_bundle: MemberIdBundle,
}

impl TrustChain {
    /// A chain for the user called `user` of `organisation`, for the present.
    ///
    /// # Panics
    ///
    /// If one of the names is not valid.
    pub fn new(organisation: &str, user: &str) -> Self {
        let member = Member::User(user.parse().expect("a valid user name"));
        Self::builder(organisation, member.as_str()).build()
    }

    /// A chain for the bot of `organisation`, for the present.
    ///
    /// # Panics
    ///
    /// If the name is not valid.
    pub fn for_bot(organisation: &str) -> Self {
        Self::builder(organisation, Member::Bot.as_str()).build()
    }

    /// A chain for `member` of `organisation`, for the time `time`.
    ///
    /// # Panics
    ///
    /// If the organisation's name is not valid.
    pub fn at(time: Timestamp, organisation: &str, member: &Member) -> Self {
        Self::builder(organisation, member.as_str())
            .at(time)
            .build()
    }

    /// Starts a chain for the user called `member` of `organisation`, or for its bot if that is `@`: in VeraId, with
    /// RSA-2048 keys, for the present.
    ///
    /// # Panics
    ///
    /// If the organisation's name is not valid.
    pub fn builder(organisation: &str, member: &str) -> TrustChainBuilder {
        TrustChainBuilder {
            organisation: organisation.parse().expect("a valid domain name"),
            member: member.to_owned(),
            time: None,
            dialect: Dialect::VeraId,
            organisation_algorithm: KeyAlgorithm::Rsa2048,
            member_algorithm: KeyAlgorithm::Rsa2048,
        }
    }

    /// The time that it was made for.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The key of the DNS root that it stands on.
    pub fn trust_anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// The same in zone-file form, as [`TrustAnchors`] reads it from text, for a server that is configured by files.
    pub fn trust_anchor_lines(&self) -> &str {
        &self.anchor_lines
    }

    /// What a verifier must take to believe tokens of this chain: its keys' algorithms, where they are experimental.
    pub fn policy(&self) -> Policy {
        let policy = Policy::new().allow(self.organisation_key.public_key().algorithm());
        policy.allow(self.member_key.public_key().algorithm())
    }

    /// A verifier for `audience` that trusts this chain's root, allows its algorithms and lives at its time.
    ///
    /// # Panics
    ///
    /// If the audience is empty.
    pub fn verifier(&self, audience: &str) -> Verifier {
        let time = self.time;
        let audience: Audience = audience.parse().expect("an audience is not empty");
        Verifier::builder(audience)
            .trust_anchors(self.anchors.clone())
            .policy(self.policy())
            .clock(move || time)
            .build()
    }

    /// A token bundle (DER) that the member signed, for ten minutes from the chain's time on.
    ///
    /// # Panics
    ///
    /// If the bundle gets too large.
    pub fn token(&self, token: &Token) -> Vec<u8> {
        issue(&self.member_signer(), token, self.ten_minutes()).expect("a token can be issued")
    }

    /// The same as the value of an `Authorization` field.
    ///
    /// # Panics
    ///
    /// If the bundle gets too large.
    pub fn header(&self, token: &Token) -> String {
        header::encode(&self.token(token))
    }

    /// A token bundle (DER) that the organisation signed in the name of `member`, for the same ten minutes.
    ///
    /// # Panics
    ///
    /// If the bundle gets too large.
    pub fn organisation_token(&self, token: &Token, member: &Member) -> Vec<u8> {
        issue(&self.organisation_signer(member), token, self.ten_minutes())
            .expect("a token can be issued")
    }

    /// The member as a signer, for [`issue`] and [`veraid::sign`].
    pub fn member_signer(&self) -> Signer<'_> {
        Signer::Member {
            bundle: &self.member_id_bundle,
            key: &self.member_key,
        }
    }

    /// The organisation as a signer in the name of `member`.
    pub fn organisation_signer<'s>(&'s self, member: &'s Member) -> Signer<'s> {
        Signer::Organisation {
            chain_der: &self.dnssec_chain,
            certificate: &self.organisation_certificate,
            attribution: member,
            key: &self.organisation_key,
        }
    }

    /// What proves that the member's key is the member's.
    pub fn member_id_bundle(&self) -> &MemberIdBundle {
        &self.member_id_bundle
    }

    /// The member's private key.
    pub fn member_key(&self) -> &PrivateKey {
        &self.member_key
    }

    /// The organisation's certificate.
    pub fn organisation_certificate(&self) -> &OrganisationCertificate {
        &self.organisation_certificate
    }

    /// The organisation's private key.
    pub fn organisation_key(&self) -> &PrivateKey {
        &self.organisation_key
    }

    /// The DNSSEC chain of the organisation's TXT record (DER).
    pub fn dnssec_chain(&self) -> &[u8] {
        &self.dnssec_chain
    }

    fn ten_minutes(&self) -> Period {
        span(self.time, self.time.saturating_add(TOKEN_LIFETIME))
    }
}

/// The optional parts of a [`TrustChain`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TrustChainBuilder {
    organisation: Organisation,
    member: String,
    time: Option<Timestamp>,
    dialect: Dialect,
    organisation_algorithm: KeyAlgorithm,
    member_algorithm: KeyAlgorithm,
}

impl TrustChainBuilder {
    /// For that time, in place of the present.
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// In that dialect, in place of VeraId.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// With keys of these algorithms, in place of RSA-2048. Experimental ones need [`Dialect::DomainAuth`].
    pub fn algorithms(mut self, organisation: KeyAlgorithm, member: KeyAlgorithm) -> Self {
        self.organisation_algorithm = organisation;
        self.member_algorithm = member;
        self
    }

    /// Makes the chain.
    ///
    /// # Panics
    ///
    /// If the dialect has no such keys, or no such name for a member.
    pub fn build(self) -> TrustChain {
        let Self {
            organisation,
            dialect,
            ..
        } = self;
        let time = self.time.unwrap_or_else(|| SystemTime::now().into());
        let member = Member::parse_for(&self.member, dialect).expect("a valid user name");
        let organisation_key = generate_key(self.organisation_algorithm);
        let member_key = generate_key(self.member_algorithm);
        let world = publish(&organisation, organisation_key.public_key(), dialect, time);
        let owner = record_owner(&organisation, dialect);
        let dnssec_chain = chain_der(&world.chain(owner.as_str(), TXT));

        let organisation_certificate = OrganisationCertificate::self_issue(
            &organisation,
            dialect,
            &organisation_key,
            days_around(time, 30),
            0,
        )
        .expect("a certificate can be made");
        let member_certificate = MemberCertificate::issue(
            &member,
            member_key.public_key(),
            &organisation_certificate,
            &organisation_key,
            days_around(time, 7),
            dialect,
        )
        .expect("the dialect has such keys");
        let member_id_bundle = MemberIdBundle::new(
            &dnssec_chain,
            organisation_certificate.clone(),
            member_certificate,
            Vec::new(),
        )
        .expect("the parts belong together");

        TrustChain {
            time,
            anchors: world.anchors().parse().expect("the anchors can be read"),
            anchor_lines: world.anchors(),
            dnssec_chain,
            organisation_key,
            organisation_certificate,
            member_key,
            member_id_bundle,
        }
    }
}

fn generate_key(algorithm: KeyAlgorithm) -> PrivateKey {
    // Not every back end makes RSA keys.
    let bits = match algorithm {
        KeyAlgorithm::Rsa2048 => 2_048,
        KeyAlgorithm::Rsa3072 => 3_072,
        KeyAlgorithm::Rsa4096 => 4_096,
        _ => return PrivateKey::generate(algorithm).expect("a key can be made"),
    };
    PrivateKey::from_pkcs8_der(&rsa_pkcs8(bits)).expect("a key that was just made can be read")
}

fn span(start: Timestamp, end: Timestamp) -> Period {
    Period::new(start, end).expect("time runs forwards")
}

/// From a day before `time` to so many days after it.
fn days_around(time: Timestamp, days: i64) -> Period {
    span(
        time.saturating_sub(DAY),
        time.saturating_add(days.saturating_mul(DAY)),
    )
}

fn record_owner(organisation: &Organisation, dialect: Dialect) -> String {
    organisation
        .record_owner(dialect)
        .expect("the domain leaves room for the record's label")
        .to_string()
}

/// A DNS with a zone for each label of the domain, and the key's record in the lowest.
fn publish(
    organisation: &Organisation,
    key: &veraid::PublicKey,
    dialect: Dialect,
    time: Timestamp,
) -> World {
    let hour = TtlOverride::from_seconds(3_600).expect("an hour is within bounds");
    let record =
        TxtRecord::new(key, dialect, hour, None).expect("the dialect has records of such keys");
    let domain = organisation.as_str();
    let zones = domain
        .match_indices('.')
        .map(|(dot, _)| domain.get(dot.saturating_add(1)..).unwrap_or_default())
        .chain([domain]);
    zones
        .fold(
            World::builder().zone(".", Algorithm::EcdsaP256Sha256),
            |world, zone| world.zone(format!("{zone}.").as_str(), Algorithm::EcdsaP256Sha256),
        )
        .at(time.unix_seconds())
        .txt(
            record_owner(organisation, dialect).as_str(),
            record.to_string(),
        )
        .build()
}
