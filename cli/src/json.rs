//! JSON from outside.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A value that is an object in JSON, and nothing else: what serde derives for a struct takes an array of its members, too,
/// which other readers of the same document would not.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Outer {
        name: String,
        inner: Option<Object<Inner>>,
    }

    #[derive(Deserialize)]
    struct Inner {
        name: String,
    }

    fn read(json: &str) -> Result<Outer, serde_json::Error> {
        serde_json::from_str::<Object<Outer>>(json).map(|Object(outer)| outer)
    }

    #[test]
    fn an_array_is_no_object() {
        let outer = read(r#"{"name":"a","inner":{"name":"b"}}"#).unwrap();
        assert_eq!(
            (outer.name.as_str(), outer.inner.unwrap().0.name.as_str()),
            ("a", "b")
        );
        assert!(
            read(r#"{"name":"a","inner":null}"#)
                .unwrap()
                .inner
                .is_none()
        );
        for json in [
            r#"["a",null]"#,
            r#"["a",{"name":"b"}]"#,
            r#"{"name":"a","inner":["b"]}"#,
            r#"{"name":"a","name":"a"}"#,
            r#"{"name":"a","inner":{"name":"b","name":"b"}}"#,
            "null",
            "\"a\"",
            "1",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
