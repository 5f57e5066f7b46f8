"""The pieces of a page that is set in two columns -> its lines, one column after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# In points: pieces this near stand on one line, and these begin at one edge.
_SAME_LINE, _SAME_EDGE = 3.0, 6.0
_FEWEST_LINES = 5
# The right column begins at least this far from the left one, as a part of the page's width.
_APART = 0.3
# Shorter pieces, in characters, are the cells of a table, which is read line by line.
_PROSE = 18


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of text, with where it begins on the page in points, from the lower left corner."""

    x: float
    y: float
    text: str


def reordered(fragments: Sequence[Fragment], width: float) -> str | None:
    """Return the lines of a page whose two columns of prose were written line by line, the left column first.

    None when the page has no such columns, or was written one column after the other; it is in order then. Lines above
    and below the columns stay above and below.
    """
    lines = list(_lines([fragment for fragment in fragments if fragment.text.strip()]))
    edge = _right_edge(lines, width)
    if edge is None:
        return None
    divided = [number for number, line in enumerate(lines) if _divide(line, edge)[1] and _divide(line, edge)[0]]
    first, last = divided[0], divided[-1] + 1
    columns = [_divide(line, edge) for line in lines[first:last]]
    ordered = [*lines[:first], *(left for left, _ in columns), *(right for _, right in columns), *lines[last:]]
    return "\n".join(" ".join(piece.text.strip() for piece in line) for line in ordered if line)


def _lines(fragments: Sequence[Fragment]) -> Iterator[list[Fragment]]:
    """Yield the pieces that follow each other on one line."""
    line: list[Fragment] = []
    for fragment in fragments:
        if line and abs(fragment.y - line[-1].y) > _SAME_LINE:
            yield line
            line = []
        line.append(fragment)
    if line:
        yield line


def _divide(line: Sequence[Fragment], edge: float) -> tuple[list[Fragment], list[Fragment]]:
    left = [piece for piece in line if piece.x < edge - _SAME_EDGE]
    return left, [piece for piece in line if piece.x >= edge - _SAME_EDGE]


def _right_edge(lines: Sequence[Sequence[Fragment]], width: float) -> float | None:
    """Return where the right column begins; None when no two columns of prose stand side by side in the lines."""
    margin = min((line[0].x for line in lines), default=0.0)
    edges: Counter[int] = Counter()
    for line in lines:
        edges.update({round(piece.x) for piece in line if piece.x > margin + _APART * width})
    for edge, count in edges.most_common(1):
        both = [(left, right) for left, right in (_divide(line, edge) for line in lines) if left and right]
        if count < _FEWEST_LINES or len(both) < _FEWEST_LINES or 2 * len(both) < len(lines):
            return None
        lengths = [sum(len(piece.text) for piece in half) for halves in both for half in halves]
        starts = sum(abs(right[0].x - edge) <= _SAME_EDGE for _, right in both)
        if sum(lengths) >= _PROSE * len(lengths) and 10 * starts >= 9 * len(both):
            return float(edge)
    return None
