"""Every word that the page says, in the four languages, and which of them a browser asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from rag.spans import Level, Reason

Complaint = Literal["not_said", "elsewhere", "inexact", "other"]
"""What a reader can find wrong with an answer."""
COMPLAINTS: tuple[Complaint, ...] = get_args(Complaint)
Refused = Literal["too_many", "too_big", "too_long", "bad_name", "bad_kind", "unreadable", "taken", "crowded", "gone"]
"""Why a file of a reader's own is not taken."""
REFUSED: tuple[Refused, ...] = get_args(Refused)


@dataclass(frozen=True, slots=True)
class Labels:
    """The page's words in one language.

    `languages` names a language as the sentence `foreign` needs it; `levels` holds the name of a confidence level and
    what it means. Words in braces are `str.format` fields.
    """

    language: str
    tagline: str
    # Asking
    placeholder: str
    ask: str
    stop: str
    clear: str
    conversation: str
    examples: str
    next: str
    # Where to search
    search: str
    everywhere: str
    chosen: str
    scope: str
    scope_shared: str
    scope_own: str
    filter_documents: str
    filter_languages: str
    passages_only: str
    # Sources
    documents: str
    documents_hint: str
    more_documents: str
    back: str
    page: str
    # Answers
    quotation: str
    foreign: str
    languages: Mapping[str, str]
    levels: Mapping[Level, tuple[str, str]]
    percent: str
    one_says_so: str
    some_say_so: str
    many_say_so: str
    also: str
    others: str
    unmentioned: str
    quoted: str
    refusal: str
    reasons: Mapping[Reason, str]
    nearest: str
    passages: str
    too_long: str
    nothing_to_search: str
    failed: str
    working: str
    # What to do with an answer
    copy: str
    copied: str
    retry: str
    verdict: str
    right: str
    wrong: str
    noted: str
    why: str
    complaints: Mapping[Complaint, str]
    comment: str
    send: str
    export: str
    confidence: str
    source: str
    # A reader's own files
    own: str
    own_hint: str
    own_add: str
    own_remove: str
    own_reading: str
    own_indexing: str
    own_ready: str
    own_removed: str
    refused: Mapping[Refused, str]

    def lacking(self, names: Sequence[str]) -> str:
        """Return that no document mentions these names; empty where there is none.

        >>> ENGLISH.lacking(["Napoli", "2021"])
        'No document mentions “Napoli”, “2021”'
        """
        quoted = ", ".join(self.quoted.format(words=name) for name in names)
        return self.unmentioned.format(names=quoted) if names else ""


ITALIAN = Labels(
    language="it",
    tagline="Risposte con le parole dei documenti",
    placeholder="Fai una domanda",
    ask="Chiedi",
    stop="Ferma",
    clear="Cancella",
    conversation="Conversazione",
    examples="Per esempio",
    next="Puoi chiedere anche",
    search="Dove cercare",
    everywhere="in tutti i documenti",
    chosen="in {count} su {total}",
    scope="Cerca",
    scope_shared="Nei documenti di tutti",
    scope_own="Nei tuoi file",
    filter_documents="Solo in questi documenti",
    filter_languages="Solo in queste lingue",
    passages_only="Mostra solo i passi, senza scegliere una risposta",
    documents="Documenti",
    documents_hint="Le risposte vengono da questi testi e da nient’altro.",
    more_documents="e altri {count}",
    back="Alla risposta",
    page="pagina {page}",
    quotation="Citazione",
    foreign="La citazione è in {language}",
    languages={"it": "italiano", "es": "spagnolo", "en": "inglese", "fr": "francese"},
    levels={
        "high": ("Affidabilità alta", "almeno nove risposte così su dieci sono giuste"),
        "good": (
            "Affidabilità buona",
            "la maggior parte delle risposte così è giusta: leggi la frase prima di fidarti",
        ),
        "low": ("Affidabilità bassa", "circa una risposta così su due è giusta: leggi che cosa c’è intorno"),
        "doubtful": (
            "Risposta dubbia",
            "le risposte così sono più spesso sbagliate che giuste: è un punto da cui leggere",
        ),
    },
    percent="{percent}%",
    one_says_so="Lo dice 1 documento su {total}: {languages}",
    some_say_so="Lo dicono {count} documenti su {total}: {languages}",
    many_say_so="Lo dicono almeno {count} documenti su {total}: {languages}",
    also="Lo dicono anche",
    others="Altri documenti dicono altro",
    unmentioned="Nessun documento nomina {names}",
    quoted="«{words}»",
    refusal="Nessuna risposta",
    reasons={
        "nothing_relevant": "Nei documenti non c’è nulla su questo argomento.",
        "no_answer_in_passages": "I documenti ne parlano, ma nessun passo risponde alla domanda.",
        "not_a_question": "Non sembra una domanda: prova a chiedere qualcosa in poche parole.",
        "too_uncertain": "Una possibile risposta c’è, ma è troppo incerta per essere citata.",
    },
    nearest="Passi più vicini",
    passages="Passi",
    too_long="La domanda ha {length} caratteri, il limite è {limit}: accorciala e chiedi di nuovo.",
    nothing_to_search="Nessun documento corrisponde alla scelta fatta: togli un filtro e chiedi di nuovo.",
    failed="Qualcosa non ha funzionato: riprova.",
    working="Sto cercando…",
    copy="Copia",
    copied="Copiato",
    retry="Chiedi di nuovo",
    verdict="È giusto?",
    right="Sì",
    wrong="No",
    noted="Annotato, grazie.",
    why="Perché?",
    complaints={
        "not_said": "I documenti non lo dicono",
        "elsewhere": "La risposta è in un altro punto",
        "inexact": "Le parole sono troppe o troppo poche",
        "other": "Un altro motivo",
    },
    comment="Il motivo, in poche parole",
    send="Invia",
    export="Esporta",
    confidence="Affidabilità",
    source="Fonte",
    own="I tuoi file",
    own_hint="Li vedi solo tu, e quando chiudi la pagina vengono cancellati. "
    "Al massimo {files} file, {size} MB ciascuno: {kinds}.",
    own_add="Aggiungi file",
    own_remove="Togli {name}",
    own_reading="Lettura dei file…",
    own_indexing="Preparazione: {done} passi su {total}",
    own_ready="Pronto: ora le domande cercano nei tuoi file.",
    own_removed="File tolto.",
    refused={
        "too_many": "I file sono più di {files}: togline qualcuno.",
        "too_big": "{name} supera {size} MB: dividilo o scegline uno più piccolo.",
        "too_long": "Con {name} il testo sarebbe troppo lungo: il limite è {characters} caratteri in tutto.",
        "bad_name": "Il nome {name} non va bene: rinomina il file con lettere e cifre.",
        "bad_kind": "{name} non è di un tipo che si può leggere: scegli {kinds}.",
        "unreadable": "{name} non si può leggere: salvalo come testo UTF-8 e riprova.",
        "taken": "{name} c’è già: togli prima quello vecchio.",
        "crowded": "Troppe persone stanno usando file propri: riprova più tardi.",
        "gone": "I tuoi file non ci sono più: aggiungili di nuovo.",
    },
)

SPANISH = Labels(
    language="es",
    tagline="Respuestas con las palabras de los documentos",
    placeholder="Haz una pregunta",
    ask="Preguntar",
    stop="Parar",
    clear="Borrar",
    conversation="Conversación",
    examples="Por ejemplo",
    next="También puedes preguntar",
    search="Dónde buscar",
    everywhere="en todos los documentos",
    chosen="en {count} de {total}",
    scope="Buscar",
    scope_shared="En los documentos de todos",
    scope_own="En tus archivos",
    filter_documents="Solo en estos documentos",
    filter_languages="Solo en estos idiomas",
    passages_only="Mostrar solo los pasajes, sin elegir una respuesta",
    documents="Documentos",
    documents_hint="Las respuestas salen de estos textos y de nada más.",
    more_documents="y {count} más",
    back="A la respuesta",
    page="página {page}",
    quotation="Cita",
    foreign="La cita está en {language}",
    languages={"it": "italiano", "es": "español", "en": "inglés", "fr": "francés"},
    levels={
        "high": ("Confianza alta", "al menos nueve de cada diez respuestas así son correctas"),
        "good": ("Confianza buena", "la mayoría de las respuestas así son correctas: lee la frase antes de fiarte"),
        "low": ("Confianza baja", "cerca de una de cada dos respuestas así es correcta: lee lo que hay alrededor"),
        "doubtful": (
            "Respuesta dudosa",
            "las respuestas así suelen ser erróneas: tómala como un punto donde empezar a leer",
        ),
    },
    percent="{percent}\N{NO-BREAK SPACE}%",
    one_says_so="Lo dice 1 de {total} documentos: {languages}",
    some_say_so="Lo dicen {count} de {total} documentos: {languages}",
    many_say_so="Lo dicen al menos {count} de {total} documentos: {languages}",
    also="También lo dicen",
    others="Otros documentos dicen otra cosa",
    unmentioned="Ningún documento menciona {names}",
    quoted="«{words}»",
    refusal="Sin respuesta",
    reasons={
        "nothing_relevant": "En los documentos no hay nada sobre este tema.",
        "no_answer_in_passages": "Los documentos hablan de ello, pero ningún pasaje responde a la pregunta.",
        "not_a_question": "No parece una pregunta: prueba a preguntar algo en pocas palabras.",
        "too_uncertain": "Hay una posible respuesta, pero es demasiado incierta para citarla.",
    },
    nearest="Pasajes más cercanos",
    passages="Pasajes",
    too_long="La pregunta tiene {length} caracteres y el límite es {limit}: acórtala y vuelve a preguntar.",
    nothing_to_search="Ningún documento corresponde a lo elegido: quita un filtro y vuelve a preguntar.",
    failed="Algo no ha funcionado: inténtalo de nuevo.",
    working="Buscando…",
    copy="Copiar",
    copied="Copiado",
    retry="Preguntar de nuevo",
    verdict="¿Es correcto?",
    right="Sí",
    wrong="No",
    noted="Anotado, gracias.",
    why="¿Por qué?",
    complaints={
        "not_said": "Los documentos no lo dicen",
        "elsewhere": "La respuesta está en otro lugar",
        "inexact": "Sobran o faltan palabras",
        "other": "Otro motivo",
    },
    comment="El motivo, en pocas palabras",
    send="Enviar",
    export="Exportar",
    confidence="Confianza",
    source="Fuente",
    own="Tus archivos",
    own_hint="Solo tú los ves, y se borran al cerrar la página. "
    "Como máximo {files} archivos, de {size} MB cada uno: {kinds}.",
    own_add="Añadir archivos",
    own_remove="Quitar {name}",
    own_reading="Leyendo los archivos…",
    own_indexing="Preparando: {done} de {total} pasajes",
    own_ready="Listo: ahora las preguntas buscan en tus archivos.",
    own_removed="Archivo quitado.",
    refused={
        "too_many": "Hay más de {files} archivos: quita alguno.",
        "too_big": "{name} pasa de {size} MB: divídelo o elige uno más pequeño.",
        "too_long": "Con {name} el texto sería demasiado largo: el límite es de {characters} caracteres en total.",
        "bad_name": "El nombre {name} no sirve: renombra el archivo con letras y cifras.",
        "bad_kind": "{name} no es de un tipo que se pueda leer: elige {kinds}.",
        "unreadable": "{name} no se puede leer: guárdalo como texto UTF-8 e inténtalo de nuevo.",
        "taken": "{name} ya está: quita antes el anterior.",
        "crowded": "Demasiadas personas están usando archivos propios: inténtalo más tarde.",
        "gone": "Tus archivos ya no están: añádelos de nuevo.",
    },
)

ENGLISH = Labels(
    language="en",
    tagline="Answers in the documents’ own words",
    placeholder="Ask a question",
    ask="Ask",
    stop="Stop",
    clear="Clear",
    conversation="Conversation",
    examples="For example",
    next="You could also ask",
    search="Where to search",
    everywhere="in all documents",
    chosen="in {count} of {total}",
    scope="Search",
    scope_shared="Everyone’s documents",
    scope_own="Your own files",
    filter_documents="Only these documents",
    filter_languages="Only these languages",
    passages_only="Show passages only, without choosing an answer",
    documents="Documents",
    documents_hint="Answers come from these texts and from nothing else.",
    more_documents="and {count} more",
    back="To the answer",
    page="page {page}",
    quotation="Quotation",
    foreign="The quotation is in {language}",
    languages={"it": "Italian", "es": "Spanish", "en": "English", "fr": "French"},
    levels={
        "high": ("High confidence", "at least nine of ten such answers are right"),
        "good": ("Good confidence", "most such answers are right: read the sentence before relying on one"),
        "low": ("Low confidence", "about every other such answer is right: read what stands around it"),
        "doubtful": (
            "Doubtful answer",
            "such answers are more often wrong than right: take it as a place to begin reading",
        ),
    },
    percent="{percent}%",
    one_says_so="1 of {total} documents says so: {languages}",
    some_say_so="{count} of {total} documents say so: {languages}",
    many_say_so="At least {count} of {total} documents say so: {languages}",
    also="Also said by",
    others="Other documents say otherwise",
    unmentioned="No document mentions {names}",
    quoted="“{words}”",
    refusal="No answer",
    reasons={
        "nothing_relevant": "Nothing in the documents is about this.",
        "no_answer_in_passages": "The documents touch on this, but no passage answers the question.",
        "not_a_question": "This does not read as a question: try asking something in a few words.",
        "too_uncertain": "There is a possible answer, but it is too uncertain to quote.",
    },
    nearest="Nearest passages",
    passages="Passages",
    too_long="The question has {length} characters and the limit is {limit}: shorten it and ask again.",
    nothing_to_search="No document matches what you chose: remove a filter and ask again.",
    failed="Something went wrong: try again.",
    working="Searching…",
    copy="Copy",
    copied="Copied",
    retry="Ask again",
    verdict="Is this right?",
    right="Yes",
    wrong="No",
    noted="Noted, thank you.",
    why="Why?",
    complaints={
        "not_said": "The documents do not say this",
        "elsewhere": "The answer is in another place",
        "inexact": "Too many words, or too few",
        "other": "Another reason",
    },
    comment="The reason, in a few words",
    send="Send",
    export="Export",
    confidence="Confidence",
    source="Source",
    own="Your own files",
    own_hint="Only you see them, and they are deleted when you close the page. "
    "At most {files} files of {size} MB each: {kinds}.",
    own_add="Add files",
    own_remove="Remove {name}",
    own_reading="Reading the files…",
    own_indexing="Preparing: {done} of {total} passages",
    own_ready="Ready: questions now search your own files.",
    own_removed="File removed.",
    refused={
        "too_many": "There are more than {files} files: remove some.",
        "too_big": "{name} is larger than {size} MB: divide it or choose a smaller one.",
        "too_long": "With {name} the text would be too long: the limit is {characters} characters in all.",
        "bad_name": "The name {name} cannot be used: rename the file with letters and digits.",
        "bad_kind": "{name} is not of a kind that can be read: choose {kinds}.",
        "unreadable": "{name} cannot be read: save it as UTF-8 text and try again.",
        "taken": "{name} is there already: remove the old one first.",
        "crowded": "Too many people are using files of their own: try again later.",
        "gone": "Your files are no longer here: add them again.",
    },
)

FRENCH = Labels(
    language="fr",
    tagline="Des réponses avec les mots des documents",
    placeholder="Posez une question",
    ask="Demander",
    stop="Arrêter",
    clear="Effacer",
    conversation="Conversation",
    examples="Par exemple",
    next="Vous pouvez aussi demander",
    search="Où chercher",
    everywhere="dans tous les documents",
    chosen="dans {count} sur {total}",
    scope="Chercher",
    scope_shared="Dans les documents de tous",
    scope_own="Dans vos fichiers",
    filter_documents="Seulement dans ces documents",
    filter_languages="Seulement dans ces langues",
    passages_only="Montrer seulement les passages, sans choisir de réponse",
    documents="Documents",
    documents_hint="Les réponses viennent de ces textes et de rien d’autre.",
    more_documents="et {count} de plus",
    back="À la réponse",
    page="page {page}",
    quotation="Citation",
    foreign="La citation est en {language}",
    languages={"it": "italien", "es": "espagnol", "en": "anglais", "fr": "français"},
    levels={
        "high": ("Confiance élevée", "au moins neuf réponses comme celle-ci sur dix sont justes"),
        "good": (
            "Bonne confiance",
            "la plupart des réponses comme celle-ci sont justes\N{NO-BREAK SPACE}: "
            "lisez la phrase avant de vous y fier",
        ),
        "low": (
            "Confiance faible",
            "environ une réponse comme celle-ci sur deux est juste\N{NO-BREAK SPACE}: lisez ce qui l’entoure",
        ),
        "doubtful": (
            "Réponse douteuse",
            "les réponses comme celle-ci sont plus souvent fausses que justes\N{NO-BREAK SPACE}: "
            "prenez-la comme un point de départ",
        ),
    },
    percent="{percent}\N{NO-BREAK SPACE}%",
    one_says_so="1 document sur {total} le dit\N{NO-BREAK SPACE}: {languages}",
    some_say_so="{count} documents sur {total} le disent\N{NO-BREAK SPACE}: {languages}",
    many_say_so="Au moins {count} documents sur {total} le disent\N{NO-BREAK SPACE}: {languages}",
    also="Le disent aussi",
    others="D’autres documents disent autre chose",
    unmentioned="Aucun document ne mentionne {names}",
    quoted="«\N{NO-BREAK SPACE}{words}\N{NO-BREAK SPACE}»",
    refusal="Pas de réponse",
    reasons={
        "nothing_relevant": "Rien dans les documents ne porte sur ce sujet.",
        "no_answer_in_passages": "Les documents en parlent, mais aucun passage ne répond à la question.",
        "not_a_question": "Cela ne ressemble pas à une question\N{NO-BREAK SPACE}: "
        "demandez quelque chose en quelques mots.",
        "too_uncertain": "Il y a une réponse possible, mais elle est trop incertaine pour être citée.",
    },
    nearest="Passages les plus proches",
    passages="Passages",
    too_long="La question compte {length} caractères et la limite est de {limit}\N{NO-BREAK SPACE}: "
    "raccourcissez-la et demandez à nouveau.",
    nothing_to_search="Aucun document ne correspond à votre choix\N{NO-BREAK SPACE}: "
    "retirez un filtre et demandez à nouveau.",
    failed="Quelque chose n’a pas fonctionné\N{NO-BREAK SPACE}: réessayez.",
    working="Recherche…",
    copy="Copier",
    copied="Copié",
    retry="Redemander",
    verdict="Est-ce juste\N{NARROW NO-BREAK SPACE}?",
    right="Oui",
    wrong="Non",
    noted="C’est noté, merci.",
    why="Pourquoi\N{NARROW NO-BREAK SPACE}?",
    complaints={
        "not_said": "Les documents ne le disent pas",
        "elsewhere": "La réponse est à un autre endroit",
        "inexact": "Trop de mots, ou trop peu",
        "other": "Une autre raison",
    },
    comment="La raison, en quelques mots",
    send="Envoyer",
    export="Exporter",
    confidence="Confiance",
    source="Source",
    own="Vos fichiers",
    own_hint="Vous seul les voyez, et ils sont effacés quand vous fermez la page. "
    "Au plus {files} fichiers de {size} Mo chacun\N{NO-BREAK SPACE}: {kinds}.",
    own_add="Ajouter des fichiers",
    own_remove="Retirer {name}",
    own_reading="Lecture des fichiers…",
    own_indexing="Préparation\N{NO-BREAK SPACE}: {done} passages sur {total}",
    own_ready="C’est prêt\N{NO-BREAK SPACE}: les questions cherchent maintenant dans vos fichiers.",
    own_removed="Fichier retiré.",
    refused={
        "too_many": "Il y a plus de {files} fichiers\N{NO-BREAK SPACE}: retirez-en.",
        "too_big": "{name} dépasse {size} Mo\N{NO-BREAK SPACE}: divisez-le ou choisissez-en un plus petit.",
        "too_long": "Avec {name} le texte serait trop long\N{NO-BREAK SPACE}: "
        "la limite est de {characters} caractères en tout.",
        "bad_name": "Le nom {name} ne convient pas\N{NO-BREAK SPACE}: "
        "renommez le fichier avec des lettres et des chiffres.",
        "bad_kind": "{name} n’est pas d’un type lisible\N{NO-BREAK SPACE}: choisissez {kinds}.",
        "unreadable": "{name} ne peut pas être lu\N{NO-BREAK SPACE}: enregistrez-le en texte UTF-8 et réessayez.",
        "taken": "{name} est déjà là\N{NO-BREAK SPACE}: retirez d’abord l’ancien.",
        "crowded": "Trop de personnes utilisent leurs propres fichiers\N{NO-BREAK SPACE}: réessayez plus tard.",
        "gone": "Vos fichiers ne sont plus là\N{NO-BREAK SPACE}: ajoutez-les de nouveau.",
    },
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
