"""The file that vouches for an index: what it holds, and every file's SHA-256; and the lock of its folder."""

import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import IndexDirectoryError

FORMAT = 6
MANIFEST = "manifest.json"
LOCK = ".lock"

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says, and the stamp that tells its file from a later one."""

    fields: Mapping[str, Any]
    stamp: Stamp

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of an index; raises IndexDirectoryError when there is none, or a damaged or foreign one."""
        path = folder / MANIFEST
        if not path.is_file():
            raise IndexDirectoryError(
                f"there is no index in {folder}; make one with `rag build FOLDER --index {folder}`"
            )
        try:
            with path.open("rb") as file:
                stamp = _stamp(os.fstat(file.fileno()))
                fields = json.loads(file.read())
            checksum = fields.pop("checksum")
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise damaged(folder, f"{MANIFEST} cannot be read") from error
        if fields.get("format") != FORMAT and checksum == _checksum(fields):
            raise IndexDirectoryError(
                f"the index in {folder} has format {fields.get('format')} and this version reads {FORMAT};"
                " make it again with `rag build`"
            )
        if checksum != _checksum(fields):
            raise damaged(folder, f"{MANIFEST} was changed")
        return cls(fields, stamp)

    @staticmethod
    def write(folder: Path, data: Path, fields: Mapping[str, Any]) -> None:
        """Vouch for every file in `data`, and put the manifest in place: the one step that makes them the index.

        Raises OSError when a file cannot be written to the disk.
        """
        files = _files(data)
        for path in files:
            _flush(path)
        with ThreadPoolExecutor() as threads:
            digests = list(threads.map(_file_digest, files))
        whole = {
            "format": FORMAT,
            **fields,
            "data": data.name,
            "bytes": sum(path.stat().st_size for path in files),
            "files": {path.relative_to(data).as_posix(): digest for path, digest in zip(files, digests, strict=True)},
        }
        beside = folder / f"{MANIFEST}.new"
        try:
            beside.write_text(json.dumps({**whole, "checksum": _checksum(whole)}, indent=1), encoding="ascii")
            _flush(beside)
            for each in {path.parent for path in files} | {data, folder}:
                _flush_folder(each)
            beside.replace(folder / MANIFEST)
            _flush_folder(folder)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise

    def verify(self, folder: Path, *, only: Collection[str] = ()) -> None:
        """Compare every file, or `only` some, with its SHA-256 before anything reads it.

        Raises IndexDirectoryError at a difference.
        """
        data, files = folder / self.fields["data"], self.fields["files"]
        wanted = {name: files[name] for name in only} or files
        if not only and {path.relative_to(data).as_posix() for path in _files(data)} != set(wanted):
            raise damaged(folder, "files of it are missing or were added")

        def digest(name: str) -> str | None:
            try:
                return _file_digest(data / name)
            except OSError:
                return None

        with ThreadPoolExecutor() as threads:
            found = list(threads.map(digest, wanted))
        for name, each in zip(wanted, found, strict=True):
            if each is None:
                raise damaged(folder, f"{name} cannot be read")
            if each != wanted[name]:
                raise damaged(folder, f"{name} was changed")


def stamp_of(folder: Path) -> Stamp | None:
    """Return the stamp of the manifest that lies in a folder now; None where there is none."""
    try:
        return _stamp((folder / MANIFEST).stat())
    except OSError:
        return None


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process ends, however it ends.

    Raises IndexDirectoryError when another process holds it, or when the folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("ab")
    with file:
        _lock(file, folder)
        yield


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in one sentence what keeps the index from being written."""
    try:
        yield
    except OSError as error:
        raise IndexDirectoryError(
            f"the index cannot be written to {folder} ({error.strerror or error}); choose another folder with --index"
        ) from error


def damaged(folder: Path, what: str) -> IndexDirectoryError:
    """Return the error that says that an index cannot be trusted."""
    return IndexDirectoryError(f"the index in {folder} is damaged ({what}); make it again with `rag build`")


def _lock(file: BinaryIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # no such lock on Windows: there, two builders are left to the atomic rename
        return
    try:
        with writing(folder):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except IndexDirectoryError as error:
        if not isinstance(error.__cause__, BlockingIOError):
            raise
        raise IndexDirectoryError(
            f"another build is writing {folder}; wait until it has ended, or name another folder"
        ) from error


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _files(data: Path) -> list[Path]:
    return sorted(path for path in data.rglob("*") if path.is_file())


def _flush(path: Path) -> None:
    # Windows flushes only what is open for writing.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
