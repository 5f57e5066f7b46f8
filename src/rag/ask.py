"""Answers questions about an index: search, read, decide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.decide import Decision, Weights, decide, weigh
from rag.encode import Encoder, open_encoder
from rag.errors import EncoderError
from rag.index import Index, open_index
from rag.language import question_language
from rag.read import Reader, open_reader
from rag.search import Found, search
from rag.spans import Answer, Document

MOST_CHARACTERS = 2_000
PASSAGES = 8
# A question of this many words or fewer may lean on the turns before it.
MOST_DEPENDENT_WORDS = 8
TURNS = 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One reading of the question, alone or in the light of the turns before it."""

    found: tuple[Found, ...]
    decision: Decision


class Assistant:
    """Answers in the words of the documents of one index; safe to share between threads that only ask."""

    def __init__(self, index: Index, encoder: Encoder, reader: Reader, weights: Weights) -> None:
        self._index, self._encoder, self._reader, self._weights = index, encoder, reader, weights

    @classmethod
    def open(cls, index: Path | str = "index") -> "Assistant":
        """Open an index with the encoder that made it.

        Raises IndexDirectoryError when the index is missing or damaged, EncoderError when its encoder is not to be had
        or has changed since.
        """
        opened = open_index(index)
        encoder = open_encoder(opened.encoder_name, asking=True)
        if encoder.fingerprint != opened.encoder_fingerprint:
            raise EncoderError(
                f"the encoder {opened.encoder_name!r} has changed since the index in {index} was made;"
                " make the index again with `rag build`"
            )
        return cls(opened, encoder, open_reader(encoder), Weights.load())

    @property
    def documents(self) -> tuple[Document, ...]:
        """Return the documents of the index, by id."""
        return self._index.documents

    @property
    def description(self) -> dict[str, object]:
        """Return what the index is made of, by name."""
        return {
            "documents": len(self._index.documents),
            "passages": len(self._index.passages),
            "languages": ", ".join(self._index.languages),
            "encoder": self._index.encoder_name,
            "dimensions": self._index.vectors.dimensions,
            "built": self._index.built,
        }

    def ask(
        self,
        question: str,
        history: Sequence[tuple[str, str]] = (),
        *,
        language: str | None = None,
        documents: Sequence[str] | None = None,
        threshold: float | None = None,
    ) -> Answer:
        """Answer a question; any string has an Answer, if only one that says why there is none.

        `history` holds earlier (question, answer text) turns, the latest last; a short question is also read in their
        light, and the better supported reading wins. `language` is an ISO 639-1 code, by default recognised.
        `documents` are the ids to search among. `threshold` is the least confidence that is answered, 0 to 1: by
        default the fitted one; 0 always answers.
        """
        asked = " ".join(_CONTROL.sub(" ", question[: MOST_CHARACTERS + 1]).split())
        spoken = language or question_language(asked)
        if not any(map(str.isalnum, asked)) or len(question) > MOST_CHARACTERS:
            return Answer(question, spoken, (), 0.0, "not_a_question")
        attempts = [self._attempt(asked, asked, spoken, documents, threshold)]
        context = _context(asked, history)
        if context:
            attempts.append(self._attempt(asked, context, spoken, documents, threshold))
        best = max(attempts, key=lambda attempt: attempt.decision.confidence)
        decision = best.decision
        passages = tuple(found.hit for found in best.found)
        return Answer(question, spoken, decision.citations, decision.confidence, decision.reason, passages)

    def _attempt(
        self, asked: str, wording: str, language: str, documents: Sequence[str] | None, threshold: float | None
    ) -> _Attempt:
        query = self._encoder.encode_questions([wording])[0]
        found = search(
            self._index.passages,
            self._index.vectors,
            self._index.lexical,
            question=wording,
            query=query,
            languages=list(dict.fromkeys([language, *self._index.languages])),
            k=PASSAGES,
            allowed=None if documents is None else self._index.passages.within(documents),
        )
        readings = self._reader.read(wording, query, found)
        if not readings:
            return _Attempt(tuple(found), Decision((), 0.0, "nothing_relevant"))
        case = weigh(wording, language, readings, self._index.lexical, self._weights)
        return _Attempt(tuple(found), decide(case, language, self._weights, threshold=threshold))


def _context(asked: str, history: Sequence[tuple[str, str]]) -> str:
    """Return the question with the last turns before it; empty where it is too long to lean on them."""
    turns = [text for turn in history[-TURNS:] for text in turn if text.strip()]
    if not turns or len(asked.split()) > MOST_DEPENDENT_WORDS:
        return ""
    said = " ".join(" ".join(_CONTROL.sub(" ", text).split()[:30]) for text in turns)
    return f"{said} {asked}"[-MOST_CHARACTERS:]
