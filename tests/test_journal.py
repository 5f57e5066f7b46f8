import hashlib
from pathlib import Path

import numpy as np
import pytest

from rag.journal import Journal

KEYS = [hashlib.sha256(bytes([number])).digest() for number in range(5)]
ROWS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def filled(path: Path) -> int:
    """Write five records in two parts, and return the size of one."""
    with Journal(path, "encoder") as journal:
        journal.add(KEYS[:2], ROWS[:2])
        before = path.stat().st_size
        journal.add(KEYS[2:], ROWS[2:])
        return (path.stat().st_size - before) // 3


def held(path: Path) -> list[int]:
    """Return the numbers of the records that a journal opened anew has, and check their vectors."""
    with Journal(path, "encoder") as journal:
        numbers = [number for number, key in enumerate(KEYS) if key in journal]
        assert len(journal) == len(numbers)
        assert all(journal.row(KEYS[number]).tolist() == ROWS[number].tolist() for number in numbers)
        assert journal.width == (3 if numbers else journal.width)
    return numbers


def test_vectors_are_found_again_and_more_are_added(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, "encoder") as journal:
        assert (len(journal), journal.width) == (0, 0)
    filled(path)
    assert held(path) == [0, 1, 2, 3, 4]
    with Journal(path, "encoder") as journal:
        journal.add([b"k" * 32], np.ones((1, 3), np.float32))
    with Journal(path, "encoder") as journal:
        assert journal.row(b"k" * 32).tolist() == [1, 1, 1]
        with pytest.raises(KeyError):
            journal.row(b"l" * 32)


def test_a_torn_tail_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    size = filled(path)
    whole = path.read_bytes()
    for length in range(len(whole) - 2 * size - 3, len(whole)):
        path.write_bytes(whole[:length])
        records = 5 - -(-(len(whole) - length) // size)
        assert held(path) == list(range(records))
        assert path.stat().st_size == len(whole) - (5 - records) * size


def test_records_end_at_the_first_that_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    size = filled(path)
    whole = path.read_bytes()
    begin = len(whole) - 5 * size
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert held(path) == list(range(max(0, (place - begin) // size)))


def test_another_encoder_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    with Journal(path, "other") as journal:
        assert (len(journal), journal.width) == (0, 0)
        journal.add(KEYS[:1], np.ones((1, 2), np.float32))
    assert held(path) == []
