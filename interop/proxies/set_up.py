"""The set-ups that are tried: each is one file in `set_ups/`, and a new one joins by adding its own.

usage: set_up.py names|packages|wheels|versions

A file there has one `SET_UP`. Its name is the set-up's, with underscores in place of hyphens.
"""

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from examples import run

FOLDER = Path(__file__).resolve().parent / "set_ups"


@dataclass(frozen=True)
class SetUp:
    """A proxy with one of its configurations."""

    # The folder of examples/forward-auth, and the command that is run in a copy of it.
    start: tuple
    # Prints the proxy's version.
    version: tuple
    # Debian's, in which it is.
    packages: tuple = ()
    # Or the wheel: PACKAGE==VERSION:PATH-OF-THE-PROGRAM-WITHIN:NAME
    wheel: str = ""
    # It speaks HTTP/2 without TLS, too, with clients that start so (RFC 9113 §3.3).
    http2: bool = False
    # It passes on those claims alone that its configuration names.
    named_claims_alone: bool = False
    # It gives each request an id, and tells it the verifier and the server.
    request_ids: bool = True
    # A line of its configuration, and what stands behind it for the tests alone.
    addition: tuple = ()


def example(name):
    """How `examples/forward-auth/run` starts it."""
    return run.PROXIES[name]


def names():
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[!_]*.py"))


def load(name):
    return import_module(f"set_ups.{name.replace('-', '_')}").SET_UP


def main(what):
    set_ups = [load(name) for name in names()]
    if what == "names":
        lines = names()
    elif what == "packages":
        lines = sorted({package for set_up in set_ups for package in set_up.packages})
    elif what == "wheels":
        lines = sorted({set_up.wheel for set_up in set_ups if set_up.wheel})
    elif what == "versions":
        for command in sorted({set_up.version for set_up in set_ups}):
            tell_version(command)
        lines = []
    else:
        raise SystemExit(__doc__.strip())
    print(*lines, sep="\n")


def tell_version(command):
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    first = next(line for line in (shown.stdout + shown.stderr).splitlines() if line.strip())
    print(f"{command[0]}: {first.strip()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
