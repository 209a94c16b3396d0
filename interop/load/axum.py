"""What Kliento costs a server that knows its clients already: requests per second with it and without.

usage: axum.py SERVER ROUNDS SECONDS

The example `axum_server` answers `/` to whoever has a token, and `/open` to anybody. Both get the very same requests,
token included, in turns, so that whatever else the machine is busy with slows both alike.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from goals import goal
from servers import PORT, free_host, running

GOAL = 0.9
CONNECTIONS = 16


@dataclass
class Run:
    requests_per_second: float
    # Of the server's processor time, for one request: it says the same on a machine that is busy with something else.
    microseconds: float


def load(url, authorization, seconds, process):
    wrk = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    before = processor_seconds(process)
    run = subprocess.run([*wrk, "--header", authorization, url], check=True, capture_output=True, text=True)
    spent = processor_seconds(process) - before
    if "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise SystemExit(f"{url} did not answer well:\n{run.stdout}")
    count = int(re.search(r"(\d+) requests in", run.stdout)[1])
    return Run(float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)[1]), spent / count * 1e6)


def processor_seconds(process):
    # proc_pid_stat(5): utime and stime, counted from behind the name, which may hold anything.
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(server, rounds, seconds):
    address = f"{free_host()}:{PORT}"
    with tempfile.TemporaryDirectory(prefix="kliento-load.") as directory:
        token = Path(directory) / "token"
        command = [server, "--listen", address, "--token-file", token]
        with running(command, address, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            measure(address, token.read_text().strip(), rounds, seconds, process)


def measure(address, authorization, rounds, seconds, process):
    runs = {"/": [], "/open": []}
    for path in runs:
        load(f"http://{address}{path}", authorization, 1, process)
    for number in range(rounds):
        for path in sorted(runs, reverse=number % 2 == 1):
            runs[path].append(load(f"http://{address}{path}", authorization, seconds, process))
    for path, found in runs.items():
        rates = [run.requests_per_second for run in found]
        cost = statistics.median(run.microseconds for run in found)
        print(
            f"{path:6} {statistics.median(rates):7.0f} requests/s ({min(rates):.0f} to {max(rates):.0f}), "
            f"{cost:.1f} µs of processor time for each"
        )
    # Each run is compared with the one beside it.
    ratios = [
        with_it.requests_per_second / without.requests_per_second
        for with_it, without in zip(*runs.values(), strict=True)
    ]
    ratio = statistics.median(ratios)
    goal(
        "an axum server that knows its clients answers nearly as many requests as one that asks nobody",
        ratio >= GOAL,
        f"{ratio:.3f}, and the goal is {GOAL}",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
