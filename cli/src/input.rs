//! What comes in: files or stdin, bounded, and told apart by content where there are several forms.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use kliento::header;

use crate::fault::Fault;

/// Larger than any file of ours but a signed document.
const MAX_FILE_OCTETS: u64 = 4 * 1024 * 1024;
/// What a document and the signature around it may have.
const MAX_DOCUMENT_OCTETS: u64 = 1024 * 1024 * 1024;

/// With all padding or none of it, as in a header.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

static STDIN_IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Where material is read from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// `-`.
    Stdin,
    /// A path.
    File(PathBuf),
}

impl TryFrom<OsString> for Source {
    type Error = &'static str;

    fn try_from(argument: OsString) -> Result<Self, Self::Error> {
        match argument.to_str() {
            Some("") => Err("give a file, or - for stdin"),
            Some("-") => Ok(Self::Stdin),
            _ => Ok(Self::File(argument.into())),
        }
    }
}

/// File names need not be UTF-8.
impl ValueParserFactory for Source {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new().try_map(Self::try_from).into()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => formatter.write_str("stdin"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

impl Source {
    /// Everything in it.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Fault> {
        self.read_at_most(MAX_FILE_OCTETS)
    }

    /// Everything in it, for documents of any reasonable size.
    pub(crate) fn read_document(&self) -> Result<Vec<u8>, Fault> {
        self.read_at_most(MAX_DOCUMENT_OCTETS)
    }

    /// Everything in it, which must be text.
    pub(crate) fn read_text(&self) -> Result<String, Fault> {
        String::from_utf8(self.read()?)
            .map_err(|_| Fault::failure(format!("{self}: this is not text")))
    }

    fn read_at_most(&self, limit: u64) -> Result<Vec<u8>, Fault> {
        let failed = |error| Fault::io("read", self.path(), &error);
        let octets = match self {
            Self::Stdin if STDIN_IS_TAKEN.swap(true, Ordering::Relaxed) => {
                return Err(Fault::failure("stdin can be read only once")
                    .hint("give `-` for one input at most"));
            }
            Self::Stdin => read_bounded(io::stdin().lock(), limit),
            Self::File(path) => File::open(path).and_then(|file| read_bounded(file, limit)),
        }
        .map_err(failed)?;
        octets.ok_or_else(|| {
            Fault::failure(format!(
                "{self} has more than {limit} octets, which is no input of mine"
            ))
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Stdin => Path::new("stdin"),
            Self::File(path) => path,
        }
    }
}

/// `None` if there is more than `limit`.
fn read_bounded(from: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut octets = Vec::new();
    let read = from
        .take(limit.saturating_add(1))
        .read_to_end(&mut octets)?;
    Ok((u64::try_from(read).unwrap_or(u64::MAX) <= limit).then_some(octets))
}

/// The DER octets of a bundle that is given as DER, as Base64 text or as an `Authorization` value.
///
/// DER of ours starts with the octet 0x30. As text that is `0`, with which neither of the others starts: the Base64 of
/// a SEQUENCE starts with `M`.
pub(crate) fn bundle_octets(input: Vec<u8>) -> Result<Vec<u8>, Fault> {
    const SEQUENCE: u8 = 0x30;
    if input.is_empty() {
        return Err(Fault::malformed("input.empty", "there is nothing in it"));
    }
    if input.first() == Some(&SEQUENCE) {
        return Ok(input);
    }
    let Some(text) = as_text(&input) else {
        // Neither: whatever reads DER will say what it misses.
        return Ok(input);
    };
    let is_header = text
        .get(..header::SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(header::SCHEME));
    if is_header {
        return Ok(header::decode(text)?);
    }
    decode_base64(text)
}

/// Printable ASCII without the white space around it.
fn as_text(input: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(input).ok()?;
    let printable = |octet: u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    text.bytes().all(printable).then(|| text.trim_ascii())
}

/// Base64 text, in lines or in one.
fn decode_base64(text: &str) -> Result<Vec<u8>, Fault> {
    let joined: String = text.split_ascii_whitespace().collect();
    BASE64.decode(joined).map_err(|error| {
        Fault::malformed(
            "input.malformed_base64",
            format!("this is neither DER nor an Authorization value nor Base64: {error}"),
        )
        .hint("a bundle is read as DER, as Base64, or as an Authorization value (Kliento MII…)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_forms_of_a_bundle_apart_by_content() {
        let der = b"\x30\x03\x02\x01\x00".to_vec();
        for form in [
            &der[..],
            b"MAMCAQA=",
            b"MAMCAQA",
            b"MAMC\r\nAQA=\n",
            b"Kliento MAMCAQA=",
            b"kliento  MAMCAQA\n",
        ] {
            assert_eq!(bundle_octets(form.to_vec()).unwrap(), der, "{form:?}");
        }
    }

    #[test]
    fn hands_on_what_is_neither_text_nor_der() {
        assert_eq!(bundle_octets(vec![0x31, 0x00]).unwrap(), [0x31, 0x00]);
    }

    #[test]
    fn refuses_text_that_is_no_bundle() {
        for text in [
            "",
            "hello, world",
            "Kliento",
            "Kliento !",
            "MAMCAQB=",
            "MAMC-QA=",
        ] {
            assert!(bundle_octets(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_no_more_than_it_was_told() {
        assert_eq!(read_bounded(&b"abc"[..], 3).unwrap().unwrap(), b"abc");
        assert_eq!(read_bounded(io::repeat(0), 3).unwrap(), None);
    }
}
