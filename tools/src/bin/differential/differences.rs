//! Where verdicts differ for a reason: what this crate holds to and another validator does not, or the other way round.
//!
//! `src/differences.md` says the same in prose, with the RFCs' words.

use kliento_fixtures::{NOERROR, NXDOMAIN};

use crate::compare::{Case, Peer};
use crate::plan::Kind;
use crate::verdict::Verdict;

use Peer::{Bind, Hickory, Unbound};
use Verdict::{Bogus, Insecure, NoData, NxDomain, Secure};

/// A known difference: its name, and whether it is what makes a case.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    applies: fn(&Case<'_>) -> bool,
}

/// Which difference explains a case, by its index.
pub(crate) fn explain(case: &Case<'_>) -> Option<usize> {
    DIFFERENCES
        .iter()
        .position(|difference| (difference.applies)(case))
}

impl Case<'_> {
    fn is(&self, peers: &[Peer]) -> bool {
        peers.contains(&self.peer)
    }

    /// Whether the world has one of these faults.
    fn has(&self, faults: &[&str]) -> bool {
        faults.iter().any(|fault| self.scene.has(fault))
    }

    /// Whether these are our verdict and one of those theirs.
    fn are(&self, ours: &[Verdict], theirs: &[Verdict]) -> bool {
        ours.contains(&self.ours.verdict) && theirs.contains(&self.theirs.verdict)
    }

    /// Whether our verdict's reason has these words in it.
    fn we_say(&self, words: &str) -> bool {
        self.ours.words.contains(words)
    }

    fn they_say(&self, words: &str) -> bool {
        self.theirs.words.contains(words)
    }

    fn rcode(&self) -> u8 {
        let Case { scene, asked, .. } = self;
        scene.answer(&asked.name, asked.record_type).rcode
    }
}

const PROVEN: &[Verdict] = &[Secure, NxDomain, NoData];
const NOT_BOGUS: &[Verdict] = &[Secure, NxDomain, NoData, Insecure];

const SHA_1: &[&str] = &[
    "zone of RSA with SHA-1",
    "zone of RSA with SHA-1 and NSEC3's number",
    "DS of SHA-1 alone",
    "DS of SHA-1 beside a wrong one of SHA-256",
];

/// Faults by which a bad RRSIG stands before the good one, or a bad key before the good one.
const BESIDE: &[&str] = &[
    "expired RRSIG beside",
    "future RRSIG beside",
    "corrupt RRSIG beside",
    "RRSIG with too many labels beside",
    "junk key with the ZSK's tag beside",
    "three junk keys with the ZSK's tag beside",
];

const MALFORMED_BITMAPS: &[&str] = &[
    "denial with a bitmap of 33 octets",
    "denial with a bitmap cut short",
    "denial with bitmap windows out of order",
];

const NEXT_TO_THE_NAME: &[&str] = &[
    "NSEC whose next name comes right after the name asked for",
    "NSEC whose next name is the name asked for",
    "NSEC whose next name is below the name asked for",
];

/// Faults by which a response has records in it that are no part of the answer, and not signed as they should be.
const STRANGE_RECORDS: &[&str] = &[
    "unsigned CNAME first",
    "unsigned RRset beside",
    "unsigned RRset of another type beside",
    "unsigned NS in the authority section",
    "unsigned glue in the additional section",
    "denial of a sibling zone instead",
    "NSEC at a wildcard's match that says the name exists",
];

/// Faults by which nothing that a zone denies can be read.
const NSEC3_ZONES: &[&str] = &[
    "NSEC3 with 151 iterations",
    "NSEC3 with 501 iterations",
    "NSEC3 with 2,500 iterations",
    "NSEC3 with an unknown hash",
    "NSEC3 with an unknown flag",
];

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "SHA-1 proves nothing",
        applies: |case| {
            case.has(SHA_1)
                && (case.we_say("none of its DS records has both a supported algorithm")
                    || case.are(&[Bogus], NOT_BOGUS))
        },
    },
    Difference {
        name: "RSA keys below 1,024 bits prove nothing",
        applies: |case| {
            case.has(&["zone of RSA with 512 bits", "zone of RSA with 1,023 bits"])
                && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "At most eight aliases",
        applies: |case| case.we_say("dnssec.too_many_aliases"),
    },
    Difference {
        name: "More than 100 NSEC3 iterations",
        applies: |case| {
            case.has(&[
                "NSEC3 with 101 iterations",
                "NSEC3 with 150 iterations",
                "NSEC3 record with other iterations",
            ]) && case.is(&[Unbound, Bind])
                && case.we_say("have more than 100 iterations")
        },
    },
    Difference {
        name: "An opt-out span proves no absence",
        applies: |case| {
            case.is(&[Bind, Hickory])
                && case.we_say("opt-out span")
                && case.are(&[Insecure], PROVEN)
        },
    },
    Difference {
        name: "An opt-out span is enough",
        applies: |case| {
            !case.scene.faults.is_empty()
                && case.we_say("opt-out span")
                && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "No wildcard makes a DS, DNSKEY, NSEC or NSEC3 record",
        applies: |case| {
            case.are(&[Bogus], NOT_BOGUS)
                && (case.has(&["denial made from a wildcard"])
                    || (case.has(&["RRSIG with a label fewer", "RRSIG with no labels"])
                        && case.we_say("dnssec.wildcard")))
        },
    },
    Difference {
        name: "A malformed type bitmap",
        applies: |case| case.has(MALFORMED_BITMAPS) && case.are(&[Bogus], NOT_BOGUS),
    },
    Difference {
        name: "The last NSEC record leads to the apex",
        applies: |case| {
            case.has(&[
                "NSEC whose next name is its own",
                "NSEC whose next name is the root",
            ]) && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "A next name outside of the zone",
        applies: |case| {
            // The name asked for is not of the zone whose record was changed if an alias led there.
            let leads_out = case.asked.kind.is_alias() && case.has(NEXT_TO_THE_NAME);
            case.is(&[Bind])
                && (leads_out
                    || case.has(&[
                        "NSEC whose next name is elsewhere",
                        "NSEC whose next name is the root",
                    ]))
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "A hash of another length",
        applies: |case| {
            case.has(&[
                "NSEC3 whose next hash is an octet shorter",
                "NSEC3 whose next hash is empty",
            ]) && case.is(&[Unbound, Hickory])
                && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "A revoked key",
        applies: |case| {
            (case.is(&[Unbound, Hickory])
                && case.has(&["KSK revoked", "ZSK revoked"])
                && case.are(&[Bogus], NOT_BOGUS))
                || (case.is(&[Bind])
                    && case.has(&["KSK revoked"])
                    && case.are(&[Bogus], &[Insecure]))
        },
    },
    Difference {
        name: "A key that is no zone key, or of another protocol",
        applies: |case| {
            case.has(&["KSK no zone key", "KSK of protocol 2"])
                && case.is(&[Bind, Hickory])
                && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "An unknown NSEC3 flag",
        applies: |case| {
            case.is(&[Bind, Hickory])
                && case.has(&[
                    "NSEC3 record with an unknown flag",
                    "NSEC3 with an unknown flag",
                ])
                && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "Names below a DNAME",
        applies: |case| case.has(&["denial with DNAME"]) && case.are(&[Bogus], &[NoData, NxDomain]),
    },
    Difference {
        name: "The response code proves nothing",
        applies: |case| {
            let is_other = match case.ours.verdict {
                NxDomain => case.rcode() == NOERROR,
                NoData | Secure => case.rcode() == NXDOMAIN,
                _ => false,
            };
            is_other && case.are(PROVEN, &[Bogus])
        },
    },
    Difference {
        name: "The SOA record is no part of a denial",
        applies: |case| {
            case.has(&["RRSIG over SOA corrupt", "RRSIG over SOA removed"])
                && case.are(&[NxDomain, NoData, Insecure], &[Bogus])
        },
    },
    Difference {
        name: "A signed denial counts wherever it stands",
        applies: |case| {
            case.has(&[
                "denial in the additional section",
                "denial in the answer section",
                "sections swapped",
            ]) && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "Each NSEC record stands by itself",
        applies: |case| {
            (case.has(&["record added"]) && case.are(&[NxDomain, NoData, Insecure], &[Bogus]))
                || (case.has(&["denial twice, once changed"]) && case.are(&[Bogus], NOT_BOGUS))
        },
    },
    Difference {
        name: "One failed signature ends it",
        applies: |case| case.is(&[Bind]) && case.has(BESIDE) && case.are(NOT_BOGUS, &[Bogus]),
    },
    Difference {
        name: "How much work is too much",
        applies: |case| {
            case.has(&[
                "twenty junk keys with the ZSK's tag beside",
                "many corrupt RRSIGs beside",
            ]) || (case.has(&["three junk keys with the ZSK's tag beside"])
                && case.we_say("signature checks that fail"))
        },
    },
    Difference {
        name: "A zone above signs",
        applies: |case| case.has(&["RRSIG by the parent"]) && case.are(NOT_BOGUS, &[Bogus]),
    },
    Difference {
        name: "Compact denial",
        applies: |case| case.has(&["compact denial"]) && case.are(&[NxDomain], &[NoData]),
    },
    Difference {
        name: "An unassigned DNSKEY flag",
        applies: |case| {
            case.is(&[Bind])
                && case.has(&["KSK with an unassigned flag"])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "Ed448",
        applies: |case| {
            case.is(&[Bind]) && case.has(&["DS with Ed448"]) && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "Nothing that could be unsigned",
        applies: |case| {
            matches!(
                case.asked.kind,
                Kind::AliasLoop | Kind::DnameTooLong | Kind::LongAliasChain
            ) && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "Labels where no zone begins",
        applies: |case| {
            case.is(&[Unbound])
                && (case.has(NSEC3_ZONES) || case.has(&["denial as an online signer makes it"]))
                && case.are(PROVEN, &[Insecure, Bogus])
        },
    },
    Difference {
        name: "A malformed DNSKEY record beside",
        applies: |case| {
            case.is(&[Bind, Hickory])
                && case.has(&["DNSKEY of two octets beside", "DNSKEY with no key beside"])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "What else is in the response",
        applies: |case| case.has(STRANGE_RECORDS) && case.are(NOT_BOGUS, &[Bogus]),
    },
    Difference {
        name: "Records of another class beside",
        applies: |case| {
            case.has(&["a record of class Chaos beside"]) && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "A DNAME without its CNAME",
        applies: |case| {
            case.has(&[
                "DNAME without its CNAME's target",
                "synthesised CNAME removed",
                "synthesised CNAME that leads elsewhere",
                "synthesised CNAME with another TTL",
            ]) && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "A malformed alias",
        applies: |case| {
            case.has(&["alias with an octet after its target"])
                && (case.are(&[Bogus], NOT_BOGUS) || case.are(NOT_BOGUS, &[Bogus]))
        },
    },
    Difference {
        name: "NSEC records that contradict each other",
        applies: |case| case.has(NEXT_TO_THE_NAME) && case.are(&[NxDomain], &[NoData, Bogus]),
    },
    Difference {
        name: "An NSEC3 record that covers the closest encloser",
        applies: |case| {
            case.is(&[Bind])
                && case.has(&[
                    "NSEC3 whose next hash is its own",
                    "NSEC3 whose next hash comes right before",
                ])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "A CNAME where there is none",
        applies: |case| {
            case.is(&[Bind]) && case.has(&["denial with CNAME"]) && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "A DS or SOA where there is none",
        applies: |case| {
            case.is(&[Bind])
                && ((case.has(&["denial with SOA"]) && case.are(&[Bogus], &[NoData]))
                    || (case.has(&["denial with DS"]) && case.are(NOT_BOGUS, &[Bogus])))
        },
    },
    Difference {
        name: "Insecure by a record that nobody needed",
        applies: |case| {
            case.is(&[Bind, Hickory])
                && case.we_say("have more than 100 iterations")
                && case.are(&[Insecure], &[Bogus, Secure])
                && case.scene.faults.len() > 1
        },
    },
    Difference {
        name: "An RRSIG without a signature",
        applies: |case| {
            case.is(&[Unbound])
                && case.has(&["RRSIG with no signature"])
                && case.asked.kind.is_alias()
                && case.are(&[Bogus], &[Secure, Insecure])
        },
    },
    Difference {
        name: "The first RRSIG of several",
        applies: |case| {
            case.is(&[Unbound])
                && case.has(&[
                    "RRSIG with too many labels beside",
                    "RRSIG with a signer elsewhere beside",
                ])
                && case.are(PROVEN, &[Bogus])
        },
    },
    Difference {
        name: "An NSEC3 hash that nobody knows",
        applies: |case| {
            case.has(&[
                "NSEC3 with an unknown hash",
                "NSEC3 record with an unknown hash",
            ]) && case.we_say("unknown hash algorithm")
                && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "A cut that the zone itself makes up",
        applies: |case| {
            (case.has(&[
                "denial with NS and no SOA",
                "denial with NS",
                "denial without NS",
            ]) && case.are(&[Bogus, Insecure], &[Bogus, Insecure]))
                || (case.has(&["denial with SOA"]) && case.are(&[NxDomain, NoData], &[Bogus]))
        },
    },
    Difference {
        name: "hickory: keys without an RRSIG",
        applies: |case| {
            let is_of_keys = case
                .scene
                .faults
                .iter()
                .any(|wrong| wrong.at.ends_with(" 48"));
            // Nor does it look at the code of the response that they come in.
            let is_failed = case.we_say("dnssec.response_code") && case.we_say("DNSKEY");
            case.is(&[Hickory]) && (is_of_keys || is_failed) && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "hickory: DS records with nothing known",
        applies: |case| {
            case.is(&[Hickory])
                && case.we_say("none of its DS records has both a supported algorithm")
                && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "hickory: records that come twice, and keys of one tag",
        applies: |case| {
            case.is(&[Hickory])
                && case.has(&[
                    "records doubled",
                    "records signed twice over, one changed",
                    "three junk keys with the ZSK's tag beside",
                ])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "hickory: more than 500 NSEC3 iterations",
        applies: |case| {
            case.is(&[Hickory])
                && case.has(&["NSEC3 with 501 iterations", "NSEC3 with 2,500 iterations"])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "hickory: records with different TTLs",
        applies: |case| {
            case.is(&[Hickory])
                && case.has(&["records with different TTLs"])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "hickory: empty non-terminals",
        applies: |case| {
            case.is(&[Hickory])
                && case.has(&["NSEC whose next name comes right after the name asked for"])
                && case.are(&[NoData], &[NxDomain])
        },
    },
    Difference {
        name: "hickory: a type that it does not expect",
        applies: |case| {
            case.is(&[Hickory])
                && case.has(&["denial with DNAME", "denial with DS", "denial with NS"])
                && case.are(NOT_BOGUS, &[Bogus])
        },
    },
    Difference {
        name: "An insecure alias ends it",
        applies: |case| {
            case.asked.kind.is_alias()
                && !case.scene.faults.is_empty()
                && case.we_say(" is insecure: ")
                && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "An NSEC3 record of another zone",
        applies: |case| {
            case.is(&[Unbound])
                && case.has(&["RRSIG by the parent"])
                && case
                    .scene
                    .faults
                    .iter()
                    .any(|wrong| wrong.at.ends_with(" 50"))
                && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "A DNSKEY RRset that the parent signed",
        applies: |case| {
            case.is(&[Unbound])
                && case.has(&["RRSIG by the parent"])
                && case.we_say("dnssec.signer_off_tree")
                && case.are(&[Bogus], &[Secure])
        },
    },
    Difference {
        name: "An empty response from an unsigned zone",
        applies: |case| {
            case.is(&[Bind, Hickory])
                && case.has(&["response empty", "authority section empty"])
                && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "hickory: a bad denial from an unsigned zone",
        applies: |case| {
            case.is(&[Hickory])
                && (case.has(MALFORMED_BITMAPS)
                    || case.has(&["NSEC3 record with an unknown hash"])
                    || case.we_say("have more than 100 iterations"))
                && case.are(&[Insecure], &[Bogus])
        },
    },
    Difference {
        name: "hickory: two aliases of one name",
        applies: |case| {
            case.is(&[Hickory])
                && case.has(&["two aliases of one name"])
                && case.are(&[Bogus], NOT_BOGUS)
        },
    },
    Difference {
        name: "A response that BIND refuses to read",
        applies: |case| {
            case.is(&[Bind])
                && !case.scene.faults.is_empty()
                && case.are(NOT_BOGUS, &[Bogus])
                // Of what it can't parse in full, it says the latter.
                && (case.they_say("FORMERR") || case.they_say("unexpected end of input"))
        },
    },
];
