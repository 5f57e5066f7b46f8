"""Which endings of names are read, and which libraries read them."""

from importlib.util import find_spec

# The library, as it is imported, and the distribution that holds it.
_MARKUP = {"lxml": "lxml"}
_HTML = {"trafilatura": "trafilatura", "lxml_html_clean": "lxml_html_clean", **_MARKUP}
LIBRARIES: dict[str, dict[str, str]] = {
    ".txt": {},
    ".md": {},
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".pdf": {"pypdf": "pypdf"},
    ".docx": {"mammoth": "mammoth", **_MARKUP},
    ".epub": _MARKUP,
}
SUFFIXES = tuple(LIBRARIES)


def missing_library(suffix: str) -> str | None:
    """Return the distribution that files of this ending need and that is not installed; None when all is there."""
    for module, distribution in LIBRARIES[suffix].items():
        if find_spec(module) is None:
            return distribution
    return None
