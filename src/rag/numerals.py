"""Numbers in text by their value, in words and in figures: "trentamila", "30 mil", "30k"."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

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
# One, which counts before "hundred" and its like, and behind the tens.
_ONES = {"en": ["one"], "es": ["un", "una", "uno"], "fr": ["un", "une"], "it": ["un", "una", "uno"]}
_HUNDREDS = {"en": ["hundred"], "es": ["cien", "ciento"], "fr": ["cent", "cents"], "it": ["cento"]}
# What multiplies the number before it; a thousand, or one of the others, where none is before it.
_SCALES = {
    "en": {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12},
    "es": {"mil": 10**3, "millon": 10**6, "billon": 10**12},
    "fr": {"mille": 10**3, "million": 10**6, "milliard": 10**9},
    "it": {"mille": 10**3, "milione": 10**6, "miliardo": 10**9},
}
# These tell no number alone: "millions of", "a dozen or so".
_SCALES_OF_SEVERAL = {
    "en": {"dozen": 12, "dozens": 12, "millions": 10**6, "billions": 10**9, "trillions": 10**12},
    "es": {"docena": 12, "docenas": 12, "centenar": 100, "centenares": 100, "millar": 10**3, "millares": 10**3}
    | {"miles": 10**3, "millones": 10**6, "billones": 10**12},
    "fr": {"douzaine": 12, "douzaines": 12, "centaine": 100, "centaines": 100, "millier": 10**3, "milliers": 10**3}
    | {"millions": 10**6, "milliards": 10**9},
    "it": {"dozzina": 12, "dozzine": 12, "centinaio": 100, "centinaia": 100, "migliaio": 10**3, "migliaia": 10**3}
    | {"mila": 10**3, "milioni": 10**6, "miliardi": 10**9},
}
_PARTS = {
    "en": {"half": Decimal("0.5"), "quarter": Decimal("0.25")},
    "es": {"medio": Decimal("0.5"), "media": Decimal("0.5"), "cuarto": Decimal("0.25")},
    "fr": {"demi": Decimal("0.5"), "demie": Decimal("0.5"), "quart": Decimal("0.25")},
    "it": {"mezzo": Decimal("0.5"), "mezza": Decimal("0.5"), "quarto": Decimal("0.25")},
}
# What joins a number to what it counts: "miles de millones", "millions of euros".
OF = ("of", "de", "di")
# Which "and" joins the words of one number; single letters are no words here, so that "y" and "e" need not be there.
_AND = {"en": "and", "fr": "et"}
# Before "million" and its like these make a number of none: "several million".
_VAGUE = frozenset(["several", "few", "many", "qualche"])
# Abbreviations right behind a figure, in all languages; the names stand for them from then on. A small "m" is a metre
# unless money stands beside it, and "C-295M" is a name.
_ABBREVIATED = {"tsd": 10**3, "mln": 10**6, "mrd": 10**9, "trn": 10**12}
_ABBREVIATION = re.compile(
    r"(?<![^\W\d])(?<![^\W\d]-)(?<![\d.,])(\d[\d.,]*)[ \u00a0\u202f]?(?:(?P<tsd>[kK])|"
    r"(?P<mln>M(?!\.\s)|m(?=[ \u00a0\u202f]?(?:[$€£¥]|euro|dol|pound|sterlin|libra))|(?i:mn|mln|mio|mill(?=\.)|mdd))|"
    r"(?P<mrd>B|Md[s€]?|(?i:bn|mld|mrd|mlrd))|(?P<trn>(?i:tn|trn)))(?![^\W_])"
)
_MILLIONS_OF_MONEY = re.compile(r"((?:[$€£¥]|\b(?:EUR|USD|GBP))[ \u00a0]?\d[\d.,]*)m(?![^\W_])")
_GLUED_THOUSANDS = re.compile(r"(\w*?)(mila|mille)(\w*)")


def without_abbreviations(text: str) -> str:
    """Return a text with words in place of the abbreviated thousands, millions and their like right behind figures.

    >>> without_abbreviations("30k, 3.5M or a C-295M")
    '30 tsd , 3.5 mln  or a C-295M'
    """
    text = _MILLIONS_OF_MONEY.sub(r"\1 mln ", text)
    return _ABBREVIATION.sub(lambda match: f"{match[1]} {match.lastgroup} ", text)


def split_thousands(words: list[str], language: str) -> list[str]:
    """Return "trentamila" as two words, and "duemilaventisei" as three; the words of other languages as they are.

    >>> split_thousands(["duemilaventisei", "trentamila", "milano"], "it")
    ['due', 'mila', 'ventisei', 'trenta', 'mila', 'milano']
    """
    if language != "it":
        return words
    known = _numerals("it")
    split: list[str] = []
    for word in words:
        parts = _GLUED_THOUSANDS.fullmatch(word)
        others = [part for part in (parts[1], parts[3]) if part] if parts else []
        numbers = all(part in known.small or part in known.hundreds for part in others)
        split += [part for part in parts.groups() if part] if parts and numbers else [word]
    return split


def number_at(words: Sequence[str], at: int, language: str) -> tuple[float | None, int]:
    """Return the value of the number that begins at a word, and where it ends.

    Where none begins it is None, one word on, or behind what counts without telling a number, "several million".

    >>> number_at(["two", "and", "half", "million", "euros"], 0, "en")
    (2500000.0, 4)
    >>> number_at(["two", "half", "million"], 1, "en"), number_at(["several", "million"], 0, "en")
    ((500000.0, 3), (None, 2))
    """
    known = _numerals(language)
    value, end = _number(words, at, known)
    if value is None and words[at] in _VAGUE:
        while word_at(words, end) in known.scales or word_at(words, end) in known.hundreds:
            end += 1
    return value, end


def word_at(words: Sequence[str], at: int) -> str:
    """Return the word at a place, nothing behind the last one."""
    return words[at] if at < len(words) else ""


@dataclass(frozen=True, slots=True)
class _Numerals:
    """The words for numbers of one language: below a hundred or joined, one, hundreds, and what multiplies them.

    `single` are those that count once where no number is before them; `both` is the "and" within a number.
    """

    small: Mapping[str, int]
    ones: frozenset[str]
    hundreds: frozenset[str]
    scales: Mapping[str, int]
    single: frozenset[str]
    parts: Mapping[str, Decimal]
    both: str
    french: bool


def _number(words: Sequence[str], at: int, known: _Numerals) -> tuple[float | None, int]:
    """Return the value of the number that begins at a word, and where it ends; None, one word on, where none begins."""
    value, end = _below_a_thousand(words, at, known)
    if value is None and words[at] in known.parts:
        end = at + (2 if word_at(words, at + 1) in OF else 1)
        value = known.parts[words[at]] if word_at(words, end) in known.scales else None
    elif value is None and words[at] in known.single:
        value, end = Decimal(1), at
    if value is None:
        return None, at + 1
    last = 1
    value, end = _and_a_half(words, end, value, known)
    # "Mil millones", "12 miles de millones".
    while (scale := known.scales.get(word_at(words, then := end + (last > 1 and word_at(words, end) in OF)), 0)) > last:
        value, last, end = value * scale, scale, then + 1
    if last > 1:
        value, end = _and_a_half(words, end, value, known, of=last)
    while last >= 1000:
        joined = _behind_and(words, end, known)
        more, after = _below_a_thousand(words, joined, known, figures=False, one=joined > end)
        scale = known.scales.get(word_at(words, after), 1)
        # "Mil y dos mil" are two numbers, "mil doscientos millones" is one.
        if more is None or scale == last:
            break
        value = (value + more) * scale if scale > last else value + more * scale
        last, end = scale, after + (scale > 1)
    number = float(value)
    return (number, end) if math.isfinite(number) else (None, at + 1)


def _and_a_half(
    words: Sequence[str], end: int, value: Decimal, known: _Numerals, *, of: int = 1
) -> tuple[Decimal, int]:
    """Add the half of "two and a half", "un milione e mezzo"."""
    at = _behind_and(words, end, known)
    # Without "and" before it the half is of something else, but where a whole one of what it is of was named.
    joined = at > end or (not known.both and of > 1)
    half = known.parts.get(word_at(words, at))
    return (value + half * of, at + 1) if joined and half else (value, end)


def _below_a_thousand(
    words: Sequence[str], at: int, known: _Numerals, *, figures: bool = True, one: bool = False
) -> tuple[Decimal | None, int]:
    """Return the value of the figure, or of the words for a number below a thousand, at a place, and where it ends."""
    figure = _figure(word_at(words, at)) if figures else None
    if figure is not None:
        # "50 cents" are money in French.
        many = not known.french and word_at(words, at + 1) in known.hundreds
        return (figure * 100, at + 2) if many else (figure, at + 1)
    value, end = _below_a_hundred(words, at, known, one=one)
    if word_at(words, end) in known.hundreds and (value < 100 if value else word_at(words, end) != "cents"):
        value, end = (value or 1) * 100, end + 1
    elif value is None or value % 100:
        return (None if value is None else Decimal(value)), end
    joined = _behind_and(words, end, known)
    more, after = _below_a_hundred(words, joined, known, one=joined > end)
    # The three of "two hundred, three hundred" is of the second.
    if more is not None and more < 100 and word_at(words, after) not in known.hundreds:
        value, end = value + more, after
    return Decimal(value), end


def _below_a_hundred(words: Sequence[str], at: int, known: _Numerals, *, one: bool = False) -> tuple[int | None, int]:
    """Return the value of the words for a number below a hundred, or joined to one, and where they end.

    One is also an article: it counts where `one` says so, and before "hundred" and its like.
    """
    value, end = _small(words, at, known)
    if value is None:
        if word_at(words, at) not in known.ones:
            return None, at
        behind = word_at(words, at + 1)
        half = word_at(words, at + 2) in known.parts and behind == known.both
        return (1, at + 1) if one or half or behind in known.hundreds or behind in known.single else (None, at)
    if value % 10 or not 20 <= value < 100:
        return value, end
    # French alone has "et" within, before one and eleven; and counts from 60 and 80 on to 19.
    joined = end + (known.french and word_at(words, end) == "et")
    if word_at(words, joined) in known.ones:
        return (value + 1, joined + 1) if not known.french or joined > end or value == 80 else (value, end)
    more, after = _small(words, joined, known)
    most = 20 if known.french and value in (60, 80) else 10
    return (value + more, after) if more is not None and more < most and (joined == end or more == 11) else (value, end)


def _small(words: Sequence[str], at: int, known: _Numerals) -> tuple[int | None, int]:
    """Return the value of the longest number word at a place, and where it ends."""
    for taken in (3, 2, 1) if known.french else (1,):
        value = known.small.get("-".join(words[at : at + taken]))
        if value is not None and at + taken <= len(words):
            return value, at + taken
    return None, at


def _figure(word: str) -> Decimal | None:
    if not word[:1].isdigit():
        return None
    try:
        return Decimal(word)
    except InvalidOperation:  # a digit of another script, or "٣x"
        return None


def _behind_and(words: Sequence[str], at: int, known: _Numerals) -> int:
    return at + (bool(known.both) and word_at(words, at) == known.both)


@cache
def _numerals(language: str) -> _Numerals:
    single, several = _SCALES.get(language, {}), _SCALES_OF_SEVERAL.get(language, {})
    return _Numerals(
        _small_words(language),
        frozenset(_ONES.get(language, ())),
        frozenset(_HUNDREDS.get(language, ())),
        {**_ABBREVIATED, **single, **several},
        frozenset(single),
        _PARTS.get(language, {}),
        _AND.get(language, ""),
        language == "fr",
    )


@cache
def _small_words(language: str) -> dict[str, int]:
    """Return the words for numbers below a hundred, and those of Spanish and Italian below a thousand in one word."""
    simple = dict(zip(_SMALL.get(language, "").split(), _VALUES, strict=False))
    if language == "es":
        units = {word: value for word, value in simple.items() if value < 10} | {"un": 1, "uno": 1, "una": 1}
        hundreds = {f"{word}cient": value for word, value in simple.items() if value in (2, 3, 4, 6, 8)}
        hundreds |= {"quinient": 5, "setecient": 7, "novecient": 9}
        twenties = {f"veinti{word}": 20 + value for word, value in units.items()}
        return (
            simple
            | twenties
            | {f"{word}{end}": value * 100 for word, value in hundreds.items() for end in ("os", "as")}
        )
    if language == "fr":
        return simple | {"quatre-vingt": 80, "septante": 70, "huitante": 80, "octante": 80, "nonante": 90}
    return simple | (_joined_in_italian(simple) if language == "it" else {})


def _joined_in_italian(simple: dict[str, int]) -> dict[str, int]:
    """Return "trentacinque", "ventuno", "duecento", "centoventi" and their like."""
    units = {word: value for word, value in simple.items() if value < 10}
    ones = units | {"un": 1, "uno": 1}
    joined: dict[str, int] = {}
    for tens, value in simple.items():
        if value >= 20:
            joined |= {word: value + more for unit, more in ones.items() for word in _in_one(tens, unit)[-1:]}
    below = simple | ones | joined
    for hundred, value in {"cento": 100, **{f"{unit}cento": value * 100 for unit, value in units.items()}}.items():
        joined |= {word: value + more for rest, more in below.items() for word in _in_one(hundred, rest)}
        joined[hundred] = value
    # "Cento" alone is among the hundreds.
    return {word: value for word, value in joined.items() if word != "cento"}


def _in_one(before: str, behind: str) -> list[str]:
    """Return the ways to write two Italian number words in one, the last of them without a vowel before a vowel."""
    return [before + behind, *([before[:-1] + behind] if behind[0] in "uo" else [])]
