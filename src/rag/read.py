"""Reads passages: from what search found to narrower places that may answer the question."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.encode import Encoder
from rag.search import Found
from rag.sentences import sentences
from rag.spans import Document, Span

# As many sentence vectors as are kept between questions: 6 MB at 384 dimensions.
REMEMBERED = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A place that may answer: the words, the sentence around them, and what speaks for them.

    `score` is the reader's own, comparable within one question; `likeness` the cosine of question and sentence;
    `vector` the sentence's, of unit length; `found` the passage it was read in.
    """

    answer: Span
    sentence: Span
    score: float
    likeness: float
    vector: NDArray[np.float32]
    found: Found


class Reader(Protocol):
    """Passages to readings, in any order."""

    def read(self, question: str, query: NDArray[np.float32], found: Sequence[Found]) -> list[Reading]:
        """Return the places that may answer; `query` is the question's vector."""
        ...


class SentenceReader:
    """Takes whole sentences as answers, by the encoder's likeness of question and sentence."""

    def __init__(self, encoder: Encoder) -> None:
        self._vectors = SentenceVectors(encoder)

    def read(self, question: str, query: NDArray[np.float32], found: Sequence[Found]) -> list[Reading]:
        """Return every sentence of the passages once, in the best passage that holds it."""
        places: dict[tuple[str, int], tuple[Span, Found]] = {}
        for passage in found:
            for sentence in sentences_within(passage.hit.span):
                places.setdefault((sentence.document.id, sentence.start), (sentence, passage))
        spans = [sentence for sentence, _ in places.values()]
        vectors = self._vectors.of(spans)
        return [
            Reading(sentence, sentence, float(vector @ query), float(vector @ query), vector, passage)
            for (sentence, passage), vector in zip(places.values(), vectors, strict=True)
        ]


def open_reader(encoder: Encoder) -> Reader:
    """Return the reader that asking uses."""
    return SentenceReader(encoder)


class SentenceVectors:
    """The vectors of sentences, remembered between questions."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def of(self, spans: Sequence[Span]) -> NDArray[np.float32]:
        """Return a row for each span, (spans, dimensions)."""
        texts = [span.text for span in spans]
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        fresh = dict(zip(missing, self._encoder.encode_passages(missing), strict=True))
        rows = [fresh[text] if text in fresh else self._known[text] for text in texts]
        for text, row in zip(texts, rows, strict=True):
            self._known[text] = row
            self._known.move_to_end(text)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return np.stack(rows) if rows else np.empty((0, self._encoder.dimensions), np.float32)


def sentences_within(passage: Span) -> list[Span]:
    """Return the document's sentences that touch the passage, whole."""
    return [sentence for sentence in _sentences_of(passage.document) if sentence.overlaps(passage)]


@lru_cache(maxsize=256)
def _sentences_of(document: Document) -> tuple[Span, ...]:
    return sentences(Span(document, 0, len(document.text)))
