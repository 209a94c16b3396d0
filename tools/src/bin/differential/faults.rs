//! What can be wrong with a world, one thing after another.
//!
//! A fault is a line in [`FAULTS`]. Some of them do no harm (a stale RRSIG beside a good one): a validator that refuses
//! too much is wrong too.
#![allow(
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    reason = "a line in the table reads better as one expression"
)]

use std::collections::BTreeSet;

use data_encoding::BASE32_DNSSEC;
use kliento_fixtures::hostile::colliding_keys;
use kliento_fixtures::{
    A, AAAA, Algorithm, CH, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NOERROR, NS, NSEC, NSEC3,
    NXDOMAIN, Name, REVOKE, RRSIG, Record, Response, SECURE_ENTRY_POINT, SERVFAIL, SHA1, SHA256,
    SHA384, SOA, SRV, Signing, TXT, ZONE_KEY, ZoneKey, ZoneSpec, nsec3_hash,
};

use crate::nsec::{Nsec, Nsec3, after, hash_after, hash_before};
use crate::plan::{Asked, Plan, ZonePlan, key};
use crate::random::Random;
use crate::scene::{Base, Edit};
use crate::target::{SIGNER_AT, Target, Which, signature_of, signer_of};
use crate::wire::name_in;

/// Seconds in an hour and in a day.
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// An algorithm number and a digest type that nobody has assigned.
const UNKNOWN_ALGORITHM: u8 = 200;
const UNKNOWN_DIGEST: u8 = 200;
/// GOST R 34.11-94 (RFC 5933), which no peer supports any more.
const GOST: u8 = 3;
/// RCODE of a server that does not want to answer.
const REFUSED: u8 = 5;

/// How a fault comes about.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// A secure zone below the root is otherwise made. False if the fault does not fit it.
    Zone(fn(&mut ZonePlan, &mut Random) -> bool),
    /// An RRset is signed otherwise, in place of the good RRSIG.
    Sign(Which, fn(Signing) -> Signing),
    /// Before the good RRSIG stands another one.
    Beside(Which, fn(Signing) -> Signing),
    /// The good RRSIG is changed after signing.
    Rrsig(Which, fn(&mut Record)),
    /// The data of an RRset is changed after signing.
    Data(Which, fn(&mut Vec<Record>)),
    /// The data of an RRset is changed, and signed.
    Publish(Which, fn(&mut Vec<Record>, &Asked)),
    /// The response to the question itself is changed.
    Answer(fn(&mut Response)),
    /// Anything else: where, and the change, or none if it does not fit the question.
    Other(fn(&Base, &Asked, &mut Random) -> Option<(String, Edit)>),
}

/// A fault's name and what it does.
pub(crate) type Fault = (&'static str, How);

use How::{Answer, Beside, Data, Other, Publish, Rrsig, Sign, Zone};
use Which::{Answer as Whose, Any, Authority, Delegation, Denial, Keys};

pub(crate) const FAULTS: &[Fault] = &[
    // Signatures (RFC 4034 §3, RFC 4035 §5.3)
    (
        "RRSIG expired",
        Sign(Any, |s| {
            let at = s.at;
            s.window(at - 8 * DAY, at - 2 * HOUR)
        }),
    ),
    (
        "RRSIG not valid yet",
        Sign(Any, |s| {
            let at = s.at;
            s.window(at + 2 * HOUR, at + 8 * DAY)
        }),
    ),
    (
        "RRSIG expires before its inception",
        Sign(Any, |s| {
            let at = s.at;
            s.window(at + DAY, at - DAY)
        }),
    ),
    (
        "RRSIG valid for more than 2^31 seconds",
        Sign(Any, |s| {
            let at = s.at;
            s.window(at - HOUR, at - HOUR + (1 << 31) + DAY)
        }),
    ),
    (
        "RRSIG valid for nearly 2^31 seconds",
        Sign(Any, |s| {
            let at = s.at;
            s.window(at - HOUR, at - HOUR + (1 << 31) - DAY)
        }),
    ),
    (
        "RRSIG of a time 2^32 seconds ago",
        Sign(Any, |s| {
            let (from, until) = (s.inception, s.expiration);
            s.window(from - (1 << 32), until - (1 << 32))
        }),
    ),
    ("RRSIG corrupt", Sign(Any, Signing::corrupt)),
    (
        "RRSIG with a signer elsewhere",
        Sign(Any, |s| s.signer("elsewhere.")),
    ),
    (
        "RRSIG with a signer below",
        Sign(Any, |s| {
            let below = s.signer.child(b"below");
            s.signer(below)
        }),
    ),
    (
        "RRSIG with the root as signer",
        Sign(Any, |s| s.signer(Name::root())),
    ),
    (
        "RRSIG with a label more",
        Sign(Any, |s| {
            let labels = s.labels.unwrap_or(0);
            s.labels(labels + 1)
        }),
    ),
    (
        "RRSIG with a label fewer",
        Sign(Any, |s| {
            let labels = s.labels.unwrap_or(0);
            s.labels(labels.saturating_sub(1))
        }),
    ),
    ("RRSIG with no labels", Sign(Any, |s| s.labels(0))),
    (
        "RRSIG with a low original TTL",
        Sign(Any, |s| s.original_ttl(30)),
    ),
    (
        "RRSIG with a high original TTL",
        Sign(Any, |s| s.original_ttl(1_000_000)),
    ),
    (
        "RRSIG with an original TTL beyond 2^31",
        Sign(Any, |s| s.original_ttl(0x8000_0001)),
    ),
    (
        "RRSIG with another key tag",
        Sign(Any, |s| {
            let tag = s.key.key_tag();
            s.key_tag(tag ^ 0x5555)
        }),
    ),
    (
        "RRSIG with another algorithm",
        Sign(Any, |s| {
            let other = if s.key.key.algorithm() == 13 { 15 } else { 13 };
            s.algorithm(other)
        }),
    ),
    (
        "RRSIG with an unknown algorithm",
        Sign(Any, |s| s.algorithm(UNKNOWN_ALGORITHM)),
    ),
    (
        "RRSIG over another type",
        Sign(Any, |s| s.type_covered(65_280)),
    ),
    (
        "RRSIG by a stranger",
        Sign(Any, |s| s.key(Key::generate(Algorithm::EcdsaP256Sha256))),
    ),
    (
        "RRSIG by a stranger with the tag of the zone's key",
        Sign(Any, |s| {
            let (tag, number) = (s.key.key_tag(), s.key.key.algorithm());
            s.key(Key::random_junk(number)).key_tag(tag)
        }),
    ),
    ("RRSIG removed", Rrsig(Any, |r| r.record_type = 65_281)),
    (
        "RRSIG cut short",
        Rrsig(Any, |r| {
            r.rdata.pop();
        }),
    ),
    ("RRSIG with an octet more", Rrsig(Any, |r| r.rdata.push(0))),
    ("RRSIG with no signature", Rrsig(Any, empty_signature)),
    (
        "RRSIG with a signature of zeros",
        Rrsig(Any, zero_signature),
    ),
    (
        "RRSIG with its original TTL changed",
        Rrsig(Any, |r| r.rdata[4..8].copy_from_slice(&[0, 0, 0, 7])),
    ),
    (
        "RRSIG with its expiration changed",
        Rrsig(Any, |r| r.rdata[11] ^= 1),
    ),
    (
        "RRSIG with its signer in upper case",
        Rrsig(Any, signer_in_other_case),
    ),
    ("RRSIG with a TTL of its own", Rrsig(Any, |r| r.ttl = 17)),
    ("RRSIG of class Chaos", Rrsig(Any, |r| r.class = CH)),
    (
        "RRSIG at another name",
        Rrsig(Any, |r| r.owner = Name::from("elsewhere.")),
    ),
    (
        "RRSIG of an RRset signed by its sibling",
        Other(signed_by_sibling),
    ),
    ("RRSIG by the parent", Other(signed_by_parent)),
    ("RRSIG by the KSK", Other(signed_by_ksk)),
    ("RRSIG over SOA corrupt", Sign(Authority, Signing::corrupt)),
    (
        "RRSIG over SOA removed",
        Rrsig(Authority, |r| r.record_type = 65_281),
    ),
    (
        "expired RRSIG beside",
        Beside(Any, |s| {
            let at = s.at;
            s.window(at - 8 * DAY, at - 2 * HOUR)
        }),
    ),
    (
        "future RRSIG beside",
        Beside(Any, |s| {
            let at = s.at;
            s.window(at + 2 * HOUR, at + 8 * DAY)
        }),
    ),
    ("corrupt RRSIG beside", Beside(Any, Signing::corrupt)),
    (
        "RRSIG of an unknown algorithm beside",
        Beside(Any, |s| s.algorithm(UNKNOWN_ALGORITHM)),
    ),
    (
        "RRSIG of a stranger beside",
        Beside(Any, |s| s.key(Key::generate(Algorithm::Ed25519))),
    ),
    (
        "RRSIG with a signer elsewhere beside",
        Beside(Any, |s| s.signer("elsewhere.")),
    ),
    (
        "RRSIG with too many labels beside",
        Beside(Any, |s| s.labels(127)),
    ),
    (
        "another good RRSIG beside",
        Beside(Any, |s| {
            let at = s.at;
            s.window(at - 2 * HOUR, at + 2 * DAY)
        }),
    ),
    ("many corrupt RRSIGs beside", Other(many_corrupt)),
    // Data (RFC 4034 §6, RFC 4035 §5.3.2)
    (
        "record added",
        Data(Any, |d| {
            let mut more = d[0].clone();
            flip_last(&mut more.rdata);
            d.push(more);
        }),
    ),
    (
        "record taken out",
        Data(Any, |d| {
            if d.len() > 1 {
                d.remove(0);
            }
        }),
    ),
    (
        "octet of the data changed",
        Data(Any, |d| flip_last(&mut d[0].rdata)),
    ),
    ("octet more in the data", Data(Any, |d| d[0].rdata.push(0))),
    (
        "data cut short",
        Data(Any, |d| {
            d[0].rdata.pop();
        }),
    ),
    ("no data", Data(Any, |d| d[0].rdata.clear())),
    (
        "TTL above the original",
        Data(Any, |d| d.iter_mut().for_each(|r| r.ttl += 10_000)),
    ),
    (
        "TTL of 0",
        Data(Any, |d| d.iter_mut().for_each(|r| r.ttl = 0)),
    ),
    ("records with different TTLs", Data(Any, |d| d[0].ttl /= 2)),
    (
        "records of class Chaos",
        Data(Any, |d| d.iter_mut().for_each(|r| r.class = CH)),
    ),
    (
        "a record of class Chaos beside",
        Data(Any, |d| {
            let other = d[0].clone().with_class(CH);
            d.push(other);
        }),
    ),
    ("records doubled", Data(Any, |d| d.extend(d.clone()))),
    ("records in reverse order", Data(Any, |d| d.reverse())),
    (
        "owner in other case",
        Data(Any, |d| {
            d.iter_mut().for_each(|r| r.owner = other_case(&r.owner))
        }),
    ),
    (
        "name in the data in other case",
        Data(Any, |d| d.iter_mut().for_each(data_in_other_case)),
    ),
    (
        "records signed twice over, one changed",
        Publish(Any, |d, _| d.extend(d.clone())),
    ),
    // The response (RFC 1035 §4)
    ("response says SERVFAIL", Answer(|r| r.rcode = SERVFAIL)),
    ("response says REFUSED", Answer(|r| r.rcode = REFUSED)),
    ("response says NXDOMAIN", Answer(|r| r.rcode = NXDOMAIN)),
    ("response says NOERROR", Answer(|r| r.rcode = NOERROR)),
    (
        "response empty",
        Answer(|r| {
            r.answers.clear();
            r.authorities.clear();
        }),
    ),
    ("answer section empty", Answer(|r| r.answers.clear())),
    ("authority section empty", Answer(|r| r.authorities.clear())),
    (
        "sections swapped",
        Answer(|r| std::mem::swap(&mut r.answers, &mut r.authorities)),
    ),
    (
        "answer section in reverse order",
        Answer(|r| r.answers.reverse()),
    ),
    (
        "unsigned RRset beside",
        Answer(|r| {
            let name = r.questions[0].name.clone();
            r.answers
                .push(Record::new(name.child(b"beside"), A, [192, 0, 2, 66]));
        }),
    ),
    (
        "unsigned RRset of another type beside",
        Answer(|r| {
            let name = r.questions[0].name.clone();
            r.answers.push(Record::mx(name, 10, "mail.elsewhere."));
        }),
    ),
    (
        "unsigned glue in the additional section",
        Answer(|r| {
            let name = r.questions[0].name.clone();
            r.additionals
                .push(Record::new(name.child(b"ns1"), A, [192, 0, 2, 66]));
        }),
    ),
    (
        "unsigned NS in the authority section",
        Answer(|r| {
            let name = r.questions[0].name.clone();
            r.authorities
                .push(Record::of_name(name, NS, "ns1.elsewhere."));
        }),
    ),
    (
        "unsigned answer",
        Answer(|r| {
            r.drop_signatures();
        }),
    ),
    ("unsigned answer forged", Other(forged_answer)),
    (
        "unsigned CNAME in place of the answer",
        Other(unsigned_alias),
    ),
    (
        "unsigned CNAME first",
        Answer(|r| {
            let name = r.questions[0].name.clone();
            r.answers
                .insert(0, Record::of_name(name, CNAME, "elsewhere."));
        }),
    ),
    ("the answer to another question", Other(other_answer)),
    // Keys (RFC 4034 §2, RFC 4035 §5.2)
    (
        "DNSKEY RRset signed by the ZSK alone",
        Other(keys_signed_by_zsk),
    ),
    (
        "DNSKEY RRset with a stranger's key, signed by it",
        Other(keys_signed_by_stranger),
    ),
    ("zone usurped by a stranger's key", Other(usurped)),
    ("DNSKEY RRset empty", Data(Keys, Vec::clear)),
    (
        "KSK missing",
        Publish(Keys, |d, _| d.retain(|r| r.rdata[1] & 1 == 0)),
    ),
    (
        "ZSK missing",
        Publish(Keys, |d, _| d.retain(|r| r.rdata[1] & 1 == 1)),
    ),
    (
        "DNSKEY cut short",
        Publish(Keys, |d, _| {
            d[0].rdata.pop();
        }),
    ),
    (
        "DNSKEY with an octet more",
        Publish(Keys, |d, _| d[0].rdata.push(0)),
    ),
    (
        "DNSKEY with no key beside",
        Publish(Keys, |d, _| {
            let bare = d[0].rdata[..4].to_vec();
            let owner = d[0].owner.clone();
            d.push(Record::new(owner, DNSKEY, bare));
        }),
    ),
    (
        "DNSKEY of two octets beside",
        Publish(Keys, |d, _| {
            let owner = d[0].owner.clone();
            d.push(Record::new(owner, DNSKEY, [1, 0]));
        }),
    ),
    (
        "KSK revoked",
        Zone(|z, _| with(z, |s| s.ksk_flags(ZONE_KEY | SECURE_ENTRY_POINT | REVOKE))),
    ),
    (
        "ZSK revoked",
        Zone(|z, _| with(z, |s| s.zsk_flags(ZONE_KEY | REVOKE))),
    ),
    (
        "KSK no zone key",
        Zone(|z, _| with(z, |s| s.ksk_flags(SECURE_ENTRY_POINT))),
    ),
    ("ZSK no zone key", Zone(|z, _| with(z, |s| s.zsk_flags(0)))),
    (
        "KSK of protocol 2",
        Zone(|z, _| with(z, |s| s.ksk_protocol(2))),
    ),
    (
        "ZSK of protocol 2",
        Zone(|z, _| with(z, |s| s.zsk_protocol(2))),
    ),
    (
        "KSK without the secure entry point flag",
        Zone(|z, _| with(z, |s| s.ksk_flags(ZONE_KEY))),
    ),
    (
        "ZSK with the secure entry point flag",
        Zone(|z, _| with(z, |s| s.zsk_flags(ZONE_KEY | SECURE_ENTRY_POINT))),
    ),
    (
        "KSK with an unassigned flag",
        Zone(|z, _| with(z, |s| s.ksk_flags(ZONE_KEY | SECURE_ENTRY_POINT | 0x1000))),
    ),
    (
        "DS commits to the ZSK",
        Zone(|z, _| with(z, |s| s.entry(KeyRole::Zsk))),
    ),
    (
        "revoked key beside",
        Zone(|z, random| {
            let other = key(random, Algorithm::Ed25519);
            with(z, |s| s.extra_key(ZoneKey::new(other, ZONE_KEY | REVOKE)))
        }),
    ),
    (
        "another key beside",
        Zone(|z, random| {
            let other = key(random, Algorithm::EcdsaP384Sha384);
            with(z, |s| s.extra_key(ZoneKey::new(other, ZONE_KEY)))
        }),
    ),
    (
        "key of an unknown algorithm beside",
        Zone(|z, _| {
            with(z, |s| {
                s.extra_key(ZoneKey::new(Key::random_junk(UNKNOWN_ALGORITHM), ZONE_KEY))
            })
        }),
    ),
    ("junk key with the ZSK's tag beside", Other(colliding::<1>)),
    (
        "three junk keys with the ZSK's tag beside",
        Other(colliding::<3>),
    ),
    (
        "twenty junk keys with the ZSK's tag beside",
        Other(colliding::<20>),
    ),
    (
        "ZSK of another algorithm",
        Zone(|z, random| {
            let other = if z.algorithm == Algorithm::Ed25519 {
                Algorithm::EcdsaP256Sha256
            } else {
                Algorithm::Ed25519
            };
            let zsk = key(random, other);
            with(z, |s| s.zsk(zsk))
        }),
    ),
    (
        "zone of RSA with SHA-1",
        Zone(|z, _| remade(z, |name| ZoneSpec::new(name, Algorithm::RsaSha1))),
    ),
    (
        "zone of RSA with SHA-1 and NSEC3's number",
        Zone(|z, _| remade(z, |name| ZoneSpec::new(name, Algorithm::RsaSha1Nsec3Sha1))),
    ),
    (
        "zone of RSA with 512 bits",
        Zone(|z, _| {
            remade(z, |name| {
                ZoneSpec::new(name, Algorithm::RsaSha256)
                    .csk(Key::recorded_rsa(Algorithm::RsaSha256, 512))
            })
        }),
    ),
    (
        "zone of RSA with 1,023 bits",
        Zone(|z, _| {
            remade(z, |name| {
                ZoneSpec::new(name, Algorithm::RsaSha256)
                    .csk(Key::recorded_rsa(Algorithm::RsaSha256, 1_023))
            })
        }),
    ),
    (
        "zone of RSA with 1,024 bits",
        Zone(|z, _| {
            remade(z, |name| {
                ZoneSpec::new(name, Algorithm::RsaSha512)
                    .csk(Key::recorded_rsa(Algorithm::RsaSha512, 1_024))
            })
        }),
    ),
    (
        "zone expired",
        Zone(|z, _| with(z, |s| s.window(1_000_000_000, 1_100_000_000))),
    ),
    // Delegations (RFC 4034 §5, RFC 4035 §5.2)
    (
        "DS with another digest",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| flip_last(&mut r.rdata))
        }),
    ),
    (
        "DS with another key tag",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| r.rdata[0] ^= 0x55)
        }),
    ),
    (
        "DS with another algorithm",
        Publish(Delegation, |d, _| {
            d.iter_mut()
                .for_each(|r| r.rdata[2] = if r.rdata[2] == 13 { 15 } else { 13 })
        }),
    ),
    (
        "DS with an unknown algorithm",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| r.rdata[2] = UNKNOWN_ALGORITHM)
        }),
    ),
    (
        "DS with Ed448",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| r.rdata[2] = 16)
        }),
    ),
    (
        "DS cut short",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| {
                r.rdata.pop();
            })
        }),
    ),
    (
        "DS with an octet more",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| r.rdata.push(0))
        }),
    ),
    (
        "DS with no digest",
        Publish(Delegation, |d, _| {
            d.iter_mut().for_each(|r| r.rdata.truncate(4))
        }),
    ),
    (
        "DS with an unknown algorithm beside",
        Publish(Delegation, |d, _| {
            let mut other = d[0].clone();
            other.rdata[2] = UNKNOWN_ALGORITHM;
            d.push(other);
        }),
    ),
    (
        "DS with another digest beside",
        Publish(Delegation, |d, _| {
            let mut other = d[0].clone();
            flip_last(&mut other.rdata);
            d.push(other);
        }),
    ),
    (
        "DS of a stranger beside",
        Publish(Delegation, stranger_beside),
    ),
    (
        "DS of SHA-1 alone",
        Zone(|z, _| with(z, |s| s.ds_digests(&[SHA1]))),
    ),
    (
        "DS of SHA-1 beside",
        Zone(|z, _| with(z, |s| s.ds_digests(&[SHA1, SHA256]))),
    ),
    (
        "DS of SHA-1 beside a wrong one of SHA-256",
        Other(right_only_with_sha1),
    ),
    (
        "DS of SHA-384 wrong beside SHA-256",
        Other(wrong_sha384_beside),
    ),
    (
        "DS of an unknown digest alone",
        Zone(|z, _| with(z, |s| s.ds_digests(&[UNKNOWN_DIGEST]))),
    ),
    (
        "DS of an unknown digest beside",
        Zone(|z, _| with(z, |s| s.ds_digests(&[UNKNOWN_DIGEST, SHA256]))),
    ),
    (
        "DS of GOST alone",
        Zone(|z, _| with(z, |s| s.ds_digests(&[GOST]))),
    ),
    (
        "DS of SHA-256 and SHA-384",
        Zone(|z, _| with(z, |s| s.ds_digests(&[SHA256, SHA384]))),
    ),
    ("DS signed by the child", Other(ds_signed_by_child)),
    ("DS RRset empty", Data(Delegation, Vec::clear)),
    ("DS denied by the child", Other(ds_denied_by_child)),
    ("DS denied with nothing", Other(ds_denied_with_nothing)),
    // Denials by NSEC (RFC 4034 §4, RFC 4035 §5.4)
    ("denial removed", Other(denial_removed)),
    (
        "denial in the additional section",
        Answer(|r| r.additionals.append(&mut r.authorities)),
    ),
    (
        "denial in the answer section",
        Answer(|r| {
            let mut denial = std::mem::take(&mut r.authorities);
            denial.retain(|r| r.record_type != SOA);
            r.answers.append(&mut denial);
        }),
    ),
    (
        "denial with the type asked for",
        Publish(Denial, |d, asked| {
            types(d, |t| {
                t.insert(asked.record_type);
            })
        }),
    ),
    (
        "denial without the type asked for",
        Publish(Denial, |d, asked| {
            types(d, |t| {
                t.remove(&asked.record_type);
            })
        }),
    ),
    (
        "denial with CNAME",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.insert(CNAME);
            })
        }),
    ),
    (
        "denial with DNAME",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.insert(DNAME);
            })
        }),
    ),
    (
        "denial with NS",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.insert(NS);
            })
        }),
    ),
    (
        "denial without NS",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.remove(&NS);
            })
        }),
    ),
    (
        "denial with NS and no SOA",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.insert(NS);
                t.remove(&SOA);
            })
        }),
    ),
    (
        "denial with SOA",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.insert(SOA);
            })
        }),
    ),
    (
        "denial with DS",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.insert(DS);
            })
        }),
    ),
    (
        "denial without types",
        Publish(Denial, |d, _| types(d, BTreeSet::clear)),
    ),
    (
        "denial without NSEC and RRSIG",
        Publish(Denial, |d, _| {
            types(d, |t| {
                t.remove(&NSEC);
                t.remove(&RRSIG);
            })
        }),
    ),
    (
        "denial with a bitmap of 33 octets",
        Publish(Denial, |d, _| {
            d.iter_mut()
                .for_each(|r| r.rdata.extend([1, 33].into_iter().chain([0xff; 33])))
        }),
    ),
    (
        "denial with a bitmap cut short",
        Publish(Denial, |d, _| {
            d.iter_mut().for_each(|r| r.rdata.extend([1, 3, 0x40]))
        }),
    ),
    (
        "denial with bitmap windows out of order",
        Publish(Denial, |d, _| {
            d.iter_mut().for_each(|r| r.rdata.extend([0, 1, 0x40]))
        }),
    ),
    (
        "denial made from a wildcard",
        Sign(Denial, |s| {
            let labels = s.labels.unwrap_or(0);
            s.labels(labels.saturating_sub(1))
        }),
    ),
    (
        "denial twice, once changed",
        Publish(Denial, |d, _| {
            let mut other = d[0].clone();
            flip_last(&mut other.rdata);
            d.push(other);
        }),
    ),
    ("denial of a sibling zone instead", Other(denied_by_sibling)),
    ("denial as an online signer makes it", Other(minimal_denial)),
    ("compact denial", Other(compact_denial)),
    ("white lie: nothing there", Other(white_lie_nothing)),
    ("white lie: no such type", Other(white_lie_no_type)),
    (
        "NSEC whose next name is its own",
        Publish(Denial, |d, _| {
            let owner = d[0].owner.clone();
            nsec(d, |n| n.next = owner.clone());
        }),
    ),
    (
        "NSEC whose next name comes right after",
        Publish(Denial, |d, _| {
            let next = after(&d[0].owner);
            nsec(d, |n| n.next = next.clone());
        }),
    ),
    (
        "NSEC whose next name comes right after the name asked for",
        Publish(Denial, |d, asked| {
            let next = after(&asked.name);
            nsec(d, |n| n.next = next.clone());
        }),
    ),
    (
        "NSEC whose next name is the name asked for",
        Publish(Denial, |d, asked| nsec(d, |n| n.next = asked.name.clone())),
    ),
    (
        "NSEC whose next name is below the name asked for",
        Publish(Denial, |d, asked| {
            nsec(d, |n| n.next = asked.name.child(b"below"))
        }),
    ),
    (
        "NSEC whose next name is the root",
        Publish(Denial, |d, _| nsec(d, |n| n.next = Name::root())),
    ),
    (
        "NSEC whose next name is elsewhere",
        Publish(Denial, |d, _| {
            nsec(d, |n| n.next = Name::from("zzz.elsewhere."))
        }),
    ),
    (
        "NSEC whose next name is in upper case",
        Data(Denial, |d| nsec(d, |n| n.next = other_case(&n.next))),
    ),
    // Denials by NSEC3 (RFC 5155, RFC 9276)
    (
        "NSEC3 with 100 iterations",
        Zone(|z, _| with(z, |s| s.nsec3(100, b""))),
    ),
    (
        "NSEC3 with 101 iterations",
        Zone(|z, _| with(z, |s| s.nsec3(101, b"salt"))),
    ),
    (
        "NSEC3 with 150 iterations",
        Zone(|z, _| with(z, |s| s.nsec3(150, b""))),
    ),
    (
        "NSEC3 with 151 iterations",
        Zone(|z, _| with(z, |s| s.nsec3(151, b""))),
    ),
    (
        "NSEC3 with 501 iterations",
        Zone(|z, _| with(z, |s| s.nsec3(501, b""))),
    ),
    (
        "NSEC3 with 2,500 iterations",
        Zone(|z, _| with(z, |s| s.nsec3(2_500, b"salt"))),
    ),
    (
        "NSEC3 with a salt of 255 octets",
        Zone(|z, _| with(z, |s| s.nsec3(2, &[0xa5; 255]))),
    ),
    (
        "NSEC3 with an unknown hash",
        Zone(|z, _| with(z, |s| s.nsec3_algorithm(2))),
    ),
    (
        "NSEC3 with an unknown flag",
        Zone(|z, _| with(z, |s| s.nsec3_flags(0x80))),
    ),
    (
        "NSEC3 with opt-out",
        Zone(|z, _| with(z, ZoneSpec::opt_out)),
    ),
    (
        "NSEC3 record with an unknown flag",
        Publish(Denial, |d, _| nsec3(d, |n| n.flags |= 0x02)),
    ),
    (
        "NSEC3 record with opt-out",
        Publish(Denial, |d, _| nsec3(d, |n| n.flags |= 1)),
    ),
    (
        "NSEC3 record without opt-out",
        Publish(Denial, |d, _| nsec3(d, |n| n.flags &= !1)),
    ),
    (
        "NSEC3 record with an unknown hash",
        Publish(Denial, |d, _| nsec3(d, |n| n.hash_algorithm = 7)),
    ),
    (
        "NSEC3 record with other iterations",
        Publish(Denial, |d, _| nsec3(d, |n| n.iterations += 1)),
    ),
    (
        "NSEC3 record with another salt",
        Publish(Denial, |d, _| nsec3(d, |n| n.salt.push(0))),
    ),
    (
        "NSEC3 whose next hash is its own",
        Publish(Denial, |d, _| {
            let hash = hash_of(&d[0].owner);
            nsec3(d, |n| n.next.clone_from(&hash));
        }),
    ),
    (
        "NSEC3 whose next hash comes right after",
        Publish(Denial, |d, _| {
            let hash = hash_of(&d[0].owner);
            nsec3(d, |n| n.next = hash_after(&hash));
        }),
    ),
    (
        "NSEC3 whose next hash comes right before",
        Publish(Denial, |d, _| {
            let hash = hash_of(&d[0].owner);
            nsec3(d, |n| n.next = hash_before(&hash));
        }),
    ),
    (
        "NSEC3 whose next hash is an octet shorter",
        Publish(Denial, |d, _| {
            nsec3(d, |n| {
                n.next.pop();
            })
        }),
    ),
    (
        "NSEC3 whose next hash is empty",
        Publish(Denial, |d, _| nsec3(d, |n| n.next.clear())),
    ),
    (
        "NSEC3 a label below its place",
        Publish(Denial, |d, _| {
            d.iter_mut()
                .filter(|r| r.record_type == NSEC3)
                .for_each(|r| {
                    if let Some(zone) = r.owner.parent() {
                        r.owner = zone.child(b"below").child(r.owner.labels()[0]);
                    }
                })
        }),
    ),
    (
        "NSEC3 whose owner is no hash",
        Publish(Denial, |d, _| {
            d.iter_mut()
                .filter(|r| r.record_type == NSEC3)
                .for_each(|r| {
                    if let Some(zone) = r.owner.parent() {
                        r.owner = zone.child(b"zzzz");
                    }
                })
        }),
    ),
    (
        "NSEC3 with its owner in other case",
        Data(Denial, |d| {
            d.iter_mut()
                .filter(|r| r.record_type == NSEC3)
                .for_each(|r| r.owner = other_case(&r.owner))
        }),
    ),
    // Aliases (RFC 1034 §3.6.2, RFC 6672)
    (
        "synthesised CNAME removed",
        Answer(|r| synthesised(r, |_| None)),
    ),
    (
        "synthesised CNAME that leads elsewhere",
        Answer(|r| {
            synthesised(r, |c| {
                Some(Record::of_name(c.owner, CNAME, "www.elsewhere."))
            })
        }),
    ),
    (
        "synthesised CNAME with another TTL",
        Answer(|r| {
            synthesised(r, |c| {
                let ttl = c.ttl + 1;
                Some(c.with_ttl(ttl))
            })
        }),
    ),
    (
        "DNAME without its CNAME's target",
        Answer(|r| {
            if let Some(at) = r.answers.iter().position(|r| r.record_type == DNAME) {
                r.answers.truncate(at + 2);
            }
        }),
    ),
    (
        "two aliases of one name",
        Publish(Whose, |d, _| {
            if matches!(d[0].record_type, CNAME | DNAME) {
                let mut other = d[0].clone();
                other.rdata = Name::from("www.elsewhere.").wire().to_vec();
                d.push(other);
            }
        }),
    ),
    (
        "alias with an octet after its target",
        Publish(Whose, |d, _| {
            if matches!(d[0].record_type, CNAME | DNAME) {
                d[0].rdata.push(0);
            }
        }),
    ),
    (
        "alias to the root",
        Publish(Whose, |d, _| {
            if d[0].record_type == CNAME {
                d[0].rdata = vec![0];
            }
        }),
    ),
    (
        "NSEC at a wildcard's match that says the name exists",
        Other(closer_match),
    ),
];

impl How {
    /// Makes the world wrong before it is built: says where, if the fault fits.
    pub(crate) fn plan(
        self,
        plan: &mut Plan,
        asked: &Asked,
        random: &mut Random,
    ) -> Option<String> {
        let Zone(change) = self else {
            return None;
        };
        let names: Vec<Name> = plan
            .zones
            .iter()
            .filter(|zone| zone.is_secure && zone.name != Name::root())
            .filter(|zone| asked.name.is_within(&zone.name))
            .map(|zone| zone.name.clone())
            .collect();
        let name = random.pick_any(&names)?.clone();
        let zone = plan.zones.iter_mut().find(|zone| zone.name == name)?;
        change(zone, random).then(|| name.to_string())
    }

    /// Makes messages wrong: says where and how, if the fault fits.
    pub(crate) fn edit(
        self,
        base: &Base,
        asked: &Asked,
        random: &mut Random,
    ) -> Option<(String, Edit)> {
        /// RRsets to try.
        const ATTEMPTS: usize = 8;
        let which = match self {
            Zone(_) => return None,
            Other(fault) => return fault(base, asked, random),
            Answer(change) => {
                let (name, record_type) = (asked.name.clone(), asked.record_type);
                let edit: Edit = Box::new(move |_, response| {
                    if response.is_for(&name, record_type) {
                        change(response);
                    }
                });
                let response = base.world.answer(&asked.name, asked.record_type);
                let mut changed = response.clone();
                edit(base, &mut changed);
                return (changed != response).then(|| ("the answer".to_owned(), edit));
            }
            Sign(which, _)
            | Beside(which, _)
            | Rrsig(which, _)
            | Data(which, _)
            | Publish(which, _) => which,
        };
        let targets = Target::all(base, asked, which);
        for _ in 0..ATTEMPTS {
            let target = random.pick_any(&targets)?.clone();
            let at = target.to_string();
            if self.changes(&target, asked) {
                return Some((at, self.edit_rrset(target, asked)));
            }
        }
        None
    }

    fn edit_rrset(self, target: Target, asked: &Asked) -> Edit {
        let asked = asked.clone();
        Box::new(move |base, response| {
            target.edit(response, |data, rrsigs| match self {
                Sign(_, change) => *rrsigs = vec![change(target.signing(base)).rrsig(&target.data)],
                Beside(_, change) => {
                    rrsigs.insert(0, change(target.signing(base)).rrsig(&target.data))
                }
                Rrsig(_, change) => rrsigs.iter_mut().for_each(change),
                Data(_, change) if !data.is_empty() => change(data),
                Publish(_, change) if !data.is_empty() => {
                    change(data, &asked);
                    rrsigs.clear();
                    if let Some(first) = data.first() {
                        let mut signing = target.signing(base);
                        if first.owner != target.owner {
                            signing.labels = None;
                        }
                        rrsigs.push(signing.rrsig(data));
                    }
                }
                _ => {}
            });
        })
    }
}

impl How {
    /// Whether it makes a difference to this RRset. Signing otherwise always does.
    fn changes(self, target: &Target, asked: &Asked) -> bool {
        let mut data = target.data.clone();
        match self {
            Data(_, change) => change(&mut data),
            Publish(_, change) => change(&mut data, asked),
            _ => return true,
        }
        // Names compare without regard to case, which is what some faults change.
        data != target.data
            || data
                .iter()
                .zip(&target.data)
                .any(|(new, old)| new.owner.wire() != old.owner.wire())
    }
}

// ---- Zones

fn with(zone: &mut ZonePlan, change: impl FnOnce(ZoneSpec) -> ZoneSpec) -> bool {
    zone.change(change);
    true
}

/// The zone made anew, with other keys.
fn remade(zone: &mut ZonePlan, make: impl FnOnce(&Name) -> ZoneSpec) -> bool {
    zone.spec = make(&zone.name);
    true
}

// ---- RRSIGs

/// Where the signature starts in the RDATA of an RRSIG.
fn signature_at(rrsig: &Record) -> usize {
    rrsig.rdata.len() - signature_of(rrsig).len()
}

fn empty_signature(rrsig: &mut Record) {
    let start = signature_at(rrsig);
    rrsig.rdata.truncate(start);
}

fn zero_signature(rrsig: &mut Record) {
    let start = signature_at(rrsig);
    rrsig.rdata[start..].fill(0);
}

fn signer_in_other_case(rrsig: &mut Record) {
    let end = signature_at(rrsig);
    if let Some(signer) = rrsig.rdata.get_mut(SIGNER_AT..end) {
        change_case(signer);
    }
}

/// A target on the way to the answer, and the edit that replaces its RRSIGs by what `sign` makes.
fn signed_otherwise(
    target: Target,
    sign: impl Fn(&Base, &[Record]) -> Record + Send + Sync + 'static,
) -> (String, Edit) {
    let at = target.to_string();
    let edit: Edit = Box::new(move |base, response| {
        target.edit(response, |_, rrsigs| {
            *rrsigs = vec![sign(base, &target.data)]
        });
    });
    (at, edit)
}

fn signed_by_sibling(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let target = random.pick_any(&Target::all(base, asked, Any))?.clone();
    let sibling = sibling_of(base, &target.signer)?;
    Some(signed_otherwise(target, move |base, data| {
        base.world.signing(&sibling, KeyRole::Zsk).rrsig(data)
    }))
}

fn signed_by_parent(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let target = random.pick_any(&Target::all(base, asked, Any))?.clone();
    let parent = base.plan.zone_of(&target.signer.parent()?).name.clone();
    Some(signed_otherwise(target, move |base, data| {
        base.world.signing(&parent, KeyRole::Zsk).rrsig(data)
    }))
}

fn signed_by_ksk(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let target = random.pick_any(&Target::all(base, asked, Any))?.clone();
    let signer = target.signer.clone();
    let original = target.clone();
    Some(signed_otherwise(target, move |base, data| {
        let ksk = base.world.signing(&signer, KeyRole::Ksk).key;
        original.signing(base).zone_key(ksk).rrsig(data)
    }))
}

/// More RRSIGs than anybody checks.
fn many_corrupt(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    /// Any number above every validator's limit.
    const MANY: usize = 40;
    let target = random.pick_any(&Target::all(base, asked, Any))?.clone();
    let at = target.to_string();
    let edit: Edit = Box::new(move |base, response| {
        let signing = target.signing(base);
        let corrupt = (0..MANY).map(|_| signing.forged_rrsig(&target.data));
        target.edit(response, |_, rrsigs| {
            rrsigs.splice(0..0, corrupt.clone());
        });
    });
    Some((at, edit))
}

// ---- Data

fn flip_last(rdata: &mut [u8]) {
    if let Some(last) = rdata.last_mut() {
        *last ^= 1;
    }
}

fn change_case(octets: &mut [u8]) {
    for octet in octets {
        if octet.is_ascii_alphabetic() {
            *octet ^= 0x20;
        }
    }
}

fn other_case(name: &Name) -> Name {
    let labels = name.labels().into_iter().map(|label| {
        let mut label = label.to_vec();
        change_case(&mut label);
        label
    });
    Name::from_labels(labels)
}

/// Of the types whose RDATA ends in a name that canonical form has in lower case (RFC 4034 §6.2).
fn data_in_other_case(record: &mut Record) {
    let start = match record.record_type {
        CNAME | NS | DNAME => 0,
        MX => 2,
        SRV => 6,
        _ => return,
    };
    if let Some(name) = record.rdata.get_mut(start..) {
        change_case(name);
    }
}

/// An edit of the response to the question itself.
fn to_the_answer(
    asked: &Asked,
    change: impl Fn(&Base, &mut Response) + Send + Sync + 'static,
) -> (String, Edit) {
    let (name, record_type) = (asked.name.clone(), asked.record_type);
    let edit: Edit = Box::new(move |base, response| {
        if response.is_for(&name, record_type) {
            change(base, response);
        }
    });
    ("the answer".to_owned(), edit)
}

fn forged_answer(_: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    let forged = match asked.record_type {
        TXT => Record::txt(&asked.name, "forged"),
        A => Record::new(&asked.name, A, [192, 0, 2, 66]),
        AAAA => Record::new(&asked.name, AAAA, [0x20; 16]),
        MX => Record::mx(&asked.name, 1, "mail.elsewhere."),
        _ => return None,
    };
    Some(to_the_answer(asked, move |_, response| {
        response.rcode = NOERROR;
        response.answers = vec![forged.clone()];
        response.authorities.clear();
    }))
}

fn unsigned_alias(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    if matches!(asked.record_type, CNAME | DS | DNSKEY | NS | SOA) {
        return None;
    }
    let sibling = sibling_of(base, &base.plan.zone_of(&asked.name).name)?;
    let alias = Record::of_name(&asked.name, CNAME, sibling.child(b"_veraid"));
    Some(to_the_answer(asked, move |base, response| {
        let target = sibling.child(b"_veraid");
        let record_type = response.questions[0].record_type;
        let answer = base.world.answer(&target, record_type);
        response.rcode = answer.rcode;
        response.answers = [vec![alias.clone()], answer.answers].concat();
        response.authorities = answer.authorities;
    }))
}

fn other_answer(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    let zone = base.plan.zone_of(&asked.name).name.clone();
    let other = zone.child(b"www");
    (other != asked.name).then(|| {
        to_the_answer(asked, move |base, response| {
            let answer = base.world.answer(&other, A);
            response.rcode = answer.rcode;
            response.answers = answer.answers;
            response.authorities = answer.authorities;
        })
    })
}

// ---- Keys

/// A DNSKEY RRset below the root on the way to the answer.
fn keys(base: &Base, asked: &Asked, random: &mut Random) -> Option<Target> {
    random.pick_any(&Target::all(base, asked, Keys)).cloned()
}

fn keys_signed_by_zsk(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let target = keys(base, asked, random)?;
    let zone = target.owner.clone();
    Some(signed_otherwise(target, move |base, data| {
        base.world.signing(&zone, KeyRole::Zsk).rrsig(data)
    }))
}

fn keys_signed_by_stranger(
    base: &Base,
    asked: &Asked,
    random: &mut Random,
) -> Option<(String, Edit)> {
    let target = keys(base, asked, random)?;
    let at = target.to_string();
    let stranger = ZoneKey::new(
        key(random, Algorithm::EcdsaP256Sha256),
        ZONE_KEY | SECURE_ENTRY_POINT,
    );
    let edit: Edit = Box::new(move |base, response| {
        target.edit(response, |data, rrsigs| {
            if let Some(mut added) = data.first().cloned() {
                added.rdata = stranger.dnskey_rdata();
                data.push(added);
                let signing = target.signing(base).zone_key(stranger.clone());
                *rrsigs = vec![signing.rrsig(data)];
            }
        });
    });
    Some((at, edit))
}

fn usurped(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let names: Vec<Name> = base
        .plan
        .zones
        .iter()
        .filter(|zone| asked.name.is_within(&zone.name))
        .map(|zone| zone.name.clone())
        .collect();
    let zone = random.pick_any(&names)?;
    if matches!(base.plan.zone_of(zone).algorithm.number(), 5 | 7) {
        return None;
    }
    let usurped = base.world.usurped(zone);
    let edit: Edit = Box::new(move |_, response| {
        let question = response.questions[0].clone();
        *response = usurped.answer(&question.name, question.record_type);
    });
    Some((zone.to_string(), edit))
}

/// Keys that cost whoever tries them.
fn colliding<const COUNT: usize>(
    base: &Base,
    asked: &Asked,
    random: &mut Random,
) -> Option<(String, Edit)> {
    let target = keys(base, asked, random)?;
    let at = target.to_string();
    let zsk = base.world.zone(&target.owner).key(KeyRole::Zsk).clone();
    let junk = colliding_keys(zsk.key.algorithm(), zsk.key_tag(), COUNT);
    let edit: Edit = Box::new(move |base, response| {
        target.edit(response, |data, rrsigs| {
            let Some(first) = data.first().cloned() else {
                return;
            };
            for key in &junk {
                let mut record = first.clone();
                record.rdata = key.dnskey_rdata();
                data.insert(0, record);
            }
            *rrsigs = vec![target.signing(base).rrsig(data)];
        });
    });
    Some((at, edit))
}

// ---- Delegations

fn stranger_beside(data: &mut Vec<Record>, _: &Asked) {
    let stranger = ZoneKey::new(Key::random_junk(13), ZONE_KEY | SECURE_ENTRY_POINT);
    let mut other = data[0].clone();
    other.rdata = stranger.ds_rdata(&other.owner, SHA256);
    data.push(other);
}

/// A DS RRset that has other records, and a good RRSIG.
fn ds_published(
    base: &Base,
    asked: &Asked,
    random: &mut Random,
    make: impl Fn(&Name, &ZoneKey) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> Option<(String, Edit)> {
    let target = random
        .pick_any(&Target::all(base, asked, Delegation))?
        .clone();
    let at = target.to_string();
    let edit: Edit = Box::new(move |base, response| {
        target.edit(response, |data, rrsigs| {
            let Some(first) = data.first().cloned() else {
                return;
            };
            let key = base.world.zone(&target.owner).committed_key();
            *data = make(&target.owner, key)
                .into_iter()
                .map(|rdata| Record {
                    rdata,
                    ..first.clone()
                })
                .collect();
            *rrsigs = vec![target.signing(base).rrsig(data)];
        });
    });
    Some((at, edit))
}

fn right_only_with_sha1(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    ds_published(base, asked, random, |zone, key| {
        let mut wrong = key.ds_rdata(zone, SHA256);
        flip_last(&mut wrong);
        vec![key.ds_rdata(zone, SHA1), wrong]
    })
}

fn wrong_sha384_beside(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    ds_published(base, asked, random, |zone, key| {
        let mut wrong = key.ds_rdata(zone, SHA384);
        flip_last(&mut wrong);
        vec![key.ds_rdata(zone, SHA256), wrong]
    })
}

fn ds_signed_by_child(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let target = random
        .pick_any(&Target::all(base, asked, Delegation))?
        .clone();
    let child = target.owner.clone();
    Some(signed_otherwise(target, move |base, data| {
        base.world.signing(&child, KeyRole::Zsk).rrsig(data)
    }))
}

/// An edit of the response to the question for a secure zone's DS.
fn to_a_delegation(
    base: &Base,
    asked: &Asked,
    random: &mut Random,
    change: impl Fn(&Base, &mut Response) + Send + Sync + 'static,
) -> Option<(String, Edit)> {
    let target = random
        .pick_any(&Target::all(base, asked, Delegation))?
        .clone();
    let at = target.to_string();
    let edit: Edit = Box::new(move |base, response| {
        if response.is_for(&target.owner, DS) {
            response.answers.clear();
            response.authorities.clear();
            change(base, response);
        }
    });
    Some((at, edit))
}

fn ds_denied_by_child(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    to_a_delegation(base, asked, random, |base, response| {
        let zone = response.questions[0].name.clone();
        // The denial of another type at the apex is the child's own.
        let denial = base.world.answer(&zone, 65_282);
        response.authorities = denial.authorities;
    })
}

fn ds_denied_with_nothing(
    base: &Base,
    asked: &Asked,
    random: &mut Random,
) -> Option<(String, Edit)> {
    to_a_delegation(base, asked, random, |_, _| {})
}

// ---- Denials

fn nsec(data: &mut [Record], change: impl Fn(&mut Nsec)) {
    for record in data.iter_mut().filter(|record| record.record_type == NSEC) {
        if let Some(mut nsec) = Nsec::read(&record.rdata) {
            change(&mut nsec);
            record.rdata = nsec.write();
        }
    }
}

fn nsec3(data: &mut [Record], change: impl Fn(&mut Nsec3)) {
    for record in data.iter_mut().filter(|record| record.record_type == NSEC3) {
        if let Some(mut nsec3) = Nsec3::read(&record.rdata) {
            change(&mut nsec3);
            record.rdata = nsec3.write();
        }
    }
}

/// Changes the types that NSEC and NSEC3 records say are there.
fn types(data: &mut [Record], change: impl Fn(&mut BTreeSet<u16>)) {
    nsec(data, |nsec| change(&mut nsec.types));
    nsec3(data, |nsec3| change(&mut nsec3.types));
}

/// The hash in the owner name of an NSEC3 record; empty if there is none.
fn hash_of(owner: &Name) -> Vec<u8> {
    let label = owner
        .labels()
        .first()
        .map_or(Vec::new(), |label| label.to_ascii_lowercase());
    BASE32_DNSSEC.decode(&label).unwrap_or_default()
}

fn denial_removed(base: &Base, asked: &Asked, random: &mut Random) -> Option<(String, Edit)> {
    let target = random.pick_any(&Target::all(base, asked, Denial))?.clone();
    let at = target.to_string();
    let edit: Edit = Box::new(move |_, response| {
        target.edit(response, |data, rrsigs| {
            data.clear();
            rrsigs.clear();
        });
    });
    Some((at, edit))
}

/// An NSEC record with the RRSIG of a zone.
fn signed_nsec(base: &Base, zone: &Name, owner: &Name, nsec: &Nsec) -> [Record; 2] {
    let record = Record::new(owner, NSEC, nsec.write()).with_ttl(300);
    let rrsig = base
        .world
        .signing(zone, KeyRole::Zsk)
        .rrsig(std::slice::from_ref(&record));
    [record, rrsig]
}

/// Adds the SOA record of a zone to a response.
fn add_soa(base: &Base, zone: &Name, response: &mut Response) {
    let soa = base.world.answer(zone, SOA);
    response.authorities.extend(soa.answers);
}

fn denied_by_sibling(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    let denials = Target::all(base, asked, Denial);
    let signer = denials.first()?.signer.clone();
    let sibling = sibling_of(base, &signer)?;
    Some(to_the_answer(asked, move |base, response| {
        response
            .authorities
            .retain(|record| record.record_type == SOA);
        // As the last NSEC record of its zone it covers every name that is not the owner.
        let nsec = Nsec {
            next: sibling.clone(),
            types: [NS, SOA, RRSIG, NSEC, DNSKEY].into(),
        };
        let denial = signed_nsec(base, &sibling, &sibling, &nsec);
        response.authorities.extend(denial);
    }))
}

fn white_lie_nothing(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    let zone = base.plan.zone_of(&asked.name).name.clone();
    if zone == asked.name {
        return None;
    }
    Some(to_the_answer(asked, move |base, response| {
        response.rcode = NXDOMAIN;
        response.answers.clear();
        response.authorities.clear();
        add_soa(base, &zone, response);
        let nsec = Nsec {
            next: zone.child(&[0xff; 8]),
            types: [NS, SOA, RRSIG, NSEC, DNSKEY].into(),
        };
        let denial = signed_nsec(base, &zone, &zone, &nsec);
        response.authorities.extend(denial);
    }))
}

fn white_lie_no_type(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    let zone = base.plan.zone_of(&asked.name).name.clone();
    if zone == asked.name {
        return None;
    }
    Some(to_the_answer(asked, move |base, response| {
        response.rcode = NOERROR;
        response.answers.clear();
        response.authorities.clear();
        add_soa(base, &zone, response);
        let name = response.questions[0].name.clone();
        let nsec = Nsec {
            next: after(&name),
            types: [RRSIG, NSEC].into(),
        };
        let denial = signed_nsec(base, &zone, &name, &nsec);
        response.authorities.extend(denial);
    }))
}

/// What a wildcard makes comes with an NSEC record by which the name has records of its own.
fn closer_match(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    let zone = base.plan.zone_of(&asked.name).name.clone();
    let answer = base.world.answer(&asked.name, asked.record_type);
    let is_expanded = Target::all(base, asked, Denial)
        .iter()
        .any(|target| target.signer == zone)
        && answer
            .answers
            .iter()
            .any(|record| record.owner == asked.name);
    is_expanded.then(|| {
        to_the_answer(asked, move |base, response| {
            response.authorities.clear();
            let name = response.questions[0].name.clone();
            let nsec = Nsec {
                next: after(&name),
                types: [A, TXT, RRSIG, NSEC].into(),
            };
            let denial = signed_nsec(base, &zone, &name, &nsec);
            response.authorities.extend(denial);
        })
    })
}

/// Every denial as somebody makes it who signs as he answers and tells no more than he must: NSEC records that span as
/// little as they can (RFC 4470), and NSEC3 records likewise (RFC 7129 §B).
fn minimal_denial(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    if Target::all(base, asked, Denial).is_empty() {
        return None;
    }
    let edit: Edit = Box::new(|base, response| {
        let names = names_to_deny(response);
        let signed = std::mem::take(&mut response.authorities);
        let signer_of = |record: &Record| {
            let rrsig = signed.iter().find(|rrsig| {
                rrsig.owner == record.owner && rrsig.type_covered() == Some(record.record_type)
            })?;
            signer_of(rrsig)
        };
        let mut authorities: Vec<Record> = Vec::new();
        for record in &signed {
            let minimal = match record.record_type {
                NSEC => minimal_nsecs(record, &names),
                NSEC3 => minimal_nsec3s(record, &names),
                RRSIG if matches!(record.type_covered(), Some(NSEC | NSEC3)) => continue,
                _ => vec![record.clone()],
            };
            let is_denial = matches!(record.record_type, NSEC | NSEC3);
            for minimal in minimal {
                let rrsig = signer_of(record).filter(|_| is_denial).map(|signer| {
                    let signing = base.world.signing(signer, KeyRole::Zsk);
                    signing.rrsig(std::slice::from_ref(&minimal))
                });
                authorities.push(minimal);
                authorities.extend(rrsig);
            }
        }
        response.authorities = authorities;
    });
    Some(("all denials".to_owned(), edit))
}

/// The names that a response may have to say something of: the one asked for or, where that is an alias, the last one
/// that aliases lead to; those above it; and the wildcards below those.
fn names_to_deny(response: &Response) -> Vec<Name> {
    let mut name = response.questions[0].name.clone();
    for record in response.of_type(CNAME) {
        if let Some(target) = name_in(&record.rdata) {
            name = target;
        }
    }
    let mut names = vec![name.clone()];
    while let Some(parent) = name.parent() {
        names.push(parent.clone());
        if parent.wire().len() < 250 {
            names.push(parent.child(b"*"));
        }
        name = parent;
    }
    names
}

/// What takes the place of an NSEC record: one that matches the same name, or one for each next closer name that it
/// covers.
fn minimal_nsecs(record: &Record, names: &[Name]) -> Vec<Record> {
    let Some(nsec) = Nsec::read(&record.rdata) else {
        return vec![record.clone()];
    };
    let rewritten = |owner: &Name, next: Name, types: BTreeSet<u16>| {
        Record::new(owner, NSEC, Nsec { next, types }.write()).with_ttl(record.ttl)
    };
    if names.contains(&record.owner) {
        return vec![rewritten(&record.owner, after(&record.owner), nsec.types)];
    }
    let mut minimal = Vec::new();
    for name in names {
        let is_covered = record.owner < *name && (*name < nsec.next || nsec.next <= record.owner);
        let Some(encloser) = name.parent() else {
            continue;
        };
        // The name right below the closest encloser, whose own existence the record shows.
        let exists = |name: &Name| record.owner.is_within(name) || nsec.next.is_within(name);
        if !is_covered || exists(name) || !exists(&encloser) {
            continue;
        }
        let label = name.labels()[0].to_vec();
        let mut before = label.clone();
        match before.last_mut() {
            Some(last) if *last > 0 => *last -= 1,
            _ => continue,
        }
        before.resize(63, 0xff);
        let mut behind = label;
        behind.push(0);
        if behind.len() > 63 || encloser.wire().len() > 190 {
            continue;
        }
        let owner = encloser.child(&before);
        minimal.push(rewritten(
            &owner,
            encloser.child(&behind),
            [RRSIG, NSEC].into(),
        ));
    }
    if minimal.is_empty() {
        minimal.push(record.clone());
    }
    minimal
}

fn minimal_nsec3s(record: &Record, names: &[Name]) -> Vec<Record> {
    let (Some(nsec3), Some(zone)) = (Nsec3::read(&record.rdata), record.owner.parent()) else {
        return vec![record.clone()];
    };
    let own = hash_of(&record.owner);
    let rewritten = |owner: &[u8], next: Vec<u8>, types: BTreeSet<u16>| {
        let owner = zone.child(BASE32_DNSSEC.encode(owner).as_bytes());
        let rdata = Nsec3 {
            next,
            types,
            ..nsec3.clone()
        }
        .write();
        Record::new(owner, NSEC3, rdata).with_ttl(record.ttl)
    };
    let mut minimal = Vec::new();
    for name in names.iter().filter(|name| name.is_within(&zone)) {
        let hash = nsec3_hash(name, nsec3.iterations, &nsec3.salt).to_vec();
        let is_last = nsec3.next <= own;
        if hash == own {
            minimal.push(rewritten(&own, hash_after(&own), nsec3.types.clone()));
        } else if (own < hash && (hash < nsec3.next || is_last)) || (is_last && hash < nsec3.next) {
            let (before, behind) = (hash_before(&hash), hash_after(&hash));
            minimal.push(rewritten(&before, behind, BTreeSet::new()));
        }
    }
    if minimal.is_empty() {
        minimal.push(record.clone());
    }
    minimal
}

/// A name that is not there denied as one that has nothing but the mark that it is not there (RFC 9824 §3.1).
fn compact_denial(base: &Base, asked: &Asked, _: &mut Random) -> Option<(String, Edit)> {
    /// The pseudo-type by which such records are known.
    const NXNAME: u16 = 128;
    let answer = base.world.answer(&asked.name, asked.record_type);
    let denials = Target::all(base, asked, Denial);
    let zone = denials.first()?.signer.clone();
    (answer.rcode == NXDOMAIN && answer.answers.is_empty()).then(|| {
        to_the_answer(asked, move |base, response| {
            response.rcode = NOERROR;
            response.authorities.clear();
            add_soa(base, &zone, response);
            let name = response.questions[0].name.clone();
            let nsec = Nsec {
                next: after(&name),
                types: [RRSIG, NSEC, NXNAME].into(),
            };
            let denial = signed_nsec(base, &zone, &name, &nsec);
            response.authorities.extend(denial);
        })
    })
}

// ---- Aliases

/// Replaces the CNAME records that have no RRSIG by what `make` makes of them.
fn synthesised(response: &mut Response, make: impl Fn(Record) -> Option<Record>) {
    let is_signed = |owner: &Name| {
        response
            .of_type(RRSIG)
            .any(|rrsig| rrsig.owner == *owner && rrsig.type_covered() == Some(CNAME))
    };
    let has_dname = response.of_type(DNAME).next().is_some();
    let unsigned: Vec<Name> = response
        .of_type(CNAME)
        .map(|record| record.owner.clone())
        .filter(|owner| has_dname && !is_signed(owner))
        .collect();
    let answers = std::mem::take(&mut response.answers);
    response.answers = answers
        .into_iter()
        .filter_map(|record| {
            if record.record_type == CNAME && unsigned.contains(&record.owner) {
                make(record)
            } else {
                Some(record)
            }
        })
        .collect();
}

// ---- Zones of the plan

/// A secure zone that is neither above nor below this one.
fn sibling_of(base: &Base, zone: &Name) -> Option<Name> {
    base.plan
        .zones
        .iter()
        .filter(|other| other.is_secure)
        .find(|other| !other.name.is_within(zone) && !zone.is_within(&other.name))
        .map(|other| other.name.clone())
}
