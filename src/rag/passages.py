"""The passages of an index, and its sentences, as spans that are made on demand."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from rag.documents import Documents, Head
from rag.engine import Selection
from rag.spans import Document, Span


class Spans(Sequence[Span]):
    """Spans of documents: `places` has a row (document, start, end) for each, those of a document together."""

    def __init__(self, documents: Sequence[Document], places: NDArray[np.int64]) -> None:
        self.documents, self.places = documents, places

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, number: int) -> Span: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Span]: ...
    def __getitem__(self, number: int | slice) -> Span | Sequence[Span]:
        """Return one span, or those of a slice."""
        if isinstance(number, slice):
            return Spans(self.documents, self.places[number])
        document, start, end = self.places[number].tolist()
        return Span(self.documents[document], start, end)


class Passages(Spans):
    """The passages of documents, which can be selected by document and language."""

    def __init__(self, documents: Sequence[Document], places: NDArray[np.int64]) -> None:
        super().__init__(documents, places)
        self._numbers: dict[str, int] = {}
        self._by_language: dict[str, Selection] = {}

    def within(self, ids: Sequence[str] | None = None, *, language: str | None = None) -> Selection:
        """Select the passages of the documents of these ids, of a language, or of both conditions."""
        heads = self._heads
        if ids is None:
            if language not in self._by_language or language is None:
                wanted = [language is None or head.language == language for head in heads]
                rows = np.flatnonzero(np.array(wanted, bool)[self.places[:, 0]])
                # Questions come in few languages, and there may be a million passages to look through.
                selection = Selection(rows.astype(np.int64), None, language)
                if language is None:
                    return selection
                self._by_language[language] = selection
            return self._by_language[language]
        if not self._numbers:
            self._numbers = {head.id: number for number, head in enumerate(heads)}
        chosen = frozenset(ids)
        numbers = sorted(self._numbers[each] for each in chosen if each in self._numbers)
        numbers = [number for number in numbers if language is None or heads[number].language == language]
        firsts, lasts = (np.searchsorted(self.places[:, 0], numbers, side=side) for side in ("left", "right"))
        parts = [np.arange(first, last) for first, last in zip(firsts, lasts, strict=True)]
        return Selection(np.concatenate([*parts, np.empty(0, np.int64)]).astype(np.int64), chosen, language)

    @property
    def _heads(self) -> Sequence[Head | Document]:
        """Return what has the ids and languages of the documents, without reading their texts."""
        return self.documents.heads if isinstance(self.documents, Documents) else self.documents
