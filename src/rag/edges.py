"""Where the words of an answer begin and end: whole words, marks in pairs, one cell of a table."""

import re
import unicodedata

from rag.quantities import is_minus
from rag.spans import Span

_OPENING = " \t\n«“\"'‘([{)]}»”,;:.-–—*_`"
_CLOSING = " \t\n»”\"'’)]}([{«“‘,;:.!?–—*_`"
# Brackets and quotation marks that an answer has both of or neither; so near, the other one is taken with what is
# between, where nothing else opens or closes.
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”"}
_OPENS = {closing: opening for opening, closing in _PAIRS.items()}
_NEAR = 40
_BRACKETS = "([{"
# Marks of Markdown that open a line, and those that close what they opened before: "C#", ">5" and "5*" have none.
_LINE_MARK = re.compile(r"[ \t]*[#>][#> \t]*\Z")
_EMPHASIS = "*_`"
# What stands between the cells of a table in Markdown; beneath the names of its columns stands a line of dashes.
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-{2,}[-:| \t]*\r?\Z")
# Words with full stops in them have one at their end as well: "p.m.", "B.B.C.", "EE.UU.", "Ph.D.".
_PIECE = r"(?:[A-Z]{2}|[A-Z][a-z]|[^\W\d_])"
_NO_WORD = r"(?![^\W_]|[\u0300-\u036f])"
_DOTTED = re.compile(rf"(?<![^\W_])(?<![.\u0300-\u036f])\d{{0,2}}(?:{_PIECE}\.)+{_PIECE}{_NO_WORD}(?:\.{_NO_WORD})?")
_DOTTED_LENGTH = 16
# An abbreviation is short, and its sentence goes on behind its full stop: "Ltd. of London".
_ABBREVIATION = re.compile(r"(?<!\w)(?:[^\W\d_]{2,4}|[A-Z][^\W\d_]{1,5})\Z")
_GOES_ON = re.compile(r"\.,?\s+[^\s.]*\w")


def whole_words(span: Span, within: Span) -> Span:
    """Return the span widened to whole words, without the marks at its edges that belong to the sentence.

    Brackets and quotation marks are in pairs, and in a table the words are those of one cell.

    >>> from rag.spans import Document
    >>> text = Document("a.txt", "A", "en", "The harbour (it fell to -12 degrees) froze.")
    >>> whole_words(Span(text, 12, 35), Span(text, 0, 43)).text, whole_words(Span(text, 24, 35), Span(text, 0, 43)).text
    ('it fell to -12 degrees', '-12 degrees')
    """
    text = span.document.text
    low, high = _cell(span, within)
    start, end = max(low, span.start), min(high, span.end)
    while start > low and _goes_on(text, start):
        start -= 1
    while end < high and _goes_on(text, end):
        end += 1
    start, end = _trimmed(text, low, start, end)
    while (paired := _paired(text, low, high, start, end)) != (start, end):
        start, end = _trimmed(text, low, *paired)
    return Span(span.document, *_with_full_stops(text, low, high, start, end))


def _cell(span: Span, within: Span) -> tuple[int, int]:
    """Return the bounds of the table's cell in which the words begin; those of the sentence where it is no table."""
    text = span.document.text
    if text.find("|", within.start, within.end) < 0:
        return within.start, within.end
    words = re.search(r"[^\W_]|[^|\s]", span.text) if "|" not in span.text else re.search(r"[^\W_]", span.text)
    if words is None:
        return within.start, within.end
    at = span.start + words.start()
    first, last = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    last = len(text) if last < 0 else last
    if not _is_row(text, first, last):
        return within.start, within.end
    low, high = text.rfind("|", first, at) + 1, text.find("|", at, last)
    return max(within.start, low or first), min(within.end, last if high < 0 else high)


def _is_row(text: str, first: int, last: int) -> bool:
    """Tell whether a line is a row of a table: an edge is drawn, or it has three cells, or a rule above or beneath."""
    line = text[first:last].strip()
    if line.count("|") > 1 or (line[:1] + line[-1:]).count("|"):
        return True
    above = text[text.rfind("\n", 0, max(0, first - 1)) + 1 : max(0, first - 1)]
    beneath = text[last + 1 :].partition("\n")[0] if last + 1 < len(text) else ""
    return any("|" in other and _RULE.match(other) for other in (above, beneath))


def _trimmed(text: str, low: int, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of words without the marks at their edges, but for those of a pair inside and those of words.

    `low` is where the sentence begins.
    """
    before = None
    while before != (start, end):
        before = start, end
        while end - start > 1 and text[end - 1] in _CLOSING and not _closes(text, low, start, end):
            end -= 1
        while end - start > 1 and _may_go(text, low, start, end):
            start += 1
    return start, end


def _may_go(text: str, low: int, start: int, end: int) -> bool:
    """Tell whether the first character of words is a mark that does not belong to them."""
    mark = text[start]
    if mark in "#>":
        line = max(low, text.rfind("\n", low, start) + 1)
        return text[start + 1] in "#> \t" and _LINE_MARK.match(text[line : start + 1]) is not None
    if mark not in _OPENING or is_minus(text, start):
        return False
    return mark not in _PAIRS or _partners(text, start, end).get(start, end) >= end - 1


def _closes(text: str, low: int, start: int, end: int) -> bool:
    """Tell whether the last character of words belongs to them: closes what opens inside, or is no mark of Markdown."""
    mark = text[end - 1]
    if mark in _EMPHASIS:
        return mark not in text[low : end - 1]
    return mark in _OPENS and start < _partners(text, start, end).get(end - 1, start)


def _partners(text: str, start: int, end: int) -> dict[int, int]:
    """Return the places of brackets and quotation marks that have their partner in the words, and its place, for both.

    >>> _partners("(a) b)", 0, 6)
    {2: 0, 0: 2}
    """
    opened: dict[str, list[int]] = {mark: [] for mark in _PAIRS}
    partners = {}
    for at in range(start, end):
        if text[at] in opened:
            opened[text[at]].append(at)
        elif text[at] in _OPENS and (before := opened[_OPENS[text[at]]]):
            partners[at] = before.pop()
            partners[partners[at]] = at
    return partners


def _paired(text: str, low: int, high: int, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of words with the partner of their first lone bracket or quotation mark, if that is near.

    Else they end before a bracket that only opens; other lone marks stay.
    """
    if re.search(r"[^\W_]", text[start:end]) is None:
        return start, end
    partners = _partners(text, start, end)
    lone = [at for at in range(start, end) if text[at] in _PAIRS or text[at] in _OPENS if at not in partners]
    marks = {*_PAIRS, *_OPENS}
    for at in lone:
        steps = (
            range(end, min(high, end + _NEAR))
            if text[at] in _PAIRS
            else range(start - 1, max(low, start - _NEAR) - 1, -1)
        )
        near = next((step for step in steps if text[step] in marks), None)
        if near is not None and text[near] == (_PAIRS.get(text[at]) or _OPENS[text[at]]):
            return min(start, near), max(end, near + 1)
        if text[at] in _BRACKETS and at > start:
            return start, at
    return start, end


def _with_full_stops(text: str, low: int, high: int, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of words with all of the first and the last one where these have full stops of their own."""
    for match in _DOTTED.finditer(text, max(low, start - _DOTTED_LENGTH), min(high, end + _DOTTED_LENGTH)):
        if match.start() < end and start < match.end():
            start, end = min(start, match.start()), max(end, match.end())
    if _ABBREVIATION.search(text[max(start, end - _DOTTED_LENGTH) : end]) and _GOES_ON.match(text, end, high):
        end += 1
    return start, end


def _goes_on(text: str, at: int) -> bool:
    """Tell whether a word goes on at a place of a text: in letters, or in an accent that stands apart from its letter.

    What follows such an accent is of its word: it stands for the letter before it.
    """
    return _is_accent(text[at]) or (text[at].isalnum() and (text[at - 1].isalnum() or _is_accent(text[at - 1])))


def _is_accent(character: str) -> bool:
    """Tell whether a character is a mark on the one before it, as in decomposed text (NFD)."""
    return unicodedata.category(character).startswith("M")
