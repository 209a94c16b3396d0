//! Signature bundles laid open ([`Bundle`]), what they are verified against, and what this crate says of them.

use std::ops::{Deref, DerefMut};

use veraid::{
    BundleOutline, KeyAlgorithm, KeyError, MemberIdBundle, MemoryLimits, OrganisationCertificate,
    Period, Policy, PrivateKey, ServiceOid, SignatureBundle, TEST_SERVICE, Timestamp, TrustAnchors,
    UserName, Verification, VerifiedSignature, Verifier, VerifyError,
};

use kliento_fixture_cases::tables::{self, Cases, Token};
pub(crate) use kliento_fixture_cases::*;

pub(crate) const SERVICE: ServiceOid = TEST_SERVICE;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(crate) fn period(start: i64, end: i64) -> Period {
    Period::new(at(start), at(end)).unwrap()
}

pub(crate) fn noon() -> Period {
    Period::at(at(NOON))
}

/// Whether the library under test is built with ML-DSA.
pub(crate) const HAS_ML_DSA: bool = cfg!(any(feature = "aws-lc-rs", feature = "oqs"));

/// A new private key. RSA keys come from elsewhere if the library under test makes none.
pub(crate) fn private_key(algorithm: KeyAlgorithm) -> PrivateKey {
    try_private_key(algorithm).unwrap()
}

/// The same, or the error that says which feature is lacking.
pub(crate) fn try_private_key(algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
    let bits = match algorithm {
        KeyAlgorithm::Rsa2048 => 2_048,
        KeyAlgorithm::Rsa3072 => 3_072,
        KeyAlgorithm::Rsa4096 => 4_096,
        _ => return PrivateKey::generate(algorithm),
    };
    match PrivateKey::generate(algorithm) {
        Err(KeyError::NotBuilt { .. }) => {
            PrivateKey::from_pkcs8_der(&kliento_fixtures::rsa_pkcs8(bits))
        }
        generated => generated,
    }
}

/// What is wrong, how to make it so, and why it is refused.
pub(crate) type Case = (&'static str, fn(&mut Parts), &'static str);

/// One case a line: what is wrong, how to make it so of `p`, the reason.
#[macro_export]
macro_rules! cases {
    ($parts:ident: $($name:literal: $spoil:expr => $reason:literal;)*) => {
        &[$(($name, |$parts| { $spoil; }, $reason)),*]
    };
}

/// Refuses each case, for its own reason, and nothing of what the cases start from; and all the same when chain, organisation
/// and signer of the latter are known.
pub(crate) fn refuse(good: fn() -> Parts, cases: &[Case]) {
    assert_eq!(good().reason(), "valid");
    for (name, spoil, reason) in cases {
        let mut parts = good();
        spoil(&mut parts);
        assert_eq!(parts.reason(), *reason, "{name}");
        if let Some(recalled) = parts.reason_after(&good()) {
            assert_eq!(recalled, *reason, "{name}, with a memory");
        }
    }
}

/// Tries the cases of a group of the shared tables: each has to come out for its own reason, and all the same when chain,
/// organisation and signer of what it starts from are known.
pub(crate) fn try_group(add: fn(&mut dyn Cases), group: &'static str) {
    let mut trial = Trial {
        group,
        is_current: false,
        tried: 0,
    };
    add(&mut trial);
    assert!(trial.tried > 0, "there is no group {group}");
}

struct Trial {
    group: &'static str,
    is_current: bool,
    tried: usize,
}

impl Cases for Trial {
    fn group(&mut self, group: &'static str) {
        self.is_current = group == self.group;
    }

    fn signature_bundle(&mut self, case: tables::Case<tables::Parts>) {
        if !self.is_current {
            return;
        }
        self.tried += 1;
        let (change, user) = (case.change, case.changed.user);
        let (good, changed) = (Parts::from((case.good)()), Parts::from(case.changed));
        assert_eq!(good.reason(), "valid");
        assert_eq!(changed.reason(), case.reason, "{change}");
        if case.reason == "valid" {
            changed.verify(|outcome| {
                let verified = outcome.unwrap();
                assert_eq!(verified.content(), Some(CONTENT), "{change}");
                let organisation = verified.member_id().organisation().to_string();
                assert_eq!(organisation, "example.com", "{change}");
                let found = verified.member_id().user().map(UserName::as_str);
                assert_eq!(found, user, "{change}");
            });
        }
        if let Some(recalled) = changed.reason_after(&good) {
            assert_eq!(recalled, case.reason, "{change}, with a memory");
        }
    }

    fn member_id_bundle(&mut self, case: tables::Case<tables::Parts>) {
        if !self.is_current {
            return;
        }
        self.tried += 1;
        let (good, changed) = (Parts::from((case.good)()), Parts::from(case.changed));
        assert_eq!(good.member_id_reason(), "valid");
        assert_eq!(changed.member_id_reason(), case.reason, "{}", case.change);
    }

    fn token_bundle(&mut self, _: tables::Case<Token>) {
        panic!("there are no tokens here");
    }

    fn chain(&mut self, _: tables::ChainCase) {
        panic!("there are no chains alone here");
    }

    fn list_base(&mut self, _: tables::dnssec::lists::Base) {
        panic!("there are no chains alone here");
    }

    fn list(&mut self, _: tables::ListCase) {
        panic!("there are no chains alone here");
    }

    fn authorization(&mut self, _: tables::Case<Token>, _: &[u8]) {
        panic!("there are no tokens here");
    }
}

impl From<tables::Parts> for Parts {
    fn from(parts: tables::Parts) -> Self {
        let (start, end) = parts.required;
        Self {
            bundle: parts.bundle,
            required: period(start, end),
            policy: Policy::new(),
            service: parts.service.parse().unwrap(),
            detached_content: parts.detached_content,
        }
    }
}

/// A bundle, and what it is verified against.
pub(crate) struct Parts {
    pub(crate) bundle: Bundle,
    pub(crate) required: Period,
    pub(crate) policy: Policy,
    pub(crate) service: ServiceOid,
    pub(crate) detached_content: Option<Vec<u8>>,
}

impl Deref for Parts {
    type Target = Bundle;

    fn deref(&self) -> &Bundle {
        &self.bundle
    }
}

impl DerefMut for Parts {
    fn deref_mut(&mut self) -> &mut Bundle {
        &mut self.bundle
    }
}

macro_rules! good_at_noon {
    ($($name:ident),*) => {
        $(pub(crate) fn $name() -> Self {
            Self::of(Bundle::$name())
        })*
    };
}

impl Parts {
    good_at_noon!(
        member,
        organisation,
        domain_auth,
        domain_auth_organisation,
        through_intermediate,
        through_two_intermediates,
        delegate
    );

    pub(crate) fn organisation_with(key: &'static Key) -> Self {
        Self::of(Bundle::organisation_with(key))
    }

    /// The bundle verified at noon, for the service of its metadata.
    fn of(bundle: Bundle) -> Self {
        Self {
            bundle,
            required: noon(),
            policy: Policy::new(),
            service: SERVICE,
            detached_content: None,
        }
    }

    /// The bundle and the anchors to verify it with.
    pub(crate) fn build(&self) -> (Vec<u8>, TrustAnchors) {
        with_anchors(self.bundle.build())
    }

    /// The bundle that the member would sign with, and the anchors to verify it with.
    pub(crate) fn build_member_id(&self) -> (Vec<u8>, TrustAnchors) {
        with_anchors(self.bundle.build_member_id())
    }

    /// The chain as DER, and the anchors to verify it with.
    pub(crate) fn chain(&self) -> (Vec<u8>, TrustAnchors) {
        with_anchors(self.bundle.chain())
    }

    /// The reason for which that bundle is refused.
    pub(crate) fn member_id_reason(&self) -> &'static str {
        let (bundle, anchors) = self.build_member_id();
        MemberIdBundle::from_der(&bundle)
            .and_then(|bundle| {
                bundle.verify(
                    &Verification::new(self.service, self.required, &anchors)
                        .with_policy(self.policy),
                )
            })
            .map_or_else(|error| error.reason(), |_| "valid")
    }

    /// The reason for which the organisation's certificate by itself is refused.
    pub(crate) fn organisation_reason(&self) -> &'static str {
        let (chain, anchors) = self.chain();
        let verification = Verification::new(self.service, self.required, &anchors);
        OrganisationCertificate::from_der(&self.organisation.to_der())
            .and_then(|certificate| {
                certificate.verify(&chain, &verification.with_policy(self.policy))
            })
            .map_or_else(|error| error.reason(), |_| "valid")
    }

    /// Builds and verifies; gives what `check` makes of the outcome.
    pub(crate) fn verify<T>(
        &self,
        check: impl FnOnce(Result<VerifiedSignature<'_>, VerifyError>) -> T,
    ) -> T {
        let (bundle, anchors) = self.build();
        let mut verification =
            Verification::new(self.service, self.required, &anchors).with_policy(self.policy);
        if let Some(content) = &self.detached_content {
            verification = verification.with_detached_content(content);
        }
        check(SignatureBundle::from_der(&bundle).and_then(|bundle| bundle.verify(&verification)))
    }

    /// The reason for which it is refused by a verifier that asks the same, and has verified `other` before. `None` if there
    /// is none: such a verifier takes attached content alone.
    pub(crate) fn reason_after(&self, other: &Self) -> Option<&'static str> {
        if self.detached_content.is_some() {
            return None;
        }
        let (bundle, anchors) = self.build();
        let verifier =
            Verifier::new(self.service, anchors, self.policy).with_memory(MemoryLimits {
                organisation_octets: 1 << 20,
                signer_octets: 1 << 20,
            });
        let verify = |bundle: &[u8]| {
            BundleOutline::from_der(bundle)
                .and_then(|bundle| verifier.verify(bundle, self.required).map(drop))
                .map_or_else(|error| error.reason(), |()| "valid")
        };
        verify(&other.build().0);
        let reason = verify(&bundle);
        // What is refused once is refused again.
        assert_eq!(verify(&bundle), reason);
        Some(reason)
    }

    /// The reason for which it is refused.
    pub(crate) fn reason(&self) -> &'static str {
        self.verify(|outcome| outcome.map_or_else(|error| error.reason(), |_| "valid"))
    }
}

fn with_anchors((octets, anchors): (Vec<u8>, String)) -> (Vec<u8>, TrustAnchors) {
    (octets, anchors.parse().unwrap())
}
