import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.conversation import Turn
from rag.errors import GoldError, RagError
from rag.feedback import candidates, record
from rag.gold import read_gold
from tests.page_parts import DIRIGE, LEADS, LETTER, found, refused, span

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RIGHT = Turn("t1", "who leads it?", found(LEADS, DIRIGE), verdict="right")
WRONG = replace(RIGHT, verdict="wrong")
REFUSAL = Turn("t2", "why?", refused("too_uncertain", span(LETTER, "Bye.")), verdict="right")


def write(path: Path, *turns: Turn, before: tuple[Turn, ...] = ()) -> Path:
    for turn in turns:
        record(path, turn, before, at=NOON)
    return path


def test_a_verdict_is_one_line_with_the_whole_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "new" / "feedback.jsonl", replace(WRONG, why="not_said"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "id": "t1",
            "at": "2026-03-01T12:00:00+00:00",
            "verdict": "wrong",
            "why": "not_said",
            "history": [],
            "answer": json.loads(json.dumps(found(LEADS, DIRIGE).to_dict())),
        }
    ]
    assert path.stat().st_mode & 0o077 == 0, "what people asked is for the owner's eyes"


def test_a_right_answer_proposes_its_words_and_every_document_that_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", RIGHT)
    assert candidates(path, []).questions == (
        {
            "id": "feedback-001",
            "lang": "en",
            "question": "who leads it?",
            "answers": ["Albert Cheng", "M. Cheng"],
            "sources": ["a.txt", "b.txt"],
            "kind": "feedback",
        },
    )


def test_a_right_refusal_and_words_that_no_document_says_propose_no_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", REFUSAL, replace(WRONG, why="not_said"))
    proposed = candidates(path, []).questions
    assert [(each["question"], each["answers"], each["sources"]) for each in proposed] == [
        ("why?", [], []),
        ("who leads it?", [], []),
    ]


def test_a_wrong_answer_is_left_to_a_person(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", replace(WRONG, why="elsewhere"), replace(REFUSAL, verdict="wrong"))
    found_in = candidates(path, [])
    assert (found_in.questions, found_in.unanswered) == ((), ("who leads it?", "why?"))


def test_the_last_verdict_on_an_answer_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", WRONG, RIGHT)
    assert len(candidates(path, []).questions) == 1


def test_readers_who_do_not_agree_leave_it_to_a_person(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", RIGHT, replace(WRONG, id="t9", why="not_said"))
    assert candidates(path, []).unanswered == ("who leads it?",)


def test_known_questions_and_follow_ups_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", RIGHT)
    write(path, REFUSAL, before=(RIGHT,))
    found_in = candidates(path, ["Who leads it"])
    assert (found_in.questions, found_in.known, found_in.follow_ups) == ((), 1, 1)


def test_what_is_proposed_is_a_gold_file(tmp_path: Path) -> None:
    path = write(tmp_path / "feedback.jsonl", RIGHT, REFUSAL)
    gold = tmp_path / "gold.jsonl"
    gold.write_text("\n".join(json.dumps(each) for each in candidates(path, []).questions), encoding="utf-8")
    assert [question.answerable for question in read_gold(gold)] == [True, False]


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "a"}', '{"id": 1, "verdict": "right", "why": "", "history": []}'])
def test_a_line_that_is_not_feedback_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "feedback.jsonl", RIGHT)
    path.write_text(path.read_text(encoding="utf-8") + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(GoldError, match="line 3 of "):
        candidates(path, [])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match=r"feedback in .*none\.jsonl cannot be read"):
        candidates(tmp_path / "none.jsonl", [])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RagError, match="cannot be written"):
        write(tmp_path / "file" / "feedback.jsonl", RIGHT)


def test_a_full_file_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "feedback.jsonl", RIGHT)
    monkeypatch.setattr("rag.feedback.MOST_BYTES", path.stat().st_size)
    with pytest.raises(RagError, match="move it away"):
        write(path, RIGHT)
