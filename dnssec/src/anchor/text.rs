//! DS and DNSKEY records as lines of a zone file (RFC 1035 §5.1, RFC 4034 §§2.2 and 5.3).

use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};

use super::TrustAnchor;
use crate::name::Name;
use crate::validity::Validity;

/// Longest piece of input that a message repeats.
const MAX_QUOTED_CHARS: usize = 40;

/// Why a text holds no trust anchors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// There is no anchor in it at all.
    #[error(
        "no trust anchor in it: write DS or DNSKEY lines as in a zone file, or give IANA's root-anchors.xml"
    )]
    Empty,
    /// A line is no DS or DNSKEY record.
    #[error("line {line} is not a trust anchor: {problem}")]
    Line {
        /// Which line, counted from 1; of a record in parentheses the first.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The XML is broken, or not IANA's form (RFC 9718).
    #[error("not a root-anchors.xml: {0}")]
    Xml(String),
}

pub(super) fn parse(text: &str) -> Result<Vec<TrustAnchor>, AnchorError> {
    entries(text)?
        .into_iter()
        .map(|entry| {
            entry.anchor().map_err(|problem| AnchorError::Line {
                line: entry.line,
                problem,
            })
        })
        .collect()
}

/// One record: its fields, and the line that it starts on.
struct Entry<'t> {
    line: usize,
    fields: Vec<&'t str>,
}

/// Splits a text into records: comments go, parentheses join lines.
fn entries(text: &str) -> Result<Vec<Entry<'_>>, AnchorError> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut open = false;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line_number = index + 1;
        let content = line.split(';').next().unwrap_or_default();
        if !open {
            entries.push(Entry {
                line: line_number,
                fields: Vec::new(),
            });
        }
        for piece in content.split_inclusive(['(', ')']) {
            let (fields, parenthesis) = match piece.strip_suffix(['(', ')']) {
                Some(fields) => (fields, piece.chars().next_back()),
                None => (piece, None),
            };
            if let Some(entry) = entries.last_mut() {
                entry.fields.extend(fields.split_ascii_whitespace());
            }
            match parenthesis {
                Some('(') if !open => open = true,
                Some(')') if open => open = false,
                None => {}
                Some(_) => {
                    return Err(AnchorError::Line {
                        line: line_number,
                        problem: "its parentheses do not match".into(),
                    });
                }
            }
        }
    }
    if open {
        return Err(AnchorError::Line {
            line: entries.last().map_or(0, |entry| entry.line),
            problem: "its parenthesis is not closed".into(),
        });
    }
    entries.retain(|entry| !entry.fields.is_empty());
    Ok(entries)
}

impl Entry<'_> {
    fn anchor(&self) -> Result<TrustAnchor, String> {
        let mut fields = self.fields.iter().copied();
        let owner = fields.next().unwrap_or_default();
        if owner.starts_with('$') {
            return Err(format!(
                "{} is not understood; write each record's whole owner name",
                quoted(owner)
            ));
        }
        let owner: Name = owner
            .parse()
            .map_err(|error| format!("{} is no domain name: {error}", quoted(owner)))?;
        let is_ttl = |field: &&str| field.bytes().all(|octet| octet.is_ascii_digit());
        let is_class = |field: &&str| field.eq_ignore_ascii_case("IN");
        let record_type = fields
            .by_ref()
            .find(|field| !is_ttl(field) && !is_class(field))
            .unwrap_or_default();
        let mut rdata = Rdata { fields };
        if record_type.eq_ignore_ascii_case("DS") {
            let rdata = rdata.ds()?;
            TrustAnchor::from_ds(owner, &rdata, Validity::always())
                .ok_or_else(|| "the digest has not the length of its type".into())
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
}

/// The fields of a record's data that are not read yet.
struct Rdata<I> {
    fields: I,
}

impl<'t, I: Iterator<Item = &'t str>> Rdata<I> {
    fn number<N: std::str::FromStr>(&mut self, what: &str) -> Result<N, String> {
        let field = self.fields.next().unwrap_or_default();
        field
            .parse()
            .map_err(|_| format!("{} is no {what}", quoted(field)))
    }

    /// All that is left, as one string: digests and keys may be split by blanks.
    fn rest(&mut self) -> String {
        self.fields.by_ref().collect()
    }

    fn ds(&mut self) -> Result<Vec<u8>, String> {
        let key_tag: u16 = self.number("key tag")?;
        let algorithm: u8 = self.number("algorithm number")?;
        let digest_type: u8 = self.number("digest type")?;
        let digest = HEXUPPER_PERMISSIVE
            .decode(self.rest().as_bytes())
            .map_err(|_| "the digest is no hexadecimal number")?;
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
        let algorithm: u8 = self.number("algorithm number")?;
        let key = BASE64
            .decode(self.rest().as_bytes())
            .map_err(|_| "the key is not Base64")?;
        Ok([&flags.to_be_bytes()[..], &[protocol, algorithm], &key].concat())
    }
}

/// A piece of input, short and on one line.
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
    use crate::anchor::TrustAnchors;

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
            (". IN DS x 8 2 AB", 1, "\"x\" is no key tag"),
            (". IN DS 1 8 2 XY", 1, "hexadecimal"),
            (". IN DNSKEY 257 3 8 !", 1, "Base64"),
            (". IN DNSKEY 257 3 8", 1, "missing"),
            (". IN TXT x", 1, "found \"TXT\""),
            (".", 1, "found nothing"),
            ("a..b IN DS", 1, "domain name"),
            ("$ORIGIN .", 1, "whole owner name"),
            (". IN DS ( 1", 1, "not closed"),
            (". IN DS 1 )", 1, "do not match"),
        ] {
            match text.parse::<TrustAnchors>() {
                Err(AnchorError::Line {
                    line: found,
                    problem: said,
                }) => {
                    assert_eq!(found, line, "{text}");
                    assert!(said.contains(problem), "{text}: {said}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(
            " ; nothing\n".parse::<TrustAnchors>(),
            Err(AnchorError::Empty)
        );
    }

    #[test]
    fn repeats_no_more_than_a_little_of_the_input() {
        let error = format!(". IN {}", "A".repeat(10_000))
            .parse::<TrustAnchors>()
            .unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
