"""The bytes of a file -> its text, by the ending of its name."""

from rag.formats.docx import read_docx
from rag.formats.epub import read_epub
from rag.formats.extracted import Extracted, Limits, UnreadableError
from rag.formats.html import read_html
from rag.formats.pdf import read_pdf
from rag.formats.text import read_markdown, read_text


def read(suffix: str, data: bytes, limits: Limits) -> Extracted:
    """Return what the file holds; raises UnreadableError with the reason when it cannot be read."""
    extracted = _read(suffix, data, limits)
    if not extracted.text.strip():
        raise UnreadableError("it holds no text; remove it")
    if len(extracted.text) > limits.characters:
        raise UnreadableError(f"it holds over {limits.characters:,} characters of text; divide it")
    return extracted


def _read(suffix: str, data: bytes, limits: Limits) -> Extracted:
    match suffix:
        case ".txt":
            return read_text(data)
        case ".md":
            return read_markdown(data)
        case ".pdf":
            return read_pdf(data, limits)
        case ".docx":
            return read_docx(data, limits)
        case ".epub":
            return read_epub(data, limits)
        case _:
            return read_html(data)
