"""What a proxy of `examples/forward-auth` lets through to the server behind it, and what the server is told.

usage: forward_auth.py KLIENTO WORLD PROXY

WORLD is what the example `world` of the crate `kliento` writes. The rules are those of the examples' kliento.toml.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from http1 import Connection, Response, request
from report import Wrong, check, expect
from stage import BadVerifier, Stage

# What the server is told of her who is `good`.
ALICE = {
    "x-kliento-subject": "alice@example.com",
    "x-kliento-organisation": "example.com",
    "x-kliento-user": "alice",
    "x-kliento-signed-by": "member",
    "x-kliento-claim-role": "admin",
    "x-kliento-claim-team": "blue",
}
BOT = {
    "x-kliento-subject": "example.com",
    "x-kliento-organisation": "example.com",
    "x-kliento-signed-by": "organisation",
    "x-kliento-claim-role": "admin",
    "x-kliento-claim-team": "blue",
}
# These can't pass on a claim that their configuration doesn't name.
NAMED_CLAIMS_ALONE = {"nginx", "caddy"}

# Paths with which somebody without a token would get from /health/, which is public, to elsewhere, if the verifier, the
# proxy and the server read them in different ways.
PATH_TRICKS = [
    "/health/../admin/",
    "/health/./../admin/",
    "/health/%2e%2e/admin/",
    "/health/%2E./admin/",
    "/health/.%2e/admin/",
    "/health/..%2fadmin/",
    "/health/..%2Fadmin/",
    "/health%2f..%2fadmin/",
    "/health/%2e%2e%2fadmin/",
    "/health/%252e%252e/admin/",
    "/health//../admin/",
    "/health/..//admin/",
    "/health/..\\admin/",
    "/health/..%5cadmin/",
    "/health/\\..\\..\\admin/",
    "/health/..;/admin/",
    "/health/..;a=b/admin/",
    "/health;/../admin/",
    "/health/%00/../admin/",
    "/health/..%00/admin/",
    "/health/#/../../admin/",
    "/health/%",
    "/health/%zz/../admin/",
    "//admin/",
    "/./admin/",
    "/%61dmin/",
    "/ADMIN/../admin/",
    "admin/",
    "*",
    "http://app.example.com/admin/",
    "http://app.example.com/health/../admin/",
    "http:///admin/",
]

# Where a proxy cleans a path up before it asks, this is what may come to the server of those above.
PUBLIC = re.compile(r"/health(/[a-z]+)*/?")

# Names for a header field that a server might take for one of ours: CGI, WSGI and Rack have HTTP_X_KLIENTO_SUBJECT for
# all spellings of X-Kliento-Subject.
SPELLINGS = [
    "X-Kliento-Subject",
    "x-kliento-subject",
    "X-KLIENTO-SUBJECT",
    "X_Kliento_Subject",
    "X_KLIENTO_SUBJECT",
    "X-Kliento_Subject",
    "x_kliento-subject",
    "X-Kliento-User",
    "X-Kliento-Organisation",
    "X-Kliento-Signed-By",
    "X-Kliento-Claim-Role",
    "X-Kliento-Claim-Other",
    "X_Kliento_Claim_Other",
    "x-kliento-anything",
]

# These speak HTTP/2 without TLS with clients that start so; the others would with TLS.
HTTP2 = {"haproxy", "traefik", "envoy", "envoy-grpc"}

# curl(1), EXIT CODES: stream error in the HTTP/2 framing layer.
CURL_HTTP2_STREAM = 92

# How often is asked whether a proxy has found its verifier again.
RETURN_ATTEMPTS = 100

# What proxies tell a verifier, if a client could.
ORIGINALS = {
    "method": ["X-Original-Method", "X-Forwarded-Method"],
    "host": ["X-Original-Host", "X-Forwarded-Host"],
    "target": ["X-Original-URI", "X-Original-URL", "X-Forwarded-Uri", "X-Rewrite-URL", "X-Envoy-Original-Path"],
}


class Audience:
    """Asks the proxy, and looks at what came of it."""

    def __init__(self, stage, world):
        self.stage = stage
        self.tokens = {path.name: path.read_text() for path in (Path(world) / "tokens").iterdir()}

    def fields(self, token):
        return [] if token is None else [("Authorization", self.tokens[token])]

    def connect(self):
        return Connection(self.stage.proxy)

    def ask(self, target, fields=(), **options):
        with self.connect() as connection:
            return connection.ask(request(target, fields, **options))

    def passes(self, response, told):
        """The request came to the server, which was told that and nothing else."""
        expect("status", response.status, 200)
        got = json.loads(response.body)
        expect("what the server is told", identity(got), told)
        names = [name.lower() for name, _ in got["headers"]]
        if "authorization" in names:
            raise Wrong("the server got the token")
        return got

    def refuses(self, ask, statuses):
        """The server never hears of it."""
        before = self.stage.backend.reached
        return self.refuses_with(ask(), before, statuses)

    def refuses_with(self, response, before, statuses):
        if response.status not in statuses:
            raise Wrong(f"status: expected one of {statuses}, got {response.status} {response.body[:300]!r}")
        if self.stage.backend.reached != before:
            raise Wrong("the request came to the server")
        return response


def identity(got):
    """The fields by which a server would know somebody, as CGI would read them."""
    found = {}
    for name, value in got["headers"]:
        name = name.lower().replace("_", "-")
        if name.startswith("x-kliento"):
            if name in found:
                raise Wrong(f"{name} is there twice")
            found[name] = value
    return found


def tokens(audience):
    for label, token, target, told in [
        ("a good token", "good", "/", ALICE),
        ("a good token, and a query", "good", "/a/b?c=%2e%2e/d", ALICE),
        ("a good token with the claim that the rule asks for", "good", "/admin/", ALICE),
        ("a bot’s token", "bot", "/bots/", BOT),
    ]:
        with check(f"{audience.stage.name}: {label} passes"):
            got = audience.passes(audience.ask(target, audience.fields(token)), told)
            expect("target", got["target"], target)
    with check(f"{audience.stage.name}: what is public needs no token"):
        audience.passes(audience.ask("/health/live"), {})

    for label, token in [
        ("no token", None),
        ("a token that is tampered with", "tampered"),
        ("an expired token", "expired"),
        ("a token for later", "not-yet"),
        ("a token for another audience", "wrong-audience"),
    ]:
        with check(f"{audience.stage.name}: {label} is refused"):
            response = audience.refuses(lambda token=token: audience.ask("/", audience.fields(token)), {401})
            expect(
                "WWW-Authenticate", [value.split()[0] for value in response.values("www-authenticate")], ["Kliento"]
            )
    for label, token, target in [
        ("somebody whom no rule names", "mallory", "/"),
        ("a token without the claim that the rule asks for", "no-claims", "/admin/"),
        ("the organisation’s word where the member’s own is asked for", "by-organisation", "/admin/"),
        ("alice where only the bot may", "good", "/bots/"),
    ]:
        with check(f"{audience.stage.name}: {label} is forbidden"):
            audience.refuses(lambda token=token, target=target: audience.ask(target, audience.fields(token)), {403})
    for label, value in [
        ("an empty value", ""),
        ("another scheme", "Bearer abc"),
        ("no Base64", "Kliento ?"),
        ("two tokens in one field", f"{audience.tokens['good']}, {audience.tokens['good']}"),
    ]:
        with check(f"{audience.stage.name}: {label} is refused"):
            audience.refuses(lambda value=value: audience.ask("/", [("Authorization", value)]), {401})


def sizes(audience):
    with check(f"{audience.stage.name}: a bundle of 16 KiB passes"):
        audience.passes(audience.ask("/", audience.fields("maximal")), ALICE)
    with check(f"{audience.stage.name}: a bundle of 16 KiB passes beside 4 KiB of other fields"):
        cookies = [(f"Cookie-{number}", "x" * 1000) for number in range(4)]
        audience.passes(audience.ask("/", [*cookies, *audience.fields("maximal")]), ALICE)
    with check(f"{audience.stage.name}: a claim that no proxy would pass on whole lets nobody through"):
        audience.refuses(lambda: audience.ask("/", audience.fields("large-claim")), {403})


def claims(audience):
    wanted = {"motto": "naïve “quotes” 🦀", "spaces": "  100% padded\t", "empty": ""}
    wanted["lines"] = "one\r\nX-Kliento-Subject: root@example.com"
    wanted["project-id-of-claim"] = "one"
    wanted["project-id"] = "two"
    with check(f"{audience.stage.name}: claims that no field can hold as they are arrive whole"):
        response = audience.ask("/", audience.fields("strange-claims"))
        expect("status", response.status, 200)
        found = identity(json.loads(response.body))
        others = {name: found.pop(name) for name in list(found) if name not in ALICE}
        expect("what else is told", found, ALICE)
        decoded = {
            name.removeprefix("x-kliento-claim-"): urllib.parse.unquote(value) for name, value in others.items()
        }
        if audience.stage.name in NAMED_CLAIMS_ALONE:
            wanted = {}
        # A field without a value may be left out.
        wanted = {name: value for name, value in wanted.items() if value or name in decoded}
        expect("claims", decoded, wanted)


def spoofed(audience):
    for name in SPELLINGS:
        for token, told in [("good", ALICE), ("bot", BOT)]:
            with check(f"{audience.stage.name}: {name} of a client’s with {token}’s token does not reach the server"):
                response = audience.ask("/", [(name, "root"), *audience.fields(token), (name, "root")])
                if response.status not in {400, 403}:
                    audience.passes(response, told)
        with check(f"{audience.stage.name}: {name} of a client’s does not reach the server where all is public"):
            response = audience.ask("/health/", [(name, "root")])
            if response.status not in {400, 403}:
                audience.passes(response, {})
        with check(f"{audience.stage.name}: {name} of a client’s is no token"):
            audience.refuses(lambda name=name: audience.ask("/", [(name, "alice@example.com")]), {400, 401, 403})
    # Fields that are named there are for the next hop alone, and proxies take them out. Ours must not be.
    for names in [
        "X-Kliento-User",
        "keep-alive, x-kliento-subject",
        "close, X-Kliento-Claim-Role",
        "X-Kliento-Signed-By",
    ]:
        with check(f"{audience.stage.name}: `Connection: {names}` takes nothing away"):
            response = audience.ask("/", [("Connection", names), *audience.fields("good")])
            if response.status not in {400, 403}:
                audience.passes(response, ALICE)


def originals(audience):
    """A client can't tell the verifier what it asks for."""
    for name in ORIGINALS["target"]:
        for value in ["/health/", "/"]:
            with check(f"{audience.stage.name}: {name}: {value} of a client’s opens nothing"):
                fields = [(name, value), *audience.fields("no-claims"), (name, value)]
                audience.refuses(lambda fields=fields: audience.ask("/admin/", fields), {400, 403})
        with check(f"{audience.stage.name}: {name} of a client’s without a token opens nothing"):
            audience.refuses(lambda name=name: audience.ask("/", [(name, "/health/")]), {400, 401, 403})
        with check(f"{audience.stage.name}: {name}, with `Connection` naming it, opens nothing"):
            fields = [(name, "/health/"), ("Connection", name)]
            audience.refuses(lambda fields=fields: audience.ask("/admin/", fields), {400, 401, 403})
    for name in ORIGINALS["host"]:
        with check(f"{audience.stage.name}: {name} of a client’s is not the host"):
            # There tokens need another audience.
            fields = [(name, "app.example.com"), *audience.fields("good")]
            audience.refuses(
                lambda fields=fields: audience.ask("/", fields, host="staff.example.com"), {400, 401, 403}
            )
    with check(f"{audience.stage.name}: a host with an audience of its own, and its token"):
        response = audience.ask("/", audience.fields("for-staff"), host="staff.example.com")
        audience.passes(response, ALICE)
    with check(f"{audience.stage.name}: the same, with a port and in upper case"):
        response = audience.ask("/", audience.fields("for-staff"), host="STAFF.example.com:8000")
        audience.passes(response, ALICE)
    with check(f"{audience.stage.name}: a host with an audience of its own, and another’s token"):
        audience.refuses(lambda: audience.ask("/", audience.fields("good"), host="staff.example.com"), {401})
    with check(f"{audience.stage.name}: the host of a request target in absolute form is the host that counts"):
        # RFC 9112 §3.2.2: the Host field is to be ignored then.
        target = "http://staff.example.com/"
        audience.refuses(lambda: audience.ask(target, audience.fields("good")), {400, 401, 403})


def paths(audience):
    for target in PATH_TRICKS:
        for token in (None, "bot"):
            label = f"{target} with {'no' if token is None else 'a bot’s'} token does not lead to /admin/"
            with check(f"{audience.stage.name}: {label}"):
                keep_from_admin(audience, target, audience.fields(token))
    with check(f"{audience.stage.name}: percent-encoded letters are the letters"):
        audience.passes(audience.ask("/%61dmin/%7ealice", audience.fields("good")), ALICE)
    with check(f"{audience.stage.name}: what is no path of its own in a query is nobody’s concern"):
        audience.passes(audience.ask("/health/?next=/../admin/%2e%2e//"), {})


def keep_from_admin(audience, target, fields):
    before = audience.stage.backend.reached
    response = audience.ask(target, fields)
    if response.status != 200:
        audience.refuses_with(response, before, {400, 401, 403, 404, 503})
        return
    # The proxy has cleaned it up for all, and nobody can read in two ways what came of it.
    reached = json.loads(response.body)["target"]
    if not PUBLIC.fullmatch(reached):
        raise Wrong(f"the server was asked for {reached}")


def fields(audience):
    good = audience.tokens["good"]
    for label, lines in [
        ("two Authorization fields", [("Authorization", good), ("Authorization", good)]),
        ("two Authorization fields of two people", [*audience.fields("good"), *audience.fields("bot")]),
    ]:
        with check(f"{audience.stage.name}: {label} are refused"):
            audience.refuses(lambda lines=lines: audience.ask("/", lines), {400, 401})
    with check(f"{audience.stage.name}: the scheme and the field’s name in any case"):
        value = good.replace("Kliento ", "kLIENTO ")
        audience.passes(audience.ask("/", [("AUTHORIZATION", value)]), ALICE)
    with check(f"{audience.stage.name}: two Host fields are refused"):
        lines = [("Host", "staff.example.com"), *audience.fields("good")]
        audience.refuses(lambda: audience.ask("/", lines), {400, 403})
    with check(f"{audience.stage.name}: two Authorization fields, one of them empty, have no more than one token"):
        response = audience.ask("/", [("Authorization", ""), *audience.fields("good")])
        # Envoy makes one field of them.
        if response.status not in {400, 401}:
            audience.passes(response, ALICE)
    with check(f"{audience.stage.name}: a request with two lengths is refused, or of the length that counts"):
        # RFC 9112 §6.3: Content-Length is to be ignored then.
        lines = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")]
        inner = b"0\r\n\r\n"
        with audience.connect() as connection:
            head = request("/", [*lines, *audience.fields("good")], method="POST")
            response = connection.ask(head + b"3\r\nabc\r\n" + inner)
            if response.status != 400:
                expect("body", audience.passes(response, ALICE)["body"], "abc")


def connections(audience):
    with (
        check(f"{audience.stage.name}: one connection, many people: each request by itself"),
        audience.connect() as connection,
    ):
        for token, status, told in [
            ("good", 200, ALICE),
            (None, 401, None),
            ("bot", 200, BOT),
            ("tampered", 401, None),
            ("good", 200, ALICE),
            ("mallory", 403, None),
            ("bot", 200, BOT),
            ("expired", 401, None),
            ("good", 200, ALICE),
        ]:
            response = connection.ask(request("/", audience.fields(token)))
            expect(f"status with {token}", response.status, status)
            if told is not None:
                audience.passes(response, told)
            if "close" in response.values("connection"):
                connection.__exit__()
                connection.__init__(audience.stage.proxy)
    with check(f"{audience.stage.name}: requests sent at once are told apart"), audience.connect() as connection:
        names = ["good", "bot", "good"]
        connection.send(b"".join(request("/", audience.fields(name)) for name in names))
        for name in names:
            audience.passes(connection.receive(), ALICE if name == "good" else BOT)
    with check(f"{audience.stage.name}: a body arrives"):
        response = audience.ask("/", audience.fields("good"), method="POST", body=b"x" * 100_000)
        got = audience.passes(response, ALICE)
        expect("method and body", (got["method"], got["body"]), ("POST", "x" * 100_000))
    with check(f"{audience.stage.name}: a body of one who is refused does not become a request"):
        inner = request("/health/from-a-body")
        audience.refuses(lambda: audience.ask("/", method="POST", body=inner), {401})
    with check(f"{audience.stage.name}: methods are passed on"):
        for method in ["DELETE", "PUT", "OPTIONS"]:
            got = audience.passes(audience.ask("/", audience.fields("good"), method=method), ALICE)
            expect("method", got["method"], method)


def http2(audience):
    if audience.stage.name not in HTTP2:
        return
    for label, token, told in [
        ("a good token", "good", ALICE),
        ("a bundle of 16 KiB", "maximal", ALICE),
        ("a bot’s token", "bot", BOT),
    ]:
        with check(f"{audience.stage.name}: HTTP/2: {label} passes"):
            audience.passes(curl(audience, audience.fields(token)), told)
    for label, fields, statuses in [
        ("a token that is tampered with", audience.fields("tampered"), {401}),
        ("no token", [], {401}),
        ("two Authorization fields", [*audience.fields("good"), *audience.fields("bot")], {400, 401}),
        (
            "the host of another, with this one’s token",
            [("Host", "staff.example.com"), *audience.fields("good")],
            {401},
        ),
    ]:
        with check(f"{audience.stage.name}: HTTP/2: {label}: refused"):
            audience.refuses(lambda fields=fields: curl(audience, fields), statuses)
    for name in SPELLINGS:
        with check(f"{audience.stage.name}: HTTP/2: {name} of a client’s does not reach the server"):
            response = curl(audience, [(name, "root"), *audience.fields("bot")])
            if response.status not in {400, 403}:
                audience.passes(response, BOT)


def curl(audience, fields):
    """Asks over HTTP/2. That the proxy ends the stream in place of an answer is 400, too."""
    command = ["curl", "--silent", "--http2-prior-knowledge", "--write-out", "%{stderr}%{http_code} %{http_version}"]
    headers = [option for name, value in fields for option in ("--header", f"{name}: {value}")]
    run = subprocess.run([*command, *headers, f"http://{audience.stage.proxy}/"], capture_output=True, check=False)
    status, version = run.stderr.decode().split()
    if run.returncode == CURL_HTTP2_STREAM:
        return Response(400, [], b"")
    expect("version", (run.returncode, version), (0, "2"))
    return Response(int(status), [], run.stdout)


def fail_closed(audience):
    stage = audience.stage
    closed = {500, 502, 503, 504}

    def nobody_gets_in(label):
        for token in ("good", None):
            with check(
                f"{stage.name}: the verifier {label}: nobody gets in with {'a good' if token else 'no'} token"
            ):
                audience.refuses(lambda token=token: audience.ask("/", audience.fields(token)), closed)
        with check(f"{stage.name}: the verifier {label}: not even to what is public"):
            audience.refuses(lambda: audience.ask("/health/"), closed)

    stage.stop_verifier()
    nobody_gets_in("is down")
    for label, answer in [
        ("answers 500", b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        ("answers 503", b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
        ("answers with junk", b"\x00\x01junk\r\n\r\n"),
        ("hangs up", b""),
    ]:
        with BadVerifier(stage.verifier, answer):
            nobody_gets_in(label)
    with BadVerifier(stage.verifier, None), check(f"{stage.name}: the verifier hangs: nobody gets in"):
        audience.refuses(lambda: audience.ask("/", audience.fields("good")), closed)
    stage.start_verifier()
    with check(f"{stage.name}: the verifier is back, and so are people"):
        # A proxy may find out only by asking that a connection to what was there before has ended.
        for _ in range(RETURN_ATTEMPTS):
            response = audience.ask("/", audience.fields("good"))
            if response.status not in closed:
                break
            time.sleep(0.1)
        audience.passes(response, ALICE)


def main(kliento, world, proxy):
    with tempfile.TemporaryDirectory(prefix=f"kliento-{proxy}.") as directory:
        Path(directory).chmod(0o755)
        stage = Stage(kliento, world, proxy, directory)
        with stage:
            audience = Audience(stage, world)
            for part in (tokens, sizes, claims, spoofed, originals, paths, fields, connections, http2, fail_closed):
                part(audience)
        with check(f"{proxy}: the verifier’s log never holds a token"):
            log = (Path(directory) / "serve.log").read_text()
            if not log:
                raise Wrong("there is no log")
            for name, token in audience.tokens.items():
                value = token.removeprefix("Kliento ")
                if value[:60] in log or value[-60:] in log:
                    raise Wrong(f"it holds {name}")


if __name__ == "__main__":
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    main(*sys.argv[1:])
