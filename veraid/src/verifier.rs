//! The verifier for many signatures: its demands and its memory.

use std::fmt;

use dnssec::{Period, Timestamp, TrustAnchors};

use crate::bundle::{BundleOutline, SignatureParts};
use crate::content::ContentDigest;
use crate::error::VerifyError;
use crate::memory::{Memory, OrganisationOctets, Recognition, VerifierStatistics};
use crate::policy::Policy;
use crate::service::ServiceOid;
use crate::verify::{Backing, Remembered, Root, Verification, VerifiedSignature, verify};

/// Verifies signatures for one service, and remembers organisations and signers.
///
/// Signatures mostly come with data that was seen before: the chain and the certificate of the
/// organisation, and the certificates of the signer. The verifier compares the octets of this data
/// with those that it verified before. If they are the same, only the signature over the content is
/// left to verify, with a prepared key. The memory stores only verified facts, each with the period
/// in which it holds, and every look-up compares that period with the verifier's. Anything that has
/// expired, or does not hold according to the memory, is verified again.
///
/// The results are those of a verifier without a memory, with two differences:
///
/// - When a chain was verified, signatures that were not valid at that time were ignored, and of
///   several paths the first valid one was taken. The period of a result may therefore be different
///   or shorter.
/// - A fact that was proven within the limit on work stays proven, even if verifying it again with
///   different data around it would exceed the limit.
///
/// ```no_run
/// use veraid::{
///     BundleOutline, MemoryLimits, Period, Policy, TEST_SERVICE, TrustAnchors, Verifier,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(TEST_SERVICE, TrustAnchors::iana(), Policy::new())
///     .with_memory(MemoryLimits { organisation_octets: 4_000_000, signer_octets: 4_000_000 });
/// let der = std::fs::read("signature")?;
/// let now = Period::at(std::time::SystemTime::now().into());
/// let verified = verifier.verify(BundleOutline::from_der(&der)?, now)?;
/// println!("{} says {:?}", verified.member_id(), verified.content());
/// # Ok(())
/// # }
/// ```
pub struct Verifier {
    service: ServiceOid,
    anchors: TrustAnchors,
    policy: Policy,
    memory: Option<Memory>,
}

impl Verifier {
    /// Creates a verifier for `service` with these trust anchors and `policy`, without a memory.
    #[must_use]
    pub fn new(service: ServiceOid, anchors: TrustAnchors, policy: Policy) -> Self {
        Self {
            service,
            anchors,
            policy,
            memory: None,
        }
    }

    /// Adds a memory within these limits. If one of them is 0, there is no memory.
    #[must_use]
    pub fn with_memory(mut self, limits: MemoryLimits) -> Self {
        self.memory = Memory::new(limits.organisation_octets, limits.signer_octets);
        self
    }

    /// Verifies everything at some second of `period`, except facts from memory that hold. No clock
    /// is read.
    ///
    /// # Errors
    /// As [`SignatureBundle::from_der`](crate::SignatureBundle::from_der) and
    /// [`SignatureBundle::verify`](crate::SignatureBundle::verify).
    pub fn verify<'v, 'a: 'v>(
        &'v self,
        bundle: BundleOutline<'a>,
        period: Period,
    ) -> Result<VerifiedSignature<'v>, VerifyError> {
        self.ask(bundle, &self.verification(period))
    }

    /// Verifies a signature with detached content, like [`Verifier::verify`].
    ///
    /// # Errors
    /// As [`Verifier::verify`]; [`VerifyError::UnexpectedContent`] if content is attached.
    pub fn verify_detached<'v, 'a: 'v>(
        &'v self,
        bundle: BundleOutline<'a>,
        content: &'v [u8],
        period: Period,
    ) -> Result<VerifiedSignature<'v>, VerifyError> {
        let verification = self.verification(period);
        self.ask(bundle, &verification.with_detached_content(content))
    }

    /// Verifies a signature whose detached content is given as a digest, like [`Verifier::verify`].
    ///
    /// # Errors
    /// As [`Verifier::verify_detached`]; [`VerifyError::UndigestedContent`] for a digest by a hash
    /// function other than that of the signature.
    pub fn verify_digest<'v, 'a: 'v>(
        &'v self,
        bundle: BundleOutline<'a>,
        digest: ContentDigest,
        period: Period,
    ) -> Result<VerifiedSignature<'v>, VerifyError> {
        let verification = self.verification(period);
        self.ask(bundle, &verification.with_detached_digest(digest))
    }

    fn verification(&self, period: Period) -> Verification<'_> {
        Verification::new(self.service, period, &self.anchors).with_policy(self.policy)
    }

    fn ask<'v, 'a: 'v>(
        &'v self,
        bundle: BundleOutline<'a>,
        verification: &Verification<'v>,
    ) -> Result<VerifiedSignature<'v>, VerifyError> {
        match &self.memory {
            None => bundle.read_whole()?.verify(verification),
            Some(memory) => verify_with_memory(memory, bundle, verification),
        }
    }

    /// Tells which parties of a bundle are in memory at some second of `period`, without verifying
    /// anything.
    ///
    /// A server with more bundles than it can verify at once can use this to choose which come
    /// first. It proves nothing, because anybody can copy the octets that identify a party. But it
    /// limits the work that the bundle can cause: see [`Recognition`].
    #[must_use]
    pub fn recognise(&self, bundle: &BundleOutline<'_>, period: Period) -> Recognition {
        self.memory.as_ref().map_or(Recognition::Nobody, |memory| {
            memory.recognise(
                OrganisationOctets::of(bundle),
                bundle.signed_data().signer_octets(),
                period,
            )
        })
    }

    /// The statistics of the memory; all zeros without a memory.
    #[must_use]
    pub fn statistics(&self) -> VerifierStatistics {
        let memory = self.memory.as_ref();
        memory.map(Memory::statistics).unwrap_or_default()
    }

    /// Removes facts that have expired before `time`. The memory stays within its limits without
    /// this call.
    pub fn remove_expired(&self, time: Timestamp) {
        if let Some(memory) = &self.memory {
            memory.remove_expired(time);
        }
    }
}

/// Verifies with the facts in memory, and remembers new facts.
fn verify_with_memory<'v, 'a: 'v>(
    memory: &Memory,
    bundle: BundleOutline<'a>,
    verification: &Verification<'v>,
) -> Result<VerifiedSignature<'v>, VerifyError> {
    let period = verification.period();
    let organisation_octets = OrganisationOctets::of(&bundle);
    let signed_data = bundle.signed_data();
    let signer_octets = signed_data.signer_octets();
    let organisation = memory.organisation(organisation_octets, |known| known.holds(period));
    if let Some(organisation) = &organisation {
        let signer = (!organisation.signs(signer_octets))
            .then(|| memory.signer(organisation, signer_octets, |known| known.holds(period)))
            .flatten();
        let remembered = Remembered::find(signed_data, organisation, signer.as_deref(), period);
        if let Some(remembered) = remembered {
            let (verified, _) = verify(signed_data, Backing::Memory(remembered), verification)?;
            return Ok(verified);
        }
    }
    let chain;
    let root = if let Some(known) = &organisation {
        Root::Memory(known)
    } else {
        chain = bundle.read_chain()?;
        Root::Chain(&chain)
    };
    let parts = SignatureParts::read(bundle)?;
    let backing = Backing::Certificates {
        parts: &parts,
        root,
    };
    let (verified, learnt) = verify(&parts.signed_data, backing, verification)?;
    if let Some(learnt) = learnt {
        memory.learn(organisation_octets, signer_octets, learnt);
    }
    Ok(verified)
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("service", &self.service)
            .field("policy", &self.policy)
            .field("memory", &self.memory.as_ref().map(Memory::statistics))
            .finish_non_exhaustive()
    }
}

/// The most octets that a verifier's memory may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The limit for organisations, which are stored by chain and certificate.
    pub organisation_octets: usize,
    /// The limit for signers, which are stored by their certificates.
    pub signer_octets: usize,
}
