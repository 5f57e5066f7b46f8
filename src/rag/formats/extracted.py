"""What a file gives, how much of it is taken, and why it is not."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a file, its title where the format states one, and where its pages and headings begin."""

    text: str
    title: str = ""
    pages: tuple[int, ...] = ()
    headings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be, and what reading it may cost; what is beyond is skipped and said to be.

    `unpacked_bytes`, `entries` and `ratio` (unpacked to packed) are those of the archives that DOCX and EPUB are;
    `seconds` are of processor time for one file, and `memory_bytes` of address space for the process that reads it.
    """

    file_bytes: int = 100_000_000
    characters: int = 30_000_000
    pages: int = 5_000
    entries: int = 10_000
    unpacked_bytes: int = 300_000_000
    ratio: int = 100
    seconds: int = 60
    memory_bytes: int = 2_000_000_000


class UnreadableError(Exception):
    """A file cannot be read: the message is a clause that begins with "it" and says what to do."""


_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def cleaned(text: str) -> str:
    """Return the text, as long as it was, with a space for each character that is none, such as half a surrogate."""
    return _NO_TEXT.sub(" ", text)
