"""What programs send and what they get: requests read strictly from JSON values, and documents as JSON values."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from rag.errors import RagError
from rag.spans import Document, Hit

if TYPE_CHECKING:
    from rag.ask import Assistant
    from rag.spans import Answer

QUESTION_LIMIT = 2_000  # characters
ANSWER_LIMIT = 10_000  # characters of an earlier answer
HISTORY_LIMIT = 20  # turns that a question takes along
DOCUMENTS_LIMIT = 1_000  # documents to search among
PASSAGES, PASSAGES_LIMIT = 8, 50  # passages of a search, when not said and at most
OPEN_LIMIT, AROUND = 20_000, 300  # code points that are opened at most, and around a place when not said
POSITION_LIMIT = 9_999_999_999
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question to answer, with all that `Assistant.ask` takes."""

    question: str
    history: tuple[tuple[str, str], ...] = ()
    language: str | None = None
    documents: tuple[str, ...] | None = None
    threshold: float | None = None

    @classmethod
    def read(cls, values: object) -> "AskRequest":
        """Read the request from JSON values; raises RagError at the first thing that is wrong with them."""
        fields = _fields(values, ("question", "history", "language", "documents", "threshold"))
        return cls(
            _question(fields),
            read_history(fields.get("history")),
            _language(fields.get("language")),
            _documents(fields.get("documents")),
            _threshold(fields.get("threshold")),
        )

    def put_to(self, assistant: "Assistant") -> "Answer":
        """Return the assistant's answer; raises RagError when the index has not the documents to search among."""
        assistant.renew()
        _check_known(self.documents, assistant)
        return assistant.ask(
            self.question,
            self.history,
            language=self.language,
            documents=self.documents,
            threshold=self.threshold,
        )


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A question to find passages for, with all that `Assistant.search` takes."""

    question: str
    language: str | None = None
    documents: tuple[str, ...] | None = None
    limit: int = PASSAGES

    @classmethod
    def read(cls, values: object) -> "SearchRequest":
        """Read the request from JSON values; raises RagError at the first thing that is wrong with them."""
        fields = _fields(values, ("question", "language", "documents", "limit"))
        limit = fields.get("limit")
        return cls(
            _question(fields),
            _language(fields.get("language")),
            _documents(fields.get("documents")),
            PASSAGES if limit is None else whole_number(limit, "limit", least=1, most=PASSAGES_LIMIT),
        )

    def put_to(self, assistant: "Assistant") -> dict[str, Any]:
        """Return what the assistant finds as JSON values; raises RagError when the index has not the documents."""
        assistant.renew()
        _check_known(self.documents, assistant)
        hits = assistant.search(self.question, language=self.language, documents=self.documents, limit=self.limit)
        return {"question": self.question, "passages": [passage_entry(hit) for hit in hits]}


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A place in a document to read, with the code points around it."""

    document: str
    start: int = 0
    end: int | None = None
    around: int = AROUND

    @classmethod
    def read(cls, values: object) -> "OpenRequest":
        """Read the request from JSON values; raises RagError at the first thing that is wrong with them."""
        fields = _fields(values, ("document", "start", "end", "around"))
        if "document" not in fields:
            raise RagError('the request has no "document": give the id of one as a string')
        document = _text(fields["document"], "document", QUESTION_LIMIT)
        start, end, around = (
            None if fields.get(name) is None else whole_number(fields[name], name, least=0, most=most)
            for name, most in (("start", POSITION_LIMIT), ("end", POSITION_LIMIT), ("around", OPEN_LIMIT))
        )
        return cls(document, start or 0, end, AROUND if around is None else around)

    def put_to(self, assistant: "Assistant") -> dict[str, Any]:
        """Return the excerpt as JSON values; raises RagError when there is no such place, or it is too long to read."""
        assistant.renew()
        _check_known([self.document], assistant)
        document = next(each for each in assistant.documents if each.id == self.document)
        length = len(document.text)
        place = excerpt_entry(document, self.start, self.end)
        excerpt = excerpt_entry(
            document, max(place["start"] - self.around, 0), min(place["end"] + self.around, length) or None
        )
        if len(excerpt["text"]) > OPEN_LIMIT:
            raise RagError(
                f"the place is {len(excerpt['text'])} characters long and the limit is {OPEN_LIMIT}: "
                f'give a "start" and an "end" (of {length}) that lie nearer to each other'
            )
        return excerpt


def document_entry(document: Document) -> dict[str, Any]:
    """Return what there is to know about a document, but for its text, as JSON values."""
    return {
        "document": document.id,
        "title": document.title,
        "language": document.language,
        "date": document.date,
        "url": document.url,
        "length": len(document.text),
    }


def passage_entry(hit: Hit) -> dict[str, Any]:
    """Return a passage that a search found as JSON values: the place that an answer names, and its text."""
    span = hit.span
    return {
        "document": span.document.id,
        "title": span.document.title,
        "language": span.document.language,
        "page": span.page,
        "heading": span.heading,
        "start": span.start,
        "end": span.end,
        "text": span.text,
        "score": round(hit.score, 4),
    }


def excerpt_entry(document: Document, start: int = 0, end: int | None = None) -> dict[str, Any]:
    """Return a document's text, or the code points from `start` up to `end`, with what there is to know about it.

    An `end` beyond the document is the document's. Raises RagError when nothing lies between the two.
    """
    length = len(document.text)
    last = length if end is None else min(end, length)
    if not 0 <= start < last and (start, last) != (0, length):
        raise RagError(
            f'"start" {start} and "end" {last} enclose nothing of the {length} characters of "{document.id}": '
            f"give 0 <= start < end <= {length}"
        )
    return {**document_entry(document), "start": start, "end": last, "text": document.text[start:last]}


def encodable(text: str) -> str:
    """Return the text with `?` for half of a surrogate pair, which JSON can bring in and UTF-8 cannot take out."""
    return text.encode("utf-8", "replace").decode("utf-8")


def whole_number(value: object, name: str, *, least: int, most: int) -> int:
    """Return a number of the request; raises RagError when it is none, or not from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RagError(f'"{name}" must be a whole number from {least} to {most}')
    return value


def _fields(values: object, known: Collection[str]) -> Mapping[str, object]:
    if not isinstance(values, Mapping):
        raise RagError(f"the request must be a JSON object with {_listed(known)}")
    for name in values:
        if name not in known:
            raise RagError(f'the request has a field "{_short(name)}" that means nothing here: give {_listed(known)}')
    return values


def _question(fields: Mapping[str, object]) -> str:
    if "question" not in fields:
        raise RagError('the request has no "question": give one as a string')
    return _text(fields["question"], "question", QUESTION_LIMIT)


def _text(value: object, name: str, limit: int) -> str:
    if not isinstance(value, str):
        raise RagError(f'"{name}" must be a string')
    if len(value) > limit:
        raise RagError(f'"{name}" has {len(value)} characters and the limit is {limit}: shorten it')
    return value


def read_history(value: object) -> tuple[tuple[str, str], ...]:
    """Return the turns of a JSON value, none for null; raises RagError when they are not pairs of strings."""
    if value is None:
        return ()
    if not _is_list(value):
        raise RagError('"history" must be a list of earlier [question, answer] turns, the latest last')
    if len(value) > HISTORY_LIMIT:
        raise RagError(f'"history" has {len(value)} turns and the limit is {HISTORY_LIMIT}: send only the latest')
    return tuple(_turn(turn) for turn in value)


def _turn(value: object) -> tuple[str, str]:
    if _is_list(value) and len(value) == 2:
        return _text(value[0], "a question of history", QUESTION_LIMIT), _text(
            value[1], "an answer of history", ANSWER_LIMIT
        )
    raise RagError('a turn of "history" is not two strings: give each as [question, answer]')


def _language(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise RagError('"language" must be an ISO 639 code in small letters, such as "en"')
    return value


def _documents(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not _is_list(value) or not all(isinstance(each, str) for each in value):
        raise RagError('"documents" must be a list of document ids, each a string')
    if len(value) > DOCUMENTS_LIMIT:
        raise RagError(
            f'"documents" has {len(value)} ids and the limit is {DOCUMENTS_LIMIT}: leave it out to search all'
        )
    return tuple(value)


def _threshold(value: object) -> float | None:
    if value is None:
        return None
    # A number that is not finite lies between no two numbers.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RagError('"threshold" must be a number from 0 to 1')
    return float(value)


def _check_known(documents: Sequence[str] | None, assistant: "Assistant") -> None:
    known = {document.id for document in assistant.documents} if documents else set()
    for each in documents or ():
        if each not in known:
            raise RagError(f'the index has no document "{_short(each)}": ask for the list of documents')


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _listed(names: Collection[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _short(name: object) -> str:
    """Return a name that a message can repeat: on one line, and cut when it is long."""
    text = " ".join(encodable(str(name)).split())
    return text if len(text) <= 80 else text[:79] + "…"
