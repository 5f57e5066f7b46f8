"""The small pieces of the page's HTML: escaped text, the names of places, the marked words of a sentence."""

import hashlib
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from textwrap import shorten

from rag.labels import Labels
from rag.spans import Document, Span

EXCERPT_LENGTH = 280  # characters
TITLE_LENGTH = 90  # characters


def anchor(document: Document, *spans: Span) -> str:
    """Return the name of a place, as a link's fragment: a document, a passage in it, or words and their sentence.

    >>> letter = Document("a.txt", "A", "en", "Albert Cheng leads it.")
    >>> anchor(letter, Span(letter, 0, 12), Span(letter, 0, 22))
    'src-18b7cb099a-0-12-0-22'
    """
    return "-".join(["src", key(document), *(f"{span.start}-{span.end}" for span in spans)])


def key(document: Document) -> str:
    """Return what stands for a document in the name of a place."""
    return hashlib.sha256(document.id.encode()).hexdigest()[:10]


def escaped(text: str) -> str:
    """Return text as HTML on one line: gradio trims the lines of a message, and quotations must stay exact."""
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def lang(language: str) -> str:
    """Return the attribute that says in which language an element's text is; nothing where that is unknown."""
    return "" if language == "und" else f' lang="{escape(language)}"'


def short_title(document: Document) -> str:
    """Return a document's title, cut at a word when it is long."""
    return shorten(document.title, TITLE_LENGTH, placeholder="…")


def title_html(document: Document) -> str:
    """Return a link's text: the title, cut when it is long, and the language."""
    title = f"<span{lang(document.language)}>{escaped(short_title(document))}</span>"
    return title if document.language == "und" else f"{title} ({escape(document.language)})"


def facts_html(document: Document, labels: Labels, *more: str) -> str:
    """Return what is known of a document: its language and date, then what the caller adds."""
    language = "" if document.language == "und" else labels.languages.get(document.language, document.language)
    facts = [escape(fact) for fact in (language, *more) if fact]
    if document.date:
        facts.insert(1 if language else 0, f'<time datetime="{escape(document.date)}">{escape(document.date)}</time>')
    return " · ".join(facts)


def excerpt_html(span: Span) -> str:
    """Return the beginning of a passage, cut at a word."""
    text = span.text.strip()
    return escaped(text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH].rsplit(maxsplit=1)[0] + " …")


def marked_html(document: Document, start: int, end: int, sentence: Span | None, words: Span | None) -> str:
    """Return the text from `start` to `end`, the words in `<mark>` and the sentence in `<span class="quoted">`.

    >>> letter = Document("a.txt", "A", "en", "He leads it.")
    >>> marked_html(letter, 0, 12, None, Span(letter, 0, 2))
    '<mark>He</mark> leads it.'
    """
    bounds = [bound for span in (sentence, words) if span for bound in (span.start, span.end)]
    cuts = sorted({start, end, *(min(max(bound, start), end) for bound in bounds)})
    # A whole line in bold singles nothing out: the page sets it lighter.
    whole = ' class="whole"' if words and words.start <= start and end <= words.end else ""
    html = ""
    for left, right in pairwise(cuts):
        piece = escaped(document.text[left:right])
        if words and words.start <= left < words.end:
            piece = f"<mark{whole}>{piece}</mark>"
        if sentence and sentence.start <= left < sentence.end:
            piece = f'<span class="quoted">{piece}</span>'
        html += piece
    return html


def button(name: str, text: str, value: str = "", *, kind: str = "") -> str:
    """Return a button that the page's script answers by its name; its value says to what it belongs."""
    classes = f' class="{kind}"' if kind else ""
    return f'<button type="button" name="{name}" value="{escape(value)}"{classes}>{escape(text)}</button>'


def questions_html(title: str, questions: Sequence[str]) -> str:
    """Return questions that can be chosen, below their title; nothing where there are none."""
    if not questions:
        return ""
    rows = "".join(f"<li>{button('ask', question, question)}</li>" for question in questions)
    return f'<div class="offers"><p>{escape(title)}</p><ul>{rows}</ul></div>'
