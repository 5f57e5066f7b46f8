"""Word documents (DOCX) -> their text with headings."""

import io
import zipfile

from rag.formats.archive import open_archive, read_member
from rag.formats.extracted import Extracted, Limits, UnreadableError
from rag.formats.markup import parse_html, read_markup
from rag.formats.xml import parse_xml, refuse_entities

_OLD_WORD = bytes.fromhex("d0cf11e0a1b11ae1")
_TITLES = "p[style-name='Title'] => h1:fresh\np[style-name='title'] => h1:fresh\np[style-name='Subtitle'] => h2:fresh"
_TITLE = "string(//*[local-name()='title'])"


def read_docx(data: bytes, limits: Limits) -> Extracted:
    """Return the body with its notes; pictures, comments and deleted text are left out."""
    import mammoth

    if data.startswith(_OLD_WORD):
        raise UnreadableError("it is an old Word file or has a password; save it as DOCX without a password")
    with open_archive(data, limits) as archive:
        title = _check(archive)
    try:
        made = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_TITLES,
            include_embedded_style_map=False,
            external_file_access=False,
            convert_image=mammoth.images.img_element(lambda image: {}),
        )
    except MemoryError:
        raise
    except Exception as error:  # mammoth raises whatever broken XML leads it to
        raise UnreadableError("it is damaged inside; open it in a word processor and save it again") from error
    root = parse_html(f"<div>{made.value}</div>")
    text = read_markup(root) if root is not None else Extracted("")
    return Extracted(text.text, title, headings=text.headings)


def _check(archive: zipfile.ZipFile) -> str:
    """Return the title in the properties; raises UnreadableError for entity definitions in any part."""
    names = set(archive.namelist())
    if "[Content_Types].xml" not in names:
        raise UnreadableError("it is a ZIP archive and no Word document; give it the right ending or remove it")
    for name in names:
        if name.endswith((".xml", ".rels")):
            refuse_entities(read_member(archive, name) or b"")
    properties = read_member(archive, "docProps/core.xml")
    if not properties:
        return ""
    try:
        return " ".join(str(parse_xml(properties).xpath(_TITLE)).split())
    except UnreadableError:  # the text does not depend on it
        return ""
