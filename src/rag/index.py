"""Builds, opens and renews an index: passages, vectors and words in a folder that a manifest vouches for."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.corpus import check_folder, read_corpus
from rag.documents import HEADS, TEXTS, Documents, fields_of, write_documents
from rag.encode import BUNDLED, Encoder, LazyEncoder
from rag.engine import Engine
from rag.engines import keep_place, open_engine, place_of, tidy
from rag.errors import IndexDirectoryError
from rag.files import mapped, write_rows
from rag.journal import Journal
from rag.local import Local
from rag.manifest import FORMAT, MANIFEST, Manifest, damaged, exclusive, stamp_of, writing
from rag.passage_sentences import PassageSentences, touching
from rag.passages import Passages, Spans
from rag.qdrant import Qdrant
from rag.qdrant_collection import Place, reach
from rag.search import Collection
from rag.sentences import sentences
from rag.sources import Corpus, Skipped, Sources
from rag.spans import Document, Span
from rag.split import split
from rag.vectors import ROWS

JOURNAL = ".journal"
# As many texts as are embedded between two reports of progress, by each worker.
SLICE = 64
_ROWS_AT_ONCE = 4096
# Among so many texts, those of one length are embedded together, as a model pads the shorter ones; they come from near
# places, because a document is read whole.
_SORTED_AT_ONCE = 1024
# The names that `_beside` gives, and no others: what else lies beside the index is the user's.
_DATA = re.compile(r"data-[0-9a-f]{16}-\d+")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes the passages: their size and overlap in characters."""

    passage_size: int = 480
    passage_overlap: int = 160


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: `embedded` and `reused` count passages, `skipped` are the files that could not be read.

    A passage's sentences are embedded with it. `size` is the bytes of the index's folder; `recall` the share of the ten
    nearest vectors that its search finds, measured on a sample when it was built, 1 where the search is exact, None
    where an engine elsewhere searches.
    """

    documents: int
    passages: int
    embedded: int
    reused: int
    seconds: float
    skipped: tuple[Skipped, ...] = ()
    size: int = 0
    recall: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """An opened index: a later build does not disturb it. `languages` has the most frequent first."""

    folder: Path
    manifest: Manifest
    documents: Sequence[Document]
    collection: Collection
    languages: tuple[str, ...]
    encoder_name: str
    encoder_fingerprint: str
    settings: Settings
    sources: Sources
    built: str

    @property
    def passages(self) -> Passages:
        """Return the passages, in the order of their rows."""
        return self.collection.passages

    @property
    def engine(self) -> Engine:
        """Return what searches the passages."""
        return self.collection.engine

    @property
    def stamp_now(self) -> tuple[int, ...]:
        """Return the stamp of the manifest that the folder holds now, its own where there is none."""
        return stamp_of(self.folder) or self.manifest.stamp

    @property
    def is_current(self) -> bool:
        """Tell whether the folder still holds this index and no later one; costs one look at the manifest's entry."""
        return self.stamp_now == self.manifest.stamp


@dataclass(frozen=True, slots=True)
class _Known:
    """Vectors that an index has: the rows of its texts, by their digest, and what reads some that follow each other."""

    width: int = 0
    rows: Mapping[bytes, int] = field(default_factory=dict)
    read: Callable[[int, int], NDArray[np.float32]] | None = None

    @classmethod
    def of(cls, spans: Sequence[Span], width: int, read: Callable[[int, int], NDArray[np.float32]]) -> "_Known":
        return cls(width, {key_of(span.text): row for row, span in enumerate(spans)}, read)

    def take(self, keys: Sequence[bytes]) -> NDArray[np.float32]:
        """Return the vectors of texts that are known, (keys, d); those that lay together are read together."""
        assert self.read is not None
        numbers = [self.rows[key] for key in keys]
        vectors = np.empty((len(keys), self.width), np.float32)
        breaks = [0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
        for first, last in pairwise(breaks):
            vectors[first:last] = self.read(numbers[first], numbers[last - 1] + 1)
        return vectors


@dataclass(frozen=True, slots=True)
class _Old:
    """What a build can take over from the index before it."""

    passages: _Known = field(default_factory=_Known)
    sentences: _Known = field(default_factory=_Known)

    @classmethod
    def read(cls, folder: Path, fingerprint: str) -> "_Old":
        """Read the index in a folder; a damaged one, or one of another encoder, is as good as none."""
        try:
            if Manifest.read(folder).fields["encoder"]["fingerprint"] != fingerprint:
                return cls()
            index = open_index(folder)
        except IndexDirectoryError:
            return cls()
        width, sentences = index.engine.dimensions, index.collection.sentences
        return cls(
            _Known.of(index.passages, width, index.engine.rows), _Known.of(sentences.spans, width, sentences.vectors)
        )


@dataclass(frozen=True, slots=True)
class Divided:
    """Documents as a build divides them; `touched` are the sentences of each passage, as in `PassageSentences`."""

    passages: Passages
    sentences: Spans
    touched: NDArray[np.int64]

    def __iter__(self) -> Iterator[Span]:
        """Yield what is embedded: each passage and then each sentence."""
        return chain(self.passages, self.sentences)

    def __getitem__(self, at: int) -> Span:
        """Return the span at this place of the iteration."""
        count = len(self.passages)
        return self.passages[at] if at < count else self.sentences[at - count]


def build(
    corpus: Path | str = "seeds",
    index: Path | str = "index",
    *,
    encoder: str | None = None,
    engine: str | None = None,
    url: str | None = None,
    workers: int = 1,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Make or renew the index of a folder of documents.

    `encoder` is "bundled", a sentence-transformers folder or a model's name; by default the one that the index has, and
    "bundled" for a new one. Only passages and sentences whose text is new to the index, or all of them under another
    encoder, are embedded; without any change nothing is written. The old index stays whole until the new one is, and a
    build that was stopped goes on with the vectors it had made. `workers` processes embed. `engine` is "local", or
    "qdrant" with the `url` of a server, a folder, or ":memory:" for this process; an index keeps the engine of its
    first build. A file that cannot be read is skipped, and the report says
    why. `progress` is told (stage, done, total). Raises CorpusError when no document can be read, EncoderError,
    EngineError when the engine cannot be had or is not that of the index, and IndexDirectoryError when the folder
    cannot be written or another build is at it.
    """
    with LazyEncoder(encoder or _encoder_of(Path(index)), workers=workers) as opened:
        return build_with(
            Path(corpus),
            Path(index),
            opened,
            settings=settings or Settings(),
            progress=progress or (lambda stage, done, total: None),
            at_once=SLICE * workers,
            engine=engine,
            url=url,
        )


def _encoder_of(index: Path) -> str:
    """Return the name of an index's encoder, the bundled one's where there is no index or one that cannot be read."""
    try:
        return str(Manifest.read(index).fields["encoder"]["name"])
    except IndexDirectoryError:
        return BUNDLED


def build_with(
    corpus: Path,
    index: Path,
    encoder: Encoder,
    *,
    settings: Settings,
    progress: Progress,
    at_once: int = SLICE,
    engine: str | None = None,
    url: str | None = None,
) -> BuildReport:
    """Build with an encoder at hand, which embeds `at_once` texts a call; see `build`."""
    check_folder(corpus)
    return renew(
        lambda kept: read_corpus(corpus, kept=kept),
        index,
        encoder,
        settings=settings,
        progress=progress,
        at_once=at_once,
        engine=engine,
        url=url,
    )


def renew(
    gather: Callable[[Corpus], Corpus],
    index: Path,
    encoder: Encoder,
    *,
    settings: Settings,
    progress: Progress,
    at_once: int = SLICE,
    engine: str | None = None,
    url: str | None = None,
) -> BuildReport:
    """Make an index hold the documents that `gather` returns when told those that it holds; see `build`."""
    began = time.monotonic()
    with exclusive(index):
        place = place_of(index, engine, url)
        if place is not None:
            reach(place)
        _clear(index)
        found = gather(read_kept(index))
        progress("read", len(found.documents), len(found.documents))
        inputs = _inputs(found, encoder, settings)
        embedded = 0
        if not _holds(index, inputs):
            old = _Old.read(index, encoder.fingerprint)
            with _beside(index, inputs) as data:
                with writing(index):
                    write_documents(data, found.documents)
                divided = split_documents(Documents(data), settings, progress)
                if not len(divided.passages):
                    raise IndexDirectoryError("the documents hold no passage; add some text and build again")
                with _journal(index, encoder.fingerprint) as journal:
                    keys, embedded = _embed(divided, encoder, old, journal, progress, at_once=at_once)
                    with writing(index):
                        count = len(divided.passages)
                        rows = _Rows(keys[:count], old.passages, journal)
                        sentence_rows = _Rows(keys[count:], old.sentences, journal)
                        PassageSentences.write(
                            data, divided.sentences, divided.touched, rows.width, _in_parts(sentence_rows)
                        )
                        made = _write(index, data, divided.passages, rows, place, encoder.fingerprint)
                with writing(index):
                    Manifest.write(index, data, _described(inputs, found, count, made, encoder, settings))
        if place is not None:
            tidy(open_index(index).engine)
        _clear(index, finished=True)
        fields = Manifest.read(index).fields
    count, recall = fields["passages"], fields["engine"].get("recall@10")
    reused, seconds = count - embedded, time.monotonic() - began
    return BuildReport(len(found.documents), count, embedded, reused, seconds, found.skipped, fields["bytes"], recall)


def read_kept(folder: Path) -> Corpus:
    """Return the documents of an index and where they came from, whatever its encoder; none where there is none.

    Of an index whose documents are damaged only their sources are returned.
    """
    try:
        manifest = Manifest.read(folder)
        sources = Sources.of(manifest.fields["sources"])
    except (IndexDirectoryError, KeyError, TypeError, ValueError):
        return Corpus()
    try:
        manifest.verify(folder, only=(HEADS, TEXTS))
        return Corpus(tuple(Documents(folder / manifest.fields["data"])), sources)
    except (IndexDirectoryError, OSError, KeyError, TypeError, ValueError):
        return Corpus((), sources)


def open_index(folder: Path | str = "index") -> Index:
    """Open an index after verifying every file of it.

    Raises IndexDirectoryError when there is none, or it is damaged or of another version.
    """
    folder = Path(folder)
    while True:
        manifest = Manifest.read(folder)
        try:
            return _open_data(folder, manifest)
        except IndexDirectoryError:
            # A build that ended in the meantime has taken these data away and put others in their place.
            if Manifest.read(folder).fields == manifest.fields:
                raise


def _open_data(folder: Path, manifest: Manifest) -> Index:
    fields = manifest.fields
    manifest.verify(folder)
    data = folder / fields["data"]
    try:
        documents = Documents(data)
        passages = Passages(documents, np.load(data / "passages.npy", allow_pickle=False))
        parts = PassageSentences.load(data, documents)
        counts = Counter(head.language for head in documents.heads)
        return Index(
            folder=folder,
            manifest=manifest,
            documents=documents,
            collection=Collection(passages, parts, open_engine(data, fields["engine"])),
            languages=tuple(sorted(counts, key=lambda language: (-counts[language], language))),
            encoder_name=fields["encoder"]["name"],
            encoder_fingerprint=fields["encoder"]["fingerprint"],
            settings=Settings(**fields["settings"]),
            sources=Sources.of(fields["sources"]),
            built=fields["built"],
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise damaged(folder, "a file of it cannot be read") from error


def is_missing(folder: Path) -> bool:
    """Tell whether there is nothing of an index in a folder; one that is damaged is not missing."""
    # The repository keeps a README there, and an interrupted build can leave hidden files.
    return not folder.exists() or (
        folder.is_dir()
        and all(p.name == "README.md" or p.name.startswith(".") or _DATA.fullmatch(p.name) for p in folder.iterdir())
    )


def _holds(folder: Path, inputs: str) -> bool:
    """Tell whether a folder holds the whole index that these inputs make."""
    try:
        manifest = Manifest.read(folder)
        if manifest.fields["inputs"] != inputs:
            return False
        if manifest.fields["engine"]["name"] == "local":
            manifest.verify(folder)
        else:
            # What lies elsewhere may have gone while the folder stayed as it was.
            open_index(folder)
    except IndexDirectoryError:
        return False
    return True


def split_documents(documents: Sequence[Document], settings: Settings, progress: Progress | None = None) -> Divided:
    """Return the passages and sentences of documents, as a build makes them."""
    passages, parts, touched = array("q"), array("q"), array("q")
    for number, document in enumerate(documents):
        if document.text.strip():
            own = sentences(Span(document, 0, len(document.text)))
            spans = split(document, own, size=settings.passage_size, overlap=settings.passage_overlap)
            before = len(parts) // 3
            passages.extend(value for span in spans for value in (number, span.start, span.end))
            parts.extend(value for span in own for value in (number, span.start, span.end))
            touched.extend(before + value for pair in touching(spans, own) for value in pair)
        if progress is not None:
            progress("split", number + 1, len(documents))
    rows, places, pairs = (np.frombuffer(values, np.int64) for values in (passages, parts, touched))
    return Divided(
        Passages(documents, rows.reshape(-1, 3)), Spans(documents, places.reshape(-1, 3)), pairs.reshape(-1, 2)
    )


def _embed(
    divided: Divided, encoder: Encoder, old: _Old, journal: Journal, progress: Progress, *, at_once: int
) -> tuple[list[bytes], int]:
    """Enter the vectors of new texts into the journal.

    Returns the digest of each passage and then of each sentence, and how many texts of passages were new.
    """
    keys, count = [key_of(span.text) for span in divided], len(divided.passages)
    # A text that several have is embedded once.
    missing: dict[bytes, int] = {}
    for at, key in enumerate(keys):
        known = old.passages if at < count else old.sentences
        if key not in known.rows and key not in journal:
            missing.setdefault(key, at)
    wanted, done = list(missing.items()), 0
    for first in range(0, len(wanted), _SORTED_AT_ONCE):
        near = wanted[first : first + _SORTED_AT_ONCE]
        texts = {key: divided[at].text for key, at in near}
        longest_first = sorted(texts, key=lambda key: -len(texts[key]))
        for start in range(0, len(near), at_once):
            part = longest_first[start : start + at_once]
            vectors = encoder.encode_passages([texts[key] for key in part])
            with writing(journal.path.parent):
                journal.add(part, vectors)
            done += len(part)
            progress("embed", done, len(wanted))
    return keys, sum(at < count for at in missing.values())


@dataclass(frozen=True, slots=True)
class _Rows:
    """The vectors of the passages or sentences of a build, by row, from the index before it or the journal."""

    keys: Sequence[bytes]
    old: _Known
    journal: Journal

    @property
    def width(self) -> int:
        """Return the length of a vector."""
        return self.old.width or self.journal.width

    def __call__(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """Return the vectors of these rows, (numbers, d)."""
        keys = [self.keys[number] for number in numbers]
        known = np.array([key in self.old.rows for key in keys], bool)
        vectors = np.empty((len(keys), self.width), np.float32)
        if known.any():
            vectors[known] = self.old.take([key for key in keys if key in self.old.rows])
        for at in np.flatnonzero(~known).tolist():
            vectors[at] = self.journal.row(keys[at])
        return vectors


def _write(index: Path, data: Path, passages: Passages, rows: _Rows, place: Place | None, fingerprint: str) -> Engine:
    """Write what searches the passages, into the folder or where the index has its engine."""
    np.save(data / "passages.npy", passages.places, allow_pickle=False)
    if place is not None:
        keep_place(index, place)
        return Qdrant.write(data, passages, rows, place=place, fingerprint=fingerprint)
    write_rows(data / ROWS, len(passages), rows.width, _in_parts(rows))
    return Local.write(data, passages, mapped(data / ROWS))


def _in_parts(rows: _Rows) -> Iterator[NDArray[np.float32]]:
    """Return all rows of a build, some at once."""
    count = len(rows.keys)
    return (rows(range(first, min(first + _ROWS_AT_ONCE, count))) for first in range(0, count, _ROWS_AT_ONCE))


def _described(
    inputs: str, corpus: Corpus, passages: int, engine: Engine, encoder: Encoder, settings: Settings
) -> dict[str, Any]:
    """Return what the manifest says besides the files."""
    return {
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": inputs,
        "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint, "dimensions": engine.dimensions},
        "engine": dict(engine.description),
        "settings": asdict(settings),
        "passages": passages,
        "sources": corpus.sources.to_dict(),
    }


@contextlib.contextmanager
def _beside(folder: Path, inputs: str) -> Iterator[Path]:
    """Make a folder for the new data beside the old ones, and take it away again when they do not become the index."""
    data = folder / f"data-{inputs[:16]}-{os.getpid()}"
    try:
        with writing(folder):
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir(parents=True)
        yield data
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        raise


@contextlib.contextmanager
def _journal(folder: Path, fingerprint: str) -> Iterator[Journal]:
    with writing(folder):
        journal = Journal(folder / JOURNAL, fingerprint)
    with journal:
        yield journal


def _clear(folder: Path, *, finished: bool = False) -> None:
    """Remove the data that earlier builds, or interrupted ones, left behind; the journal only when one is finished."""
    try:
        current = Manifest.read(folder).fields["data"]
    except IndexDirectoryError:
        current = None
    for path in folder.iterdir():
        if path.name != current and _DATA.fullmatch(path.name) and (current or not (folder / MANIFEST).exists()):
            shutil.rmtree(path, ignore_errors=True)
    if finished:
        (folder / JOURNAL).unlink(missing_ok=True)


def _inputs(corpus: Corpus, encoder: Encoder, settings: Settings) -> str:
    """Return a digest of all that decides what the index holds."""
    digest = hashlib.sha256(
        json.dumps([FORMAT, encoder.fingerprint, asdict(settings), corpus.sources.to_dict()], sort_keys=True).encode()
    )
    for document in corpus.documents:
        digest.update(hashlib.sha256(json.dumps(fields_of(document), sort_keys=True).encode()).digest())
    return digest.hexdigest()


def key_of(text: str) -> bytes:
    """Return what a text is known by in the journal: its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
