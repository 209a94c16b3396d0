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
use zeroize::Zeroizing;

use crate::fault::{Abridged, Fault};

/// Larger than any file of ours but a signed document.
const MAX_FILE_OCTETS: u64 = 4 * 1024 * 1024;
/// What a document and the signature around it may have.
const MAX_DOCUMENT_OCTETS: u64 = 1024 * 1024 * 1024;

/// Larger than any key's file, which is held as a whole in memory that is wiped.
const MAX_KEY_OCTETS: usize = 64 * 1024;

/// With all of its padding.
const PADDED: GeneralPurpose = base64_with(DecodePaddingMode::RequireCanonical);
/// With none of it.
const UNPADDED: GeneralPurpose = base64_with(DecodePaddingMode::RequireNone);

const fn base64_with(padding: DecodePaddingMode) -> GeneralPurpose {
    let configuration = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
    GeneralPurpose::new(&alphabet::STANDARD, configuration)
}

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
            Self::File(path) => Abridged(&path.to_string_lossy()).fmt(formatter),
        }
    }
}

impl Source {
    /// Everything in it.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Fault> {
        self.read_at_most(MAX_FILE_OCTETS)?
            .ok_or_else(|| Fault::failure(self.too_large(MAX_FILE_OCTETS)))
    }

    /// Everything in it, for documents of any reasonable size.
    pub(crate) fn read_document(&self) -> Result<Vec<u8>, Fault> {
        self.read_at_most(MAX_DOCUMENT_OCTETS)?
            .ok_or_else(|| Fault::failure(self.too_large(MAX_DOCUMENT_OCTETS)))
    }

    /// Everything in it, where its size is for somebody else to choose: too much of it is a verdict on a bundle or a
    /// chain, and no fault of who reads it.
    pub(crate) fn read_to_judge(&self) -> Result<Vec<u8>, Fault> {
        self.judge_at_most(MAX_FILE_OCTETS)
    }

    /// The same for a bundle with any document in it.
    pub(crate) fn read_document_to_judge(&self) -> Result<Vec<u8>, Fault> {
        self.judge_at_most(MAX_DOCUMENT_OCTETS)
    }

    /// Everything in it, which is wiped from memory when it is dropped.
    pub(crate) fn read_secret(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.read_with(|from, _| read_without_copies(from, MAX_KEY_OCTETS))?
            .ok_or_else(|| {
                let limit = u64::try_from(MAX_KEY_OCTETS).unwrap_or(u64::MAX);
                Fault::failure(self.too_large(limit))
            })
    }

    /// Everything in it, which must be text.
    pub(crate) fn read_text(&self) -> Result<String, Fault> {
        let octets = self.read()?;
        text_of(self, &octets).map(ToOwned::to_owned)
    }

    fn judge_at_most(&self, limit: u64) -> Result<Vec<u8>, Fault> {
        self.read_at_most(limit)?
            .ok_or_else(|| Fault::malformed("input.too_large", self.too_large(limit)))
    }

    /// `None` if there is more than `limit`.
    fn read_at_most(&self, limit: u64) -> Result<Option<Vec<u8>>, Fault> {
        self.read_with(|from, size| {
            if size > limit {
                return Ok(None);
            }
            read_bounded(from, limit)
        })
    }

    /// Hands `read` what there is to read, and the octets that are known to be in it: 0 if that isn't known.
    fn read_with<T>(
        &self,
        read: impl FnOnce(&mut dyn Read, u64) -> io::Result<T>,
    ) -> Result<T, Fault> {
        match self {
            Self::Stdin if STDIN_IS_TAKEN.swap(true, Ordering::Relaxed) => {
                return Err(Fault::failure("stdin can be read only once")
                    .hint("give `-` for one input at most"));
            }
            Self::Stdin => read(&mut io::stdin().lock(), 0),
            Self::File(path) => File::open(path).and_then(|mut file| {
                let metadata = file.metadata()?;
                let size = if metadata.is_file() {
                    metadata.len()
                } else {
                    0
                };
                read(&mut file, size)
            }),
        }
        .map_err(|error| Fault::io("read", self.path(), &error))
    }

    fn too_large(&self, limit: u64) -> String {
        format!("{self} has more than {limit} octets, which is no input of mine")
    }

    fn path(&self) -> &Path {
        match self {
            Self::Stdin => Path::new("stdin"),
            Self::File(path) => path,
        }
    }
}

/// What was read from `source`, which must be text.
pub(crate) fn text_of<'a>(source: &Source, octets: &'a [u8]) -> Result<&'a str, Fault> {
    std::str::from_utf8(octets).map_err(|_| Fault::failure(format!("{source}: this is not text")))
}

/// `None` if there is more than `limit`.
fn read_bounded(from: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut octets = Vec::new();
    let read = from
        .take(limit.saturating_add(1))
        .read_to_end(&mut octets)?;
    Ok((u64::try_from(read).unwrap_or(u64::MAX) <= limit).then_some(octets))
}

/// The same for secrets, into memory that is reserved once: a buffer that grows leaves copies behind. It is also larger
/// than what the standard library buffers of stdin, so that nothing is kept there.
fn read_without_copies(
    from: &mut dyn Read,
    limit: usize,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut octets = Zeroizing::new(vec![0; limit.saturating_add(1)]);
    let mut filled = 0_usize;
    while let Some(rest) = octets.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => {
                octets.truncate(filled);
                return Ok(Some(octets));
            }
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
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
    let engine = if joined.ends_with('=') {
        PADDED
    } else {
        UNPADDED
    };
    engine.decode(joined).map_err(|error| {
        Fault::malformed(
            "input.malformed_base64",
            format!("not a token bundle: expected DER, Base64 or `Kliento …` ({error})"),
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
            "MAMCAQ=",
            "MAMCAQA==",
        ] {
            assert!(bundle_octets(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_no_more_than_it_was_told() {
        assert_eq!(read_bounded(&b"abc"[..], 3).unwrap().unwrap(), b"abc");
        assert_eq!(read_bounded(io::repeat(0), 3).unwrap(), None);
        let read = |from: &mut dyn Read| read_without_copies(from, 3).unwrap();
        assert_eq!(**read(&mut &b"abc"[..]).unwrap(), *b"abc");
        assert!(read(&mut &b"abcd"[..]).is_none());
    }

    /// Gives an octet at a time, and remembers where each time the memory ends that it is given.
    struct Drip(Vec<usize>);

    impl Read for Drip {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.push(into.as_ptr_range().end.addr());
            let octets = usize::from(self.0.len() <= 10_000);
            into[..octets].fill(b'x');
            Ok(octets)
        }
    }

    #[test]
    fn a_secret_is_read_into_memory_that_never_moves() {
        let mut drip = Drip(Vec::new());
        let secret = read_without_copies(&mut drip, MAX_KEY_OCTETS).unwrap();
        assert_eq!(secret.unwrap().len(), 10_000);
        drip.0.dedup();
        assert_eq!(drip.0.len(), 1);
    }
}
