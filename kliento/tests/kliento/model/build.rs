//! The octets of a described world: the bundle and the content, by the crates `fixtures` and `fixtures/cases`, which share no
//! code with the verifier.

use std::sync::LazyLock;

use der::DateTime;
use kliento_fixture_cases as cases;
use kliento_fixture_cases::der::{
    boolean, concat, context, integer, octet_string, oid, sequence, utf8_string,
};
use kliento_fixture_cases::{Bundle, NOON, zone_key};
use kliento_fixtures::{
    Algorithm, DNSKEY, DNSSEC_PROTOCOL, DS, KeyRole, REVOKE, Record, Response, SECURE_ENTRY_POINT,
    SHA1, SHA256, SHA384, World as Dns, ZONE_KEY, ZoneKey as DnsKey, ZoneSpec,
};

use super::world::*;

/// The names of the zones, from the root down.
const ZONES: [&str; 3] = [".", "com.", "example.com."];
/// The default ones of `fixtures/cases`, whose root's key is the trust anchor.
const TREE: &str = "the";

/// A bundle that can be verified.
pub(super) struct Built {
    pub(super) bundle: Vec<u8>,
    /// What is signed, whether it is in the bundle or not.
    pub(super) content: Vec<u8>,
}

/// The trust anchor of all worlds.
pub(super) static ANCHORS: LazyLock<String> = LazyLock::new(|| dns(&zones()).anchors());

pub(super) fn build(world: &World) -> Built {
    let content = json(&world.token);
    let mut bundle = Bundle::member();
    // The chain that it would make by itself gives way to the one of this world.
    bundle.spoil_chain = |_, responses| responses.0.clear();
    bundle.further_responses = chain(world);
    bundle.organisation = certificate(&world.organisation);
    bundle.member = certificate(&world.member);
    sign(world, &mut bundle, &content);
    let (bundle, _) = bundle.build();
    Built { bundle, content }
}

// DNS

fn owner(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::VeraId => "_veraid.example.com.",
        Dialect::DomainAuth => "_domainauth.example.com.",
    }
}

fn zones() -> [Zone; 3] {
    let zone = Zone {
        ksk: KeyState::Good,
        zsk: KeyState::Good,
        rrsigs: Vec::new(),
    };
    [zone.clone(), zone.clone(), zone]
}

fn flags_and_protocol(state: KeyState, flags: u16) -> (u16, u8) {
    match state {
        KeyState::Good => (flags, DNSSEC_PROTOCOL),
        KeyState::Revoked => (flags | REVOKE, DNSSEC_PROTOCOL),
        KeyState::NoZoneKey => (flags & !ZONE_KEY, DNSSEC_PROTOCOL),
        KeyState::OtherProtocol => (flags, 2),
    }
}

/// The zones with their keys, and nothing in them yet.
fn dns(zones: &[Zone; 3]) -> Dns {
    let mut dns = Dns::builder().at(NOON);
    for (name, zone) in std::iter::zip(ZONES, zones) {
        let (ksk_flags, ksk_protocol) = flags_and_protocol(zone.ksk, ZONE_KEY | SECURE_ENTRY_POINT);
        let (zsk_flags, zsk_protocol) = flags_and_protocol(zone.zsk, ZONE_KEY);
        let spec = ZoneSpec::new(name, Algorithm::Ed25519)
            .ksk(zone_key(&format!("{TREE} KSK {name}")))
            .zsk(zone_key(&format!("{TREE} ZSK {name}")))
            .ksk_flags(ksk_flags)
            .ksk_protocol(ksk_protocol)
            .zsk_flags(zsk_flags)
            .zsk_protocol(zsk_protocol);
        dns = dns.with_zone(spec);
    }
    dns.build()
}

fn key(dns: &Dns, zone: usize, key: ZoneKey) -> DnsKey {
    match key {
        ZoneKey::Ksk => dns.zone(ZONES[zone]).key(KeyRole::Ksk).clone(),
        ZoneKey::Zsk => dns.zone(ZONES[zone]).key(KeyRole::Zsk).clone(),
        ZoneKey::Stranger => {
            let key = zone_key(&format!("{TREE} stranger {}", ZONES[zone]));
            DnsKey::new(key, ZONE_KEY | SECURE_ENTRY_POINT)
        }
    }
}

fn chain(world: &World) -> Vec<Response> {
    let dns = dns(&world.zones);
    let mut responses = Vec::new();
    for (index, zone) in world.zones.iter().enumerate() {
        let keys = dns.rrset(&ZONES[index].into(), DNSKEY);
        responses.push(response(&dns, ZONES[index], keys, index, &zone.rrsigs));
    }
    for (parent, delegation) in world.delegations.iter().enumerate() {
        let child = ZONES[parent + 1];
        let mut records = Vec::new();
        for ds in &delegation.ds {
            let digest = match ds.digest {
                DsDigest::Sha256 => SHA256,
                DsDigest::Sha384 => SHA384,
                DsDigest::Sha1 => SHA1,
            };
            let rdata = key(&dns, parent + 1, ds.key).ds_rdata(&child.into(), digest);
            records.push(Record::new(child, DS, rdata));
        }
        responses.push(response(&dns, child, records, parent, &delegation.rrsigs));
    }
    let dialects = match world.dialect {
        Dialect::VeraId => [Dialect::VeraId, Dialect::DomainAuth],
        Dialect::DomainAuth => [Dialect::DomainAuth, Dialect::VeraId],
    };
    let count = if world.answers_both_dialects { 2 } else { 1 };
    for dialect in &dialects[..count] {
        let owner = owner(*dialect);
        let records = world.records.iter();
        let records = records.map(|record| Record::txt(owner, &text(world.dialect, record)));
        responses.push(response(
            &dns,
            owner,
            records.collect(),
            2,
            &world.records_rrsigs,
        ));
    }
    responses
}

/// The response that has these records, signed with keys of a zone.
fn response(
    dns: &Dns,
    owner: &str,
    records: Vec<Record>,
    zone: usize,
    rrsigs: &[Rrsig],
) -> Response {
    let record_type = records.first().expect("there are records").record_type;
    let mut response = Response::new(owner, record_type);
    response.answers = records;
    for rrsig in rrsigs {
        let Span { start, end } = rrsig.span;
        let zone_key = key(dns, zone, rrsig.key);
        let tag = zone_key.key_tag();
        let signing = dns
            .signing(ZONES[zone], KeyRole::Zsk)
            .zone_key(zone_key)
            .window(NOON + start, NOON + end);
        let labels = owner.split('.').filter(|label| !label.is_empty()).count();
        let labels = u8::try_from(labels).expect("names are short");
        let signing = match rrsig.fault {
            None => signing,
            Some(RrsigFault::Corrupt) => signing.corrupt(),
            Some(RrsigFault::OtherSigner) => signing.signer("net."),
            Some(RrsigFault::OtherTag) => signing.key_tag(tag ^ 1),
            Some(RrsigFault::TooManyLabels) => signing.labels(labels + 1),
        };
        response.add_signature(&signing);
    }
    response
}

// TXT records

fn number_of(hash: Hash) -> u8 {
    match hash {
        Hash::Sha256 => 1,
        Hash::Sha384 => 2,
        Hash::Sha512 => 3,
    }
}

fn hash_of(hash: Hash) -> cases::Hash {
    match hash {
        Hash::Sha256 => cases::Hash::Sha256,
        Hash::Sha384 => cases::Hash::Sha384,
        Hash::Sha512 => cases::Hash::Sha512,
    }
}

fn service_of(service: Service) -> &'static str {
    match service {
        Service::Kliento => "1.3.6.1.4.1.58708.3.0",
        Service::Test => "1.3.6.1.4.1.58708.1.1",
    }
}

fn text(dialect: Dialect, record: &TxtRecord) -> String {
    let record = match record {
        TxtRecord::Other(text) => return (*text).to_owned(),
        TxtRecord::Key(record) => record,
    };
    let mut fields = Vec::new();
    if dialect == Dialect::DomainAuth {
        fields.push(record.version.to_string());
    }
    fields.push(record.algorithm.to_string());
    fields.extend(record.digest_type.map(|hash| number_of(hash).to_string()));
    let digest = hash_of(record.digest).of(&key_of(record.key).spki);
    fields.push(base64(&digest));
    fields.push(record.ttl_override.to_string());
    fields.extend(record.service.map(|service| service_of(service).to_owned()));
    if record.further_field {
        fields.push("more".to_owned());
    }
    fields.join(" ")
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(octets)
}

// Certificates

fn key_of(key: Key) -> &'static cases::Key {
    match key {
        Key::Organisation => cases::organisation_key(),
        Key::Member => cases::member_key(),
        Key::Upper => cases::intermediate_key(),
        Key::Lower => cases::lower_intermediate_key(),
        Key::Stranger => cases::stranger_key(),
        Key::Bits1024 => cases::key_of_1024_bits(),
        Key::Bits2560 => cases::key_of_2560_bits(),
        Key::Bits3072 => cases::key_of_3072_bits(),
    }
}

fn name_of(name: Name) -> Vec<u8> {
    let common = |text: &str| cases::common_name(utf8_string(text));
    match name {
        Name::Common(text) => sequence(&[common(text)]),
        Name::TwoCommon(first, second) => sequence(&[common(first), common(second)]),
        Name::Unit(text) => cases::unit_name(text),
    }
}

/// The `AlgorithmIdentifier`, and the way in which the key really signs.
fn scheme_of(scheme: Scheme) -> (Vec<u8>, cases::Scheme) {
    let hash_name = |hash| match hash {
        Hash::Sha256 => cases::SHA_256,
        Hash::Sha384 => cases::SHA_384,
        Hash::Sha512 => cases::SHA_512,
    };
    match scheme {
        Scheme::Pss(hash) => (
            cases::pss(hash_name(hash)),
            cases::Scheme::pss(hash_of(hash)),
        ),
        Scheme::PssSha1 => (
            cases::pss(cases::SHA_1),
            cases::Scheme::pss(cases::Hash::Sha1),
        ),
        Scheme::Pkcs1 => {
            let identifier = sequence(&[oid(cases::PKCS1_SHA_256), cases::der::null()]);
            (identifier, cases::PKCS1_256)
        }
    }
}

/// A time so many seconds after noon, as `YYYYMMDDHHMMSSZ`.
fn time(seconds: i64) -> String {
    let seconds = u64::try_from(NOON + seconds).expect("worlds are past 1970");
    let time = DateTime::from_unix_duration(std::time::Duration::from_secs(seconds));
    let time = time.expect("worlds are before 10000");
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minutes(),
        time.seconds()
    )
}

fn certificate(described: &Certificate) -> cases::Certificate {
    let mut certificate = cases::Certificate::organisation(key_of(described.key));
    certificate.serial_number = integer(&[described.serial_number]);
    certificate.issuer = name_of(described.issuer);
    certificate.subject = name_of(described.subject);
    // The two digits of a `UTCTime` stand for the years from 1950 to 2049 (RFC 5280 §4.1.2.5.1).
    let time = |seconds| cases::utc_time(&time(seconds)[2..]);
    certificate.validity = sequence(&[time(described.span.start), time(described.span.end)]);
    let identifier = |key: Key| key_of(key).key_identifier();
    let authority = described.authority_key_identifier;
    let subject = described.subject_key_identifier;
    certificate.extensions = Vec::new();
    certificate
        .extensions
        .extend(described.basic_constraints.map(basic_constraints));
    certificate
        .extensions
        .extend(authority.map(|key| cases::authority_key_identifier(&identifier(key))));
    certificate
        .extensions
        .extend(subject.map(|key| cases::subject_key_identifier(&identifier(key))));
    certificate
        .extensions
        .extend(described.key_usage.map(key_usage));
    if described.unknown_critical {
        certificate
            .extensions
            .push(cases::extension("1.2.3.4", Some(0xff), &cases::der::null()));
    }
    let (identifier, scheme) = scheme_of(described.scheme);
    certificate.algorithm(&identifier);
    certificate.scheme = scheme;
    certificate.signed_by = key_of(described.signed_by);
    certificate.corrupt = described.corrupt;
    certificate
}

fn basic_constraints(described: BasicConstraints) -> Vec<u8> {
    let mut fields = Vec::new();
    if described.is_ca {
        fields.push(boolean(0xff));
    }
    fields.extend(described.path_length.map(|length| integer(&[length])));
    let critical = described.is_critical.then_some(0xff);
    cases::extension("2.5.29.19", critical, &sequence(&fields))
}

fn key_usage(described: KeyUsage) -> Vec<u8> {
    let mut bits = 0;
    if described.signs_content {
        bits |= 0x80;
    }
    if described.signs_certificates {
        bits |= 0x04;
    }
    if bits == 0 {
        // keyEncipherment, which allows neither.
        bits = 0x20;
    }
    let unused = u8::try_from(u8::trailing_zeros(bits)).expect("there are eight bits");
    cases::key_usage_of(&[unused, bits])
}

// The signature

fn sign(world: &World, bundle: &mut Bundle, content: &[u8]) {
    let signature = &world.signature;
    let intermediates: Vec<_> = world.intermediates.iter().map(certificate).collect();
    let mut attached = Vec::new();
    if signature.twin_attached {
        let twin = Certificate {
            key: Key::Stranger,
            subject: Name::Common("mallory"),
            signed_by: Key::Stranger,
            ..world.member.clone()
        };
        attached.push(certificate(&twin).to_der());
    }
    if signature.member_attached {
        attached.push(bundle.member.to_der());
    }
    if signature.organisation_attached {
        attached.push(bundle.organisation.to_der());
    }
    attached.extend(intermediates.iter().map(cases::Certificate::to_der));
    let named = match signature.signer {
        Signer::Member => &bundle.member,
        Signer::Organisation => &bundle.organisation,
        Signer::Intermediate(index) => &intermediates[index],
    };

    let (identifier, scheme) = scheme_of(signature.scheme);
    let digest = match signature.digest {
        Hash::Sha256 => cases::SHA_256,
        Hash::Sha384 => cases::SHA_384,
        Hash::Sha512 => cases::SHA_512,
    };
    let digested = if signature.other_content {
        b"something else"
    } else {
        content
    };
    let content_type = if signature.other_content_type {
        "1.2.840.113549.1.7.2"
    } else {
        cases::DATA
    };
    let signed_data = &mut bundle.signed_data;
    signed_data.signer_identifier = Some(cases::identifier_of(named));
    signed_data.certificates = Some(context(0, &concat(&attached)));
    signed_data.content = world.token.attached.then(|| octet_string(content));
    signed_data.digest_algorithms = cases::der::set(&[cases::hash(digest)]);
    signed_data.digest_algorithm = cases::hash(digest);
    signed_data.signed_attributes = vec![
        cases::content_type(content_type),
        cases::message_digest(hash_of(signature.digest), digested),
        cases::metadata(
            service_of(signature.service),
            &time(signature.span.start),
            &time(signature.span.end),
        ),
    ];
    let attribution = signature
        .attribution
        .map(|name| cases::attribution(utf8_string(name)));
    signed_data.signed_attributes.extend(attribution);
    signed_data.signature_algorithm = identifier;
    signed_data.scheme = scheme;
    signed_data.key = key_of(signature.key);
    signed_data.corrupt = signature.corrupt;
    signed_data.signers = if signature.signed_twice { 2 } else { 1 };
}

// The token

fn json(token: &Token) -> Vec<u8> {
    let mut members = vec![format!("\"audience\":\"{}\"", token.audience)];
    let mut claims: Vec<String> = token
        .claims
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    if token.oversized {
        claims.push(format!("\"long\":\"{}\"", "x".repeat(16_384)));
    }
    let (mut before, mut behind) = ("", "");
    match token.fault {
        None | Some(TokenFault::NullClaims) => {}
        Some(TokenFault::DuplicateAudience) => members.push(members[0].clone()),
        Some(TokenFault::DuplicateClaim) => {
            claims.extend(["\"twice\":\"1\"".to_owned(), "\"twice\":\"2\"".to_owned()]);
        }
        Some(TokenFault::NumberAsClaim) => claims.push("\"number\":1".to_owned()),
        Some(TokenFault::TrailingOctets) => behind = "{}",
        Some(TokenFault::ByteOrderMark) => before = "\u{feff}",
        Some(TokenFault::NoAudience) => members.clear(),
    }
    if token.fault == Some(TokenFault::NullClaims) {
        members.push("\"claims\":null".to_owned());
    } else if !claims.is_empty() {
        members.push(format!("\"claims\":{{{}}}", claims.join(",")));
    }
    format!("{before}{{{}}}{behind}", members.join(",")).into_bytes()
}
