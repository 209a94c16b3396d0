//! DS and DNSKEY records as lines of a zone file (RFC 1035 §5.1, RFC 4034 §§2.2 and 5.3).

use std::fmt;

use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};

use super::records::{Entry, entries};
use super::state::File;
use super::{AnchorError, LeftOutKey, TrustAnchor};
use crate::name::Name;
use crate::rdata::Algorithm;
use crate::validity::Validity;

/// The maximum number of characters of the input that a message repeats.
const MAX_QUOTED_CHARS: usize = 40;
/// The mnemonics of classes (RFC 6895 §3.2).
const CLASSES: [&str; 6] = ["IN", "CS", "CH", "HS", "NONE", "ANY"];
const TYPES: [&str; 2] = ["DS", "DNSKEY"];
/// The start of a comment with an anchor's times. Two semicolons precede it.
pub(super) const VALID: &str = "valid=";
/// The units after the numbers of a TTL such as `1d12h`, which servers accept besides seconds.
const TTL_UNITS: [u8; 5] = *b"smhdw";
/// The words with which BIND's configuration begins a list of anchors.
const BIND_STATEMENTS: [&str; 3] = ["trust-anchors", "managed-keys", "trusted-keys"];

/// Reads the anchors of a text, and the keys in it that are not trusted.
pub(super) fn parse(text: &str) -> Result<(Vec<TrustAnchor>, Vec<LeftOutKey>), AnchorError> {
    refuse_bind(text)?;
    let file = File::of(text);
    let mut names = Names::default();
    let (mut anchors, mut left_out) = (Vec::new(), Vec::new());
    for entry in entries(text)? {
        let of_line = |problem| AnchorError::Line {
            line: entry.line,
            problem,
        };
        let Some(anchor) = names.read(&entry).map_err(of_line)? else {
            continue;
        };
        let anchor = TrustAnchor {
            validity: validity(&entry.comments).map_err(of_line)?,
            ..anchor
        };
        match file.untrusted(&entry.comments) {
            None => anchors.push(anchor),
            Some(state) => left_out.push(LeftOutKey {
                key_tag: anchor.key_tag(),
                algorithm: anchor.algorithm(),
                owner: anchor.owner,
                line: entry.line,
                state,
            }),
        }
    }
    Ok((anchors, left_out))
}

/// Reads the times in the comments after an anchor. Without times, the anchor is always valid.
fn validity(comments: &str) -> Result<Validity, String> {
    let mut found = Vec::new();
    for comment in comments.split(';').map(str::trim) {
        if let Some(text) = comment.strip_prefix(VALID) {
            found.push(text);
        } else if is_meant_as_validity(comment) {
            // This is an error because an anchor without times would be valid for ever.
            let comment = quoted(comment);
            return Err(format!(
                "{comment} is not how times are given: write ;;{VALID}…"
            ));
        }
    }
    let mut marked = found.into_iter();
    let (first, second) = (marked.next(), marked.next());
    match (first, second) {
        (None, _) => Ok(Validity::always()),
        (Some(text), None) => text.parse().map_err(|_| {
            format!(
                "{} is not a period of validity, such as `from 2017-02-02T00:00:00Z on`",
                quoted(text.trim())
            )
        }),
        (Some(_), Some(_)) => Err(format!("it has {VALID} twice")),
    }
}

/// Returns true if a comment spells the keyword for times in another way.
fn is_meant_as_validity(comment: &str) -> bool {
    let word = VALID.trim_end_matches('=');
    let start = comment.get(..word.len()).unwrap_or_default();
    let rest = comment.get(word.len()..).unwrap_or_default();
    start.eq_ignore_ascii_case(word) && rest.trim_start().starts_with(['=', ':'])
}

/// Writes an owner so that it can be read back. Octets that have a meaning in zone files become
/// `\DDD`.
pub(super) fn write_owner(owner: &Name, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if owner.is_root() {
        return f.write_str(".");
    }
    for label in owner.labels() {
        for &octet in label {
            match octet {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => write!(f, "{}", char::from(octet))?,
                _ => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_str(".")?;
    }
    Ok(())
}

/// Distinguishes BIND's forms from faulty zone-file lines. In BIND's configuration `;` does not
/// begin a comment; `managed-keys.bind` holds KEYDATA records.
fn refuse_bind(text: &str) -> Result<(), AnchorError> {
    for (index, line) in text.lines().enumerate() {
        let mut words = line
            .split(';')
            .next()
            .unwrap_or_default()
            .split(|c: char| c.is_ascii_whitespace() || c == '{');
        let first = words.find(|word| !word.is_empty()).unwrap_or_default();
        let is = |known: &str| first.eq_ignore_ascii_case(known);
        let form = if BIND_STATEMENTS.into_iter().any(is)
            || line.contains(['{', '}']) && !line.contains(';')
        {
            "BIND's configuration"
        } else if is("KEYDATA") || words.any(|word| word.eq_ignore_ascii_case("KEYDATA")) {
            "a KEYDATA record of BIND's managed-keys.bind"
        } else {
            continue;
        };
        return Err(AnchorError::Bind {
            line: index + 1,
            form,
        });
    }
    Ok(())
}

/// The names that complete relative names and lines without an owner.
struct Names {
    origin: Name,
    previous: Option<Name>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            origin: Name::root(),
            previous: None,
        }
    }
}

impl Names {
    /// Reads a record. Returns `None` for a directive.
    fn read(&mut self, entry: &Entry<'_>) -> Result<Option<TrustAnchor>, String> {
        let mut fields = entry.fields.iter().copied();
        let first = fields.next().unwrap_or_default();
        if first.starts_with('$') {
            self.follow(first, &mut fields)?;
            return Ok(None);
        }
        let owner = if entry.is_indented {
            fields = entry.fields.iter().copied();
            self.owner_before(first)?
        } else {
            self.owner(first)?
        };
        let anchor = anchor(owner.clone(), fields)?;
        self.previous = Some(owner);
        Ok(Some(anchor))
    }

    /// Applies `$ORIGIN` and `$TTL` (RFC 1035 §5.1, RFC 2308 §4). Anchors have no TTL.
    fn follow<'t>(
        &mut self,
        directive: &str,
        fields: &mut impl Iterator<Item = &'t str>,
    ) -> Result<(), String> {
        let value = fields.next().unwrap_or_default();
        if directive.eq_ignore_ascii_case("$ORIGIN") {
            self.origin = self.name(value)?;
        } else if !directive.eq_ignore_ascii_case("$TTL") {
            return Err(format!(
                "{} is not supported; only $ORIGIN and $TTL are",
                quoted(directive)
            ));
        } else if !is_ttl(value) {
            return Err(format!("{} is not a TTL", quoted(value)));
        }
        match fields.next() {
            None => Ok(()),
            Some(more) => Err(format!("unexpected {} after {directive}", quoted(more))),
        }
    }

    /// Returns the owner of the previous record, for a line that begins with a blank and then
    /// `first`.
    fn owner_before(&self, first: &str) -> Result<Name, String> {
        let owner = self.previous.clone().ok_or(
            "it begins with a blank, which stands for the owner of the previous record, but there is none: begin the \
             line with the owner",
        )?;
        if reads_as_no_owner(first) {
            return Ok(owner);
        }
        Err(format!(
            "it begins with a blank, which stands for the owner of the previous record, {owner}, and {} is not a type: \
             remove the blank",
            quoted(first)
        ))
    }

    fn owner(&self, text: &str) -> Result<Name, String> {
        if reads_as_no_owner(text) {
            return Err(format!(
                "expected the owner, found {}, which is a class, a TTL or a type: begin the line with the owner, such \
                 as `.` for the root (or write \"{text}.\" if that is the name)",
                quoted(text)
            ));
        }
        self.name(text)
    }

    /// Reads an absolute name, or one relative to the origin.
    fn name(&self, text: &str) -> Result<Name, String> {
        if text == "@" {
            return Ok(self.origin.clone());
        }
        let no_name = |error| format!("{} is not a domain name: {error}", quoted(text));
        let name: Name = text.parse().map_err(no_name)?;
        let before_dot = text.strip_suffix('.').unwrap_or_default();
        let escapes = before_dot.bytes().rev().take_while(|octet| *octet == b'\\');
        let is_absolute = text.ends_with('.') && escapes.count() % 2 == 0;
        if is_absolute {
            return Ok(name);
        }
        Name::from_labels(name.labels().chain(self.origin.labels())).map_err(no_name)
    }
}

/// Returns true if the field is a class, a TTL or a type.
fn reads_as_no_owner(field: &str) -> bool {
    is_class(field) || is_ttl(field) || TYPES.iter().any(|t| field.eq_ignore_ascii_case(t))
}

fn is_class(field: &str) -> bool {
    let is_number = field
        .get(..5)
        .filter(|prefix| prefix.eq_ignore_ascii_case("CLASS"))
        .and_then(|_| field.get(5..))
        .is_some_and(|digits| !digits.is_empty() && is_number(digits));
    is_number
        || CLASSES
            .iter()
            .any(|class| field.eq_ignore_ascii_case(class))
}

fn is_number(field: &str) -> bool {
    field.bytes().all(|octet| octet.is_ascii_digit())
}

/// Returns true for seconds, or for numbers that each have a unit.
fn is_ttl(field: &str) -> bool {
    let mut digits = 0;
    for octet in field.bytes() {
        match octet.to_ascii_lowercase() {
            b'0'..=b'9' => digits += 1,
            unit if digits > 0 && TTL_UNITS.contains(&unit) => digits = 0,
            _ => return false,
        }
    }
    !field.is_empty() && (digits == 0 || is_number(field))
}

/// Reads the fields after the owner: a TTL and a class, each at most once and in either order, then
/// the type and its data.
fn anchor<'t>(
    owner: Name,
    mut fields: impl Iterator<Item = &'t str>,
) -> Result<TrustAnchor, String> {
    let (mut ttl, mut class) = (None, None);
    let record_type = loop {
        let field = fields.next().unwrap_or_default();
        let slot = match field {
            _ if is_ttl(field) => &mut ttl,
            _ if is_class(field) => &mut class,
            _ => break field,
        };
        if let Some(before) = slot.replace(field) {
            return Err(format!(
                "{before} and {} both stand before its type",
                quoted(field)
            ));
        }
    };
    if let Some(class) = class.filter(|class| !class.eq_ignore_ascii_case("IN")) {
        return Err(format!("its class is {class} instead of IN"));
    }
    let mut rdata = Rdata { fields };
    if record_type.eq_ignore_ascii_case("DS") {
        let rdata = rdata.ds()?;
        TrustAnchor::from_ds(owner, &rdata, Validity::always())
            .ok_or_else(|| "the digest has the wrong length for its type".into())
    } else if record_type.eq_ignore_ascii_case("DNSKEY") {
        let rdata = rdata.dnskey()?;
        TrustAnchor::from_dnskey(owner, &rdata, Validity::always())
            .ok_or_else(|| "the key is missing".into())
    } else {
        Err(format!(
            "expected DS or DNSKEY, found {}",
            quoted(record_type)
        ))
    }
}

/// The fields of a record's data that have not been read yet.
struct Rdata<I> {
    fields: I,
}

impl<'t, I: Iterator<Item = &'t str>> Rdata<I> {
    fn number<N: std::str::FromStr>(&mut self, what: &str) -> Result<N, String> {
        let field = self.fields.next().unwrap_or_default();
        field
            .parse()
            .map_err(|_| format!("{} is not a valid {what}", quoted(field)))
    }

    /// Reads a number, or IANA's mnemonic (RFC 4034 §§2.2 and 5.3).
    fn algorithm(&mut self) -> Result<u8, String> {
        let field = self.fields.next().unwrap_or_default();
        Algorithm::from_text(field)
            .map(|algorithm| algorithm.0)
            .ok_or_else(|| format!("{} is not an algorithm number or mnemonic", quoted(field)))
    }

    /// Joins all remaining fields: digests and keys may be split by blanks.
    fn rest(&mut self) -> String {
        self.fields.by_ref().collect()
    }

    fn ds(&mut self) -> Result<Vec<u8>, String> {
        let key_tag: u16 = self.number("key tag")?;
        let algorithm = self.algorithm()?;
        let digest_type: u8 = self.number("digest type")?;
        let digest = HEXUPPER_PERMISSIVE
            .decode(self.rest().as_bytes())
            .map_err(|_| "the digest is not hexadecimal")?;
        Ok([
            &key_tag.to_be_bytes()[..],
            &[algorithm, digest_type],
            &digest,
        ]
        .concat())
    }

    fn dnskey(&mut self) -> Result<Vec<u8>, String> {
        let flags: u16 = self.number("flags field")?;
        let protocol: u8 = self.number("protocol number")?;
        let algorithm = self.algorithm()?;
        let key = BASE64
            .decode(self.rest().as_bytes())
            .map_err(|_| "the key is not Base64")?;
        Ok([&flags.to_be_bytes()[..], &[protocol, algorithm], &key].concat())
    }
}

/// Quotes the input, shortened and on one line.
fn quoted(field: &str) -> String {
    if field.is_empty() {
        return "nothing".into();
    }
    let mut short: String = field.chars().take(MAX_QUOTED_CHARS).collect();
    if short.len() < field.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::KeyState;
    use crate::anchor::TrustAnchors;
    use crate::rdata::Dnskey;

    const DIGEST: &str = "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";

    #[test]
    fn reads_what_servers_and_people_write() {
        let text = format!(
            "; comment\n\n. DS 20326 8 2 {DIGEST}\r\n\
             . IN 3600 DS 20326 8 2 {lower} ; comment\n\
             example.COM. 60 IN DS 20326 8 2 ( {a}\n\t{b} ) ; split\n\
             com DNSKEY 257 3 13 (\n AwEA\n AQ== )\n",
            lower = DIGEST.to_lowercase(),
            a = &DIGEST[..30],
            b = &DIGEST[30..],
        );
        let anchors: TrustAnchors = text.parse().unwrap();
        let owners: Vec<_> = anchors
            .iter()
            .map(|anchor| anchor.owner().to_string())
            .collect();
        assert_eq!(owners, [".", ".", "example.com.", "com."]);
        assert!(
            anchors
                .iter()
                .take(3)
                .all(|anchor| anchor.key_tag() == 20326)
        );
    }

    #[test]
    fn names_the_line_and_what_is_wrong_with_it() {
        for (text, line, problem) in [
            (". IN DS 1 8 2", 1, "length"),
            ("\n. IN DS 1 8 2 ABCD", 2, "length"),
            (". IN DS x 8 2 AB", 1, "\"x\" is not a valid key tag"),
            (". IN DS 1 8 2 XY", 1, "hexadecimal"),
            (". IN DNSKEY 257 3 8 !", 1, "Base64"),
            (". IN DNSKEY 257 3 8", 1, "missing"),
            (". IN TXT x", 1, "found \"TXT\""),
            (".", 1, "found nothing"),
            ("a..b IN DS", 1, "domain name"),
            (
                "$INCLUDE anchors",
                1,
                "\"$INCLUDE\" is not supported; only $ORIGIN and $TTL are",
            ),
            ("$TTL x", 1, "\"x\" is not a TTL"),
            ("$ORIGIN a..b", 1, "domain name"),
            ("$ORIGIN . . IN DS", 1, "unexpected \".\" after $ORIGIN"),
            (". CH DS 1 8 2 AB", 1, "its class is CH instead of IN"),
            (". IN IN DS 1 8 2 AB", 1, "IN and \"IN\" both stand"),
            (". 1 2 DS 1 8 2 AB", 1, "1 and \"2\" both stand"),
            (". IN DS 1 RSA 2 AB", 1, "\"RSA\" is not an algorithm"),
            (". IN DS 1 256 2 AB", 1, "\"256\" is not an algorithm"),
            (". IN DS ( 1", 1, "not closed"),
            (". IN DS 1 )", 1, "not balanced"),
        ] {
            let error = text.parse::<TrustAnchors>().unwrap_err();
            let is_it = matches!(
                &error,
                AnchorError::Line { line: found, problem: said } if *found == line && said.contains(problem)
            );
            assert!(is_it, "{text}: {error:?}");
        }
        assert_eq!(
            " ; nothing\n".parse::<TrustAnchors>(),
            Err(AnchorError::Empty)
        );
    }

    const KEY: &str = "AwEAAQ==";

    fn owners(text: &str) -> Vec<String> {
        let anchors: TrustAnchors = text.parse().unwrap();
        let owner = |anchor: &TrustAnchor| anchor.owner().to_string();
        anchors.iter().map(owner).collect()
    }

    #[test]
    fn a_leading_blank_means_the_owner_of_the_record_before() {
        let text = format!(
            "example. IN DS 1 8 2 {DIGEST}\n\tIN DS 2 8 2 {DIGEST}\n  3600 DS 3 8 2 {DIGEST}\n DNSKEY 257 3 8 {KEY}\n"
        );
        assert_eq!(owners(&text), ["example."; 4]);
        for (text, problem) in [
            (format!("  IN DS 6512 13 2 {DIGEST}"), "there is none"),
            (
                format!(". IN DS 1 8 2 {DIGEST}\n  com. IN DS 1 8 2 {DIGEST}"),
                "\"com.\" is not a type: remove the blank",
            ),
        ] {
            let error = text.parse::<TrustAnchors>().unwrap_err().to_string();
            assert!(error.contains("begins with a blank"), "{error}");
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn refuses_an_owner_that_reads_as_a_class_a_ttl_or_a_type() {
        for owner in [
            "IN", "in", "CH", "hs", "CS", "NONE", "ANY", "CLASS1", "86400", "0", "1h", "1D12H",
            "DS", "dnskey",
        ] {
            for text in [
                format!("{owner} DS 4642 13 2 {DIGEST}"),
                format!("{owner} IN DS 4642 13 2 {DIGEST}"),
                format!("{owner} 4642 13 2 {DIGEST}"),
                format!("$ORIGIN example.\n{owner} IN DS 4642 13 2 {DIGEST}"),
            ] {
                let error = text.parse::<TrustAnchors>().unwrap_err().to_string();
                assert!(error.contains("expected the owner"), "{text}: {error}");
            }
        }
        let text = format!(
            "in. IN DS 1 8 2 {DIGEST}\n86400. IN DS 1 8 2 {DIGEST}\n1h2 IN DS 1 8 2 {DIGEST}"
        );
        assert_eq!(owners(&text), ["in.", "86400.", "1h2."]);
    }

    #[test]
    fn follows_the_directives_of_zone_files() {
        let text = format!(
            "$TTL 1d12h ; of no interest\n$origin example.\n@ DS 1 8 2 {DIGEST}\nwww 60 DS 1 8 2 {DIGEST}\n\
             a\\. DS 1 8 2 {DIGEST}\n$ORIGIN sub\nx DS 1 8 2 {DIGEST}\ny. DS 1 8 2 {DIGEST}\n$ORIGIN .\ncom DS 1 8 2 {DIGEST}\n"
        );
        assert_eq!(
            owners(&text),
            [
                "example.",
                "www.example.",
                "a\\..example.",
                "x.sub.example.",
                "y.",
                "com."
            ]
        );
    }

    #[test]
    fn reads_the_mnemonics_of_algorithms() {
        let text = format!(
            ". IN DS 6512 ECDSAP256SHA256 2 {DIGEST}\n. IN DS 1 rsasha256 2 {DIGEST}\n. IN DNSKEY 257 3 Ed25519 {KEY}\n"
        );
        let anchors: TrustAnchors = text.parse().unwrap();
        let algorithms: Vec<_> = anchors.iter().map(|anchor| anchor.algorithm().0).collect();
        assert_eq!(algorithms, [13, 8, 15]);
    }

    /// A file as Unbound writes it.
    fn state_file(head: &str, keys: &[(&str, &str)]) -> String {
        let head = format!(
            "{head};;last_queried: 1764460800 ;;Sun Nov 30 00:00:00 2025\n;;query_failed: 0\n;;query_interval: 43200\n"
        );
        let line = |(key, state): &(&str, &str)| {
            format!(
                ".\t86400\tIN\tDNSKEY\t257 3 8 {key} ;{{id = 20326 (ksk), size = 2048b}} {state} ;;count=2 ;;lastchange=1764460800\n"
            )
        };
        [head].into_iter().chain(keys.iter().map(line)).collect()
    }

    const HEADER: &str = "; autotrust trust anchor file\n;;id: . 1\n";

    #[test]
    fn takes_only_the_keys_that_rfc_5011_trusts() {
        use KeyState::{AddPending, Removed, Revoked, Start, Unknown};
        let keys = [
            ("AwEAAQ==", ";;state=2 [  VALID  ]"),
            ("AwEAAg==", ";;state=3 [ MISSING ]"),
            ("AwEAAw==", ";;state=0 [  START  ]"),
            ("AwEABA==", ";;state=1 [ ADDPEND ]"),
            ("AwEABQ==", ";;state=4 [ REVOKED ]"),
            ("AwEABg==", ";;state=5 [ REMOVED ]"),
            ("AwEABw==", ";;state=6 [ UNKNOWN ]"),
            ("AwEACA==", ";;state=21"),
            ("AwEACQ==", ";;state="),
            ("AwEACg==", ";;state=2 ;;state=1"),
            ("AwEACw==", ""),
        ];
        let why = [
            Start, AddPending, Revoked, Removed, Unknown, Unknown, Unknown, Unknown, Unknown,
        ];
        // It is recognised by its header, by the line about its zone, and by its states alone.
        for head in [
            HEADER,
            "; autotrust trust anchor file\n",
            ";;id: . 1\n",
            "; mine\n",
        ] {
            let anchors: TrustAnchors = state_file(head, &keys).parse().unwrap();
            assert_eq!(anchors.iter().count(), 2, "{head}");
            let states: Vec<_> = anchors.left_out().iter().map(LeftOutKey::state).collect();
            assert_eq!(states, why, "{head}");
        }
    }

    #[test]
    fn says_of_each_key_that_is_left_out_which_it_is_and_why() {
        let keys = [
            ("AwEAAQ==", ";;state=2 [  VALID  ]"),
            ("AwEAAw==", ";;state=0 [  START  ]"),
            ("AwEABA==", ";;state=1 [ ADDPEND ]"),
            ("AwEABQ==", ";;state=4 [ REVOKED ]"),
            ("AwEABg==", ";;state=5 [ REMOVED ]"),
            ("AwEABw==", ";;state=6 [ UNKNOWN ]"),
        ];
        let why = [
            "not seen yet (RFC 5011 state START)",
            "not trusted yet (RFC 5011 state ADDPEND)",
            "revoked (RFC 5011)",
            "removed (RFC 5011 state REMOVED)",
            "without an RFC 5011 state, although the file has states for other keys",
        ];
        let anchors: TrustAnchors = state_file(HEADER, &keys).parse().unwrap();
        assert_eq!(anchors.left_out().len(), why.len());
        // Five lines stand before the first key, which is trusted.
        for ((left_out, why), line) in anchors.left_out().iter().zip(why).zip(7..) {
            assert_eq!(left_out.owner(), &Name::root());
            assert_eq!(left_out.algorithm(), Algorithm::RSASHA256);
            assert_eq!(left_out.line(), line);
            let tag = left_out.key_tag();
            assert_eq!(
                left_out.to_string(),
                format!("the key of . with tag {tag} (RSASHA256, line {line}) is {why}")
            );
        }
    }

    #[test]
    fn lists_four_keys_that_are_not_trusted_and_counts_the_others() {
        let message = |count: usize| {
            let keys = vec![("AwEAAQ==", ";;state=1"); count];
            let error = state_file(HEADER, &keys)
                .parse::<TrustAnchors>()
                .unwrap_err();
            error.to_string()
        };
        let key = |line: usize| {
            let tag = Dnskey::parse(&[1, 1, 3, 8, 3, 1, 0, 1]).unwrap().key_tag();
            format!(
                "the key of . with tag {tag} (RSASHA256, line {line}) is not trusted yet (RFC 5011 state ADDPEND)"
            )
        };
        let first = "it contains no trusted key:";
        let four = format!("{first} {}; {}; {}; {}", key(6), key(7), key(8), key(9));
        assert_eq!(message(1), format!("{first} {}", key(6)));
        assert_eq!(message(4), four);
        assert_eq!(message(6), format!("{four}; and 2 more"));
    }

    #[test]
    fn a_state_file_without_a_trusted_key_is_an_error_that_says_why() {
        let pending = [("AwEAAQ==", ";;state=1 [ ADDPEND ]")];
        let valid = [("AwEAAQ==", ";;state=2 [  VALID  ]")];
        let revoked = "; autotrust trust anchor file\n;;REVOKED\n;;id: . 1\n";
        for (text, reason) in [
            (state_file(HEADER, &pending), "ADDPEND"),
            (
                state_file(HEADER, &[("AwEAAQ==", "")]),
                "without an RFC 5011 state",
            ),
            (state_file(revoked, &valid), "revoked"),
        ] {
            let error = text.parse::<TrustAnchors>().unwrap_err();
            assert!(
                matches!(error, AnchorError::NoneTrusted(_)),
                "{text}: {error}"
            );
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
        assert_eq!(
            state_file(HEADER, &[]).parse::<TrustAnchors>(),
            Err(AnchorError::Empty)
        );
    }

    /// The state may be after the closing parenthesis, or at any other place.
    #[test]
    fn finds_the_state_of_a_key_on_several_lines() {
        let text = "; autotrust trust anchor file\n. IN DNSKEY 257 3 8 ( ;{id = 1}\n AwEAAQ== ) ;;state=1\n\
                    . IN DNSKEY 257 3 8 ( AwEA ;;state=2\n Ag== )\n";
        let anchors: TrustAnchors = text.parse().unwrap();
        assert_eq!((anchors.iter().count(), anchors.left_out().len()), (1, 1));
    }

    #[test]
    fn refuses_what_is_written_for_bind() {
        for (text, line) in [
            (
                "trust-anchors {\n  . initial-key 257 3 8 \"AwEAAQ==\";\n};\n",
                1,
            ),
            ("trust-anchors { . static-ds 20326 8 2 \"AB\"; };", 1),
            (
                "// mine\nManaged-Keys\n{ . initial-key 257 3 8 \"AwEAAQ==\"; };",
                2,
            ),
            ("trusted-keys{ . 257 3 8 \"AwEAAQ==\"; };", 1),
            (
                "$ORIGIN .\n$TTL 0\t; 0 seconds\n@\tIN SOA\t. . (\n\t1 ; serial\n\t)\n\
                 \t\tKEYDATA\t20241010000000 20240909000000 19700101000000 257 3 8 (\n\tAwEAAQ==\n\t) ; KSK\n",
                6,
            ),
            (
                ". 0 IN KEYDATA 20241010000000 20240909000000 19700101000000 257 3 8 AwEAAQ==",
                1,
            ),
        ] {
            let error = text.parse::<TrustAnchors>().unwrap_err();
            let is_it = matches!(error, AnchorError::Bind { line: found, .. } if found == line);
            assert!(is_it, "{text}: {error:?}");
        }
    }

    #[test]
    fn repeats_no_more_than_a_little_of_the_input() {
        let error = format!(". IN {}", "A".repeat(10_000))
            .parse::<TrustAnchors>()
            .unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
