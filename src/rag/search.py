"""Dense and lexical search joined: each proposes passages, and the scores of both order them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.engine import Engine, Selection
from rag.lexical import full_weight
from rag.passage_sentences import PassageSentences, Sentences
from rag.passages import Passages
from rag.spans import Hit, Span

# How much the words count beside the vector: chosen on held-back questions in four languages (see training/README.md).
WORDS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """What is searched: passages, their sentences, and the engine that has the vectors and words of the passages.

    All three have the same passages in the same order; raises ValueError when they differ in size.
    """

    passages: Passages
    sentences: PassageSentences
    engine: Engine

    def __post_init__(self) -> None:
        if not len(self.passages) == len(self.sentences) == len(self.engine):
            raise ValueError(
                f"{len(self.passages)} passages, but {len(self.sentences)} with sentences"
                f" and {len(self.engine)} of the engine"
            )
        if self.sentences.dimensions != self.engine.dimensions:
            raise ValueError(
                f"sentences of {self.sentences.dimensions} dimensions, but passages of {self.engine.dimensions}"
            )


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that search found, and why.

    `hit.score` is that of `blend`; `row` the passage's number; `dense` its likeness to the question, see `score`;
    `lexical` its BM25 score, 0 when it shares no term with the question. The ranks begin at 1 and are None where that
    search did not reach the passage; `dense_rank` is by the passage's own vector alone, by which it was proposed, and
    `dense` has its nearest sentence in it. `sentences` are the passage's own.
    """

    hit: Hit
    row: int
    dense: float
    lexical: float
    dense_rank: int | None
    lexical_rank: int | None
    sentences: Sentences


def search(
    collection: Collection,
    *,
    question: str,
    query: NDArray[np.float32],
    languages: Sequence[str],
    k: int = 8,
    depth: int = 50,
    selection: Selection | None = None,
) -> list[Found]:
    """Return the `k` passages that fit a question best, best first.

    `query` is the question's vector, shape (d,); `languages` are the question's own and then those of the corpus. Each
    of the two searches proposes its `depth` best, or `k` if that is more, and `score` orders them. A passage is left
    out when its text equals, or its place lies inside, that of a better one, so fewer than `k` may come back.
    `selection` restricts the search. Raises ValueError when the query's shape or values are not those of a vector.
    """
    passages = collection.passages
    ranking = collection.engine.rank(question, query, languages, depth=max(depth, k), selection=selection)
    rows = [row for row, _ in ranking.fused]
    evidence = score(collection, rows, question=question, query=query, languages=languages)
    best = sorted(rows, key=lambda row: (-evidence[row][0], row))
    dense_ranks, lexical_ranks = (
        {row: rank for rank, row in enumerate(rows, start=1)} for rows in (ranking.dense, ranking.lexical)
    )
    found = []
    for row in _distinct(passages, best, k):
        blended, likeness, words = evidence[row]
        hit = Hit(passages[row], blended)
        own = collection.sentences.of_passage(row)
        found.append(Found(hit, row, likeness, words, dense_ranks.get(row), lexical_ranks.get(row), own))
    return found


def search_at_home(
    collection: Collection,
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
    found = search(collection, question=question, query=query, languages=languages, k=k, selection=selection)
    if not 0 < len(home.rows) < len(collection.passages):
        return found
    more = search(collection, question=question, query=query, languages=languages, k=k_home, selection=home)
    known, last = {passage.row for passage in found}, found[-1].hit.score
    return found + [replace(p, hit=Hit(p.hit.span, min(p.hit.score, last))) for p in more if p.row not in known]


def score(
    collection: Collection, rows: Sequence[int], *, question: str, query: NDArray[np.float32], languages: Sequence[str]
) -> dict[int, tuple[float, float, float]]:
    """Return for each row its score by `blend`, its likeness to the query and its BM25 score.

    A passage is as like the question as it and the sentence of it that is nearest to the question are in the mean: one
    vector for all that a passage says tells little of any of it.
    """
    engine, numbers = collection.engine, np.array(rows, dtype=np.int64)
    dense, lexical = engine.scores(question, query, languages, numbers)
    likeness = np.asarray((dense + collection.sentences.nearest(query, numbers)) / 2, np.float32)
    scores = blend(likeness, lexical, full_weight(question, languages, engine.weight))
    return dict(zip(rows, zip(scores.tolist(), likeness.tolist(), lexical.tolist(), strict=True), strict=True))


def blend(dense: NDArray[np.float32], lexical: NDArray[np.float32], full: float) -> NDArray[np.float64]:
    """Return one score for each passage, at most 1: the mean of its likeness and its share of the words, by `WORDS`.

    `dense` are their likenesses, `lexical` BM25 scores of the same passages, `full` the weight of all the question's
    words. Unlike ranks, shares tell a passage that has all the words from one that has by chance the most
    (Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval").

    >>> blend(np.array([0.5, 0.4], np.float32), np.array([0, 3], np.float32), 10.0).round(3).tolist()
    [0.25, 0.35]
    """
    share = lexical.astype(np.float64) / (full or 1.0)
    return (dense + WORDS * share) / (1 + WORDS)


def _distinct(passages: Sequence[Span], best: Sequence[int], k: int) -> list[int]:
    """Return the first `k` rows of a ranking that say something the ones before do not."""
    chosen: list[int] = []
    taken: list[Span] = []
    for row in best:
        if len(chosen) == k:
            break
        passage = passages[row]
        if not any(other.contains(passage) or other.text == passage.text for other in taken):
            chosen.append(row)
            taken.append(passage)
    return chosen
