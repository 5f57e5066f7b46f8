"""Unit vectors in a FAISS index: the rows nearest to a query, exactly and always in the same order."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDirectoryError

if TYPE_CHECKING:
    import faiss

_UNIT_TOLERANCE = 1e-3
# Scores nearer to each other than this may be one score that FAISS rounded differently in different rows.
_ROUNDING = 1e-5


class Vectors:
    """Rows of unit length; the score of a row is its inner product with the query, for a unit query the cosine.

    Row numbers are the order in which the rows were given. Make one with `of` or `load`.

    >>> rows = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    >>> Vectors.of(rows).search(np.array([1, 0], dtype=np.float32), 2)
    (array([0, 2]), array([1., 1.], dtype=float32))
    """

    __slots__ = ("_index",)

    def __init__(self, index: "faiss.IndexFlatIP") -> None:
        self._index = index

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> "Vectors":
        """Store rows, float32 of shape (n, d) with d >= 1; n may be 0.

        The stored values are exactly the given ones. Raises ValueError when the array has another type or shape, or
        when a row is not finite or its length differs from 1 by more than 0.001.
        """
        import faiss

        if rows.dtype != np.float32 or rows.ndim != 2 or rows.shape[1] == 0:
            raise ValueError(f"vectors must be float32 of shape (n, d), not {rows.dtype} of shape {rows.shape}")
        _check_unit_length(rows)
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(np.ascontiguousarray(rows))
        return cls(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimensions(self) -> int:
        """Return the length of a row."""
        return int(self._index.d)

    def row(self, number: int) -> NDArray[np.float32]:
        """Return a copy of one row, shape (d,); raises IndexError when there is no such row."""
        return self.rows(number, number + 1).reshape(self.dimensions)

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return a copy of the rows from `start` up to, not including, `stop`; raises IndexError beyond the ends."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"rows {start}:{stop} do not lie in {len(self)} rows")
        stored = np.empty((stop - start, self.dimensions), dtype=np.float32)
        if len(stored):
            self._index.reconstruct_n(start, len(stored), stored)
        return stored

    def scores(self, query: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the score of each of the rows `ids`, shape (len(ids),).

        Equal rows score equal, wherever they stand: each is summed by itself in float64. Raises ValueError as `search`.
        """
        numbers = _row_numbers(ids, len(self))
        vector = self._query(query).astype(np.float64)
        if not len(numbers):
            return np.empty(0, dtype=np.float32)
        rows = self._index.reconstruct_batch(numbers).astype(np.float64)
        return np.asarray((rows * vector).sum(axis=1), dtype=np.float32)

    def search(
        self, query: NDArray[np.float32], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids and scores of the `k` best rows, best first; of equal scores the lower id comes first.

        `query` has shape (d,). With `allowed`, only the rows of those ids are considered. Fewer than `k` come back when
        there are not so many. Raises ValueError when the query is not finite or has another length, when `k` is
        negative or when an allowed id is no row.
        """
        vector = self._query(query)
        if k < 0:
            raise ValueError(f"cannot return {k} rows")
        numbers = None if allowed is None else np.unique(_row_numbers(allowed, len(self)))
        available = len(self) if numbers is None else len(numbers)
        k = min(k, available)
        if k == 0:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        candidates = self._candidates(vector, k, available=available, allowed=numbers)
        scores = self.scores(vector, candidates)
        best = np.lexsort((candidates, -scores))[:k]
        return candidates[best], scores[best]

    def _candidates(
        self, vector: NDArray[np.float32], k: int, *, available: int, allowed: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return ids that hold the `k` best rows and all that tie with the last of them."""
        import faiss

        selection = None
        if allowed is not None:
            mask = np.zeros(len(self), dtype=bool)
            mask[allowed] = True
            bits = np.packbits(mask, bitorder="little")
            # The stubs describe the C++ constructors and not the ones that Python has.
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            selection = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        tolerance = _ROUNDING * max(1.0, float(np.linalg.norm(vector.astype(np.float64))))
        depth = min(k + 1, available)
        while True:
            with _one_thread():
                scores, ids = self._index.search(vector[np.newaxis], depth, params=selection)
            # FAISS keeps an arbitrary one of equal rows at the end of its list, so ask until the tie is inside.
            if depth == available or scores[0, k - 1] - scores[0, -1] > tolerance:
                return np.asarray(ids[0][ids[0] >= 0], dtype=np.int64)
            depth = min(2 * depth, available)

    def _query(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        if query.shape != (self.dimensions,):
            raise ValueError(f"the query has shape {query.shape}, but the rows have {self.dimensions} dimensions")
        vector = np.ascontiguousarray(query, dtype=np.float32)
        if not np.isfinite(vector).all():
            raise ValueError("the query vector holds a value that is not finite")
        return vector

    def save(self, path: Path) -> None:
        """Write the rows to `path` as a FAISS index; the same rows give the same bytes."""
        import faiss

        # FAISS opens only names in the system's code page, Python opens every name.
        with path.open("wb") as file:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]

    @classmethod
    def load(cls, path: Path) -> "Vectors":
        """Read what `save` wrote; raises IndexDirectoryError when the file is missing, cut short or something else."""
        import faiss

        try:
            with path.open("rb") as file:
                index = faiss.read_index(faiss.PyCallbackIOReader(file.read))  # type: ignore[attr-defined]
        except (OSError, RuntimeError) as error:
            raise IndexDirectoryError(f"Cannot read the vectors in {path}; build the index again.") from error
        if not isinstance(index, faiss.IndexFlatIP):
            raise IndexDirectoryError(f"The file {path} does not hold these vectors; build the index again.")
        return cls(index)


def _check_unit_length(rows: NDArray[np.float32]) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise ValueError(f"vector {int(np.argmin(finite))} holds a value that is not finite")
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    wrong = np.abs(lengths - 1) > _UNIT_TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(f"vector {first} has length {lengths[first]:.4g} and not 1")


def _row_numbers(ids: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    numbers = np.ascontiguousarray(ids, dtype=np.int64)
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= count):
        raise ValueError(f"ids {numbers.min()} to {numbers.max()} are not all rows of {count}")
    return numbers


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS work in the calling thread only.

    It divides work by queries, so a single query gains nothing from more; beside the waiting threads of torch's own
    OpenMP library they only cost time, and on macOS two such libraries at work in one process are known to crash.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
