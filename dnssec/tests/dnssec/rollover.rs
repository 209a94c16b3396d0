//! Rollovers: every stage of those in RFC 6781 §4.1 and RFC 7583, with DS RRset, DNSKEY RRset and answer fetched in the
//! same stage or in others, as caches have them. Whoever rolls over as the RFCs say is proven all the way; whatever is
//! mixed beyond that is proven where a chain of keys and signatures leads through, and at exactly the seconds at which
//! it does.

use std::collections::BTreeMap;

use kliento_fixtures::{
    Algorithm, DNSKEY, DS, Key, KeyRole, REVOKE, Response, Responses, SECURE_ENTRY_POINT, SHA256,
    TXT, World, ZONE_KEY, ZoneKey, ZoneSpec,
};

use crate::support::attempt::{Attempt, Judged as _, Style};
use crate::support::{DAY, HOUR, NOON, OWNER, TEXT};

const ZONE: &str = "example.com.";
const GONE: &str = "gone.example.com.";

/// What is published in a stage. Keys are named by their role and a number: K for a KSK, Z for a ZSK, C for one that is
/// both; those of algorithm rollovers with an even number are of another algorithm; `r` for revoked.
struct Stage {
    name: &'static str,
    /// The keys that the parent's DS RRset commits to, or the anchors.
    ds: &'static str,
    dnskeys: &'static str,
    /// The keys that sign the DNSKEY RRset.
    keys_signed_by: &'static str,
    /// The keys that sign all else.
    data_signed_by: &'static str,
}

const fn stage(
    name: &'static str,
    ds: &'static str,
    dnskeys: &'static str,
    keys_signed_by: &'static str,
    data_signed_by: &'static str,
) -> Stage {
    Stage {
        name,
        ds,
        dnskeys,
        keys_signed_by,
        data_signed_by,
    }
}

type Rollover = (&'static str, &'static [Stage]);

const ROLLOVERS: &[Rollover] = &[
    (
        "ZSK, pre-publish (RFC 6781 §4.1.1.1, RFC 7583 §3.2.1)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY", "K1", "K1 Z1 Z2", "K1", "Z1"),
            stage("new RRSIGs", "K1", "K1 Z1 Z2", "K1", "Z2"),
            stage("DNSKEY removal", "K1", "K1 Z2", "K1", "Z2"),
        ],
    ),
    (
        "ZSK, double signature (RFC 6781 §4.1.1.2, RFC 7583 §3.2.2)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY", "K1", "K1 Z1 Z2", "K1", "Z1 Z2"),
            stage("DNSKEY removal", "K1", "K1 Z2", "K1", "Z2"),
        ],
    ),
    (
        "ZSK, double RRSIG (RFC 7583 §2.1)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new RRSIGs", "K1", "K1 Z1", "K1", "Z1 Z2"),
            stage("new DNSKEY", "K1", "K1 Z2", "K1", "Z1 Z2"),
            stage("RRSIG removal", "K1", "K1 Z2", "K1", "Z2"),
        ],
    ),
    (
        "KSK, double signature (RFC 6781 §4.1.2, RFC 7583 §3.3.1)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY", "K1", "K1 K2 Z1", "K1 K2", "Z1"),
            stage("DS change", "K2", "K1 K2 Z1", "K1 K2", "Z1"),
            stage("DNSKEY removal", "K2", "K2 Z1", "K2", "Z1"),
        ],
    ),
    (
        "KSK, double DS (RFC 6781 §4.1.2, RFC 7583 §3.3.2)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DS", "K1 K2", "K1 Z1", "K1", "Z1"),
            stage("DNSKEY change", "K1 K2", "K2 Z1", "K2", "Z1"),
            stage("DS removal", "K2", "K2 Z1", "K2", "Z1"),
        ],
    ),
    (
        "KSK, double RRset (RFC 7583 §3.3.3)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY and DS", "K1 K2", "K1 K2 Z1", "K1 K2", "Z1"),
            stage("removal", "K2", "K2 Z1", "K2", "Z1"),
        ],
    ),
    (
        "CSK, double signature (RFC 6781 §4.1.3)",
        &[
            stage("initial", "C1", "C1", "C1", "C1"),
            stage("new DNSKEY", "C1", "C1 C2", "C1 C2", "C1 C2"),
            stage("DS change", "C2", "C1 C2", "C1 C2", "C1 C2"),
            stage("DNSKEY removal", "C2", "C2", "C2", "C2"),
        ],
    ),
    (
        "CSK, double DS, pre-publish (RFC 6781 §4.1.3)",
        &[
            stage("initial", "C1", "C1", "C1", "C1"),
            stage("new DNSKEY", "C1 C2", "C1 C2", "C1", "C1"),
            stage("new RRSIGs", "C1 C2", "C1 C2", "C2", "C2"),
            stage("removal", "C2", "C2", "C2", "C2"),
        ],
    ),
    (
        "algorithm, conservative (RFC 6781 §4.1.4)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new RRSIGs", "K1", "K1 Z1", "K1", "Z1 Z2"),
            stage("new DNSKEY", "K1", "K1 Z1 K2 Z2", "K1 K2", "Z1 Z2"),
            stage("new DS", "K2", "K1 Z1 K2 Z2", "K1 K2", "Z1 Z2"),
            stage("DNSKEY removal", "K2", "K2 Z2", "K2", "Z1 Z2"),
            stage("RRSIG removal", "K2", "K2 Z2", "K2", "Z2"),
        ],
    ),
    (
        "algorithm, liberal (RFC 6781 §4.1.4)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY", "K1", "K1 Z1 K2 Z2", "K1 K2", "Z1 Z2"),
            stage("DS change", "K2", "K1 Z1 K2 Z2", "K1 K2", "Z1 Z2"),
            stage("DNSKEY removal", "K2", "K2 Z2", "K2", "Z2"),
        ],
    ),
    (
        "algorithm, with a single key (RFC 6781 §4.1.4.1)",
        &[
            stage("initial", "C1", "C1", "C1", "C1"),
            stage("new RRSIGs", "C1", "C1", "C1", "C1 C2"),
            stage("new DNSKEY", "C1", "C1 C2", "C1 C2", "C1 C2"),
            stage("new DS", "C2", "C1 C2", "C1 C2", "C1 C2"),
            stage("DNSKEY removal", "C2", "C2", "C2", "C1 C2"),
            stage("RRSIG removal", "C2", "C2", "C2", "C2"),
        ],
    ),
    (
        "KSK with revocation, double signature (RFC 6781 §4.1.4.2, RFC 5011)",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY", "K1", "K1 K2 Z1", "K1 K2", "Z1"),
            stage("DS change", "K2", "K1 K2 Z1", "K1 K2", "Z1"),
            stage("revocation", "K2", "K1r K2 Z1", "K1r K2", "Z1"),
            stage("removal", "K2", "K2 Z1", "K2", "Z1"),
        ],
    ),
    (
        "from KSK and ZSK to a single key, and a key that stands by",
        &[
            stage("initial", "K1", "K1 Z1", "K1", "Z1"),
            stage("new DNSKEY", "K1 C2", "K1 Z1 C2", "K1 C2", "Z1"),
            stage("new RRSIGs", "K1 C2", "K1 Z1 C2", "K1 C2", "C2"),
            stage("removal, and another key", "C2", "C2 K2", "C2", "C2"),
        ],
    ),
];

/// The keys of one rollover by their names.
struct Keys(BTreeMap<String, Key>);

impl Keys {
    fn get(&mut self, name: &str, is_of_algorithms: bool) -> ZoneKey {
        let revoked = if name.ends_with('r') { REVOKE } else { 0 };
        let name = name.trim_end_matches('r');
        let algorithm = if is_of_algorithms && name.ends_with('2') {
            Algorithm::EcdsaP256Sha256
        } else {
            Algorithm::Ed25519
        };
        let key = self.0.entry(name.to_owned());
        let key = key.or_insert_with(|| Key::generate(algorithm)).clone();
        let entry = if name.starts_with('Z') {
            0
        } else {
            SECURE_ENTRY_POINT
        };
        ZoneKey::new(key, ZONE_KEY | entry | revoked)
    }
}

fn names(list: &str) -> Vec<&str> {
    list.split_whitespace().collect()
}

/// Whether two lists have a name in common.
fn meet(one: &[&str], other: &[&str]) -> bool {
    one.iter().any(|name| other.contains(name))
}

impl Stage {
    /// The zone as it is in this stage.
    fn zone(&self, name: &str, keys: &mut Keys, is_of_algorithms: bool) -> ZoneSpec {
        let mut get = |name: &&str| keys.get(name, is_of_algorithms);
        let dnskeys = names(self.dnskeys);
        let is_published = |name: &&&str| dnskeys.contains(name);
        let of_keys = names(self.keys_signed_by);
        let of_data = names(self.data_signed_by);
        let ksk = of_keys.iter().find(is_published).expect("a key signs");
        let zsk = of_data.iter().find(is_published).expect("a key signs");
        let mut zone = ZoneSpec::new(name, Algorithm::Ed25519).ds_digests(&[]);
        let (ksk_key, zsk_key) = (get(ksk), get(zsk));
        zone = zone.ksk(ksk_key.key.clone()).ksk_flags(ksk_key.flags);
        zone = if ksk == zsk {
            zone.single_key()
        } else {
            zone.zsk(zsk_key.key.clone()).zsk_flags(zsk_key.flags)
        };
        for published in dnskeys.iter().filter(|name| *name != ksk && *name != zsk) {
            zone = zone.extra_key(get(published));
        }
        for (signers, own, role) in [
            (of_keys.clone(), ksk, KeyRole::Ksk),
            (of_data.clone(), zsk, KeyRole::Zsk),
        ] {
            for signer in signers.iter().filter(|name| *name != own) {
                zone = zone.unpublished_signer(get(signer), role);
            }
        }
        names(self.ds)
            .iter()
            .fold(zone, |zone, name| zone.extra_ds(get(name), &[SHA256]))
    }
}

/// The worlds of a rollover's stages, and one in which the zones above were looked up.
struct Stages {
    stages: &'static [Stage],
    above: World,
    /// What the zones above answer.
    way: Vec<Response>,
    /// What each stage answers: DS, DNSKEY, and two names.
    answers: Vec<[Response; 4]>,
    /// When the signatures of each stage hold.
    windows: Vec<(i64, i64)>,
}

impl Stages {
    /// A day lies between stages. The signatures of each hold until an hour after the next has begun, or for a year.
    fn new((rollover, stages): &Rollover, are_long: bool) -> Self {
        let mut keys = Keys(BTreeMap::new());
        let [root, tld] = [(); 2].map(|()| Key::generate(Algorithm::Ed25519));
        let world = |zone: ZoneSpec, (from, until): (i64, i64)| {
            let above =
                |name: &str, key: &Key| ZoneSpec::new(name, Algorithm::Ed25519).csk(key.clone());
            World::builder()
                .at(NOON)
                .window(from, until)
                .with_zone(above(".", &root))
                .with_zone(above("com.", &tld))
                .with_zone(zone)
                .txt(OWNER, TEXT)
                .build()
        };
        let forever = (NOON - 365 * DAY, NOON + 365 * DAY);
        let windows: Vec<(i64, i64)> = (0..)
            .zip(*stages)
            .map(|(number, _)| {
                let begin = NOON + number * DAY;
                if are_long {
                    forever
                } else {
                    (begin - HOUR, begin + DAY + HOUR)
                }
            })
            .collect();
        let is_of_algorithms = rollover.starts_with("algorithm");
        let answers = stages
            .iter()
            .zip(&windows)
            .map(|(stage, window)| {
                let world = world(stage.zone(ZONE, &mut keys, is_of_algorithms), *window);
                let questions = [(ZONE, DS), (ZONE, DNSKEY), (OWNER, TXT), (GONE, TXT)];
                questions.map(|(name, record_type)| world.answer(name, record_type))
            })
            .collect();
        let above = world(ZoneSpec::new(ZONE, Algorithm::Ed25519), forever);
        let way = [(".", DNSKEY), ("com.", DS), ("com.", DNSKEY)];
        Self {
            stages,
            way: way
                .map(|(name, record_type)| above.answer(name, record_type))
                .to_vec(),
            above,
            answers,
            windows,
        }
    }

    fn count(&self) -> usize {
        self.stages.len()
    }

    /// A chain with the DS and DNSKEY RRsets of these stages, and the answer of this one.
    fn mix(&self, ds: &[usize], dnskey: &[usize], answer: usize, name: &str) -> Attempt {
        let mut responses = self.way.clone();
        responses.extend(ds.iter().map(|stage| self.answers[*stage][0].clone()));
        responses.extend(dnskey.iter().map(|stage| self.answers[*stage][1].clone()));
        let of_name = if name == OWNER { 2 } else { 3 };
        responses.push(self.answers[answer][of_name].clone());
        Attempt {
            style: Style::Nsec,
            responses: Responses(responses),
            octets: Vec::new(),
            name: name.to_owned(),
            record_type: TXT,
            anchors: self.above.anchors(),
            period: (NOON, NOON),
            world: self.above.clone(),
        }
    }

    /// What comes of one RRset each, whenever they hold together.
    fn expected(&self, ds: usize, dnskey: usize, answer: usize) -> Result<(), &'static str> {
        let Stage {
            dnskeys,
            keys_signed_by,
            ..
        } = self.stages[dnskey];
        let dnskeys = names(dnskeys);
        let mut signers = names(keys_signed_by);
        signers.retain(|name| dnskeys.contains(name) && !name.ends_with('r'));
        if !meet(&signers, &names(self.stages[ds].ds)) {
            return Err("dnssec.dnskey_not_committed");
        }
        if !meet(&dnskeys, &names(self.stages[answer].data_signed_by)) {
            return Err("dnssec.no_matching_key");
        }
        Ok(())
    }

    /// When the signatures of these stages hold together.
    fn window(&self, stages: [usize; 3]) -> Option<(i64, i64)> {
        let windows = stages.map(|stage| self.windows[stage]);
        let from = windows.iter().map(|window| window.0).max()?;
        let until = windows.iter().map(|window| window.1).min()?;
        (from <= until).then_some((from, until))
    }

    fn each_mix(&self, mut test: impl FnMut([usize; 3], String)) {
        for ds in 0..self.count() {
            for dnskey in 0..self.count() {
                for answer in 0..self.count() {
                    let [of_ds, of_keys, of_answer] =
                        [ds, dnskey, answer].map(|stage| self.stages[stage].name);
                    let label = format!("DS of {of_ds}, keys of {of_keys}, answer of {of_answer}");
                    test([ds, dnskey, answer], label);
                }
            }
        }
    }
}

/// RFC 6781 §4.1: a zone that waits for caches between its stages is proven with what is old or new in any mixture of
/// two neighbouring stages.
#[test]
fn each_stage_is_proven_beside_the_one_before() {
    for rollover in ROLLOVERS {
        let stages = Stages::new(rollover, true);
        stages.each_mix(|mix, label| {
            let (first, last) = (mix.iter().min(), mix.iter().max());
            let are_neighbours = last
                .zip(first)
                .is_some_and(|(last, first)| last - first <= 1);
            if are_neighbours {
                let expected = stages.expected(mix[0], mix[1], mix[2]);
                assert_eq!(
                    expected,
                    Ok(()),
                    "{}: {label}: the table is wrong",
                    rollover.0
                );
                for (name, verdict) in [(OWNER, "proven"), (GONE, "nxdomain")] {
                    let attempt = stages.mix(&[mix[0]], &[mix[1]], mix[2], name);
                    assert_eq!(attempt.verdict(), verdict, "{}: {label}", rollover.0);
                }
            }
        });
    }
}

/// Old and new beyond that: as far as keys and signatures fit each other, and no further.
#[test]
fn stages_are_mixed_as_far_as_their_keys_fit() {
    let mut refused = 0;
    for rollover in ROLLOVERS {
        let stages = Stages::new(rollover, true);
        stages.each_mix(|mix, label| {
            let expected = stages.expected(mix[0], mix[1], mix[2]);
            for (name, verdict) in [(OWNER, "proven"), (GONE, "nxdomain")] {
                let attempt = stages.mix(&[mix[0]], &[mix[1]], mix[2], name);
                let expected = expected.err().unwrap_or(verdict);
                assert_eq!(attempt.verdict(), expected, "{}: {label}", rollover.0);
            }
            refused += usize::from(expected.is_err());
        });
    }
    assert!(refused > 50, "{refused} are too few to say much");
}

/// A chain in which a resolver's caches left two stages of each RRset: any way through is enough.
#[test]
fn two_stages_in_one_chain_are_as_good_as_the_better() {
    for rollover in ROLLOVERS {
        let stages = Stages::new(rollover, true);
        let pairs: Vec<[usize; 2]> = (1..stages.count())
            .map(|stage| [stage - 1, stage])
            .collect();
        for of_ds in &pairs {
            for of_keys in &pairs {
                for answer in 0..stages.count() {
                    let ways = of_ds.iter().flat_map(|ds| {
                        let stages = &stages;
                        of_keys
                            .iter()
                            .map(move |keys| stages.expected(*ds, *keys, answer))
                    });
                    let is_proven = ways.into_iter().any(|way| way.is_ok());
                    let attempt = stages.mix(of_ds, of_keys, answer, OWNER);
                    assert_eq!(
                        attempt.verdict() == "proven",
                        is_proven,
                        "{}: {of_ds:?} {of_keys:?} {answer}",
                        rollover.0
                    );
                }
            }
        }
    }
}

/// Before, in and after each stage: what was fetched holds while all signatures do, and not a second longer.
#[test]
fn what_was_fetched_in_a_stage_holds_as_long_as_its_signatures() {
    for rollover in ROLLOVERS {
        let stages = Stages::new(rollover, false);
        stages.each_mix(|mix, label| {
            let mut attempt = stages.mix(&[mix[0]], &[mix[1]], mix[2], OWNER);
            attempt.period = crate::support::attempt::ALWAYS;
            let window = stages.expected(mix[0], mix[1], mix[2]).ok();
            let Some((from, until)) = window.and_then(|()| stages.window(mix)) else {
                let verdict = attempt.verdict();
                assert_ne!(verdict, "proven", "{}: {label}", rollover.0);
                return;
            };
            assert_eq!(
                attempt.find().validity,
                [(from, until)],
                "{}: {label}",
                rollover.0
            );
            for (time, holds) in [
                (from - 1, false),
                (from, true),
                (until, true),
                (until + 1, false),
            ] {
                attempt.period = (time, time);
                let verdict = attempt.verdict();
                assert_eq!(
                    verdict == "proven",
                    holds,
                    "{}: {label}: {verdict}",
                    rollover.0
                );
            }
        });
    }
}

/// The root's KSK rolls over with revocation (RFC 5011, as the root did in 2018 and does in 2026): who trusts the old
/// key, the new one, or both, is served as long as that key signs unrevoked.
#[test]
fn the_roots_keys_roll_over_beneath_the_anchors() {
    const STAGES: &[Stage] = &[
        stage("initial", "K1", "K1 Z1", "K1", "Z1"),
        stage("pre-published", "K1", "K1 K2 Z1", "K1", "Z1"),
        stage("both sign", "K1", "K1 K2 Z1", "K1 K2", "Z1"),
        stage("the new one signs", "K1", "K1 K2 Z1", "K2", "Z1"),
        stage("the old one revoked", "K1", "K1r K2 Z1", "K1r K2", "Z1"),
        stage("gone", "K1", "K2 Z1", "K2", "Z1"),
    ];
    const PROVEN_WITH: [(&str, [bool; 6]); 5] = [
        ("K1", [true, true, true, false, false, false]),
        ("K2", [false, false, true, true, true, true]),
        ("K1 K2", [true; 6]),
        ("K1r", [false; 6]),
        ("Z1", [false; 6]),
    ];
    let mut keys = Keys(BTreeMap::new());
    for (index, stage) in STAGES.iter().enumerate() {
        for (anchors, proven) in PROVEN_WITH {
            let mut zone = stage.zone(".", &mut keys, false);
            // The world names its own anchors: those of the table in place of the stage's.
            for name in names(anchors) {
                zone = zone.extra_ds(keys.get(name, false), &[SHA256]);
            }
            let world = World::builder()
                .at(NOON)
                .with_zone(zone)
                .txt(OWNER, TEXT)
                .build();
            for (text, form) in [
                (world.anchors(), "DS"),
                (world.anchors_as_dnskeys(), "DNSKEY"),
            ] {
                // The last lines are the ones that were added.
                let lines: Vec<&str> = text.lines().collect();
                let own = lines.len() - names(anchors).len();
                for (name, verdict) in [(OWNER, "proven"), ("gone.", "nxdomain")] {
                    let mut attempt = Attempt::in_world(Style::Nsec, world.clone(), name, TXT);
                    attempt.anchors = lines[own..].join("\n");
                    let expected = if proven[index] {
                        verdict
                    } else {
                        "dnssec.dnskey_not_committed"
                    };
                    let label = format!("{}, anchors {anchors} as {form}", stage.name);
                    assert_eq!(attempt.verdict(), expected, "{label}");
                }
            }
        }
    }
}
