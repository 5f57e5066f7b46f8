"""What search asks of an engine, the keeper of an index's passages, and how two rankings become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Some passages of an index, told twice: their row numbers, ascending, and the condition that they meet.

    An engine at hand goes by `rows`, a distant one by the condition: the ids of the documents, or None for any, and
    the language of the documents, or None for any.
    """

    rows: NDArray[np.int64]
    documents: frozenset[str] | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rows that a question found: `fused` with their scores, joined from `dense` and `lexical`, all best first."""

    fused: tuple[tuple[int, float], ...]
    dense: tuple[int, ...]
    lexical: tuple[int, ...]


class TermWeights(Protocol):
    """What knows how rare a term is among the passages."""

    def weight(self, term: str) -> float:
        """Return the inverse document frequency of a term: above 0, highest for one never seen."""
        ...


class Engine(TermWeights, Protocol):
    """The vectors and words of passages; a passage is known by its row, the order in which they were written."""

    def __len__(self) -> int:
        """Return the number of passages."""
        ...

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        ...

    @property
    def description(self) -> Mapping[str, object]:
        """Return what it is and what was measured when it was built, as JSON values; the manifest states them."""
        ...

    def rank(
        self,
        question: str,
        query: NDArray[np.float32],
        languages: Sequence[str],
        *,
        depth: int,
        selection: Selection | None = None,
    ) -> Ranking:
        """Return the `depth` best rows by vector and by words, joined by reciprocal rank fusion as `fuse` does.

        `query` is the question's unit vector, shape (d,); `languages` are the question's own and then those of the
        corpus. A row that shares no term with the question is not in the lexical ranking. With a selection only its
        rows are considered.
        """
        ...

    def scores(
        self, question: str, query: NDArray[np.float32], languages: Sequence[str], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the inner product and the BM25 score of each of these rows, two arrays of shape (rows,)."""
        ...

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the vectors of the rows from `start` up to, not including, `stop`, as they were written."""
        ...


def fuse(
    rankings: Sequence[Sequence[int]], *, constant: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    """Join rankings of ids into one: the sum over rankings of `weight / (constant + rank)`, best first.

    Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009); ranks begin at 1 and every weight is 1 unless given. Of
    equal sums the lower id comes first. Raises ValueError when a ranking repeats an id, when there are not as many
    weights as rankings, or when `constant` is negative.

    Id 7 is second and first, 1/62 + 1/61; id 4 is first and third, 1/61 + 1/63; id 9 is second in one, 1/62:

    >>> [(id, round(score, 5)) for id, score in fuse([[4, 7], [7, 9, 4]])]
    [(7, 0.03252), (4, 0.03227), (9, 0.01613)]
    """
    if constant < 0:
        raise ValueError(f"the constant of reciprocal rank fusion cannot be {constant}")
    totals: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        if len(set(ranking)) != len(ranking):
            raise ValueError("a ranking names an id twice")
        for rank, number in enumerate(ranking, start=1):
            totals[number] = totals.get(number, 0.0) + weight / (constant + rank)
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))
