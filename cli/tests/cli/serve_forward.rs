//! `kliento serve` behind proxies: each asks in its own way, and gets the same answers.

use kliento::header;

use crate::server::{Answer, Server, exchange};
use crate::serving::{
    ALICE, AUDIENCE, BOT, MALLORY, bundle, expired_bundle, forged_bundle, organisation_value,
    start, value,
};
use crate::support::Scratch;

const RULES: &str = r#"
audience = "https://app.example.com"

[[rules]]
host = "app.example.com"
path = "/public/"
public = true

[[rules]]
host = "app.example.com"
path = "/admin/"
subjects = ["alice@example.com"]
claims = { role = ["admin", "owner"] }

[[rules]]
host = "app.example.com"
path = "/organisation/"
organisations = ["example.com"]
signed-by = "organisation"

[[rules]]
host = "app.example.com"
path = "/member/"
organisations = ["example.com"]
signed-by = "member"

[[rules]]
host = "app.example.com"
path = "/brief/"
anybody = true
max-lifetime = "5m"

[[rules]]
host = "app.example.com"
path = "/modern/"
anybody = true
key-algorithms = ["ed25519"]

[[rules]]
host = "app.example.com"
path = "/claims/"
anybody = true
required-claims = ["team"]
claim-headers = { project_id = "Project-Id" }

[[rules]]
host = "app.example.com"
organisations = ["example.com"]

[[rules]]
host = "*.wild.example"
anybody = true
audience = "https://wild.example"
"#;

/// Rules by method, the stricter ones first.
const METHODS: &str = r#"
audience = "https://app.example.com"

[[rules]]
path = "/orders/"
methods = ["DELETE", "PUT"]
subjects = ["alice@example.com"]

[[rules]]
path = "/orders/"
methods = ["GET", "HEAD"]
public = true

[[rules]]
path = "/api/"
organisations = ["example.com"]
preflights = true

[[rules]]
path = "/write/"
methods = ["POST", "OPTIONS"]
organisations = ["example.com"]
preflights = true

[[rules]]
organisations = ["example.com"]
"#;

/// How a proxy asks about a request.
#[derive(Clone, Copy, Debug)]
enum Proxy {
    Nginx,
    Haproxy,
    Caddy,
    Traefik,
    Envoy,
}

const PROXIES: [Proxy; 5] = [
    Proxy::Nginx,
    Proxy::Haproxy,
    Proxy::Caddy,
    Proxy::Traefik,
    Proxy::Envoy,
];

impl Proxy {
    fn request(self, host: &str, target: &str, fields: &str) -> String {
        let told = |path: &str, prefix: &str, uri: &str| {
            format!(
                "GET {path} HTTP/1.1\r\nHost: verifier\r\nConnection: close\r\n{prefix}-Method: GET\r\n\
                 {prefix}-Host: {host}\r\n{prefix}-{uri}: {target}\r\n{fields}\r\n"
            )
        };
        match self {
            Self::Nginx => told("/auth/nginx", "X-Original", "URI"),
            Self::Haproxy => told("/auth/haproxy", "X-Original", "URI"),
            Self::Caddy => told("/auth/caddy", "X-Forwarded", "Uri"),
            Self::Traefik => told("/auth/traefik", "X-Forwarded", "Uri"),
            Self::Envoy => format!(
                "POST /auth/envoy{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\
                 {fields}\r\n"
            ),
        }
    }

    /// The same request with another method.
    fn request_with(self, method: &str, target: &str, fields: &str) -> String {
        let request = self.request("app.example.com", target, fields);
        match self {
            Self::Envoy => request.replacen("POST", method, 1),
            _ => request.replace("-Method: GET", &format!("-Method: {method}")),
        }
    }

    fn ask(self, server: &Server, host: &str, target: &str, fields: &str) -> Answer {
        exchange(server.connect(), &self.request(host, target, fields))
    }
}

/// Asks each proxy's way about a request with a method, and gives all answers.
fn ask_all_with(server: &Server, method: &str, target: &str, fields: &str) -> Vec<Answer> {
    PROXIES
        .iter()
        .map(|proxy| {
            let request = proxy.request_with(method, target, fields);
            exchange(server.connect(), &request)
        })
        .collect()
}

fn authorization(value: &str) -> String {
    format!("Authorization: {value}\r\n")
}

/// Asks each proxy's way, and gives all answers.
fn ask_all(server: &Server, host: &str, target: &str, fields: &str) -> Vec<Answer> {
    PROXIES
        .iter()
        .map(|proxy| proxy.ask(server, host, target, fields))
        .collect()
}

#[test]
fn tells_every_proxy_who_sent_a_request() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let alice = authorization(&value(&ALICE, AUDIENCE, &[("role", "admin")]));
    for answer in ask_all(&server, "App.Example.com:443", "/x?y=//..", &alice) {
        assert_eq!(answer.status, 200, "{answer:?}");
        for (name, expected) in [
            ("x-kliento-subject", "alice@example.com"),
            ("x-kliento-organisation", "example.com"),
            ("x-kliento-user", "alice"),
            ("x-kliento-signed-by", "member"),
            ("x-kliento-claim-role", "admin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.field(name), Some(expected), "{name}: {answer:?}");
        }
        assert_eq!(answer.field("x-envoy-auth-headers-to-remove"), None);
        assert!(answer.body.is_empty());
    }
}

#[test]
fn a_bot_has_no_user_and_envoy_is_told_to_drop_a_clients() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let bot = authorization(&value(&BOT, AUDIENCE, &[]));
    for (proxy, answer) in PROXIES
        .iter()
        .zip(ask_all(&server, "app.example.com", "/", &bot))
    {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("x-kliento-subject"), Some("example.com"));
        assert_eq!(answer.field("x-kliento-user"), None);
        let removed = matches!(proxy, Proxy::Envoy).then_some("x-kliento-user");
        assert_eq!(answer.field("x-envoy-auth-headers-to-remove"), removed);
    }
}

#[test]
fn a_public_path_needs_no_token_and_names_nobody() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let mallory = authorization(&value(&MALLORY, AUDIENCE, &[]));
    for fields in ["", "Authorization: Basic YTpi\r\n", &mallory] {
        for (proxy, answer) in
            PROXIES
                .iter()
                .zip(ask_all(&server, "app.example.com", "/public/x", fields))
        {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.field("x-kliento-subject"), None);
            let removed = matches!(proxy, Proxy::Envoy).then_some(
                "x-kliento-subject,x-kliento-organisation,x-kliento-user,x-kliento-signed-by",
            );
            assert_eq!(answer.field("x-envoy-auth-headers-to-remove"), removed);
        }
    }
}

#[test]
fn refuses_invalid_tokens_and_everything_that_is_no_token() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let elsewhere = value(&ALICE, "https://shop.example.net", &[]);
    let expired = header::encode(&expired_bundle(AUDIENCE));
    let forged = header::encode(&forged_bundle(AUDIENCE));
    let good = value(&ALICE, AUDIENCE, &[]);
    for (fields, reason) in [
        (String::new(), "http.missing_authorization"),
        (authorization(""), "kliento.wrong_scheme"),
        (authorization("Basic YTpi"), "kliento.wrong_scheme"),
        (authorization("Kliento"), "kliento.malformed_header"),
        (authorization("Kliento !"), "kliento.malformed_header"),
        (authorization(&elsewhere), "kliento.audience_mismatch"),
        (authorization(&expired), "veraid.signature_expired"),
        (authorization(&forged), "dnssec.dnskey_not_committed"),
        // Two readers could each take another one; joined, as some proxies do, they are no token.
        (
            authorization(&good).repeat(2),
            "http.several_authorizations",
        ),
        (
            authorization(&format!("{good}, {good}")),
            "kliento.malformed_header",
        ),
        (
            format!("{}{}", authorization("Basic YTpi"), authorization(&good)),
            "http.several_authorizations",
        ),
    ] {
        for answer in ask_all(&server, "app.example.com", "/", &fields) {
            answer.refuses(401, reason);
        }
    }
    // A query can be read by whoever reads logs.
    let token = good.trim_start_matches("Kliento ");
    for target in [
        format!("/?access_token={token}"),
        format!("/?authorization=Kliento%20{token}"),
    ] {
        for answer in ask_all(&server, "app.example.com", &target, "") {
            answer.refuses(401, "http.missing_authorization");
        }
    }
    // It must be refused that the proxy's own request is taken for the client's.
    for answer in ask_all(
        &server,
        "app.example.com",
        "/",
        &format!("X-Authorization: {good}\r\nProxy-Authorization: {good}\r\n"),
    ) {
        answer.refuses(401, "http.missing_authorization");
    }
}

#[test]
fn refuses_good_tokens_that_are_not_enough() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let alice = value(&ALICE, AUDIENCE, &[]);
    let admin = value(&ALICE, AUDIENCE, &[("role", "admin")]);
    let guest = value(&ALICE, AUDIENCE, &[("role", "guest")]);
    let owner_bot = value(&BOT, AUDIENCE, &[("role", "owner")]);
    let mallory = value(&MALLORY, AUDIENCE, &[("role", "admin")]);
    let attributed = organisation_value(&ALICE, AUDIENCE, &[("role", "admin")], "alice");
    let passes = |target: &str, value: &str| {
        let answer = Proxy::Nginx.ask(&server, "app.example.com", target, &authorization(value));
        assert_eq!(answer.status, 200, "{target} {answer:?}");
    };
    passes("/admin", &admin);
    passes("/admin/x", &attributed);
    passes("/organisation/", &attributed);
    passes("/member/", &alice);
    for (target, value, reason) in [
        ("/", &mallory, "kliento.subject_not_allowed"),
        ("/admin/", &mallory, "kliento.subject_not_allowed"),
        ("/admin/", &owner_bot, "kliento.subject_not_allowed"),
        ("/admin/", &alice, "kliento.claim_required"),
        ("/admin", &guest, "kliento.claim_required"),
        ("/%61dmin/", &guest, "kliento.claim_required"),
        (
            "/organisation/",
            &alice,
            "kliento.organisation_signature_required",
        ),
        ("/member/", &attributed, "kliento.member_signature_required"),
        ("/brief/", &alice, "kliento.lifetime_not_allowed"),
        ("/modern/", &alice, "kliento.key_algorithm_not_allowed"),
        ("/claims/", &alice, "kliento.claim_required"),
    ] {
        // The second time from memory.
        for _ in 0..2 {
            for answer in ask_all(&server, "app.example.com", target, &authorization(value)) {
                answer.refuses(403, reason);
            }
        }
    }
}

#[test]
fn hosts_have_rules_of_their_own() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let wild = authorization(&value(&MALLORY, "https://wild.example", &[]));
    for host in ["a.wild.example", "A.B.wild.example.:8443"] {
        for answer in ask_all(&server, host, "/", &wild) {
            assert_eq!(answer.status, 200, "{host} {answer:?}");
        }
    }
    for answer in ask_all(&server, "app.example.com", "/", &wild) {
        answer.refuses(401, "kliento.audience_mismatch");
    }
    for host in [
        "wild.example",
        "badwild.example",
        "a.wild.example.evil",
        "127.0.0.1",
        "[::1]:80",
    ] {
        for answer in ask_all(&server, host, "/public/", &wild) {
            answer.refuses(403, "serve.no_rule");
        }
    }
    for host in [
        "a@app.example.com",
        "app.example.com, b",
        "app.example.com/x",
    ] {
        for proxy in [Proxy::Nginx, Proxy::Haproxy, Proxy::Caddy, Proxy::Traefik] {
            let answer = proxy.ask(&server, host, "/public/", &wild);
            answer.refuses(403, "serve.malformed_host");
        }
    }
}

#[test]
fn refuses_paths_that_the_backend_could_read_otherwise() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let admin = authorization(&value(&ALICE, AUDIENCE, &[("role", "admin")]));
    for target in [
        "/public/../admin/",
        "/public/%2e%2e/admin/",
        "/public/..;/admin/",
        "//admin/",
        "/public//",
        "/public/%2f..%2fadmin",
        "/public/..%5cadmin",
        "/public/%00",
        "/public/%",
        "/public/%252e%252e/admin",
        "/public/..%20/admin/",
        "/public/.../admin/",
        "/public/%EF%BC%8E%EF%BC%8E/admin/",
        "/public/..%3Fx/",
        // A server that drops path parameters reads a path of another rule.
        "/public;x/",
        "/admin;x/",
        // One that decodes before it looks for the query or a fragment does.
        "/admin%3Fooo.php",
        "/admin%23/x",
        // One on Windows, for various reasons.
        "/admin./x",
        "/admin%20/x",
        "/admin::$INDEX_ALLOCATION/x",
        "/ADMIN~1/x",
        "/PUBLIC~1/x",
        // One that takes compatible characters for one another, or has a Turkish alphabet, or one without case.
        "/%EF%BD%81dmin/x",
        "/admin%E3%80%82/x",
        "/adm%C4%B0n/x",
        "/ADM%C4%B1N/x",
        "/Admin/x",
        "/adm%E2%80%8Bin/x",
    ] {
        for fields in ["", admin.as_str()] {
            for answer in ask_all(&server, "app.example.com", target, fields) {
                answer.refuses(403, "serve.ambiguous_path");
            }
        }
    }
    // What a client of HTTP can't have in its request line, only a proxy could say.
    for target in [
        "http://app.example.com/public/",
        "*",
        "/public/\\..\\admin",
        "/public/#/../admin",
        "public",
    ] {
        for proxy in [Proxy::Nginx, Proxy::Haproxy, Proxy::Caddy, Proxy::Traefik] {
            let answer = proxy.ask(&server, "app.example.com", target, &admin);
            answer.refuses(403, "serve.ambiguous_path");
        }
    }
    Proxy::Envoy
        .ask(&server, "app.example.com", "", &admin)
        .refuses(403, "serve.ambiguous_path");
    for target in [
        "/public/a;x",
        "/public/Admin./x",
        "/public/a:b%3Fc%23d",
        "/public/ADMIN~1",
        "/public/%EF%BC%A1",
    ] {
        for answer in ask_all(&server, "app.example.com", target, "") {
            assert_eq!(answer.status, 200, "one rule however {target} is read");
        }
    }
}

#[test]
fn refuses_long_paths_whatever_is_in_them() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let longest = format!("/public/{}", "a".repeat(8 * 1_024 - "/public/".len()));
    let most = format!("/public{}", "/a".repeat(255));
    for target in [
        &longest,
        &most,
        &format!("/public/?{}", "/a".repeat(10_000)),
    ] {
        for answer in ask_all(&server, "app.example.com", target, "") {
            assert_eq!(answer.status, 200, "{}", target.len());
        }
    }
    for target in [
        format!("{longest}a"),
        format!("{most}/a"),
        format!("/public{}", "/a".repeat(29_000)),
    ] {
        for answer in ask_all(&server, "app.example.com", &target, "") {
            answer.refuses(403, "serve.ambiguous_path");
        }
    }
    let run = server.stop();
    for why in [
        "the path is longer than 8,192 bytes",
        "the path has more than 256 segments",
    ] {
        assert!(run.stderr.contains(why), "{why}");
    }
}

#[test]
fn rules_can_be_for_some_methods() {
    let scratch = Scratch::new();
    let server = start(&scratch, METHODS);
    let alice = authorization(&value(&ALICE, AUDIENCE, &[]));
    let bot = authorization(&value(&BOT, AUDIENCE, &[]));
    for (method, fields, expected) in [
        ("GET", "", "public"),
        ("HEAD", "", "public"),
        ("DELETE", alice.as_str(), "ok"),
        ("PUT", &alice, "ok"),
        ("POST", &bot, "ok"),
        ("PROPFIND", &bot, "ok"),
        ("DELETE", "", "http.missing_authorization"),
        ("DELETE", &bot, "kliento.subject_not_allowed"),
        ("PUT", &bot, "kliento.subject_not_allowed"),
        ("POST", "", "http.missing_authorization"),
        ("OPTIONS", "", "http.missing_authorization"),
        // A backend that makes capitals of it reads a method of another rule.
        ("delete", &bot, "serve.ambiguous_method"),
        ("Delete", &alice, "serve.ambiguous_method"),
        ("get", "", "serve.ambiguous_method"),
    ] {
        for answer in ask_all_with(&server, method, "/orders/1", fields) {
            match expected {
                "ok" | "public" => assert_eq!(answer.status, 200, "{method} {answer:?}"),
                reason if reason.starts_with("http.") => answer.refuses(401, reason),
                reason => answer.refuses(403, reason),
            }
        }
    }
    // Where no rule names methods, their case is nobody's concern.
    for answer in ask_all_with(&server, "get", "/other", &bot) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let stderr = server.stop().stderr;
    let all = "GET, HEAD */orders/";
    assert!(stderr.contains(all), "{stderr}");
}

#[test]
fn a_field_can_not_turn_a_method_into_one_of_another_rule() {
    let scratch = Scratch::new();
    let server = start(&scratch, METHODS);
    let bot = authorization(&value(&BOT, AUDIENCE, &[]));
    for field in [
        "X-HTTP-Method-Override: DELETE",
        "x-http-method-override: ",
        "X_HTTP_Method_Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "X.Method.Override: DELETE",
    ] {
        let fields = format!("{bot}{field}\r\n");
        for method in ["POST", "GET", "DELETE"] {
            for answer in ask_all_with(&server, method, "/orders/1", &fields) {
                answer.refuses(403, "serve.ambiguous_method");
            }
        }
        for answer in ask_all_with(&server, "POST", "/other", &fields) {
            assert_eq!(
                answer.status, 200,
                "one rule whatever the method: {answer:?}"
            );
        }
    }
}

const PREFLIGHT: &str = "Origin: https://web.example\r\nAccess-Control-Request-Method: POST\r\n\
                         Access-Control-Request-Headers: authorization\r\n";

#[test]
fn preflights_pass_without_a_token_where_a_rule_says_so() {
    let scratch = Scratch::new();
    let server = start(&scratch, METHODS);
    for target in ["/api/x", "/write/x"] {
        for (proxy, answer) in PROXIES
            .iter()
            .zip(ask_all_with(&server, "OPTIONS", target, PREFLIGHT))
        {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.field("x-kliento-subject"), None);
            let removed = matches!(proxy, Proxy::Envoy).then_some(
                "x-kliento-subject,x-kliento-organisation,x-kliento-user,x-kliento-signed-by",
            );
            assert_eq!(answer.field("x-envoy-auth-headers-to-remove"), removed);
        }
    }
    // Elsewhere they need what all requests need.
    for target in ["/", "/orders/1"] {
        for answer in ask_all_with(&server, "OPTIONS", target, PREFLIGHT) {
            answer.refuses(401, "http.missing_authorization");
        }
    }
    let stderr = server.stop().stderr;
    assert!(stderr.contains("\"preflight\""), "{stderr}");
}

#[test]
fn everything_but_a_true_preflight_needs_a_token() {
    let scratch = Scratch::new();
    let server = start(&scratch, METHODS);
    let origin = "Origin: https://web.example\r\n";
    let asked = "Access-Control-Request-Method: POST\r\n";
    for method in ["GET", "POST", "options", "PROPFIND"] {
        for answer in ask_all_with(&server, method, "/api/x", PREFLIGHT) {
            answer.refuses(401, "http.missing_authorization");
        }
    }
    for fields in [
        String::new(),
        origin.to_owned(),
        asked.to_owned(),
        format!("{PREFLIGHT}{origin}"),
        format!("{PREFLIGHT}{asked}"),
        format!("{origin}Access-Control-Request-Method:\r\n"),
        format!("{origin}Access-Control-Request-Method: GET, POST\r\n"),
        format!("Origin:\r\n{asked}"),
        format!("{PREFLIGHT}Cookie: a=b\r\n"),
        format!("{PREFLIGHT}Upgrade: websocket\r\n"),
        format!("{PREFLIGHT}X-HTTP-Method-Override: DELETE\r\n"),
    ] {
        for answer in ask_all_with(&server, "OPTIONS", "/api/x", &fields) {
            answer.refuses(401, "http.missing_authorization");
        }
    }
    let basic = format!("{PREFLIGHT}{}", authorization("Basic YTpi"));
    for answer in ask_all_with(&server, "OPTIONS", "/api/x", &basic) {
        answer.refuses(401, "kliento.wrong_scheme");
    }
    let reserved = format!("{PREFLIGHT}X-Kliento-User: a\r\n");
    for answer in ask_all_with(&server, "OPTIONS", "/api/x", &reserved) {
        answer.refuses(403, "serve.reserved_header");
    }
}

#[test]
fn refuses_requests_by_which_a_client_could_name_itself() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let admin = authorization(&value(&ALICE, AUDIENCE, &[("role", "admin")]));
    for field in [
        "X-Kliento-Subject: root@example.com",
        "x-kliento-user:",
        "X_Kliento_Subject: root@example.com",
        "x-kliento_subject: root@example.com",
        "X.Kliento.Subject: root@example.com",
        "X-Kliento-Claim-Role: admin",
        "X-KLIENTO-ANYTHING: x",
    ] {
        for target in ["/", "/public/"] {
            for answer in ask_all(
                &server,
                "app.example.com",
                target,
                &format!("{admin}{field}\r\n"),
            ) {
                answer.refuses(403, "serve.reserved_header");
            }
        }
    }
}

#[test]
fn refuses_every_upgrade_but_that_to_web_socket() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let admin = authorization(&value(&ALICE, AUDIENCE, &[("role", "admin")]));
    for fields in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: h2c\r\n",
        "Upgrade: H2C\r\n",
        "upgrade: h2\r\n",
        "Upgrade: TLS/1.0\r\n",
        "Upgrade: HTTP/2.0\r\n",
        "Upgrade:\r\n",
        "Upgrade: websocket, h2c\r\n",
        "Upgrade: h2c,websocket\r\n",
        "Upgrade: websocket,\r\n",
        "Upgrade: websocket/13\r\n",
        "Upgrade: websockets\r\n",
        "Upgrade: websocket\r\nUpgrade: h2c\r\n",
        "Upgrade: websocket\r\nUpgrade: websocket\r\n",
    ] {
        for target in ["/", "/public/"] {
            let fields = format!("{admin}{fields}");
            for answer in ask_all(&server, "app.example.com", target, &fields) {
                answer.refuses(403, "serve.upgrade");
            }
        }
    }
    for fields in [
        "Upgrade: websocket\r\n",
        "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n",
        "Connection: upgrade\r\n",
        // It asks for nothing by itself, and is what a proxy that drops `Upgrade` shows of an honest client's.
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ] {
        for answer in ask_all(&server, "app.example.com", "/public/", fields) {
            assert_eq!(answer.status, 200, "{fields}");
        }
    }
}

#[test]
fn a_client_can_not_say_the_reason_of_a_refusal() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    for answer in ask_all(
        &server,
        "app.example.com",
        "/public/",
        "X-Kliento-Reason: ok\r\n",
    ) {
        answer.refuses(403, "serve.reserved_header");
    }
    for answer in ask_all(&server, "app.example.com", "/public/", "") {
        assert_eq!(answer.status, 200);
        assert!(!answer.head.contains("x-kliento-reason"), "{answer:?}");
    }
}

#[test]
fn a_proxy_must_say_once_what_it_asks_about() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let admin = authorization(&value(&ALICE, AUDIENCE, &[("role", "admin")]));
    for proxy in [Proxy::Nginx, Proxy::Haproxy, Proxy::Caddy, Proxy::Traefik] {
        let whole = proxy.request("app.example.com", "/public/", &admin);
        assert_eq!(exchange(server.connect(), &whole).status, 200);
        let lines: Vec<&str> = whole.split_inclusive("\r\n").collect();
        for told in 3..6 {
            let without: String = [&lines[..told], &lines[told + 1..]].concat().concat();
            exchange(server.connect(), &without).refuses(400, "serve.unclear_request");
            let twice: String = [&lines[..=told], &lines[told..]].concat().concat();
            exchange(server.connect(), &twice).refuses(400, "serve.unclear_request");
            // What the other proxies set could be the client's here.
            let others = lines[told]
                .replace("X-Original", "X-Was")
                .replace("X-Forwarded", "X-Original")
                .replace("X-Was", "X-Forwarded");
            let swapped: String = [&lines[..told], &[others.as_str()], &lines[told + 1..]]
                .concat()
                .concat();
            exchange(server.connect(), &swapped).refuses(400, "serve.unclear_request");
        }
    }
    let bad_method = Proxy::Nginx.request("app.example.com", "/public/", "");
    let bad_method = bad_method.replace("Method: GET", "Method: G T");
    exchange(server.connect(), &bad_method).refuses(400, "serve.unclear_request");
    let envoy = |fields: &str| {
        let request =
            format!("GET /auth/envoy/public/ HTTP/1.1\r\nConnection: close\r\n{fields}\r\n");
        exchange(server.connect(), &request)
    };
    assert_eq!(envoy("Host: app.example.com\r\n").status, 200);
    envoy("").refuses(400, "serve.unclear_request");
    envoy("Host: app.example.com\r\nHost: other.example.com\r\n")
        .refuses(400, "serve.unclear_request");
    let absolute = "GET http://app.example.com/auth/envoy/public/ HTTP/1.1\r\nConnection: close\r\nHost: other.example.com\r\n\r\n";
    exchange(server.connect(), absolute).refuses(400, "serve.unclear_request");
}

#[test]
fn no_form_of_target_gets_past_the_rules_as_envoys() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let ask = |line: &str| {
        let request =
            format!("{line} HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n");
        exchange(server.connect(), &request)
    };
    // What http::Uri takes for a target without a path never gets to an endpoint.
    for line in [
        "CONNECT app.example.com:443",
        "CONNECT 127.0.0.1:80",
        "OPTIONS *",
        "PRI *",
        "GET app.example.com",
    ] {
        let answer = ask(line);
        assert!(matches!(answer.status, 400 | 404), "{line}: {answer:?}");
    }
    // A method that opens a tunnel is judged like any other.
    for line in [
        "CONNECT /auth/envoy/",
        "CONNECT http://app.example.com/auth/envoy/",
    ] {
        let answer = ask(line);
        assert!(
            matches!(answer.status, 400 | 401 | 404),
            "{line}: {answer:?}"
        );
    }
    for line in [
        "GET http://app.example.com/auth/envoy//admin/",
        "GET /auth/envoy//admin/",
        "GET /auth/envoy/public//admin/",
        "GET /auth/envoy/public/../admin/",
        "GET /auth/envoy/public/./admin/",
        "GET /auth/envoy/public/%2e%2e/admin/",
    ] {
        ask(line).refuses(403, "serve.ambiguous_path");
    }
    for line in ["GET /auth//envoy/public/", "GET //auth/envoy/public/"] {
        ask(line).refuses(404, "serve.not_found");
    }
    // Not even within a target of the other form, whose authority says the same.
    ask("GET http://app.example.com/auth/envoy/admin/").refuses(401, "http.missing_authorization");
}

#[test]
fn a_client_can_not_say_what_the_proxy_should() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    for (proxy, fields) in [
        (
            Proxy::Nginx,
            "X-Forwarded-Uri: /public/\r\nX_Original_URI: /public/\r\n",
        ),
        (
            Proxy::Haproxy,
            "X-Forwarded-Host: app.example.com\r\nX-Original-URL: /public/\r\n",
        ),
        (
            Proxy::Caddy,
            "X-Original-URI: /public/\r\nX-Rewrite-URL: /public/\r\n",
        ),
        (
            Proxy::Traefik,
            "X-Original-URI: /public/\r\nX_Forwarded_Uri: /public/\r\n",
        ),
        (
            Proxy::Envoy,
            "X-Envoy-Original-Path: /public/\r\nX-Forwarded-Uri: /public/\r\nX-Original-URI: /public/\r\n",
        ),
    ] {
        let answer = proxy.ask(&server, "app.example.com", "/admin/", fields);
        answer.refuses(401, "http.missing_authorization");
    }
}

#[test]
fn every_method_needs_a_token() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    for method in ["GET", "POST", "OPTIONS", "DELETE", "PROPFIND", "BREW"] {
        let request = Proxy::Envoy.request("app.example.com", "/", "");
        let request = request.replacen("POST", method, 1);
        exchange(server.connect(), &request).refuses(401, "http.missing_authorization");
        let request = Proxy::Nginx.request("app.example.com", "/", "");
        let request = request.replace("Method: GET", &format!("Method: {method}"));
        exchange(server.connect(), &request).refuses(401, "http.missing_authorization");
    }
}

#[test]
fn claims_are_sent_under_names_that_are_theirs_alone() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let claims = [
        ("team", "a\r\nx-kliento-subject: root"),
        ("project_id", "7"),
        ("project-id", "8"),
        ("Role", "x"),
        ("a_b", "x"),
    ];
    let token = authorization(&value(&MALLORY, AUDIENCE, &claims));
    for answer in ask_all(&server, "app.example.com", "/claims/", &token) {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.field("x-kliento-subject"),
            Some("mallory@evil.example")
        );
        assert_eq!(
            answer.field("x-kliento-claim-team"),
            Some("a%0d%0ax-kliento-subject: root")
        );
        assert_eq!(answer.field("x-kliento-claim-project-id"), Some("7"));
        assert_eq!(answer.head.matches("x-kliento-claim-").count(), 2);
    }
}

#[test]
fn refuses_an_identity_that_would_not_fit_in_the_buffers_of_a_proxy() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let long = "é".repeat(700);
    let token = authorization(&value(&ALICE, AUDIENCE, &[("note", &long)]));
    for answer in ask_all(&server, "app.example.com", "/", &token) {
        answer.refuses(403, "serve.identity_too_large");
    }
    // Not sent, not counted.
    let token = authorization(&value(&ALICE, AUDIENCE, &[("Note", &long)]));
    for answer in ask_all(&server, "app.example.com", "/", &token) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn the_largest_token_gets_through() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let empty = bundle(&ALICE, AUDIENCE, &[("Padding", "")]).len();
    let padding = "x".repeat(kliento::MAX_BUNDLE_OCTETS - empty - 40);
    let token = value(&ALICE, AUDIENCE, &[("Padding", &padding)]);
    assert!(token.len() > 21_500, "{}", token.len());
    for answer in ask_all(&server, "app.example.com", "/", &authorization(&token)) {
        assert_eq!(answer.status, 200, "{}", answer.head);
    }
}

#[test]
fn where_nothing_is_served_nobody_gets_through() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let alice = authorization(&value(&ALICE, AUDIENCE, &[]));
    for answer in ask_all(&server, "app.example.com", "/", &alice) {
        answer.refuses(403, "serve.no_rule");
    }
    for path in [
        "/auth",
        "/auth/",
        "/auth/apache",
        "/auth/nginx/",
        "/auth/envoyx/",
        "/AUTH/NGINX",
    ] {
        server.get(path, &alice).refuses(404, "serve.not_found");
    }
}

#[test]
fn the_record_says_who_and_why_and_no_token() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let good = value(&ALICE, AUDIENCE, &[]);
    let base64 = good.trim_start_matches("Kliento ");
    Proxy::Nginx.ask(
        &server,
        "app.example.com",
        "/x?secret=1",
        &authorization(&good),
    );
    let expired = header::encode(&expired_bundle(AUDIENCE));
    Proxy::Caddy.ask(
        &server,
        "app.example.com",
        "/admin/",
        &authorization(&expired),
    );
    let run = server.stop();
    for part in [
        "alice@example.com",
        "veraid.signature_expired",
        "app.example.com/admin/",
        "nginx",
        "caddy",
        AUDIENCE,
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!run.stderr.contains(&base64[..40]), "{}", run.stderr);
    assert!(!run.stderr.contains("secret=1"), "{}", run.stderr);
}

#[test]
fn a_configuration_that_can_not_be_meant_is_refused() {
    let scratch = Scratch::new();
    for (configuration, complaint) in [
        ("[[rules]]\nhost = \"app.example.com\"", "no audience"),
        (
            "audience = \"a\"\n[[rules]]\nclaims = { role = [\"admin\"] }",
            "who may pass",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\norganisations = [\"example.com\"]",
            "leave it out",
        ),
        ("[[rules]]\npublic = true\nanybody = true", "public rule"),
        ("dialects = []", "list is empty"),
        (
            "[[rules]]\npublic = true\norganisations = [\"example.com\"]",
            "public rule",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nclaims = { role = [] }",
            "required-claims",
        ),
        ("audience = \"a\"\n[[rules]]\nhost = \"a:80\"", "port"),
        ("audience = \"a\"\n[[rules]]\nhost = \"*\"", "not a host"),
        (
            "audience = \"a\"\n[[rules]]\npath = \"/a/../b\"",
            "dot segment",
        ),
        (
            "audience = \"a\"\n[[rules]]\npath = \"admin\"",
            "\"admin\" is not a valid path: it must start with /",
        ),
        ("audience = \"a\"\n[[rules]]\nsubjects = [\"*\"]", "pattern"),
        (
            "audience = \"a\"\n[[rules]]\nmax-lifetime = \"soon\"",
            "a number and a unit",
        ),
        (
            "audience = \"a\"\n[[rules]]\nclaim-headers = { a = \"x_y\" }",
            "x_y",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nclaim-headers = { a = \"X\", b = \"x\" }",
            "both",
        ),
        (
            "audience = \"a\"\n[[rules]]\norganisation = [\"example.com\"]",
            "organisation",
        ),
        ("audience = \"\"", "empty"),
        (
            "audience = \"a\"\n[[rules]]\npath = \"/admin/*\"\nanybody = true",
            "\"/admin/*\" contains a *, which a path takes literally: write \"/admin/\", which covers that path and \
             everything below it, or write %2A for a literal *",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\norganisations = [\"*.example.com\"]",
            "letters, digits, hyphens and dots",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = []",
            "list is empty",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = [\"post\"]",
            "methods are case-sensitive, write \"POST\"",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = [\"*\"]",
            "leave the key methods out",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = [\"PSOT\"]",
            "not a registered method",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = [\"GET\"]",
            "both of them or neither",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = [\"HEAD\", \"POST\"]",
            "both of them or neither",
        ),
        (
            "audience = \"a\"\n[[rules]]\nanybody = true\nmethods = [\"POST\"]\npreflights = true",
            "method OPTIONS",
        ),
        (
            "[[rules]]\npublic = true\npreflights = true",
            "lets preflights pass anyway",
        ),
    ] {
        let file = scratch.file("bad.toml");
        std::fs::write(&file, configuration).unwrap();
        let run = crate::server::serve(scratch.path(), &["--config", &file, "--check"]).exits(2);
        run.explains(complaint);
    }
}

#[test]
fn warns_of_values_that_look_like_patterns_and_are_none() {
    let scratch = Scratch::new();
    let file = scratch.file("patterns.toml");
    let configuration = "audience = \"a\"\n[[rules]]\naudience = \"https://*.example.com\"\n\
                         subjects = [\"ci-?@example.com\", \"(a|b)@example.com\", \"dev-*@example.com\"]\n\
                         claims = { role = [\"admin*\", \"owner\"] }\nrequired-claims = [\"team-*\"]\n";
    std::fs::write(&file, configuration).unwrap();
    let run =
        crate::server::serve(scratch.path(), &["--config", &file, "--check", "--json"]).exits(0);
    let plan = run.json();
    let warnings: Vec<&str> = plan["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning.as_str().unwrap())
        .collect();
    let about = |text: &str| warnings.iter().any(|warning| warning.contains(text));
    for text in [
        "ci-?@example.com",
        "(a|b)@example.com",
        "https://*.example.com",
        "admin*",
        "team-*",
    ] {
        assert!(about(text), "{text}: {warnings:?}");
    }
    for text in ["dev-", "owner"] {
        assert!(!about(text), "{text}: {warnings:?}");
    }
}

#[test]
fn a_rule_for_some_methods_hides_none_for_others() {
    let scratch = Scratch::new();
    let file = scratch.file("methods.toml");
    let configuration = "audience = \"a\"\n[[rules]]\nmethods = [\"POST\", \"PUT\"]\nanybody = true\n\
                         [[rules]]\npath = \"/x\"\nmethods = [\"POST\"]\nanybody = true\n\
                         [[rules]]\npath = \"/y\"\nanybody = true\npreflights = true\n";
    std::fs::write(&file, configuration).unwrap();
    let run =
        crate::server::serve(scratch.path(), &["--config", &file, "--check", "--json"]).exits(0);
    let plan = run.json();
    let warnings = plan["warnings"].to_string();
    assert!(
        warnings.contains("POST */x/ never applies, since POST, PUT */ comes before it"),
        "{warnings}"
    );
    assert!(!warnings.contains("/y/"), "{warnings}");
    assert!(plan["serves"].to_string().contains("preflights"));
}

#[test]
fn warns_of_rules_that_let_anybody_in_and_of_those_that_never_apply() {
    let scratch = Scratch::new();
    let file = scratch.file("odd.toml");
    let configuration = "audience = \"a\"\n[[rules]]\nhost = \"*.example.com\"\nanybody = true\n\
                         [[rules]]\nhost = \"a.example.com\"\npath = \"/x\"\nsubjects = [\"example.com\"]\n";
    std::fs::write(&file, configuration).unwrap();
    let run =
        crate::server::serve(scratch.path(), &["--config", &file, "--check", "--json"]).exits(0);
    let plan = run.json();
    let warnings = plan["warnings"].to_string();
    assert!(
        warnings.contains("a.example.com/x/ never applies"),
        "{warnings}"
    );
    let serves = plan["serves"].to_string();
    assert!(
        serves.contains("a.example.com/x/: tokens for a of example.com"),
        "{serves}"
    );
    assert!(
        serves.contains("*.example.com/: tokens for a of anybody"),
        "{serves}"
    );
}
