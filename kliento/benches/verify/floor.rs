//! What a verification can't be faster than: its public-key operations, by the same back end and on the same octets, and
//! nothing else.
//!
//! Other people's libraries take the bundle apart, so that nothing rests on ours having understood it: `cms`, `x509-cert`
//! and `hickory-proto`. Each signature in it becomes one [`Operation`] that has all that the back end wants: the key as it
//! stands in its certificate or DNSKEY record, the octets that were signed, the signature. The back end reads keys and
//! hashes messages as part of the operation, as it does for us. Comparing names, digests, times and whatever else a
//! verifier does beside is not in it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{OctetString, SetOfVec};
use der::{Decode as _, Encode as _, Sequence};
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_proto::dnssec::{Algorithm, PublicKey as _, TBS};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name, RData, Record};
use kliento::Verifier;
use x509_cert::Certificate;

/// The format octet of a point that is not compressed, which DNSKEY leaves out (RFC 6605 §4).
const UNCOMPRESSED: u8 = 0x04;

/// The signature checks that a bundle takes.
pub(crate) struct Floor {
    operations: Vec<Operation>,
}

/// One signature check.
struct Operation {
    key: Key,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// A public key as the back end takes it, and what is asked of it.
enum Key {
    /// PKCS #1 v1.5 with SHA-256: algorithm 8 of DNSSEC.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// ECDSA with the two integers side by side, algorithm 13 of DNSSEC, or RSASSA-PSS.
    Other(UnparsedPublicKey<Vec<u8>>),
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
        let mut operations = zone_operations(&chain);

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
        operations.push(certificate_operation(&organisation, &organisation));
        operations.extend(
            member
                .iter()
                .map(|member| certificate_operation(member, &organisation)),
        );
        let [signer] = signed_data.signer_infos.0.as_slice() else {
            panic!("one signs");
        };
        let attributes = signer.signed_attrs.as_ref().expect("attributes are signed");
        operations.push(Operation {
            key: rsa_pss(member.as_ref().unwrap_or(&organisation)),
            message: attributes.to_der().expect("a SET can be written again"),
            signature: signer.signature.as_bytes().to_vec(),
        });

        let floor = Self { operations };
        floor.check(bundle, verifier);
        floor
    }

    fn check(&self, bundle: &[u8], verifier: &Verifier) {
        assert!(self.run());
        verifier.verify_bundle(bundle).expect("the bundle is good");
        for Operation { signature, .. } in &self.operations {
            let mut places = bundle.windows(signature.len()).enumerate();
            let (at, _) = places
                .find(|(_, octets)| octets == signature)
                .expect("it is of this bundle");
            let mut broken = bundle.to_vec();
            broken[at + signature.len() - 1] ^= 1;
            verifier
                .verify_bundle(&broken)
                .expect_err("each signature is checked");
        }
    }

    /// How many operations there are.
    pub(crate) fn len(&self) -> usize {
        self.operations.len()
    }

    /// Runs them all; says whether all signatures are good.
    pub(crate) fn run(&self) -> bool {
        self.operations.iter().all(Operation::run)
    }

    /// The check of the signature over the content, with a key that has been read before: what is left when all else is
    /// known.
    pub(crate) fn last_with_its_key_read(&self) -> impl Fn() -> bool + use<'_> {
        let operation = self.operations.last().expect("there are operations");
        let Key::Other(key) = &operation.key else {
            panic!("nobody signs content with the keys of zones");
        };
        let key = ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.as_ref())
            .expect("the key was read before");
        move || {
            key.verify_sig(&operation.message, &operation.signature)
                .is_ok()
        }
    }
}

impl Operation {
    fn run(&self) -> bool {
        let (message, signature) = (&self.message, &self.signature);
        match &self.key {
            Key::Rsa(key) => {
                let algorithm = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                key.verify(algorithm, message, signature).is_ok()
            }
            Key::Other(key) => key.verify(message, signature).is_ok(),
        }
    }
}

/// The key of a certificate, for RSASSA-PSS with SHA-256.
fn rsa_pss(certificate: &Certificate) -> Key {
    let subject_public_key = &certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key;
    Key::Other(UnparsedPublicKey::new(
        &RSA_PSS_2048_8192_SHA256,
        subject_public_key.raw_bytes().to_vec(),
    ))
}

fn certificate_operation(certificate: &Certificate, issuer: &Certificate) -> Operation {
    Operation {
        key: rsa_pss(issuer),
        message: certificate
            .tbs_certificate()
            .to_der()
            .expect("what is read can be written"),
        signature: certificate.signature().raw_bytes().to_vec(),
    }
}

/// One operation for each RRSIG in the responses.
fn zone_operations(chain: &SetOfVec<OctetString>) -> Vec<Operation> {
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
    let mut operations = Vec::new();
    for message in &messages {
        for record in &message.answers {
            if let RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) = &record.data {
                operations.push(zone_operation(record, rrsig, message, &keys));
            }
        }
    }
    operations
}

fn zone_operation(
    record: &Record,
    rrsig: &RRSIG,
    message: &Message,
    keys: &[(&Name, &DNSKEY)],
) -> Operation {
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
    let signed = TBS::from_input(&record.name, DNSClass::IN, input, message.answers.iter())
        .expect("what is read can be written");
    Operation {
        key: zone_key(input.algorithm, key.public_key().public_bytes()),
        message: signed.as_ref().to_vec(),
        signature: rrsig.sig().to_vec(),
    }
}

fn zone_key(algorithm: Algorithm, octets: &[u8]) -> Key {
    match algorithm {
        // The length of the exponent, the exponent, the modulus (RFC 3110 §2).
        Algorithm::RSASHA256 => {
            let (e, n) = octets[1..].split_at(octets[0].into());
            Key::Rsa(RsaPublicKeyComponents {
                n: n.to_vec(),
                e: e.to_vec(),
            })
        }
        Algorithm::ECDSAP256SHA256 => Key::Other(UnparsedPublicKey::new(
            &ECDSA_P256_SHA256_FIXED,
            [&[UNCOMPRESSED], octets].concat(),
        )),
        _ => panic!("no zone of this world has such keys"),
    }
}
