//! The token bundle: a VeraId signature bundle for the Kliento service with the token inside.

use std::sync::Arc;

use veraid::{
    BundleOutline, Content, Dialect, KeyAlgorithm, MemberId, Period, Policy, PublicKey,
    SignatureBundle, SignatureRequest, SignatureScheme, SignedBy, Signer, SignerIdentity,
    SigningKey, TrustAnchors, UnsignedSignature, Verification, VerifiedSignature,
};

use crate::error::{IssueError, VerifyError};
use crate::{Audience, Claims, MAX_BUNDLE_OCTETS, MAX_LIFETIME_SECONDS, MAX_WORK, SERVICE, Token};

/// Signs `token` to be valid within `period`, and gives the bundle's DER octets.
///
/// Send them as they are ([`MEDIA_TYPE`](crate::MEDIA_TYPE)) or as the value of an `Authorization` field
/// ([`header::encode`](crate::header::encode)).
///
/// # Errors
///
/// [`IssueError::LifetimeTooLong`], [`IssueError::BundleTooLarge`], and [`IssueError::VeraId`] if the signer's parts do
/// not belong together or the key does not sign.
pub fn issue(signer: &Signer<'_>, token: &Token, period: Period) -> Result<Vec<u8>, IssueError> {
    prepare(&signer.identity(), token, period)?.sign(signer.key())
}

/// Prepares all of a bundle but its signature, for keys that sign elsewhere or later.
///
/// # Errors
///
/// [`IssueError::LifetimeTooLong`], and [`IssueError::VeraId`] if the signer's parts do not belong together.
pub fn prepare(
    identity: &SignerIdentity<'_>,
    token: &Token,
    period: Period,
) -> Result<UnsignedToken, IssueError> {
    if is_too_long(period) {
        return Err(IssueError::LifetimeTooLong { period });
    }
    let json = token.to_json();
    let request = SignatureRequest::new(Content::Attached(&json), SERVICE, period);
    Ok(UnsignedToken(identity.prepare(&request)?))
}

/// A token bundle that lacks nothing but its signature.
#[derive(Debug)]
pub struct UnsignedToken(UnsignedSignature);

impl UnsignedToken {
    /// The octets that the key must sign: the message itself, not its digest.
    pub fn to_be_signed(&self) -> &[u8] {
        self.0.to_be_signed()
    }

    /// The scheme in which the key must sign, and the form of the signature.
    pub fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }

    /// The public key that belongs to the one that must sign.
    pub fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    /// Makes the bundle's DER octets, with a signature over [`UnsignedToken::to_be_signed`].
    ///
    /// # Errors
    ///
    /// [`IssueError::BundleTooLarge`], and [`IssueError::VeraId`] if the signature does not verify.
    pub fn finish(self, signature: &[u8]) -> Result<Vec<u8>, IssueError> {
        within_bounds(self.0.finish(signature)?)
    }

    /// Has a key sign, and makes the bundle's DER octets.
    ///
    /// # Errors
    ///
    /// As [`UnsignedToken::finish`]; [`IssueError::VeraId`] also for another key, or one that refuses.
    pub fn sign(self, key: &dyn SigningKey) -> Result<Vec<u8>, IssueError> {
        within_bounds(self.0.sign(key)?)
    }
}

fn within_bounds(bundle: Vec<u8>) -> Result<Vec<u8>, IssueError> {
    let octets = bundle.len();
    if octets > MAX_BUNDLE_OCTETS {
        return Err(IssueError::BundleTooLarge { octets });
    }
    Ok(bundle)
}

/// A token bundle that was read and not verified: nothing in it can be relied on yet.
#[derive(Clone, Debug)]
pub struct TokenBundle<'a> {
    signature: SignatureBundle<'a>,
}

impl<'a> TokenBundle<'a> {
    /// Reads a bundle's DER octets, which it borrows.
    ///
    /// # Errors
    ///
    /// [`VerifyError::BundleTooLarge`] before anything else is looked at, [`VerifyError::VeraId`] if the structure
    /// can't be read.
    pub fn from_der(der: &'a [u8]) -> Result<Self, VerifyError> {
        check_size(der)?;
        let signature = SignatureBundle::from_der(der)?;
        Ok(Self { signature })
    }

    /// The signature bundle that this is, to look into.
    pub fn signature_bundle(&self) -> &SignatureBundle<'a> {
        &self.signature
    }

    /// The token as it says it is. Anybody can have written it.
    ///
    /// # Errors
    ///
    /// [`VerifyError::DetachedToken`] and [`VerifyError::MalformedToken`].
    pub fn unverified_token(&self) -> Result<Token, VerifyError> {
        let content = self.signature.unverified_content();
        Token::from_json(content.ok_or(VerifyError::DetachedToken)?)
    }

    /// Verifies that everything about the bundle holds together at one second of the period that is asked about, at least.
    ///
    /// This asks no clock. Servers use a [`Verifier`](crate::Verifier), which does.
    ///
    /// # Errors
    ///
    /// Every variant of [`VerifyError`] that is not about a header or about [`Requirements`](crate::Requirements).
    pub fn verify(
        &self,
        verification: &TokenVerification<'_>,
    ) -> Result<VerifiedToken, VerifyError> {
        let signature = &self.signature;
        let has_content = signature.unverified_content().is_some();
        let lifetime = signature.unverified_period();
        let token = verify_token(has_content, lifetime, || {
            signature.verify(&verification.of_signature)
        })?;
        check_audience(verification.audience, token)
    }
}

/// The demands on a token bundle: its audience, its anchors, a period and a policy.
#[derive(Clone, Copy, Debug)]
pub struct TokenVerification<'v> {
    audience: &'v Audience,
    of_signature: Verification<'v>,
}

impl<'v> TokenVerification<'v> {
    /// The token must be for `audience`, and all must hold together for at least one second of `period`.
    pub fn new(audience: &'v Audience, period: Period, anchors: &'v TrustAnchors) -> Self {
        let of_signature = Verification::new(SERVICE, period, anchors);
        Self {
            audience,
            of_signature,
        }
        .with_policy(Policy::new())
    }

    /// Sets which dialects and key algorithms are accepted, if not both dialects with RSA alone. It may say how much work a
    /// bundle may take, which is [`MAX_WORK`] otherwise.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.of_signature = self.of_signature.with_policy(with_limit(policy));
        self
    }
}

/// Verifies a bundle's DER octets as [`TokenBundle::verify`] does, by what `verifier` asks of signatures and remembers of
/// signers. The audience is left to the caller. Gives the token and the octets of its signature.
pub(crate) fn verify<'a>(
    bundle: &'a [u8],
    verifier: &veraid::Verifier,
    period: Period,
) -> Result<(VerifiedToken, &'a [u8]), VerifyError> {
    check_size(bundle)?;
    let outline = BundleOutline::from_der(bundle)?;
    let signature = outline.unverified_signature();
    let lifetime = outline.unverified_period();
    let has_content = outline.unverified_content().is_some();
    let token = verify_token(has_content, lifetime, || verifier.verify(outline, period))?;
    Ok((token, signature))
}

/// Verifies that a signature is a token's: with its content, for an hour at most, and that the content is one. What costs
/// nothing to find out comes before any public-key operation.
fn verify_token<'v>(
    has_content: bool,
    lifetime: Period,
    verify: impl FnOnce() -> Result<VerifiedSignature<'v>, veraid::VerifyError>,
) -> Result<VerifiedToken, VerifyError> {
    if !has_content {
        return Err(VerifyError::DetachedToken);
    }
    check_lifetime(lifetime)?;
    VerifiedToken::read(verify()?)
}

/// The parties of a bundle that `verifier` remembers. It takes no public-key operation; a bundle that can't be read has
/// nobody.
#[cfg(feature = "tower")]
pub(crate) fn recognise(
    bundle: &[u8],
    verifier: &veraid::Verifier,
    period: Period,
) -> veraid::Recognition {
    check_size(bundle)
        .and_then(|()| Ok(BundleOutline::from_der(bundle)?))
        .map(|outline| verifier.recognise(&outline, period))
        .unwrap_or_default()
}

/// The policy with [`MAX_WORK`], unless it has a limit of its own.
pub(crate) fn with_limit(policy: Policy) -> Policy {
    policy.with_most_work(policy.most_work().unwrap_or(MAX_WORK))
}

fn check_size(bundle: &[u8]) -> Result<(), VerifyError> {
    if bundle.len() > MAX_BUNDLE_OCTETS {
        return Err(VerifyError::BundleTooLarge {
            octets: bundle.len(),
        });
    }
    Ok(())
}

fn check_lifetime(period: Period) -> Result<(), VerifyError> {
    if is_too_long(period) {
        return Err(VerifyError::LifetimeTooLong { period });
    }
    Ok(())
}

fn is_too_long(lifetime: Period) -> bool {
    lifetime.seconds() > MAX_LIFETIME_SECONDS
}

/// The audience matches by exact comparison.
pub(crate) fn check_audience(
    expected: &Audience,
    token: VerifiedToken,
) -> Result<VerifiedToken, VerifyError> {
    if token.audience() != expected {
        return Err(VerifyError::AudienceMismatch {
            subject: token.subject().to_owned(),
            expected: expected.clone(),
            found: token.audience().clone(),
        });
    }
    Ok(token)
}

/// A token whose signature, chain of trust, period and audience were verified.
///
/// It says who signed what, and for how long that holds. It borrows nothing, so that it can travel with
/// a request, and a clone shares what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken(Arc<Facts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    subject: Box<str>,
    member_id: MemberId,
    token: Token,
    signed_by: SignedBy,
    is_delegated: bool,
    validity: Period,
    token_period: Period,
    dialect: Dialect,
    key_algorithm: KeyAlgorithm,
}

impl VerifiedToken {
    /// Reads the token that was signed. The audience is left to the caller.
    fn read(signature: VerifiedSignature<'_>) -> Result<Self, VerifyError> {
        let content = signature.content().ok_or(VerifyError::DetachedToken)?;
        let token = Token::from_json(content)?;
        let (signed_by, is_delegated) = (signature.signed_by(), signature.is_delegated());
        let (validity, token_period) = (signature.period(), signature.signature_period());
        let (dialect, key_algorithm) = (signature.dialect(), signature.key_algorithm());
        let member_id = signature.into_member_id();
        Ok(Self(Arc::new(Facts {
            subject: member_id.to_string().into_boxed_str(),
            member_id,
            token,
            signed_by,
            is_delegated,
            validity,
            token_period,
            dialect,
            key_algorithm,
        })))
    }

    /// The same, said in a place of its own.
    pub(crate) fn unshared(&self) -> Self {
        Self(Arc::new(Facts::clone(&self.0)))
    }

    /// The subject, for whom the token speaks: `alice@example.com` for a user, `example.com` for a bot, the domain in
    /// ASCII and lower case.
    ///
    /// User names are case-sensitive and may hold spaces and any script: compare them whole, and show
    /// [`member_id`](Self::member_id)'s parts apart where people could be fooled.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The organisation and its member, apart.
    pub fn member_id(&self) -> &MemberId {
        &self.0.member_id
    }

    /// The claims, as the signer makes them.
    pub fn claims(&self) -> &Claims {
        self.0.token.claims()
    }

    /// The audience, which is the verifier's, or one of those that it has.
    pub fn audience(&self) -> &Audience {
        self.0.token.audience()
    }

    /// The party that signed: the member with a key of its own, or the organisation, which names the member.
    /// In the latter case it is only the organisation's word that the member had a part in it.
    pub fn signed_by(&self) -> SignedBy {
        self.0.signed_by
    }

    /// Returns true if a delegate's key signed for the organisation, in place of its own.
    pub fn is_delegated(&self) -> bool {
        self.0.is_delegated
    }

    /// The period, inclusive, in which all that was verified holds: the token, the certificates and the
    /// DNSSEC chain. It overlaps the time asked about.
    pub fn validity(&self) -> Period {
        self.0.validity
    }

    /// The period, inclusive, for which the signer signed the token: an hour at most. It may be longer than what else
    /// there is holds, and [`validity`](Self::validity) is what counts.
    pub fn token_period(&self) -> Period {
        self.0.token_period
    }

    /// The protocol that the bundle follows.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The algorithm of the key that signed the token: the member's or, where the organisation signed, the organisation's.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.0.key_algorithm
    }
}
