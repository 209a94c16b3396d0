//! Bundles that are as costly to verify as an attacker can make them within the 16,384 octets that a bundle may have.
//!
//! Each [`Attack`] spends those octets on one kind of work. The attacker owns a domain below `com.`, so that anything in
//! and below it can be valid: deep zones with the costliest algorithm, all signatures good. Above, the root is RSA-2048 and
//! `com.` P-256, as they are. Keys are made anew each time, so octets differ; what there is to do for a verifier does not.

mod certificates;
mod chains;
mod der;

use std::error::Error;
use std::sync::LazyLock;
use std::time::SystemTime;

use kliento::veraid::{
    Content, Dialect, IntermediateCertificate, KeyAlgorithm, Member, MemberCertificate,
    MemberIdBundle, MemberRequest, Organisation, OrganisationCertificate, OrganisationRequest,
    Period, Policy, PrivateKey, SignatureRequest, Signer, SignerIdentity, SigningKey, TtlOverride,
    TxtRecord,
};
use kliento::{SERVICE, Timestamp, Token, TrustAnchors, Verifier};
use kliento_fixtures::{
    Algorithm, Key, Responses, TXT, World, WorldBuilder, ZONE_KEY, ZoneKey, ZoneSpec, chain_der,
};

const AUDIENCE: &str = "https://api.example.com";
/// The attacker's domain.
const DOMAIN: &str = "e.com";
/// The number of zones with P-384 keys below `com.` that the budget is enough for.
const VALID_ZONES: usize = 4;
/// The start of the program: servers that read a clock accept its tokens for an hour.
static TIME: LazyLock<Timestamp> = LazyLock::new(|| SystemTime::now().into());
const DAY: i64 = 86_400;
/// The largest public exponent that cryptographic libraries compute with has 33 bits, and all of them can be ones.
const LARGEST_EXPONENT: [u8; 5] = [0x01, 0xff, 0xff, 0xff, 0xff];
/// More labels or pointers for each record of a dozen octets are refused.
const MANY_LABELS: usize = 16;
/// The longest name has 255 octets: with `_veraid` and `com`, so many labels of one octet fit.
const MAX_LABELS: usize = 119;

/// The attacker's domain, or a zone below it: the first is the domain itself.
fn zone_at_depth(depth: usize) -> String {
    format!("{}{DOMAIN}", "z.".repeat(depth.saturating_sub(1)))
}

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A bundle, and a server that it is shown to.
pub struct Hostile {
    /// The kind of work that it makes.
    pub attack: Attack,
    /// The number of items, such as records, that the attack put into the bundle.
    pub amount: usize,
    /// The bundle in DER.
    pub bundle: Vec<u8>,
    /// Lines of a zone file.
    pub anchors: String,
}

impl Hostile {
    /// A server that has it all to do: nothing is remembered.
    pub fn verifier(&self) -> Outcome<Verifier> {
        let time = *TIME;
        Ok(Verifier::builder(AUDIENCE.parse()?)
            .trust_anchors(self.anchors.parse::<TrustAnchors>()?)
            .policy(Policy::new().with_all_algorithms())
            .clock(move || time)
            .cache_octets(0)
            .build())
    }
}

/// Kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// None: what an ordinary member sends.
    Ordinary,
    /// Zones of P-384, one below the other.
    DeepZones,
    /// The same, each RRset signed three times over.
    DeepZonesSignedThrice,
    /// As many zones of P-384 as a verifier takes, and all that is left in records.
    DeepZonesAndRecords,
    /// The same, with claims.
    DeepZonesAndClaims,
    /// As many zones of P-384 as can be valid, what work is left in forged signatures by Ed25519, which are tried before, and all
    /// octets that are left in records.
    AllWork,
    /// RSA-4096 zone keys with the largest exponent that share a tag, and forged signatures.
    CollidingKeys,
    /// Forged P-384 signatures over the answer.
    ForgedSignatures,
    /// DS records with wrong digests, of a zone with large keys.
    WrongDigests,
    /// Zone keys that do nothing.
    ZoneKeys,
    /// NSEC3 records, each with a salt of its own, about a long name.
    HashedDenials,
    /// NSEC records that nobody signed.
    Denials,
    /// Records at the longest name.
    Records,
    /// Signatures by keys that are not there.
    UnknownSignatures,
    /// Signatures that have expired.
    StaleSignatures,
    /// A zone for each label of the longest name, none of which leads to an anchor.
    DeadEnd,
    /// Zones for each label, and responses that have nothing to do with them.
    DeadEndAmongStrays,
    /// Questions for DNAME at each label of the longest name, that find none.
    Redirections,
    /// Aliases, one after another, among many records.
    Aliases,
    /// RSA-8192 keys of intermediates with the largest exponent.
    LargeKeys,
    /// Intermediates that may follow each other in any order, with long names.
    Paths,
    /// Claims.
    Claims,
    /// Nesting and escapes in members of the token that mean nothing.
    Nesting,
    /// Names that are compression pointers to compression pointers.
    Pointers,
}

impl Attack {
    /// All but [`Attack::Ordinary`].
    pub const ALL: [Self; 23] = [
        Self::DeepZones,
        Self::DeepZonesSignedThrice,
        Self::DeepZonesAndRecords,
        Self::DeepZonesAndClaims,
        Self::AllWork,
        Self::CollidingKeys,
        Self::ForgedSignatures,
        Self::WrongDigests,
        Self::ZoneKeys,
        Self::HashedDenials,
        Self::Denials,
        Self::Records,
        Self::UnknownSignatures,
        Self::StaleSignatures,
        Self::DeadEnd,
        Self::DeadEndAmongStrays,
        Self::Redirections,
        Self::Aliases,
        Self::LargeKeys,
        Self::Paths,
        Self::Claims,
        Self::Nesting,
        Self::Pointers,
    ];
}

/// An attacker with keys.
pub struct Attacker {
    organisation: PrivateKey,
    member: PrivateKey,
    zone: Key,
    root: Key,
    tld: Key,
}

impl Attacker {
    /// Generates the keys.
    pub fn new() -> Outcome<Self> {
        Ok(Self {
            organisation: PrivateKey::generate(KeyAlgorithm::Rsa2048)?,
            member: PrivateKey::generate(KeyAlgorithm::Rsa2048)?,
            zone: Key::generate(Algorithm::EcdsaP384Sha384),
            root: Key::recorded_rsa(Algorithm::RsaSha256, 2_048),
            tld: Key::generate(Algorithm::EcdsaP256Sha256),
        })
    }

    /// As much of that attack as fits a bundle.
    pub fn largest(&self, attack: Attack) -> Outcome<Hostile> {
        let (mut fits, mut too_much) = (self.attempt(attack, 1)?, 1_600);
        let mut fitting = fits.as_ref().map_or(0, |hostile| hostile.amount);
        while too_much - fitting > 1 {
            let middle = fitting.midpoint(too_much);
            // What is far too large, nobody signs.
            match self.attempt(attack, middle) {
                Ok(Some(hostile)) => (fits, fitting) = (Some(hostile), middle),
                Ok(None) | Err(_) => too_much = middle,
            }
        }
        fits.ok_or_else(|| format!("{attack:?} does not fit").into())
    }

    /// So much of that attack; `None` if that does not fit a bundle.
    pub fn attempt(&self, attack: Attack, amount: usize) -> Outcome<Option<Hostile>> {
        let made = match attack {
            Attack::Ordinary => self.ordinary(),
            Attack::DeepZones => self.deep_zones(amount, 0),
            Attack::DeepZonesSignedThrice => self.deep_zones(amount, 2),
            Attack::DeepZonesAndRecords => self.deep_zones_and_records(amount),
            Attack::AllWork => self.all_work(amount),
            Attack::DeepZonesAndClaims => self.deep_zones_and_claims(amount),
            Attack::CollidingKeys => self.colliding_keys(amount),
            Attack::ForgedSignatures => self.forged_signatures(amount),
            Attack::WrongDigests => self.wrong_digests(amount),
            Attack::ZoneKeys => self.zone_keys(amount),
            Attack::HashedDenials => self.hashed_denials(amount),
            Attack::Denials => self.denials(amount),
            Attack::Records => self.records(amount),
            Attack::UnknownSignatures => self.unknown_signatures(amount),
            Attack::StaleSignatures => self.stale_signatures(amount),
            Attack::DeadEnd => self.dead_end(amount, 0),
            Attack::DeadEndAmongStrays => self.dead_end(amount.min(40), amount.saturating_sub(40)),
            Attack::Redirections => self.redirections(amount),
            Attack::Aliases => self.aliases(amount),
            Attack::LargeKeys => self.large_keys(amount),
            Attack::Paths => self.paths(amount),
            Attack::Claims => self.claims(amount),
            Attack::Nesting => self.nesting(amount),
            Attack::Pointers => self.pointers(amount),
        }?;
        Ok(made.map(|(bundle, anchors)| Hostile {
            attack,
            amount,
            bundle,
            anchors,
        }))
    }

    fn ordinary(&self) -> Made {
        let scene = self.scene(DOMAIN, Dialect::VeraId, |world| {
            world.zone("e.com.", Algorithm::EcdsaP256Sha256)
        })?;
        let responses = scene.responses();
        self.by_member(&scene, &responses, Vec::new())
    }

    fn p384(&self, zone: &str) -> ZoneSpec {
        ZoneSpec::new(zone, Algorithm::EcdsaP384Sha384).csk(self.zone.clone())
    }

    fn one_zone(&self) -> Outcome<Scene> {
        self.one_zone_of(Dialect::VeraId)
    }

    fn one_zone_of(&self, dialect: Dialect) -> Outcome<Scene> {
        self.scene(DOMAIN, dialect, |world| {
            world.with_zone(self.p384("e.com."))
        })
    }

    fn deep_and_narrow(&self, labels: usize) -> Outcome<Scene> {
        let domain = format!("{}{DOMAIN}", "a.".repeat(labels));
        self.scene(&domain, Dialect::VeraId, |world| {
            world.with_zone(self.p384("e.com."))
        })
    }

    fn scene(
        &self,
        domain: &str,
        dialect: Dialect,
        zones: impl FnOnce(WorldBuilder) -> WorldBuilder,
    ) -> Outcome<Scene> {
        let organisation: Organisation = domain.parse()?;
        let owner = organisation.record_owner(dialect)?.to_string();
        let owner = format!("{}.", owner.trim_end_matches('.'));
        let day = TtlOverride::from_seconds(86_400).ok_or("a day is within bounds")?;
        let record = TxtRecord::new(self.organisation.public_key(), dialect, day, Some(SERVICE))?;
        let above = World::builder()
            .at(TIME.unix_seconds())
            .with_zone(ZoneSpec::new(".", Algorithm::RsaSha256).csk(self.root.clone()))
            .with_zone(ZoneSpec::new("com.", Algorithm::EcdsaP256Sha256).csk(self.tld.clone()));
        let world = zones(above).txt(owner.as_str(), record.to_string()).build();
        Ok(Scene {
            anchors: world.anchors(),
            world,
            owner,
            certificate: OrganisationCertificate::self_issue(
                &OrganisationRequest::new(&organisation, dialect, days(30)?).with_path_length(
                    match dialect {
                        Dialect::DomainAuth => 6,
                        _ => 0,
                    },
                ),
                &self.organisation,
            )?,
            dialect,
        })
    }

    fn by_member(
        &self,
        scene: &Scene,
        responses: &Responses,
        intermediates: Vec<IntermediateCertificate>,
    ) -> Made {
        let member = MemberCertificate::issue(
            &MemberRequest::new(
                &Member::parse_for("alice", scene.dialect)?,
                self.member.public_key(),
                &scene.certificate,
                scene.dialect,
                days(3)?,
            ),
            &self.organisation,
        )?;
        self.by_given_member(scene, responses, member, intermediates)
    }

    fn by_given_member(
        &self,
        scene: &Scene,
        responses: &Responses,
        member: MemberCertificate,
        intermediates: Vec<IntermediateCertificate>,
    ) -> Made {
        let chain = responses.to_der();
        let certificate = scene.certificate.clone();
        let bundle = MemberIdBundle::new(&chain, certificate, member, intermediates)?;
        let signer = Signer::member(&bundle, &self.member);
        scene.made(kliento::issue(&signer, &token()?, hour()?))
    }

    fn by_organisation(&self, scene: &Scene, responses: &Responses) -> Made {
        self.with_messages(scene, &responses.to_messages())
    }

    fn with_messages(&self, scene: &Scene, messages: &[Vec<u8>]) -> Made {
        let chain = chain_der(messages);
        let attribution = Member::parse_for("alice", scene.dialect)?;
        let signer = self.organisation_signs(scene, &chain, &attribution);
        scene.made(kliento::issue(&signer, &token()?, hour()?))
    }

    fn with_content(&self, scene: &Scene, content: &[u8]) -> Made {
        let chain = scene.responses().to_der();
        let attribution = Member::parse_for("alice", scene.dialect)?;
        let signer = self.organisation_signs(scene, &chain, &attribution);
        let bundle = signer.sign(&SignatureRequest::new(
            Content::Attached(content),
            SERVICE,
            hour()?,
        ))?;
        if bundle.len() > kliento::MAX_BUNDLE_OCTETS {
            return Ok(None);
        }
        scene.made(Ok(bundle))
    }

    fn organisation_signs<'s>(
        &'s self,
        scene: &'s Scene,
        chain_der: &'s [u8],
        attribution: &'s Member,
    ) -> Signer<'s> {
        Signer::new(
            SignerIdentity::Organisation {
                chain_der,
                certificate: &scene.certificate,
                attribution,
            },
            &self.organisation,
        )
    }
}

/// A bundle that fits, and the anchors of its world.
type Made = Outcome<Option<(Vec<u8>, String)>>;

/// A world, and an organisation in it.
struct Scene {
    world: World,
    anchors: String,
    /// Of the TXT record.
    owner: String,
    certificate: OrganisationCertificate,
    dialect: Dialect,
}

impl Scene {
    fn responses(&self) -> Responses {
        self.world.responses(self.owner.as_str(), TXT)
    }

    fn made(&self, issued: Result<Vec<u8>, kliento::IssueError>) -> Made {
        match issued {
            Ok(bundle) => Ok(Some((bundle, self.anchors.clone()))),
            Err(kliento::IssueError::BundleTooLarge { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn token() -> Outcome<Token> {
    Ok(Token::new(AUDIENCE.parse()?))
}

fn many_claims(claims: usize) -> Outcome<Vec<u8>> {
    let claims = (0..claims).fold(token()?, |token, number| {
        token.with_claim(format!("{number}"), "")
    });
    Ok(claims.to_json())
}

fn hour() -> Outcome<Period> {
    let start = TIME.saturating_sub(600);
    Ok(Period::new(start, start.saturating_add(3_600)).ok_or("time ends")?)
}

fn days(days: i64) -> Outcome<Period> {
    let start = TIME.saturating_sub(DAY);
    Ok(Period::new(start, start.saturating_add(days.saturating_mul(DAY))).ok_or("time ends")?)
}

/// An odd number of so many bits, another for each `number`.
fn modulus(bits: usize, number: usize) -> Vec<u8> {
    let mut state = u64::try_from(number).unwrap_or(0) | 1 << 40;
    let mut octets: Vec<u8> = (0..bits / 8)
        .map(|_| {
            // Knuth's generator (MMIX).
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect();
    if let Some(first) = octets.first_mut() {
        *first |= 0x80;
    }
    if let Some(last) = octets.last_mut() {
        *last |= 1;
    }
    octets
}

/// A zone key of RSA-4096 with the largest exponent, and with the tag that all of these have.
fn rsa_4096_with_tag_0(number: usize) -> ZoneKey {
    let mut public_key = vec![5];
    public_key.extend(LARGEST_EXPONENT);
    public_key.extend(modulus(4_096, number));
    // Adding to two octets adds to the tag, but for the carry.
    let with = |chosen: u16| {
        let mut public_key = public_key.clone();
        public_key.splice(100..102, chosen.to_be_bytes());
        ZoneKey::new(Key::junk(8, public_key), ZONE_KEY)
    };
    let missing = 0_u16.wrapping_sub(with(0).key_tag());
    let exact = with(missing);
    if exact.key_tag() == 0 {
        exact
    } else {
        with(missing.wrapping_sub(1))
    }
}

fn pointer_to(offset: usize) -> Outcome<[u8; 2]> {
    Ok((0xc000 | u16::try_from(offset)?).to_be_bytes())
}
