"""Distinct tokens, none of them valid: `kliento serve` refuses all of them, and its memory stays within its bound.

usage: memory.py KLIENTO WORLD TOKENS
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from goals import promise
from servers import Serve

CONNECTIONS = 32
# Close to what so many connections need, so that what grew with the number of tokens would show.
LIMITS = "connections = 64\nstreams = 0\nheader = 32768\nbody = 32768\ncache = 4194304"
# For one run of wrk, which knows no count.
SECONDS = 3
REFUSED = 'kliento_verifications_total{result="deny"'


def main(kliento, world, tokens):
    script = Path(__file__).parent / "invalid.lua"
    good = Path(world) / "tokens" / "good"
    with tempfile.TemporaryDirectory(prefix="kliento-load.") as directory:
        serve = Serve(kliento, world, directory, LIMITS)
        with serve.running():
            sent, refused = 0, 0
            while refused < tokens:
                wrk = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{SECONDS}s"]
                target = ["--script", script, f"http://{serve.address}", "--", good, str(sent)]
                run = subprocess.run([*wrk, *target], check=True, capture_output=True, text=True)
                refused = serve.metric(REFUSED)
                if refused <= sent:
                    raise SystemExit(f"nothing is refused any more:\n{run.stdout}")
                # Some were under way when wrk ended: their numbers are not to come again.
                sent = refused + CONNECTIONS
            accepted = serve.metric('kliento_verifications_total{result="allow"')
            cached = serve.metric("kliento_cache_entries")
            memory, bound = serve.peak_memory(), serve.bound()
    promise(
        "each of the distinct tokens is refused",
        refused >= tokens and accepted == 0,
        f"{refused}, {accepted} accepted",
    )
    promise("none of them is remembered", cached == 0, f"{cached} in the cache")
    promise(
        "memory stays within its bound meanwhile",
        memory <= bound,
        f"{memory / 2**20:.1f} MiB of {bound / 2**20:.1f} MiB",
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
