"""The table of benchmarks: collects what Criterion measured, and prints it with the ratios that matter.

usage: python3 table.py RESULTS CRITERION begin [--quick]
       python3 table.py RESULTS CRITERION table|json|markdown

`begin` goes before a run, and notes in RESULTS when and where it was. Afterwards the figures are read from CRITERION, the
directory where Criterion leaves them, and from RESULTS/reference.json if the reference library was timed. Figures from
before the run do not count. Status 1 if any are missing.
"""

import json
import os
import platform
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

RESULTS, CRITERION = (Path(argument) for argument in sys.argv[1:3])
BENCHMARKS = Path("BENCHMARKS.md")
MARKERS = ("<!-- figures: begin -->", "<!-- figures: end -->")

# What there must be, in the order in which it is told. What else there is follows its group.
IDS = [
    "verify/cold_member",
    "verify/floor_member",
    "verify/cold_org",
    "verify/floor_org",
    "verify/warm_member",
    "verify/warm_org",
    "verify/floor_warm",
    "verify/repeat",
    "verify/repeat_threads_2",
    "verify/repeat_threads_2_floor",
    "verify/repeat_many",
    "verify/repeat_many_threads_2",
    "verify/hostile_worst",
    "verify/chain",
    "verify/chain_floor",
    "issue/member",
    "issue/org",
    "issue/floor",
    "peer/jwt_rs256",
    "peer/jwt_rs256_jwks",
    "peer/jwt_es256",
    "peer/biscuit",
    "peer/dnssec_prover",
    "peer/dnssec_prover_ours",
    "parse/header",
    "parse/bundle",
    "parse/token",
    "parse/signature_bundle",
    "parse/member_id_bundle",
    "parse/certificate",
    "parse/record",
    "parse/chain",
]
# And something in each of these.
GROUPS = ["verify", "issue", "peer", "parse", "retrieve"]

# The packages that the figures depend on, besides ours.
PACKAGES = ["aws-lc-rs", "aws-lc-sys", "jsonwebtoken", "biscuit-auth", "dnssec-prover", "criterion"]


def over(numerator, denominator):
    """The ratio of two figures."""
    return lambda medians: medians[numerator] / medians[denominator]


def throughput_of_two_threads(identifier, of_one="verify/repeat"):
    """What two threads get done, as a multiple of what one does: each of them takes that long for a verification."""
    return lambda medians: 2 * medians[of_one] / medians[identifier]


# What is said of it, how it is worked out, the unit, and the bound: the most or the least that it should be, or none.
RATIOS = [
    ("cold_member / floor_member", over("verify/cold_member", "verify/floor_member"), "", ("≤", 1.15)),
    ("cold_org / floor_org", over("verify/cold_org", "verify/floor_org"), "", ("≤", 1.15)),
    ("warm_member / floor_warm", over("verify/warm_member", "verify/floor_warm"), "", ("≤", 1.35)),
    ("warm_member / jwt_rs256", over("verify/warm_member", "peer/jwt_rs256"), "", ("≤", 1.25)),
    ("repeat", lambda medians: medians["verify/repeat"] / 1000, " µs", ("≤", 1.5)),
    ("repeat / jwt_rs256", over("verify/repeat", "peer/jwt_rs256"), "", ("≤", 0.1)),
    (
        "repeat: throughput of two threads / of one",
        throughput_of_two_threads("verify/repeat_threads_2"),
        "",
        ("≥", 1.8),
    ),
    (
        "the same with nothing shared: what the machine has to give",
        throughput_of_two_threads("verify/repeat_threads_2_floor"),
        "",
        None,
    ),
    (
        "repeat_many: throughput of two threads / of one",
        throughput_of_two_threads("verify/repeat_many_threads_2", "verify/repeat_many"),
        "",
        None,
    ),
    ("repeat_many / repeat", over("verify/repeat_many", "verify/repeat"), "", None),
    ("hostile_worst / cold_member", over("verify/hostile_worst", "verify/cold_member"), "", ("≤", 4)),
    ("reference library / cold, by a member", lambda medians: medians["reference/member"], "", ("≥", 20)),
    ("reference library / cold, by the organisation", lambda medians: medians["reference/org"], "", None),
    ("warm_org / floor_warm", over("verify/warm_org", "verify/floor_warm"), "", None),
    ("warm_member / jwt_rs256_jwks", over("verify/warm_member", "peer/jwt_rs256_jwks"), "", None),
    ("warm_member / jwt_es256", over("verify/warm_member", "peer/jwt_es256"), "", None),
    ("warm_member / biscuit", over("verify/warm_member", "peer/biscuit"), "", None),
    ("cold_member / jwt_rs256", over("verify/cold_member", "peer/jwt_rs256"), "", None),
    ("chain / chain_floor", over("verify/chain", "verify/chain_floor"), "", None),
    ("dnssec_prover / ours on the same zones", over("peer/dnssec_prover", "peer/dnssec_prover_ours"), "", None),
    ("issue member / floor", over("issue/member", "issue/floor"), "", None),
]


# ------------------------------------------------------------------------------------------------ where and when


def output_of(*command):
    """What a command prints, without the line's end."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def first_match(pattern, path, otherwise="unknown"):
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1) if match else otherwise


def commit():
    changed = " with changes" if output_of("git", "status", "--porcelain", "--untracked-files=no") else ""
    return output_of("git", "rev-parse", "--short=12", "HEAD") + changed


def profile():
    """How the benchmarks are built: as releases are, unless the environment says otherwise."""
    manifest = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))
    release = manifest["profile"]["release"]
    settings = {name: release.get(name, "default") for name in ("lto", "codegen-units")}
    for name in settings:
        variable = "CARGO_PROFILE_{}_" + name.replace("-", "_").upper()
        for kind in ("RELEASE", "BENCH"):
            settings[name] = os.environ.get(variable.format(kind), settings[name])
    return ", ".join(f"{name} = {value}" for name, value in settings.items())


def versions():
    lock = tomllib.loads(Path("Cargo.lock").read_text(encoding="utf-8"))
    found = {package["name"]: package["version"] for package in lock["package"]}
    return {name: found[name] for name in PACKAGES}


def circumstances(quick):
    memory = int(first_match(r"^MemTotal:\s+(\d+) kB", "/proc/meminfo", "0"))
    return {
        "began": time.time(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": commit(),
        "quick": quick,
        "processor": first_match(r"^model name\s*:\s*(.+)$", "/proc/cpuinfo", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**20, 1),
        "system": first_match(r'^PRETTY_NAME="?([^"\n]+)', "/etc/os-release", platform.system())
        + ", Linux " * (platform.system() == "Linux")
        + platform.release(),
        "rustc": output_of("rustc", "--version").removeprefix("rustc "),
        "profile": profile(),
        "versions": versions(),
    }


# ------------------------------------------------------------------------------------------------ the figures


def measured(since):
    """What was measured since then, by id: the median and the bounds of its 95 % confidence interval, in nanoseconds."""
    figures = {}
    for description in CRITERION.glob("*/**/new/benchmark.json"):
        estimates = description.with_name("estimates.json")
        if not estimates.exists() or estimates.stat().st_mtime < since:
            continue
        identifier = json.loads(description.read_text(encoding="utf-8"))["full_id"]
        median = json.loads(estimates.read_text(encoding="utf-8"))["median"]
        interval = median["confidence_interval"]
        figures[identifier] = {
            "median_ns": median["point_estimate"],
            "from_ns": interval["lower_bound"],
            "to_ns": interval["upper_bound"],
        }

    def rank(identifier):
        group = identifier.split("/")[0]
        return (
            GROUPS.index(group) if group in GROUPS else len(GROUPS),
            IDS.index(identifier) if identifier in IDS else len(IDS),
            identifier,
        )

    return {identifier: figures[identifier] for identifier in sorted(figures, key=rank)}


def missing_from(figures):
    groups = {identifier.split("/")[0] for identifier in figures}
    return [identifier for identifier in IDS if identifier not in figures] + [
        f"{group}/…" for group in GROUPS if group not in groups
    ]


def ratios_of(medians):
    """Each ratio, and whether it is as it should be; those of which something was not measured have neither."""
    for name, work_out, unit, bound in RATIOS:
        try:
            value = work_out(medians)
        except KeyError:
            value = None
        met = None
        if value is not None and bound:
            met = value <= bound[1] if bound[0] == "≤" else value >= bound[1]
        yield {
            "ratio": name,
            "value": value,
            "unit": unit,
            "goal": f"{bound[0]} {bound[1]}{unit}" if bound else None,
            "met": met,
        }


def read_reference():
    try:
        return json.loads((RESULTS / "reference.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


# ------------------------------------------------------------------------------------------------ telling


def human(nanoseconds):
    for unit, size in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{three_figures(nanoseconds / size)} {unit}"
    return f"{three_figures(nanoseconds)} ns"


def three_figures(value):
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def spread(figure):
    half = (figure["to_ns"] - figure["from_ns"]) / 2
    return f"± {100 * half / figure['median_ns']:.1f} %"


def ratio_rows(ratios):
    for ratio in ratios:
        value, met = ratio["value"], ratio["met"]
        told = "not measured" if value is None else f"{value:.3f}" if value < 0.1 else three_figures(value)
        yield (
            ratio["ratio"],
            told if value is None else told + ratio["unit"],
            ratio["goal"] or "",
            {None: "", True: "yes", False: "NO"}[met],
        )


def place_rows(place, reference):
    yield "measured", f"{place['date']}, commit {place['commit']}" + ", quickly" * place["quick"]
    yield "processor", f"{place['processor']}, {place['cores']} cores"
    yield "memory", f"{place['memory_gib']} GiB"
    yield "system", place["system"]
    yield "rustc", f"{place['rustc']}; {place['profile']}"
    yield "crates", ", ".join(" ".join(version) for version in place["versions"].items())
    if reference:
        yield "reference", ", ".join(" ".join(version) for version in reference["versions"].items())


def as_text(heading, rows):
    """Columns as wide as they must be; the second is flush right, where figures are."""
    rows = [heading, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    for row in rows:
        cells = [
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def as_markdown(heading, rows):
    aligned = "|".join("--:" if column == 1 and len(heading) > 2 else "---" for column in range(len(heading)))
    lines = [f"| {' | '.join(heading)} |", f"|{aligned}|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def write_markdown(tables):
    text = BENCHMARKS.read_text(encoding="utf-8")
    begin, end = MARKERS
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        sys.exit(f"{BENCHMARKS} has no lines {begin} and {end}")
    body = "\n".join(as_markdown(heading, rows) for heading, rows in tables)
    BENCHMARKS.write_text(f"{before}{begin}\n\n{body}\n{end}{after}", encoding="utf-8")
    print(f"{BENCHMARKS} has the figures now", file=sys.stderr)


def tell(form):
    try:
        place = json.loads((RESULTS / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit("nothing was measured yet: .ci/bench without --no-run does")
    figures, reference = measured(place["began"]), read_reference()
    medians = {identifier: figure["median_ns"] for identifier, figure in figures.items()}
    if reference:
        medians |= {f"reference/{kind}": ratio for kind, ratio in reference["ratio"].items()}
    ratios, missing = list(ratios_of(medians)), missing_from(figures)

    if form == "json":
        document = {"place": place, "figures": figures, "goals": ratios, "reference": reference, "missing": missing}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        rows = [(name, human(figure["median_ns"]), spread(figure)) for name, figure in figures.items()]
        tables = [
            (("ratio of medians", "is", "should be", "is it?"), list(ratio_rows(ratios))),
            (("figure", "median", "95 % sure within"), rows),
            (("where", "what"), list(place_rows(place, reference))),
        ]
        if form == "markdown":
            write_markdown(tables)
        else:
            for heading, rows in tables:
                as_text(heading, rows) if len(heading) > 2 else print(*map(": ".join, rows), sep="\n")
                print()
    if missing:
        sys.exit(f"missing: {', '.join(missing)}")


def main():
    match sys.argv[3:]:
        case ["begin", *quick]:
            place = circumstances(quick == ["--quick"])
            (RESULTS / "run.json").write_text(json.dumps(place), encoding="utf-8")
        case ["table" | "json" | "markdown" as form]:
            tell(form)
        case _:
            sys.exit(__doc__)


main()
