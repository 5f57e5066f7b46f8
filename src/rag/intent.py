"""What a text asks, where its words show it: surely nothing (a greeting, keys struck at random), or of a document."""

import re
from unicodedata import normalize

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
# What asks for something in the middle of that: question words, and what people say of wanting and looking for.
_ASKS = re.compile(
    r"\?|\b(?:who|whom|whose|what|which|when|where|why|how|know|find|look(?:ing)?|search(?:ing)?|ask(?:ing)?|tell|curious|"
    r"wonder(?:ing)?|need|want|help|"
    r"quien|quienes|que|cual|cuales|cuando|donde|cuanto|cuanta|cuantos|cuantas|como|por que|saber|conocer|"
    r"qui|quoi|quel|quelle|quels|quelles|quand|ou|combien|comment|pourquoi|savoir|connaitre|besoin|veux|voudrais|"
    r"chi|che|cosa|quale|quali|quando|dove|quanto|quanta|quanti|quante|come|perche|sapere|conoscere|bisogno|vorrei|dimmi|"
    r"(?:interes|curios|curieu|neces|busc|quier|quisier|gustari|pregunt|ayud|aimerai|cherch|demand|renseign|"
    r"cerc|chied|chiest|vogli|domand|aiut|informa(?:tion|cion|zion))\w*)\b"
)
# Neighbours on the keyboard, one letter again and again, or six consonants; what is written in other letters than
# Latin has no vowels among them, and is not struck at random for that.
_STRUCK = re.compile(r"asdf|sdfg|dfgh|fghj|hjkl|qwer(?:t|q)|zxcv|([^\W\d_])\1{3}|\b[b-df-hj-np-tv-xz]{6,}\b")

# Articles, documents, and their writing and publishing; not the public, documentaries and writers. Without its accent
# "publicó" is "público", so that "se" has to stand before it.
_PUBLISHED = re.compile(
    r"\b(?:publish\w*|pubb?lica[bcdnrtz]\w*|se publi[cq]\w+|si pubblic\w+|publi[ae]\w*|"
    r"artic(?:le|olo|oli|ulo)s?|document(?:os?|i|s)?|"
    r"writ(?:e|es|ing|ten)|wrote|escri(?:b\w*|t[oa]s?)|scri(?:tt[oaie]|ss\w*|v(?!an)\w*)|ecri(?:t\w{0,2}|re|v(?!ain)\w*)|"
    r"post(?:ed|eado)|redact\w*|redatt[oaie]|redig\w*)\b"
)
_PUBLISHED_WITH_ACCENT = re.compile(r"\bpubb?lic[óò]\b")
# Who takes a text for a source asks of what it says: "According to the article, when does the beta start?"
_SOURCE = re.compile(
    r"\b(?:according to (?:the|this)|segun (?:el|este)|(?:selon|d['’]apres) (?:le |l['’]|ce |cet )|"
    r"secondo (?:il |l['’]|questo |quest['’]))\s*(?:articles?|articulo|articolo|documento?)\b"
)


def asks_of_documents(text: str) -> bool:
    """Tell whether a question may be about a document, when it was written or by whom, not about what it says.

    >>> asks_of_documents("¿Cuándo se publicó la noticia?"), asks_of_documents("When does the beta start?")
    (True, False)
    >>> asks_of_documents("When was the documentary published?"), asks_of_documents("When does the public get in?")
    (True, False)
    """
    plain = _SOURCE.sub(" ", bare(text))
    return bool(_PUBLISHED.search(plain) or _PUBLISHED_WITH_ACCENT.search(normalize("NFC", text.casefold())))


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
