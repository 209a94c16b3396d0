//! The signer, as arguments name it.

use clap::{ArgGroup, Args};
use kliento::veraid::{
    self, Content, Dialect, Member, MemberId, MemberIdBundle, Period, Policy, PrivateKey,
    ServiceOid, SignatureBundle, SignatureRequest, Signer, SignerIdentity, TrustAnchors, UserName,
    Verification,
};

use super::hyphenated;
use super::issuer::Authority;
use super::material::{
    intermediate_certificates, member_id_bundle, organisation_certificate, private_key,
};
use crate::fault::Fault;
use crate::input::Source;

/// The signer: a member with a key of its own, or the organisation in a member's name.
#[derive(Args, Debug)]
#[group(skip)]
#[command(
    group(ArgGroup::new("signer").args(["member_id_bundle", "organisation_certificate"]).required(true)),
    group(ArgGroup::new("attribution").args(["on_behalf_of", "bot"]))
)]
pub(crate) struct SignerArguments {
    /// The private key to sign with: the member's, the organisation's or, with --intermediate, the delegate's
    /// (PKCS #8, PEM or DER).
    #[arg(long, value_name = "FILE")]
    key: Source,

    /// The member id bundle of the member who signs.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["organisation_certificate", "dnssec_chain", "intermediates", "attribution"]
    )]
    member_id_bundle: Option<Source>,

    /// The certificate of the organisation that signs (PEM or DER).
    #[arg(long, value_name = "FILE", requires_all = ["dnssec_chain", "attribution"])]
    organisation_certificate: Option<Source>,

    /// The organisation's DNSSEC chain, from `kliento dnssec retrieve`.
    #[arg(long, value_name = "FILE", requires = "organisation_certificate")]
    dnssec_chain: Option<Source>,

    /// To sign as somebody to whom the organisation delegates (DomainAuth): the certificates from the one that the
    /// organisation issued down to that of the key, in this order; may be given several times (PEM or DER).
    #[arg(
        long = "intermediate",
        value_name = "FILE",
        requires = "organisation_certificate"
    )]
    intermediates: Vec<Source>,

    /// The user in whose name the organisation signs.
    #[arg(
        long,
        value_name = "NAME",
        requires = "organisation_certificate",
        allow_hyphen_values = true,
        value_parser = hyphenated::<UserName>()
    )]
    on_behalf_of: Option<UserName>,

    /// Sign in the name of the organisation's bot: of the organisation itself.
    #[arg(long, requires = "organisation_certificate")]
    bot: bool,
}

/// A signer's material, read.
pub(crate) enum LoadedSigner {
    Member {
        bundle: MemberIdBundle,
        key: PrivateKey,
    },
    Organisation {
        chain: Vec<u8>,
        authority: Authority,
        attribution: Member,
    },
}

impl SignerArguments {
    pub(crate) fn load(&self) -> Result<LoadedSigner, Fault> {
        let key = private_key(&self.key)?;
        match (
            &self.member_id_bundle,
            &self.organisation_certificate,
            &self.dnssec_chain,
        ) {
            (Some(bundle), _, _) => Ok(LoadedSigner::Member {
                bundle: member_id_bundle(bundle)?,
                key,
            }),
            (None, Some(certificate), Some(chain)) => Ok(LoadedSigner::Organisation {
                chain: chain.read_to_judge()?,
                authority: Authority {
                    organisation: organisation_certificate(certificate)?,
                    intermediates: intermediate_certificates(&self.intermediates)?,
                    key,
                },
                attribution: member(self.on_behalf_of.as_ref()),
            }),
            _ => Err(Fault::failure(
                "give --member-id-bundle, or --organisation-certificate with --dnssec-chain",
            )),
        }
    }
}

/// The member that `--name`, or `--bot` in its absence, means.
pub(crate) fn member(user: Option<&UserName>) -> Member {
    user.map_or(Member::Bot, |user| Member::User(user.clone()))
}

impl LoadedSigner {
    pub(crate) fn signer(&self) -> Signer<'_> {
        match self {
            Self::Member { bundle, key } => Signer::member(bundle, key),
            Self::Organisation {
                chain,
                authority,
                attribution,
            } if authority.intermediates.is_empty() => Signer::new(
                SignerIdentity::Organisation {
                    chain_der: chain,
                    certificate: &authority.organisation,
                    attribution,
                },
                &authority.key,
            ),
            Self::Organisation {
                chain,
                authority,
                attribution,
            } => Signer::new(
                SignerIdentity::Delegate {
                    chain_der: chain,
                    certificate: &authority.organisation,
                    intermediates: &authority.intermediates,
                    attribution,
                },
                &authority.key,
            ),
        }
    }

    /// Makes sure that what this signer would put around a signature holds at that moment. Gives the name that the
    /// signature will speak in, and for how long the rest will hold.
    pub(crate) fn verify(
        &self,
        anchors: &TrustAnchors,
        moment: Period,
        service: ServiceOid,
        policy: Policy,
    ) -> Result<(MemberId, Period), Fault> {
        match self {
            Self::Member { bundle, .. } => {
                let verified = bundle
                    .verify(&Verification::new(service, moment, anchors).with_policy(policy))
                    .map_err(explain_to_member)?;
                Ok((verified.member_id().clone(), verified.period()))
            }
            Self::Organisation {
                chain,
                authority,
                attribution,
            } => {
                let organisation = &authority.organisation;
                let verified = organisation.verify(
                    chain,
                    &Verification::new(service, moment, anchors).with_policy(policy),
                )?;
                let id = MemberId::new(verified.organisation().clone(), attribution.clone());
                if !authority.intermediates.is_empty() {
                    if verified.dialect() == Dialect::VeraId {
                        let error = veraid::VerifyError::IntermediatesOutsideDialect;
                        return Err(Fault::of_request(&error));
                    }
                    let verification =
                        Verification::new(service, moment, anchors).with_policy(policy);
                    self.try_out(&verification, moment, service)?;
                }
                let rest = authority
                    .intermediates
                    .iter()
                    .try_fold(verified.period(), |rest, certificate| {
                        rest.intersect(certificate.period())
                    });
                Ok((id, rest.unwrap_or(moment)))
            }
        }
    }

    /// Makes sure that verifiers find their way from the organisation to a delegate's key, as only one does who verifies
    /// a signature: an empty one, which nobody gets to see.
    fn try_out(
        &self,
        verification: &Verification<'_>,
        moment: Period,
        service: ServiceOid,
    ) -> Result<(), Fault> {
        let probe = self
            .signer()
            .sign(&SignatureRequest::new(
                Content::Attached(b""),
                service,
                moment,
            ))
            .map_err(|error| Fault::of_request(&error))?;
        SignatureBundle::from_der(&probe)?.verify(verification)?;
        Ok(())
    }
}

/// A refusal of a member id bundle as its member should hear it: a chain is for the member to renew, and a certificate
/// for an administrator.
pub(crate) fn explain_to_member(error: veraid::VerifyError) -> Fault {
    let hint = match error {
        veraid::VerifyError::CertificateExpired { .. } => {
            "get a new member id bundle from your organisation's administrator"
        }
        veraid::VerifyError::Dnssec(dnssec::Error::RrsigExpired { .. }) => {
            "get a fresh chain with `kliento member renew --member-id-bundle FILE`"
        }
        _ => return Fault::from(error),
    };
    Fault::from(error)
        .context("the member id bundle has expired")
        .replace_hint(hint)
}
