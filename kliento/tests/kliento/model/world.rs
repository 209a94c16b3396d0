//! Descriptions of worlds: everything that a token bundle and its chain are made of, as far as the model decides by it.
//!
//! These are plain data, without any octets. `build.rs` makes the octets, and `procedure.rs` says what follows from them. All
//! times are whole seconds, counted from noon.

/// The longest period of anything in DomainAuth, in seconds: 90 days.
pub(super) const NINETY_DAYS: i64 = 7_776_000;
/// The domain whose zone publishes the TXT records.
pub(super) const DOMAIN: &str = "example.com";

/// From one second to another, both included. One that ends before it starts holds at no second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    pub(super) fn has(self, second: i64) -> bool {
        self.start <= second && second <= self.end
    }

    /// Its length, as the drafts count it: the end minus the start.
    pub(super) fn length(self) -> i64 {
        self.end - self.start
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    VeraId,
    DomainAuth,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    /// The dialect of the owner of the TXT records.
    pub(super) dialect: Dialect,
    /// True if the chain answers for the other dialect's owner, too.
    pub(super) answers_both_dialects: bool,
    /// The keys of the root, of `com.` and of `example.com.`, and the signatures over them.
    pub(super) zones: [Zone; 3],
    /// From the root to `com.`, and from there to `example.com.`.
    pub(super) delegations: [Delegation; 2],
    /// The TXT records, and the signatures over them.
    pub(super) records: Vec<TxtRecord>,
    pub(super) records_rrsigs: Vec<Rrsig>,
    pub(super) organisation: Certificate,
    /// All of them are attached to the signature.
    pub(super) intermediates: Vec<Certificate>,
    pub(super) member: Certificate,
    pub(super) signature: Signature,
    pub(super) token: Token,
}

// DNS

/// The keys of a zone, by what they are used for. The stranger's is not in the zone's DNSKEY RRset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneKey {
    Ksk,
    Zsk,
    Stranger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyState {
    Good,
    Revoked,
    NoZoneKey,
    OtherProtocol,
}

#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) ksk: KeyState,
    pub(super) zsk: KeyState,
    /// The signatures over its DNSKEY RRset.
    pub(super) rrsigs: Vec<Rrsig>,
}

/// The DS RRset of a zone, in its parent.
#[derive(Clone, Debug)]
pub(super) struct Delegation {
    pub(super) ds: Vec<Ds>,
    pub(super) rrsigs: Vec<Rrsig>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ds {
    pub(super) key: ZoneKey,
    pub(super) digest: DsDigest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DsDigest {
    Sha256,
    Sha384,
    Sha1,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rrsig {
    /// A key of the zone that the RRset is in.
    pub(super) key: ZoneKey,
    pub(super) span: Span,
    pub(super) fault: Option<RrsigFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RrsigFault {
    /// A bit of the signature is flipped.
    Corrupt,
    /// It names `net.` as its signer.
    OtherSigner,
    /// It names another key tag.
    OtherTag,
    /// Its Labels field is higher than the owner's count.
    TooManyLabels,
}

// TXT records

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Kliento,
    Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TxtRecord {
    /// A text that is no record in either dialect.
    Other(&'static str),
    Key(KeyRecord),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRecord {
    /// The version; DomainAuth alone has this field.
    pub(super) version: u8,
    pub(super) algorithm: u8,
    /// The digest type that is written; VeraId may leave it out.
    pub(super) digest_type: Option<Hash>,
    /// The key of the key id, and the hash by which the id really is computed.
    pub(super) key: Key,
    pub(super) digest: Hash,
    pub(super) ttl_override: i64,
    pub(super) service: Option<Service>,
    /// True if there is one more field behind the service.
    pub(super) further_field: bool,
}

// Certificates

/// RSA keys, most of them of 2,048 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Organisation,
    Member,
    Upper,
    Lower,
    Stranger,
    Bits1024,
    Bits2560,
    Bits3072,
}

impl Key {
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Bits1024 => 1_024,
            Self::Bits2560 => 2_560,
            Self::Bits3072 => 3_072,
            _ => 2_048,
        }
    }
}

/// The name of a certificate's subject or issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Common(&'static str),
    TwoCommon(&'static str, &'static str),
    Unit(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Pss(Hash),
    PssSha1,
    Pkcs1,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct BasicConstraints {
    pub(super) is_ca: bool,
    pub(super) is_critical: bool,
    pub(super) path_length: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct KeyUsage {
    pub(super) signs_content: bool,
    pub(super) signs_certificates: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) subject: Name,
    pub(super) issuer: Name,
    pub(super) serial_number: u8,
    pub(super) key: Key,
    pub(super) span: Span,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    /// The keys whose SHA-256 digests the identifiers are.
    pub(super) subject_key_identifier: Option<Key>,
    pub(super) authority_key_identifier: Option<Key>,
    /// True if it has an extension that nobody knows and that is critical.
    pub(super) unknown_critical: bool,
    pub(super) signed_by: Key,
    pub(super) scheme: Scheme,
    pub(super) corrupt: bool,
}

// The signature and what it signs

/// The certificate that `SignerIdentifier` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    Member,
    Organisation,
    Intermediate(usize),
}

#[derive(Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a part that is right or wrong by itself"
)]
pub(super) struct Signature {
    pub(super) signer: Signer,
    /// The key that really signs.
    pub(super) key: Key,
    pub(super) attribution: Option<&'static str>,
    pub(super) service: Service,
    pub(super) span: Span,
    /// The hash by which the content is digested.
    pub(super) digest: Hash,
    pub(super) scheme: Scheme,
    /// True if the message digest is that of other content.
    pub(super) other_content: bool,
    /// True if the signed content type is another than id-data.
    pub(super) other_content_type: bool,
    pub(super) corrupt: bool,
    /// True if the member's certificate is attached.
    pub(super) member_attached: bool,
    pub(super) organisation_attached: bool,
    /// True if a second certificate with the member's issuer and serial number is attached.
    pub(super) twin_attached: bool,
    /// True if there are two equal `SignerInfo`s.
    pub(super) signed_twice: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) audience: &'static str,
    pub(super) claims: Vec<(&'static str, &'static str)>,
    pub(super) fault: Option<TokenFault>,
    /// True if the content is within the bundle.
    pub(super) attached: bool,
    /// True if one more claim makes the bundle longer than a token bundle may be.
    pub(super) oversized: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    DuplicateAudience,
    DuplicateClaim,
    NullClaims,
    NumberAsClaim,
    TrailingOctets,
    ByteOrderMark,
    NoAudience,
}

// Questions

/// A question about a world.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The only dialect that the verifier accepts, unless it accepts both.
    pub(super) only: Option<Dialect>,
    pub(super) asked: Asked,
}

#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// Does the signature hold for this service, at some second of the period?
    Signature {
        service: Service,
        period: Span,
        /// True if the verifier gives the content.
        content_given: bool,
    },
    /// Does the token hold for this audience, at a second from `time - skew` to `time + skew`?
    Token {
        audience: &'static str,
        requirements: Requirements,
        time: i64,
        skew: i64,
    },
}

impl Question {
    pub(super) fn period(&self) -> Span {
        match self.asked {
            Asked::Signature { period, .. } => period,
            Asked::Token { time, skew, .. } => Span {
                start: time - skew,
                end: time + skew,
            },
        }
    }

    pub(super) fn service(&self) -> Service {
        match self.asked {
            Asked::Signature { service, .. } => service,
            Asked::Token { .. } => Service::Kliento,
        }
    }
}

/// The requirements of a server: of each kind that is there, one alternative must be met.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requirements {
    pub(super) organisation: Option<&'static str>,
    pub(super) subject: Option<Subject>,
    /// A claim, and its value unless any will do.
    pub(super) claim: Option<(&'static str, Option<&'static str>)>,
    pub(super) signed_by: Option<SignedBy>,
    pub(super) max_lifetime: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Alice,
    AllUsers,
    Bot,
    AliceElsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SignedBy {
    Member,
    Organisation,
}
