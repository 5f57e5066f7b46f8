"""What kind of answer a question expects (a person, a time, a number, a place), and whether a text holds one."""

import re
import unicodedata
from functools import cache
from typing import Literal, get_args

from rag.dates import MONTHS, YEAR, without_dates
from rag.quantities import COUNTS, MASSES

Kind = Literal["name", "time", "number", "place", "other"]
Told = Literal["amount", "money", "date"]

# What a question asks for by the word after "which", "what is the" and their like, without accents. A person or a thing
# that goes by a name of its own; a quantity; a time; a place.
_NOUNS: dict[str, dict[Kind, str]] = {
    "en": {
        "number": "number amount sum percentage percent share proportion salary price cost budget age height length "
        "width weight population distance speed temperature revenue turnover total rate ratio",
        "time": "year years month day date time decade century",
        "place": "country countries city cities town village state province county region continent island street",
        "name": "person man woman actor actress author writer artist singer composer player coach director producer "
        "executive founder leader president minister mayor king queen emperor pope general scientist engineer "
        "company firm startup studio band team club university college newspaper magazine network bank",
    },
    "es": {
        "number": "numero cantidad cifra suma porcentaje proporcion sueldo salario precio coste costo presupuesto edad "
        "altura longitud anchura peso poblacion distancia velocidad temperatura total tasa",
        "time": "ano anos mes dia fecha hora horas horario horarios epoca decada siglo",
        "place": "pais paises ciudad ciudades pueblo provincia region continente isla calle lugar",
        "name": "persona hombre mujer actor actriz autor autora escritor escritora artista cantante compositor jugador "
        "entrenador director directora productor productora directivo directiva ejecutivo ejecutiva fundador "
        "fundadora lider presidente presidenta ministro ministra alcalde rey reina emperador papa general cientifico "
        "ingeniero empresa compania startup estudio banda equipo club universidad periodico revista banco",
    },
    "fr": {
        "number": "nombre quantite somme montant pourcentage part proportion salaire prix cout budget age hauteur "
        "longueur largeur poids taille population distance vitesse temperature total taux",
        "time": "annee annees mois jour date heure heures horaire horaires epoque decennie siecle",
        "place": "pays ville villes village province region continent ile rue endroit lieu departement commune",
        "name": "personne homme femme acteur actrice auteur ecrivain artiste chanteur chanteuse compositeur joueur "
        "entraineur directeur directrice realisateur realisatrice producteur dirigeant dirigeante fondateur fondatrice "
        "president presidente ministre maire roi reine empereur pape general scientifique ingenieur entreprise societe "
        "startup studio groupe equipe club universite journal magazine banque",
    },
    "it": {
        "number": "numero quantita somma cifra percentuale quota stipendio prezzo costo budget eta altezza lunghezza "
        "larghezza peso popolazione distanza velocita temperatura totale tasso",
        "time": "anno anni mese giorno data ora ore orario orari epoca decennio secolo",
        "place": "paese paesi citta villaggio provincia regione continente isola via luogo",
        "name": "persona uomo donna attore attrice autore autrice scrittore scrittrice artista cantante compositore "
        "giocatore allenatore direttore direttrice regista produttore produttrice dirigente fondatore fondatrice "
        "leader presidente ministro ministra sindaco re regina imperatore papa generale scienziato ingegnere azienda "
        "societa impresa startup studio gruppo squadra club universita giornale rivista banca",
    },
}
# "which" before such a noun, and "what is the".
_WHICH = {
    "en": r"(?:what|which)(?: (?:is|was|are|were|will be) (?:the|his|her|its|their|(?:\w+ ){1,4}s))?",
    "es": r"(?:que|cual(?:es)?)(?: (?:es|era|fue|son|eran|sera|seran|seria) (?:el|la|los|las|su))?",
    "fr": r"quel(?:le)?s?(?: (?:est|etait|sont|etaient|sera|seront|serait) (?:le|la|les|son|sa|leur|l))?",
    "it": r"(?:che|qual[ei]?)(?: (?:e|era|sono|erano|fu|sara|saranno|sarebbe) "
    r"(?:il|la|lo|i|le|gli|l|suo|sua|il suo|la sua))?",
}
# Questions of one word, and phrases; those that ask for something else keep what stands behind them from deciding, as
# in "what happens when". A relative "que" or "che" asks for nothing, so they count at the beginning alone. How often is
# a time and no amount: "weekly". "How long is the bridge" may ask for either. What something is called need be no name:
# of training answers to "what is it called", "cómo se llama" and "comment s'appelle" 52 to 76% have one, to those below
# 81 to 94%.
_ASKS: dict[str, dict[Kind, str]] = {
    "en": {
        "number": r"how (?:many|much|old|tall|large|big|fast|far)|number of",
        "time": r"since when|when|how (?:soon|often|frequently)|"
        r"how long(?! (?:is|was|are|were) (?!(?:he|she|they|we|you|i)\b))",
        "place": r"where",
        "name": r"who|whom|whose|what (?:is|was|are|were|s) (?:the|his|her|its|their|(?:\w+ ){1,4}s)"
        r"(?: (?:full|real|original|official|first|last|new|old))? names?",
        "other": r"what|which|why|how",
    },
    "es": {
        "number": r"cuant[oa]s?(?! tiempo)|numero de",
        "time": r"cuando|cuanto tiempo|fecha de|(?:que|cual es la) frecuencia|"
        r"cada cuant(?:o|[oa]s (?:minutos|horas|dias|semanas|meses|anos))",
        "place": r"a?donde",
        "name": r"quien(?:es)?|cual(?:es)? (?:es|era|fue|son|eran) (?:el|los|su|sus) nombres?",
        "other": r"(?:(?<=^)|(?<=^de )|(?<=^a )|(?<=^en )|(?<=^con )|(?<=^por )|(?<=^para ))que|cual(?:es)?|como",
    },
    "fr": {
        "number": r"combien(?! de temps)|nombre d(?:e|es|u)",
        "time": r"depuis quand|quand|combien de temps|date d(?:e|es|u)|tou(?:te)?s les combien|"
        r"quelle(?: est la)? frequence",
        # Without its accent "où" is "or", which begins no question and ends none.
        "place": r"(?:(?<=^)|(?<=^et )|(?<=^mais )|(?<=^par ))ou|ou(?=$)|"
        r"ou (?:est|sont|se|a|ont|aura|auront|sera|seront|va|vont|peut|peuvent|puis|doit|faut|travaille|vit|habite)|"
        r"d.?ou",
        "name": r"(?<=^)qui|(?:a|de|par|pour|avec|chez|contre) qui|qui (?:est|sont|a|ont|dirige)",
        "other": r"(?<=^)qu(?:e|oi)?|quel(?:le)?s?|lequel|laquelle|quoi|comment|pourquoi",
    },
    "it": {
        "number": r"quant[oaie](?! tempo)|quant(?= (?:e|era)\b)|numero d(?:i|ei|elle|egli)",
        "time": r"quando|quanto tempo|data d|(?:che|quale?(?: e la)?) frequenza|"
        r"ogni quant(?:o|[ie] (?:minuti|ore|giorni|settimane|mesi|anni))",
        "place": r"dov.?e?",
        "name": r"chi|come si chiam(?:a|ano|ava|avano|era|eranno)|(?<=^)che nome|"
        r"qual[ei]? (?:e|era|fu|sono|erano) (?:il|i)(?: (?:suo|loro))? nom[ei]",
        "other": r"(?:(?<=^)|(?<=^di )|(?<=^a )|(?<=^da )|(?<=^in )|(?<=^con )|(?<=^per ))che|"
        r"cosa|qual[ei]?|come|perche",
    },
}
# By language, because one's "due", "once", "an" and "estate" are another's number, number, time and time.
_TIMES = {
    "en": (
        "january february april june july august september october november december monday tuesday wednesday "
        "thursday friday saturday sunday spring summer autumn winter yesterday today tomorrow century centuries decade "
        "decades year years month months week weeks day days hour hours minute minutes seconds"
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre lunes "
        "martes miercoles jueves viernes sabado domingo primavera verano otono invierno ayer hoy manana siglo siglos "
        "decada decadas ano anos mes meses semana semanas dia dias hora horas minuto minutos segundos"
    ),
    "fr": (
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi "
        "jeudi vendredi samedi dimanche printemps automne hiver hier demain siecle siecles decennie decennies an ans "
        "annee annees mois semaine semaines jour jours heure heures minute minutes secondes"
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre lunedi martedi "
        "mercoledi giovedi venerdi sabato domenica primavera estate autunno inverno ieri oggi domani secolo secoli "
        "decennio decenni anno anni mese mesi settimana settimane giorno giorni ora ore minuto minuti secondi"
    ),
}
# What is a time only alone or beside certain words: the season beside "has been".
_TIMES_IN_PLACE = {
    "fr": r"(?<=[ld]['’])ete|(?<=en )ete|(?<=cet )ete|(?<=chaque )ete|ete (?=dernier|prochain|\d{4})|(?<!.)ete(?!.)|"
    r"aujourd['’]hui",
}
# Times of day, bare: "10:30", "20h30", "9 p.m."; a point stands in them behind a word that says so, "alle 18.30", and
# so does an hour alone, unless it counts what follows: "a las 9 familias".
_HOUR, _MINUTES, _BLANK = r"(?:[01]?\d|2[0-4])", r"[0-5]\d", "[ \u00a0\u202f]"
_CLOCK = (
    rf"(?<![\d.,:/]){_HOUR}(?::{_MINUTES}(?!\d|:\d)|{_BLANK}?h(?:{_BLANK}?{_MINUTES})?\b|"
    rf"(?:[.:]{_MINUTES})?{_BLANK}?(?:[ap]m\b|[ap]\.{_BLANK}?m\b))|"
    rf"\b(?:las|alle|dalle) {_HOUR}(?:[.:]{_MINUTES})?(?!\d|[.,:]\d| ?[%$€£]|"
    rf"{_BLANK}(?!(?:y|e|en|a|al|de|del|della|di|in)\b)\w)"
)
# Other times: noon and midnight; how often, where no day or week says so.
_MORE_TIMES = {
    "en": r"noon|midnight|o['’]clock|hourly|daily|nightly|weekly|fortnightly|monthly|quarterly|yearly|annually|"
    r"times (?:an?|per|each|every)|(?<=\d )times|(?:every|each) (?:morning|afternoon|evening|night|season|quarter)",
    "es": r"mediodia|medianoche|a diario|(?:diaria|semanal|mensual|anual)mente|semanal(?:es)?|mensual(?:es)?|"
    r"veces (?:al?|por|cada)|(?<=\d )veces|(?:cada|todas las) (?:mananas?|tardes?|noches?|temporadas?)",
    "fr": r"(?<=a )midi|minuit|(?:quotidienn|mensuell|annuell|hebdomadair)ement|hebdomadaires?|mensuel(?:le)?s?|"
    r"fois (?:par|tou(?:te)?s|chaque)|(?<=\d )fois|(?:chaque|tou(?:te)?s les) (?:matins?|soirs?|nuits?|saisons?)",
    "it": r"mezzogiorno|mezzanotte|(?:giornal|quotidian|settimanal|mensil|annual)(?:ier)?a?mente|settimanal[ei]|"
    r"mensil[ei]|volt[ae] (?:al|all['’]|alla|ogni|per)|(?<=\d )volte|"
    r"(?:ogni|tutte le) (?:mattin[ae]|ser[ae]|nott[ei]|stagion[ei])",
}
# Parts are quantities too, and so is "one" when it is the whole answer; elsewhere it is an article in three languages.
_PARTS = {"en": "half twice double", "es": "mitad doble", "fr": "moitie tiers double", "it": "meta doppio"}
_ONE = frozenset(["one", "un", "una", "uno", "une"])
# "One" as an article: "a mile" tells how far, but most longer texts have one.
_ARTICLES = {"en": ("a", "an", "one"), "es": ("un", "una", "uno"), "fr": ("un", "une"), "it": ("un", "uno", "una")}
_WORDS_WITH_AN_ARTICLE = 3
# What tells how many without a number: parts, multiples, places in an order, and vaguely; in a text of a few words, as
# "more" and "all" stand in any clause.
_WORDS_WITH_AN_AMOUNT = 6
_AMOUNTS = {
    "en": (
        "single no none nothing free all every any each both few several many much more most less least some "
        "little same majority minority dozen dozens hundreds thousands third quarter fifth tenth first second double "
        "twice triple triples tripled quadruple quadrupled multiple various countless unlimited infinite"
    ),
    "es": (
        "unico unica unos unas ningun ninguna ninguno nada gratis gratuito gratuita cero todo toda todos todas "
        "ambos ambas poco poca pocos pocas vario varios varias mucho mucha muchos muchas mas menos mayoria minoria "
        "docena docenas decenas cientos miles tercio cuarta cuarto quinta parte primero primera segundo segunda "
        "triple infinitos"
    ),
    "fr": (
        "seul seule aucun aucune rien gratuit gratuits tout toute tous toutes peu plusieurs beaucoup plus "
        "moins majorite minorite dizaine dizaines douzaine douzaines centaine centaines milliers tiers quart cinquieme "
        "premier premiere second seconde deuxieme troisieme triple infini"
    ),
    "it": (
        "singolo singola unico unica nessun nessuna nessuno nulla niente gratis gratuito gratuita zero tutto tutta "
        "tutti tutte entrambi entrambe poco poca pochi poche diversi diverse molto molta molti molte piu meno "
        "maggior maggioranza minoranza decina decine dozzina dozzine centinaia migliaia terzo quarto quinto parte "
        "primo prima secondo seconda triplo infinitamente infiniti"
    ),
}
# A year, right after the interrogative or behind what else is asked for, "in which month and of what year"; or beside a
# month, "month and year".
_OF_A_YEAR = {
    "en": r"(?:what|which)(?: (?:exact|month|day|date|and|in|of|what|which))* years?|months? and (?:the )?years?",
    "es": r"(?:que|cual)(?: (?:mes|dia|fecha|y|de|en|que|cual|fue|es|el))* anos?|mes y (?:el )?ano",
    "fr": r"quel(?:le)?s?(?: (?:mois|jour|date|et|de|en|quel|quelle|fut|est|l))* annees?|mois et (?:l )?annee",
    "it": r"(?:che|quale?)(?: (?:mese|giorno|data|e|di|in|che|quale?))* ann[oi]|mese ed? (?:l )?anno",
}
# Prices and what is paid; not how many are, nor how much more, which may be a share.
_OF_MONEY = {
    "en": (
        r"how much (?!more|less|of|time|longer).*\b(?:costs?|pays?|paid|spends?|spent|earn(?:s|ed)?|invest(?:ed)?|"
        r"charge[sd]?|worth)\b|how much money|how much (?:is|was|will be) (?:the|his|her|its|their) (?:prices?|costs?|"
        r"salary|fees?|budget)\b|(?:what|which) (?!.*\b(?:percent\w*|share|part|portion|proportion)\b).*\b"
        r"(?:prices?|costs?|salary|fees?|budget)\b"
    ),
    "es": (
        r"cuanto (?!mas|menos|tiempo).*\b(?:cuestan?|costo|costaron|costado|costa(?:ba|ra|ria)n?|vale|valdran?|pagan?|"
        r"pago|pagaron|pagado|paga(?:ra|ria)n?|gasto|gastaron|gastado|gasta(?:ra|ria)n?|invirtio|invertido|"
        r"inverti(?:ra|ria)n?|cobran?|cobra(?:ra|ria)n?)\b|cuanto dinero|cuanto (?:es|era|fue|sera) (?:el|su) "
        r"(?:precio|coste|costo|salario|sueldo|presupuesto)\b|(?:que|cual)(?: es| era| fue| sera)?(?: el| la| su)? "
        r"(?:precio|coste|costo|salario|sueldo|presupuesto)\b"
    ),
    "fr": (
        r"combien (?!de|d\b|plus|moins).*\b(?:coute(?:nt|e?s?|r|ra|ront|rait|raient)?|coutai(?:en)?t|payee?s?|payer|"
        r"pa[iy]era|depense|investi|vaut|vaudra)\b|combien d.argent|"
        r"quel(?:le)?(?: est| etait| fut| sera)?(?: le| la| son| sa)? (?:prix|cout|salaire|budget|tarif)\b"
    ),
    "it": (
        r"quanto? (?!piu|meno|tempo).*\b(?:costa(?:no|re)?|costava|costat[oa]|coster(?:a|anno|ebbe)|paga(?:no|re)?|"
        r"pagat[oa]|pagher(?:a|anno|ebbe)|spende|speso|spender(?:a|anno)|investito|investir(?:a|anno)|guadagna|"
        r"guadagnato|guadagner(?:a|anno)|vale|valeva|varra)\b|quanti soldi|quanto denaro|"
        r"quanto? (?:e|era|sara) (?:il|lo) (?:prezzo|costo|stipendio|salario|budget)\b|"
        r"(?:che|quale?)(?: e| era| sara)?(?: il| lo)? (?:prezzo|costo|stipendio|salario|budget)\b"
    ),
}
# What is money beside a figure: by language, as "cents" are hundreds in French, "marchi" brands and "lire" is to read.
# French pounds are books too, but no price is asked in books.
_CURRENCIES = {
    "en": r"dollars?|euros?|pounds?|pence|penny|pennies|cents?|francs?|marks?|pesos?|lir[ae]|yen|yuan|rupees?|"
    r"sterling|kron(?:a|e|er|or)",
    "es": r"dolar(?:es)?|euros?|libras?|centavos?|centimos?|francos?|pesos?|liras?|yen(?:es)?|yuan(?:es)?|rupias?|"
    r"coronas?",
    "fr": r"dollars?|euros?|livres?|centimes?|francs?|pesos?|yens?|yuans?|roupies?|couronnes?",
    "it": r"dollar[oi]|euro|sterlin[ae]|centesim[oi]|franc(?:o|hi)|pesos?|lir[ae]|yen|yuan|rupi[ae]|coron[ae]",
}
# Codes, written large in every language, and abbreviations, which are money beside their figure alone.
_CODES = re.compile(
    r"\b(?:USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN)\b|"
    rf"(?<=\d){_BLANK}?(?:[Kk]r|F|S?[Ff]rs?)\b|\b(?:[Kk]r|S?[Ff]rs?)\.?{_BLANK}?(?=\d)"
)
# What costs nothing.
_FREE = re.compile(r"\b(?:free|nothing|gratis|gratuit\w*|nada|rien|nulla|niente)\b")
# Times that nobody would tell by a date.
_VAGUE_TIMES = {
    "en": ("time", "decade", "century"),
    "es": ("hora", "horas", "horario", "horarios", "epoca", "decada", "siglo"),
    "fr": ("heure", "heures", "horaire", "horaires", "epoque", "decennie", "siecle"),
    "it": ("ora", "ore", "orario", "orari", "epoca", "decennio", "secolo"),
}
# Within so many characters behind an amount stands its currency: "8.5 billion US dollars".
_BEHIND = 24
_WORD = re.compile(r"[^\W\d_]+")
_EDGES = " .,;:!?¿¡«»“”\"'’()"
_YEAR = rf"{YEAR}s?"
# What may be a year: no part of a larger number, nor a share or a price.
_ALONE = re.compile(rf"(?<![\d.,$€£¥]){YEAR}(?!\d|[.,]\d| ?[%$€£¥]|(?!s\b)[a-zA-Z])")
# What a name begins with: any letter that is not written small, those of scripts without cases among them.
CAPITAL = rf"[^\W\d_{''.join(sign for sign in map(chr, range(0x2C00)) if sign.islower())}]"
_NAME = re.compile(rf"\b{CAPITAL}[\w’'&.-]*\w")
_DAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "es": "lunes martes miercoles jueves viernes sabado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "it": "lunedi martedi mercoledi giovedi venerdi sabato domenica",
}
# Months that are verbs where they are written small.
_VERBS = ("may", "march")
# Behind these a month is one whatever follows: "In May Amazon" is no name, "June Carter" is.
_OF_TIME = {
    "en": "in on since until till during through early late mid last next this every each",
    "es": "en desde hasta durante el este cada pasado proximo",
    "fr": "en depuis des pendant debut fin mi courant le ce chaque",
    "it": "in nel di da dal a ad entro durante inizio fine meta il lo scorso questo ogni",
}
# Between two of them, as in "junio y julio".
_BETWEEN_DATES = frozenset(["y", "e", "et", "a", "al", "au"])
# Nor is a name what a little word, written large, makes with a month: "Is May a month?". The first may stand before a
# year, and so may months; what has another number before it is an amount, "who cut 1500 jobs".
_BEFORE_A_YEAR = (
    "in since until till by from of to the and or between before after during through early late mid spring "
    "summer autumn winter year fiscal "
    "en desde hasta de del entre y o al el los ano antes despues depuis jusqu du des et ou le la les l annee avant "
    "apres debut fin nel nell dal dall dell di da a tra fra anno il lo e ed entro dopo inizio fine"
)
_LITTLE = (
    "an at on for with as is are was were be been has have had did does do will would can could who what which when "
    "where why how its his her their our this that these those last next every each but it he she they we you "
    "un una se que quien cual cuando donde como cuanto cuantos cuantas ha han fue fueron es son era hay hubo su sus "
    "por para con sin pero este esta une on ont est sont etait qui quoi quand combien comment pour par sur dans avec "
    "sans mais ce cet cette son sa ses au aux ne uno i gli si che chi cosa quando dove come quanto quanti quante hanno "
    "sono erano stato stata per su ma questo questa suo sua alla allo ai nella nello"
)
# Behind these a figure tells how many even without a noun: "1500 of them".
_OF = frozenset(["of", "de", "d", "des", "du", "di", "dei", "degli", "delle"])
# Behind these a figure of four digits is a year, unless it counts something.
_IN_A_YEAR = frozenset(
    ["in", "since", "year", "en", "desde", "ano", "depuis", "an", "annee", "nel", "nell", "dal", "dall", "anno"]
)
# From here on a figure that is not round is likelier a year than an amount: "the 2018 election", "the 1500 jobs".
_RECENT = 1900
# The day or the year beside a month; or what is of one, "finales de Julio".
_DAY_BEFORE = re.compile(
    r"(?:\d(?:\.|st|nd|rd|th|ers?|[ºª°])?[\s/-](?:(?:of|de)\s)?|"
    r"\b(?i:mes|finales|fines|principios|comienzos|inicios|mediados|mois)\s(?:de\s|d['’]))\Z"
)
_DAY_OR_YEAR_BEHIND = re.compile(rf"[\s/-]\d{{1,2}}(?!\d|[.,]\d| ?%)|,?[\s/-](?:(?:of|del?|di)\s)?{YEAR}(?!\d)")
# The word right before, an abbreviation of it, as "Mrs." is, among them; and the word right behind.
_WORD_BEFORE = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,3}\.|[^\W\d_]+['’]?)(?:[ \u00a0\u202f-]|(?<=['’]))\Z")
_WORD_BEHIND = re.compile(r"[ \u00a0\u202f-]([^\W\d_]+)")
# As far as the word before a figure or a month is looked for, and the longest text that is a month alone.
_NEAR = 24
# The vowels of months and days with the accents that they may have, as one sign or two.
_ACCENTED = {signs[0]: f"[{signs}][\\u0300-\\u036f]?" for signs in ("aàâá", "eéèê", "iìíî", "oòôó", "uùûú")}


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
    found = _asked(question, language)
    return _kind(found.lastgroup if found else None)


def asks_to_be_told(question: str, language: str) -> Told | None:
    """Tell whether a question in one of the four languages asks, in so many words, for an amount, money or a date.

    >>> asks_to_be_told("How many took part?", "en"), asks_to_be_told("What is the price?", "en")
    ('amount', 'money')
    >>> asks_to_be_told("In what year?", "en"), asks_to_be_told("In what era?", "en")
    ('date', None)
    """
    found = _asked(question, language)
    if found and _kind(found.lastgroup) == "number":
        return "money" if re.search(rf"\b(?:{_OF_MONEY[language]})", _plain(question)) else "amount"
    dated = found and found.lastgroup == "time_of" and found.group().split()[-1] not in _VAGUE_TIMES[language]
    return "date" if dated or asks_for_a_year(question, language) else None


def tells(text: str, told: Told, language: str, *, behind: str = "") -> bool:
    """Tell whether a text in `language` has an amount, in figures or words and however vague; or a date or figures.

    Money is an amount with a currency, in the text or right `behind` it.

    Of right answers to such training questions in four languages 94 to 99% do, of other pieces of their passages 26 to
    39%; of 260 that ask for money 85%, of the other amounts of their passages 34%.

    >>> [tells(text, "amount", "en") for text in ("hardly any", "a mile", "a man of the trade", "in March 2026")]
    [True, True, False, False]
    >>> tells("30,000", "money", "en", behind=" jobs"), tells("30,000", "money", "en", behind=" euros")
    (False, True)
    >>> [tells(text, "amount", "fr") for text in ("en 1587", "1587", "1500 emplois", "1 587")]  # a year is no amount
    [False, False, True, True]
    >>> tells("last March", "date", "en"), tells("a March for peace", "date", "en")
    (True, True)
    """
    if told == "money" and not _FREE.search(bare(text)) and not _has_currency(text + behind[:_BEHIND], language):
        return False
    if told == "date":
        return holds(text, "time", language=language) > 0 or any(letter.isdigit() for letter in text)
    undated = _without_years(without_dates(text, language), behind, language)
    words = _WORD.findall(bare(undated))
    if words and len(words) <= _WORDS_WITH_AN_ARTICLE and words[0] in _ARTICLES.get(language, ()):
        return True
    vague = len(words) <= _WORDS_WITH_AN_AMOUNT and not _amounts(language).isdisjoint(words)
    return vague or holds(undated, "number", language=language) > 0


def _without_years(text: str, behind: str, language: str) -> str:
    """Return a text without the numbers that stand as years in it: "in 1587", "(1587)", or nothing else but "1587".

    What counts a noun, in the text or `behind` it, is none, "1500 jobs".
    """
    whole = text + behind

    def is_year(match: re.Match[str]) -> bool:
        follows = _WORD_BEHIND.match(whole, match.end())
        if follows and (_has_currency(f"0 {follows[1]}", language) or _counts(follows[1])):
            return False
        before = text[: match.start()]
        found = _WORD_BEFORE.search(before[-_NEAR:])
        return (
            not (before + text[match.end() :]).strip(_EDGES)
            or (before.endswith("(") and whole.startswith(")", match.end()))
            or (found is not None and bare(found[1].rstrip("'’")) in _IN_A_YEAR)
        )

    return _ALONE.sub(lambda match: "" if is_year(match) else match.group(), text)


def _counts(word: str) -> bool:
    """Tell whether a number right before a word counts it: "1500 jobs", "1500 of them", not "1587 and"."""
    return word.islower() and (bare(word) in _OF or bare(word) not in _little())


def _has_currency(text: str, language: str) -> bool:
    return _currencies(language).search(bare(text)) is not None or _CODES.search(text) is not None


@cache
def _currencies(language: str) -> re.Pattern[str]:
    """Return what finds signs and words for money; where the language is none of the four, those of all."""
    return re.compile(rf"[$€£¥]|\b(?:{_CURRENCIES.get(language) or '|'.join(_CURRENCIES.values())})\b")


def asks_for_a_year(question: str, language: str) -> bool:
    """Tell whether a question in one of the four languages asks for a year, alone or with a month or a day.

    >>> asks_for_a_year("In what month and year did it open?", "en"), asks_for_a_year("What opened that year?", "en")
    (True, False)
    """
    pattern = _OF_A_YEAR.get(language)
    return bool(pattern and re.search(rf"\b(?:{pattern})\b", _plain(question)))


def asks_of_another_date(question: str, language: str, text: str, written: str) -> bool:
    """Tell whether a question names months or years of which a text, in the language `written`, has others alone.

    >>> asks_of_another_date("How many jobs went in December?", "en", "16 000 postes en janvier", "fr")
    True
    >>> asks_of_another_date("How many jobs went in January 2026?", "en", "16 000 postes en janvier", "fr")
    False
    """
    asked, there = _months(question, language), _months(text, written)
    # Whatever may be a year in the text is one that was asked for.
    years, named = _years(question, language), set(_ALONE.findall(text))
    return (bool(asked and there) and not asked & there) or (
        bool(years and not years & named) and bool(_years(text, written))
    )


def dated(text: str, language: str) -> list[tuple[str, int, int]]:
    """Return the months and days of the week that a text names, "month5" or "day1", and where each begins and ends.

    Names are none, "Julio Iglesias", "Theresa May", nor are verbs, "they may march". Spanish, French and Italian write
    a month small, but for one beside a number, behind a word of time or alone. Where the language is none of the four,
    all of theirs count.

    >>> dated("In May Amazon said so to Theresa May", "en"), dated("Julio Iglesias, en julio", "es")
    ([('month5', 3, 6)], [('month7', 19, 24)])
    """
    names = calendar(language)
    return [
        (names[bare(match.group())], match.start(), match.end())
        for match in _calendar_pattern(language).finditer(text)
        if bare(match.group()) in names and _is_dated(text, match, language)
    ]


@cache
def calendar(language: str) -> dict[str, str]:
    """Return what the names of months and days stand for, bare; where the language is none of the four, those of all.

    >>> calendar("fr")["aout"], calendar("en")["monday"]
    ('month8', 'day1')
    """
    languages = (language,) if language in MONTHS else tuple(MONTHS)
    named = {
        bare(name): f"{what}{place}"
        for what, names in (("month", MONTHS), ("day", _DAYS))
        for known in languages
        for place, name in enumerate(names[known].split(), start=1)
    }
    return named | ({"setiembre": "month9"} if "es" in languages else {})


@cache
def _calendar_pattern(language: str) -> re.Pattern[str]:
    """Return what finds the names of months and days, with their accents or without."""
    names = "|".join(re.sub("[aeiou]", lambda vowel: _ACCENTED[vowel.group()], name) for name in calendar(language))
    return re.compile(rf"(?<![^\W\d_])(?:{names})(?![^\W\d_])", re.IGNORECASE)


def _is_dated(text: str, match: re.Match[str], language: str) -> bool:
    """Tell whether the name of a month or a day stands for one where it was found."""
    if language not in MONTHS:
        return True
    before = text[max(0, match.start() - _NEAR) : match.start()]
    if _DAY_BEFORE.search(before) or _DAY_OR_YEAR_BEHIND.match(text, match.end()):
        return True
    name, found = bare(match.group()), _WORD_BEFORE.search(before)
    previous = found[1].rstrip(".'’") if found else ""
    introduced = bare(previous) in _of_time(language)
    if match.group().islower():
        return language != "en" or name not in _VERBS or introduced or bare(previous) in ("by", "from", "of")
    behind = _WORD_BEHIND.match(text, match.end())
    following = behind[1] if behind else ""
    if language == "en":
        return introduced or not (_names_one(previous, language) or _names_one(following, language))
    if introduced or calendar(language)[name].startswith("day"):
        return not (_names_one(following, language) or _names_one(previous, language))
    return len(text) <= 2 * _NEAR and all(
        word in calendar(language) or word in _BETWEEN_DATES for word in _WORD.findall(bare(text))
    )


def _names_one(word: str, language: str) -> bool:
    """Tell whether a word beside a month makes it a name: one written large that is neither little nor a date."""
    return word[:1].isupper() and bare(word) not in _little() and bare(word) not in calendar(language)


@cache
def _of_time(language: str) -> frozenset[str]:
    return frozenset(_OF_TIME[language].split())


@cache
def _before_a_year() -> frozenset[str]:
    """Return the words before a year, the months among them."""
    months = (bare(name) for names in MONTHS.values() for name in names.split())
    return frozenset([*_BEFORE_A_YEAR.split(), *months])


@cache
def _little() -> frozenset[str]:
    return frozenset(f"{_BEFORE_A_YEAR} {_LITTLE} {' '.join(_OF_TIME.values())}".split())


def _months(text: str, language: str) -> set[str]:
    """Return the months that a text names; in a language that is none of the four, none."""
    return {what for what, *_ in dated(text, language) if what.startswith("month")} if language in MONTHS else set()


def _years(text: str, language: str) -> set[str]:
    """Return the years that a text names, which are no amounts: "who cut 1500 jobs" names none."""
    return {match.group() for match in _ALONE.finditer(text) if _is_a_year(text, match, language)}


def _is_a_year(text: str, match: re.Match[str], language: str) -> bool:
    behind = _WORD_BEHIND.match(text, match.end())
    if language not in MONTHS or behind is None:
        return True
    if _has_currency(behind[1], language):
        return False
    words = _WORD.findall(text[max(0, match.start() - _NEAR) : match.start()])
    # "Newman's 1968 film", "the Euro 2004 final".
    introduced = not words or words[-1] == "s" or words[-1][0].isupper() or bare(words[-1]) in _before_a_year()
    recent = int(match.group()) > _RECENT and not match.group().endswith("00")
    following = bare(behind[1])
    if behind[1].islower() and (following in _OF or following not in _little()):
        return introduced and recent
    return introduced or recent


def _plain(question: str) -> str:
    """Return the words of a question, bare, with a space between any two."""
    return " ".join(re.findall(r"[\w']+", bare(question).replace("’", "'").replace("'", " ")))


def holds_a_year(text: str) -> bool:
    """Tell whether a text has a year in figures."""
    return bool(re.search(rf"\b{_YEAR}\b", text))


@cache
def _asks(language: str) -> re.Pattern[str]:
    """Return what finds the first word of a question that says what it asks for, its kind as the group's name."""
    nouns, words = _NOUNS[language], _ASKS[language]
    # "What is the author doing" does not ask who the author is.
    which = {kind: r"(?:what|which)" if (language, kind) == ("en", "name") else _WHICH[language] for kind in nouns}
    named = [rf"(?P<{kind}_of>{which[kind]} (?:{'|'.join(of.split())}))" for kind, of in nouns.items()]
    alone = [rf"(?P<{kind}>{pattern})" for kind, pattern in words.items()]
    return re.compile(rf"(?<!\w)(?:{'|'.join([*named, *alone])})(?!\w)")


@cache
def _amounts(language: str) -> frozenset[str]:
    """Return the words of a language that tell how many without a number."""
    return frozenset(_AMOUNTS.get(language, "").split())


def _asked(question: str, language: str) -> re.Match[str] | None:
    """Return where a question says what it asks for; the name of the group is its kind."""
    return _asks(language).search(_plain(question)) if language in _ASKS else None


def _kind(group: str | None) -> Kind:
    """Return the kind that the name of a group stands for."""
    name = (group or "other").removesuffix("_of")
    return next(kind for kind in get_args(Kind) if kind == name)


def holds(text: str, kind: Kind, *, language: str, besides: str = "", opens: bool = False) -> float:
    """Tell whether a text in `language` holds that kind of thing: 1 if it does, -1 if not, 0 if that cannot be told.

    A name counts only when it does not stand in `besides`, the question. `opens` says that the text opens a sentence:
    its first word is written large whatever it is.

    >>> holds("in August 2025", "time", language="en"), holds("in Amazon's view", "number", language="en")
    (1.0, -1.0)
    """
    if kind in ("number", "time"):
        plain = bare(text).strip(_EDGES)
        found = _pattern(kind, language).search(plain) or (kind == "number" and plain in _ONE)
        # What is a month as it is written large: "May".
        return 1.0 if found or (kind == "time" and language == "en" and dated(text, language)) else -1.0
    if kind in ("name", "place"):
        asked = set(_WORD.findall(bare(besides)))
        names = [name for name in _NAME.findall(text) if not set(_WORD.findall(bare(name))) <= asked]
        first = opens and len(names) == 1 and text.lstrip("«“\"'([- ").startswith(names[0])
        return (0.0 if first else 1.0) if names else -1.0
    return 0.0


@cache
def _pattern(kind: Literal["number", "time"], language: str) -> re.Pattern[str]:
    """Return what numbers or times look like in a language; where it is none of the four, their figures."""
    figures = r"\d" if kind == "number" else rf"\b(?:{_YEAR})\b|{_CLOCK}"
    lists = (COUNTS, MASSES, _PARTS) if kind == "number" else (_TIMES,)
    words = [bare(word) for each in lists for word in each.get(language, "").split()]
    if kind == "time" and language in _TIMES_IN_PLACE:
        words.append(_TIMES_IN_PLACE[language])
    if kind == "time" and language in _MORE_TIMES:
        words.append(_MORE_TIMES[language])
    return re.compile(rf"{figures}|\b(?:{'|'.join(words)})\b" if words else figures)
