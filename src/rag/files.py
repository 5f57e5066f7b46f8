"""Files of an index that are read in pieces: a row or a text when it is asked for, and not before."""

import os
import threading
import weakref
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Generic, Literal, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

FLOATS = np.dtype("<f4")
CODES = np.dtype("i1")
_ZEROS = bytes(1 << 20)
_SMALL = 1 << 16

Scalar = TypeVar("Scalar", bound=np.generic)


class Pieces:
    """A file that is read at places; safe to share between threads.

    It stays open, so that it can be read to the end after its name is taken away, and is not mapped, so that what was
    read once does not stay in the memory of the process.
    """

    __slots__ = ("__weakref__", "_descriptor", "_lock", "size")

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._descriptor)
        self._lock = threading.Lock()
        self.size = os.fstat(self._descriptor).st_size

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`; raises OSError where the file has not so many."""
        if hasattr(os, "pread"):
            content = os.pread(self._descriptor, length, start)
        else:  # Windows
            with self._lock:
                os.lseek(self._descriptor, start, os.SEEK_SET)
                content = os.read(self._descriptor, length)
        if len(content) != length:
            raise OSError(f"a file has {len(content)} bytes and not {length} at {start}")
        return content


class StoredRows(Generic[Scalar]):
    """The rows, (n, d), of a .npy file; raises ValueError when it holds something else than `dtype` or is cut."""

    __slots__ = ("_begin", "_dtype", "_pieces", "shape")

    def __init__(self, path: Path, dtype: "np.dtype[Scalar]") -> None:
        self._dtype = dtype
        with path.open("rb") as file:
            if npy.read_magic(file) != (1, 0):
                raise ValueError(f"{path.name} is of another version")
            shape, fortran, found = npy.read_array_header_1_0(file)
            self._begin = file.tell()
        self._pieces = Pieces(path)
        if fortran or found != dtype or len(shape) != 2 or shape[1] < 1:
            raise ValueError(f"{path.name} holds {found} of shape {shape} and not rows of {dtype}")
        self.shape: tuple[int, int] = (int(shape[0]), int(shape[1]))
        if self._pieces.size != self._begin + self.shape[0] * self.shape[1] * dtype.itemsize:
            raise ValueError(f"{path.name} has another size than its shape says")

    def between(self, start: int, stop: int) -> NDArray[Scalar]:
        """Return the rows from `start` up to, not including, `stop`; raises IndexError beyond the ends."""
        if not 0 <= start <= stop <= self.shape[0]:
            raise IndexError(f"rows {start}:{stop} do not lie in {self.shape[0]} rows")
        width = self.shape[1] * self._dtype.itemsize
        content = self._pieces.read(self._begin + start * width, (stop - start) * width)
        return np.frombuffer(content, self._dtype).reshape(-1, self.shape[1])

    def take(self, ids: NDArray[np.int64]) -> NDArray[Scalar]:
        """Return the rows of these numbers, which follow each other where they can be read at once."""
        rows = np.empty((len(ids), self.shape[1]), self._dtype)
        breaks = [0, *(np.flatnonzero(np.diff(ids) != 1) + 1).tolist(), len(ids)]
        for first, last in pairwise(breaks):
            if first < last:
                rows[first:last] = self.between(int(ids[first]), int(ids[last - 1]) + 1)
        return rows


def write_rows(
    path: Path, count: int, width: int, parts: Iterable[NDArray[Scalar]], *, dtype: "np.dtype[Any]" = FLOATS
) -> None:
    """Write rows that come in parts as a .npy file of shape (count, width).

    Raises ValueError when they are not so many, and OSError where there is no room.
    """
    written = 0
    with path.open("wb") as file:
        _write_header(file, dtype, (count, width))
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).reshape(-1, width).tobytes())
            written += len(part)
    if written != count:
        raise ValueError(f"{written} rows came, and {count} were announced")


def room(path: Path, dtype: str, count: int) -> NDArray[Any]:
    """Return a mapped .npy file of `count` zeros, 1 or more, to be written to.

    The zeros are written and not only announced: a full disk is an OSError here, where a page that finds no room later
    would end the process.
    """
    kind = np.dtype(dtype)
    with path.open("wb") as file:
        _write_header(file, kind, (count,))
        left = count * kind.itemsize
        while left:
            left -= file.write(_ZEROS[:left])
    return _open(path, "r+")


def mapped(path: Path) -> NDArray[Any]:
    """Return the array of a .npy file, its pages read when needed; raises ValueError when it is no such file."""
    return _open(path, "r")


def _open(path: Path, mode: Literal["r", "r+"]) -> NDArray[Any]:
    # What is empty cannot be mapped.
    small = path.stat().st_size <= _SMALL and mode == "r"
    array = np.load(path, mmap_mode=None if small else mode, allow_pickle=False)
    # A plain view of the map, because every slice of a numpy.memmap costs microseconds.
    return np.asarray(array)


def _write_header(file: BinaryIO, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
    npy.write_array_header_1_0(file, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
