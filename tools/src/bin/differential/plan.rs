//! Worlds that have nothing wrong with them: which zones there are, what is in them, and what may be asked.

use kliento_fixtures::{
    A, AAAA, Algorithm, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NS, Name, Record,
    SECURE_ENTRY_POINT, SHA256, SHA384, SOA, SRV, TXT, World, ZONE_KEY, ZoneKey, ZoneSpec,
};

use crate::random::Random;

/// A zone to be.
#[derive(Clone, Debug)]
pub(crate) struct ZonePlan {
    pub(crate) name: Name,
    pub(crate) algorithm: Algorithm,
    pub(crate) spec: ZoneSpec,
    /// Whether a secure delegation leads to it.
    pub(crate) is_secure: bool,
}

impl ZonePlan {
    pub(crate) fn change(&mut self, change: impl FnOnce(ZoneSpec) -> ZoneSpec) {
        self.spec = change(self.spec.clone());
    }
}

/// What a question is about: the part of validation that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Positive,
    Apex,
    Wildcard,
    Alias,
    AliasChain,
    AliasAcrossZones,
    AliasToNothing,
    AliasToWildcard,
    AliasByWildcard,
    AliasIntoInsecurity,
    AliasItself,
    AliasLoop,
    LongAliasChain,
    Dname,
    DnameAcrossZones,
    DnameToNothing,
    DnameItself,
    DnameTooLong,
    NoData,
    NoDataAtEmptyNonTerminal,
    NoDataAtWildcard,
    NxDomain,
    DsAtCut,
    DsAtNoCut,
    DsAtInsecureCut,
    BelowInsecureCut,
    NxDomainBelowInsecureCut,
}

impl Kind {
    /// Whether an alias leads on from the name.
    pub(crate) fn is_alias(self) -> bool {
        matches!(
            self,
            Self::Alias
                | Self::AliasChain
                | Self::AliasAcrossZones
                | Self::AliasToNothing
                | Self::AliasToWildcard
                | Self::AliasByWildcard
                | Self::AliasIntoInsecurity
                | Self::AliasLoop
                | Self::LongAliasChain
                | Self::Dname
                | Self::DnameAcrossZones
                | Self::DnameToNothing
                | Self::DnameTooLong
        )
    }
}

/// A question and its kind.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) name: Name,
    pub(crate) record_type: u16,
    pub(crate) kind: Kind,
}

/// A world to be, open to changes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Parents before their children.
    pub(crate) zones: Vec<ZonePlan>,
    pub(crate) records: Vec<Record>,
    pub(crate) questions: Vec<Asked>,
    /// Whether each alias is answered by itself, without what it leads to.
    targets_apart: bool,
    compress: bool,
}

impl Plan {
    pub(crate) fn generate(random: &mut Random) -> Self {
        let mut plan = Self {
            zones: Vec::new(),
            records: Vec::new(),
            questions: Vec::new(),
            targets_apart: random.once_in(4),
            compress: !random.once_in(4),
        };
        let mut rsa_is_taken = false;
        let mut zone = |plan: &mut Self, random: &mut Random, name: &Name, is_secure: bool| {
            let planned = plan_zone(random, name, is_secure, &mut rsa_is_taken);
            plan.zones.push(planned);
        };

        let root = Name::root();
        zone(&mut plan, random, &root, true);
        let top = root.child(random.pick(TOP_LABELS).as_bytes());
        zone(&mut plan, random, &top, true);
        let mut above = top.clone();
        if random.once_in(4) {
            // A label between, with or without a zone of its own.
            above = above.child(b"co");
            if random.once_in(2) {
                zone(&mut plan, random, &above, true);
            }
        }
        let organisation = above.child(random.pick(LABELS).as_bytes());
        zone(&mut plan, random, &organisation, true);
        let sibling = above.child(b"sibling");
        zone(&mut plan, random, &sibling, true);

        let insecure = if random.once_in(2) {
            &top
        } else {
            &organisation
        }
        .child(b"unsigned");
        zone(&mut plan, random, &insecure, false);

        let mut asked_about = vec![organisation.clone()];
        if random.once_in(3) {
            let mut child = organisation.clone();
            if random.once_in(2) {
                child = child.child(b"gap");
            }
            child = child.child(b"child");
            zone(&mut plan, random, &child, true);
            asked_about.push(child);
        }

        for name in [&organisation, &sibling]
            .into_iter()
            .chain(&asked_about[1..])
        {
            plan.furnish(random, name, &sibling, &insecure);
        }
        let below_insecure = insecure.child(b"_veraid");
        plan.records.push(Record::txt(&below_insecure, "unsigned"));
        for name in &asked_about {
            plan.ask_about(random, name);
        }
        plan.ask(insecure.clone(), DS, Kind::DsAtInsecureCut);
        plan.ask(below_insecure, TXT, Kind::BelowInsecureCut);
        let nothing = insecure.child(b"nothing").child(b"at-all");
        plan.ask(nothing, TXT, Kind::NxDomainBelowInsecureCut);
        plan
    }

    fn ask(&mut self, name: Name, record_type: u16, kind: Kind) {
        self.questions.push(Asked {
            name,
            record_type,
            kind,
        });
    }

    /// Puts records into a zone.
    fn furnish(&mut self, random: &mut Random, zone: &Name, other: &Name, insecure: &Name) {
        let alias = |label: &str, target: Name| {
            Record::of_name(zone.child(label.as_bytes()), CNAME, target)
        };
        let owner = zone.child(b"_veraid");
        let www = zone.child(b"www");
        let mail = zone.child(b"mail");
        let wild = zone.child(b"wild");
        let service = zone.child(b"_tcp").child(b"_sip");
        let sip = [&[0, 1, 0, 2, 0x13, 0xc4][..], zone.child(b"SIP").wire()].concat();
        let wild_alias = zone.child(b"wild-alias").child(b"*");
        let mut records = vec![
            Record::new(&www, AAAA, random.octets::<16>()),
            Record::mx(&mail, 10, zone.child(b"MX1")),
            Record::mx(&mail, 20, other.child(b"Mx2")),
            Record::new(service, SRV, sip),
            Record::txt(wild.child(b"*"), "from the wildcard"),
            Record::new(wild.child(b"closer"), A, [192, 0, 2, 1]),
            Record::txt(zone.child(b"ent").child(b"deep"), "deep"),
            alias("alias", www.clone()),
            alias("across", other.child(b"www")),
            alias("dangling", other.child(b"nothing")),
            alias("to-wildcard", wild.child(b"any")),
            alias("to-unsigned", insecure.child(b"_veraid")),
            alias("loop1", zone.child(b"loop2")),
            alias("loop2", zone.child(b"loop1")),
            alias("loop", zone.child(b"loop")),
            Record::of_name(zone.child(b"dname"), DNAME, zone.child(b"ent")),
            Record::of_name(zone.child(b"dname-across"), DNAME, other),
            Record::of_name(
                zone.child(b"dname-long"),
                DNAME,
                zone.child(&[b'l'; 63]).child(&[b'm'; 63]),
            ),
            Record::of_name(wild_alias, CNAME, &www),
        ];
        for number in 0..=random.below(3) {
            let text = format!("{number} {:016x} 3600", random.next());
            records.push(Record::txt(&owner, &text));
        }
        for _ in 0..=random.below(2) {
            records.push(Record::new(&www, A, random.octets::<4>()));
        }
        let links = 2 + random.below(6);
        for link in 1..links {
            let next = zone.child(format!("link{}", link + 1).as_bytes());
            records.push(alias(&format!("link{link}"), next));
        }
        records.push(alias(&format!("link{links}"), owner.clone()));
        let links = 7 + random.below(12);
        for link in 1..links {
            let next = zone.child(format!("long{}", link + 1).as_bytes());
            records.push(alias(&format!("long{link}"), next));
        }
        records.push(alias(&format!("long{links}"), owner));

        // The records of an RRset have one TTL (RFC 2181 §5.2).
        let ttl = *random.pick(&[60, 300, 3_600, 86_400]);
        self.records
            .extend(records.into_iter().map(|record| record.with_ttl(ttl)));
    }

    /// What may be asked of a zone that [`Plan::furnish`] filled.
    fn ask_about(&mut self, random: &mut Random, zone: &Name) {
        let any = format!("any{}", random.below(1_000));
        let any = any.as_bytes();
        let questions = [
            (zone.child(b"_veraid"), TXT, Kind::Positive),
            (zone.child(b"www"), A, Kind::Positive),
            (zone.child(b"www"), AAAA, Kind::Positive),
            (zone.child(b"mail"), MX, Kind::Positive),
            (zone.child(b"_tcp").child(b"_sip"), SRV, Kind::Positive),
            (zone.child(b"WWW"), A, Kind::Positive),
            (zone.clone(), SOA, Kind::Apex),
            (zone.clone(), NS, Kind::Apex),
            (zone.clone(), DNSKEY, Kind::Apex),
            (zone.child(b"wild").child(any), TXT, Kind::Wildcard),
            (
                zone.child(b"wild").child(b"b").child(any),
                TXT,
                Kind::Wildcard,
            ),
            (zone.child(b"wild").child(b"*"), TXT, Kind::Positive),
            (zone.child(b"alias"), A, Kind::Alias),
            (zone.child(b"link1"), TXT, Kind::AliasChain),
            (zone.child(b"across"), A, Kind::AliasAcrossZones),
            (zone.child(b"dangling"), A, Kind::AliasToNothing),
            (zone.child(b"alias"), TXT, Kind::AliasToNothing),
            (zone.child(b"to-wildcard"), TXT, Kind::AliasToWildcard),
            (
                zone.child(b"wild-alias").child(any),
                A,
                Kind::AliasByWildcard,
            ),
            (zone.child(b"to-unsigned"), TXT, Kind::AliasIntoInsecurity),
            (zone.child(b"alias"), CNAME, Kind::AliasItself),
            (zone.child(b"loop1"), TXT, Kind::AliasLoop),
            (zone.child(b"loop"), A, Kind::AliasLoop),
            (zone.child(b"long1"), TXT, Kind::LongAliasChain),
            (zone.child(b"dname").child(b"deep"), TXT, Kind::Dname),
            (zone.child(b"dname").child(any), TXT, Kind::DnameToNothing),
            (
                zone.child(b"dname-across").child(b"www"),
                A,
                Kind::DnameAcrossZones,
            ),
            (zone.child(b"dname"), DNAME, Kind::DnameItself),
            (
                zone.child(b"dname-long")
                    .child(&[b'n'; 63])
                    .child(&[b'o'; 63]),
                TXT,
                Kind::DnameTooLong,
            ),
            (zone.child(b"dname"), TXT, Kind::NoData),
            (zone.child(b"www"), TXT, Kind::NoData),
            (zone.clone(), TXT, Kind::NoData),
            (zone.child(b"wild").child(b"closer"), TXT, Kind::NoData),
            (zone.child(b"ent"), TXT, Kind::NoDataAtEmptyNonTerminal),
            (zone.child(b"_tcp"), A, Kind::NoDataAtEmptyNonTerminal),
            (zone.child(b"wild").child(any), A, Kind::NoDataAtWildcard),
            (zone.child(any), TXT, Kind::NxDomain),
            (zone.child(b"www").child(any), TXT, Kind::NxDomain),
            (zone.child(b"b").child(b"a").child(any), A, Kind::NxDomain),
            (zone.clone(), DS, Kind::DsAtCut),
            (zone.child(b"www"), DS, Kind::DsAtNoCut),
        ];
        for (name, record_type, kind) in questions {
            self.ask(name, record_type, kind);
        }
    }

    /// The world of this plan, for the present.
    pub(crate) fn build(&self) -> World {
        let mut builder = World::builder();
        if self.targets_apart {
            builder = builder.targets_apart();
        }
        if !self.compress {
            builder = builder.uncompressed();
        }
        for zone in &self.zones {
            builder = builder.with_zone(zone.spec.clone());
        }
        for record in &self.records {
            builder = builder.record(record.clone());
        }
        builder.build()
    }

    /// The name of the nearest zone at or above `name`.
    pub(crate) fn zone_of(&self, name: &Name) -> &ZonePlan {
        self.zones
            .iter()
            .filter(|zone| name.is_within(&zone.name))
            .max_by_key(|zone| zone.name.label_count())
            .expect("the root is above every name")
    }
}

const TOP_LABELS: &[&str] = &["com", "Org", "example", "xn--p1ai"];
const LABELS: &[&str] = &[
    "example",
    "EXAMPLE",
    "a",
    "0",
    "xn--bcher-kva",
    "a.b",
    "sp ace",
    "oct\u{e9}t",
    "an-organisation-whose-name-has-as-many-octets-as-one-label-can",
];

fn plan_zone(
    random: &mut Random,
    name: &Name,
    is_secure: bool,
    rsa_is_taken: &mut bool,
) -> ZonePlan {
    let mut algorithm = match random.below(20) {
        0..8 => Algorithm::EcdsaP256Sha256,
        8..14 => Algorithm::Ed25519,
        14..17 => Algorithm::EcdsaP384Sha384,
        17..19 => Algorithm::RsaSha256,
        _ => Algorithm::RsaSha512,
    };
    let is_rsa = |algorithm| matches!(algorithm, Algorithm::RsaSha256 | Algorithm::RsaSha512);
    if *rsa_is_taken && is_rsa(algorithm) {
        // There is one recorded key of each size, and zones that share keys could sign for each other.
        algorithm = Algorithm::EcdsaP256Sha256;
    }
    let (ksk, zsk) = if is_rsa(algorithm) {
        *rsa_is_taken = true;
        let recorded = |bits| Key::recorded_rsa(algorithm, bits);
        (recorded(2_048), recorded(1_024))
    } else {
        (key(random, algorithm), key(random, algorithm))
    };
    let mut spec = match random.below(4) {
        0 => ZoneSpec::new(name, algorithm).csk(ksk),
        _ => ZoneSpec::new(name, algorithm).ksk(ksk).zsk(zsk),
    };
    spec = match random.below(6) {
        0 => spec.ds_digests(&[SHA384]),
        1 => spec.ds_digests(&[SHA256, SHA384]),
        _ => spec,
    };
    spec = roll(random, spec);
    spec = deny(random, spec);
    if !is_secure {
        spec = match random.below(2) {
            0 => spec.insecure(),
            _ => spec.unsigned(),
        };
    }
    ZonePlan {
        name: name.clone(),
        algorithm,
        spec,
        is_secure,
    }
}

/// In one zone of six a stage of a rollover (RFC 6781 §4.1).
fn roll(random: &mut Random, spec: ZoneSpec) -> ZoneSpec {
    let algorithm = *random.pick(&[Algorithm::Ed25519, Algorithm::EcdsaP256Sha256]);
    let mut other = |flags| ZoneKey::new(key(random, algorithm), flags);
    let ksk = other(ZONE_KEY | SECURE_ENTRY_POINT);
    let zsk = other(ZONE_KEY);
    match random.below(36) {
        0 => spec.extra_key(zsk),
        1 => spec.extra_signer(zsk, KeyRole::Zsk),
        2 => spec.extra_signer(ksk, KeyRole::Ksk),
        3 => spec
            .extra_signer(ksk.clone(), KeyRole::Ksk)
            .extra_ds(ksk, &[SHA256]),
        4 => spec.extra_ds(ksk, &[SHA256]),
        5 => spec
            .extra_signer(ksk.clone(), KeyRole::Ksk)
            .extra_signer(ksk, KeyRole::Zsk),
        _ => spec,
    }
}

/// How the zone denies: by NSEC, or by NSEC3 in one of its many ways.
fn deny(random: &mut Random, spec: ZoneSpec) -> ZoneSpec {
    let iterations = *random.pick(&[0, 0, 0, 0, 1, 5, 10, 100]);
    let salt = random.octets::<4>();
    match random.below(20) {
        0..10 => spec,
        10..14 => spec.nsec3(iterations, b""),
        14..16 => spec.nsec3(iterations, &salt),
        16 => spec.nsec3(iterations, &salt).nsec3_upper_case(),
        _ => spec.nsec3(0, b"").opt_out(),
    }
}

/// A key of an algorithm with elliptic curves, its private half drawn from `random`.
pub(crate) fn key(random: &mut Random, algorithm: Algorithm) -> Key {
    /// What comes before the private key in PKCS #8 (RFC 5958, RFC 5915, RFC 8410).
    const P256: &[u8] =
        b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\
          \xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";
    const P384: &[u8] =
        b"\x30\x4e\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\
          \x00\x22\x04\x37\x30\x35\x02\x01\x01\x04\x30";
    const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let pkcs8 = match algorithm {
        Algorithm::EcdsaP256Sha256 => [P256, &random.octets::<32>()].concat(),
        Algorithm::EcdsaP384Sha384 => [P384, &random.octets::<48>()].concat(),
        Algorithm::Ed25519 => [ED25519, &random.octets::<32>()].concat(),
        _ => return Key::generate(algorithm),
    };
    // One number in 2^32 is too large for P-256.
    Key::from_pkcs8(algorithm, &pkcs8).unwrap_or_else(|_| key(random, algorithm))
}
