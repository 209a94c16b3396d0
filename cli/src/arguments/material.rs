//! Keys, certificates and bundles, read from files.

use kliento::veraid::{
    IntermediateCertificate, KeyError, MemberIdBundle, OrganisationCertificate, PrivateKey,
    PublicKey, SigningKey as _,
};

use crate::fault::Fault;
use crate::input::{Encoded, Source};
use crate::private_key::{self, KeyForm};

/// Reads a private key (PKCS #8), PEM or DER, and forgets what the file said.
pub(crate) fn private_key(source: &Source) -> Result<PrivateKey, Fault> {
    private_key_in(source, &source.read_secret()?)
}

/// Reads a public key (SPKI), PEM or DER.
pub(crate) fn public_key(source: &Source) -> Result<PublicKey, Fault> {
    // As a secret, since it may be a private key by mistake.
    public_key_in(source, &source.read_secret()?)
}

/// Reads a public key, or takes it out of a private one.
pub(crate) fn either_key(source: &Source) -> Result<PublicKey, Fault> {
    let octets = source.read_secret()?;
    if private_key::is_in(&octets) {
        return private_key_in(source, &octets).map(|key| key.public_key().clone());
    }
    public_key_in(source, &octets)
}

fn private_key_in(source: &Source, octets: &[u8]) -> Result<PrivateKey, Fault> {
    match Encoded::of(octets) {
        Encoded::Pem(pem) => PrivateKey::from_pkcs8_pem(&pem),
        Encoded::Der(der) => match KeyForm::of(der).and_then(KeyForm::fault) {
            Some(fault) => Err(fault),
            None if PublicKey::from_spki_der(der).is_ok() => Err(KeyError::PublicGiven),
            None => PrivateKey::from_pkcs8_der(der),
        },
    }
    .map_err(|error| Fault::in_file(source, &error))
}

fn public_key_in(source: &Source, octets: &[u8]) -> Result<PublicKey, Fault> {
    match Encoded::of(octets) {
        Encoded::Pem(pem) => PublicKey::from_spki_pem(&pem),
        Encoded::Der(der) if KeyForm::of(der).is_some() => Err(KeyError::PrivateGiven),
        Encoded::Der(der) => PublicKey::from_spki_der(der),
    }
    .map_err(|error| Fault::in_file(source, &error))
}

/// Reads an organisation's certificate, PEM or DER.
pub(crate) fn organisation_certificate(source: &Source) -> Result<OrganisationCertificate, Fault> {
    match Encoded::of(&source.read()?) {
        Encoded::Pem(pem) => OrganisationCertificate::from_pem(&pem),
        Encoded::Der(der) => OrganisationCertificate::from_der(der),
    }
    .map_err(|error| Fault::in_file(source, &error))
}

/// Reads certificates of intermediates, each PEM or DER.
pub(crate) fn intermediate_certificates(
    sources: &[Source],
) -> Result<Vec<IntermediateCertificate>, Fault> {
    let read = |source: &Source| {
        match Encoded::of(&source.read()?) {
            Encoded::Pem(pem) => IntermediateCertificate::from_pem(&pem),
            Encoded::Der(der) => IntermediateCertificate::from_der(der),
        }
        .map_err(|error| Fault::in_file(source, &error))
    };
    sources.iter().map(read).collect()
}

/// Reads a member id bundle.
pub(crate) fn member_id_bundle(source: &Source) -> Result<MemberIdBundle, Fault> {
    let octets = crate::input::bundle_octets(source.read_to_judge()?)?;
    MemberIdBundle::from_der(&octets).map_err(|error| Fault::from(error).context(source))
}
