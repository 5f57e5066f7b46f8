"""PDF -> the text of its pages, with where each begins."""

import io
from typing import TYPE_CHECKING

from rag.formats.columns import Fragment, reordered
from rag.formats.extracted import Extracted, Limits, UnreadableError, cleaned
from rag.formats.pages import flowing

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_UNDECODABLE = 0.2
# What programs write as a title is often the name of the file that was printed.
_NO_TITLES = (".doc", ".docx", ".indd", ".tex", ".dvi", ".odt", ".rtf", ".qxd", ".pdf", ".ppt", ".pptx", ".xlsx")


def read_pdf(data: bytes, limits: Limits) -> Extracted:
    """Return the text of all pages, the lines of each paragraph joined; two columns are read one after the other."""
    try:
        return _read(data, limits)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # pypdf raises whatever a broken file leads it to
        raise UnreadableError(f"it is damaged ({type(error).__name__} in reading it); get it again") from error


def _read(data: bytes, limits: Limits) -> Extracted:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(data))
    _decrypt(reader)
    count = len(reader.pages)
    if count > limits.pages:
        raise UnreadableError(f"it has {count:,} pages, and {limits.pages:,} is the limit; divide it")
    texts: list[str] = []
    length = 0
    for page in reader.pages:
        texts.append(cleaned(_page_text(page).translate(_LIGATURES)))
        length += len(texts[-1])
        if length > limits.characters:
            raise UnreadableError(f"it holds over {limits.characters:,} characters of text; divide it")
    written = "".join("".join(texts).split())
    if not written:
        raise UnreadableError(
            "it holds no text but only pictures, as a scan does; recognise its text first, for example with `ocrmypdf`"
        )
    unknown = sum(1 for letter in written if letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff")
    if unknown > _UNDECODABLE * len(written):
        raise UnreadableError(
            "its fonts do not say which letters they draw; recognise its text, for example with `ocrmypdf --force-ocr`"
        )
    text, pages = flowing([page.split("\n") for page in texts])
    return Extracted(text, _title(reader), pages=pages)


def _decrypt(reader: "PdfReader") -> None:
    from pypdf.errors import DependencyError

    if not reader.is_encrypted:
        return
    try:
        # Many files only forbid printing, and open without a password.
        opened = reader.decrypt("")
    except DependencyError as error:
        raise UnreadableError(
            'it is encrypted, and `cryptography` is not installed: run `pip install "verbatim-qa[documents]"`'
        ) from error
    if not opened:
        raise UnreadableError("it has a password; save it without one")


def _page_text(page: "PageObject") -> str:
    fragments: list[Fragment] = []

    def note(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        x = cm[0] * tm[4] + cm[2] * tm[5] + cm[4]
        y = cm[1] * tm[4] + cm[3] * tm[5] + cm[5]
        fragments.append(Fragment(x, y, text))

    text = page.extract_text(visitor_text=note)
    return reordered(fragments, float(page.mediabox.width)) or text


def _title(reader: "PdfReader") -> str:
    try:
        title = " ".join(cleaned((reader.metadata and reader.metadata.title) or "").split())
    except Exception:  # the text does not depend on it
        return ""
    named_like_a_file = title.lower().endswith(_NO_TITLES) or title.startswith("Microsoft ")
    return "" if " " not in title or named_like_a_file else title
