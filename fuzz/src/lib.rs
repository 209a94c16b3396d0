//! The body of each target. The programs in `fuzz_targets/` hand them over from libFuzzer, and
//! `tests/corpora.rs` from the committed corpora.
//!
//! A target panics if a property does not hold; that nothing else panics, overflows the stack or runs for long is what
//! libFuzzer sees to.

mod back_ends;
mod serve;

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::LazyLock;

pub use back_ends::{signatures, zone_signatures};
pub use serve::{check_request, configuration, forward, hosts, paths, rules, token_review};

use dnssec::{
    Chain, Fact, Name, OwnedChain, Period, RecordType, Response, Timestamp, TrustAnchors, Validity,
};
use kliento::{Audience, SubjectPattern, Token, TokenBundle, TokenVerification, Verifier};
use kliento_fixture_cases::tables::Token as Fixture;
use kliento_fixture_cases::{Bundle, NOON};
use veraid::{
    BundleOutline, Dialect, IntermediateCertificate, KeyAlgorithm, Member, MemberCertificate,
    MemberIdBundle, MemoryLimits, Organisation, OrganisationCertificate, Policy, PrivateKey,
    PublicKey, ServiceOid, SignatureBundle, SigningKey, TEST_SERVICE, TxtRecord, Verification,
};

const DIALECTS: [Dialect; 2] = [Dialect::VeraId, Dialect::DomainAuth];

/// The trust anchors of the bundles of the fixtures.
static ANCHORS: LazyLock<TrustAnchors> =
    LazyLock::new(|| Bundle::member().chain().1.parse().expect("anchors"));

fn noon() -> Period {
    Period::at(Timestamp::from_unix_seconds(NOON))
}

/// A value that is written as text is read, and is the same.
fn assert_reads_back<T>(value: &T)
where
    T: Display + FromStr + PartialEq + Debug,
{
    let text = value.to_string();
    assert_eq!(text.parse().ok().as_ref(), Some(value), "{text}");
}

/// A DNS message, and all records in it, which have a form for people.
pub fn dns_message(octets: &[u8]) {
    if let Ok(response) = Response::parse(octets) {
        for record in response.answers() {
            let _ = format!("{record:?}");
        }
    }
    if let Some((record_type, rdata)) = octets.split_first_chunk() {
        let record_type = RecordType(u16::from_be_bytes(*record_type));
        assert_reads_back(&record_type);
        let text = dnssec::rdata_to_text(record_type, rdata);
        // Escaped, an octet takes four characters at most; a list of types takes ten for each bit that is set.
        assert!(
            text.len() <= 100 + 100 * rdata.len(),
            "{} characters",
            text.len()
        );
    }
}

fn look_up(chain: &Chain<'_>) {
    for (name, record_type) in [
        ("_veraid.example.com.", RecordType::TXT),
        ("_domainauth.example.com.", RecordType::TXT),
        ("alias.example.com.", RecordType::TXT),
        ("example.com.", RecordType::DS),
    ] {
        let name: Name = name.parse().expect("a name");
        for period in [noon(), Period::always()] {
            let Ok(fact) = chain.look_up(&name, record_type, &ANCHORS, period) else {
                continue;
            };
            // The least that proves a fact proves it too, in both forms.
            let least = chain.minimal(&name, record_type, &ANCHORS, period);
            let least = least.expect("what is proven has a least proof");
            let least = Chain::from_messages(&least).expect("what is written is read");
            assert_is_proven(&least, &name, record_type, period, &fact);
            if let Ok(records) = chain.to_authentication_chain(&name, record_type, &ANCHORS, period)
            {
                let again = Chain::from_authentication_chain(&records);
                let again = again.expect("what is written is read");
                assert_is_proven(&again.as_chain(), &name, record_type, period, &fact);
            }
        }
    }
}

fn assert_is_proven(
    chain: &Chain<'_>,
    name: &Name,
    record_type: RecordType,
    period: Period,
    fact: &Fact<'_>,
) {
    let again = chain.look_up(name, record_type, &ANCHORS, period);
    match (fact, &again) {
        (Fact::Proven(fact), Ok(Fact::Proven(again))) => {
            let sorted = |proof: &dnssec::Proof<'_>| {
                let mut rdata: Vec<Vec<u8>> = proof.rdata().map(<[u8]>::to_vec).collect();
                rdata.sort();
                rdata
            };
            assert_eq!(sorted(fact), sorted(again));
        }
        (Fact::ProvenAbsent(_), Ok(Fact::ProvenAbsent(_)))
        | (Fact::ProvenInsecure(_), Ok(Fact::ProvenInsecure(_))) => {}
        (fact, again) => panic!("{fact:?} and from the least proof {again:?}"),
    }
}

/// A DNSSEC chain, verified under fixed anchors. What is read is written, and read again.
pub fn chain(octets: &[u8]) {
    if let Ok(chain) = Chain::from_der(octets) {
        look_up(&chain);
        let der = chain.to_der();
        let again = Chain::from_der(&der).expect("a chain that was written is read");
        // A SET has no order, and nothing twice.
        let set = |chain: &Chain<'_>| -> BTreeSet<Vec<u8>> {
            chain.messages().map(<[u8]>::to_vec).collect()
        };
        assert!(set(&again) == set(&chain), "with all that is in it");
        assert_eq!(again.to_der(), der);
    }
}

/// An `AuthenticationChain` of RFC 9102, verified under fixed anchors.
pub fn authentication_chain(octets: &[u8]) {
    if let Ok(messages) = dnssec::messages_from_authentication_chain(octets) {
        if let Ok(chain) = OwnedChain::new(messages) {
            look_up(&chain.as_chain());
        }
    }
}

/// Bundles, with all that is in them.
pub fn bundle(octets: &[u8]) {
    let verification = Verification::new(TEST_SERVICE, noon(), &ANCHORS);
    if let Ok(bundle) = SignatureBundle::from_der(octets) {
        let _ = bundle.unverified_attribution();
        let _ = bundle.unverified_intermediate_certificates();
        let _ = bundle.verify(&verification);
    }
    if let Ok(bundle) = MemberIdBundle::from_der(octets) {
        let _ = bundle.verify(&verification);
        if let Ok(der) = bundle.to_der() {
            let again = MemberIdBundle::from_der(&der);
            let again = again.expect("a bundle that was written is read");
            assert_eq!(again.to_der().ok(), Some(der), "with all that is in it");
        }
    }
    if let Ok(bundle) = TokenBundle::from_der(octets) {
        let _ = bundle.unverified_token();
    }
}

/// Certificates of all roles, which are kept as they were read.
pub fn certificate(octets: &[u8]) {
    macro_rules! read {
        ($($certificate:ty),*) => {
            $(if let Ok(certificate) = <$certificate>::from_der(octets) {
                if let Ok(parsed) = certificate.parsed() {
                    let _ = parsed.common_name();
                }
                assert_eq!(certificate.as_der(), octets, "a certificate is kept as it is");
                let again = <$certificate>::from_pem(&certificate.to_pem());
                let again = again.expect("a certificate that was written is read");
                assert_eq!(again.as_der(), octets, "as PEM too");
            })*
        };
    }
    read!(
        OrganisationCertificate,
        MemberCertificate,
        IntermediateCertificate
    );
}

/// The text of TXT records. What is read is written, and read the same.
pub fn txt_record(octets: &[u8]) {
    for dialect in DIALECTS {
        if let Some(record) = TxtRecord::parse(octets, dialect) {
            let text = record.to_string();
            let again = TxtRecord::parse(text.as_bytes(), dialect);
            assert_eq!(again.as_ref(), Some(&record), "{text}");
        }
    }
}

/// The JSON of tokens. What is read is written, and read the same.
pub fn token(octets: &[u8]) {
    if let Ok(token) = Token::from_json(octets) {
        let json = token.to_json();
        assert_eq!(Token::from_json(&json).ok(), Some(token));
    }
}

/// The value of an `Authorization` field. One bundle has one text, but for case, spaces and padding.
pub fn header(octets: &[u8]) {
    if let Ok(bundle) = kliento::header::decode(octets) {
        let value = kliento::header::encode(&bundle);
        assert_eq!(kliento::header::decode(&value).ok(), Some(bundle));
    }
}

/// Trust anchors in all their forms.
pub fn trust_anchors(octets: &[u8]) {
    if let Ok(text) = std::str::from_utf8(octets) {
        if let Ok(anchors) = text.parse::<TrustAnchors>() {
            let again: TrustAnchors = anchors.to_string().parse().expect("anchors");
            assert!(again.iter().eq(anchors.iter()), "{anchors}");
        }
    }
}

/// Times, periods, services and the texts of tokens and of those whom a server takes. What is read is written, and read
/// the same.
pub fn texts(octets: &[u8]) {
    if let Ok(service) = ServiceOid::from_der_content(octets) {
        assert_eq!(service.as_der_content(), octets);
        assert_reads_back(&service);
    }
    let Ok(text) = str::from_utf8(octets) else {
        return;
    };
    fn read<T>(text: &str)
    where
        T: Display + FromStr + PartialEq + Debug,
    {
        if let Ok(value) = text.parse::<T>() {
            assert_reads_back(&value);
        }
    }
    read::<Timestamp>(text);
    read::<Period>(text);
    read::<Validity>(text);
    read::<ServiceOid>(text);
    read::<RecordType>(text);
    read::<KeyAlgorithm>(text);
    read::<Audience>(text);
    read::<SubjectPattern>(text);
}

/// Keys, in DER and in PEM.
pub fn keys(octets: &[u8]) {
    if let Ok(key) = PublicKey::from_spki_der(octets) {
        let again = PublicKey::from_spki_der(key.as_spki_der());
        assert_eq!(again.ok().as_ref(), Some(&key));
        assert_is_written(&key);
    }
    if let Ok(key) = PrivateKey::from_pkcs8_der(octets) {
        assert_is_kept(&key);
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        if let Ok(key) = PublicKey::from_spki_pem(text) {
            assert_is_written(&key);
        }
        if let Ok(key) = PrivateKey::from_pkcs8_pem(text) {
            assert_is_kept(&key);
        }
        let _ = OrganisationCertificate::from_pem(text);
    }
}

fn assert_is_written(key: &PublicKey) {
    let again = PublicKey::from_spki_pem(&key.to_spki_pem());
    assert_eq!(again.ok().as_ref(), Some(key));
}

fn assert_is_kept(key: &PrivateKey) {
    if let Ok(pem) = key.to_pkcs8_pem() {
        let again = PrivateKey::from_pkcs8_pem(&pem);
        let again = again.expect("a key that was written is read");
        assert_eq!(
            again.public_key().as_spki_der(),
            key.public_key().as_spki_der()
        );
    }
}

/// Domain names, organisations and members. What is read is written, and read the same.
pub fn names(octets: &[u8]) {
    if let Ok(name) = Name::from_wire(octets) {
        let text = name.to_string();
        assert_eq!(text.parse::<Name>().ok().as_ref(), Some(&name), "{text}");
    }
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    if let Ok(name) = text.parse::<Name>() {
        assert_eq!(name.to_string().parse::<Name>().ok().as_ref(), Some(&name));
    }
    if let Ok(organisation) = text.parse::<Organisation>() {
        let again = organisation.to_string().parse::<Organisation>();
        assert_eq!(again.ok().as_ref(), Some(&organisation));
    }
    for dialect in DIALECTS {
        if let Ok(member) = Member::parse_for(text, dialect) {
            assert_eq!(
                Member::parse_for(member.as_str(), dialect).ok(),
                Some(member)
            );
        }
    }
}

/// Changes a good token: each three octets are a place and what is put there. It never verifies as anything else, and a
/// verifier that knows the good one says the same as one without a cache. A bundle that is read as a whole first gets the
/// same verdict, though perhaps for another of several reasons.
pub fn verified_bundle(octets: &[u8]) {
    static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| Fixture::member().octets().0);
    static WITH_CACHE: LazyLock<Verifier> = LazyLock::new(|| {
        let verifier = verifier().build();
        verifier.verify_bundle(&GOOD).expect("the fixture is good");
        verifier
    });
    static WITHOUT_CACHE: LazyLock<Verifier> = LazyLock::new(|| verifier().cache_octets(0).build());
    let mut bundle = GOOD.clone();
    for change in octets.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]]));
        let length = bundle.len();
        bundle[place % length] = change[2];
    }
    let audience = audience();
    let verification = TokenVerification::new(&audience, noon(), &ANCHORS);
    let whole = TokenBundle::from_der(&bundle).and_then(|bundle| bundle.verify(&verification));
    let fresh = WITHOUT_CACHE.verify_bundle(&bundle);
    let known = WITH_CACHE.verify_bundle(&bundle);
    match (&whole, &fresh, &known) {
        (Ok(whole), Ok(fresh), Ok(known)) => {
            for token in [whole, fresh, known] {
                assert_eq!(token.subject(), "alice@example.com");
                assert_eq!(token.claims().get("role"), Some("admin"));
                assert_eq!(token.claims().len(), 1);
            }
        }
        (Err(_), Err(fresh), Err(known)) => assert_eq!(fresh.reason(), known.reason()),
        (whole, fresh, known) => {
            panic!("read whole {whole:?}, without a cache {fresh:?}, and with one {known:?}")
        }
    }
}

fn verifier() -> kliento::VerifierBuilder {
    Verifier::builder(audience())
        .trust_anchors(ANCHORS.clone())
        .clock(|| Timestamp::from_unix_seconds(NOON))
}

fn audience() -> Audience {
    "https://api.example.com".parse().expect("an audience")
}

/// Replaces one field of a good bundle by octets, signs again, and verifies with a memory and without.
pub fn resigned_bundle(octets: &[u8]) {
    let [choice, field, value @ ..] = octets else {
        return;
    };
    let good = match choice % 4 {
        0 => Bundle::member as fn() -> Bundle,
        1 => Bundle::organisation,
        2 => Bundle::through_intermediate,
        _ => Bundle::delegate,
    };
    let mut changed = good();
    let value = value.to_vec();
    {
        let certificate = match choice / 4 % 3 {
            0 => &mut changed.organisation,
            1 => &mut changed.member,
            _ => match changed.intermediates.first_mut() {
                Some(intermediate) => intermediate,
                None => &mut changed.member,
            },
        };
        match field % 32 {
            0 => certificate.version = value,
            1 => certificate.serial_number = value,
            2 => certificate.algorithm(&value),
            3 => certificate.issuer = value,
            4 => certificate.validity = value,
            5 => certificate.subject = value,
            6 => certificate.public_key = value,
            7 => certificate.extensions = vec![value],
            8 => certificate.extensions.push(value),
            9 => certificate.unique_identifiers = value,
            10 => certificate.signed_tail = value,
            11 => certificate.outer_algorithm = value,
            12 => changed.signed_data.version = value,
            13 => changed.signed_data.digest_algorithms = value,
            14 => changed.signed_data.content_type = value,
            15 => changed.signed_data.content = Some(value),
            16 => changed.signed_data.certificates = Some(value),
            17 => changed.signed_data.further_certificates = vec![value],
            18 => changed.signed_data.revocations = value,
            19 => changed.signed_data.signer_identifier = Some(value),
            20 => changed.signed_data.digest_algorithm = value,
            21 => changed.signed_data.signed_attributes = vec![value],
            22 => changed.signed_data.signed_attributes.push(value),
            23 => changed.signed_data.signature_algorithm = value,
            24 => changed.signed_data.unsigned_attributes = value,
            25 => changed.signed_data.tail = value,
            26 => changed.bundle_version = value,
            27 => changed.bundle_tail = value,
            28 => changed.records = vec![printable(&value)],
            29 => changed.records.push(printable(&value)),
            30 => changed.signed_data.signer_version = value,
            _ => changed.signed_data.content_info_type = value,
        }
    }
    let (bundle, anchors) = changed.build();
    let anchors: TrustAnchors = anchors.parse().expect("anchors");
    let verification = Verification::new(TEST_SERVICE, noon(), &anchors);
    let fresh = SignatureBundle::from_der(&bundle)
        .and_then(|bundle| Ok(bundle.verify(&verification)?.member_id().to_string()));
    let verifier = veraid::Verifier::new(TEST_SERVICE, anchors.clone(), Policy::new()).with_memory(
        MemoryLimits {
            organisation_octets: 1 << 16,
            signer_octets: 1 << 16,
        },
    );
    let verify = |bundle: &[u8]| {
        BundleOutline::from_der(bundle)
            .and_then(|outline| Ok(verifier.verify(outline, noon())?.member_id().to_string()))
    };
    let (known, _) = good().build();
    let _ = verify(&known);
    let recalled = verify(&bundle);
    match (&fresh, &recalled) {
        (Ok(fresh), Ok(recalled)) => {
            assert_eq!(fresh, recalled);
            assert!(fresh.ends_with("example.com"), "{fresh}");
        }
        (Err(fresh), Err(recalled)) => assert_eq!(fresh.reason(), recalled.reason()),
        (fresh, recalled) => panic!("without a memory {fresh:?}, and with one {recalled:?}"),
    }
}

/// A TXT record has printable text here, of one character string.
fn printable(octets: &[u8]) -> String {
    let octets = octets.iter().take(255);
    octets.map(|octet| char::from(b' ' + octet % 95)).collect()
}
