//! The token: the JSON document that a bundle carries and signs.
//!
//! JSON as in RFC 8259, read strictly, since two readers that understand one signed document
//! differently are a way in: what other parsers quietly repair (a byte order mark, a lone surrogate, a
//! member given twice) is refused here. Members that this version does not know are ignored, so that
//! later ones can add to it.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::collections::btree_map;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::{AudienceError, Excerpt, TokenSyntaxError, VerifyError};

/// The content of a token: its audience and its claims.
///
/// Claims are the signer's own word: the signature proves who says them, not that they are true.
///
/// ```
/// use kliento::Token;
///
/// let token = Token::new("https://api.example.com".parse()?).with_claim("role", "admin");
/// assert_eq!(
///     token.to_json(),
///     br#"{"audience":"https://api.example.com","claims":{"role":"admin"}}"#,
/// );
/// assert_eq!(Token::from_json(&token.to_json())?, token);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    audience: Audience,
    claims: Claims,
}

impl Token {
    /// A token for `audience` without claims.
    ///
    /// An [`Audience`] is made from text, and is never empty: `Token::new("https://api.example.com".parse()?)`.
    pub fn new(audience: Audience) -> Self {
        Self {
            audience,
            claims: Claims::new(),
        }
    }

    /// This token with one more claim; one of the same name is replaced.
    ///
    /// Claims are strings: other values are written as `Display` has them, so that `7` is `"7"` and `true` is `"true"`.
    /// [`Claims::deserialise`] reads them back.
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.claims.insert(name, value);
        self
    }

    /// This token with `claims` in place of those that it had.
    #[must_use]
    pub fn with_claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// The server, or the part of it, that the token is for.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The claims of the token.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The audience and the claims, taken apart.
    pub fn into_parts(self) -> (Audience, Claims) {
        (self.audience, self.claims)
    }

    /// The JSON document: UTF-8, no white space, claims in the order of their names, and no member
    /// `claims` if there are none.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing strings and maps with string keys to memory can't fail, so the default is never used.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a token's JSON document.
    ///
    /// # Errors
    ///
    /// [`VerifyError::MalformedToken`] unless `json` is one JSON object in valid UTF-8, with nothing but white
    /// space around it, whose `audience` is a string that is not empty and whose `claims`, if there, is
    /// an object of strings; if `audience`, `claims` or a claim's name appears twice; if a string
    /// anywhere holds a lone surrogate; if values nest deeper than 127 levels or a number exceeds what a
    /// double can hold, which RFC 8259 §6 and §9 let a reader refuse. (Numbers stand in members alone that
    /// are ignored. Where a build turns on the feature `arbitrary_precision` of `serde_json`, numbers of any
    /// size are ignored there.)
    pub fn from_json(json: &[u8]) -> Result<Self, VerifyError> {
        // serde_json does not look at the UTF-8 of what it skips over.
        let text = core::str::from_utf8(json).map_err(TokenSyntaxError::encoding)?;
        if text.starts_with('\u{feff}') {
            return Err(TokenSyntaxError::byte_order_mark().into());
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let token = deserializer
            .deserialize_map(TokenVisitor)
            .and_then(|token| deserializer.end().map(|()| token))
            .map_err(|error| TokenSyntaxError::json(&error))?;
        Ok(token)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("audience", self.audience.as_str())?;
        if !self.claims.is_empty() {
            map.serialize_entry("claims", &self.claims)?;
        }
        map.end()
    }
}

/// The server that a token is for: any string that is not empty, most often the server's URL.
///
/// Text becomes one by `parse` or `TryFrom`, and only empty text does not: `"https://api.example.com".parse()?`.
///
/// Audiences match by exact equality, octet by octet: `https://api.example.com` and
/// `https://api.example.com/` are two audiences.
///
/// ```
/// use kliento::Audience;
///
/// let audience: Audience = "https://api.example.com".parse()?;
/// assert_eq!(audience.as_str(), "https://api.example.com");
/// assert!("".parse::<Audience>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience(Box<str>);

impl Audience {
    /// The audience as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = AudienceError;

    fn from_str(text: &str) -> Result<Self, AudienceError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<&str> for Audience {
    type Error = AudienceError;

    fn try_from(text: &str) -> Result<Self, AudienceError> {
        text.parse()
    }
}

impl TryFrom<String> for Audience {
    type Error = AudienceError;

    fn try_from(text: String) -> Result<Self, AudienceError> {
        if text.is_empty() {
            return Err(AudienceError);
        }
        Ok(Self(text.into_boxed_str()))
    }
}

impl AsRef<str> for Audience {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A token's claims: strings by name, in the order of the names.
///
/// ```
/// use kliento::Claims;
///
/// let claims: Claims = [("team", "platform"), ("role", "admin")].into_iter().collect();
/// assert_eq!(claims.get("role"), Some("admin"));
/// assert_eq!(claims.iter().next(), Some(("role", "admin")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims(BTreeMap<String, String>);

impl Claims {
    /// No claims.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a claim, and gives back the value that it replaces if there was one of that name. Claims are strings: other
    /// values are written as `Display` has them.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "so that callers need no reference to a number"
    )]
    pub fn insert(&mut self, name: impl Into<String>, value: impl ToString) -> Option<String> {
        self.0.insert(name.into(), value.to_string())
    }

    /// The value of the claim called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The claims as pairs of name and value.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number of claims.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no claims.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: ToString> FromIterator<(N, V)> for Claims {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(claims: I) -> Self {
        Self(
            claims
                .into_iter()
                .map(|(name, value)| (name.into(), value.to_string()))
                .collect(),
        )
    }
}

impl IntoIterator for Claims {
    type Item = (String, String);
    type IntoIter = btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Reads the outer object.
struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Token, M::Error> {
        let mut audience = None;
        let mut claims = None;
        while let Some(name) = members.next_key_seed(Text)? {
            match name.as_str() {
                "audience" if audience.is_some() => return Err(twice("member", &name)),
                "claims" if claims.is_some() => return Err(twice("member", &name)),
                "audience" => audience = Some(members.next_value_seed(AudienceSeed)?),
                "claims" => claims = Some(members.next_value_seed(ClaimsSeed)?),
                _ => members.next_value_seed(Skipped)?,
            }
        }
        Ok(Token {
            audience: audience.ok_or_else(|| de::Error::missing_field("audience"))?,
            claims: claims.unwrap_or_default(),
        })
    }
}

/// Reads a string, borrowed or not, and nothing else.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_string(self)
    }
}

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// Reads `audience`.
struct AudienceSeed;

impl<'de> DeserializeSeed<'de> for AudienceSeed {
    type Value = Audience;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Audience, D::Error> {
        Audience::try_from(Text.deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Reads `claims`.
struct ClaimsSeed;

impl<'de> DeserializeSeed<'de> for ClaimsSeed {
    type Value = Claims;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claims, D::Error> {
        // Not `deserialize_any`: with serde_json's `arbitrary_precision`, which any crate of a build can turn on for all,
        // that takes a number for an object of one string.
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ClaimsSeed {
    type Value = Claims;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of strings")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Claims, M::Error> {
        let mut claims = BTreeMap::new();
        while let Some(name) = members.next_key_seed(Text)? {
            match claims.entry(name) {
                btree_map::Entry::Occupied(claim) => return Err(twice("claim", claim.key())),
                btree_map::Entry::Vacant(claim) => claim.insert(members.next_value_seed(Text)?),
            };
        }
        Ok(Claims(claims))
    }
}

fn twice<E: de::Error>(what: &str, name: &str) -> E {
    E::custom(format_args!("{what} {} appears twice", Excerpt(name)))
}

/// Reads any value and forgets it, but refuses what is not JSON on the way. (`serde::de::IgnoredAny`
/// does not look inside strings, so lone surrogates would pass.)
struct Skipped;

impl<'de> DeserializeSeed<'de> for Skipped {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<(), S::Error> {
        while elements.next_element_seed(Skipped)?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        while members.next_key_seed(Text)?.is_some() {
            members.next_value_seed(Skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(audience: &str, claims: &[(&str, &str)]) -> Token {
        Token::new(audience.parse().unwrap()).with_claims(claims.iter().copied().collect())
    }

    fn refusal(json: &[u8]) -> String {
        let error = Token::from_json(json).expect_err("must be refused");
        assert_eq!(error.reason(), "kliento.malformed_token");
        assert!(!error.is_malformed(), "it is further inside than the form");
        let message = core::error::Error::source(&error).unwrap().to_string();
        assert!(message.len() < 300, "unbounded message: {message}");
        message
    }

    #[test]
    fn claims_of_any_type_are_written_as_text() {
        let token = Token::new("a".parse().unwrap())
            .with_claim("level", 7)
            .with_claim("is_admin", true)
            .with_claim("team", "platform")
            .with_claim("name", String::from("é"));
        assert_eq!(
            String::from_utf8(token.to_json()).unwrap(),
            r#"{"audience":"a","claims":{"is_admin":"true","level":"7","name":"é","team":"platform"}}"#
        );
        let claims: Claims = [("a", 1), ("b", -2)].into_iter().collect();
        assert_eq!((claims.get("a"), claims.get("b")), (Some("1"), Some("-2")));
    }

    #[test]
    fn an_audience_is_any_text_but_none() {
        let text = "https://api.example.com";
        let audience = Audience::try_from(text).unwrap();
        assert_eq!(text.parse(), Ok(audience.clone()));
        assert_eq!(Audience::try_from(text.to_owned()), Ok(audience.clone()));
        assert_eq!((audience.as_str(), audience.as_ref()), (text, text));
        assert_eq!(audience.to_string(), text);
        for error in [
            "".parse::<Audience>(),
            Audience::try_from(""),
            Audience::try_from(String::new()),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.reason(), "kliento.empty_audience");
            assert_eq!(error.to_string(), "the audience is empty");
        }
    }

    #[test]
    fn claims_are_counted_and_taken_in_the_order_of_their_names() {
        let mut claims = Claims::new();
        assert!(claims.is_empty());
        assert_eq!(claims.insert("team", "platform"), None);
        assert_eq!(claims.insert("role", "guest"), None);
        assert_eq!(claims.insert("role", "admin"), Some("guest".to_owned()));
        assert!(!claims.is_empty());
        assert_eq!((claims.len(), claims.iter().len()), (2, 2));
        let expected = [("role", "admin"), ("team", "platform")];
        assert!(claims.iter().eq(expected));
        let taken: Vec<_> = claims.into_iter().collect();
        assert_eq!(
            taken,
            expected.map(|(name, value)| (name.into(), value.into()))
        );
    }

    #[test]
    fn reads_what_a_token_may_be() {
        let cases: &[(&str, Token)] = &[
            (r#"{"audience":"a"}"#, token("a", &[])),
            (r#"{"audience":"a","claims":{}}"#, token("a", &[])),
            (
                " {\n\t\"claims\" : {\"b\":\"\",\"a\":\"1\"}, \"audience\":\"x\" }\r\n",
                token("x", &[("a", "1"), ("b", "")]),
            ),
            (
                r#"{"audience":"\u00e9\ud83d\ude00","claims":{"\"":"\u0000"}}"#,
                token("é😀", &[("\"", "\0")]),
            ),
            // Another audience than "a", for readers that end strings at a NUL, too.
            (
                r#"{"audience":"a\u0000b","claims":{"$serde_json::private::Number":"1"}}"#,
                token("a\0b", &[("$serde_json::private::Number", "1")]),
            ),
            (
                r#"{"audience":"a","claims":{"":"empty name"}}"#,
                token("a", &[("", "empty name")]),
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(
                &Token::from_json(json.as_bytes()).unwrap(),
                expected,
                "{json}"
            );
        }
    }

    #[test]
    fn ignores_unknown_members_of_any_kind() {
        let json = r#"{"v":[null,true,-1,1.5e3,"s",{"a":{"a":1,"a":2}}],"audience":"a","v":2}"#;
        assert_eq!(Token::from_json(json.as_bytes()).unwrap(), token("a", &[]));
    }

    #[test]
    fn skips_nothing_that_json_does_not_have() {
        let octets = de::value::BytesDeserializer::<de::value::Error>::new(b"x");
        let error = Skipped.deserialize(octets).unwrap_err();
        let message = "invalid type: byte array, expected any value";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn refuses_what_readers_could_understand_differently() {
        let nested = format!(
            r#"{{"audience":"a","x":{}{}}}"#,
            "[".repeat(200),
            "]".repeat(200)
        );
        let long = format!("\"{}\"", "x".repeat(5_000));
        let long_claims = format!(r#"{{"audience":"a","claims":"{}"}}"#, "x".repeat(5_000));
        let long_name = "n".repeat(5_000);
        let long_twice =
            format!(r#"{{"audience":"a","claims":{{"{long_name}":"1","{long_name}":"2"}}}}"#);
        let cases: &[(&str, &[u8], &str)] = &[
            ("nothing", b"", "EOF"),
            ("no JSON", b"audience=a", "expected value"),
            ("null", b"null", "expected an object"),
            ("an array", br#"["a"]"#, "expected an object"),
            ("a string", br#""a""#, "expected an object"),
            ("a long string", long.as_bytes(), "expected an object"),
            ("no audience", b"{}", "missing field `audience`"),
            (
                "no audience but claims",
                br#"{"claims":{}}"#,
                "missing field `audience`",
            ),
            (
                "a null audience",
                br#"{"audience":null}"#,
                "expected a string",
            ),
            (
                "an audience that is a number",
                br#"{"audience":1}"#,
                "expected a string",
            ),
            (
                "an audience that is an array",
                br#"{"audience":["a"]}"#,
                "expected a string",
            ),
            ("an empty audience", br#"{"audience":""}"#, "empty"),
            (
                "null claims",
                br#"{"audience":"a","claims":null}"#,
                "an object of strings",
            ),
            (
                "claims that are an array",
                br#"{"audience":"a","claims":[]}"#,
                "an object of strings",
            ),
            (
                "claims that are a number which a parser might keep as text",
                br#"{"audience":"a","claims":1e5}"#,
                "invalid type",
            ),
            (
                "claims that are a string",
                long_claims.as_bytes(),
                "an object of strings",
            ),
            (
                "a claim that is a number",
                br#"{"audience":"a","claims":{"n":1}}"#,
                "a string",
            ),
            (
                "a claim that is null",
                br#"{"audience":"a","claims":{"n":null}}"#,
                "a string",
            ),
            (
                "a claim that is an object",
                br#"{"audience":"a","claims":{"n":{}}}"#,
                "a string",
            ),
            (
                "two audiences",
                br#"{"audience":"a","audience":"a"}"#,
                "member \"audience\" appears twice",
            ),
            (
                "two audiences, one escaped",
                br#"{"audience":"a","audienc\u0065":"b"}"#,
                "member \"audience\" appears twice",
            ),
            (
                "two claim sets",
                br#"{"claims":{},"audience":"a","claims":{}}"#,
                "member \"claims\" appears twice",
            ),
            (
                "a claim twice",
                br#"{"audience":"a","claims":{"n":"1","n":"1"}}"#,
                "claim \"n\" appears twice",
            ),
            (
                "a claim twice, once escaped",
                br#"{"audience":"a","claims":{"role":"guest","r\u006fle":"admin"}}"#,
                "claim \"role\" appears twice",
            ),
            ("a long claim twice", long_twice.as_bytes(), "appears twice"),
            (
                "an audience by the name that serde_json has for numbers",
                br#"{"audience":{"$serde_json::private::Number":"1"}}"#,
                "expected a string",
            ),
            (
                "a claim by the name that serde_json has for raw values",
                br#"{"audience":"a","claims":{"n":{"$serde_json::private::RawValue":"\"x\""}}}"#,
                "a string",
            ),
            (
                "a byte order mark",
                b"\xef\xbb\xbf{\"audience\":\"a\"}",
                "byte order mark",
            ),
            ("UTF-16", b"\xff\xfe{\0}\0", "UTF-8"),
            (
                "invalid UTF-8 in the audience",
                b"{\"audience\":\"\xff\"}",
                "UTF-8",
            ),
            ("overlong UTF-8", b"{\"audience\":\"\xc0\x80\"}", "UTF-8"),
            (
                "an encoded surrogate",
                b"{\"audience\":\"\xed\xa0\x80\"}",
                "UTF-8",
            ),
            (
                "invalid UTF-8 in what is ignored",
                b"{\"audience\":\"a\",\"x\":\"\xff\"}",
                "UTF-8",
            ),
            (
                "a lone high surrogate",
                br#"{"audience":"\ud800"}"#,
                "hex escape",
            ),
            (
                "a lone low surrogate",
                br#"{"audience":"\udc00"}"#,
                "surrogate",
            ),
            (
                "a lone surrogate in a claim",
                br#"{"audience":"a","claims":{"n":"\ud800x"}}"#,
                "hex escape",
            ),
            (
                "a lone surrogate in what is ignored",
                br#"{"audience":"a","x":["\udc00"]}"#,
                "surrogate",
            ),
            (
                "a lone surrogate in an ignored name",
                br#"{"audience":"a","x":{"\udc00":1}}"#,
                "surrogate",
            ),
            (
                "a control character",
                b"{\"audience\":\"a\nb\"}",
                "control character",
            ),
            ("trailing data", br#"{"audience":"a"}{}"#, "trailing"),
            ("a trailing NUL", b"{\"audience\":\"a\"}\0", "trailing"),
            (
                "a trailing comma",
                br#"{"audience":"a",}"#,
                "trailing comma",
            ),
            (
                "a comment",
                br#"{"audience":"a"/**/}"#,
                "expected `,` or `}`",
            ),
            (
                "unquoted names",
                br#"{audience:"a"}"#,
                "key must be a string",
            ),
            ("an end that is missing", br#"{"audience":"a""#, "EOF"),
            ("deep nesting", nested.as_bytes(), "recursion limit"),
        ];
        for (attack, json, expected) in cases {
            let message = refusal(json);
            assert!(message.contains(expected), "{attack}: {message}");
        }
    }

    #[test]
    fn leaves_out_an_empty_claim_set_when_writing() {
        assert_eq!(token("a", &[]).to_json(), br#"{"audience":"a"}"#);
    }

    #[test]
    fn writes_claims_in_the_order_of_their_names() {
        assert_eq!(
            token("é\"", &[("b", "2"), ("a", "1\n")]).to_json(),
            "{\"audience\":\"é\\\"\",\"claims\":{\"a\":\"1\\n\",\"b\":\"2\"}}".as_bytes(),
        );
    }

    proptest::proptest! {
        #[test]
        fn reads_back_what_it_writes(
            audience in ".+",
            claims in proptest::collection::btree_map(".*", ".*", 0..8),
        ) {
            let audience = Audience::try_from(audience).unwrap();
            let token = Token::new(audience).with_claims(Claims(claims));
            proptest::prop_assert_eq!(Token::from_json(&token.to_json()).unwrap(), token);
        }

        #[test]
        fn never_panics_on_any_octets(json in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = Token::from_json(&json);
        }
    }
}
