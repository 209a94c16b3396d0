//! Random worlds and questions: a world in which everything is right but perhaps the times, with up to three twists,
//! which may be harmless; the model says which are not.

use proptest::prelude::*;
use proptest::sample::select;

use super::world::*;

pub(super) const AUDIENCE: &str = "https://api.example.com";
const OTHER_AUDIENCE: &str = "https://api.example.net";
const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
const ORGANISATION_SERIAL: u8 = 0x11;
const MEMBER_SERIAL: u8 = 0x22;

/// Seconds that often meet: multiples of twenty, and their neighbours.
fn second() -> impl Strategy<Value = i64> {
    (0_i64..=10, -1_i64..=1).prop_map(|(multiple, beside)| multiple * 20 + beside)
}

/// Longer than any period that is mostly asked about.
const LONG: Span = Span {
    start: -1_000,
    end: 1_000,
};

fn span() -> impl Strategy<Value = Span> {
    let ordered = |(one, other): (i64, i64)| Span {
        start: one.min(other),
        end: one.max(other),
    };
    prop_oneof![
        12 => Just(LONG),
        1 => second().prop_map(|end| Span { end, ..LONG }),
        1 => second().prop_map(|start| Span { start, ..LONG }),
        1 => (second(), second()).prop_map(ordered),
    ]
}

fn rrsigs(key: ZoneKey) -> impl Strategy<Value = Vec<Rrsig>> {
    let rrsig = move |span| Rrsig {
        key,
        span,
        fault: None,
    };
    let count = prop_oneof![4 => Just(1_usize), 1 => Just(2), 1 => Just(3)];
    count.prop_flat_map(move |count| prop::collection::vec(span().prop_map(rrsig), count))
}

fn zone() -> impl Strategy<Value = Zone> {
    rrsigs(ZoneKey::Ksk).prop_map(|rrsigs| Zone {
        ksk: KeyState::Good,
        zsk: KeyState::Good,
        rrsigs,
    })
}

fn delegation() -> impl Strategy<Value = Delegation> {
    rrsigs(ZoneKey::Zsk).prop_map(|rrsigs| Delegation {
        ds: vec![Ds {
            key: ZoneKey::Ksk,
            digest: DsDigest::Sha256,
        }],
        rrsigs,
    })
}

fn dialect() -> impl Strategy<Value = Dialect> {
    select(vec![Dialect::VeraId, Dialect::DomainAuth])
}

fn ttl_override() -> impl Strategy<Value = i64> {
    prop_oneof![2 => Just(3_600), 2 => second().prop_map(|seconds| seconds.max(1))]
}

/// Who signs, if the dialect allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Member,
    Organisation,
    Delegate,
    /// An intermediate with a common name, as the member that it names.
    NamedIntermediate,
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        4 => Just(Who::Member),
        3 => Just(Who::Organisation),
        2 => Just(Who::Delegate),
        1 => Just(Who::NamedIntermediate),
    ]
}

/// A world in which nothing is wrong but perhaps the times.
fn good_world() -> impl Strategy<Value = World> {
    let dns = (
        [zone(), zone(), zone()],
        [delegation(), delegation()],
        rrsigs(ZoneKey::Zsk),
        ttl_override(),
    );
    let spans = prop::collection::vec(span(), 5);
    let parts = (dialect(), who(), 0_usize..3, any::<bool>(), dns, spans).prop_map(assemble);
    (parts, any::<bool>()).prop_map(|(world, in_time)| if in_time { always(world) } else { world })
}

/// The same world with long periods alone.
fn always(mut world: World) -> World {
    let World {
        zones,
        delegations,
        records_rrsigs,
        organisation,
        intermediates,
        member,
        signature,
        ..
    } = &mut world;
    let rrsigs = zones.iter_mut().map(|zone| &mut zone.rrsigs);
    let rrsigs = rrsigs.chain(
        delegations
            .iter_mut()
            .map(|delegation| &mut delegation.rrsigs),
    );
    for rrsig in rrsigs.chain([records_rrsigs]).flatten() {
        rrsig.span = LONG;
    }
    for certificate in [organisation, member].into_iter().chain(intermediates) {
        certificate.span = LONG;
    }
    signature.span = LONG;
    world
}

type Dns = ([Zone; 3], [Delegation; 2], Vec<Rrsig>, i64);

#[allow(clippy::too_many_lines, reason = "it is one value")]
fn assemble(
    (dialect, who, intermediates, trailing_dot, dns, spans): (
        Dialect,
        Who,
        usize,
        bool,
        Dns,
        Vec<Span>,
    ),
) -> World {
    let is_vera_id = dialect == Dialect::VeraId;
    let who = match who {
        Who::Delegate if is_vera_id => Who::Organisation,
        Who::NamedIntermediate if is_vera_id => Who::Member,
        who => who,
    };
    let count = match who {
        _ if is_vera_id => 0,
        Who::Delegate | Who::NamedIntermediate => intermediates.max(1),
        Who::Member | Who::Organisation => intermediates,
    };
    let name = match dialect {
        Dialect::VeraId if !trailing_dot => "example.com",
        _ => "example.com.",
    };
    let organisation = Certificate {
        subject: Name::Common(name),
        issuer: Name::Common(name),
        serial_number: ORGANISATION_SERIAL,
        key: Key::Organisation,
        span: spans[0],
        basic_constraints: Some(BasicConstraints {
            is_ca: true,
            is_critical: true,
            path_length: u8::try_from(count).ok(),
        }),
        key_usage: None,
        subject_key_identifier: Some(Key::Organisation),
        authority_key_identifier: Some(Key::Organisation),
        unknown_critical: false,
        signed_by: Key::Organisation,
        scheme: Scheme::Pss(Hash::Sha256),
        corrupt: false,
    };
    let below = |issuer: &Certificate, key: Key, span: Span| Certificate {
        issuer: issuer.subject,
        key,
        span,
        subject_key_identifier: Some(key),
        authority_key_identifier: Some(issuer.key),
        signed_by: issuer.key,
        ..issuer.clone()
    };
    let mut path = vec![organisation];
    for index in 0..count {
        let (key, unit) = [(Key::Upper, "Help desk"), (Key::Lower, "Night shift")][index];
        let mut intermediate = below(&path[index], key, spans[1 + index]);
        let is_last = index + 1 == count;
        intermediate.subject = if is_last && who == Who::NamedIntermediate {
            Name::Common("carol")
        } else {
            Name::Unit(unit)
        };
        intermediate.serial_number = MEMBER_SERIAL + 1 + u8::try_from(index).unwrap_or(0);
        intermediate.basic_constraints = Some(BasicConstraints {
            is_ca: true,
            is_critical: true,
            path_length: u8::try_from(count - 1 - index).ok(),
        });
        path.push(intermediate);
    }
    let mut member = below(&path[count], Key::Member, spans[3]);
    member.subject = Name::Common("alice");
    member.serial_number = MEMBER_SERIAL;
    member.basic_constraints = None;
    let (signer, key, attribution) = match who {
        Who::Member => (Signer::Member, Key::Member, None),
        Who::Organisation => (Signer::Organisation, Key::Organisation, Some("bob")),
        Who::Delegate => (
            Signer::Intermediate(count - 1),
            path[count].key,
            Some("bob"),
        ),
        Who::NamedIntermediate => (Signer::Intermediate(count - 1), path[count].key, None),
    };
    let mut path = path.into_iter();
    let (zones, delegations, records_rrsigs, ttl_override) = dns;
    World {
        dialect,
        answers_both_dialects: false,
        zones,
        delegations,
        records: vec![TxtRecord::Key(KeyRecord {
            version: 0,
            algorithm: 1,
            digest_type: (!is_vera_id || trailing_dot).then_some(Hash::Sha256),
            key: Key::Organisation,
            digest: Hash::Sha256,
            ttl_override,
            service: None,
            further_field: false,
        })],
        records_rrsigs,
        organisation: path.next().expect("the organisation is first"),
        intermediates: path.collect(),
        member,
        signature: Signature {
            signer,
            key,
            attribution,
            service: Service::Kliento,
            span: spans[4],
            digest: Hash::Sha256,
            scheme: Scheme::Pss(Hash::Sha256),
            other_content: false,
            other_content_type: false,
            corrupt: false,
            member_attached: who == Who::Member,
            organisation_attached: false,
            twin_attached: false,
            signed_twice: false,
        },
        token: Token {
            audience: AUDIENCE,
            claims: vec![("role", "admin")],
            fault: None,
            attached: true,
            oversized: false,
        },
    }
}

// Twists

/// A change of a world, and a number from which its details follow.
type Twist = fn(&mut World, usize);

fn pick<T: Copy>(number: usize, options: &[T]) -> T {
    options[number % options.len()]
}

/// The RRSIGs of one of the RRsets of the chain, and what is left of the number.
fn some_rrsigs(world: &mut World, number: usize) -> (&mut Vec<Rrsig>, usize) {
    let rrsigs = match number % 6 {
        index @ 0..3 => &mut world.zones[index].rrsigs,
        index @ 3..5 => &mut world.delegations[index - 3].rrsigs,
        _ => &mut world.records_rrsigs,
    };
    (rrsigs, number / 6)
}

/// All RRSIGs of an RRset, or one more in front of those that it has.
fn twist_rrsigs(world: &mut World, number: usize, twist: impl Fn(&mut Rrsig, usize)) {
    let (rrsigs, rest) = some_rrsigs(world, number);
    if rest % 4 == 0 {
        let mut further = rrsigs[0];
        twist(&mut further, rest / 4);
        rrsigs.insert(0, further);
    } else {
        for rrsig in rrsigs {
            twist(rrsig, rest / 4);
        }
    }
}

/// One of the certificates, mostly one that matters, and what is left of the number.
fn some_certificate(world: &mut World, number: usize) -> (&mut Certificate, usize) {
    match number % 4 {
        0 => (&mut world.organisation, number / 4),
        1 | 2 => (signer(world), number / 4),
        _ => any_certificate(world, number / 4),
    }
}

fn twist_certificate(world: &mut World, number: usize, twist: impl Fn(&mut Certificate, usize)) {
    let (certificate, rest) = some_certificate(world, number);
    twist(certificate, rest);
}

fn any_certificate(world: &mut World, number: usize) -> (&mut Certificate, usize) {
    let count = 2 + world.intermediates.len();
    let rest = number / count;
    match number % count {
        0 => (&mut world.organisation, rest),
        1 => (&mut world.member, rest),
        index => (&mut world.intermediates[index - 2], rest),
    }
}

/// One of the certificates that issue others or sign in the organisation's place.
fn some_issuer(world: &mut World, number: usize) -> (&mut Certificate, usize) {
    let count = 1 + world.intermediates.len();
    let rest = number / count;
    match number % count {
        0 => (&mut world.organisation, rest),
        index => (&mut world.intermediates[index - 1], rest),
    }
}

fn twist_constraints(
    world: &mut World,
    number: usize,
    twist: impl Fn(&mut BasicConstraints, usize),
) {
    let (issuer, rest) = some_issuer(world, number);
    if let Some(constraints) = &mut issuer.basic_constraints {
        twist(constraints, rest);
    }
}

/// The certificate that the signature names.
fn signer(world: &mut World) -> &mut Certificate {
    match world.signature.signer {
        Signer::Organisation => &mut world.organisation,
        Signer::Member => &mut world.member,
        Signer::Intermediate(index) => &mut world.intermediates[index],
    }
}

fn record(world: &mut World) -> Option<&mut KeyRecord> {
    world.records.iter_mut().find_map(|record| match record {
        TxtRecord::Key(record) => Some(record),
        TxtRecord::Other(_) => None,
    })
}

fn twist_record(world: &mut World, twist: impl Fn(&mut KeyRecord)) {
    if let Some(record) = record(world) {
        twist(record);
    }
}

/// One more record like the first, changed, in front of it or behind it.
fn add_record(world: &mut World, number: usize, twist: impl Fn(&mut KeyRecord)) {
    let Some(mut further) = record(world).cloned() else {
        return;
    };
    twist(&mut further);
    let position = number % (world.records.len() + 1);
    world.records.insert(position, TxtRecord::Key(further));
}

/// Lets the certificates and the record go with another key of the organisation, and all that it signs be signed by it.
fn change_organisation_key(world: &mut World, key: Key) {
    let old = world.organisation.key;
    let replace = |present: &mut Key| {
        if *present == old {
            *present = key;
        }
    };
    let World {
        organisation,
        member,
        intermediates,
        signature,
        ..
    } = world;
    for certificate in [organisation, member].into_iter().chain(intermediates) {
        replace(&mut certificate.key);
        replace(&mut certificate.signed_by);
        certificate
            .subject_key_identifier
            .iter_mut()
            .for_each(replace);
        certificate
            .authority_key_identifier
            .iter_mut()
            .for_each(replace);
    }
    replace(&mut signature.key);
    twist_record(world, |record| {
        record.key = key;
        let three = key == Key::Bits3072;
        record.algorithm = if three { 2 } else { 1 };
        record.digest = match record.digest_type {
            None if three => Hash::Sha384,
            digest_type => digest_type.unwrap_or(Hash::Sha256),
        };
    });
}

/// Lets the signer have this key, and sign with it.
fn change_signer_key(world: &mut World, key: Key) {
    if world.signature.signer == Signer::Organisation {
        return;
    }
    let certificate = signer(world);
    certificate.key = key;
    certificate.subject_key_identifier = Some(key);
    world.signature.key = key;
}

/// Puts one more intermediate between the organisation and all certificates that it issued.
fn add_intermediate(world: &mut World) {
    let World {
        organisation,
        intermediates,
        member,
        signature,
        ..
    } = world;
    let is_free = |key: &Key| intermediates.iter().all(|other| other.key != *key);
    let key = [Key::Upper, Key::Lower].into_iter().find(is_free);
    let key = key.expect("there are at most two intermediates");
    let subject = Name::Unit("Front desk");
    let further = Certificate {
        subject,
        serial_number: MEMBER_SERIAL + 0x10,
        key,
        subject_key_identifier: Some(key),
        ..organisation.clone()
    };
    for certificate in intermediates.iter_mut().chain([member]) {
        if certificate.issuer == organisation.subject {
            certificate.issuer = subject;
            certificate.signed_by = key;
            certificate.authority_key_identifier = Some(key);
        }
    }
    intermediates.insert(0, further);
    if let Some(it) = &mut organisation.basic_constraints {
        it.path_length = u8::try_from(intermediates.len()).ok();
    }
    if let Signer::Intermediate(index) = &mut signature.signer {
        *index += 1;
    }
}

fn sign_as_member(world: &mut World) {
    world.signature = Signature {
        signer: Signer::Member,
        key: world.member.key,
        attribution: None,
        member_attached: true,
        ..world.signature.clone()
    };
}

fn rename(world: &mut World, name: &'static str) {
    match &mut world.signature.attribution {
        Some(attribution) => *attribution = name,
        None => signer(world).subject = Name::Common(name),
    }
}

/// Basic constraints without a path length.
fn constraints(is_ca: bool, is_critical: bool) -> BasicConstraints {
    BasicConstraints {
        is_ca,
        is_critical,
        path_length: None,
    }
}

/// Lets a period be a second too long for DomainAuth, or just not.
fn lengthen(span: &mut Span, number: usize) {
    span.start = span.end - NINETY_DAYS - pick(number, &[1, 1, 0]);
}

const OTHER_DOMAINS: [&str; 4] = ["example.net.", "com.", "sub.example.com.", "example.com.."];

const STATES: [KeyState; 3] = [
    KeyState::Revoked,
    KeyState::NoZoneKey,
    KeyState::OtherProtocol,
];

/// Each with its weight. Those that change nothing in most worlds have larger ones.
#[rustfmt::skip]
const TWISTS: &[(usize, Twist)] = &[
    // DNSSEC
    (2, |w, n| twist_rrsigs(w, n, |rrsig, _| rrsig.fault = Some(RrsigFault::Corrupt))),
    (1, |w, n| twist_rrsigs(w, n, |rrsig, _| rrsig.fault = Some(RrsigFault::OtherSigner))),
    // Of DNSKEY RRsets alone, whose keys are known without the signer's name.
    (3, |w, n| w.zones[1 + n % 2].rrsigs.iter_mut().for_each(|rrsig| rrsig.fault = Some(RrsigFault::OtherSigner))),
    (3, |w, n| twist_rrsigs(w, n, |rrsig, _| rrsig.fault = Some(RrsigFault::OtherTag))),
    (2, |w, n| twist_rrsigs(w, n, |rrsig, _| rrsig.fault = Some(RrsigFault::TooManyLabels))),
    (1, |w, n| twist_rrsigs(w, n, |rrsig, n| rrsig.key = pick(n, &[ZoneKey::Ksk, ZoneKey::Zsk]))),
    (1, |w, n| twist_rrsigs(w, n, |rrsig, _| rrsig.key = ZoneKey::Zsk)),
    (2, |w, n| twist_rrsigs(w, n, |rrsig, _| rrsig.key = ZoneKey::Stranger)),
    (3, |w, n| twist_rrsigs(w, n, |rrsig, n| lengthen(&mut rrsig.span, n))),
    // One RRSIG after the other, with and without a second between them.
    (1, |w, n| {
        let (rrsigs, rest) = some_rrsigs(w, n);
        let first = Rrsig { span: Span { start: -1_000, end: 99 }, ..rrsigs[0] };
        let second = Rrsig { span: Span { start: 100 + pick(rest, &[0, 1, 20]), end: 1_000 }, ..first };
        *rrsigs = vec![first, second];
    }),
    (3, |w, n| w.zones[n / 3 % 3].zsk = pick(n, &STATES)),
    (2, |w, n| w.zones[1 + n / 3 % 2].ksk = pick(n, &STATES)),
    (2, |w, n| w.delegations[n % 2].ds[0].digest = pick(n / 2, &[DsDigest::Sha1, DsDigest::Sha384])),
    (1, |w, n| w.delegations[n % 2].ds[0].key = pick(n / 2, &[ZoneKey::Zsk, ZoneKey::Stranger])),
    (1, |w, n| {
        let key = pick(n / 2, &[ZoneKey::Ksk, ZoneKey::Zsk, ZoneKey::Stranger]);
        let digest = pick(n / 6, &[DsDigest::Sha256, DsDigest::Sha1]);
        w.delegations[n % 2].ds.insert(0, Ds { key, digest });
    }),
    // One key is committed to, and the other one signs.
    (1, |w, n| {
        let key = pick(n / 2, &[ZoneKey::Zsk, ZoneKey::Stranger]);
        w.delegations[n % 2].ds[0].key = key;
        w.zones[1 + n % 2].rrsigs.iter_mut().for_each(|rrsig| rrsig.key = key);
    }),
    (2, |w, _| w.answers_both_dialects = true),
    // TXT records
    (1, |w, n| twist_record(w, |record| record.ttl_override = pick(n, &[0, 1, NINETY_DAYS, NINETY_DAYS + 1]))),
    (1, |w, _| twist_record(w, |record| record.ttl_override = 0)),
    (2, |w, n| twist_record(w, |record| record.ttl_override = pick(n, &[1, 2, 19, 20, 21]))),
    (1, |w, n| twist_record(w, |record| record.algorithm = pick(n, &[0, 2, 3, 4, 240]))),
    (1, |w, n| twist_record(w, |record| record.key = pick(n, &[Key::Stranger, Key::Member]))),
    (1, |w, n| twist_record(w, |record| record.digest = pick(n, &HASHES))),
    (1, |w, n| twist_record(w, |record| {
        record.digest_type = Some(pick(n, &HASHES));
        record.digest = pick(n, &HASHES);
    })),
    (1, |w, _| twist_record(w, |record| record.digest_type = None)),
    (1, |w, _| twist_record(w, |record| record.version = 1)),
    (3, |w, n| twist_record(w, |record| record.service = Some(pick(n, &[Service::Kliento, Service::Test])))),
    (1, |w, _| twist_record(w, |record| {
        record.service = Some(Service::Kliento);
        record.further_field = true;
    })),
    (1, |w, n| add_record(w, n, |record| record.ttl_override += pick(n / 4, &[0, 1, 100]))),
    (1, |w, n| add_record(w, n, |record| {
        record.service = Some(pick(n / 4, &[Service::Kliento, Service::Test]));
        record.ttl_override = pick(n / 8, &[1, 60, 3_600]);
    })),
    // Two of one kind beside one of the other.
    (2, |w, n| {
        let [one, other] = pick(n, &[[None, Some(Service::Kliento)], [Some(Service::Kliento), None]]);
        twist_record(w, |record| record.service = one);
        add_record(w, n, |record| record.ttl_override += 1);
        add_record(w, n, |record| record.service = other);
    }),
    (1, |w, n| add_record(w, n, |record| record.key = Key::Stranger)),
    (1, |w, n| add_record(w, n, |record| {
        record.digest_type = Some(Hash::Sha512);
        record.digest = Hash::Sha512;
    })),
    (1, |w, n| w.records.insert(0, TxtRecord::Other(pick(n, &["v=spf1 -all", "", "0", "1 2 3 4 5 6 7"])))),
    // A chain that ended before the window of the TTL override, or just in it. In VeraId it alone has to hold there.
    (8, |w, n| {
        some_rrsigs(w, n).0.iter_mut().for_each(|rrsig| rrsig.span.end = 100);
        twist_record(w, |record| record.ttl_override = pick(n / 6, &[19, 20]));
    }),
    // The same of anything but the chain, which has to hold there in DomainAuth.
    (6, |w, n| {
        match n % 2 {
            0 => w.signature.span.end = 100,
            _ => some_certificate(w, n / 2).0.span.end = 100,
        }
        twist_record(w, |record| record.ttl_override = pick(n / 8, &[19, 20]));
    }),
    // Certificates of the organisation
    (1, |w, n| w.organisation.subject = Name::Common(pick(n, &OTHER_DOMAINS))),
    (1, |w, n| {
        let name = Name::Common(pick(n, &OTHER_DOMAINS));
        w.organisation.issuer = name;
        w.organisation.subject = name;
        if let [first, ..] = &mut w.intermediates[..] { first.issuer = name } else { w.member.issuer = name }
    }),
    (3, |w, n| {
        let name = Name::Common(pick(n, &["example.com", "example.com", "example.com.", "Example.Com."]));
        let old = w.organisation.subject;
        let World { organisation, member, intermediates, .. } = w;
        for certificate in [organisation, member].into_iter().chain(intermediates) {
            if certificate.issuer == old { certificate.issuer = name; }
        }
        w.organisation.subject = name;
    }),
    (1, |w, _| {
        let name = Name::TwoCommon("example.com.", "example.com.");
        let World { organisation, member, intermediates, .. } = w;
        let old = organisation.subject;
        organisation.subject = name;
        for certificate in [organisation, member].into_iter().chain(intermediates) {
            if certificate.issuer == old { certificate.issuer = name; }
        }
    }),
    (1, |w, n| {
        w.organisation.issuer = Name::Unit("Some authority");
        w.organisation.signed_by = pick(n, &[Key::Stranger, Key::Organisation]);
    }),
    (1, |w, _| w.organisation.signed_by = Key::Stranger),
    (1, |w, _| w.organisation.corrupt = true),
    (1, |w, n| w.organisation.basic_constraints = pick(n, &[None, Some(constraints(false, true))])),
    (2, |w, n| change_organisation_key(w, pick(n, &[Key::Bits1024, Key::Bits2560, Key::Bits3072]))),
    (1, |w, n| change_organisation_key(w, pick(n, &[Key::Stranger, Key::Bits3072]))),
    // Certificates of anybody
    (4, |w, n| twist_certificate(w, n, |it, n| lengthen(&mut it.span, n))),
    (3, |w, n| some_certificate(w, n).0.span = pick(n / 16, &[Span { end: 100, ..LONG }, Span { start: 100, ..LONG }])),
    // One part after the other, with and without a second in common.
    (5, |w, n| {
        some_certificate(w, n).0.span.end = 100;
        w.signature.span.start = pick(n / 16, &[100, 101, 101]);
    }),
    (1, |w, n| some_certificate(w, n).0.unknown_critical = true),
    (1, |w, _| signer(w).unknown_critical = true),
    (1, |w, n| some_certificate(w, n).0.issuer = Name::Unit("Nobody")),
    (2, |w, _| signer(w).issuer = Name::Unit("Nobody")),
    (1, |w, n| twist_certificate(w, n, |it, n| {
        it.signed_by = pick(n, &[Key::Stranger, Key::Member, Key::Organisation]);
    })),
    (1, |w, _| signer(w).signed_by = Key::Stranger),
    (1, |w, n| some_certificate(w, n).0.corrupt = true),
    (1, |w, n| twist_certificate(w, n, |it, n| {
        it.scheme = pick(n, &[Scheme::Pkcs1, Scheme::PssSha1, Scheme::Pss(Hash::Sha512)]);
    })),
    (1, |w, n| signer(w).scheme = pick(n, &[Scheme::Pkcs1, Scheme::PssSha1, Scheme::Pss(Hash::Sha384)])),
    (1, |w, n| twist_certificate(w, n, |it, n| it.subject_key_identifier = pick(n, &[None, Some(Key::Stranger)]))),
    (1, |w, n| twist_certificate(w, n, |it, n| it.authority_key_identifier = pick(n, &[None, Some(Key::Stranger)]))),
    (5, |w, n| signer(w).authority_key_identifier = pick(n, &[None, Some(Key::Stranger)])),
    (1, |w, n| {
        let usage = KeyUsage { signs_content: n & 1 == 0, signs_certificates: n & 2 == 0 };
        some_certificate(w, n / 4).0.key_usage = Some(usage);
    }),
    (1, |w, n| signer(w).key_usage = Some(KeyUsage { signs_content: n & 1 == 0, signs_certificates: true })),
    (5, |w, _| w.organisation.key_usage = Some(KeyUsage { signs_content: false, signs_certificates: true })),
    (2, |w, n| some_issuer(w, n).0.key_usage = Some(KeyUsage { signs_content: true, signs_certificates: false })),
    (4, |w, n| change_signer_key(w, pick(n, &[Key::Bits2560, Key::Bits1024, Key::Bits2560, Key::Bits3072]))),
    (3, |w, _| { let key = w.organisation.key; change_signer_key(w, key); }),
    // Issuers
    (1, |w, n| some_issuer(w, n).0.basic_constraints = None),
    (1, |w, n| twist_constraints(w, n, |it, _| it.is_ca = false)),
    (3, |w, n| twist_constraints(w, n, |it, _| it.is_critical = false)),
    (1, |w, n| twist_constraints(w, n, |it, n| it.path_length = pick(n, &[Some(0), Some(1), None]))),
    (5, |w, _| if let Some(it) = &mut w.organisation.basic_constraints { it.path_length = Some(0) }),
    // The lower of two intermediates has the upper one's name, so that it is self-issued and does not count.
    (4, |w, n| if w.dialect == Dialect::DomainAuth {
        while w.intermediates.len() < 2 { add_intermediate(w) }
        if n % 4 != 0 { sign_as_member(w) }
        if let [upper, lower, ..] = &mut w.intermediates[..] {
            let (old, new) = (lower.subject, upper.subject);
            lower.subject = new;
            if w.member.issuer == old { w.member.issuer = new }
        }
        for (certificate, most) in [(&mut w.organisation, 1), (&mut w.intermediates[0], 0)] {
            if let Some(it) = &mut certificate.basic_constraints { it.path_length = Some(most) }
        }
    }),
    // Another certificate of the upper intermediate, of other times or another key.
    (1, |w, n| if let Some(upper) = w.intermediates.first() {
        let mut other = upper.clone();
        other.serial_number = 0x44;
        other.span = pick(n, &[Span { start: -1_000, end: 99 }, Span { start: 100, end: 1_000 }]);
        if n % 3 == 0 { other.key = Key::Stranger }
        w.intermediates.push(other);
    }),
    // An intermediate in VeraId, too.
    (6, |w, n| if w.intermediates.is_empty() {
        add_intermediate(w);
        sign_as_member(w);
        if n % 2 == 0 {
            w.signature.signer = Signer::Intermediate(0);
            w.signature.key = w.intermediates[0].key;
            w.signature.attribution = Some("bob");
        }
    }),
    // Members
    (1, |w, n| rename(w, pick(n, &["@", "bob", "", "Alice Smith", "al@ice", "a\tb", "zoë", "Zoë"]))),
    (2, |w, n| rename(w, pick(n, &["", "al@ice", "a\nb", "@@"]))),
    (1, |w, _| signer(w).subject = Name::TwoCommon("alice", "bob")),
    (1, |w, _| signer(w).subject = Name::Unit("alice")),
    (5, |w, n| w.member.basic_constraints = Some(constraints(n % 4 != 0, true))),
    // The signature
    (1, |w, _| w.signature.member_attached = false),
    (1, |w, n| { w.signature.twin_attached = true; w.signature.member_attached |= n % 2 == 0; }),
    (1, |w, _| w.signature.organisation_attached = true),
    (1, |w, _| w.signature.attribution = None),
    (1, |w, n| w.signature.attribution = Some(pick(n, &["bob", "mallory", "@"]))),
    // A member attributes, as a delegate may.
    (1, |w, n| {
        sign_as_member(w);
        w.signature.attribution = Some("bob");
        if n % 2 == 0 { w.member.basic_constraints = Some(constraints(true, n % 4 == 0)) }
    }),
    // The organisation signs as if its certificate were a member's.
    (1, |w, n| {
        w.signature.signer = Signer::Organisation;
        w.signature.key = w.organisation.key;
        w.signature.attribution = None;
        w.signature.organisation_attached = n % 2 == 0;
    }),
    (1, |w, n| w.signature.key = pick(n, &[Key::Stranger, Key::Member, Key::Organisation])),
    (1, |w, _| w.signature.corrupt = true),
    (1, |w, n| w.signature.scheme = pick(n, &[Scheme::Pkcs1, Scheme::PssSha1])),
    (1, |w, n| { w.signature.digest = pick(n, &HASHES); w.signature.scheme = Scheme::Pss(pick(n / 3, &HASHES)); }),
    (4, |w, n| w.signature.digest = pick(n, &[Hash::Sha384, Hash::Sha512])),
    (1, |w, _| w.signature.other_content = true),
    (1, |w, _| w.signature.other_content_type = true),
    (1, |w, _| w.signature.signed_twice = true),
    (1, |w, _| w.signature.service = Service::Test),
    (1, |w, n| w.signature.span.start = w.signature.span.end - pick(n, &[3_600, 3_601, NINETY_DAYS, NINETY_DAYS + 1])),
    (5, |w, n| lengthen(&mut w.signature.span, n)),
    (1, |w, _| w.signature.span.start = w.signature.span.end + 1),
    // The token
    (1, |w, _| w.token.audience = OTHER_AUDIENCE),
    (1, |w, n| {
        let both = &[("role", "admin"), ("team", "red")];
        w.token.claims = pick(n, &[&[][..], &[("role", "owner")], both]).to_vec();
    }),
    (2, |w, n| w.token.fault = Some(pick(n, &[
        TokenFault::DuplicateAudience, TokenFault::DuplicateClaim, TokenFault::NullClaims, TokenFault::NumberAsClaim,
        TokenFault::TrailingOctets, TokenFault::ByteOrderMark, TokenFault::NoAudience,
    ]))),
    (2, |w, _| w.token.attached = false),
    (3, |w, _| w.token.oversized = true),
];

/// Indexes of [`TWISTS`], each as often as its weight is.
pub(super) fn twists() -> Vec<usize> {
    let weighted = TWISTS.iter().enumerate();
    weighted
        .flat_map(|(index, (weight, _))| vec![index; *weight])
        .collect()
}

fn twisted(mut world: World, twists: &[(usize, usize)]) -> World {
    for (twist, number) in twists {
        TWISTS[*twist].1(&mut world, *number);
    }
    world
}

/// Any world.
pub(super) fn world() -> impl Strategy<Value = World> {
    let count = prop_oneof![4 => Just(0_usize), 4 => Just(1), 2 => Just(2), 1 => Just(3)];
    let twists = count
        .prop_flat_map(|count| prop::collection::vec((select(twists()), 0_usize..10_000), count));
    (good_world(), twists).prop_map(|(world, twists)| twisted(world, &twists))
}

/// A world of long periods, with one twist.
pub(super) fn world_with(twist: usize) -> impl Strategy<Value = World> {
    let world = good_world().prop_map(always);
    (world, 0_usize..10_000).prop_map(move |(world, number)| twisted(world, &[(twist, number)]))
}

/// Perhaps a second signature in the same world: other parts of it are as they were, so that whoever remembers the
/// first may take the one for the other.
pub(super) fn sibling() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![1 => Just(None), 1 => (0_usize..10_000).prop_map(Some)]
}

pub(super) fn sign_again(world: &World, number: usize) -> World {
    let mut world = world.clone();
    let signature = world.signature.clone();
    let by_member = Signature {
        signer: Signer::Member,
        key: world.member.key,
        attribution: None,
        member_attached: true,
        ..signature.clone()
    };
    let by_organisation = Signature {
        signer: Signer::Organisation,
        key: world.organisation.key,
        attribution: Some("carol"),
        ..signature.clone()
    };
    world.signature = match number % 7 {
        0 => by_member,
        1 => by_organisation,
        2 => Signature {
            attribution: Some("carol"),
            ..by_member
        },
        3 => Signature {
            attribution: None,
            organisation_attached: true,
            ..by_organisation
        },
        4 => Signature {
            key: Key::Stranger,
            ..signature
        },
        5 => Signature {
            span: Span {
                start: 20 * i64::try_from(number / 7 % 10).unwrap_or(0),
                ..signature.span
            },
            ..signature
        },
        _ => Signature {
            service: Service::Test,
            ..signature
        },
    };
    world
}

// Questions

fn requirements() -> impl Strategy<Value = Requirements> {
    fn rarely<T: Copy + std::fmt::Debug + 'static>(
        options: &[T],
    ) -> impl Strategy<Value = Option<T>> + use<T> {
        prop_oneof![2 => Just(None), 1 => select(options.to_vec()).prop_map(Some)]
    }
    (
        rarely(&[DOMAIN, "example.net"]),
        rarely(&[
            Subject::Alice,
            Subject::AllUsers,
            Subject::Bot,
            Subject::AliceElsewhere,
        ]),
        rarely(&[("role", Some("admin")), ("role", None), ("team", None)]),
        rarely(&[SignedBy::Member, SignedBy::Organisation]),
        rarely(&[2_000, 100, 3_600]),
    )
        .prop_map(
            |(organisation, subject, claim, signed_by, max_lifetime)| Requirements {
                organisation,
                subject,
                claim,
                signed_by,
                max_lifetime,
            },
        )
}

fn asked() -> impl Strategy<Value = Asked> {
    let audience = prop_oneof![12 => Just(AUDIENCE), 1 => Just(OTHER_AUDIENCE)];
    let requirements = prop_oneof![3 => Just(Requirements::default()), 2 => requirements()];
    let skew = select(vec![0, 0, 5, 60]);
    let token = (audience, requirements, second(), skew).prop_map(
        |(audience, requirements, time, skew)| Asked::Token {
            audience,
            requirements,
            time,
            skew,
        },
    );
    let length = prop_oneof![
        6 => Just(0_i64),
        6 => second(),
        2 => select(vec![NINETY_DAYS, NINETY_DAYS + 1, NINETY_DAYS + 1]),
    ];
    let service = prop_oneof![9 => Just(Service::Kliento), 1 => Just(Service::Test)];
    let given = prop_oneof![12 => Just(false), 1 => Just(true)];
    let signature =
        (service, second(), length, given).prop_map(|(service, end, length, content_given)| {
            Asked::Signature {
                service,
                period: Span {
                    start: end - length.max(0),
                    end,
                },
                content_given,
            }
        });
    prop_oneof![token, signature]
}

/// A question that most worlds without twists answer with yes.
fn plain_question() -> impl Strategy<Value = Question> {
    let token = second().prop_map(|time| Asked::Token {
        audience: AUDIENCE,
        requirements: Requirements::default(),
        time,
        skew: 0,
    });
    // Two of three periods end 19 to 22 seconds after second 100, at which twists let things end. They choose a TTL
    // override of about as much.
    let start = prop_oneof![1 => second(), 2 => 79_i64..=82];
    let signature = start.prop_map(|start| Asked::Signature {
        service: Service::Kliento,
        period: Span {
            start,
            end: start + 40,
        },
        content_given: false,
    });
    prop_oneof![token, signature].prop_map(|asked| Question { only: None, asked })
}

fn question() -> impl Strategy<Value = Question> {
    let only = prop_oneof![20 => Just(None), 1 => dialect().prop_map(Some)];
    (only, asked()).prop_map(|(only, asked)| Question { only, asked })
}

/// Questions about one world, of which the first is a plain one.
pub(super) fn questions() -> impl Strategy<Value = Vec<Question>> {
    let others = prop::collection::vec(question(), 0..=3);
    (plain_question(), others).prop_map(|(first, others)| [vec![first], others].concat())
}
