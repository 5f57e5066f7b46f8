"""Unit vectors in a FAISS index: the rows nearest to a query, exactly, or in the likeliest cells of many."""

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDirectoryError
from rag.files import FLOATS, StoredRows

if TYPE_CHECKING:
    import faiss

ROWS = "vectors.npy"
CELLS = "vectors.faiss"
# Up to so many rows every one is compared with the query: see benchmarks/README.md for what that costs.
EXACT = 50_000
WANTED_RECALL = 0.98
_UNIT_TOLERANCE = 1e-3
# Scores nearer to each other than this may be one score that FAISS rounded differently in different rows.
_ROUNDING = 1e-5
_AT_ONCE = 16_384
# A selection of so few rows is compared one by one, which no cell can miss.
_FEW = 4096
_TRAINING_ROWS_A_CELL = 64
_SAMPLE = 200
_SPARE = 16


class Vectors:
    """Rows of unit length; the score of a row is its inner product with the query, for a unit query the cosine.

    Row numbers are the order in which the rows were given. Make one with `of`, or with `write` and `load`. Up to
    `EXACT` rows are searched exactly. More are divided into cells, each row kept as 8-bit codes: the cells nearest to
    the query are searched, as many as bring the recall that `write` measured, and what they yield is scored exactly.

    >>> rows = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    >>> Vectors.of(rows).search(np.array([1, 0], dtype=np.float32), 2)
    (array([0, 2]), array([1., 1.], dtype=float32))
    """

    __slots__ = ("_cells", "_cells_searched", "_index", "_stored")

    def __init__(
        self, index: "faiss.Index", stored: StoredRows[np.float32] | None = None, cells_searched: int = 0
    ) -> None:
        self._index, self._stored, self._cells_searched = index, stored, cells_searched
        self._cells = int(getattr(index, "nlist", 0))

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> "Vectors":
        """Store rows in memory, float32 of shape (n, d) with d >= 1, searched exactly; n may be 0.

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

    @staticmethod
    def write(folder: Path, *, exact: int = EXACT) -> Mapping[str, object]:
        """Make the index over the rows that lie in the folder as `vectors.npy`, and return what it is and measures.

        Up to `exact` rows need no more than the rows. Of more, the cells are written, and the number of them that is
        searched is the least that finds 98 in a hundred of the ten nearest, measured with rows of the index as
        queries. The rows are read in parts. Raises ValueError when a row is no unit vector, OSError where there is no
        room.
        """
        stored = StoredRows(folder / ROWS, FLOATS)
        for start, part in _parts(stored):
            _check_unit_length(part, first=start)
        if stored.shape[0] <= exact:
            return {"kind": "exact", "recall@10": 1.0}
        index = _cells(stored)
        searched, recall = _measure(index, stored)
        _save(index, folder / CELLS)
        return {
            "kind": "cells of 8-bit codes",
            "cells": int(index.nlist),
            "searched": searched,
            "recall@10": round(recall, 4),
            "queries": "rows of the index, each without itself",
        }

    @classmethod
    def load(cls, folder: Path, description: Mapping[str, Any] | None = None) -> "Vectors":
        """Open what `write` described; the cells are mapped and not read.

        Raises IndexDirectoryError when a file is missing, cut short, too large or something else.
        """
        import faiss

        described = description or {"kind": "exact"}
        try:
            stored = StoredRows(folder / ROWS, FLOATS)
            if described["kind"] == "exact":
                index = faiss.IndexFlatIP(stored.shape[1])
                for _, part in _parts(stored):
                    index.add(part)
                return cls(index)
            cells = _open_cells(folder / CELLS, stored.shape, int(described["cells"]))
            return cls(cells, stored, int(described["searched"]))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise IndexDirectoryError(f"Cannot read the vectors in {folder}; build the index again.") from error

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
        if self._stored is not None:
            return self._stored.between(start, stop)
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
        found = self._index.reconstruct_batch(numbers) if self._stored is None else self._stored.take(numbers)
        return np.asarray((found.astype(np.float64) * vector).sum(axis=1), dtype=np.float32)

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
        if self._stored is None:
            candidates = self._candidates(vector, k, available=available, allowed=numbers)
        elif numbers is not None and len(numbers) <= _FEW:
            candidates = numbers
        else:
            candidates = self._likely(vector, k, available=available, allowed=numbers)
        scores = self.scores(vector, candidates)
        best = np.lexsort((candidates, -scores))[:k]
        return candidates[best], scores[best]

    def _candidates(
        self, vector: NDArray[np.float32], k: int, *, available: int, allowed: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return ids that hold the `k` best rows and all that tie with the last of them."""
        import faiss

        # The stubs describe the C++ constructors and not the ones that Python has.
        selection = None if allowed is None else faiss.SearchParameters(sel=_selector(allowed, len(self)))  # type: ignore[call-arg]
        tolerance = _ROUNDING * max(1.0, float(np.linalg.norm(vector.astype(np.float64))))
        depth = min(k + 1, available)
        while True:
            with _one_thread():
                scores, ids = self._index.search(vector[np.newaxis], depth, params=selection)
            # FAISS keeps an arbitrary one of equal rows at the end of its list, so ask until the tie is inside.
            if depth == available or scores[0, k - 1] - scores[0, -1] > tolerance:
                return np.asarray(ids[0][ids[0] >= 0], dtype=np.int64)
            depth = min(2 * depth, available)

    def _likely(
        self, vector: NDArray[np.float32], k: int, *, available: int, allowed: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return the ids that the codes of the nearest cells rank first, a few more than asked for."""
        import faiss

        # Of a selection the nearest rows lie farther off, so more cells are searched.
        cells = min(self._cells, math.ceil(self._cells_searched * min(len(self) / available, 16)))
        selector = None if allowed is None else _selector(allowed, len(self))
        options = faiss.SearchParametersIVF(nprobe=cells, sel=selector)  # type: ignore[call-arg]
        with _one_thread():
            _, ids = self._index.search(vector[np.newaxis], min(k + _SPARE, available), params=options)
        return np.asarray(ids[0][ids[0] >= 0], dtype=np.int64)

    def _query(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        if query.shape != (self.dimensions,):
            raise ValueError(f"the query has shape {query.shape}, but the rows have {self.dimensions} dimensions")
        vector = np.ascontiguousarray(query, dtype=np.float32)
        if not np.isfinite(vector).all():
            raise ValueError("the query vector holds a value that is not finite")
        return vector


def _parts(stored: StoredRows[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, stored.shape[0], _AT_ONCE):
        yield start, stored.between(start, min(start + _AT_ONCE, stored.shape[0]))


def _cells(stored: StoredRows[np.float32]) -> "faiss.IndexIVFScalarQuantizer":
    """Divide rows into twice as many cells as the root of their number, and code them; always alike."""
    import faiss

    count, width = stored.shape
    cells = 2 * math.isqrt(count)
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(width), width, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter, index.cp.max_points_per_centroid = 10, _TRAINING_ROWS_A_CELL
    drawn = np.random.default_rng(0).choice(count, min(count, cells * _TRAINING_ROWS_A_CELL), replace=False)
    with _build_threads():
        index.train(stored.take(np.sort(drawn)))
        for _, part in _parts(stored):
            index.add(part)
    return index


def _measure(index: "faiss.IndexIVFScalarQuantizer", stored: StoredRows[np.float32]) -> tuple[int, float]:
    """Return how many cells are to be searched, and the share of the ten nearest that are then found."""
    count = stored.shape[0]
    asked = np.sort(np.random.default_rng(1).choice(count, min(count, _SAMPLE), replace=False))
    queries = stored.take(asked)
    best = np.full((len(asked), 10), -np.inf, np.float32)
    nearest = np.full((len(asked), 10), -1, np.int64)
    for start, part in _parts(stored):
        scores = np.concatenate((best, queries @ part.T), axis=1)
        numbers = np.concatenate((nearest, np.tile(np.arange(start, start + len(part)), (len(asked), 1))), axis=1)
        scores[numbers == asked[:, np.newaxis]] = -np.inf
        first = np.argpartition(-scores, 10, axis=1)[:, :10]
        best, nearest = np.take_along_axis(scores, first, 1), np.take_along_axis(numbers, first, 1)
    searched, recall = 1, 0.0
    while True:
        vectors = Vectors(index, stored, searched)
        found = [set(vectors.search(query, 11)[0].tolist()) for query in queries]
        recall = float(np.mean([len(found[i] & set(nearest[i].tolist())) / 10 for i in range(len(asked))]))
        if recall >= WANTED_RECALL or searched == index.nlist:
            return searched, recall
        searched = min(2 * searched, int(index.nlist))


def _save(index: "faiss.Index", path: Path) -> None:
    import faiss

    # FAISS opens only names in the system's code page, Python opens every name; and it forgets why a write failed.
    failures: list[OSError] = []
    with path.open("wb") as file:

        def write(content: bytes) -> int:
            try:
                return file.write(content)
            except OSError as error:
                failures.append(error)
                raise

        try:
            faiss.write_index(index, faiss.PyCallbackIOWriter(write))  # type: ignore[attr-defined]
        except Exception as error:
            raise (failures[0] if failures else error) from error


def _open_cells(path: Path, shape: tuple[int, int], cells: int) -> "faiss.IndexIVFScalarQuantizer":
    """Open the cells of rows of this shape; raises ValueError when the file holds something else."""
    import faiss

    count, width = shape
    # Codes and numbers of the rows, centres of the cells, and little else.
    if not 0 < cells <= count or path.stat().st_size > count * (width + 8) + cells * (4 * width + 64) + 65_536:
        raise ValueError(f"{path.name} is larger than {count} rows in {cells} cells can be")
    if sys.platform == "win32":  # where FAISS maps no files
        index = faiss.read_index(str(path))
    else:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    if not isinstance(index, faiss.IndexIVFScalarQuantizer) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise ValueError(f"{path.name} holds another kind of index")
    if (int(index.ntotal), int(index.d), int(index.nlist)) != (count, width, cells):
        raise ValueError(f"{path.name} has not the {count} rows in {cells} cells")
    lists = faiss.downcast_InvertedLists(index.invlists)  # type: ignore[arg-type]
    if isinstance(lists, faiss.OnDiskInvertedLists):
        # It would start threads for every search, which cost more than a search does.
        lists.prefetch_nthread = 0
    return index


def _selector(allowed: NDArray[np.int64], count: int) -> "faiss.IDSelectorBitmap":
    import faiss

    mask = np.zeros(count, dtype=bool)
    mask[allowed] = True
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg, arg-type]


def _check_unit_length(rows: NDArray[np.float32], *, first: int = 0) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise ValueError(f"vector {first + int(np.argmin(finite))} holds a value that is not finite")
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    wrong = np.abs(lengths - 1) > _UNIT_TOLERANCE
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(f"vector {first + at} has length {lengths[at]:.4g} and not 1")


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


@contextmanager
def _build_threads() -> Iterator[None]:
    """Let FAISS use every core while it builds, but on macOS, for the reason above."""
    if sys.platform == "darwin":
        with _one_thread():
            yield
    else:
        yield
