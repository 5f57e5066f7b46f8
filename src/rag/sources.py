"""Where the documents of an index came from: what a later build, and a look at what it would do, compare with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from rag.spans import Document


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be read: its path below the folder, and the reason as a sentence to act on."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The files behind the documents of an index; contents are told apart by their SHA-256.

    `folder` is the absolute path of the folder that was read, empty when there was none, and `description` the digest
    of its corpus.toml. `files` holds the digest of each document's file by the document's id; `added` the absolute path
    of those that came from outside the folder; `removed` the ids that were taken out and stay out; `unread` the digest
    of each file that gave no document, with the reason, which is empty where it only held no text.
    """

    folder: str = ""
    description: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    unread: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Sources":
        """Return what `to_dict` wrote; raises TypeError or KeyError when it is something else."""
        unread = {id: (digest, reason) for id, (digest, reason) in values["unread"].items()}
        return cls(**{**values, "removed": tuple(values["removed"]), "unread": unread})

    def to_dict(self) -> dict[str, Any]:
        """Return the sources as JSON values."""
        return {
            "folder": self.folder,
            "description": self.description,
            "files": dict(self.files),
            "added": dict(self.added),
            "removed": list(self.removed),
            "unread": {id: list(values) for id, values in self.unread.items()},
        }


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents in order of their ids, where they came from, and the files that could not be read."""

    documents: tuple[Document, ...] = ()
    sources: Sources = field(default_factory=Sources)
    skipped: tuple[Skipped, ...] = ()

    def by_content(self) -> dict[tuple[str, str], Document]:
        """Return the documents by the ending of their names and the digest of their files."""
        files = self.sources.files
        return {(suffix(d.id), files[d.id]): d for d in self.documents if d.id in files}


def suffix(id: str) -> str:
    """Return the ending of a name by which its format is known.

    >>> suffix("reports/2026.PDF")
    '.pdf'
    """
    return PurePosixPath(id).suffix.lower()
