"""A reader's own files: an index of them in a temporary folder that only their session can ask, deleted with it."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rag.corpus import read_corpus
from rag.errors import CorpusError
from rag.formats import SUFFIXES, Limits, missing_library
from rag.index import Progress, Settings, build_with
from rag.labels import Labels, Refused
from rag.spans import Document

if TYPE_CHECKING:
    from rag.ask import Assistant

MOST_FILES = 10
MOST_BYTES = 5_000_000
"""In each file."""
MOST_CHARACTERS = 500_000
"""In all files of one reader together: as much as is embedded in a minute or two."""
MOST_NAME = 100
MOST_READERS = 32
"""Readers who have files of their own at one time."""
LIMITS = Limits(file_bytes=MOST_BYTES, characters=MOST_CHARACTERS, pages=500, unpacked_bytes=50_000_000, seconds=20)
"""What reading one file may cost."""
IDLE_SECONDS = 3600
"""Files of a reader who has done nothing for so long make room for another's."""


class UploadRefused(Exception):  # a fact about a file, told to its reader in their language
    """A file was not taken: `why`, and its `name`."""

    def __init__(self, why: Refused, name: str = "") -> None:
        super().__init__(why)
        self.why: Refused = why
        self.name = name

    def message(self, labels: Labels) -> str:
        """Return the sentence that tells the reader."""
        return labels.refused[self.why].format(
            name=self.name,
            files=MOST_FILES,
            size=MOST_BYTES // 1_000_000,
            characters=f"{MOST_CHARACTERS:,}",
            kinds=", ".join(kinds()),
        )


def kinds() -> tuple[str, ...]:
    """Return the endings of the names of files that can be read here."""
    return tuple(suffix for suffix in SUFFIXES if missing_library(suffix) is None)


@dataclass(slots=True)
class _Reader:
    """The files of one session."""

    folder: "TemporaryDirectory[str]"
    assistant: "Assistant | None"
    used: float
    lock: threading.Lock


class Uploads:
    """The readers' own files, by session; safe to use from several threads."""

    def __init__(self, assistant: "Assistant") -> None:
        self._assistant = assistant
        self._readers: dict[str, _Reader] = {}
        self._lock = threading.Lock()

    def assistant(self, session: str) -> "Assistant | None":
        """Return what answers from a session's own files; None where it has none."""
        reader = self._readers.get(session)
        if reader is None:
            return None
        reader.used = time.monotonic()
        return reader.assistant

    def documents(self, session: str) -> Sequence[Document]:
        """Return the documents of a session's own files."""
        assistant = self.assistant(session)
        return () if assistant is None else assistant.documents

    def add(self, session: str, files: Mapping[str, bytes], progress: Progress) -> None:
        """Take in files by their names, and index them with those that are there.

        All are taken or, where one cannot be, none. Raises UploadRefused.
        """
        for name, data in files.items():
            _check(name, data)
        reader = self._enter(session)
        with reader.lock:
            kept = _folder(reader)
            self._stage(reader, files)
            try:
                self._index(reader, progress)
            except BaseException:
                for name in files:
                    (kept / name).unlink(missing_ok=True)
                raise

    def remove(self, session: str, name: str, progress: Progress) -> None:
        """Take away a file of a session, and all that was made of it with the last one.

        Raises UploadRefused when it is not there.
        """
        reader = self._readers.get(session)
        if reader is None or name not in _names(reader):
            raise UploadRefused("gone", name)
        with reader.lock:
            (_folder(reader) / name).unlink(missing_ok=True)
            if _names(reader):
                self._index(reader, progress)
                return
        self.close(session)

    def close(self, session: str) -> None:
        """Delete a session's own files and their index."""
        with self._lock:
            reader = self._readers.pop(session, None)
        if reader is not None:
            reader.folder.cleanup()

    def close_all(self) -> None:
        """Delete the files of all sessions."""
        for session in tuple(self._readers):
            self.close(session)

    def _enter(self, session: str) -> _Reader:
        with self._lock:
            now = time.monotonic()
            for other, reader in tuple(self._readers.items()):
                if now - reader.used > IDLE_SECONDS:
                    del self._readers[other]
                    reader.folder.cleanup()
            if session not in self._readers:
                if len(self._readers) >= MOST_READERS:
                    raise UploadRefused("crowded")
                folder = TemporaryDirectory(prefix="verbatim-", ignore_cleanup_errors=True)
                self._readers[session] = _Reader(folder, None, now, threading.Lock())
            self._readers[session].used = now
            return self._readers[session]

    def _stage(self, reader: _Reader, files: Mapping[str, bytes]) -> None:
        """Write files into the reader's folder once each has been read alone, so that the one at fault is named."""
        there = _names(reader)
        for name in files:
            if name in there:
                raise UploadRefused("taken", name)
        if len(there) + len(files) > MOST_FILES:
            raise UploadRefused("too_many")
        length = sum(len(document.text) for document in (reader.assistant.documents if reader.assistant else ()))
        with TemporaryDirectory(dir=reader.folder.name) as waiting:
            for number, (name, data) in enumerate(files.items()):
                alone = Path(waiting, str(number))
                alone.mkdir()
                (alone / name).write_bytes(data)
                try:
                    length += sum(len(document.text) for document in read_corpus(alone, limits=LIMITS).documents)
                except CorpusError:
                    raise UploadRefused("unreadable", name) from None
                if length > MOST_CHARACTERS:
                    raise UploadRefused("too_long", name)
            for number, name in enumerate(files):
                Path(waiting, str(number), name).replace(_folder(reader) / name)

    def _index(self, reader: _Reader, progress: Progress) -> None:
        index = Path(reader.folder.name, "index")
        build_with(_folder(reader), index, self._assistant.encoder, settings=Settings(), progress=progress)
        reader.assistant = self._assistant.over(index)


def _check(name: str, data: bytes) -> None:
    path = Path(name)
    if name != path.name or not name.isprintable() or name.startswith(".") or len(name) > MOST_NAME or "\\" in name:
        raise UploadRefused("bad_name", "".join(filter(str.isprintable, name))[:MOST_NAME])
    if path.suffix.lower() not in kinds():
        raise UploadRefused("bad_kind", name)
    if len(data) > MOST_BYTES:
        raise UploadRefused("too_big", name)


def _folder(reader: _Reader) -> Path:
    folder = Path(reader.folder.name, "files")
    folder.mkdir(exist_ok=True)
    return folder


def _names(reader: _Reader) -> Sequence[str]:
    return sorted(path.name for path in _folder(reader).iterdir())
