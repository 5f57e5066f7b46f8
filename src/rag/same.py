"""Whether two answers to one question say the same, or contradict each other, by what they say and not how."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from rag.expect import CAPITAL, Kind, bare, calendar, dated
from rag.lexical import terms
from rag.numerals import number_at, split_thousands, without_abbreviations
from rag.times import RECKONED, with_months, without_hours
from rag.units import CODES, is_mark, unit_of, with_marks

MOST_WORDS_ROUND_A_NAME = 6
# What parts two numbers, so that the second is not a part of the first: "of twenty, five".
_BREAK = re.compile(r"[,;:!?]\s|(?<=\w{3})\.\s|[()—]")
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
_SIGNED = re.compile(r"(?<=\d)(?=[^\W\d_])")
_NAME = re.compile(rf"\b{CAPITAL}[\w’'&-]*")


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says: its numbers by value, its months and days of the week, its other words, its names.

    `words` are stems of the answer's language, without hedges; `names` are the words written large, without accents.
    `units` are the numbers of which it is known what they are of, each with that and its stem among the words, if any.
    """

    numbers: frozenset[float]
    calendar: frozenset[str]
    words: frozenset[str]
    names: frozenset[str]
    units: frozenset[tuple[float, str, str]] = frozenset()

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
    units: set[tuple[float, str, str]] = set()
    if any(map(str.isdigit, text)):
        text, hours = without_hours(with_months(text, language))
        numbers |= {hour for hour, *_ in hours}
        units |= hours
    # Dates are taken out first: as words alone they could not be told from names.
    dates = dated(text, language)
    for _, start, end in reversed(dates):
        text = f"{text[:start]}, {text[end:]}"
    text = _SIGNED.sub(" ", with_marks(without_abbreviations(text)))
    names = {
        bare(name)
        for name in _NAME.findall(text)
        # "May" is a stopword, but no verb where it is written large and is no month.
        if bare(name) in calendar(language) or terms(f"0x {name}", language) != ["0x"]
    }
    rest: list[str] = []
    for part in _BREAK.split(text):
        # No language, so that nothing is left out or stemmed: numbers are read in their order.
        found = _read(split_thousands(terms(part, ""), language), language)
        numbers |= found.numbers
        units |= found.units
        rest += found.rest
    calendar_names = frozenset(what for what, *_ in dates)
    # A figure beside them, so that words which are all stopwords are left out too, as beside the answer's own figures.
    figure = "0 " if numbers or dates else ""
    words = set(terms(figure + " ".join(rest), language) if rest else ()) - {"0"}
    names -= _hedges() | (CODES if numbers else frozenset())
    return Said(frozenset(numbers), calendar_names, frozenset(words), frozenset(names), frozenset(units))


class _Found(NamedTuple):
    """The numbers of words, what they are of, and the words that are neither numbers nor hedges."""

    numbers: set[float]
    units: set[tuple[float, str, str]]
    rest: list[str]


def _read(words: Sequence[str], language: str) -> _Found:
    numbers: set[float] = set()
    units: set[tuple[float, str, str]] = set()
    rest: list[str] = []
    at = 0
    while at < len(words):
        value, end = number_at(words, at, language)
        if value is not None:
            numbers.add(value)
            unit, end = unit_of(words, at, end, language)
            if unit:
                units.add((value, *unit))
        else:
            if words[at] not in _hedges() and not is_mark(words[at]):
                rest.append(words[at])
            rest += words[at + 1 : end]
        at = end
    return _Found(numbers, units, rest)


@cache
def _hedges() -> frozenset[str]:
    return frozenset(f"{_HEDGES} {_COURTESIES}".split())


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
    agreed = _agreed_units(one, other)
    mine, its = one.words - agreed, other.words - agreed
    if _part(mine, its):
        return True
    if one.figures:
        brief = len(mine | its) <= MOST_WORDS_ROUND_A_NAME
        return True if brief and (one.calendar or not mine or not its) else None
    names = all(len(each.words) <= 2 * len(each.names) for each in (one, other))
    return True if names and _part(one.names, other.names) else None


def contradicts(one: Said, other: Said, kind: Kind) -> bool:
    """Tell whether two answers to a question of that kind cannot both be right, as far as words can tell.

    Two numbers of one thing do unless one is the other rounded ("2 years" and "24 months" do not), two dates where they
    name different months or years, two names where they share no word. What is vaguer ("in recent months") contradicts
    nothing.

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
        mine, its = _of_what(one), _of_what(other)
        pairs = [(a, b) for a in one.numbers for b in other.numbers if _comparable(mine.get(a), its.get(b))]
        return bool(pairs) and not any(
            _rounded(a, b) or _half_a_day_apart(a, b, mine.get(a), its.get(b)) for a, b in pairs
        )
    return kind == "other" and different_names(one, other)


def different_names(one: Said, other: Said) -> bool:
    """Tell whether both answers are nothing but names, and these have no word in common.

    Translated names may have none in common either, "Secret City" and "Ciudad Secreta".

    >>> different_names(said("Maria Duarte", "en"), said("Luis Ortega", "es"))
    True
    >>> different_names(said("Maria Duarte", "en"), said("M. Duarte", "fr"))
    False
    """
    return (
        not one.figures
        and not other.figures
        and _only_names(one)
        and _only_names(other)
        and not one.names & other.names
    )


def _of_what(one: Said) -> dict[float, set[str]]:
    """Return what each number is of, as far as it is known."""
    units: dict[float, set[str]] = {}
    for number, unit, _ in one.units:
        units.setdefault(number, set()).add(unit)
    return units


def _comparable(one: set[str] | None, other: set[str] | None) -> bool:
    """Tell whether two numbers may be of one thing."""
    return not one or not other or not one.isdisjoint(other)


def _half_a_day_apart(a: float, b: float, one: set[str] | None, other: set[str] | None) -> bool:
    """Tell whether two hours may be one, as one of them may be of the afternoon: "at 5" and "17:00"."""
    return abs(a - b) == 12 and (not one or not other) and "hour" in ((one or other) or ())


def _agreed_units(one: Said, other: Said) -> set[str]:
    """Return the words for what numbers are of that both answers have, with the same number: "2 years", "2 anni"."""
    if not one.units or not other.units:
        return set()
    agreed = {unit[:2] for unit in one.units} & {unit[:2] for unit in other.units}
    return {unit[2] for unit in one.units | other.units if unit[:2] in agreed}


def _incompatible(one: Said, other: Said) -> bool:
    """Tell whether the answers have figures that no answer has both of, or a number that is of two things.

    The vaguer of two dates is compatible.
    """
    if one.units or other.units:
        mine, its = _of_what(one), _of_what(other)
        for number in one.numbers & other.numbers:
            a, b = mine.get(number), its.get(number)
            if not _comparable(a, b) or (not (a and b) and RECKONED in (a or b or ())):
                return True
    if one.calendar and other.calendar:
        return not (one.figures <= other.figures or other.figures <= one.figures)
    return one.figures != other.figures if one.figures and other.figures else False


def _part(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether the shorter is a good part of the longer."""
    shorter, longer = sorted((one, other), key=len)
    most = MOST_WORDS_ROUND_A_NAME if len(shorter) > 1 else 2
    return bool(shorter) and shorter <= longer and len(longer) <= max(most, 2 * len(shorter))


def _rounded(a: float, b: float) -> bool:
    """Tell whether one number is the other with fewer digits: 31,000 is 30,850 or 31,212, and 2.5 is 2.54."""
    if a == b:
        return True
    place = max(_last_place(a), _last_place(b))
    # Halves are rounded up or down, and are not exact.
    return abs(a - b) <= min(place / 2 * (1 + 1e-9), _ROUNDED * max(a, b))


def _last_place(number: float) -> float:
    """Return what the last digit of a number counts that is not 0: 1,000 for 31,000 and 0.1 for 2.5."""
    figures, _, exponent = f"{number:.11e}".partition("e")
    decimals = figures.rstrip("0").partition(".")[2]
    return 10.0 ** (int(exponent) - len(decimals))


def _only_names(one: Said) -> bool:
    return bool(one.names) and len(one.words) <= len(one.names)
