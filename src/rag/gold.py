"""Files of gold questions and chats -> questions with the wordings that count as right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import GoldError
from rag.metrics import contains
from rag.spans import Span


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question with the wordings that count as right and the ids of the documents that hold one.

    No `answers` means that the documents do not answer it. `history` holds the earlier turns of a chat.
    """

    id: str
    language: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    kind: str = ""
    history: tuple[tuple[str, str], ...] = ()

    @property
    def answerable(self) -> bool:
        """Tell whether the documents answer the question."""
        return bool(self.answers)

    def supported_by(self, span: Span) -> bool:
        """Tell whether the span lies in a source document and contains an accepted wording."""
        return span.document.id in self.sources and any(contains(span.text, wording) for wording in self.answers)


def read_gold(path: Path) -> tuple[GoldQuestion, ...]:
    """Read a file of gold questions, one JSON object a line; blank lines are skipped.

    Raises GoldError, with the file and the line, when it cannot be read as that.
    """
    return _distinct([(row, _gold_question(row)) for row in _rows(path)])


def read_chats(path: Path) -> tuple[GoldQuestion, ...]:
    """Read a file of chats, one JSON object a line, as their last questions with the earlier turns as history.

    The answer of an earlier turn is its first accepted wording, or empty when the documents do not answer it. Raises
    GoldError, with the file and the line, when it cannot be read as that.
    """
    return _distinct([(row, _chat(row)) for row in _rows(path)])


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a JSON Lines file, which knows where it is when something is wrong with it."""

    path: Path
    number: int
    values: Mapping[str, Any]

    def mistake(self, what: str) -> GoldError:
        return GoldError(f"{self.path}, line {self.number}: {what}")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.mistake(f'"{name}" must be a text that is not blank')
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            raise self.mistake(f'"{name}" must be a list of texts that are not blank')
        return tuple(value)

    def turns(self) -> "list[_Row]":
        value = self.values.get("turns")
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(turn, dict) for turn in value):
            raise self.mistake('"turns" must be a list of at least two objects, a question and its follow-up')
        return [_Row(self.path, self.number, turn) for turn in value]


def _rows(path: Path) -> list[_Row]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise GoldError(f"{path} cannot be read ({error.strerror}): give the path of a JSON Lines file") from error
    except UnicodeDecodeError as error:
        raise GoldError(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise GoldError(f"{path} is empty: write one JSON object a line")
    return rows


def _row(path: Path, number: int, line: str) -> _Row:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise GoldError(f"{path}, line {number} is not JSON ({error}): write one JSON object a line") from error
    if not isinstance(values, dict):
        raise GoldError(f"{path}, line {number} is not a JSON object: write one JSON object a line")
    return _Row(path, number, values)


def _answers_and_sources(row: _Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    answers, sources = row.texts("answers"), row.texts("sources")
    if unmatchable := [wording for wording in answers if not contains(wording, wording)]:
        raise row.mistake(f'the accepted wording "{unmatchable[0]}" has no letter or digit: mend or remove it')
    if answers and not sources:
        raise row.mistake('a question with "answers" must name the documents that give them in "sources"')
    return answers, sources


def _gold_question(row: _Row) -> GoldQuestion:
    answers, sources = _answers_and_sources(row)
    kind = row.text("kind") if "kind" in row.values else ""
    return GoldQuestion(row.text("id"), row.text("lang"), row.text("question"), answers, sources, kind)


def _chat(row: _Row) -> GoldQuestion:
    *earlier, last = row.turns()
    history = tuple((turn.text("question"), next(iter(turn.texts("answers")), "")) for turn in earlier)
    answers, sources = _answers_and_sources(last)
    return GoldQuestion(row.text("id"), row.text("lang"), last.text("question"), answers, sources, "follow-up", history)


def _distinct(read: Sequence[tuple[_Row, GoldQuestion]]) -> tuple[GoldQuestion, ...]:
    lines: dict[str, int] = {}
    for row, gold in read:
        if gold.id in lines:
            raise row.mistake(f'the id "{gold.id}" is also that of line {lines[gold.id]}: make it unique')
        lines[gold.id] = row.number
    return tuple(gold for _, gold in read)
