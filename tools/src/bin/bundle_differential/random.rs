//! Random bundles of VeraId: a good one, with up to three changes.
#![allow(
    clippy::indexing_slicing,
    reason = "indexes are those of lists that are written here, and a mistake should stop the program"
)]

use data_encoding::BASE64;
use fastrand::Rng;
use kliento_fixture_cases::der::{
    bmp_string, boolean, concat, integer, sequence, tlv, utf8_string,
};
use kliento_fixture_cases::{
    ATTRIBUTION, ATTRIBUTION_ATTRIBUTE, BASIC_CONSTRAINTS, Bundle, CONTENT, Certificate, DAY, Hash,
    Key, METADATA, NOON, PSS_256, PSS_384, PSS_512, SHA_256, SHA_384, SHA_512, attribute,
    basic_constraints, common_name, hash, key_of_3072_bits, key_of_4096_bits, key_usage,
    member_key, message_digest, metadata, organisation_key, pss, stranger_key,
};
use serde_json::{Value, json};
use veraid::Timestamp;

use crate::mutate;

const TEST_SERVICE: &str = "1.3.6.1.4.1.58708.1.1";
const KLIENTO_SERVICE: &str = "1.3.6.1.4.1.58708.3.0";

/// An input for runners, and what was changed in it.
pub(crate) struct Sample {
    pub(crate) input: Value,
    pub(crate) changes: String,
}

/// A bundle, and what is asked about it.
struct Draft {
    bundle: Bundle,
    from: i64,
    until: i64,
    service: &'static str,
    content: Option<Vec<u8>>,
    edit_octets: bool,
    changes: Vec<&'static str>,
}

/// Makes the next sample.
pub(crate) fn sample(rng: &mut Rng) -> Sample {
    let mut draft = Draft {
        bundle: base(rng),
        from: NOON,
        until: NOON,
        service: TEST_SERVICE,
        content: None,
        edit_octets: false,
        changes: Vec::new(),
    };
    for _ in 0..choose(rng, &[0, 1, 1, 1, 2, 3]) {
        change(rng, &mut draft);
    }
    let (mut octets, anchors) = draft.bundle.build();
    if draft.edit_octets {
        octets = mutate::octets(rng, &octets);
    }
    let mut input = json!({
        "kind": "signature-bundle",
        "anchors": anchors.lines().collect::<Vec<_>>(),
        "bundle": BASE64.encode(&octets),
        "service": draft.service,
        "from": Timestamp::from_unix_seconds(draft.from).to_string(),
        "until": Timestamp::from_unix_seconds(draft.until).to_string(),
    });
    if let (Some(content), Some(input)) = (draft.content, input.as_object_mut()) {
        input.insert("content".to_owned(), json!(BASE64.encode(&content)));
    }
    let changes = if draft.changes.is_empty() {
        "none".to_owned()
    } else {
        draft.changes.join("; ")
    };
    Sample { input, changes }
}

fn choose<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

fn base(rng: &mut Rng) -> Bundle {
    match rng.u8(..20) {
        0 => Bundle::organisation_with(key_of_3072_bits()),
        1 => Bundle::organisation_with(key_of_4096_bits()),
        2..=8 => Bundle::organisation(),
        _ => Bundle::member(),
    }
}

/// Makes one change, and says which.
fn change(rng: &mut Rng, draft: &mut Draft) {
    let change = match rng.u8(..16) {
        0..=4 => field(rng, &mut draft.bundle),
        5..=8 => times(rng, draft),
        9 | 10 => records(rng, draft),
        11 => names(rng, &mut draft.bundle),
        12 => extensions(rng, &mut draft.bundle),
        13 => signing(rng, &mut draft.bundle),
        14 => content(rng, draft),
        _ => {
            draft.edit_octets = true;
            "octets"
        }
    };
    draft.changes.push(change);
}

fn certificate<'b>(rng: &mut Rng, bundle: &'b mut Bundle) -> &'b mut Certificate {
    if bundle.signed_by_organisation || rng.bool() {
        &mut bundle.organisation
    } else {
        &mut bundle.member
    }
}

/// Changes the structure of a field that is signed afterwards.
fn field(rng: &mut Rng, bundle: &mut Bundle) -> &'static str {
    let choice = rng.u8(..22);
    if choice < 10 {
        let certificate = certificate(rng, bundle);
        let (name, field) = match choice {
            0 => ("version of a certificate", &mut certificate.version),
            1 => ("serial number", &mut certificate.serial_number),
            2 => ("algorithm that is signed", &mut certificate.inner_algorithm),
            3 => ("issuer", &mut certificate.issuer),
            4 => ("validity", &mut certificate.validity),
            5 => ("subject", &mut certificate.subject),
            6 => ("public key", &mut certificate.public_key),
            7 => (
                "algorithm of a certificate",
                &mut certificate.outer_algorithm,
            ),
            8 => {
                let mut algorithm = certificate.inner_algorithm.clone();
                algorithm = mutate::der(rng, &algorithm);
                certificate.algorithm(&algorithm);
                return "both algorithms of a certificate";
            }
            _ => {
                let index = rng.usize(..certificate.extensions.len().max(1));
                match certificate.extensions.get_mut(index) {
                    Some(extension) => ("extension", extension),
                    None => ("unique identifiers", &mut certificate.unique_identifiers),
                }
            }
        };
        *field = mutate::der(rng, field);
        return name;
    }
    let data = &mut bundle.signed_data;
    let (name, field) = match choice {
        10 => ("version of SignedData", &mut data.version),
        11 => ("digest algorithms", &mut data.digest_algorithms),
        12 => ("content type", &mut data.content_type),
        13 => match &mut data.content {
            Some(content) => ("content", content),
            None => ("tail of SignedData", &mut data.tail),
        },
        14 => ("version of SignerInfo", &mut data.signer_version),
        15 => ("digest algorithm", &mut data.digest_algorithm),
        16..=18 => {
            let index = rng.usize(..data.signed_attributes.len().max(1));
            match data.signed_attributes.get_mut(index) {
                Some(attribute) => ("signed attribute", attribute),
                None => ("tail of SignedData", &mut data.tail),
            }
        }
        19 => ("signature algorithm", &mut data.signature_algorithm),
        20 => ("version of the bundle", &mut bundle.bundle_version),
        _ => ("type of ContentInfo", &mut data.content_info_type),
    };
    *field = mutate::der(rng, field);
    name
}

/// An instant close to one that matters.
fn instant(rng: &mut Rng) -> i64 {
    let distance = choose(
        rng,
        &[0, 1, 2, 60, 599, 600, 601, 3_600, DAY, DAY + 1, 10 * DAY],
    );
    NOON + if rng.bool() { distance } else { -distance }
}

fn generalised(time: i64) -> String {
    let text = Timestamp::from_unix_seconds(time).to_string();
    text.replace(['-', ':', 'T'], "")
}

/// Moves a period.
fn times(rng: &mut Rng, draft: &mut Draft) -> &'static str {
    let (one, other) = (instant(rng), instant(rng));
    // Now and then a period ends before it starts.
    let (start, end) = if rng.u8(..8) == 0 {
        (one, other)
    } else {
        (one.min(other), one.max(other))
    };
    let (start_text, end_text) = (generalised(start), generalised(end));
    match rng.u8(..5) {
        0 => {
            let certificate = certificate(rng, &mut draft.bundle);
            let time = |text: &str| {
                let utc = tlv(0x17, &text.as_bytes()[2..]);
                let generalised = tlv(0x18, text.as_bytes());
                [utc, generalised]
            };
            let [utc_start, long_start] = time(&start_text);
            let [utc_end, long_end] = time(&end_text);
            certificate.validity = match rng.u8(..4) {
                0 => sequence(&[long_start, utc_end]),
                1 => sequence(&[utc_start, long_end]),
                _ => sequence(&[utc_start, utc_end]),
            };
            "validity of a certificate"
        }
        1 => {
            let fraction = choose(rng, &["", "", ".5", ".768", ".000"]);
            let end_text = end_text.replace('Z', &format!("{fraction}Z"));
            draft.bundle.signed_data.signed_attributes[METADATA] =
                metadata(TEST_SERVICE, &start_text, &end_text);
            "period of the signature"
        }
        2 => {
            draft.bundle.dnssec_window = (one.min(other), one.max(other));
            "period of DNSSEC signatures"
        }
        3 => {
            (draft.from, draft.until) = (one.min(other), one.max(other));
            "period of the verifier"
        }
        _ => {
            (draft.from, draft.until) = (NOON - DAY, NOON + DAY);
            let ttl = choose(
                rng,
                &["1", "60", "3600", "86400", "86399", "172800", "7776000"],
            );
            draft.bundle.records = vec![organisation_key().record(ttl)];
            "two days and a TTL override"
        }
    }
}

/// Changes the TXT records.
fn records(rng: &mut Rng, draft: &mut Draft) -> &'static str {
    let good = organisation_key().record("3600");
    let (name, records) = match rng.u8(..12) {
        0 => (
            "a record of SPF beside it",
            vec![good, "v=spf1 -all".into()],
        ),
        1 => (
            "a record for the service",
            vec![format!("{good} {TEST_SERVICE}")],
        ),
        2 => (
            "a record for another service",
            vec![format!("{good} {KLIENTO_SERVICE}")],
        ),
        3 => (
            "a record of another key",
            vec![stranger_key().record("3600")],
        ),
        4 => (
            "records of two keys",
            vec![stranger_key().record("3600"), good],
        ),
        5 => (
            "a general and a specific record",
            vec![
                organisation_key().record("1"),
                format!("{good} {TEST_SERVICE}"),
            ],
        ),
        6 => (
            "the record twice",
            vec![good.clone(), organisation_key().record("60")],
        ),
        7 => (
            "two spaces",
            vec![good.replacen(' ', "  ", rng.usize(1..3))],
        ),
        8 => {
            let ttl = choose(
                rng,
                &[
                    "0",
                    "00",
                    "01",
                    "-1",
                    "1.5",
                    "7776001",
                    "4294967296",
                    "1e3",
                    "",
                ],
            );
            (
                "a strange TTL override",
                vec![organisation_key().record(ttl)],
            )
        }
        9 => {
            let number = choose(rng, &["2", "3", "0", "01", "4", "240"]);
            (
                "another algorithm",
                vec![format!("{number}{}", good.get(1..).unwrap_or_default())],
            )
        }
        10 => {
            draft.service = KLIENTO_SERVICE;
            ("another service is asked for", vec![good])
        }
        _ => {
            // A character of a record is changed, and stays printable.
            let mut record = good.into_bytes();
            let at = rng.usize(..record.len());
            record[at] = rng.u8(b' '..=b'~');
            let record = String::from_utf8_lossy(&record).replace(['"', '\\'], "x");
            ("a character of the record", vec![record])
        }
    };
    draft.bundle.records = records;
    name
}

const NAMES: &[&str] = &[
    "alice",
    "Alice",
    "a",
    "@",
    "@@",
    "alice@example.com",
    "alice smith",
    "alice\u{a0}smith",
    "alice\tsmith",
    "alice\n",
    "",
    " ",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "José 山田 🦀",
    "\u{200b}alice",
    "\u{202e}ecila",
    "example.com",
    "example.com.",
    "EXAMPLE.com",
    "example.org",
    ".example.com",
    "example..com",
    "xn--caf-dma.com",
    "xn--victim-.com",
    "com",
    ".",
];

/// Changes a name.
fn names(rng: &mut Rng, bundle: &mut Bundle) -> &'static str {
    let text = choose(rng, NAMES);
    let string = match rng.u8(..3) {
        0 => bmp_string(text),
        1 => utf8_string(text),
        _ => tlv(0x13, text.as_bytes()),
    };
    match rng.u8(..4) {
        0 if bundle.signed_by_organisation => {
            bundle.signed_data.signed_attributes[ATTRIBUTION] =
                attribute(ATTRIBUTION_ATTRIBUTE, &[string]);
            "attribution"
        }
        0 | 1 => {
            bundle.member.subject = sequence(&[common_name(string)]);
            "name of the member"
        }
        2 => {
            let subject = sequence(&[common_name(string)]);
            bundle.organisation.subject = subject.clone();
            bundle.organisation.issuer = subject.clone();
            bundle.member.issuer = subject;
            "name of the organisation"
        }
        _ => {
            let certificate = certificate(rng, bundle);
            let twice = concat(&[common_name(string.clone()), common_name(string)]);
            certificate.subject = tlv(0x30, &twice);
            "two common names"
        }
    }
}

/// Changes what certificates allow.
fn extensions(rng: &mut Rng, bundle: &mut Bundle) -> &'static str {
    let certificate = certificate(rng, bundle);
    match rng.u8(..4) {
        0 => {
            certificate.extensions.push(key_usage(rng.u8(..)));
            "key usage"
        }
        1 => {
            let ca = choose(rng, &[0x00, 0xff, 0x01]);
            certificate.extensions[BASIC_CONSTRAINTS] = match rng.u8(..4) {
                0 => basic_constraints(&[]),
                1 => basic_constraints(&[boolean(ca)]),
                2 => basic_constraints(&[integer(&[rng.u8(..3)])]),
                _ => basic_constraints(&[boolean(ca), integer(&[rng.u8(..3)])]),
            };
            "basic constraints"
        }
        2 => {
            let index = rng.usize(..certificate.extensions.len());
            certificate.extensions.remove(index);
            "one extension fewer"
        }
        _ => {
            let index = rng.usize(..certificate.extensions.len());
            let copy = certificate.extensions[index].clone();
            certificate.extensions.push(copy);
            "an extension twice"
        }
    }
}

/// Changes keys and schemes.
fn signing(rng: &mut Rng, bundle: &mut Bundle) -> &'static str {
    let keys: [&'static Key; 3] = [organisation_key(), member_key(), stranger_key()];
    match rng.u8(..5) {
        0 => {
            bundle.signed_data.key = choose(rng, &keys);
            "key that signs the content"
        }
        1 => {
            certificate(rng, bundle).signed_by = choose(rng, &keys);
            "key that signs a certificate"
        }
        2 => {
            certificate(rng, bundle).public_key = choose(rng, &keys).spki.clone();
            "key of a certificate"
        }
        3 => {
            let (identifier, scheme) = choose(
                rng,
                &[(SHA_256, PSS_256), (SHA_384, PSS_384), (SHA_512, PSS_512)],
            );
            let certificate = certificate(rng, bundle);
            certificate.algorithm(&pss(identifier));
            certificate.scheme = scheme;
            "hash of a certificate"
        }
        _ => {
            let (identifier, scheme, digest) = choose(
                rng,
                &[
                    (SHA_256, PSS_256, Hash::Sha256),
                    (SHA_384, PSS_384, Hash::Sha384),
                    (SHA_512, PSS_512, Hash::Sha512),
                ],
            );
            let data = &mut bundle.signed_data;
            data.signature_algorithm = pss(identifier);
            data.scheme = scheme;
            if rng.bool() {
                data.digest_algorithm = hash(identifier);
                data.digest_algorithms = tlv(0x31, &hash(identifier));
                data.signed_attributes[1] = message_digest(digest, CONTENT);
            }
            "hash of the signature"
        }
    }
}

/// Changes the content and how it is given.
fn content(rng: &mut Rng, draft: &mut Draft) -> &'static str {
    let data = &mut draft.bundle.signed_data;
    match rng.u8(..6) {
        0 => {
            data.content = None;
            draft.content = Some(CONTENT.to_vec());
            "detached content"
        }
        1 => {
            data.content = None;
            "no content"
        }
        2 => {
            draft.content = Some(CONTENT.to_vec());
            "attached content that is given as well"
        }
        3 => {
            data.content = None;
            draft.content = Some(b"another content".to_vec());
            "another detached content"
        }
        4 => {
            draft.bundle.organisation_attached = true;
            "the organisation's certificate is attached"
        }
        _ => {
            data.signers = rng.usize(..3);
            "a number of signers"
        }
    }
}
