//! Claims as a type of the server's own: strings on the wire, and whatever they spell in code.

use core::fmt;

use serde::de::value::{
    BorrowedStrDeserializer, Error as ValueError, MapDeserializer, StrDeserializer,
};
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::Claims;
use crate::error::{Excerpt, shortened};

impl Claims {
    /// The claims as a `T`, which takes from them what it has fields for.
    ///
    /// Claims are strings. Where `T` has numbers or booleans, they are read as [`FromStr`](core::str::FromStr) reads
    /// them; where it has an enum without data, as the name of a variant. An `Option` is `None` where there is no such
    /// claim. What has no text of its own (a list, say) needs a `deserialize_with`. Below a `#[serde(flatten)]` all
    /// fields have to be strings, since `serde` does not say there what it expects.
    ///
    /// ```
    /// use kliento::Claims;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Badge {
    ///     role: Role,
    ///     level: u8,
    ///     team: Option<String>,
    /// }
    ///
    /// #[derive(Debug, Deserialize, PartialEq)]
    /// #[serde(rename_all = "lowercase")]
    /// enum Role {
    ///     Admin,
    ///     Operator,
    /// }
    ///
    /// let claims: Claims = [("role", "admin"), ("level", "7")].into_iter().collect();
    /// let badge: Badge = claims.deserialise()?;
    /// assert_eq!((badge.role, badge.level, badge.team), (Role::Admin, 7, None));
    /// # Ok::<(), kliento::ClaimsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] if a claim that `T` needs is missing, or spells nothing that it takes.
    #[doc(alias = "deserialize")]
    pub fn deserialise<'c, T: Deserialize<'c>>(&'c self) -> Result<T, ClaimsError> {
        let claims = self.iter().map(|(name, value)| {
            let key = BorrowedStrDeserializer::new(name);
            (key, Claim { name, value })
        });
        T::deserialize(MapDeserializer::new(claims))
            .map_err(|error: ValueError| ClaimsError(shortened(&error.to_string())))
    }
}

/// The reason why claims don't fit a type. It may quote them, cut short: for logs, not for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimsError(String);

impl fmt::Display for ClaimsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl core::error::Error for ClaimsError {}

/// One claim, to be read as what the type expects.
struct Claim<'c> {
    name: &'c str,
    value: &'c str,
}

impl Claim<'_> {
    /// Says in an error which claim it is about.
    fn named<T>(&self, outcome: Result<T, impl fmt::Display>) -> Result<T, ValueError> {
        let name = Excerpt(self.name);
        outcome.map_err(|error| ValueError::custom(format_args!("claim {name}: {error}")))
    }
}

impl<'c> IntoDeserializer<'c> for Claim<'c> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads what its text spells.
macro_rules! spelled {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            let value: $type = self.named(self.value.parse())?;
            self.named(visitor.$visit::<ValueError>(value))
        }
    )*};
}

impl<'de> Deserializer<'de> for Claim<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.named(visitor.visit_borrowed_str::<ValueError>(self.value))
    }

    spelled! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let variant: StrDeserializer<'_, ValueError> = self.value.into_deserializer();
        self.named(variant.deserialize_enum(name, variants, visitor))
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn claims(claims: &[(&str, &str)]) -> Claims {
        claims.iter().copied().collect()
    }

    #[derive(serde::Deserialize)]
    struct Level(u8);

    #[test]
    fn reads_claims_as_a_map_of_what_they_spell() {
        let numbers: BTreeMap<String, i64> =
            claims(&[("a", "1"), ("b", "-2")]).deserialise().unwrap();
        assert_eq!(
            numbers.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), 1), ("b".to_owned(), -2)]
        );
        let texts = claims(&[("a", "1")]);
        let borrowed: BTreeMap<&str, Option<&str>> = texts.deserialise().unwrap();
        assert_eq!(borrowed.get("a"), Some(&Some("1")));
        let levels: BTreeMap<String, Level> = claims(&[("a", "7")]).deserialise().unwrap();
        assert_eq!(levels["a"].0, 7);
        let flags: BTreeMap<String, bool> = claims(&[("a", "true")]).deserialise().unwrap();
        assert!(flags["a"]);
    }

    #[test]
    fn says_which_claim_spells_nothing_that_is_expected() {
        fn fault<T: for<'c> Deserialize<'c> + fmt::Debug>(value: &str) -> String {
            let error = claims(&[("level", value)])
                .deserialise::<BTreeMap<String, T>>()
                .unwrap_err();
            error.to_string()
        }
        for (fault, expected) in [
            (fault::<u8>("256"), "number too large"),
            (fault::<u8>("-1"), "invalid digit"),
            (fault::<u8>(" 1"), "invalid digit"),
            (fault::<u8>(""), "empty string"),
            (fault::<bool>("True"), "`true` or `false`"),
            (fault::<Option<u8>>("x"), "invalid digit"),
            (fault::<Vec<u8>>("1"), "invalid type: string \"1\""),
        ] {
            assert!(fault.starts_with("claim \"level\": "), "{fault}");
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn quotes_no_more_of_a_claim_than_fits_in_a_message() {
        let long = "x".repeat(10_000);
        let error = claims(&[(&long, &long)]).deserialise::<BTreeMap<String, Vec<u8>>>();
        assert!(error.unwrap_err().to_string().len() < 300);
    }

    #[test]
    fn takes_no_claims_for_a_type_that_has_no_fields_for_any() {
        let none: BTreeMap<String, String> = Claims::new().deserialise().unwrap();
        assert!(none.is_empty());
    }
}
