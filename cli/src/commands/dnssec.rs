//! `kliento dnssec`: chains, apart from what they are used for.

use std::borrow::Cow;
use std::{fmt, mem};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use dnssec::{
    Chain, Demand, Fact, Name, Period, Proof, RecordType, RetrievalError, Timestamp, Validity,
};
use kliento::veraid::{Dialect, Organisation, TrustAnchors, TtlOverride, TxtRecord};
use serde::Serialize;

use crate::arguments::{
    self, AnchorArguments, MomentArguments, PeriodArguments, ResolverArguments,
};
use crate::destination::{Content, Destination};
use crate::fault::Fault;
use crate::hints::LibraryError as _;
use crate::input::Source;
use crate::inspection::ChainInspection;
use crate::output::Output;
use crate::runtime;
use crate::terminal::{self, Fields, GOOD, ODD, Printable};
use crate::timeline::{Window, windows};

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Ask resolvers for the chain that proves a domain's TXT record, or any other, and verify it.
    Retrieve(Retrieve),
    /// Prove records from a chain, offline.
    Verify(Verify),
    /// Show all that is in a chain, unverified, and when each part of it is valid.
    Inspect(Inspect),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Retrieve(arguments) => arguments.run(output),
            Self::Verify(arguments) => arguments.run(output),
            Self::Inspect(arguments) => arguments.run(output),
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento dnssec retrieve --domain example.com --out example.com.chain
  kliento dnssec retrieve --domain example.com --dialect domainauth \\
      --out example.com.chain
  kliento dnssec retrieve --domain example.com --out example.com.chain \\
      --resolver https://1.1.1.1/dns-query --resolver 9.9.9.9
  kliento dnssec retrieve --name _443._tcp.example.com --type TLSA \\
      --format rfc9102 --out proof.bin
  kliento dnssec retrieve --domain corp.example --out corp.chain \\
      --trust-anchors corp-root.txt \\
      --resolver tls://10.0.0.53 --resolver-ca corp-ca.pem
  kliento dnssec retrieve --name _443._tcp.www.example.com --type TLSA \\
      --absent --out tlsa.chain

Nobody needs to trust the resolver: what it says is proven, or refused.")]
#[command(group(ArgGroup::new("records").required(true).args(["domain", "name"])))]
pub(crate) struct Retrieve {
    /// The domain, whose TXT record at _veraid.DOMAIN is asked for, or at _domainauth.DOMAIN with --dialect domainauth.
    #[arg(long)]
    domain: Option<Organisation>,

    /// The protocol whose records of the domain are asked for.
    #[arg(
        long,
        default_value = "veraid",
        conflicts_with = "name",
        value_parser = arguments::dialect_parser()
    )]
    dialect: Dialect,

    /// The name of the records to ask for; goes with --type.
    #[arg(
        long,
        requires = "record_type",
        allow_hyphen_values = true,
        value_parser = arguments::name_parser()
    )]
    name: Option<Name>,

    /// Their type, such as TXT, or its number, such as 16 or TYPE16.
    #[arg(long = "type", value_name = "TYPE", requires = "name")]
    record_type: Option<RecordType>,

    /// Write the proof that there is no such record, too.
    #[arg(long)]
    absent: bool,

    #[command(flatten)]
    resolvers: ResolverArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    /// How to write the chain.
    #[arg(long, default_value = "messages")]
    format: ChainFormat,

    /// Where to write the chain: a file, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,
}

#[derive(Serialize)]
struct RetrieveDocument {
    file: String,
    octets: usize,
    responses: usize,
    resolver: String,
    name: String,
    #[serde(rename = "type")]
    record_type: String,
    /// The denial, if it is absence that is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    denial: Option<String>,
    records: Vec<String>,
    validity: Vec<Window>,
}

impl Retrieve {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        self.out.check(Content::PublicBinary, output)?;
        let anchors = self.anchors.load()?;
        let resolvers = self.resolvers.load()?;
        let (name, record_type) = self.records()?;
        let now = arguments::now();

        let shown: Vec<String> = resolvers.iter().map(ToString::to_string).collect();
        let what = format!("asking {} for the chain of {name}", shown.join(", "));
        let retrieval = dnssec::retrieve(&name, record_type, &resolvers, &anchors, now);
        let (chain_der, fact, resolver) = match runtime::block_on_patiently(retrieval, &what)? {
            Err(RetrievalError::Absent(proven)) if self.absent => {
                let fact = Fact::ProvenAbsent(proven.absence);
                (proven.chain, fact, proven.resolver)
            }
            outcome => {
                let proven = outcome?;
                (proven.chain, Fact::Proven(proven.proof), proven.resolver)
            }
        };
        let chain = Chain::from_der(&chain_der)?;
        if let (Fact::Proven(proof), Some(_)) = (&fact, &self.domain) {
            warn_of_strange_records(proof, self.dialect);
            self.warn_of_long_signatures(&chain, &name, &anchors, now);
        }
        let written = match self.format {
            ChainFormat::Messages => chain_der.clone(),
            ChainFormat::Rfc9102 => {
                // As retrieval does: for as long as possible from now on.
                let from_now_on = Period::new(now, Timestamp::MAX).unwrap_or(Period::at(now));
                chain.to_authentication_chain(&name, record_type, &anchors, from_now_on)?
            }
        };
        self.out.write(&written, Content::PublicBinary)?;

        let (denial, records, proven) = match &fact {
            Fact::Proven(proof) => (None, presentations(proof), format!("{name} {record_type}")),
            Fact::ProvenAbsent(absence) => {
                let denial = absence.denial().to_string();
                (Some(denial), Vec::new(), format!("that {absence}"))
            }
            Fact::ProvenInsecure(insecure) => return Err(refusal(insecure.clone().into())),
        };
        let document = RetrieveDocument {
            file: self.out.to_string(),
            octets: written.len(),
            responses: chain.responses().len(),
            resolver,
            name: name.to_string(),
            record_type: record_type.to_string(),
            denial,
            records,
            validity: windows(fact.validity()),
        };
        let until = document
            .validity
            .first()
            .map_or("", |window| window.until.as_str());
        let text = format!(
            "Wrote {}: {} responses, {} bytes, which prove {proven} until {until}.",
            self.out, document.responses, document.octets
        );
        self.out.report(output, &document, &text)
    }

    /// The name and type to ask for.
    fn records(&self) -> Result<(Name, RecordType), Fault> {
        match (&self.domain, &self.name, self.record_type) {
            (Some(domain), ..) => domain
                .record_owner(self.dialect)
                .map(|owner| (owner, RecordType::TXT))
                .map_err(|error| Fault::in_file(domain, &error)),
            (None, Some(name), Some(record_type)) => Ok((name.clone(), record_type)),
            _ => Err(Fault::failure("give either --domain, or --name and --type")),
        }
    }

    /// Warns of a chain that DomainAuth's verifiers refuse, as they take no signature that is valid for too long.
    fn warn_of_long_signatures(
        &self,
        chain: &Chain<'_>,
        name: &Name,
        anchors: &TrustAnchors,
        now: Timestamp,
    ) {
        if self.dialect != Dialect::DomainAuth {
            return;
        }
        let demand =
            Demand::from(Period::at(now)).with_longest_signature(TtlOverride::MAX.seconds());
        let fact = chain.look_up(name, RecordType::TXT, anchors, demand);
        if let Err(error) = fact.and_then(Fact::into_secure) {
            terminal::warn(format_args!(
                "DomainAuth allows DNSSEC signatures of at most 90 days, so verifiers will refuse this chain: {error}"
            ));
        }
    }
}

/// Records that are none of the dialect's are passed over by us, but not by everybody.
fn warn_of_strange_records(proof: &Proof<'_>, dialect: Dialect) {
    let protocol = match dialect {
        Dialect::DomainAuth => "DomainAuth",
        _ => "VeraId",
    };
    let texts = || proof.rdata().map(dnssec::txt_content);
    let parses = |text: Option<Cow<'_, [u8]>>| {
        text.is_some_and(|text| TxtRecord::parse(&text, dialect).is_some())
    };
    let strange = texts().filter(|text| !parses(text.clone())).count();
    if strange == texts().count() {
        terminal::warn(format_args!(
            "none of the TXT records at this name is a {protocol} record; see `kliento organisation record`"
        ));
    } else if strange > 0 {
        terminal::warn(format_args!(
            "some of the TXT records at this name are not {protocol} records; other implementations may refuse all of \
             them"
        ));
    }
}

fn presentations(proof: &Proof<'_>) -> Vec<String> {
    proof
        .rdata()
        .map(|rdata| dnssec::rdata_to_text(proof.record_type(), rdata))
        .collect()
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento dnssec verify --name _veraid.example.com --type TXT \\
      --chain example.com.chain
  kliento dnssec verify --name _veraid.example.com --type TXT \\
      --chain example.com.chain \\
      --from 2026-11-01T00:00:00Z --until 2026-11-30T00:00:00Z
  kliento dnssec verify --name _443._tcp.example.com --type TLSA \\
      --chain proof.bin --format rfc9102")]
pub(crate) struct Verify {
    /// The name of the records.
    #[arg(long, allow_hyphen_values = true, value_parser = arguments::name_parser())]
    name: Name,

    /// Their type, such as TXT, or its number, such as 16 or TYPE16.
    #[arg(long = "type", value_name = "TYPE")]
    record_type: RecordType,

    /// The chain, in the form that --format says; - for stdin.
    #[arg(long, value_name = "FILE")]
    chain: Source,

    /// What the chain's file holds.
    #[arg(long, default_value = "messages")]
    format: ChainFormat,

    #[command(flatten)]
    period: PeriodArguments,

    #[command(flatten)]
    anchors: AnchorArguments,
}

/// How a chain is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ChainFormat {
    /// A DER SET OF OCTET STRING, each string a DNS message: what `dnssec retrieve` writes.
    Messages,
    /// An authentication chain of RFC 9102: records alone, without the support lifetime before them.
    Rfc9102,
}

impl ChainFormat {
    /// The DNS messages in a file of this format.
    fn messages(self, octets: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, Fault> {
        Ok(match self {
            Self::Messages => Chain::from_der(octets)?
                .messages()
                .map(Cow::Borrowed)
                .collect(),
            Self::Rfc9102 => dnssec::messages_from_authentication_chain(octets)?
                .into_iter()
                .map(Cow::Owned)
                .collect(),
        })
    }
}

/// The document about a fact that is proven.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum FactDocument {
    Proven {
        name: String,
        #[serde(rename = "type")]
        record_type: String,
        #[serde(flatten)]
        alias: Alias,
        records: Vec<String>,
        validity: Vec<Window>,
    },
    Absent {
        denial: String,
        #[serde(flatten)]
        alias: Alias,
        validity: Vec<Window>,
        #[serde(skip)]
        message: String,
    },
}

/// The name that aliases led to, if there were any.
#[derive(Serialize)]
struct Alias {
    #[serde(rename = "canonicalName", skip_serializing_if = "Option::is_none")]
    canonical_name: Option<String>,
}

impl FactDocument {
    fn new(verify: &Verify, fact: &Fact<'_>, validity: &Validity) -> Result<Self, Fault> {
        let canonical_name = fact.canonical_name();
        let alias = Alias {
            canonical_name: (*canonical_name != verify.name).then(|| canonical_name.to_string()),
        };
        Ok(match fact {
            Fact::Proven(proof) => Self::Proven {
                name: verify.name.to_string(),
                record_type: proof.record_type().to_string(),
                alias,
                records: presentations(proof),
                validity: windows(validity),
            },
            Fact::ProvenAbsent(absence) => Self::Absent {
                denial: absence.denial().to_string(),
                alias,
                validity: windows(validity),
                message: absence.to_string(),
            },
            Fact::ProvenInsecure(insecure) => return Err(refusal(insecure.clone().into())),
        })
    }
}

impl fmt::Display for FactDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Fields::new();
        let validity = match self {
            Self::Proven {
                name,
                record_type,
                alias,
                records,
                validity,
            } => {
                writeln!(formatter, "{GOOD}proven{GOOD:#}")?;
                if let Some(canonical_name) = &alias.canonical_name {
                    fields.add(name, format_args!("is an alias of {canonical_name}"));
                }
                let owner = alias.canonical_name.as_ref().unwrap_or(name);
                for record in records {
                    fields.add(format!("{owner} {record_type}"), Printable(record));
                }
                validity
            }
            Self::Absent {
                denial,
                validity,
                message,
                ..
            } => {
                writeln!(formatter, "{ODD}absent{ODD:#}")?;
                fields.add(denial, message);
                validity
            }
        };
        for Window { from, until } in validity {
            fields.add("valid", format_args!("{from} to {until}"));
        }
        fields.fmt(formatter)
    }
}

impl Verify {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let anchors = self.anchors.load()?;
        let period = self.period.get()?;
        let octets = self.chain.read_to_judge()?;
        let messages = self.format.messages(&octets)?;
        let chain = Chain::from_messages(&messages)?;
        let look_up = |period| chain.look_up(&self.name, self.record_type, &anchors, period);
        let fact = look_up(period)
            .and_then(Fact::into_secure)
            .map_err(refusal)?;
        let validity = if self.period.is_a_span() {
            fact.validity().intersect(&Validity::from(period))
        } else {
            // All that the chain can prove, and not only with what is valid at that moment.
            look_up(Period::always())
                .ok()
                .filter(|whole| mem::discriminant(whole) == mem::discriminant(&fact))
                .map_or_else(|| fact.validity().clone(), |whole| whole.validity().clone())
        };
        let document = FactDocument::new(self, &fact, &validity)?;
        output.result(&document, &document)?;
        match fact {
            Fact::Proven(_) => Ok(()),
            Fact::ProvenAbsent(_) => Err(Fault::unwelcome()),
            Fact::ProvenInsecure(insecure) => Err(refusal(insecure.into())),
        }
    }
}

/// A proof that a zone is unsigned is a verdict of its own.
fn refusal(error: dnssec::Error) -> Fault {
    match &error {
        dnssec::Error::InsecureDelegation { zone, .. } => {
            Fault::insecure(zone.to_string(), error.to_string()).with_hint(error.hint())
        }
        _ => error.into(),
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento dnssec inspect example.com.chain
  kliento dnssec inspect --json example.com.chain
  kliento dnssec inspect --format rfc9102 proof.bin")]
pub(crate) struct Inspect {
    /// What the file holds.
    #[arg(long, default_value = "messages")]
    format: ChainFormat,

    #[command(flatten)]
    moment: MomentArguments,

    #[command(flatten)]
    anchors: AnchorArguments,

    /// The chain, in the form that --format says; - for stdin.
    #[arg(value_name = "FILE")]
    chain: Source,
}

impl Inspect {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let anchors = self.anchors.load()?;
        let octets = self.chain.read_to_judge()?;
        let messages = self.format.messages(&octets)?;
        let chain = Chain::from_messages(&messages)?;
        let inspection = ChainInspection::new(&chain, octets.len(), self.moment.get(), &anchors);
        output.result(&inspection, &inspection)
    }
}
