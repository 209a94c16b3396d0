//! What a verification can't be faster than: its public-key operations, by the same back end and on the same octets, and
//! nothing else.
//!
//! Other people's libraries take the bundle apart, so that nothing rests on ours having understood it: `cms`, `x509-cert`
//! and `hickory-proto`. Each signature in it becomes a [`Check`] with all that the back end wants, in the form in which it is
//! quickest: the key as it stands in its certificate or DNSKEY record, the octets that were signed, the signature. The back
//! end reads keys, each once, and hashes messages: that is part of the operation, as it is for us. Comparing names, digests,
//! times and whatever else a verifier does beside is not in it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{OctetString, SetOfVec, UintRef};
use der::{Decode as _, Encode as _, Sequence};
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_proto::dnssec::{Algorithm, PublicKey as _, TBS};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name, RData, Record};
use kliento::Verifier;
use x509_cert::Certificate;

/// The format octet of a point that is not compressed, which DNSKEY leaves out (RFC 6605 §4).
const UNCOMPRESSED: u8 = 0x04;

/// The signature checks that a bundle takes, and the keys that they take.
pub(crate) struct Floor {
    zones: Vec<(ZoneKey, Check)>,
    organisation: PssKey,
    by_organisation: Vec<Check>,
    /// A member's key and its signature over the content, which is the organisation's last otherwise.
    by_member: Option<(PssKey, Check)>,
}

/// One signature check.
struct Check {
    message: Vec<u8>,
    /// The signature as the back end takes it.
    signature: Vec<u8>,
    /// The signature as it stands in the bundle.
    received: Vec<u8>,
}

/// The key of an organisation or member, for RSASSA-PSS with SHA-256: what stands in the BIT STRING.
struct PssKey(UnparsedPublicKey<Vec<u8>>);

/// A public key of a zone.
enum ZoneKey {
    /// RSASSA-PKCS1-v1_5 with SHA-256: algorithm 8 of DNSSEC.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// ECDSA with P-256 and SHA-256: algorithm 13.
    P256(UnparsedPublicKey<Vec<u8>>),
}

/// `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// `SignatureBundle`.
#[derive(Sequence)]
struct Bundle {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    version: u8,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    chain: SetOfVec<OctetString>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", constructed = "true")]
    organisation: Certificate,
    #[asn1(context_specific = "3", tag_mode = "IMPLICIT", constructed = "true")]
    signature: ContentInfo,
}

impl Floor {
    /// Takes a bundle apart that is signed by an organisation, or by a member that the organisation certified.
    ///
    /// Makes sure of what a floor must be: all signatures are good, and `verifier` takes the bundle but refuses it as soon
    /// as any of them is not. So it can do without none of these operations, and there are no other signatures for it to
    /// check.
    pub(crate) fn of(bundle: &[u8], verifier: &Verifier) -> Self {
        let Bundle {
            version,
            chain,
            organisation,
            signature,
        } = Bundle::from_der(bundle).expect("bundles are written as DER");
        assert_eq!(version, 0);
        let signed_data: SignedData = signature.content.decode_as().expect("it is SignedData");
        let member = signed_data.certificates.and_then(|set| {
            set.0
                .into_vec()
                .into_iter()
                .find_map(|choice| match choice {
                    CertificateChoices::Certificate(certificate) => Some(certificate),
                    CertificateChoices::Other(_) => None,
                })
        });
        let [signer] = signed_data.signer_infos.0.as_slice() else {
            panic!("one signs");
        };
        let attributes = signer.signed_attrs.as_ref().expect("attributes are signed");
        let content = Check::new(
            attributes.to_der().expect("what is read can be written"),
            signer.signature.as_bytes(),
        );

        let mut by_organisation = vec![Check::of_certificate(&organisation)];
        by_organisation.extend(member.as_ref().map(Check::of_certificate));
        let by_member = if let Some(member) = member {
            Some((PssKey::of(&member), content))
        } else {
            by_organisation.push(content);
            None
        };
        let floor = Self {
            zones: zone_checks(&chain),
            organisation: PssKey::of(&organisation),
            by_organisation,
            by_member,
        };
        floor.check_itself(bundle, verifier);
        floor
    }

    fn check_itself(&self, bundle: &[u8], verifier: &Verifier) {
        assert!(self.run());
        verifier.verify_bundle(bundle).expect("the bundle is good");
        for Check { received, .. } in self.checks() {
            let mut places = bundle.windows(received.len()).enumerate();
            let (at, _) = places
                .find(|(_, octets)| octets == received)
                .expect("it is of this bundle");
            let mut broken = bundle.to_vec();
            broken[at + received.len() - 1] ^= 1;
            verifier
                .verify_bundle(&broken)
                .expect_err("each signature is checked");
        }
    }

    fn checks(&self) -> impl Iterator<Item = &Check> {
        let zones = self.zones.iter().map(|(_, check)| check);
        let by_member = self.by_member.iter().map(|(_, check)| check);
        zones.chain(&self.by_organisation).chain(by_member)
    }

    /// How many checks there are.
    pub(crate) fn len(&self) -> usize {
        self.checks().count()
    }

    /// Runs them all; says whether all signatures are good.
    pub(crate) fn run(&self) -> bool {
        let organisation = self.organisation.read();
        self.zones.iter().all(|(key, check)| key.verify(check))
            && self
                .by_organisation
                .iter()
                .all(|check| check.run(&organisation))
            && self
                .by_member
                .iter()
                .all(|(PssKey(key), check)| key.verify(&check.message, &check.signature).is_ok())
    }

    /// The check of the signature over the content, with a key that has been read before: what is left when all else is
    /// known.
    pub(crate) fn last_with_its_key_read(&self) -> impl Fn() -> bool + use<'_> {
        let (key, check) = match &self.by_member {
            Some((key, check)) => (key.read(), Some(check)),
            None => (self.organisation.read(), self.by_organisation.last()),
        };
        let check = check.expect("the content is signed");
        move || check.run(&key)
    }
}

impl Check {
    fn new(message: Vec<u8>, signature: &[u8]) -> Self {
        Self {
            message,
            signature: signature.to_vec(),
            received: signature.to_vec(),
        }
    }

    fn of_certificate(certificate: &Certificate) -> Self {
        let signed = certificate.tbs_certificate().to_der();
        Self::new(
            signed.expect("what is read can be written"),
            certificate.signature().raw_bytes(),
        )
    }

    fn run(&self, key: &ParsedPublicKey) -> bool {
        key.verify_sig(&self.message, &self.signature).is_ok()
    }
}

impl PssKey {
    fn of(certificate: &Certificate) -> Self {
        let spki = certificate.tbs_certificate().subject_public_key_info();
        Self(UnparsedPublicKey::new(
            &RSA_PSS_2048_8192_SHA256,
            spki.subject_public_key.raw_bytes().to_vec(),
        ))
    }

    /// For several checks.
    fn read(&self) -> ParsedPublicKey {
        ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, self.0.as_ref())
            .expect("the key can be read")
    }
}

/// One check for each RRSIG in the responses. No key has two.
fn zone_checks(chain: &SetOfVec<OctetString>) -> Vec<(ZoneKey, Check)> {
    let messages: Vec<Message> = chain
        .iter()
        .map(|message| Message::from_vec(message.as_bytes()).expect("it is a DNS message"))
        .collect();
    let keys: Vec<(&Name, &DNSKEY)> = messages
        .iter()
        .flat_map(|message| &message.answers)
        .filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some((&record.name, key)),
            _ => None,
        })
        .collect();
    let mut checks = Vec::new();
    for message in &messages {
        for record in &message.answers {
            if let RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) = &record.data {
                checks.push(zone_check(record, rrsig, message, &keys));
            }
        }
    }
    checks
}

fn zone_check(
    record: &Record,
    rrsig: &RRSIG,
    message: &Message,
    keys: &[(&Name, &DNSKEY)],
) -> (ZoneKey, Check) {
    let input = rrsig.input();
    let (_, key) = keys
        .iter()
        .find(|(owner, key)| {
            **owner == input.signer_name
                && key.public_key().algorithm() == input.algorithm
                && key
                    .calculate_key_tag()
                    .is_ok_and(|tag| tag == input.key_tag)
        })
        .expect("its zone has the key");
    let key = ZoneKey::read(input.algorithm, key.public_key().public_bytes());
    let signed = TBS::from_input(&record.name, DNSClass::IN, input, message.answers.iter())
        .expect("what is read can be written");
    let mut check = Check::new(signed.as_ref().to_vec(), rrsig.sig());
    if let ZoneKey::P256(_) = key {
        check.signature = ecdsa_signature_as_der(&check.received);
    }
    (key, check)
}

impl ZoneKey {
    fn read(algorithm: Algorithm, octets: &[u8]) -> Self {
        match algorithm {
            // The length of the exponent, the exponent, the modulus (RFC 3110 §2).
            Algorithm::RSASHA256 => {
                let (e, n) = octets[1..].split_at(octets[0].into());
                Self::Rsa(RsaPublicKeyComponents {
                    n: n.to_vec(),
                    e: e.to_vec(),
                })
            }
            Algorithm::ECDSAP256SHA256 => Self::P256(UnparsedPublicKey::new(
                &ECDSA_P256_SHA256_ASN1,
                [&[UNCOMPRESSED], octets].concat(),
            )),
            _ => panic!("no zone of this world has such keys"),
        }
    }

    fn verify(
        &self,
        Check {
            message, signature, ..
        }: &Check,
    ) -> bool {
        match self {
            Self::Rsa(key) => {
                let algorithm = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                key.verify(algorithm, message, signature).is_ok()
            }
            Self::P256(key) => key.verify(message, signature).is_ok(),
        }
    }
}

/// Two integers side by side (RFC 6605 §4) as a SEQUENCE, which the back end would make of them otherwise.
fn ecdsa_signature_as_der(octets: &[u8]) -> Vec<u8> {
    let (r, s) = octets.split_at(octets.len() / 2);
    let [r, s] = [r, s].map(|integer| UintRef::new(integer).expect("it is not too large"));
    let signature = EcdsaSignature { r, s };
    signature.to_der().expect("it can be written")
}
