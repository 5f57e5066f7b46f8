"""The words of an answer that documents have in common, where each says the same in words of its own."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from rag.expect import bare
from rag.spans import Span

# An accent may stand apart from its letter (NFD); this one stands for all.
_ACCENT = "\u0301"
_WORD = re.compile(rf"\w[\w{_ACCENT}]*")
# How much of another answer's letters must follow each other in this one for it to have a say in where this one ends.
LEAST_COMMON = 0.5


def agreed_words(answer: Span, others: Sequence[str]) -> Span:
    """Return the part of an answer, or all of it, that agrees best with what others answer, each having one vote.

    "Jon Erwin combinó imágenes" is "Jon Erwin" where others answer "Jon Erwin" and "director Jon Erwin"; accents and
    case tell no words apart.
    """
    places = _places(answer.text)
    words = [bare(answer.text[start:end]) for start, end in places]
    parts = [(0, len(answer.text))]
    for other in others:
        theirs = [bare(other[start:end]) for start, end in _places(other)]
        run = SequenceMatcher(None, words, theirs, autojunk=False).find_longest_match()
        common = theirs[run.b : run.b + run.size]
        if common and len("".join(common)) >= LEAST_COMMON * len("".join(theirs)):
            parts.append((places[run.a][0], places[run.a + run.size - 1][1]))
    start, end = max(parts, key=lambda part: sum(_shared(part, other) for other in parts))
    return Span(answer.document, answer.start + start, answer.start + end)


def _places(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text begin and end."""
    marked = "".join(_ACCENT if unicodedata.category(letter).startswith("M") else letter for letter in text)
    return [match.span() for match in _WORD.finditer(marked)]


def _shared(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the share of characters that two places have in common (F1)."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return 2 * max(common, 0) / (one[1] - one[0] + other[1] - other[0])
