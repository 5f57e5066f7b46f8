"""What numbers are of, told by the words and signs beside them: years, euros, per cent."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from rag.lexical import terms
from rag.numerals import OF, word_at

# What a figure is of, by the words right behind it or before it; people, jobs and their like are told apart as words.
_UNITS = {
    "en": {
        "second": "second seconds sec secs",
        "minute": "minute minutes min mins",
        "hour": "hour hours hr hrs",
        "day": "day days",
        "week": "week weeks wk wks",
        "month": "month months",
        "year": "year years yr yrs",
        "percent": "percent",
        "usd": "dollar dollars",
        "gbp": "pound pounds sterling",
        "franc": "franc francs",
        "kg": "kilo kilos kilogram kilograms kilogramme kilogrammes",
        "g": "gram grams gramme grammes",
        "t": "ton tons tonne tonnes",
        "km": "kilometre kilometres kilometer kilometers",
        "m": "metre metres meter meters",
        "cm": "centimetre centimetres centimeter centimeters",
        "l": "litre litres liter liters",
    },
    "es": {
        "second": "segundo segundos seg",
        "minute": "minuto minutos min",
        "hour": "hora horas hrs",
        "day": "dia dias",
        "week": "semana semanas",
        "month": "mes meses",
        "year": "ano anos",
        "usd": "dolar dolares",
        "gbp": "libra libras",
        "franc": "franco francos",
        "kg": "kilo kilos kilogramo kilogramos",
        "g": "gramo gramos",
        "t": "tonelada toneladas",
        "km": "kilometro kilometros",
        "m": "metro metros",
        "cm": "centimetro centimetros",
        "l": "litro litros",
    },
    "fr": {
        "second": "seconde secondes sec",
        "minute": "minute minutes min",
        "hour": "heure heures",
        "day": "jour jours",
        "week": "semaine semaines",
        "month": "mois",
        "year": "an ans annee annees",
        "usd": "dollar dollars",
        "gbp": "sterling",
        "franc": "franc francs fr",
        "kg": "kilo kilos kilogramme kilogrammes",
        "g": "gramme grammes",
        "t": "tonne tonnes",
        "km": "kilometre kilometres",
        "m": "metre metres",
        "cm": "centimetre centimetres",
        "l": "litre litres",
    },
    "it": {
        "second": "secondo secondi sec",
        "minute": "minuto minuti min",
        "hour": "ora ore",
        "day": "giorno giorni",
        "week": "settimana settimane",
        "month": "mese mesi",
        "year": "anno anni",
        "percent": "percento",
        "usd": "dollaro dollari",
        "gbp": "sterlina sterline",
        "franc": "franco franchi fr",
        "kg": "chilo chili chilogrammo chilogrammi",
        "g": "grammo grammi",
        "t": "tonnellata tonnellate",
        "km": "chilometro chilometri",
        "m": "metro metri",
        "cm": "centimetro centimetri",
        "l": "litro litri",
    },
}
_UNITS_EVERYWHERE = {
    "eur": "euro euros eur",
    "usd": "usd",
    "gbp": "gbp",
    "franc": "chf",
    "km": "km",
    "cm": "cm",
    "kg": "kg",
}
# These may also stand before their figure.
_CURRENCIES = frozenset(["eur", "usd", "gbp", "franc"])
# Codes of currencies, which are written large and are no names.
CODES = frozenset(["eur", "usd", "gbp", "chf"])
# Behind a number: "5 por ciento" is "5%", and has no hundred.
_PER_CENT = {"per": ("cent", "cento"), "por": ("ciento", "cien"), "pour": ("cent",)}
# Signs and single letters behind a figure, which are no words, and signs before one. From here on words that begin with
# these marks stand for them; a metre is no million, which money has, and 90s are no seconds.
_SIGN, _BEFORE = "unitsign", "unitbefore"
_SIGNS = {"%": "percent", "€": "eur", "$": "usd", "£": "gbp", "h": "hour", "s": "second"}
_DOLLAR = r"(?:(?<![^\W_])(?:US|CA|AU|NZ|[AC]))?\$"
_SIGN_BEFORE = re.compile(rf"(?:{_DOLLAR}|[€£])(?=[ \u00a0\u202f]?\d)(?<!\d[€£$])")
_SIGN_BEHIND = re.compile(
    rf"{_DOLLAR}|[€£]|(?<=\d)[ \u00a0\u202f]?%|"
    r"(?<![^\W\d])(?<![^\W\d]-)(?<![\d.,])(?P<figure>\d[\d.,]*)"
    r"(?:[ \u00a0\u202f]?(?:[hHgtmlL])|[ \u00a0\u202f]s)(?![\w²³/]|[.'’-]\w)"
)
# What a rate is in, which the number before it is not of: "18 million a year"; single letters are no words.
_RATE = re.compile(
    r"(?<![^\W\d_])(?:[aà] |l['’])"
    r"(?=(?:minute|hour|day|week|month|year|minuto|ora|giorno|settimana|mese|anno|an|heure)\b)"
)


def with_marks(text: str) -> str:
    """Return a text with words of its own for the signs and single letters beside figures, which `unit_of` reads.

    >>> with_marks("$30 or 5 %")
    ' unitbeforeusd 30 or 5 unitsignpercent '
    """
    text = _SIGN_BEFORE.sub(_before, _RATE.sub(f"{_BEFORE} ", text))
    return _SIGN_BEHIND.sub(_behind, text)


def is_mark(word: str) -> bool:
    """Tell whether a word stands for a sign, and is none of the text's."""
    return word.startswith((_SIGN, _BEFORE))


def unit_of(words: Sequence[str], at: int, end: int, language: str) -> tuple[tuple[str, str] | None, int]:
    """Return what the number between two places is of, with its stem, and where it ends, with its per cent.

    It is what is behind the number, or money before it; None where neither is known.

    >>> unit_of(["2", "anni"], 0, 1, "it"), unit_of(["5", "per", "cento"], 0, 1, "it")
    ((('year', 'anni'), 1), (('percent', ''), 3))
    """
    if word_at(words, end + 1) in _PER_CENT.get(word_at(words, end), ()):
        return ("percent", ""), end + 2
    return _unit(words, at, end, _unit_words(language)), end


def _unit(words: Sequence[str], at: int, end: int, known: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
    """Return what the number between two places is of, and its stem: what is behind it, or money before it."""
    before, behind = word_at(words, at - 1) if at else "", word_at(words, end + (word_at(words, end) in OF))
    if before.startswith(_BEFORE) and before != _BEFORE:
        return before.removeprefix(_BEFORE), ""
    if behind.startswith(_SIGN):
        return behind.removeprefix(_SIGN), ""
    if behind in known:
        return known[behind]
    money = known.get(before)
    return money if money and money[0] in _CURRENCIES else None


def _behind(sign: re.Match[str]) -> str:
    mark = sign.group().strip()[-1].lower()
    return f"{sign['figure'] or ''} {_SIGN}{_SIGNS.get(mark, mark)} "


def _before(sign: re.Match[str]) -> str:
    return f" {_BEFORE}{_SIGNS[sign.group()[-1]]} "


@cache
def _unit_words(language: str) -> dict[str, tuple[str, str]]:
    """Return what each word for a unit stands for, and its stem, none where it is a stopword."""
    named = [*_UNITS_EVERYWHERE.items(), *_UNITS.get(language, {}).items()]
    stems = {
        word: [stem for stem in terms(f"0 {word}", language) if stem != "0"] for _, of in named for word in of.split()
    }
    return {word: (unit, "".join(stems[word][:1])) for unit, of in named for word in of.split()}
