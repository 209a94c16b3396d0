"""Instructions as `valgrind --tool=callgrind` counts them, divided into ours and those of the cryptographic library.

Counts are of the processor that Valgrind presents to the program, whatever the machine has: on any that has AVX2, one with
AVX2 and BMI2 but without AVX-512, ADX or SHA instructions. So they are the same on all those machines, and the library's
are more than it takes there. (Valgrind shows less to programs on a machine without AVX2.)
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

# Names that begin so are the library's, but not all of the library's begin so: its static functions have names of their own.
# They are called by those that do.
BACK_END = re.compile(r"(?:aws_lc_\d+_\d+_\d+|ring_core_\d+_\d+_\d+_*)_(.*)")
RUST = re.compile(r"([A-Za-z_]\w*)::(?:([a-z_]\w*)::)?")
OURS = {"dnssec", "kliento", "veraid"}
ALLOCATOR = re.compile(r"(?:_int_)?(?:malloc|free|realloc|calloc|memalign|posix_memalign|aligned_alloc)\b|__r(?:ust|dl|g)_|__rustc")
MEMORY = re.compile(r"_*(?:mem|str)(?:cpy|move|cmp|set|chr|len)|bcmp")


@dataclass
class Counts:
    """What was counted, of one operation."""

    total: float
    # Instructions by what they are spent on.
    groups: dict = field(default_factory=dict)

    @property
    def ours(self):
        return self.total - self.back_end

    @property
    def back_end(self):
        return sum(count for group, count in self.groups.items() if group.startswith("back end"))


class Profile:
    """One of callgrind's files: what each function spent by itself, and on those that it called."""

    def __init__(self, text):
        self.total = None
        self.own = defaultdict(int)
        self.calls = defaultdict(int)
        function = callee = None
        called = False
        for line in text.splitlines():
            key, separator, value = line.partition("=")
            if separator and not line[0].isdigit():
                # A function that calls itself goes by several names: f, f'2.
                if key == "fn":
                    function = value.partition("'")[0]
                elif key == "cfn":
                    callee = value.partition("'")[0]
                elif key == "calls":
                    called = True
            elif line.startswith(("totals:", "summary:")):
                self.total = int(line.split()[1])
            elif function and line[:1].isdigit():
                cost = int(line.split()[1]) if " " in line else 0
                if called:
                    self.calls[function, callee] += cost
                    called = False
                else:
                    self.own[function] += cost

    def _foreign(self):
        """The library's functions and all that they call, which never call back."""
        callees = defaultdict(set)
        for caller, callee in self.calls:
            callees[caller].add(callee)
        found = set()
        waiting = [name for name in [*self.own, *(callee for _, callee in self.calls)] if BACK_END.match(name)]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += callees[name]
        return found

    def counts(self, operations=1):
        """Per operation. Whatever our functions call in the library is the library's, with all that it calls in turn."""
        foreign = self._foreign()
        groups = defaultdict(int)
        for function, cost in self.own.items():
            if function not in foreign:
                groups[group(function)] += cost
        for (caller, callee), cost in self.calls.items():
            if caller not in foreign and callee in foreign:
                groups[group(callee)] += cost
        if not self.total or abs(sum(groups.values()) - self.total) > self.total / 100:
            raise SystemExit(f"callgrind's counts do not add up: {sum(groups.values())} of {self.total}")
        return Counts(self.total / operations, {name: cost / operations for name, cost in groups.items() if cost})


def group(function):
    """What a function is told under: our modules, others' crates, the library's functions."""
    if match := BACK_END.match(function):
        return f"back end: {match[1]}"
    if ALLOCATOR.match(function):
        return "allocator"
    if MEMORY.match(function):
        return "copying and comparing"
    if match := RUST.search(function):
        crate, module = match.groups()
        if crate == "__rustc":
            return "allocator"
        return f"{crate}::{module}" if crate in OURS and module else crate
    return "C"


def version():
    return subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True).stdout.strip()


def profile(command, *options):
    """What callgrind writes of a command, in order, and what the command prints."""
    with tempfile.TemporaryDirectory(prefix="kliento-callgrind.") as directory:
        out = Path(directory) / "out"
        valgrind = ["valgrind", "--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]
        run = subprocess.run(
            [*valgrind, f"--callgrind-out-file={out}", *options, *command], stdout=subprocess.PIPE, text=True
        )
        if run.returncode != 0:
            raise SystemExit(f"{command[0]} failed under valgrind")
        files = sorted(Path(directory).glob("out.*"), key=lambda file: int(file.suffix[1:]))
        return [Profile(file.read_text(errors="replace")) for file in files or [out]], run.stdout


def counted(command, function):
    """By the lines that the command prints: what it did within the function of that name before it printed each.

    A line is any text, a space, and how many operations there were.
    """
    options = ["--collect-atstart=no", f"--toggle-collect={function}", f"--dump-after={function}"]
    profiles, printed = profile(command, *options)
    lines = [line.rsplit(" ", 1) for line in printed.splitlines()]
    if len(lines) != len(profiles):
        sys.exit(
            f"{command[0]} printed {len(lines)} lines, and callgrind saw {function} {len(profiles)} times."
            " Has the program its symbols (CARGO_PROFILE_RELEASE_STRIP=none)?"
        )
    return {name: one.counts(int(operations)) for (name, operations), one in zip(lines, profiles)}
