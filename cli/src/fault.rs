//! How a command ends when it does not end well: what happened, what would do, and the exit status.
//!
//! Status 1 is a verdict on the material: a bundle, chain or signature that is not valid or can't be read. Status 2 is
//! everything else: usage, files, the network, configuration.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use kliento::veraid;
use serde::Serialize;

use crate::output::{self, Output};

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: Kind,
    message: String,
    /// What else is wrong, each by itself.
    others: Vec<String>,
    hint: Option<Cow<'static, str>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Exit status 2.
    Failure { reason: Option<&'static str> },
    /// Exit status 1: it was read and does not hold.
    Invalid { reason: &'static str },
    /// Exit status 1: its outer form can't be read.
    Malformed { reason: &'static str },
    /// Exit status 1: a zone on the way down is proven to be unsigned.
    Insecure { zone: String },
    /// Exit status 1 or 2: a result that was printed like any other, but is not what a caller hopes for.
    Unwelcome { status: u8 },
    /// The reader of our output has gone, which is no fault at all.
    BrokenPipe,
}

/// What `--json` prints in place of a result.
#[derive(Serialize)]
struct Verdict<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Fault {
    /// Usage, I/O or configuration.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Failure { reason: None },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// Several of them, each of which stands for itself.
    pub(crate) fn failures(messages: impl IntoIterator<Item = String>) -> Self {
        let mut messages = messages.into_iter();
        let mut fault = Self::failure(messages.next().unwrap_or_default());
        fault.others = messages.collect();
        fault
    }

    /// Gives a failure its stable name.
    pub(crate) fn because(mut self, name: &'static str) -> Self {
        if let Kind::Failure { reason } = &mut self.kind {
            *reason = Some(name);
        }
        self
    }

    /// The same, about a file's content.
    pub(crate) fn in_file(file: impl fmt::Display, error: &dyn Error) -> Self {
        Self::failure(format!("{file}: {}", with_causes(error)))
    }

    /// What was asked for can't be made; nothing that was given to be judged is at fault.
    pub(crate) fn of_request(error: &veraid::Error) -> Self {
        let fault = Self::failure(with_causes(error)).because(error.reason());
        match particular_hint(error).or_else(|| hint_for(error.reason()).map(Cow::Borrowed)) {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }

    /// A file can't be read or written.
    pub(crate) fn io(action: &str, file: &Path, error: &io::Error) -> Self {
        let name = file.to_string_lossy();
        let fault = Self::failure(format!("cannot {action} {}: {error}", Abridged(&name)));
        match error.kind() {
            io::ErrorKind::NotFound if action == "write" => {
                fault.hint("make the directory first")
            }
            // Which can be too long for a file's name, too.
            _ if looks_like_a_token(&name) => fault.hint(
                "give a file; pipe a token in with `-`, as in: echo 'Kliento MII…' | kliento token verify … -",
            ),
            _ => fault,
        }
    }

    /// Material that can't be read at all.
    pub(crate) fn malformed(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Malformed { reason },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// Material that was read and is not valid.
    pub(crate) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Invalid { reason },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// A delegation on the way is proven unsigned.
    pub(crate) fn insecure(zone: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Insecure { zone: zone.into() },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// The result says it all, and it is a verdict.
    pub(crate) fn unwelcome() -> Self {
        Self::with_result(1)
    }

    /// The result says why there is no verdict.
    pub(crate) fn undecided() -> Self {
        Self::with_result(2)
    }

    fn with_result(status: u8) -> Self {
        Self {
            kind: Kind::Unwelcome { status },
            message: String::new(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// What happened, without what would do.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same for each of several failures.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.message.as_str()).chain(self.others.iter().map(String::as_str))
    }

    /// Adds what would do, unless something more particular was said already.
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }

    /// Says what would do to somebody whom the usual hint does not help.
    pub(crate) fn replace_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same for output that was more than a report: that its reader has gone is a failure.
    pub(crate) fn undelivered(mut self) -> Self {
        if self.kind == Kind::BrokenPipe {
            self.kind = Kind::Failure { reason: None };
        }
        self
    }

    /// Says first what it is about.
    pub(crate) fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    fn verdict(error: &dyn Error, reason: &'static str, malformed: bool) -> Self {
        let message = with_causes(error);
        let fault = if is_about_the_request(reason) {
            Self::failure(message).because(reason)
        } else if malformed {
            Self::malformed(reason, message)
        } else {
            Self::invalid(reason, message)
        };
        match hint_for(reason) {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }

    /// Prints it where it belongs, and gives the exit status.
    pub(crate) fn report(self, output: &Output) -> ExitCode {
        let (status, zone, reason) = match &self.kind {
            Kind::BrokenPipe => return ExitCode::SUCCESS,
            Kind::Unwelcome { status } => return ExitCode::from(*status),
            Kind::Failure { reason } => {
                self.explain("error", *reason);
                return ExitCode::from(2);
            }
            Kind::Invalid { reason } => ("invalid", None, Some(*reason)),
            Kind::Malformed { reason } => ("malformed", None, Some(*reason)),
            Kind::Insecure { zone } => ("insecure", Some(zone.as_str()), None),
        };
        if output.is_json() {
            let verdict = Verdict {
                status,
                zone,
                error: &self.message,
                reason,
            };
            if let Err(fault) = output::json(&verdict)
                && fault.kind != Kind::BrokenPipe
            {
                fault.explain("error", None);
                return ExitCode::from(2);
            }
        } else {
            self.explain(status, reason);
        }
        ExitCode::from(1)
    }

    /// `invalid: what is wrong (reason)` and `hint: what would do`, on stderr.
    fn explain(&self, label: &str, reason: Option<&str>) {
        let bad = output::BAD;
        for message in self.messages() {
            let message = output::Printable(message);
            output::progress(format_args!("{bad}{label}:{bad:#} {message}"));
        }
        if let Some(reason) = reason {
            output::progress(format_args!("reason: {reason}"));
        }
        if let Some(hint) = &self.hint {
            let good = output::GOOD;
            let hint = output::Printable(hint);
            output::progress(format_args!("{good}hint:{good:#} {hint}"));
        }
    }
}

/// Writing to stdout failed: nothing to say if its reader has gone.
pub(crate) fn error_on_stdout(error: &io::Error) -> Fault {
    Fault {
        kind: if error.kind() == io::ErrorKind::BrokenPipe {
            Kind::BrokenPipe
        } else {
            Kind::Failure { reason: None }
        },
        message: format!("cannot write to stdout: {error}"),
        others: Vec::new(),
        hint: None,
    }
}

impl From<kliento::Error> for Fault {
    fn from(error: kliento::Error) -> Self {
        match error {
            kliento::Error::VeraId(error) => error.into(),
            error => Self::verdict(&error, error.reason(), error.is_malformed()),
        }
    }
}

impl From<veraid::Error> for Fault {
    fn from(error: veraid::Error) -> Self {
        let mut fault = Self::verdict(&error, error.reason(), error.is_malformed());
        if let Some(hint) = particular_hint(&error) {
            fault.hint = Some(hint);
        }
        fault
    }
}

impl From<dnssec::Error> for Fault {
    fn from(error: dnssec::Error) -> Self {
        Self::verdict(&error, error.reason(), error.is_malformed())
    }
}

/// An error and what caused it, unless it has said that already.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    message
}

/// Whether it is what was asked for that can't be made or done here, and nothing that was given to be judged.
fn is_about_the_request(reason: &str) -> bool {
    matches!(
        reason,
        "kliento.empty_audience"
            | "veraid.algorithm_not_built"
            | "veraid.key"
            | "veraid.not_pem_certificate"
            | "veraid.key_mismatch"
            | "veraid.member_has_organisation_key"
            | "veraid.member_name"
            | "veraid.outside_issuer_period"
            | "veraid.unit_name"
            | "veraid.verification_too_long"
            | "veraid.never_verifiable"
            | "veraid.unwritable_period"
            | "veraid.not_a_service"
            | "veraid.signing_failed"
            | "veraid.signed_wrongly"
            | "veraid.unwritable"
    )
}

/// What would do about a refusal, where that is told by what was refused.
fn particular_hint(error: &veraid::Error) -> Option<Cow<'static, str>> {
    use veraid::{Error, KeyError, NameError};
    let hint = match error {
        Error::AlgorithmNotAllowed { algorithm, .. } => {
            format!("--allow-algorithm {algorithm} takes such keys")
        }
        Error::DialectNotAccepted { dialect } => {
            format!("--dialect {dialect} takes it, and without --dialect both are taken")
        }
        Error::CertificateKey {
            source: KeyError::NotInVeraId { .. },
            ..
        } => "use DomainAuth, as in `kliento organisation record --dialect domainauth`, which has such keys".to_owned(),
        Error::MemberName(NameError::NotNormalised { normalised }) => {
            format!("give --name {normalised}")
        }
        Error::InvalidAttribution(NameError::NotNormalised { normalised }) => {
            format!("whoever signs writes the name so: --on-behalf-of {normalised}")
        }
        Error::InvalidCommonName {
            source: NameError::NotNormalised { normalised },
            ..
        } => format!("certify the member as {normalised}"),
        Error::InvalidCommonName {
            source: NameError::NoTrailingDot,
            ..
        } => {
            "the organisation's certificate is for VeraId; make one for DomainAuth with `kliento organisation \
             certificate --dialect domainauth`"
                .to_owned()
        }
        _ => return None,
    };
    Some(hint.into())
}

/// What would do about a refusal, where that is the same each time.
fn hint_for(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "kliento.audience_mismatch" => {
            "audiences match letter by letter; `kliento token inspect` shows which one the token names"
        }
        "cms.missing_content" => "give what was signed with --plaintext",
        "cms.unexpected_content" => {
            "leave --plaintext out to verify the content that is in the bundle"
        }
        "kliento.detached_token" => "this is no token; see `kliento signature verify --plaintext`",
        "kliento.lifetime_too_long" => "issue it again with --valid-for 1h or less",
        "kliento.bundle_too_large" => {
            "the DNSSEC chain is most of a bundle; retrieve it with `kliento dnssec retrieve`, which keeps only what \
             the proof needs. ML-DSA keys and signatures take thousands of bytes each: try smaller ones, or none but \
             the organisation's"
        }
        "kliento.wrong_scheme" | "input.malformed_base64" => {
            "a bundle is read as DER, as Base64, or as an Authorization value (Kliento MII…)"
        }
        "dnssec.rrsig_expired" => {
            "retrieve the chain again with `kliento dnssec retrieve`, then make the bundle again; --at verifies at \
             another time"
        }
        "veraid.record_absent" => {
            "publish the record that `kliento organisation record` prints, then retrieve the chain again"
        }
        "veraid.no_matching_record" => {
            "is the key's record published? see `kliento organisation record`, then retrieve the chain again"
        }
        "veraid.signature_expired" => "issue a new one; --at verifies at another time",
        "x509.valid_too_long" | "veraid.signature_valid_too_long" => {
            "in DomainAuth nothing is valid for longer than 90 days: make it with --valid-for 90d or less"
        }
        "x509.other_issuer" => {
            "give each certificate from the organisation's down to the one that issues, with --intermediate"
        }
        "veraid.verification_too_long" => "put --from and --until at most 90 days apart",
        "x509.path_length_exceeded" => {
            "the certificate above needs a larger --path-length: 1, say, for the organisation's (`kliento organisation \
             certificate`) if those to whom it delegates issue certificates to members"
        }
        "veraid.intermediates_outside_dialect" => {
            "delegating takes DomainAuth: a chain from `kliento dnssec retrieve --dialect domainauth`, and certificates \
             for it"
        }
        "veraid.ambiguous_dialect" => {
            "retrieve the chain again with `kliento dnssec retrieve`, which asks for one dialect at a time"
        }
        "dnssec.rrsig_too_long" => {
            "DomainAuth takes DNSSEC signatures of 90 days or less; whoever runs the zone can make them so"
        }
        "x509.expired" => {
            "certify the key again with `kliento member certify`, or the organisation with \
             `kliento organisation certificate`"
        }
        "veraid.key_mismatch" => {
            "this key does not match that certificate; use the one it was made for"
        }
        "veraid.member_has_organisation_key" => "make the member a key with `kliento key generate`",
        "veraid.outside_issuer_period" => {
            "shorten it with --valid-for, or renew the organisation's certificate with \
             `kliento organisation certificate`"
        }
        "dnssec.missing_response" | "veraid.no_record_response" => {
            "is this the chain of that domain? `kliento dnssec inspect` shows what is in it"
        }
        "dnssec.rrsig_not_yet_valid" | "veraid.signature_not_yet_valid" | "x509.not_yet_valid" => {
            "is the clock right? --at verifies at another time"
        }
        "dnssec.no_trust_anchor" | "dnssec.dnskey_not_committed" => {
            "if this domain is signed under a private root, give its keys with --trust-anchors"
        }
        _ => return None,
    })
}

/// An argument as it is shown: a token is as good as a password while it is valid, and what is on stderr is often kept.
pub(crate) struct Abridged<'a>(pub(crate) &'a str);

impl fmt::Display for Abridged<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough to see what it was meant for.
        const SHOWN: usize = 12;
        if !looks_like_a_token(self.0) {
            return formatter.write_str(self.0);
        }
        let start: String = self.0.chars().take(SHOWN).collect();
        let more = if start.len() < self.0.len() {
            "…"
        } else {
            ""
        };
        write!(formatter, "{start}{more}")
    }
}

/// Whether it is an Authorization field, its value or the Base64 in that.
fn looks_like_a_token(argument: &str) -> bool {
    let text = argument.trim_start();
    let text = without_prefix(text, "authorization:").map_or(text, str::trim_start);
    without_prefix(text, "kliento ").is_some() || text.starts_with("MII")
}

/// What follows `prefix`, which is written in any case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
