"""What a proxy of `examples/forward-auth` lets through to the server behind it, and what the server is told.

usage: forward_auth.py KLIENTO WORLD SET-UP [PART-OF-A-LABEL]

WORLD is what the example `world` of the crate `kliento` writes. All set-ups run the same table, `attacks.py`, over HTTP/1.1 and
HTTP/2, and the scenes below, which take more than a request. The lines for TLS that each example has as comments are tried
with a few rows, and with all of those over HTTP/2 where a proxy speaks it with TLS alone.
"""

import json
import signal
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import attacks
import record
import set_up
from asks import Ask, Exchange, Passes, Refused, Upgrade, identity
from attacks import ALICE, BOT
from http1 import CLIENT, Connection, request
from report import Wrong, check, expect
from stage import BadVerifier, Stage

# What is answered in place of the verifier.
CLOSED = frozenset({500, 502, 503, 504})
# How often is asked whether a proxy has found its verifier again.
RETURN_ATTEMPTS = 100


class Audience:
    """Asks the proxy, and looks at what came of it."""

    def __init__(self, stage, world):
        self.stage = stage
        self.tokens = {path.name: path.read_text() for path in (Path(world) / "tokens").iterdir()}

    def exchange(self, ask, version=1):
        server, record = self.stage.server, self.stage.record
        server.forget()
        record.forget()
        response = (ask.over_http1 if version == 1 else ask.over_http2)(self.stage, self.tokens)
        if not isinstance(ask, Ask):
            server.settle()
        return Exchange(
            ask, response, list(server.requests), bytes(server.octets), record.new(), self.stage.set_up.request_ids
        )

    def judge(self, ask, outcome):
        outcome.judge(self.exchange(ask))


def table(audience, rows, versions, wanted):
    over = "TLS: " if audience.stage.with_tls else ""
    for version in versions:
        shown = over if version == 1 else f"{over}HTTP/2: "
        for row in rows:
            if wanted in row.label and row.can_be_said_over(version):
                with check(f"{audience.stage.name}: {shown}{row.label}"):
                    row.run(audience, version)


def claims(audience):
    wanted = {"motto": "naïve “quotes” 🦀", "spaces": "  100% padded\t", "empty": ""}
    wanted["lines"] = "one\r\nX-Kliento-Subject: root@example.com"
    wanted["project-id-of-claim"] = "one"
    wanted["project-id"] = "two"
    with check(f"{audience.stage.name}: claims that no field can hold as they are arrive whole"):
        exchange = audience.exchange(Ask("/", "strange-claims"))
        found = identity(exchange.the_request())
        others = {name: found.pop(name) for name in list(found) if name not in ALICE}
        expect("what else is told", found, ALICE)
        decoded = {
            name.removeprefix("x-kliento-claim-"): urllib.parse.unquote(value) for name, value in others.items()
        }
        if audience.stage.set_up.named_claims_alone:
            wanted = {}
        # A field without a value may be left out.
        wanted = {name: value for name, value in wanted.items() if value or name in decoded}
        expect("claims", decoded, wanted)


def connections(audience):
    def octets(token):
        return request("/", Ask("/", token).head(audience.tokens))

    def passes(response, told):
        expect("status", response.status, 200)
        expect("what the server is told", identity(json.loads(response.body)), told)

    with check(f"{audience.stage.name}: one connection, many people: each request by itself"):
        connection = Connection(audience.stage.door)
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
            response = connection.ask(octets(token))
            expect(f"status with {token}", response.status, status)
            if told is not None:
                passes(response, told)
            if "close" in response.values("connection"):
                connection.close()
                connection = Connection(audience.stage.door)
        connection.close()
    with check(f"{audience.stage.name}: requests sent at once are told apart"), Connection(
        audience.stage.door
    ) as connection:
        names = ["good", "bot", "good"]
        connection.send(b"".join(octets(name) for name in names))
        for name in names:
            passes(connection.receive(), ALICE if name == "good" else BOT)
    with check(f"{audience.stage.name}: a request with two lengths is refused, or of the length that counts"):
        # RFC 9112 §6.3: Content-Length is to be ignored then.
        lines = (("Content-Length", "5"), ("Transfer-Encoding", "chunked"))
        head = request("/", Ask("/", "good", lines).head(audience.tokens), method="POST")
        with Connection(audience.stage.door) as connection:
            response = connection.ask(head + b"3\r\nabc\r\n0\r\n\r\n")
            if response.status != 400:
                passes(response, ALICE)
                expect("body", json.loads(response.body)["body"], "abc")


def fail_closed(audience):
    stage = audience.stage
    asks = {
        "nobody gets in with a good token": Ask("/", "good"),
        "nobody gets in without one": Ask("/"),
        "not even to what is public": Ask("/health/"),
        "nobody opens a WebSocket": Upgrade(("websocket",), "/", "good"),
    }

    def nobody_gets_in(label):
        for what, ask in asks.items():
            with check(f"{stage.name}: the verifier {label}: {what}"):
                audience.judge(ask, Refused(CLOSED))

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
        audience.judge(Ask("/", "good"), Refused(CLOSED))
    stage.start_verifier()
    with check(f"{stage.name}: the verifier is back, and so are people"):
        # A proxy may find out only by asking that a connection to what was there before has ended.
        for _ in range(RETURN_ATTEMPTS):
            exchange = audience.exchange(Ask("/", "good"))
            if exchange.response.status not in CLOSED:
                break
            time.sleep(0.1)
        Passes(ALICE).judge(exchange)


def log_of_the_verifier(audience, log):
    """What holds for all lines, whatever was tried."""
    name, decisions = audience.stage.name, record.decisions(log)
    if not decisions:
        raise Wrong("the log has no decision")
    with check(f"{name}: the verifier’s log has the client’s own address in every decision"):
        expect("clients", {decision.get("client") for decision in decisions}, {CLIENT})
    with check(f"{name}: the verifier’s log has no text that is too long or deceives whoever reads it"):
        for decision in decisions:
            for field, value in decision.items():
                if isinstance(value, str) and (record.is_deceptive(value) or record.length(value) > record.MAX_LENGTH):
                    raise Wrong(f"{field}: {value!r}")
    with check(f"{name}: the verifier’s log never holds a token"):
        for name, token in audience.tokens.items():
            value = token.removeprefix("Kliento ")
            if value[:60] in log or value[-60:] in log:
                raise Wrong(f"it holds {name}")


def main(kliento, world, name, wanted=""):
    with tempfile.TemporaryDirectory(prefix=f"kliento-{name}.") as directory:
        Path(directory).chmod(0o755)
        proxy = set_up.load(name)
        with Stage(kliento, world, name, proxy, directory) as stage:
            audience = Audience(stage, world)
            table(audience, list(attacks.table()), (1, 2) if proxy.http2 else (1,), wanted)
            if not wanted:
                for scene in (claims, connections, fail_closed):
                    scene(audience)
        log_of_the_verifier(audience, (Path(directory) / "serve.log").read_text())
    with tempfile.TemporaryDirectory(prefix=f"kliento-{name}-tls.") as directory:
        Path(directory).chmod(0o755)
        with Stage(kliento, world, name, proxy, directory, with_tls=True) as stage:
            audience = Audience(stage, world)
            table(audience, list(attacks.over_tls()), (1, 2), wanted)
            if not proxy.http2:
                table(audience, list(attacks.table()), (2,), wanted)


if __name__ == "__main__":
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    main(*sys.argv[1:])
