"""Files of many formats -> their text, with where its pages and headings begin."""

from rag.formats.confined import Confined
from rag.formats.extracted import Extracted, Limits, UnreadableError
from rag.formats.kinds import SUFFIXES, missing_library

__all__ = ["SUFFIXES", "Confined", "Extracted", "Limits", "UnreadableError", "missing_library"]
