//! The verifier against an independent model, on random worlds and at random times.
//!
//! - [`world`] describes a world: zones, records, certificates, a signature and a token.
//! - [`procedure`] is the model. It was written from the specifications, without a look at the verifier. Whoever does
//!   not trust the verifier reads that file.
//! - [`generate`] makes worlds and questions, and [`build`] the octets of a world.
//!
//! Each question is put to the model and to verifiers of all kinds: those that are made for one question, those without
//! a memory, those that remember this world's other signatures, and those that remember all worlds before. All verdicts
//! must be the model's, and so must identities and periods.
//!
//! `KLIENTO_MODEL_WORLDS` is the number of worlds, and `KLIENTO_MODEL_SEED` the seed, another number.

mod build;
mod generate;
mod procedure;
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kliento::veraid::{
    self, BundleOutline, Member, MemberId, MemoryLimits, Period, Policy, ServiceOid,
    SignatureBundle, TEST_SERVICE, Timestamp, TrustAnchors, Verification, VerifiedSignature,
};
use kliento::{SERVICE, SharedVerifier, TokenBundle, TokenVerification, VerifiedToken, header};
use kliento_fixture_cases::NOON;
use proptest::prelude::RngExt;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::build::{ANCHORS, Built, build};
use self::procedure::{Identity, Procedure, Rule};
use self::world::{
    Asked, DOMAIN, Dialect, Question, Requirements, Service, SignedBy, Span, Subject, World,
};

/// The worlds of each run of the tests.
const WORLDS: u64 = 750;
const SEED: u64 = 20_261_121;
/// So many have each rule decide something, whatever the seed.
const MANY_WORLDS: u64 = 8_000;
/// So often has each rule to decide by itself.
const FEWEST_DECISIONS: usize = 3;

static TRUST: LazyLock<TrustAnchors> = LazyLock::new(|| ANCHORS.parse().unwrap());

#[test]
fn the_verifier_says_what_the_model_says() {
    let worlds = number("KLIENTO_MODEL_WORLDS").unwrap_or(WORLDS);
    let seed = number("KLIENTO_MODEL_SEED").unwrap_or(SEED);
    let mut seed_octets = [0; 32];
    seed_octets[..8].copy_from_slice(&seed.to_be_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_octets);
    let tally = RefCell::new(Tally::default());
    let old = RefCell::new(Memories::default());
    let mut run = |worlds: u64, strategy: BoxedStrategy<World>| {
        let config = Config {
            cases: u32::try_from(worlds).expect("so many worlds take weeks"),
            failure_persistence: None,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &rng.random::<[u8; 32]>());
        let mut runner = TestRunner::new_with_rng(config, rng);
        let strategy = (strategy, generate::sibling(), generate::questions());
        let outcome = runner.run(&strategy, |(world, sibling, questions)| {
            let sibling = sibling.map(|number| generate::sign_again(&world, number));
            let worlds = [Some(world), sibling]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>();
            compare(&worlds, &questions, &old, &tally)
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, (world, sibling, questions))) => {
                panic!(
                    "{why}\nwith the seed {seed}, and reduced to:\n{world:#?}\nsigned again: {sibling:?}\n{questions:#?}"
                )
            }
            Err(error) => panic!("{error}"),
        }
    };
    // Four fifths of the worlds have each twist by itself, as often as its weight says; all others are random.
    let twists = generate::twists();
    let of_each = worlds * 4 / 5 / u64::try_from(twists.len()).unwrap();
    for twist in &twists {
        run(of_each, generate::world_with(*twist).boxed());
    }
    run(
        worlds - of_each * u64::try_from(twists.len()).unwrap(),
        generate::world().boxed(),
    );
    let tally = tally.into_inner();
    println!("{tally}");
    if (worlds, seed) == (WORLDS, SEED) || worlds >= MANY_WORLDS {
        tally.check();
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// What the verdicts were, so that nobody takes a test for good that only sees one kind.
#[derive(Debug, Default)]
struct Tally {
    worlds: usize,
    worlds_with_a_yes: usize,
    yes: usize,
    no: usize,
    members: usize,
    organisations: usize,
    delegates: usize,
    /// How often each rule decided by itself.
    decisive: BTreeMap<Rule, usize>,
}

impl Tally {
    fn check(&self) {
        assert!(
            self.worlds_with_a_yes * 10 >= self.worlds * 3,
            "too few worlds are valid"
        );
        assert!(
            self.no * 10 >= (self.yes + self.no) * 3,
            "too few questions are answered no"
        );
        for count in [self.members, self.organisations, self.delegates] {
            assert!(count >= 30, "one kind of signature is hardly ever valid");
        }
        let count = |rule: &Rule| self.decisive.get(rule).copied().unwrap_or_default();
        let idle = Rule::ALL
            .iter()
            .filter(|rule| count(rule) < FEWEST_DECISIONS);
        let idle: Vec<_> = idle.collect();
        assert!(
            idle.is_empty(),
            "{idle:?} decide too little: are there twists against them?"
        );
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            formatter,
            "{} worlds, of which {} are valid to some question; {} yes ({} members, {} organisations, {} delegates), {} no",
            self.worlds,
            self.worlds_with_a_yes,
            self.yes,
            self.members,
            self.organisations,
            self.delegates,
            self.no
        )?;
        for rule in Rule::ALL {
            let count = self.decisive.get(rule).copied().unwrap_or_default();
            writeln!(formatter, "{count:6} {rule:?}")?;
        }
        Ok(())
    }
}

/// A yes with what the verifier says of the signer, and the seconds for which it holds; or a no with the reason.
type Verdict = Result<(Identity, Span), String>;

/// Puts all questions about all of these worlds, which may have anything in common.
fn compare(
    worlds: &[World],
    questions: &[Question],
    old: &RefCell<Memories>,
    tally: &RefCell<Tally>,
) -> Result<(), TestCaseError> {
    let built: Vec<_> = worlds.iter().map(build).collect();
    let mut new = Memories::default();
    let mut are_ever_valid = vec![false; worlds.len()];
    for question in questions {
        for (index, (world, built)) in std::iter::zip(worlds, &built).enumerate() {
            let model = Procedure::new(world, question);
            let expected = model.verdict();
            are_ever_valid[index] |= expected.is_some();
            for (who, verdict) in ask_all(built, question, &mut new, &mut old.borrow_mut()) {
                if let Some(difference) = difference(&model, expected.as_ref(), &verdict) {
                    let why = format!("{who}, {question:?}, signature {index}: {difference}");
                    return Err(TestCaseError::fail(why));
                }
            }
            count(&model, expected.as_ref(), &mut tally.borrow_mut());
        }
    }
    let mut tally = tally.borrow_mut();
    tally.worlds += worlds.len();
    tally.worlds_with_a_yes += are_ever_valid.iter().filter(|is_valid| **is_valid).count();
    Ok(())
}

fn count(model: &Procedure<'_>, expected: Option<&Identity>, tally: &mut Tally) {
    let Some(identity) = expected else {
        tally.no += 1;
        for rule in model.deciding_rules() {
            *tally.decisive.entry(rule).or_default() += 1;
        }
        return;
    };
    tally.yes += 1;
    match identity {
        Identity {
            is_delegated: true, ..
        } => tally.delegates += 1,
        Identity {
            signed_by: SignedBy::Member,
            ..
        } => tally.members += 1,
        Identity {
            signed_by: SignedBy::Organisation,
            ..
        } => tally.organisations += 1,
    }
}

/// What is different about a verdict, if anything is.
fn difference(
    model: &Procedure<'_>,
    expected: Option<&Identity>,
    verdict: &Verdict,
) -> Option<String> {
    match (expected, verdict) {
        (None, Err(_)) => None,
        (None, Ok(accepted)) => Some(format!(
            "the model refuses, by {:?}; the verifier accepts {accepted:?}",
            model.deciding_rules()
        )),
        (Some(expected), Err(reason)) => Some(format!(
            "the model accepts {expected:?}; the verifier refuses: {reason}"
        )),
        (Some(expected), Ok((identity, _))) if expected != identity => Some(format!(
            "the model says {expected:?}; the verifier says {identity:?}"
        )),
        (Some(_), Ok((_, period))) => {
            let is_good = model.permits(*period);
            (!is_good).then(|| format!("the verifier says that it holds in {period:?}"))
        }
    }
}

// Verifiers

/// Verifiers that remember what they verified.
#[derive(Default)]
struct Memories {
    signatures: BTreeMap<(Service, Option<Dialect>), veraid::Verifier>,
    tokens: BTreeMap<(Option<Dialect>, i64), (SharedVerifier, Arc<AtomicI64>)>,
}

impl Memories {
    fn of_signatures(&mut self, service: Service, only: Option<Dialect>) -> &veraid::Verifier {
        self.signatures.entry((service, only)).or_insert_with(|| {
            let limits = MemoryLimits {
                organisation_octets: 1 << 20,
                signer_octets: 1 << 20,
            };
            signature_verifier(service, only).with_memory(limits)
        })
    }

    fn of_tokens(&mut self, only: Option<Dialect>, skew: i64) -> &(SharedVerifier, Arc<AtomicI64>) {
        self.tokens
            .entry((only, skew))
            .or_insert_with(|| token_verifier(only, skew, 4 << 20))
    }
}

fn signature_verifier(service: Service, only: Option<Dialect>) -> veraid::Verifier {
    veraid::Verifier::new(service_of(service), TRUST.clone(), policy(only))
}

/// A verifier whose clock the test sets, in seconds from noon.
fn token_verifier(
    only: Option<Dialect>,
    skew: i64,
    cache_octets: usize,
) -> (SharedVerifier, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&clock);
    let verifier = SharedVerifier::builder()
        .trust_anchors(TRUST.clone())
        .policy(policy(only))
        .clock_skew(Duration::from_secs(skew.unsigned_abs()))
        .clock(move || timestamp(read.load(Ordering::Relaxed)))
        .cache_octets(cache_octets)
        .build();
    (verifier, clock)
}

/// Puts the question to verifiers of all kinds, and tells who they are.
fn ask_all(
    built: &Built,
    question: &Question,
    new: &mut Memories,
    old: &mut Memories,
) -> Vec<(&'static str, Verdict)> {
    let only = question.only;
    match &question.asked {
        Asked::Signature {
            service,
            period,
            content_given,
        } => {
            let content = content_given.then_some(&built.content[..]);
            let ask = |verifier: &veraid::Verifier| {
                signature_verdict(verifier, &built.bundle, content, *period)
            };
            let once = signature_verdict_once(built, *service, *period, content, only);
            let new = new.of_signatures(*service, only);
            vec![
                ("veraid, once", once),
                (
                    "veraid, without a memory",
                    ask(&signature_verifier(*service, only)),
                ),
                ("veraid, with a memory of this world", ask(new)),
                ("veraid, with a memory of this question", ask(new)),
                (
                    "veraid, with a memory of all",
                    ask(old.of_signatures(*service, only)),
                ),
            ]
        }
        Asked::Token {
            audience,
            requirements,
            time,
            skew,
        } => {
            let ask = |verifier: &SharedVerifier| {
                let verifier = verifier
                    .for_audience(audience.parse().unwrap())
                    .with_requirements(requirements_of(requirements));
                token_verdict(verifier.verify_bundle_at(&built.bundle, timestamp(*time)))
            };
            let (old, clock) = old.of_tokens(only, *skew);
            clock.store(*time, Ordering::Relaxed);
            let by_header = old
                .for_audience(audience.parse().unwrap())
                .with_requirements(requirements_of(requirements))
                .verify_header(header::encode(&built.bundle));
            let (new, _) = new.of_tokens(only, *skew);
            vec![
                ("kliento, once", token_verdict_once(built, question)),
                (
                    "kliento, without a cache",
                    ask(&token_verifier(only, *skew, 0).0),
                ),
                ("kliento, with a cache of this world", ask(new)),
                ("kliento, with a cache of this question", ask(new)),
                ("kliento, with a cache of all", ask(old)),
                (
                    "kliento, with a cache of all, by a header",
                    token_verdict(by_header),
                ),
            ]
        }
    }
}

fn signature_verdict(
    verifier: &veraid::Verifier,
    bundle: &[u8],
    content: Option<&[u8]>,
    span: Span,
) -> Verdict {
    let outcome = BundleOutline::from_der(bundle).and_then(|bundle| match content {
        None => verifier.verify(bundle, period(span)),
        Some(content) => verifier.verify_detached(bundle, content, period(span)),
    });
    outcome
        .map(|it| said_of_signature(&it))
        .map_err(|error| error.reason().to_owned())
}

fn signature_verdict_once(
    built: &Built,
    service: Service,
    span: Span,
    content: Option<&[u8]>,
    only: Option<Dialect>,
) -> Verdict {
    let verification =
        Verification::new(service_of(service), period(span), &TRUST).with_policy(policy(only));
    let verification = match content {
        None => verification,
        Some(content) => verification.with_detached_content(content),
    };
    SignatureBundle::from_der(&built.bundle)
        .and_then(|bundle| {
            bundle
                .verify(&verification)
                .map(|it| said_of_signature(&it))
        })
        .map_err(|error| error.reason().to_owned())
}

fn token_verdict_once(built: &Built, question: &Question) -> Verdict {
    let Asked::Token {
        audience,
        requirements,
        ..
    } = &question.asked
    else {
        panic!("only tokens are asked about here");
    };
    let audience = audience.parse().unwrap();
    let verification = TokenVerification::new(&audience, period(question.period()), &TRUST)
        .with_policy(policy(question.only));
    let verified = TokenBundle::from_der(&built.bundle)
        .and_then(|bundle| bundle.verify(&verification))
        .and_then(|token| requirements_of(requirements).check(&token).map(|()| token));
    token_verdict(verified)
}

fn token_verdict(verified: Result<VerifiedToken, kliento::VerifyError>) -> Verdict {
    let token = verified.map_err(|error| error.reason().to_owned())?;
    let expected = match token.member_id().member() {
        Member::User(name) => format!("{name}@{DOMAIN}"),
        Member::Bot => DOMAIN.to_owned(),
    };
    assert_eq!(token.subject(), expected);
    let facts = (token.dialect(), token.signed_by(), token.is_delegated());
    Ok(said(token.member_id(), facts, token.validity()))
}

fn said_of_signature(verified: &VerifiedSignature<'_>) -> (Identity, Span) {
    let facts = (
        verified.dialect(),
        verified.signed_by(),
        verified.is_delegated(),
    );
    said(verified.member_id(), facts, verified.period())
}

fn said(
    id: &MemberId,
    (dialect, signed_by, is_delegated): (veraid::Dialect, veraid::SignedBy, bool),
    period: Period,
) -> (Identity, Span) {
    assert_eq!(id.organisation().as_str(), DOMAIN);
    let from_noon = |time: Timestamp| time.unix_seconds() - NOON;
    let identity = Identity {
        dialect: match dialect {
            veraid::Dialect::VeraId => Dialect::VeraId,
            veraid::Dialect::DomainAuth => Dialect::DomainAuth,
            other => panic!("the model knows nothing of {other:?}"),
        },
        member: match id.member() {
            Member::User(name) => Some(name.as_str().to_owned()),
            Member::Bot => None,
        },
        signed_by: match signed_by {
            veraid::SignedBy::Member => SignedBy::Member,
            veraid::SignedBy::Organisation => SignedBy::Organisation,
            other => panic!("the model knows nothing of {other:?}"),
        },
        is_delegated,
    };
    let span = Span {
        start: from_noon(period.start()),
        end: from_noon(period.end()),
    };
    (identity, span)
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON + seconds)
}

fn period(span: Span) -> Period {
    Period::new(timestamp(span.start), timestamp(span.end)).expect("it starts before it ends")
}

fn service_of(service: Service) -> ServiceOid {
    match service {
        Service::Kliento => SERVICE,
        Service::Test => TEST_SERVICE,
    }
}

fn policy(only: Option<Dialect>) -> Policy {
    match only {
        None => Policy::new(),
        Some(Dialect::VeraId) => Policy::new().with_only(veraid::Dialect::VeraId),
        Some(Dialect::DomainAuth) => Policy::new().with_only(veraid::Dialect::DomainAuth),
    }
}

fn requirements_of(described: &Requirements) -> kliento::Requirements {
    let mut requirements = kliento::Requirements::new();
    if let Some(organisation) = described.organisation {
        requirements = requirements.with_organisation(organisation.parse().unwrap());
    }
    if let Some(subject) = described.subject {
        let pattern = match subject {
            Subject::Alice => "alice@example.com",
            Subject::AllUsers => "*@example.com",
            Subject::Bot => "example.com",
            Subject::AliceElsewhere => "alice@example.net",
        };
        requirements = requirements.with_subject(pattern.parse().unwrap());
    }
    requirements = match described.claim {
        None => requirements,
        Some((name, None)) => requirements.with_claim_present(name),
        Some((name, Some(value))) => requirements.with_claim(name, value),
    };
    requirements = match described.signed_by {
        None => requirements,
        Some(SignedBy::Member) => requirements.with_member_signature(),
        Some(SignedBy::Organisation) => requirements.with_organisation_signature(),
    };
    if let Some(most) = described.max_lifetime {
        requirements = requirements.with_max_lifetime(Duration::from_secs(most.unsigned_abs()));
    }
    requirements
}
