//! From the trust anchor down: which zones a chain tells of, who commits to their keys, and what those sign.

use std::fmt;

use dnssec::{Chain, Dnskey, Ds, Name, Record, RecordType, Rrsig};
use kliento::veraid::TrustAnchors;
use serde::Serialize;

use crate::terminal::{BAD, FAINT, GOOD, Printable, STRONG};
use crate::timeline::Window;

/// Columns for what a key signs, before the window gets a line of its own.
const LABEL_COLUMNS: usize = 28;

/// The zones, from the root down. Digests are compared, signatures are not checked.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct DelegationPath(Vec<ZonePart>);

#[derive(Serialize)]
struct ZonePart {
    zone: String,
    keys: Vec<KeyPart>,
    signatures: Vec<SignaturePart>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyPart {
    key_tag: u16,
    algorithm: String,
    secure_entry_point: bool,
    may_sign: bool,
    /// The key that vouches for it, if one does.
    committed_by: Option<Committer>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Committer {
    TrustAnchor,
    Ds,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignaturePart {
    key_tag: u16,
    owner: String,
    covers: String,
    valid: Option<Window>,
}

impl DelegationPath {
    pub(super) fn new(chain: &Chain<'_>, anchors: &TrustAnchors) -> Self {
        let records: Vec<&Record<'_>> = chain
            .responses()
            .iter()
            .flat_map(|response| response.answers().iter().chain(response.others()))
            .collect();
        let rrsigs: Vec<(Name, Rrsig<'_>)> = records
            .iter()
            .filter_map(|record| Some((record.owner(), record.rrsig()?)))
            .collect();
        let owners = records
            .iter()
            .filter(|record| record.record_type() == RecordType::DNSKEY)
            .map(|record| record.owner());
        let signers = rrsigs.iter().map(|(_, rrsig)| rrsig.signer.clone());
        let mut zones: Vec<Name> = owners.chain(signers).collect();
        zones.sort_by_cached_key(|zone| (zone.label_count(), zone.clone()));
        zones.dedup();
        let zones = zones.iter().map(|zone| ZonePart {
            zone: zone.to_string(),
            keys: keys_of(zone, &records, anchors),
            signatures: signatures_by(zone, &rrsigs),
        });
        Self(zones.collect())
    }
}

/// The zone's keys, each once.
fn keys_of(zone: &Name, records: &[&Record<'_>], anchors: &TrustAnchors) -> Vec<KeyPart> {
    let mut keys: Vec<Dnskey<'_>> = Vec::new();
    let of_type = |record_type| {
        let own = records
            .iter()
            .filter(move |record| record.record_type() == record_type);
        own.filter(|record| record.owner() == *zone)
    };
    for key in of_type(RecordType::DNSKEY).filter_map(|record| Dnskey::parse(record.rdata())) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let delegations: Vec<Ds<'_>> = of_type(RecordType::DS)
        .filter_map(|record| Ds::parse(record.rdata()))
        .collect();
    let committed_by = |key: &Dnskey<'_>| {
        let tag = key.key_tag();
        let is_anchor = anchors.iter().any(|anchor| {
            anchor.owner() == zone && anchor.key_tag() == tag && anchor.algorithm() == key.algorithm
        });
        if is_anchor {
            return Some(Committer::TrustAnchor);
        }
        let is_delegated = |ds: &Ds<'_>| {
            ds.key_tag == tag && ds.algorithm == key.algorithm && ds.commits_to(zone, key)
        };
        delegations
            .iter()
            .any(is_delegated)
            .then_some(Committer::Ds)
    };
    let mut parts: Vec<KeyPart> = keys
        .iter()
        .map(|key| KeyPart {
            key_tag: key.key_tag(),
            algorithm: key.algorithm.to_string(),
            secure_entry_point: key.is_secure_entry_point(),
            may_sign: key.may_sign(),
            committed_by: committed_by(key),
        })
        .collect();
    // Those that the rest hangs on come first.
    parts.sort_by_key(|key| {
        (
            key.committed_by.is_none(),
            !key.secure_entry_point,
            key.key_tag,
        )
    });
    parts
}

/// The RRsets that the zone signed: its own keys first, then what is below.
fn signatures_by(zone: &Name, rrsigs: &[(Name, Rrsig<'_>)]) -> Vec<SignaturePart> {
    let mut own: Vec<&(Name, Rrsig<'_>)> = rrsigs
        .iter()
        .filter(|(_, rrsig)| rrsig.signer == *zone)
        .collect();
    own.sort_by_cached_key(|(owner, rrsig)| {
        let is_own_keys = rrsig.type_covered == RecordType::DNSKEY;
        let window = (rrsig.inception, rrsig.expiration);
        (
            !is_own_keys,
            owner.clone(),
            rrsig.type_covered,
            rrsig.key_tag,
            window,
        )
    });
    own.dedup_by_key(|(owner, rrsig)| (owner.clone(), rrsig.type_covered, rrsig.signature));
    own.into_iter()
        .map(|(owner, rrsig)| SignaturePart {
            key_tag: rrsig.key_tag,
            owner: owner.to_string(),
            covers: rrsig.type_covered.to_string(),
            valid: rrsig.period().map(Window::from),
        })
        .collect()
}

impl fmt::Display for DelegationPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{STRONG}Delegation path{STRONG:#}")?;
        for (index, zone) in self.0.iter().enumerate() {
            let is_last = index + 1 == self.0.len();
            let arrow = if index == 0 { "" } else { "└▶ " };
            writeln!(
                formatter,
                "  {arrow}{STRONG}{}{STRONG:#}",
                Printable(&zone.zone)
            )?;
            zone.write(if is_last { ' ' } else { '│' }, formatter)?;
        }
        Ok(())
    }
}

impl ZonePart {
    fn write(&self, line: char, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keys.is_empty() {
            writeln!(
                formatter,
                "  {line}  {BAD}its keys are not in the chain{BAD:#}"
            )?;
        }
        for key in &self.keys {
            write!(formatter, "  {line}  {key}")?;
            self.write_signatures(key.key_tag, line, formatter)?;
        }
        // Signatures by keys that are not there.
        let is_orphan = |signature: &&SignaturePart| {
            let mut keys = self.keys.iter();
            !keys.any(|key| key.key_tag == signature.key_tag)
        };
        let mut orphans: Vec<u16> = self
            .signatures
            .iter()
            .filter(is_orphan)
            .map(|signature| signature.key_tag)
            .collect();
        orphans.sort_unstable();
        orphans.dedup();
        for key_tag in orphans {
            writeln!(
                formatter,
                "  {line}  key {key_tag:5}  {BAD}not in the chain{BAD:#}"
            )?;
            self.write_signatures(key_tag, line, formatter)?;
        }
        Ok(())
    }

    fn write_signatures(
        &self,
        key_tag: u16,
        line: char,
        formatter: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        for signature in self
            .signatures
            .iter()
            .filter(|signature| signature.key_tag == key_tag)
        {
            let SignaturePart { owner, covers, .. } = signature;
            let label = format!("{owner} {covers}");
            let label = Printable(&label);
            let window = match &signature.valid {
                Some(Window { from, until }) => format!("{} – {}", minute(from), minute(until)),
                None => "ends before it begins".to_owned(),
            };
            write!(formatter, "  {line}    signs {label:LABEL_COLUMNS$}")?;
            if owner.len() + 1 + covers.len() > LABEL_COLUMNS {
                write!(formatter, "\n  {line}          {:LABEL_COLUMNS$}", "")?;
            }
            writeln!(formatter, " {FAINT}{window}{FAINT:#}")?;
        }
        Ok(())
    }
}

/// `2026-11-22 00:20` of `2026-11-22T00:20:30Z`.
fn minute(time: &str) -> String {
    const OCTETS: usize = "2026-11-22T00:20".len();
    time.get(..OCTETS).unwrap_or(time).replace('T', " ")
}

impl fmt::Display for KeyPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key_tag, algorithm, ..
        } = self;
        let role = if self.secure_entry_point {
            "KSK"
        } else {
            "ZSK"
        };
        write!(formatter, "key {key_tag:5}  {role}  {algorithm}")?;
        match self.committed_by {
            Some(Committer::TrustAnchor) => write!(formatter, "  {GOOD}◀ trust anchor{GOOD:#}")?,
            Some(Committer::Ds) => write!(formatter, "  {GOOD}◀ DS{GOOD:#}")?,
            None => {}
        }
        if !self.may_sign {
            write!(formatter, "  {BAD}may not sign{BAD:#}")?;
        }
        writeln!(formatter)
    }
}
