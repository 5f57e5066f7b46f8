"""Answers questions about an index: search, read, decide."""

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.decide import Case, Decision, Weights, decide, weigh
from rag.encode import Encoder, open_encoder
from rag.errors import EncoderError, RagError
from rag.expect import bare
from rag.explain import Trace
from rag.index import Index, open_index
from rag.language import question_language
from rag.lexical import terms
from rag.read import Reader, SentenceVectors, open_reader
from rag.search import Found, search, search_at_home
from rag.spans import Answer, Document, Hit

_log = logging.getLogger(__name__)

MOST_CHARACTERS = 2_000
PASSAGES = 8
PASSAGES_AT_HOME = 3
TURNS = 2
MOST_WORDS_OF_A_QUESTION = 30
MOST_WORDS_OF_A_NAME = 8
# A question leans on the turns before it when it begins like one that goes on, points back with a pronoun, or names
# hardly anything itself; without accents, as people type them both ways.
_GOES_ON = {"en": "and but what_about how_about", "es": "y e pero que_hay", "fr": "et mais", "it": "e ed ma"}
_POINTS_BACK = {
    "en": "he she it they him her them his hers its their theirs this that these those there then",
    "es": "el_mismo ella ellos ellas su sus suyo suya eso esto ese esa aquel ahi alli entonces",
    "fr": "il elle ils elles lui leur leurs son sa ses celui celle ca cela ceci y",
    "it": "lui lei loro esso essa suo sua suoi sue questo questa quello quella ne ci",
}
_OWN_TERMS = 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """What one question is asked of, from its beginning to its end."""

    index: Index
    encoder: Encoder
    reader: Reader
    answers: SentenceVectors

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
        return cls(index, encoder, open_reader(encoder), SentenceVectors(encoder))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One reading of the question, alone or in the light of the turns before it."""

    wording: str
    found: tuple[Found, ...]
    case: Case | None
    decision: Decision


class Assistant:
    """Answers in the words of the documents of one index; safe to share between threads that only ask."""

    def __init__(self, index: Index, encoder: Encoder, reader: Reader, weights: Weights) -> None:
        self._opened, self._weights = _Opened(index, encoder, reader, SentenceVectors(encoder)), weights
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
        if not any(map(str.isalnum, asked)) or len(question) > MOST_CHARACTERS:
            return Answer(question, spoken, (), 0.0, "not_a_question")
        opened = self._opened
        attempts = [self._attempt(opened, asked, spoken, documents, threshold)]
        context = _context(asked, history, spoken)
        if context:
            attempts.append(self._attempt(opened, context, spoken, documents, threshold))
        best = max(attempts, key=lambda attempt: attempt.decision.confidence)
        decision = best.decision
        return Answer(
            question,
            spoken,
            decision.citations,
            decision.confidence,
            decision.reason,
            tuple(found.hit for found in best.found),
            decision.others,
            self._trace(best, attempts, spoken, threshold),
        )

    def _trace(self, best: _Attempt, attempts: Sequence[_Attempt], language: str, threshold: float | None) -> Trace:
        tried = tuple((attempt.wording, attempt.decision.confidence) for attempt in attempts)
        least = self._weights.threshold if threshold is None else threshold
        return Trace(best.wording, language, tried, best.found, best.case, best.decision, self._weights, least)

    def search(
        self,
        question: str,
        *,
        language: str | None = None,
        documents: Sequence[str] | None = None,
        limit: int = PASSAGES,
    ) -> tuple[Hit, ...]:
        """Return the `limit` passages that fit a question best, best first, without reading an answer from them.

        What is no question has none. `language` and `documents` are those of `ask`.
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
            index.passages,
            index.engine,
            question=asked,
            query=query,
            languages=_languages(spoken, index),
            k=limit,
            selection=selection,
        )
        return tuple(passage.hit for passage in found)

    def _attempt(
        self, opened: _Opened, wording: str, language: str, documents: Sequence[str] | None, threshold: float | None
    ) -> _Attempt:
        index = opened.index
        query = opened.encoder.encode_questions([wording])[0]
        anywhere = None if documents is None else index.passages.within(documents)
        found = search_at_home(
            index.passages,
            index.engine,
            question=wording,
            query=query,
            languages=_languages(language, index),
            k=PASSAGES,
            home=index.passages.within(documents, language=language),
            k_home=PASSAGES_AT_HOME,
            selection=anywhere,
        )
        readings = opened.reader.read(wording, query, found)
        if not readings:
            return _Attempt(wording, tuple(found), None, Decision((), 0.0, "nothing_relevant"))
        case = weigh(wording, language, readings, index.engine, self._weights, answers=opened.answers)
        decision = decide(case, language, self._weights, question=wording, threshold=threshold)
        return _Attempt(wording, tuple(found), case, decision)


def _languages(spoken: str, index: Index) -> list[str]:
    """Return the question's language and then the corpus's."""
    return list(dict.fromkeys([spoken, *index.languages]))


def leans(question: str, language: str) -> bool:
    """Tell whether a question needs the turns before it to be understood.

    >>> leans("And who directed it?", "en"), leans("Who directed House of David?", "en")
    (True, False)
    """
    words = bare(question).strip("¿¡ ").replace("-", " ").split()
    plain = [word.strip("?!.,;:¿¡") for word in words]
    begins = {plain[0], "_".join(plain[:2])} if plain else set()
    if begins & set(_GOES_ON.get(language, "").split()) or set(plain) & set(_POINTS_BACK.get(language, "").split()):
        return True
    return len(terms(question, language)) <= _OWN_TERMS


def _context(asked: str, history: Sequence[tuple[str, str]], language: str) -> str:
    """Return the question with the last turns before it; empty where it stands on its own."""
    if not leans(asked, language):
        return ""
    said = []
    for question, answer in history[-TURNS:]:
        said += _CONTROL.sub(" ", question).split()[:MOST_WORDS_OF_A_QUESTION]
        # A name answered is what "she" is now; a whole sentence answered would only be found again.
        words = _CONTROL.sub(" ", answer).split()
        said += words if len(words) <= MOST_WORDS_OF_A_NAME else []
    return " ".join([*said, asked])[-MOST_CHARACTERS:] if said else ""
