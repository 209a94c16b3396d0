//! The path of a request, as rules compare it.
//!
//! A rule is only as good as its reading of a path is the backend's. So a path is taken apart here as every server
//! would take it apart, and refused where servers are known to disagree: a proxy that merges slashes, a framework that
//! resolves dots after decoding, a file system that drops a trailing dot. Nothing is repaired, since the backend is sent
//! the path as the client wrote it.
//!
//! # Readings
//!
//! Some spellings have two readings that are both in use. A server may
//!
//! - have no regard to case, in any language (Express, ASP.NET, file systems; Turkish `İ` and `ı` are `i`),
//! - take compatible characters for one another (Unicode NFKC: fullwidth letters, ideographic full stops), and leave out
//!   those that nobody sees,
//! - drop what follows a semicolon (path parameters, RFC 3986 §3.3; Java's servlets), or a colon (NTFS streams),
//! - end the path at an encoded question mark or number sign, since it decodes before it looks for the query,
//! - drop dots and blanks at the end of a segment (Windows),
//! - know a file by its 8.3 name (`ADMINI~1`).
//!
//! A rule's path is therefore asked two questions: does it cover a path in [every reading](Certainty::InEveryReading), and
//! does it in [some reading](Certainty::InSomeReading)? The first rule that covers the request in some reading must be the
//! first that covers it in every reading; otherwise the request is refused. That is sound for each reading by itself: no
//! rule above covers the request under it, since it would in some reading, and this rule does. It is also sound for
//! readings that combine the above in any way, for what counts as a reading here are all combinations.
//!
//! "In every reading" means letter by letter. That is enough, since a rule's path ends in none of the things that a reading
//! drops, and whatever a rule's path does spell out (`/v1/documents%3Acommit`) is taken at its word.

use std::borrow::Cow;
use std::fmt;
use std::str::{self, FromStr};

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest path that is read, in octets as the client wrote it.
const MAX_OCTETS: usize = 8 * 1_024;
/// The most segments.
const MAX_SEGMENTS: usize = 256;
/// The most octets of characters beyond ASCII, once decoded and in their compatible forms: one of them has eighteen.
const MAX_BEYOND_ASCII: usize = 1_024;

/// The path of a request's target (RFC 9112 §3.2.1), once it is sure that it has no empty segments and no dot segments in
/// any reading.
///
/// It borrows from the target unless something had to be decoded, and takes a small multiple of the target's octets
/// otherwise. Nothing may keep it while a token waits to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath<'a> {
    /// Decoded, without the slash in front. An encoded slash is refused, so the slashes are those between segments. An
    /// empty segment at the end stands for a slash there.
    exact: Cow<'a, str>,
    /// The same, [folded](fold), unless it stays as it is.
    folded: Option<String>,
}

/// Servers read this path in several ways, or it is none. The text goes on after "the path".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmbiguousPath(&'static str);

impl fmt::Display for AmbiguousPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the path {}", self.0)
    }
}

impl<'a> RequestPath<'a> {
    /// Reads a request target in origin form. Its query counts for nothing.
    pub(crate) fn parse(target: &'a [u8]) -> Result<Self, AmbiguousPath> {
        let path = bounded_path(target)?;
        let Some((b'/', relative)) = path.split_first() else {
            return Err(AmbiguousPath("does not start with a slash"));
        };
        check_octets(relative)?;
        let exact = decode(relative)?;
        if exact.contains('\\') {
            return Err(ENCODED_SLASH);
        }
        // What is not decoded has neither.
        if let Cow::Owned(decoded) = &exact {
            check_alphabet(decoded)?;
            if decoded.contains(char::is_control) {
                return Err(AmbiguousPath("has an encoded control character"));
            }
            check_encoding(decoded)?;
        }
        check_segments(&exact)?;
        let folded = fold(&exact)?;
        if let Some(folded) = &folded {
            check_encoding(folded)?;
            check_segments(folded)?;
        }
        Ok(Self { exact, folded })
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn decoded(&self) -> &str {
        &self.exact
    }

    fn folded(&self) -> &str {
        self.folded.as_deref().unwrap_or(&self.exact)
    }
}

const ENCODED_SLASH: AmbiguousPath = AmbiguousPath("has a backslash, or an encoded slash");
const BROKEN_ENCODING: AmbiguousPath = AmbiguousPath("has an invalid percent-encoding");
const EMPTY_SEGMENT: AmbiguousPath = AmbiguousPath("has an empty segment");

/// The path of a target, unless it is so long that reading it would be work. Looks at no more octets than a path may have.
fn bounded_path(target: &[u8]) -> Result<&[u8], AmbiguousPath> {
    let start = target.get(..=MAX_OCTETS).unwrap_or(target);
    let path = start.split(|&octet| octet == b'?').next();
    let path = path.unwrap_or_default();
    if path.len() > MAX_OCTETS {
        return Err(AmbiguousPath("is longer than 8,192 bytes"));
    }
    // Nothing stands before the first slash.
    let segments = path.split(|&octet| octet == b'/').skip(1);
    if segments.count() > MAX_SEGMENTS {
        return Err(AmbiguousPath("has more than 256 segments"));
    }
    Ok(path)
}

/// Refuses what has no place in a request line (RFC 9112 §3.2), and fragments, which honest clients never send.
fn check_octets(path: &[u8]) -> Result<(), AmbiguousPath> {
    for octet in path {
        match octet {
            b'#' => return Err(AmbiguousPath("has a fragment")),
            0x21..=0x7e => {}
            _ => return Err(AmbiguousPath("has a character that must be encoded")),
        }
    }
    Ok(())
}

/// Percent-decoding (RFC 3986 §2.1). Overlong forms of characters are no UTF-8, so they do not get through.
fn decode(path: &[u8]) -> Result<Cow<'_, str>, AmbiguousPath> {
    let no_utf8 = AmbiguousPath("does not decode to UTF-8");
    if !path.contains(&b'%') {
        return str::from_utf8(path).map(Cow::Borrowed).map_err(|_| no_utf8);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let (digits, after) = after.split_at_checked(2).ok_or(BROKEN_ENCODING)?;
        let octet = octet_of(digits).ok_or(BROKEN_ENCODING)?;
        if octet == b'/' {
            return Err(ENCODED_SLASH);
        }
        decoded.push(octet);
        rest = after;
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| no_utf8)
}

/// The octet that two hexadecimal digits stand for. Signs and white space are no digits.
fn octet_of(digits: &[u8]) -> Option<u8> {
    let mut octet = 0_u8;
    for &digit in digits {
        let value = char::from(digit).to_digit(16)?;
        octet = octet
            .checked_mul(16)?
            .checked_add(u8::try_from(value).ok()?)?;
    }
    Some(octet)
}

fn has_percent_encoding(text: &str) -> bool {
    let mut after_percent_signs = text.as_bytes().split(|&octet| octet == b'%').skip(1);
    after_percent_signs.any(|rest| rest.get(..2).and_then(octet_of).is_some())
}

/// Refuses a path that takes long to fold.
fn check_alphabet(path: &str) -> Result<(), AmbiguousPath> {
    let beyond_ascii = path.bytes().filter(|octet| !octet.is_ascii());
    if beyond_ascii.count() > MAX_BEYOND_ASCII {
        return Err(AmbiguousPath(
            "has more than 1,024 bytes of characters beyond ASCII",
        ));
    }
    Ok(())
}

/// Refuses a decoded path that can be decoded once more.
fn check_encoding(path: &str) -> Result<(), AmbiguousPath> {
    if has_percent_encoding(path) {
        return Err(AmbiguousPath("is encoded twice"));
    }
    Ok(())
}

/// Refuses a decoded path that some server would go on to resolve.
fn check_segments(path: &str) -> Result<(), AmbiguousPath> {
    if path.is_empty() {
        return Ok(());
    }
    // A slash at the end is one, and not an empty segment.
    let segments = path.strip_suffix('/').unwrap_or(path);
    segments.split('/').try_for_each(check_segment)
}

/// Refuses segments that come to nothing, or to another directory.
fn check_segment(segment: &str) -> Result<(), AmbiguousPath> {
    let end = segment.bytes().map(char::from).position(is_end_of_name);
    let end = end.unwrap_or(segment.len());
    let (name, rest) = segment.split_at_checked(end).unwrap_or((segment, ""));
    match name {
        // The path may end there, as one with a slash at its end.
        "" if rest.starts_with(['?', '#']) => Ok(()),
        "" => Err(EMPTY_SEGMENT),
        "." | ".." => Err(AmbiguousPath("has a dot segment")),
        _ if name.chars().all(is_filler) => Err(AmbiguousPath(
            "has a segment that consists of dots and blanks alone",
        )),
        _ => Ok(()),
    }
}

/// The characters at which some server ends a segment's name: path parameters, NTFS streams, a query, a fragment.
fn is_end_of_name(character: char) -> bool {
    matches!(character, ';' | ':' | '?' | '#')
}

/// The characters that Windows drops at the end of a name.
fn is_filler(character: char) -> bool {
    character == '.' || character.is_whitespace()
}

const COMPATIBLE: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// A path in the one form of all those that some server takes for the same: without regard to case, to compatible
/// characters (NFKC) and to those that nobody sees. `None` if it stays as it is, as most paths do.
///
/// Works character by character but for combining marks, none of which goes with a slash, so that the folded form of a
/// prefix is a prefix of the folded form.
fn fold(path: &str) -> Result<Option<String>, AmbiguousPath> {
    if path.is_ascii() {
        let has_capitals = path.bytes().any(|octet| octet.is_ascii_uppercase());
        return Ok(has_capitals.then(|| path.to_ascii_lowercase()));
    }
    let seen = path.chars().filter(|&character| !is_unseen(character));
    let seen: String = seen.map(look_alike).collect();
    let compatible = COMPATIBLE.normalize(&seen);
    check_alphabet(&compatible)?;
    // Some letters have two of the other case, and `ẞ` has `ß` for its small form, whose capital is `SS`.
    let caseless = compatible.to_lowercase().to_uppercase().to_lowercase();
    let caseless = caseless.chars().filter_map(|character| match character {
        // The end of a word makes no difference here.
        'ς' => Some('σ'),
        // The dot of `İ`: Turkish servers make an `i` without it.
        '\u{307}' => None,
        other => Some(look_alike(other)),
    });
    let caseless: String = caseless.collect();
    Ok(Some(match COMPATIBLE.normalize(&caseless) {
        Cow::Borrowed(_) => caseless,
        Cow::Owned(normal) => normal,
    }))
}

/// The ASCII character that a server may make of one for which NFKC has another: full stops, as in domain names (UTS 46
/// §2.3), and slashes, as Windows does ("best fit"). A backslash is a slash there, too.
fn look_alike(character: char) -> char {
    match character {
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => '.',
        '\\' | '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{ff0f}' | '\u{ff3c}' => '/',
        other => other,
    }
}

/// The characters that are dropped before names are compared, as Apple's HFS+ does: those that Unicode has as default
/// ignorable (Core Specification §5.21).
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// In which of the [readings](self) of a path, or of a method, something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Whatever the backend makes of it.
    InEveryReading,
    /// Some backend could read it so.
    InSomeReading,
}

/// A path and all below it, segment by segment: `/admin/` covers `/admin` and `/admin/users`, not `/administrator`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathPrefix {
    /// Decoded, without slashes at either end.
    exact: String,
    folded: String,
}

impl PathPrefix {
    pub(crate) fn covers(&self, path: &RequestPath<'_>, certainty: Certainty) -> bool {
        match certainty {
            Certainty::InEveryReading => is_below(&path.exact, &self.exact),
            Certainty::InSomeReading => {
                let mut segments = path.folded().split('/');
                self.segments().all(|expected| {
                    let segment = segments.next();
                    segment.is_some_and(|segment| may_be_read_as(segment, expected))
                })
            }
        }
    }

    /// The folded segments: none for the root.
    fn segments(&self) -> impl Iterator<Item = &str> {
        let segments = self.folded.split('/');
        segments.filter(|segment| !segment.is_empty())
    }

    /// Tells whether whatever `other` covers is covered.
    pub(crate) fn covers_all_of(&self, other: &Self) -> bool {
        is_below(&other.exact, &self.exact)
    }
}

/// Tells whether the segments of `path` start with those of `prefix`.
fn is_below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    prefix.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Tells whether some server takes a segment of a path for that of a rule, both folded.
fn may_be_read_as(segment: &str, expected: &str) -> bool {
    let rest = segment.strip_prefix(expected);
    rest.is_some_and(may_be_dropped) || may_be_short_for(segment, expected)
}

/// Tells whether some server drops this from the end of a segment.
fn may_be_dropped(rest: &str) -> bool {
    let rest = rest.trim_start_matches(is_filler);
    rest.is_empty() || rest.starts_with(is_end_of_name)
}

/// Characters of an 8.3 name before its dot, and after it.
const SHORT_BASE: usize = 8;
const SHORT_EXTENSION: usize = 3;

/// Tells whether a segment could be the 8.3 name of a longer one (FAT and NTFS; MS-FSCC §2.1.5.2.1): its first letters,
/// a tilde and a number. After a few of the same letters Windows puts two letters and a hash there, so it is the first
/// two that must agree, or could: a character that short names can't have becomes an underscore or is left out.
fn may_be_short_for(segment: &str, expected: &str) -> bool {
    let (base, rest) = split_at_most(segment, SHORT_BASE);
    let Some((letters, number)) = base.rsplit_once('~') else {
        return false;
    };
    let kept = expected.chars().filter(|&character| !is_filler(character));
    let agree = |(short, long): (char, char)| short == long || short == '_' || !long.is_ascii();
    let is_short = !letters.is_empty()
        && !number.is_empty()
        && number.bytes().all(|octet| octet.is_ascii_digit())
        && letters.chars().take(2).zip(kept).all(agree);
    let extension = rest.strip_prefix('.').unwrap_or_default();
    let (_, after_extension) = split_at_most(extension, SHORT_EXTENSION);
    is_short && (may_be_dropped(rest) || may_be_dropped(after_extension) && !extension.is_empty())
}

/// Splits a name behind its first characters, at most so many, that are neither dots and blanks nor the end of the name.
fn split_at_most(name: &str, most: usize) -> (&str, &str) {
    let end = name
        .char_indices()
        .enumerate()
        .find(|&(count, (_, character))| {
            count == most || is_filler(character) || is_end_of_name(character)
        });
    let end = end.map_or(name.len(), |(_, (index, _))| index);
    name.split_at_checked(end).unwrap_or((name, ""))
}

/// Characters of shell patterns, of regular expressions, of the templates of routers, and between the items of lists. A
/// path takes them literally, so that a rule with one of them would cover nothing that its author meant, and the requests
/// would fall to a looser rule.
const PATTERN_CHARACTERS: [char; 16] = [
    '*', '?', '{', '}', '[', ']', '(', ')', '<', '>', '|', '^', '$', '+', ':', ',',
];

/// The same that can stand right behind a whole name, as in `/admin*` and `/admin(/.*)?`.
const AFTER_NAMES: [char; 8] = ['*', '?', '(', ')', '|', '$', '+', ','];

/// Says what to write in place of a path that looks like a pattern.
fn check_no_pattern(text: &str) -> Result<(), String> {
    let Some(odd) = text.find(PATTERN_CHARACTERS) else {
        return Ok(());
    };
    let Some(character) = text.get(odd..).and_then(|rest| rest.chars().next()) else {
        return Ok(());
    };
    if text.contains("://") {
        return Err(format!(
            "{text:?} is a URL: write only its path here, and its host in the key host"
        ));
    }
    let why = match character {
        '?' => "and rules know neither queries nor patterns",
        _ => "which a path takes literally",
    };
    let instead = literal_part(text);
    // All of them are ASCII.
    let encoded = u32::from(character);
    Err(format!(
        "{text:?} contains a {character}, {why}: write {instead:?}, which covers that path and everything below it, or \
         write %{encoded:02X} for a literal {character}"
    ))
}

/// The path, with a slash at its end, up to the first segment that has a pattern in it.
fn literal_part(text: &str) -> String {
    let start = text.find('/').unwrap_or(text.len());
    let path = text.get(start..).unwrap_or_default();
    let end = path.find(PATTERN_CHARACTERS).unwrap_or(path.len());
    let (literal, rest) = path.split_at_checked(end).unwrap_or((path, ""));
    let literal = if rest.is_empty() || rest.starts_with(AFTER_NAMES) {
        literal
    } else {
        literal.rsplit_once('/').map_or("", |(parents, _)| parents)
    };
    format!("{}/", literal.trim_end_matches(['/', '.', '\\']))
}

impl FromStr for PathPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        check_no_pattern(text)?;
        let invalid =
            |problem: &dyn fmt::Display| format!("{text:?} is not a valid path: {problem}");
        if !text.starts_with('/') {
            return Err(invalid(&"it must start with /"));
        }
        let path = RequestPath::parse(text.as_bytes()).map_err(|error| invalid(&error))?;
        let exact = path.exact.trim_end_matches('/');
        let folded = path.folded().trim_end_matches('/');
        if exact.contains(';') {
            return Err(invalid(
                &"leave path parameters (; and the text after it) out",
            ));
        }
        if folded
            .split('/')
            .any(|segment| segment.ends_with(is_filler))
        {
            return Err(invalid(
                &"a segment ends in a dot or a blank, which some servers drop",
            ));
        }
        if folded.split('/').count() != exact.split('/').count() {
            return Err(invalid(
                &"it has a character that some servers treat as a slash",
            ));
        }
        Ok(Self {
            exact: exact.to_owned(),
            folded: folded.to_owned(),
        })
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact.as_str() {
            "" => formatter.write_str("/"),
            path => write!(formatter, "/{path}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(target: &str) -> RequestPath<'_> {
        RequestPath::parse(target.as_bytes()).unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    fn covers(prefix: &str, target: &str) -> bool {
        let prefix: PathPrefix = prefix.parse().unwrap();
        prefix.covers(&path(target), Certainty::InEveryReading)
    }

    #[test]
    fn refuses_each_spelling_that_some_server_reads_as_another_path() {
        for (target, fault) in [
            ("", "start with a slash"),
            ("*", "start with a slash"),
            ("admin", "start with a slash"),
            ("?/admin", "start with a slash"),
            ("http://example.com/", "start with a slash"),
            ("//admin", "empty segment"),
            ("/a//b", "empty segment"),
            ("/a//", "empty segment"),
            ("//", "empty segment"),
            ("/./admin", "dot segment"),
            ("/public/../admin", "dot segment"),
            ("/public/..%20/admin", "dots and blanks"),
            ("/public/.../admin", "dots and blanks"),
            ("/public/.%20./admin", "dots and blanks"),
            ("/public/%20/admin", "dots and blanks"),
            ("/public/..%2e;x/admin", "dots and blanks"),
            ("/public/..:x/admin", "dot segment"),
            ("/public/..%3Fx", "dot segment"),
            ("/public/..%23/admin", "dot segment"),
            ("/public/:x/admin", "empty segment"),
            ("/public/%EF%BC%8E%EF%BC%8E/admin", "dot segment"),
            ("/public/%EF%BC%8E./admin", "dot segment"),
            ("/public/%E3%80%82%E3%80%82/admin", "dot segment"),
            ("/public/%EF%BD%A1%EF%BD%A1/admin", "dot segment"),
            ("/public/%E2%80%A5/admin", "dot segment"),
            ("/public/%E2%80%A6/admin", "dots and blanks"),
            ("/public/..%EF%BC%8Fadmin", "dot segment"),
            ("/public/..%EF%BC%BCadmin", "dot segment"),
            ("/public/..%E2%88%95admin", "dot segment"),
            ("/public/%EF%BC%8F/admin", "empty segment"),
            ("/public/%E2%80%8B/admin", "empty segment"),
            ("/public/.%E2%80%8B./admin", "dot segment"),
            ("/public/%EF%BC%85%EF%BC%92e/admin", "encoded twice"),
            ("/public/..", "dot segment"),
            ("/public/.", "dot segment"),
            ("/public/./", "dot segment"),
            ("/public/%2e%2E/admin", "dot segment"),
            ("/public/.%2e/admin", "dot segment"),
            ("/public/%2E/admin", "dot segment"),
            ("/public/..;/admin", "dot segment"),
            ("/public/..;x=1/admin", "dot segment"),
            ("/public/%2e%2e;/admin", "dot segment"),
            ("/;/admin", "empty segment"),
            ("/public;/;x/admin", "empty segment"),
            ("/public/..%3B/admin", "dot segment"),
            ("/public/%2e.%3bx=1/admin", "dot segment"),
            ("/%3B/admin", "empty segment"),
            ("/public%2Fadmin", "encoded slash"),
            ("/public/..%2fadmin", "encoded slash"),
            ("/public\\admin", "backslash"),
            ("/public%5Cadmin", "backslash"),
            ("/public/..%5cadmin", "backslash"),
            ("/admin%00", "control"),
            ("/admin%0d%0a", "control"),
            ("/admin%7F", "control"),
            ("/admin%C2%85", "control"),
            ("/public/%", "invalid percent-encoding"),
            ("/public/%2", "invalid percent-encoding"),
            ("/public/%zz", "invalid percent-encoding"),
            ("/public/%+1", "invalid percent-encoding"),
            ("/public/%u002e", "invalid percent-encoding"),
            ("/public/%252e%252e/admin", "encoded twice"),
            ("/%2561dmin", "encoded twice"),
            ("/public/%c0%ae%c0%ae/admin", "UTF-8"),
            ("/public/..%c0%afadmin", "UTF-8"),
            ("/caf%E9", "UTF-8"),
            ("/public#/../../admin", "fragment"),
            ("/public/ admin", "must be encoded"),
            ("/public/\tadmin", "must be encoded"),
            ("/public/\r\nadmin", "must be encoded"),
            ("/public/\0", "must be encoded"),
            ("/café", "must be encoded"),
        ] {
            let refusal = RequestPath::parse(target.as_bytes()).expect_err(target);
            assert!(refusal.to_string().contains(fault), "{target}: {refusal}");
        }
        RequestPath::parse(b"/\xff").expect_err("what is not even UTF-8");
    }

    #[test]
    fn takes_ordinary_paths() {
        for target in [
            "/",
            "/a",
            "/a/",
            "/a/b.html",
            "/.well-known/x",
            "/a%3F",
            "/%3Fa",
            "/a%23b",
            "/~alice/a~1",
            "/wiki/Fate%EF%BC%8Fstay_night",
            "/a.%20",
            "/a..b/..c/d..",
            "/100%25",
            "/a%20b",
            "/caf%C3%A9",
            "/a%3Bb",
            "/a:b@c,d=e+f!$&'()*~_-[x]|^{}",
            "/a;v=1/b;w",
            "/a?x=//../..%2f#",
        ] {
            path(target);
        }
    }

    #[test]
    fn the_query_is_no_part_of_the_path() {
        assert_eq!(path("/a/b?c/d"), path("/a/b"));
        assert_eq!(path("/a?"), path("/a"));
        assert_ne!(path("/a%3Fb"), path("/a"));
    }

    #[test]
    fn an_encoded_path_is_covered_like_a_plain_one() {
        for target in ["/admin/x", "/%61dmin/x", "/%41%64%6d%69%6E/x"] {
            let expected = !target.contains("%41");
            assert_eq!(covers("/admin/", target), expected, "{target}");
        }
        assert!(covers("/caf%C3%A9", "/caf%c3%a9/x"));
        assert!(covers("/a%2Ab/", "/a%2Ab"));
        assert!(covers("/%61%2Ab/", "/a*b"));
    }

    #[test]
    fn a_prefix_covers_whole_segments() {
        for (prefix, target, expected) in [
            ("/", "/", true),
            ("/", "/anything", true),
            ("/admin/", "/admin", true),
            ("/admin/", "/admin/", true),
            ("/admin", "/admin/", true),
            ("/admin", "/admin/users", true),
            ("/admin/", "/administrator", false),
            ("/admin", "/administrator", false),
            ("/admin/", "/", false),
            ("/admin/users/", "/admin", false),
            ("/admin/", "/Admin", false),
            ("/admin/", "/x/admin/", false),
        ] {
            assert_eq!(covers(prefix, target), expected, "{prefix} {target}");
        }
    }

    #[test]
    fn path_parameters_count_in_one_reading_and_not_in_the_other() {
        let admin: PathPrefix = "/admin".parse().unwrap();
        let path = path("/admin;x=1/users");
        assert!(!admin.covers(&path, Certainty::InEveryReading));
        assert!(admin.covers(&path, Certainty::InSomeReading));
    }

    #[test]
    fn an_encoded_semicolon_starts_a_parameter_too() {
        let admin: PathPrefix = "/admin".parse().unwrap();
        for target in ["/admin%3Bx", "/admin%3bx/users", "/admin%3Bx;y/users"] {
            assert!(
                !admin.covers(&path(target), Certainty::InEveryReading),
                "{target}"
            );
            assert!(
                admin.covers(&path(target), Certainty::InSomeReading),
                "{target}"
            );
        }
    }

    #[test]
    fn case_counts_in_one_reading_and_not_in_the_other() {
        for (prefix, target) in [
            ("/admin/", "/Admin/users"),
            ("/Admin/", "/admin"),
            ("/admin/", "/%41DMIN"),
            ("/caf%C3%A9/", "/CAF%C3%89"),
            ("/stra%C3%9Fe/", "/STRASSE"),
            ("/kiosk/", "/%E2%84%AAiosk"),
        ] {
            let prefix: PathPrefix = prefix.parse().unwrap();
            assert!(
                !prefix.covers(&path(target), Certainty::InEveryReading),
                "{target}"
            );
            assert!(
                prefix.covers(&path(target), Certainty::InSomeReading),
                "{target}"
            );
        }
    }

    #[test]
    fn a_path_has_the_readings_of_each_kind_of_server() {
        for (prefix, target) in [
            ("/admin/", "/admin%3Fooo.php"),
            ("/admin/", "/admin%3fx/y"),
            ("/admin/", "/admin%23/x"),
            ("/admin/", "/admin./x"),
            ("/admin/", "/admin..%20./x"),
            ("/admin/", "/admin%20/x"),
            ("/admin/", "/admin%20"),
            ("/admin/", "/admin%C2%A0/x"),
            ("/admin/", "/admin.;x/y"),
            ("/admin/", "/admin%20:x/y"),
            ("/admin/", "/admin::$INDEX_ALLOCATION/x"),
            ("/admin/", "/admin:x"),
            ("/admin/", "/admin%3Ax"),
            ("/admin/", "/Admin.:x;y/z"),
            ("/admin/", "/ADMIN~1/x"),
            ("/administrator/", "/ADMINI~1/x"),
            ("/administrator/", "/admin~12/x"),
            ("/administrator/", "/AD1F2B~1/x"),
            ("/administrator/", "/ADMINI~1.;x/y"),
            ("/administrator.page/", "/ADMINI~1.PAG"),
            ("/.git/", "/GIT~1/config"),
            ("/my%20files/", "/MYFILE~1/x"),
            ("/a=b%2Bc-long/", "/A_B_C-~1"),
            ("/caf%C3%A9-and-more/", "/CAFE-A~1"),
            (
                "/admin/",
                "/%EF%BD%81%EF%BD%84%EF%BD%8D%EF%BD%89%EF%BD%8E/x",
            ),
            ("/admin/", "/%EF%BC%A1dmin/x"),
            ("/admin/", "/admin%EF%BC%8E/x"),
            ("/admin/", "/admin%E3%80%82/x"),
            ("/admin/", "/admin%EF%BC%9Bx"),
            ("/admin/", "/admin%EF%BC%9Ax"),
            ("/admin/", "/admin%EF%BC%9Fx"),
            ("/admin/", "/admin%EF%BC%83x"),
            ("/admin/x/", "/admin%EF%BC%8Fx"),
            ("/admin/", "/adm%E2%80%8Bin/x"),
            ("/admin/", "/adm%C2%ADin/x"),
            ("/admin/", "/adm%C4%B0n/x"),
            ("/admin/", "/ADM%C4%B1N/x"),
            ("/admin/", "/admi%CC%87n/x"),
            ("/adm%C4%B1n/", "/ADMIN/x"),
            ("/caf%C3%A9/", "/cafe%CC%81/x"),
            ("/caf%C3%A9/", "/CAFE%CC%81/x"),
            ("/files/", "/%EF%AC%81les/x"),
            ("/stra%C3%9Fe/", "/stra%E1%BA%9Ee/x"),
        ] {
            let prefix: PathPrefix = prefix.parse().unwrap();
            let read = path(target);
            assert!(!prefix.covers(&read, Certainty::InEveryReading), "{target}");
            assert!(prefix.covers(&read, Certainty::InSomeReading), "{target}");
        }
    }

    #[test]
    fn what_no_server_takes_for_another_path_is_not() {
        for (prefix, target) in [
            ("/admin/", "/administrator"),
            ("/admin/", "/admin.php"),
            ("/admin/", "/admin%20x"),
            ("/admin/", "/x;admin"),
            ("/admin/", "/x:admin"),
            ("/admin/", "/x%3Fadmin"),
            ("/admin/", "/adm;in"),
            ("/admin/", "/AB~1/x"),
            ("/admin/", "/admin~"),
            ("/admin/", "/admin~x/y"),
            ("/admin/", "/~1/x"),
            ("/administrator/", "/administ~1/x"),
            ("/admin/", "/admin~1.html"),
            ("/admin/users/", "/admin;x"),
        ] {
            let prefix: PathPrefix = prefix.parse().unwrap();
            assert!(
                !prefix.covers(&path(target), Certainty::InSomeReading),
                "{target}"
            );
        }
    }

    #[test]
    fn a_rule_that_spells_a_character_out_is_taken_at_its_word() {
        for (prefix, target) in [
            ("/v1/documents%3Acommit", "/v1/documents:commit"),
            ("/what%3F", "/what%3F/now"),
            ("/c%23/", "/c%23/x"),
            ("/%2A/", "/*/x"),
            ("/admini~1/", "/admini~1/x"),
        ] {
            assert!(covers(prefix, target), "{prefix} {target}");
            let prefix: PathPrefix = prefix.parse().unwrap();
            assert!(prefix.covers(&path(target), Certainty::InSomeReading));
        }
    }

    #[test]
    fn long_paths_are_refused_before_they_are_read() {
        let segments = |count: usize| format!("/%z{}", "/a".repeat(count - 1));
        let octets = |count: usize| format!("/%z{}", "a".repeat(count - 3));
        // With what is wrong in the first segment of a path that is short enough, one can tell what is looked at first.
        for (target, fault) in [
            (segments(MAX_SEGMENTS), "invalid percent-encoding"),
            (segments(MAX_SEGMENTS + 1), "more than 256 segments"),
            (octets(MAX_OCTETS), "invalid percent-encoding"),
            (octets(MAX_OCTETS + 1), "longer than 8,192 bytes"),
            (octets(60_000), "longer than 8,192 bytes"),
            (segments(30_000), "longer than 8,192 bytes"),
            (
                format!("{}?", octets(MAX_OCTETS + 1)),
                "longer than 8,192 bytes",
            ),
        ] {
            let refusal = RequestPath::parse(target.as_bytes()).unwrap_err();
            assert!(refusal.to_string().contains(fault), "{refusal}");
        }
        let beyond_ascii = |octets: usize| format!("/{}", "%C3%A9".repeat(octets / 2));
        let refused = beyond_ascii(MAX_BEYOND_ASCII + 2);
        let refusal = RequestPath::parse(refused.as_bytes()).unwrap_err();
        let fault = "more than 1,024 bytes of characters beyond ASCII";
        assert!(refusal.to_string().contains(fault), "{refusal}");
        let ligatures = format!("/{}", "%EF%B7%BA".repeat(MAX_BEYOND_ASCII / 3));
        let refusal = RequestPath::parse(ligatures.as_bytes()).unwrap_err();
        assert!(refusal.to_string().contains(fault), "{refusal}");
        path("/%EF%B7%BA/x");
        path(&beyond_ascii(MAX_BEYOND_ASCII));
        path(&"/a".repeat(MAX_SEGMENTS));
        path(&format!("/{}", "a".repeat(MAX_OCTETS - 1)));
        path(&format!("/?{}", "/".repeat(60_000)));
    }

    /// Octets that a path takes beside its target.
    fn memory(path: &RequestPath<'_>) -> usize {
        let exact = match &path.exact {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.capacity(),
        };
        size_of_val(path) + exact + path.folded.as_ref().map_or(0, String::capacity)
    }

    #[test]
    fn a_path_takes_little_memory() {
        let as_it_is = [
            "/a".repeat(MAX_SEGMENTS),
            "/a;b:c.~1".repeat(MAX_SEGMENTS),
            format!("/{}", "a".repeat(MAX_OCTETS - 1)),
            format!("/a?{}", "/A".repeat(30_000)),
        ];
        for target in &as_it_is {
            assert_eq!(
                memory(&path(target)),
                size_of::<RequestPath<'_>>(),
                "{target}"
            );
        }
        assert!(size_of::<RequestPath<'_>>() <= 64);
        // The last of them becomes eighteen characters, each of two octets or a space.
        for (segment, most) in [
            ("/A", MAX_SEGMENTS),
            ("/%61", MAX_SEGMENTS),
            ("/%C4%B0", MAX_SEGMENTS),
            ("/%CE%90", 160),
            ("/%F0%9D%90%80", 250),
            ("/%EF%B7%BA", 30),
        ] {
            for target in [
                segment.repeat(most),
                format!("/{}", segment.trim_matches('/').repeat(most)),
            ] {
                let memory = memory(&path(&target));
                assert!(
                    memory <= 10 * target.len() + 64,
                    "{segment}: {memory} bytes"
                );
            }
        }
    }

    #[test]
    fn folding_makes_one_of_all_forms_of_a_character() {
        let folded = |text: &str| fold(text).unwrap().unwrap_or_else(|| text.to_owned());
        // All that have another form: those beyond are ideographs, private or not assigned.
        for character in ('\0'..='\u{1ffff}').chain('\u{2f800}'..='\u{2fa1f}') {
            if character == '\\' {
                // It has been refused before.
                continue;
            }
            let text = character.to_string();
            let expected = folded(&text);
            assert_eq!(folded(&expected), expected, "{text:?}");
            assert_eq!(folded(&text.to_lowercase()), expected, "{text:?}");
            assert_eq!(folded(&text.to_uppercase()), expected, "{text:?}");
            let compatible = COMPATIBLE.normalize(&text).replace('\\', "/");
            assert_eq!(folded(&compatible), expected, "{text:?}");
            // A slash goes with nothing that follows it.
            assert_eq!(
                folded(&format!("/{text}")),
                format!("/{expected}"),
                "{text:?}"
            );
            assert_eq!(
                folded(&format!("{text}/")),
                format!("{expected}/"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn refuses_a_prefix_that_no_path_can_have() {
        for prefix in [
            "",
            "admin",
            "/a/../b",
            "//",
            "/a;b",
            "/a%3Bb",
            "/a%2fb",
            "/é",
            "/a/...",
            "/%3Aid",
            "/a\\.php",
            "/a#b",
            "/a%20/b",
            "/a./b",
            "/a%E2%80%A6/b",
            "/a%EF%BC%8Fb",
            "/admin/%",
            "= /admin",
            "~ /admin",
        ] {
            let error = prefix.parse::<PathPrefix>().expect_err(prefix);
            assert!(error.contains("is not a valid path: "), "{error}");
        }
    }

    #[test]
    fn refuses_a_prefix_that_looks_like_a_pattern_and_says_what_to_write() {
        for (prefix, odd, instead) in [
            ("/admin/*", "*", "/admin/"),
            ("/admin/**", "*", "/admin/"),
            ("/admin*", "*", "/admin/"),
            ("/admin.*", "*", "/admin/"),
            ("/admin/.*", "*", "/admin/"),
            ("/admin(/.*)?$", "(", "/admin/"),
            ("/admin/?", "?", "/admin/"),
            ("/admin?x=1", "?", "/admin/"),
            ("/files/*.php", "*", "/files/"),
            ("/a/{id}/(x|y)$", "{", "/a/"),
            ("/a/file-{id}", "{", "/a/"),
            ("/a/:id", ":", "/a/"),
            ("/a/<int:id>", "<", "/a/"),
            ("/a/[0-9]+", "[", "/a/"),
            ("/a+", "+", "/a/"),
            ("/a/$id", "$", "/a/"),
            ("/a$", "$", "/a/"),
            ("/a|/b", "|", "/a/"),
            ("/a,/b", ",", "/a/"),
            ("/v1/documents:commit", ":", "/v1/"),
            ("^/admin/", "^", "/admin/"),
            ("~ ^/admin/.*$", "^", "/admin/"),
            ("(/admin|/x)", "(", "/admin/"),
            ("*", "*", "/"),
            ("/*", "*", "/"),
            ("*.php", "*", "/"),
        ] {
            let error = prefix.parse::<PathPrefix>().expect_err(prefix);
            for part in [
                format!("{prefix:?} contains a {odd}, "),
                format!("write {instead:?}, which covers that path and everything below it"),
                format!("write %{:02X} for a literal {odd}", odd.as_bytes()[0]),
            ] {
                assert!(error.contains(&part), "{error}");
            }
        }
        for odd in PATTERN_CHARACTERS {
            format!("/a/b{odd}c").parse::<PathPrefix>().unwrap_err();
            // But for what no path can have, it can be meant.
            let encoded = format!("/a/b%{:02X}c", u32::from(odd));
            assert!(covers(&encoded, &format!("{encoded}/d")), "{encoded}");
        }
        let url = "https://app.example.com/admin".parse::<PathPrefix>();
        assert!(url.unwrap_err().contains("is a URL"));
    }

    #[test]
    fn a_prefix_is_shown_with_slashes_around_it() {
        for (prefix, shown) in [("/", "/"), ("/a", "/a/"), ("/a/b/", "/a/b/")] {
            assert_eq!(prefix.parse::<PathPrefix>().unwrap().to_string(), shown);
        }
    }

    /// The readings that servers have of a decoded path.
    type Habit = fn(&str) -> String;

    const HABITS: [Habit; 11] = [
        |path| path.to_lowercase(),
        |path| path.to_uppercase(),
        // In a Turkish locale.
        |path| path.replace('I', "ı").replace('İ', "i").to_lowercase(),
        |path| path.replace('i', "İ").replace('ı', "I").to_uppercase(),
        |path| COMPATIBLE.normalize(path).into_owned(),
        |path| path.replace(['\u{200b}', '\u{ad}'], ""),
        |path| by_segment(path, |segment| cut(segment, &[';'])),
        |path| by_segment(path, |segment| cut(segment, &[':'])),
        |path| {
            by_segment(path, |segment| {
                segment.trim_end_matches(['.', ' ']).to_owned()
            })
        },
        |path| cut(path, &['?', '#']),
        |path| by_segment(path, long_name),
    ];

    fn by_segment(path: &str, habit: fn(&str) -> String) -> String {
        let segments: Vec<String> = path.split('/').map(habit).collect();
        segments.join("/")
    }

    fn cut(text: &str, at: &[char]) -> String {
        text.split(at).next().unwrap().to_owned()
    }

    /// The short names of a directory with two long ones.
    fn long_name(segment: &str) -> String {
        match segment.to_ascii_lowercase().as_str() {
            "admini~1" | "ad1f2b~1" => "administrator".to_owned(),
            "htacce~1" => ".htaccess".to_owned(),
            _ => segment.to_owned(),
        }
    }

    const WORDS: [&str; 9] = [
        "/a",
        "/A",
        "/admin",
        "/ADMIN",
        "/İx",
        "/ａdmin",
        "/administrator",
        "/Straße",
        "/.htaccess",
    ];
    const SHORT_NAMES: [&str; 4] = ["/ADMINI~1", "/admini~1", "/AD1F2B~1", "/HTACCE~1"];
    const DECORATIONS: [&str; 17] = [
        ";x", ":s", "::$DATA", ".", " ", ". .", "?q", "#f", "；x", "：x", "．", "　", "？",
        "\u{200b}", "\u{ad}", "~1", "／a",
    ];

    /// A path with all that a target can't have encoded.
    fn encoded(path: &str) -> String {
        let octet = |octet: u8| match octet {
            b'/' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                char::from(octet).to_string()
            }
            _ => format!("%{octet:02X}"),
        };
        path.bytes().map(octet).collect()
    }

    proptest! {
        #[test]
        fn never_panics_on_any_octets(target in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = RequestPath::parse(&target);
        }

        /// What a lenient server makes of an accepted path, by decoding it once or twice, dropping parameters, merging
        /// slashes and resolving dots, has the segments that were compared.
        #[test]
        fn an_accepted_path_has_nothing_left_to_resolve(target in "/[a.%25;/\\\\e2fFE ?#-]{0,24}") {
            if let Ok(path) = RequestPath::parse(target.as_bytes()) {
                let segments: Vec<&str> = path.exact.split('/').collect();
                for (index, segment) in segments.iter().enumerate() {
                    let name = segment.split(';').next().unwrap();
                    for segment in [segment, name] {
                        prop_assert!(segment != "." && segment != "..");
                        prop_assert!(!segment.contains('\\'));
                        prop_assert!(!segment.is_empty() || index + 1 == segments.len());
                        let again = segment.replace('%', "%25");
                        prop_assert_eq!(decode(again.as_bytes()).unwrap(), segment);
                        prop_assert!(!has_percent_encoding(segment));
                    }
                }
            }
        }

        /// What is covered in every reading is covered in that of each server, and what is covered in that of a server is
        /// covered in some reading: so if the first rules of both kinds are one, it is the server's first, too.
        #[test]
        fn the_reading_of_every_server_lies_between_the_two(
            prefix in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..3),
            segments in prop::collection::vec(
                (
                    prop::sample::select([WORDS.as_slice(), &SHORT_NAMES].concat()),
                    prop::collection::vec(prop::sample::select(DECORATIONS.as_slice()), 0..4),
                ),
                1..4,
            ),
            server in prop::collection::vec(prop::sample::select(HABITS.as_slice()), 1..5),
        ) {
            let rule = prefix.concat();
            let segments = segments.iter().map(|(word, decorations)| format!("{word}{}", decorations.concat()));
            let decoded = segments.collect::<String>();
            let parsed = if rule.is_empty() { "/".to_owned() } else { encoded(&rule) };
            let parsed: PathPrefix = parsed.parse().unwrap();
            let target = encoded(&decoded);
            if let Ok(path) = RequestPath::parse(target.as_bytes()) {
                let read = |text: &str| server.iter().fold(text.to_owned(), |text, habit| habit(&text));
                let (rule, decoded) = (read(&rule), read(&decoded));
                let covered = format!("{decoded}/").starts_with(&format!("{rule}/"));
                let (every, some) = (
                    parsed.covers(&path, Certainty::InEveryReading),
                    parsed.covers(&path, Certainty::InSomeReading),
                );
                prop_assert!(!every || covered, "{} {} {} {}", parsed, target, rule, decoded);
                prop_assert!(!covered || some, "{} {} {} {}", parsed, target, rule, decoded);
            }
        }

        #[test]
        fn any_percent_encoding_of_letters_reads_as_the_letters(text in "[a-z]{1,8}", mask in any::<u8>()) {
            let encoded: String = text
                .bytes()
                .enumerate()
                .map(|(index, octet)| match mask >> (index % 8) & 1 {
                    0 => char::from(octet).to_string(),
                    _ => format!("%{octet:02x}"),
                })
                .collect();
            let (encoded, plain) = (format!("/{encoded}"), format!("/{text}"));
            prop_assert_eq!(path(&encoded), path(&plain));
        }
    }
}
