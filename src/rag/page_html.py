"""The page's markup: an answer, a source and the list of documents as HTML, every text of theirs escaped."""

import hashlib
import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from textwrap import shorten

from rag.labels import Labels
from rag.spans import Answer, Citation, Document, Span

DOCUMENTS_LISTED = 100
NEAREST_SHOWN = 3
EXCERPT_LENGTH = 280  # characters
TITLE_LENGTH = 90  # characters
CONFIDENT, DOUBTFUL = 0.8, 0.5  # from here up a confidence is called high, medium


def anchor(document: Document, *spans: Span) -> str:
    """Return the name of a place, as a link's fragment: a document, a passage in it, or words and their sentence.

    >>> letter = Document("a.txt", "A", "en", "Albert Cheng leads it.")
    >>> anchor(letter, Span(letter, 0, 12), Span(letter, 0, 22))
    'src-dba2d3e3b4-0-12-0-22'
    """
    return "-".join(["src", _key(document), *(f"{span.start}-{span.end}" for span in spans)])


def answer_html(answer: Answer, labels: Labels) -> str:
    """Return the reply to a question as HTML: a quotation with its numbered citations, or a refusal with its reason.

    All text of the documents is escaped; the exact words lie in `<mark>`, inside their sentence.
    """
    return _quotation_html(answer, labels) if answer.found else _refusal_html(answer, labels)


def source_html(document: Document, citation: Citation | None, labels: Labels, *, passage: Span | None = None) -> str:
    """Return a whole document as HTML, with the sentence and the words of `citation` (or a `passage`) highlighted.

    The highlighted sentence has the class `place` and can take the keyboard's focus.
    """
    sentence, words = (citation.sentence, citation.answer) if citation else (passage, None)
    title = f'<h2 tabindex="-1"{_lang(document.language)}>{_escape(document.title)}</h2>'
    text = _document_html(document, sentence, words)
    return (
        f'<nav><a href="#src">← {escape(labels.documents)}</a></nav>'
        f'<article id="{anchor(document)}"><header>{title}'
        f'<p class="about">{_facts(document.language, document.date, document.id)}</p></header>'
        f'<div class="text"{_lang(document.language)}>{text}</div></article>'
    )


def documents_html(documents: Sequence[Document], labels: Labels) -> str:
    """Return the list of the documents as HTML, each a link that opens it."""
    rows = [
        f'<li><a href="#{anchor(document)}"{_lang(document.language)}>{_escape(document.title)}</a>'
        f'<span class="about">{_facts(document.language, document.date)}</span></li>'
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
    keys = {_key(document): document for document in documents}
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


def header_html(labels: Labels) -> str:
    """Return the name of the page and what it is, in the reader's language."""
    return f"<div{_lang(labels.language)}><h1>Verbatim</h1><p>{escape(labels.tagline)}</p></div>"


def examples_title_html(labels: Labels) -> str:
    """Return what stands above the example questions."""
    return f"<p>{escape(labels.examples_title)}</p>"


def question_html(question: str) -> str:
    """Return a question as it was typed."""
    return f'<p class="asked">{_escape(question)}</p>'


def _quotation_html(answer: Answer, labels: Labels) -> str:
    best, *others = answer.citations
    document = best.answer.document
    also = "".join(
        f"<li>{_link_html(citation, number)} <q{_lang(citation.answer.document.language)}>"
        f"{_escape(citation.answer.text)}</q></li>"
        for number, citation in enumerate(others, start=2)
    )
    return (
        f'<div class="answer"><p class="kind"><span>{escape(labels.quotation)}</span>'
        f"{_confidence_html(answer.confidence, labels)}{_foreign_html(answer, labels)}</p>"
        f"<blockquote{_lang(document.language)}>"
        f"{_marked(document, best.sentence.start, best.sentence.end, None, best.answer)}</blockquote>"
        f'<p class="cited">{_link_html(best, 1)}</p>'
        + (f'<p class="also">{escape(labels.also_said_by)}</p><ul class="also">{also}</ul>' if also else "")
        + "</div>"
    )


def _refusal_html(answer: Answer, labels: Labels) -> str:
    assert answer.reason is not None
    nearest = "".join(
        f'<li><a href="#{anchor(hit.span.document, hit.span)}">{_title_html(hit.span.document)}</a>'
        f"<blockquote{_lang(hit.span.document.language)}>{_excerpt(hit.span)}</blockquote></li>"
        for hit in answer.passages[:NEAREST_SHOWN]
    )
    return (
        f'<div class="refusal"><p class="kind">{escape(labels.refusal)}</p>'
        f"<p>{escape(labels.reasons[answer.reason])}</p>"
        + (f"<details><summary>{escape(labels.nearest)}</summary><ul>{nearest}</ul></details>" if nearest else "")
        + "</div>"
    )


def _foreign_html(answer: Answer, labels: Labels) -> str:
    language = answer.citations[0].answer.document.language
    if language in (answer.language, "und") or answer.language == "und":
        return ""
    words = labels.foreign.format(language=labels.languages.get(language, language))
    return f'<span class="foreign">{escape(words)}</span>'


def _confidence_html(confidence: float, labels: Labels) -> str:
    rank = 0 if confidence >= CONFIDENT else 1 if confidence >= DOUBTFUL else 2
    percent = labels.percent.format(percent=round(100 * confidence))
    return f'<span class="confidence"><b>{escape(labels.confidence[rank])}</b> {escape(percent)}</span>'


def _link_html(citation: Citation, number: int) -> str:
    document = citation.answer.document
    return (
        f'<a href="#{anchor(document, citation.answer, citation.sentence)}"><span class="number">[{number}]</span> '
        f"{_title_html(document)}</a>"
    )


def _title_html(document: Document) -> str:
    """Return a link's text: the title, cut when it is long, and the language."""
    title = f"<span{_lang(document.language)}>{_escape(shorten(document.title, TITLE_LENGTH, placeholder='…'))}</span>"
    return title if document.language == "und" else f"{title} ({escape(document.language)})"


def _excerpt(span: Span) -> str:
    text = span.text.strip()
    return _escape(text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH].rsplit(maxsplit=1)[0] + " …")


def _document_html(document: Document, sentence: Span | None, words: Span | None) -> str:
    """Return the text, a `<p>` for each line; a line after a blank one starts a new block."""
    lines = []
    for line in re.finditer(r"[^\r\n]+", document.text):
        if line[0].isspace():
            continue
        starts_block = document.text[: line.start()].rstrip(" \t\r").endswith("\n\n")
        kind = ' class="block"' if starts_block else ""
        lines.append(f"<p{kind}>{_marked(document, line.start(), line.end(), sentence, words)}</p>")
    return "".join(lines).replace('class="quoted"', 'class="quoted place" tabindex="-1"', 1)


def _marked(document: Document, start: int, end: int, sentence: Span | None, words: Span | None) -> str:
    """Return the text from `start` to `end`, the words in `<mark>` and the sentence in `<span class="quoted">`.

    >>> letter = Document("a.txt", "A", "en", "He leads it.")
    >>> _marked(letter, 0, 12, None, Span(letter, 0, 2))
    '<mark>He</mark> leads it.'
    """
    bounds = [bound for span in (sentence, words) if span for bound in (span.start, span.end)]
    cuts = sorted({start, end, *(min(max(bound, start), end) for bound in bounds)})
    # A whole line in bold singles nothing out: the page sets it lighter.
    whole = ' class="whole"' if words and words.start <= start and end <= words.end else ""
    html = ""
    for left, right in pairwise(cuts):
        piece = _escape(document.text[left:right])
        if words and words.start <= left < words.end:
            piece = f"<mark{whole}>{piece}</mark>"
        if sentence and sentence.start <= left < sentence.end:
            piece = f'<span class="quoted">{piece}</span>'
        html += piece
    return html


def _escape(text: str) -> str:
    """Return text as HTML on one line: gradio trims the lines of a message, and quotations must stay exact."""
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def _facts(*facts: str | None) -> str:
    return " · ".join(escape(fact) for fact in facts if fact and fact != "und")


def _lang(language: str) -> str:
    return "" if language == "und" else f' lang="{escape(language)}"'


def _key(document: Document) -> str:
    return hashlib.sha256(document.id.encode()).hexdigest()[:10]
