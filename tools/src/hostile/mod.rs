//! Bundles that are as costly to verify as an attacker can make them within the 16,384 octets that a bundle may have.
//!
//! Each [`Attack`] spends those octets on one kind of work. The attacker owns a domain below `com.`, so that anything in
//! and below it can be valid: deep zones with the costliest algorithm, all signatures good. Above, the root is RSA-2048 and
//! `com.` P-256, as they are. Keys are made anew each time, so octets differ; what there is to do for a verifier does not.

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
use kliento_fixtures::hostile::{add_keys, colliding_keys};
use kliento_fixtures::{
    Algorithm, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, NSEC, NSEC3, Name, Record, Response,
    Responses, TXT, World, WorldBuilder, ZONE_KEY, ZoneKey, ZoneSpec, chain_der, nsec3_owner,
};

use der::{
    AUTHORITY_KEY_B, CA, COMMON_NAME, Certificate, SUBJECT_KEY_A, UNIT, name, rsa_spki, wide_name,
};

const AUDIENCE: &str = "https://api.example.com";
/// The attacker's domain.
const DOMAIN: &str = "e.com";
/// How many zones of P-384 below `com.` there is work for.
const VALID_ZONES: usize = 4;
/// When the program started: servers that read a clock take what it writes for an hour.
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
    /// How much of what the attack is made of went in.
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

    fn deep_zones(&self, zones: usize, more_signatures: usize) -> Made {
        if zones > MAX_LABELS {
            return Ok(None);
        }
        let names: Vec<String> = (0..zones)
            .map(|depth| format!("{}{DOMAIN}.", "z.".repeat(depth)))
            .collect();
        let domain = names.last().ok_or("a zone at least")?;
        let scene = self.scene(domain.trim_end_matches('.'), Dialect::VeraId, |world| {
            names.iter().fold(world, |world, zone| {
                world.with_zone(self.p384(zone.as_str()))
            })
        })?;
        let mut responses = scene.responses();
        for response in &mut responses.0 {
            let question = response.questions.first().ok_or("a question")?.clone();
            // What the root and `com.` sign is not the attacker's.
            if question.name.label_count() < 2
                || (question.name.label_count() == 2 && question.record_type == DS)
            {
                continue;
            }
            let signing = scene.world.signing_for(question.name, question.record_type);
            for _ in 0..more_signatures {
                response.add_signature(&signing);
            }
        }
        self.by_organisation(&scene, &responses)
    }

    fn deep_zones_and_records(&self, records: usize) -> Made {
        let scene = self.one_zone_too_many()?;
        let mut responses = scene.responses();
        let answer = responses.answer();
        for number in 0..records {
            let text = number.to_string();
            answer
                .answers
                .push(Record::txt(scene.owner.as_str(), &text));
        }
        self.by_organisation(&scene, &responses)
    }

    fn deep_zones_and_claims(&self, claims: usize) -> Made {
        let scene = self.one_zone_too_many()?;
        self.with_content(&scene, &many_claims(claims)?)
    }

    fn all_work(&self, records: usize) -> Made {
        /// With one more, the signature that is good is one too many.
        const FORGED: usize = 1;
        let other = ZoneKey::new(Key::generate(Algorithm::Ed25519), ZONE_KEY);
        let lowest = zone_at_depth(VALID_ZONES);
        let owner = format!("{}{lowest}", "a.".repeat(MANY_LABELS));
        let scene = self.scene(&owner, Dialect::VeraId, |world| {
            let above = self.p384_zones(world, VALID_ZONES - 1);
            above.with_zone(self.p384(&format!("{lowest}.")).extra_key(other.clone()))
        })?;
        let mut responses = scene.responses();
        let forging = scene
            .world
            .signing(format!("{lowest}.").as_str(), KeyRole::Zsk)
            .zone_key(other);
        let answer = responses.answer();
        answer.add_forged_signatures(&forging, FORGED);
        for _ in 0..records {
            let stray = Record::txt(scene.owner.as_str(), "");
            answer.additionals.push(stray);
        }
        self.by_organisation(&scene, &responses)
    }

    /// One more than there is work for, so that the last signature is too much.
    fn one_zone_too_many(&self) -> Outcome<Scene> {
        let zones = VALID_ZONES + 1;
        let owner = format!("{}{}", "a.".repeat(MANY_LABELS), zone_at_depth(zones));
        self.scene(&owner, Dialect::VeraId, |world| {
            self.p384_zones(world, zones)
        })
    }

    /// So many zones of P-384, from the attacker's own downwards.
    fn p384_zones(&self, world: WorldBuilder, zones: usize) -> WorldBuilder {
        (1..=zones).fold(world, |world, depth| {
            world.with_zone(self.p384(&format!("{}.", zone_at_depth(depth))))
        })
    }

    fn colliding_keys(&self, keys: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let zone = format!("{DOMAIN}.");
        let mut signing = scene.world.signing(zone.as_str(), KeyRole::Zsk);
        let junk: Vec<ZoneKey> = (0..keys).map(rsa_4096_with_tag_0).collect();
        if let Some(key) = junk.first() {
            signing.key = key.clone();
        }
        let dnskeys = responses.of(zone.as_str(), DNSKEY);
        add_keys(dnskeys, &junk);
        scene.world.resign(dnskeys);
        let answer = responses.answer();
        let signed = answer.answers.clone();
        answer.drop_signatures();
        answer.add_forged_signatures(&signing, 8);
        answer.answers.extend(signed.into_iter().skip(1));
        self.by_organisation(&scene, &responses)
    }

    fn forged_signatures(&self, signatures: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk);
        responses
            .answer()
            .drop_signatures()
            .add_forged_signatures(&signing, signatures)
            .add_signature(&signing);
        self.by_organisation(&scene, &responses)
    }

    /// Half of it large keys with the tag of the genuine one, half of it DS records with wrong digests.
    fn wrong_digests(&self, amount: usize) -> Made {
        let scene = self.scene("z.e.com", Dialect::VeraId, |world| {
            world
                .with_zone(self.p384("e.com."))
                .with_zone(self.p384("z.e.com."))
        })?;
        let mut responses = scene.responses();
        let key = scene.world.signing("z.e.com.", KeyRole::Ksk).key;
        let keys = colliding_keys(key.key.algorithm(), key.key_tag(), amount);
        let dnskeys = responses.of("z.e.com.", DNSKEY);
        let genuine: Vec<Record> = dnskeys.drop_signatures().answers.drain(..).collect();
        add_keys(dnskeys, &keys);
        dnskeys.answers.extend(genuine);
        scene.world.resign(dnskeys);
        let ds = responses.of("z.e.com.", DS);
        let genuine = ds.of_type(DS).next().ok_or("a DS record")?.clone();
        for number in (0..amount).filter_map(|number| u32::try_from(number).ok()) {
            let mut wrong = genuine.clone();
            let start = wrong.rdata.len().saturating_sub(4);
            wrong.rdata.splice(start.., number.to_be_bytes());
            ds.answers.push(wrong);
        }
        scene.world.resign(ds);
        self.by_organisation(&scene, &responses)
    }

    fn zone_keys(&self, keys: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let junk: Vec<ZoneKey> = (0..keys)
            .map(|_| ZoneKey::new(Key::random_junk(15), ZONE_KEY))
            .collect();
        let dnskeys = responses.of("e.com.", DNSKEY);
        add_keys(dnskeys, &junk);
        scene.world.resign(dnskeys);
        self.by_organisation(&scene, &responses)
    }

    fn hashed_denials(&self, records: usize) -> Made {
        let domain = format!("{}{DOMAIN}", "a.".repeat(MAX_LABELS));
        let scene = self.scene(&domain, Dialect::VeraId, |world| {
            world.with_zone(self.p384("e.com."))
        })?;
        let mut responses = scene.responses();
        let answer = responses.answer();
        answer.answers.clear();
        for number in 0..records {
            let salt = number.to_be_bytes();
            let mut rdata = b"\x01\x00\x00\x64\x08".to_vec();
            rdata.extend(salt);
            rdata.push(20);
            rdata.extend([0; 20]);
            let owner = nsec3_owner("e.com.", scene.owner.as_str(), 100, &salt);
            answer.authorities.push(Record::new(owner, NSEC3, rdata));
        }
        self.by_organisation(&scene, &responses)
    }

    fn denials(&self, records: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk).corrupt();
        let answer = responses.answer();
        answer.answers.clear();
        for number in (0..records).filter_map(|number| u16::try_from(number).ok()) {
            let mut rdata = Name::from("e.com.").wire().to_vec();
            rdata.extend(b"\0\x02");
            rdata.extend(number.to_be_bytes());
            let denial = Record::new("+.e.com.", NSEC, rdata);
            if number % 4 == 0 {
                let rrsig = signing.rrsig(std::slice::from_ref(&denial));
                answer.authorities.push(rrsig);
            }
            answer.authorities.push(denial);
        }
        self.by_organisation(&scene, &responses)
    }

    fn records(&self, records: usize) -> Made {
        let scene = self.deep_and_narrow(MANY_LABELS)?;
        let mut responses = scene.responses();
        let answer = responses.answer();
        for number in 0..records {
            let text = number.to_string();
            answer
                .answers
                .push(Record::txt(scene.owner.as_str(), &text));
        }
        scene.world.resign(answer);
        self.by_organisation(&scene, &responses)
    }

    fn unknown_signatures(&self, signatures: usize) -> Made {
        let scene = self.deep_and_narrow(8)?;
        let mut responses = scene.responses();
        let (signed_by, owner) = ("e.com.", scene.owner.clone());
        let signing = scene.world.signing(signed_by, KeyRole::Zsk);
        let answer = responses.answer();
        for number in (0..signatures).filter_map(|number| u16::try_from(number).ok()) {
            let mut rrsig = signing
                .clone()
                .key_tag(number)
                .forged_rrsig(&[Record::txt(owner.as_str(), "")]);
            rrsig.rdata.truncate(26 + 2);
            answer.answers.push(rrsig);
        }
        self.by_organisation(&scene, &responses)
    }

    fn stale_signatures(&self, signatures: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk).expired();
        let answer = responses.answer();
        for number in (0..signatures).filter_map(|number| u16::try_from(number).ok()) {
            let mut rrsig = signing
                .clone()
                .key_tag(number)
                .forged_rrsig(&[Record::txt(scene.owner.as_str(), "")]);
            rrsig.rdata.truncate(26);
            answer.answers.push(rrsig);
        }
        self.by_organisation(&scene, &responses)
    }

    /// Each DS RRset says that all zones above signed it.
    fn dead_end(&self, zones: usize, strays: usize) -> Made {
        let domain = format!("{}{DOMAIN}", "a.".repeat(MAX_LABELS));
        let scene = self.scene(&domain, Dialect::VeraId, |world| {
            world.with_zone(self.p384("e.com."))
        })?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk);
        let mut at = Name::from(scene.owner.as_str());
        let answer = responses.answer();
        answer.drop_signatures();
        let forge = |owner: &Name, record_type: u16, signer: &Name| {
            let record = Record::new(owner, record_type, b"\0\0\x0e\x02".as_slice());
            let mut rrsig = signing
                .clone()
                .signer(signer.clone())
                .forged_rrsig(std::slice::from_ref(&record));
            rrsig.rdata.truncate(18 + signer.wire().len());
            [record, rrsig]
        };
        let [_, rrsig] = forge(&at, TXT, &at);
        answer.answers.push(rrsig);
        for _ in 0..zones {
            let Some(parent) = at.parent() else {
                return Ok(None);
            };
            for (record_type, signer) in [(DNSKEY, &at), (DS, &parent)] {
                let mut response = Response::new(at.clone(), record_type);
                response.answers.extend(forge(&at, record_type, signer));
                responses.0.insert(0, response);
            }
            at = parent;
        }
        for number in 0..strays {
            let stray = Response::new(format!("{number}.").as_str(), DS);
            responses.0.insert(0, stray);
        }
        self.by_organisation(&scene, &responses)
    }

    fn redirections(&self, amount: usize) -> Made {
        let scene = self.deep_and_narrow(MANY_LABELS + amount)?;
        let mut responses = scene.responses();
        let mut at = Name::from(scene.owner.as_str());
        let answer = responses.answer();
        answer.answers.clear();
        for _ in 0..amount.saturating_mul(4) {
            let dname = Record::of_name(scene.owner.as_str(), DNAME, ".");
            answer.answers.push(dname);
        }
        for _ in 0..amount {
            let Some(parent) = at.parent() else {
                break;
            };
            responses.0.insert(0, Response::new(parent.clone(), DNAME));
            at = parent;
        }
        self.by_organisation(&scene, &responses)
    }

    fn aliases(&self, amount: usize) -> Made {
        let plain = self.one_zone()?;
        let text = plain.world.rrset(&plain.owner.as_str().into(), TXT);
        let text = text.first().ok_or("a record")?.rdata.clone();
        let scene = self.scene(DOMAIN, Dialect::VeraId, |world| {
            let world = world.with_zone(self.p384("e.com.")).record(Record::new(
                "end.e.com.",
                TXT,
                text.clone(),
            ));
            (0..8).fold(world, |world, number| {
                let (alias, target) = match number {
                    7 => ("c7.e.com.".to_owned(), "end.e.com.".to_owned()),
                    _ => (
                        format!("c{number}.e.com."),
                        format!("c{}.e.com.", number + 1),
                    ),
                };
                world.record(Record::of_name(alias.as_str(), CNAME, target.as_str()))
            })
        })?;
        let mut responses = scene.world.responses("c0.e.com.", TXT);
        let answer = responses.answer();
        let question = Name::from(scene.owner.as_str());
        for response in &mut answer.questions {
            response.name = question.clone();
        }
        let first = Record::of_name(scene.owner.as_str(), CNAME, "c1.e.com.");
        let signing = scene.world.signing("e.com.", KeyRole::Zsk);
        answer
            .answers
            .retain(|record| record.owner != Name::from("c0.e.com."));
        answer
            .answers
            .push(signing.rrsig(std::slice::from_ref(&first)));
        answer.answers.push(first);
        for _ in 0..amount {
            answer.answers.push(Record::txt("x.e.com.", ""));
        }
        self.by_organisation(&scene, &responses)
    }

    /// Intermediates of one name, and a member certificate that any of them may have signed.
    fn large_keys(&self, intermediates: usize) -> Made {
        let scene = self.one_zone_of(Dialect::DomainAuth)?;
        let responses = scene.responses();
        let issuer = name(COMMON_NAME, "e.com.");
        let subject = name(UNIT, "i");
        let certificates = (0..intermediates)
            .map(|number| {
                let spki = rsa_spki(&modulus(8_192, number), &LARGEST_EXPONENT);
                let certificate = Certificate {
                    serial_number: u8::try_from(number % 100)?,
                    issuer: &issuer,
                    subject: &subject,
                    spki: &spki,
                    extensions: CA,
                };
                let der = certificate.signed(|signed| {
                    let scheme = self
                        .organisation
                        .public_key()
                        .algorithm()
                        .signature_scheme();
                    self.organisation.sign(signed, scheme).unwrap_or_default()
                });
                Ok(IntermediateCertificate::from_der(&der)?)
            })
            .collect::<Outcome<Vec<_>>>()?;
        let mut forged = modulus(8_192, 77);
        if let Some(first) = forged.first_mut() {
            *first = 1;
        }
        let member = Certificate {
            serial_number: 127,
            issuer: &subject,
            subject: &name(COMMON_NAME, "alice"),
            spki: self.member.public_key().as_spki_der(),
            extensions: b"",
        };
        let member = MemberCertificate::from_der(&member.signed(|_| forged))?;
        self.by_given_member(&scene, &responses, member, certificates)
    }

    /// Intermediates with long names: three issue each other, so that they can follow each other in any order, one leads
    /// to the organisation, and the others have names that only differ at the end.
    fn paths(&self, intermediates: usize) -> Made {
        let scene = self.one_zone_of(Dialect::DomainAuth)?;
        let responses = scene.responses();
        let long = "x".repeat(130);
        let same = wide_name(COMMON_NAME, &long);
        let organisation = name(COMMON_NAME, "e.com.");
        let spki = rsa_spki(&modulus(2_048, 0), &[1, 0, 1]);
        let certificates = (0..intermediates)
            .map(|number| {
                let other = wide_name(COMMON_NAME, &format!("{long}{number}"));
                let (issuer, subject, extensions) = match number {
                    0 => (&organisation, &same, [CA, SUBJECT_KEY_A].concat()),
                    1..=3 => (&same, &same, [CA, AUTHORITY_KEY_B].concat()),
                    _ => (&same, &other, CA.to_vec()),
                };
                let certificate = Certificate {
                    serial_number: u8::try_from(number % 100)?,
                    issuer,
                    subject,
                    spki: &spki,
                    extensions: &extensions,
                };
                Ok(IntermediateCertificate::from_der(
                    &certificate.signed(|_| vec![0; 1]),
                )?)
            })
            .collect::<Outcome<Vec<_>>>()?;
        let member = Certificate {
            serial_number: 127,
            issuer: &same,
            subject: &name(COMMON_NAME, "alice"),
            spki: self.member.public_key().as_spki_der(),
            extensions: b"",
        };
        let member = MemberCertificate::from_der(&member.signed(|_| vec![0; 1]))?;
        self.by_given_member(&scene, &responses, member, certificates)
    }

    fn claims(&self, claims: usize) -> Made {
        let scene = self.one_zone()?;
        self.with_content(&scene, &many_claims(claims)?)
    }

    fn nesting(&self, amount: usize) -> Made {
        let scene = self.one_zone()?;
        let nested = format!("{}{}", "[".repeat(120), "]".repeat(120));
        let escaped = format!("\"{}\"", "\\u00e9\\n".repeat(15));
        let members = (0..amount).map(|number| match number % 3 {
            0 => nested.as_str(),
            1 => escaped.as_str(),
            _ => "[1e300,-0.123456789012345678901234567890,18446744073709551615]",
        });
        let members: Vec<&str> = members.collect();
        let json = format!(
            "{{\"audience\":\"{AUDIENCE}\",\"x\":[{}]}}",
            members.join(",")
        );
        self.with_content(&scene, json.as_bytes())
    }

    /// Names that take many jumps each, in records that are as short as can be.
    fn pointers(&self, records: usize) -> Made {
        let scene = self.one_zone()?;
        let mut messages = scene.responses().to_messages();
        let mut message = b"\0\0\x81\x80\0\x01".to_vec();
        let count = u16::try_from(records.saturating_add(1))?;
        message.extend(count.to_be_bytes());
        message.extend(b"\0\0\0\0\x01x\0\0\x10\0\x01");
        // The pointers stand in the data of the first record.
        message.extend(b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0");
        message.push(u8::try_from(2 * MANY_LABELS)?);
        let mut target = 12;
        for _ in 0..MANY_LABELS {
            let here = message.len();
            message.extend(pointer_to(target)?);
            target = here;
        }
        let last = pointer_to(target)?;
        for _ in 0..records {
            message.extend(last);
            message.extend(b"\0\x10\0\x01\0\0\0\0\0\0");
        }
        messages.push(message);
        self.with_messages(&scene, &messages)
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
