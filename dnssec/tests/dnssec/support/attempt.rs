//! A chain in the making, what is asked of it, and what comes out; and tables of such.

use std::fmt::Write as _;

use dnssec::{Chain, Denial, Error, Fact, Insecurity, Period, RecordType, TrustAnchors};
use kliento_fixtures::{
    Algorithm, DNSKEY, KeyRole, NSEC, NSEC3, NSEC3_SHA1, Name, RRSIG, Record, Response, Responses,
    Signing, TXT, World, WorldBuilder, ZoneSpec, nsec3_hash, type_bitmaps,
};

use super::{NOON, OWNER, TEXT, at};

/// How the zones of a world deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Nsec,
    Nsec3,
}

pub(crate) const STYLES: [Style; 2] = [Style::Nsec, Style::Nsec3];

/// How often the zones of this module hash a name again, and with what salt.
pub(crate) const ITERATIONS: u16 = 2;
pub(crate) const SALT: &[u8] = b"\xaa\xbb";

impl Style {
    /// A zone that denies like this.
    pub(crate) fn zone(self, name: &str) -> ZoneSpec {
        self.denying(ZoneSpec::new(name, Algorithm::Ed25519))
    }

    /// The same zone, denying like this.
    pub(crate) fn denying(self, zone: ZoneSpec) -> ZoneSpec {
        match self {
            Self::Nsec => zone,
            Self::Nsec3 => zone.nsec3(ITERATIONS, SALT),
        }
    }
}

/// A chain, and what is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) style: Style,
    /// Where the chain comes from.
    pub(crate) world: World,
    pub(crate) responses: Responses,
    /// Messages that go with it as they are.
    pub(crate) octets: Vec<Vec<u8>>,
    pub(crate) name: String,
    pub(crate) record_type: u16,
    pub(crate) anchors: String,
    pub(crate) period: Period,
}

impl Attempt {
    /// [`TEXT`] at [`OWNER`], below `example.com.`, `com.` and the root, with nothing wrong.
    pub(crate) fn new(style: Style) -> Self {
        let world = zones(style).txt(OWNER, TEXT).build();
        Self::in_world(style, world, OWNER, TXT)
    }

    pub(crate) fn in_world(style: Style, world: World, name: &str, record_type: u16) -> Self {
        Self {
            style,
            responses: world.responses(name, record_type),
            octets: Vec::new(),
            name: name.to_owned(),
            record_type,
            anchors: world.anchors(),
            period: at(NOON),
            world,
        }
    }

    /// Puts this into the zones of [`Attempt::new`] in place of what was there, and asks again.
    pub(crate) fn publish(&mut self, content: impl FnOnce(WorldBuilder) -> WorldBuilder) {
        self.build(content(zones(self.style)));
    }

    /// Another world; the same question.
    pub(crate) fn build(&mut self, world: WorldBuilder) {
        *self = Self::in_world(self.style, world.build(), &self.name, self.record_type);
    }

    /// Another question, answered as the world does.
    pub(crate) fn ask(&mut self, name: &str, record_type: u16) {
        self.responses = self.world.responses(name, record_type);
        (self.name, self.record_type) = (name.to_owned(), record_type);
    }

    /// Another question, answered by nothing so far; the keys of the zones that would have to answer are there.
    pub(crate) fn ask_in_vain(&mut self, name: &str, record_type: u16) {
        self.ask(name, record_type);
        self.clear();
    }

    /// Takes out all that the answer says.
    pub(crate) fn clear(&mut self) {
        let answer = self.answer();
        answer.answers.clear();
        answer.authorities.clear();
    }

    /// The response to the question.
    pub(crate) fn answer(&mut self) -> &mut Response {
        self.responses.answer()
    }

    /// Adds what proves the keys of a zone.
    pub(crate) fn show_zone(&mut self, zone: &str) {
        self.responses.merge(self.world.responses(zone, DNSKEY));
    }

    /// Adds the records to the answer's authority section, each an RRset of its own that `zone` signs.
    pub(crate) fn deny(&mut self, zone: &str, records: &[Record]) {
        let signing = self.world.signing(zone, KeyRole::Zsk);
        self.deny_signed(&signing, records);
    }

    /// The same, signed like this.
    pub(crate) fn deny_signed(&mut self, signing: &Signing, records: &[Record]) {
        for record in records {
            let rrsig = signing.rrsig(std::slice::from_ref(record));
            let authorities = &mut self.answer().authorities;
            authorities.extend([record.clone(), rrsig]);
        }
    }

    /// Adds the denying records that the world has for other questions, signed as they are.
    pub(crate) fn borrow_denials(&mut self, questions: &[(&str, u16)]) {
        for (name, record_type) in questions {
            let records = denials(&self.world.answer(*name, *record_type));
            self.answer().authorities.extend(records);
        }
    }

    /// Gives the records of another owner, and their RRSIGs, this owner.
    pub(crate) fn rename_answers(&mut self, from: &str) {
        let owner = Name::from(self.name.as_str());
        let from = Name::from(from);
        for record in &mut self.answer().answers {
            if record.owner == from {
                record.owner = owner.clone();
            }
        }
    }

    /// Puts the records that a wildcard has into the answer, as if they were expanded to the name that is asked for.
    pub(crate) fn expand(&mut self, wildcard: &str) {
        let expanded = self.world.answer(wildcard, self.record_type).answers;
        self.answer().answers = expanded;
        self.rename_answers(wildcard);
    }

    /// The messages of the chain.
    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        let mut messages = self.responses.to_messages();
        messages.extend(self.octets.iter().cloned());
        messages
    }

    /// What the chain proves: `proven`, `nxdomain`, `nodata`, `insecure: ` and why, or the reason for which it proves
    /// nothing.
    pub(crate) fn verdict(&self) -> String {
        self.verdict_at(self.period)
    }

    pub(crate) fn verdict_at(&self, period: Period) -> String {
        let messages = self.messages();
        let verdict = verdict(&self.look_up(&messages, period));
        let backwards: Vec<_> = messages.iter().rev().cloned().collect();
        let reverse = self::verdict(&self.look_up(&backwards, period));
        if reverse == verdict {
            verdict
        } else {
            format!("{verdict}, and in reverse order {reverse}")
        }
    }

    /// Looks it up, and gives the result with the seconds for which it holds and the name that it is about.
    pub(crate) fn look_up(&self, messages: &[Vec<u8>], period: Period) -> Result<Found, Error> {
        let anchors: TrustAnchors = self.anchors.parse().expect("the anchors can be read");
        let name = self.name.parse().expect("the name can be read");
        let record_type = RecordType(self.record_type);
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        let fact = chain
            .look_up(&name, record_type, &anchors, period)?
            .into_secure()?;
        let validity = fact.validity().periods().iter();
        Ok(Found {
            validity: validity
                .map(|period| (period.start().unix_seconds(), period.end().unix_seconds()))
                .collect(),
            canonical_name: fact.canonical_name().to_string(),
            what: match fact {
                Fact::Proven(proof) => {
                    assert_eq!((proof.name(), proof.record_type()), (&name, record_type));
                    What::Records(proof.rdata().map(<[u8]>::to_vec).collect())
                }
                Fact::ProvenAbsent(absence) => {
                    assert_eq!(
                        (absence.name(), absence.record_type()),
                        (&name, record_type)
                    );
                    What::Absent(absence.denial())
                }
                Fact::ProvenInsecure(insecure) => panic!("{insecure}"),
            },
        })
    }

    /// What must be there.
    #[track_caller]
    pub(crate) fn find(&self) -> Found {
        match self.look_up(&self.messages(), self.period) {
            Ok(found) => found,
            Err(error) => panic!("{}: {error}", error.reason()),
        }
    }
}

/// A fact, and for which seconds it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) what: What,
    pub(crate) canonical_name: String,
    pub(crate) validity: Vec<(i64, i64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Records(Vec<Vec<u8>>),
    Absent(Denial),
}

pub(crate) fn verdict(outcome: &Result<Found, Error>) -> String {
    match outcome {
        Ok(found) => match &found.what {
            What::Records(_) => "proven".to_owned(),
            What::Absent(denial) => denial.to_string(),
        },
        Err(Error::InsecureDelegation { cause, .. }) => {
            let cause = match cause {
                Insecurity::NoDs => "no DS",
                Insecurity::Algorithms => "algorithms",
                Insecurity::OptOut => "opt-out",
                Insecurity::Nsec3Iterations => "iterations",
                Insecurity::Nsec3Hash => "hash",
                _ => "another cause",
            };
            format!("insecure: {cause}")
        }
        Err(error) => error.reason().to_owned(),
    }
}

/// Whether something is proven.
pub(crate) fn is_fact(verdict: &str) -> bool {
    ["proven", "nxdomain", "nodata"].contains(&verdict)
}

/// The root, `com.` and `example.com.`.
pub(crate) fn zones(style: Style) -> WorldBuilder {
    World::builder()
        .at(NOON)
        .with_zone(style.zone("."))
        .with_zone(style.zone("com."))
        .with_zone(style.zone("example.com."))
}

/// The NSEC and NSEC3 records of a response with their RRSIGs.
pub(crate) fn denials(response: &Response) -> Vec<Record> {
    let denies = |record: &Record| {
        let record_type = record.type_covered().unwrap_or(record.record_type);
        [NSEC, NSEC3].contains(&record_type)
    };
    let records = response.authorities.iter();
    records.filter(|record| denies(record)).cloned().collect()
}

/// Of a response's authority section, the denying records in order, without RRSIGs.
pub(crate) fn denying_records(response: &Response) -> Vec<Record> {
    let records = denials(response).into_iter();
    records
        .filter(|record| record.record_type != RRSIG)
        .collect()
}

/// NSEC3 records to order.
#[derive(Clone, Debug)]
pub(crate) struct Nsec3Maker {
    pub(crate) zone: Name,
    pub(crate) algorithm: u8,
    pub(crate) flags: u8,
    pub(crate) iterations: u16,
    pub(crate) salt: Vec<u8>,
}

pub(crate) type Hash = [u8; 20];

impl Nsec3Maker {
    /// As the zones of this module have them.
    pub(crate) fn of(zone: &str) -> Self {
        Self {
            zone: zone.into(),
            algorithm: NSEC3_SHA1,
            flags: 0,
            iterations: ITERATIONS,
            salt: SALT.to_vec(),
        }
    }

    pub(crate) fn flags(mut self, flags: u8) -> Self {
        self.flags = flags;
        self
    }

    pub(crate) fn iterations(mut self, iterations: u16) -> Self {
        self.iterations = iterations;
        self
    }

    pub(crate) fn salt(mut self, salt: &[u8]) -> Self {
        self.salt = salt.to_vec();
        self
    }

    pub(crate) fn algorithm(mut self, algorithm: u8) -> Self {
        self.algorithm = algorithm;
        self
    }

    pub(crate) fn hash(&self, name: &str) -> Hash {
        nsec3_hash(name, self.iterations, &self.salt)
    }

    /// The record at a hash.
    pub(crate) fn record(&self, hash: Hash, next: &[u8], types: &[u16]) -> Record {
        let owner = self.zone.child(base32(&hash).as_bytes());
        let mut rdata = vec![self.algorithm, self.flags];
        rdata.extend(self.iterations.to_be_bytes());
        rdata.push(u8::try_from(self.salt.len()).expect("a salt is short"));
        rdata.extend_from_slice(&self.salt);
        rdata.push(u8::try_from(next.len()).expect("a hash is short"));
        rdata.extend_from_slice(next);
        rdata.extend(type_bitmaps(types));
        Record::new(owner, NSEC3, rdata).with_ttl(300)
    }

    /// A record at the name, which says that the next hash is the next number.
    pub(crate) fn at(&self, name: &str, types: &[u16]) -> Record {
        let hash = self.hash(name);
        self.record(hash, &moved(hash, true), types)
    }

    /// A record that covers the name and hardly more.
    pub(crate) fn over(&self, name: &str) -> Record {
        let hash = self.hash(name);
        self.record(moved(hash, false), &moved(hash, true), &[])
    }
}

/// The next or the last hash before.
pub(crate) fn moved(mut hash: Hash, up: bool) -> Hash {
    for octet in hash.iter_mut().rev() {
        let (moved, carried) = if up {
            octet.overflowing_add(1)
        } else {
            octet.overflowing_sub(1)
        };
        *octet = moved;
        if !carried {
            break;
        }
    }
    hash
}

/// The extended hex alphabet in lower case (RFC 4648 §7, RFC 5155 §3.3).
pub(crate) fn base32(octets: &[u8]) -> String {
    data_encoding::BASE32_DNSSEC.encode(octets)
}

/// What is tried; how the chain is made; what has to come out.
pub(crate) type Case = (&'static str, fn(&mut Attempt), &'static str);

/// Whether a case comes out as it has to; what does not hinge on the time that is asked for comes out at no other
/// either.
pub(crate) fn complaint(attempt: &Attempt, expected: &str) -> Option<String> {
    let verdict = attempt.verdict();
    if verdict != expected {
        return Some(format!("{verdict}, not {expected}"));
    }
    let hinges_on_time =
        expected.starts_with("dnssec.rrsig_") || expected == "dnssec.not_valid_together";
    if is_fact(expected) || hinges_on_time {
        return None;
    }
    let at_any_time = attempt.verdict_at(Period::always());
    is_fact(&at_any_time).then(|| format!("{at_any_time} if asked for all time"))
}

/// Tries each case in each style, from `start` on.
#[track_caller]
pub(crate) fn check(styles: &[Style], start: fn(Style) -> Attempt, cases: &[Case]) {
    let mut complaints = String::new();
    for (case, make, expected) in cases {
        for style in styles {
            let mut attempt = start(*style);
            make(&mut attempt);
            if let Some(complaint) = complaint(&attempt, expected) {
                writeln!(complaints, "{style:?}: {case}: {complaint}")
                    .expect("a string can be written to");
            }
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}
