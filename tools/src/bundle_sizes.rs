//! How large token bundles are, by key algorithm and by who signs, and what they fit into.

use std::error::Error;
use std::fmt::{self, Write as _};

use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{IssueError as TokenError, MAX_BUNDLE_OCTETS, Timestamp};

use crate::realistic::{Domain, Keys, Kind};

/// When everything is signed. Times have one length whatever they are.
const TIME: &str = "2026-11-22T12:00:00Z";

/// Octets before the Base64: the scheme and a space.
const SCHEME_OCTETS: usize = "Kliento ".len();
/// `Authorization: `, which counts in a line of a request.
const NAME_OCTETS: usize = "Authorization: ".len();
/// The longest line without its CRLF that Apache takes (`LimitRequestFieldSize 8190`), and nginx with it
/// (`large_client_header_buffers 4 8k`).
const MAX_LINE_OCTETS: usize = 8_190;
/// What Node.js takes as the target, names and values of a whole request, without what separates them: less than
/// `--max-http-header-size`, which is 16 KiB.
const MAX_REQUEST_OCTETS: usize = 16_383;

/// Keys of the organisation and of a member or delegate that differ: small ones below large ones, and the reverse.
const MIXTURES: [(KeyAlgorithm, KeyAlgorithm); 9] = [
    (KeyAlgorithm::MlDsa44, KeyAlgorithm::Ed25519),
    (KeyAlgorithm::MlDsa65, KeyAlgorithm::Ed25519),
    (KeyAlgorithm::MlDsa65, KeyAlgorithm::EcdsaP256),
    (KeyAlgorithm::MlDsa65, KeyAlgorithm::Rsa2048),
    (KeyAlgorithm::MlDsa65, KeyAlgorithm::MlDsa44),
    (KeyAlgorithm::MlDsa87, KeyAlgorithm::Ed25519),
    (KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa44),
    (KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa65),
    (KeyAlgorithm::Rsa2048, KeyAlgorithm::MlDsa65),
];

/// Makes bundles of all kinds and returns the tables of their sizes, in Markdown.
pub fn tables() -> Result<String, Box<dyn Error>> {
    let keys = KeyAlgorithm::ALL
        .iter()
        .map(|algorithm| Ok((*algorithm, Keys::generate(*algorithm)?)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let time: Timestamp = TIME.parse()?;
    let domains = |dialect| {
        keys.iter()
            .filter(move |(algorithm, _)| {
                dialect == Dialect::DomainAuth || !algorithm.is_experimental()
            })
            .map(move |(algorithm, keys)| Ok((*algorithm, keys, Domain::new(dialect, keys, time)?)))
            .collect::<Result<Vec<_>, Box<dyn Error>>>()
    };
    let domain_auth = domains(Dialect::DomainAuth)?;
    let vera_id = domains(Dialect::VeraId)?;

    let mut text = String::new();
    for kind in Kind::ALL {
        begin(&mut text, heading(kind), "keys")?;
        for (algorithm, keys, domain) in &domain_auth {
            row(
                &mut text,
                &algorithm.to_string(),
                octets(domain, kind, keys)?,
            )?;
        }
    }
    for (kind, heading, who) in [
        (
            Kind::Member,
            "Signed by a member with another kind of key",
            "member",
        ),
        (
            Kind::Delegate,
            "Signed by a delegate with another kind of key",
            "delegate",
        ),
    ] {
        begin(&mut text, heading, &format!("organisation, {who}"))?;
        for (organisation, signer) in MIXTURES {
            let of = |wanted| {
                domain_auth
                    .iter()
                    .find(|(algorithm, ..)| *algorithm == wanted)
            };
            let ((_, _, domain), (_, keys, _)) = of(organisation)
                .zip(of(signer))
                .ok_or("all algorithms have keys")?;
            let name = format!("{organisation}, {signer}");
            row(&mut text, &name, octets(domain, kind, keys)?)?;
        }
    }
    begin(&mut text, "VeraId", "keys, signed by")?;
    for kind in Kind::ALL
        .into_iter()
        .filter(|kind| kind.is_in(Dialect::VeraId))
    {
        let who = match kind {
            Kind::Organisation => "organisation",
            _ => "member",
        };
        for (algorithm, keys, domain) in &vera_id {
            let name = format!("{algorithm}, {who}");
            row(&mut text, &name, octets(domain, kind, keys)?)?;
        }
    }

    write!(
        text,
        "\n### What takes the octets\n\n| keys | DNSSEC chain | organisation's certificate | member's certificate | \
         signature with token |\n|---|--:|--:|--:|--:|\n"
    )?;
    for (algorithm, keys, domain) in &domain_auth {
        let chain = domain.chain_der.len();
        let certificate = domain.certificate.as_der().len();
        let by_organisation = octets(domain, Kind::Organisation, keys)?;
        let by_member = octets(domain, Kind::Member, keys)?;
        let signature = by_organisation.saturating_sub(chain.saturating_add(certificate));
        writeln!(
            text,
            "| {algorithm} | {} | {} | {} | {} |",
            grouped(chain),
            grouped(certificate),
            grouped(by_member.saturating_sub(by_organisation)),
            grouped(signature),
        )?;
    }
    Ok(text)
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Organisation => "Signed by the organisation",
        Kind::Delegate => "Signed by a delegate with a key like the organisation's",
        Kind::Member => "Signed by a member with a key like the organisation's",
        Kind::MemberThroughIntermediate => {
            "Signed by such a member, certified by an intermediate with such a key"
        }
    }
}

/// The octets of a bundle that a server takes, or would take if there were not too many.
fn octets(domain: &Domain<'_>, kind: Kind, signer: &Keys) -> Result<usize, Box<dyn Error>> {
    match domain.issue(kind, signer)? {
        Ok(bundle) => {
            domain.verifier()?.build().verify_bundle(&bundle)?;
            Ok(bundle.len())
        }
        Err(TokenError::BundleTooLarge { octets }) => Ok(octets),
        Err(error) => Err(error.into()),
    }
}

fn begin(text: &mut String, heading: &str, what: &str) -> Result<(), fmt::Error> {
    write!(
        text,
        "\n### {heading}\n\n| {what} | bundle | as a header | Kliento's 16,384 | 16 KiB for all headers | 8 KiB for one |\n\
         |---|--:|--:|---|---|---|\n"
    )
}

fn row(text: &mut String, name: &str, bundle: usize) -> Result<(), fmt::Error> {
    // Base64 writes each three octets, or what is left of them, as four.
    let header = bundle
        .div_ceil(3)
        .saturating_mul(4)
        .saturating_add(SCHEME_OCTETS);
    let line = header.saturating_add(NAME_OCTETS);
    let taken = bundle <= MAX_BUNDLE_OCTETS;
    // Node.js does not count the colon and the space.
    let counted = line.saturating_sub(": ".len());
    let left = match MAX_REQUEST_OCTETS.checked_sub(counted) {
        Some(left) if taken => format!("{} left", grouped(left)),
        _ => "no".to_owned(),
    };
    let yes_or_no = |fits| if fits { "yes" } else { "no" };
    writeln!(
        text,
        "| {name} | {} | {} | {} | {left} | {} |",
        grouped(bundle),
        grouped(header),
        yes_or_no(taken),
        yes_or_no(line <= MAX_LINE_OCTETS),
    )
}

/// A number below a million with a comma before its thousands.
fn grouped(number: usize) -> String {
    match (number / 1_000, number % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
