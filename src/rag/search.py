"""Dense and lexical search joined into one ranking of passages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.lexical import Lexical, best_scores
from rag.spans import Hit, Span
from rag.vectors import Vectors


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that search found, and why.

    `hit.score` is the fused score; `row` the passage's number; `dense` its inner product with the query, `lexical` its
    BM25 score, 0 when it shares no term with the question. The ranks begin at 1 and are None where that search did not
    reach the passage.
    """

    hit: Hit
    row: int
    dense: float
    lexical: float
    dense_rank: int | None
    lexical_rank: int | None


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


def search(
    passages: Sequence[Span],
    vectors: Vectors,
    lexical: Lexical,
    *,
    question: str,
    query: NDArray[np.float32],
    languages: Sequence[str],
    k: int = 8,
    depth: int = 50,
    allowed: NDArray[np.int64] | None = None,
) -> list[Found]:
    """Return the `k` passages that fit a question best, best first.

    `passages`, `vectors` and `lexical` hold the same passages in the same order. `query` is the question's vector,
    shape (d,); `languages` are the question's own and then those of the corpus. Each of the two searches contributes
    its `depth` best, or `k` if that is more. A passage is left out when its text equals, or its place lies inside, that
    of a better one, so fewer than `k` may come back. `allowed` restricts the search to those rows. Raises ValueError
    when the three differ in size, or as `Vectors.search`.
    """
    if not len(passages) == len(vectors) == len(lexical):
        raise ValueError(f"{len(passages)} passages, but {len(vectors)} vectors and {len(lexical)} lexical entries")
    depth = max(depth, k)
    dense_ids, _ = vectors.search(query, depth, allowed=allowed)
    lexical_scores = lexical.scores(question, languages)
    lexical_ids, _ = best_scores(lexical_scores, depth, allowed=allowed)
    rankings = (dense_ids.tolist(), lexical_ids.tolist())
    chosen = _distinct(passages, fuse(rankings), k)
    rows = np.array([row for row, _ in chosen], dtype=np.int64)
    evidence = zip(vectors.scores(query, rows).tolist(), lexical_scores[rows].tolist(), strict=True)
    dense_ranks, lexical_ranks = ({row: rank for rank, row in enumerate(ranking, start=1)} for ranking in rankings)
    return [
        Found(Hit(passages[row], score), row, dense, words, dense_ranks.get(row), lexical_ranks.get(row))
        for (row, score), (dense, words) in zip(chosen, evidence, strict=True)
    ]


def _distinct(passages: Sequence[Span], ranking: list[tuple[int, float]], k: int) -> list[tuple[int, float]]:
    """Return the first `k` of a ranking that say something the ones before do not."""
    chosen: list[tuple[int, float]] = []
    for row, score in ranking:
        if len(chosen) == k:
            break
        taken = [passages[other] for other, _ in chosen]
        passage = passages[row]
        if not any(other.contains(passage) or other.text == passage.text for other in taken):
            chosen.append((row, score))
    return chosen
