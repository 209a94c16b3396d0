//! Input: files or stdin, bounded, and told apart by content where there are several forms.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};
use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use kliento::header;
use zeroize::Zeroizing;

use crate::fault::{Abridged, Fault};

/// Larger than any file that is read here but a signed document.
const MAX_FILE_OCTETS: u64 = 4 * 1024 * 1024;
/// The most octets of a document with the signature around it.
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

/// A source of material: a file or stdin.
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
        text_of(self, &octets).map(|text| text.to_owned())
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
                    .hint("give `-` for at most one input"));
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
        format!("{self} has more than {limit} bytes, the limit for this kind of input")
    }

    fn path(&self) -> &Path {
        match self {
            Self::Stdin => Path::new("stdin"),
            Self::File(path) => path,
        }
    }
}

/// Text that was read: as it was, or decoded from UTF-16 into memory that is wiped, since it may be a key.
pub(crate) enum Text<'a> {
    Utf8(&'a str),
    Decoded(Zeroizing<String>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Utf8(text) => text,
            Self::Decoded(text) => text,
        }
    }
}

impl<'a> Text<'a> {
    /// Reads UTF-8, with a byte order mark or without, and UTF-16 with one: PowerShell's `>` and Windows' editors write
    /// any of these. `None` if it is none.
    fn decode(octets: &'a [u8]) -> Option<Self> {
        const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
        const LITTLE_ENDIAN_MARK: &[u8] = b"\xff\xfe";
        const BIG_ENDIAN_MARK: &[u8] = b"\xfe\xff";
        if let Some(units) = octets.strip_prefix(LITTLE_ENDIAN_MARK) {
            return decode_utf_16(units, u16::from_le_bytes).map(Self::Decoded);
        }
        if let Some(units) = octets.strip_prefix(BIG_ENDIAN_MARK) {
            return decode_utf_16(units, u16::from_be_bytes).map(Self::Decoded);
        }
        let octets = octets.strip_prefix(UTF_8_MARK).unwrap_or(octets);
        std::str::from_utf8(octets).ok().map(Self::Utf8)
    }
}

fn decode_utf_16(octets: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<Zeroizing<String>> {
    /// A unit is at most so many octets in UTF-8.
    const OCTETS_OF_A_UNIT: usize = 3;
    let (units, []) = octets.as_chunks::<2>() else {
        return None;
    };
    // Reserved as a whole: a string that grows leaves copies of a key behind.
    let capacity = units.len().saturating_mul(OCTETS_OF_A_UNIT);
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    for character in char::decode_utf16(units.iter().copied().map(unit)) {
        text.push(character.ok()?);
    }
    Some(text)
}

/// Decodes what was read from `source`, which must be text.
pub(crate) fn text_of<'a>(source: &Source, octets: &'a [u8]) -> Result<Text<'a>, Fault> {
    Text::decode(octets).ok_or_else(|| {
        Fault::failure(format!("{source}: not a text file"))
            .hint("text must be UTF-8, or UTF-16 with a byte order mark")
    })
}

/// A key or a certificate, in one of the two forms that such files have.
pub(crate) enum Encoded<'a> {
    Der(&'a [u8]),
    Pem(Text<'a>),
}

impl<'a> Encoded<'a> {
    /// Tells the form by the first octet: a PEM file may begin with remarks (RFC 7468 §2), but with none of ours, and
    /// the tag of a SEQUENCE is the digit `0` as text.
    pub(crate) fn of(octets: &'a [u8]) -> Self {
        const PEM: &[u8] = b"-----BEGIN ";
        let is_pem = || octets.windows(PEM.len()).any(|part| part == PEM);
        match Text::decode(octets) {
            Some(text) if octets.first() != Some(&SEQUENCE) || is_pem() => Self::Pem(text),
            _ => Self::Der(octets),
        }
    }
}

/// The tag that all DER read here starts with.
const SEQUENCE: u8 = 0x30;

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

/// The DER octets of a bundle that is given as DER, as Base64 text, as an `Authorization` value or as the whole field.
///
/// All DER read here starts with the octet 0x30. As text that is `0`, with which none of the others starts: the Base64 of
/// a SEQUENCE starts with `M`.
pub(crate) fn bundle_octets(input: Vec<u8>) -> Result<Vec<u8>, Fault> {
    if input.first() == Some(&SEQUENCE) {
        return Ok(input);
    }
    let text = match Text::decode(&input) {
        Some(text) if is_printable(&text) => text,
        // What PowerShell 5 makes of binary output.
        Some(Text::Decoded(_)) => {
            return Err(Fault::malformed(
                "input.malformed_base64",
                "not a token bundle: UTF-16 text that is neither Base64 nor `Kliento …`",
            )
            .hint("PowerShell's > corrupts binary output: use --out FILE, or write text with --format header"));
        }
        // Neither: whatever reads DER will say what it misses.
        _ => return Ok(input),
    };
    let text = field_value(text.trim_ascii());
    if text.is_empty() {
        return Err(Fault::malformed("input.empty", "it is empty"));
    }
    let is_header = text
        .get(..header::SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(header::SCHEME));
    if is_header {
        return Ok(header::decode(text)?);
    }
    decode_base64(text)
}

/// Returns true for visible ASCII and white space.
fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace())
}

/// The value of an `Authorization` field that is given with its name, as curl's `--header` takes it (RFC 9112 §5).
fn field_value(text: &str) -> &str {
    const NAME: &str = "Authorization:";
    match text.split_at_checked(NAME.len()) {
        Some((name, value)) if name.eq_ignore_ascii_case(NAME) => value.trim_ascii_start(),
        _ => text,
    }
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
        let problem = match error {
            DecodeError::InvalidByte(_, b'=') | DecodeError::InvalidPadding => {
                "the Base64 has wrong padding".to_owned()
            }
            DecodeError::InvalidByte(_, octet) => {
                format!("{:?} is not a Base64 character", char::from(octet))
            }
            DecodeError::InvalidLength(_) => "the Base64 is truncated".to_owned(),
            DecodeError::InvalidLastSymbol { .. } => {
                "the Base64 is truncated, or its last character is wrong".to_owned()
            }
        };
        Fault::malformed(
            "input.malformed_base64",
            format!("not a token bundle: expected DER, Base64 or `Kliento …` ({problem})"),
        )
        .hint("give the file that `kliento token issue` wrote, or the complete value of an Authorization field")
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
            b"Authorization: Kliento MAMCAQA=\r\n",
            b"authorization:kliento MAMCAQA",
            b"\xef\xbb\xbfMAMCAQA=\r\n",
            b"\xef\xbb\xbfAuthorization: Kliento MAMCAQA=",
            b"\xff\xfeM\0A\0M\0C\0A\0Q\0A\0=\0\r\0\n\0",
            b"\xfe\xff\0M\0A\0M\0C\0A\0Q\0A",
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
            "Authorization:",
            "Authorization: Bearer MAMCAQA=",
            "Proxy-Authorization: Kliento MAMCAQA=",
            "\u{feff}",
        ] {
            assert!(bundle_octets(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn says_which_character_is_out_of_place() {
        let said = |input: &[u8]| {
            bundle_octets(input.to_vec())
                .unwrap_err()
                .message()
                .to_owned()
        };
        for (input, problem) in [
            (&b"MAMC:QA="[..], "':' is not a Base64 character"),
            (b"MAMCAQ-A", "'-' is not a Base64 character"),
            (b"MAMCAQB=", "its last character is wrong"),
            (b"MAMCAQAAA", "truncated"),
            (b"MAMCAQA==", "wrong padding"),
            // The start of a bundle in DER, as PowerShell 5 writes it.
            (b"\xff\xfe0\0\x02%\xab\0", "UTF-16 text"),
        ] {
            let said = said(input);
            assert!(said.contains(problem), "{said}");
        }
    }

    #[test]
    fn reads_text_in_any_encoding_that_is_named_in_the_file() {
        let read = |octets: &[u8]| Text::decode(octets).map(|text| text.to_string());
        for octets in [
            &b"a\xc3\xa9\xf0\x9f\xa6\x80"[..],
            b"\xef\xbb\xbfa\xc3\xa9\xf0\x9f\xa6\x80",
            b"\xff\xfea\0\xe9\0\x3e\xd8\x80\xdd",
            b"\xfe\xff\0a\0\xe9\xd8\x3e\xdd\x80",
        ] {
            assert_eq!(read(octets).as_deref(), Some("aé🦀"), "{octets:?}");
        }
        // Half a unit, half a surrogate pair, and neither encoding.
        for octets in [&b"\xff\xfea"[..], b"\xff\xfe\x3e\xd8", b"\xe9", b"\xff"] {
            assert_eq!(read(octets), None, "{octets:?}");
        }
    }

    #[test]
    fn text_is_decoded_into_memory_that_never_moves() {
        let octets: Vec<u8> = "\u{feff}語"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let Some(Text::Decoded(text)) = Text::decode(&octets) else {
            panic!("not decoded");
        };
        assert_eq!((&**text, text.capacity()), ("語", 3));
    }

    #[test]
    fn tells_der_from_pem() {
        let is_der = |octets: &[u8]| matches!(Encoded::of(octets), Encoded::Der(_));
        assert!(is_der(b"\x30\x03\x02\x01\x00") && is_der(b"\x30\x82\xff\xff"));
        assert!(!is_der(b"-----BEGIN X-----") && !is_der(b"0 remarks\n-----BEGIN X-----"));
        assert!(!is_der(b"\xef\xbb\xbf-----BEGIN X-----") && !is_der(b"hello"));
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
