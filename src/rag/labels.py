"""Every word that the page says, in the four languages, and which of them a browser asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from rag.spans import Reason


@dataclass(frozen=True, slots=True)
class Labels:
    """The page's words in one language.

    `languages` names a language as the sentence `foreign` needs it; `confidence` holds the words for high, medium and
    low. Placeholders are `str.format` fields: `{language}` in `foreign`, `{percent}` in `percent`, `{count}` in
    `more_documents`, `{length}` and `{limit}` in `too_long`.
    """

    language: str
    tagline: str
    placeholder: str
    ask: str
    clear: str
    conversation: str
    examples: tuple[str, ...]
    examples_title: str
    sources: str
    documents: str
    documents_hint: str
    more_documents: str
    quotation: str
    foreign: str
    languages: Mapping[str, str]
    confidence: tuple[str, str, str]
    percent: str
    also_said_by: str
    refusal: str
    reasons: Mapping[Reason, str]
    nearest: str
    too_long: str


ITALIAN = Labels(
    language="it",
    tagline="Risposte con le parole dei documenti",
    placeholder="Fai una domanda",
    ask="Chiedi",
    clear="Cancella",
    conversation="Conversazione",
    examples=("Quando parte la beta chiusa?", "Chi è il regista di House of David?"),
    examples_title="Per esempio",
    sources="Fonti",
    documents="Documenti",
    documents_hint="Le risposte vengono da questi testi e da nient’altro.",
    more_documents="e altri {count}",
    quotation="Citazione",
    foreign="La citazione è in {language}",
    languages={"it": "italiano", "es": "spagnolo", "en": "inglese", "fr": "francese"},
    confidence=("Affidabilità alta", "Affidabilità media", "Affidabilità bassa"),
    percent="{percent}%",
    also_said_by="Lo dicono anche",
    refusal="Nessuna risposta",
    reasons={
        "nothing_relevant": "Nei documenti non c’è nulla su questo argomento.",
        "no_answer_in_passages": "I documenti ne parlano, ma nessun passo risponde alla domanda.",
        "not_a_question": "Non sembra una domanda: prova a chiedere qualcosa in poche parole.",
        "too_uncertain": "Una possibile risposta c’è, ma è troppo incerta per essere citata.",
    },
    nearest="Passi più vicini",
    too_long="La domanda ha {length} caratteri, il limite è {limit}: accorciala e chiedi di nuovo.",
)

SPANISH = Labels(
    language="es",
    tagline="Respuestas con las palabras de los documentos",
    placeholder="Haz una pregunta",
    ask="Preguntar",
    clear="Borrar",
    conversation="Conversación",
    examples=("¿Quién dirigió las escenas de batalla?", "¿Con quién colabora el AI Studio?"),
    examples_title="Por ejemplo",
    sources="Fuentes",
    documents="Documentos",
    documents_hint="Las respuestas salen de estos textos y de nada más.",
    more_documents="y {count} más",
    quotation="Cita",
    foreign="La cita está en {language}",
    languages={"it": "italiano", "es": "español", "en": "inglés", "fr": "francés"},
    confidence=("Confianza alta", "Confianza media", "Confianza baja"),
    percent="{percent}\N{NO-BREAK SPACE}%",
    also_said_by="También lo dicen",
    refusal="Sin respuesta",
    reasons={
        "nothing_relevant": "En los documentos no hay nada sobre este tema.",
        "no_answer_in_passages": "Los documentos hablan de ello, pero ningún pasaje responde a la pregunta.",
        "not_a_question": "No parece una pregunta: prueba a preguntar algo en pocas palabras.",
        "too_uncertain": "Hay una posible respuesta, pero es demasiado incierta para citarla.",
    },
    nearest="Pasajes más cercanos",
    too_long="La pregunta tiene {length} caracteres y el límite es {limit}: acórtala y vuelve a preguntar.",
)

ENGLISH = Labels(
    language="en",
    tagline="Answers in the documents’ own words",
    placeholder="Ask a question",
    ask="Ask",
    clear="Clear",
    conversation="Conversation",
    examples=("Who leads AI Studio?", "How many corporate jobs did Amazon cut?"),
    examples_title="For example",
    sources="Sources",
    documents="Documents",
    documents_hint="Answers come from these texts and from nothing else.",
    more_documents="and {count} more",
    quotation="Quotation",
    foreign="The quotation is in {language}",
    languages={"it": "Italian", "es": "Spanish", "en": "English", "fr": "French"},
    confidence=("High confidence", "Medium confidence", "Low confidence"),
    percent="{percent}%",
    also_said_by="Also said by",
    refusal="No answer",
    reasons={
        "nothing_relevant": "Nothing in the documents is about this.",
        "no_answer_in_passages": "The documents touch on this, but no passage answers the question.",
        "not_a_question": "This does not read as a question: try asking something in a few words.",
        "too_uncertain": "There is a possible answer, but it is too uncertain to quote.",
    },
    nearest="Nearest passages",
    too_long="The question has {length} characters and the limit is {limit}: shorten it and ask again.",
)

FRENCH = Labels(
    language="fr",
    tagline="Des réponses avec les mots des documents",
    placeholder="Posez une question",
    ask="Demander",
    clear="Effacer",
    conversation="Conversation",
    examples=(
        "Quand les résultats sont-ils attendus\N{NARROW NO-BREAK SPACE}?",
        "Qui travaille avec l’AI Studio\N{NARROW NO-BREAK SPACE}?",
    ),
    examples_title="Par exemple",
    sources="Sources",
    documents="Documents",
    documents_hint="Les réponses viennent de ces textes et de rien d’autre.",
    more_documents="et {count} de plus",
    quotation="Citation",
    foreign="La citation est en {language}",
    languages={"it": "italien", "es": "espagnol", "en": "anglais", "fr": "français"},
    confidence=("Confiance élevée", "Confiance moyenne", "Confiance faible"),
    percent="{percent}\N{NO-BREAK SPACE}%",
    also_said_by="Le disent aussi",
    refusal="Pas de réponse",
    reasons={
        "nothing_relevant": "Rien dans les documents ne porte sur ce sujet.",
        "no_answer_in_passages": "Les documents en parlent, mais aucun passage ne répond à la question.",
        "not_a_question": "Cela ne ressemble pas à une question\N{NO-BREAK SPACE}: "
        "demandez quelque chose en quelques mots.",
        "too_uncertain": "Il y a une réponse possible, mais elle est trop incertaine pour être citée.",
    },
    nearest="Passages les plus proches",
    too_long="La question compte {length} caractères et la limite est de {limit}\N{NO-BREAK SPACE}: "
    "raccourcissez-la et demandez à nouveau.",
)

LABELS: Mapping[str, Labels] = {labels.language: labels for labels in (ENGLISH, ITALIAN, SPANISH, FRENCH)}


def labels_for(accept_language: str) -> Labels:
    """Return the labels in the language that a browser likes best, English when it asks for none of the four.

    `accept_language` is the request header of that name (RFC 9110, section 12.5.4); what cannot be read is passed over.

    >>> labels_for("de, it-IT;q=0.8, en;q=0.5").language
    'it'
    """
    wishes: list[tuple[float, str]] = []
    for wish in accept_language.split(","):
        tag, _, weight = wish.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wishes.append((quality, tag.strip().lower().partition("-")[0]))
    # A stable sort: equally liked languages stay in the browser's order.
    for quality, language in sorted(wishes, key=lambda wish: -wish[0]):
        if quality > 0 and language in LABELS:
            return LABELS[language]
    return ENGLISH
