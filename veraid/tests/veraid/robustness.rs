//! Whatever the octets, nothing panics, and nothing verifies but what was signed.

use crate::support::der::*;
use crate::support::*;
use veraid::{
    Dialect, MemberCertificate, MemberIdBundle, OrganisationCertificate, PrivateKey, PublicKey,
    SignatureBundle, TrustAnchors, TxtRecord, Verification, VerifiedSignature,
};

/// How many single octets are changed.
const CHANGES: usize = 3_000;
const NESTING: usize = 50_000;

/// Marsaglia's xorshift: the same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
}

/// Reads octets as everything that they could be.
fn read_as_anything(octets: &[u8]) {
    let _ = SignatureBundle::from_der(octets);
    let _ = MemberIdBundle::from_der(octets);
    let _ = OrganisationCertificate::from_der(octets);
    let _ = MemberCertificate::from_der(octets);
    let _ = PublicKey::from_spki_der(octets);
    let _ = PrivateKey::from_pkcs8_der(octets);
    for &dialect in Dialect::ALL {
        let _ = TxtRecord::parse(octets, dialect);
    }
}

fn verify<'v>(bundle: &'v [u8], anchors: &'v TrustAnchors) -> Option<VerifiedSignature<'v>> {
    let verification = Verification::new(SERVICE, noon(), anchors);
    SignatureBundle::from_der(bundle)
        .and_then(|bundle| bundle.verify(&verification))
        .ok()
}

#[test]
fn no_prefix_of_a_bundle_reads_as_one() {
    for parts in [Parts::member(), Parts::organisation()] {
        let (bundle, _) = parts.build();
        for length in 0..bundle.len() {
            assert!(
                SignatureBundle::from_der(&bundle[..length])
                    .unwrap_err()
                    .is_malformed()
            );
            read_as_anything(&bundle[..length]);
        }
    }
}

#[test]
fn no_changed_octet_makes_anything_else_verify() {
    let mut random = Random(0x6b6c_6965_6e74_6f00);
    for parts in [Parts::member(), Parts::organisation()] {
        let (bundle, anchors) = parts.build();
        let genuine = verify(&bundle, &anchors).unwrap();
        for _ in 0..CHANGES {
            let place = random.below(bundle.len());
            let mut changed = bundle.clone();
            changed[place] ^= u8::try_from(1 + random.below(255)).unwrap();
            // Where it still verifies, the octet was in an unsigned part and what comes out is the same.
            if let Some(verified) = verify(&changed, &anchors) {
                assert_eq!(verified, genuine, "byte {place}");
            }
        }
    }
}

#[test]
fn no_octet_at_its_limits_makes_reading_panic() {
    let (bundle, _) = Parts::member().build();
    for place in 0..bundle.len() {
        for octet in [0x00, 0x7f, 0x80, 0x84, 0xff] {
            let mut changed = bundle.clone();
            changed[place] = octet;
            let _ = SignatureBundle::from_der(&changed);
        }
    }
}

#[test]
fn no_certificate_with_a_changed_octet_makes_reading_panic() {
    let organisation = Parts::member().organisation.to_der();
    for place in 0..organisation.len() {
        for octet in [0x00, 0x01, 0x30, 0x7f, 0x80, 0x84, 0xff] {
            let mut changed = organisation.clone();
            changed[place] = octet;
            read_as_anything(&changed);
        }
    }
}

#[test]
fn nesting_of_any_depth_overflows_no_stack() {
    let deep = nested(NESTING);
    read_as_anything(&deep);
    let places: [fn(&mut Parts, &[u8]); 10] = [
        |p, deep| p.bundle_tail = deep.to_vec(),
        |p, deep| p.organisation.issuer = deep.to_vec(),
        |p, deep| p.organisation.subject = sequence(&[common_name(deep.to_vec())]),
        |p, deep| p.organisation.subject = deep.to_vec(),
        |p, deep| p.organisation.public_key = deep.to_vec(),
        |p, deep| p.member.extensions.push(extension("1.2.3.4", None, deep)),
        |p, deep| {
            p.signed_data
                .signed_attributes
                .push(attribute("1.2.3.4", &[deep.to_vec()]));
        },
        |p, deep| p.signed_data.unsigned_attributes = context(1, deep),
        |p, deep| p.signed_data.content = Some(tlv(0x24, deep)),
        |p, deep| p.signed_data.further_certificates = vec![deep.to_vec()],
    ];
    for nest in places {
        let mut parts = Parts::member();
        nest(&mut parts, &deep);
        let (bundle, anchors) = parts.build();
        let _ = verify(&bundle, &anchors);
    }
}

#[test]
fn many_certificates_attributes_and_pieces_of_content_are_read_in_step() {
    const MANY: usize = 20_000;
    let mut parts = Parts::member();
    let mut other = parts.member.clone();
    other.serial_number = integer(&[0x77]);
    parts.signed_data.further_certificates = vec![other.to_der(); 200];
    parts
        .signed_data
        .signed_attributes
        .extend(vec![attribute("1.2.3.4", &[]); MANY]);
    parts.signed_data.content = Some(tlv(0x24, &concat(&vec![octet_string(b"x"); MANY])));
    parts.signed_data.signed_attributes[MESSAGE_DIGEST] =
        message_digest(Hash::Sha256, &vec![b'x'; MANY]);
    parts.verify(|outcome| assert_eq!(outcome.unwrap().content(), Some(&vec![b'x'; MANY][..])));
}

#[test]
fn errors_repeat_no_unbounded_input() {
    let long = "x".repeat(100_000);
    let places: [fn(&mut Parts, &str); 5] = [
        |p, long| p.organisation.subject = sequence(&[common_name(utf8_string(long))]),
        |p, long| p.member.subject = sequence(&[common_name(utf8_string(&format!("{long}@")))]),
        |p, long| p.records = vec![long.chars().take(250).collect()],
        |p, long| {
            p.organisation
                .extensions
                .push(extension("1.2.3.4", Some(0xff), long.as_bytes()));
        },
        |p, long| {
            p.signed_data
                .signed_attributes
                .push(attribution(utf8_string(&format!("{long}\n"))));
        },
    ];
    for lengthen in places {
        let mut parts = Parts::member();
        lengthen(&mut parts, &long);
        let message = parts.verify(|outcome| outcome.unwrap_err().to_string());
        assert!(message.len() < 1_000, "{}", message.len());
    }
}
