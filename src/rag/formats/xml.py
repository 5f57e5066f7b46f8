"""XML of the parts of DOCX and EPUB files, which refers to nothing outside of itself."""

from typing import Any

from rag.formats.extracted import UnreadableError


def parse_xml(data: bytes) -> Any:  # noqa: ANN401  # lxml has no types
    """Return the root element; raises UnreadableError when it is broken or defines entities of its own."""
    from lxml import etree

    refuse_entities(data)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser=parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError("it is damaged inside (its XML is broken); get it again") from error


def refuse_entities(data: bytes) -> None:
    """Raise UnreadableError for entity definitions: no writer of such files makes them, and bombs are made of them."""
    # UTF-16 hides the word from a search of bytes.
    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise UnreadableError("it defines XML entities, as a trap does; remove it")
