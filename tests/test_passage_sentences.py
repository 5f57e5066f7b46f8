from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.files import CODES, write_rows
from rag.passage_sentences import PLACES, TOUCHED, VECTORS, PassageSentences, coded, touching
from rag.passages import Spans
from rag.sentences import sentences
from rag.spans import Document, Span
from rag.split import split

TEXT = "The harbour opened in June. Maria runs it. Boats land for free. A crane will come."
HARBOUR = Document("harbour.txt", "Harbour", "en", TEXT)
SENTENCES = sentences(Span(HARBOUR, 0, len(TEXT)))
TWO = np.array([[0, 2], [1, 4]])


def unit(rows: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((rows, width))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def written(folder: Path, vectors: NDArray[np.float32], touched: NDArray[np.int64] = TWO) -> PassageSentences:
    places = np.array([(0, span.start, span.end) for span in SENTENCES], np.int64)
    parts = [vectors[:1], vectors[1:]]
    PassageSentences.write(folder, Spans([HARBOUR], places), touched, vectors.shape[1], parts)
    return PassageSentences.load(folder, [HARBOUR])


def test_a_passage_has_its_sentences_and_their_vectors(tmp_path: Path) -> None:
    vectors = unit(4, 384)
    for kept in (written(tmp_path, vectors), PassageSentences.of(SENTENCES, TWO, vectors)):
        assert (len(kept), kept.dimensions) == (2, 384)
        second = kept.of_passage(1)
        assert [span.text for span in second.spans] == ["Maria runs it.", "Boats land for free.", "A crane will come."]
        assert np.abs(second.vectors - vectors[1:]).max() < 0.001
        assert np.allclose(np.linalg.norm(second.vectors, axis=1), 1, atol=1e-6)
        assert list(kept.spans) == list(SENTENCES)


def test_the_nearest_sentence_of_each_passage_scores(tmp_path: Path) -> None:
    vectors, query = unit(4, 384), unit(1, 384, seed=1)[0]
    kept = written(tmp_path, vectors)
    every = vectors @ query
    expected = [every[1:4].max(), every[:2].max(), every[1:4].max()]
    scores = kept.nearest(query, np.array([1, 0, 1]))
    assert scores == pytest.approx(expected, abs=0.002)
    assert scores[0] == scores[2]
    assert kept.nearest(query, np.empty(0, np.int64)).tolist() == []


@given(st.integers(1, 20), st.integers(1, 40), st.integers(0, 1000))
def test_coding_again_changes_nothing(rows: int, width: int, seed: int) -> None:
    codes = coded(unit(rows, width, seed))
    assert np.abs(codes).max(axis=1).tolist() == [127] * rows
    decoded = PassageSentences.of(SENTENCES[:1] * rows, np.array([[0, rows]]), unit(rows, width, seed)).vectors(0, rows)
    assert np.array_equal(coded(decoded), codes)
    assert (decoded * unit(rows, width, seed)).sum(axis=1).min() > 0.999


@given(st.lists(st.sampled_from(["One two three.", "A", "Is it so?", "Word " * 60 + "end.", "\n\n"]), min_size=1))
def test_a_passage_touches_what_shares_a_character_with_it(parts: list[str]) -> None:
    document = Document("a.txt", "", "en", " ".join([*parts, "Last."]))
    own = sentences(Span(document, 0, len(document.text)))
    passages = split(document, own, size=60, overlap=20)
    assert passages
    for passage, (first, last) in zip(passages, touching(passages, own), strict=True):
        assert [i for i, sentence in enumerate(own) if sentence.overlaps(passage)] == list(range(first, last))


@pytest.mark.parametrize(
    ("touched", "message"),
    [
        ([[0, 0], [1, 4]], "a passage has no sentence, or one that there is not"),
        ([[0, 2], [1, 5]], "a passage has no sentence, or one that there is not"),
        ([[-1, 2], [1, 4]], "a passage has no sentence, or one that there is not"),
    ],
)
def test_what_does_not_fit_together_is_refused(touched: list[list[int]], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        written(tmp_path, unit(4, 8), np.array(touched))


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    written(tmp_path, unit(4, 8))
    write_rows(tmp_path / VECTORS, 3, 8, [coded(unit(3, 8))], dtype=CODES)
    with pytest.raises(ValueError, match="4 sentences, but 3 vectors"):
        PassageSentences.load(tmp_path, [HARBOUR])
    write_rows(tmp_path / VECTORS, 4, 8, [unit(4, 8)])
    with pytest.raises(ValueError, match="holds float32 of shape"):
        PassageSentences.load(tmp_path, [HARBOUR])
    for name in (VECTORS, PLACES, TOUCHED):
        (tmp_path / name).unlink()
        with pytest.raises(OSError, match=name):
            PassageSentences.load(tmp_path, [HARBOUR])
        written(tmp_path, unit(4, 8))
