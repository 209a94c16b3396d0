//! `kliento demo --keep`: the demo's world as files, and the commands to go on with.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use kliento::{Token, header};
use zeroize::Zeroizing;

use super::attacks::{OTHER_AUDIENCE, altered, guest};
use super::cast::{AUDIENCE, Cast, DOMAIN, sure};
use super::narrator::{Kept, KeptFile, Narrator};
use crate::destination::{Content, Destination};
use crate::fault::Fault;
use crate::terminal::Printable;

/// The address of the verifier that the configuration describes.
const LISTEN: &str = "127.0.0.1:8080";
/// Names a request as a proxy does, for the verifier to judge.
const FORWARDED: &str = "--header 'X-Forwarded-Method: GET' --header 'X-Forwarded-Proto: https' \
                         --header 'X-Forwarded-Host: api.example.org' --header 'X-Forwarded-Uri: /'";

/// A new or empty directory for the demo's world.
pub(super) struct Directory {
    path: PathBuf,
    /// The path as people and shells read it.
    name: String,
}

struct File {
    name: &'static str,
    description: &'static str,
    content: Content,
    octets: Zeroizing<Vec<u8>>,
}

impl Directory {
    /// Makes the directory, unless it is there and empty.
    pub(super) fn prepare(path: &Path) -> Result<Self, Fault> {
        let name = printable(path)?;
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(Fault::failure(format!(
                        "the directory {} is not empty",
                        path.display()
                    ))
                    .hint("choose a new directory, or an empty one"));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path).map_err(|error| Fault::io("create", path, &error))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(
                    Fault::failure(format!("{} is not a directory", path.display()))
                        .hint("choose a new directory, or an empty one"),
                );
            }
            Err(error) => return Err(Fault::io("read", path, &error)),
        }
        Ok(Self {
            path: path.to_owned(),
            name,
        })
    }

    /// Writes everything, and says how to go on.
    pub(super) fn keep(&self, narrator: &mut Narrator<'_>, cast: &Cast) -> Result<(), Fault> {
        narrator.step("The same world in files, to go on with")?;
        let mut files = Vec::new();
        for file in files_of(cast)? {
            Destination::File(self.path.join(file.name)).write(&file.octets, file.content)?;
            files.push(KeptFile {
                name: file.name,
                description: file.description,
            });
        }
        narrator.keep(Kept {
            directory: self.name.clone(),
            // Certificates hold as long as the signatures of the zones, or longer.
            valid_until: cast.prove_record()?.until.to_string(),
            tokens_valid_until: cast.hour()?.end().to_string(),
            files,
        })?;
        for command in self.commands() {
            narrator.command(&command)?;
        }
        Ok(())
    }

    fn commands(&self) -> [String; 6] {
        let file = |name: &str| self.argument(name);
        let trust = format!("--trust-anchors {}", file("anchors"));
        [
            format!(
                "kliento token verify {trust} --audience {AUDIENCE} {}",
                file("good.token")
            ),
            format!("kliento token inspect {}", file("good.token")),
            format!(
                "kliento token issue {trust} --audience {AUDIENCE} --claim role=guest \
                 --member-id-bundle {} --key {} --out {}",
                file("alice.member-id"),
                file("alice.key.pem"),
                file("new.token")
            ),
            format!(
                "kliento dnssec verify {trust} --name _veraid.{DOMAIN} --type TXT --chain {}",
                file("example.com.chain")
            ),
            format!("kliento serve --config {}", file("kliento.toml")),
            format!(
                "(printf 'Authorization: '; cat {}) | curl --include --header @- {FORWARDED} \
                 http://{LISTEN}/auth/caddy",
                file("good.token")
            ),
        ]
    }

    /// A file's path as a word of a shell's command line.
    fn argument(&self, name: &str) -> String {
        let directory = self.name.trim_end_matches('/');
        // No option, whatever the directory is called.
        let start = if directory.starts_with('-') { "./" } else { "" };
        let path = format!("{start}{directory}/{name}");
        let is_plain = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '-' | '_')
        };
        if path.chars().all(is_plain) {
            path
        } else {
            format!("'{}'", path.replace('\'', r#"'"'"'"#))
        }
    }
}

/// The path as text. The commands name it, so it must be possible to read and paste it.
fn printable(path: &Path) -> Result<String, Fault> {
    path.to_str()
        .filter(|name| Printable(name).to_string() == *name)
        .map(ToOwned::to_owned)
        .ok_or_else(|| {
            Fault::failure(format!(
                "the name {} cannot be shown in a command",
                path.display()
            ))
            .hint("choose a directory whose name has printable characters alone")
        })
}

/// For nobody else to look into.
fn create(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn files_of(cast: &Cast) -> Result<[File; 11], Fault> {
    let secret = Content::Secret { replace: false };
    let (text, binary) = (Content::PublicText, Content::PublicBinary);
    let file = |name, description, content, octets| File {
        name,
        description,
        content,
        octets: Zeroizing::new(octets),
    };
    let token = |name, description, bundle: &[u8]| {
        let value = header::encode(bundle).into_bytes();
        file(name, description, Content::BearerText, value)
    };
    let guest = guest(cast);
    let elsewhere = Token::new(sure(OTHER_AUDIENCE.parse())?);
    let good = cast.issue_as_alice_for(&guest, cast.hour()?)?;
    let tampered = altered(good.clone())?;
    Ok([
        file(
            "anchors",
            "the root's key, which verifiers trust",
            text,
            cast.world.anchors().into_bytes(),
        ),
        file(
            "example.com.chain",
            "the DNSSEC chain of the organisation's record",
            binary,
            cast.chain.clone(),
        ),
        file(
            "org.key.pem",
            "the organisation's private key",
            secret,
            sure(cast.organisation_key.to_pkcs8_pem())?
                .as_bytes()
                .to_vec(),
        ),
        file(
            "org.pem",
            "its certificate",
            text,
            cast.organisation_certificate.to_pem().into_bytes(),
        ),
        file(
            "alice.key.pem",
            "Alice's private key",
            secret,
            sure(cast.alice_key.to_pkcs8_pem())?.as_bytes().to_vec(),
        ),
        file(
            "alice.member-id",
            "her member id bundle, to issue tokens with",
            binary,
            cast.member_id_bundle.to_der()?,
        ),
        token(
            "good.token",
            "a token of hers, as the value of Authorization",
            &good,
        ),
        token(
            "other-audience.token",
            "the same for another server: audience_mismatch",
            &cast.issue_as_alice_for(&elsewhere, cast.hour()?)?,
        ),
        token(
            "expired.token",
            "one that has expired: signature_expired",
            &cast.issue_as_alice_too_early(&guest)?,
        ),
        token(
            "tampered.token",
            "one with an altered claim: digest_mismatch",
            &tampered,
        ),
        file(
            "kliento.toml",
            "a configuration of kliento serve",
            text,
            configuration().into_bytes(),
        ),
    ])
}

fn configuration() -> String {
    format!(
        r#"# Written by `kliento demo --keep`, for trying `kliento serve` only: the root that it trusts is the demo's.
# `kliento serve --sample` shows every key that there is.

listen = "{LISTEN}"
audience = "{AUDIENCE}"
trust-anchors = "anchors"

# Every member of the organisation may pass, whatever the request.
[[rules]]
organisations = ["{DOMAIN}"]
"#
    )
}
