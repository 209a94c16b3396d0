"""Plots as SVG: small panels, each with its own axes, in colours that can be read on white and on black."""

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 300, 220
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 16, 48
COLUMNS = 3

STYLE = """
text { font: 11px system-ui, sans-serif; fill: #24292f; }
.what { font-weight: 600; }
.paper { fill: #ffffff; }
.axis { stroke: #57606a; fill: none; }
.grid { stroke: #d0d7de; fill: none; }
.fit { stroke: #9a6700; fill: none; stroke-width: 1.5; }
.point { fill: #0969da; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.paper { fill: #0d1117; }
.axis { stroke: #8b949e; }
.grid { stroke: #30363d; }
.fit { stroke: #d29922; }
.point { fill: #58a6ff; }
}
"""


@dataclass
class Panel:
    x_label: str
    y_label: str
    values: list
    # Of the line that is drawn through the values.
    slope: float


def ticks(low, high):
    """Four or so round numbers."""
    span = (high - low) or 1
    step = 10 ** floor(log10(span / 4))
    step = next(step * factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
    return [step * number for number in range(floor(low / step), ceil(high / step) + 1)]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.1f}"


def panel(one, left, top):
    xs, ys = zip(*one.values)
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    x_ticks, y_ticks = ticks(0, max(xs)), ticks(min(0, *ys), max(*ys, 1))

    def across(x):
        return LEFT + (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (WIDTH - LEFT - RIGHT)

    def down(y):
        return HEIGHT - BOTTOM - (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (HEIGHT - TOP - BOTTOM)

    floor_y, ceiling_y, end_x = HEIGHT - BOTTOM, TOP, WIDTH - RIGHT
    parts = [f'<g transform="translate({left},{top})">']
    for y in y_ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {down(y):.1f}H{end_x}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{down(y) + 4:.1f}" text-anchor="end">{number(y)}</text>')
    for x in x_ticks:
        parts.append(f'<path class="axis" d="M{across(x):.1f} {floor_y}v4"/>')
        parts.append(f'<text x="{across(x):.1f}" y="{floor_y + 16}" text-anchor="middle">{number(x)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {ceiling_y}V{floor_y}H{end_x}"/>')
    middle_x, middle_y = (LEFT + end_x) / 2, (ceiling_y + floor_y) / 2
    parts.append(f'<text class="what" x="{middle_x}" y="{floor_y + 34}" text-anchor="middle">{escape(one.x_label)}</text>')
    parts.append(
        f'<text transform="translate(12,{middle_y}) rotate(-90)" text-anchor="middle">{escape(one.y_label)}</text>'
    )
    line = [(x, mean_y + one.slope * (x - mean_x)) for x in (xs[0] + (xs[-1] - xs[0]) * step / 200 for step in range(201))]
    # What would be outside of the axes is left out.
    line = [(x, y) for x, y in line if y_ticks[0] <= y <= y_ticks[-1]]
    (x1, y1), (x2, y2) = line[0], line[-1]
    parts.append(f'<path class="fit" d="M{across(x1):.1f} {down(y1):.1f}L{across(x2):.1f} {down(y2):.1f}"/>')
    parts += [f'<circle class="point" cx="{across(x):.1f}" cy="{down(y):.1f}" r="3"/>' for x, y in one.values]
    return "\n".join([*parts, "</g>"])


def grid(panels):
    rows = ceil(len(panels) / COLUMNS)
    width, height = WIDTH * COLUMNS, HEIGHT * rows
    drawn = [panel(one, WIDTH * (at % COLUMNS), HEIGHT * (at // COLUMNS)) for at, one in enumerate(panels)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *drawn,
            "</svg>\n",
        ]
    )
