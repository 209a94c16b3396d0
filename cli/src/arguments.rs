//! Arguments that several commands share, and what they load.

use std::ffi::OsStr;
use std::str::FromStr;
use std::time::SystemTime;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgGroup, Args, Command};
use dnssec::{AnchorError, Name, NameError};
use kliento::veraid::{
    self, Dialect, Encapsulation, IntermediateCertificate, Issuer, KeyAlgorithm, KeyAlgorithmError,
    KeyError, Member, MemberId, MemberIdBundle, ObjectIdentifier, OrganisationCertificate, Period,
    Policy, PrivateKey, PublicKey, SignatureBundle, Signer, SigningKey as _, Timestamp,
    TrustAnchors, UserName, Verification,
};

use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::{Encoded, Source};
use crate::private_key::{self, Form};
use crate::terminal;

/// Whom to trust.
#[derive(Args, Debug)]
pub(crate) struct AnchorArguments {
    /// Trust these keys for the DNS root in place of the built-in ones of IANA: DS or DNSKEY lines, Unbound's
    /// auto-trust-anchor-file, or root-anchors.xml.
    #[arg(long, value_name = "FILE")]
    trust_anchors: Option<Source>,
}

impl AnchorArguments {
    /// Where they are read from, if not built in.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.trust_anchors.as_ref()
    }

    pub(crate) fn load(&self) -> Result<TrustAnchors, Fault> {
        match &self.trust_anchors {
            Some(source) => trust_anchors(source),
            None => Ok(TrustAnchors::iana()),
        }
    }
}

/// Reads trust anchors; the caller looks at [`TrustAnchors::left_out`].
pub(crate) fn read_trust_anchors(source: &Source) -> Result<TrustAnchors, Fault> {
    let text = source.read_text()?;
    text.parse()
        .map_err(|error: AnchorError| Fault::in_file(source, &error).hint(error.hint()))
}

/// Reads trust anchors, and warns of keys that RFC 5011 does not trust.
fn trust_anchors(source: &Source) -> Result<TrustAnchors, Fault> {
    let anchors = read_trust_anchors(source)?;
    for key in anchors.left_out() {
        terminal::warn(format_args!("{source}: {key}, and was left out"));
    }
    Ok(anchors)
}

/// Reads a value that may begin with a hyphen, as names of all kinds may. What is an option of the command by itself is
/// taken for a value that is missing: `--name --bot` names nobody.
#[derive(Clone)]
pub(crate) struct Hyphenated<P>(P);

/// As [`Hyphenated`], whatever a text can be parsed into.
pub(crate) fn hyphenated<T>() -> Hyphenated<impl TypedValueParser<Value = T>>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    Hyphenated(StringValueParser::new().try_map(|text| text.parse::<T>()))
}

impl<P: TypedValueParser> TypedValueParser for Hyphenated<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let option = value.to_str().and_then(|value| value.strip_prefix("--"));
        let name = option.map(|option| option.split('=').next().unwrap_or(option));
        if name.is_some()
            && command
                .get_arguments()
                .any(|known| known.get_long() == name)
        {
            let argument = argument.map_or_else(String::new, ToString::to_string);
            let value = value.to_string_lossy();
            return Err(clap::Error::raw(
                ErrorKind::InvalidValue,
                format!("a value is required for '{argument}', and '{value}' is another option\n"),
            )
            .with_cmd(command));
        }
        self.0.parse_ref(command, argument, value)
    }
}

/// Domain names, as people write them on a command line: in ASCII, with escapes for any other byte of a label.
pub(crate) fn name_parser() -> Hyphenated<impl TypedValueParser<Value = Name>> {
    Hyphenated(StringValueParser::new().try_map(|text| {
        if text.is_ascii() {
            return text.parse().map_err(|error: NameError| error.to_string());
        }
        Err(
            "write the domain name in its ASCII form, with labels such as `xn--bcher-kva`, or a byte as `\\DDD`"
                .to_owned(),
        )
    }))
}

/// The word that allows all experimental algorithms.
const ALL_ALGORITHMS: &str = "all";

/// Names of key algorithms, the experimental ones marked so.
pub(crate) fn key_algorithm_parser() -> impl TypedValueParser<Value = KeyAlgorithm> {
    PossibleValuesParser::new(KeyAlgorithm::ALL.iter().copied().map(key_algorithm_value))
        .try_map(|name| name.parse::<KeyAlgorithm>())
}

fn key_algorithm_value(algorithm: KeyAlgorithm) -> PossibleValue {
    let value = PossibleValue::new(algorithm.to_string());
    if algorithm.is_experimental() {
        value.help("experimental: for DomainAuth alone, and verifiers that opt in")
    } else {
        value
    }
}

/// Names of dialects.
pub(crate) fn dialect_parser() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.iter().copied().map(dialect_value))
        .try_map(|name| name.parse::<Dialect>())
}

pub(crate) fn dialect_value(dialect: Dialect) -> PossibleValue {
    let value = PossibleValue::new(dialect.to_string());
    match dialect {
        Dialect::VeraId => value.help("VeraId, with records at _veraid.DOMAIN"),
        Dialect::DomainAuth => {
            value.help("DomainAuth, VeraId's successor, with records at _domainauth.DOMAIN")
        }
        _ => value,
    }
}

/// Which experimental key algorithms are taken.
#[derive(Args, Debug)]
pub(crate) struct AlgorithmArguments {
    /// Take keys of this experimental algorithm, too, or of all; may be given several times. Without it there is RSA
    /// alone, as the specifications have it.
    #[arg(long = "allow-algorithm", value_name = "ALGORITHM", value_parser = allowed_parser())]
    allowed: Vec<Allowed>,
}

/// One of the experimental algorithms, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    All,
    One(KeyAlgorithm),
}

impl FromStr for Allowed {
    type Err = KeyAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == ALL_ALGORITHMS {
            return Ok(Self::All);
        }
        text.parse().map(Self::One)
    }
}

/// RSA is always taken, and naming it is no mistake.
fn allowed_parser() -> impl TypedValueParser<Value = Allowed> {
    let names = KeyAlgorithm::ALL.iter().map(|algorithm| {
        let value = PossibleValue::new(algorithm.to_string());
        value.hide(!algorithm.is_experimental())
    });
    let all = PossibleValue::new(ALL_ALGORITHMS);
    PossibleValuesParser::new(names.chain([all])).try_map(|name| name.parse::<Allowed>())
}

impl AlgorithmArguments {
    pub(crate) fn policy(&self) -> Policy {
        allowing(&self.allowed)
    }

    /// As they were given.
    pub(crate) fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }
}

/// Takes RSA, and `allowed` besides.
pub(crate) fn allowing(allowed: &[Allowed]) -> Policy {
    let allow = |policy: Policy, allowed: &Allowed| match *allowed {
        Allowed::All => policy.allow_all(),
        Allowed::One(algorithm) => policy.allow(algorithm),
    };
    allowed.iter().fold(Policy::new(), allow)
}

/// What a verifier takes.
#[derive(Args, Debug)]
pub(crate) struct PolicyArguments {
    #[command(flatten)]
    algorithms: AlgorithmArguments,

    /// Take this dialect alone, in place of both.
    #[arg(long, value_parser = dialect_parser())]
    dialect: Option<Dialect>,
}

impl PolicyArguments {
    /// The algorithms, as they were given.
    pub(crate) fn allowed(&self) -> &[Allowed] {
        self.algorithms.allowed()
    }

    /// The one dialect, if it was given.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    pub(crate) fn policy(&self) -> Policy {
        let policy = self.algorithms.policy();
        match self.dialect {
            Some(dialect) => policy.only(dialect),
            None => policy,
        }
    }
}

/// When to verify.
#[derive(Args, Debug)]
pub(crate) struct MomentArguments {
    /// Verify at this time instead of now (RFC 3339, such as 2026-11-21T12:00:00Z).
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl MomentArguments {
    pub(crate) fn get(&self) -> Timestamp {
        self.at.unwrap_or_else(now)
    }
}

/// When, or within which period, to verify.
#[derive(Args, Debug)]
pub(crate) struct PeriodArguments {
    #[command(flatten)]
    moment: MomentArguments,

    /// Verify that it holds for a second at least from this time on; goes with --until.
    #[arg(long, value_name = "TIME", conflicts_with = "at", requires = "until")]
    from: Option<Timestamp>,

    /// Verify that it holds for a second at least up to this time; goes with --from.
    #[arg(long, value_name = "TIME", conflicts_with = "at", requires = "from")]
    until: Option<Timestamp>,
}

impl PeriodArguments {
    pub(crate) fn get(&self) -> Result<Period, Fault> {
        match (self.from, self.until) {
            (Some(from), Some(until)) => Period::new(from, until)
                .ok_or_else(|| Fault::failure(format!("--until {until} is before --from {from}"))),
            _ => Ok(Period::at(self.moment.get())),
        }
    }

    /// Whether a period was given, and not a moment.
    pub(crate) fn is_a_span(&self) -> bool {
        self.from.is_some()
    }
}

/// When something that is being made begins to be valid.
#[derive(Args, Debug)]
pub(crate) struct StartArguments {
    /// When it begins to be valid (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME")]
    not_before: Option<Timestamp>,
}

/// When what something is built on must hold.
#[derive(Args, Debug)]
pub(crate) struct FoundationArguments {
    /// Verify the chain and the certificates at this time instead of now, or of the first second of what is made if
    /// that is not valid now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl FoundationArguments {
    /// The moment at which to verify what something for `made` is built on.
    pub(crate) fn moment(&self, made: Period) -> Period {
        let now = now();
        let usual = if made.contains(now) {
            now
        } else {
            made.start()
        };
        Period::at(self.at.unwrap_or(usual))
    }
}

impl StartArguments {
    /// From the start for so long.
    pub(crate) fn period(&self, length: Duration) -> Result<Period, Fault> {
        let start = self.not_before.unwrap_or_else(now);
        Period::new(start, start.saturating_add(length.signed_seconds()))
            .ok_or_else(|| Fault::failure("that is beyond the end of time"))
    }
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A VeraId service: `kliento`, or an OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service(pub(crate) ObjectIdentifier);

impl FromStr for Service {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("kliento") {
            return Ok(Self(kliento::SERVICE));
        }
        ObjectIdentifier::new(text)
            .map(Self)
            .map_err(|_| "write `kliento` or an OID such as 1.3.6.1.4.1.58708.1.1")
    }
}

/// A service's name for people.
pub(crate) fn service_name(service: ObjectIdentifier) -> String {
    if service == kliento::SERVICE {
        return format!("{service} (Kliento)");
    }
    if service == veraid::TEST_SERVICE {
        return format!("{service} (test service)");
    }
    service.to_string()
}

/// Who signs: a member with a key of its own, or the organisation in a member's name.
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
        certificate: OrganisationCertificate,
        /// Those that lead to a delegate's key; none if it is the organisation's own that signs.
        intermediates: Vec<IntermediateCertificate>,
        attribution: Member,
        key: PrivateKey,
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
                certificate: organisation_certificate(certificate)?,
                intermediates: intermediate_certificates(&self.intermediates)?,
                attribution: member(self.on_behalf_of.as_ref()),
                key,
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
            Self::Member { bundle, key } => Signer::Member { bundle, key },
            Self::Organisation {
                chain,
                certificate,
                intermediates,
                attribution,
                key,
            } if intermediates.is_empty() => Signer::Organisation {
                chain_der: chain,
                certificate,
                attribution,
                key,
            },
            Self::Organisation {
                chain,
                certificate,
                intermediates,
                attribution,
                key,
            } => Signer::Delegate {
                chain_der: chain,
                certificate,
                intermediates,
                attribution,
                key,
            },
        }
    }

    /// Makes sure that what this signer would put around a signature holds at that moment. Gives the name that the
    /// signature will speak in, and for how long the rest will hold.
    pub(crate) fn verify(
        &self,
        anchors: &TrustAnchors,
        moment: Period,
        service: ObjectIdentifier,
        policy: Policy,
    ) -> Result<(MemberId, Period), Fault> {
        match self {
            Self::Member { bundle, .. } => {
                let verified = bundle
                    .verify(anchors, moment, Some(service), policy)
                    .map_err(explain_to_member)?;
                Ok((verified.member_id().clone(), verified.period()))
            }
            Self::Organisation {
                chain,
                certificate,
                intermediates,
                attribution,
                ..
            } => {
                let verified = certificate.verify(chain, anchors, moment, Some(service), policy)?;
                let id = MemberId::new(verified.organisation().clone(), attribution.clone());
                if !intermediates.is_empty() {
                    if verified.dialect() == Dialect::VeraId {
                        let error = veraid::Error::IntermediatesOutsideDialect;
                        return Err(Fault::of_request(&error));
                    }
                    let verification =
                        Verification::new(service, moment, anchors).with_policy(policy);
                    self.try_out(&verification, moment, service)?;
                }
                let rest = intermediates
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
        service: ObjectIdentifier,
    ) -> Result<(), Fault> {
        let probe = veraid::sign(
            &self.signer(),
            b"",
            service,
            moment,
            Encapsulation::Attached,
        )
        .map_err(|error| Fault::of_request(&error))?;
        SignatureBundle::from_der(&probe)?.verify(verification)?;
        Ok(())
    }
}

/// A refusal of a member id bundle as its member should hear it: only an administrator can make another.
fn explain_to_member(error: veraid::Error) -> Fault {
    let has_expired = matches!(
        error,
        veraid::Error::CertificateExpired { .. }
            | veraid::Error::Dnssec(dnssec::Error::RrsigExpired { .. })
    );
    let fault = Fault::from(error);
    if !has_expired {
        return fault;
    }
    fault
        .context("the member id bundle has expired")
        .replace_hint("get a new member id bundle from your organisation's administrator")
}

/// Who issues a certificate: the organisation, or somebody to whom it delegates.
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

/// An issuer's material, read.
pub(crate) struct LoadedIssuer {
    pub(crate) organisation: OrganisationCertificate,
    pub(crate) intermediates: Vec<IntermediateCertificate>,
    pub(crate) key: PrivateKey,
}

impl IssuerArguments {
    pub(crate) fn load(&self) -> Result<LoadedIssuer, Fault> {
        let key = self
            .organisation_key
            .as_ref()
            .or(self.intermediate_key.as_ref())
            .ok_or_else(|| Fault::failure("give --organisation-key, or --intermediate-key"))?;
        Ok(LoadedIssuer {
            organisation: organisation_certificate(&self.organisation_certificate)?,
            intermediates: intermediate_certificates(&self.intermediates)?,
            key: private_key(key)?,
        })
    }
}

impl LoadedIssuer {
    /// Whose certificate the key belongs to.
    pub(crate) fn issuer(&self) -> Issuer<'_> {
        match self.intermediates.last() {
            Some(intermediate) => intermediate.into(),
            None => (&self.organisation).into(),
        }
    }

    /// When that certificate is valid.
    pub(crate) fn period(&self) -> Period {
        self.intermediates
            .last()
            .map_or(self.organisation.period(), IntermediateCertificate::period)
    }
}

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
        Encoded::Der(der) => match Form::of(der).and_then(Form::fault) {
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
        Encoded::Der(der) if Form::of(der).is_some() => Err(KeyError::PrivateGiven),
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
