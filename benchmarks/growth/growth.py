"""How the cost of a verification grows: tables, fits and plots.

usage: growth.py GROWTH [DIRECTORY]

Writes plots and the tables of growth.md into the directory, if there is one.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import callgrind
import plot

# What one more may cost in the second half of a series, by what it costs in the first. It would be 3 if cost grew with the
# square of the number. Memory is asked for in steps, as containers and names outgrow their places.
MAX_ACCELERATION = {"instructions": 1.25, "ours": 1.25, "allocations": 2}
# And how much more the second half may cost, in parts of the whole that a verification takes with none of the thing: names get
# longer with each label, and so does all that reads them, which is little beside the public-key operations.
MIN_EXCESS = {"instructions": ("instructions", 0.05), "ours": ("instructions", 0.05), "allocations": ("allocations", 1)}


@dataclass
class Point:
    count: int
    octets: int
    allocations: int
    instructions: float
    ours: float


@dataclass
class Series:
    name: str
    points: list = field(default_factory=list)

    def values(self, figure):
        return [(point.count, getattr(point, figure)) for point in self.points]

    def increments(self, figure):
        """What one more costs, between each point and the next."""
        values = self.values(figure)
        return [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in zip(values, values[1:])]

    def slope(self, figure):
        """By least squares."""
        values = self.values(figure)
        mean_x = sum(x for x, _ in values) / len(values)
        mean_y = sum(y for _, y in values) / len(values)
        return sum((x - mean_x) * (y - mean_y) for x, y in values) / sum((x - mean_x) ** 2 for x, _ in values)

    def halves(self, figure):
        """What the first half of the series adds, and what the second does."""
        values = [value for _, value in self.values(figure)]
        middle = len(values) // 2
        return values[middle] - values[0], values[-1] - values[-1 - middle]

    def acceleration(self, figure):
        """What one more costs in the second half of the series, by what it costs in the first."""
        early, late = self.halves(figure)
        return late / early if early > 0 else float("inf" if late > 0 else 1)

    def outgrows_a_line(self, figure):
        early, late = self.halves(figure)
        whole, part = MIN_EXCESS[figure]
        excess = part * self.values(whole)[0][1]
        return self.acceleration(figure) > MAX_ACCELERATION[figure] and late - early > excess

    def steepest(self, figure):
        """The largest ratio of an increment to the one before it."""
        increments = self.increments(figure)
        return max(
            (later / earlier for earlier, later in zip(increments, increments[1:]) if earlier > 0), default=float("nan")
        )

    def table(self):
        rows = [f"| {self.name} | bytes | instructions | of these in our code | allocations |", "|--:|--:|--:|--:|--:|"]
        for point in self.points:
            rows.append(
                f"| {point.count} | {point.octets:,} | {point.instructions:,.0f} | {point.ours:,.0f} | {point.allocations} |"
            )
        return "\n".join(rows)

    def fit(self):
        return (
            f"One more costs {self.slope('instructions'):,.0f} instructions, {self.slope('ours'):,.0f} of them in our code,"
            f" and {self.slope('allocations'):.2f} allocations. In the second half of the series it costs"
            f" {self.acceleration('instructions'):.2f} times as much as in the first ({self.acceleration('ours'):.2f} times in"
            f" our code). No step costs more than {self.steepest('instructions'):.2f} times as much as the one before it."
        )


def measured(program):
    series = {}
    for line, counts in callgrind.counted([program], "growth::counted").items():
        name, count, octets, allocations = line.split(";")
        point = Point(int(count), int(octets), int(allocations), counts.total, counts.ours)
        series.setdefault(name, Series(name)).points.append(point)
    return list(series.values())


def write(series, directory):
    for figure, name, unit in [
        ("instructions", "growth-instructions.svg", "thousand instructions more"),
        ("allocations", "growth-allocations.svg", "allocations more"),
    ]:
        scale = 1000 if figure == "instructions" else 1
        panels = []
        for one in series:
            values = one.values(figure)
            base = values[0][1]
            panels.append(
                plot.Panel(one.name, unit, [(x, (y - base) / scale) for x, y in values], one.slope(figure) / scale)
            )
        (directory / name).write_text(plot.grid(panels))
    page = directory / "growth.md"
    text = page.read_text()
    for one in series:
        text = filled(text, f"<!-- {one.name} -->", "<!-- end -->", f"{one.table()}\n\n{one.fit()}")
    page.write_text(text)


def filled(text, start, end, content):
    """With what is between the marks replaced."""
    pattern = f"{re.escape(start)}.*?{re.escape(end)}"
    replaced, times = re.subn(pattern, lambda _: f"{start}\n{content}\n{end}", text, flags=re.DOTALL)
    if times != 1:
        raise SystemExit(f"there is no place for {start}")
    return replaced


def main(program, directory=None):
    series = measured(program)
    failures = []
    for one in series:
        print(f"{one.table()}\n\n{one.fit()}\n")
        for figure in MAX_ACCELERATION:
            if one.outgrows_a_line(figure):
                acceleration = one.acceleration(figure)
                failures.append(f"{one.name}: {figure} grow {acceleration:.2f} times as fast in the second half")
    if directory:
        write(series, Path(directory))
        print(f"wrote {directory}")
    for failure in failures:
        print(f"FAILED {failure}")
    if not failures:
        print("ok nothing grows faster than linearly")
    return 1 if failures else 0


sys.exit(main(*sys.argv[1:]))
