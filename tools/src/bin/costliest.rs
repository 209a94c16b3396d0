//! How much more a hostile chain can cost than an honest one of the same size.
//!
//! `cargo run --release -p kliento-tools --bin costliest -- [STEPS] [SEED]` searches for the costliest chain that proves
//! something, and for the costliest one of any kind, both of at most 16 KiB: it changes chains at random, and keeps what
//! takes longer to verify. Then it measures the two side by side, and ends with status 1 if the hostile one takes more
//! than four times as long.
//!
//! What the search may change is in [`Shape`]: how many zones there are and of which algorithm, whether the answer is
//! there, behind aliases or denied; and for hostile chains how many keys share one tag, how many RRSIGs are forged, how
//! many NSEC3 records ask for how many hashes, and the like.
#![allow(
    clippy::expect_used,
    reason = "a program to be run by hand, whose mistakes should stop it"
)]

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::slice;
use std::time::Duration;

use dnssec::{Chain, Name, Period, RecordType, Timestamp, TrustAnchors};
use kliento_fixtures::hostile::{add_keys, colliding_keys};
use kliento_fixtures::{
    Algorithm, CNAME, DNSKEY, DS, Key, KeyRole, NSEC, NSEC3, Record, Responses, TXT, World,
    ZoneSpec, chain_der, nsec3_owner,
};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// What a token bundle may have, all of which a hostile one could spend on its chain.
const MAX_OCTETS: usize = 16_384;
/// How much more the costliest hostile chain may take than the costliest honest one.
const MAX_RATIO: f64 = 4.0;
const AT: i64 = 1_795_262_400;
/// Verifications of which the fastest counts, since noise only ever adds.
const RUNS: usize = 5;
const FINAL_RUNS: usize = 101;
const STEPS: usize = 300;
/// New beginnings of a search, so that it does not end on the first hill.
const STARTS: usize = 6;

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::EcdsaP384Sha384,
    Algorithm::EcdsaP256Sha256,
    Algorithm::Ed25519,
    Algorithm::RsaSha256,
];

/// What a chain is made of.
#[derive(Clone, Debug, Default)]
struct Shape {
    /// Which of [`ALGORITHMS`] all zones have.
    algorithm: u32,
    /// Zones below the root, one below the other.
    zones: u32,
    /// 1 if zones have two keys rather than one.
    two_keys: u32,
    /// Labels of the name that is asked for, below the last zone.
    labels: u32,
    aliases: u32,
    /// 1 if the name does not exist.
    is_absent: u32,
    /// Iterations of the NSEC3 records that deny; NSEC if 0.
    iterations: u32,
    /// Only in hostile chains from here on: keys that share the tag of the last zone's.
    colliding_keys: u32,
    /// RRSIGs over the answer that are forged.
    forged_signatures: u32,
    /// DS records for the last zone with its key's tag and a wrong digest.
    wrong_digests: u32,
    /// NSEC3 records that nobody signed, each with a salt of its own.
    salts: u32,
    salt_octets: u32,
    /// NSEC records of one owner that cover the name, which nobody signed.
    unsigned_denials: u32,
    /// RRSIGs over these in the names of so many zones above.
    denial_signers: u32,
    /// RRSIGs over the answer that have expired.
    stale_signatures: u32,
    /// TXT records that nobody asked for.
    strays: u32,
}

/// A number of a shape, and how far it goes.
type Dial = (fn(&mut Shape) -> &mut u32, u32);

/// What honest chains differ in.
const HONEST: &[Dial] = &[
    (|shape| &mut shape.algorithm, 3),
    (|shape| &mut shape.zones, 60),
    (|shape| &mut shape.two_keys, 1),
    (|shape| &mut shape.labels, 60),
    (|shape| &mut shape.aliases, 8),
    (|shape| &mut shape.is_absent, 1),
    (|shape| &mut shape.iterations, 100),
];

/// What hostile chains have on top.
const HOSTILE: &[Dial] = &[
    (|shape| &mut shape.colliding_keys, 100),
    (|shape| &mut shape.forged_signatures, 100),
    (|shape| &mut shape.wrong_digests, 200),
    (|shape| &mut shape.salts, 200),
    (|shape| &mut shape.salt_octets, 255),
    (|shape| &mut shape.unsigned_denials, 400),
    (|shape| &mut shape.denial_signers, 60),
    (|shape| &mut shape.stale_signatures, 100),
    (|shape| &mut shape.strays, 800),
];

/// A chain and what is asked of it.
struct Attempt {
    der: Vec<u8>,
    name: Name,
    anchors: TrustAnchors,
}

impl Shape {
    /// `None` if it does not fit a bundle.
    fn build(&self, rsa: &Key) -> Option<Attempt> {
        let zones: Vec<String> = (0..=self.zones)
            .map(|labels| format!("{}.", vec!["z"; labels as usize].join(".")))
            .collect();
        let last = zones.last()?.as_str();
        let target = below(last, &format!("t.{}", "a.".repeat(self.labels as usize)));
        let aliases: Vec<String> = (0..self.aliases)
            .map(|alias| below(last, &format!("c{alias}.")))
            .collect();

        let algorithm = *ALGORITHMS.get(self.algorithm as usize)?;
        let mut builder = World::builder().at(AT);
        for name in &zones {
            let mut zone = ZoneSpec::new(name.as_str(), algorithm);
            if algorithm == Algorithm::RsaSha256 {
                zone = zone.csk(rsa.clone());
            } else if self.two_keys == 0 {
                zone = zone.single_key();
            }
            if self.iterations > 0 && name == last {
                zone = zone.nsec3(u16::try_from(self.iterations).ok()?, b"");
            }
            builder = builder.with_zone(zone);
        }
        let targets = aliases.iter().skip(1).chain([&target]);
        for (alias, target) in aliases.iter().zip(targets) {
            let cname = Record::of_name(alias.as_str(), CNAME, target.as_str());
            builder = builder.record(cname);
        }
        if self.is_absent == 0 {
            builder = builder.txt(target.as_str(), "text");
        }
        let world = builder.build();

        let owner = aliases.first().unwrap_or(&target).as_str();
        let mut responses = world.responses(owner, TXT);
        self.spoil(&world, &mut responses, last, &target)?;
        let der = chain_der(&responses.to_messages());
        (der.len() <= MAX_OCTETS).then_some(Attempt {
            der,
            name: owner.parse().ok()?,
            anchors: world.anchors().parse().ok()?,
        })
    }

    fn spoil(
        &self,
        world: &World,
        responses: &mut Responses,
        zone: &str,
        target: &str,
    ) -> Option<()> {
        let signing = world.signing(zone, KeyRole::Zsk);
        if self.colliding_keys > 0 {
            let number = signing.key.key.algorithm();
            let count = self.colliding_keys as usize;
            let keys = colliding_keys(number, signing.key.key_tag(), count);
            let dnskeys = responses.of(zone, DNSKEY);
            add_keys(dnskeys, &keys);
            world.resign(dnskeys);
        }
        if self.wrong_digests > 0 && zone != "." {
            let ds = responses.of(zone, DS);
            let genuine = ds.of_type(DS).next()?.clone();
            for number in 0..self.wrong_digests {
                let mut wrong = genuine.clone();
                let start = wrong.rdata.len().checked_sub(4)?;
                wrong.rdata.splice(start.., number.to_be_bytes());
                ds.answers.push(wrong);
            }
            world.resign(ds);
        }
        let answer = responses.answer();
        if !answer.answers.is_empty() {
            answer.add_forged_signatures(&signing, self.forged_signatures as usize);
            for _ in 0..self.stale_signatures {
                answer.add_signature(&signing.clone().expired());
            }
        }
        for number in 0..self.salts {
            let salted = self.unsigned_nsec3(zone, target, number)?;
            answer.authorities.push(salted);
        }
        let apex = kliento_fixtures::Name::from(zone);
        for number in 0..self.unsigned_denials {
            let mut rdata = apex.wire().to_vec();
            rdata.extend(b"\0\x02");
            rdata.extend(u16::try_from(number).ok()?.to_be_bytes());
            let denial = Record::new(below(zone, "+.").as_str(), NSEC, rdata);
            if number == 0 {
                let zones =
                    std::iter::successors(Some(apex.clone()), kliento_fixtures::Name::parent);
                for signer in zones.take(self.denial_signers as usize) {
                    let rrsig = signing
                        .clone()
                        .signer(signer)
                        .rrsig(slice::from_ref(&denial));
                    answer.authorities.push(rrsig);
                }
            }
            answer.authorities.push(denial);
        }
        for _ in 0..self.strays {
            answer.additionals.push(Record::txt(target, "stray"));
        }
        Some(())
    }

    /// An NSEC3 record for the target, which nobody signed, with a salt that no other has.
    fn unsigned_nsec3(&self, zone: &str, target: &str, number: u32) -> Option<Record> {
        let iterations = u16::try_from(self.iterations).ok()?;
        let mut salt = vec![0x5a; self.salt_octets as usize];
        salt.iter_mut()
            .zip(number.to_be_bytes().iter().rev())
            .for_each(|(to, from)| *to = *from);
        let owner = nsec3_owner(zone, target, iterations, &salt);
        let mut rdata = vec![1, 0];
        rdata.extend(iterations.to_be_bytes());
        rdata.push(u8::try_from(salt.len()).ok()?);
        rdata.extend(salt);
        rdata.push(20);
        rdata.extend([0; 20]);
        Some(Record::new(owner, NSEC3, rdata))
    }
}

/// The name that starts with these labels, each with its dot, below the zone.
fn below(zone: &str, labels: &str) -> String {
    format!("{labels}{}", zone.trim_start_matches('.'))
}

impl Attempt {
    fn verify(&self) -> Result<(), dnssec::Error> {
        let at = Period::at(Timestamp::from_unix_seconds(AT));
        Chain::from_der(&self.der)?
            .look_up(&self.name, RecordType::TXT, &self.anchors, at)
            .and_then(dnssec::Fact::into_secure)
            .map(|_| ())
    }

    /// In time of the processor, since what else the machine does is not this chain's doing.
    fn time(&self) -> Duration {
        let start = processor_time();
        let _ = black_box(black_box(self).verify());
        processor_time().saturating_sub(start)
    }

    fn fastest(&self) -> Duration {
        (0..RUNS).map(|_| self.time()).min().unwrap_or_default()
    }
}

/// What this thread has used so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

/// A chain, what it is made of, and how long it takes.
struct Found {
    time: Duration,
    shape: Shape,
    attempt: Attempt,
}

struct Search {
    random: TestRng,
    rsa: Key,
    steps: usize,
}

impl Search {
    /// Climbs by turning `dials`, from `origin` first and then from random shapes, and keeps what takes longer and is
    /// `acceptable`.
    fn costliest(
        &mut self,
        dials: &[Dial],
        origin: &Shape,
        acceptable: impl Fn(&Attempt) -> bool,
    ) -> Option<Found> {
        let mut best: Option<Found> = None;
        for start in 0..STARTS {
            let mut shape = origin.clone();
            if start > 0 {
                self.turn(&mut shape, dials, dials.len());
            }
            let mut here = self.weigh(shape, &acceptable);
            for _ in 0..self.steps / STARTS {
                let mut shape = here
                    .as_ref()
                    .map_or_else(|| origin.clone(), |found| found.shape.clone());
                self.turn(&mut shape, dials, 2);
                let found = self.weigh(shape, &acceptable);
                here = costlier(here, found);
            }
            best = costlier(best, here);
        }
        best
    }

    /// Changes up to `count` numbers of a shape.
    fn turn(&mut self, shape: &mut Shape, dials: &[Dial], count: usize) {
        for _ in 0..=self.below(count) {
            let Some((field, most)) = dials.get(self.below(dials.len())) else {
                continue;
            };
            let (anything, way) = (self.below(*most as usize + 1), self.below(3));
            let field = field(shape);
            *field = match way {
                0 => u32::try_from(anything).unwrap_or(0),
                1 => (*field + 1 + *field / 8).min(*most),
                _ => field.saturating_sub(1 + *field / 8),
            };
        }
    }

    fn weigh(&self, shape: Shape, acceptable: impl Fn(&Attempt) -> bool) -> Option<Found> {
        let attempt = shape.build(&self.rsa).filter(acceptable)?;
        Some(Found {
            time: attempt.fastest(),
            shape,
            attempt,
        })
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.next_u32() as usize % bound
    }
}

fn costlier(one: Option<Found>, other: Option<Found>) -> Option<Found> {
    one.into_iter().chain(other).max_by_key(|found| found.time)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let steps = arguments.next().map_or(Ok(STEPS), |text| text.parse())?;
    let seed: u8 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut search = Search {
        random: TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]),
        rsa: Key::recorded_rsa(Algorithm::RsaSha256, 2_048),
        steps,
    };
    let honest = search
        .costliest(HONEST, &Shape::default(), |attempt| {
            attempt.verify().is_ok()
        })
        .ok_or("no chain proves anything")?;
    let everything: Vec<Dial> = HONEST.iter().chain(HOSTILE).copied().collect();
    let hostile = search
        .costliest(&everything, &honest.shape, |_| true)
        .ok_or("no chain can be made")?;

    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..FINAL_RUNS {
        for (found, times) in [&honest, &hostile].into_iter().zip(&mut times) {
            times.push(found.attempt.time());
        }
    }
    let [honest_time, hostile_time] = times.map(median);
    for (kind, time, found) in [
        ("honest", honest_time, &honest),
        ("hostile", hostile_time, &hostile),
    ] {
        println!(
            "{kind:8} {:7.3} ms  {:6} octets  {}\n         {:?}",
            time.as_secs_f64() * 1e3,
            found.attempt.der.len(),
            match found.attempt.verify() {
                Ok(()) => "proven",
                Err(error) => error.reason(),
            },
            found.shape,
        );
    }
    let ratio = hostile_time.as_secs_f64() / honest_time.as_secs_f64();
    println!("ratio    {ratio:.2}, at most {MAX_RATIO}");
    Ok(if ratio <= MAX_RATIO {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
