"""Quantities in text, so that an answer never stops within one: "tens" of "tens of thousands" is no answer."""

import re
import unicodedata
from functools import cache

from rag.spans import Span

# What Italian writes as one word, "duecentocinquantamila"; before a vowel tens and hundreds lose theirs, "ventotto".
# One, which is an article, counts only behind them, "trentun".
_ITALIAN = (
    "(?:(?:due|tr(?:e|é)|quattro|cinque|sei|sette|otto|nove|dieci|(?:un|do|tre|quattor|quin|se)dici|dicia(?:ss|nn)ove|"
    "diciassette|diciotto|(?:vent|(?:tre|quara|cinqua|sessa|setta|otta|nova)nt)(?:[ia]|(?=[uo]))|cento|cent(?=o)|"
    "mille|mila)(?:un[oa]?)?)+"
)
# Words that count, some as the pattern of their compounds, and those of them that another may stand before with "of":
# "thousands" in "tens of thousands".
COUNTS = {
    "en": (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand half"
    ),
    "es": (
        "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
        "dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento mil medio "
        "media veinti(?:un[oa]?|ún|d(?:o|ó)s|tr(?:e|é)s|cuatro|cinco|s(?:e|é)is|siete|ocho|nueve) "
        "(?:dosc|tresc|cuatroc|quin|seisc|setec|ochoc|novec)ient[oa]s"
    ),
    "fr": (
        "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts trente "
        "quarante cinquante soixante septante huitante octante nonante cent cents mille demi demie"
    ),
    "it": f"{_ITALIAN} mezzo",
}
MASSES = {
    "en": "tens dozen dozens hundreds thousands million millions billion billions trillion trillions",
    "es": "decena decenas docena docenas centenar centenares cientos miles millar millares millón millones billón "
    "billones",
    "fr": "dizaine dizaines douzaine douzaines quinzaine vingtaine trentaine quarantaine "
    "cinquantaine centaine centaines millier milliers million millions milliard milliards",
    "it": "decina decine dozzina dozzine ventina trentina quarantina "
    "cinquantina centinaio centinaia migliaio migliaia milione milioni miliardo miliardi",
}
# Words that count what figures count; others behind figures begin a number of their own: "in 2019 two films".
_BEHIND_FIGURES = {"en": "hundred thousand", "es": "mil", "fr": "mille", "it": "mila"}
# Where "and" joins the words of one number, and not two numbers: "hundred and five", "treinta y dos".
_AND = {
    "en": r"(?:(?<=hundred)|(?<=thousand)) and ",
    "es": r"(?<=nta) y ",
    "fr": r"(?:(?<=nte)|(?<=vingt)) et ",
    "it": r"(?:(?<=cento)|(?<=mille)) e ",
}
# Behind these one is no article: "treinta y una", "vingt et un", "mille e una notte".
_ONE = {
    "es": rf"(?:{_AND['es']}|(?<=ciento) )(?:un[oa]?|ún)",
    "fr": rf"(?:{_AND['fr']}|(?:(?<=vingt)|(?<=cent)|(?<=mille)) )une?",
    "it": rf"{_AND['it']}un[oa]?",
}
_PER_CENT = {"en": "per cent|percent", "es": "por ciento|por cien", "fr": "pour cent", "it": "per cento|percento"}
# What may stand where a space does: one that keeps its words on a line (of French typography), or the end of a line.
_BLANK = r"[ \u00a0\u2009\u202f]"
_GAP = rf"(?:{_BLANK}|{_BLANK}*\r?\n{_BLANK}*)"
_JOINT = rf"(?:{_GAP}|[-\u2010\u2011])"
# Accents that stand apart from their letters, so that no word ends where another goes on: "mille" in "millénaire".
_ACCENT = r"[\u0300-\u036f]"
# Digits go in threes behind one to three, or two numbers would be one: "in 2025 300 came"; nor do the digits of a name
# go on after a blank, "GPT4 300".
_THREE = r"\d{3}(?!\d)"
_FIGURE = rf"(?:\d{{1,3}}(?:[.,'’]{_THREE})+|(?<!\w)\d{{1,3}}(?:{_BLANK}{_THREE})+|\d+)(?:[.,]\d+)?"
_SIGN = r"[$€£¥]"
# The dollars of a country, and codes, which are words of their own: "US$ 12.50", "CHF 40", "40 EUR".
_DOLLAR = r"(?<!\w)(?-i:US|CA|AU|NZ|HK|MX|[ACRS])\$"
_CODE = r"\b(?-i:USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|MXN|ARS|CLP|COP|PEN|UYU|BRL)\b"
# Millions and their like in a letter or a few, which are so only beside money: "2,6 M€", "2.6m euros", "3 mln di euro".
_SHORT = (
    rf"{_BLANK}?(?:k|m|bn|tn|mn|mln|mld|mds?|mrd|mio|mill)\.?{_GAP}?(?:(?:di|de){_GAP}|d['’])?"
    rf"(?:{_SIGN}|{_CODE}|(?:euros?|dollars?|dollari|d(?:o|ó)lares|pounds|francs|franchi|francos|pesos)\b)"
)
_DEGREES = rf"{_BLANK}?[°º]{_BLANK}?(?-i:[CF])\b|°"
# Telephone numbers: with the country's, with a first 0 and nine digits or more, and as the United States, Italy and
# Spain write them. A number of two or three groups may be anything else.
_PAIRED = rf"(?:{_BLANK}|[-./])"
_PHONE = (
    rf"(?<![\w.,/+-])(?:\+\d{{1,3}}(?:{_PAIRED}?\(\d{{1,4}}\))?(?:{_PAIRED}?\d{{2,4}}){{2,5}}|"
    rf"(?=\(?0(?:[ /().\u00a0\u202f-]{{0,2}}\d){{8}})(?!\d\d?(?P<mark>[-/.])\d\d?(?P=mark)(?:1\d|20)\d\d)"
    rf"\(?0\d{{1,4}}\)?{_PAIRED}\d{{2,8}}(?:(?:{_BLANK}|[-.])\d{{2,4}}){{0,4}}|"
    rf"(?:1-)?(?:\(\d{{3}}\){_BLANK}?|\d{{3}}[-.])\d{{3}}[-.]\d{{4}}|\d{{3}}{_BLANK}\d{{3}}{_BLANK}\d{{4}}|"
    rf"[6-9]\d{_BLANK}\d{{3}}(?:{_BLANK}\d\d){{2}}|[6-9]\d\d(?:{_BLANK}\d\d){{3}})(?![\w]|[.,]\d)"
)
# What stands right behind a figure without a space is of its word: "2.6m", "1.5kg".
_GLUED = rf"(?:[^\W\d_]{{1,3}}\b(?!{_ACCENT}))?"
# A minus, in its three spellings, right before a figure: no range, "2019-2020", no bullet, and no dash of two around
# words, "–12 in all–".
_MINUS = rf"(?<![^\s(\[{{«“‘\"'<>=:;,|])[-−–](?={_SIGN}?\d)(?![^-−–\n]*[^-−–\s][-−–](?!\w))"
_IS_MINUS = re.compile(_MINUS)


def whole_quantity(span: Span, within: Span) -> Span:
    """Return the span widened to the whole of each quantity that it cuts: figures, number words, signs and per cent.

    >>> from rag.spans import Document
    >>> text = Document("a.txt", "A", "it", "Costa decine di migliaia di euro.")
    >>> whole_quantity(Span(text, 16, 24), Span(text, 0, 33)).text
    'decine di migliaia'
    """
    start, end = span.start, span.end
    for match in _pattern(span.document.language).finditer(span.document.text, within.start, within.end):
        if match.start() < end and start < match.end():
            start, end = min(start, match.start()), max(end, match.end())
    return span if (start, end) == (span.start, span.end) else Span(span.document, start, end)


def is_minus(text: str, at: int) -> bool:
    """Tell whether the character at a place of a text is the minus of a number.

    >>> is_minus("at -12 degrees", 3), is_minus("in 2019-2020", 7), is_minus("- 12 eggs", 0)
    (True, False, False)
    """
    return _IS_MINUS.match(text, at) is not None


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """Return what a quantity looks like; where the language is none of the four, figures alone."""
    # A sign with a gap before it and a figure behind it is that figure's: "for 20 $30 a day".
    figure = rf"{_FIGURE}(?:{_SHORT}|{_GLUED})"
    number, per_cent = figure, rf"[%‰]|{_SIGN}|{_GAP}(?:[%‰]|(?:{_SIGN}|{_DOLLAR}|{_CODE})(?!{_BLANK}?\d))|{_DEGREES}"
    if language in COUNTS:
        mass, word = _one_of(MASSES[language]), _one_of(COUNTS[language] + " " + MASSES[language])
        scale = _one_of(_BEHIND_FIGURES[language] + " " + MASSES[language])
        more = rf"(?:{_AND[language].replace(' ', _JOINT)}|{_JOINT}){word}"
        if language in _ONE:
            more += rf"|(?:{_ONE[language].replace(' ', _JOINT)})\b(?!{_ACCENT})"
        number = rf"(?:{figure}(?:{_JOINT}{scale})*|{word}(?:{more})*)(?:{_GAP}(?:of|de|di){_GAP}{mass})*"
        # "2 por cien mil" is no share of a hundred.
        per_cent += rf"|{_GAP}(?:{_PER_CENT[language].replace(' ', _GAP)})\b(?!{_JOINT}{word})"
    money = rf"(?:(?:{_DOLLAR}|{_SIGN}){_GAP}?|{_CODE}{_GAP})"
    return re.compile(rf"{_PHONE}|(?:{_MINUS})?{money}?{number}(?:{per_cent})?", re.IGNORECASE)


def _one_of(words: str) -> str:
    """Return what finds one of these words, written with accents in either form."""
    forms = dict.fromkeys(unicodedata.normalize(form, word) for word in words.split() for form in ("NFC", "NFD"))
    return rf"(?<!{_ACCENT})\b(?:{'|'.join(forms)})\b(?!{_ACCENT})"
