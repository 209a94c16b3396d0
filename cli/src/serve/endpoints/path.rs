//! The path of a request, as rules compare it.
//!
//! A rule is only as good as its reading of a path is the backend's. So a path is taken apart here as every server
//! would take it apart, and refused where servers are known to disagree: a proxy that merges slashes, a framework that
//! resolves dots after decoding, an application server that drops what follows a semicolon. Nothing is repaired, since
//! the backend is sent the path as the client wrote it.

use std::fmt;
use std::str::FromStr;

/// The path of a request's target (RFC 9112 §3.2.1) in the one form that nobody reads otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath {
    /// Segments, decoded. One that is empty stands for a slash at the end.
    whole: Vec<String>,
    /// The same without path parameters (RFC 3986 §3.3: what follows a semicolon), which some servers drop. An encoded
    /// semicolon begins one, too: proxies such as nginx decode it on the way.
    bare: Vec<String>,
}

/// A segment without regard to case, as far as any server might have none.
fn caseless(segment: &str) -> impl Iterator<Item = char> {
    // Both, since some letters have two of the other case.
    let upper = segment.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase)
}

/// Servers read this path in several ways, or it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmbiguousPath(&'static str);

impl fmt::Display for AmbiguousPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the path is not in normal form: {}", self.0)
    }
}

impl RequestPath {
    /// Reads a request target in origin form. Its query counts for nothing.
    pub(crate) fn parse(target: &[u8]) -> Result<Self, AmbiguousPath> {
        let path = target.split(|&octet| octet == b'?').next();
        let path = path.unwrap_or_default();
        let Some((b'/', relative)) = path.split_first() else {
            return Err(AmbiguousPath("it does not start with a slash"));
        };
        check_octets(relative)?;
        let mut segments: Vec<&[u8]> = relative.split(|&octet| octet == b'/').collect();
        let ends_with_slash = segments.last().is_some_and(|last| last.is_empty());
        if ends_with_slash {
            segments.pop();
        }

        let mut whole = Vec::with_capacity(segments.len().saturating_add(1));
        let mut bare = Vec::with_capacity(whole.capacity());
        for segment in segments {
            let segment = read_segment(segment)?;
            let name = segment.split(';').next().unwrap_or_default();
            check_name(name)?;
            bare.push(name.to_owned());
            whole.push(segment);
        }
        if ends_with_slash {
            whole.push(String::new());
            bare.push(String::new());
        }
        Ok(Self { whole, bare })
    }
}

/// Refuses what has no place in a request line (RFC 9112 §3.2), and fragments, which honest clients never send.
fn check_octets(path: &[u8]) -> Result<(), AmbiguousPath> {
    for octet in path {
        match octet {
            b'#' => return Err(AmbiguousPath("it has a fragment")),
            0x21..=0x7e => {}
            _ => return Err(AmbiguousPath("it has a character that must be encoded")),
        }
    }
    Ok(())
}

/// Decodes a segment, which must stand for itself.
fn read_segment(segment: &[u8]) -> Result<String, AmbiguousPath> {
    let decoded = decode(segment)?;
    check_name(&decoded)?;
    if decoded.contains(['/', '\\']) {
        return Err(AmbiguousPath("it has a backslash, or an encoded slash"));
    }
    if decoded.contains(char::is_control) {
        return Err(AmbiguousPath("it has an encoded control character"));
    }
    if has_percent_encoding(decoded.as_bytes()) {
        return Err(AmbiguousPath("it is encoded twice"));
    }
    Ok(decoded)
}

/// Refuses segments that are not names.
fn check_name(segment: &str) -> Result<(), AmbiguousPath> {
    match segment {
        "" => Err(AmbiguousPath("it has an empty segment")),
        "." | ".." => Err(AmbiguousPath("it has a dot segment")),
        _ => Ok(()),
    }
}

/// Percent-decoding (RFC 3986 §2.1). Overlong forms of characters are no UTF-8, so they do not get through.
fn decode(segment: &[u8]) -> Result<String, AmbiguousPath> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let Some((digits, after)) = after.split_at_checked(2) else {
            return Err(AmbiguousPath("it has a broken percent-encoding"));
        };
        let octet = octet_of(digits).ok_or(AmbiguousPath("it has a broken percent-encoding"))?;
        decoded.push(octet);
        rest = after;
    }
    String::from_utf8(decoded).map_err(|_| AmbiguousPath("it does not decode to UTF-8"))
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

fn has_percent_encoding(octets: &[u8]) -> bool {
    octets
        .windows(3)
        .any(|window| matches!(window, [b'%', digits @ ..] if octet_of(digits).is_some()))
}

/// How the backend may read a path. Whatever the first covers the second covers, too, and all readings in between: what
/// both come to is what each of them comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Letter by letter (RFC 3986 §6.2.2.1), with path parameters as part of their segments.
    Exact,
    /// Without path parameters, as in Java's servlets, and without regard to case, as in Express, ASP.NET and file systems.
    Lenient,
}

/// A path and all below it, segment by segment: `/admin/` covers `/admin` and `/admin/users`, not `/administrator`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathPrefix(Vec<String>);

impl PathPrefix {
    pub(crate) fn covers(&self, path: &RequestPath, reading: Reading) -> bool {
        match reading {
            Reading::Exact => path.whole.starts_with(&self.0),
            Reading::Lenient => {
                let mut segments = path.bare.iter();
                self.0.iter().all(|expected| {
                    let segment = segments.next();
                    segment.is_some_and(|segment| caseless(segment).eq(caseless(expected)))
                })
            }
        }
    }

    /// Whether whatever `other` covers is covered.
    pub(crate) fn covers_all_of(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromStr for PathPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let RequestPath { mut whole, bare } = RequestPath::parse(text.as_bytes())
            .map_err(|error| format!("{text:?} is no path of a rule: {error}"))?;
        if text.contains('?') || whole != bare {
            return Err(format!(
                "{text:?} is no path of a rule: leave the query and path parameters out"
            ));
        }
        whole.pop_if(|last| last.is_empty());
        Ok(Self(whole))
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("/")?;
        for segment in &self.0 {
            write!(formatter, "{segment}/")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(target: &str) -> RequestPath {
        RequestPath::parse(target.as_bytes()).unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    fn covers(prefix: &str, target: &str) -> bool {
        let prefix: PathPrefix = prefix.parse().unwrap();
        prefix.covers(&path(target), Reading::Exact)
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
            ("/public/%", "broken"),
            ("/public/%2", "broken"),
            ("/public/%zz", "broken"),
            ("/public/%+1", "broken"),
            ("/public/%u002e", "broken"),
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
            "/...",
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
        assert!(covers("/a*b/", "/a%2Ab"));
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
        assert!(!admin.covers(&path, Reading::Exact));
        assert!(admin.covers(&path, Reading::Lenient));
    }

    #[test]
    fn an_encoded_semicolon_starts_a_parameter_too() {
        let admin: PathPrefix = "/admin".parse().unwrap();
        for target in ["/admin%3Bx", "/admin%3bx/users", "/admin%3Bx;y/users"] {
            assert!(!admin.covers(&path(target), Reading::Exact), "{target}");
            assert!(admin.covers(&path(target), Reading::Lenient), "{target}");
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
            assert!(!prefix.covers(&path(target), Reading::Exact), "{target}");
            assert!(prefix.covers(&path(target), Reading::Lenient), "{target}");
        }
    }

    #[test]
    fn refuses_a_prefix_that_no_path_can_have() {
        for prefix in [
            "", "admin", "/a/../b", "//", "/a?b", "/a;b", "/a%3Bb", "/a%2fb", "/é",
        ] {
            prefix.parse::<PathPrefix>().expect_err(prefix);
        }
    }

    #[test]
    fn a_prefix_is_shown_with_slashes_around_it() {
        for (prefix, shown) in [("/", "/"), ("/a", "/a/"), ("/a/b/", "/a/b/")] {
            assert_eq!(prefix.parse::<PathPrefix>().unwrap().to_string(), shown);
        }
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
                for segments in [&path.whole, &path.bare] {
                    for (index, segment) in segments.iter().enumerate() {
                        prop_assert!(segment != "." && segment != "..");
                        prop_assert!(!segment.contains(['/', '\\']));
                        prop_assert!(!segment.is_empty() || index + 1 == segments.len());
                        prop_assert_eq!(&decode(segment.replace('%', "%25").as_bytes()).unwrap(), segment);
                        prop_assert!(!has_percent_encoding(segment.as_bytes()));
                    }
                }
            }
        }

        #[test]
        fn the_lenient_reading_covers_whatever_the_exact_one_covers(
            prefix in "(/[aAb]{1,2}){0,3}",
            target in "(/[aAb;]{1,3}){1,4}",
        ) {
            let prefix = if prefix.is_empty() { "/" } else { &prefix }.parse::<PathPrefix>().unwrap();
            if let Ok(path) = RequestPath::parse(target.as_bytes()) {
                prop_assert!(!prefix.covers(&path, Reading::Exact) || prefix.covers(&path, Reading::Lenient));
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
            prop_assert_eq!(path(&format!("/{encoded}")), path(&format!("/{text}")));
        }
    }
}
