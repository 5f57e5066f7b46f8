"""The sources as HTML: the list of documents, one document with a place highlighted, a reader's own files."""

import re
from collections.abc import Sequence
from html import escape

from rag.labels import Labels
from rag.markup import anchor, button, escaped, facts_html, key, lang, marked_html
from rag.spans import Citation, Document, Span
from rag.uploads import MOST_BYTES, MOST_FILES, kinds

DOCUMENTS_LISTED = 100


def source_html(document: Document, citation: Citation | None, labels: Labels, *, passage: Span | None = None) -> str:
    """Return a whole document as HTML, with the sentence and the words of `citation` (or a `passage`) highlighted.

    The highlighted sentence has the class `place` and can take the keyboard's focus.
    """
    sentence, words = (citation.sentence, citation.answer) if citation else (passage, None)
    title = f'<h2 tabindex="-1"{lang(document.language)}>{escaped(document.title)}</h2>'
    spans = [sentence] if sentence else []
    place = anchor(document, *([words] if words else []), *spans)
    page = [labels.page.format(page=sentence.page)] if sentence and sentence.page is not None else []
    back = f'<a href="#chat" class="back">↑ {escape(labels.back)}</a>' if sentence else ""
    return (
        f'<nav><a href="#src">← {escape(labels.documents)}</a>{back}</nav>'
        f'<article id="{anchor(document)}" data-place="{place}"><header>{title}'
        f'<p class="about">{facts_html(document, labels, *page, document.id)}</p></header>'
        f'<div class="text"{lang(document.language)}>{_text_html(document, sentence, words)}</div></article>'
    )


def documents_html(documents: Sequence[Document], labels: Labels) -> str:
    """Return the list of the documents as HTML, each a link that opens it."""
    rows = [
        f'<li><a href="#{anchor(document)}"{lang(document.language)}>{escaped(document.title)}</a>'
        f'<span class="about">{facts_html(document, labels)}</span></li>'
        for document in documents[:DOCUMENTS_LISTED]
    ]
    hidden = len(documents) - len(rows)
    more = f'<p class="about">{escape(labels.more_documents.format(count=hidden))}</p>' if hidden else ""
    return (
        f'<h2 tabindex="-1">{escape(labels.documents)}</h2><p class="hint">{escape(labels.documents_hint)}</p>'
        f'<ul class="documents">{"".join(rows)}</ul>{more}'
    )


def place_html(name: str, documents: Sequence[Document], labels: Labels) -> str:
    """Return the HTML of the place that `anchor` named; the list of documents when there is no such place."""
    keys = {key(document): document for document in documents}
    found = re.fullmatch(r"src-([0-9a-f]{10})((?:-[0-9]{1,10}){0,4})", name)
    document = keys.get(found[1]) if found else None
    if not found or document is None:
        return documents_html(documents, labels)
    bounds = [int(number) for number in found[2].split("-")[1:]]
    try:
        spans = [Span(document, start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
        citation = Citation(spans[0], spans[1], 0.0) if len(spans) == 2 else None
    except ValueError:
        return documents_html(documents, labels)
    return source_html(document, citation, labels, passage=spans[0] if len(spans) == 1 else None)


def own_html(names: Sequence[str], labels: Labels, status: str = "") -> str:
    """Return the part of the page where a reader adds files of their own and takes them away.

    `status` says what became of the last change.
    """
    hint = labels.own_hint.format(files=MOST_FILES, size=MOST_BYTES // 1_000_000, kinds=", ".join(kinds()))
    rows = "".join(
        f"<li><span>{escaped(name)}</span>{button('remove', labels.own_remove.format(name=name), name)}</li>"
        for name in names
    )
    return (
        f'<h2>{escape(labels.own)}</h2><p class="hint">{escape(hint)}</p>'
        + (f'<ul class="own">{rows}</ul>' if rows else "")
        + f'<label class="add">{escape(labels.own_add)}<input type="file" multiple '
        f'accept="{",".join(kinds())}" data-most="{MOST_FILES}" data-bytes="{MOST_BYTES}"/></label>'
        f'<p class="status" role="status">{escape(status)}</p>'
    )


def _text_html(document: Document, sentence: Span | None, words: Span | None) -> str:
    """Return the text, a `<p>` for each line; a line after a blank one starts a new block."""
    lines = []
    for line in re.finditer(r"[^\r\n]+", document.text):
        if line[0].isspace():
            continue
        starts_block = document.text[: line.start()].rstrip(" \t\r").endswith("\n\n")
        kind = ' class="block"' if starts_block else ""
        lines.append(f"<p{kind}>{marked_html(document, line.start(), line.end(), sentence, words)}</p>")
    return "".join(lines).replace('class="quoted"', 'class="quoted place" tabindex="-1"', 1)
