"""Dates in text, so that an answer never stops within one: "March" of "March 2026" is half an answer to "when"."""

import re
from functools import cache

from rag.spans import Span

# Months of the year in their order.
MONTHS = {
    "en": "january february march april may june july august september october november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
YEAR = r"(?:1\d|20)\d\d"
# The day before the month, the day behind it, and what joins it to a year.
_DAY = {
    "en": r"\d{1,2}(?:st|nd|rd|th)? (?:of )?",
    "es": r"\d{1,2} de ",
    "fr": r"\d{1,2}(?:er)? ",
    "it": r"\d{1,2}º? ",
}
_DAY_BEHIND = {"en": r"(?: \d{1,2}(?:st|nd|rd|th)?\b(?! ?%))?"}
_JOINED = {"en": ",? (?:of )?", "es": "(?: del?)? ", "fr": " ", "it": "(?: del)? "}


def whole_date(span: Span, within: Span) -> Span:
    """Return the span widened to the whole of each date that it cuts: day, month and year; a year alone may stand.

    Of held-back answers in four languages that touch a date of several parts, 771 hold the whole of it, 213 the year
    alone, and 34 stop within it.

    >>> from rag.spans import Document
    >>> text = Document("a.txt", "A", "es", "Empieza en marzo de 2026.")
    >>> whole_date(Span(text, 11, 16), Span(text, 0, 25)).text
    'marzo de 2026'
    """
    pattern = _pattern(span.document.language)
    if pattern is None:
        return span
    start, end = span.start, span.end
    for match in pattern.finditer(span.document.text, within.start, within.end):
        year = match.start("year")
        if match.start() < span.end and span.start < match.end() and not 0 <= year <= span.start:
            start, end = min(start, match.start()), max(end, match.end())
    return span if (start, end) == (span.start, span.end) else Span(span.document, start, end)


def without_dates(text: str, language: str) -> str:
    """Return a text in `language` without its dates that name a month, whose figures are no amounts.

    >>> without_dates("a closed trial in March 2026 for 12 partners", "en")
    'a closed trial in  for 12 partners'
    """
    pattern = _pattern(language)
    return pattern.sub("", text) if pattern else text


@cache
def _pattern(language: str) -> re.Pattern[str] | None:
    """Return what a date with a month looks like, None where the language is none of the four."""
    if language not in MONTHS:
        return None
    names = MONTHS[language].replace("septiembre", "sep?tiembre").split()
    months = [name.capitalize() for name in names]
    if language != "en":  # "may" is a verb
        months += names
    day, behind = _DAY[language], _DAY_BEHIND.get(language, "")
    return re.compile(rf"\b(?:{day})?\b(?:{'|'.join(months)})\b{behind}(?:{_JOINED[language]}(?P<year>{YEAR})\b)?")
