"""Adds documents to an index, takes them out, and tells what a build would change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from rag.corpus import KINDS, Gathered, check_folder, content_of, described, files_of, shown
from rag.encode import BUNDLED, Encoder, LazyEncoder
from rag.errors import CorpusError, IndexDirectoryError
from rag.formats import SUFFIXES, Confined, Limits, UnreadableError
from rag.index import BuildReport, Progress, Settings, is_missing, open_index, renew
from rag.sources import Corpus, Skipped, suffix


@dataclass(frozen=True, slots=True)
class Status:
    """What a build of `folder` would change, by the ids of documents, each in order.

    `renamed` holds (old, new) pairs; `skipped` the files that could not be read the last time and are as they were,
    with the reason; `left_out` what was taken out of the index by hand and stays out; `added` what came from outside
    the folder, with the path.
    """

    folder: str
    documents: int
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    added: tuple[tuple[str, str], ...] = ()

    @property
    def is_current(self) -> bool:
        """Tell whether a build would change nothing."""
        return not (self.new or self.changed or self.renamed or self.removed)


def add(
    files: Sequence[Path | str],
    index: Path | str = "index",
    *,
    encoder: Encoder | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Add files to an index, or read them again; the rest of it stays, and only new passages are embedded.

    A file of the folder that the index was built from is a document of that folder, as a build would make it. Any other
    file goes by its name alone, and stays through later builds. `encoder` must be the index's own. Raises CorpusError
    for a file that there is not, and IndexDirectoryError for a damaged index; a file that cannot be read is skipped,
    and the report says why.
    """
    paths = [_checked(Path(file)) for file in files]
    return _renew(lambda kept: _with(kept, paths, limits), Path(index), encoder, progress)


def remove(
    ids: Sequence[str], index: Path | str = "index", *, encoder: Encoder | None = None, progress: Progress | None = None
) -> BuildReport:
    """Take documents out of an index; they stay out, also through later builds, until they are added again.

    No file is touched. Raises CorpusError for an id that the index does not hold, or when nothing would be left.
    """
    if is_missing(Path(index)):
        raise IndexDirectoryError(f"there is no index in {index} to take a document out of")
    return _renew(lambda kept: _without(kept, ids), Path(index), encoder, progress)


def status(corpus: Path | str | None = None, index: Path | str = "index", *, limits: Limits | None = None) -> Status:
    """Tell what a build of `corpus`, by default the folder that the index was built from, would change.

    Files are compared by their contents and not parsed. Raises IndexDirectoryError when there is no index.
    """
    sources = open_index(index).sources
    folder = Path(corpus or sources.folder or ".")
    if corpus is None and not sources.folder:
        raise CorpusError("the index was made of added files and not of a folder; name the folder to compare it with")
    check_folder(folder)
    files = files_of(folder)
    same = sources.folder == str(folder.resolve())
    left_out = tuple(id for id in sources.removed if same and id in files)
    most = (limits or Limits()).file_bytes
    found = {id: _digest(files[id], folder.resolve(), most) for id in files if id not in left_out}
    found |= {id: _digest(Path(path), None, most) for id, path in sources.added.items() if Path(path).exists()}
    before = dict(sources.files)
    vanished = {id: before[id] for id in before if id not in found and id not in sources.added}
    fresh = [id for id in sorted(found) if id not in before and sources.unread.get(id, ("new",))[0] != found[id]]
    renamed = _renamed(vanished, {id: found[id] for id in fresh})
    _, description = described(folder.resolve(), files, check=False)
    changed = [id for id in sorted(found) if id in before and before[id] != found[id]]
    return Status(
        folder=str(folder),
        documents=len(before),
        new=tuple(id for id in fresh if id not in renamed.values()),
        changed=(*changed, *(["corpus.toml"] if description != sources.description else [])),
        renamed=tuple(sorted(renamed.items())),
        removed=tuple(id for id in sorted(vanished) if id not in renamed),
        skipped=tuple(
            (id, reason)
            for id, (digest, reason) in sorted(sources.unread.items())
            if reason and found.get(id) == digest
        ),
        left_out=left_out,
        added=tuple(sorted(sources.added.items())),
    )


def _renew(
    gather: Callable[[Corpus], Corpus], index: Path, encoder: Encoder | None, progress: Progress | None
) -> BuildReport:
    settings, name = Settings(), BUNDLED
    if not is_missing(index):
        # A damaged index is refused here: what it held could not be kept.
        opened = open_index(index)
        settings, name = opened.settings, opened.encoder_name
    return renew(
        gather,
        index,
        encoder or LazyEncoder(name),
        settings=settings,
        progress=progress or (lambda stage, done, total: None),
    )


def _checked(path: Path) -> Path:
    if path.is_dir():
        raise CorpusError(f"{path} is a folder; give its files, or build an index of it with `rag build {path}`")
    if not path.is_file():
        raise CorpusError(f"there is no file {path}; mend the name")
    if suffix(path.name) not in SUFFIXES:
        raise CorpusError(f"{path} is of no kind that is read; add a {KINDS} file")
    return path


def _with(kept: Corpus, paths: Sequence[Path], limits: Limits | None) -> Corpus:
    sources = kept.sources
    folder = Path(sources.folder) if sources.folder else None
    entries = described(folder, files_of(folder))[0] if folder and folder.is_dir() else {}
    added, removed, taken = dict(sources.added), set(sources.removed), []
    with Confined(limits) as reader:
        gathered = Gathered(reader, kept.by_content(), entries)
        for path in paths:
            place = _below(path, folder)
            id = place or path.name
            if place is None and id in sources.files and id not in added:
                raise CorpusError(f"the index has a document {id} of its folder; give {path} another name")
            if place is None and added.get(id, str(path.resolve())) != str(path.resolve()):
                raise CorpusError(f"{added[id]} was added as {id}; rename {path}, or `rag remove {id}` first")
            gathered.take(id, path, (folder or path.parent).resolve() if place else path.resolve().parent)
            taken.append(id)
            removed.discard(id)
            if place is None:
                added[id] = str(path.resolve())
    found = gathered.corpus(sources)
    read = {document.id for document in found.documents}
    blank = [Skipped(shown(id), "it holds no text") for id, (_, reason) in found.sources.unread.items() if not reason]
    skipped = (*found.skipped, *blank)
    # What was added before and cannot be read now stays as it was; what never could be read is not remembered.
    added = {id: path for id, path in added.items() if id not in taken or id in read or id in sources.added}
    documents = {document.id: document for document in (*kept.documents, *found.documents)}
    if not documents:
        raise CorpusError(f"none of the files can be read; {skipped[0].id}: {skipped[0].reason}")
    return Corpus(
        tuple(documents[id] for id in sorted(documents)),
        replace(
            sources,
            files={**sources.files, **found.sources.files},
            added=added,
            removed=tuple(sorted(removed)),
            unread={id: why for id, why in sources.unread.items() if id not in read},
        ),
        skipped,
    )


def _below(path: Path, folder: Path | None) -> str | None:
    """Return the id of a file that a build of the folder reads; None for one that lies elsewhere."""
    if folder is None:
        return None
    # The folder of the file is resolved and not the file, which may be a link: a build names it as it stands there.
    place = path.parent.resolve() / path.name
    if not place.is_relative_to(folder):
        return None
    parts = place.relative_to(folder).parts
    return None if any(part.startswith(".") for part in parts) else "/".join(parts)


def _without(kept: Corpus, ids: Sequence[str]) -> Corpus:
    sources = kept.sources
    known = {document.id for document in kept.documents}
    for id in ids:
        if id not in known:
            shown = ", ".join(sorted(known)[:10]) + (", …" if len(known) > 10 else "")
            raise CorpusError(f'the index has no document "{id}"; it has {shown}')
    gone = set(ids)
    if gone == known:
        raise CorpusError("these are all the documents of the index; delete its folder instead")
    return Corpus(
        tuple(document for document in kept.documents if document.id not in gone),
        replace(
            sources,
            files=_less(sources.files, gone),
            added=_less(sources.added, gone),
            removed=tuple(sorted({*sources.removed, *(gone - set(sources.added))})),
        ),
    )


def _less(values: Mapping[str, str], gone: set[str]) -> dict[str, str]:
    return {id: value for id, value in values.items() if id not in gone}


def _digest(path: Path, root: Path | None, most: int) -> str:
    """Return the digest of a file's content; empty for one that is not opened."""
    try:
        return sha256(content_of(path, root or path.resolve().parent, most)).hexdigest()
    except UnreadableError:
        return ""


def _renamed(vanished: Mapping[str, str], fresh: Mapping[str, str]) -> dict[str, str]:
    """Return the new names of files that are there under another one, by the old names."""
    by_content = {digest: id for id, digest in sorted(fresh.items(), reverse=True) if digest}
    renamed: dict[str, str] = {}
    for id, digest in sorted(vanished.items()):
        new = by_content.pop(digest, None)
        if new is not None:
            renamed[id] = new
    return renamed
