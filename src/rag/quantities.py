"""Quantities in text, so that an answer never stops within one: "tens" of "tens of thousands" is no answer."""

import re
from functools import cache

from rag.spans import Span

# Words that count, and those of them that another may stand before with "of": "thousands" in "tens of thousands".
COUNTS = {
    "en": (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand half"
    ),
    "es": (
        "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
        "dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento doscientos "
        "trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos mil medio media"
    ),
    "fr": (
        "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts trente "
        "quarante cinquante soixante cent cents mille demi demie"
    ),
    "it": (
        "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
        "diciassette diciotto diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento "
        "mille mila mezzo"
    ),
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
# Where "and" joins the words of one number, and not two numbers: "hundred and five", "treinta y dos".
_JOINED = {
    "en": r"(?<=hundred )and |(?<=thousand )and ",
    "es": r"(?<=nta )y ",
    "fr": r"(?<=nte )et |(?<=vingt )et ",
    "it": r"(?<=cento )e |(?<=mille )e ",
}
_FIGURE = r"\d+(?:[.,' \u00a0\u202f]\d{3}(?!\d))*(?:[.,]\d+)?"
_SIGN = r"[$€£¥]"


def whole_quantity(span: Span, within: Span) -> Span:
    """Return the span widened to the whole of each quantity that it cuts: figures, number words, sign and per cent.

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


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """Return what a quantity looks like; where the language is none of the four, figures alone."""
    masses = "|".join(MASSES.get(language, "").split())
    if not masses:
        return re.compile(rf"(?:{_SIGN} ?)?{_FIGURE}(?: ?(?:%|{_SIGN}))?")
    word = rf"(?:{masses}|{'|'.join(COUNTS[language].split())})\b"
    number = rf"(?:{_FIGURE}(?:[ \u00a0-]{word})*|\b{word}(?:[ \u00a0-](?:{_JOINED[language]})?{word})*)"
    return re.compile(rf"(?:{_SIGN} ?)?{number}(?: (?:of|de|di) (?:{masses})\b)*(?: ?(?:%|{_SIGN}))?", re.IGNORECASE)
