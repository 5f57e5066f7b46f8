"""Builds, opens and verifies an index: a folder of passages, vectors and words that a manifest vouches for."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
from numpy.typing import NDArray

from rag.corpus import check_folder, read_corpus
from rag.encode import BUNDLED, Encoder, lasting_name, open_encoder, spec_fingerprint
from rag.engine import Engine, Selection
from rag.errors import IndexDirectoryError
from rag.local import Local
from rag.sentences import sentences
from rag.sources import Corpus, Skipped, Sources
from rag.spans import Document, Span
from rag.split import split

FORMAT = 3
MANIFEST = "manifest.json"
LOCK = ".lock"
# As many texts as are embedded between two reports of progress.
SLICE = 64
# The names that `_write` gives, and no others: what else lies beside the index is the user's.
_DATA = re.compile(r"data-[0-9a-f]{16}-\d+")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes the passages: their size and overlap in characters."""

    passage_size: int = 480
    passage_overlap: int = 160


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: `embedded` and `reused` count passages, `skipped` are the files that could not be read."""

    documents: int
    passages: int
    embedded: int
    reused: int
    seconds: float
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Passages(Sequence[Span]):
    """The passages of an index as spans made on demand: `places` has a row (document, start, end) for each."""

    documents: tuple[Document, ...]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, number: int) -> Span: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Span]: ...
    def __getitem__(self, number: int | slice) -> Span | Sequence[Span]:
        """Return one passage, or those of a slice."""
        if isinstance(number, slice):
            return Passages(self.documents, self.places[number])
        document, start, end = self.places[number].tolist()
        return Span(self.documents[document], start, end)

    def within(self, ids: Sequence[str] | None = None, *, language: str | None = None) -> Selection:
        """Select the passages of the documents of these ids, of a language, or of both conditions."""
        chosen = None if ids is None else frozenset(ids)
        wanted = [
            i
            for i, document in enumerate(self.documents)
            if (chosen is None or document.id in chosen) and (language is None or document.language == language)
        ]
        rows = np.flatnonzero(np.isin(self.places[:, 0], wanted)).astype(np.int64)
        return Selection(rows, chosen, language)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """An opened index: a later build does not disturb it. `stamp` tells its manifest from a later one."""

    folder: Path
    stamp: tuple[int, ...]
    documents: tuple[Document, ...]
    passages: Passages
    engine: Engine
    encoder_name: str
    encoder_fingerprint: str
    settings: Settings
    sources: Sources
    built: str

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages of the documents, the most frequent first."""
        counts: dict[str, int] = {}
        for document in self.documents:
            counts[document.language] = counts.get(document.language, 0) + 1
        return tuple(sorted(counts, key=lambda language: (-counts[language], language)))

    @property
    def is_current(self) -> bool:
        """Tell whether its folder still holds this index and no later one; costs one look at the manifest's entry."""
        return self.stamp_now() == self.stamp

    def stamp_now(self) -> tuple[int, ...]:
        """Return the stamp of the manifest that its folder holds now; its own where there is none."""
        try:
            return _stamp((self.folder / MANIFEST).stat())
        except OSError:
            return self.stamp


@dataclass(frozen=True, slots=True)
class _Old:
    """What a build can take over from the index before it."""

    inputs: str = ""
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    passages: int = 0


def build(
    corpus: Path | str = "seeds",
    index: Path | str = "index",
    *,
    encoder: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Make or renew the index of a folder of documents.

    `encoder` is "bundled", a sentence-transformers folder or a model's name. Only passages whose text is new to the
    index, or all of them under another encoder, are embedded; without any change nothing is written. The old index
    stays whole until the new one is. A file that cannot be read is skipped, and the report says why. `progress` is told
    (stage, done, total). Raises CorpusError when no document can be read, EncoderError, and IndexDirectoryError when
    the folder cannot be written or another build is at it.
    """
    return build_with(
        Path(corpus),
        Path(index),
        LazyEncoder(encoder or BUNDLED),
        settings=settings or Settings(),
        progress=progress or (lambda stage, done, total: None),
    )


class LazyEncoder:
    """An encoder that is loaded only when a text has to be embedded."""

    def __init__(self, spec: str) -> None:
        self.name = lasting_name(spec)
        self._opened: Encoder | None = None
        fingerprint = spec_fingerprint(spec)
        self.fingerprint = fingerprint or self._open().fingerprint

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return self._open().dimensions

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages."""
        return self._open().encode_passages(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions."""
        return self._open().encode_questions(texts)

    def _open(self) -> Encoder:
        if self._opened is None:
            self._opened = open_encoder(self.name)
        return self._opened


def build_with(corpus: Path, index: Path, encoder: Encoder, *, settings: Settings, progress: Progress) -> BuildReport:
    """Build with an encoder at hand; see `build`."""
    check_folder(corpus)
    return renew(lambda kept: read_corpus(corpus, kept=kept), index, encoder, settings=settings, progress=progress)


def renew(
    gather: Callable[[Corpus], Corpus], index: Path, encoder: Encoder, *, settings: Settings, progress: Progress
) -> BuildReport:
    """Make an index hold the documents that `gather` returns when told those that it holds; see `build`."""
    began = time.monotonic()
    with _exclusive(index):
        found = gather(read_kept(index))
        documents = found.documents
        progress("read", len(documents), len(documents))
        old = _read_old(index, encoder.fingerprint)
        inputs = _inputs(found, encoder, settings)
        if old.inputs == inputs:
            _clear(index)
            return BuildReport(len(documents), old.passages, 0, old.passages, time.monotonic() - began, found.skipped)
        passages = _split(documents, settings, progress)
        if not len(passages):
            raise IndexDirectoryError("the documents hold no passage; add some text and build again")
        rows, embedded = _embed(passages, encoder, old.vectors, progress)
        _write(index, found, passages, rows, encoder, settings, inputs)
        _clear(index)
    reused, seconds = len(passages) - embedded, time.monotonic() - began
    return BuildReport(len(documents), len(passages), embedded, reused, seconds, found.skipped)


def read_kept(folder: Path) -> Corpus:
    """Return the documents of an index and where they came from, whatever its encoder; none where there is none.

    Of an index whose documents are damaged only their sources are returned.
    """
    try:
        manifest, _ = _read_manifest(folder)
        sources = Sources.of(manifest["sources"])
    except (IndexDirectoryError, KeyError, TypeError, ValueError):
        return Corpus()
    try:
        content = (folder / manifest["data"] / "documents.jsonl").read_bytes()
        whole = _digest(content) == manifest["files"]["documents.jsonl"]
        return Corpus(_documents(content) if whole else (), sources)
    except (OSError, KeyError, TypeError, ValueError):
        return Corpus((), sources)


def open_index(folder: Path | str = "index") -> Index:
    """Open an index after verifying every file of it.

    Raises IndexDirectoryError when there is none, or it is damaged or of another version.
    """
    folder = Path(folder)
    while True:
        manifest, stamp = _read_manifest(folder)
        try:
            return _open_data(folder, manifest, stamp)
        except IndexDirectoryError:
            # A build that ended in the meantime has taken these data away and put others in their place.
            if _read_manifest(folder)[0] == manifest:
                raise


def _open_data(folder: Path, manifest: Mapping[str, Any], stamp: tuple[int, ...]) -> Index:
    data = folder / manifest["data"]
    try:
        _verify(data, manifest["files"])
        documents = _documents((data / "documents.jsonl").read_bytes())
        places = np.load(data / "passages.npy", allow_pickle=False)
        return Index(
            folder=folder,
            stamp=stamp,
            documents=documents,
            passages=Passages(documents, places),
            engine=Local.load(data),
            encoder_name=manifest["encoder"]["name"],
            encoder_fingerprint=manifest["encoder"]["fingerprint"],
            settings=Settings(**manifest["settings"]),
            sources=Sources.of(manifest["sources"]),
            built=manifest["built"],
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(folder, "a file of it cannot be read") from error


def is_missing(folder: Path) -> bool:
    """Tell whether there is nothing of an index in a folder; one that is damaged is not missing."""
    # The repository keeps a README there, and an interrupted build can leave hidden files.
    return not folder.exists() or (
        folder.is_dir() and all(path.name == "README.md" or path.name.startswith(".") for path in folder.iterdir())
    )


def _split(documents: Sequence[Document], settings: Settings, progress: Progress) -> Passages:
    places = []
    for number, document in enumerate(documents):
        if document.text.strip():
            parts = sentences(Span(document, 0, len(document.text)))
            spans = split(document, parts, size=settings.passage_size, overlap=settings.passage_overlap)
            places += [(number, span.start, span.end) for span in spans]
        progress("split", number + 1, len(documents))
    return Passages(tuple(documents), np.array(places, np.int64).reshape(-1, 3))


def _embed(
    passages: Passages, encoder: Encoder, known: Mapping[str, NDArray[np.float32]], progress: Progress
) -> tuple[NDArray[np.float32], int]:
    """Return a row for each passage, and how many had to be embedded."""
    keys = [_digest(passage.text.encode()) for passage in passages]
    # A text that several passages have is embedded once.
    firsts = {key: i for i, key in reversed(list(enumerate(keys)))}
    missing = sorted(i for key, i in firsts.items() if key not in known)
    fresh: dict[str, NDArray[np.float32]] = {}
    for first in range(0, len(missing), SLICE):
        part = missing[first : first + SLICE]
        vectors = encoder.encode_passages([passages[i].text for i in part])
        fresh.update((keys[i], vector) for i, vector in zip(part, vectors, strict=True))
        progress("embed", first + len(part), len(missing))
    rows = np.stack([known[key] if key in known else fresh[key] for key in keys])
    return np.ascontiguousarray(rows, np.float32), len(missing)


def _write(
    folder: Path,
    corpus: Corpus,
    passages: Passages,
    rows: NDArray[np.float32],
    encoder: Encoder,
    settings: Settings,
    inputs: str,
) -> None:
    """Write the data beside the old ones; replacing the manifest is the one step that makes them the index."""
    data = folder / f"data-{inputs[:16]}-{os.getpid()}"
    beside = folder / f"{MANIFEST}.new"
    try:
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        lines = [json.dumps(_document_fields(document), ensure_ascii=False) + "\n" for document in corpus.documents]
        (data / "documents.jsonl").write_bytes("".join(lines).encode())
        np.save(data / "passages.npy", passages.places, allow_pickle=False)
        engine = Local.write(data, passages, rows)
        manifest = {
            "format": FORMAT,
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "data": data.name,
            "inputs": inputs,
            "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint, "dimensions": rows.shape[1]},
            "engine": dict(engine.description),
            "settings": asdict(settings),
            "passages": len(passages),
            "sources": corpus.sources.to_dict(),
            "files": {path.relative_to(data).as_posix(): _digest(path.read_bytes()) for path in _files(data)},
        }
        for path in _files(data):
            _flush(path)
        beside.write_text(json.dumps({**manifest, "checksum": _checksum(manifest)}, indent=1), encoding="ascii")
        _flush(beside)
        beside.replace(folder / MANIFEST)
    except OSError as error:
        shutil.rmtree(data, ignore_errors=True)
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise _unwritable(folder, error) from error


def _clear(folder: Path) -> None:
    """Remove the data that earlier builds, or interrupted ones, left behind."""
    current = _read_manifest(folder)[0]["data"]
    for path in folder.iterdir():
        if path.name != current and _DATA.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _read_old(folder: Path, fingerprint: str) -> _Old:
    """Return what can be reused; a damaged or foreign index is as good as none."""
    try:
        manifest, _ = _read_manifest(folder)
        if manifest["encoder"]["fingerprint"] != fingerprint:
            return _Old()
        index = open_index(folder)
    except IndexDirectoryError:
        return _Old()
    rows = index.engine.rows(0, len(index.engine))
    vectors = {_digest(p.text.encode()): row for p, row in zip(index.passages, rows, strict=True)}
    return _Old(manifest["inputs"], vectors, len(index.passages))


def _read_manifest(folder: Path) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return what the manifest says, and the stamp of the file that said it."""
    path = folder / MANIFEST
    if not path.is_file():
        raise IndexDirectoryError(f"there is no index in {folder}; make one with `rag build FOLDER --index {folder}`")
    try:
        with path.open("rb") as file:
            stamp = _stamp(os.fstat(file.fileno()))
            manifest = json.loads(file.read())
        checksum = manifest.pop("checksum")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _damaged(folder, f"{MANIFEST} cannot be read") from error
    if manifest.get("format") != FORMAT and checksum == _checksum(manifest):
        raise IndexDirectoryError(
            f"the index in {folder} has format {manifest.get('format')} and this version reads {FORMAT};"
            " make it again with `rag build`"
        )
    if checksum != _checksum(manifest):
        raise _damaged(folder, f"{MANIFEST} was changed")
    return dict(manifest), stamp


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _verify(data: Path, files: Mapping[str, str]) -> None:
    if {path.relative_to(data).as_posix() for path in _files(data)} != set(files):
        raise _damaged(data.parent, "files of it are missing or were added")
    for name, digest in files.items():
        try:
            found = _digest((data / name).read_bytes())
        except OSError as error:
            raise _damaged(data.parent, f"{name} cannot be read") from error
        if found != digest:
            raise _damaged(data.parent, f"{name} was changed")


def _inputs(corpus: Corpus, encoder: Encoder, settings: Settings) -> str:
    """Return a digest of all that decides what the index holds."""
    documents = [_document_fields(document) for document in corpus.documents]
    described = [FORMAT, encoder.fingerprint, asdict(settings), documents, corpus.sources.to_dict()]
    return _digest(json.dumps(described, sort_keys=True).encode())


def _documents(content: bytes) -> tuple[Document, ...]:
    return tuple(_document(json.loads(line)) for line in content.split(b"\n") if line)


def _document(fields: Mapping[str, Any]) -> Document:
    return Document(**{**fields, "pages": tuple(fields["pages"]), "headings": tuple(fields["headings"])})


def _document_fields(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "language": document.language,
        "text": document.text,
        "date": document.date,
        "url": document.url,
        "pages": document.pages,
        "headings": document.headings,
    }


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise _unwritable(folder, error) from error
    with file:
        _lock(file, folder)
        yield


def _lock(file: BinaryIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # no such lock on Windows: there, two builders are left to the atomic rename
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise IndexDirectoryError(
            f"another build is writing {folder}; wait until it has ended, or name another folder"
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error


def _files(data: Path) -> list[Path]:
    return sorted(path for path in data.rglob("*") if path.is_file())


def _flush(path: Path) -> None:
    # Windows flushes only what is open for writing.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _checksum(manifest: Mapping[str, Any]) -> str:
    return _digest(json.dumps(manifest, sort_keys=True).encode())


def _damaged(folder: Path, what: str) -> IndexDirectoryError:
    return IndexDirectoryError(f"the index in {folder} is damaged ({what}); make it again with `rag build`")


def _unwritable(folder: Path, error: OSError) -> IndexDirectoryError:
    return IndexDirectoryError(
        f"the index cannot be written to {folder} ({error.strerror or error}); choose another folder with --index"
    )
