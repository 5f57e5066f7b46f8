import io
import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.console import Console
from training.data import Pair, Question, bucket, join_neighbours
from training.evaluate import (
    BY_RULES,
    Bitext,
    Figure,
    Vectors,
    bitext_accuracy,
    blended_rankings,
    dense_rankings,
    joined_rankings,
    lexical_figures,
    lexical_rankings,
    lexical_shares,
    model_figures,
    passage_retrieval,
    retrieval_figures,
    sample,
    scores,
    sentence_retrieval,
    table_of,
    translated_retrieval,
    write_json,
)
from training.translated import in_words_of

from tests.training_parts import NoWords

LIONS = "Lions sleep by day. They hunt zebras at night. Nobody minds."
ZEBRAS = "Zebras eat grass. They run from lions."


def question(text: str, passage: str, answer: str, *, name: str = "q", language: str = "en") -> Question:
    return Question(name, language, text, passage, answer, passage.index(answer), "test")


ASKED = [
    question("What do lions hunt?", LIONS, "zebras", name="1"),
    question("What do zebras eat?", ZEBRAS, "grass", name="2"),
]


def test_bucket_depends_on_the_text_alone() -> None:
    # The first eight bytes of the SHA-256 of "abc", as published with the standard.
    assert bucket("abc", 1000) == 0xBA7816BF8F01CFEA % 1000
    assert bucket("abc", 1) == 0


def test_buckets_are_of_one_size() -> None:
    counts = np.bincount([bucket(f"text {i}", 8) for i in range(4000)], minlength=8)
    assert counts.sum() == 4000
    assert counts.min() > 420
    assert counts.max() < 580


def test_join_neighbours_joins_threes_and_leaves_the_rest() -> None:
    rows = [Pair(f"e{i}", f"f{i}", "fr") for i in range(8)]
    assert list(join_neighbours(rows)) == [Pair("e0 e1 e2", "f0 f1 f2", "fr"), Pair("e3 e4 e5", "f3 f4 f5", "fr")]
    assert list(join_neighbours(rows[:2])) == []


def test_sentence_around_is_the_sentence_of_the_answer() -> None:
    from training.pieces import sentence_around

    assert sentence_around(question("", LIONS, "zebras")) == "They hunt zebras at night."
    assert sentence_around(question("", LIONS, "Lions")) == "Lions sleep by day."
    assert sentence_around(question("", LIONS, "minds.")) == "Nobody minds."
    assert sentence_around(question("", LIONS, "day. They")) == "Lions sleep by day. They hunt zebras at night."


def test_a_window_of_a_short_passage_is_mostly_the_passage() -> None:
    from training.pieces import window_around

    # All the room may be on one side, so that the other is cut; most draws leave enough on both.
    windows = [window_around(question("", LIONS, "zebras"), random.Random(seed)) for seed in range(50)]
    assert windows.count(LIONS) > 25
    assert all("zebras" in window and window in LIONS for window in windows)


# The first example pays for loading torch.
@settings(deadline=None)
@given(st.integers(0, 399), st.integers(1, 40), st.integers(0, 10_000))
def test_a_window_holds_the_answer_and_is_cut_at_words(first: int, words: int, seed: int) -> None:
    from training.pieces import PASSAGE_CHARACTERS, window_around

    numbers = [f"w{i}" for i in range(400)]
    passage, answer = " ".join(numbers), " ".join(numbers[first : first + words])
    start = len(" ".join([*numbers[:first], ""])) if first else 0
    window = window_around(Question("q", "en", "", passage, answer, start, "test"), random.Random(seed))
    assert re.search(rf"(?<!\w){answer}(?!\w)", window)
    assert window in passage
    assert set(window.split()) <= set(numbers)
    assert len(window) <= PASSAGE_CHARACTERS[1]


def test_contrast_is_least_where_each_text_is_nearest_its_question_and_far_from_rivals() -> None:
    torch = pytest.importorskip("torch")
    from training.contrast import TEMPERATURE, contrast

    questions = torch.eye(3)[:2]
    texts = torch.eye(3)
    assert float(contrast(questions, texts, ["a", "b", "c"])) == pytest.approx(0, abs=1e-3)
    swapped = float(contrast(questions, texts[[1, 0, 2]], ["a", "b", "c"]))
    assert swapped == pytest.approx(TEMPERATURE, abs=1e-3)
    # A rival as near as the answer costs one bit in one of the two directions, for one of the two questions.
    near = torch.stack([texts[0], texts[1], texts[0]])
    assert float(contrast(questions, near, ["a", "b", "c"])) == pytest.approx(math.log(2) / 4, abs=1e-3)
    # Not where it is of the answer's own passage.
    assert float(contrast(questions, near, ["a", "b", "a"])) == pytest.approx(0, abs=1e-3)


def test_a_batch_of_questions_ends_in_rivals_that_lack_the_answer() -> None:
    pytest.importorskip("torch")
    from training.contrast import Questions

    rows = [
        Question(
            f"{x}{i}", x, f"What is {i} called in {x}?", f"Number {i} is called n{i}{x}. Well.", f"n{i}{x}", 0, "t"
        )
        for x in ("en", "es", "fr", "it")
        for i in range(100)
    ]
    rows = [replace(q, start=q.passage.index(q.answer)) for q in rows]
    answers = {q.question: q.answer for q in rows}
    wordings, texts, passages = Questions(rows, NoWords(), 1, size=36).batch()
    asked = 36
    assert len(wordings) == asked < len(texts) == len(passages)
    assert all(answers[w] in text for w, text in zip(wordings, texts[:asked], strict=True))
    assert all(text in passage for text, passage in zip(texts, passages, strict=True))


def test_bitext_accuracy_counts_both_directions() -> None:
    english = np.eye(3, dtype=np.float32)
    assert bitext_accuracy(english, english) == 100
    assert bitext_accuracy(english, english[[1, 0, 2]]) == pytest.approx(100 / 3)
    # Both translations are nearest to the first: one of two is found from there, both are found from the other side.
    other = np.array([[1, 0], [0.8, 0.6]], dtype=np.float32)
    assert bitext_accuracy(english[:2, :2], other) == 75


def test_a_sample_is_the_same_every_time_and_no_larger_than_what_there_is() -> None:
    many = [question(f"question {i}?", LIONS, "zebras", name=str(i)) for i in range(20)]
    assert sample(many, 5) == sample(many, 5)
    assert len(set(sample(many, 5))) == 5
    assert set(sample(many, 50)) == set(many)


def test_passage_retrieval_searches_every_passage_once() -> None:
    again = question("Who runs?", ZEBRAS, "They", name="3")
    task = passage_retrieval([*ASKED, again], count=10)
    assert task.texts == [LIONS, ZEBRAS]
    right = dict(zip(task.questions, task.right, strict=True))
    assert right == {"What do lions hunt?": {0}, "What do zebras eat?": {1}, "Who runs?": {1}}
    assert [rows.tolist() for rows in task.among] == [[0, 1]] * 3


def test_translated_retrieval_asks_what_has_a_translation() -> None:
    grass = question("¿Qué comen las cebras?", "Las cebras comen hierba.", "hierba", name="2", language="es")
    other = question("¿Quién duerme?", "Los gatos duermen.", "gatos", name="9", language="es")
    task = translated_retrieval(ASKED, [other, grass], count=10)
    assert task.questions == ["What do zebras eat?"]
    assert task.texts == ["Los gatos duermen.", "Las cebras comen hierba."]
    assert task.right == [{1}]
    assert task.languages == "en → es"


def test_questions_that_rules_translated_are_asked_in_their_language() -> None:
    translated = in_words_of(ASKED, "es", {"es": {"2": "¿Qué comen las cebras?"}, "fr": {"1": "Qui chasse ?"}})
    assert [(q.question, q.language, q.passage) for q in translated] == [("¿Qué comen las cebras?", "es", ZEBRAS)]
    assert in_words_of(ASKED, "it", {}) == []
    task = translated_retrieval(translated, ASKED, count=10, kind=BY_RULES)
    assert (task.kind, task.languages) == ("by rules", "es → en")
    assert task.right == [{1}]
    assert scores(task, [[1, 0]]) == {"R@1": 100.0}


def test_sentence_retrieval_searches_the_passage_of_the_question() -> None:
    short = question("Who sleeps?", "Cats sleep.", "Cats", name="3")
    task = sentence_retrieval([*ASKED, short], count=10)
    assert "Who sleeps?" not in task.questions
    for asked, right, rows in zip(task.questions, task.right, task.among, strict=True):
        passage, answer = (LIONS, "They hunt zebras at night.") if "lions" in asked else (ZEBRAS, "Zebras eat grass.")
        assert [task.texts[row] for row in right] == [answer]
        assert " ".join(task.texts[row] for row in rows) == passage


def test_lexical_rankings_hold_what_shares_a_word() -> None:
    task = passage_retrieval(ASKED, count=2)
    by_question = dict(zip(task.questions, lexical_rankings(lexical_shares(task)), strict=True))
    assert by_question["What do zebras eat?"] == [1, 0]
    assert by_question["What do lions hunt?"] == [0, 1]


def test_dense_rankings_hold_the_opposite_too_but_only_the_rows_asked_for() -> None:
    texts = np.array([[-1, 0], [0, 1], [1, 0], [0.6, 0.8]], dtype=np.float32)
    task = passage_retrieval([question("?", f"passage {i}", "passage", name=str(i)) for i in range(4)], count=2)
    questions = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert dense_rankings(task, questions @ texts.T) == [[2, 3, 1, 0], [1, 3, 0, 2]]
    task.among[:] = [np.array([0, 1]), np.array([2])]
    assert dense_rankings(task, questions @ texts.T) == [[1, 0], [2]]


def test_joined_rankings_are_the_fusion_of_each_question() -> None:
    assert joined_rankings([[2], [0, 1]], [[1, 2], [1, 0]]) == [[2, 1], [0, 1]]


def test_blended_rankings_order_what_was_proposed_by_both_scores() -> None:
    texts = np.eye(3, dtype=np.float32)
    questions = np.array([[0.6, 0.8, 0], [0, 0, 1]], dtype=np.float32)
    shares = [np.array([0.3, 0, 0.9], np.float32), np.zeros(3, np.float32)]
    assert blended_rankings([{0, 1}, {1, 2}], shares, questions @ texts.T) == [[0, 1], [2, 1]]


def test_scores_are_means_in_percent() -> None:
    task = passage_retrieval(ASKED, count=2)
    zebras_first = [[1, 0], [1, 0]]
    assert scores(task, zebras_first) == {"R@1": 50.0, "R@5": 100.0, "MRR": 75.0}
    assert scores(task, [[], []]) == {"R@1": 0.0, "R@5": 0.0, "MRR": 0.0}
    assert scores(sentence_retrieval(ASKED, count=2), [[], []]) == {"accuracy": 0.0}


def met(figures: list[Figure], method: str) -> tuple[float | None, bool | None]:
    figure = next(f for f in figures if f.method == method and f.metric == "R@1")
    return figure.floor, figure.met


def test_the_floors_of_a_passage_are_set_by_what_the_others_reach() -> None:
    task = passage_retrieval(ASKED, count=2)
    right = [sorted(rows) for rows in task.right]
    half = [right[0], [1 - row for row in right[1]]]
    figures = retrieval_figures(task, "m", lexical=half, dense=right, nearest=half, hybrid=right)
    assert met(figures, "dense") == (42.0, True)
    assert met(figures, "with sentences") == (42.0, True)
    # The best there is cannot be beaten.
    assert met(figures, "hybrid") == (100.0, False)
    assert met(retrieval_figures(task, "m", lexical=right, dense=half, nearest=right, hybrid=half), "dense") == (
        92.0,
        False,
    )


def test_a_strict_floor_is_not_met_by_its_own_value() -> None:
    assert Figure("k", "en", "R@1", "dense", "m", 75.0, 75.0).met is True
    assert Figure("k", "en", "R@1", "dense", "m", 75.0, 75.0, strict=True).met is False
    assert Figure("k", "en", "R@1", "dense", "m", 75.0).met is None


class Letters:
    """A vector of how often each letter stands in a text; counts the texts it is given."""

    name, fingerprint, dimensions = "letters", "letters", 26

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        rows = np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_passages(texts)


def test_vectors_encode_each_text_once_and_keep_the_order_asked_for() -> None:
    letters = Letters()
    vectors = Vectors(letters, passages=["ab", "b", "ab"], questions=["a"], name="letters")
    assert letters.seen == ["ab", "b", "a"]
    half = math.sqrt(0.5)
    assert vectors.passages(["b", "ab", "b"])[:, :2] == pytest.approx(np.array([[0, 1], [half, half], [0, 1]]))
    assert vectors.questions(["a"])[0, 0] == 1


def test_a_model_has_every_figure_and_the_table_and_the_file_show_them(tmp_path: Path) -> None:
    tasks = [passage_retrieval(ASKED, count=2), sentence_retrieval(ASKED, count=2)]
    shares = [lexical_shares(task) for task in tasks]
    bitexts = [Bitext("FLORES devtest", "fr", ["abc", "xyz"], ["abcd", "xyza"])]
    figures = lexical_figures(tasks, [lexical_rankings(share) for share in shares])
    figures += model_figures("letters", Letters(), bitexts=bitexts, tasks=tasks, shares=shares)
    found = {(f.kind, f.metric, f.method): f.value for f in figures}
    assert found["FLORES devtest", "accuracy", "dense"] == 100
    assert found["passage", "R@1", "BM25"] == 100
    assert len(found) == 1 + 3 * 5 + 5

    console = Console(width=160, file=io.StringIO())
    with console.capture() as table:
        console.print(table_of(figures, ["letters"]))
    assert re.search(r"FLORES devtest +fr +accuracy +99 +100\.0 ✓", table.get())

    write_json(tmp_path / "scores.json", figures, folders={"letters": Path("x")}, notes=["a note"])
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["models"] == {"letters": "x"}
    assert [row["met"] for row in written["figures"] if row["kind"] == "FLORES devtest"] == [True]


def test_a_log_becomes_a_plot_of_its_numbers(tmp_path: Path) -> None:
    from training.plot import draw, read_log, thinned

    log = tmp_path / "log.csv"
    log.write_text("20,480,1.0,2.5\n40,960,2.0,1.5\n50,1200,2.5,,90.1\n60,1440,3.0,0.5\n")
    line = read_log(log, 2, 3)
    assert line == [(1.0, 2.5), (2.0, 1.5), (3.0, 0.5)]
    assert thinned(line, 2) == [(1.5, 2.0), (3.0, 0.5)]
    assert thinned(line, 3) == line
    plot = ElementTree.fromstring(draw({"loss <1>": line}))
    (drawn,) = plot.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, point.split(","))) for point in drawn.attrib["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert "loss <1>" in [text.text for text in plot.iter("{http://www.w3.org/2000/svg}text")]
