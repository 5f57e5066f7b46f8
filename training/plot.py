"""Draws a training's log as SVG, for the model card: one line for each loss, over the minutes it took."""

import argparse
import csv
from collections.abc import Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT, EDGE = 560, 260, 48
COLOURS = ("#1f5f8b", "#b3541e", "#4d7c2a")
TICKS = 4

Line = list[tuple[float, float]]


def read_log(path: Path, minutes: int, value: int) -> Line:
    """Return (minutes, value) of the rows of a log that have a number in both columns, counted from 0."""
    with path.open(newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > max(minutes, value) and row[minutes] and row[value]]
    return [(float(row[minutes]), float(row[value])) for row in rows]


def draw(lines: dict[str, Line]) -> str:
    """Return the plot of named lines, each with a point at least."""
    points = [point for line in lines.values() for point in line]
    across = max(minutes for minutes, _ in points) or 1.0
    low, high = min(value for _, value in points), max(value for _, value in points)
    span = (high - low) or 1.0

    def place(minutes: float, value: float) -> tuple[float, float]:
        x = EDGE + (WIDTH - 2 * EDGE) * minutes / across
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / span
        return round(x, 1), round(y, 1)

    marks = []
    for tick in range(TICKS + 1):
        minutes, value = across * tick / TICKS, low + span * tick / TICKS
        (x, _), (_, y) = place(minutes, low), place(0, value)
        marks.append(f'<text x="{x}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">{minutes:.0f}</text>')
        marks.append(f'<text x="{EDGE - 8}" y="{y + 4}" text-anchor="end">{value:.2f}</text>')
        marks.append(f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{y}" y2="{y}" stroke="#ddd"/>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join("{},{}".format(*place(*point)) for point in line)
        marks.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        marks.append(f'<text x="{EDGE + 150 * number}" y="{EDGE - 18}" fill="{colour}">{escape(name)}</text>')
    marks.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">minutes</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="12">', paper, *marks, "</svg>"]) + "\n"


def thinned(line: Line, most: int) -> Line:
    """Return a line of at most `most` points, each the mean of its neighbours."""
    size = -(-len(line) // most)
    parts: Sequence[Line] = [line[at : at + size] for at in range(0, len(line), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def main() -> None:
    """Write the plot of the columns of a log."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--log", type=Path, required=True)
    options.add_argument("--minutes", type=int, default=2, help="the column of the minutes, counted from 0")
    options.add_argument("--line", action="append", required=True, help="NAME=COLUMN, counted from 0; may be repeated")
    options.add_argument("--out", type=Path, required=True)
    arguments = options.parse_args()
    columns = {name: int(column) for name, _, column in (line.rpartition("=") for line in arguments.line)}
    lines = {name: thinned(read_log(arguments.log, arguments.minutes, at), 120) for name, at in columns.items()}
    arguments.out.write_text(draw(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
