import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.engine import Selection, fuse
from rag.lexical import Lexical
from rag.local import Local
from rag.passage_sentences import PassageSentences
from rag.passages import Passages
from rag.search import WORDS, Collection, Found, blend, search
from rag.spans import Document, Span
from rag.vectors import Vectors

STORY = Document("story.txt", "Story", "en", "Lions sleep. Zebras run. Lions hunt zebras.")
COPY = Document("copy.txt", "Copy", "en", "Zebras run.")
PASSAGES = [Span(STORY, 0, 12), Span(STORY, 13, 24), Span(STORY, 25, 43), Span(COPY, 0, 11), Span(STORY, 0, 24)]
EAST, NORTH, BETWEEN = (1.0, 0.0), (0.0, 1.0), (0.6, 0.8)


def vector(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def collection(
    passages: list[Span], rows: NDArray[np.float32], nearest: NDArray[np.float32] | None = None
) -> Collection:
    """Return passages with these vectors; each is one sentence, whose vector is `nearest` or the passage's own."""
    documents = list(dict.fromkeys(passage.document for passage in passages))
    places = np.array([(documents.index(p.document), p.start, p.end) for p in passages], np.int64)
    lexical = Lexical.of([p.text for p in passages[: len(rows)]], [p.document.language for p in passages[: len(rows)]])
    each = np.arange(len(passages))
    return Collection(
        Passages(documents, places),
        PassageSentences.of(passages, np.stack([each, each + 1], 1), rows if nearest is None else nearest),
        Local(Vectors.of(rows), lexical),
    )


def found(
    question: str, query: tuple[float, float], rows: list[tuple[float, float]], allowed: list[int] | None = None
) -> list[Found]:
    return search(
        collection(PASSAGES, np.array(rows, dtype=np.float32)),
        question=question,
        query=vector(*query),
        languages=["en"],
        selection=None if allowed is None else Selection(np.array(allowed, dtype=np.int64)),
    )


def test_fuse_sums_reciprocal_ranks() -> None:
    assert fuse([[4, 7], [7, 9, 4]]) == [(7, 1 / 62 + 1 / 61), (4, 1 / 61 + 1 / 63), (9, 1 / 62)]


def test_fuse_weighs_rankings_and_breaks_ties_by_id() -> None:
    assert fuse([[5, 1], [3]], constant=0, weights=[1, 2]) == [(3, 2.0), (5, 1.0), (1, 0.5)]
    assert fuse([[8], [2]]) == [(2, 1 / 61), (8, 1 / 61)]
    assert fuse([]) == fuse([[], []]) == []


def test_fuse_refuses_what_is_no_ranking() -> None:
    with pytest.raises(ValueError, match="names an id twice"):
        fuse([[1, 1]])
    with pytest.raises(ValueError, match="cannot be -1"):
        fuse([[1]], constant=-1)
    with pytest.raises(ValueError, match="zip"):
        fuse([[1], [2]], weights=[1])


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 20), unique=True), max_size=5))
def test_fuse_keeps_every_id_and_the_order_of_rankings(rankings: list[list[int]]) -> None:
    fused = dict(fuse(rankings))
    assert set(fused) == {number for ranking in rankings for number in ranking}
    assert sum(fused.values()) == pytest.approx(
        sum(1 / (60 + rank) for ranking in rankings for rank in range(1, len(ranking) + 1))
    )
    # Two rankings that agree are not contradicted.
    for ranking in rankings[:1]:
        assert [number for number, _ in fuse([ranking, ranking])] == ranking


def test_both_searches_say_why_a_passage_was_found() -> None:
    first, second, *_ = found("hunt", BETWEEN, [NORTH, EAST, BETWEEN, EAST, EAST])
    assert (first.row, first.hit.span.text, first.dense_rank, first.lexical_rank) == (2, "Lions hunt zebras.", 1, 1)
    # All of the question's words are "hunt", which stands in one passage of five.
    assert first.hit.score == pytest.approx((1 + WORDS * first.lexical / math.log(1 + 4.5 / 1.5)) / (1 + WORDS))
    assert first.dense == pytest.approx(1)
    assert 0 < first.lexical < math.log(4)
    assert (second.row, second.dense_rank, second.lexical_rank, second.lexical) == (0, 2, None, 0)
    assert second.dense == pytest.approx(0.8)
    assert second.hit.score == pytest.approx(0.8 / (1 + WORDS))


def test_blend_is_a_mean_of_likeness_and_share_of_the_words() -> None:
    dense, lexical = np.array([0.9, 0.3, -0.2], np.float32), np.array([0, 2, 4], np.float32)
    whole = 1 + WORDS
    expected = [0.9 / whole, (0.3 + WORDS / 2) / whole, (-0.2 + WORDS) / whole]
    assert blend(dense, lexical, 4.0).tolist() == pytest.approx(expected)
    none = [likeness / whole for likeness in (0.9, 0.3, -0.2)]
    assert blend(dense, np.zeros(3, np.float32), 0.0).tolist() == pytest.approx(none)


def test_a_passage_with_all_the_words_goes_before_one_that_is_only_a_little_nearer() -> None:
    # By ranks alone both would be first once and second once.
    assert [result.row for result in found("lions hunt", EAST, [BETWEEN, NORTH, (0.5, 0.866), NORTH, NORTH])][:2] == [
        2,
        0,
    ]


def test_a_passage_that_only_one_search_reaches_has_the_other_score_too() -> None:
    documents = [Document(f"{n}.txt", "", "en", f"Lions number {n}." if n else "Lions hunt.") for n in range(30)]
    passages = [Span(document, 0, len(document.text)) for document in documents]
    angles = np.linspace(1.5, 1, 30)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    results = search(
        collection(passages, rows),
        question="lions hunt",
        query=vector(1, 0),
        languages=["en"],
        k=3,
        depth=3,
    )
    by_row = {result.row: result for result in results}
    assert set(by_row) == {0, 28, 29}  # 0 is lexically first, 29 densely, 28 densely second and "lions" is in all
    assert (by_row[0].lexical_rank, by_row[0].dense_rank) == (1, None)
    assert by_row[0].dense == pytest.approx(np.cos(1.5), abs=1e-3)
    assert (by_row[29].lexical_rank, by_row[29].dense_rank) == (None, 1)
    assert 0 < by_row[29].lexical < by_row[0].lexical


def test_a_passage_inside_or_equal_to_a_better_one_is_left_out() -> None:
    rows = [result.row for result in found("sleep run", EAST, [BETWEEN, BETWEEN, NORTH, BETWEEN, EAST])]
    # 4 holds 0 and 1; 3 has the words of 1, but 1 is not taken.
    assert rows == [4, 3, 2]
    rows = [result.row for result in found("run", EAST, [NORTH, EAST, NORTH, EAST, NORTH])]
    # 3 has the words of 1; 4 holds the better 1 and stays, and then 0 lies in it.
    assert rows == [1, 4, 2]


def test_allowed_passages_only() -> None:
    assert [result.row for result in found("zebras", EAST, [EAST] * 5, allowed=[2, 3])] == [
        3,
        2,
    ]  # the shorter one first
    assert found("zebras", EAST, [EAST] * 5, allowed=[]) == []


def test_k_bounds_the_result_and_depth_does_not() -> None:
    documents = [Document(f"{n}.txt", "", "und", text) for n, text in enumerate(["a1", "b2", "c3"])]
    searched = collection([Span(document, 0, 2) for document in documents], np.eye(3, dtype=np.float32))
    for k, wanted in ((0, []), (1, [1]), (2, [1, 0]), (9, [1, 0, 2])):
        results = search(searched, question="b2", query=vector(0.6, 0.8, 0), languages=["und"], k=k, depth=1)
        assert [result.row for result in results] == wanted


def test_sizes_that_differ() -> None:
    with pytest.raises(ValueError, match="5 passages, but 5 with sentences and 4 of the engine"):
        collection(PASSAGES, np.array([EAST] * 4, np.float32), np.array([EAST] * 5, np.float32))
    with pytest.raises(ValueError, match="sentences of 3 dimensions, but passages of 2"):
        collection(PASSAGES, np.array([EAST] * 5, np.float32), np.eye(5, 3, 1, np.float32) + np.float32(0.1))
    with pytest.raises(ValueError, match="5 sentences, but 4 vectors"):
        collection(PASSAGES, np.array([EAST] * 4, np.float32))
    with pytest.raises(ValueError, match="1 vectors, but 0 lexical entries"):
        Local(Vectors.of(np.eye(1, dtype=np.float32)), Lexical.of([], []))
