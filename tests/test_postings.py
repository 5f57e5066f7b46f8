from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.postings import Postings, Word, write_postings

_LETTERS = "aaaaaaaabbbbccde\ud800"
PASSAGES = st.lists(st.lists(st.sampled_from(_LETTERS), max_size=8), min_size=1, max_size=60)
QUESTIONS = st.lists(
    st.dictionaries(st.sampled_from("abcdez\ud800"), st.sampled_from([1.0, 0.4]), min_size=1), max_size=4
)


@settings(deadline=None)
@given(PASSAGES, QUESTIONS, st.integers(0, 12), st.sets(st.integers(0, 59)))
def test_the_best_are_those_of_all_scores(
    tmp_path_factory: pytest.TempPathFactory,
    passages: list[list[str]],
    question: list[dict[str, float]],
    k: int,
    some: set[int],
) -> None:
    folder = tmp_path_factory.mktemp("postings")
    write_postings(folder, passages, k1=1.5, b=0.75)
    postings = Postings.load(folder)
    assert list(postings.terms) == sorted({term for passage in passages for term in passage})
    known: list[Word] = []
    for word in question:
        numbers = {
            number: weight for term, weight in word.items() if (number := postings.terms.number(term)) is not None
        }
        known += [numbers] if numbers else []
    every = np.arange(len(passages))
    scores = postings.scores(known, every)
    wanted = [
        sum(max(postings.scores([{n: 1.0}], every)[row] * weight for n, weight in word.items()) for word in known)
        for row in range(len(passages))
    ]
    assert scores.tolist() == pytest.approx(wanted, rel=1e-5)
    for allowed in (None, np.array(sorted(row for row in some if row < len(passages)), np.int64)):
        ids, found = postings.best(known, k, allowed=allowed)
        ranked = sorted((-score, row) for row, score in enumerate(scores.tolist()) if score > 0)
        kept = [(row, -score) for score, row in ranked if allowed is None or row in allowed][:k]
        assert list(zip(ids.tolist(), found.tolist(), strict=True)) == kept


def test_common_words_do_not_bury_the_rare_ones(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    passages = [[f"w{number}" for number in draw.zipf(1.2, 20) if number < 3000] for _ in range(9000)]
    write_postings(tmp_path, passages, k1=1.5, b=0.75)
    postings = Postings.load(tmp_path)
    every = np.arange(9000)
    for question in (["w1", "w2", "w900"], ["w1"], ["w1", "w2", "w3", "w4", "w5"], ["w2500", "w7"]):
        words = [{number: 1.0} for term in question if (number := postings.terms.number(term)) is not None]
        scores = postings.scores(words, every)
        order = np.lexsort((every, -scores))
        for allowed in (None, every[every % 3 > 0]):
            kept = order if allowed is None else order[np.isin(order, allowed)]
            ids, found = postings.best(words, 50, allowed=allowed)
            assert ids.tolist() == kept[:50][scores[kept[:50]] > 0].tolist()
            assert found.tolist() == scores[ids].tolist()


def test_parts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_postings(tmp_path, [["a", "b"], ["b"]], k1=1.5, b=0.75)
    np.save(tmp_path / "bounds.npy", np.array([0, 2, 1]))
    with pytest.raises(ValueError, match="do not fit together"):
        Postings.load(tmp_path)
    np.save(tmp_path / "bounds.npy", np.array([0.0, 1, 3]))
    with pytest.raises(ValueError, match="holds float64"):
        Postings.load(tmp_path)
