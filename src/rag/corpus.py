"""A folder of files -> documents."""

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from rag.errors import CorpusError
from rag.formats import SUFFIXES, Confined, Extracted, Limits, UnreadableError
from rag.language import detect
from rag.sources import Corpus, Skipped, Sources, suffix
from rag.spans import Document

DESCRIPTION = "corpus.toml"
KINDS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"

_LONGEST_DESCRIPTION = 10_000_000

_LONGEST_TITLE = 90
# What tells the language and the title of a text, in characters.
_SAMPLE = 100_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_STAMP = re.compile(r"\s*(?:(?:date|data|fecha)\b\s*:?\s*)?(\d{4}-\d{2}-\d{2})(?!\S)", re.IGNORECASE)
_MARKDOWN = re.compile(r"\s*(?:#{1,6}\s+|[-*+•]\s+|>\s*|\d{1,3}[.)]\s+|\*{1,3}|_{1,3}(?=\w))*")
# Enough for a title: a full stop behind a word of three letters or more, so that "M. Cheng" and "J. Doe" stay whole.
_FIRST_SENTENCE = re.compile(r".*?\w{3}[»”\")]?[.!?…][»”\")]?(?=\s+[^\sa-zà-ÿ])")


@dataclass(frozen=True, slots=True)
class Entry:
    """What `corpus.toml` says of one file."""

    title: str | None = None
    language: str | None = None
    date: str | None = None
    url: str | None = None


def read_corpus(folder: Path, *, kept: Corpus | None = None, limits: Limits | None = None) -> Corpus:
    """Return the files below `folder` whose formats are known as documents, in order of their ids.

    The text of a `.txt` or `.md` file is the file decoded as UTF-8, without a byte order mark and otherwise unchanged,
    newlines included; that of other formats is what they show. Hidden files and text files of white space only are left
    out. A file that cannot be read or is beyond the `limits`, and a symbolic link that leads out of the folder, which
    is never followed, are skipped and said to be. Titles, languages, dates and addresses come from an optional
    `corpus.toml`; what it leaves out, from the file:

        [documents."reports/2026.txt"]
        title = "The year 2026"
        language = "en"
        date = 2026-12-31
        url = "https://example.org/2026"

    `kept` is what an index holds: files of the same content are taken from it and not read again, what was added to it
    from elsewhere stays, and what was removed from it stays out. Raises CorpusError when the folder or `corpus.toml`
    cannot be used, or when not one of the files can be read.
    """
    check_folder(folder)
    kept = kept or Corpus()
    root, files = folder.resolve(), files_of(folder)
    removed = tuple(id for id in kept.sources.removed if id in files and kept.sources.folder == str(root))
    entries, description = described(root, files)
    with Confined(limits) as reader:
        gathered = Gathered(reader, kept.by_content() if description == kept.sources.description else {}, entries)
        for id in sorted(files):
            if id not in removed:
                gathered.take(id, files[id], root)
        for id, path in sorted(kept.sources.added.items()):
            if id in files:
                reason = (
                    f"it gives way to the folder's file of this name; rename {path} and add it, or `rag remove {id}`"
                )
                gathered.skip(id, reason)
            elif not gathered.take_again(id, Path(path), kept):
                gathered.skip(id, f"it was added from {path}, which is gone; add it again or `rag remove {id}`")
    found = gathered.corpus(Sources(str(root), description, added=kept.sources.added, removed=removed))
    if not found.documents and found.skipped:
        first = found.skipped[0]
        raise CorpusError(
            f"No file in {folder} can be read; of the first of {len(found.skipped)}, {first.id}: {first.reason}."
        )
    if not found.documents:
        raise CorpusError(f"The folder {folder} holds no {KINDS} file with text; add one and try again.")
    return found


class Gathered:
    """Documents and skipped files, as they are read one by one."""

    def __init__(
        self, reader: Confined, known: Mapping[tuple[str, str], Document], entries: Mapping[str, Entry]
    ) -> None:
        self._reader, self._known, self._entries = reader, known, entries
        self._documents: dict[str, Document] = {}
        self._files: dict[str, str] = {}
        self._unread: dict[str, tuple[str, str]] = {}

    def take(self, id: str, path: Path, root: Path) -> None:
        """Read one file that lies below `root`, or say why not."""
        digest = ""
        try:
            if _UNPRINTABLE.search(id):
                raise UnreadableError("it has a name that cannot be written as text; rename it")
            content = content_of(path, root, self._reader.limits.file_bytes)
            digest = hashlib.sha256(content).hexdigest()
            document = self._again(id, digest) or _document(
                id, self._reader.read(suffix(id), content), self._entries.get(id, Entry())
            )
        except UnreadableError as error:
            self.skip(id, str(error), digest=digest)
            return
        if document.text.strip():
            self._documents[id], self._files[id] = document, digest
        else:
            self.skip(id, "", digest=digest)

    def take_again(self, id: str, path: Path, kept: Corpus) -> bool:
        """Read a file that was added, or where it is gone keep its document; tell whether one of them was there."""
        if path.exists():
            self.take(id, path, path.resolve().parent)
            return True
        old = next((document for document in kept.documents if document.id == id), None)
        if old is not None:
            self._documents[id], self._files[id] = old, kept.sources.files[id]
        return old is not None

    def skip(self, id: str, reason: str, *, digest: str = "") -> None:
        """Note that a file gave no document; without a reason it only held no text."""
        self._unread[id] = digest, reason

    def corpus(self, sources: Sources) -> Corpus:
        """Return what was gathered, with the rest of `sources`."""
        documents = tuple(self._documents[id] for id in sorted(self._documents))
        skipped = tuple(Skipped(shown(id), reason) for id, (_, reason) in sorted(self._unread.items()) if reason)
        return Corpus(documents, replace(sources, files=self._files, unread=self._unread), skipped)

    def _again(self, id: str, digest: str) -> Document | None:
        """Return the document of the same content that is known already, by its new name."""
        old = self._known.get((suffix(id), digest))
        if old is None or (old.id != id and {old.id, id} & set(self._entries)):
            return None
        stem, was = PurePosixPath(id).stem, PurePosixPath(old.id).stem
        return replace(old, id=id, title=stem if old.title == was else old.title)


def check_folder(folder: Path) -> None:
    """Raise CorpusError when there is no such folder."""
    if not folder.exists():
        raise CorpusError(f"The folder {folder} does not exist; name a folder that holds the documents.")
    if not folder.is_dir():
        raise CorpusError(f"{folder} is not a folder; name the folder that holds the documents.")


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files below a folder whose formats are known, by their ids."""
    return {path.relative_to(folder).as_posix(): path for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            # A named pipe would be waited for; a broken link is left to be reported.
            if path.is_file() or path.is_symlink():
                yield path


def _refuse_folder(error: OSError) -> NoReturn:
    raise CorpusError(
        f"The folder {error.filename} cannot be read ({error.strerror}); mend its permissions."
    ) from error


def content_of(path: Path, root: Path, most: int) -> bytes:
    """Return the bytes of a file that lies, when all links are followed, below `root`; raises UnreadableError."""
    try:
        place = path.resolve(strict=True)
        if not place.is_relative_to(root):
            raise UnreadableError("it is a link that leads out of the folder; put a copy of the file in its place")
        # Nothing is waited for, and no link is followed that was put there since.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(place, flags), "rb") as file:  # noqa: PTH123  # it is a descriptor
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("it is no regular file; remove it")
            content = file.read(most + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, before Python 3.13
        reason = getattr(error, "strerror", None) or "it leads to itself"
        raise UnreadableError(f"it cannot be opened ({reason}); mend it or remove it") from error
    if len(content) > most:
        raise UnreadableError(f"it is over {most:,} bytes long; divide it")
    return content


def shown(name: str) -> str:
    """Return a file name that can be printed: what is no text in it is escaped."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), name)


def _document(name: str, extracted: Extracted, entry: Entry) -> Document:
    text, beginning = extracted.text, extracted.text[:_SAMPLE]
    return Document(
        id=name,
        title=entry.title or _shortened(extracted.title) or _title(beginning) or PurePosixPath(name).stem,
        language=entry.language or detect(beginning),
        text=text,
        date=entry.date or _date(beginning),
        url=entry.url,
        pages=extracted.pages,
        headings=extracted.headings,
    )


def _title(text: str) -> str:
    """Return the first line with a letter, without its marks, at most 90 characters of it; empty when there is none."""
    stamp = _STAMP.match(text)
    for line in text[stamp.end() if stamp and _date(text) else 0 :].splitlines():
        bare = " ".join(_MARKDOWN.sub("", line, count=1).split()).rstrip("#*_ ")
        if any(map(str.isalpha, bare)):
            sentence = _FIRST_SENTENCE.match(bare)
            return _shortened(sentence.group() if sentence else bare)
    return ""


def _shortened(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    head = title[:_LONGEST_TITLE]
    words = head.rpartition(" ")[0].rstrip(" ,;:.–—-") or head[:-1]
    return words + "…"


def _date(text: str) -> str | None:
    """Return the ISO date at the very top of the text, such as `date 2026-02-08`."""
    stamp = _STAMP.match(text)
    return stamp[1] if stamp and _is_day(stamp[1]) else None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def described(folder: Path, files: Mapping[str, Path], *, check: bool = True) -> tuple[dict[str, Entry], str]:
    """Return what `corpus.toml` says, and its digest; empty where there is none. Without a check only the digest."""
    path = folder / DESCRIPTION
    if not path.exists():
        return {}, ""
    try:
        data = content_of(path, folder, _LONGEST_DESCRIPTION)
        entries = _entries(tomllib.loads(data.decode("utf-8-sig")), files) if check else {}
        return entries, hashlib.sha256(data).hexdigest()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, UnreadableError, RecursionError) as error:
        raise CorpusError(f"{DESCRIPTION} cannot be read ({error}); mend it or remove it.") from error


def _entries(content: dict[str, Any], files: Mapping[str, Path]) -> dict[str, Entry]:
    documents = content.pop("documents", {})
    if content or not isinstance(documents, dict):
        unknown = ", ".join(content) or "documents"
        raise CorpusError(f'{DESCRIPTION} may only hold [documents."FILE"] tables, so remove or mend {unknown!r}.')
    return {name: _entry(name, values, files) for name, values in documents.items()}


def _entry(name: str, values: Any, files: Mapping[str, Path]) -> Entry:  # noqa: ANN401  # whatever TOML holds
    if name not in files:
        raise CorpusError(f"{DESCRIPTION} describes {name!r}, which is not in the folder; mend the name or remove it.")
    if not isinstance(values, dict):
        raise CorpusError(f'{DESCRIPTION} must describe {name!r} in a table; write [documents."{name}"].')
    unknown = sorted(set(values) - set(Entry.__dataclass_fields__))
    if unknown:
        raise CorpusError(
            f"{DESCRIPTION} gives {name!r} the unknown key {unknown[0]!r}; keys are title, language, date, url."
        )
    values = {key: value.isoformat() if type(value) is date else value for key, value in values.items()}
    for key, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise CorpusError(f"{DESCRIPTION} gives {name!r} a {key} that is not text; put it in quotation marks.")
    if not re.fullmatch(r"[a-z]{2,3}", values.get("language", "und")):
        raise CorpusError(f"{DESCRIPTION} gives {name!r} a language that is no ISO 639-1 code; write one such as 'en'.")
    if not _is_day(values.get("date", "2000-01-01")):
        raise CorpusError(f"{DESCRIPTION} gives {name!r} a date that is no ISO day; write one such as 2026-02-08.")
    return Entry(**values)
