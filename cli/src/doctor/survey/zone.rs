//! A zone on the way to the domain, and what was asked about it.

use dnssec::{Client, Dnskey, Ds, Error, Name, RecordType, Validity};

use super::{Lookup, Reply, ask};

/// Octets of NSEC3PARAM RDATA before the number of iterations (RFC 5155 §4.2).
const NSEC3PARAM_ITERATIONS: usize = 2;

/// A zone on the way to the domain.
pub(in crate::doctor) struct Zone {
    pub(in crate::doctor) name: Name,
    pub(in crate::doctor) keys: Lookup,
    /// The parent's DS records; `None` for the zone that the trust anchor is about.
    pub(in crate::doctor) ds: Option<Lookup>,
    /// The DS records that the zone asks its parent for (RFC 7344).
    pub(in crate::doctor) cds: Vec<Vec<u8>>,
    /// The iterations of NSEC3 (RFC 5155 §3.1.3), if the zone uses it.
    pub(in crate::doctor) nsec3_iterations: Option<u16>,
    pub(super) soa: Option<Reply>,
    /// The validity of the proof of its keys, from the trust anchor down.
    pub(in crate::doctor) proof: Result<Validity, Error>,
}

impl Zone {
    /// The zone that the trust anchor is about, whose keys are known.
    pub(super) fn anchored(name: Name, keys: Reply) -> Self {
        Self {
            name,
            keys: Ok(keys),
            ds: None,
            cds: Vec::new(),
            nsec3_iterations: None,
            soa: None,
            proof: Ok(Validity::never()),
        }
    }

    /// Asks about the zone of that name, whose SOA record is known.
    pub(super) async fn ask(client: &Client, name: Name, soa: Reply) -> Self {
        let (keys, ds, cds, nsec3_parameters) = tokio::join!(
            ask(client, &name, RecordType::DNSKEY),
            ask(client, &name, RecordType::DS),
            ask(client, &name, RecordType::CDS),
            ask(client, &name, RecordType::NSEC3PARAM),
        );
        let all = |lookup: Lookup, record_type| -> Vec<Vec<u8>> {
            let reply = lookup.ok();
            reply
                .iter()
                .flat_map(|reply| reply.rrset(&name, record_type))
                .map(<[u8]>::to_vec)
                .collect()
        };
        let iterations = all(nsec3_parameters, RecordType::NSEC3PARAM)
            .iter()
            .filter_map(|rdata| rdata.get(NSEC3PARAM_ITERATIONS..)?.first_chunk())
            .map(|&octets| u16::from_be_bytes(octets))
            .max();
        Self {
            cds: all(cds, RecordType::CDS),
            nsec3_iterations: iterations,
            name,
            keys,
            ds: Some(ds),
            soa: Some(soa),
            proof: Ok(Validity::never()),
        }
    }

    /// Its keys as far as they can be read.
    pub(in crate::doctor) fn dnskeys(&self) -> Vec<Dnskey<'_>> {
        let reply = self.keys.as_ref().ok();
        reply
            .into_iter()
            .flat_map(|reply| reply.rrset(&self.name, RecordType::DNSKEY))
            .filter_map(Dnskey::parse)
            .collect()
    }

    /// The parent's word for its keys.
    pub(in crate::doctor) fn delegation_signers(&self) -> Vec<Ds<'_>> {
        let reply = self.ds.as_ref().and_then(|ds| ds.as_ref().ok());
        reply
            .into_iter()
            .flat_map(|reply| reply.rrset(&self.name, RecordType::DS))
            .filter_map(Ds::parse)
            .collect()
    }

    /// Tells whether it has keys, and signs them.
    pub(in crate::doctor) fn is_signed(&self) -> bool {
        self.keys.as_ref().is_ok_and(|reply| {
            reply.holds(&self.name, RecordType::DNSKEY)
                && reply
                    .rrsigs(&self.name, RecordType::DNSKEY)
                    .next()
                    .is_some()
        })
    }

    /// All replies about it that anything can be proven with.
    pub(super) fn replies(&self) -> impl Iterator<Item = &Reply> {
        let ds = self.ds.as_ref().and_then(|ds| ds.as_ref().ok());
        self.keys
            .as_ref()
            .ok()
            .into_iter()
            .chain(ds)
            .chain(&self.soa)
    }
}
