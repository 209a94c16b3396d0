//! Fresh DNSSEC chains in place of old ones: the decision which of two bundles is better.
//!
//! A member id bundle carries a DNSSEC chain, which ends within days, and certificates, which
//! usually hold for longer. A chain is public, so whoever holds a bundle can replace its chain
//! without anyone's key. This module decides whether another chain makes a bundle better, and never
//! gives back a worse one. It retrieves nothing: `dnssec::retrieve` does that, and the feature
//! `renewal` does all of it for clients.
//!
//! ```
//! use kliento::renewal::{BundleEnd, Standing};
//! # use kliento::{testing::TrustChain, veraid::{MemberIdBundle, Policy, Timestamp}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let trust_chain = TrustChain::new("example.com", "alice");
//! # let (der, anchors) = (trust_chain.member_id_bundle().to_der()?, trust_chain.trust_anchors());
//! # let chain = trust_chain.member_id_bundle().chain_der().to_vec();
//!
//! let bundle = MemberIdBundle::from_der(&der)?;
//! let now = Timestamp::from(std::time::SystemTime::now());
//! let standing = Standing::new(&bundle, &anchors, Policy::new(), now)?;
//! if standing.end() == Some(BundleEnd::Certificate) {
//!     // Only the organisation's administrator can help.
//! }
//! match standing.replace_chain(&chain)? {
//!     Some(renewed) => println!("valid until {}", renewed.member().period().end()),
//!     None => println!("the chain ends no later than the present one"),
//! }
//! # Ok(())
//! # }
//! ```

use veraid::{
    IssueError, MemberIdBundle, Period, Policy, Timestamp, TrustAnchors, Verification,
    VerifiedMember, VerifyError,
};

use crate::{MAX_BUNDLE_OCTETS, SERVICE};

/// The octets that a token adds to the bundle of its member: a signature by the largest RSA key, its
/// attributes, the audience and some claims.
const TOKEN_OCTETS: usize = 1_536;

/// The most octets of a renewed member id bundle, as DER. Tokens made with a larger one may exceed
/// [`MAX_BUNDLE_OCTETS`].
pub const MAX_MEMBER_ID_BUNDLE_OCTETS: usize = MAX_BUNDLE_OCTETS - TOKEN_OCTETS;

/// A member id bundle at a moment, verified as far as it can be.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    bundle: &'a MemberIdBundle,
    verification: Verification<'a>,
    present: Option<VerifiedMember>,
}

/// The part of a bundle that ends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BundleEnd {
    /// The DNSSEC chain, which anybody can replace.
    Chain,
    /// A certificate, which only the organisation's administrator can replace.
    Certificate,
}

/// A bundle that is better than the one that it takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renewed {
    bundle: MemberIdBundle,
    der: Vec<u8>,
    member: VerifiedMember,
}

/// The reason why a chain did not renew a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplacementError {
    /// The bundle does not verify with the chain.
    #[error(transparent)]
    Unverified(#[from] VerifyError),

    /// Tokens made with the bundle may be too large for servers.
    #[error(
        "with the new chain it would have {octets} bytes; tokens made with more than {MAX_MEMBER_ID_BUNDLE_OCTETS} may \
         exceed {MAX_BUNDLE_OCTETS}, the limit of servers"
    )]
    TooLarge {
        /// The octets of the bundle with the chain, as DER.
        octets: usize,
    },

    /// The bundle can't be encoded.
    #[error(transparent)]
    Unwritable(#[from] IssueError),
}

impl ReplacementError {
    /// A stable reason for logs and metrics, such as `dnssec.rrsig_expired`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unverified(error) => error.reason(),
            Self::TooLarge { .. } => "kliento.bundle_too_large",
            Self::Unwritable(_) => "kliento.unwritable",
        }
    }
}

impl<'a> Standing<'a> {
    /// Verifies `bundle` for `now`.
    ///
    /// A bundle that is good for tokens has to stay so. One whose TXT record is for another service
    /// only has to stay good for that.
    ///
    /// # Errors
    /// [`VerifyError::CertificateExpired`] and [`VerifyError::CertificateNotYetValid`], which no
    /// chain mends. Any other failure may end with another chain:
    /// [`valid_until`](Self::valid_until) is `None` then.
    pub fn new(
        bundle: &'a MemberIdBundle,
        anchors: &'a TrustAnchors,
        policy: Policy,
        now: Timestamp,
    ) -> Result<Self, VerifyError> {
        let period = Period::at(now);
        let tokens = Verification::new(SERVICE, period, anchors).with_policy(policy);
        let any_service = Verification::for_any_service(period, anchors).with_policy(policy);
        let (verification, present) = match bundle.verify(&tokens) {
            Ok(verified) => (tokens, Some(verified)),
            Err(
                error @ (VerifyError::CertificateExpired { .. }
                | VerifyError::CertificateNotYetValid { .. }),
            ) => return Err(error),
            Err(_) => match bundle.verify(&any_service).ok() {
                Some(verified) => (any_service, Some(verified)),
                None => (any_service, None),
            },
        };
        Ok(Self {
            bundle,
            verification,
            present,
        })
    }

    /// The member, if the bundle is valid now.
    pub fn member(&self) -> Option<&VerifiedMember> {
        self.present.as_ref()
    }

    /// The last second for which the bundle is valid without interruption. `None` if it is not valid
    /// now.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.present
            .as_ref()
            .map(|verified| verified.period().end())
    }

    /// The part that ends first. `None` if the bundle is not valid now.
    pub fn end(&self) -> Option<BundleEnd> {
        let verified = self.present.as_ref()?;
        Some(end_of(verified, self.bundle))
    }

    /// Returns the bundle with another chain, if it holds for longer than with the present one.
    ///
    /// `chain_der` is a chain as DER, `SET OF OCTET STRING`. It may hold more than the bundle needs:
    /// see [`MemberIdBundle::with_chain`].
    ///
    /// # Errors
    /// [`ReplacementError`] if the bundle does not verify with the chain, or tokens made with it
    /// would be too large.
    pub fn replace_chain(&self, chain_der: &[u8]) -> Result<Option<Renewed>, ReplacementError> {
        let bundle = self.bundle.with_chain(chain_der, &self.verification)?;
        let member = bundle.verify(&self.verification)?;
        if self
            .valid_until()
            .is_some_and(|until| member.period().end() <= until)
        {
            return Ok(None);
        }
        let der = bundle.to_der()?;
        if der.len() > MAX_MEMBER_ID_BUNDLE_OCTETS {
            return Err(ReplacementError::TooLarge { octets: der.len() });
        }
        Ok(Some(Renewed {
            bundle,
            der,
            member,
        }))
    }
}

impl Renewed {
    /// The bundle.
    pub fn bundle(&self) -> &MemberIdBundle {
        &self.bundle
    }

    /// The bundle, by value.
    pub fn into_bundle(self) -> MemberIdBundle {
        self.bundle
    }

    /// The bundle as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The member, verified with the new chain.
    pub fn member(&self) -> &VerifiedMember {
        &self.member
    }

    /// The part that ends first.
    pub fn end(&self) -> BundleEnd {
        end_of(&self.member, &self.bundle)
    }
}

/// A newer chain is of no use if a certificate ends before the present one, or with it.
fn end_of(verified: &VerifiedMember, bundle: &MemberIdBundle) -> BundleEnd {
    let end = verified.period().end();
    let member = bundle.member_certificate().period().end();
    let organisation = bundle.organisation_certificate().period().end();
    let outlives = |period: &Period| period.contains(end) && end < period.end();
    let chain = verified.record_validity().periods();
    if end == member.min(organisation) || chain.iter().any(outlives) {
        BundleEnd::Certificate
    } else {
        BundleEnd::Chain
    }
}
