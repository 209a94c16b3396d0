//! `kliento key`: private keys and their public halves.

use clap::{Args, Subcommand};
use kliento::veraid::{KeyAlgorithm, PrivateKey, PublicKey, SigningKey as _};
use serde::Serialize;

use crate::arguments;
use crate::destination::{Content, Destination};
use crate::fault::Fault;
use crate::input::Source;
use crate::inspection::key_id;
use crate::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a private key, as PKCS #8 PEM that only you can read.
    Generate(Generate),
    /// Write the public key of a private key, as SPKI PEM.
    Public(Public),
}

impl Command {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Generate(arguments) => arguments.run(output),
            Self::Public(arguments) => arguments.run(output),
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento key generate --algorithm rsa-2048 --out alice.key.pem
  kliento key generate --algorithm ml-dsa-65 --out alice.key.pem
  kliento key generate --out - | ssh vault 'cat > alice.key.pem'")]
pub(crate) struct Generate {
    /// The kind of key. VeraId takes RSA alone, DomainAuth also the experimental ones, which verifiers must opt into
    /// (--allow-algorithm).
    #[arg(
        long,
        value_name = "ALGORITHM",
        default_value = "rsa-2048",
        value_parser = arguments::key_algorithm_parser()
    )]
    algorithm: KeyAlgorithm,

    /// Where to write it: a file of mode 0600, or - for stdout.
    #[arg(long, value_name = "FILE")]
    out: Destination,

    /// Overwrite a key that is there already.
    #[arg(long)]
    force: bool,
}

/// The document that `--json` prints about a key.
#[derive(Serialize)]
struct KeyDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    algorithm: String,
    #[serde(rename = "keyId")]
    key_id: String,
    #[serde(rename = "publicKey", skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
}

impl KeyDocument {
    fn new(key: &PublicKey) -> Self {
        Self {
            file: None,
            algorithm: key.algorithm().to_string(),
            key_id: key_id(key),
            public_key: None,
        }
    }
}

impl Generate {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        let content = Content::Secret {
            replace: self.force,
        };
        self.out.check(content, output)?;
        let failed = |error| Fault::in_file("the new key", &error);
        let key = PrivateKey::generate(self.algorithm).map_err(failed)?;
        let pem = key.to_pkcs8_pem().map_err(failed)?;
        self.out.write(pem.as_bytes(), content)?;

        let document = KeyDocument {
            file: Some(self.out.to_string()),
            ..KeyDocument::new(key.public_key())
        };
        let text = format!(
            "Wrote {}, a private key ({}). Keep it secret.",
            self.out, document.algorithm
        );
        self.out.report(output, &document, &text)
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  kliento key public --key alice.key.pem --out alice.pub.pem")]
pub(crate) struct Public {
    /// The private key (PKCS #8, PEM or DER).
    #[arg(long, value_name = "FILE")]
    key: Source,

    /// Where to write the public key, instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<Destination>,
}

impl Public {
    fn run(&self, output: &Output) -> Result<(), Fault> {
        if let Some(destination) = &self.out {
            destination.check(Content::PublicText, output)?;
        }
        let key = arguments::private_key(&self.key)?;
        let key = key.public_key();
        let pem = key.to_spki_pem();
        let document = KeyDocument::new(key);
        let Some(destination) = &self.out else {
            let document = KeyDocument {
                public_key: Some(pem.clone()),
                ..document
            };
            return output.product(&document, &pem);
        };
        destination.write(pem.as_bytes(), Content::PublicText)?;
        let text = format!(
            "Wrote {destination}, the public key of {} ({}).",
            self.key, document.algorithm
        );
        let document = KeyDocument {
            file: Some(destination.to_string()),
            ..document
        };
        destination.report(output, &document, &text)
    }
}
