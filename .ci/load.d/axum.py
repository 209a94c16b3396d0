"""What Kliento costs a server that knows its clients already: requests per second with it and without.

usage: axum.py SERVER ROUNDS SECONDS

The example `axum_server` answers `/` to whoever has a token, and `/open` to anybody. Both get the very same requests, token
included, in turns, so that whatever else the machine is busy with slows both alike.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from goals import goal
from servers import free_address, running

GOAL = 0.9
CONNECTIONS = 16


def requests_per_second(url, authorization, seconds):
    wrk = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    run = subprocess.run(
        [*wrk, "--header", authorization, url], check=True, capture_output=True, text=True
    )
    if "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise SystemExit(f"{url} did not answer well:\n{run.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)[1])


def main(server, rounds, seconds):
    address = free_address()
    with tempfile.TemporaryDirectory(prefix="kliento-load.") as directory:
        token = Path(directory) / "token"
        command = [server, "--listen", address, "--token-file", token]
        with running(command, address, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            measure(address, token.read_text().strip(), rounds, seconds)


def measure(address, authorization, rounds, seconds):
    rates = {"/": [], "/open": []}
    for url in rates:
        requests_per_second(f"http://{address}{url}", authorization, 1)
    for number in range(rounds):
        for path in sorted(rates, reverse=number % 2 == 1):
            rates[path].append(requests_per_second(f"http://{address}{path}", authorization, seconds))
    medians = {path: statistics.median(found) for path, found in rates.items()}
    for path, found in rates.items():
        print(f"{path:6} {medians[path]:9.0f} requests/s, from {min(found):.0f} to {max(found):.0f}")
    ratio = medians["/"] / medians["/open"]
    goal(
        "an axum server that knows its clients answers nearly as many requests as one that asks nobody",
        ratio >= GOAL,
        f"{ratio:.3f}, and the goal is {GOAL}",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
