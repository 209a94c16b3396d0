//! The inputs of `kliento serve`: its configuration, and the requests of clients, proxies and API servers.

use std::sync::LazyLock;

use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use icu_normalizer::ComposingNormalizerBorrowed;
use kliento::{Audience, VerifiedToken, Verifier};
use kliento_cli::fuzzing::{self, Pattern, Prefix, Refused, Server};
use kliento_fixture_cases::tables::Token as Fixture;
use prost::Message as _;
use serde::Deserialize;
use serde_json::Value;

use crate::verifier;

/// The longest path that is read.
const MAX_PATH: usize = 8 * 1_024;
const OTHER_AUDIENCE: &str = "https://other.example.com";
/// Nobody passes without a token, so that whoever passes has one.
const CONFIGURATION: &str = r#"
audience = "https://api.example.com"

[verifier]

[kubernetes]
audiences = ["https://other.example.com", "https://api.example.com"]
organisations = ["example.com"]
groups-claim = "role"
extra-claims = ["role"]

[[rules]]
path = "/admin/"
subjects = ["alice@example.com"]
claims = { role = "admin" }
signed-by = "organisation"

[[rules]]
host = "*.example.org"
methods = ["GET", "HEAD"]
anybody = true
claim-headers = { role = "Role-Of-Claim" }

[[rules]]
organisations = ["example.com"]
"#;

/// The texts in a request that stand for tokens, which no mutation would find.
const MEMBER: &str = "MEMBER-TOKEN";
const ORGANISATION: &str = "ORGANISATION-TOKEN";

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let server = Server::new(CONFIGURATION, Some(VERIFIER.shared()));
    server.expect("the configuration is good")
});
/// As good as that of the server, but with a cache of its own.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| verifier().build());
static JUDGE: LazyLock<Verifier> = LazyLock::new(|| verifier().build());
/// The placeholders for tokens, and the tokens as Base64.
static TOKENS: LazyLock<[(&str, String); 2]> = LazyLock::new(|| {
    let encoded = |token: Fixture| {
        let value = kliento::header::encode(&token.octets().0);
        assert!(JUDGE.verify_header(&value).is_ok(), "the fixture is good");
        value["Kliento ".len()..].to_owned()
    };
    [
        (MEMBER, encoded(Fixture::member())),
        (ORGANISATION, encoded(Fixture::organisation())),
    ]
});

fn with_tokens(text: &str) -> String {
    let [(member, first), (organisation, second)] = &*TOKENS;
    text.replace(member, first).replace(organisation, second)
}

/// The independent verdict on the value of an `Authorization` field, for either audience.
fn judged(value: &[u8]) -> Option<VerifiedToken> {
    let other: Audience = OTHER_AUDIENCE.parse().expect("an audience");
    let other = JUDGE.for_audience(other);
    let verdict = JUDGE.verify_header(value);
    verdict.or_else(|_| other.verify_header(value)).ok()
}

/// The only value of `Authorization`.
fn sole(fields: &HeaderMap) -> Option<&[u8]> {
    let mut values = fields.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// A configuration: TOML text, read twice with the same outcome. Each fault of the text has a place in it, and a
/// configuration means the same with a comment at its end.
pub fn configuration(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else {
        return;
    };
    let outcome = Server::new(text, None);
    let with_comment = Server::new(&format!("{text}\n# comment"), None);
    match (&outcome, &with_comment) {
        (Ok(server), Ok(other)) => assert_eq!(server.plan(), other.plan()),
        (Err(Refused::Whole(messages)), Err(other)) => {
            assert_eq!(other, &Refused::Whole(messages.clone()));
            assert!(!messages.is_empty());
            for message in messages.iter().filter(|text| text.starts_with("stdin:")) {
                assert_is_placed(message, text);
            }
        }
        (Err(Refused::Text(messages)), Err(Refused::Text(_))) => {
            assert!((1..=20).contains(&messages.len()), "{messages:?}");
            for message in messages {
                assert_is_placed(message, text);
            }
            let again = Server::new(text, None).expect_err("it was refused before");
            assert_eq!(again, Refused::Text(messages.clone()));
        }
        (outcome, other) => panic!("{outcome:?} and with a comment {other:?}"),
    }
}

fn assert_is_placed(message: &str, text: &str) {
    let mut parts = message.splitn(4, ':').skip(1);
    let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
    let (Some(line), Some(column)) = (number(), number()) else {
        panic!("no place: {message:?}");
    };
    let found = text.split('\n').nth(line.wrapping_sub(1));
    let columns = found.map(|line| line.chars().count());
    assert!(
        columns.is_some_and(|columns| (1..=columns + 1).contains(&column)),
        "no such place: {message:?}"
    );
}

/// The changes that a server makes to a decoded path before it looks the path up.
type Habit = fn(&str) -> String;

const HABITS: [Habit; 9] = [
    |path| path.to_lowercase(),
    |path| path.to_uppercase(),
    |path| {
        ComposingNormalizerBorrowed::new_nfkc()
            .normalize(path)
            .into_owned()
    },
    |path| path.replace(['\u{200b}', '\u{ad}', '\u{feff}'], ""),
    |path| by_segment(path, |segment| cut(segment, ';')),
    |path| by_segment(path, |segment| cut(segment, ':')),
    |path| by_segment(path, |segment| segment.trim_end_matches(['.', ' '])),
    |path| cut(path, '?').to_owned(),
    |path| cut(path, '#').to_owned(),
];

fn by_segment(path: &str, habit: fn(&str) -> &str) -> String {
    let segments: Vec<&str> = path.split('/').map(habit).collect();
    segments.join("/")
}

fn cut(text: &str, at: char) -> &str {
    text.split(at).next().unwrap_or_default()
}

/// A decoded path as a target: all octets but letters, digits and slashes are encoded.
fn encoded(path: &str) -> String {
    let octet = |octet: u8| match octet {
        b'/' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    path.bytes().map(octet).collect()
}

/// The path of a rule, habits of a server, and a request target, a line each. A path has one form; whatever servers make
/// of it lies between what the rule covers in every reading and what it covers in some.
pub fn paths(octets: &[u8]) {
    let mut lines = octets.splitn(3, |&octet| octet == b'\n');
    let (Some(rule), Some(habits), Some(target)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let rule = str::from_utf8(rule).ok();
    let rule = rule.and_then(|rule| Prefix::parse(rule).ok());
    if let Some(rule) = &rule {
        let again = Prefix::parse(&format!("/{}", encoded(&rule.decoded())));
        assert_eq!(again.as_ref(), Ok(rule), "a rule has one form");
        assert!(rule.covers_all_of(rule));
    }
    let with_query = [target, b"?/../\\%2e"].concat();
    let path = fuzzing::path(target);
    assert_eq!(
        fuzzing::path(&with_query),
        path,
        "the query is no part of it"
    );
    let Ok(path) = path else {
        if let Some(rule) = rule {
            assert_eq!(rule.covers(target), None);
        }
        return;
    };
    let segments: Vec<&str> = path.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        for name in [segment, cut(segment, ';'), cut(segment, ':')] {
            assert!(name != "." && name != "..", "{path:?}");
            assert!(!name.is_empty() || index + 1 == segments.len(), "{path:?}");
        }
        assert!(!segment.contains('\\') && !segment.contains(char::is_control));
        let mut escapes = segment.as_bytes().windows(3);
        let is_encoded =
            escapes.any(|it| it[0] == b'%' && it[1..].iter().all(u8::is_ascii_hexdigit));
        assert!(!is_encoded, "{path:?} can be decoded again");
    }
    let canonical = format!("/{}", encoded(&path));
    let is_short = canonical.len() <= MAX_PATH;
    if is_short {
        assert_eq!(fuzzing::path(canonical.as_bytes()).as_ref(), Ok(&path));
    }
    let Some(rule) = rule else {
        return;
    };
    let covers = rule.covers(target).expect("the path is one");
    let (every, some) = covers;
    assert!(some || !every, "{rule:?} {path:?}");
    if is_short {
        assert_eq!(rule.covers(canonical.as_bytes()), Some(covers));
    }
    let decoded = rule.decoded();
    // What a rule spells out beyond names is taken at its word.
    let is_a_name = |character: char| character.is_alphanumeric() || "-_/.".contains(character);
    if !decoded.chars().all(is_a_name) {
        return;
    }
    let read = |text: &str| {
        let habits = habits.iter().take(4);
        habits.fold(text.to_owned(), |text, habit| {
            HABITS[usize::from(*habit) % HABITS.len()](&text)
        })
    };
    let (by_rule, by_path) = (read(&decoded), read(&path));
    let is_covered =
        by_rule.is_empty() || format!("{by_path}/").starts_with(&format!("{by_rule}/"));
    assert!(!every || is_covered, "{by_rule:?} and {by_path:?}");
    assert!(!is_covered || some, "{by_rule:?} and {by_path:?}");
}

/// Two hosts of rules and an authority, a line each. A host has one form; a pattern covers itself and what is below it.
pub fn hosts(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else {
        return;
    };
    let mut lines = text.splitn(3, '\n');
    let (Some(first), Some(second), Some(authority)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let host = fuzzing::host(authority);
    if let Some(host) = &host {
        assert_eq!(fuzzing::host(host).as_ref(), Some(host));
        assert_eq!(
            fuzzing::host(&authority.to_uppercase()).as_ref(),
            Some(host)
        );
        assert_eq!(fuzzing::host(&format!("{host}:443")).as_ref(), Some(host));
        assert_eq!(host.to_ascii_lowercase(), *host);
    }
    let patterns = [first, second].map(|text| Pattern::parse(text).ok());
    for pattern in patterns.iter().flatten() {
        let text = pattern.text();
        assert_eq!(Pattern::parse(&text).as_ref(), Ok(pattern), "{text}");
        assert!(pattern.covers_all_of(pattern));
        let expected = host.as_ref().map(|host| match text.strip_prefix('*') {
            Some(below) => host.ends_with(below) && host.len() > below.len(),
            None => *host == text,
        });
        assert_eq!(pattern.covers(authority), expected, "{text} {authority}");
    }
    if let [Some(one), Some(other)] = &patterns
        && one.covers_all_of(other)
        && other.covers(authority) == Some(true)
    {
        assert_eq!(one.covers(authority), Some(true));
    }
    if let Ok(name) = fuzzing::host_name(first) {
        assert_eq!(fuzzing::host_name(&name).as_ref(), Ok(&name));
        let mut fields = HeaderMap::new();
        if let (Some(host), Ok(value)) = (&host, authority.parse()) {
            fields.insert(header::HOST, value);
            let admitted = fuzzing::admits(&name, &Uri::from_static("/"), &fields);
            let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
            let is_local = host == "localhost" || host.ends_with(".localhost");
            let is_ours = is_address || is_local || !host.contains('.') || *host == name;
            assert!(admitted == Ok(false) || is_ours, "{name} {authority}");
        }
    }
}

/// A request, and rules: `METHOD HOST TARGET`, then `HOST PATH [METHOD]…` in each line. The rule is the first that covers
/// the request, by whatever form of host and path it comes, and no rule below it makes a difference.
pub fn rules(octets: &[u8]) {
    const MAX_RULES: usize = 6;
    let Ok(text) = str::from_utf8(octets) else {
        return;
    };
    let mut lines = text.lines();
    let request: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, host, target] = request[..] else {
        return;
    };
    let rules: Vec<Vec<&str>> = lines
        .map(|line| line.split(' ').collect())
        .filter(|parts: &Vec<&str>| parts.len() >= 2)
        .take(MAX_RULES)
        .collect();
    let table = |parts: &Vec<&str>| {
        let mut table = format!("[[rules]]\nanybody = true\npath = {}\n", quoted(parts[1]));
        if parts[0] != "*" {
            table += &format!("host = {}\n", quoted(parts[0]));
        }
        if let methods @ [_, ..] = &parts[2..] {
            let methods: Vec<String> = methods.iter().map(|name| quoted(name)).collect();
            table += &format!("methods = [{}]\n", methods.join(", "));
        }
        table
    };
    let tables: String = rules.iter().map(table).collect();
    let head = "audience = 'a'\n[verifier]\n";
    let Ok(server) = Server::new(&format!("{head}{tables}"), None) else {
        return;
    };
    let find = |server: &Server, host: &str, target: &str| {
        let rule = server.rule(method, host.as_bytes(), target.as_bytes());
        rule.map(str::to_owned)
    };
    let verdict = find(&server, host, target);

    // One request, one rule.
    assert_eq!(find(&server, host, &format!("{target}?/..")), verdict);
    if let Ok(path) = fuzzing::path(target.as_bytes()) {
        let canonical = format!("/{}", encoded(&path));
        if canonical.len() <= MAX_PATH {
            assert_eq!(find(&server, host, &canonical), verdict);
        }
    }
    if let Some(canonical) = fuzzing::host(host) {
        assert_eq!(find(&server, &canonical, target), verdict);
        let upper = canonical.to_uppercase();
        assert_eq!(find(&server, &upper, target), verdict);
    }

    // No rule below another takes anything from it.
    let rest = "[[rules]]\nanybody = true\n";
    let with_rest = Server::new(&format!("{head}{tables}{rest}"), None);
    let with_rest = with_rest.expect("one more rule is no fault");
    let expected = match &verdict {
        Err("serve.no_rule") => Ok("*/".to_owned()),
        other => other.clone(),
    };
    assert_eq!(find(&with_rest, host, target), expected);

    // The first of those that cover it in any reading, and it does in all.
    let covering = rules.iter().find_map(|parts| {
        let covers_host = match parts[0] {
            "*" => fuzzing::host(host).is_some(),
            pattern => Pattern::parse(pattern).ok()?.covers(host)?,
        };
        let prefix = Prefix::parse(parts[1]).ok()?;
        let (every, some) = prefix.covers(target.as_bytes())?;
        let methods = &parts[2..];
        let knows = |same: fn(&str, &str) -> bool| {
            methods.is_empty() || methods.iter().any(|name| same(name, method))
        };
        let is_some = some && knows(|name, method| name.eq_ignore_ascii_case(method));
        let is_every = every && knows(|name, method| name == method);
        (covers_host && is_some).then_some((is_every, prefix, parts))
    });
    match (&verdict, covering) {
        (Ok(name), Some((true, prefix, _))) => {
            let path = prefix.decoded();
            let shown = if path.is_empty() {
                "/".to_owned()
            } else {
                format!("/{path}/")
            };
            assert!(name.ends_with(&shown), "{name} {shown}");
        }
        (Ok(name), other) => panic!("{name} is not the first: {other:?}"),
        (Err("serve.no_rule"), Some(other)) => panic!("{other:?} covers it"),
        (Err(_), _) => {}
    }
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let character = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.to_string(),
    };
    let text: String = text.chars().map(character).collect();
    format!("\"{text}\"")
}

fn ask(request: Request<Vec<u8>>) -> (Response<bytes::Bytes>, HeaderMap) {
    let answer = SERVER.answer(request);
    answer.expect("an answer has an end")
}

fn json(octets: &[u8]) -> Value {
    serde_json::from_slice(octets).expect("JSON")
}

/// A refusal, which says why, and lets nobody pass.
fn assert_is_refusal(answer: &Response<bytes::Bytes>) {
    assert!(answer.status().is_client_error(), "{answer:?}");
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let problem = json(answer.body());
    assert!(problem["reason"].is_string(), "{problem}");
    assert!(!answer.headers().contains_key("x-kliento-subject"));
}

/// The parts of a `TokenReview` that decide.
#[derive(Deserialize)]
struct Review {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    token: String,
    audiences: Option<Vec<String>>,
}

/// A `TokenReview`: the answer is one, and says `authenticated` of a good token for an audience that was asked for, and of
/// nothing else. Nobody gets a name that is Kubernetes' own.
pub fn token_review(octets: &[u8]) {
    let body = match str::from_utf8(octets) {
        Ok(text) => with_tokens(text).into_bytes(),
        Err(_) => octets.to_vec(),
    };
    let request = Request::post("/kubernetes/token-review");
    let request = request.body(body.clone()).expect("a request");
    let (answer, _) = ask(request);
    if answer.status() != StatusCode::OK {
        assert_is_refusal(&answer);
        return;
    }
    let document = json(answer.body());
    let version = document["apiVersion"].as_str();
    assert!(
        ["authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"]
            .map(Some)
            .contains(&version),
        "{document}"
    );
    assert_eq!(document["kind"], "TokenReview");
    assert!(document.get("spec").is_none(), "the token is not repeated");

    let review: Review = serde_json::from_slice(&body).expect("what is answered was read");
    let token = judged(format!("Kliento {}", review.spec.token).as_bytes());
    let asked = review.spec.audiences.unwrap_or_default();
    let token = token.filter(|token| {
        let is_plain = review.spec.token.trim() == review.spec.token;
        let audience = token.audience().as_str();
        is_plain && (asked.is_empty() || asked.iter().any(|asked| asked == audience))
    });
    let status = &document["status"];
    assert_eq!(status["authenticated"], token.is_some(), "{document}");
    let Some(token) = token else {
        assert!(status["error"].is_string() && status.get("user").is_none());
        return;
    };
    let user = &status["user"];
    assert_eq!(user["uid"], token.subject());
    assert_eq!(user["username"], format!("kliento:{}", token.subject()));
    assert_eq!(
        status["audiences"],
        serde_json::json!([token.audience().as_str()])
    );
    let groups = user["groups"].as_array().expect("groups");
    let is_organisation = token.signed_by() == kliento::veraid::SignedBy::Organisation;
    assert_eq!(groups.len(), if is_organisation { 3 } else { 2 });
    for group in groups {
        assert!(
            group
                .as_str()
                .is_some_and(|group| group.starts_with("kliento:"))
        );
    }
}

/// The part of Envoy's messages that decides, by names and numbers of its published definitions.
#[derive(Clone, PartialEq, prost::Message)]
struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Attributes {
    #[prost(message, optional, tag = "4")]
    request: Option<AttributedRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AttributedRequest {
    #[prost(message, optional, tag = "2")]
    http: Option<Http>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Http {
    #[prost(string, tag = "2")]
    method: String,
    #[prost(btree_map = "string, string", tag = "3")]
    headers: std::collections::BTreeMap<String, String>,
    #[prost(string, tag = "4")]
    path: String,
    #[prost(string, tag = "5")]
    host: String,
    #[prost(message, optional, tag = "13")]
    header_map: Option<Fields>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Fields {
    #[prost(message, repeated, tag = "1")]
    headers: Vec<Field>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Field {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(bytes = "vec", tag = "3")]
    raw_value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<RpcStatus>,
    #[prost(message, optional, tag = "2")]
    denied: Option<Denied>,
    #[prost(message, optional, tag = "3")]
    ok: Option<Passed>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Denied {
    #[prost(message, optional, tag = "1")]
    status: Option<RpcStatus>,
    #[prost(string, tag = "3")]
    body: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Passed {
    #[prost(message, repeated, tag = "2")]
    headers: Vec<FieldOption>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct FieldOption {
    #[prost(message, optional, tag = "1")]
    header: Option<Field>,
}

/// Envoy's `CheckRequest`, as it is and with tokens in place of what stands for them: each is decided, and none passes
/// without a good token of whoever it is said to be from.
pub fn check_request(octets: &[u8]) {
    check(octets);
    let Ok(mut message) = CheckRequest::decode(octets) else {
        return;
    };
    let http = message.attributes.as_mut();
    let http = http.and_then(|attributes| attributes.request.as_mut());
    let Some(http) = http.and_then(|request| request.http.as_mut()) else {
        return;
    };
    for value in http.headers.values_mut() {
        *value = with_tokens(value);
    }
    for field in http
        .header_map
        .iter_mut()
        .flat_map(|fields| &mut fields.headers)
    {
        field.value = with_tokens(&field.value);
        if let Ok(text) = str::from_utf8(&field.raw_value) {
            field.raw_value = with_tokens(text).into_bytes();
        }
    }
    check(&message.encode_to_vec());
}

fn check(message: &[u8]) {
    let length = u32::try_from(message.len()).expect("a short message");
    let framed = [&[0][..], &length.to_be_bytes(), message].concat();
    let request = Request::post("/envoy.service.auth.v3.Authorization/Check")
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(framed);
    let (answer, trailers) = ask(request.expect("a request"));
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!answer.headers().contains_key("grpc-status"), "{answer:?}");
    assert_eq!(trailers["grpc-status"], "0", "each answer is a decision");
    let (frame, response) = answer.body().split_at(5);
    assert_eq!(frame[0], 0);
    assert_eq!(
        &frame[1..],
        u32::try_from(response.len()).expect("short").to_be_bytes()
    );
    let response = CheckResponse::decode(response).expect("a message");
    let status = response.status.expect("a status");
    let Some(passed) = response.ok else {
        assert_ne!(status.code, 0, "Envoy lets those pass whose code is 0");
        let denied = response.denied.expect("a decision");
        let code = denied.status.expect("a status").code;
        assert!((400..500).contains(&code), "{code}");
        assert_eq!(json(denied.body.as_bytes())["reason"], *status.message);
        return;
    };
    assert_eq!((status.code, response.denied), (0, None));
    let request = CheckRequest::decode(message).expect("what passes was read");
    let http = request.attributes.and_then(|attributes| attributes.request);
    let http = http.and_then(|request| request.http).expect("a request");
    let mut authorization: Vec<Vec<u8>> = Vec::new();
    for (name, value) in &http.headers {
        if name.eq_ignore_ascii_case("authorization") {
            authorization.push(value.clone().into_bytes());
        }
    }
    for field in http.header_map.unwrap_or_default().headers {
        if field.key.eq_ignore_ascii_case("authorization") {
            let is_raw = !field.raw_value.is_empty();
            authorization.push(if is_raw {
                field.raw_value
            } else {
                field.value.into_bytes()
            });
        }
    }
    let [value] = &authorization[..] else {
        panic!("{} tokens", authorization.len());
    };
    let token = judged(value).expect("whoever passes has a good token");
    let subject = passed
        .headers
        .iter()
        .filter_map(|option| option.header.as_ref());
    let subject: Vec<&str> = subject
        .filter(|field| field.key == "x-kliento-subject")
        .map(|field| field.value.as_str())
        .collect();
    assert_eq!(subject, [token.subject()]);
}

/// A request over HTTP: a line with method and path, one for each field, an empty one and a body. Nobody passes at a
/// proxy's endpoint without a good token, and the API calls nothing else valid.
pub fn forward(octets: &[u8]) {
    let split = octets.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match split {
        Some(end) => (&octets[..end], &octets[end + 2..]),
        None => (octets, &[][..]),
    };
    let Ok(head) = str::from_utf8(head) else {
        return;
    };
    let head = with_tokens(head);
    let mut lines = head.lines();
    let Some((method, target)) = lines.next().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let mut request = Request::builder().method(method).uri(target);
    for line in lines.take(64) {
        if let Some((name, value)) = line.split_once(':') {
            request = request.header(name, value.trim());
        }
    }
    let body = str::from_utf8(body).map_or_else(|_| body.to_vec(), |text| with_tokens(text).into());
    let Ok(request) = request.body(body) else {
        return;
    };
    let path = request.uri().path().to_owned();
    let fields = request.headers().clone();
    let body = request.body().clone();
    let (answer, _) = ask(request);
    let subject = answer.headers().get("x-kliento-subject");
    if path.starts_with("/auth/") {
        if answer.status() != StatusCode::OK {
            assert_is_refusal(&answer);
            return;
        }
        let token = sole(&fields).and_then(judged);
        let token = token.expect("whoever passes has a good token");
        assert_eq!(
            subject.map(http::HeaderValue::as_bytes),
            Some(token.subject().as_bytes())
        );
    } else if path == "/" && answer.status() == StatusCode::OK {
        let document = json(answer.body());
        if document["status"] == "valid" {
            let value = body.trim_ascii_end();
            let of_bundle = || judged(kliento::header::encode(&body).as_bytes());
            let token = judged(value).or_else(of_bundle).expect("a good token");
            assert_eq!(document["subject"], token.subject());
        } else {
            assert!(document["reason"].is_string(), "{document}");
        }
    }
}
