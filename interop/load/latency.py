"""How long `kliento serve` takes to answer a proxy at half of the load that it can bear.

usage: latency.py KLIENTO WORLD SECONDS
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from goals import goal
from servers import Serve

GOAL_MILLISECONDS = 5
# As a proxy has them open.
CONNECTIONS = 16


def load(address, fields, seconds, options=()):
    command = ["h2load", "--h1", "--threads", "1", "--clients", str(CONNECTIONS), "--duration", str(seconds)]
    headers = [option for name, value in fields.items() for option in ("--header", f"{name}: {value}")]
    run = subprocess.run(
        [*command, *options, *headers, f"http://{address}/auth/nginx"], check=True, capture_output=True, text=True
    )
    if not re.search(r"status codes: [1-9]\d* 2xx, 0 3xx, 0 4xx, 0 5xx", run.stdout):
        raise SystemExit(f"not all answers were 200:\n{run.stdout}")
    return float(re.search(r"finished in .*?, ([\d.]+) req/s", run.stdout)[1])


def percentile(sorted_values, percent):
    return sorted_values[min(len(sorted_values) - 1, len(sorted_values) * percent // 100)]


def main(kliento, world, seconds):
    fields = {
        "X-Original-Method": "GET",
        "X-Original-Host": "app.example.com",
        "X-Original-URI": "/",
        "Authorization": (Path(world) / "tokens" / "good").read_text(),
    }
    with tempfile.TemporaryDirectory(prefix="kliento-load.") as directory:
        serve = Serve(kliento, world, directory)
        with serve.running():
            load(serve.address, fields, 1)
            peak = statistics.median(load(serve.address, fields, seconds) for _ in range(3))
            log = Path(directory) / "times"
            # Each client sends its share, evenly.
            share = max(1, round(peak / 2 / CONNECTIONS))
            load(serve.address, fields, seconds, ["--rps", str(share), f"--log-file={log}"])
            # When it was sent, the status, and microseconds until it was answered.
            times = sorted(int(line.split()[2]) / 1000 for line in log.read_text().splitlines())
            rate = len(times) / seconds
            p50, p99 = percentile(times, 50), percentile(times, 99)
            print(f"peak {peak:.0f} requests/s; at {rate:.0f} half of them take {p50:.2f} ms or less")
            goal(
                "`kliento serve` answers a proxy’s requests soon at half of its peak load",
                p99 < GOAL_MILLISECONDS,
                f"99 in 100 within {p99:.2f} ms, and the goal is {GOAL_MILLISECONDS} ms",
            )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
