"""Answers questions about an index: search, read, decide."""

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.cascade import first_look, with_second_look
from rag.corroborate import Asked, corroborate
from rag.decide import Case, Decision, Weights, decide, weigh
from rag.encode import Encoder, open_encoder
from rag.errors import EncoderError, RagError
from rag.explain import Trace
from rag.history import TURNS, Lean, in_context, leans
from rag.index import Index, open_index
from rag.intent import asks_nothing
from rag.language import LANGUAGES, question_language
from rag.names import unmentioned
from rag.read import AnswerVectors, Reader, Reading, open_reader, stated, telling
from rag.same import said, same
from rag.search import Found, search, search_at_home
from rag.spans import Answer, Citation, Document, Hit

_log = logging.getLogger(__name__)

MOST_CHARACTERS = 2_000
# What is found for an answer, best first, and how much of it is read, one in the question's language among it. More put
# the right sentence first no more often, on held-back questions and on those about news (see training/README.md), and
# take longer.
PASSAGES = 5
PASSAGES_AT_HOME = 1
READ = 4
# What a search without reading lists, when not said.
LISTED = 8
# How much less sure the reading in the light of the turns before may be than the question alone, and still win: a
# question that plainly leans on them is seldom meant alone, one that only may lean is.
_FAVOUR: dict[Lean, float] = {"plainly": 0.15, "perhaps": 0.0, "no": 0.0}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """What one question is asked of, from its beginning to its end."""

    index: Index
    encoder: Encoder
    reader: Reader
    answers: AnswerVectors

    @classmethod
    def of(cls, folder: Path | str, before: "_Opened | None" = None) -> "_Opened":
        index = open_index(folder)
        if before is not None and before.encoder.fingerprint == index.encoder_fingerprint:
            return cls(index, before.encoder, before.reader, before.answers)
        encoder = open_encoder(index.encoder_name, asking=True)
        if encoder.fingerprint != index.encoder_fingerprint:
            raise EncoderError(
                f"the encoder {index.encoder_name!r} has changed since the index in {folder} was made;"
                " make the index again with `rag build`"
            )
        return cls(index, encoder, with_second_look(open_reader()), AnswerVectors(encoder))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One reading of the question, alone or in the light of the turns before it."""

    wording: str
    query: NDArray[np.float32]
    found: tuple[Found, ...]
    case: Case | None
    decision: Decision
    unmentioned: tuple[str, ...]


class Assistant:
    """Answers in the words of the documents of one index; safe to share between threads that only ask."""

    def __init__(self, index: Index, encoder: Encoder, reader: Reader, weights: Weights) -> None:
        self._opened, self._weights = _Opened(index, encoder, reader, AnswerVectors(encoder)), weights
        self._renewing = threading.Lock()
        self._refused: tuple[int, ...] = ()

    @classmethod
    def open(cls, index: Path | str = "index") -> "Assistant":
        """Open an index with the encoder that made it.

        Raises IndexDirectoryError when the index is missing or damaged, EncoderError when its encoder is not to be had
        or has changed since.
        """
        opened = _Opened.of(index)
        return cls(opened.index, opened.encoder, opened.reader, Weights.load())

    def renew(self) -> bool:
        """Take up the index that a build has put in place since, and tell whether there was one; cheap where not.

        Questions that are being answered go on with the index they began with. An index that cannot be opened is
        logged once and left alone: the one at hand stays whole and goes on answering.
        """
        opened = self._opened
        if opened.index.is_current or not self._renewing.acquire(blocking=False):
            return False
        try:
            stamp = opened.index.stamp_now
            if stamp == self._refused:
                return False
            try:
                self._opened = _Opened.of(opened.index.folder, opened)
            except RagError as error:
                self._refused = stamp
                _log.warning("%s; the index opened before goes on answering", error)
                return False
            return True
        finally:
            self._renewing.release()

    def over(self, index: Path | str) -> "Assistant":
        """Return an assistant over another index that was made with the same encoder, sharing the models in memory."""
        opened = self._opened
        return Assistant(open_index(index), opened.encoder, opened.reader, self._weights)

    @property
    def encoder(self) -> Encoder:
        """Return the encoder of the index."""
        return self._opened.encoder

    @property
    def documents(self) -> Sequence[Document]:
        """Return the documents of the index, by id."""
        return self._opened.index.documents

    @property
    def description(self) -> dict[str, object]:
        """Return what the index is made of, by name."""
        index = self._opened.index
        return {
            "documents": len(index.documents),
            "passages": len(index.passages),
            "languages": ", ".join(index.languages),
            "encoder": index.encoder_name,
            "dimensions": index.engine.dimensions,
            "built": index.built,
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

        `history` holds earlier (question, answer text) turns, the latest last; a question that leans on them is also
        read in their light, and the better supported reading wins. `language` is an ISO 639-1 code, by default
        recognised. `documents` are the ids to search among. `threshold` is the least confidence that is answered, 0 to
        1: by default the fitted one; 0 always answers.
        """
        asked = " ".join(_CONTROL.sub(" ", question[: MOST_CHARACTERS + 1]).split())
        spoken = language or question_language(asked)
        if not any(map(str.isalnum, asked)) or len(question) > MOST_CHARACTERS or asks_nothing(asked):
            return Answer(question, spoken, (), 0.0, "not_a_question")
        opened = self._opened
        alone = best = self._attempt(opened, asked, asked, spoken, documents, threshold)
        attempts = [alone]
        turns = [(_plain(before), _plain(then)) for before, then in history[-TURNS:]]
        lean = leans(asked, spoken) if turns else "no"
        context = in_context(asked, turns, spoken) if lean != "no" else ""
        if context:
            answered = [then for _, then in turns if then]
            light = self._attempt(opened, asked, context, spoken, documents, threshold, answered=answered)
            attempts.append(light)
            if light.decision.confidence + _FAVOUR[lean] > alone.decision.confidence:
                best = light
        decision = best.decision
        more, where = self._further(opened, best, spoken, documents)
        found = [passage.hit for passage in best.found]
        places = {(hit.span.document.id, hit.span.start) for hit in found}
        return Answer(
            question,
            spoken,
            (*decision.citations, *more),
            decision.confidence,
            decision.reason,
            (*found, *(hit for hit in where if (hit.span.document.id, hit.span.start) not in places)),
            decision.others,
            best.unmentioned,
            self._trace(best, more, attempts, spoken, threshold),
        )

    def _further(
        self, opened: _Opened, best: _Attempt, language: str, documents: Sequence[str] | None
    ) -> tuple[tuple[Citation, ...], tuple[Hit, ...]]:
        index = opened.index
        if best.case is None:
            return (), ()
        return corroborate(
            Asked(best.wording, language, best.query, _languages(language, index)),
            best.decision,
            best.case,
            index.collection,
            first_look(opened.reader),
            self._weights,
            known=worth_reading(best.found, language),
            answers=opened.answers,
            selection=None if documents is None else index.passages.within(documents),
        )

    def _trace(
        self,
        best: _Attempt,
        more: tuple[Citation, ...],
        attempts: Sequence[_Attempt],
        language: str,
        threshold: float | None,
    ) -> Trace:
        tried = tuple((attempt.wording, attempt.decision.confidence) for attempt in attempts)
        least = self._weights.threshold if threshold is None else threshold
        return Trace(best.wording, language, tried, best.found, best.case, best.decision, self._weights, least, more)

    def search(
        self,
        question: str,
        *,
        language: str | None = None,
        documents: Sequence[str] | None = None,
        limit: int = LISTED,
    ) -> tuple[Hit, ...]:
        """Return the `limit` passages that fit a question best, best first, without reading an answer from them.

        Text without a letter or a digit has none, and neither has one that is too long. `language` and `documents` are
        those of `ask`.
        """
        asked = " ".join(_CONTROL.sub(" ", question[: MOST_CHARACTERS + 1]).split())
        if not any(map(str.isalnum, asked)) or len(question) > MOST_CHARACTERS:
            return ()
        spoken = language or question_language(asked)
        opened = self._opened
        index, encoder = opened.index, opened.encoder
        selection = None if documents is None else index.passages.within(documents)
        query = encoder.encode_questions([asked])[0]
        found = search(
            index.collection,
            question=asked,
            query=query,
            languages=_languages(spoken, index),
            k=limit,
            selection=selection,
        )
        return tuple(passage.hit for passage in found)

    def _attempt(
        self,
        opened: _Opened,
        asked: str,
        wording: str,
        language: str,
        documents: Sequence[str] | None,
        threshold: float | None,
        *,
        answered: Sequence[str] = (),
    ) -> _Attempt:
        """Search for and read the `wording` of a question, whose own names, as `asked`, are looked for."""
        index = opened.index
        query = opened.encoder.encode_questions([wording])[0]
        anywhere = None if documents is None else index.passages.within(documents)
        found = search_at_home(
            index.collection,
            question=wording,
            query=query,
            languages=_languages(language, index),
            k=PASSAGES,
            home=index.passages.within(documents, language=language),
            k_home=PASSAGES_AT_HOME,
            selection=anywhere,
        )
        read = opened.reader.read(wording, query, worth_reading(found, language))
        readings = _new(telling(wording, language, stated(wording, read)), answered)
        texts = [passage.hit.span.text for passage in found]
        lacking = unmentioned(asked, _languages(language, index), index.engine.weight, texts)
        if not readings:
            return _Attempt(wording, query, tuple(found), None, Decision((), 0.0, "nothing_relevant"), lacking)
        case = weigh(
            wording, language, readings, index.engine, self._weights, answers=opened.answers, unmentioned=lacking
        )
        decision = decide(case, self._weights, threshold=threshold)
        return _Attempt(wording, query, tuple(found), case, decision, lacking)


def worth_reading(found: Sequence[Found], language: str) -> list[Found]:
    """Return the `READ` best of the passages, the last of which is the best in a language if none before it is."""
    best, rest = found[:READ], found[READ:]
    if any(passage.hit.span.document.language == language for passage in best):
        return list(best)
    at_home = [passage for passage in rest if passage.hit.span.document.language == language][:1]
    return [*best[: READ - len(at_home)], *at_home]


def _languages(spoken: str, index: Index) -> list[str]:
    """Return the question's language and then the corpus's."""
    return list(dict.fromkeys([spoken, *index.languages]))


def _plain(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text[:MOST_CHARACTERS]).split())


def _new(readings: list[Reading], answered: Sequence[str]) -> list[Reading]:
    """Leave out what was answered before, where something else is left: a follow-up asks for something new."""
    if not answered:
        return readings
    # What was answered may have been quoted from a document in another language: "a marzo 2026" is "March", too.
    before = [said(text, language) for text in answered for language in LANGUAGES]
    kept = []
    for reading in readings:
        says = said(reading.answer.text, reading.answer.document.language)
        if not any(same(says, then) for then in before):
            kept.append(reading)
    return kept or readings
