"""The documents of an index, kept in its folder: their texts are read when they are asked for."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from rag.files import Pieces
from rag.spans import Document

HEADS = "documents.jsonl"
TEXTS = "texts.bin"
# As many characters of documents as are kept at hand once they were read.
_AT_HAND = 32_000_000


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a document without its text, which lies at `start`, `length` bytes of UTF-8."""

    id: str
    language: str
    start: int
    length: int
    fields: Mapping[str, Any]


class Documents(Sequence[Document]):
    """The documents that `write_documents` wrote, in its order; safe to share between threads.

    Raises OSError, ValueError, TypeError or KeyError when a file is missing or something else.
    """

    def __init__(self, folder: Path) -> None:
        self.heads = tuple(_head(json.loads(line)) for line in (folder / HEADS).read_bytes().split(b"\n") if line)
        self._texts = Pieces(folder / TEXTS)
        if sum(head.length for head in self.heads) != self._texts.size:
            raise ValueError(f"{TEXTS} has another size than {HEADS} says")
        self._read: OrderedDict[int, Document] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, number: int) -> Document: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Document]: ...
    def __getitem__(self, number: int | slice) -> Document | Sequence[Document]:
        """Return one document, or those of a slice."""
        if isinstance(number, slice):
            return tuple(self[at] for at in range(*number.indices(len(self))))
        at = range(len(self))[number]
        with self._lock:
            if at in self._read:
                self._read.move_to_end(at)
                return self._read[at]
        head = self.heads[at]
        text = self._texts.read(head.start, head.length).decode("utf-8", "surrogatepass")
        document = Document(id=head.id, language=head.language, text=text, **head.fields)
        self._keep(at, document)
        return document

    def _keep(self, at: int, document: Document) -> None:
        with self._lock:
            if at in self._read:
                return
            self._read[at] = document
            self._characters += len(document.text)
            while self._characters > _AT_HAND and len(self._read) > 1:
                _, dropped = self._read.popitem(last=False)
                self._characters -= len(dropped.text)


def write_documents(folder: Path, documents: Iterable[Document]) -> None:
    """Write documents one after the other into a folder; raises OSError where there is no room."""
    start = 0
    with (folder / HEADS).open("wb") as heads, (folder / TEXTS).open("wb") as texts:
        for document in documents:
            text = document.text.encode("utf-8", "surrogatepass")
            texts.write(text)
            fields = {**fields_of(document), "start": start, "length": len(text)}
            del fields["text"]
            heads.write(json.dumps(fields, ensure_ascii=True).encode() + b"\n")
            start += len(text)


def fields_of(document: Document) -> dict[str, Any]:
    """Return a document as JSON values."""
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


def _head(fields: dict[str, Any]) -> Head:
    own = {name: fields.pop(name) for name in ("id", "language", "start", "length")}
    return Head(**own, fields={**fields, "pages": tuple(fields["pages"]), "headings": tuple(fields["headings"])})
