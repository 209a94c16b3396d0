"""The table: what honest and hostile clients send, and what comes of it, with every proxy and configuration alike.

The rules are those of the examples' kliento.toml, and the tokens those that the example `world` of the crate `kliento`
writes: `/health/` is public, `/admin/` is alice's, `/bots/` the organisation's bot's, and all else is theirs both.
"""

import itertools
import re
from dataclasses import dataclass

from asks import (
    FORGED,
    UNASKED,
    UNREADABLE,
    Ask,
    ExtendedConnect,
    Harmless,
    KeptFrom,
    NoTunnel,
    Passes,
    Raw,
    Recorded,
    Refused,
    Row,
    Upgrade,
    WebSocket,
)
from http1 import request

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
NOBODY = {}

UNAUTHORISED, FORBIDDEN = Refused(frozenset({401}), ...), Refused(frozenset({403}), ...)
NOT_TAKEN = Refused(frozenset({*UNREADABLE, 401}))


def table():
    for group in (
        tokens,
        sizes,
        identity_fields,
        connection_fields,
        originals,
        records,
        paths,
        long_paths,
        doubled_fields,
        framing,
        upgrades,
        tunnels,
    ):
        yield from group()


def over_tls():
    """With the lines for it a proxy does as it does without, in the protocol that is agreed on (RFC 7301)."""
    yield Row("a good token passes", [Ask(token="good")], Recorded(Passes(ALICE)))
    refused = Refused(frozenset({401}), "http.missing_authorization")
    yield Row("no token is refused, and the client told why", [Ask()], Recorded(refused))
    asks = beside_a_token("X-Kliento-Subject")[1:]
    yield Row("X-Kliento-Subject of a client’s doesn’t reach the server", asks, Harmless(BOT))
    ask = Upgrade(("websocket",), "/chat", "good", connection=("keep-alive, Upgrade",))
    yield Row("`Upgrade: websocket` with good token opens a WebSocket", [ask], WebSocket(ALICE))


def tokens():
    for label, ask, told in [
        ("a good token", Ask(token="good"), ALICE),
        ("a good token, and a query", Ask("/a/b?c=%2e%2e/d", "good"), ALICE),
        ("a good token with the claim that the rule asks for", Ask("/admin/", "good"), ALICE),
        ("a bot’s token", Ask("/bots/", "bot"), BOT),
        ("what is public, without a token,", Ask("/health/live"), NOBODY),
        ("percent-encoded letters are the letters: so written, a path", Ask("/%61dmin/%7ealice", "good"), ALICE),
    ]:
        yield Row(f"{label} passes", [ask], Passes(told))
    yield Row("the target arrives as it was sent", [Ask("/a/b?c=%2e%2e/d", "good")], Passes(ALICE, "/a/b?c=%2e%2e/d"))

    for label, token, reason in [
        ("no token", None, "http.missing_authorization"),
        ("a token that is tampered with", "tampered", ...),
        ("an expired token", "expired", ...),
        ("a token for later", "not-yet", ...),
        ("a token for another audience", "wrong-audience", "kliento.audience_mismatch"),
    ]:
        yield Row(f"{label} is refused, and the client told why", [Ask("/", token)], Refused(frozenset({401}), reason))
    for label, ask, reason in [
        ("somebody whom no rule names", Ask("/", "mallory"), ...),
        (
            "a token without the claim that the rule asks for",
            Ask("/admin/", "no-claims"),
            "kliento.claim_required",
        ),
        ("the organisation’s word where the member’s own is asked for", Ask("/admin/", "by-organisation"), ...),
        ("alice where only the bot may", Ask("/bots/", "good"), ...),
    ]:
        yield Row(f"{label} is forbidden, and the client told why", [ask], Refused(frozenset({403}), reason))
    for label, value in [("an empty value", ""), ("another scheme", "Bearer abc"), ("no Base64", "Kliento ?")]:
        yield Row(f"{label} is no token", [Ask(fields=(("Authorization", value),))], UNAUTHORISED)
    for method in ("DELETE", "PUT", "OPTIONS"):
        yield Row(f"{method} is passed on", [Ask("/", "good", method=method)], Passes(ALICE, method=method))
    for length in (1, 16_000):
        body = b"x" * length
        row = Passes(ALICE, method="POST", body=body.decode())
        yield Row(f"a body of {length} bytes arrives", [Ask("/", "good", method="POST", body=body)], row)


def sizes():
    cookies = tuple((f"Cookie-{number}", "x" * 1000) for number in range(4))
    yield Row("a bundle of 16 KiB passes", [Ask("/", "maximal")], Passes(ALICE))
    yield Row(
        "a bundle of 16 KiB passes beside 4 KiB of other fields", [Ask("/", "maximal", cookies)], Passes(ALICE)
    )
    yield Row("a claim that no proxy would pass on whole lets nobody through", [Ask("/", "large-claim")], FORBIDDEN)


# ---- Fields that say who somebody is

# The characters that can stand in a field's name (`tchar`, RFC 9110 §5.6.2), but for letters and digits.
SEPARATORS = "!#$%&'*+-.^_`|~"
# Those that can't, and that somebody might take all the same. (A colon ends the name.)
NO_SEPARATORS = " \t\"(),/;<=>?@[\\]{}\x00\x01\x7f\x80\xa0\xad\xff"


def spellings(first, second):
    """Names that become one of ours where a server has underscores for whatever is no letter or digit: PHP, CGI, WSGI, Rack."""
    start = f"X{first}Kliento{second}"
    yield from (start + end for end in ("Subject", "User", "Organisation"))
    yield from (f"{start}Signed{first}By", f"{start}Claim{second}Role", f"{start}Claim{first}Other")


def beside_a_token(name):
    """Without a token where none is needed, and before and behind one."""
    forged = ((name, FORGED),)
    return Ask("/health/", fields=forged), Ask("/", "bot", fields=forged, after=forged)


def identity_fields():
    for separator in (*SEPARATORS, *NO_SEPARATORS):
        pairs = [(separator, separator)]
        if separator in SEPARATORS and separator != "-":
            pairs += [(separator, "-"), ("-", separator)]
        names = [name for pair in pairs for name in spellings(*pair)]
        asks = [beside_a_token(name) for name in names]
        shown = repr(separator)
        label = f"fields of a client’s that are named like X-Kliento-Subject, with {shown} between the words,"
        yield Row(f"{label} don’t reach the server where all is public", [public for public, _ in asks], Harmless(NOBODY))
        yield Row(f"{label} don’t reach it beside a valid token", [beside for _, beside in asks], Harmless(BOT))
    mixtures = [f"x{first}kLIENTO{second}sUBJECT" for first, second in itertools.permutations(SEPARATORS, 2)]
    yield Row(
        "nor do any with two of those characters, in any case of letters",
        [beside_a_token(name)[0] for name in mixtures],
        Harmless(NOBODY),
    )
    yield Row(
        "names in any case, and names of no field of ours",
        [
            ask
            for name in ("x-kliento-subject", "X-KLIENTO-SUBJECT", "X_KLIENTO_SUBJECT", "x-kliento-anything", "X-Kliento-Reason")
            for ask in beside_a_token(name)[:1]
        ],
        Harmless(NOBODY),
    )
    yield Row(
        "by such a field nobody gets in",
        [Ask("/", fields=(("X-Kliento-Subject", "alice@example.com"),))],
        NOT_TAKEN,
    )
    lines = [
        b"X-Kliento-Subject : ",
        b"X-Kliento-Subject\t: ",
        b" X-Kliento-Subject: ",
        b"A: b\nX-Kliento-Subject: ",
        b"A: b\rX-Kliento-Subject: ",
        b"A: b\r\r\nX-Kliento-Subject: ",
        b"A: b\x00X-Kliento-Subject: ",
        b"\x0bX-Kliento-Subject: ",
    ]
    asks = [Raw(b"GET /health/ HTTP/1.1\r\nHost: app.example.com\r\n" + line + FORGED.encode() + b"\r\n\r\n") for line in lines]
    for line, ask in zip(lines, asks, strict=True):
        # HAProxy's Lua stops at NUL, and nobody gets in.
        yield Row(f"the line {line!r} makes no field of ours", [ask], NotAField(NOBODY, frozenset({*UNREADABLE, 503})))


class NotAField(Harmless):
    """The value may be part of another field's."""

    def judge(self, exchange):
        if exchange.response.status not in self.statuses:
            exchange.octets = exchange.octets.replace(b"A: b X-Kliento-Subject: ", b"").replace(FORGED.encode(), b"")
        super().judge(exchange)


def connection_fields():
    """Fields that `Connection` names are for the next hop alone, and proxies take them out. Ours must not be."""
    naming = [
        "X-Kliento-User",
        "keep-alive, x-kliento-subject",
        "close, X-Kliento-Claim-Role",
        "X-Kliento-Signed-By, Upgrade",
        "Authorization",
        "Host, X-Forwarded-Host, X-Forwarded-Uri",
        "X-Original-Method, X-Original-URI, X-Original-Host",
    ]
    for names in naming:
        asks = [
            Ask("/", "good", fields=(("Connection", names),)),
            Ask("/", "good", after=(("Connection", "keep-alive"), ("Connection", names))),
        ]
        yield Row(f"`Connection: {names}` takes nothing away", asks, Harmless(ALICE, NOT_TAKEN.statuses))
        public = [Ask("/admin/", fields=(("Connection", names), ("X-Original-URI", "/health/")))]
        yield Row(f"`Connection: {names}` opens nothing", public, NOT_TAKEN)
    for name in ("Proxy-Connection", "Keep-Alive", "TE", "Trailer"):
        ask = Ask("/", "good", fields=((name, "X-Kliento-User"),))
        yield Row(f"`{name}: X-Kliento-User` takes nothing away", [ask], Harmless(ALICE))


# What proxies tell a verifier, if a client could.
ORIGINALS = {
    "method": ["X-Original-Method", "X-Forwarded-Method", "X-HTTP-Method-Override"],
    "host": ["X-Original-Host", "X-Forwarded-Host", "Forwarded"],
    "target": ["X-Original-URI", "X-Original-URL", "X-Forwarded-Uri", "X-Rewrite-URL", "X-Envoy-Original-Path"],
}


def originals():
    """A client can't tell the verifier what it asks for."""
    closed = Refused(frozenset({400, 401, 403}))
    for name in ORIGINALS["target"]:
        asks = [
            Ask("/admin/", "no-claims", fields=((name, value),), after=((name, value),)) for value in ("/health/", "/")
        ]
        asks += [
            Ask("/", fields=((name, "/health/"),)),
            Ask("/admin/", fields=((name, "/health/"), ("Connection", name))),
        ]
        yield Row(f"{name} of a client’s opens nothing", asks, Recorded(closed))
    for name in ORIGINALS["host"]:
        # There tokens need another audience.
        value = "host=app.example.com" if name == "Forwarded" else "app.example.com"
        ask = Ask("/", "good", fields=((name, value),), host="staff.example.com")
        yield Row(f"{name} of a client’s is not the host", [ask], Recorded(closed))
    for name in ORIGINALS["method"]:
        ask = Ask("/", fields=((name, "OPTIONS"), ("Origin", "https://evil.example")))
        yield Row(f"{name} of a client’s is not the method", [ask], Recorded(closed))
    yield Row(
        "a host with an audience of its own, and its token",
        [Ask("/", "for-staff", host=host) for host in ("staff.example.com", "STAFF.example.com:8000")],
        Passes(ALICE),
    )
    yield Row(
        "a host with an audience of its own, and another’s token", [Ask("/", "good", host="staff.example.com")], UNAUTHORISED
    )
    # RFC 9112 §3.2.2: the Host field is to be ignored then.
    yield Row(
        "the host of a target in absolute form is the host that counts",
        [Ask("http://staff.example.com/", "good", http1_only=True)],
        closed,
    )


# What clients might tell the verifier's record, or its rules, in fields that proxies and servers know: values that are true
# of no request here, of the form that each has where it is believed.
STRANGER = "203.0.113.66"
FORGED_UUID = "f0f0f0f0-f0f0-4f0f-8f0f-f0f0f0f0f0f0"
CLAIMED = {
    "X-Original-Client": [STRANGER, f"{STRANGER}, 10.66.66.66"],
    "X-Forwarded-For": [STRANGER, "10.66.66.66", f"{STRANGER}, 127.0.0.1"],
    "X-Forwarded": [f"for={STRANGER}"],
    "Forwarded": [f"for={STRANGER};host=staff.example.com;proto=https"],
    "X-Real-IP": [STRANGER],
    "X-Client-IP": [STRANGER],
    "X-Cluster-Client-IP": [STRANGER],
    "True-Client-IP": [STRANGER],
    "CF-Connecting-IP": [STRANGER],
    "Client-IP": [STRANGER],
    "X-Envoy-External-Address": [STRANGER],
    "X-Envoy-Internal": ["true"],
    "X-Original-Method": ["DELETE", "FORGED"],
    "X-Forwarded-Method": ["DELETE", "FORGED"],
    "X-Original-Host": ["staff.example.com"],
    "X-Forwarded-Host": ["staff.example.com"],
    "X-Forwarded-Server": ["staff.example.com"],
    "X-Forwarded-Port": ["66"],
    "X-Forwarded-Proto": ["forged"],
    "X-Forwarded-Prefix": ["/health"],
    "X-Original-URI": ["/health/forged", "/bots/"],
    "X-Original-URL": ["/health/forged", "/bots/"],
    "X-Forwarded-Uri": ["/health/forged", "/bots/"],
    "X-Rewrite-URL": ["/health/forged"],
    "X-Envoy-Original-Path": ["/health/forged"],
    "X-Request-Id": [FORGED_UUID, "f" * 32, "forged", ""],
    "X-Correlation-Id": [FORGED_UUID],
    "X-Client-Trace-Id": [FORGED_UUID],
}
# What tears a line of a log in two, paints a terminal, turns text around, fills a disk.
DEFACING = ["a\xc2\x9b31mb", "\xe2\x80\xaegnp", "\xe2\x80\xa8{", "\x1b[31m", 'a"},{"b', "\xff\xfe", "x" * 600, "y" * 8_000]


def records():
    """Nor can it tell the record of decisions what it asks for, or who it is."""
    for name, values in CLAIMED.items():
        claims = [((name, value),) for value in values]
        label = f"{name} of a client’s is not on record"
        asks = [Ask(token="good", fields=claim) for claim in claims]
        asks += [Ask(token="good", after=claim) for claim in claims]
        yield Row(f"{label}, and she passes", asks, Recorded(Passes(ALICE)))
        asks = [Ask("/health/", fields=claim) for claim in claims]
        yield Row(f"{label} where all is public", asks, Recorded(Passes(NOBODY)))
        asks = [Ask(fields=claim) for claim in claims]
        yield Row(f"{label} of a refusal", asks, Recorded(UNAUTHORISED))
        asks = [Ask(token="good", fields=claim, after=claim) for claim in claims]
        asks += [Ask(token="good", fields=((name.lower(), ""), *claim)) for claim in claims]
        asks += [Ask(token="good", fields=((name.replace("-", "_"), value), (name, value))) for value in values]
        # (HTTP/2 has no such field: RFC 9113 §8.2.2.)
        asks += [Ask(token="good", fields=(*claim, ("Connection", name)), http1_only=True) for claim in claims]
        yield Row(f"{label}, however it is said", asks, Recorded(Harmless(ALICE, NOT_TAKEN.statuses)))
    for name in ("X-Request-Id", "X-Original-Client", "X-Forwarded-For"):
        asks = [Ask("/health/", fields=((name, value),)) for value in DEFACING]
        label = f"control characters and long values in {name} are not on record"
        yield Row(label, asks, Recorded(Harmless(NOBODY, frozenset(UNASKED))))

    yield Row("a rule for a method passes it", [Ask("/read/")], Recorded(Passes(NOBODY, method="GET")))
    for name in (*ORIGINALS["method"], "X-Method-Override", "X-HTTP-Method"):
        claim = ((name, "GET"),)
        asks = [Ask("/read/", method="DELETE", fields=fields) for fields in (claim, claim * 2)]
        asks.append(Ask("/read/", method="DELETE", fields=(*claim, ("Connection", name)), http1_only=True))
        label = f"{name} of a client’s leads to no rule for another method"
        yield Row(label, asks, Recorded(Refused(frozenset({400, 401, 403}))))
    # Of these the record does tell; what it makes of them is looked at when all is done.
    asks = [Ask("/health/" + "a" * 600), Ask("/health/", method="M" * 600)]
    asks += [Ask("/health/" + value) for value in DEFACING[:3]]
    yield Row("control characters and long values in what is on record let nobody through", asks, Harmless(NOBODY))


# ---- Paths

# Paths with which somebody without the token for /admin/ would get there, or from /health/, which is public, to elsewhere, if
# the verifier, the proxy and the server read them in different ways.
PATH_TRICKS = {
    "dot segments": [
        "/health/../admin/",
        "/health/./../admin/",
        "/health/%2e%2e/admin/",
        "/health/%2E./admin/",
        "/health/.%2e/admin/",
        "/health/%252e%252e/admin/",
        "/./admin/",
        "/ADMIN/../admin/",
    ],
    "slashes": [
        "/health/..%2fadmin/",
        "/health/..%2Fadmin/",
        "/health%2f..%2fadmin/",
        "/health/%2e%2e%2fadmin/",
        "/health//../admin/",
        "/health/..//admin/",
        "/health/..\\admin/",
        "/health/..%5cadmin/",
        "/health/\\..\\..\\admin/",
        "//admin/",
        "/\\admin/",
        "/admin%2f",
        "/admin%5cx",
    ],
    "path parameters": ["/health/..;/admin/", "/health/..;a=b/admin/", "/health;/../admin/", "/admin;x/y", "/admin%3bx/y"],
    "characters that end a path, or nothing": ["/health/%00/../admin/", "/health/..%00/admin/", "/health/%", "/health/%zz/../admin/"],
    "fragments": ["/health/#/../../admin/", "/health/#", "/#/../admin/", "/admin#/x", "/admin/#/../../health/"],
    "encoded fragments and queries": ["/admin%3Fooo.php", "/admin%3F/x", "/admin%23/x", "/admin%23", "/health/..%23/../admin/"],
    "names of Windows": [
        "/admin./x",
        "/admin.",
        "/admin%20/x",
        "/admin%20",
        "/admin.%20./x",
        "/admin::$INDEX_ALLOCATION/x",
        "/admin:x/y",
        "/ADMIN~1/x",
        "/admin~1",
        "/health/..%20/admin/",
        "/health/.../admin/",
        "/health/..%20./admin/",
    ],
    "other cases and other letters": [
        "/Admin/x",
        "/ADMIN/",
        "/adm%C4%B0n/",
        "/adm%C4%B1n/",
        "/%EF%BD%81dmin/",
        "/%EF%BC%A1DMIN/",
        "/admi%E2%81%BF/",
        "/health/%EF%BC%8E%EF%BC%8E/admin/",
        "/health/%E2%80%A5/admin/",
        "/health/..%EF%BC%8Fadmin/",
        "/%EF%BC%8Fadmin/",
        "/health/..%c0%afadmin/",
        "/health/%c0%ae%c0%ae/admin/",
    ],
    "targets of other forms": [
        "admin/",
        "*",
        "http://app.example.com/admin/",
        "http://app.example.com/health/../admin/",
        "http:///admin/",
        "///admin/",
        "/%61dmin/",
    ],
}
# Where a proxy cleans a path up before it asks, or cuts it, this is what may come to the server of those above.
# (`%23` is a name there like any other, and its end is the end of `/health/` to whoever decodes it first.)
PUBLIC = re.compile(r"/health(/([a-z]+|%23))*/?")


def paths():
    for kind, targets in PATH_TRICKS.items():
        for token in (None, "bot", "no-claims"):
            label = f"{kind}: with {'no' if token is None else token} token none leads to /admin/"
            yield Row(label, [Ask(target, token) for target in targets], KeptFrom(PUBLIC))
    target = "/health/?next=/../admin/%2e%2e//"
    yield Row("what is no path of its own in a query is nobody’s concern", [Ask(target)], Passes(NOBODY))


def long_paths():
    deep = 3_000
    for label, target in [
        ("a segment of 8 KiB", "/admin/" + "a" * 8_192),
        ("segments of 8 KiB", "/admin/" + "a/" * 4_096),
        ("segments of 24 KiB", "/admin/" + "a/" * 12_288),
        ("a long way in and out of what is public", "/health/" + "a/" * deep + "../" * (deep + 1) + "admin/"),
        ("the same, encoded", "/health/" + "a/" * 1_000 + "%2e%2e/" * 1_001 + "admin/"),
        ("slashes", "/" * 8_000 + "admin/"),
        ("dots", "/health/" + "./" * 4_000 + "../admin/"),
    ]:
        asks = [Ask(target, token) for token in (None, "bot", "no-claims")]
        yield Row(f"long paths: {label} lead nobody to /admin/", asks, KeptFrom(PUBLIC))
    # Of what one of them may be answered with, none is an error that costs more than an answer.
    public = [Ask("/health/" + "a/" * 12_288), Ask("/health/" + "a" * 24_576)]
    yield Row("long paths: one that is public passes, or is refused", public, Harmless(NOBODY))
    yield Row("a path of 1 KiB passes", [Ask("/" + "a/" * 100 + "a" * 824, "good")], Passes(ALICE))
    yield Row("a query of 4 KiB passes", [Ask("/?" + "a" * 4_096, "good")], Passes(ALICE))


# ---- Requests in two readings


def doubled_fields():
    unauthorised = Refused(frozenset({400, 401}))
    for label, names in [("two Authorization fields", ("good", "good")), ("those of two people", ("good", "bot"))]:
        yield Row(f"{label} are refused", [TwoTokens(*names)], unauthorised)
    yield Row("two tokens in one field are refused", [TwoTokens("good", "good", joined=True)], unauthorised)
    # Envoy makes one field of them.
    empty = [Ask("/", "good", fields=(("Authorization", ""),))]
    yield Row("one of two Authorization fields is empty: one token at most", empty, Harmless(ALICE, frozenset({400, 401})))
    yield Row("the field’s name and the scheme in any case", [OddCase("/", "good")], Passes(ALICE))
    # In HTTP/2 the first of them is `:authority`.
    hosts = [Ask("/", "good", fields=(("Host", "app.example.com"),), host="staff.example.com")]
    yield Row("two hosts are refused, or the token must be for the one that counts", hosts, Refused(frozenset({400, 401, 403})))
    hosts = [Ask("/", "good", fields=(("Host", "staff.example.com"),), http1_only=True)]
    yield Row("two Host fields are refused", hosts, Refused(frozenset({400, 401, 403})))


class TwoTokens(Ask):
    def __init__(self, first, second, *, joined=False):
        super().__init__()
        object.__setattr__(self, "names", (first, second))
        object.__setattr__(self, "joined", joined)

    def head(self, tokens):
        values = [tokens[name] for name in self.names]
        values = [", ".join(values)] if self.joined else values
        return [("Authorization", value) for value in values]


class OddCase(Ask):
    def head(self, tokens):
        return [("AUTHORIZATION", tokens[self.token].replace("Kliento ", "kLIENTO "))]


# A request within another, for whoever takes the other to be shorter.
INNER = request("/admin/", [("X-Kliento-Subject", FORGED)])


def framing():
    """RFC 9112 §11.2: no request within another comes to the server."""
    length = str(len(INNER))
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)
    cut = b"0\r\n\r\n" + INNER
    for label, lines, body in [
        ("a body", [("Content-Length", length)], INNER),
        ("a chunked body", [("Transfer-Encoding", "chunked")], chunked),
        ("two lengths, and chunks", [("Content-Length", "5"), ("Transfer-Encoding", "chunked")], cut),
        ("chunks, and a length", [("Transfer-Encoding", "chunked"), ("Content-Length", str(len(cut)))], cut),
        ("`xchunked`", [("Transfer-Encoding", "xchunked"), ("Content-Length", length)], INNER),
        ("`xchunked` without a length", [("Transfer-Encoding", "xchunked")], cut),
        ("`chunked, identity`", [("Transfer-Encoding", "chunked, identity")], chunked),
        ("`identity, chunked`", [("Transfer-Encoding", "identity, chunked")], chunked),
        ("two Transfer-Encoding fields", [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "x")], cut),
        ("a space behind the name", [("Transfer-Encoding ", "chunked"), ("Content-Length", str(len(cut)))], cut),
        ("a vertical tab", [("Transfer-Encoding", "\x0bchunked"), ("Content-Length", str(len(cut)))], cut),
        ("a folded line", [("Transfer-Encoding", "\r\n chunked"), ("Content-Length", str(len(cut)))], cut),
        ("an underscore", [("Transfer_Encoding", "chunked"), ("Content-Length", str(len(cut)))], cut),
        ("two different lengths", [("Content-Length", "0"), ("Content-Length", length)], INNER),
        ("a list of lengths", [("Content-Length", f"0, {length}")], INNER),
        ("a length with a sign", [("Content-Length", f"+{length}")], INNER),
        ("a negative length", [("Content-Length", "-1")], INNER),
        ("a length in hexadecimal", [("Content-Length", "0x0")], INNER),
        ("`Expect`", [("Expect", "100-continue"), ("Content-Length", length)], INNER),
        ("an `Expect` of no kind", [("Expect", "x"), ("Content-Length", length)], INNER),
        ("a chunk extension with a bare LF", [("Transfer-Encoding", "chunked")], b"0;a\nb\r\n\r\n" + INNER),
        ("a chunk that ends with a bare LF", [("Transfer-Encoding", "chunked")], b"1\r\na\n0\r\n\r\n" + INNER),
        ("a chunk size with a sign", [("Transfer-Encoding", "chunked")], b"+0\r\n\r\n" + INNER),
    ]:
        asks = [Raw(request(target, lines, method=method) + body) for target in ("/health/", "/") for method in ("POST", "GET")]
        yield Row(f"a request within another, by {label}, does not come to the server", asks, KeptFrom(PUBLIC))
    http_1_0 = request("/health/", [("Transfer-Encoding", "chunked"), ("Connection", "keep-alive")], method="POST")
    asks = [Raw(http_1_0.replace(b"HTTP/1.1", b"HTTP/1.0") + cut)]
    yield Row("a request within another, by chunks in HTTP/1.0, does not come to the server", asks, KeptFrom(PUBLIC))
    versions = [b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/11", b""]
    asks = [Raw(INNER.replace(b"HTTP/1.1", version)) for version in versions]
    yield Row("versions that are none lead nobody to /admin/", asks, KeptFrom(PUBLIC))

    trailer = b"1\r\na\r\n0\r\nX-Kliento-Subject: " + FORGED.encode() + b"\r\n\r\n"
    lines = [("Transfer-Encoding", "chunked"), ("Trailer", "X-Kliento-Subject"), ("TE", "trailers")]
    asks = [Raw(request("/health/", lines[:count], method="POST") + trailer) for count in (1, 2, 3)]
    yield Row("trailers named like ours are no fields to the server", asks, KeptFrom(PUBLIC))


# ---- Upgrades and tunnels

# All but the one that WebSockets open with (RFC 6455 §4.1): each is a list of fields.
UPGRADES = [
    ("h2c",),
    ("H2C",),
    ("h2c ",),
    ("h2",),
    ("websocket, h2c",),
    ("h2c, websocket",),
    ("websocket,h2c",),
    ("websocket", "h2c"),
    ("h2c", "websocket"),
    ("websocket", "websocket"),
    ("websocket, websocket",),
    ("websocket,",),
    ("websocket/13",),
    ("websockets",),
    ("xwebsocket",),
    ("websocket;h2c",),
    ("websocket h2c",),
    ("TLS/1.0",),
    ("TLS/1.2, HTTP/1.1",),
    ("HTTP/2.0",),
    ("HTTP/1.1",),
    ("connect-udp",),
    ("connect-ip",),
    ("foo",),
    ("",),
    ("\x0bh2c",),
]
CONNECTIONS = [
    ("Upgrade",),
    ("upgrade, http2-settings",),
    ("keep-alive, Upgrade, HTTP2-Settings",),
    ("Upgrade", "HTTP2-Settings"),
    ("close, Upgrade",),
    ("keep-alive",),
    (),
]


def upgrades():
    for values in UPGRADES:
        # Whoever takes one of several for the only one opens what that asks for, and no more than that.
        allowed = SingleUpgrade if len(values) > 1 else NoTunnel
        shown = " and ".join(f"`Upgrade: {value}`" for value in values)
        for h2c in {False, "h2c" in "".join(values).lower()}:
            server = "speaks h2c" if h2c else "takes anything"
            public = Upgrade(values, h2c=h2c)
            yield Row(f"{shown} opens no tunnel to a server that {server}, where all is public", [public], allowed(NOBODY))
            private = Upgrade(values, "/", "bot", h2c=h2c)
            yield Row(f"{shown} opens no tunnel to a server that {server}, with a valid token", [private], allowed(BOT))
    asks = [Upgrade(("h2c",), connection=connection, h2c=True) for connection in CONNECTIONS]
    asks += [Upgrade(("h2c",), method=method, h2c=True) for method in ("POST", "OPTIONS", "PRI")]
    yield Row("`Upgrade: h2c` opens no tunnel, whatever `Connection` and the method are", asks, NoTunnel(NOBODY))
    yield Row("`Connection: Upgrade` without an `Upgrade` opens no tunnel", [Upgrade(())], NoTunnel(NOBODY))
    prior = Raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + INNER)
    yield Row("a connection that starts as HTTP/2 has is none to the server", [prior], KeptFrom(PUBLIC))

    for values, target, token, told in [
        (("websocket",), "/health/", None, NOBODY),
        (("websocket",), "/chat", "good", ALICE),
        (("WebSocket",), "/chat", "bot", BOT),
    ]:
        ask = Upgrade(values, target, token, connection=("keep-alive, Upgrade",))
        label = f"`Upgrade: {values[0]}` with {token or 'no'} token opens a WebSocket, which the verifier has judged"
        yield Row(label, [ask], WebSocket(told))
    refused = [
        (Upgrade(("websocket",), "/chat", token, connection=("Upgrade",)), 401) for token in (None, "tampered", "expired")
    ]
    refused += [(Upgrade(("websocket",), "/admin/", "bot", connection=("Upgrade",)), 403)]
    for ask, status in refused:
        label = f"`Upgrade: websocket` to {ask.target} with {ask.token or 'no'} token opens none"
        yield Row(label, [ask], Refused(frozenset({status}), ...))
    forged = Upgrade(("websocket",), fields=(("X.Kliento.Subject", FORGED),))
    yield Row("`Upgrade: websocket` lets no field of ours through", [forged], SingleUpgrade(NOBODY))
    # A server that says no leaves the connection as it was: the next request on it is judged like any other.
    stay = Upgrade(("websocket",), "/health/stay", connection=("Upgrade",))
    yield Row("a WebSocket that the server does not open is no tunnel", [stay], NoTunnel(NOBODY))


@dataclass(frozen=True)
class SingleUpgrade:
    """At most a WebSocket, for which the server was asked by `Upgrade: websocket` alone."""

    told: dict

    def judge(self, exchange):
        if exchange.response.status == 101:
            WebSocket(self.told).judge_opening(exchange)
        else:
            NoTunnel(self.told).judge(exchange)


def tunnels():
    for target in ("app.example.com:80", "/health/", "http://app.example.com/health/", "*", "app.example.com:80/health/"):
        ask = Raw(request(target, method="CONNECT"), then=INNER)
        yield Row(f"`CONNECT {target}` opens no tunnel", [ask], NoTunnel(NOBODY))
    for protocol in ("", "h2c", "foo", "connect-udp", "connect-ip", "websocket, h2c", "TLS/1.0"):
        asks = [ExtendedConnect(protocol), ExtendedConnect(protocol, "/", "bot")]
        yield Row(f"CONNECT with the protocol {protocol or 'of none'} opens no tunnel", asks, NoConnect())
    asks = [ExtendedConnect("websocket", "/chat"), ExtendedConnect("websocket", "/admin/", "bot")]
    yield Row("CONNECT with the protocol websocket opens no WebSocket to whom it is not for", asks, NoConnect())


class NoConnect:
    """Nothing comes of it: no answer of 2xx, and nothing of what was said to be heard by the server alone."""

    def judge(self, exchange):
        exchange.require_nothing_forged()
        exchange.require_status({*UNREADABLE, 401, 426, 500, 502, 503})
        NoTunnel(NOBODY).judge_fields(exchange)
