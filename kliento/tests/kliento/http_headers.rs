//! `Authorization<Kliento>` of the crate `headers`.

use crate::http_support::{CHAIN, GOOD, largest, tampered, token, verifier};
use headers::{Authorization, HeaderMap, HeaderMapExt, HeaderValue};
use kliento::http::headers::Kliento;

fn fields(authorization: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::header::AUTHORIZATION,
        HeaderValue::from_str(authorization).unwrap(),
    )])
}

#[test]
fn reads_a_token_and_verifies_it_only_when_asked_to() {
    let Authorization::<Kliento>(good) = fields(&GOOD).typed_get().unwrap();
    assert_eq!(
        good.verify(&verifier()).unwrap().subject(),
        "alice@example.com"
    );
    assert_eq!(
        good.unverified_bundle(),
        kliento::header::decode(&*GOOD).unwrap()
    );

    let Authorization::<Kliento>(bad) = fields(&tampered()).typed_get().unwrap();
    let refusal = bad.verify(&verifier()).unwrap_err();
    assert_eq!(refusal.reason(), "cms.bad_signature");
}

#[test]
fn reads_no_more_than_the_header_module_does() {
    let too_large = format!("Kliento {}", "A".repeat(22_000));
    for value in [
        "Bearer abc",
        "Kliento",
        "Kliento ",
        "Kliento !",
        "Kliento A A",
        "Kliento\tAAEC",
        &too_large,
    ] {
        let credentials = fields(value).typed_try_get::<Authorization<Kliento>>();
        assert!(credentials.is_err(), "{value}");
    }
    let absent = HeaderMap::new().typed_try_get::<Authorization<Kliento>>();
    assert!(absent.unwrap().is_none());
}

#[test]
fn writes_a_field_that_is_marked_as_sensitive_and_prints_nothing_of_it() {
    let credentials = Kliento::from_bundle(&CHAIN.token(&token())).unwrap();
    assert_eq!(format!("{credentials:?}"), "Kliento { value: Sensitive }");
    assert!(credentials.as_header_value().is_sensitive());

    let mut fields = HeaderMap::new();
    fields.typed_insert(Authorization(credentials.clone()));
    let value = fields.get("authorization").unwrap();
    assert!(value.is_sensitive());
    assert_eq!(value, credentials.as_header_value());
    let Authorization::<Kliento>(read) = fields.typed_get().unwrap();
    assert_eq!(read, credentials);
}

#[test]
fn writes_the_scheme_in_one_spelling_whatever_was_read() {
    let odd = GOOD.replacen("Kliento ", "kLIENTO   ", 1);
    let Authorization::<Kliento>(credentials) = fields(&odd).typed_get().unwrap();
    let mut fields = HeaderMap::new();
    fields.typed_insert(Authorization(credentials));
    assert_eq!(fields.get("authorization").unwrap(), &*GOOD);
}

#[test]
fn holds_the_largest_bundle_and_none_that_is_larger() {
    let largest = kliento::header::decode(largest()).unwrap();
    let credentials = Kliento::from_bundle(&largest).unwrap();
    assert!(credentials.verify(&verifier()).is_ok());
    let refusal = Kliento::from_bundle(&vec![0; largest.len() + 1]).unwrap_err();
    assert_eq!(refusal.reason(), "kliento.bundle_too_large");
    let refusal = Kliento::from_bundle(&[]).unwrap_err();
    assert_eq!(refusal.reason(), "kliento.malformed_header");
}
