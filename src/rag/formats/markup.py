"""HTML, whatever it was made from -> paragraphs, list items, table rows and headings as lines of text."""

import codecs
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rag.formats.extracted import Extracted, UnreadableError, cleaned

if TYPE_CHECKING:
    from lxml.html import HtmlElement


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_HEADINGS = _tags("h1 h2 h3 h4 h5 h6")
_BLOCKS = _HEADINGS | _tags(
    "p div section article main header footer aside nav ul ol li dl dt dd table thead tbody tfoot tr caption pre "
    "blockquote figure figcaption address hr details summary fieldset form body html center"
)
_UNREAD = _tags("head script style noscript template svg math iframe object select button textarea title")
FURNITURE = _tags("nav footer aside form")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_DECLARED = re.compile(
    rb"""<(?:meta[^>]{0,200}charset|\?xml[^>]{0,100}encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.I
)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# As browsers do (WHATWG Encoding Standard): what calls itself Latin-1 or ASCII is Windows' superset of it.
_LATIN = frozenset(("iso8859-1", "ascii", "latin-1"))


def decode_html(data: bytes) -> str:
    """Return the markup decoded by its byte order mark, by what it declares, as UTF-8, or as Windows-1252.

    Raises UnreadableError when none of them fits.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded(data[len(bom) :], [encoding])
    declared = _DECLARED.search(data[:4096])
    names = [declared[1].decode("ascii")] if declared else []
    return _decoded(data, [*names, "utf-8", "cp1252"])


def _decoded(data: bytes, names: list[str]) -> str:
    for name in names:
        try:
            encoding = codecs.lookup(name).name
            # A document that can be searched for its declaration is not UTF-16, whatever it declares.
            if encoding.startswith(("utf-16", "utf-32")) and len(names) > 1:
                continue
            text = data.decode("cp1252" if encoding in _LATIN else encoding)
        except (LookupError, ValueError):
            continue
        return _XML_DECLARATION.sub("", text, count=1)
    raise UnreadableError(f"its encoding cannot be told (it is not {', '.join(names)}); save it as UTF-8")


def parse_html(text: str) -> "HtmlElement | None":
    """Return the root of the markup; None when there is nothing in it. Nothing it refers to is loaded.

    Raises UnreadableError when it is nested too deeply, and MemoryError.
    """
    from lxml import etree, html

    if not text.strip():
        return None
    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        root = html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        root = None  # a document without any element, or the end of memory
    # Where the parser gives up it returns what it has, as if that were all.
    given_up = {entry.type_name for entry in parser.error_log.filter_from_fatals()}
    if "ERR_NO_MEMORY" in given_up:
        raise MemoryError
    if "ERR_RESOURCE_LIMIT" in given_up:
        raise UnreadableError("it is nested too deeply, as a trap is; remove it")
    return root


def read_markup(root: "HtmlElement", *, without: frozenset[str] = frozenset()) -> Extracted:
    """Return the text below `root`, one line for each list item and table row, blank lines between the other blocks.

    White space is collapsed as browsers do. The elements named in `without` are left out with all that is in them.
    """
    lines = _Lines(_UNREAD | without)
    lines.read(root)
    return Extracted("".join(lines.parts), headings=tuple(lines.headings))


class _Lines:
    """Gathers text, and closes a line where a block begins or ends; the tree is walked without recursion."""

    def __init__(self, unread: frozenset[str]) -> None:
        self.parts: list[str] = []
        self.headings: list[int] = []
        self._unread = unread
        self._length = 0
        self._buffer: list[str] = []
        self._open: list[str] = []  # headings, list items, rows and preformatted blocks around this place
        self._bullet = False
        self._before = ""

    def read(self, root: "HtmlElement") -> None:
        from lxml import etree

        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if not isinstance(element.tag, str):
                walk.skip_subtree()
            elif event == "start":
                if element.tag in self._unread and element is not root:
                    walk.skip_subtree()
                else:
                    self._start(element)
            else:
                if element.tag not in self._unread or element is root:
                    self._end(element.tag)
                if element is not root:
                    self._take(element.tail)
        self._close()

    def _start(self, element: Any) -> None:  # noqa: ANN401  # lxml has no types
        tag = element.tag
        if tag in ("td", "th"):
            self._cell()
        elif tag == "br":
            self._buffer.append("\n")
        elif tag in _BLOCKS:
            self._block()
        if tag in _HEADINGS or tag in ("li", "pre") or (tag == "tr" and _is_simple(element)):
            self._open.append(tag)
        if tag == "li":
            self._bullet = True
        self._take(element.text)

    def _end(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._block(closing=tag)
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def _cell(self) -> None:
        if "tr" not in self._open:
            self._close()
        elif any(map(str.strip, self._buffer)):
            self._buffer.append(" | ")

    def _block(self, *, closing: str = "") -> None:
        if "tr" in self._open and closing != "tr":
            self._buffer.append(" ")
        else:
            self._close()

    def _take(self, text: str | None) -> None:
        if text:
            # The only newlines left are those of `br`; what white space they leave is collapsed with the line.
            self._buffer.append(text if "pre" in self._open else _SPACE.sub(" ", text))

    def _close(self) -> None:
        text = cleaned("".join(self._buffer))
        self._buffer.clear()
        if "pre" in self._open:
            text = text.strip("\r\n").rstrip()
        else:
            text = "\n".join(filter(None, (_SPACE.sub(" ", line).strip(" ") for line in text.split("\n"))))
        if not text.strip():
            return
        heading = bool(_HEADINGS.intersection(self._open))
        kind = next((tag for tag in ("tr", "li") if tag in self._open), "")
        if self.parts:
            self._add("\n" if kind and kind == self._before else "\n\n")
        if heading:
            text = " ".join(text.split("\n"))
            self.headings.append(self._length)
        if self._bullet and "li" in self._open:
            self._add("- ")
        self._bullet = False
        self._before = kind
        self._add(text)

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)


def _is_simple(row: Any) -> bool:  # noqa: ANN401  # lxml has no types
    """Tell whether a table row is one of data and not of layout: no cell holds more than one paragraph."""
    return all(sum(1 for _ in _inner_blocks(cell)) <= 1 for cell in row)


def _inner_blocks(cell: Any) -> Iterator[Any]:  # noqa: ANN401  # lxml has no types
    return (inner for inner in cell.iterdescendants() if inner.tag in _BLOCKS)
