"""Plain text and Markdown, which are read as they are."""

import re

from rag.formats.extracted import Extracted, UnreadableError

_BOM = b"\xef\xbb\xbf"
_FENCE_OR_HEADING = re.compile(r"^ {0,3}(?:(?P<fence>```+|~~~+)|(?P<heading>#{1,6})[ \t]+\S)", re.MULTILINE)


def read_text(data: bytes) -> Extracted:
    """Return the file decoded as UTF-8, without a byte order mark and otherwise unchanged, newlines included."""
    if b"\0" in data:
        raise UnreadableError("it is not text (it holds NUL bytes); save it as UTF-8 or remove it")
    skipped = len(_BOM) if data.startswith(_BOM) else 0
    try:
        return Extracted(data[skipped:].decode("utf-8"))
    except UnicodeDecodeError as error:
        place = skipped + error.start
        raise UnreadableError(f"it is not UTF-8 at byte {place}; save it as UTF-8 and try again") from error


def read_markdown(data: bytes) -> Extracted:
    """Return the file as `read_text` does, with the places of its headings (`## Heading`) outside of code."""
    text = read_text(data).text
    headings = []
    fence = ""
    for found in _FENCE_OR_HEADING.finditer(text):
        if found["fence"] and not fence:
            fence = found["fence"]
        elif found["fence"] and found["fence"].startswith(fence):
            fence = ""
        elif found["heading"] and not fence:
            headings.append(found.start())
    return Extracted(text, headings=tuple(headings))
