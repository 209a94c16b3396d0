//! Arguments that several commands share, and what they load.

mod anchors;
mod issuer;
mod making;
mod material;
mod policy;
mod resolvers;
mod signer;
mod times;

use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use dnssec::{Name, NameError};
use kliento::veraid::{self, ServiceOid};

pub(crate) use self::anchors::{AnchorArguments, read_trust_anchors};
pub(crate) use self::issuer::{Authority, IssuerArguments};
pub(crate) use self::making::{Lifetime, MakingArguments, StartArguments, warn_of_an_early_end};
pub(crate) use self::material::{either_key, private_key, public_key};
pub(crate) use self::policy::{
    AlgorithmArguments, Allowed, PolicyArguments, allowing, dialect_parser, dialect_value,
    key_algorithm_parser,
};
pub(crate) use self::resolvers::{ResolverArguments, certificates};
pub(crate) use self::signer::{LoadedSigner, SignerArguments, explain_to_member, member};
pub(crate) use self::times::{MomentArguments, PeriodArguments, now};

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

/// A VeraId service: `kliento`, or an OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service(pub(crate) ServiceOid);

impl FromStr for Service {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("kliento") {
            return Ok(Self(kliento::SERVICE));
        }
        text.parse()
            .map(Self)
            .map_err(|_| "write `kliento` or an OID such as 1.3.6.1.4.1.58708.1.1")
    }
}

/// A service's name for people.
pub(crate) fn service_name(service: ServiceOid) -> String {
    if service == kliento::SERVICE {
        return format!("{service} (Kliento)");
    }
    if service == veraid::TEST_SERVICE {
        return format!("{service} (test service)");
    }
    service.to_string()
}
