"""Answers questions about an index: search, read, decide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.decide import Decision, Weights, decide, weigh
from rag.encode import Encoder, open_encoder
from rag.errors import EncoderError
from rag.expect import bare
from rag.index import Index, open_index
from rag.language import question_language
from rag.lexical import terms
from rag.read import Reader, open_reader
from rag.search import Found, search
from rag.spans import Answer, Document, Hit

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

        `history` holds earlier (question, answer text) turns, the latest last; a question that leans on them is also
        read in their light, and the better supported reading wins. `language` is an ISO 639-1 code, by default
        recognised. `documents` are the ids to search among. `threshold` is the least confidence that is answered, 0 to
        1: by default the fitted one; 0 always answers.
        """
        asked = " ".join(_CONTROL.sub(" ", question[: MOST_CHARACTERS + 1]).split())
        spoken = language or question_language(asked)
        if not any(map(str.isalnum, asked)) or len(question) > MOST_CHARACTERS:
            return Answer(question, spoken, (), 0.0, "not_a_question")
        attempts = [self._attempt(asked, spoken, documents, threshold)]
        context = _context(asked, history, spoken)
        if context:
            attempts.append(self._attempt(context, spoken, documents, threshold))
        best = max(attempts, key=lambda attempt: attempt.decision.confidence)
        decision = best.decision
        passages = tuple(found.hit for found in best.found)
        return Answer(question, spoken, decision.citations, decision.confidence, decision.reason, passages)

    def _attempt(
        self, wording: str, language: str, documents: Sequence[str] | None, threshold: float | None
    ) -> _Attempt:
        query = self._encoder.encode_questions([wording])[0]
        found = self._search(wording, query, language, documents, PASSAGES)
        at_home = [
            d.id for d in self._index.documents if d.language == language and (documents is None or d.id in documents)
        ]
        if 0 < len(at_home) < len(self._index.documents):
            # The reader of a question should be quoted its own language where a document says so in it.
            known = {passage.row for passage in found}
            more = self._search(wording, query, language, at_home, PASSAGES_AT_HOME)
            # They come after the others: scores of a search among fewer passages are not comparable.
            last = found[-1].hit.score
            found += [replace(p, hit=Hit(p.hit.span, min(p.hit.score, last))) for p in more if p.row not in known]
        readings = self._reader.read(wording, query, found)
        if not readings:
            return _Attempt(tuple(found), Decision((), 0.0, "nothing_relevant"))
        case = weigh(wording, language, readings, self._index.lexical, self._weights)
        return _Attempt(tuple(found), decide(case, language, self._weights, threshold=threshold))

    def _search(
        self, wording: str, query: NDArray[np.float32], language: str, documents: Sequence[str] | None, k: int
    ) -> list[Found]:
        return search(
            self._index.passages,
            self._index.vectors,
            self._index.lexical,
            question=wording,
            query=query,
            languages=list(dict.fromkeys([language, *self._index.languages])),
            k=k,
            allowed=None if documents is None else self._index.passages.within(documents),
        )


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
