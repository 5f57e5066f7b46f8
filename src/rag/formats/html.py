"""HTML pages -> their main text, without navigation."""

from copy import deepcopy
from typing import Any

from rag.formats.extracted import Extracted, UnreadableError
from rag.formats.markup import FURNITURE, decode_html, parse_html, read_markup

# Below this the main text was hardly found, and the whole page without its furniture serves better.
_SHORT = 250


def read_html(data: bytes) -> Extracted:
    """Return the main text of a page with its headings; of a short page, all but navigation and the like."""
    import trafilatura

    root = parse_html(decode_html(data))
    if root is None:
        raise UnreadableError("it holds no HTML; mend it or remove it")
    title = _title(root)
    main = trafilatura.extract(
        deepcopy(root), output_format="html", include_formatting=True, include_comments=False, favor_recall=True
    )
    found = parse_html(main) if main else None
    text = read_markup(found) if found is not None else Extracted("")
    if len(text.text) < _SHORT:
        whole = read_markup(root, without=FURNITURE)
        # What calls everything a header has its words there.
        text = whole if whole.text else read_markup(root)
    return Extracted(text.text, title, headings=text.headings)


def _title(root: Any) -> str:  # noqa: ANN401  # lxml has no types
    """Return the title that the page gives itself for others to show, or else its own."""
    for path in ("string(//meta[@property='og:title']/@content)", "string(//h1)", "string(//title)"):
        title = " ".join(str(root.xpath(path)).split())
        if title:
            return title
    return ""
