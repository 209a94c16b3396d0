"""What a client sends, and what has to come of it: the two halves of a row of the table in `attacks.py`.

An ask is sent over HTTP/1.1, and over HTTP/2 where it can be said there. Its outcome looks at the response, at all that
came to the server, and at the verifier's record.
"""

import base64
import json
import re
import socket
from dataclasses import dataclass, field, replace

import http2
from http1 import CLIENT, HOST, Connection, Response, request
from report import Wrong, expect

# In every value that a client must not get to the server.
FORGED = "forged@example.com"
# How long is waited for what may come after a hostile request: less than proxies wait, so that it is not their patience that
# is tried.
PATIENCE_SECONDS = 2
# The answers of proxies and of the verifier to what they refuse to read.
UNREADABLE = {400, 403, 404, 405, 413, 414, 417, 421, 422, 431, 501, 505}
# Those of proxies by themselves: also where the verifier can't read the question, which is no answer to it.
UNASKED = {*UNREADABLE, 500, 503}
REASON = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
# The ids that proxies make up: a UUID (RFC 9562 §4), and nginx's.
REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")


# ---- What is sent


@dataclass(frozen=True)
class Ask:
    """A request as anybody could send it."""

    target: str = "/"
    # Of the world's tokens, by name.
    token: str = None
    fields: tuple = ()
    # Fields behind the token.
    after: tuple = ()
    method: str = "GET"
    host: str = HOST
    body: bytes = None
    http1_only: bool = False

    def head(self, tokens):
        token = [] if self.token is None else [("Authorization", tokens[self.token])]
        return [*self.fields, *token, *self.after]

    def over_http1(self, stage, tokens):
        octets = request(self.target, self.head(tokens), method=self.method, host=self.host, body=self.body)
        with Connection(stage.door) as connection:
            return connection.ask(octets)

    def over_http2(self, stage, tokens):
        pseudo = {":method": self.method, ":scheme": stage.door.scheme, ":authority": self.host, ":path": self.target}
        return http2.ask(stage.door, pseudo, self.head(tokens), self.body)

    def __str__(self):
        names = ", ".join(name for name, _ in (*self.fields, *self.after))
        return f"{self.method} {self.target[:100]} [{names[:200]}] with {self.token or 'no'} token"


@dataclass(frozen=True)
class Raw:
    """Octets, after which the connection is listened to until nothing more comes. The response is the first."""

    octets: bytes
    # Sent when the first response is there.
    then: bytes = b""
    http1_only: bool = True

    def over_http1(self, stage, _):
        with Connection(stage.door) as connection:
            response = connection.ask(self.octets)
            self.go_on(connection, response)
            return response

    def go_on(self, connection, response):
        """Whatever comes now is of no interest here: the outcome asks what came to the server."""
        connection.socket.settimeout(PATIENCE_SECONDS)
        try:
            connection.send(self.then)
            # A proxy that answers and closes the connection is done; others are, when they have answered.
            if self.then and "close" not in response.values("connection"):
                connection.receive()
        except (OSError, ValueError, IndexError):
            pass

    def __str__(self):
        return repr(self.octets[:200])


@dataclass(frozen=True)
class Upgrade:
    """A wish to speak another protocol, and then words to the server that no proxy would let through."""

    # As many fields as there are values.
    values: tuple
    target: str = "/health/"
    token: str = None
    connection: tuple = ("Upgrade, HTTP2-Settings",)
    fields: tuple = ()
    method: str = "GET"
    # The server speaks HTTP/2 once it is asked for h2c, and does not just send everything back.
    h2c: bool = False
    http1_only: bool = True

    # RFC 6455 §1.3's, and settings (RFC 9113 §6.5.1) of no consequence.
    ALWAYS = (
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("HTTP2-Settings", base64.urlsafe_b64encode(b"\0\3\0\0\0\x64").decode().rstrip("=")),
    )
    # To be heard by the server, and by no proxy and no verifier.
    WHISPER = request("/admin/", [("X-Kliento-Subject", FORGED)])

    def over_http1(self, stage, tokens):
        stage.server.h2c = self.h2c
        token = [] if self.token is None else [("Authorization", tokens[self.token])]
        upgrades = [("Upgrade", value) for value in self.values]
        connections = [("Connection", value) for value in self.connection]
        octets = request(
            self.target, [*connections, *upgrades, *self.ALWAYS, *self.fields, *token], method=self.method
        )
        with Connection(stage.door) as connection:
            response = connection.ask(octets)
            connection.socket.settimeout(PATIENCE_SECONDS)
            try:
                response.body += self.whisper(connection, response)
            except (OSError, ValueError, IndexError):
                pass
            return response

    def whisper(self, connection, response):
        if response.status != 101:
            connection.send(self.WHISPER)
            connection.receive()
            return b""
        if self.h2c:
            pseudo = {":method": "GET", ":scheme": "http", ":authority": HOST, ":path": "/admin/"}
            stream = http2.Connection(connection.socket, upgraded=True)
            return stream.ask(pseudo, [("x-kliento-subject", FORGED)]).body
        connection.send(self.WHISPER)
        return connection.stream.read1(65_536)

    def __str__(self):
        return f"{self.target} Upgrade: {self.values}, with {self.token or 'no'} token"


@dataclass(frozen=True)
class ExtendedConnect:
    """The same over HTTP/2 (RFC 8441), or with no protocol a CONNECT (RFC 9113 §8.5)."""

    protocol: str
    target: str = "/health/"
    token: str = None
    http1_only: bool = False
    http2_only: bool = True

    def over_http2(self, stage, tokens):
        pseudo = {":method": "CONNECT", ":authority": HOST}
        if self.protocol:
            pseudo |= {":scheme": stage.door.scheme, ":path": self.target, ":protocol": self.protocol}
        fields = [] if self.token is None else [("Authorization", tokens[self.token])]
        return http2.ask(stage.door, pseudo, fields, tunnel=Upgrade.WHISPER)

    def __str__(self):
        return f"CONNECT :protocol {self.protocol!r} {self.target} with {self.token or 'no'} token"


# ---- What comes of it


@dataclass
class Exchange:
    """A response, and what came to the server and to the verifier's record meanwhile."""

    ask: object
    response: Response
    requests: list
    octets: bytes
    decisions: list
    # The proxy gives each request an id.
    request_ids: bool

    def require_status(self, statuses):
        if self.response.status not in statuses:
            body = self.response.body[:300]
            raise Wrong(f"status: expected one of {sorted(statuses)}, got {self.response.status} {body!r}")

    def require_nothing_forged(self):
        if FORGED.encode() in self.octets:
            raise Wrong(f"the server got what the client made up: {self.octets[:1000]!r}")

    def the_request(self):
        if len(self.requests) != 1:
            raise Wrong(f"the server got {len(self.requests)} requests: {self.requests}")
        return self.requests[0]


def identity(got):
    """The fields by which a server would know somebody, by the names that CGI would give them (RFC 3875 §4.1.18)."""
    found = {}
    for name, value in got["headers"]:
        name = re.sub("[^a-z0-9]", "-", name.lower())
        if name.startswith("x-kliento"):
            if name in found:
                raise Wrong(f"{name} is there twice")
            found[name] = value
    return found


@dataclass(frozen=True)
class Passes:
    """The request comes to the server, which is told this of its sender, and nothing else."""

    told: dict
    # As the server gets it.
    target: str = None
    method: str = None
    body: str = None

    def judge(self, exchange):
        exchange.require_status({200})
        got = exchange.the_request()
        self.judge_what_came(exchange, got)
        if self.body is not None:
            expect("body", json.loads(exchange.response.body)["body"], self.body)

    def judge_what_came(self, exchange, got):
        expect("what the server is told", identity(got), self.told)
        if "authorization" in (name.lower() for name, _ in got["headers"]):
            raise Wrong("the server got the token")
        for what in ("target", "method"):
            if (wanted := getattr(self, what)) is not None:
                expect(what, got[what], wanted)
        exchange.require_nothing_forged()


@dataclass(frozen=True)
class Refused:
    """The server never hears of it."""

    statuses: frozenset
    # Of the problem that the client is told, where it is the verifier who refuses: `...` for any.
    reason: object = None

    def judge(self, exchange):
        exchange.require_status(self.statuses)
        if exchange.octets:
            raise Wrong(f"it came to the server: {exchange.octets[:300]!r}")
        if self.reason is not None:
            self.judge_problem(exchange.response)

    def judge_problem(self, response):
        expect("Content-Type", response.values("content-type"), ["application/problem+json"])
        problem = json.loads(response.body)
        expect("the problem’s status", problem["status"], response.status)
        if self.reason is ... and not REASON.fullmatch(problem["reason"]):
            raise Wrong(f"the problem has no reason: {problem}")
        if self.reason is not ...:
            expect("reason", problem["reason"], self.reason)
        schemes = [value.split()[0] for value in response.values("www-authenticate")]
        expect("WWW-Authenticate", schemes, ["Kliento"] if response.status == 401 else [])


@dataclass(frozen=True)
class Harmless:
    """It is refused, or what is hostile in it has no effect: it passes as if that were not there."""

    told: dict
    statuses: frozenset = frozenset(UNREADABLE)

    def judge(self, exchange):
        if exchange.response.status in self.statuses:
            Refused(self.statuses).judge(exchange)
        else:
            Passes(self.told).judge(exchange)


@dataclass(frozen=True)
class KeptFrom:
    """Whatever came to the server is of these targets alone."""

    targets: re.Pattern
    # What a proxy answers whose server can't be asked so is no matter here.
    statuses: frozenset = frozenset({*UNREADABLE, 401, 426, 500, 502, 503})

    def judge(self, exchange):
        exchange.require_status({*self.statuses, 200})
        for got in exchange.requests:
            if not self.targets.fullmatch(got["target"]):
                raise Wrong(f"the server was asked for {got['target']}")
            if told := identity(got):
                raise Wrong(f"the server was told {told}")


@dataclass(frozen=True)
class NoTunnel:
    """The server may get the request without the wish in it, and it gets nothing that was not judged."""

    # What it may be told then.
    told: dict
    PERMITTED = "websocket"

    def judge(self, exchange):
        status = exchange.response.status
        if status == 101 or (exchange.response.body and status == 200 and not exchange.requests):
            raise Wrong(f"a tunnel, through which came {exchange.requests[1:]} {exchange.response.body[:300]!r}")
        exchange.require_nothing_forged()
        self.judge_fields(exchange)
        for got in exchange.requests:
            if got["method"] == "CONNECT" or got["target"].startswith("/admin"):
                raise Wrong(f"the server was asked for {got}")
            expect("what the server is told", identity(got), self.told)

    def judge_fields(self, exchange):
        """RFC 7540 §3.2.1: without HTTP2-Settings there is no upgrade to HTTP/2."""
        for got in exchange.requests:
            for name, value in got["headers"]:
                if name.lower() == "http2-settings":
                    raise Wrong("the server got HTTP2-Settings")
                if name.lower() == "upgrade" and value.lower() != self.PERMITTED:
                    raise Wrong(f"the server got `Upgrade: {value}`")


@dataclass(frozen=True)
class WebSocket:
    """The server is told who asks for a WebSocket, and opens it."""

    told: dict

    def judge(self, exchange):
        self.judge_opening(exchange)
        expect("what the server sends back", exchange.response.body, Upgrade.WHISPER)

    def judge_opening(self, exchange):
        exchange.require_status({101})
        got = exchange.the_request()
        # What is said then is between the two.
        Passes(self.told).judge_what_came(replace(exchange, octets=b""), got)
        NoTunnel(self.told).judge_fields(exchange)


@dataclass(frozen=True)
class Recorded:
    """As the outcome within, and the verifier's record says what the request was, whatever else the client said of it."""

    outcome: object

    def judge(self, exchange):
        self.outcome.judge(exchange)
        if not exchange.decisions:
            # Then it was never asked for one.
            exchange.require_status(UNASKED)
            return
        if len(exchange.decisions) != 1:
            raise Wrong(f"more than one decision on record: {exchange.decisions}")
        decision, ask = exchange.decisions[0], exchange.ask
        wanted = {"method": ask.method, "host": ask.host, "path": ask.target.split("?")[0], "client": CLIENT}
        expect("on record", {name: decision.get(name) for name in wanted}, wanted)
        self.judge_request_id(exchange, decision.get("request_id"))

    def judge_request_id(self, exchange, found):
        """The proxy's own, which the server gets too, or none."""
        if not exchange.request_ids:
            expect("id of the request on record", found, None)
            return
        if not REQUEST_ID.fullmatch(found or ""):
            raise Wrong(f"the id of the request on record is none of the proxy’s: {found!r}")
        if found in (value for _, value in (*exchange.ask.fields, *exchange.ask.after)):
            raise Wrong(f"the id of the request on record is the client’s: {found!r}")
        for got in exchange.requests:
            ids = [value for name, value in got["headers"] if name.lower() == "x-request-id"]
            expect("the server’s id of the request", ids, [found])


# ---- Rows


@dataclass(frozen=True)
class Row:
    """Requests of one kind, each of which has to come out so."""

    label: str
    asks: list
    outcome: object = field(repr=False)

    def run(self, audience, version):
        for ask in self.asks:
            if version == 2 and ask.http1_only or version == 1 and getattr(ask, "http2_only", False):
                continue
            try:
                self.outcome.judge(audience.exchange(ask, version))
            except (Wrong, OSError, ValueError, socket.timeout) as error:
                raise Wrong(f"{ask}: {type(error).__name__} {error}") from error

    def can_be_said_over(self, version):
        kept = "http1_only" if version == 2 else "http2_only"
        return any(not getattr(ask, kept, False) for ask in self.asks)
