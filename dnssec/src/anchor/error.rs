//! The reasons why a text holds no trust anchors, with hints on what to do.

use super::LeftOutKey;

/// The reason why a text holds no trust anchors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// The text has no anchor at all.
    #[error(
        "it contains no trust anchor: write DS or DNSKEY lines as in a zone file, or use IANA's root-anchors.xml"
    )]
    Empty,
    /// A line is not a DS or DNSKEY record.
    #[error("line {line} is not a trust anchor: {problem}")]
    #[non_exhaustive]
    Line {
        /// The number of the line, counted from 1; the first line of a record in parentheses.
        line: usize,
        /// The problem with it.
        problem: String,
    },
    /// All keys in the text are in a state in which RFC 5011 does not trust them.
    #[error("it contains no trusted key: {}", list(.0))]
    NoneTrusted(Vec<LeftOutKey>),
    /// The text is written for BIND, in a form that is not supported.
    #[error("line {line} is {form}, which is not supported: write DS or DNSKEY lines instead")]
    #[non_exhaustive]
    Bind {
        /// The number of the line, counted from 1.
        line: usize,
        /// The name of the form.
        form: &'static str,
    },
    /// The text is XML, which cannot be read without the feature `xml` of this crate.
    #[error(
        "it is XML, and the program was built without reading that: write DS or DNSKEY lines instead"
    )]
    XmlNotBuilt,
    /// The XML is malformed, or does not have IANA's form (RFC 9718).
    #[error("not a root-anchors.xml: {0}")]
    Xml(String),
}

/// The number of keys that a message lists.
const MAX_LISTED: usize = 4;

fn list(keys: &[LeftOutKey]) -> String {
    let mut listed: Vec<String> = keys
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    if keys.len() > MAX_LISTED {
        listed.push(format!("and {} more", keys.len() - MAX_LISTED));
    }
    listed.join("; ")
}

impl AnchorError {
    /// Returns a sentence about what the author of the text can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Line { .. } | Self::XmlNotBuilt => {
                "write DS or DNSKEY lines as in a zone file, such as `. IN DS 20326 8 2 E06D44B8…`"
            }
            Self::NoneTrusted(_) => {
                "let the program that maintains the file, such as Unbound, update it, or fetch the anchors again with `unbound-anchor`"
            }
            Self::Bind { .. } => {
                "`dnssec-dsfromkey` writes DS lines from a zone's DNSKEY records, as in `dig . DNSKEY | dnssec-dsfromkey -f - .`; compare them with IANA's"
            }
            Self::Xml(_) => {
                "give the XML file as IANA publishes it at https://data.iana.org/root-anchors/root-anchors.xml"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_a_hint_about_its_form() {
        let lines =
            "write DS or DNSKEY lines as in a zone file, such as `. IN DS 20326 8 2 E06D44B8…`";
        let line = AnchorError::Line {
            line: 1,
            problem: "it is empty".into(),
        };
        for error in [AnchorError::Empty, line, AnchorError::XmlNotBuilt] {
            assert_eq!(error.hint(), lines, "{error}");
        }
        let bind = AnchorError::Bind {
            line: 1,
            form: "a key of managed-keys.bind",
        };
        for (error, mentioned) in [
            (AnchorError::NoneTrusted(Vec::new()), "`unbound-anchor`"),
            (bind, "`dnssec-dsfromkey` writes DS lines"),
            (
                AnchorError::Xml("it is empty".into()),
                "https://data.iana.org/root-anchors/root-anchors.xml",
            ),
        ] {
            assert!(error.hint().contains(mentioned), "{error}");
            assert_ne!(error.hint(), lines, "{error}");
        }
    }
}
