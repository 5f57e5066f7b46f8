"""What kind of answer a question expects (a person, a time, a number, a place), and whether a text holds one."""

import re
import unicodedata
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
_MONTHS = (
    "january february march april june july august september october november december "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre "
    "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre"
)
_TIMES = (
    "monday tuesday wednesday thursday friday saturday sunday lunes martes miercoles jueves viernes sabado domingo "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lunedi martedi mercoledi giovedi venerdi sabato domenica "
    "spring summer autumn winter primavera verano otono invierno printemps ete automne hiver estate autunno inverno "
    "yesterday today tomorrow ayer hoy manana hier demain ieri oggi domani century siglo siecle secolo "
    "year years month months week weeks day days ano anos mes meses semana semanas dia dias an ans annee annees mois "
    "semaine semaines jour jours anno anni mese mesi settimana settimane giorno giorni"
)
_NUMBERS = (
    "two three four five six seven eight nine ten eleven twelve hundred thousand million billion dozen dozens "
    "dos tres cuatro cinco seis siete ocho nueve diez once doce cien mil millon millones docena docenas "
    "deux trois quatre cinq sept huit neuf dix onze douze cent mille million millions milliard milliards douzaine "
    "due tre quattro cinque sei sette otto nove dieci undici dodici cento mila milione milioni miliardo miliardi "
    "migliaia miles milliers decine decenas dizaines half double twice"
)
_WORD = re.compile(r"[^\W\d_]+")
_TIME = re.compile(
    rf"\b({'|'.join((_MONTHS + ' ' + _TIMES).split())}|1\d{{3}}|20\d\d)\b|\bmay\b(?= \d)|\b(in|by|until) may\b"
)
_NUMBER = re.compile(rf"\d|\b({'|'.join(_NUMBERS.split())})\b")
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


def holds(text: str, kind: Kind, *, besides: str = "") -> float:
    """Tell whether a text holds that kind of thing: 1 if it does, -1 if not, 0 where only meaning could tell.

    A name counts only when it does not stand in `besides`, the question.

    >>> holds("in August 2025", "time"), holds("in Amazon's view", "number")
    (1.0, -1.0)
    """
    plain = bare(text)
    if kind == "number":
        return 1.0 if _NUMBER.search(plain) else -1.0
    if kind == "time":
        return 1.0 if _TIME.search(plain) else -1.0
    if kind in ("name", "place"):
        asked = set(_WORD.findall(bare(besides)))
        names = [name for name in _NAME.findall(text) if not set(_WORD.findall(bare(name))) <= asked]
        # The first word of a sentence is written large whatever it is.
        inner = [name for name in names if not text.lstrip("«“\"'([- ").startswith(name)]
        return 1.0 if inner or len(names) > 1 else -1.0
    return 0.0
