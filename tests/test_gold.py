from pathlib import Path

import pytest

from rag import Assistant, build
from rag.baseline import compare, read_expected
from rag.evaluate import Evaluation, evaluate
from rag.gold import read_chats, read_gold

ROOT = Path(__file__).parent.parent
GOLD = Path(__file__).parent / "gold"
EXPECTED = GOLD / "expected.json"


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    index = tmp_path_factory.mktemp("gold") / "index"
    build(ROOT / "seeds", index)
    return evaluate(
        Assistant.open(index),
        read_gold(GOLD / "questions.jsonl"),
        chats=read_chats(GOLD / "chats.jsonl"),
    )


def test_the_scores_are_the_expected_ones(evaluation: Evaluation) -> None:
    if not EXPECTED.is_file():
        pytest.fail(f"{EXPECTED} is missing; write it with `rag evaluate {GOLD / 'questions.jsonl'} --write`")
    assert compare(evaluation, read_expected(EXPECTED)) == []


def test_every_citation_is_letter_for_letter_in_its_document(evaluation: Evaluation) -> None:
    assert evaluation.overall.verbatim == 1.0
    for outcome in (*evaluation.outcomes, *evaluation.follow_up_outcomes):
        for citation in outcome.answer.citations:
            text = (ROOT / "seeds" / citation.answer.document.id).read_bytes().decode("utf-8-sig")
            assert text[citation.answer.start : citation.answer.end] == citation.answer.text


def test_every_question_was_asked(evaluation: Evaluation) -> None:
    lines = (GOLD / "questions.jsonl").read_text("utf-8").splitlines()
    chats = (GOLD / "chats.jsonl").read_text("utf-8").splitlines()
    assert evaluation.overall.questions == len([line for line in lines if line.strip()]) >= 150
    assert evaluation.follow_ups.questions == len([line for line in chats if line.strip()]) >= 15
