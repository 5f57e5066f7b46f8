"""Which language a text or a question is in."""

import time
from pathlib import Path

import pytest

from rag.language import LANGUAGES, detect, question_language

QUESTIONS = [
    ("en", "who leads AI Studio?"),
    ("en", "Who is the mayor of Reims?"),
    ("en", "when was the Ponte Vecchio rebuilt"),
    ("en", "how many people work for Ferrari in Maranello?"),
    ("en", "what's Kunal Nayyar's company called?"),
    ("en", "Which museum bought the Picasso drawings?"),
    ("en", "where did Rosalía record El Mal Querer"),
    ("en", "WHY DID THE BRIDGE IN GENOA COLLAPSE"),
    ("en", "does the budget include a pay rise?"),
    ("en", "Tell me about Le Monde"),
    ("en", "is Prime Video cutting jobs"),
    ("en", "name of the director of La vita è bella?"),
    ("en", "did Amazon's layoffs hit Madrid"),
    ("en", "how long is the Camino de Santiago?"),
    ("en", "Which vaccine is stored at -70 degrees?"),
    ("es", "Quién dirige AI Studio?"),
    ("es", "¿Cuántos empleados despidió Amazon?"),
    ("es", "cuanto cuesta la entrada al Louvre"),
    ("es", "donde nacio Leonardo da Vinci"),
    ("es", "Cuándo empieza la beta cerrada"),
    ("es", "¿Por qué subió el precio del aceite?"),
    ("es", "que hace Secret City"),
    ("es", "QUE ESTUDIOS HA HECHO COLIN BRADY"),
    ("es", "¿Hay actores preocupados?"),
    ("es", "en qué año se fundó Médecins Sans Frontières"),
    ("es", "cual es el rio mas largo de Francia"),
    ("es", "qué serie usó IA en la segunda temporada"),
    ("es", "a quién pertenece Il Sole 24 Ore"),
    ("es", "cómo se llama el alcalde de Turín"),
    ("es", "dime quienes son los socios de la empresa"),
    ("fr", "combien de plans ia"),
    ("fr", "Qui dirige l'AI Studio ?"),
    ("fr", "qui a réalisé House of David"),
    ("fr", "Quand la bêta fermée commence-t-elle ?"),
    ("fr", "pourquoi les acteurs sont-ils inquiets"),
    ("fr", "ou se trouve le musee du Prado"),
    ("fr", "Combien d’emplois Amazon a-t-il supprimés ?"),
    ("fr", "quelle est la société de Kunal Nayyar"),
    ("fr", "qu'est-ce que The Eternaut"),
    ("fr", "est-ce que Netflix utilise aussi l’IA"),
    ("fr", "C'est quoi AWS ?"),
    ("fr", "QUEL EST LE BUDGET DE LA VILLE"),
    ("fr", "depuis quand existe la Juventus"),
    ("fr", "à quoi sert un pangolin"),
    ("fr", "comment s'appelle le maire de Barcelone"),
    ("it", "chi guida ai studio"),
    ("it", "Chi è Albert Cheng?"),
    ("it", "quante scene sono state generate con l'IA"),
    ("it", "Quando inizia la beta?"),
    ("it", "perché gli attori sono preoccupati"),
    ("it", "dov’è il museo del Louvre"),
    ("it", "cos'è The Big Bang Theory"),
    ("it", "quanti posti ha tagliato amazon"),
    ("it", "QUAL E IL NOME DEL REGISTA"),
    ("it", "come si chiama la società di Robert Stromberg"),
    ("it", "quale serie di Netflix ha usato l’IA"),
    ("it", "in che anno e nato Antoni Gaudi"),
    ("it", "da quanto tempo esiste il Real Madrid"),
    ("it", "di cosa si occupa Secret City"),
    ("it", "c'è un accordo con Le Figaro?"),
    ("it", "parlami dei fornitori di modelli linguistici"),
]


def test_short_questions_in_four_languages() -> None:
    wrong = [
        (question, expected, got)
        for expected, question in QUESTIONS
        if (got := question_language(question)) != expected
    ]
    assert len(wrong) <= 0.05 * len(QUESTIONS), wrong


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_language_pays_for_the_others(code: str) -> None:
    own = [question for expected, question in QUESTIONS if expected == code]
    assert sum(question_language(question) == code for question in own) >= 0.9 * len(own)


def test_questions_in_sloppy_spelling() -> None:
    plain = str.maketrans("áàâéèêëíìîïóòôúùûñç", "aaaeeeeiiiiooouuunc", "¿?")
    sloppy = [(expected, question.casefold().translate(plain)) for expected, question in QUESTIONS]
    wrong = [
        (question, expected, got) for expected, question in sloppy if (got := question_language(question)) != expected
    ]
    assert len(wrong) <= 0.08 * len(sloppy), wrong


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("wie viele Szenen wurden mit KI erzeugt", "de"),
        ("Wer leitet das Studio?", "de"),
        ("Quem dirige o estúdio da Amazon?", "pt"),
        ("谁领导工作室？", "zh"),
        ("Кто руководит студией?", "ru"),
    ],
)
def test_questions_in_another_language(question: str, code: str) -> None:
    assert question_language(question) == code


@pytest.mark.parametrize("question", ["", " ", "?!", "12", "\x00\x07", "AI", "Robert Stromberg", "\ud800"])
def test_questions_that_say_nothing_are_in_the_default(question: str) -> None:
    assert question_language(question, "it") == "it"
    assert question_language(question) == "en"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Il consiglio comunale ha approvato ieri sera il nuovo piano dei trasporti pubblici.", "it"),
        ("El ayuntamiento aprobó anoche el nuevo plan de transporte público de la ciudad.", "es"),
        ("Le conseil municipal a adopté hier soir le nouveau plan de transports publics.", "fr"),
        ("The city council adopted the new plan for public transport last night.", "en"),
        ("Der Stadtrat hat gestern Abend den neuen Plan für den Nahverkehr beschlossen.", "de"),
        ("A câmara municipal aprovou ontem à noite o novo plano de transportes públicos.", "pt"),
    ],
)
def test_detect(text: str, code: str) -> None:
    assert detect(text) == code
    assert detect(text * 200) == code


def test_detect_picks_among_the_given() -> None:
    assert detect("Quem dirige o estúdio da Amazon?", among=["es", "en"]) == "es"
    assert detect("The council met.", among=["fr"]) == "fr"
    assert detect("The council met.", among=[]) == "und"


@pytest.mark.parametrize("text", ["", " \n\t", "123 456", "¿?", "\x00\x01", "\ud800\udfff", "😀"])
def test_texts_without_letters_are_undetermined(text: str) -> None:
    assert detect(text) == "und"


def test_any_string_has_an_answer_and_soon() -> None:
    question_language("warm")
    started = time.process_time()
    for text in ["a" * 100_000, "e\u0301" * 50_000, "\ud83d chi guida lo studio \x00", "İ" * 1000, "\U0010ffff l'"]:
        assert detect(text)
        assert question_language(text)
    assert time.process_time() - started < 3.0
    assert question_language("\ud83d chi guida lo studio \x00") == "it"


def test_the_articles() -> None:
    texts = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[1] / "seeds").glob("*.txt"))]
    assert [detect(text) for text in texts] == ["it", "es", "en", "fr", "fr"]
