"""Dates and times in text, so that no answer stops within one: "March" of "March 2026" is half an answer to "when"."""

import re
import unicodedata
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
# What may stand where a space does: one that keeps its words on a line (of French typography), or the end of a line.
_BLANK = r"[ \u00a0\u2009\u202f]"
_GAP = rf"(?:{_BLANK}|{_BLANK}*\r?\n{_BLANK}*)"
# The first of a month; its sign is also typed as a degree's, which Italian keyboards have.
_ORDINAL = r"(?:\.?[º°]|er|ero|ro|ᵉʳ)?"
# The day before the month, the day behind it, which is no amount of anything, and what joins it to a year.
_DAY = {
    "en": rf"\d{{1,2}}(?:st|nd|rd|th)?{_GAP}(?:of{_GAP})?",
    "es": rf"(?:\d{{1,2}}{_ORDINAL}|[Pp]rimero){_GAP}de{_GAP}",
    "fr": rf"(?:\d{{1,2}}{_ORDINAL}|[Pp]remier){_GAP}",
    "it": rf"(?:\d{{1,2}}{_ORDINAL}|[Pp]rimo){_GAP}",
}
_DAY_BEHIND = {
    "en": rf"(?:{_GAP}\d{{1,2}}(?:st|nd|rd|th)?\b(?!{_GAP}?(?:%|per{_GAP}?cent)|\.\d|,\d{{3}}\b))?",
}
_JOINED = {
    "en": rf",?(?:{_GAP}of)?{_GAP}",
    "es": rf"(?:{_GAP}del?)?{_GAP}",
    "fr": _GAP,
    "it": rf"(?:{_GAP}del)?{_GAP}",
}
# Dates in figures: "03/05/2026", "3.5.2026", "2026-05-03"; a year of two digits stands behind slashes alone,
# as "1.2.26" may be a version.
_DAY_OR_MONTH = r"(?:0?[1-9]|[12]\d|3[01])"
_IN_FIGURES = (
    rf"(?<![\w./-])(?:{_DAY_OR_MONTH}(?P<mark>[./-]){_DAY_OR_MONTH}(?P=mark)(?P<last>{YEAR})|"
    rf"{_DAY_OR_MONTH}/{_DAY_OR_MONTH}/\d\d|(?P<first>{YEAR})(?P<dash>[./-]){_DAY_OR_MONTH}(?P=dash){_DAY_OR_MONTH})"
    r"(?!\w|[./-]\d)"
)
# Times of day: "10:30", "4.40 a.m.", "9 pm", "20h30", "20 h 30"; what stands behind an hour is no larger number.
_MINUTES = r"[0-5]\d"
_OF_DAY = rf"(?i:[ap]\.{_BLANK}?m\b\.?|[ap]m\b)"
_TIME = (
    rf"(?<![\w.,:/])(?:\d{{1,2}}:{_MINUTES}(?::{_MINUTES})?(?![\d:]|[.,]\d)(?:{_BLANK}?(?:{_OF_DAY}|h\b))?|"
    rf"\d{{1,2}}(?:\.{_MINUTES})?{_BLANK}?{_OF_DAY}|\d{{1,2}}\.{_MINUTES}{_BLANK}?h\b|"
    rf"\d{{1,2}}{_BLANK}?[hH](?:{_BLANK}?{_MINUTES}(?!\w|[.,]\d|{_BLANK}\d))?\b)"
)
_FIGURES = re.compile(rf"{_IN_FIGURES}|{_TIME}")


def whole_date(span: Span, within: Span) -> Span:
    """Return the span widened to the whole of each date and time that it cuts: day, month and year, hour and minute.

    A year alone may stand.

    Of held-back answers in four languages that touch a date of several parts, 771 hold the whole of it, 213 the year
    alone, and 34 stop within it.

    >>> from rag.spans import Document
    >>> text = Document("a.txt", "A", "es", "Empieza en marzo de 2026.")
    >>> whole_date(Span(text, 11, 16), Span(text, 0, 25)).text
    'marzo de 2026'
    """
    start, end = span.start, span.end
    named = _pattern(span.document.language)
    for pattern in filter(None, (named, _FIGURES)):
        for match in pattern.finditer(span.document.text, within.start, within.end):
            if match.start() < span.end and span.start < match.end() and not _is_year_alone(span, match):
                start, end = min(start, match.start()), max(end, match.end())
    return span if (start, end) == (span.start, span.end) else Span(span.document, start, end)


def _is_year_alone(span: Span, match: re.Match[str]) -> bool:
    """Tell whether the span has of a date nothing but its year, which may be the last of its parts or the first."""
    groups = match.groupdict()
    last, first = groups.get("year") or groups.get("last"), groups.get("first")
    return bool(last and match.end() - len(last) <= span.start) or bool(
        first and span.end <= match.start() + len(first)
    )


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
    months += [unicodedata.normalize("NFD", name) for name in months if not name.isascii()]
    day, behind = _DAY[language], _DAY_BEHIND.get(language, "")
    return re.compile(rf"\b(?:{day})?\b(?:{'|'.join(months)})\b{behind}(?:{_JOINED[language]}(?P<year>{YEAR})\b)?")
