"""Which questions ask for several things."""

import re
from functools import cache

from rag.expect import bare

# A plural after the interrogative asks for several; what only looks like one is left out.
_SINGULAR = (
    "is was has does this its series news business process boss class less always species headquarters gas lens canvas "
    "las los les nos os sus mis tus unas unos mas menos algunas algunos muchas muchos tantas tantos estas estos esas "
    "esos es mes pais interes virus has eres sabes puedes tienes crees quieres sabemos podemos tenemos hacemos vamos "
    "hemos dos tres pues ademas antes despues lunes martes miercoles jueves viernes"
)
_PLURAL = rf"(?!(?:\w*sis|(?!menus\b)\w*us|{'|'.join(dict.fromkeys(_SINGULAR.split()))})\b)\w+[^\Ws]s\b"
_NO_VERB = r"(?!(?:is|was|has|does|did|do|will|would|can|could)\b)"
# English verbs end like its plurals: "what makes it cheaper". A plural is followed by an auxiliary or by "of", or else
# by its verb, which is not what follows a verb; what leads on from it ("in Spain") may come before an auxiliary.
_VERBS = (
    r"(?:happens|makes|means|costs|causes|comes|goes|takes|gets|keeps|gives|brings|lets|becomes|remains|seems|looks|"
    r"sounds|belongs|exists|depends|helps|allows|leads|links|connects|separates|distinguishes|prevents|explains|says|"
    r"tells)\b"
)
_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)\b"
_DETERMINER = (
    r"(?:the|an?|it|them|him|us|you|me|this|that|these|those|his|her|its|their|my|your|our|more|less|most|better|worse|"
    r"best|first)\b"
)
_LEADS_ON = (
    rf"(?:in|on|at|to|from|with|by|for|into|after|before|when|while|if|during|about|as|between|under|over|through|"
    rf"because|\d\S*|\w+ing|{_PLURAL})\b"
)
_BEFORE_AUXILIARY = rf"(?: (?!(?:that|who|which|when|while|if|because)\b)[\w']+)*? {_AUXILIARY}"
_SUBJECT = rf"{_PLURAL}(?= (?:{_AUXILIARY}|of\b))"
_WHAT = (
    rf"(?:{_SUBJECT}|(?!{_VERBS}){_PLURAL}"
    rf"(?: (?!{_DETERMINER}|{_LEADS_ON})\w| (?!{_DETERMINER})[\w']+{_BEFORE_AUXILIARY}|\Z| \W))"
)
_WHICH = rf"(?:{_SUBJECT}|(?!{_VERBS}){_PLURAL}(?! (?:more|less|most|better|worse|best|first)\b))"
_HOW_MANY = r"(?:other|new|main|two|three|four|five|six|seven|eight|nine|ten|\d+)"
_MORE_PLURALS = r"(?:people|women|men|children)\b"
# Right after the interrogative: in "which director works" the word with the s is the verb.
_OF_THEM = rf"{_HOW_MANY} (?:{_NO_VERB}\w+ )?{_PLURAL}|{_MORE_PLURALS}"
# What asks for several where it opens the question, and what does so wherever it stands. "que" and "che" are relatives
# and conjunctions as well, "who are" and "qui sont" relatives, "quali" behind an article.
_OPENING = {
    "en": rf"which (?:ai )?(?:{_OF_THEM}|{_WHICH})|(?:who|which|what) (?:are|were)\b|list |"
    rf"name (?:(?!(?:of|in|who|that|which)\b)\w+ ){{0,3}}(?:{_PLURAL}|{_MORE_PLURALS})|"
    rf"(?:tell|give) me the {_PLURAL}",
    "es": rf"quienes\b|que (?:(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|ia|\d+) )?{_PLURAL}|"
    rf"(?:dime|dame) l[oa]s {_PLURAL}",
    "fr": r"lesquel(?:le)?s\b(?! que)|qui (?:sont|etaient)\b|(?:dis|dites|donnez?) moi les \w",
    "it": r"chi (?:sono|erano)\b|che (?!(?:oggi|ogni|ieri|quasi|crisi|analisi|tesi|ipotesi)\b)\w{3,}i\b|"
    r"(?:dimmi|dammi|elenca) (?:i|gli|le) \w",
}
# Whoever asks what is needed, or who was there, asks for all of it, without a plural: "What should I bring?"
_ALL_OF_IT = {
    "en": rf"what (?:else )?{_AUXILIARY} (?:[\w']+ ){{1,4}}?(?:need|bring|pack)(?: (?!to\b)|\Z| to (?:bring|take)\b)|"
    r"what (?:is|was) (?:needed|required|included)\b|"
    r"who (?:else )?(?:attended|participated|took part|(?:was|were) (?:present|invited))\b",
    "es": r"que (?:hay|habra|tengo|tenemos) que (?:llevar|traer|tener|presentar|aportar)\b|que hace falta\b|"
    r"que (?:se )?necesit\w+|quien (?:asistio|participo)\b",
    "fr": r"(?:que|qu'est ce qu'il) (?:faut|faudra)\b|qui (?:a|ont) (?:assiste|participe)\b|"
    r"de quoi (?:(?:a t|aura t) (?:on|il|elle)|ai je|avons nous|avez vous|as tu) besoin\b",
    "it": r"(?:(?<!\ba )(?<!\bdi )cosa|che cosa) (?:bisogna|occorre|serve(?! a\b)|(?:devo|dobbiamo|si deve) portare)\b|"
    r"chi (?:ha|hanno) (?:partecipato|assistito)\b",
}
_ANYWHERE = {
    "en": rf"what (?:ai )?(?:{_OF_THEM}|{_WHAT})",
    "es": rf"(?<!los )(?<!las )cuales\b|¿ (?:{_OPENING['es']})",
    "fr": r"quel(?:le)?s\b(?! que)",
    "it": r"(?<!\bi )(?<!le )(?<![aeu]i )quali\b",
}
# Behind one of these another question word begins no question for several: "Who leads Tirso, which makes cables?"
_ASKS = {
    "en": "who whom whose what which where why how",
    "es": "quien quienes cual cuales donde cuanto cuanta cuantos cuantas",
    "fr": "qui quoi quel quelle quels quelles ou combien comment pourquoi",
    "it": "chi cosa quale quali dove quanto quanta quanti quante",
}
# What may stand before the word that opens a question: a comma, who is told, and then an "and" and a preposition.
_TELL = {
    "en": "me know say",
    "es": "dime decirme sabes sabe saber",
    "fr": "moi savoir sais savez",
    "it": "dimmi dirmi sapere sai sa",
}
_BEGINS = {
    "en": "(?:and |but |so )?(?:(?:of|in|on|at|to|for|from|with|by|about|through|between|among|under|during|after) )?",
    "es": "(?:y |e |pero )?(?:(?:a|de|en|con|por|para|sobre|entre|desde|hasta|segun|durante|tras|contra|hacia) )?",
    "fr": "(?:et |mais )?(?:(?:a|de|en|dans|sur|sous|avec|par|pour|chez|entre|vers|depuis|contre|selon|parmi) )?",
    "it": "(?:e |ed |ma )?(?:(?:ad?|di|da|in|con|su|per|tra|fra|sotto|verso|contro) )?",
}


def asks_for_several(question: str, language: str) -> bool:
    """Tell whether a question in one of the four languages asks for several things.

    >>> asks_for_several("Which companies build it?", "en"), asks_for_several("Which company builds it?", "en")
    (True, False)
    >>> asks_for_several("¿Qué actores lo dijeron?", "es"), asks_for_several("¿Quién dijo que actores…?", "es")
    (True, False)
    """
    # With its accent "qué" opens a question wherever it stands.
    marked = re.sub(r"(?i)\b(?=qué\b|quiénes\b)", "¿ ", question) if language == "es" else question
    plain = " ".join(re.findall(r"[\w']+|[¿,;:.!?]", bare(marked)))
    return language in _ASKS and _several(language).match(plain) is not None


@cache
def _several(language: str) -> re.Pattern[str]:
    asks, tell = (words[language].replace(" ", "|") for words in (_ASKS, _TELL))
    before = rf"(?:(?!(?:{asks})\b)\S+ )*?"
    opened = rf"(?:{before}(?:[¿,;:.!?]|{tell}) )?{_BEGINS[language]}(?:{_OPENING[language]}|{_ALL_OF_IT[language]})"
    return re.compile(rf"{opened}|{before}(?:{_ANYWHERE[language]})")
