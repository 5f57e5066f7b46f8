"""The names and numbers of a question, and those that no document has: "No document mentions Napoli"."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches

from rag.expect import bare
from rag.lexical import question_words

# Of the alphabets that names in these languages are spelled with: Łukasz, Šefčovič, Œuvre.
_CAPITAL = "[" + "".join(letter for letter in map(chr, range(0x41, 0x250)) if letter.isupper()) + "]"
# A word written large, but not where any word is; or a number. Neither an abbreviation with points nor an ordinal or a
# decade is one: "EE.UU.", "57th", "57.º", "1950s" have another form in every language.
_NAME = re.compile(
    rf"(?<![.!?] )(?<![¿¡])(?<![¿¡] )(?<!\w\.)\b{_CAPITAL}(?!\w*\.\w)[\w’'-]*"
    r"|\b\d(?:[\d.,]*\d)?(?![.,\d]*[^\W\d]|\.?[ºª°])"
)
_WORD = re.compile(r"\w+")
_OF_WHOM = re.compile(r"(?<=\w)[’']s?$")
# English writes it large, and means nobody by name.
_I = re.compile(r"I(?:[’']\w+)?")
# Stands beside a word, so that a stopword, which would be kept alone, is left out; and is a term of no document.
_FIGURE = "0x"
_NEVER_SEEN = " "
# How like a word of a document a name is that was only spelled in another way: "Hendix", "Lutero".
_SPELLED_ALIKE = 0.8
_LEAST_LETTERS = 4


def names(question: str) -> list[str]:
    """Return the words that are written large, except where a sentence begins, and the numbers.

    >>> names("¿Quién dirige AI Studio en 2026?"), names("Where can I see Amazon's films?")
    (['AI', 'Studio', '2026'], ['Amazon'])
    """
    return [_OF_WHOM.sub("", match.group()) for match in _matches(question)]


def unmentioned(
    question: str, languages: Sequence[str], weight: Callable[[str], float], texts: Iterable[str]
) -> tuple[str, ...]:
    """Return the names and numbers of a question that stand in no document, in its words; neighbours as one.

    `languages` are the question's own and then those of the documents; `weight` is that of `TermWeights`, and tells
    which terms no document has, translations included. A name that a word of `texts`, the passages nearest to the
    question, is spelled much like is taken for it.

    >>> known = {"who", "leads", "studio"}
    >>> unmentioned("Who leads Secret City Studio?", ["en"], lambda term: float(term not in known), ["Who leads it?"])
    ('Secret City',)
    """
    matches = _matches(question)
    if question.isupper() or not matches:
        return ()
    never = weight(_NEVER_SEEN)
    unseen = [match for match in matches if _is_unseen(match.group(), languages, weight, never)]
    if not unseen:
        return ()
    there = {word for text in texts for word in _WORD.findall(bare(text)) if len(word) >= _LEAST_LETTERS}
    kept = [m for m in unseen if m.group()[0].isdigit() or not _spelled_alike(m.group(), there)]
    joined: list[tuple[int, int]] = []
    for match in kept:
        if joined and not question[joined[-1][1] : match.start()].strip():
            joined[-1] = (joined[-1][0], match.end())
        else:
            joined.append(match.span())
    return tuple(dict.fromkeys(_OF_WHOM.sub("", question[start:end]) for start, end in joined))


def _matches(question: str) -> list[re.Match[str]]:
    first = _WORD.search(question)
    found = [match for match in _NAME.finditer(question) if not _I.fullmatch(match.group())]
    return [m for m in found if m.group()[0].isdigit() or not first or m.start() != first.start()]


def _spelled_alike(word: str, there: Collection[str]) -> bool:
    return bool(get_close_matches(bare(word), there, n=1, cutoff=_SPELLED_ALIKE))


def _is_unseen(word: str, languages: Sequence[str], weight: Callable[[str], float], never: float) -> bool:
    found = [each for each in question_words(f"{_FIGURE} {word}", languages) if _FIGURE not in each]
    return bool(found) and all(weight(term) >= never for each in found for term in each)
