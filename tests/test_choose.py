"""Which words are chosen from the scores of the tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rag.choose import WHOLE, agreements, choose_span, joint_score

# Ten words of four letters.
PLACES = np.array([(5 * i, 5 * i + 4) for i in range(10)])
SCORES = arrays(np.float32, 10, elements=st.floats(-20, 20, width=32))


def scores(**at: float) -> np.ndarray:
    values = np.full(10, -9.0, np.float32)
    for token, score in at.items():
        values[int(token.removeprefix("t"))] = score
    return values


def test_a_span_without_rivals_is_chosen() -> None:
    assert choose_span(scores(t2=5), scores(t4=6), PLACES, most_tokens=8) == (2, 4)
    assert joint_score(scores(t2=5), scores(t4=6), most_tokens=8) == pytest.approx(11, abs=1e-4)


def test_what_most_likely_spans_share_is_chosen_before_the_likeliest() -> None:
    # The end is likeliest at the first word, nearly as likely at the third and fourth, and hardly at the fifth.
    starts, ends = scores(t2=8), scores(t2=3.0, t4=2.9, t5=2.9, t6=0.0)
    assert choose_span(starts, ends, PLACES, most_tokens=8) == (2, 5)
    assert choose_span(starts, scores(t2=3.0, t4=-3.0), PLACES, most_tokens=8) == (2, 2)


def test_two_rival_answers_are_not_quoted_together() -> None:
    starts, ends = scores(t1=5, t8=4.8), scores(t1=5, t8=4.8)
    # From the first rival's start to the second's end is as likely as the second, because the two are scored apart.
    assert choose_span(starts, ends, PLACES, most_tokens=10) == (1, 1)


def test_a_span_is_no_longer_than_allowed_and_runs_forwards() -> None:
    starts, ends = scores(t1=9, t7=2), scores(t8=9, t0=9)
    assert choose_span(starts, ends, PLACES, most_tokens=3) == (7, 8)
    assert joint_score(starts, ends, most_tokens=3) == pytest.approx(11, abs=1e-2)
    assert joint_score(starts, ends, most_tokens=8) == pytest.approx(18, abs=1e-2)


def test_a_sentence_with_two_likely_bounds_scores_higher_than_its_likeliest_span() -> None:
    found = joint_score(scores(t2=5), scores(t4=6, t5=6), most_tokens=8)
    assert found == pytest.approx(11 + np.log(2), abs=1e-4)


@given(SCORES, SCORES, st.integers(1, 12))
def test_every_choice_is_a_span_and_the_odds_of_all_spans_are_summed(
    starts: np.ndarray, ends: np.ndarray, most: int
) -> None:
    first, last = choose_span(starts, ends, PLACES, most_tokens=most)
    assert 0 <= first <= last < 10
    assert last - first < most
    spans = [float(starts[i]) + float(ends[j]) for i in range(10) for j in range(i, min(10, i + most))]
    assert joint_score(starts, ends, most_tokens=most) == pytest.approx(np.log(np.sum(np.exp(spans))), abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), min_size=1, max_size=8))
def test_agreement_is_one_with_itself_and_least_with_what_is_apart(spans: list[tuple[int, int]]) -> None:
    start = np.array([at for at, _ in spans])
    end = start + np.array([length for _, length in spans])
    agreement = agreements(start, end)
    assert agreement.shape == (len(spans),) * 2
    np.testing.assert_allclose(np.diag(agreement), 1.0)
    apart = (start[:, None] >= end[None, :]) | (start[None, :] >= end[:, None])
    assert (agreement[apart] == 0).all()
    holds = (start[:, None] <= start[None, :]) & (end[:, None] >= end[None, :])
    most = 2 * (end - start)[None, :] >= (end - start)[:, None]
    assert (agreement[holds & most] >= WHOLE).all()
