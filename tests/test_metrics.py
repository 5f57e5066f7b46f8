import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.metrics import (
    contains,
    exact_match,
    expected_calibration_error,
    f1,
    normalise,
    percentile,
    recall_at_k,
    reciprocal_rank,
    risk_coverage,
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The AI Studio", "ai studio"),
        ("  Señor\tNúñez, ¿qué? ", "senor nunez que"),
        ("l'IA", "ia"),
        ("L’IA d’Amazon", "ia amazon"),
        ("un’altra idea", "altra idea"),
        ("DʼAMAZON", "amazon"),
        ("aujourd’hui", "aujourd hui"),
        ("los 100.000 millones", "100 000 millones"),
        ("gli attori e le attrici", "attori e attrici"),
        ("des ingénieurs et une équipe", "ingenieurs et equipe"),
        ("« AI\u00a0Studio »", "ai studio"),
        ("snake_case", "snake case"),
        ("inter\u00adna\u200btional", "international"),
        ("Straße", "strasse"),
        ("e\u0301te\u0301", "ete"),
        ("The", "the"),
        ("…!?", ""),
        ("", ""),
    ],
)
def test_normalise(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_normal_text_has_single_spaces_and_no_edges(text: str) -> None:
    assert normalise(text) == " ".join(normalise(text).split())


def test_exact_match_takes_any_accepted_wording() -> None:
    assert exact_match("the Albert Cheng.", ["Cheng", "Albert CHENG"]) == 1.0
    assert exact_match("Albert", ["Cheng", "Albert Cheng"]) == 0.0


def test_nothing_matches_nothing() -> None:
    assert exact_match("", ["…"]) == 0.0
    assert exact_match("Albert", []) == 0.0
    assert f1("", ["…"]) == 0.0
    assert f1("Albert", []) == 0.0
    assert not contains("any text", "…")
    assert not contains("", "text")


def test_f1_is_the_best_over_the_wordings() -> None:
    # 1 word in common, 2 predicted, 3 wanted: P = 1/2, R = 1/3, F1 = 0.4. The other wording: P = 1/2, R = 1, F1 = 2/3.
    assert f1("Albert Einstein", ["Albert Cheng Junior"]) == pytest.approx(0.4)
    assert f1("Albert Einstein", ["Albert Cheng Junior", "Albert"]) == pytest.approx(2 / 3)


def test_f1_counts_a_repeated_word_as_often_as_both_have_it() -> None:
    assert f1("no no no", ["no no"]) == pytest.approx(0.8)


@given(st.text(), st.text())
def test_f1_is_symmetric_and_a_share(left: str, right: str) -> None:
    assert f1(left, [right]) == f1(right, [left])
    assert 0.0 <= f1(left, [right]) <= 1.0


@given(st.text())
def test_a_perfect_prediction_scores_one_unless_it_is_empty(text: str) -> None:
    expected = 1.0 if normalise(text) else 0.0
    assert (exact_match(text, [text]), f1(text, [text])) == (expected, expected)
    assert contains(text, text) == bool(expected)


@pytest.mark.parametrize(
    ("text", "wording", "there"),
    [
        ("Amazon prévoit une bêta fermée en mars.", "en Mars", True),
        ("Amazon prévoit une bêta fermée en mars.", "beta fermee", True),
        ("It marches on.", "march", False),
        ("a 2030 forecast", "203", False),
        ("l’intelligenza dell’azienda", "azienda", True),
        ("Cheng, Albert", "Albert Cheng", False),
        ("by the end of May", "by end of may", True),
    ],
)
def test_contains_whole_words_only(text: str, wording: str, there: bool) -> None:
    assert contains(text, wording) is there


def test_recall_looks_at_the_first_k_only() -> None:
    ranked = [False, False, True]
    assert [recall_at_k(ranked, k) for k in (1, 2, 3, 5)] == [0.0, 0.0, 1.0, 1.0]
    assert recall_at_k([], 5) == 0.0


def test_recall_at_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        recall_at_k([True], 0)


def test_reciprocal_rank_is_of_the_first_relevant_result() -> None:
    assert reciprocal_rank([True, True]) == 1.0
    assert reciprocal_rank([False, True, True]) == 0.5
    assert reciprocal_rank([False, False]) == 0.0
    assert reciprocal_rank([]) == 0.0


def test_calibration_error_weighs_the_bins_by_their_size() -> None:
    # Bin (0.7, 0.8]: three answers, accuracy 2/3, gap |2/3 - 0.8|. Bin (0.1, 0.2]: one answer, accuracy 1, gap 0.8.
    expected = 3 / 4 * abs(2 / 3 - 0.8) + 1 / 4 * 0.8
    assert expected_calibration_error([0.8, 0.8, 0.8, 0.2], [True, True, False, True]) == pytest.approx(expected)


def test_calibration_error_of_the_perfect_and_of_the_worst() -> None:
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0


def test_opposite_gaps_cancel_inside_one_bin_only() -> None:
    confidences, correct = [0.3, 0.7], [True, False]
    assert expected_calibration_error(confidences, correct, bins=1) == pytest.approx(0.0)
    assert expected_calibration_error(confidences, correct, bins=2) == pytest.approx(0.7)


def test_silence_is_not_calibrated() -> None:
    assert expected_calibration_error([], []) == 1.0


def test_confidences_and_outcomes_go_in_pairs() -> None:
    with pytest.raises(ValueError, match="zip"):
        expected_calibration_error([0.5], [])
    with pytest.raises(ValueError, match="zip"):
        risk_coverage([0.5], [])


def test_percentile_is_linear_between_neighbours() -> None:
    values = [40.0, 10.0, 30.0, 20.0]
    assert [percentile(values, q) for q in (0, 50, 90, 100)] == pytest.approx([10.0, 25.0, 37.0, 40.0])
    assert percentile([7.0], 95) == 7.0


@pytest.mark.parametrize(("values", "q"), [([], 50), ([1.0], -1), ([1.0], 101)])
def test_a_percentile_of_nothing_or_out_of_range_is_a_mistake(values: list[float], q: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, q)


def test_risk_rises_as_less_confident_answers_are_kept() -> None:
    points = risk_coverage([0.2, 0.9, 0.6, 0.6], [False, True, False, True])
    assert points == ((0.25, 0.0), (0.75, 1 / 3), (1.0, 0.5))


def test_no_answers_cover_nothing() -> None:
    assert risk_coverage([], []) == ()
