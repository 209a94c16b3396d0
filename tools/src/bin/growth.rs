//! Tokens of growing size, whose verification `benchmarks/growth/run` counts: how cost grows with each part of a bundle.
//!
//! One thing grows in each series, and all else stays as it is. For each token `growth` prints the series, how many of the
//! thing there are, the octets of the bundle and the allocations that its verification takes, and then how often it was
//! verified within [`counted`], in which `valgrind --tool=callgrind` counts instructions.
//!
//! Keys are RSA-2048 throughout, those of zones too, since checking their signatures always takes the same: what grows is
//! seen even where it takes a hundredth of a thousandth of the whole.
#![allow(
    clippy::expect_used,
    reason = "a program to be run by hand, whose mistakes should stop it"
)]

use std::error::Error;
use std::hint::black_box;

use kliento::veraid::{
    Dialect, IntermediateCertificate, IntermediateName, IntermediateRequest, KeyAlgorithm, Member,
    MemberCertificate, MemberIdBundle, MemberRequest, Organisation, OrganisationCertificate,
    OrganisationRequest, Period, PrivateKey, Signer, SigningKey, TtlOverride, TxtRecord,
};
use kliento::{SERVICE, Timestamp, Token, TrustAnchors, Verifier, header};
use kliento_fixtures::{Algorithm, Key, TXT, World, ZoneSpec};

const AUDIENCE: &str = "https://api.example.com";
const TIME: &str = "2026-11-22T12:00:00Z";
const DAY: i64 = 86_400;
const TOKEN_LIFETIME: i64 = 600;
/// An algorithm number that no validator here knows: Ed448.
const ED448: u8 = 16;

const REHEARSALS: usize = 1;
const COUNTED: usize = 2;

/// Callgrind is told this function's name.
#[inline(never)]
fn counted(operation: &dyn Fn()) {
    for _ in 0..COUNTED {
        operation();
    }
}

/// What a bundle has beyond the least that it can have.
#[derive(Clone, Default)]
struct Shape {
    /// Labels of the domain below `example.com.`, each with a zone of its own.
    zones: usize,
    /// Labels without.
    labels: usize,
    /// TXT records beside the organisation's.
    records: usize,
    expired_rrsigs: usize,
    foreign_rrsigs: usize,
    good_rrsigs: usize,
    /// Certificates between the organisation's and the member's.
    intermediates: usize,
    claims: usize,
    /// Of one claim's value.
    claim_octets: usize,
    is_domain_auth: bool,
}

/// A name, what grows, and how far in which steps.
struct Series {
    name: &'static str,
    grow: fn(&mut Shape, usize),
    step: usize,
    steps: usize,
}

const SERIES: &[Series] = &[
    Series {
        name: "labels with a zone each",
        grow: |shape, count| shape.zones = count,
        step: 1,
        steps: 8,
    },
    Series {
        name: "labels without zones",
        grow: |shape, count| shape.labels = count,
        step: 3,
        steps: 8,
    },
    Series {
        name: "TXT records beside",
        grow: |shape, count| shape.records = count,
        step: 12,
        steps: 8,
    },
    Series {
        name: "expired RRSIGs beside",
        grow: |shape, count| shape.expired_rrsigs = count,
        step: 3,
        steps: 8,
    },
    Series {
        name: "RRSIGs of unknown algorithms beside",
        grow: |shape, count| shape.foreign_rrsigs = count,
        step: 3,
        steps: 8,
    },
    Series {
        name: "good RRSIGs beside",
        grow: |shape, count| shape.good_rrsigs = count,
        step: 1,
        steps: 8,
    },
    Series {
        name: "intermediates",
        grow: |shape, count| {
            shape.is_domain_auth = true;
            shape.intermediates = count;
        },
        step: 1,
        steps: 6,
    },
    Series {
        name: "claims",
        grow: |shape, count| shape.claims = count,
        step: 32,
        steps: 8,
    },
    Series {
        name: "bytes of a claim",
        grow: |shape, count| shape.claim_octets = count,
        step: 1_024,
        steps: 8,
    },
];

/// All keys that there are.
struct Keys {
    zones: Key,
    organisation: PrivateKey,
    /// For every other intermediate, since none may have its issuer's.
    intermediates: [PrivateKey; 2],
    member: PrivateKey,
}

impl Keys {
    fn generate() -> Result<Self, Box<dyn Error>> {
        let generate = || PrivateKey::generate(KeyAlgorithm::Rsa2048);
        Ok(Self {
            zones: Key::generate(Algorithm::RsaSha256),
            organisation: generate()?,
            intermediates: [generate()?, generate()?],
            member: generate()?,
        })
    }
}

/// Octets of a bundle, and whom it takes to verify it.
struct Case {
    octets: usize,
    authorization: String,
    verifier: Verifier,
}

impl Shape {
    fn dialect(&self) -> Dialect {
        if self.is_domain_auth {
            Dialect::DomainAuth
        } else {
            Dialect::VeraId
        }
    }

    fn domain(&self) -> String {
        let labels = labels("l", self.labels);
        format!("{labels}{}example.com", labels_of_zones(self.zones))
    }

    fn case(&self, keys: &Keys) -> Result<Case, Box<dyn Error>> {
        let time: Timestamp = TIME.parse()?;
        let organisation: Organisation = self.domain().parse()?;
        let (chain, anchors) = self.chain(&organisation, keys, time)?;
        let member_id_bundle = self.member_id_bundle(&organisation, &chain, keys, time)?;
        let signer = Signer::member(&member_id_bundle, &keys.member);
        let bundle = kliento::issue(&signer, &self.token()?, seconds(time, TOKEN_LIFETIME)?)?;
        Ok(Case {
            octets: bundle.len(),
            authorization: header::encode(&bundle),
            verifier: Verifier::builder(AUDIENCE.parse()?)
                .trust_anchors(anchors)
                .clock(move || time)
                .cache_octets(0)
                .build(),
        })
    }

    /// The DNSSEC chain of the organisation's record, and what it ends in.
    fn chain(
        &self,
        organisation: &Organisation,
        keys: &Keys,
        time: Timestamp,
    ) -> Result<(Vec<u8>, TrustAnchors), Box<dyn Error>> {
        let dialect = self.dialect();
        let day = TtlOverride::from_seconds(86_400).ok_or("a day is within bounds")?;
        let record = TxtRecord::new(keys.organisation.public_key(), dialect, day, Some(SERVICE))?
            .to_string();
        let owner = organisation.record_owner(dialect)?.to_string();

        let deeper =
            (1..=self.zones).map(|zones| format!("{}example.com.", labels_of_zones(zones)));
        let zones = [".", "com.", "example.com."].map(str::to_owned);
        let mut builder = World::builder().at(time.unix_seconds());
        for name in zones.into_iter().chain(deeper) {
            let zone = ZoneSpec::new(name.as_str(), Algorithm::RsaSha256);
            builder = builder.with_zone(zone.csk(keys.zones.clone()));
        }
        builder = builder.txt(owner.as_str(), record);
        for number in 0..self.records {
            let text = format!("verification-of-something-else={number:08}");
            builder = builder.txt(owner.as_str(), text);
        }
        let world = builder.build();

        let mut responses = world.responses(owner.as_str(), TXT);
        let signing = world.signing_for(owner.as_str(), TXT);
        for number in (1..).take(self.expired_rrsigs) {
            let expired = signing.clone();
            let end = expired.at - number;
            responses
                .answer()
                .add_signature(&expired.window(end - DAY, end));
        }
        for _ in 0..self.foreign_rrsigs {
            let foreign = signing.clone().key(Key::random_junk(ED448));
            responses.answer().add_signature(&foreign);
        }
        for number in (1..).take(self.good_rrsigs) {
            let window = (signing.inception, signing.expiration + number);
            let good = signing.clone().window(window.0, window.1);
            responses.answer().add_signature(&good);
        }
        Ok((responses.to_der(), world.anchors().parse()?))
    }

    fn member_id_bundle(
        &self,
        organisation: &Organisation,
        chain: &[u8],
        keys: &Keys,
        time: Timestamp,
    ) -> Result<MemberIdBundle, Box<dyn Error>> {
        let dialect = self.dialect();
        let period = seconds(time, 3 * DAY)?;
        let depth = u8::try_from(self.intermediates)?;
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(organisation, dialect, period).with_path_length(depth),
            &keys.organisation,
        )?;
        let mut intermediates: Vec<IntermediateCertificate> = Vec::new();
        let mut issuer_key = &keys.organisation;
        for (level, key) in (0..depth).zip(keys.intermediates.iter().cycle()) {
            let name = IntermediateName::Unit(format!("Department {level}"));
            let length = depth - level - 1;
            let public_key = key.public_key();
            let intermediate = match intermediates.last() {
                None => IntermediateCertificate::issue(
                    &IntermediateRequest::new(&name, public_key, &certificate, period)
                        .with_path_length(length),
                    issuer_key,
                ),
                Some(issuer) => IntermediateCertificate::issue(
                    &IntermediateRequest::new(&name, public_key, issuer, period)
                        .with_path_length(length),
                    issuer_key,
                ),
            }?;
            intermediates.push(intermediate);
            issuer_key = key;
        }
        let alice = Member::parse_for("alice", dialect)?;
        let public_key = keys.member.public_key();
        let member = match intermediates.last() {
            None => MemberCertificate::issue(
                &MemberRequest::new(&alice, public_key, &certificate, dialect, period),
                issuer_key,
            ),
            Some(issuer) => MemberCertificate::issue(
                &MemberRequest::new(&alice, public_key, issuer, dialect, period),
                issuer_key,
            ),
        }?;
        Ok(MemberIdBundle::new(
            chain,
            certificate,
            member,
            intermediates,
        )?)
    }

    fn token(&self) -> Result<Token, kliento::AudienceError> {
        let mut token = Token::new(AUDIENCE.parse()?);
        for number in 0..self.claims {
            token = token.with_claim(format!("claim{number:04}"), format!("value{number:04}"));
        }
        if self.claim_octets > 0 {
            token = token.with_claim("text", "x".repeat(self.claim_octets));
        }
        Ok(token)
    }
}

/// So many labels with their dots, each another one, the first with the largest number.
fn labels(text: &str, count: usize) -> String {
    let numbers = (1..=count).rev();
    numbers.fold(String::new(), |name, number| {
        format!("{name}{text}{number}.")
    })
}

fn labels_of_zones(count: usize) -> String {
    labels("z", count)
}

fn seconds(start: Timestamp, seconds: i64) -> Result<Period, &'static str> {
    Period::new(start, start.saturating_add(seconds)).ok_or("time ends")
}

impl Case {
    fn verify(&self) {
        let verdict = self.verifier.verify_header(black_box(&self.authorization));
        black_box(verdict.expect("all tokens here are valid"));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let keys = Keys::generate()?;
    for series in SERIES {
        for count in (0..=series.steps).map(|step| step * series.step) {
            let mut shape = Shape::default();
            (series.grow)(&mut shape, count);
            let case = shape
                .case(&keys)
                .map_err(|error| format!("{count} {}: {error}", series.name))?;
            for _ in 0..REHEARSALS {
                case.verify();
            }
            let allocations = allocation_counter::measure(|| case.verify()).count_total;
            counted(&|| case.verify());
            println!(
                "{};{count};{};{allocations} {COUNTED}",
                series.name, case.octets
            );
        }
    }
    Ok(())
}
