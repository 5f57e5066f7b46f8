"""Questions about news to train on: where their answers lie, and what their passages hold."""

import json
import lzma
from pathlib import Path

import pytest
from training.newstest import FOLDERS
from training.newswire import KEPT, read_newswire

LINES = [(f"The mill has {number} sails.", f"El molino tiene {number} aspas.") for number in range(30)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "parallel").mkdir()
    pairs = {
        "es": LINES,
        "fr": [("The mill has 3 sails.", "Le moulin a 3 ailes."), ("It rains in Lyon.", "Il pleut à Lyon.")],
        "it": [],
    }
    for language, rows in pairs.items():
        text = "".join(f"{english}\t{other}\n" for english, other in rows)
        (tmp_path / "parallel" / f"wmt-newstest.en-{language}.tsv.xz").write_bytes(lzma.compress(text.encode()))
    return tmp_path


def kept(folder: Path, line: int, answers: dict[str, str]) -> Path:
    questions = {"en": "How many sails?", "es": "¿Cuántas aspas?", "fr": "Combien d'ailes ?", "it": "Quante pale?"}
    path = folder / "newswire.jsonl"
    path.write_text(json.dumps({"line": line, "questions": questions, "answers": answers}) + "\n", encoding="utf-8")
    return path


def test_a_line_gives_a_question_in_each_of_its_languages_which_knows_the_others(data: Path) -> None:
    questions = read_newswire(data, kept(data, 3, {"en": "3", "es": "3", "fr": "3 ailes"}))
    assert [(q.language, q.question, q.answer) for q in questions] == [
        ("en", "How many sails?", "3"),
        ("es", "¿Cuántas aspas?", "3"),
        ("fr", "Combien d'ailes ?", "3 ailes"),
    ]
    assert {q.id for q in questions} == {"newswire-0"}
    assert dict(questions[0].also) == {"es": "¿Cuántas aspas?", "fr": "Combien d'ailes ?", "it": "Quante pale?"}
    # The one line that French has.
    assert (questions[2].passage, questions[2].start) == ("Le moulin a 3 ailes.", 12)


def test_an_answer_lies_in_its_own_line_among_those_around(data: Path) -> None:
    (english, spanish) = read_newswire(data, kept(data, 15, {"en": "15 sails", "es": "15 aspas"}))
    for question, lines in ((english, [pair[0] for pair in LINES]), (spanish, [pair[1] for pair in LINES])):
        assert question.passage.replace("\n\n", " ") == " ".join(lines[8:23])
        assert question.passage[question.start :].startswith(question.answer)


def test_apart_passages_share_no_line(data: Path) -> None:
    (english, _) = read_newswire(data, kept(data, 15, {"en": "15 sails", "es": "15 aspas"}), apart=True)
    assert english.passage.replace("\n\n", " ") == " ".join(pair[0] for pair in LINES[12:18])
    assert english.passage[english.start :].startswith("15 sails")


def test_what_is_not_answered_has_no_place_and_the_lines_next_to_it_alone(data: Path) -> None:
    (english, spanish) = read_newswire(data, kept(data, 15, {}))
    assert (english.answer, english.start, spanish.start) == ("", -1, -1)
    assert english.passage.replace("\n\n", " ") == " ".join(pair[0] for pair in LINES[12:19])


def test_lines_in_french_alone_come_last(data: Path) -> None:
    (english, french) = read_newswire(data, kept(data, 30, {"en": "Lyon", "fr": "Lyon"}))
    assert english.passage.endswith(" It rains in Lyon.")
    assert french.passage == "Il pleut à Lyon."


def test_other_data_than_the_questions_are_about_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match=r"^row 1 of .*newswire\.jsonl is not about line 15 of "):
        read_newswire(data, kept(data, 15, {"en": "16 sails", "es": "15 aspas"}))


def test_nothing_is_asked_about_the_news_that_is_measured_on() -> None:
    rows = [json.loads(row) for row in KEPT.read_text(encoding="utf-8").splitlines()]
    documents = [json.loads(row) for row in (FOLDERS / "documents.jsonl").read_text(encoding="utf-8").splitlines()]
    measured = {line for row in documents for line in range(row["first"], row["last"] + 1)}
    assert not measured & {row["line"] for row in rows}
    assert all(set(row["questions"]) == {"en", "es", "fr", "it"} for row in rows)
    assert [row["line"] for row in rows] == sorted(row["line"] for row in rows)
