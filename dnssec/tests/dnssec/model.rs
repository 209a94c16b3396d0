//! Random zones, and a naive model of what there is in them (RFC 4592, RFC 5155, RFC 6672): what the zones' servers
//! answer is proven to be just that; and whatever genuine records an attacker puts together, they prove nothing that is
//! not so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use kliento_fixtures::{
    A, CNAME, DNAME, DS, NS, Name, Record, Response, TXT, World, WorldBuilder, ZoneSpec,
};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::support::attempt::{Attempt, Judged as _, Style, denials, is_fact};
use crate::support::{NOON, random};

/// The zone that is made anew each time, below the root, and one below it, which not every world has.
const ZONE: &str = "z.";
const CHILD: &str = "b.z.";
/// How many worlds of each kind.
const WORLDS: usize = 3;
/// How deep names go below the zone, and of what labels they are.
const DEPTH: usize = 3;
const LABELS: [&[u8]; 3] = [b"a", b"b", b"*"];

/// How much a denying record covers: the span between two names; hardly more than the name (RFC 4470, RFC 7129
/// appendix B); nothing, since each name has its own (RFC 9824).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spans {
    Whole,
    Minimal,
    Compact,
}

/// What there is to say of a name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Truth {
    /// Records of this owner: the name itself, or the wildcard that makes them.
    Records(Name),
    /// Another name in its place; by a CNAME of this owner, or a DNAME.
    Alias {
        owner: Name,
        target: Name,
    },
    NoData,
    NxDomain,
    /// Nothing, since it lies at or below an unsigned delegation, or may do so.
    Insecure(&'static str),
}

/// What is in a zone: types by owner.
#[derive(Clone, Debug)]
struct Zone {
    apex: Name,
    style: Style,
    spans: Spans,
    opt_out: bool,
    owners: BTreeMap<Name, BTreeSet<u16>>,
    targets: BTreeMap<Name, Name>,
}

impl Zone {
    fn new(apex: &str, style: Style) -> Self {
        let apex = Name::from(apex);
        Self {
            owners: BTreeMap::from([(apex.clone(), BTreeSet::from([NS]))]),
            apex,
            style,
            spans: Spans::Whole,
            opt_out: false,
            targets: BTreeMap::new(),
        }
    }

    fn has(&self, owner: &Name, record_type: u16) -> bool {
        let types = self.owners.get(owner);
        types.is_some_and(|types| types.contains(&record_type))
    }

    /// The names from the one below the apex down to this one.
    fn path_to(&self, name: &Name) -> Vec<Name> {
        let mut path = Vec::new();
        let mut next = name.clone();
        while next != self.apex {
            path.insert(0, next.clone());
            next = next.parent().expect("it is within the zone");
        }
        path
    }

    /// Whether the name exists, if only by names below it.
    fn exists(&self, name: &Name) -> bool {
        self.owners.keys().any(|owner| owner.is_within(name))
    }

    /// The same by what an NSEC3 chain has (RFC 5155 §7.1).
    fn is_hashed(&self, name: &Name) -> bool {
        let is_left_out = |owner: &Name| {
            self.opt_out && *owner != self.apex && self.has(owner, NS) && !self.has(owner, DS)
        };
        let mut owners = self.owners.keys().filter(|owner| !is_left_out(owner));
        owners.any(|owner| owner.is_within(name))
    }

    fn truth(&self, name: &Name, record_type: u16) -> Truth {
        for ancestor in self.path_to(name) {
            let is_cut = self.has(&ancestor, NS);
            if is_cut && !(ancestor == *name && record_type == DS) {
                assert!(!self.has(&ancestor, DS), "the zone below should be asked");
                return Truth::Insecure(if self.opt_out { "opt-out" } else { "no DS" });
            }
            if is_cut && self.opt_out && !self.has(&ancestor, DS) {
                return Truth::Insecure("opt-out");
            }
            if ancestor != *name && self.has(&ancestor, DNAME) {
                let mut labels = name.labels();
                labels.truncate(labels.len() - ancestor.labels().len());
                let below = &self.targets[&ancestor];
                let target = labels
                    .iter()
                    .rev()
                    .fold(below.clone(), |name, label| name.child(label));
                return Truth::Alias {
                    owner: ancestor,
                    target,
                };
            }
        }
        if self.exists(name) {
            if !self.is_hashed(name) {
                return Truth::Insecure("opt-out");
            }
            return self.truth_at(name, record_type);
        }
        let encloser = self.closest_encloser(name);
        let wildcard = encloser.child(b"*");
        if self.opt_out {
            Truth::Insecure("opt-out")
        } else if self.exists(&wildcard) {
            self.truth_at(&wildcard, record_type)
        } else {
            Truth::NxDomain
        }
    }

    fn closest_encloser(&self, name: &Name) -> Name {
        let mut encloser = name.clone();
        while !self.exists(&encloser) {
            encloser = encloser.parent().expect("the apex exists");
        }
        encloser
    }

    fn truth_at(&self, owner: &Name, record_type: u16) -> Truth {
        if self.has(owner, record_type) {
            Truth::Records(owner.clone())
        } else if self.has(owner, CNAME) {
            Truth::Alias {
                owner: owner.clone(),
                target: self.targets[owner].clone(),
            }
        } else {
            Truth::NoData
        }
    }

    /// Fills it with random names; nothing below `cut`.
    fn fill(&mut self, random: &mut TestRng, cut: Option<&Name>, names: &[Name]) {
        for _ in 0..random.random_range(2..=8) {
            // Rather near the apex, where it matters to more of the other names.
            let picks = [(); 2].map(|()| &names[random.random_range(0..names.len())]);
            let owner = picks[usize::from(picks[1].label_count() < picks[0].label_count())];
            let is_taken = self.owners.contains_key(owner)
                || *owner == self.apex
                || !owner.is_within(&self.apex)
                || cut.is_some_and(|cut| owner.is_within(cut));
            if is_taken {
                continue;
            }
            let has_wildcard = owner.labels().contains(&&b"*"[..]);
            let types: &[u16] = match random.random_range(0..12) {
                4 => &[A],
                5 => &[A, TXT],
                6 | 7 => &[CNAME],
                8 if !has_wildcard => &[DNAME],
                9..12 if !has_wildcard => &[NS],
                _ => &[TXT],
            };
            let target = names[random.random_range(0..names.len())].clone();
            if types == [DNAME] && (target.is_within(owner) || owner.is_within(&target)) {
                continue;
            }
            self.owners
                .insert(owner.clone(), types.iter().copied().collect());
            self.targets.insert(owner.clone(), target);
        }
        let tops: Vec<Name> = self.owners.keys().cloned().collect();
        for top in tops.iter().filter(|top| **top != self.apex) {
            if self.has(top, NS) || self.has(top, DNAME) {
                self.owners
                    .retain(|owner, _| owner == top || !owner.is_within(top));
            }
        }
    }

    fn publish(&self, mut world: WorldBuilder) -> WorldBuilder {
        let spec = self.style.denying(ZoneSpec::new(
            &self.apex,
            kliento_fixtures::Algorithm::Ed25519,
        ));
        world = world.with_zone(if self.opt_out { spec.opt_out() } else { spec });
        for (owner, types) in &self.owners {
            for record_type in types {
                let record = match *record_type {
                    TXT => Record::txt(owner, &owner.to_string()),
                    A => Record::new(owner, A, [127, 0, 0, 1]),
                    NS if *owner != self.apex => Record::of_name(owner, NS, "elsewhere."),
                    CNAME | DNAME => Record::of_name(owner, *record_type, &self.targets[owner]),
                    _ => continue,
                };
                world = world.record(record);
            }
        }
        world
    }
}

/// A root with one zone below it, which may have a signed one below itself.
struct Model {
    zone: Zone,
    child: Option<Zone>,
    style: Style,
    world: World,
}

impl Model {
    fn new(random: &mut TestRng, style: Style, spans: Spans, opt_out: bool) -> Self {
        let names = names();
        let cut = Name::from(CHILD);
        let child = random.random_bool(0.5).then(|| {
            let other = if random.random() {
                Style::Nsec
            } else {
                Style::Nsec3
            };
            let mut child = Zone::new(CHILD, other);
            child.fill(random, None, &names);
            child
        });
        let mut zone = Zone::new(ZONE, style);
        (zone.spans, zone.opt_out) = (spans, opt_out);
        zone.fill(random, child.as_ref().map(|_| &cut), &names);
        if child.is_some() {
            zone.owners.insert(cut, BTreeSet::from([NS, DS]));
        }
        let mut builder = World::builder().at(NOON).with_zone(Style::Nsec.zone("."));
        for zone in [Some(&zone), child.as_ref()].into_iter().flatten() {
            builder = zone.publish(builder);
        }
        Self {
            zone,
            child,
            style,
            world: builder.build(),
        }
    }

    /// What there is at the name itself.
    fn truth(&self, name: &Name, record_type: u16) -> Truth {
        if name == &self.zone.apex && record_type == DS {
            return Truth::Records(name.clone());
        }
        match &self.child {
            Some(child) if name.is_within(&child.apex) => {
                if *name == child.apex && record_type == DS {
                    Truth::Records(name.clone())
                } else {
                    child.truth(name, record_type)
                }
            }
            _ => self.zone.truth(name, record_type),
        }
    }

    /// What there is where aliases lead to.
    fn verdict(&self, name: &Name, record_type: u16) -> String {
        const MAX_ALIASES: usize = 8;
        let mut followed = Vec::new();
        let mut name = name.clone();
        loop {
            return match self.truth(&name, record_type) {
                Truth::Records(_) => "proven".to_owned(),
                Truth::NoData => "nodata".to_owned(),
                Truth::NxDomain => "nxdomain".to_owned(),
                Truth::Insecure(cause) => format!("insecure: {cause}"),
                Truth::Alias { target, .. } => {
                    followed.push(name);
                    if followed.contains(&target) {
                        "dnssec.alias_loop".to_owned()
                    } else if followed.len() > MAX_ALIASES {
                        "dnssec.too_many_aliases".to_owned()
                    } else {
                        name = target;
                        continue;
                    }
                }
            };
        }
    }

    fn attempt(&self, name: &Name, record_type: u16) -> Attempt {
        let name = name.to_string();
        Attempt::in_world(self.style, self.world.clone(), &name, record_type)
    }

    /// The names to ask for: what lies below the cut of an unknown zone is denied by nobody, nor by a server that makes
    /// a denial of whatever it is asked.
    fn names(&self) -> Vec<Name> {
        let mut names = names();
        let zone = &self.zone;
        if zone.spans != Spans::Whole {
            let unknown = zone.owners.keys().filter(|owner| {
                **owner != zone.apex && zone.has(owner, NS) && !zone.has(owner, DS)
            });
            let unknown: Vec<&Name> = unknown.collect();
            names.retain(|name| {
                let mut cuts = unknown.iter();
                !cuts.any(|cut| name != *cut && name.is_within(cut))
            });
        }
        names
    }

    /// All denying records that there are, with their RRSIGs.
    fn all_denials(&self) -> Vec<Record> {
        let mut all: Vec<Record> = Vec::new();
        for name in &self.names() {
            for record_type in [TXT, DS, A, NS] {
                for record in denials(&self.world.answer(name, record_type)) {
                    if !all.contains(&record) {
                        all.push(record);
                    }
                }
            }
        }
        all
    }

    fn describe(&self) -> String {
        let mut text = String::new();
        for zone in [Some(&self.zone), self.child.as_ref()]
            .into_iter()
            .flatten()
        {
            let Zone {
                apex,
                style,
                spans,
                opt_out,
                owners,
                targets,
            } = zone;
            write!(
                text,
                "\n{apex} {style:?} {spans:?} opt-out {opt_out}: {owners:?}, targets {targets:?}"
            )
            .expect("a string can be written to");
        }
        text
    }
}

/// All names that are asked for.
fn names() -> Vec<Name> {
    let mut names = vec![Name::from(ZONE)];
    let mut last = names.clone();
    for _ in 0..DEPTH {
        last = last
            .iter()
            .flat_map(|name| LABELS.map(|label| name.child(label)))
            .collect();
        names.extend(last.iter().cloned());
    }
    names
}

/// Worlds of each kind.
fn each_model(worlds: usize, mut test: impl FnMut(&Model, &mut TestRng)) {
    let mut random = random();
    for _ in 0..worlds {
        for (style, spans, opt_out) in [
            (Style::Nsec, Spans::Whole, false),
            (Style::Nsec, Spans::Minimal, false),
            (Style::Nsec, Spans::Compact, false),
            (Style::Nsec3, Spans::Whole, false),
            (Style::Nsec3, Spans::Minimal, false),
            (Style::Nsec3, Spans::Compact, false),
            (Style::Nsec3, Spans::Whole, true),
        ] {
            let model = Model::new(&mut random, style, spans, opt_out);
            test(&model, &mut random);
        }
    }
}

/// A response with no answer and all denying records that there are.
fn everything(name: &Name, record_type: u16, denials: &[Record]) -> Response {
    let mut response = Response::new(name, record_type);
    response.authorities = denials.to_vec();
    response
}

#[test]
fn what_servers_answer_is_proven_to_be_what_there_is() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    each_model(WORLDS, |model, _| {
        for name in &model.names() {
            for record_type in [TXT, DS] {
                let expected = model.verdict(name, record_type);
                let attempt = model.attempt(name, record_type);
                assert_eq!(
                    attempt.verdict(),
                    expected,
                    "{name} {record_type}{}",
                    model.describe()
                );
                *seen.entry(expected).or_default() += 1;
            }
        }
    });
    // Otherwise the worlds would be too dull to say much.
    for verdict in [
        "proven",
        "nodata",
        "nxdomain",
        "insecure: no DS",
        "insecure: opt-out",
    ] {
        assert!(seen.get(verdict) > Some(&20), "{verdict} in {seen:?}");
    }
}

/// All genuine denials at once deny what is not there, and nothing else.
#[test]
fn no_set_of_genuine_denials_denies_what_there_is() {
    each_model(WORLDS, |model, _| {
        let denials = model.all_denials();
        for name in &model.names() {
            for record_type in [TXT, DS] {
                let mut attempt = model.attempt(name, record_type);
                *attempt.answer() = everything(name, record_type, &denials);
                let verdict = attempt.verdict();
                let explanation = || format!("{name} {record_type}{}", model.describe());
                match model.truth(name, record_type) {
                    Truth::Records(_) | Truth::Alias { .. } => assert!(
                        !is_fact(&verdict) && !verdict.starts_with("insecure"),
                        "{verdict}: {}",
                        explanation()
                    ),
                    Truth::NoData => assert_eq!(verdict, "nodata", "{}", explanation()),
                    Truth::NxDomain => assert_eq!(verdict, "nxdomain", "{}", explanation()),
                    Truth::Insecure(cause) => {
                        assert_eq!(verdict, format!("insecure: {cause}"), "{}", explanation());
                    }
                }
            }
        }
    });
}

/// An expansion of a wildcard beside all genuine denials is proven where that wildcard makes the name, and nowhere
/// else.
#[test]
fn no_wildcard_answers_for_names_that_it_does_not_make() {
    let mut proven = 0;
    each_model(WORLDS, |model, _| {
        if model.zone.spans == Spans::Compact {
            // What a wildcard makes passes for the name's own there.
            return;
        }
        let denials = model.all_denials();
        let zones = [Some(&model.zone), model.child.as_ref()];
        for zone in zones.into_iter().flatten() {
            let wildcards = zone.owners.keys().filter(|owner| owner.is_wildcard());
            for wildcard in wildcards.filter(|owner| zone.has(owner, TXT)) {
                let encloser = wildcard.parent().expect("it is no root");
                let below = |name: &&Name| name.is_within(&encloser) && **name != encloser;
                for name in model.names().iter().filter(below) {
                    let mut attempt = model.attempt(name, TXT);
                    attempt.show_zone(&zone.apex.to_string());
                    *attempt.answer() = everything(name, TXT, &denials);
                    attempt.expand(&wildcard.to_string());
                    let verdict = attempt.verdict();
                    let is_made = model.truth(name, TXT) == Truth::Records(wildcard.clone());
                    proven += usize::from(is_made);
                    assert_eq!(
                        verdict == "proven",
                        is_made,
                        "{wildcard} as {name}: {verdict}{}",
                        model.describe()
                    );
                    assert!(is_made || !is_fact(&verdict), "{name}: {verdict}");
                }
            }
        }
    });
    assert!(proven > 20, "{proven} are too few to say much");
}
