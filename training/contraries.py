"""Asks about another month, order or side than a text tells of: a question with one word changed for one of its kind.

Of the unanswerable questions that people write to look answerable, many are of this sort ("antonym" and "mutual
exclusion" in Rajpurkar et al. 2018, SQuAD 2.0).
"""

import random
import re

# Words of one group exclude each other and stand in the same places; forms that agree with other words have their own.
# Left out is what means something else as well: "été" and "est", "este", "prima".
GROUPS: dict[str, tuple[str, ...]] = {
    "en": (
        "January February March April May June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "spring summer autumn winter",
        "first second third fourth fifth last",
        "north south east west",
        "northern southern eastern western",
        "before after during",
        "most least",
        "more less",
        "largest smallest",
        "highest lowest",
        "longest shortest",
        "oldest youngest newest",
        "best worst",
        "earliest latest",
        "increase decrease",
        "increased decreased",
        "mother father brother sister son daughter wife husband uncle grandfather",
        "born married buried",
        "founded sold closed",
        "won lost",
        "began ended",
        "start end",
        "begin end",
        "bought sold",
        "wrote directed produced translated published",
        "written directed produced translated published",
        "built destroyed designed bought",
        "president secretary treasurer vice-president",
        "director author producer owner",
        "support oppose",
        "supported opposed",
        "accept reject",
        "allowed forbidden",
        "always never",
        "today formerly",
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
        "primavera verano otoño invierno",
        "primer segundo tercer cuarto quinto último",
        "primera segunda tercera cuarta quinta última",
        "norte sur oeste",
        "antes después",
        "más menos",
        "mayor menor",
        "mejor peor",
        "madre hermana hija esposa tía abuela",
        "padre hermano hijo esposo tío abuelo",
        "nació murió",
        "fundó vendió cerró",
        "ganó perdió",
        "comenzó terminó",
        "empezó terminó",
        "aumentó disminuyó",
        "compró vendió",
        "escribió dirigió produjo tradujo publicó",
        "escrito dirigido producido traducido publicado",
        "construyó destruyó diseñó",
        "construido destruido diseñado",
        "presidente secretario tesorero vicepresidente",
        "director autor productor propietario",
        "apoyó rechazó",
        "apoyaba rechazaba",
        "siempre nunca",
        "positivo negativo",
        "permitido prohibido",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "printemps automne hiver",
        "premier deuxième troisième quatrième dernier",
        "première deuxième troisième quatrième dernière",
        "nord sud ouest",
        "avant après",
        "plus moins",
        "meilleur pire",
        "mère sœur fille femme tante",
        "père frère fils mari oncle",
        "né mort enterré",
        "née morte enterrée",
        "fondé vendu fermé quitté",
        "fonde vend ferme quitte",
        "gagné perdu",
        "commence finit",
        "commencé fini",
        "augmenté diminué",
        "acheté vendu",
        "écrit traduit produit publié",
        "construit détruit dessiné",
        "président secrétaire trésorier vice-président",
        "directeur auteur producteur propriétaire",
        "soutient refuse",
        "soutenu refusé",
        "toujours jamais",
        "autorisé interdit",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "primavera estate autunno inverno",
        "primo secondo terzo quarto quinto ultimo",
        "seconda terza quarta quinta ultima",
        "nord sud est ovest",
        "più meno",
        "maggiore minore",
        "migliore peggiore",
        "madre sorella figlia moglie zia",
        "padre fratello figlio marito zio",
        "nato morto sepolto",
        "nata morta sepolta",
        "fondò vendette chiuse",
        "fondato venduto chiuso",
        "vinse perse",
        "vinto perso",
        "iniziò finì",
        "iniziato finito",
        "aumentato diminuito",
        "comprato venduto",
        "scrisse diresse produsse tradusse pubblicò",
        "scritto diretto prodotto tradotto pubblicato",
        "costruito distrutto progettato",
        "presidente segretario tesoriere vicepresidente",
        "direttore autore produttore proprietario",
        "sostenne rifiutò",
        "sempre mai",
        "permesso vietato",
    ),
}
KINDS = {language: [tuple(group.split()) for group in groups] for language, groups in GROUPS.items()}
WORD = re.compile(r"\w[\w-]*")


def contrary(question: str, language: str, text: str, choose: random.Random) -> str | None:
    """Return the question with one of its words changed for another of the kind that the text does not have.

    None where it has no such word, or where the text has all of the kind.
    """
    there = {match.group().casefold() for match in WORD.finditer(text)}
    changes = []
    for match in WORD.finditer(question):
        word = match.group()
        for kind in KINDS[language]:
            same = [other for other in kind if other.casefold() == word.casefold()]
            others = [other for other in kind if other.casefold() not in there and other not in same]
            if same and others:
                changes.append((match, choose.choice(others)))
    if not changes:
        return None
    match, other = choose.choice(changes)
    if match.group()[0].isupper():
        other = other[0].upper() + other[1:]
    return question[: match.start()] + other + question[match.end() :]
