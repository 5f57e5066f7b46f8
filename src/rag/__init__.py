"""Answers questions about a folder of documents in the documents' own words.

>>> from rag import Assistant, build
>>> report = build("seeds", "index")
>>> Assistant.open("index").ask("who leads AI Studio?").found
True
"""

from typing import TYPE_CHECKING, Any

from rag.errors import CorpusError, EncoderError, EngineError, GoldError, IndexDirectoryError, RagError
from rag.spans import Alternative, Answer, Citation, Document, Hit, Span

if TYPE_CHECKING:
    from rag.ask import Assistant
    from rag.index import BuildReport, Settings, build
    from rag.sources import Skipped
    from rag.update import Status, add, remove, status

__all__ = [
    "Alternative",
    "Answer",
    "Assistant",
    "BuildReport",
    "Citation",
    "CorpusError",
    "Document",
    "EncoderError",
    "EngineError",
    "GoldError",
    "Hit",
    "IndexDirectoryError",
    "RagError",
    "Settings",
    "Skipped",
    "Span",
    "Status",
    "add",
    "build",
    "remove",
    "status",
]
_LATER = {
    "Assistant": "rag.ask",
    "BuildReport": "rag.index",
    "Settings": "rag.index",
    "Skipped": "rag.sources",
    "Status": "rag.update",
    "add": "rag.update",
    "build": "rag.index",
    "remove": "rag.update",
    "status": "rag.update",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the heavier names when they are first used, so that `import rag` and `rag --help` are quick."""
    if name not in _LATER:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)
