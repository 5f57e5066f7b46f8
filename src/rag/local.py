"""The engine of one machine: FAISS and BM25 in an index's own folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.engine import Ranking, Selection, fuse
from rag.lexical import Lexical
from rag.spans import Span
from rag.vectors import Vectors


class Local:
    """The vectors and words of the same passages in the same order; make one with `write` or `load`.

    Raises ValueError when the two differ in size.
    """

    __slots__ = ("_lexical", "_vectors")

    def __init__(self, vectors: Vectors, lexical: Lexical) -> None:
        if len(vectors) != len(lexical):
            raise ValueError(f"{len(vectors)} vectors, but {len(lexical)} lexical entries")
        self._vectors, self._lexical = vectors, lexical

    @classmethod
    def write(cls, folder: Path, passages: Sequence[Span], rows: NDArray[np.float32]) -> "Local":
        """Write passages and their unit vectors, shape (passages, d), into a folder."""
        vectors = Vectors.of(rows)
        lexical = Lexical.of([p.text for p in passages], [p.document.language for p in passages])
        vectors.save(folder / "vectors.faiss")
        lexical.save(folder / "lexical")
        return cls(vectors, lexical)

    @classmethod
    def load(cls, folder: Path) -> "Local":
        """Read what `write` wrote; raises IndexDirectoryError when a file is missing or something else."""
        return cls(Vectors.load(folder / "vectors.faiss"), Lexical.load(folder / "lexical"))

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return self._vectors.dimensions

    @property
    def description(self) -> Mapping[str, object]:
        """Return what it is, as JSON values."""
        return {"name": "local", "vectors": "exact"}

    def rank(
        self,
        question: str,
        query: NDArray[np.float32],
        languages: Sequence[str],
        *,
        depth: int,
        selection: Selection | None = None,
    ) -> Ranking:
        """Return the `depth` best rows by vector and by words, and both joined; see `Engine.rank`."""
        allowed = None if selection is None else selection.rows
        dense = tuple(self._vectors.search(query, depth, allowed=allowed)[0].tolist())
        lexical = tuple(self._lexical.search(question, languages, depth, allowed=allowed)[0].tolist())
        return Ranking(tuple(fuse((dense, lexical))), dense, lexical)

    def scores(
        self, question: str, query: NDArray[np.float32], languages: Sequence[str], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the inner product and the BM25 score of each of these rows."""
        return self._vectors.scores(query, rows), self._lexical.scores(question, languages)[rows]

    def weight(self, term: str) -> float:
        """Return the inverse document frequency of a term."""
        return self._lexical.weight(term)

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the vectors of the rows from `start` up to, not including, `stop`."""
        return self._vectors.rows(start, stop)
