//! A resolver's answers about a domain's DNS: asked for once, and examined elsewhere.
//!
//! Every question but two is asked with CD set, so that a validating resolver hands over what is wrong rather than its
//! verdict on it (RFC 4035 §3.2.2). Nothing here is believed: what the domain's zones prove is worked out from the same
//! responses by [`dnssec`].

mod reply;
mod zone;

use dnssec::{
    Chain, Client, Error, Name, Period, RecordType, RetrievalError, TrustAnchor, TrustAnchors,
    Validity,
};
use kliento::veraid::{Dialect, NameError, Organisation, Timestamp, TxtRecord};

pub(super) use self::reply::{Entry, Lookup, Reply, SERVFAIL, response_code_name};
pub(super) use self::zone::Zone;
use super::Subject;

async fn ask(client: &Client, name: &Name, record_type: RecordType) -> Lookup {
    let octets = Box::pin(client.query(name, record_type)).await?;
    Reply::read(octets, name, record_type)
}

/// The same without CD: the resolver says what it thinks of it.
async fn ask_for_verdict(client: &Client, name: &Name, record_type: RecordType) -> Lookup {
    let octets = Box::pin(client.query_with_checking(name, record_type)).await?;
    Reply::read(octets, name, record_type)
}

/// First contact: the zone that a trust anchor is about, whose keys every resolver must have with their signatures.
pub(super) struct Probe {
    pub(super) anchored: Name,
    pub(super) keys: Reply,
    /// The same keys, asked for with the resolver's own verdict.
    pub(super) checked: Lookup,
}

/// The lowest zone at or above `name` that a trust anchor is about.
pub(super) fn anchored_zone(anchors: &TrustAnchors, name: &Name) -> Option<Name> {
    anchors
        .iter()
        .map(TrustAnchor::owner)
        .filter(|owner| name.is_within(owner))
        .max_by_key(|owner| owner.label_count())
        .cloned()
}

pub(super) async fn probe(client: &Client, anchored: Name) -> Result<Probe, RetrievalError> {
    let keys = ask(client, &anchored, RecordType::DNSKEY).await?;
    let checked = ask_for_verdict(client, &anchored, RecordType::DNSKEY).await;
    Ok(Probe {
        anchored,
        keys,
        checked,
    })
}

/// The reason why the way to the domain ended early.
pub(super) enum End {
    /// A name on it does not exist.
    NoSuchName(Name),
    /// Nobody answers for a name on it.
    Failure { name: Name, lookup: Lookup },
}

/// TXT records that are not where they should be.
pub(super) struct Elsewhere {
    pub(super) name: Name,
    pub(super) records: Vec<Vec<u8>>,
}

/// All that was asked.
pub(super) struct Survey {
    /// The name at which the organisation's records should be.
    pub(super) owner: Name,
    /// From the zone that the trust anchor is about down to the one that holds the domain.
    pub(super) zones: Vec<Zone>,
    /// Names on the way at which no zone starts.
    pub(super) uncut: Vec<Name>,
    /// The first name in the domain's zone that does not exist. It comes to be with the records.
    pub(super) missing: Option<Name>,
    pub(super) end: Option<End>,
    /// The organisation's TXT records, or what came in their place.
    pub(super) records: Option<Lookup>,
    /// The same with the resolver's own verdict.
    pub(super) checked: Option<Lookup>,
    pub(super) domain_auth_owner: Option<Name>,
    pub(super) domain_auth: Option<Lookup>,
    pub(super) elsewhere: Vec<Elsewhere>,
    /// The domain's SOA RRset, proven: it stands for the zone's data where there are no records to look at.
    pub(super) soa_proof: Option<Result<Validity, Error>>,
    /// A chain that proves the records (DER), as anybody would retrieve it.
    pub(super) chain: Option<Result<Vec<u8>, RetrievalError>>,
}

impl Survey {
    /// The zone that holds the domain, if the way led as far.
    pub(super) fn own_zone(&self) -> Option<&Zone> {
        self.zones.last().filter(|_| self.end.is_none())
    }

    /// Signatures on the way that anybody needs, one reply for each RRset, where no chain could be retrieved.
    pub(super) fn signed_rrsets(&self) -> impl Iterator<Item = (&Reply, &Name, RecordType)> {
        self.zones.iter().flat_map(|zone| {
            let of = |reply, record_type| (reply, &zone.name, record_type);
            let keys = zone.keys.as_ref().ok().map(|r| of(r, RecordType::DNSKEY));
            let ds = zone.ds.as_ref().and_then(|ds| ds.as_ref().ok());
            let soa = zone.soa.as_ref().map(|r| of(r, RecordType::SOA));
            keys.into_iter()
                .chain(ds.map(|r| of(r, RecordType::DS)))
                .chain(soa)
        })
    }
}

/// The domain itself.
fn name_of(domain: &Organisation) -> Option<Name> {
    domain.as_str().parse().ok()
}

/// The names from just below `top` down to `bottom`.
fn names_down(top: &Name, bottom: &Name) -> Vec<Name> {
    let mut names = Vec::new();
    let mut name = Some(bottom.clone());
    while let Some(current) = name.filter(|name| name != top && name.is_within(top)) {
        name = current.parent();
        names.push(current);
    }
    names.reverse();
    names
}

/// Asks all there is to ask about a domain.
pub(super) async fn gather(
    client: &Client,
    subject: &Subject,
    probe: Probe,
) -> Result<Survey, NameError> {
    let owner = subject.domain.record_owner(subject.dialect)?;
    let top = probe.anchored;
    let mut survey = Survey {
        owner: owner.clone(),
        zones: vec![Zone::anchored(top.clone(), probe.keys)],
        uncut: Vec::new(),
        missing: None,
        end: None,
        records: None,
        checked: None,
        domain_auth_owner: None,
        domain_auth: None,
        elsewhere: Vec::new(),
        soa_proof: None,
        chain: None,
    };
    for name in names_down(&top, &owner) {
        let soa = ask(client, &name, RecordType::SOA).await;
        match soa {
            // That the records' own name is missing is no news: it may simply not be there yet.
            _ if name == owner && !is_apex(&soa, &name) => {}
            Ok(reply) if reply.is_nxdomain() => {
                // Right below the root or an ending are names that somebody registers. Further down are names that who
                // runs the zone adds at will, and servers that deny a name though there are names below it.
                let zone = survey.zones.last().map(|zone| zone.name.label_count());
                if zone.is_some_and(|labels| labels <= 1) {
                    survey.end = Some(End::NoSuchName(name));
                    break;
                }
                survey.missing.get_or_insert_with(|| name.clone());
                survey.uncut.push(name);
            }
            Ok(reply) if reply.holds(&name, RecordType::SOA) => {
                survey.zones.push(Zone::ask(client, name, reply).await);
            }
            Ok(reply) if reply.is_answer() => survey.uncut.push(name),
            lookup => {
                survey.end = Some(End::Failure { name, lookup });
                break;
            }
        }
    }
    if survey.end.is_none() {
        ask_for_records(client, subject, &mut survey).await;
    }
    prove(&mut survey, &subject.anchors, subject.now);
    // Where a zone is wrong, no chain is to be had, and finding that out once more takes time.
    let holds = survey.zones.iter().all(|zone| zone.proof.is_ok());
    if survey.end.is_none() && holds {
        let resolvers = [subject.resolver.clone()];
        let retrieved = dnssec::retrieve(
            &owner,
            RecordType::TXT,
            &resolvers,
            &subject.anchors,
            subject.now,
        );
        survey.chain = Some(retrieved.await.map(|retrieved| retrieved.chain));
    }
    Ok(survey)
}

fn is_apex(soa: &Lookup, name: &Name) -> bool {
    soa.as_ref()
        .is_ok_and(|reply| reply.holds(name, RecordType::SOA))
}

async fn ask_for_records(client: &Client, subject: &Subject, survey: &mut Survey) {
    // A long domain may have room for VeraId's shorter label alone.
    let beside = Some(Dialect::DomainAuth).filter(|&dialect| dialect != subject.dialect);
    let domain_auth_owner = beside.and_then(|dialect| subject.domain.record_owner(dialect).ok());
    let domain_auth = async {
        match &domain_auth_owner {
            Some(name) => Some(ask(client, name, RecordType::TXT).await),
            None => None,
        }
    };
    let (records, checked, domain_auth) = tokio::join!(
        ask(client, &survey.owner, RecordType::TXT),
        ask_for_verdict(client, &survey.owner, RecordType::TXT),
        domain_auth,
    );
    let found = records.as_ref().is_ok_and(|reply| {
        reply
            .answers
            .iter()
            .filter(|entry| entry.record_type == RecordType::TXT)
            .any(|entry| is_record(&entry.rdata, subject.dialect))
    });
    if !found {
        let zone = survey.own_zone().map(|zone| zone.name.clone());
        for name in other_places(subject, zone.as_ref()) {
            if let Ok(reply) = ask(client, &name, RecordType::TXT).await {
                let records = reply.rrset(&name, RecordType::TXT).map(<[u8]>::to_vec);
                let records = records.collect();
                survey.elsewhere.push(Elsewhere { name, records });
            }
        }
    }
    survey.records = Some(records);
    survey.checked = Some(checked);
    survey.domain_auth = domain_auth;
    survey.domain_auth_owner = domain_auth_owner;
}

fn is_record(rdata: &[u8], dialect: Dialect) -> bool {
    dnssec::txt_content(rdata).is_some_and(|text| TxtRecord::parse(&text, dialect).is_some())
}

/// Other names at which people put the record: a form that adds the zone's name by itself, a label that was left out or
/// misspelt.
fn other_places(subject: &Subject, zone: Option<&Name>) -> Vec<Name> {
    let (domain, label) = (&subject.domain, subject.dialect.record_label());
    places_but_for(domain, label, zone)
}

fn places_but_for(domain: &Organisation, label: &str, zone: Option<&Name>) -> Vec<Name> {
    let Some(itself) = name_of(domain) else {
        return Vec::new();
    };
    let on = |label: &str, name: &Name| name.prepend_label(label.as_bytes()).ok();
    let doubled = zone.and_then(|zone| {
        let labels = [label].into_iter().chain(domain.as_str().split('.'));
        let labels = labels.map(str::as_bytes).chain(zone.labels());
        Name::from_labels(labels).ok()
    });
    let above = zone
        .filter(|zone| **zone != itself)
        .and_then(|zone| on(label, zone));
    let www = on("www", &itself).and_then(|www| on(label, &www));
    [
        doubled,
        on(label.trim_start_matches('_'), &itself),
        Some(itself.clone()),
        above,
        www,
        on("_kliento", &itself),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Works out what the responses prove: each zone's keys, and the SOA of the last.
fn prove(survey: &mut Survey, anchors: &TrustAnchors, at: Timestamp) {
    let messages: Vec<Vec<u8>> = survey
        .zones
        .iter()
        .flat_map(Zone::replies)
        .map(|reply| reply.octets.clone())
        .collect();
    let proof = |name: &Name, record_type| {
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        let proof = chain.verify(name, record_type, anchors, Period::at(at))?;
        Ok(proof.validity().clone())
    };
    for zone in &mut survey.zones {
        zone.proof = proof(&zone.name, RecordType::DNSKEY);
    }
    survey.soa_proof = survey
        .own_zone()
        .filter(|zone| zone.soa.is_some())
        .map(|zone| proof(&zone.name, RecordType::SOA));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn the_way_down_starts_below_the_anchor_and_ends_at_the_records() {
        assert_eq!(
            names_down(&Name::root(), &name("_veraid.a.example.")),
            [
                name("example."),
                name("a.example."),
                name("_veraid.a.example.")
            ]
        );
        assert_eq!(
            names_down(&name("a.example."), &name("_veraid.a.example.")),
            [name("_veraid.a.example.")]
        );
    }

    #[test]
    fn looks_where_forms_put_records_that_are_typed_in_full() {
        let domain: Organisation = "team.example.com".parse().unwrap();
        let places = places_but_for(&domain, "_veraid", Some(&name("example.com.")));
        for place in [
            "_veraid.team.example.com.example.com.",
            "veraid.team.example.com.",
            "team.example.com.",
            "_veraid.example.com.",
        ] {
            assert!(places.contains(&name(place)), "{place}");
        }
    }
}
