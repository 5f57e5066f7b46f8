"""Which language a text or a question is in."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

LANGUAGES: tuple[str, ...] = ("en", "es", "fr", "it")

# Enough for a sure verdict, and the cost of a text of any length stays the same.
_HEAD = 4_000
# Up to this length the identifier's letter statistics are weaker evidence than a single article or question word.
_SHORT = 240
# So sure must the identifier be of another language, and so few of the words be function words of ours.
_SURE, _FEW = 0.55, 0.4
# A bare name is about this likely in any language; "coste de producción" without its "de" is more.
_LIKELY = 0.1

# Closed classes only (question words, articles, prepositions, pronouns, auxiliaries, conjunctions, negations), without
# accents: they say which language is spoken whatever it is spoken about. A word of two languages is listed in both;
# Italian "ai" is left out, because it is everyone's abbreviation.
_ASKING = {
    "en": "who whom whose what when where why which how",
    "es": "quien quienes que cuando donde por cual cuales como cuanto cuanta cuantos cuantas",
    "fr": "qui que quoi quand ou pourquoi quel quelle quels quelles comment combien lequel laquelle",
    "it": "chi che cosa quando dove perche quale quali come quanto quanta quanti quante cos qual",
}
_FUNCTION = {
    "en": (
        "the a an of in on at to for from with by about and or but not no as into than then that this these those it "
        "its he she they them his her their we us our you your i me my is are was were be been being do does did has "
        "have had will would can could should may might must there any some many much more most if so still ever yet"
    ),
    "es": (
        "el la los las lo un una unos unas de del a al en con por para sin sobre entre desde hasta segun y e o u pero "
        "ni no si se su sus mi tu le les me te nos es son era fue fueron ser sido esta estan estaba ha han habia hay "
        "tiene tienen puede pueden va van hace este esta estos estas ese esa esos eso esto aquel mas menos muy ya "
        "tambien cada otro otra otros otras todo toda todos todas algun alguna cuyo hacia durante cual quienes"
    ),
    "fr": (
        "le la les un une des de du au aux a en dans sur sous avec par pour sans chez entre vers depuis selon et ou "
        "mais ni ne pas plus se sa son ses leur leurs mon ma mes ton ta tes notre votre il elle ils elles on nous vous "
        "je tu me te ce cet cette ces y est sont etait ete etre a ont avait fait peut peuvent doit va vont sera "
        "qu est-ce t-il t-elle t-on dont donc tout toute tous toutes aussi encore quelque"
    ),
    "it": (
        "il lo la i gli le un uno una di del dello della dei degli delle a al allo alla agli alle da dal dallo "
        "dalla dai dagli dalle in nel nello nella nei negli nelle con su sul sullo sulla sui sugli sulle per tra fra "
        "e ed o ma ne non si se ci vi mi ti suo sua suoi sue loro questo questa questi queste quello quella e sono "
        "era erano stato stata essere ha hanno ho aveva avra puo possono deve fa sta viene vengono piu anche ancora "
        "altro altri altre ogni alcuni alcune tutto tutti tutte cui gia verra sara"
    ),
}
_ELIDED = {
    "es": "",
    "fr": "l d qu j n s c m t jusqu lorsqu puisqu quelqu aujourd",
    "it": "l d c un all dall dell nell sull coll quest quell dov com cos quant n s anch senz po",
    "en": "",
}
_LETTERS = {"en": "", "es": "¿¡ñáíóúé", "fr": "çœêâîûëïùèàé", "it": "òìùèà"}

_QUESTION_WORD, _WORD_OR_LETTER = 1.5, 1.0
_WORD = re.compile(r"[^\W\d_]+(?:-t-[^\W\d_]+)?")
_ELISION = re.compile(r"([^\W\d_]+)['’ʼ`](?=[^\W\d_])")
_ENGLISH_APOSTROPHE = re.compile(r"(?<=n)['’]t\b|(?<=[^\W\d_]{2})['’](?:s|re|ve|ll|d)\b")
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def detect(text: str, *, among: Sequence[str] | None = None) -> str:
    """Tell which language `text` is in, as an ISO 639-1 code (639-3 where 639-1 has none).

    Only the first 4,000 characters count. `among` holds the codes to choose from; a text without letters is "und".
    Any string has an answer, control characters and lone surrogates included.

    >>> detect("Quién dirige AI Studio?", among=LANGUAGES)
    'es'
    """
    head = _UNUSABLE.sub(" ", text[:_HEAD]).strip()
    if not any(map(str.isalpha, head)):
        return "und"
    scores = _log_probabilities(head)
    if len(head) <= _SHORT:
        evidence = _evidence(head)
        scores = {code: score + evidence.get(code, 0.0) for code, score in scores.items()}
    codes = [code for code in scores if among is None or code in among]
    return max(codes, key=scores.__getitem__, default="und")


def question_language(text: str, default: str = "en") -> str:
    """Tell which language a short question is in, as an ISO 639-1 code.

    A question is in one of LANGUAGES unless its script, or the identifier's confidence in the absence of function words
    of these languages, says otherwise. Questions without letters, and bare names that say nothing, are in `default`.

    >>> question_language("combien de plans ia")
    'fr'
    """
    head = _UNUSABLE.sub(" ", text[:_HEAD]).strip()
    if not any(map(str.isalpha, head)):
        return default
    evidence = _evidence(head)
    words = len(_WORD.findall(head))
    best, second = sorted(evidence, key=evidence.__getitem__, reverse=True)[:2]
    if _is_latin(head) and evidence[best] >= _FEW * words and evidence[best] - evidence[second] > 1.0:
        return best  # The letters could not change this any more, and loading their statistics takes a second.
    probabilities = {code: math.exp(score) for code, score in _log_probabilities(head).items()}
    first = max(probabilities, key=probabilities.__getitem__)
    if first not in LANGUAGES and (not _is_latin(head) or _is_other(words, probabilities[first], evidence)):
        return first
    if not any(evidence.values()):
        return _likely(probabilities) or default
    # Letter statistics of names mislead, so they only tip the balance between languages that share the words.
    return max(LANGUAGES, key=lambda code: evidence[code] + min(1.0, 2 * probabilities.get(code, 0.0)))


def _likely(probabilities: Mapping[str, float]) -> str | None:
    among = {code: probabilities.get(code, 0.0) for code in LANGUAGES}
    best = max(among, key=among.__getitem__)
    return best if among[best] >= max(_LIKELY, sum(among.values()) / 2) else None


def _is_other(words: int, confidence: float, evidence: Mapping[str, float]) -> bool:
    return words > 1 and confidence >= _SURE and max(evidence.values()) < _FEW * words


def _is_latin(head: str) -> bool:
    letters = [letter for letter in head if letter.isalpha()]
    return 2 * sum("LATIN" in unicodedata.name(letter, "") for letter in letters) >= len(letters)


def _log_probabilities(head: str) -> dict[str, float]:
    """Return the identifier's log-probability of every language it knows."""
    import py3langid

    ranked = py3langid.rank(head)
    # The raw scores grow with the number of letters and would be sure of anything; the root of the length tempers them.
    heat = math.sqrt(len(head.encode()))
    tempered = {code: float(score - ranked[0][1]) / heat for code, score in ranked}
    total = math.log(sum(math.exp(score) for score in tempered.values()))
    return {code: score - total for code, score in tempered.items()}


def _evidence(head: str) -> dict[str, float]:
    """Return points for each of LANGUAGES: function words, elisions and letters that are its own."""
    lowered = unicodedata.normalize("NFC", head).casefold()
    words = [_bare(word) for word in _WORD.findall(_ELISION.sub(" ", _ENGLISH_APOSTROPHE.sub(" ", lowered)))]
    elided = [_bare(word) for word in _ELISION.findall(_ENGLISH_APOSTROPHE.sub(" ", lowered))]
    points = {
        code: _QUESTION_WORD * sum(word in _vocabulary(_ASKING[code]) for word in words)
        + _WORD_OR_LETTER * any(word in _vocabulary(_ASKING[code]) for word in words[:2])
        + _WORD_OR_LETTER * sum(word in _vocabulary(_FUNCTION[code]) for word in words)
        + _WORD_OR_LETTER * sum(word in _vocabulary(_ELIDED[code]) for word in elided)
        + _WORD_OR_LETTER * sum(letter in lowered for letter in _LETTERS[code])
        for code in LANGUAGES
    }
    points["en"] += _WORD_OR_LETTER * len(_ENGLISH_APOSTROPHE.findall(lowered))
    return points


@cache
def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _bare(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))
