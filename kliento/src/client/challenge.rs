//! The challenges of `WWW-Authenticate` (RFC 9110 §11.6.1), by which a server asks for a Kliento
//! token.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

use crate::header::SCHEME;

/// Returns whether one of the challenges in these fields is for the scheme `Kliento`.
pub(super) fn asks_for_kliento(fields: &HeaderMap) -> bool {
    fields
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .any(|value| elements(value.as_bytes()).any(begins_kliento_challenge))
}

/// An element of the list is a parameter of the last challenge, or a scheme and perhaps its first
/// parameter.
fn begins_kliento_challenge(element: &[u8]) -> bool {
    let word = element
        .split(|octet| matches!(octet, b' ' | b'\t'))
        .next()
        .unwrap_or_default();
    word.eq_ignore_ascii_case(SCHEME.as_bytes())
}

/// The parts between commas, except commas in quoted strings (RFC 9110 §5.6.4).
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    value
        .split(move |&octet| {
            let was_escaped = core::mem::take(&mut is_escaped);
            match octet {
                b'"' if !was_escaped => is_quoted = !is_quoted,
                b'\\' if is_quoted && !was_escaped => is_escaped = true,
                b',' => return !is_quoted,
                _ => {}
            }
            false
        })
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(values: &[&'static str]) -> bool {
        let mut fields = HeaderMap::new();
        for value in values {
            fields.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        asks_for_kliento(&fields)
    }

    #[test]
    fn finds_the_scheme_among_challenges() {
        for values in [
            &["Kliento"][..],
            &["kliento"],
            &["Kliento realm=\"a\""],
            &["Basic realm=\"a, b\", charset=\"UTF-8\", Kliento"],
            &["Basic realm=\"a\\\"\", Kliento realm=x"],
            &["Basic realm=\"a\"", "Bearer", "KLIENTO"],
            &[" ,, Kliento"],
        ] {
            assert!(asks(values), "{values:?}");
        }
    }

    #[test]
    fn takes_nothing_else_for_it() {
        for values in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Klientos"],
            &["Basic realm=\"a, Kliento\""],
            &["Basic realm=\"\\\", Kliento\""],
            &["Basic Kliento"],
            &["Bearer Kliento=1"],
            &["Bearer a=1, Kliento=1"],
        ] {
            assert!(!asks(values), "{values:?}");
        }
    }
}
