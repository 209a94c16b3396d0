//! An organisation such as the real DNS has many of, with keys of any algorithm, for measuring what it signs.
//!
//! Its chain is what `kliento dnssec retrieve` keeps of a resolver's answers: the root with two KSKs and a ZSK of RSA-2048
//! (algorithm 8), as during its rollovers; `com.` and `example.com.` with a KSK and a ZSK of P-256 each (algorithm 13);
//! the TXT record in the zone of `example.com.`.

use std::error::Error;

use kliento::veraid::dnssec::{Chain, RecordType};
use kliento::veraid::{
    Dialect, IntermediateCertificate, IntermediateName, IntermediateRequest, Issuer, KeyAlgorithm,
    KeyError, Member, MemberCertificate, MemberIdBundle, MemberRequest, Organisation,
    OrganisationCertificate, OrganisationRequest, Period, Policy, PrivateKey, PublicKey,
    SignatureScheme, Signer, SignerIdentity, SigningError, SigningKey, TtlOverride, TxtRecord,
    VerifyError,
};
use kliento::{SERVICE, Timestamp, Token, TrustAnchors, Verifier, VerifierBuilder, header};
use kliento_fixtures::{
    Algorithm, Key, SECURE_ENTRY_POINT, TXT, World, ZONE_KEY, ZoneKey, ZoneSpec, chain_der,
};

/// The server that the tokens are for.
pub const AUDIENCE: &str = "https://api.example.com";

/// The organisation.
pub const DOMAIN: &str = "example.com";
/// The member.
pub const USER: &str = "alice";
/// How long tokens live, in seconds: as long as they may, so that they outlive what measures them.
pub const TOKEN_LIFETIME: i64 = 3_600;
const DAY: i64 = 86_400;
/// The number of DNSSEC's algorithm RSA with SHA-256.
const RSA_SHA256: u8 = 8;
const RSA_BITS: u32 = 2_048;

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The organisation, in a member's name.
    Organisation,
    /// Somebody to whom it delegates, in a member's name.
    Delegate,
    /// A member that the organisation certified.
    Member,
    /// A member that an intermediate certified.
    MemberThroughIntermediate,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Organisation,
        Self::Delegate,
        Self::Member,
        Self::MemberThroughIntermediate,
    ];

    /// Whether VeraId has it too, which has no intermediates.
    pub fn is_in(self, dialect: Dialect) -> bool {
        dialect == Dialect::DomainAuth || matches!(self, Self::Organisation | Self::Member)
    }
}

/// A token with an audience and three claims. Each number makes another one, of the same length.
pub fn token(number: u64) -> Result<Token, kliento::AudienceError> {
    Ok(Token::new(AUDIENCE.parse()?)
        .with_claim("department", "accounts")
        .with_claim("nonce", format!("{number:016x}"))
        .with_claim("role", "admin"))
}

/// A key whose signatures are all as long as the longest: ECDSA's are integers in DER, which vary by some octets, and so
/// would everything that is measured.
pub struct LongestSignatures(PrivateKey);

impl LongestSignatures {
    /// One signature in four is of the full length.
    const MAX_ATTEMPTS: usize = 1_000;

    /// Generates a key.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        PrivateKey::generate(algorithm).map(Self)
    }

    /// Octets of the longest `Ecdsa-Sig-Value` (RFC 3279 §2.2.3): two integers of 33 or 49 octets.
    fn longest(&self) -> Option<usize> {
        match self.0.public_key().algorithm() {
            KeyAlgorithm::EcdsaP256 => Some(72),
            KeyAlgorithm::EcdsaP384 => Some(104),
            _ => None,
        }
    }
}

impl SigningKey for LongestSignatures {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8], scheme: SignatureScheme) -> Result<Vec<u8>, SigningError> {
        let longest = self.longest();
        for _ in 0..Self::MAX_ATTEMPTS {
            let signature = self.0.sign(message, scheme)?;
            if longest.is_none_or(|longest| signature.len() == longest) {
                return Ok(signature);
            }
        }
        Err(SigningError::new("no signature has the full length"))
    }
}

/// One key of an algorithm for each part that there is to play.
pub struct Keys {
    /// The organisation's.
    pub organisation: LongestSignatures,
    /// That of the intermediate which certifies members.
    pub intermediate: LongestSignatures,
    /// The member's, or the delegate's.
    pub signer: LongestSignatures,
}

impl Keys {
    /// Generates all of them.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        Ok(Self {
            organisation: LongestSignatures::generate(algorithm)?,
            intermediate: LongestSignatures::generate(algorithm)?,
            signer: LongestSignatures::generate(algorithm)?,
        })
    }
}

/// What an organisation of some dialect and key has to sign with.
pub struct Domain<'k> {
    keys: &'k Keys,
    dialect: Dialect,
    time: Timestamp,
    /// The root's DS records, as lines of a zone file.
    pub anchors: String,
    /// The DNSSEC chain of the organisation's TXT record.
    pub chain_der: Vec<u8>,
    /// The organisation's certificate.
    pub certificate: OrganisationCertificate,
}

impl<'k> Domain<'k> {
    /// Signs the zones and issues the certificate.
    pub fn new(dialect: Dialect, keys: &'k Keys, time: Timestamp) -> Result<Self, Box<dyn Error>> {
        let organisation: Organisation = DOMAIN.parse()?;
        let owner = organisation.record_owner(dialect)?;
        let day = TtlOverride::from_seconds(86_400).ok_or("a day is within bounds")?;
        let record = TxtRecord::new(keys.organisation.public_key(), dialect, day, Some(SERVICE))?;
        let world = World::builder()
            .at(time.unix_seconds())
            .with_zone(root())
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP256Sha256)
            .txt(owner.to_string().as_str(), record.to_string())
            .build();
        let anchors: TrustAnchors = world.anchors().parse()?;
        let received = world.chain(owner.to_string().as_str(), TXT);
        let from_now_on = Period::new(time, Timestamp::MAX).ok_or("time ends")?;
        let kept = Chain::from_messages(received.iter().map(Vec::as_slice))?.minimal(
            &owner,
            RecordType::TXT,
            &anchors,
            from_now_on,
        )?;
        let path_length = match dialect {
            Dialect::DomainAuth => 1,
            _ => 0,
        };
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, dialect, days(time, 30)?)
                .with_path_length(path_length),
            &keys.organisation,
        )?;
        Ok(Self {
            keys,
            dialect,
            time,
            anchors: world.anchors(),
            chain_der: chain_der(&kept),
            certificate,
        })
    }

    /// A server that takes its tokens.
    pub fn verifier(&self) -> Result<VerifierBuilder, Box<dyn Error>> {
        let time = self.time;
        Ok(Verifier::builder(AUDIENCE.parse()?)
            .trust_anchors(self.anchors.parse()?)
            .policy(Policy::new().with_all_algorithms())
            .clock(move || time))
    }

    /// A token bundle, signed with the signer's key of `signer` where that is not the organisation's own. An
    /// intermediate has a key like the organisation's.
    ///
    /// What does not fit is the inner error, with its size.
    pub fn issue(
        &self,
        kind: Kind,
        signer: &Keys,
    ) -> Result<Result<Vec<u8>, kliento::IssueError>, Box<dyn Error>> {
        Ok(self.party(kind, signer)?.issue(&token(0)?))
    }

    /// Somebody who can sign, with the signer's key of `signer` where that is not the organisation's own.
    pub fn party<'d>(&'d self, kind: Kind, signer: &'d Keys) -> Result<Party<'d>, Box<dyn Error>> {
        let key = &signer.signer;
        let attribution = Member::parse_for(USER, self.dialect)?;
        let credentials = match kind {
            Kind::Organisation => Credentials::Organisation,
            Kind::Delegate => {
                Credentials::Delegate(vec![self.delegate_to("Token service", key.public_key())?])
            }
            Kind::Member => {
                let issuer_key = &self.keys.organisation;
                let certificate = self.certify(&attribution, key, &self.certificate, issuer_key)?;
                Credentials::Member(self.member_id_bundle(certificate, Vec::new())?)
            }
            Kind::MemberThroughIntermediate => {
                let issuer_key = &self.keys.intermediate;
                let intermediate = self.delegate_to("Help desk", issuer_key.public_key())?;
                let certificate = self.certify(&attribution, key, &intermediate, issuer_key)?;
                Credentials::Member(self.member_id_bundle(certificate, vec![intermediate])?)
            }
        };
        let end = self.time.saturating_add(TOKEN_LIFETIME);
        Ok(Party {
            domain: self,
            credentials,
            key,
            attribution,
            period: Period::new(self.time, end).ok_or("time ends")?,
        })
    }

    fn delegate_to(
        &self,
        unit: &str,
        key: &PublicKey,
    ) -> Result<IntermediateCertificate, Box<dyn Error>> {
        Ok(IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &IntermediateName::Unit(unit.to_owned()),
                key,
                &self.certificate,
                days(self.time, 7)?,
            ),
            &self.keys.organisation,
        )?)
    }

    fn certify<'c>(
        &self,
        member: &Member,
        key: &LongestSignatures,
        issuer: impl Into<Issuer<'c>>,
        issuer_key: &LongestSignatures,
    ) -> Result<MemberCertificate, Box<dyn Error>> {
        Ok(MemberCertificate::issue(
            &MemberRequest::new(
                member,
                key.public_key(),
                issuer,
                self.dialect,
                days(self.time, 3)?,
            ),
            issuer_key,
        )?)
    }

    fn member_id_bundle(
        &self,
        certificate: MemberCertificate,
        intermediates: Vec<IntermediateCertificate>,
    ) -> Result<MemberIdBundle, VerifyError> {
        MemberIdBundle::new(
            &self.chain_der,
            self.certificate.clone(),
            certificate,
            intermediates,
        )
    }
}

/// Somebody who signs, with what it takes besides the token: what a client keeps.
pub struct Party<'d> {
    domain: &'d Domain<'d>,
    credentials: Credentials,
    /// The key of a member or delegate.
    key: &'d LongestSignatures,
    /// The member in whose name an organisation or delegate signs.
    attribution: Member,
    period: Period,
}

enum Credentials {
    Organisation,
    Delegate(Vec<IntermediateCertificate>),
    Member(MemberIdBundle),
}

impl Party<'_> {
    /// Signs a token.
    pub fn issue(&self, token: &Token) -> Result<Vec<u8>, kliento::IssueError> {
        let chain_der = &self.domain.chain_der;
        let certificate = &self.domain.certificate;
        let attribution = &self.attribution;
        let signer = match &self.credentials {
            Credentials::Organisation => Signer::new(
                SignerIdentity::Organisation {
                    chain_der,
                    certificate,
                    attribution,
                },
                &self.domain.keys.organisation,
            ),
            Credentials::Delegate(intermediates) => Signer::new(
                SignerIdentity::Delegate {
                    chain_der,
                    certificate,
                    intermediates,
                    attribution,
                },
                self.key,
            ),
            Credentials::Member(bundle) => Signer::member(bundle, self.key),
        };
        kliento::issue(&signer, token, self.period)
    }

    /// `Authorization` values with so many tokens, no two of them the same.
    pub fn tokens(&self, count: usize) -> Result<Vec<String>, Box<dyn Error>> {
        (0..)
            .take(count)
            .map(|number| Ok(header::encode(&self.issue(&token(number)?)?)))
            .collect()
    }
}

/// The root with the keys that it has while one KSK waits to take the other's place. They are written down in
/// `kliento-fixtures`, so that none has to be generated; one that only waits needs no private half.
fn root() -> ZoneSpec {
    let key = Key::recorded_rsa(Algorithm::RsaSha256, RSA_BITS);
    let waiting = ZoneKey::new(Key::random_junk(RSA_SHA256), ZONE_KEY | SECURE_ENTRY_POINT);
    ZoneSpec::new(".", Algorithm::RsaSha256)
        .ksk(key.clone())
        .zsk(key)
        .extra_key(waiting)
}

fn days(start: Timestamp, days: i64) -> Result<Period, &'static str> {
    Period::new(start, start.saturating_add(days.saturating_mul(DAY))).ok_or("time ends")
}
