"""Dense and lexical search joined into one ranking of passages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.engine import Engine, Selection
from rag.spans import Hit, Span


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


def search(
    passages: Sequence[Span],
    engine: Engine,
    *,
    question: str,
    query: NDArray[np.float32],
    languages: Sequence[str],
    k: int = 8,
    depth: int = 50,
    selection: Selection | None = None,
) -> list[Found]:
    """Return the `k` passages that fit a question best, best first.

    `passages` and `engine` hold the same passages in the same order. `query` is the question's vector, shape (d,);
    `languages` are the question's own and then those of the corpus. Each of the two searches contributes its `depth`
    best, or `k` if that is more. A passage is left out when its text equals, or its place lies inside, that of a better
    one, so fewer than `k` may come back. `selection` restricts the search. Raises ValueError when the two differ in
    size, or when the query's shape or values are not those of a vector.
    """
    if len(passages) != len(engine):
        raise ValueError(f"{len(passages)} passages, but {len(engine)} of the engine")
    ranking = engine.rank(question, query, languages, depth=max(depth, k), selection=selection)
    chosen = _distinct(passages, ranking.fused, k)
    rows = np.array([row for row, _ in chosen], dtype=np.int64)
    dense, lexical = engine.scores(question, query, languages, rows)
    evidence = zip(dense.tolist(), lexical.tolist(), strict=True)
    dense_ranks, lexical_ranks = (
        {row: rank for rank, row in enumerate(rows, start=1)} for rows in (ranking.dense, ranking.lexical)
    )
    return [
        Found(Hit(passages[row], score), row, likeness, words, dense_ranks.get(row), lexical_ranks.get(row))
        for (row, score), (likeness, words) in zip(chosen, evidence, strict=True)
    ]


def search_at_home(
    passages: Sequence[Span],
    engine: Engine,
    *,
    question: str,
    query: NDArray[np.float32],
    languages: Sequence[str],
    k: int,
    home: Selection,
    k_home: int,
    selection: Selection | None = None,
) -> list[Found]:
    """Return what `search` finds, and then the `k_home` best passages in the question's language not among them.

    Whoever asks should be quoted their own language where a document says so in it; `home` selects those passages. They
    come last, because scores of a search among fewer passages are not comparable.
    """
    found = search(passages, engine, question=question, query=query, languages=languages, k=k, selection=selection)
    if not 0 < len(home.rows) < len(passages):
        return found
    more = search(passages, engine, question=question, query=query, languages=languages, k=k_home, selection=home)
    known, last = {passage.row for passage in found}, found[-1].hit.score
    return found + [replace(p, hit=Hit(p.hit.span, min(p.hit.score, last))) for p in more if p.row not in known]


def _distinct(passages: Sequence[Span], ranking: Sequence[tuple[int, float]], k: int) -> list[tuple[int, float]]:
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
