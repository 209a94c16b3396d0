//! What honest bundles take, and that no bundle takes more than [`kliento::MAX_WORK`]: whoever sends a bundle decides how
//! much a server has to do, and whoever has a domain can make as many valid signatures as fit.

use std::sync::LazyLock;

use kliento::veraid::dnssec::Work;
use kliento::veraid::{
    Dialect, IntermediateCertificate, IntermediateName, IntermediateRequest, Issuer, Member,
    MemberCertificate, MemberIdBundle, MemberRequest, Organisation, OrganisationCertificate,
    OrganisationRequest, Period, Policy, PrivateKey, Signer, SignerIdentity, SigningKey, Timestamp,
    TtlOverride, TxtRecord,
};
use kliento::{
    Audience, MAX_WORK, SERVICE, Token, TokenBundle, TokenVerification, TrustAnchors, VerifyError,
};
use kliento_fixtures::{
    Algorithm, CNAME, Key, KeyRole, Record, SECURE_ENTRY_POINT, TXT, World, WorldBuilder, ZONE_KEY,
    ZoneKey, ZoneSpec, rsa_pkcs8,
};

const NOON: i64 = 1_795_348_800;
const DAY: i64 = 86_400;

static ROOT_KEY: LazyLock<Key> = LazyLock::new(|| Key::recorded_rsa(Algorithm::RsaSha256, 2_048));
static RSA_2048: LazyLock<Keys> = LazyLock::new(|| keys(2_048));
static RSA_4096: LazyLock<Keys> = LazyLock::new(|| keys(4_096));

/// The organisation's, the member's, and those of two intermediates.
type Keys = [PrivateKey; 4];

fn keys(bits: u16) -> Keys {
    [(); 4].map(|()| PrivateKey::from_pkcs8_der(&rsa_pkcs8(bits)).unwrap())
}

/// Who signs a token.
#[derive(Clone, Copy)]
enum By {
    Organisation,
    Member,
    MemberBelow { intermediates: usize },
}

/// A bundle, and what its world trusts.
struct Sent {
    bundle: Vec<u8>,
    anchors: TrustAnchors,
}

impl Sent {
    fn verify(&self, policy: Policy) -> Result<(), VerifyError> {
        let at = Period::at(Timestamp::from_unix_seconds(NOON));
        let audience = audience();
        let verification = TokenVerification::new(&audience, at, &self.anchors);
        TokenBundle::from_der(&self.bundle)?
            .verify(&verification.with_policy(policy))
            .map(|_| ())
    }

    /// The least work that suffices.
    fn work(&self) -> u32 {
        let suffices = |units| {
            let policy = Policy::new().with_most_work(Work::from_units(units));
            self.verify(policy).is_ok()
        };
        let (mut too_little, mut enough) = (0, 16_384);
        assert!(suffices(enough));
        while enough - too_little > 1 {
            let middle = u32::midpoint(too_little, enough);
            if suffices(middle) {
                enough = middle;
            } else {
                too_little = middle;
            }
        }
        enough
    }
}

fn audience() -> Audience {
    "https://api.example.com".parse().unwrap()
}

fn period(days: i64) -> Period {
    let start = Timestamp::from_unix_seconds(NOON - 600);
    Period::new(start, start.saturating_add(days * DAY)).unwrap()
}

/// The root as it is: two keys of RSA-2048, and one that waits to take the place of one.
fn root() -> ZoneSpec {
    let waiting = ZoneKey::new(Key::random_junk(8), ZONE_KEY | SECURE_ENTRY_POINT);
    ZoneSpec::new(".", Algorithm::RsaSha256)
        .ksk(ROOT_KEY.clone())
        .zsk(ROOT_KEY.clone())
        .extra_key(waiting)
}

fn zone(name: &str, algorithm: Algorithm) -> ZoneSpec {
    let zone = ZoneSpec::new(name, algorithm);
    match algorithm {
        Algorithm::RsaSha256 => zone.ksk(ROOT_KEY.clone()).zsk(ROOT_KEY.clone()),
        _ => zone,
    }
}

/// Zones below the root, with a record at `target` if that is not the owner.
fn world(
    zones: impl IntoIterator<Item = ZoneSpec>,
    owner: &str,
    target: Option<&str>,
    record: &TxtRecord,
) -> World {
    let builder: WorldBuilder = zones.into_iter().fold(
        World::builder().at(NOON).with_zone(root()),
        WorldBuilder::with_zone,
    );
    let builder = match target {
        Some(target) => builder.record(Record::of_name(owner, CNAME, target)),
        None => builder,
    };
    builder
        .txt(target.unwrap_or(owner), record.to_string())
        .build()
}

/// A token of `domain`, whose record stands at `target` if that is not the name where it is looked for.
fn send(
    zones: impl IntoIterator<Item = ZoneSpec>,
    domain: &str,
    target: Option<&str>,
    [organisation, other, above @ ..]: &Keys,
    by: By,
) -> Sent {
    let dialect = match by {
        By::MemberBelow { .. } => Dialect::DomainAuth,
        _ => Dialect::VeraId,
    };
    let name: Organisation = domain.parse().unwrap();
    let owner = format!(
        "{}.",
        name.record_owner(dialect)
            .unwrap()
            .to_string()
            .trim_end_matches('.')
    );
    let day = TtlOverride::from_seconds(86_400).unwrap();
    let record = TxtRecord::new(organisation.public_key(), dialect, day, Some(SERVICE)).unwrap();
    let world = world(zones, &owner, target, &record);
    let chain = world.responses(owner.as_str(), TXT).to_der();

    let certificate = OrganisationCertificate::self_issue(
        &OrganisationRequest::new(&name, dialect, period(30))
            .with_path_length(if dialect == Dialect::DomainAuth { 2 } else { 0 }),
        organisation,
    )
    .unwrap();
    let member = Member::parse_for("alice", dialect).unwrap();
    let token = Token::new(audience())
        .with_claim("department", "accounts")
        .with_claim("role", "admin");
    let start = Timestamp::from_unix_seconds(NOON - 600);
    let hour = Period::new(start, start.saturating_add(3_600)).unwrap();
    let issue = |intermediates: Vec<IntermediateCertificate>, issuer_key: &dyn SigningKey| {
        let key = other.public_key();
        let issuer: Issuer<'_> = match intermediates.last() {
            Some(issuer) => issuer.into(),
            None => (&certificate).into(),
        };
        let member = MemberCertificate::issue(
            &MemberRequest::new(&member, key, issuer, dialect, period(3)),
            issuer_key,
        );
        MemberIdBundle::new(&chain, certificate.clone(), member.unwrap(), intermediates).unwrap()
    };
    let bundle = match by {
        By::Organisation => {
            let signer = Signer::new(
                SignerIdentity::Organisation {
                    chain_der: &chain,
                    certificate: &certificate,
                    attribution: &member,
                },
                organisation,
            );
            kliento::issue(&signer, &token, hour)
        }
        By::Member => {
            let bundle = issue(Vec::new(), organisation);
            let signer = Signer::member(&bundle, other);
            kliento::issue(&signer, &token, hour)
        }
        By::MemberBelow { intermediates } => {
            let mut path: Vec<IntermediateCertificate> = Vec::new();
            let mut last = organisation;
            for (number, key) in above.iter().take(intermediates).enumerate() {
                let name = IntermediateName::Unit(format!("unit {number}"));
                let depth = u8::try_from(intermediates - number - 1).unwrap();
                let issuer_key = std::mem::replace(&mut last, key);
                let key = key.public_key();
                let issuer: Issuer<'_> = match path.last() {
                    Some(issuer) => issuer.into(),
                    None => (&certificate).into(),
                };
                let intermediate = IntermediateCertificate::issue(
                    &IntermediateRequest::new(&name, key, issuer, period(7))
                        .with_path_length(depth),
                    issuer_key,
                );
                path.push(intermediate.unwrap());
            }
            let bundle = issue(path, last);
            let signer = Signer::member(&bundle, other);
            kliento::issue(&signer, &token, hour)
        }
    };
    Sent {
        bundle: bundle.unwrap(),
        anchors: world.anchors().parse().unwrap(),
    }
}

use Algorithm::{EcdsaP256Sha256 as P256, EcdsaP384Sha384 as P384, Ed25519, RsaSha256 as Rsa};

fn zones(zones: &[(&str, Algorithm)]) -> Vec<ZoneSpec> {
    zones
        .iter()
        .map(|(name, algorithm)| zone(name, *algorithm))
        .collect()
}

#[track_caller]
fn check(sent: &Sent, units: u32) {
    sent.verify(Policy::new())
        .expect("an honest bundle verifies");
    assert_eq!(sent.work(), units);
    assert!(units <= MAX_WORK.units());
}

#[test]
fn an_ordinary_token_takes_a_sixth_of_the_bound() {
    let com = zones(&[("com.", P256), ("example.com.", P256)]);
    let ordinary = 267;
    check(
        &send(com, "example.com", None, &RSA_2048, By::Member),
        ordinary,
    );
    assert!(MAX_WORK.units() <= 6 * ordinary);
    let com = zones(&[("com.", P256), ("example.com.", P256)]);
    check(
        &send(com, "example.com", None, &RSA_2048, By::Organisation),
        249,
    );
}

#[test]
fn an_honest_chain_of_four_zones_and_large_keys_verifies_within_the_bound() {
    for (algorithm, keys, units) in [
        (Rsa, &RSA_2048, 297),
        (Ed25519, &RSA_4096, 577),
        (P256, &RSA_4096, 682),
    ] {
        let below = zones(&[
            ("com.", algorithm),
            ("example.com.", algorithm),
            ("corp.example.com.", algorithm),
            ("id.corp.example.com.", algorithm),
        ]);
        let by = By::MemberBelow { intermediates: 2 };
        check(&send(below, "id.corp.example.com", None, keys, by), units);
    }
}

/// As many zones of P-384 as a name can be expected to have: a top-level domain and three below it.
#[test]
fn an_honest_chain_of_four_zones_of_p_384_verifies_within_the_bound() {
    for (keys, by, units) in [
        (&RSA_2048, By::Organisation, 1_373),
        (&RSA_2048, By::Member, 1_391),
        (&RSA_2048, By::MemberBelow { intermediates: 2 }, 1_427),
        (&RSA_4096, By::Organisation, 1_456),
        (&RSA_4096, By::Member, 1_516),
    ] {
        let below = zones(&[
            ("com.", P384),
            ("example.com.", P384),
            ("corp.example.com.", P384),
            ("id.corp.example.com.", P384),
        ]);
        check(&send(below, "id.corp.example.com", None, keys, by), units);
    }
    let three_of_its_own = zones(&[
        ("com.", P256),
        ("example.com.", P384),
        ("corp.example.com.", P384),
        ("id.corp.example.com.", P384),
    ]);
    let by = By::MemberBelow { intermediates: 2 };
    check(
        &send(three_of_its_own, "id.corp.example.com", None, &RSA_4096, by),
        1_398,
    );
}

#[test]
fn an_honest_alias_to_another_domain_verifies_within_the_bound() {
    let target = Some("_veraid.customers.provider.net.");
    let of_p256 = zones(&[
        ("com.", P256),
        ("example.com.", P256),
        ("id.example.com.", P256),
        ("net.", P256),
        ("provider.net.", P256),
        ("customers.provider.net.", P256),
    ]);
    check(
        &send(of_p256, "id.example.com", target, &RSA_4096, By::Member),
        750,
    );
    let of_p384 = zones(&[
        ("com.", P256),
        ("example.com.", P384),
        ("net.", P256),
        ("provider.net.", P384),
    ]);
    check(
        &send(of_p384, "example.com", target, &RSA_2048, By::Member),
        932,
    );
    for (keys, units) in [(&RSA_2048, 1_409), (&RSA_4096, 1_534)] {
        let target = Some("_veraid.provider.net.");
        let all_of_p384 = zones(&[
            ("com.", P384),
            ("example.com.", P384),
            ("net.", P384),
            ("provider.net.", P384),
        ]);
        let sent = send(all_of_p384, "example.com", target, keys, By::Member);
        check(&sent, units);
    }
}

/// Each RRset has two signatures for a while: one of them is enough, and the cheaper one at that.
#[test]
fn keys_and_algorithms_that_are_rolled_over_take_nothing_more() {
    let rolled = |old: Algorithm, new: Algorithm| {
        let next = ZoneKey::new(Key::generate(new), ZONE_KEY | SECURE_ENTRY_POINT);
        zone("example.com.", old)
            .extra_signer(next.clone(), KeyRole::Ksk)
            .extra_signer(next.clone(), KeyRole::Zsk)
            .extra_ds(next, &[2])
    };
    let token = |example: ZoneSpec| {
        let zones = [zone("com.", P256), example];
        send(zones, "example.com", None, &RSA_2048, By::Member)
    };
    let settled = token(zone("example.com.", P256)).work();
    // One more key that the parent commits to, which takes a digest, and some more octets.
    for (old, new) in [(P256, P256), (P256, P384), (P384, P256)] {
        let rolling = token(rolled(old, new)).work();
        assert!((settled..=settled + 3).contains(&rolling), "{rolling}");
    }
}

#[test]
fn refuses_what_takes_more_and_says_so() {
    let names: Vec<String> = (0..12)
        .map(|depth| format!("{}example.com.", "z.".repeat(depth)))
        .collect();
    let deep = |count: usize| {
        let own = names.iter().take(count).map(|name| zone(name, P384));
        let all: Vec<ZoneSpec> = [zone("com.", P256)].into_iter().chain(own).collect();
        let domain = names.get(count - 1).unwrap().trim_end_matches('.');
        send(all, domain, None, &RSA_2048, By::Organisation)
    };
    check(&deep(2), 811);
    check(&deep(3), 1_134);
    check(&deep(4), 1_458);
    for count in [5, 12] {
        let refusal = deep(count).verify(Policy::new()).unwrap_err();
        assert_eq!(refusal.reason(), "dnssec.budget_exhausted");
        let enough = Policy::new().with_most_work(Work::UNLIMITED);
        deep(count)
            .verify(enough)
            .expect("whoever wants can take it");
    }
}

#[test]
fn refuses_certificates_that_take_more_before_any_of_it_is_done() {
    let com = zones(&[("com.", P256), ("example.com.", P256)]);
    let sent = send(com, "example.com", None, &RSA_4096, By::Member);
    let policy = Policy::new().with_most_work(Work::from_units(100));
    let refusal = sent.verify(policy).unwrap_err();
    assert_eq!(refusal.reason(), "x509.path_budget_exhausted");
    assert!(refusal.to_string().contains("units of work"), "{refusal}");
}
