//! The methods of requests (RFC 9110 §9), as rules name them.
//!
//! Methods are case-sensitive, and a backend may not know it: Symfony makes capitals of them. Nor need a request's method
//! be the one in its first line: many frameworks take another from a field. So a rule is asked about a method, as about a
//! path, whether it covers it in [every reading](Certainty::InEveryReading) and in [some](Certainty::InSomeReading).

use std::str::FromStr;

use http::HeaderMap;
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, COOKIE, HeaderName, ORIGIN, UPGRADE,
};

use super::path::Certainty;

const GET: &str = "GET";
const HEAD: &str = "HEAD";
pub(crate) const OPTIONS: &str = "OPTIONS";

/// IANA's registry of methods, and those beside it that Node.js reads. Others are more often misspelt than meant: a rule
/// that misspells its method covers nothing, and the next one decides.
const KNOWN: [&str; 46] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    GET,
    HEAD,
    "LABEL",
    "LINK",
    "LOCK",
    "M-SEARCH",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "NOTIFY",
    OPTIONS,
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// A method that a rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MethodName(&'static str);

impl MethodName {
    pub(crate) const fn as_str(self) -> &'static str {
        self.0
    }
}

impl FromStr for MethodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = KNOWN
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(text));
        match known {
            Some(name) if name == text => Ok(Self(name)),
            Some(name) => Err(format!(
                "{text:?} is not a method: methods are case-sensitive, write {name:?}"
            )),
            None => Err(format!(
                "{text:?} is not a registered method; to cover all methods, leave the key methods out"
            )),
        }
    }
}

/// The methods that a rule covers: all if it names none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Methods(Vec<MethodName>);

impl Methods {
    pub(crate) fn new(names: Vec<MethodName>) -> Result<Self, String> {
        let methods = Self(names);
        match (methods.names(GET), methods.names(HEAD)) {
            (true, false) | (false, true) => Err(
                "servers answer HEAD like GET, so `methods` must have both of them or neither"
                    .to_owned(),
            ),
            _ => Ok(methods),
        }
    }

    fn names(&self, name: &str) -> bool {
        self.0.iter().any(|method| method.as_str() == name)
    }

    pub(crate) fn covers(&self, method: RequestMethod<'_>, certainty: Certainty) -> bool {
        if self.0.is_empty() {
            return true;
        }
        match certainty {
            Certainty::InEveryReading => !method.may_be_another && self.names(method.name),
            Certainty::InSomeReading => {
                method.may_be_another
                    || (self.0.iter()).any(|own| own.as_str().eq_ignore_ascii_case(method.name))
            }
        }
    }

    /// Tells whether whatever `other` covers is covered.
    pub(crate) fn covers_all_of(&self, other: &Self) -> bool {
        let covers = |method: &MethodName| self.names(method.as_str());
        self.0.is_empty() || !other.0.is_empty() && other.0.iter().all(covers)
    }

    /// Tells whether OPTIONS is among them.
    pub(crate) fn has_options(&self) -> bool {
        self.0.is_empty() || self.names(OPTIONS)
    }
}

/// As they stand in front of a rule's host and path: `GET, HEAD `, or nothing.
impl std::fmt::Display for Methods {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, method) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{}", method.as_str())?;
        }
        formatter.write_str(if self.0.is_empty() { "" } else { " " })
    }
}

/// Fields by which a client asks for another method than that of its request: Express's method-override, Rack, Symfony,
/// ASP.NET and Google's clients have one or more of them.
const OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// The method of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestMethod<'a> {
    name: &'a str,
    /// A field asks for another.
    may_be_another: bool,
}

impl<'a> RequestMethod<'a> {
    pub(crate) fn new(name: &'a str, fields: &HeaderMap) -> Self {
        // A gateway in the style of CGI takes underscores for hyphens (RFC 3875 §4.1.18).
        let is_override = |name: &HeaderName| {
            OVERRIDES.iter().any(|own| {
                let own = own.as_str().bytes();
                name.as_str().len() == own.len()
                    && name
                        .as_str()
                        .bytes()
                        .zip(own)
                        .all(|(octet, expected)| match expected {
                            b'-' => !octet.is_ascii_alphanumeric(),
                            letter => octet == letter,
                        })
            })
        };
        Self {
            name,
            may_be_another: fields.keys().any(is_override),
        }
    }

    /// Tells whether this is a CORS preflight as browsers send it (Fetch Standard, "CORS-preflight fetch"): OPTIONS,
    /// with one origin and one method that is asked about, and without credentials. What asks for another method, or
    /// for another protocol, is none: preflights have no fields of a page's own choice.
    pub(crate) fn is_preflight(self, fields: &HeaderMap) -> bool {
        self.name == OPTIONS
            && !self.may_be_another
            && has_one_value(fields, &ORIGIN)
            && has_one_value(fields, &ACCESS_CONTROL_REQUEST_METHOD)
            && !fields.contains_key(AUTHORIZATION)
            && !fields.contains_key(COOKIE)
            && !fields.contains_key(UPGRADE)
    }
}

/// Tells whether a field is there once, with a value that is no list.
fn has_one_value(fields: &HeaderMap, name: &HeaderName) -> bool {
    let mut values = fields.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => !value.is_empty() && !value.as_bytes().contains(&b','),
        _ => false,
    }
}
