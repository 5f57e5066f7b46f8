import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.errors import IndexDirectoryError
from rag.files import write_rows
from rag.vectors import EXACT, Vectors

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]


def unit_rows(count: int, dimensions: int, seed: int) -> Rows:
    rows = np.random.default_rng(seed).normal(size=(count, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def brute_force(rows: Rows, query: Rows, k: int, allowed: Ids | None) -> tuple[Ids, Rows]:
    ids = np.arange(len(rows)) if allowed is None else np.unique(allowed)
    scores = np.array([np.dot(rows[i].astype(np.float64), query.astype(np.float64)) for i in ids], dtype=np.float32)
    order = np.lexsort((ids, -scores))[:k]
    return ids[order], scores[order]


@st.composite
def collections(draw: st.DrawFn) -> tuple[Rows, Rows, int, Ids | None]:
    count, dimensions, seed = draw(st.integers(0, 60)), draw(st.integers(1, 40)), draw(st.integers(0, 10_000))
    rows = unit_rows(count, dimensions, seed)
    for row in draw(st.lists(st.integers(0, count - 1), max_size=20)) if count else []:
        rows[row] = rows[0]
    allowed = draw(st.none() | st.lists(st.integers(0, count - 1))) if count else None
    query = unit_rows(1, dimensions, seed + 1)[0]
    return rows, query, draw(st.integers(0, 70)), None if allowed is None else np.array(allowed, dtype=np.int64)


@settings(deadline=None)
@given(collections())
def test_faiss_finds_what_brute_force_finds(case: tuple[Rows, Rows, int, Ids | None]) -> None:
    rows, query, k, allowed = case
    ids, scores = Vectors.of(rows).search(query, k, allowed=allowed)
    wanted_ids, wanted_scores = brute_force(rows, query, k, allowed)
    np.testing.assert_allclose(scores, wanted_scores, rtol=0, atol=1e-5)
    differing = ids != wanted_ids
    # Only rows that the last bit of a sum decides between may change places.
    assert (np.abs(scores[differing] - (rows[ids[differing]] @ query)) <= 1e-5).all()
    assert (np.diff(scores) <= 0).all()
    assert all(a < b for a, b, same in zip(ids, ids[1:], scores[:-1] == scores[1:], strict=False) if same)
    assert len(set(ids.tolist())) == len(ids)
    assert allowed is None or set(ids.tolist()) <= set(allowed.tolist())


@settings(deadline=None)
@given(collections())
def test_a_shorter_list_is_the_beginning_of_a_longer_one(case: tuple[Rows, Rows, int, Ids | None]) -> None:
    rows, query, k, allowed = case
    vectors = Vectors.of(rows)
    every_id, every_score = vectors.search(query, len(rows), allowed=allowed)
    ids, scores = vectors.search(query, k, allowed=allowed)
    assert ids.tolist() == every_id[:k].tolist()
    assert scores.tolist() == every_score[:k].tolist()
    assert scores.tolist() == vectors.scores(query, ids).tolist()


def test_equal_rows_come_in_the_order_of_their_ids() -> None:
    rows = unit_rows(1000, 7, 3)
    rows[[5, 17, 400, 401, 402, 999]] = rows[3]
    ids, scores = Vectors.of(rows).search(rows[3], 4)
    assert ids.tolist() == [3, 5, 17, 400]
    assert scores.tolist() == pytest.approx([1, 1, 1, 1])


def test_allowed_rows_only() -> None:
    vectors = Vectors.of(np.eye(4, dtype=np.float32))
    query = np.array([0.8, 0.6, 0, 0], dtype=np.float32)
    ids, scores = vectors.search(query, 9, allowed=np.array([3, 1, 1]))
    assert ids.tolist() == [1, 3]
    assert scores.tolist() == pytest.approx([0.6, 0])
    assert vectors.search(query, 9, allowed=np.array([], dtype=np.int64))[0].tolist() == []
    with pytest.raises(ValueError, match="ids 2 to 4 are not all rows of 4"):
        vectors.search(query, 9, allowed=np.array([2, 4]))


def test_stored_rows_are_exactly_the_given_ones() -> None:
    rows = unit_rows(20, 33, 0) * np.float32(1.0004)
    vectors = Vectors.of(np.asfortranarray(rows))
    assert (len(vectors), vectors.dimensions) == (20, 33)
    assert vectors.rows(0, 20).tobytes() == rows.tobytes()
    assert vectors.rows(4, 7).tolist() == rows[4:7].tolist()
    assert vectors.rows(20, 20).shape == (0, 33)
    assert vectors.row(19).tolist() == rows[19].tolist()
    for start, stop in ((-1, 2), (3, 2), (0, 21)):
        with pytest.raises(IndexError, match=f"rows {start}:{stop} do not lie in 20 rows"):
            vectors.rows(start, stop)
    with pytest.raises(IndexError):
        vectors.row(20)


def test_no_rows(tmp_path: Path) -> None:
    none = np.empty((0, 5), dtype=np.float32)
    for empty in (Vectors.of(none), stored(tmp_path, none)[0]):
        assert (len(empty), empty.dimensions) == (0, 5)
        assert [part.tolist() for part in empty.search(np.ones(5, dtype=np.float32), 3)] == [[], []]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([[1, 0], [0.6, 0.7]], dtype=np.float32), "vector 1 has length 0.922 and not 1"),
        (np.array([[0, 0]], dtype=np.float32), "vector 0 has length 0 and not 1"),
        (np.array([[1, 0], [np.nan, 1]], dtype=np.float32), "vector 1 holds a value that is not finite"),
        (np.array([[np.inf, 0]], dtype=np.float32), "vector 0 holds a value that is not finite"),
        (np.array([[3e38, 3e38]], dtype=np.float32), "vector 0 has length inf and not 1"),
        (np.array([1, 0], dtype=np.float32), "must be float32 of shape"),
        (np.array([[1.0, 0.0]]), "must be float32 of shape"),
        (np.empty((2, 0), dtype=np.float32), "must be float32 of shape"),
    ],
)
def test_rows_that_are_no_unit_vectors_are_refused(rows: Rows, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Vectors.of(rows)


@pytest.mark.parametrize(
    ("query", "k", "message"),
    [
        ([np.nan, 0], 1, "not finite"),
        ([0, np.inf], 1, "not finite"),
        ([1, 0, 0], 1, r"shape \(3,\), but the rows have 2 dimensions"),
        ([1, 0], -1, "cannot return -1 rows"),
    ],
)
def test_queries_that_cannot_be_answered(query: list[float], k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Vectors.of(np.eye(2, dtype=np.float32)).search(np.array(query, dtype=np.float32), k)


def stored(folder: Path, rows: Rows, *, exact: int = EXACT) -> tuple[Vectors, Mapping[str, object]]:
    folder.mkdir(exist_ok=True)
    write_rows(folder / "vectors.npy", len(rows), rows.shape[1], [rows[:7], rows[7:]])
    description = Vectors.write(folder, exact=exact)
    return Vectors.load(folder, description), description


def clustered(count: int, dimensions: int) -> Rows:
    draw = np.random.default_rng(5)
    rows = draw.normal(size=(50, dimensions))[draw.integers(0, 50, count)] + 0.9 * draw.normal(size=(count, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def test_written_and_loaded_is_the_same(tmp_path: Path) -> None:
    rows = unit_rows(300, 16, 1)
    vectors = Vectors.of(rows)
    loaded, description = stored(tmp_path / "città", rows)
    assert description == {"kind": "exact", "recall@10": 1.0}
    assert [path.name for path in (tmp_path / "città").iterdir()] == ["vectors.npy"]
    assert loaded.rows(0, 300).tobytes() == rows.tobytes()
    for row in rows[:5]:
        assert [part.tolist() for part in loaded.search(row, 9)] == [part.tolist() for part in vectors.search(row, 9)]


def test_many_rows_are_searched_in_cells(tmp_path: Path) -> None:
    rows = clustered(3000, 24)
    exact = Vectors.of(rows)
    cells, description = stored(tmp_path / "one", rows, exact=2999)
    assert description["kind"] == "cells of 8-bit codes"
    assert description["cells"] == 2 * 54
    stored(tmp_path / "two", rows, exact=2999)
    assert (tmp_path / "one" / "vectors.faiss").read_bytes() == (tmp_path / "two" / "vectors.faiss").read_bytes()
    queries = clustered(3200, 24)[3000:]
    found = [set(cells.search(query, 10)[0].tolist()) for query in queries]
    nearest = [set(exact.search(query, 10)[0].tolist()) for query in queries]
    recall = np.mean([len(one & other) / 10 for one, other in zip(found, nearest, strict=True)])
    assert recall > 0.93
    assert description["recall@10"] == pytest.approx(recall, abs=0.06)
    assert cells.rows(5, 9).tobytes() == rows[5:9].tobytes()
    ids, scores = cells.search(queries[0], 20)
    assert scores.tolist() == exact.scores(queries[0], ids).tolist() == sorted(scores.tolist(), reverse=True)


def test_a_selection_of_many_rows_is_searched_in_cells_too(tmp_path: Path) -> None:
    rows = clustered(12_000, 8)
    cells, _ = stored(tmp_path, rows, exact=10)
    exact = Vectors.of(rows)
    for step, wanted in ((2, 0.9), (6, 1.0)):
        allowed = np.arange(0, 12_000, step)
        found = [set(cells.search(row, 10, allowed=allowed)[0].tolist()) for row in rows[:50]]
        nearest = [set(exact.search(row, 10, allowed=allowed)[0].tolist()) for row in rows[:50]]
        assert all(one <= set(allowed.tolist()) for one in found)
        assert np.mean([len(one & other) / 10 for one, other in zip(found, nearest, strict=True)]) >= wanted


def test_cells_go_on_when_their_files_are_gone(tmp_path: Path) -> None:
    rows = clustered(600, 8)
    cells, _ = stored(tmp_path, rows, exact=10)
    before = [part.tolist() for part in cells.search(rows[3], 20)]
    for path in tmp_path.iterdir():
        path.unlink()
    assert [part.tolist() for part in cells.search(rows[3], 20)] == before


def test_files_that_hold_no_vectors(tmp_path: Path) -> None:
    import faiss

    def refused(description: Mapping[str, object]) -> None:
        with pytest.raises(IndexDirectoryError, match="build the index again"):
            Vectors.load(tmp_path, description)

    _, description = stored(tmp_path, clustered(600, 8), exact=10)
    path, cells = tmp_path / "vectors.npy", tmp_path / "vectors.faiss"
    whole = cells.read_bytes()
    for content in (b"", b"no index", whole[:-7], whole + bytes(100_000)):
        cells.write_bytes(content)
        refused(description)
    for index in (faiss.IndexFlatIP(8), faiss.index_factory(8, "IVF48,SQ8", faiss.METRIC_L2)):
        faiss.write_index(index, str(cells))
        refused(description)
    cells.write_bytes(whole)
    refused({**description, "cells": 49})
    refused({"kind": "exact?"})
    for content in (b"", b"no rows", path.read_bytes()[:-1], path.read_bytes() + b"1"):
        path.write_bytes(content)
        refused({"kind": "exact"})
    for array in (np.eye(3), np.ones(4, np.float32), np.asfortranarray(np.ones((3, 2), np.float32))):
        np.save(path, array)
        refused({"kind": "exact"})
    path.unlink()
    refused({"kind": "exact"})


def test_rows_on_the_disk_that_are_no_unit_vectors_are_refused(tmp_path: Path) -> None:
    rows = unit_rows(20_000, 2, 1)
    rows[17_000] *= 2
    write_rows(tmp_path / "vectors.npy", 20_000, 2, [rows])
    with pytest.raises(ValueError, match="vector 17000 has length 2 and not 1"):
        Vectors.write(tmp_path)
    with pytest.raises(ValueError, match="19999 rows came, and 20000 were announced"):
        write_rows(tmp_path / "vectors.npy", 20_000, 2, [rows[1:]])


def test_the_number_of_threads_stays_as_it_was() -> None:
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        Vectors.of(unit_rows(10, 4, 1)).search(unit_rows(1, 4, 2)[0], 3)
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)


def test_searching_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np; from rag.vectors import Vectors; assert 'faiss' not in sys.modules;"
        "assert Vectors.of(np.eye(3, dtype=np.float32)).search(np.eye(3, dtype=np.float32)[2], 1)[0].tolist() == [2];"
        "assert 'torch' not in sys.modules"
    )
    source = str(Path(__file__).parent.parent / "src")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env={"PYTHONPATH": source})
