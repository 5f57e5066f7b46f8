"""The sentences that each passage touches, with their vectors, which a build has made beforehand."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.files import CODES, StoredRows, mapped, write_rows
from rag.passages import Spans
from rag.spans import Document, Span

VECTORS = "sentences.npy"
PLACES = "sentence_places.npy"
TOUCHED = "passage_sentences.npy"
_LARGEST = 127


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """The sentences of one passage, whole, in order; `vectors` are their unit vectors, (sentences, d)."""

    spans: tuple[Span, ...]
    vectors: NDArray[np.float32]


class _Codes(Protocol):
    """Rows of codes that are read from one number up to, not including, another."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return how many rows there are, and how long each is."""
        ...

    def between(self, start: int, stop: int) -> NDArray[np.int8]:
        """Return the rows from `start` up to, not including, `stop`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _InMemory:
    codes: NDArray[np.int8]

    @property
    def shape(self) -> tuple[int, int]:
        return self.codes.shape[0], self.codes.shape[1]

    def between(self, start: int, stop: int) -> NDArray[np.int8]:
        return self.codes[start:stop]


class PassageSentences:
    """The sentences of passages, by the passage's row; make one with `of`, or with `write` and `load`.

    `spans` are all sentences of the documents in order, `touched` the first sentence of each passage and the one after
    its last, (passages, 2). A vector is kept as 8-bit codes, its own largest value being 127: as it is of unit length,
    no scale need be kept, and coding it again changes nothing. Raises ValueError when the three do not fit together.
    """

    def __init__(self, spans: Sequence[Span], touched: NDArray[np.int64], codes: _Codes) -> None:
        if codes.shape[0] != len(spans):
            raise ValueError(f"{len(spans)} sentences, but {codes.shape[0]} vectors")
        if touched.ndim != 2 or touched.shape[1] != 2 or not _in_order(touched, len(spans)):
            raise ValueError("a passage has no sentence, or one that there is not")
        self.spans, self._touched, self._codes = spans, touched, codes

    @classmethod
    def of(cls, spans: Sequence[Span], touched: NDArray[np.int64], vectors: NDArray[np.float32]) -> "PassageSentences":
        """Keep the unit vectors of the sentences, (sentences, d), in memory."""
        return cls(spans, touched, _InMemory(coded(vectors)))

    @staticmethod
    def write(
        folder: Path, spans: Spans, touched: NDArray[np.int64], width: int, parts: Iterable[NDArray[np.float32]]
    ) -> None:
        """Write sentences, and their unit vectors that come in parts, into a folder; OSError where there is no room."""
        np.save(folder / PLACES, spans.places, allow_pickle=False)
        np.save(folder / TOUCHED, touched, allow_pickle=False)
        write_rows(folder / VECTORS, len(spans), width, map(coded, parts), dtype=CODES)

    @classmethod
    def load(cls, folder: Path, documents: Sequence[Document]) -> "PassageSentences":
        """Open what `write` wrote; the vectors are read when needed.

        Raises OSError or ValueError when a file is missing or something else.
        """
        places, touched = mapped(folder / PLACES), mapped(folder / TOUCHED)
        return cls(Spans(documents, places), touched, StoredRows(folder / VECTORS, CODES))

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self._touched)

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return self._codes.shape[1]

    def of_passage(self, row: int) -> Sentences:
        """Return the sentences of the passage in this row."""
        first, last = self._touched[row].tolist()
        return Sentences(tuple(self.spans[number] for number in range(first, last)), self.vectors(first, last))

    def vectors(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the unit vectors of the sentences from `start` up to, not including, `stop`."""
        codes = self._codes.between(start, stop).astype(np.float32)
        return np.asarray(codes / np.linalg.norm(codes, axis=1, keepdims=True), np.float32)

    def nearest(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the inner product of the query with the sentence nearest to it in each of these passages, (rows,).

        Equal sentences score equal, wherever they stand: each is summed by itself in float64.
        """
        if not len(rows):
            return np.empty(0, np.float32)
        bounds = self._touched[rows].tolist()
        codes = np.concatenate([self._codes.between(first, last) for first, last in bounds]).astype(np.float64)
        scores = (codes * query).sum(axis=1) / np.sqrt((codes * codes).sum(axis=1))
        starts = np.cumsum([0, *(last - first for first, last in bounds[:-1])])
        return np.maximum.reduceat(scores, starts).astype(np.float32)


def coded(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return vectors as 8-bit codes, the largest value of each being 127.

    >>> coded(np.array([[0.6, -0.8]], np.float32)).tolist()
    [[95, -127]]
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-30)
    return np.asarray(np.rint(vectors * (_LARGEST / largest)), np.int8)


def touching(passages: Iterable[Span], sentences: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield for each passage of a document the first of its `sentences` that it touches and the one after the last.

    Both are in order, and the sentences do not overlap.

    >>> text = Document("a.txt", "", "en", "One. Two. Three.")
    >>> sentences = [Span(text, 0, 4), Span(text, 5, 9), Span(text, 10, 16)]
    >>> list(touching([Span(text, 0, 9), Span(text, 7, 16)], sentences))
    [(0, 2), (1, 3)]
    """
    starts, ends = [span.start for span in sentences], [span.end for span in sentences]
    for passage in passages:
        yield bisect_right(ends, passage.start), bisect_left(starts, passage.end)


def _in_order(touched: NDArray[np.int64], count: int) -> bool:
    if not len(touched):
        return True
    return bool((touched[:, 0] < touched[:, 1]).all() and touched.min() >= 0 and touched.max() <= count)
