"""Thousands of connections that send an octet a second, while honest clients ask: `kliento serve` answers all of these.

usage: slow.py KLIENTO WORLD CONNECTIONS SECONDS
"""

import asyncio
import resource
import sys
import tempfile
from pathlib import Path

from goals import promise
from servers import Serve

# What else this process has open.
OTHER_FILES = 200
# The server would cut each off after ten seconds. Here it has to bear all of them all the while.
LIMITS = 'connections = 16384\nheader-timeout = "5m"\nidle-timeout = "5m"'
# For all of them to be there, and for an answer. Whoever waits for so long is not answered at all.
PATIENCE_SECONDS = 60
# Honest clients, each of which asks again as soon as it is answered.
HONEST = 8


def allow_files(count):
    """As many for this process, and so for the one that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        hard = count
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (PermissionError, ValueError) as error:
        raise SystemExit(f"{count} files can’t be open at once here: {error}") from error


async def drip(host, port, stop):
    """Sends the head of a request, an octet a second."""
    head = b"GET /auth/nginx HTTP/1.1\r\nHost: kliento\r\nAuthorization: Kliento "
    _, writer = await asyncio.open_connection(host, port)
    sent = 0
    while not stop.is_set():
        writer.write(head[sent : sent + 1] or b"A")
        sent += 1
        await asyncio.sleep(1)
    writer.transport.abort()


async def ask(host, port, request, counts, stop):
    """An honest client: each answer counts, and so does each time that there was none."""
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection(host, port)
            while not stop.is_set():
                writer.write(request)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
                counts["answered" if head.startswith(b"HTTP/1.1 200") else "refused"] += 1
                # There are others on this machine, and in this process.
                await asyncio.sleep(0.01)
            writer.close()
        except TimeoutError:
            counts["not answered"] += 1
        except (OSError, asyncio.IncompleteReadError):
            counts["cut off"] += 1


async def attack(serve, connections, seconds, token):
    host, port = serve.address.rsplit(":", 1)
    request = (
        "GET /auth/nginx HTTP/1.1\r\nHost: kliento\r\nX-Original-Method: GET\r\nX-Original-Host: app.example.com\r\n"
        f"X-Original-URI: /\r\nAuthorization: {token}\r\n\r\n"
    ).encode()
    stop, slow = asyncio.Event(), []
    for number in range(connections):
        slow.append(asyncio.create_task(drip(host, port, stop)))
        if number % 200 == 0:
            await asyncio.sleep(0)
    seen = 0
    for _ in range(PATIENCE_SECONDS):
        seen = await asyncio.to_thread(serve.metric, "kliento_connections")
        if seen >= connections:
            break
        await asyncio.sleep(1)
    counts = dict.fromkeys(["answered", "refused", "cut off", "not answered"], 0)
    honest = [asyncio.create_task(ask(host, port, request, counts, stop)) for _ in range(HONEST)]
    await asyncio.sleep(seconds)
    seen = min(seen, await asyncio.to_thread(serve.metric, "kliento_connections"))
    stop.set()
    await asyncio.gather(*slow, *honest)
    return counts, seen


def main(kliento, world, connections, seconds):
    allow_files(connections + OTHER_FILES)
    token = (Path(world) / "tokens" / "good").read_text()
    with tempfile.TemporaryDirectory(prefix="kliento-load.") as directory:
        serve = Serve(kliento, world, directory, LIMITS)
        with serve.running():
            counts, seen = asyncio.run(attack(serve, connections, seconds, token))
            memory, bound = serve.peak_memory(), serve.bound()
    promise(
        "as many slow connections were open all the while as were asked for", seen >= connections, f"{seen} at least"
    )
    honest = counts["answered"] > 0 and sum(counts.values()) == counts["answered"]
    promise("honest clients are answered meanwhile, each time", honest, counts)
    promise(
        "memory stays within its bound meanwhile",
        memory <= bound,
        f"{memory // 2**20} MiB of {bound // 2**20} MiB",
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
