//! The fields that tell a backend who sent a request, and those by which a client might try to.
//!
//! | field | value |
//! |---|---|
//! | `X-Kliento-Subject` | `alice@example.com`, or `example.com` for its bot |
//! | `X-Kliento-Organisation` | `example.com`, in A-labels |
//! | `X-Kliento-User` | `alice`; not there for a bot |
//! | `X-Kliento-Signed-By` | `member` or `organisation` |
//! | `X-Kliento-Claim-<name>` | the value of a claim |
//!
//! A backend decides by the subject, and takes a request without one for one that nobody vouches for.
//!
//! # Values
//!
//! Percent-encoded (RFC 3986 §2.1) as far as a field's value can't hold them: a percent sign, whatever is not printable
//! ASCII, octet by octet of its UTF-8, and a space at either end; and braces, in which Caddy has placeholders. In the
//! subject and the user a comma too, which some servers take for the end of a value. Percent-decoding gives the value back,
//! so no two values look alike.
//!
//! # Claims
//!
//! A claim is sent if its name is one of lower-case letters, digits and inner hyphens, so that no two names become one
//! field: `project_id` and `Project-Id` would, for a CGI program. Others are sent under the name that a rule gives
//! them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use http::header::UPGRADE;
use http::{HeaderMap, HeaderName, HeaderValue};
use kliento::VerifiedToken;

use crate::document::signer_name;
use crate::serve::config::Text;

/// The start of the names of all fields that say who sent a request.
const PREFIX: &str = "x-kliento-";
pub(crate) const SUBJECT: HeaderName = HeaderName::from_static("x-kliento-subject");
pub(crate) const ORGANISATION: HeaderName = HeaderName::from_static("x-kliento-organisation");
pub(crate) const USER: HeaderName = HeaderName::from_static("x-kliento-user");
pub(crate) const SIGNED_BY: HeaderName = HeaderName::from_static("x-kliento-signed-by");
/// The reason code of a refusal. It is in refusals only, and a client that sends it to a backend is refused as for all names
/// that start like this.
pub(crate) const REASON: HeaderName = HeaderName::from_static("x-kliento-reason");
const CLAIM_PREFIX: &str = "x-kliento-claim-";

/// The most octets of all fields of ours, each with its colon, space and line end. The head of an answer to nginx's
/// `auth_request` must fit in one buffer of 4,096 octets (`proxy_buffer_size`); the rest of them is for the status line
/// and the other fields. Proxies drop or truncate nothing, and neither do we: what does not fit is refused.
const MAX_OCTETS: usize = 3_584;
/// Colon, space, CR and LF.
const FIELD_OVERHEAD: usize = 4;

/// Tells whether a client that sends a field of this name could mean to pass for somebody. Gateways in the style of CGI
/// (RFC 3875 §4.1.18) make underscores of hyphens, and some of anything that is no letter or digit, so all of these are
/// one.
pub(crate) fn is_reserved(name: &str) -> bool {
    let mut octets = name.bytes();
    PREFIX.bytes().all(|expected| {
        octets.next().is_some_and(|octet| match expected {
            b'-' => !octet.is_ascii_alphanumeric(),
            letter => octet.eq_ignore_ascii_case(&letter),
        })
    })
}

/// Tells whether a request asks for no upgrade (RFC 9110 §7.8), or for one to WebSocket (RFC 6455 §4.1).
///
/// After an upgrade a proxy copies octets without reading them. A backend that takes `h2c` (RFC 7540 §3.2) then answers
/// any number of requests that neither the proxy nor this process has seen, so nothing but WebSocket, named once and by
/// itself, gets through. `HTTP2-Settings` without `Upgrade` asks for nothing, and proxies that drop `Upgrade` pass it on
/// from honest clients.
pub(crate) fn keeps_its_protocol(fields: &HeaderMap) -> bool {
    let mut values = fields.get_all(UPGRADE).iter();
    match (values.next(), values.next()) {
        (None, _) => true,
        (Some(value), None) => value.as_bytes().eq_ignore_ascii_case(b"websocket"),
        (Some(_), Some(_)) => false,
    }
}

/// The names under which a rule has claims sent, whatever they are called.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClaimFields(BTreeMap<String, HeaderName>);

impl ClaimFields {
    /// Reads `claim = "Field-Name"` pairs; `X-Kliento-Claim-` goes in front of each field.
    pub(crate) fn new(pairs: BTreeMap<String, Text<ClaimField>>) -> Result<Self, String> {
        let mut fields: BTreeMap<String, HeaderName> = BTreeMap::new();
        for (claim, Text(ClaimField(field))) in pairs {
            if let Some((other, _)) = fields.iter().find(|(_, taken)| **taken == field) {
                return Err(format!(
                    "the claims {other:?} and {claim:?} would both be sent as {field}"
                ));
            }
            fields.insert(claim, field);
        }
        Ok(Self(fields))
    }

    /// The field for a claim, if it is sent at all.
    fn field_of(&self, claim: &str) -> Option<HeaderName> {
        if let Some(field) = self.0.get(claim) {
            return Some(field.clone());
        }
        let field = claim_field(claim)?;
        // A field that a rule gives to one claim is not for another that happens to be called so.
        self.0
            .values()
            .all(|taken| *taken != field)
            .then_some(field)
    }

    /// The fields that are for some claim by name.
    fn fields(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.values()
    }
}

/// The end of a field's name, as a rule gives it.
#[derive(Clone, Debug)]
pub(crate) struct ClaimField(HeaderName);

impl FromStr for ClaimField {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        claim_field(&text.to_ascii_lowercase()).map(Self).ok_or_else(|| {
            format!(
                "{text:?} can't be the end of a field name: use letters, digits and inner hyphens; X-Kliento-Claim- is \
                 added in front"
            )
        })
    }
}

/// `None` unless the name is one of lower-case letters, digits and inner hyphens.
fn claim_field(name: &str) -> Option<HeaderName> {
    if !is_plain_name(name) {
        return None;
    }
    HeaderName::from_bytes(format!("{CLAIM_PREFIX}{name}").as_bytes()).ok()
}

/// Lower-case letters, digits and hyphens, these neither first nor last.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    !name.is_empty()
        && name.bytes().all(|octet| plain(octet) || octet == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A token's subject or claims do not fit in the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdentityTooLarge;

impl fmt::Display for IdentityTooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the identity and its claims take more than {MAX_OCTETS} bytes as header fields"
        )
    }
}

/// The fields for a verified token.
pub(crate) fn identity(
    token: &VerifiedToken,
    claims: &ClaimFields,
) -> Result<HeaderMap, IdentityTooLarge> {
    let mut fields = Fields::default();
    let id = token.member_id();
    fields.add(SUBJECT, &encode(token.subject(), is_plain_in_names))?;
    fields.add(ORGANISATION, id.organisation().as_str())?;
    if let Some(user) = id.user() {
        fields.add(USER, &encode(user.as_str(), is_plain_in_names))?;
    }
    fields.add(SIGNED_BY, signer_name(token.signed_by()))?;
    for (name, value) in token.claims().iter() {
        if let Some(field) = claims.field_of(name) {
            fields.add(field, &encode(value, is_plain))?;
        }
    }
    Ok(fields.map)
}

/// The fields that an identity can have and this one lacks: a proxy that passes fields on should drop those that a client
/// sent.
pub(crate) fn absent(identity: &HeaderMap, claims: &ClaimFields) -> Vec<HeaderName> {
    [SUBJECT, ORGANISATION, USER, SIGNED_BY]
        .iter()
        .chain(claims.fields())
        .filter(|name| !identity.contains_key(*name))
        .cloned()
        .collect()
}

#[derive(Default)]
struct Fields {
    map: HeaderMap,
    octets: usize,
}

impl Fields {
    fn add(&mut self, name: HeaderName, value: &str) -> Result<(), IdentityTooLarge> {
        self.octets = self
            .octets
            .saturating_add(name.as_str().len())
            .saturating_add(value.len())
            .saturating_add(FIELD_OVERHEAD);
        if self.octets > MAX_OCTETS {
            return Err(IdentityTooLarge);
        }
        // What is encoded is printable ASCII, so the error never happens; if it did, it would refuse.
        let value = HeaderValue::from_str(value).map_err(|_| IdentityTooLarge)?;
        self.map.insert(name, value);
        Ok(())
    }
}

fn is_plain(octet: u8) -> bool {
    matches!(octet, b' '..=b'~') && !matches!(octet, b'%' | b'{' | b'}')
}

fn is_plain_in_names(octet: u8) -> bool {
    is_plain(octet) && octet != b','
}

/// Percent-encodes what is not plain, and spaces at either end, which would be taken for padding.
fn encode(value: &str, is_plain: fn(u8) -> bool) -> String {
    let inner = value.trim_matches(' ');
    let start = value
        .len()
        .saturating_sub(value.trim_start_matches(' ').len());
    let mut encoded = String::with_capacity(value.len());
    for (index, octet) in value.bytes().enumerate() {
        let is_padding = index < start || index >= start.saturating_add(inner.len());
        if is_plain(octet) && !is_padding {
            encoded.push(char::from(octet));
        } else {
            // Writing to memory never fails.
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use kliento::Token;
    use kliento::testing::TrustChain;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CHAIN: LazyLock<TrustChain> = LazyLock::new(|| TrustChain::new("example.com", "alice"));

    const AUDIENCE: &str = "https://api.example.com";

    fn token_with(claims: &[(&str, &str)]) -> VerifiedToken {
        let claims = claims.iter().copied().collect();
        let token = Token::new(AUDIENCE.parse().unwrap()).with_claims(claims);
        let verifier = CHAIN.verifier(AUDIENCE);
        verifier.verify_bundle(&CHAIN.token(&token)).unwrap()
    }

    fn mapping(pairs: &[(&str, &str)]) -> Result<ClaimFields, String> {
        let pairs = pairs.iter().map(|(claim, field)| {
            let field = field.parse::<ClaimField>().unwrap();
            ((*claim).to_owned(), Text(field))
        });
        ClaimFields::new(pairs.collect())
    }

    fn lines(fields: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    /// Decodes a value as a backend does.
    fn decode(value: &str) -> String {
        let mut octets = Vec::new();
        let mut rest = value.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            if first == b'%' {
                let digits = std::str::from_utf8(&after[..2]).unwrap();
                octets.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &after[2..];
            } else {
                octets.push(first);
                rest = after;
            }
        }
        String::from_utf8(octets).unwrap()
    }

    #[test]
    fn tells_who_signed_what() {
        let fields = identity(&token_with(&[("role", "admin")]), &ClaimFields::default()).unwrap();
        assert_eq!(
            lines(&fields),
            [
                "x-kliento-claim-role: admin",
                "x-kliento-organisation: example.com",
                "x-kliento-signed-by: member",
                "x-kliento-subject: alice@example.com",
                "x-kliento-user: alice",
            ]
        );
        assert!(absent(&fields, &ClaimFields::default()).is_empty());
    }

    #[test]
    fn a_bot_has_no_user_and_whoever_passes_fields_on_is_told_so() {
        let chain = TrustChain::for_bot("example.com");
        let token = Token::new(AUDIENCE.parse().unwrap());
        let verified = chain
            .verifier(AUDIENCE)
            .verify_bundle(&chain.token(&token))
            .unwrap();
        let mapped = mapping(&[("project_id", "Project-Id")]).unwrap();
        let fields = identity(&verified, &mapped).unwrap();
        assert!(!fields.contains_key(USER));
        assert_eq!(fields[SUBJECT], "example.com");
        let absent: Vec<String> = absent(&fields, &mapped)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(absent, ["x-kliento-user", "x-kliento-claim-project-id"]);
    }

    #[test]
    fn sends_claims_whose_names_can_not_be_taken_for_others() {
        let sent = [("a", ""), ("a-b", "1"), ("0", "2")];
        let kept_back = [
            ("A", "x"),
            ("a_b", "x"),
            ("-a", "x"),
            ("a-", "x"),
            ("-", "x"),
            ("a b", "x"),
            ("a:b", "x"),
            ("a\r\nx-kliento-subject", "x"),
            ("é", "x"),
            ("", "x"),
        ];
        let all: Vec<(&str, &str)> = sent.iter().chain(&kept_back).copied().collect();
        let fields = identity(&token_with(&all), &ClaimFields::default()).unwrap();
        let claims: Vec<String> = lines(&fields)
            .into_iter()
            .filter(|line| line.starts_with(CLAIM_PREFIX))
            .collect();
        assert_eq!(
            claims,
            [
                "x-kliento-claim-0: 2",
                "x-kliento-claim-a-b: 1",
                "x-kliento-claim-a: "
            ]
        );
    }

    #[test]
    fn a_field_that_is_given_to_a_claim_is_for_no_other() {
        let mapped = mapping(&[("project_id", "Project-Id")]).unwrap();
        let token = token_with(&[("project_id", "mapped"), ("project-id", "plain")]);
        assert_eq!(
            identity(&token, &mapped).unwrap()["x-kliento-claim-project-id"],
            "mapped"
        );
        let token = token_with(&[("project-id", "plain")]);
        assert!(
            !identity(&token, &mapped)
                .unwrap()
                .contains_key("x-kliento-claim-project-id")
        );
    }

    #[test]
    fn two_claims_can_not_be_given_one_field() {
        mapping(&[("a_b", "A-B"), ("a.b", "a-b")]).unwrap_err();
        for field in ["", "-a", "a-", "a_b", "a b", "a:b", "é", "a\n"] {
            field.parse::<ClaimField>().expect_err(field);
        }
    }

    #[test]
    fn values_can_break_out_of_nothing() {
        for (value, encoded) in [
            ("admin", "admin"),
            ("a,b; c=\"d\"", "a,b; c=\"d\""),
            (" a ", "%20a%20"),
            ("  ", "%20%20"),
            ("", ""),
            ("100%", "100%25"),
            ("{http.request.host}", "%7Bhttp.request.host%7D"),
            ("%41", "%2541"),
            ("a\r\nX-Kliento-Subject: b", "a%0D%0AX-Kliento-Subject: b"),
            ("a\0\t\u{7f}", "a%00%09%7F"),
            ("é", "%C3%A9"),
            ("\u{202e}", "%E2%80%AE"),
        ] {
            assert_eq!(encode(value, is_plain), encoded, "{value:?}");
        }
        assert_eq!(
            encode("bank.com, x@evil.com", is_plain_in_names),
            "bank.com%2C x@evil.com"
        );
    }

    #[test]
    fn refuses_an_identity_that_a_proxy_could_not_take() {
        let room = |octets: usize| {
            let token = token_with(&[("x", "y".repeat(octets).as_str())]);
            identity(&token, &ClaimFields::default())
        };
        let empty = room(0).unwrap();
        let taken: usize = empty
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD)
            .sum();
        room(MAX_OCTETS - taken).unwrap();
        assert_eq!(room(MAX_OCTETS - taken + 1).unwrap_err(), IdentityTooLarge);
    }

    #[test]
    fn knows_fields_of_ours_however_they_are_spelt() {
        for name in [
            "x-kliento-subject",
            "X-Kliento-Subject",
            "X_KLIENTO_SUBJECT",
            "x_kliento-claim_role",
            "x.kliento.user",
            "x-kliento-",
            "x-kliento-anything",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "authorization",
            "x-kliento",
            "x-klientos",
            "kliento-subject",
            "xkliento-a",
            "x-original-uri",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_two_values_look_alike(value in any::<String>()) {
            for plain in [is_plain as fn(u8) -> bool, is_plain_in_names] {
                let encoded = encode(&value, plain);
                prop_assert!(encoded.bytes().all(|octet| matches!(octet, b' '..=b'~')));
                prop_assert_eq!(encoded.trim(), &encoded);
                prop_assert_eq!(decode(&encoded), value.clone());
            }
        }
    }
}
