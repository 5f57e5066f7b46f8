"""The engine of one machine: FAISS and BM25 in an index's own folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.engine import Ranking, Selection, fuse
from rag.lexical import Lexical, with_beginning
from rag.spans import Span
from rag.vectors import Vectors


class Local:
    """The vectors and words of the same passages in the same order; make one with `write` or `load`.

    `description` is what the manifest states. Raises ValueError when the two differ in size.
    """

    __slots__ = ("_lexical", "_vectors", "description")

    def __init__(self, vectors: Vectors, lexical: Lexical, description: Mapping[str, Any] | None = None) -> None:
        if len(vectors) != len(lexical):
            raise ValueError(f"{len(vectors)} vectors, but {len(lexical)} lexical entries")
        self._vectors, self._lexical, self.description = vectors, lexical, description or {}

    @classmethod
    def write(cls, folder: Path, passages: Sequence[Span], rows: NDArray[np.float32]) -> "Local":
        """Write what searches passages; `rows`, their unit vectors, lie in the folder already, as `vectors.npy`."""
        described = Vectors.write(folder)
        Lexical.write(
            folder / "lexical", ((with_beginning(passage), passage.document.language) for passage in passages)
        )
        return cls.load(folder, {"name": "local", "vectors": described, "recall@10": described["recall@10"]})

    @classmethod
    def load(cls, folder: Path, description: Mapping[str, Any]) -> "Local":
        """Open what `write` wrote; raises IndexDirectoryError when a file is missing or something else."""
        vectors = Vectors.load(folder, description["vectors"])
        return cls(vectors, Lexical.load(folder / "lexical"), description)

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return self._vectors.dimensions

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
        return self._vectors.scores(query, rows), self._lexical.scores(question, languages, rows=rows)

    def weight(self, term: str) -> float:
        """Return the inverse document frequency of a term."""
        return self._lexical.weight(term)

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the vectors of the rows from `start` up to, not including, `stop`."""
        return self._vectors.rows(start, stop)
