"""The table of benchmarks: collects what Criterion measured, and prints it with the ratios that matter.

usage: python3 table.py RESULTS begin [--quick]
       python3 table.py RESULTS collect CRITERION
       python3 table.py RESULTS table|json|markdown

`begin` goes before a run, and notes in the file RESULTS when and where it was. `collect` goes after each round of it, and
adds the figures that are in CRITERION, where Criterion leaves them; those from before the round do not count. If the
reference library was timed, its figures are in reference.json beside RESULTS. The rest tells what was found, with status 1 if
anything is missing. Of several rounds, the medians are told: of the figures, and of the ratios of each round.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

RESULTS = Path(sys.argv[1])
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
    "verify/hostile_ordinary",
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
        "the same with two separate verifiers: the limit of the machine",
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
    ("hostile_worst / cold_member", over("verify/hostile_worst", "verify/hostile_ordinary"), "", ("≤", 6)),
    ("reference library / cold, by a member", lambda medians: medians["reference/member"], "", ("≥", 20)),
    ("reference library / cold, by the organisation", lambda medians: medians["reference/org"], "", None),
    ("warm_org / floor_warm", over("verify/warm_org", "verify/floor_warm"), "", None),
    ("warm_member / jwt_rs256_jwks", over("verify/warm_member", "peer/jwt_rs256_jwks"), "", None),
    ("warm_member / jwt_es256", over("verify/warm_member", "peer/jwt_es256"), "", None),
    ("warm_member / biscuit", over("verify/warm_member", "peer/biscuit"), "", None),
    ("cold_member / jwt_rs256", over("verify/cold_member", "peer/jwt_rs256"), "", None),
    ("chain / chain_floor", over("verify/chain", "verify/chain_floor"), "", None),
    ("dnssec_prover / ours, on the same records", over("peer/dnssec_prover", "peer/dnssec_prover_ours"), "", None),
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
    changed = " with uncommitted changes" if output_of("git", "status", "--porcelain", "--untracked-files=no") else ""
    return output_of("git", "rev-parse", "--short=12", "HEAD") + changed


def profile():
    """How the benchmarks are built: as what is shipped, unless the environment says otherwise."""
    manifest = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))
    dist = manifest["profile"]["dist"]
    settings = {name: dist.get(name, "default") for name in ("lto", "codegen-units")}
    for name in settings:
        variable = "CARGO_PROFILE_{}_" + name.replace("-", "_").upper()
        settings[name] = os.environ.get(variable.format("DIST"), settings[name])
    return "profile dist: " + ", ".join(f"{name} = {value}" for name, value in settings.items())


def versions():
    found = {}
    # Biscuit's has all that ours has, and comes first so that ours decides.
    for path in [Path("benchmarks/biscuit/Cargo.lock"), Path("Cargo.lock")]:
        if path.exists():
            lock = tomllib.loads(path.read_text(encoding="utf-8"))
            found |= {package["name"]: package["version"] for package in lock["package"]}
    if unlocked := [name for name in PACKAGES if name not in found]:
        sys.exit(f"no lock file has {', '.join(unlocked)}: run benchmarks/run, which writes the lock file of Biscuit's package first")
    return {name: found[name] for name in PACKAGES}


def circumstances(quick):
    memory = int(first_match(r"^MemTotal:\s+(\d+) kB", "/proc/meminfo", "0"))
    return {
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


def measured(criterion, since):
    """What was measured since then, by id: the median and the bounds of its 95 % confidence interval, in nanoseconds."""
    figures = {}
    for description in criterion.glob("*/**/new/benchmark.json"):
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

    return figures


def rank(identifier):
    """Where it is told."""
    group = identifier.split("/")[0]
    return (
        GROUPS.index(group) if group in GROUPS else len(GROUPS),
        IDS.index(identifier) if identifier in IDS else len(IDS),
        identifier,
    )


def joined(rounds):
    """The figures of all rounds: medians of medians, and the lowest and the highest of them in place of the interval."""
    if len(rounds) == 1:
        figures = rounds[0]
    else:
        figures = {}
        for identifier in set().union(*rounds):
            medians = [figures[identifier]["median_ns"] for figures in rounds if identifier in figures]
            figures[identifier] = {
                "median_ns": statistics.median(medians),
                "from_ns": min(medians),
                "to_ns": max(medians),
            }
    return {identifier: figures[identifier] for identifier in sorted(figures, key=rank)}


def missing_from(figures):
    groups = {identifier.split("/")[0] for identifier in figures}
    return [identifier for identifier in IDS if identifier not in figures] + [
        f"{group}/…" for group in GROUPS if group not in groups
    ]


def median_ratio(work_out, rounds, reference):
    """That ratio in each of the rounds in which all was measured that it takes, and the median of them."""
    values = []
    for figures in rounds:
        medians = {identifier: figure["median_ns"] for identifier, figure in figures.items()}
        if reference:
            medians |= {f"reference/{kind}": ratio for kind, ratio in reference["ratio"].items()}
        try:
            values.append(work_out(medians))
        except KeyError:
            continue
    return statistics.median(values) if values else None


def ratios_of(rounds, reference):
    """Each ratio, and whether it is as it should be; those of which something was not measured have neither."""
    for name, work_out, unit, bound in RATIOS:
        value = median_ratio(work_out, rounds, reference)
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
        return json.loads(RESULTS.with_name("reference.json").read_text(encoding="utf-8"))
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
    return f"{human(figure['from_ns'])} to {human(figure['to_ns'])}"


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


def place_rows(place, rounds, reference):
    how = f", {len(rounds)} rounds" * (len(rounds) > 1) + ", quick run" * place["quick"]
    yield "measured", f"{place['date']}, commit {place['commit']}{how}"
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
    print(f"wrote the figures into {BENCHMARKS}", file=sys.stderr)


def tell(form):
    try:
        run = json.loads(RESULTS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit("nothing was measured yet: run benchmarks/run without --no-run")
    place, rounds, reference = run["place"], run["rounds"], read_reference()
    figures = joined(rounds) if rounds else {}
    ratios, missing = list(ratios_of(rounds, reference)), missing_from(figures)

    if form == "json":
        document = {"place": place, "figures": figures, "goals": ratios, "reference": reference, "missing": missing}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        rows = [(name, human(figure["median_ns"]), spread(figure)) for name, figure in figures.items()]
        interval = "of the rounds" if len(rounds) > 1 else "95 % confidence"
        tables = [
            (("ratio of medians", "value", "goal", "met"), list(ratio_rows(ratios))),
            (("figure", "median", interval), rows),
            (("environment", "value"), list(place_rows(place, rounds, reference))),
        ]
        if form == "markdown":
            write_markdown(tables)
        else:
            for heading, rows in tables:
                as_text(heading, rows) if len(heading) > 2 else print(*map(": ".join, rows), sep="\n")
                print()
    if missing:
        sys.exit(f"missing: {', '.join(missing)}")


def begin(quick):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    now = time.time()
    RESULTS.write_text(
        json.dumps({"place": circumstances(quick), "since": now, "rounds": []}), encoding="utf-8"
    )


def collect(criterion):
    run = json.loads(RESULTS.read_text(encoding="utf-8"))
    run["rounds"].append(measured(criterion, run["since"]))
    run["since"] = time.time()
    RESULTS.write_text(json.dumps(run), encoding="utf-8")


def main():
    match sys.argv[2:]:
        case ["begin"]:
            begin(quick=False)
        case ["begin", "--quick"]:
            begin(quick=True)
        case ["collect", criterion]:
            collect(Path(criterion))
        case ["table" | "json" | "markdown" as form]:
            tell(form)
        case _:
            sys.exit(__doc__)


main()
