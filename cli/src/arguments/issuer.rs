//! The issuer of certificates, as arguments name it.

use clap::{ArgGroup, Args};
use kliento::veraid::{
    IntermediateCertificate, Issuer, OrganisationCertificate, Period, PrivateKey,
};

use super::material::{intermediate_certificates, organisation_certificate, private_key};
use crate::fault::Fault;
use crate::input::Source;

/// The issuer of a certificate: the organisation, or somebody to whom it delegates.
#[derive(Args, Debug)]
#[group(skip)]
#[command(group(ArgGroup::new("issuer_key").args(["organisation_key", "intermediate_key"]).required(true)))]
pub(crate) struct IssuerArguments {
    /// The organisation's certificate (PEM or DER).
    #[arg(long, value_name = "FILE")]
    organisation_certificate: Source,

    /// The organisation's private key (PKCS #8, PEM or DER).
    #[arg(long, value_name = "FILE", conflicts_with = "intermediates")]
    organisation_key: Option<Source>,

    /// To issue as somebody to whom the organisation delegates (DomainAuth): the certificates from the one that the
    /// organisation issued down to the one that issues, in this order; may be given several times (PEM or DER).
    #[arg(
        long = "intermediate",
        value_name = "FILE",
        requires = "intermediate_key"
    )]
    intermediates: Vec<Source>,

    /// The private key of the last intermediate (PKCS #8, PEM or DER).
    #[arg(long, value_name = "FILE", requires = "intermediates")]
    intermediate_key: Option<Source>,
}

/// The organisation's key or a delegate's, with the certificates that lead to it.
pub(crate) struct Authority {
    pub(crate) organisation: OrganisationCertificate,
    /// Those that lead to a delegate's key; none if it is the organisation's own.
    pub(crate) intermediates: Vec<IntermediateCertificate>,
    pub(crate) key: PrivateKey,
}

impl IssuerArguments {
    pub(crate) fn load(&self) -> Result<Authority, Fault> {
        let key = self
            .organisation_key
            .as_ref()
            .or(self.intermediate_key.as_ref())
            .ok_or_else(|| Fault::failure("give --organisation-key, or --intermediate-key"))?;
        Ok(Authority {
            organisation: organisation_certificate(&self.organisation_certificate)?,
            intermediates: intermediate_certificates(&self.intermediates)?,
            key: private_key(key)?,
        })
    }
}

impl Authority {
    /// The issuer: the last intermediate, or the organisation if there is none.
    pub(crate) fn issuer(&self) -> Issuer<'_> {
        match self.intermediates.last() {
            Some(intermediate) => intermediate.into(),
            None => (&self.organisation).into(),
        }
    }

    /// The period of the issuer's certificate.
    pub(crate) fn period(&self) -> Period {
        self.intermediates
            .last()
            .map_or(self.organisation.period(), IntermediateCertificate::period)
    }
}
