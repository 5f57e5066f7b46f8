"""Whether two answers to one question say the same, or contradict each other, by what they say and not how."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rag.dates import MONTHS
from rag.expect import Kind, bare
from rag.language import LANGUAGES
from rag.lexical import terms

MOST_WORDS_ROUND_A_NAME = 6
_DAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "es": "lunes martes miercoles jueves viernes sabado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "it": "lunedi martedi mercoledi giovedi venerdi sabato domenica",
}
# From two on, because one's own "one" is an article in three of the languages; then the tens from 30 to 90.
_SMALL = {
    "en": "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
    "dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt trente quarante cinquante soixante soixante-dix quatre-vingts quatre-vingt-dix",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
}
_VALUES = (*range(2, 21), *range(30, 100, 10))
_TIMES_OVER = {
    "en": {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "bn": 1e9, "trillion": 1e12},
    "es": {"cien": 1e2, "ciento": 1e2, "mil": 1e3, "millon": 1e6, "millones": 1e6, "billon": 1e12, "billones": 1e12},
    "fr": {"cent": 1e2, "cents": 1e2, "mille": 1e3, "million": 1e6, "millions": 1e6, "milliard": 1e9, "milliards": 1e9},
    "it": {"cento": 1e2, "mille": 1e3, "mila": 1e3, "milione": 1e6, "milioni": 1e6, "miliardo": 1e9, "miliardi": 1e9},
}
# Words that leave an answer what it is.
_HEDGES = (
    "about approximately around roughly nearly almost some circa quasi unos unas cerca aproximadamente casi alrededor "
    "environ pres presque presso last next ultimo ultima scorso scorsa dernier derniere pasado pasada"
)
# Nor do the courtesies before a name: "M. Cheng" is "Albert Cheng".
_COURTESIES = (
    "mr mrs ms miss sir dr prof m mme mlle mm messieurs monsieur madame mademoiselle sr sra srta senor senora senorita "
    "don dona sig signor signora signorina dott dottor dottore dottoressa dottssa professor professore professoressa"
)
_ROUNDED = 0.05
_GLUED_THOUSANDS = re.compile(r"\w{3,}mila\Z")
_KILO = re.compile(r"(?<=\d) ?[kK]\b")
_SIGNED = re.compile(r"(?<=\d)(?=[^\W\d_])")
_NAME = re.compile(r"\b[^\W\d_a-zß-öø-ÿ][\w’'&-]*")


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says: its numbers by value, its months and days of the week, its other words, its names.

    `words` are stems of the answer's language, without hedges; `names` are the words written large, without accents.
    """

    numbers: frozenset[float]
    calendar: frozenset[str]
    words: frozenset[str]
    names: frozenset[str]

    @property
    def figures(self) -> frozenset[float | str]:
        """Return the numbers and calendar names together."""
        return self.numbers | self.calendar


def said(text: str, language: str) -> Said:
    """Return what an answer in `language` says.

    >>> said("circa 30 mila", "it") == said("30,000", "en"), said("le 3 mars", "fr") == said("March 3", "en")
    (True, True)
    """
    numbers: set[float] = set()
    calendar: set[str] = set()
    rest: list[str] = []
    # No language, so that nothing is left out or stemmed: numbers are read in their order.
    plain = terms(_SIGNED.sub(" ", _KILO.sub("000", _split_thousands(text, language))), "")
    names = {bare(name) for name in _NAME.findall(text) if terms(f"0x {name}", language) != ["0x"]}
    at = 0
    while at < len(plain):
        value, after = _number(plain, at, language)
        if value is not None:
            numbers.add(value)
            at = after
            continue
        word = plain[at]
        if word in _calendar(language):
            calendar.add(_calendar(language)[word])
        elif word not in _hedges():
            rest.append(word)
        at += 1
    # A figure beside them, so that words which are all stopwords are left out too, as beside the answer's own figures.
    figure = "0 " if numbers or calendar else ""
    words = set(terms(figure + " ".join(rest), language) if rest else ()) - {"0"}
    names -= _calendar(language).keys() | _hedges()
    return Said(frozenset(numbers), frozenset(calendar), frozenset(words), frozenset(names))


def same(one: Said, other: Said) -> bool | None:
    """Tell whether two answers say the same by their numbers, dates and words; None where only meaning can tell.

    "M. Cheng" is one of "Albert Cheng", "March" is one of "March 2026", and "Albert Cheng" of "the veteran executive
    Albert Cheng"; a word of a long clause is not.

    >>> same(said("30.000", "es"), said("30 thousand", "en"))
    True
    >>> print(same(said("30.000 puestos", "es"), said("30 thousand jobs", "en")))
    None
    """
    if _incompatible(one, other):
        return False
    if bool(one.figures) != bool(other.figures):
        return False
    if _part(one.words, other.words):
        return True
    if one.figures:
        brief = len(one.words | other.words) <= MOST_WORDS_ROUND_A_NAME
        return True if brief and (one.calendar or not one.words or not other.words) else None
    names = all(len(each.words) <= 2 * len(each.names) for each in (one, other))
    return True if names and _part(one.names, other.names) else None


def contradicts(one: Said, other: Said, kind: Kind) -> bool:
    """Tell whether two answers to a question of that kind cannot both be right, as far as words can tell.

    Two numbers do unless one is the other rounded, two dates where they name different months or years, two names
    where they share no word. What is vaguer ("in recent months") contradicts nothing.

    >>> contradicts(said("350 planos", "es"), said("400 shots", "en"), "number")
    True
    >>> contradicts(said("since October", "en"), said("negli ultimi mesi", "it"), "time")
    False
    """
    if kind in ("name", "place"):
        return bool(one.names and other.names) and not one.names & other.names and not one.figures ^ other.figures
    if one.calendar and other.calendar and not one.calendar & other.calendar:
        return True
    if one.numbers and other.numbers:
        return not any(_rounded(a, b) for a in one.numbers for b in other.numbers)
    if kind == "other" and not one.figures and not other.figures:
        return _only_names(one) and _only_names(other) and not one.names & other.names
    return False


def _incompatible(one: Said, other: Said) -> bool:
    """Tell whether the answers have figures that no answer has both of; the vaguer of two dates is compatible."""
    if one.calendar and other.calendar:
        return not (one.figures <= other.figures or other.figures <= one.figures)
    return one.figures != other.figures if one.figures and other.figures else False


def _part(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether the shorter is a good part of the longer."""
    shorter, longer = sorted((one, other), key=len)
    most = MOST_WORDS_ROUND_A_NAME if len(shorter) > 1 else 2
    return bool(shorter) and shorter <= longer and len(longer) <= max(most, 2 * len(shorter))


def _rounded(a: float, b: float) -> bool:
    """Tell whether one number is the other with fewer digits: 31,000 is 30,850 or 31,212."""
    rounder, finer = sorted((a, b), key=lambda number: len(f"{number:.0f}".rstrip("0")))
    if rounder == finer:
        return True
    zeros = len(f"{rounder:.0f}") - len(f"{rounder:.0f}".rstrip("0"))
    return zeros > 0 and abs(rounder - finer) <= min(10**zeros / 2, _ROUNDED * finer)


def _only_names(one: Said) -> bool:
    return bool(one.names) and len(one.words) <= len(one.names)


def _number(words: Sequence[str], at: int, language: str) -> tuple[float | None, int]:
    """Return the value of the number that begins at a word and where it ends; None where none begins."""
    over = _TIMES_OVER.get(language, {})
    small, taken = _small_number(words, at, language)
    value: float | None = None
    if words[at][0].isdigit():
        try:
            value, taken = float(words[at]), 1
        except ValueError:  # a digit of another script, or "٣x"
            return None, at
    elif small is not None:
        value = small
    elif words[at] in over:
        value, taken = 1.0, 0
    if value is None:
        return None, at
    at += taken
    while at < len(words) and words[at] in over:
        value *= over[words[at]]
        at += 1
    return value, at


def _small_number(words: Sequence[str], at: int, language: str) -> tuple[float | None, int]:
    """Return the value of the longest number word at a place, and how many words it is."""
    for taken in (3, 2, 1):
        value = _small(language).get("-".join(words[at : at + taken]))
        if value is not None and at + taken <= len(words):
            return value, taken
    return None, 0


def _split_thousands(text: str, language: str) -> str:
    """Write "trentamila" in two words."""
    if language != "it":
        return text
    return " ".join(
        f"{word[:-4]} mila" if _GLUED_THOUSANDS.match(word) and bare(word[:-4]) in _small("it") else word
        for word in text.split()
    )


@cache
def _hedges() -> frozenset[str]:
    return frozenset(f"{_HEDGES} {_COURTESIES}".split())


@cache
def _small(language: str) -> dict[str, float]:
    return dict(zip(_SMALL.get(language, "").split(), map(float, _VALUES), strict=False))


@cache
def _calendar(language: str) -> dict[str, str]:
    """Return the names of months and days; where the language is none of the four, those of all."""
    languages = (language,) if language in LANGUAGES else LANGUAGES
    return {
        bare(name): f"{what}{number}"
        for what, names in (("month", MONTHS), ("day", _DAYS))
        for known in languages
        for number, name in enumerate(names[known].split(), start=1)
    }
