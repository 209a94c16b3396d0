//! The participants of the demo: a DNS, an organisation, a member, all made on the spot.

use kliento::veraid::{
    Dialect, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest, Organisation,
    OrganisationCertificate, OrganisationRequest, Period, PrivateKey, Signer, SignerIdentity,
    SigningKey as _, Timestamp, TtlOverride, TxtRecord, Verification,
};
use kliento::{Audience, SERVICE, Token, TrustAnchors};
use kliento_fixtures::{Algorithm, TXT, World};

use super::unexpected;
use crate::arguments::now;
use crate::fault::{Fault, with_causes};

pub(super) const DOMAIN: &str = "example.com";
pub(super) const ALICE: &str = "alice";
pub(super) const AUDIENCE: &str = "https://api.example.org";
const RECORD_OWNER: &str = "_veraid.example.com.";
/// The zones, and what each signs with.
const ZONES: [(&str, Algorithm, &str); 3] = [
    (
        ".",
        Algorithm::RsaSha256,
        "RSASHA256, the one key that servers must know",
    ),
    (
        "com.",
        Algorithm::EcdsaP256Sha256,
        "ECDSAP256SHA256, vouched for by the root",
    ),
    (
        "example.com.",
        Algorithm::Ed25519,
        "ED25519, vouched for by com.",
    ),
];
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const TOKEN_LIFETIME: i64 = 600;

/// A whole world around an organisation.
pub(super) struct Cast {
    pub(super) now: Timestamp,
    pub(super) world: World,
    pub(super) anchors: TrustAnchors,
    pub(super) audience: Audience,
    pub(super) organisation: Organisation,
    pub(super) organisation_certificate: OrganisationCertificate,
    pub(super) organisation_key: PrivateKey,
    pub(super) record: TxtRecord,
    pub(super) record_line: String,
    pub(super) chain: Vec<u8>,
    pub(super) alice_key: PrivateKey,
    pub(super) member_id_bundle: MemberIdBundle,
}

/// A zone, for show.
pub(super) struct ZoneDescription {
    pub(super) name: String,
    pub(super) description: String,
}

/// The fact that the chain proves.
pub(super) struct RecordProof {
    pub(super) text: Vec<u8>,
    pub(super) responses: usize,
    pub(super) until: Timestamp,
}

/// The fault for what can't fail in a demo but by a mistake of ours.
pub(super) fn sure<T>(result: Result<T, impl std::error::Error>) -> Result<T, Fault> {
    result.map_err(|error| unexpected(with_causes(&error)))
}

impl Cast {
    /// Signs a DNS whose one organisation is `example.com` with one member.
    pub(super) fn gather() -> Result<Self, Fault> {
        let now = now();
        let organisation: Organisation = sure(DOMAIN.parse())?;
        let organisation_key = sure(PrivateKey::generate(KeyAlgorithm::Rsa2048))?;
        let alice_key = sure(PrivateKey::generate(KeyAlgorithm::Rsa2048))?;
        let record = sure(TxtRecord::new(
            organisation_key.public_key(),
            Dialect::VeraId,
            ttl_override()?,
            None,
        ))?;
        let record_line = sure(record.to_zone_line(&organisation))?;

        let world = build_world(ZONES[0].1, now, &record);
        let anchors = sure(world.anchors().parse())?;
        let chain = chain_of(&world);
        let (organisation_certificate, member_id_bundle) =
            certify(&chain, &organisation, &organisation_key, &alice_key, now)?;
        Ok(Self {
            now,
            world,
            anchors,
            audience: sure(AUDIENCE.parse())?,
            organisation,
            organisation_certificate,
            organisation_key,
            record,
            record_line,
            chain,
            alice_key,
            member_id_bundle,
        })
    }

    pub(super) fn zones(&self) -> impl Iterator<Item = ZoneDescription> {
        ZONES.iter().map(|(name, _, description)| {
            let key_tag = self.world.zone(*name).committed_key().key_tag();
            ZoneDescription {
                name: (*name).to_owned(),
                description: format!("key {key_tag:5}  {description}"),
            }
        })
    }

    /// Looks the record up as a verifier does.
    pub(super) fn prove_record(&self) -> Result<RecordProof, Fault> {
        let chain = dnssec::Chain::from_der(&self.chain)?;
        let owner = sure(RECORD_OWNER.parse())?;
        let proof = chain.verify(
            &owner,
            dnssec::RecordType::TXT,
            &self.anchors,
            Period::at(self.now),
        )?;
        let text = proof
            .rdata()
            .next()
            .and_then(dnssec::txt_content)
            .ok_or_else(|| unexpected("the chain proves no record"))?
            .into_owned();
        let until = proof
            .validity()
            .first_overlapping(Period::at(self.now))
            .ok_or_else(|| unexpected("the chain does not hold now"))?
            .end();
        Ok(RecordProof {
            text,
            responses: chain.responses().len(),
            until,
        })
    }

    /// Verifies Alice's bundle, and gives her name.
    pub(super) fn verify_member(&self) -> Result<String, Fault> {
        let verified = self.member_id_bundle.verify(&Verification::new(
            SERVICE,
            Period::at(self.now),
            &self.anchors,
        ))?;
        Ok(verified.member_id().to_string())
    }

    pub(super) fn issue_as_alice(&self, token: &Token) -> Result<Vec<u8>, Fault> {
        self.issue_as_alice_for(token, self.ten_minutes()?)
    }

    /// The same, for the ten minutes that ended five minutes ago.
    pub(super) fn issue_as_alice_too_early(&self, token: &Token) -> Result<Vec<u8>, Fault> {
        let end = self.now.saturating_sub(TOKEN_LIFETIME / 2);
        self.issue_as_alice_for(token, span(end.saturating_sub(TOKEN_LIFETIME), end)?)
    }

    pub(super) fn issue_as_alice_for(
        &self,
        token: &Token,
        period: Period,
    ) -> Result<Vec<u8>, Fault> {
        let signer = Signer::member(&self.member_id_bundle, &self.alice_key);
        sure(kliento::issue(&signer, token, period))
    }

    pub(super) fn issue_as_organisation(&self, token: &Token) -> Result<Vec<u8>, Fault> {
        let signer = Signer::new(
            SignerIdentity::Organisation {
                chain_der: &self.chain,
                certificate: &self.organisation_certificate,
                attribution: &Member::Bot,
            },
            &self.organisation_key,
        );
        sure(kliento::issue(&signer, token, self.ten_minutes()?))
    }

    /// From now on.
    pub(super) fn ten_minutes(&self) -> Result<Period, Fault> {
        span(self.now, self.now.saturating_add(TOKEN_LIFETIME))
    }

    /// From now on: the longest lifetime that the protocol allows.
    pub(super) fn hour(&self) -> Result<Period, Fault> {
        span(self.now, self.now.saturating_add(HOUR))
    }
}

/// A DNS that publishes `record`, signed for the days around `now`.
pub(super) fn build_world(root: Algorithm, now: Timestamp, record: &TxtRecord) -> World {
    let [_, below @ ..] = ZONES;
    below
        .into_iter()
        .fold(
            World::builder().zone(".", root),
            |world, (name, algorithm, _)| world.zone(name, algorithm),
        )
        .at(now.unix_seconds())
        .txt(RECORD_OWNER, record.to_string())
        .build()
}

/// The chain that a resolver's answers would make.
pub(super) fn chain_of(world: &World) -> Vec<u8> {
    kliento_fixtures::chain_der(&world.chain(RECORD_OWNER, TXT))
}

/// `world` as it would be if it published `record`.
pub(super) fn publishing(world: &World, record: &TxtRecord) -> World {
    world.with_txt(RECORD_OWNER, &record.to_string())
}

pub(super) fn ttl_override() -> Result<TtlOverride, Fault> {
    TtlOverride::from_seconds(3_600).ok_or_else(|| unexpected("an hour is no TTL override"))
}

/// The organisation's certificate, and what Alice gets.
pub(super) fn certify(
    chain: &[u8],
    organisation: &Organisation,
    organisation_key: &PrivateKey,
    alice_key: &PrivateKey,
    now: Timestamp,
) -> Result<(OrganisationCertificate, MemberIdBundle), Fault> {
    let yesterday = now.saturating_sub(DAY);
    let month = span(yesterday, yesterday.saturating_add(30 * DAY))?;
    let week = span(yesterday, yesterday.saturating_add(7 * DAY))?;
    let certificate = sure(OrganisationCertificate::self_issue(
        &OrganisationRequest::new(organisation, Dialect::VeraId, month),
        organisation_key,
    ))?;
    let alice = Member::User(sure(ALICE.parse())?);
    let member_certificate = sure(MemberCertificate::issue(
        &MemberRequest::new(
            &alice,
            alice_key.public_key(),
            &certificate,
            Dialect::VeraId,
            week,
        ),
        organisation_key,
    ))?;
    let bundle = sure(MemberIdBundle::new(
        chain,
        certificate.clone(),
        member_certificate,
        Vec::new(),
    ))?;
    Ok((certificate, bundle))
}

pub(super) fn span(start: Timestamp, end: Timestamp) -> Result<Period, Fault> {
    Period::new(start, end).ok_or_else(|| unexpected("time runs backwards"))
}
