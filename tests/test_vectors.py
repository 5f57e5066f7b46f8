import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.errors import IndexDirectoryError
from rag.vectors import Vectors

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
    vectors = Vectors.of(np.empty((0, 5), dtype=np.float32))
    vectors.save(tmp_path / "empty")
    for empty in (vectors, Vectors.load(tmp_path / "empty")):
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


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    rows = unit_rows(300, 16, 1)
    vectors = Vectors.of(rows)
    for name in ("first", "città"):
        vectors.save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "città").read_bytes()
    loaded = Vectors.load(tmp_path / "città")
    assert loaded.rows(0, 300).tobytes() == rows.tobytes()
    for row in rows[:5]:
        assert [part.tolist() for part in loaded.search(row, 9)] == [part.tolist() for part in vectors.search(row, 9)]


def test_files_that_hold_no_vectors(tmp_path: Path) -> None:
    import faiss

    path = tmp_path / "vectors"
    Vectors.of(unit_rows(10, 4, 1)).save(path)
    for content in (b"", b"no index", path.read_bytes()[:-7]):
        path.write_bytes(content)
        with pytest.raises(IndexDirectoryError, match="build the index again"):
            Vectors.load(path)
    faiss.write_index(faiss.IndexFlatL2(4), str(path))
    with pytest.raises(IndexDirectoryError, match="does not hold these vectors"):
        Vectors.load(path)
    with pytest.raises(IndexDirectoryError, match="build the index again"):
        Vectors.load(tmp_path / "missing")


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
