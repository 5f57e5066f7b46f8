"""Two plots of confidence as SVG: whether it is as often right as it says, and what answering less would save."""

from collections.abc import Iterable, Sequence
from html import escape

_SIZE = 320
_EDGE = 44
_INNER = _SIZE - 2 * _EDGE


def reliability_plot(bins: Sequence[tuple[float, float, int]]) -> str:
    """Draw (mean confidence, share right, answers) of each bin, as `metrics.reliability` returns them.

    A dot on the diagonal is a confidence that is as often right as it says; its area grows with its answers.
    """
    most = max((count for _, _, count in bins), default=1)
    dots = [
        f'<circle class="dot" cx="{_x(sure)}" cy="{_y(right)}" r="{3 + 9 * (count / most) ** 0.5:.1f}">'
        f"<title>confidence {sure:.2f}, right {right:.2f}, {_answers(count)}</title></circle>"
        for sure, right, count in bins
    ]
    line = f'<polyline class="line" points="{_points((sure, right) for sure, right, _ in bins)}"/>'
    told = "; ".join(f"confidence {sure:.2f}: right {right:.2f} of {_answers(count)}" for sure, right, count in bins)
    diagonal = f'<line class="even" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    return _plot("Reliability", told or "no answers", "confidence", "share right", [diagonal, line, *dots])


def risk_coverage_plot(points: Sequence[tuple[float, float]]) -> str:
    """Draw (coverage, risk) points, as `metrics.risk_coverage` returns them, from the strictest threshold on."""
    told = f"risk {points[-1][1]:.2f} when all are answered" if points else "no answers"
    halves = [risk for coverage, risk in points if coverage >= 0.5]
    if halves:
        told += f", {halves[0]:.2f} when the surer half is"
    return _plot(
        "Risk and coverage", told, "coverage: share answered", "risk: share wrong",
        [f'<polyline class="line" points="{_points(points)}"/>'],
    )  # fmt: skip


def _plot(title: str, told: str, below: str, beside: str, marks: Sequence[str]) -> str:
    ticks = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        ticks += [
            f'<line class="grid" x1="{_x(tick)}" y1="{_y(0)}" x2="{_x(tick)}" y2="{_y(1)}"/>',
            f'<line class="grid" x1="{_x(0)}" y1="{_y(tick)}" x2="{_x(1)}" y2="{_y(tick)}"/>',
            f'<text x="{_x(tick)}" y="{_y(0) + 16:.1f}" text-anchor="middle">{tick:g}</text>',
            f'<text x="{_x(0) - 6:.1f}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>',
        ]
    middle = _SIZE / 2
    turned = f'transform="rotate(-90 12 {middle})"'
    return "\n".join(
        [
            f'<svg role="img" viewBox="0 0 {_SIZE} {_SIZE}" width="{_SIZE}" height="{_SIZE}">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(told)}</desc>",
            *ticks,
            *marks,
            f'<text x="{middle}" y="{_SIZE - 8}" text-anchor="middle">{escape(below)}</text>',
            f'<text x="12" y="{middle}" text-anchor="middle" {turned}>{escape(beside)}</text>',
            "</svg>",
        ]
    )


def _x(share: float) -> float:
    return round(_EDGE + _INNER * share, 1)


def _y(share: float) -> float:
    return round(_SIZE - _EDGE - _INNER * share, 1)


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_x(across)},{_y(up)}" for across, up in pairs)


def _answers(count: int) -> str:
    return "1 answer" if count == 1 else f"{count} answers"
