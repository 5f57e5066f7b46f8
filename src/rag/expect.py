"""What kind of answer a question expects (a person, a time, a number, a place), and whether a text holds one."""

import re
import unicodedata
from functools import cache
from typing import Literal

Kind = Literal["name", "time", "number", "place", "other"]

# Closed classes of words, without accents, as people type them both ways.
_ASKS: dict[str, tuple[tuple[Kind, str], ...]] = {
    "en": (
        ("number", r"how (many|much)|(what|which) (number|amount|sum|percentage|share)|number of|how (old|long|large)"),
        ("time", r"when|(what|which|in what|in which|on what) (year|month|day|date|time)|since when|how soon"),
        ("place", r"where|(what|which|in what|in which) (country|city|town|place|state|region)"),
        ("name", r"who|whom|whose"),
    ),
    "es": (
        ("number", r"cuant[oa]s?|que (numero|cantidad|cifra|porcentaje|edad)|numero de"),
        ("time", r"cuando|(que|cual) (ano|mes|dia|fecha|epoca)|en que (ano|mes|dia|fecha)|fecha de"),
        ("place", r"a?donde|(que|cual) (pais|ciudad|lugar|region)|en que (pais|ciudad|lugar)"),
        ("name", r"quien(es)?"),
    ),
    "fr": (
        ("number", r"combien|quel(le)?s? (nombre|quantite|somme|montant|pourcentage|part|age)|nombre d(e|es|u)"),
        ("time", r"quand|quel(le)?s? (annee|mois|jour|date|epoque)|depuis quand|date d(e|es|u)"),
        ("place", r"ou (est|sont|se|a|ont|va|vont|peut|doit|travaille|vit|habite)|d.?ou|"
                  r"quel(le)?s? (pays|ville|endroit|lieu|region)"),
        ("name", r"^qui|(a|de|par|pour|avec|chez) qui|qui (est|sont|a|ont|dirige)"),
    ),
    "it": (
        ("number", r"quant[oaie]|(quale|che) (numero|quantita|somma|percentuale|eta|cifra)|numero d(i|ei|elle|egli)"),
        ("time", r"quando|(che|quale|quali) (anno|mese|giorno|data|epoca)|in (che|quale) (anno|mese|giorno|data)|"
                 r"data d"),
        ("place", r"dov.?e?|(che|quale|in quale|in che) (paese|citta|luogo|posto|regione)"),
        ("name", r"chi"),
    ),
}  # fmt: skip
# By language, because one's "due", "once", "an" and "estate" are another's number, number, time and time.
_TIMES = {
    "en": (
        "january february march april june july august september october november december monday tuesday wednesday "
        "thursday friday saturday sunday spring summer autumn winter yesterday today tomorrow century year years month "
        "months week weeks day days"
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre lunes "
        "martes miercoles jueves viernes sabado domingo primavera verano otono invierno ayer hoy manana siglo ano anos "
        "mes meses semana semanas dia dias"
    ),
    "fr": (
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi "
        "jeudi vendredi samedi dimanche printemps automne hiver hier demain siecle an ans annee annees mois semaine "
        "semaines jour jours"
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre lunedi martedi "
        "mercoledi giovedi venerdi sabato domenica primavera estate autunno inverno ieri oggi domani secolo anno anni "
        "mese mesi settimana settimane giorno giorni"
    ),
}
# What is a time only beside certain words: the month beside the verb, the season beside "has been".
_TIMES_IN_PLACE = {
    "en": r"may (?=\d)|(?<=\d )may|(?<=in )may|(?<=by )may|(?<=until )may|(?<=since )may|(?<=last )may|(?<=next )may",
    "fr": r"(?<=[ld]['’])ete|(?<=en )ete|(?<=cet )ete|ete (?=dernier|prochain|\d{4})|aujourd['’]hui",
}
_NUMBERS = {
    "en": (
        "two three four five six seven eight nine ten eleven twelve hundred hundreds thousand thousands million "
        "millions billion billions dozen dozens half double twice"
    ),
    "es": (
        "dos tres cuatro cinco seis siete ocho nueve diez once doce cien ciento cientos mil miles millon millones "
        "docena docenas decenas"
    ),
    "fr": (
        "deux trois quatre cinq six sept huit neuf dix onze douze cent cents centaines mille milliers million millions "
        "milliard milliards douzaine douzaines dizaine dizaines"
    ),
    "it": (
        "due tre quattro cinque sei sette otto nove dieci undici dodici cento centinaia mille mila migliaia milione "
        "milioni miliardo miliardi decina decine dozzina dozzine"
    ),
}
_WORD = re.compile(r"[^\W\d_]+")
_YEAR = r"1\d{3}|20\d\d"
_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][\w'’&.-]*[\w]")


def bare(text: str) -> str:
    """Return the text in lower case and without accents.

    >>> bare("¿Cuándo?")
    '¿cuando?'
    """
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def expected(question: str, language: str) -> Kind:
    """Tell what kind of answer a question in one of the four languages expects; "other" where no word says so.

    >>> expected("¿Cuántos planos se generaron?", "es"), expected("why so?", "en")
    ('number', 'other')
    """
    plain = " ".join(re.findall(r"[\w']+", bare(question)))
    for kind, pattern in _ASKS.get(language, ()):
        if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", plain):
            return kind
    return "other"


def holds(text: str, kind: Kind, *, language: str, besides: str = "") -> float:
    """Tell whether a text in `language` holds that kind of thing: 1 if it does, -1 if not, 0 if only meaning can tell.

    A name counts only when it does not stand in `besides`, the question.

    >>> holds("in August 2025", "time", language="en"), holds("in Amazon's view", "number", language="en")
    (1.0, -1.0)
    """
    if kind in ("number", "time"):
        return 1.0 if _pattern(kind, language).search(bare(text)) else -1.0
    if kind in ("name", "place"):
        asked = set(_WORD.findall(bare(besides)))
        names = [name for name in _NAME.findall(text) if not set(_WORD.findall(bare(name))) <= asked]
        # The first word of a sentence is written large whatever it is.
        inner = [name for name in names if not text.lstrip("«“\"'([- ").startswith(name)]
        return 1.0 if inner or len(names) > 1 else -1.0
    return 0.0


@cache
def _pattern(kind: Literal["number", "time"], language: str) -> re.Pattern[str]:
    """Return what numbers or times look like in a language; where it is none of the four, their figures."""
    lists, figures = (_NUMBERS, r"\d") if kind == "number" else (_TIMES, rf"\b(?:{_YEAR})\b")
    words = lists.get(language, "").split()
    if kind == "time" and language in _TIMES_IN_PLACE:
        words.append(_TIMES_IN_PLACE[language])
    return re.compile(rf"{figures}|\b(?:{'|'.join(words)})\b" if words else figures)
