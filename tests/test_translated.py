"""Translated reading questions: the answer is where the translator took it."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.data import Question
from training.translated import marked, translated, translated_pairs, unmarked

PASSAGE = "The harbour is run by Maria Duarte & sons.\nIt employs <240> people."


def asked(answer: str) -> Question:
    start = PASSAGE.index(answer) if answer else -1
    return Question("q1", "en", "Who runs the harbour?", PASSAGE, answer, start, "test")


@pytest.mark.parametrize("answer", ["Maria Duarte & sons", "<240>", "The", PASSAGE])
def test_an_answer_comes_back_from_its_markup(answer: str) -> None:
    line = PASSAGE.replace("\n", " ")
    start = line.index(answer.replace("\n", " "))
    assert unmarked(marked(asked(answer))) == (line, start, start + len(answer))


def test_a_passage_without_an_answer_has_no_markup() -> None:
    assert unmarked(marked(asked(""))) == (PASSAGE.replace("\n", " "), -1, -1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("La dirige <b>Maria</b> *<b>*Duarte</b>.", ("La dirige Maria Duarte.", 10, 22)),
        ("La dirige<b> Maria </b>Duarte.", ("La dirige Maria Duarte.", 10, 15)),
        ("La  dirige @<b>@Maria</b>", ("La dirige Maria", 10, 15)),
        ("<b>Maria</b> la <b>dirige</b>", None),
    ],
)
def test_markup_that_the_translator_repeats_is_joined_and_its_marks_are_taken_out(
    line: str, expected: tuple[str, int, int] | None
) -> None:
    assert unmarked(line) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"], exclude_characters="*@#"), min_size=1))
def test_any_answer_comes_back(answer: str) -> None:
    found = unmarked(marked(Question("q", "en", "?", f"One {answer} two", answer, 4, "test")))
    assert found == (f"One {answer} two", 4, 4 + len(answer))


@pytest.mark.skipif(shutil.which("apertium") is None, reason="the translator is not installed")
def test_rows_are_translated_with_their_answers() -> None:
    rows = list(translated([asked("Maria Duarte & sons"), asked("")], "es"))
    assert [row["id"] for row in rows] == ["q1", "q1"]
    assert rows[1]["answers"] == []
    (answer,) = rows[0]["answers"]
    assert "Maria Duarte" in answer["text"]
    assert rows[0]["context"][answer["start"] :].startswith(answer["text"])
    assert "puerto" in rows[0]["context"]


@pytest.mark.skipif(shutil.which("apertium") is None, reason="the translator is not installed")
def test_sentences_are_translated_but_for_those_with_unknown_words() -> None:
    pairs = [("Ada lives in Tokorozawa.", "Ada vive en Tokorozawa."), ("He bought a gizmo.", "Compró un gadgetonio.")]
    assert list(translated_pairs(pairs)) == [("Ada lives in Tokorozawa.", "Ada vive in Tokorozawa.")]
