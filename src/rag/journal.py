"""Vectors as they are made, by the digest of their text: a build that was stopped finds them again."""

import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_KEY = 32
_CHECKSUM = 4


class Journal:
    """An append-only file of records: a text's SHA-256, its vector, and a checksum of both.

    The first line names the encoder; a file of another encoder is begun anew. Records are read up to the first whose
    checksum is wrong, and what follows it, as a process that was killed or a full disk leaves it, is cut off. Only the
    digests are held in memory. `width` is the length of a vector, 0 while there is none.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open or begin the journal of an encoder; raises OSError when the file cannot be written."""
        self.path = path
        # Unbuffered: what `add` wrote is the system's, and a full disk shows at once.
        self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        self._fingerprint = fingerprint
        self._records: dict[bytes, int] = {}
        self._begin = self._count = self.width = 0
        self._recover()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()

    def __contains__(self, key: bytes) -> bool:
        return key in self._records

    def __len__(self) -> int:
        return len(self._records)

    def add(self, keys: Sequence[bytes], rows: NDArray[np.float32]) -> None:
        """Append the vectors, (keys, d), of texts with these digests; they survive the process from here on."""
        if not self.width:
            self._start(rows.shape[1])
        records = [key + row.astype("<f4").tobytes() for key, row in zip(keys, rows, strict=True)]
        self._file.seek(0, os.SEEK_END)
        self._write(b"".join(record + _checksum(record) for record in records))
        for key in keys:
            self._records[key] = self._count
            self._count += 1

    def row(self, key: bytes) -> NDArray[np.float32]:
        """Return the vector of a text; raises KeyError when it is not there."""
        size = self._size
        self._file.seek(self._begin + self._records[key] * size + _KEY)
        return np.frombuffer(self._file.read(4 * self.width), "<f4").astype(np.float32)

    @property
    def _size(self) -> int:
        return _KEY + 4 * self.width + _CHECKSUM

    def _recover(self) -> None:
        line = self._file.readline(1000)
        try:
            head = json.loads(line)
            known = head["checksum"] == zlib.crc32(f"{head['fingerprint']} {head['width']}".encode())
        except (ValueError, KeyError, TypeError):
            known = False
        if not known or head["fingerprint"] != self._fingerprint or not line.endswith(b"\n"):
            self._file.seek(0)
            self._file.truncate()
            return
        self._begin, self.width = len(line), int(head["width"])
        while True:
            record = self._file.read(self._size)
            if len(record) < self._size or record[-_CHECKSUM:] != _checksum(record[:-_CHECKSUM]):
                break
            self._records[record[:_KEY]] = self._count
            self._count += 1
        self._file.truncate(self._begin + self._count * self._size)

    def _write(self, content: bytes) -> None:
        while content:
            content = content[self._file.write(content) :]

    def _start(self, width: int) -> None:
        checksum = zlib.crc32(f"{self._fingerprint} {width}".encode())
        head = {"fingerprint": self._fingerprint, "width": width, "checksum": checksum}
        line = json.dumps(head).encode() + b"\n"
        self._file.seek(0)
        self._write(line)
        self._begin, self.width = len(line), width


def _checksum(record: bytes) -> bytes:
    return zlib.crc32(record).to_bytes(_CHECKSUM, "little")
