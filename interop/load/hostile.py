"""What strangers can cost those who are known: `kliento serve` under the worst requests that we know of.

usage: hostile.py KLIENTO WORLD COSTLIEST SECONDS

COSTLIEST is what `costliest_bundle --write` wrote. For each kind of request, nearly as many connections as the server
takes send it at a fixed rate, all at once first, while a client whose token is remembered asks on a connection of its
own. The same connections send ordinary anonymous requests at the same rate right before that, so that what else the
machine does slows both. Last, connections of HTTP/2 ask for answers that they do not take.
"""

import asyncio
import base64
import json
import multiprocessing
import resource
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from goals import goal, promise
from servers import Serve

AUDIENCE = "https://app.example.com"
GOAL = 2.0
CONNECTIONS = 240
# Of all connections together. Each sends no more than that, in one run.
REQUESTS_PER_SECOND = 240
# Close to what so many connections need, so that what is not counted would show.
LIMITS = "connections = 256\nstreams = 256\nqueue = 256\ncache = 4194304"
KUBERNETES = f'[kubernetes]\naudiences = ["{AUDIENCE}"]\norganisations = ["example.com"]\ngroups-claim = "groups"\n'
# Between two questions of the client that is known.
PAUSE_SECONDS = 0.005
PATIENCE_SECONDS = 30
# Claims of a token that is to weigh much.
CLAIMS = 900
# RFC 9113: frames' types, flags and settings.
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
INITIAL_WINDOW_SIZE = 4
# Of each connection, so that there is room for all of them.
STREAMS = 2


@dataclass
class Kind:
    label: str
    # Makes the request of that number.
    request: callable


def get(path, token=None):
    authorization = f"Authorization: {token}\r\n" if token else ""
    return (
        "GET /auth/nginx HTTP/1.1\r\nHost: kliento\r\nX-Original-Method: GET\r\nX-Original-Host: app.example.com\r\n"
        f"X-Original-URI: {path}\r\n{authorization}\r\n"
    ).encode()


def review(token):
    body = json.dumps(
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    ).encode()
    head = "POST /kubernetes/token-review HTTP/1.1\r\nHost: kliento\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def bundle_of(token):
    return bytearray(base64.b64decode(token.split()[1]))


def first_message(bundle):
    """Where the first DNS message of a bundle starts: with its ID, which nobody signs."""

    def content(start):
        first = bundle[start + 1]
        return start + 2 + (first & 0x7F if first & 0x80 else 0)

    version = content(0)
    chain = content(version) + 1
    if (bundle[version], bundle[chain]) != (0x80, 0xA1):
        raise SystemExit("that is no bundle")
    return content(content(chain))


def variants(token):
    """The same token in other octets, with a chain that nobody has seen before, for each number."""
    bundle = bundle_of(token)
    message = first_message(bundle)

    def variant(number):
        bundle[message : message + 2] = struct.pack(">H", number % 65536)
        return "Kliento " + base64.b64encode(bundle).decode()

    return variant


def issue(kliento, world, claims, *signer):
    """A token with those claims, which is valid for an hour."""
    options = [option for name, value in claims for option in ("--claim", f"{name}={value}")]
    trust = ["--trust-anchors", world / "anchors", "--valid-for", "1h", "--audience", AUDIENCE]
    command = [kliento, "token", "issue", *trust, *signer, *options, "--format", "header", "--out", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def kinds(kliento, world, costliest):
    of_alice = (world / "tokens" / "tampered").read_text().strip()
    tampered = variants(of_alice)
    costly = variants(costliest)
    member = ["--member-id-bundle", world / "alice.member-id", "--key", world / "alice.key.pem"]
    heavy = variants(issue(kliento, world, [(f"{n:03x}", "") for n in range(CLAIMS)], *member))
    by_organisation = ["--organisation-certificate", world / "org.pem", "--key", world / "org.key.pem"]
    by_organisation += ["--dnssec-chain", world / "org.chain", "--on-behalf-of", "alice"]
    groups = variants(issue(kliento, world, [("groups", "a," * 3000)], *by_organisation))
    longest, beyond = "/a" * 256, "/a" * 257
    return [
        Kind("paths of as many segments as are read", lambda _: get(longest)),
        Kind("paths of one segment more", lambda _: get(beyond)),
        Kind("paths that fill the head", lambda _: get("/a" * 29_000)),
        Kind("paths that fill the head, and a token that waits", lambda n: get("/a" * 18_000, tampered(n))),
        Kind("paths that are percent-encoded throughout", lambda _: get("/" + "%c4%b0" * 1_300)),
        Kind("tokens that no signature holds for, each with a new chain", lambda n: get(longest, tampered(n))),
        Kind("tokens that no signature holds for, in the name of a known member", lambda _: get("/", of_alice)),
        Kind("the costliest bundle", lambda n: get(longest, costly(n))),
        Kind("variants of a heavy token", lambda n: get("/", heavy(n))),
        Kind("TokenReviews of many groups", lambda n: review(groups(n).split()[1])),
    ]


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))


async def send_on_one(address, requests, seconds, counts):
    """Sends those requests, evenly, and each as soon as the one before is answered."""
    host, port = address.rsplit(":", 1)
    end = time.monotonic() + seconds
    pause = CONNECTIONS / REQUESTS_PER_SECOND
    try:
        reader, writer = await asyncio.open_connection(host, port)
        for request in requests:
            if time.monotonic() >= end:
                break
            next_one = time.monotonic() + pause
            writer.write(request)
            await asyncio.wait_for(read_answer(reader), PATIENCE_SECONDS)
            counts["answered"] += 1
            await asyncio.sleep(max(0, min(next_one, end) - time.monotonic()))
        writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        counts["cut off"] += 1


def send(address, requests, seconds, outcome):
    """A process of its own, so that it takes nothing of the time that is measured."""

    async def on_all():
        counts = {"answered": 0, "cut off": 0}
        shares = (requests[number::CONNECTIONS] for number in range(CONNECTIONS))
        await asyncio.gather(*(send_on_one(address, share, seconds, counts) for share in shares))
        outcome.put(counts)

    asyncio.run(on_all())


class Known:
    """A client whose token is remembered."""

    def __init__(self, address, token):
        host, port = address.rsplit(":", 1)
        self.connection = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = get("/", token)
        self.refused = 0
        self.ask()

    def ask(self):
        """Milliseconds until it is answered."""
        start = time.perf_counter()
        self.connection.sendall(self.request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            octets = self.connection.recv(65536)
            if not octets:
                raise SystemExit("a client that is known was cut off")
            answer += octets
        self.refused += not answer.startswith(b"HTTP/1.1 200")
        return (time.perf_counter() - start) * 1000

    def times(self, go_on):
        times = []
        while go_on():
            times.append(self.ask())
            time.sleep(PAUSE_SECONDS)
        return times


def beside(serve, known, request, seconds):
    """The times that the client who is known has to wait while others send such requests."""
    # Made before, since making them takes a processor too.
    count = CONNECTIONS + REQUESTS_PER_SECOND * seconds
    requests = [request(number) for number in range(count)]
    outcome = multiprocessing.Queue()
    process = multiprocessing.Process(target=send, args=(serve.address, requests, seconds, outcome))
    process.start()
    try:
        times = known.times(process.is_alive)
    finally:
        process.terminate()
        process.join()
    return times, outcome.get(timeout=PATIENCE_SECONDS)


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(text):
    """RFC 7541 §5.2, without Huffman's code."""
    octets = text.encode()
    length = bytes([len(octets)]) if len(octets) < 127 else b"\x7f" + bytes([len(octets) - 127])
    return length + octets


def withheld(serve, body, connections):
    """Connections of HTTP/2 that ask on many streams each, and whose windows take no answer."""
    host, port = serve.address.rsplit(":", 1)
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/kubernetes/token-review",
        ":authority": "kliento",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    block = b"".join(b"\x00" + literal(name) + literal(value) for name, value in fields.items())
    opened = []
    for _ in range(connections):
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
        opened.append(connection)
        try:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            connection.sendall(frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)))
            connection.sendall(frame(SETTINGS, ACK, 0, b""))
            for number in range(STREAMS):
                stream = 2 * number + 1
                connection.sendall(frame(HEADERS, END_HEADERS, stream, block))
                parts = [body[start : start + 16_384] for start in range(0, len(body), 16_384)]
                for place, part in enumerate(parts, 1):
                    connection.sendall(frame(DATA, END_STREAM if place == len(parts) else 0, stream, part))
        except OSError:
            # Whoever asks for too much may be cut off.
            continue
    return opened


def main(kliento, world, costliest, seconds):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    world, costliest = Path(world), Path(costliest)
    token = (world / "tokens" / "good").read_text().strip()
    with tempfile.TemporaryDirectory(prefix="kliento-load.") as directory:
        anchors = Path(directory) / "world"
        anchors.mkdir()
        both = (world / "anchors").read_text() + "\n" + (costliest / "anchors").read_text() + "\n"
        (anchors / "anchors").write_text(both)
        for kind in kinds(kliento, world, (costliest / "costliest").read_text()):
            serve = Serve(kliento, anchors, directory, LIMITS, KUBERNETES)
            with serve.running():
                measure(serve, kind, token, seconds)
        by_organisation = ["--organisation-certificate", world / "org.pem", "--key", world / "org.key.pem"]
        by_organisation += ["--dnssec-chain", world / "org.chain", "--on-behalf-of", "alice"]
        largest = ",".join(f"{number:080}" for number in range(64))
        for label, claim in (("64 groups", largest), ("one group many times", "a," * 5_000)):
            huge = issue(kliento, world, [("groups", claim)], *by_organisation)
            serve = Serve(kliento, anchors, directory, LIMITS, KUBERNETES)
            with serve.running():
                hold_back(serve, label, huge, token)


def measure(serve, kind, token, seconds):
    known = Known(serve.address, token)
    end = time.monotonic() + seconds / 2
    quiet = known.times(lambda: time.monotonic() < end)
    ordinary, _ = beside(serve, known, lambda _: get("/"), seconds)
    hostile, counts = beside(serve, known, kind.request, seconds)
    memory, bound = serve.peak_memory(), serve.bound()
    of_quiet, of_ordinary, of_hostile = map(statistics.median, (quiet, ordinary, hostile))
    goal(
        f"{kind.label}: a remembered token waits at most twice as long as beside ordinary requests",
        of_hostile <= GOAL * of_ordinary,
        f"{of_hostile:.2f} ms, {of_ordinary:.2f} ms beside ordinary ones, {of_quiet:.2f} ms in quiet; {counts}",
    )
    promise(f"{kind.label}: a remembered token is taken each time", known.refused == 0, f"{known.refused} refused")
    promise(
        f"{kind.label}: memory stays within its bound",
        memory <= bound,
        f"{memory / 2**20:.1f} MiB of {bound / 2**20:.1f} MiB",
    )


def hold_back(serve, label, token, good):
    body = review(token.split()[1]).partition(b"\r\n\r\n")[2]
    opened = withheld(serve, body, CONNECTIONS)
    try:
        for _ in range(PATIENCE_SECONDS):
            asked = serve.metric('kliento_verifications_total{endpoint="kubernetes"')
            if asked >= CONNECTIONS * STREAMS:
                break
            time.sleep(1)
        known = Known(serve.address, good)
        memory, bound = serve.peak_memory(), serve.bound()
    finally:
        for connection in opened:
            connection.close()
    promise(
        f"answers with {label} that nobody takes: memory stays within its bound",
        memory <= bound and asked >= CONNECTIONS and known.refused == 0,
        f"{memory / 2**20:.1f} MiB of {bound / 2**20:.1f} MiB, {asked} reviews",
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
