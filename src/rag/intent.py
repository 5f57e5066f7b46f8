"""What a text asks, where its words show it: surely nothing (a greeting, keys struck at random), or of a document."""

import re

from rag.expect import bare

_GREETINGS = (
    "hello|hi|hey|hello there|hi there|good morning|good afternoon|good evening|good night|bye|goodbye|see you|thanks|"
    "thank you|thanks a lot|thank you very much|many thanks|ok|okay|great|nice|"
    "hola|buenas|buenos dias|buenas tardes|buenas noches|adios|hasta luego|gracias|muchas gracias|vale|"
    "bonjour|bonsoir|salut|coucou|bonne nuit|au revoir|merci|merci beaucoup|d'accord|"
    "ciao|salve|buongiorno|buonasera|buonanotte|arrivederci|grazie|grazie mille|va bene"
)
# What people say of themselves, in a text that asks nothing.
_OF_ONESELF = re.compile(
    r"(?:i am|i'm|i like|i love|i hate|my name is|yo soy|me llamo|me gustan?|estoy|"
    r"je suis|j'aime|j'adore|je m'appelle|io sono|mi chiamo|mi piacciono|mi piace)\b"
)
_ASKS = re.compile(
    r"\?|\b(?:who|whom|whose|what|which|when|where|why|how|know|find|looking|ask|tell|curious|interested|wondering|"
    r"quien|quienes|que|cual|cuales|cuando|donde|cuanto|cuanta|cuantos|cuantas|como|por que|saber|busco|buscando|"
    r"qui|quoi|quel|quelle|quels|quelles|quand|ou|combien|comment|pourquoi|savoir|cherche|"
    r"chi|che|cosa|quale|quali|quando|dove|quanto|quanta|quanti|quante|come|perche|sapere|cerco|cercando)\b"
)
# Neighbours on the keyboard, one letter again and again, or six letters without a vowel.
_STRUCK = re.compile(r"asdf|sdfg|dfgh|fghj|hjkl|qwer(?:t|q)|zxcv|([^\W\d_])\1{3}|\b[^\W\d_aeiouy]{6,}\b")

_PUBLISHED = re.compile(
    r"\b(?:publi|pubbli|articl|articol|articul|document|writ|wrote|escri|scri(?:tt|ss|v)|ecri|post(?:ed|ead)|redact|redig)"
)


def asks_of_documents(text: str) -> bool:
    """Tell whether a question may be about a document, when it was written or by whom, not about what it says.

    >>> asks_of_documents("¿Cuándo se publicó la noticia?"), asks_of_documents("When does the beta start?")
    (True, False)
    """
    return bool(_PUBLISHED.search(bare(text)))


def asks_nothing(text: str) -> bool:
    """Tell whether a text is surely no question; words alone ("AI Studio head") are one.

    >>> asks_nothing("Buongiorno!"), asks_nothing("asdf asdf"), asks_nothing("AI Studio head")
    (True, True, False)
    """
    words = re.findall(r"[\w'’]+", bare(text).replace("’", "'"))
    plain = " ".join(words)
    if "?" in text or "¿" in text:
        return bool(words) and all(map(_STRUCK.search, words))
    if plain in _GREETINGS.split("|") or (_OF_ONESELF.match(plain) and not _ASKS.search(plain)):
        return True
    return all(map(_STRUCK.search, words))
