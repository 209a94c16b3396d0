//! The memory of a verifier: what it has proven of organisations and of signers, in two stores limited in octets.

use std::hash::{BuildHasher as _, Hash, Hasher};
use std::sync::Arc;

use dnssec::{Period, Timestamp};
use foldhash::quality::SeedableRandomState;
use veraid_cache::{Equivalent, Tier, TierStatistics, random_hasher};

use crate::bundle::BundleOutline;
use crate::cms::SignerOctets;
use crate::crypto::{Digest, HashAlgorithm};
use crate::key::ReadyKey;
use crate::name::{Dialect, Member};
use crate::verify::{Capacity, KnownOrganisation, KnownSigner, Learnt, OwnedIdentifier};

/// The parties of a bundle that a verifier's memory knows, by their octets.
///
/// The number of a party stays the same for the life of the verifier. Other verifiers have other
/// numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recognition {
    /// No party: the bundle may take all the work that the policy allows.
    #[default]
    Nobody,
    /// The organisation, by its chain and certificate: the bundle only takes the work for the
    /// signer's certificates and the signature.
    Organisation(u64),
    /// The signer too: the bundle only takes the work for one signature.
    Signer(u64),
}

/// The statistics of a verifier's memory, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifierStatistics {
    /// Organisations, which are stored by chain and certificate.
    pub organisations: TierStatistics,
    /// Signers, which are stored by their certificates. They are only looked up if the organisation
    /// is known.
    pub signers: TierStatistics,
}

/// The octets of an entry besides its key and the parts named below, estimated upwards: the store's
/// slots and the allocator's overhead.
const ENTRY_OCTETS: usize = 512;

/// The most chains with the same meaning for one certificate. They differ in octets that nobody
/// signs: the IDs of messages, and TTLs that count down. The chains of honest members differ too,
/// if each member retrieved its own.
const CHAINS_THAT_SAY_THE_SAME: u32 = 16;
/// The most sets of certificates that contain the same signer's certificate. Honest signers have
/// one, or use two programs.
const SETS_OF_ONE_SIGNER: u32 = 4;

/// The octets by which an organisation is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OrganisationOctets<'a> {
    chain: &'a [u8],
    certificate: &'a [u8],
}

struct OrganisationKey {
    chain: Box<[u8]>,
    certificate: Box<[u8]>,
}

impl<'a> OrganisationOctets<'a> {
    pub(crate) fn of(outline: &BundleOutline<'a>) -> Self {
        Self {
            chain: outline.chain(),
            certificate: outline.organisation_certificate(),
        }
    }
}

impl OrganisationKey {
    fn borrow(&self) -> OrganisationOctets<'_> {
        OrganisationOctets {
            chain: &self.chain,
            certificate: &self.certificate,
        }
    }
}

/// The octets by which a signer is looked up. The chain is not among them, because chains are
/// renewed every few days and certificates are not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct SignerIndex<'a> {
    /// The dialect, because VeraId refuses other certificates than DomainAuth.
    dialect: Dialect,
    organisation: &'a [u8],
    octets: SignerOctets<'a>,
}

impl<'a> SignerIndex<'a> {
    fn new(organisation: &'a KnownOrganisation, octets: SignerOctets<'a>) -> Self {
        Self {
            dialect: organisation.rules.dialect,
            organisation: organisation.certificate_digest.as_ref(),
            octets,
        }
    }

    /// The part that identifies the signer, whatever other certificates are attached.
    fn signer(&self) -> impl Hash {
        let SignerOctets {
            is_attributed,
            identifier,
            ..
        } = self.octets;
        (self.dialect, self.organisation, is_attributed, identifier)
    }
}

struct SignerKey {
    dialect: Dialect,
    organisation: Digest,
    is_attributed: bool,
    identifier: OwnedIdentifier,
    certificate_set: Box<[u8]>,
}

impl SignerKey {
    fn borrow(&self) -> SignerIndex<'_> {
        SignerIndex {
            dialect: self.dialect,
            organisation: self.organisation.as_ref(),
            octets: SignerOctets {
                is_attributed: self.is_attributed,
                identifier: self.identifier.borrow(),
                certificate_set: &self.certificate_set,
            },
        }
    }
}

/// Implements hashing and comparing of an owned key like its borrowed form.
macro_rules! looked_up_as {
    ($owned:ty, $borrowed:ident) => {
        impl Hash for $owned {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.borrow().hash(state);
            }
        }

        impl PartialEq for $owned {
            fn eq(&self, other: &Self) -> bool {
                self.borrow() == other.borrow()
            }
        }

        impl Eq for $owned {}

        impl Equivalent<$owned> for $borrowed<'_> {
            fn equivalent(&self, key: &$owned) -> bool {
                *self == key.borrow()
            }
        }
    };
}

looked_up_as!(OrganisationKey, OrganisationOctets);
looked_up_as!(SignerKey, SignerIndex);

/// The memory of one verifier, whose demands never change except for the period.
pub(crate) struct Memory {
    organisations: Tier<OrganisationKey, Arc<KnownOrganisation>>,
    signers: Tier<SignerKey, Arc<KnownSigner>>,
    /// The hasher that assigns numbers to parties.
    numbers: SeedableRandomState,
}

impl Memory {
    /// Creates a memory of at most this many octets for each tier; `None` if that is too little.
    pub(crate) fn new(organisation_octets: usize, signer_octets: usize) -> Option<Self> {
        Some(Self {
            organisations: Tier::new(
                organisation_octets,
                CHAINS_THAT_SAY_THE_SAME,
                organisation_weight,
            )?,
            signers: Tier::new(signer_octets, SETS_OF_ONE_SIGNER, signer_weight)?,
            numbers: random_hasher(),
        })
    }

    /// Looks up an organisation, and returns it if it `holds`.
    pub(crate) fn organisation(
        &self,
        octets: OrganisationOctets<'_>,
        holds: impl FnOnce(&KnownOrganisation) -> bool,
    ) -> Option<Arc<KnownOrganisation>> {
        self.organisations.get(&octets, |known| holds(known))
    }

    /// Looks up a signer of the organisation, and returns it if it `holds`.
    pub(crate) fn signer(
        &self,
        organisation: &KnownOrganisation,
        octets: SignerOctets<'_>,
        holds: impl FnOnce(&KnownSigner) -> bool,
    ) -> Option<Arc<KnownSigner>> {
        let index = SignerIndex::new(organisation, octets);
        self.signers.get(&index, |known| holds(known))
    }

    /// Tells which parties of a bundle are remembered, so that a server can decide which bundle to
    /// verify first. The look-up has no effect on the memory.
    pub(crate) fn recognise(
        &self,
        organisation_octets: OrganisationOctets<'_>,
        signer_octets: SignerOctets<'_>,
        period: Period,
    ) -> Recognition {
        let known = self
            .organisations
            .peek(&organisation_octets, |known| known.holds(period));
        let Some(organisation) = known else {
            return Recognition::Nobody;
        };
        let index = SignerIndex::new(&organisation, signer_octets);
        let is_known = organisation.signs(signer_octets)
            || self
                .signers
                .peek(&index, |known| known.holds(period))
                .is_some();
        if is_known {
            Recognition::Signer(self.numbers.hash_one(index.signer()))
        } else {
            Recognition::Organisation(
                self.numbers
                    .hash_one(organisation.certificate_digest.as_ref()),
            )
        }
    }

    /// Remembers the organisation, unless it was remembered, and the signatory, unless the
    /// organisation itself signed.
    pub(crate) fn learn(
        &self,
        organisation_octets: OrganisationOctets<'_>,
        signer_octets: SignerOctets<'_>,
        mut learnt: Learnt<'_, '_>,
    ) {
        let digest = HashAlgorithm::Sha256.digest(organisation_octets.certificate);
        if let Some(published) = learnt.published.take() {
            let family = self
                .numbers
                .hash_one((learnt.rules.dialect, digest.as_ref(), &published));
            let Some(known) = KnownOrganisation::of(&learnt, published, digest) else {
                return;
            };
            let key = OrganisationKey {
                chain: organisation_octets.chain.into(),
                certificate: organisation_octets.certificate.into(),
            };
            self.organisations.insert(key, Arc::new(known), family);
        }
        if learnt.capacity == Capacity::Organisation {
            return;
        }
        let key = SignerKey {
            dialect: learnt.rules.dialect,
            organisation: digest,
            is_attributed: signer_octets.is_attributed,
            identifier: signer_octets.identifier.into(),
            certificate_set: signer_octets.certificate_set.into(),
        };
        let known = KnownSigner {
            member: learnt.member,
            key: ReadyKey::new(learnt.key, learnt.signature_algorithm),
            period: learnt.certificates,
        };
        let family = self.numbers.hash_one(key.borrow().signer());
        self.signers.insert(key, Arc::new(known), family);
    }

    /// Removes what has expired before `time`.
    pub(crate) fn remove_expired(&self, time: Timestamp) {
        self.organisations.retain(|known| {
            known.certificate_period.end() >= time && !known.published.has_ended_before(time)
        });
        self.signers.retain(|known| known.period.end() >= time);
    }

    pub(crate) fn statistics(&self) -> VerifierStatistics {
        VerifierStatistics {
            organisations: self.organisations.statistics(),
            signers: self.signers.statistics(),
        }
    }
}

fn organisation_weight(key: &OrganisationKey, known: &Arc<KnownOrganisation>) -> usize {
    [
        key.chain.len(),
        key.certificate.len(),
        known.organisation.as_str().len(),
        known.identifier.octets(),
        known.key.octets(),
        known.published.octets(),
        size_of::<OrganisationKey>(),
        size_of::<KnownOrganisation>(),
    ]
    .into_iter()
    .fold(ENTRY_OCTETS, usize::saturating_add)
}

fn signer_weight(key: &SignerKey, known: &Arc<KnownSigner>) -> usize {
    [
        key.certificate_set.len(),
        key.identifier.octets(),
        known.member.as_ref().map_or(0, octets_of_member),
        known.key.octets(),
        size_of::<SignerKey>(),
        size_of::<KnownSigner>(),
    ]
    .into_iter()
    .fold(ENTRY_OCTETS, usize::saturating_add)
}

fn octets_of_member(member: &Member) -> usize {
    match member {
        Member::Bot => 0,
        Member::User(name) => name.as_str().len(),
    }
}
