"""Questions to begin with and to go on with: only those that the index answers well."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag.errors import CorpusError
from rag.spans import Answer

MOST_QUESTIONS = 200
MOST_CHARACTERS = 200
_WELL = ("high", "good")


class Asks(Protocol):
    """Something that answers questions."""

    def ask(self, question: str) -> Answer:
        """Answer the question."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    """A question that was answered well: its language, the answer, and the documents that give it, the best first."""

    question: str
    language: str
    text: str
    documents: tuple[str, ...]


class Suggestions:
    """Questions of people who know the documents, each asked once and kept only where it is answered well."""

    def __init__(self) -> None:
        self._known: list[_Known] = []
        self._checked = threading.Event()

    def check(self, assistant: Asks, questions: Sequence[str]) -> None:
        """Ask each question and keep those whose answer's level is high or good; they are offered as they come."""
        try:
            for question in questions[:MOST_QUESTIONS]:
                answer = assistant.ask(question)
                if answer.level in _WELL:
                    documents = tuple(dict.fromkeys(each.answer.document.id for each in answer.citations))
                    self._known.append(_Known(question, answer.language, answer.text, documents))
        finally:
            self._checked.set()

    def wait(self, seconds: float) -> None:
        """Wait until the questions have been asked, at most so many seconds."""
        self._checked.wait(seconds)

    def examples(self, language: str, most: int) -> tuple[str, ...]:
        """Return questions in a reader's language, then one of each other language, at most so many.

        No two of them in the reader's language have the same answer.
        """
        at_home: dict[str, str] = {}
        abroad: dict[str, str] = {}
        for known in tuple(self._known):
            if known.language == language:
                at_home.setdefault(known.text, known.question)
            else:
                abroad.setdefault(known.language, known.question)
        return (*list(at_home.values())[: max(1, most - len(abroad))], *abroad.values())[:most]

    def after(self, answer: Answer, asked: Collection[str], most: int) -> tuple[str, ...]:
        """Return questions that can follow an answer: in its question's language, about the documents it quotes.

        Those on its first document come first. None is among those `asked` before, or has an answer that it gives.
        """
        quoted = [citation.answer.document.id for citation in answer.citations]
        given = {citation.answer.text.casefold() for citation in answer.citations}
        before = {_bare(question) for question in asked}
        fitting = [
            known
            for known in tuple(self._known)
            if known.language == answer.language
            and set(known.documents) & set(quoted)
            and known.text.casefold() not in given
            and _bare(known.question) not in before
        ]
        fitting.sort(key=lambda known: quoted[0] not in known.documents)
        return tuple(known.question for known in fitting[:most])


def read_questions(path: Path) -> tuple[str, ...]:
    """Return the questions of a file, one a line; blank lines and those that begin with # are passed over.

    A file that is not there holds none. Raises CorpusError when it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"the questions in {path} cannot be read ({error}): save them as UTF-8") from error
    questions = (" ".join(line.split()) for line in lines)
    return tuple(each for each in questions if each and not each.startswith("#") and len(each) <= MOST_CHARACTERS)


def questions_beside(corpus: Path) -> Path:
    """Return where a corpus's questions lie: beside its folder, under its name.

    >>> questions_beside(Path("texts/seeds")).as_posix()
    'texts/seeds.questions.txt'
    """
    return corpus.with_name(f"{corpus.name}.questions.txt")


def _bare(question: str) -> str:
    return "".join(filter(str.isalnum, question.casefold()))
