from pathlib import Path

import pytest

from rag.errors import CorpusError
from rag.spans import Answer
from rag.suggest import Suggestions, questions_beside, read_questions
from tests.page_parts import DIRIGE, LEADS, TRAPPED, found, refused

ANSWERS = {
    "Who leads it?": found(LEADS),
    "Who is the head?": found(LEADS),
    "What is hostile?": found(TRAPPED, LEADS),
    "What else?": found(TRAPPED, confidence=0.7),
    "Who knows?": found(LEADS, confidence=0.69),
    "Why?": refused("too_uncertain"),
    "Qui dirige ?": found(DIRIGE, language="fr"),
}


class Known:
    def ask(self, question: str) -> Answer:
        return ANSWERS[question]


@pytest.fixture
def suggestions() -> Suggestions:
    checked = Suggestions()
    checked.check(Known(), list(ANSWERS))
    return checked


def test_examples_are_answered_well_and_one_of_each_other_language_follows(suggestions: Suggestions) -> None:
    assert suggestions.examples("en", 5) == ("Who leads it?", "What is hostile?", "Qui dirige ?")
    assert suggestions.examples("en", 2) == ("Who leads it?", "Qui dirige ?")
    assert suggestions.examples("it", 5) == ("Who leads it?", "Qui dirige ?")
    assert Suggestions().examples("en", 5) == ()


def test_what_follows_is_about_the_same_documents_and_was_not_asked(suggestions: Suggestions) -> None:
    assert suggestions.after(found(LEADS), ["who leads it"], 3) == ("What is hostile?",)
    assert suggestions.after(found(LEADS), ["What is hostile?!"], 3) == ()
    assert suggestions.after(found(TRAPPED), ["what is hostile"], 3) == ()
    assert suggestions.after(found(DIRIGE, language="en"), [], 3) == ()
    assert suggestions.after(found(LEADS, language="fr"), [], 3) == ()


def test_the_best_documents_questions_come_first() -> None:
    checked = Suggestions()
    checked.check(Known(), ["What is hostile?", "Who leads it?"])
    assert checked.after(found(DIRIGE, LEADS, language="en"), [], 3) == ("What is hostile?",)


def test_waiting_ends_when_all_were_asked_or_asking_failed() -> None:
    failing = Suggestions()
    with pytest.raises(KeyError):
        failing.check(Known(), ["Who leads it?", "unknown"])
    failing.wait(60)
    assert failing.examples("en", 5) == ("Who leads it?",)


def test_questions_are_read_one_a_line(tmp_path: Path) -> None:
    path = questions_beside(tmp_path / "texts")
    assert path.name == "texts.questions.txt"
    assert read_questions(path) == ()
    path.write_text("\ufeff# to begin with\n\n  Who   leads it?\r\nWhy?\n" + "a" * 201 + "\n", encoding="utf-8")
    assert read_questions(path) == ("Who leads it?", "Why?")
    path.write_bytes(b"\xff")
    with pytest.raises(CorpusError, match="save them as UTF-8"):
        read_questions(path)
