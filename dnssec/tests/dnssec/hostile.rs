//! Chains that must not verify, and the reason that each is refused for.
//!
//! A new case is a line or a few in one of two tables: [`ATTACKS`], each against one place, and [`AT_EVERY_LINK`],
//! each against every RRset of the chain in turn. What an attack does not mention is as it should be: its signatures
//! are good and its digests right, so that the one rule it breaks is all that stands in its way.

use dnssec::{Chain, Error, Period};
use kliento_fixtures::hostile::{add_keys, colliding_keys, key_trap};
use kliento_fixtures::{
    A, Algorithm, CH, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NXDOMAIN, Name, OPT, Question,
    REVOKE, RRSIG, Record, Response, SECURE_ENTRY_POINT, SERVFAIL, SHA1, SHA256, SHA384, SOA,
    Signing, TXT, World, ZONE_KEY, ZoneKey, ZoneSpec,
};

use crate::support::attempt::{Attempt, Style};
use crate::support::{DAY, HOUR, NOON, OWNER, TEXT, WORLD, period, standard, verify};

const REFUSED: u8 = 5;

impl Attempt {
    /// One with nothing wrong, in [`WORLD`].
    fn honest() -> Self {
        Self::within(WORLD.clone())
    }

    fn within(world: World) -> Self {
        Self::in_world(Style::Nsec, world, OWNER, TXT)
    }

    /// The same question in a world that is another from the anchor down.
    fn move_to(&mut self, world: World) {
        *self = Self::within(world);
    }

    /// The same question in a world where `example.com.` is like this.
    fn with_organisation(&mut self, zone: ZoneSpec) {
        self.move_to(organisation(zone));
    }

    fn of(&mut self, name: &str, record_type: u16) -> &mut Response {
        self.responses.of(name, record_type)
    }

    /// Signs an RRset anew, as the world does but for `change`.
    fn sign(&mut self, name: &str, record_type: u16, change: impl Fn(Signing) -> Signing) {
        let signing = change(self.world.signing_for(name, record_type));
        self.responses.of(name, record_type).sign(&signing);
    }

    /// Changes an RRset's data and signs it as the world does.
    fn republish(&mut self, name: &str, record_type: u16, change: impl Fn(&mut Response)) {
        let response = self.responses.of(name, record_type);
        change(response);
        self.world.resign(response);
    }

    /// Has the parent of `example.com.` publish this as its only DS.
    fn publish_ds(&mut self, rdata: &[u8]) {
        self.republish("example.com.", DS, |ds| {
            ds.answers = vec![Record::new("example.com.", DS, rdata)];
        });
    }

    /// The DS of `example.com.`.
    fn ds(&mut self) -> Vec<u8> {
        let ds = self.responses.of("example.com.", DS);
        ds.of_type(DS).next().expect("there is a DS").rdata.clone()
    }

    fn outcome(&self, period: Period) -> Result<crate::support::Proven, Error> {
        verify(
            &self.messages(),
            &self.name,
            self.record_type,
            &self.anchors,
            period,
        )
    }
}

/// Root, TLD and organisation, the last as given.
fn organisation(zone: ZoneSpec) -> World {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .with_zone(zone)
        .txt(OWNER, TEXT)
        .build()
}

fn p256() -> ZoneSpec {
    ZoneSpec::new("example.com.", Algorithm::EcdsaP256Sha256)
}

/// Changes the RDATA of every RRSIG in the answer section.
fn edit_rrsigs(response: &mut Response, edit: impl Fn(&mut Vec<u8>)) {
    for rrsig in response.of_type_mut(RRSIG) {
        edit(&mut rrsig.rdata);
    }
}

/// A message with an answer to [`OWNER`] TXT whose owner name is given as octets.
fn answer_with_owner(owner: &[u8]) -> Vec<u8> {
    let mut message = Response::new(OWNER, TXT).to_message();
    message[7] = 1;
    message.extend_from_slice(owner);
    message.extend_from_slice(b"\x00\x10\x00\x01\x00\x00\x0e\x10\x00\x02\x01x");
    message
}

/// Where the first record after the question for [`OWNER`] starts.
const AFTER_QUESTION: u8 = 12 + 21 + 4;

/// What is attacked and how; what the attacker does; the reason for which he fails.
type Attack = (&'static str, fn(&mut Attempt), &'static str);

const ATTACKS: &[Attack] = &[
    // Keys: who may sign a DNSKEY RRset (RFC 4035 §5.2)
    (
        "a stranger's key joins the zone's DNSKEY RRset and signs everything",
        |chain| {
            let anchors = chain.anchors.clone();
            chain.move_to(WORLD.usurped("example.com."));
            chain.anchors = anchors;
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a stranger's key joins the TLD's",
        |chain| chain.responses = WORLD.usurped("com.").responses(OWNER, TXT),
        "dnssec.dnskey_not_committed",
    ),
    (
        "a stranger's key joins the root's",
        |chain| chain.responses = WORLD.usurped(".").responses(OWNER, TXT),
        "dnssec.dnskey_not_committed",
    ),
    (
        "another root",
        |chain| chain.responses = standard().txt(OWNER, TEXT).build().responses(OWNER, TXT),
        "dnssec.dnskey_not_committed",
    ),
    (
        "another root, with the anchor as a DNSKEY",
        |chain| {
            chain.anchors = chain.world.anchors_as_dnskeys();
            chain.responses = standard().txt(OWNER, TEXT).build().responses(OWNER, TXT);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "the DNSKEY RRset is signed by the zone's own ZSK alone",
        |chain| {
            let zsk = chain.world.signing("example.com.", KeyRole::Zsk);
            chain.of("example.com.", DNSKEY).sign(&zsk);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "the root's DNSKEY RRset is signed by its own ZSK alone",
        |chain| {
            let zsk = chain.world.signing(".", KeyRole::Zsk);
            chain.of(".", DNSKEY).sign(&zsk);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "the KSK stands in the DNSKEY RRset, but its signature is random",
        |chain| {
            chain.sign("example.com.", DNSKEY, |signing| {
                signing
                    .key(Key::random_junk(13))
                    .key_tag(WORLD.zone("example.com.").committed_key().key_tag())
            });
        },
        "dnssec.bad_signature",
    ),
    (
        "the DNSKEY RRset is signed by a key that the DS commits to and that is not in the RRset",
        |chain| {
            let other = ZoneKey::new(Key::generate(Algorithm::EcdsaP256Sha256), ZONE_KEY);
            chain.publish_ds(&other.ds_rdata(&Name::from("example.com."), SHA256));
            chain.sign("example.com.", DNSKEY, |signing| {
                signing.zone_key(other.clone())
            });
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "the parent's key signs the child's DNSKEY RRset",
        |chain| {
            let parent = chain.world.signing("com.", KeyRole::Ksk);
            chain.of("example.com.", DNSKEY).sign(&parent);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "the parent's key signs the child's DNSKEY RRset in the child's name",
        |chain| {
            let parent = chain.world.signing("com.", KeyRole::Ksk);
            chain
                .of("example.com.", DNSKEY)
                .sign(&parent.signer("example.com."));
        },
        "dnssec.dnskey_not_committed",
    ),
    // Keys: which may sign at all (RFC 4034 §2.1, RFC 5011 §2.1)
    (
        "a revoked KSK that the DS commits to",
        |chain| chain.with_organisation(p256().ksk_flags(ZONE_KEY | SECURE_ENTRY_POINT | REVOKE)),
        "dnssec.dnskey_not_committed",
    ),
    (
        "a revoked ZSK",
        |chain| chain.with_organisation(p256().zsk_flags(ZONE_KEY | REVOKE)),
        "dnssec.no_matching_key",
    ),
    (
        "a KSK without the zone bit that the DS commits to",
        |chain| chain.with_organisation(p256().ksk_flags(SECURE_ENTRY_POINT)),
        "dnssec.dnskey_not_committed",
    ),
    (
        "a ZSK without the zone bit",
        |chain| chain.with_organisation(p256().zsk_flags(0)),
        "dnssec.no_matching_key",
    ),
    (
        "a KSK with another protocol than 3 that the DS commits to",
        |chain| chain.with_organisation(p256().ksk_protocol(2)),
        "dnssec.dnskey_not_committed",
    ),
    (
        "a ZSK with another protocol than 3",
        |chain| chain.with_organisation(p256().zsk_protocol(255)),
        "dnssec.no_matching_key",
    ),
    (
        "the ZSK of the parent, which signs the DS, is revoked",
        |chain| {
            chain.move_to(
                World::builder()
                    .at(NOON)
                    .zone(".", Algorithm::Ed25519)
                    .with_zone(
                        ZoneSpec::new("com.", Algorithm::Ed25519).zsk_flags(ZONE_KEY | REVOKE),
                    )
                    .with_zone(p256())
                    .txt(OWNER, TEXT)
                    .build(),
            );
        },
        "dnssec.no_matching_key",
    ),
    (
        "a root key that was revoked, with an anchor for it as it is now",
        |chain| {
            let root = ZoneSpec::new(".", Algorithm::Ed25519).ksk_flags(ZONE_KEY | REVOKE);
            chain.move_to(
                World::builder()
                    .at(NOON)
                    .with_zone(root)
                    .txt(OWNER, TEXT)
                    .build(),
            );
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a root key that was revoked, as a DNSKEY anchor",
        |chain| {
            let root = ZoneSpec::new(".", Algorithm::Ed25519).ksk_flags(ZONE_KEY | REVOKE);
            chain.move_to(
                World::builder()
                    .at(NOON)
                    .with_zone(root)
                    .txt(OWNER, TEXT)
                    .build(),
            );
            chain.anchors = chain.world.anchors_as_dnskeys();
        },
        "dnssec.dnskey_not_committed",
    ),
    // Algorithms
    (
        "RSA with SHA-1",
        |chain| chain.with_organisation(ZoneSpec::new("example.com.", Algorithm::RsaSha1)),
        "dnssec.insecure_delegation",
    ),
    (
        "RSA with SHA-1, as zones with NSEC3 have it",
        |chain| chain.with_organisation(ZoneSpec::new("example.com.", Algorithm::RsaSha1Nsec3Sha1)),
        "dnssec.insecure_delegation",
    ),
    (
        "a ZSK of RSA with SHA-1 under a good KSK",
        |chain| chain.with_organisation(p256().zsk(Key::generate(Algorithm::RsaSha1))),
        "dnssec.unsupported_algorithm",
    ),
    (
        "a KSK of RSA with SHA-1 over a good ZSK",
        |chain| chain.with_organisation(p256().ksk(Key::generate(Algorithm::RsaSha1))),
        "dnssec.insecure_delegation",
    ),
    (
        "an RSA key of 1,023 bits",
        |chain| chain.with_organisation(p256().csk(Key::recorded_rsa(Algorithm::RsaSha256, 1_023))),
        "dnssec.bad_signature",
    ),
    (
        "an RSA ZSK of 512 bits",
        |chain| chain.with_organisation(p256().zsk(Key::recorded_rsa(Algorithm::RsaSha256, 512))),
        "dnssec.bad_signature",
    ),
    (
        "an RSA ZSK of 1,023 bits with SHA-512",
        |chain| chain.with_organisation(p256().zsk(Key::recorded_rsa(Algorithm::RsaSha512, 1_023))),
        "dnssec.bad_signature",
    ),
    (
        "an RSA/SHA-256 signature under the number of RSA/SHA-512",
        |chain| {
            chain.with_organisation(p256().zsk(Key::recorded_rsa(Algorithm::RsaSha256, 2_048)));
            chain.sign(OWNER, TXT, |signing| signing.algorithm(10));
        },
        "dnssec.no_matching_key",
    ),
    (
        "an Ed25519 key in other bytes than RFC 8080's 32: as a SubjectPublicKeyInfo",
        |chain| {
            let key = Key::generate(Algorithm::Ed25519);
            let wrapped = [
                &b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..],
                key.public_key(),
            ];
            let wrapped = ZoneKey::new(Key::junk(15, wrapped.concat()), ZONE_KEY);
            chain.with_organisation(p256().extra_key(wrapped.clone()));
            chain.sign(OWNER, TXT, |signing| {
                signing.key(key.clone()).key_tag(wrapped.key_tag())
            });
        },
        "dnssec.bad_signature",
    ),
    (
        "a key that is no key",
        |chain| {
            let empty = ZoneKey::new(Key::junk(8, *b""), ZONE_KEY);
            chain.with_organisation(p256().extra_key(empty.clone()));
            chain.sign(OWNER, TXT, |signing| signing.zone_key(empty.clone()));
        },
        "dnssec.bad_signature",
    ),
    // Delegations (RFC 4034 §5, RFC 4035 §5.2)
    (
        "the child signs its own DS",
        |chain| {
            let child = chain.world.signing("example.com.", KeyRole::Ksk);
            chain.of("example.com.", DS).sign(&child);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "the child signs its own DS in the parent's name",
        |chain| {
            let child = chain.world.signing("example.com.", KeyRole::Ksk);
            chain.of("example.com.", DS).sign(&child.signer("com."));
        },
        "dnssec.no_matching_key",
    ),
    (
        "the child signs its own DS in the parent's name and with its key's tag",
        |chain| {
            let tag = chain.world.zone("com.").key(KeyRole::Zsk).key_tag();
            chain.sign("example.com.", DS, |signing| {
                signing.key(Key::generate(Algorithm::Ed25519)).key_tag(tag)
            });
        },
        "dnssec.bad_signature",
    ),
    (
        "another TLD signs the DS",
        |chain| {
            chain.move_to(
                standard()
                    .zone("org.", Algorithm::Ed25519)
                    .txt(OWNER, TEXT)
                    .build(),
            );
            let org = chain.world.signing("org.", KeyRole::Zsk);
            chain.of("example.com.", DS).sign(&org);
            chain
                .responses
                .0
                .extend(chain.world.responses("org.", DNSKEY).0);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "a DS of the root, to lead to a stranger's root",
        |chain| {
            let stranger = standard().txt(OWNER, TEXT).build();
            chain.responses = stranger.responses(OWNER, TXT);
            let mut ds = Response::new(".", DS);
            let rdata = stranger
                .zone(".")
                .committed_key()
                .ds_rdata(&Name::root(), SHA256);
            ds.answers.push(Record::new(".", DS, rdata));
            ds.sign(&stranger.signing(".", KeyRole::Ksk));
            chain.responses.0.push(ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a DS with another key's tag",
        |chain| {
            let mut ds = chain.ds();
            ds[1] ^= 1;
            chain.publish_ds(&ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a DS with another algorithm than its key's",
        |chain| {
            let mut ds = chain.ds();
            ds[2] = 14;
            chain.publish_ds(&ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a DS with a wrong digest",
        |chain| {
            let mut ds = chain.ds();
            ds[35] ^= 1;
            chain.publish_ds(&ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a DS with the start of the digest",
        |chain| {
            let mut ds = chain.ds();
            ds.truncate(4 + 16);
            chain.publish_ds(&ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a DS with no digest",
        |chain| {
            let mut ds = chain.ds();
            ds.truncate(4);
            chain.publish_ds(&ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "a DS with a SHA-256 digest said to be SHA-384's",
        |chain| {
            let mut ds = chain.ds();
            ds[3] = SHA384;
            chain.publish_ds(&ds);
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "the DS of the same key in another zone",
        |chain| {
            let key = chain.world.zone("example.com.").committed_key().clone();
            chain.publish_ds(&key.ds_rdata(&Name::from("example.net."), SHA256));
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "the DS of another zone in the same TLD",
        |chain| {
            let sibling = ZoneSpec::new("sibling.com.", Algorithm::Ed25519);
            chain.move_to(standard().with_zone(sibling).txt(OWNER, TEXT).build());
            chain.responses.remove("example.com.", DS);
            let mut ds = chain.world.answer("sibling.com.", DS);
            ds.questions[0].name = Name::from("example.com.");
            chain.responses.0.push(ds);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a DS with a SHA-1 digest alone",
        |chain| chain.with_organisation(p256().ds_digests(&[SHA1])),
        "dnssec.insecure_delegation",
    ),
    (
        "DS records with unknown digests alone",
        |chain| chain.with_organisation(p256().ds_digests(&[0, SHA1, 3, 5, 200])),
        "dnssec.insecure_delegation",
    ),
    (
        "a DS with an unknown algorithm alone",
        |chain| {
            let mut ds = chain.ds();
            ds[2] = 16;
            chain.publish_ds(&ds);
        },
        "dnssec.insecure_delegation",
    ),
    (
        "a DS too short to be one",
        |chain| chain.publish_ds(&[1, 2, 13]),
        "dnssec.insecure_delegation",
    ),
    (
        "one DS with a known algorithm and an unknown digest, another the other way round",
        |chain| {
            let (mut first, mut second) = (chain.ds(), chain.ds());
            (first[3], second[2]) = (200, 16);
            chain.republish("example.com.", DS, |ds| {
                ds.answers = [&first, &second]
                    .map(|rdata| Record::new("example.com.", DS, &rdata[..]))
                    .to_vec();
            });
        },
        "dnssec.insecure_delegation",
    ),
    (
        "a zone that its parent proves to be unsigned",
        |chain| chain.with_organisation(p256().insecure()),
        "dnssec.insecure_delegation",
    ),
    // Anchors
    (
        "no anchor at or above the name",
        |chain| chain.anchors = chain.anchors.replacen('.', "example.org.", 1),
        "dnssec.no_trust_anchor",
    ),
    (
        "no anchor at or above the name, nor a chain",
        |chain| {
            chain.anchors = chain.anchors.replacen('.', "example.org.", 1);
            chain.responses.0.clear();
        },
        "dnssec.no_trust_anchor",
    ),
    (
        "an anchor for the name itself, which its zone's parent cannot use",
        |chain| chain.anchors = chain.anchors.replacen('.', OWNER, 1),
        "dnssec.no_trust_anchor",
    ),
    (
        "an anchor for a zone whose parent signed the answer",
        |chain| {
            let parent = chain.world.signing("com.", KeyRole::Zsk);
            chain.answer().sign(&parent);
            let com_below = chain.world.zone("example.com.").committed_key().clone();
            let digest = com_below.ds_rdata(&Name::from("example.com."), SHA256);
            let digest = data_encoding::HEXLOWER.encode(&digest[4..]);
            chain.anchors = format!("example.com. DS {} 13 2 {digest}", com_below.key_tag());
        },
        "dnssec.no_trust_anchor",
    ),
    (
        "an anchor with a SHA-1 digest",
        |chain| {
            let root = chain.world.zone(".").committed_key().clone();
            let digest = root.ds_rdata(&Name::root(), SHA1);
            let digest = data_encoding::HEXLOWER.encode(&digest[4..]);
            chain.anchors = format!(". DS {} 14 1 {digest}", root.key_tag());
        },
        "dnssec.dnskey_not_committed",
    ),
    (
        "an anchor that was over before the time asked for",
        |chain| {
            let root = chain.world.zone(".").committed_key().clone();
            let digest = data_encoding::HEXUPPER.encode(&root.ds_rdata(&Name::root(), SHA256)[4..]);
            chain.anchors = format!(
                r#"<TrustAnchor><Zone>.</Zone>
                <KeyDigest validFrom="2010-07-15T00:00:00Z" validUntil="2026-11-21T12:00:00Z">
                <KeyTag>{}</KeyTag><Algorithm>14</Algorithm><DigestType>2</DigestType>
                <Digest>{digest}</Digest></KeyDigest></TrustAnchor>"#,
                root.key_tag(),
            );
            chain.period = period(NOON, NOON + DAY);
        },
        "dnssec.not_valid_together",
    ),
    // Signers and labels (RFC 4035 §5.3.1)
    (
        "another domain of the TLD signs the answer",
        |chain| {
            chain.move_to(
                standard()
                    .zone("evil.com.", Algorithm::EcdsaP256Sha256)
                    .txt(OWNER, TEXT)
                    .build(),
            );
            let evil = chain.world.signing("evil.com.", KeyRole::Zsk);
            chain.answer().sign(&evil);
            chain
                .responses
                .0
                .extend(chain.world.responses("evil.com.", DNSKEY).0);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "another domain whose name ends in the same bytes signs the answer",
        |chain| {
            chain.move_to(
                standard()
                    .zone("ample.com.", Algorithm::EcdsaP256Sha256)
                    .txt(OWNER, TEXT)
                    .build(),
            );
            let evil = chain.world.signing("ample.com.", KeyRole::Zsk);
            chain.answer().sign(&evil);
            chain
                .responses
                .0
                .extend(chain.world.responses("ample.com.", DNSKEY).0);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "a zone below the answer signs it",
        |chain| {
            let below = "below._veraid.example.com.";
            chain.move_to(
                standard()
                    .zone(below, Algorithm::Ed25519)
                    .txt(OWNER, TEXT)
                    .build(),
            );
            let evil = chain.world.signing(below, KeyRole::Zsk);
            chain.answer().sign(&evil);
            chain
                .responses
                .0
                .extend(chain.world.responses(below, DNSKEY).0);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "another domain signs the answer in the organisation's name",
        |chain| {
            chain.sign(OWNER, TXT, |signing| {
                signing.key(Key::generate(Algorithm::EcdsaP256Sha256))
            });
        },
        "dnssec.no_matching_key",
    ),
    (
        "an expansion of a wildcard, with no proof that there is no closer name",
        |chain| {
            chain.move_to(standard().txt("*.example.com.", TEXT).build());
            chain.answer().authorities.clear();
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an expansion of the TLD's wildcard, where another zone is",
        |chain| chain.sign(OWNER, TXT, |signing| signing.labels(1)),
        "dnssec.too_few_labels",
    ),
    (
        "a wildcard's own records under another name, where that exists",
        |chain| {
            chain.move_to(
                standard()
                    .txt("*.example.com.", TEXT)
                    .record(Record::mx(OWNER, 1, OWNER))
                    .build(),
            );
            let mut wildcard = chain.world.answer("*.example.com.", TXT);
            for record in &mut wildcard.answers {
                record.owner = Name::from(OWNER);
            }
            chain.answer().answers = wildcard.answers;
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an asterisk counted as a label",
        |chain| {
            chain.move_to(standard().txt("*.example.com.", TEXT).build());
            chain.responses = chain.world.responses("*.example.com.", TXT);
            "*.example.com.".clone_into(&mut chain.name);
            let signing = chain.world.signing("example.com.", KeyRole::Zsk).labels(3);
            chain.of("*.example.com.", TXT).sign(&signing);
        },
        "dnssec.too_many_labels",
    ),
    (
        "the root's DS, signed by the root",
        |chain| {
            let root = chain.world.zone(".").committed_key().clone();
            let mut ds = Response::new(".", DS);
            ds.answers
                .push(Record::new(".", DS, root.ds_rdata(&Name::root(), SHA256)));
            ds.sign(&chain.world.signing(".", KeyRole::Zsk));
            chain.responses.0.push(ds);
            (chain.name, chain.record_type) = (".".to_owned(), DS);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "a DS asked for, signed by the child",
        |chain| {
            let child = chain.world.signing("example.com.", KeyRole::Zsk);
            chain.of("example.com.", DS).sign(&child);
            (chain.name, chain.record_type) = ("example.com.".to_owned(), DS);
        },
        "dnssec.signer_off_tree",
    ),
    // What a signature covers (RFC 4034 §3.1.8.1)
    (
        "a changed text",
        |chain| {
            chain
                .answer()
                .data_mut()
                .for_each(|record| record.rdata[1] ^= 1);
        },
        "dnssec.bad_signature",
    ),
    (
        "a record added",
        |chain| {
            chain
                .answer()
                .answers
                .insert(0, Record::txt(OWNER, "1 mine 60"));
        },
        "dnssec.bad_signature",
    ),
    (
        "a record taken away",
        |chain| {
            chain.move_to(
                standard()
                    .txt(OWNER, TEXT)
                    .txt(OWNER, "v=spf1 -all")
                    .build(),
            );
            chain.answer().answers.remove(0);
        },
        "dnssec.bad_signature",
    ),
    (
        "one text cut into two strings",
        |chain| {
            chain.answer().data_mut().for_each(|record| {
                *record =
                    Record::txt_strings(OWNER, &[&TEXT.as_bytes()[..5], &TEXT.as_bytes()[5..]]);
            });
        },
        "dnssec.bad_signature",
    ),
    (
        "an original TTL changed",
        |chain| edit_rrsigs(chain.answer(), |rdata| rdata[7] ^= 1),
        "dnssec.bad_signature",
    ),
    (
        "an expiration moved by a second",
        |chain| edit_rrsigs(chain.answer(), |rdata| rdata[11] ^= 1),
        "dnssec.bad_signature",
    ),
    (
        "an inception moved by a second",
        |chain| edit_rrsigs(chain.answer(), |rdata| rdata[15] ^= 1),
        "dnssec.bad_signature",
    ),
    (
        "a Labels field raised to make an expansion look like a name of its own",
        |chain| {
            chain.move_to(standard().txt("*.example.com.", TEXT).build());
            edit_rrsigs(chain.answer(), |rdata| rdata[3] = 3);
        },
        "dnssec.bad_signature",
    ),
    (
        "an RRSIG that covers the MX RRset",
        |chain| {
            chain.move_to(
                standard()
                    .txt(OWNER, TEXT)
                    .record(Record::mx(OWNER, 1, OWNER))
                    .build(),
            );
            let mx = chain.world.answer(OWNER, MX);
            chain.answer().drop_signatures().answers.extend(mx.answers);
        },
        "dnssec.no_rrsig",
    ),
    (
        "the RRSIG of the MX RRset, said to cover TXT",
        |chain| {
            chain.move_to(
                standard()
                    .txt(OWNER, TEXT)
                    .record(Record::mx(OWNER, 1, OWNER))
                    .build(),
            );
            let mx = chain.world.answer(OWNER, MX);
            chain.answer().drop_signatures().answers.extend(mx.answers);
            edit_rrsigs(chain.answer(), |rdata| rdata[1] = 16);
        },
        "dnssec.bad_signature",
    ),
    (
        "a sibling's records and RRSIG under this name",
        |chain| {
            let evil = "_veraid-evil.example.com.";
            chain.move_to(standard().txt(OWNER, TEXT).txt(evil, "1 mine 60").build());
            chain.answer().answers = chain.world.answer(evil, TXT).answers;
            for record in &mut chain.responses.of(OWNER, TXT).answers {
                record.owner = Name::from(OWNER);
            }
        },
        "dnssec.bad_signature",
    ),
    (
        "another name's RRSIG beside these records",
        |chain| {
            let evil = "_veraid-evil.example.com.";
            chain.move_to(standard().txt(OWNER, TEXT).txt(evil, TEXT).build());
            let rrsig = chain.world.answer(evil, TXT).answers.remove(1);
            chain.answer().drop_signatures().answers.push(rrsig);
        },
        "dnssec.no_rrsig",
    ),
    (
        "a text that the zone no longer publishes, with the RRSIG of the one it does",
        |chain| chain.responses.answer().answers[0] = Record::txt(OWNER, "1 old 60"),
        "dnssec.bad_signature",
    ),
    (
        "a signature of zeros",
        |chain| {
            edit_rrsigs(chain.answer(), |rdata| {
                let signature = rdata.len() - 64;
                rdata[signature..].fill(0);
            });
        },
        "dnssec.bad_signature",
    ),
    (
        "no signature in the RRSIG",
        |chain| edit_rrsigs(chain.answer(), |rdata| rdata.truncate(rdata.len() - 64)),
        "dnssec.bad_signature",
    ),
    (
        "a compressed signer's name",
        |chain| {
            edit_rrsigs(chain.answer(), |rdata| {
                let signer = 18..18 + Name::from("example.com.").wire().len();
                // To "example.com." in the question.
                rdata.splice(signer, [0xc0, 12 + 8]);
            });
        },
        "dnssec.no_rrsig",
    ),
    // Times (RFC 4034 §3.1.5): all that is used must hold at one second
    (
        "an answer that was signed before its key was the zone's",
        |chain| {
            chain.sign(OWNER, TXT, |signing| signing.window(NOON, NOON + 10));
            chain.sign("example.com.", DNSKEY, |signing| {
                signing.window(NOON + 11, NOON + DAY)
            });
            chain.period = Period::always();
        },
        "dnssec.not_valid_together",
    ),
    (
        "a DS that had expired before the TLD's keys held",
        |chain| {
            chain.sign("example.com.", DS, |signing| {
                signing.window(NOON - DAY, NOON)
            });
            chain.sign("com.", DNSKEY, |signing| {
                signing.window(NOON + 1, NOON + DAY)
            });
            chain.period = Period::always();
        },
        "dnssec.not_valid_together",
    ),
    (
        "a DNSKEY RRset that was signed before the DS was there",
        |chain| {
            chain.sign("example.com.", DNSKEY, |signing| {
                signing.window(NOON - DAY, NOON)
            });
            chain.sign("example.com.", DS, |signing| {
                signing.window(NOON + 1, NOON + DAY)
            });
            chain.period = Period::always();
        },
        "dnssec.not_valid_together",
    ),
    (
        "each link holds together with the next, but not all together",
        |chain| {
            chain.sign(OWNER, TXT, |signing| signing.window(NOON, NOON + 10));
            chain.sign("example.com.", DNSKEY, |signing| {
                signing.window(NOON + 10, NOON + 20)
            });
            chain.sign("example.com.", DS, |signing| {
                signing.window(NOON + 20, NOON + 30)
            });
            chain.period = Period::always();
        },
        "dnssec.not_valid_together",
    ),
    (
        "a key of last year signs this year, both DNSKEY RRsets in the chain",
        |chain| {
            let key = Key::generate(Algorithm::EcdsaP256Sha256);
            let ksk = chain.world.zone("example.com.").key(KeyRole::Ksk).clone();
            let mut last_year = chain.of("example.com.", DNSKEY).clone();
            let old = ZoneKey::new(key, ZONE_KEY);
            add_keys(&mut last_year, std::slice::from_ref(&old));
            let signing = chain
                .world
                .signing("example.com.", KeyRole::Ksk)
                .zone_key(ksk);
            last_year.sign(&signing.clone().window(NOON - 365 * DAY, NOON - 300 * DAY));
            chain.responses.0.push(last_year);
            chain.sign("example.com.", DS, |signing| {
                signing.window(NOON - 365 * DAY, NOON + DAY)
            });
            chain.sign("com.", DNSKEY, |signing| {
                signing.window(NOON - 365 * DAY, NOON + DAY)
            });
            chain.sign("com.", DS, |signing| {
                signing.window(NOON - 365 * DAY, NOON + DAY)
            });
            chain.sign(".", DNSKEY, |signing| {
                signing.window(NOON - 365 * DAY, NOON + DAY)
            });
            chain.of(OWNER, TXT).sign(&signing.zone_key(old));
            chain.period = Period::always();
        },
        "dnssec.not_valid_together",
    ),
    (
        "a chain that holds before and after the period asked for",
        |chain| {
            let signing = chain.world.signing_for(OWNER, TXT);
            chain
                .answer()
                .sign(&signing.clone().window(NOON - DAY, NOON - 1))
                .add_signature(&signing.window(NOON + 1, NOON + DAY));
        },
        "dnssec.rrsig_expired",
    ),
    (
        "a signature from 2106 on, whose serial number is just below the present's era",
        |chain| chain.sign(OWNER, TXT, |signing| signing.window(-DAY, NOON + DAY)),
        "dnssec.rrsig_not_yet_valid",
    ),
    (
        "a signature that holds for 2^31 seconds, which serial numbers cannot say",
        |chain| chain.sign(OWNER, TXT, |signing| signing.window(NOON, NOON + (1 << 31))),
        "dnssec.rrsig_period",
    ),
    // Messages: only a positive answer to exactly this question counts
    (
        "an alias without what it leads to",
        |chain| {
            chain.move_to(
                standard()
                    .record(Record::of_name(OWNER, CNAME, "target.example.com."))
                    .txt("target.example.com.", TEXT)
                    .build(),
            );
            chain.answer().answers.truncate(2);
        },
        "dnssec.missing_response",
    ),
    (
        "an alias whose target's records are given the alias's name",
        |chain| {
            chain.move_to(
                standard()
                    .record(Record::of_name(OWNER, CNAME, "target.example.com."))
                    .txt("target.example.com.", TEXT)
                    .build(),
            );
            for record in &mut chain.responses.of(OWNER, TXT).answers {
                record.owner = Name::from(OWNER);
            }
        },
        "dnssec.bad_signature",
    ),
    (
        "an alias of a name above, without what it leads to",
        |chain| {
            let mut answer = Response::new(OWNER, TXT);
            answer
                .answers
                .push(Record::of_name("example.com.", DNAME, "evil.com."));
            answer.sign(&chain.world.signing("example.com.", KeyRole::Zsk));
            *chain.answer() = answer;
        },
        "dnssec.missing_response",
    ),
    (
        "an alias of the names below, which leaves the name itself without data",
        |chain| {
            let mut answer = Response::new(OWNER, TXT);
            answer
                .answers
                .push(Record::of_name(OWNER, DNAME, "evil.com."));
            answer.sign(&chain.world.signing("example.com.", KeyRole::Zsk));
            *chain.answer() = answer;
        },
        "dnssec.unproven_denial",
    ),
    (
        "no such data",
        |chain| {
            chain.move_to(
                standard()
                    .record(Record::new(OWNER, A, [127, 0, 0, 1]))
                    .build(),
            );
        },
        "dnssec.absent",
    ),
    (
        "no such name",
        |chain| chain.move_to(standard().build()),
        "dnssec.absent",
    ),
    (
        "no chain at all",
        |chain| chain.responses.0.clear(),
        "dnssec.missing_response",
    ),
    (
        "two answers, one of them another world's",
        |chain| {
            let other = WORLD.with_txt(OWNER, "1 mine 60");
            chain.responses.0.push(other.answer(OWNER, TXT));
        },
        "dnssec.ambiguous_answer",
    ),
    (
        "two good answers that differ",
        |chain| {
            let other = chain.world.with_txt(OWNER, "1 mine 60").answer(OWNER, TXT);
            chain.responses.0.insert(0, other);
        },
        "dnssec.ambiguous_answer",
    ),
    (
        "an answer and a denial",
        |chain| {
            let mut denial = chain.world.answer("nowhere.example.com.", TXT);
            denial.questions = vec![Question::new(OWNER, TXT)];
            denial.rcode = NXDOMAIN;
            chain.responses.0.push(denial);
        },
        "dnssec.ambiguous_answer",
    ),
    (
        "an answer to the question for another type",
        |chain| chain.answer().questions[0].record_type = SOA,
        "dnssec.missing_response",
    ),
    (
        "an answer of another type to the question",
        |chain| {
            chain.move_to(standard().record(Record::mx(OWNER, 1, OWNER)).build());
            chain.responses = chain.world.responses(OWNER, MX);
            chain.of(OWNER, MX).questions[0].record_type = TXT;
        },
        "dnssec.unproven_denial",
    ),
    (
        "no question",
        |chain| chain.answer().questions.clear(),
        "dnssec.missing_response",
    ),
    (
        "an extended response code: BADVERS",
        |chain| {
            let mut opt = Record::opt();
            opt.ttl = 0x0100_0000;
            assert_eq!(opt.record_type, OPT);
            chain.answer().additionals.push(opt);
        },
        "dnssec.response_code",
    ),
    (
        "RDATA with a name that reaches past its end",
        |chain| {
            chain.move_to(
                standard()
                    .record(Record::mx("example.com.", 1, "example.com."))
                    .build(),
            );
            chain.responses = chain.world.responses("example.com.", MX);
            (chain.name, chain.record_type) = ("example.com.".to_owned(), MX);
            let mx = chain.of("example.com.", MX);
            mx.compress = false;
            mx.data_mut()
                .for_each(|record| record.rdata = b"\x00\x01\x07example".to_vec());
        },
        "dnssec.malformed_record",
    ),
    (
        "RDATA too short for its type",
        |chain| {
            chain.move_to(
                standard()
                    .record(Record::mx("example.com.", 1, "example.com."))
                    .build(),
            );
            chain.responses = chain.world.responses("example.com.", MX);
            (chain.name, chain.record_type) = ("example.com.".to_owned(), MX);
            chain
                .of("example.com.", MX)
                .data_mut()
                .for_each(|record| record.rdata.truncate(1));
        },
        "dnssec.malformed_record",
    ),
    (
        "a compression pointer to itself",
        |chain| {
            chain
                .octets
                .push(answer_with_owner(&[0xc0, AFTER_QUESTION]));
        },
        "dnssec.malformed_response",
    ),
    (
        "a compression pointer forward",
        |chain| {
            chain
                .octets
                .push(answer_with_owner(&[0xc0, AFTER_QUESTION + 2]));
        },
        "dnssec.malformed_response",
    ),
    (
        "a label and a pointer back to it",
        |chain| {
            chain
                .octets
                .push(answer_with_owner(&[1, b'a', 0xc0, AFTER_QUESTION]));
        },
        "dnssec.malformed_response",
    ),
    (
        "a name of 257 bytes",
        |chain| {
            let label = [&[63][..], &[b'a'; 63]].concat();
            chain
                .octets
                .push(answer_with_owner(&[&label.repeat(4)[..], &[0]].concat()));
        },
        "dnssec.malformed_response",
    ),
    (
        "a label of a type that is no longer",
        |chain| chain.octets.push(answer_with_owner(&[0x41, b'a', 0])),
        "dnssec.malformed_response",
    ),
    (
        "a label of a type that never was",
        |chain| chain.octets.push(answer_with_owner(&[0x81, b'a', 0])),
        "dnssec.malformed_response",
    ),
    (
        "bytes after the last record",
        |chain| {
            chain
                .octets
                .push([WORLD.answer("example.com.", SOA).to_message(), vec![0]].concat());
        },
        "dnssec.malformed_response",
    ),
    (
        "a message of no bytes",
        |chain| chain.octets.push(Vec::new()),
        "dnssec.malformed_response",
    ),
    // Names (RFC 4343, RFC 4034 §6.2)
    (
        "a label with a dot in it, which looks like two",
        |chain| {
            let evil = r"_veraid\.example.com.";
            chain.move_to(standard().txt(evil, TEXT).build());
            chain.responses = chain.world.responses(evil, TXT);
        },
        "dnssec.missing_response",
    ),
    (
        "a label with a dot in it, to the right question",
        |chain| {
            let evil = r"_veraid\.example.com.";
            chain.move_to(standard().txt(evil, TEXT).txt(OWNER, TEXT).build());
            chain.answer().answers = chain.world.answer(evil, TXT).answers;
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name whose first bytes are the right ones",
        |chain| {
            chain.responses = WORLD
                .with_txt("_veraid.example.com.com.", TEXT)
                .responses("_veraid.example.com.com.", TXT);
        },
        "dnssec.missing_response",
    ),
    (
        "bytes that differ by the bit that makes the case of letters",
        |chain| {
            chain.move_to(standard().txt(r"\091veraid\064.example.com.", TEXT).build());
            chain.responses = chain.world.responses(r"\091veraid\064.example.com.", TXT);
            r"\123veraid\096.example.com.".clone_into(&mut chain.name);
        },
        "dnssec.missing_response",
    ),
    // Work (CVE-2023-50387): each of these would hold if it were all tried
    (
        "many keys of one tag, many signatures",
        |chain| {
            chain.with_organisation(p256().zsk(Key::recorded_rsa(Algorithm::RsaSha256, 2_048)));
            key_trap(&chain.world, &mut chain.responses, "example.com.", 40, 40);
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many signatures of one key over the answer",
        |chain| {
            let signing = chain.world.signing_for(OWNER, TXT);
            chain
                .answer()
                .drop_signatures()
                .add_forged_signatures(&signing, 200)
                .add_signature(&signing);
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many signatures of one key over the answer, the good one first",
        |chain| {
            let signing = chain.world.signing_for(OWNER, TXT);
            chain.answer().add_forged_signatures(&signing, 200);
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many signatures of one key over the root's keys",
        |chain| {
            let signing = chain.world.signing_for(".", DNSKEY);
            chain
                .of(".", DNSKEY)
                .drop_signatures()
                .add_forged_signatures(&signing, 200)
                .add_signature(&signing);
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many signatures of one key over a DS RRset",
        |chain| {
            let signing = chain.world.signing_for("com.", DS);
            chain
                .of("com.", DS)
                .drop_signatures()
                .add_forged_signatures(&signing, 200)
                .add_signature(&signing);
        },
        "dnssec.budget_exhausted",
    ),
    (
        "some signatures over each RRset, few enough by themselves",
        |chain| {
            for (owner, record_type) in LINKS {
                let signing = chain.world.signing_for(owner, record_type);
                chain
                    .of(owner, record_type)
                    .add_forged_signatures(&signing, 10);
            }
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many DNSKEY responses with a forged signature each",
        |chain| {
            let signing = chain.world.signing_for("example.com.", DNSKEY);
            for _ in 0..100 {
                let mut forged = chain.of("example.com.", DNSKEY).clone();
                forged.drop_signatures().add_forged_signatures(&signing, 1);
                chain.responses.0.insert(0, forged);
            }
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many keys and signatures that match but for their times, so that none is checked",
        |chain| {
            let zsk = chain.world.zone("example.com.").key(KeyRole::Zsk).clone();
            let colliding = colliding_keys(zsk.key.algorithm(), zsk.key_tag(), 60);
            chain.republish("example.com.", DNSKEY, |response| {
                add_keys(response, &colliding);
            });
            chain.sign("example.com.", DNSKEY, |signing| {
                signing.window(NOON, NOON + HOUR)
            });
            let late = chain
                .world
                .signing_for(OWNER, TXT)
                .window(NOON + DAY, NOON + 2 * DAY);
            chain.answer().add_forged_signatures(&late, 60);
            chain.period = Period::always();
        },
        "dnssec.budget_exhausted",
    ),
    (
        "many DS records and many keys, all with one tag",
        |chain| {
            let key = chain.world.zone("example.com.").committed_key().clone();
            let colliding = colliding_keys(key.key.algorithm(), key.key_tag(), 30);
            chain.republish("example.com.", DNSKEY, |response| {
                add_keys(response, &colliding);
            });
            let ds = chain.ds();
            chain.republish("example.com.", DS, |response| {
                for number in 0..30 {
                    let mut wrong = ds.clone();
                    wrong[35] ^= number + 1;
                    response
                        .answers
                        .insert(0, Record::new("example.com.", DS, wrong));
                }
            });
        },
        "dnssec.budget_exhausted",
    ),
    (
        "much work that a missing link makes pointless",
        |chain| {
            let signing = chain.world.signing_for(".", DNSKEY);
            chain
                .of(".", DNSKEY)
                .drop_signatures()
                .add_forged_signatures(&signing, 200);
            chain.responses.remove("example.com.", DS);
        },
        "dnssec.missing_response",
    ),
    (
        "more responses than any chain has",
        |chain| {
            chain
                .octets
                .resize(513, Response::new("org.", A).to_message());
        },
        "dnssec.chain_too_large",
    ),
    (
        "more records than any chain has",
        |chain| {
            let mut response = Response::new("org.", A);
            response.answers = vec![Record::new(".", A, [127, 0, 0, 1]); 4_096];
            chain.octets = vec![response.to_message(); 2];
        },
        "dnssec.chain_too_large",
    ),
];

/// The RRsets that prove the answer of [`WORLD`], and the answer.
const LINKS: [(&str, u16); 6] = [
    (".", DNSKEY),
    ("com.", DS),
    ("com.", DNSKEY),
    ("example.com.", DS),
    ("example.com.", DNSKEY),
    (OWNER, TXT),
];

/// What is done to a response, with what signs it; the reason for which the chain is refused then.
type Damage = (&'static str, fn(&mut Response, Signing), &'static str);

const AT_EVERY_LINK: &[Damage] = &[
    (
        "gone",
        |response, _| response.questions[0].name = Name::from("gone."),
        "dnssec.missing_response",
    ),
    (
        "unsigned",
        |response, _| _ = response.drop_signatures(),
        "dnssec.no_rrsig",
    ),
    (
        "expired",
        |response, signing| _ = response.sign(&signing.expired()),
        "dnssec.rrsig_expired",
    ),
    (
        "not yet valid",
        |response, signing| _ = response.sign(&signing.not_yet_valid()),
        "dnssec.rrsig_not_yet_valid",
    ),
    (
        "expired before its inception",
        |response, signing| _ = response.sign(&signing.window(NOON + HOUR, NOON - HOUR)),
        "dnssec.rrsig_period",
    ),
    (
        "expired before its inception, both in the past",
        |response, signing| _ = response.sign(&signing.window(NOON - HOUR, NOON - DAY)),
        "dnssec.rrsig_period",
    ),
    (
        "one bit of the signature wrong",
        |response, signing| _ = response.sign(&signing.corrupt()),
        "dnssec.bad_signature",
    ),
    (
        "signed by an algorithm nobody knows",
        |response, signing| _ = response.sign(&signing.algorithm(253)),
        "dnssec.unsupported_algorithm",
    ),
    (
        "signed with SHA-1 by its number",
        |response, signing| _ = response.sign(&signing.algorithm(7)),
        "dnssec.unsupported_algorithm",
    ),
    (
        "signed in the name of a zone elsewhere",
        |response, signing| _ = response.sign(&signing.signer("org.")),
        "dnssec.signer_off_tree",
    ),
    (
        "signed in the name of a zone below",
        |response, signing| _ = response.sign(&signing.signer("a._veraid.example.com.")),
        "dnssec.signer_off_tree",
    ),
    (
        "more labels than its owner has",
        |response, signing| _ = response.sign(&signing.labels(4)),
        "dnssec.too_many_labels",
    ),
    (
        "255 labels",
        |response, signing| _ = response.sign(&signing.labels(255)),
        "dnssec.too_many_labels",
    ),
    (
        "an RRSIG that covers another type",
        |response, signing| _ = response.sign(&signing.type_covered(A)),
        "dnssec.no_rrsig",
    ),
    (
        "SERVFAIL",
        |response, _| response.rcode = SERVFAIL,
        "dnssec.response_code",
    ),
    (
        "REFUSED",
        |response, _| response.rcode = REFUSED,
        "dnssec.response_code",
    ),
    (
        "a question of class CH",
        |response, _| response.questions[0].class = CH,
        "dnssec.missing_response",
    ),
    (
        "records of class CH",
        |response, signing| {
            response.data_mut().for_each(|record| record.class = CH);
            response.sign(&signing);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an RRSIG of class CH",
        |response, _| {
            response
                .of_type_mut(RRSIG)
                .for_each(|rrsig| rrsig.class = CH);
        },
        "dnssec.no_rrsig",
    ),
    (
        "two questions",
        |response, _| response.questions.push(Question::new("org.", A)),
        "dnssec.missing_response",
    ),
    (
        "the same question twice",
        |response, _| response.questions.push(response.questions[0].clone()),
        "dnssec.missing_response",
    ),
    (
        "in the authority section",
        |response, _| response.authorities = std::mem::take(&mut response.answers),
        "dnssec.unproven_denial",
    ),
    (
        "in the additional section",
        |response, _| response.additionals = std::mem::take(&mut response.answers),
        "dnssec.unproven_denial",
    ),
    (
        "its RRSIG in the authority section",
        |response, _| {
            response.authorities = response
                .answers
                .extract_if(.., |record| record.record_type == RRSIG)
                .collect();
        },
        "dnssec.no_rrsig",
    ),
    (
        "of another owner",
        |response, _| {
            response
                .answers
                .iter_mut()
                .for_each(|record| record.owner = Name::from("gone."));
        },
        "dnssec.unproven_denial",
    ),
    (
        "a record added",
        |response, _| {
            response.answers.push(Record {
                rdata: b"\x01\x00\x03\x0d\xff".to_vec(),
                ..response.answers[0].clone()
            });
        },
        "dnssec.bad_signature",
    ),
    (
        "the RRSIG's original TTL changed",
        |response, _| edit_rrsigs(response, |rdata| rdata[4] ^= 1),
        "dnssec.bad_signature",
    ),
];

/// Tries an attack, and says what came out if it is not what it should be.
fn refusal(attempt: &Attempt, expected: &str) -> Result<(), String> {
    match attempt.outcome(attempt.period) {
        Ok(proven) => return Err(format!("proven for {:?}", proven.validity)),
        Err(error) if error.reason() != expected => {
            return Err(format!("{} ({error}), not {expected}", error.reason()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // What does not hinge on the time asked for must not hold at any.
    let hinges_on_time =
        expected.starts_with("dnssec.rrsig_") || expected == "dnssec.not_valid_together";
    match attempt.outcome(Period::always()) {
        Ok(proven) if !hinges_on_time => Err(format!("proven for {:?} if asked", proven.validity)),
        Ok(proven)
            if proven
                .validity
                .iter()
                .any(|&(from, until)| from <= NOON && NOON <= until) =>
        {
            Err("proven for that very time if asked for all".into())
        }
        _ => Ok(()),
    }
}

#[track_caller]
fn assert_none(failures: &[String]) {
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[test]
fn what_the_attacks_start_from_is_good() {
    let honest = Attempt::honest();
    assert!(honest.outcome(honest.period).is_ok());
    let honest = Attempt::within(organisation(p256()));
    assert!(honest.outcome(honest.period).is_ok());
}

#[test]
fn refuses_every_attack_for_its_reason() {
    let mut failures = Vec::new();
    for (attack, make, reason) in ATTACKS {
        let mut attempt = Attempt::honest();
        make(&mut attempt);
        if let Err(failure) = refusal(&attempt, reason) {
            failures.push(format!("{attack}: {failure}"));
        }
    }
    assert_none(&failures);
}

#[test]
fn refuses_damage_to_any_link() {
    let mut failures = Vec::new();
    for (damage, make, reason) in AT_EVERY_LINK {
        for (owner, record_type) in LINKS {
            let mut attempt = Attempt::honest();
            let signing = attempt.world.signing_for(owner, record_type);
            make(attempt.of(owner, record_type), signing);
            if let Err(failure) = refusal(&attempt, reason) {
                failures.push(format!("{owner} type {record_type}: {damage}: {failure}"));
            }
        }
    }
    assert_none(&failures);
}

/// What delegates never comes from a wildcard, and what else says it does proves nothing without the proof that there is
/// no closer name (RFC 4035 §5.3.4).
#[test]
fn refuses_an_rrset_that_was_expanded_from_a_wildcard() {
    for (owner, record_type) in LINKS {
        for labels in 0..Name::from(owner).label_count() {
            let mut attempt = Attempt::honest();
            attempt.sign(owner, record_type, |signing| signing.labels(labels));
            let reason = match record_type {
                DS | DNSKEY => "dnssec.wildcard",
                _ if labels < 2 => "dnssec.too_few_labels",
                _ => "dnssec.unproven_wildcard",
            };
            assert_eq!(
                refusal(&attempt, reason),
                Ok(()),
                "{owner} {record_type} {labels}"
            );
        }
    }
}

/// However much there is to try, no more is tried than a bound that grows with the zones that were proven, and not with
/// what the sender makes longer at no cost: keys, signatures, the name.
#[test]
fn a_key_trap_costs_little_more_than_an_honest_chain() {
    let deep_owner = format!("{}example.com.", "a.".repeat(115));
    let zone = p256().zsk(Key::recorded_rsa(Algorithm::RsaSha256, 2_048));
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .with_zone(zone)
        .txt(OWNER, TEXT)
        .txt(deep_owner.as_str(), TEXT)
        .build();
    for owner in [OWNER, &deep_owner] {
        let mut responses = world.responses(owner, TXT);
        key_trap(&world, &mut responses, "example.com.", 150, 150);
        let messages = responses.to_messages();
        let outcome = verify(&messages, owner, TXT, &world.anchors(), Period::always());
        let Err(Error::BudgetExhausted { limit, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(limit <= 28, "{limit} checks for three zones");
    }
}

/// Zones cost their owner nothing, so what they allow for must not be spent on signatures that fail.
#[test]
fn many_proven_zones_buy_no_failed_signature_checks() {
    let mut world = World::builder().at(NOON).zone(".", Algorithm::Ed25519);
    let mut zone = String::new();
    for _ in 0..20 {
        zone.insert_str(0, "z.");
        let spec = ZoneSpec::new(zone.as_str(), Algorithm::Ed25519);
        world = world.with_zone(spec.zsk(Key::recorded_rsa(Algorithm::RsaSha256, 2_048)));
    }
    let owner = format!("_veraid.{zone}");
    let world = world.txt(owner.as_str(), TEXT).build();
    let mut responses = world.responses(owner.as_str(), TXT);
    key_trap(&world, &mut responses, zone.as_str(), 60, 60);
    let messages = responses.to_messages();
    let outcome = verify(&messages, &owner, TXT, &world.anchors(), Period::always());
    let Err(Error::BudgetExhausted { limit, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(limit <= 16, "{limit} failed checks");
}

/// A DER chain is a SET of OCTET STRINGs with definite lengths, and nothing after it.
#[test]
fn refuses_what_is_no_der_chain() {
    let der = WORLD.responses(OWNER, TXT).to_der();
    let with = |index: usize, octet: u8| {
        let mut changed = der.clone();
        changed[index] = octet;
        changed
    };
    for (case, octets) in [
        ("nothing", Vec::new()),
        ("a SEQUENCE", with(0, 0x30)),
        ("an indefinite length", with(1, 0x80)),
        ("a byte after it", [&der[..], &[0]].concat()),
        ("an INTEGER among the OCTET STRINGs", with(4, 0x02)),
        ("a constructed OCTET STRING", with(4, 0x24)),
        (
            "a length that is not the shortest",
            b"\x31\x81\x00".to_vec(),
        ),
        (
            "an element that reaches past the end",
            b"\x31\x02\x04\x01".to_vec(),
        ),
    ] {
        let error = Chain::from_der(&octets)
            .map(|_| case)
            .expect_err("it is no chain");
        assert_eq!(error.reason(), "dnssec.malformed_chain", "{case}");
        assert!(error.is_malformed());
    }
}
