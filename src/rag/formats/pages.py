"""The lines of pages -> flowing text: wrapped lines joined, divided words made whole, running heads left out."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, chain

_ITEM = re.compile(r"[*+•·▪◦‣]\s|\d{1,3}(?:\.\d{1,3})*[.)]\s|[a-zA-Z]\)\s|\d{1,2}(?:\.\d{1,2})+\s+[^\W\da-z]")
# A dash can also be one of the sentence's own.
_DASH = re.compile(r"[-–—]\s")
_DIVIDED = re.compile(r"([^\W\d_]+)(?:-|\u00ad|\u2010)\Z")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_COMPOUND = re.compile(r"[^\W\d_]+-[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
_ENDS = ".!?…:;"
_CLOSERS = "»”’\"')]}› "
# A line that is shorter, as a part of the longest ones of its page, ends its paragraph or is a heading.
_FULL = 0.75
# Lines of prose are longer than this even in narrow columns; shorter ones are a list's or a table's.
_NARROWEST = 25
_FEWEST_PAGES = 3


def flowing(pages: Sequence[Sequence[str]]) -> tuple[str, tuple[int, ...]]:
    r"""Return the text of pages given as lines, and where each page begins in it.

    A paragraph becomes one line, also where it goes on over the page's end.

    >>> flowing([["A long line of the exam-", "ple wraps."], ["Page two."]])
    ('A long line of the example wraps.\n\nPage two.', (0, 35))
    """
    tidy = _without_running_heads([[line.replace("\u00a0", " ").strip() for line in page] for page in pages])
    joiner = _Joiner(tidy)
    glues: list[str] = []
    paragraphs: list[str] = []
    begins: list[int] = []
    for page in tidy:
        begins.append(len(paragraphs))
        for number, paragraph in enumerate(joiner.paragraphs(page)):
            glue = "\n\n" if paragraphs else ""
            if number == 0 and paragraphs and _runs_on(paragraphs[-1], paragraph):
                paragraphs[-1], glue = joiner.joint(paragraphs[-1], paragraph)
            glues.append(glue)
            paragraphs.append(paragraph)
    ends = [0, *accumulate(len(glue) + len(paragraph) for glue, paragraph in zip(glues, paragraphs, strict=True))]
    starts = tuple(ends[number] + len("".join(glues[number : number + 1])) for number in begins)
    return "".join(chain.from_iterable(zip(glues, paragraphs, strict=True))), starts


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """Leave out first and last lines that most pages have, but for the number of the page, and white lines at ends.

    The first time such a line stays, unless it is a number: nothing that is said is lost.
    """
    bare = [_trimmed(page) for page in pages]
    if len(pages) < _FEWEST_PAGES:
        return bare
    for place in (0, -1):
        seen = Counter(_NUMBER.sub("0", page[place]) for page in bare if page)
        repeated = {line for line, count in seen.items() if 2 * count > len(pages)}
        told: set[str] = set()
        for number, page in enumerate(bare):
            line = _NUMBER.sub("0", page[place]) if page else ""
            if line in repeated and (line in told or not _WORD.search(line)):
                bare[number] = _trimmed(page[1:] if place == 0 else page[:-1])
            told.add(line)
    return bare


def _trimmed(page: list[str]) -> list[str]:
    first = next((number for number, line in enumerate(page) if line), len(page))
    last = next((number for number in range(len(page), first, -1) if page[number - 1]), first)
    return page[first:last]


def _runs_on(before: str, after: str) -> bool:
    return before.rstrip(_CLOSERS)[-1:] not in _ENDS and after[:1].islower()


class _Joiner:
    """Joins lines; a word divided at a line's end keeps its hyphen where the text also writes it with one."""

    def __init__(self, pages: Sequence[Sequence[str]]) -> None:
        self._words: set[str] = set()
        self._compounds: set[str] = set()
        for page in pages:
            for line in page:
                self._words.update(word.lower() for word in _WORD.findall(line))
                self._compounds.update(word.lower() for word in _COMPOUND.findall(line))

    def paragraphs(self, lines: Sequence[str]) -> list[str]:
        """Return the paragraphs of a page."""
        lengths = sorted(len(line) for line in lines if line)
        longest = lengths[round(0.9 * (len(lengths) - 1))] if lengths else 0
        full = _FULL * longest if longest >= _NARROWEST else math.inf
        paragraphs: list[str] = []
        previous = ""
        for line in lines:
            if previous and line and _is_wrapped(previous, line, full):
                before, glue = self.joint(paragraphs[-1], line)
                paragraphs[-1] = before + glue + line
            elif line:
                paragraphs.append(line)
            previous = line
        return [paragraph.replace("\u00ad", "") for paragraph in paragraphs]

    def joint(self, before: str, after: str) -> tuple[str, str]:
        """Return what stands before the joint of two lines, and what goes between them."""
        divided, following = _DIVIDED.search(before), _FIRST_WORD.match(after)
        if not divided or not following or not following[0][0].islower():
            return before, " "
        whole = (divided[1] + following[0]).lower()
        compound = f"{divided[1]}-{following[0]}".lower()
        if before.endswith("-") and compound in self._compounds and whole not in self._words:
            return before, ""
        return before[:-1], ""


def _is_wrapped(before: str, after: str, full: float) -> bool:
    """Tell whether a paragraph goes on from one line to the next."""
    ended = before.rstrip(_CLOSERS)[-1:] in _ENDS
    if _ITEM.match(after) or (before[-1].isdigit() and after[0].isdigit()):
        return False
    if _DASH.match(after) and (ended or len(before) < full):
        return False
    if len(before) >= full or (_DIVIDED.search(before) and after[0].islower()):
        return True
    return after[0].islower() and not ended and 2 * len(before) >= full
