"""Compares what operations take with the baseline.

usage: check.py [--update] WORK KLIENTO BASELINE

Two figures of each operation are compared: the whole, most of which is the cryptographic library's, and what is ours, since
what we do needlessly would not be seen in the whole. Ten runs of the same binary differ by 0.1 % in the whole and by 0.4 % in
ours: keys and signatures are made anew each time.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import callgrind

# What may be more than in the baseline before it fails; less by as much asks for a new baseline.
TOLERANCE = {"total": 0.01, "ours": 0.03}
# Another compiler makes other code, another Valgrind presents another processor, and another C library copies differently.
OTHER_TOOLS_TOLERANCE = {"total": 0.05, "ours": 0.15}
# Of the size of the command, stripped. As users build it, optimised at link time, it is smaller by a seventh: 12.4 MiB when it was
# 14.5 MiB here.
OCTETS_TOLERANCE = 0.01

COMMAND = "command: token verify"
AUDIENCE = "https://app.example.com"


def tools():
    rustc = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    libc = subprocess.run(["ldd", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    lock = Path("Cargo.lock").read_text()
    locked = re.findall(r'name = "(aws-lc-rs|aws-lc-sys)"\nversion = "([^"]+)"', lock)
    return {"rustc": rustc, "libc": libc, "valgrind": callgrind.version(), **dict(locked)}


def whole_command(world, kliento):
    """All of a process, from the dynamic linker to its end."""
    with tempfile.TemporaryDirectory(prefix="kliento-instructions.") as directory:
        subprocess.run([world, directory, AUDIENCE], check=True, stdout=subprocess.DEVNULL)
        command = [kliento, "token", "verify", "--audience", AUDIENCE, "--trust-anchors", f"{directory}/anchors"]
        profiles, _ = callgrind.profile([*command, f"{directory}/tokens/good"])
        return profiles[0].counts()


def stripped_octets(kliento):
    with tempfile.NamedTemporaryFile(prefix="kliento-stripped.") as stripped:
        subprocess.run(["strip", "-o", stripped.name, kliento], check=True)
        return Path(stripped.name).stat().st_size


def measured(work, kliento):
    operations = callgrind.counted([work], "work::counted")
    operations[COMMAND] = whole_command(work.parent / "examples" / "world", kliento)
    return {
        "tools": tools(),
        "command_octets": stripped_octets(kliento),
        "operations": {
            name: {
                "total": round(counts.total),
                "ours": round(counts.ours),
                "groups": {
                    group: round(count)
                    for group, count in sorted(counts.groups.items(), key=lambda item: -item[1])
                    # Small ones are no news.
                    if count >= counts.total / 5000
                },
            }
            for name, counts in operations.items()
        },
    }


def growth(now, before):
    """The groups that grew most."""
    names = now.keys() | before.keys()
    grown = sorted(((now.get(name, 0) - before.get(name, 0), name) for name in names), reverse=True)
    return [f"{difference:+} {name}" for difference, name in grown[:6] if difference > 0]


def compare(now, baseline):
    failures, notes = [], []
    tolerance = TOLERANCE
    if now["tools"] != baseline["tools"]:
        tolerance = OTHER_TOOLS_TOLERANCE
        for tool, version in baseline["tools"].items():
            if now["tools"].get(tool) != version:
                print(f"The baseline was made with {tool} {version}, and this with {now['tools'].get(tool)}.")
        print("So more is tolerated: {total:.0%} of the whole, {ours:.0%} of ours.\n".format(**tolerance))

    print(f"{'operation':22} {'whole':>12} {'':>8} {'ours':>10} {'':>8}")
    for name, counts in now["operations"].items():
        known = baseline["operations"].get(name)
        if known is None:
            failures.append(f"{name} is not in the baseline")
            continue
        figures = []
        for part, most in tolerance.items():
            change = counts[part] / known[part] - 1
            figures += [counts[part], f"{change:+.2%}"]
            if change > most:
                grown = "".join(f"\n      {line}" for line in growth(counts["groups"], known["groups"]))
                failures.append(
                    f"{name}: {counts[part]} instructions ({part}), {known[part]} in the baseline: {change:+.1%}, and"
                    f" {most:.0%} is tolerated. What grew:{grown}"
                )
            elif change < -most:
                notes.append(f"{name} ({part}) takes {change:+.1%}")
        print("{:22} {:12} {:>8} {:10} {:>8}".format(name, *figures))
    for name in baseline["operations"].keys() - now["operations"].keys():
        failures.append(f"{name} is in the baseline and was not counted")

    octets, known = now["command_octets"], baseline["command_octets"]
    print(f"\nsize of the command, stripped: {octets} octets, {octets / known - 1:+.2%}")
    if octets > known * (1 + OCTETS_TOLERANCE):
        failures.append(f"the command has {octets} octets, {known} in the baseline, and {OCTETS_TOLERANCE:.0%} is tolerated")
    return failures, notes


def main(arguments):
    update = "--update" in arguments
    work, kliento, path = [argument for argument in arguments if argument != "--update"]
    path = Path(path)
    now = measured(Path(work), Path(kliento))
    failures, notes = compare(now, json.loads(path.read_text()) if path.exists() else now)
    if update:
        path.write_text(json.dumps(now, indent=1) + "\n")
        print(f"wrote {path}")
        return 0
    for note in notes:
        print(f"note - {note}: lower the baseline, by benchmarks/instructions/run --update")
    for failure in failures:
        print(f"FAILED {failure}")
    if not failures:
        print("ok nothing takes more instructions than the baseline")
    return 1 if failures else 0


sys.exit(main(sys.argv[1:]))
