//! A complete chain of trust in memory, for your tests.
//!
//! ```toml
//! [dependencies]
//! kliento = { path = "…", features = ["axum"] } # or `git`; the features of your server
//!
//! [dev-dependencies]
//! kliento = { path = "…", features = ["testing"] } # the same source; tests have both features
//! ```
//!
//! A [`TrustChain`] is a signed DNS, an organisation in it and one member. It has everything that a
//! client needs to issue tokens, and the trust anchors with which a server accepts them. Everything
//! except the root is real, so your server verifies tokens in a test as it does in production.
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
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Somebody else's tokens
//!
//! The most important test of a server is that somebody else's valid token gets 403, and not 401.
//! One root can have any number of organisations and members:
//!
//! ```
//! use kliento::testing::TrustChain;
//! use kliento::{Requirements, Token};
//!
//! let alice = TrustChain::new("example.com", "alice");
//! let bob = alice.another_member("bob"); // of example.com, with a key of his own
//! let mallory = alice.another_organisation("evil.example", "mallory");
//!
//! let verifier = alice
//!     .verifier("https://api.example.com") // trusts their common root
//!     .with_requirements(Requirements::new().with_organisation("example.com".parse()?));
//! let token = Token::new("https://api.example.com".parse()?).with_claim("role", "admin");
//! assert_eq!(verifier.verify_header(bob.header(&token))?.subject(), "bob@example.com");
//!
//! let refusal = verifier.verify_header(mallory.header(&token)).unwrap_err();
//! assert!(refusal.is_forbidden()); // 403
//! assert_eq!(refusal.reason(), "kliento.subject_not_allowed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An organisation's bot is [another member](TrustChain::another_member), called `@`. A token that
//! an organisation signs in a member's name is an [organisation's
//! token](TrustChain::organisation_header). A [new chain](TrustChain::new) has its own root, which
//! other chains' verifiers don't trust: its tokens get 401.
//!
//! # Your own verifier
//!
//! Your server's own [`Verifier`] needs [`TrustChain::trust_anchors`] and, if the chain was made
//! for a time other than the present, a clock:
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
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keys and dialects
//!
//! By default, keys are RSA-2048 and the dialect is VeraId. The [builder](TrustChain::builder)
//! changes that:
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
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The builder also accepts [your own keys](TrustChainBuilder::member_key), and [the root of
//! another chain](TrustChainBuilder::beside).
//!
//! Generating RSA keys takes a fraction of a second. Share a chain between tests, for example in a
//! [`LazyLock`](std::sync::LazyLock).

// Failures here are mistakes in a test, which reports them by a panic.
#![allow(clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::SystemTime;

use kliento_fixtures::{Algorithm, Key, TXT, World, ZoneSpec, chain_der, rsa_pkcs8};
use veraid::{
    Dialect, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest, Organisation,
    OrganisationCertificate, OrganisationRequest, Period, Policy, PrivateKey, Signer,
    SignerIdentity, SigningKey as _, Timestamp, TrustAnchors, TtlOverride, TxtRecord,
};

use crate::{Audience, Token, Verifier, header, issue};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// The lifetime of tokens unless another period is given, in seconds.
const TOKEN_LIFETIME: i64 = 600;

/// An organisation with one member, and the DNS that proves its key.
///
/// DNSSEC signatures are valid from an hour before the chain's time to six days after it.
/// Certificates are valid from a day before it to thirty days (the organisation's) or seven days
/// (the member's) after it.
///
/// A clone shares everything.
#[derive(Clone, Debug)]
pub struct TrustChain {
    root: Arc<Root>,
    organisation: Arc<Published>,
    member_key: Arc<PrivateKey>,
    member_id_bundle: Arc<MemberIdBundle>,
    /// The policy of verifiers that accept this chain, and the chains beside which it was made.
    policy: Policy,
}

/// The common root of several chains, and the zones below it.
#[derive(Debug)]
struct Root {
    time: Timestamp,
    anchors: TrustAnchors,
    anchor_lines: String,
    /// The zones and their keys, the root first.
    zones: Vec<(String, ZoneSpec)>,
}

/// An organisation with a record in the DNS.
#[derive(Debug)]
struct Published {
    name: Organisation,
    dialect: Dialect,
    key: Arc<PrivateKey>,
    certificate: OrganisationCertificate,
    dnssec_chain: Vec<u8>,
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

    /// Starts a chain for the user called `member` of `organisation`, or for its bot if `member` is
    /// `@`. The defaults are VeraId, RSA-2048 keys and the present.
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
            organisation_key: KeySource::New(KeyAlgorithm::Rsa2048),
            member_key: KeySource::New(KeyAlgorithm::Rsa2048),
            beside: None,
        }
    }

    /// A chain for the user called `member` of the same organisation, or for its bot if `member` is
    /// `@`, with its own key of the same algorithm.
    ///
    /// # Panics
    ///
    /// If the name is not valid.
    #[must_use]
    pub fn another_member(&self, member: &str) -> Self {
        self.start_beside(self.organisation.name.as_str(), member)
            .build()
    }

    /// A chain for the user called `member` of another organisation below the same root, or for its
    /// bot if `member` is `@`. It has the same time and dialect, and its own keys of the same
    /// algorithms.
    ///
    /// [`verifier`](Self::verifier) of both chains trusts both.
    ///
    /// # Panics
    ///
    /// If one of the names is not valid, or the organisation is the same: that is
    /// [`another_member`](Self::another_member).
    #[must_use]
    pub fn another_organisation(&self, organisation: &str, member: &str) -> Self {
        let builder = self.start_beside(organisation, member);
        assert!(
            builder.organisation != self.organisation.name,
            "{organisation} is the organisation of this chain: another_member makes another member of it"
        );
        builder.build()
    }

    fn start_beside(&self, organisation: &str, member: &str) -> TrustChainBuilder {
        Self::builder(organisation, member)
            .dialect(self.organisation.dialect)
            .algorithms(
                self.organisation.key.public_key().algorithm(),
                self.member_key.public_key().algorithm(),
            )
            .beside(self)
    }

    /// The time for which it was made.
    pub fn time(&self) -> Timestamp {
        self.root.time
    }

    /// The key of its DNS root.
    pub fn trust_anchors(&self) -> &TrustAnchors {
        &self.root.anchors
    }

    /// The trust anchors as lines of a zone file, which [`TrustAnchors`] reads, for a server that
    /// is configured by files.
    pub fn trust_anchor_lines(&self) -> &str {
        &self.root.anchor_lines
    }

    /// The policy of a verifier that accepts tokens of this chain. It allows the algorithms of its
    /// keys if they are experimental.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// A verifier for `audience` that trusts this chain's root, allows its algorithms and uses its
    /// time.
    ///
    /// # Panics
    ///
    /// If the audience is empty.
    pub fn verifier(&self, audience: &str) -> Verifier {
        let time = self.time();
        let audience: Audience = audience.parse().expect("an audience is not empty");
        Verifier::builder(audience)
            .trust_anchors(self.trust_anchors().clone())
            .policy(self.policy())
            .clock(move || time)
            .build()
    }

    /// A token bundle (DER) that the member signed, for ten minutes from the chain's time on.
    ///
    /// # Panics
    ///
    /// If the bundle is too large.
    pub fn token(&self, token: &Token) -> Vec<u8> {
        issue(&self.member_signer(), token, self.ten_minutes()).expect("a token can be issued")
    }

    /// The same token as the value of an `Authorization` field.
    ///
    /// # Panics
    ///
    /// If the bundle is too large.
    pub fn header(&self, token: &Token) -> String {
        header::encode(&self.token(token))
    }

    /// A token bundle (DER) that the organisation signed in the name of `member`, for the same ten
    /// minutes.
    ///
    /// # Panics
    ///
    /// If the bundle is too large.
    #[doc(alias = "organization_token")]
    pub fn organisation_token(&self, token: &Token, member: &Member) -> Vec<u8> {
        issue(&self.organisation_signer(member), token, self.ten_minutes())
            .expect("a token can be issued")
    }

    /// The same token as the value of an `Authorization` field.
    ///
    /// ```
    /// use kliento::Token;
    /// use kliento::testing::TrustChain;
    /// use kliento::veraid::{Member, SignedBy};
    ///
    /// let chain = TrustChain::new("example.com", "alice");
    /// let verifier = chain.verifier("https://api.example.com");
    /// let token = Token::new("https://api.example.com".parse()?);
    /// let verified = verifier.verify_header(chain.organisation_header(&token, &Member::Bot))?;
    /// assert_eq!((verified.subject(), verified.signed_by()), ("example.com", SignedBy::Organisation));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the bundle is too large.
    #[doc(alias = "organization_header")]
    pub fn organisation_header(&self, token: &Token, member: &Member) -> String {
        header::encode(&self.organisation_token(token, member))
    }

    /// The member as a signer, for [`issue`] and [`Signer::sign`].
    pub fn member_signer(&self) -> Signer<'_> {
        Signer::member(&self.member_id_bundle, &*self.member_key)
    }

    /// The organisation as a signer in the name of `member`.
    #[doc(alias = "organization_signer")]
    pub fn organisation_signer<'s>(&'s self, member: &'s Member) -> Signer<'s> {
        Signer::new(
            SignerIdentity::Organisation {
                chain_der: &self.organisation.dnssec_chain,
                certificate: &self.organisation.certificate,
                attribution: member,
            },
            &*self.organisation.key,
        )
    }

    /// The member id bundle, which proves the member's key.
    pub fn member_id_bundle(&self) -> &MemberIdBundle {
        &self.member_id_bundle
    }

    /// The member's private key.
    pub fn member_key(&self) -> &PrivateKey {
        &self.member_key
    }

    /// The organisation's certificate.
    #[doc(alias = "organization_certificate")]
    pub fn organisation_certificate(&self) -> &OrganisationCertificate {
        &self.organisation.certificate
    }

    /// The organisation's private key.
    #[doc(alias = "organization_key")]
    pub fn organisation_key(&self) -> &PrivateKey {
        &self.organisation.key
    }

    /// The DNSSEC chain of the organisation's TXT record (DER).
    pub fn dnssec_chain(&self) -> &[u8] {
        &self.organisation.dnssec_chain
    }

    fn ten_minutes(&self) -> Period {
        span(self.time(), self.time().saturating_add(TOKEN_LIFETIME))
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
    organisation_key: KeySource,
    member_key: KeySource,
    beside: Option<TrustChain>,
}

/// The source of a key.
#[derive(Clone, Debug)]
enum KeySource {
    New(KeyAlgorithm),
    Given(Arc<PrivateKey>),
}

impl KeySource {
    fn key(self) -> Arc<PrivateKey> {
        match self {
            Self::New(algorithm) => Arc::new(generate_key(algorithm)),
            Self::Given(key) => key,
        }
    }
}

impl TrustChainBuilder {
    /// Sets the time, in place of the present.
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets the dialect, in place of VeraId.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Generates keys of these algorithms, in place of RSA-2048. Experimental ones need
    /// [`Dialect::DomainAuth`].
    pub fn algorithms(mut self, organisation: KeyAlgorithm, member: KeyAlgorithm) -> Self {
        self.organisation_key = KeySource::New(organisation);
        self.member_key = KeySource::New(member);
        self
    }

    /// Sets the organisation's key, in place of a new one.
    #[doc(alias = "organization_key")]
    pub fn organisation_key(mut self, key: PrivateKey) -> Self {
        self.organisation_key = KeySource::Given(Arc::new(key));
        self
    }

    /// Sets the member's key, in place of a new one.
    pub fn member_key(mut self, key: PrivateKey) -> Self {
        self.member_key = KeySource::Given(Arc::new(key));
        self
    }

    /// Puts the chain below the root of `chain` and at its time, so that a verifier that trusts one
    /// trusts both. If the organisation is the same, it also has the same key.
    ///
    /// ```
    /// use kliento::Token;
    /// use kliento::testing::TrustChain;
    /// use kliento::veraid::{Dialect, KeyAlgorithm, PrivateKey};
    ///
    /// let alice = TrustChain::new("example.com", "alice");
    /// let key = PrivateKey::generate(KeyAlgorithm::Ed25519)?;
    /// let carol = TrustChain::builder("example.net", "carol")
    ///     .dialect(Dialect::DomainAuth)
    ///     .member_key(key)
    ///     .beside(&alice)
    ///     .build();
    ///
    /// let verifier = carol.verifier("https://api.example.com"); // allows Ed25519, unlike that of `alice`
    /// let token = Token::new("https://api.example.com".parse()?);
    /// assert_eq!(verifier.verify_header(carol.header(&token))?.subject(), "carol@example.net");
    /// assert_eq!(verifier.verify_header(alice.header(&token))?.subject(), "alice@example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn beside(mut self, chain: &TrustChain) -> Self {
        self.time = Some(chain.time());
        if self.organisation == chain.organisation.name {
            self.organisation_key = KeySource::Given(Arc::clone(&chain.organisation.key));
        }
        self.beside = Some(chain.clone());
        self
    }

    /// Makes the chain.
    ///
    /// # Panics
    ///
    /// If the dialect does not allow the keys or the member's name, or if the chain is
    /// [beside](Self::beside) one of another time.
    pub fn build(self) -> TrustChain {
        let Self {
            organisation,
            dialect,
            ..
        } = self;
        let beside = self.beside.as_ref();
        let time = self.time.unwrap_or_else(|| SystemTime::now().into());
        assert!(
            beside.is_none_or(|chain| chain.time() == time),
            "chains below one root are of one time"
        );
        let member = Member::parse_for(&self.member, dialect).expect("a valid user name");
        let organisation_key = self.organisation_key.key();
        let member_key = self.member_key.key();

        let published = beside.filter(|chain| {
            chain.organisation.name == organisation
                && chain.organisation.dialect == dialect
                && Arc::ptr_eq(&chain.organisation.key, &organisation_key)
        });
        let (root, organisation) = match published {
            Some(chain) => (Arc::clone(&chain.root), Arc::clone(&chain.organisation)),
            None => publish(beside, time, organisation, dialect, organisation_key),
        };
        let member_certificate = MemberCertificate::issue(
            &MemberRequest::new(
                &member,
                member_key.public_key(),
                &organisation.certificate,
                dialect,
                days_around(time, 7),
            ),
            &*organisation.key,
        )
        .expect("the dialect has such keys");
        let member_id_bundle = MemberIdBundle::new(
            &organisation.dnssec_chain,
            organisation.certificate.clone(),
            member_certificate,
            Vec::new(),
        )
        .expect("the parts belong together");

        let policy = beside.map(TrustChain::policy).unwrap_or_default();
        TrustChain {
            policy: policy
                .with_algorithm(organisation.key.public_key().algorithm())
                .with_algorithm(member_key.public_key().algorithm()),
            root,
            organisation,
            member_key,
            member_id_bundle: Arc::new(member_id_bundle),
        }
    }
}

fn generate_key(algorithm: KeyAlgorithm) -> PrivateKey {
    // Not every back end can generate RSA keys.
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

/// The period from a day before `time` to `days` after it.
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

/// Adds the key's record to a DNS with a zone for each label of the domain, below the root of
/// `beside` if there is one.
fn publish(
    beside: Option<&TrustChain>,
    time: Timestamp,
    name: Organisation,
    dialect: Dialect,
    key: Arc<PrivateKey>,
) -> (Arc<Root>, Arc<Published>) {
    let hour = TtlOverride::from_seconds(3_600).expect("an hour is within bounds");
    let record = TxtRecord::new(key.public_key(), dialect, hour, None)
        .expect("the dialect has records of such keys");
    let owner = record_owner(&name, dialect);

    let mut zones = beside.map_or_else(Vec::new, |chain| chain.root.zones.clone());
    for zone in zones_down_to(name.as_str()) {
        if !zones.iter().any(|(present, _)| *present == zone) {
            zones.push((zone.clone(), zone_with_keys(&zone)));
        }
    }
    let world = zones
        .iter()
        .fold(World::builder(), |world, (_, zone)| {
            world.with_zone(zone.clone())
        })
        .at(time.unix_seconds())
        .txt(owner.as_str(), record.to_string())
        .build();

    let certificate = OrganisationCertificate::self_issue(
        &OrganisationRequest::new(&name, dialect, days_around(time, 30)),
        &*key,
    )
    .expect("a certificate can be made");
    let root = Root {
        time,
        anchors: world.anchors().parse().expect("the anchors can be read"),
        anchor_lines: world.anchors(),
        zones,
    };
    let published = Published {
        dnssec_chain: chain_der(&world.chain(owner.as_str(), TXT)),
        name,
        dialect,
        key,
        certificate,
    };
    (Arc::new(root), Arc::new(published))
}

/// The names of the zones from the root to `domain`, in absolute form.
fn zones_down_to(domain: &str) -> impl Iterator<Item = String> {
    let parents = domain
        .rmatch_indices('.')
        .map(|(dot, _)| domain.get(dot.saturating_add(1)..).unwrap_or_default());
    let zones = parents.chain([domain]).map(|zone| format!("{zone}."));
    [".".to_owned()].into_iter().chain(zones)
}

fn zone_with_keys(name: &str) -> ZoneSpec {
    let algorithm = Algorithm::EcdsaP256Sha256;
    ZoneSpec::new(name, algorithm)
        .ksk(Key::generate(algorithm))
        .zsk(Key::generate(algorithm))
}
