//! Resolvers, and the authorities that may have issued their certificates.

use clap::Args;
use dnssec::Resolver;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::fault::Fault;
use crate::input::{Encoded, Source};

/// The resolvers to ask for a chain.
#[derive(Args, Debug)]
pub(crate) struct ResolverArguments {
    /// The resolver to ask: `system`, `IP[:PORT]`, `tls://HOST[:PORT]` or `https://HOST[:PORT]/PATH`; a link's address
    /// with its interface, such as `fe80::1%eth0`. If it is given several times, the next one is asked when one gives no
    /// proof.
    #[arg(long, default_value = "system")]
    resolver: Vec<Resolver>,

    /// Trust these certificates, too, for resolvers with TLS (PEM, or one as DER).
    #[arg(long, value_name = "FILE")]
    resolver_ca: Option<Source>,
}

impl ResolverArguments {
    pub(crate) fn load(&self) -> Result<Vec<Resolver>, Fault> {
        let Some(source) = &self.resolver_ca else {
            return Ok(self.resolver.clone());
        };
        let certificates = certificates(source)?;
        let trusting =
            |resolver: &Resolver| resolver.clone().with_authorities(certificates.clone());
        Ok(self.resolver.iter().map(trusting).collect())
    }
}

/// Reads all certificates of a PEM file, or the one in DER.
pub(crate) fn certificates(source: &Source) -> Result<Vec<Vec<u8>>, Fault> {
    let octets = source.read()?;
    let pem = match Encoded::of(&octets) {
        Encoded::Der(der) => return Ok(vec![der.to_vec()]),
        Encoded::Pem(pem) => pem,
    };
    let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| Fault::failure(format!("{source}: {error}")))?;
    if certificates.is_empty() {
        return Err(
            Fault::failure(format!("{source}: the file contains no certificate")).hint(
                "give the PEM certificate of the authority that issued the resolver's certificate",
            ),
        );
    }
    Ok(certificates)
}
