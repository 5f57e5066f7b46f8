"""What is mined for the second reader: windows of training dossiers, where their answers are, and what it gets."""

import random
from collections import Counter
from pathlib import Path

from training.data import Question
from training.dossiers import Asked, Dossier, Place
from training.examples import Examples
from training.mine import ASKED_IN, MOST, mine, window_of
from training.mined import Mined, Window, read_mined, write_mined

from rag.encode import OnnxEncoder
from rag.read import open_reader
from rag.spans import Document, Span
from tests.training_parts import NoWords

MILL = Document(
    "en-1.txt",
    "The mill",
    "en",
    "The mill\n\nThe mill was built in 1840 by two brothers. It is run by Ana Ruiz. Bread is sold on Sundays.",
)
FARM = Document(
    "en-2.txt", "The farm", "en", "The farm\n\nThe farm beside it is run by Bo Lund. He was born in the city in 1972."
)
WHO = Asked(
    "d-1",
    "who",
    {"en": "Who runs the mill?", "es": "¿Quién lleva el molino?", "fr": "Qui dirige le moulin ?", "it": "Chi guida?"},
    (Place(MILL, "Ana Ruiz", MILL.text.index("Ana Ruiz")),),
)
ANSWERING = Window("It is run by Ana Ruiz.", 13, 21)
LACKING = [Window(f"Bo Lund runs farm {number}.", -1, -1) for number in range(4)]


def test_a_window_says_where_the_answer_is_in_it_and_half_an_answer_is_none() -> None:
    at = MILL.text.index("It is run")
    whole = window_of(Span(MILL, at, at + 40), WHO)
    assert whole is not None
    assert whole.text[whole.start : whole.end] == "Ana Ruiz"
    assert window_of(Span(MILL, at, MILL.text.index("Ruiz")), WHO) is None
    elsewhere = window_of(Span(FARM, 0, 30), WHO)
    assert elsewhere == Window(FARM.text[:30], -1, -1)


def test_what_is_mined_of_a_dossier_is_read_where_the_answer_is_likeliest() -> None:
    dossier = Dossier("d", False, (MILL, FARM), (WHO,))
    mined = list(mine(dossier, 0, OnnxEncoder(), open_reader()))
    assert [each.language for each in mined] == ["en", "fr"]
    assert len(mined) == ASKED_IN
    for each in mined:
        assert each.question == WHO.questions[each.language]
        assert 0 < len(each.windows) <= MOST
        assert all(window.text in f"{MILL.text} {FARM.text}" for window in each.windows)
        first = each.windows[0]
        assert first.text[first.start : first.end] == "Ana Ruiz"
    # Its neighbours are asked in the two other languages.
    assert [each.language for each in mine(dossier, 1, OnnxEncoder(), open_reader())] == ["es", "it"]


def test_what_is_mined_is_read_as_it_was_written(tmp_path: Path) -> None:
    mined = [Mined("d-1", "es", "¿Quién?", (ANSWERING, *LACKING)), Mined("d-2", "en", "When?", ())]
    write_mined(mined, tmp_path / "mined.jsonl")
    assert read_mined(tmp_path / "mined.jsonl") == mined


def test_the_window_that_answers_stands_before_others_and_without_one_each_stands_apart() -> None:
    answered = Mined("d-1", "en", "Who?", (LACKING[0], ANSWERING, *LACKING[1:]))
    ((first, *rest),) = answered.together(random.Random(1), most=3)
    assert first == ANSWERING
    assert len(rest) == 3
    assert set(rest) < set(LACKING)
    apart = Mined("d-2", "en", "When?", tuple(LACKING)).together(random.Random(1), most=3)
    assert [len(windows) for windows in apart] == [1, 1]
    assert apart[0] != apart[1]


def test_a_share_of_the_questions_is_mined_with_its_windows() -> None:
    mined = [Mined(f"d-{number}", "en", f"Who runs mill {number}?", (ANSWERING, LACKING[0])) for number in range(3)]
    # One row, of a language each, that no text answers: these stand alone.
    rows = [Question(x, x, "Why?", MILL.text, "", -1, "test") for x in ("en", "es", "fr", "it")]
    examples = Examples(rows, NoWords(), seed=1, mined=mined, mined_share=0.3)
    drawn = examples.chunk(1000)
    pairs = [together for together in drawn if len(together) == 2]
    assert abs(len(pairs) - 300) < 50
    counts = Counter(first.question for first, _ in pairs if first.question in {each.question for each in mined})
    assert max(counts.values()) - min(counts.values()) < 25
    for first, second in pairs:
        assert first.text[first.start : first.end] == "Ana Ruiz"
        assert (second.start, second.question) == (-1, first.question)
    assert all(len(together) == 1 for together in Examples(rows, NoWords(), seed=1, mined=mined).chunk(100))
