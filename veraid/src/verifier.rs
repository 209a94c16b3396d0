//! The verifier for those who verify many signatures: what it demands of them, and what it remembers.

use std::fmt;

use dnssec::{Period, Timestamp, TrustAnchors};
use veraid_cache::TierStatistics;

use crate::bundle::{BundleOutline, SignatureParts};
use crate::content::ContentDigest;
use crate::error::VerifyError;
use crate::memory::{Memory, OrganisationOctets};
use crate::policy::Policy;
use crate::service::ServiceOid;
use crate::verify::{Backing, Remembered, Root, Verification, VerifiedSignature, verify};

/// Verifies signatures for one service, and remembers who was verified.
///
/// What a signature brings with it is much the same from one to the next: the chain and the certificate of its organisation,
/// the certificates of its signer. Their octets are compared with those that were verified before; where they are the same,
/// only the content's own signature is left to check, with a key that is ready for it. Only what was verified is remembered,
/// with the period in which it holds, and each time it is asked whether that is now. What does not hold any more, or not by
/// what is remembered, is verified anew.
///
/// So verdicts are those of a verifier without a memory, with two differences. Signatures that were not good when a chain was
/// verified, or not any more, were not looked at, and of several paths the first that held was taken: so the period that
/// comes with a verdict may be another or shorter. And what was proven within the bounds on work stays proven, though a look
/// at all that is beside it would take too much at another time.
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
    /// Demands signatures for `service`, chains from those anchors, and what `policy` says; without a memory.
    #[must_use]
    pub fn new(service: ServiceOid, anchors: TrustAnchors, policy: Policy) -> Self {
        Self {
            service,
            anchors,
            policy,
            memory: None,
        }
    }

    /// Gives it a memory within those limits. 0 of either switches both off.
    #[must_use]
    pub fn with_memory(mut self, limits: MemoryLimits) -> Self {
        self.memory = Memory::new(limits.organisation_octets, limits.signer_octets);
        self
    }

    /// Checks everything, but for what is known to hold, at some second of `period`. No clock is read.
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

    /// The same for a signature whose content is kept elsewhere.
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

    /// The same for a signature over content of which the digest is at hand.
    ///
    /// # Errors
    /// As [`Verifier::verify_detached`]; [`VerifyError::UndigestedContent`] for a digest by another function than the
    /// signature has.
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

    /// Tells what its memory has of a bundle at some second of `period`, without verifying anything: a server that has more
    /// bundles than it can look at at once asks which come first.
    ///
    /// Nothing is proven by it, since anybody can copy the octets by which a party is known. But it bounds what the bundle
    /// can cost: see [`Recognition`].
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

    /// What its memory has done and holds; nothing without one.
    #[must_use]
    pub fn statistics(&self) -> VerifierStatistics {
        let memory = self.memory.as_ref();
        memory.map(Memory::statistics).unwrap_or_default()
    }

    /// Forgets what has ended before `time`. The memory needs no such call to stay within its bound.
    pub fn remove_expired(&self, time: Timestamp) {
        if let Some(memory) = &self.memory {
            memory.remove_expired(time);
        }
    }
}

/// Verifies with what is remembered, and remembers what is proven.
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

/// Whom of a bundle a verifier's memory knows, by their octets. Numbers are the same for the same party for as long as the
/// verifier lives, and another verifier has others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recognition {
    /// Nobody: the bundle may cost all the work that the policy allows.
    #[default]
    Nobody,
    /// The organisation, by its chain and certificate: the bundle costs the signer's certificates and the signature.
    Organisation(u64),
    /// The signer too: the bundle costs one signature.
    Signer(u64),
}

/// The most octets that a verifier's memory may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// For organisations, by chain and certificate.
    pub organisation_octets: usize,
    /// For those who sign for them, by their certificates.
    pub signer_octets: usize,
}

/// What a verifier's memory has done and holds, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifierStatistics {
    /// Organisations, by chain and certificate.
    pub organisations: TierStatistics,
    /// Those who sign for them, by their certificates. Nobody is looked up of an organisation that is not known.
    pub signers: TierStatistics,
}
