"""Books (EPUB) -> the text of their chapters in reading order, with headings."""

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote, urlsplit

from rag.formats.archive import open_archive, read_member
from rag.formats.extracted import Extracted, Limits, UnreadableError
from rag.formats.markup import decode_html, parse_html, read_markup
from rag.formats.xml import parse_xml

_CHAPTER_TYPES = ("application/xhtml+xml", "text/html", "application/xml", "text/xml")
_BETWEEN = "\n\n"


def read_epub(data: bytes, limits: Limits) -> Extracted:
    """Return the chapters in the order of the spine, without the table of contents."""
    with open_archive(data, limits) as archive:
        package_name = _package_name(archive)
        package = _part(archive, package_name)
        chapters = _chapters(package, posixpath.dirname(package_name))
        _refuse_protected(archive, chapters)
        text, headings = _read(archive, chapters)
    titles = package.xpath("//*[local-name()='metadata']/*[local-name()='title']")
    title = " ".join((titles[0].text or "").split()) if titles else ""
    return Extracted(text, title, headings=tuple(headings))


def _part(archive: zipfile.ZipFile, name: str) -> Any:  # noqa: ANN401  # lxml has no types
    content = read_member(archive, name)
    if content is None:
        raise UnreadableError(f"it is no whole EPUB ({name} is missing in it); get it again")
    return parse_xml(content)


def _package_name(archive: zipfile.ZipFile) -> str:
    container = _part(archive, "META-INF/container.xml")
    for path in container.xpath("//*[local-name()='rootfile']/@full-path"):
        return str(path)
    raise UnreadableError("it is no whole EPUB (its container names no package); get it again")


def _chapters(package: Any, folder: str) -> list[str]:  # noqa: ANN401  # lxml has no types
    """Return the names of the chapters in the archive; what points out of the archive names nothing in it."""
    items = {item.get("id"): item for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")}
    names = []
    for reference in package.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref"):
        item = items.get(reference)
        if item is None or item.get("media-type") not in _CHAPTER_TYPES:
            continue
        if "nav" not in (item.get("properties") or "").split():
            names.append(_inside(folder, item.get("href") or ""))
    return list(dict.fromkeys(names))


def _inside(folder: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(urlsplit(reference).path)))


def _refuse_protected(archive: zipfile.ZipFile, chapters: list[str]) -> None:
    content = read_member(archive, "META-INF/encryption.xml")
    if content is None:
        return
    references = parse_xml(content).xpath("//*[local-name()='CipherReference']/@URI")
    # Fonts are encrypted in books that are free to read.
    if set(chapters).intersection(_inside("", str(reference)) for reference in references):
        raise UnreadableError("it is protected against copying; use a copy without protection")


def _read(archive: zipfile.ZipFile, chapters: list[str]) -> tuple[str, list[int]]:
    parts: list[str] = []
    headings: list[int] = []
    length = 0
    for name in chapters:
        content = read_member(archive, name)
        root = parse_html(decode_html(content)) if content else None
        chapter = read_markup(root, without=frozenset(("nav",))) if root is not None else Extracted("")
        if not chapter.text:
            continue
        if parts:
            parts.append(_BETWEEN)
            length += len(_BETWEEN)
        headings += [length + place for place in chapter.headings]
        parts.append(chapter.text)
        length += len(chapter.text)
    return "".join(parts), headings
